"""Encoding of scipy's sparse matrices and arrays.

Invariant: the order in which entries were stored, and whether duplicates were
summed already, do not count; explicit zeros and the format do.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gitmemo.hashing.encoding import Encoder
from gitmemo.hashing.parts import record
from gitmemo.hashing.registry import bases


def install_scipy() -> None:
    # Another part of scipy may be all that is loaded, but this runs only once.
    from scipy import sparse

    def encode(encoder: Encoder, value: Any) -> bytes:
        rows = value.tocsr(copy=True)
        rows.sum_duplicates()
        rows.sort_indices()
        rows_format: str = getattr(value, "format")  # noqa: B009  the stubs of spmatrix lack it
        family = "matrix" if isinstance(value, sparse.spmatrix) else "array"
        parts = (
            f"{rows_format}_{family}",
            tuple(int(n) for n in value.shape),
            rows.data,
            rows.indices.astype(np.int64),
            rows.indptr.astype(np.int64),
        )
        return record("scipy.sparse", *map(encoder.part, parts))

    bases(sparse.spmatrix)(encode)
    if hasattr(sparse, "sparray"):
        bases(sparse.sparray)(encode)
