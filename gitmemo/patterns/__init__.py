"""Patterns: which calls fit a shape of computation, and the tables of what matched.

Not stores: these modules see calls, and a loader for refs. Invariant: a row is one assignment of
histories to variables under which every call of the pattern is a call that was made.
"""
