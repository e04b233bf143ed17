"""`%load_ext gitmemo`: magics for notebooks and IPython.

Not reading notebooks (`source.notebook`), nor how objects look in them (each says that itself).
Invariant: nothing of IPython is imported before `%load_ext`.
"""

from gitmemo.notebooks.extension import load, unload

__all__ = ["load", "unload"]
