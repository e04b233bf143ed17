"""Memoization: ops, refs, and the storage that looks calls up, runs and remembers them."""
