"""What to share: which values a command is about, where they are, and what is not shared yet.

Not how bytes travel (`remotes`), nor how git does (`history`). Invariant: a remote is asked by `standing`
alone; everything else says what is known in this clone.
"""
