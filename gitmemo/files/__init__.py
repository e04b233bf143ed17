"""Files and folders as values: `gm.File` and `gm.Dir`.

Not how they are stored (`gitmemo.codecs.files`). Invariant: what identifies
one is its bytes, names and executable bits, never the folder where it lies.
"""

from gitmemo.files.values import Dir, File

__all__ = ["Dir", "File"]
