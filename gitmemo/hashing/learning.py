"""Encoding of scikit-learn estimators and of torch's tensors and modules.

Invariant: what a model computes counts; the version of the library that made
it, gradients and storage layout do not.
"""

from __future__ import annotations

from typing import Any

from gitmemo.errors import Unhashable
from gitmemo.hashing.encoding import Encoder
from gitmemo.hashing.parts import raw, record
from gitmemo.hashing.registry import bases


def install_sklearn() -> None:
    from sklearn.base import BaseEstimator

    @bases(BaseEstimator)
    def _estimator(encoder: Encoder, value: Any) -> bytes:
        state = value.__getstate__()
        if not isinstance(state, dict):
            state = {"state": state}
        state = {key: item for key, item in state.items() if key != "_sklearn_version"}
        return record("sklearn", encoder.part(type(value)), encoder.attributes(state))


def install_torch() -> None:
    import torch

    @bases(torch.Tensor)
    def _tensor(encoder: Encoder, value: Any) -> bytes:
        own = type(value) in (torch.Tensor, torch.nn.Parameter)
        kind = type(value).__name__ if own else type(value)
        dense = value.detach()
        if dense.layout != torch.strided or dense.is_quantized:
            raise Unhashable("torch.Tensor", "", f"its layout is {dense.layout}")
        dense = dense.cpu().resolve_conj().resolve_neg().contiguous().reshape(-1)
        data = memoryview(dense.view(torch.uint8).numpy()) if dense.numel() else b""
        parts = (kind, str(value.dtype), tuple(value.shape), bool(value.requires_grad))
        return record("torch.Tensor", *map(encoder.part, parts), raw(data))

    @bases(torch.nn.Module)
    def _module(encoder: Encoder, value: Any) -> bytes:
        # Every torch release adds private tables of hooks, empty as a rule.
        state = {
            key: item
            for key, item in vars(value).items()
            if not (key.startswith("_") and isinstance(item, dict | set) and not item)
        }
        return record("torch.nn.Module", encoder.part(type(value)), encoder.attributes(state))

    @bases(torch.dtype, torch.device)
    def _named(encoder: Encoder, value: object) -> bytes:
        return encoder.record("torch", str(value))

    @bases(torch.Generator)
    def _generator(encoder: Encoder, value: Any) -> bytes:
        return encoder.record("torch.Generator", value.get_state())
