"""Removing values that nobody needs, and finding damaged ones: of this clone, and of a remote."""
