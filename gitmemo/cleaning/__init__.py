"""Removing values that nobody needs, finding damaged ones, and sharing a store of them.

Not records, which are never removed. Invariant: what is removed lies elsewhere, or was first in a plan; and
no plan holds a live value but one that the user asked to evict, which can be had again or which only
forgotten calls name.
"""
