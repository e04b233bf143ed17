"""Removing values that nobody needs, and finding damaged ones: of this clone, and of a remote.

Not records, which are never removed. Invariant: what is removed was first in a plan, and no plan holds a
live value but one that the user asked to evict and that can be had again.
"""
