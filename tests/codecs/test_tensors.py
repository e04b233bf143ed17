"""Torch tensors, against as much of torch's protocol as the codec uses."""

from __future__ import annotations

import sys
import types

import numpy as np
import pytest

from gitmemo.codecs import decode
from gitmemo.codecs.arrays import TensorCodec


class Tensor:
    """What `docs/values.md` says of `torch.Tensor`, over a numpy array."""

    def __init__(self, array, *, requires_grad=False, device="cpu", layout="strided"):
        self.array, self.requires_grad, self.layout = array, requires_grad, layout
        self.device = types.SimpleNamespace(type=device)

    def resolve_conj(self):
        return self

    def resolve_neg(self):
        return self

    def numpy(self):
        if self.array is None:
            raise TypeError("Got unsupported ScalarType BFloat16")
        return self.array


@pytest.fixture(autouse=True)
def torch(monkeypatch):
    module = types.ModuleType("torch")
    module.Tensor, module.strided, module.from_numpy = Tensor, "strided", Tensor
    monkeypatch.setitem(sys.modules, "torch", module)


def test_a_tensor_is_its_array(tmp_path):
    array = np.arange(40_000.0).reshape(200, 200).T
    data = b"".join(TensorCodec().encode(Tensor(array)))
    (tmp_path / "blob").write_bytes(data)
    for source in (data, tmp_path / "blob"):
        again = decode("npy-torch", source)
        assert type(again) is Tensor
        assert (again.array == array).all()
        again.array[0, 0] = 5
    assert (tmp_path / "blob").read_bytes() == data


@pytest.mark.parametrize(
    "tensor",
    [
        Tensor(np.zeros(2), requires_grad=True),
        Tensor(np.zeros(2), device="cuda"),
        Tensor(np.zeros(2), layout="sparse_coo"),
        Tensor(None),
    ],
)
def test_other_tensors_are_left_to_pickle(tensor):
    assert TensorCodec().encode(tensor) is None


def test_without_torch_the_fix_is_to_install_it(monkeypatch):
    data = b"".join(TensorCodec().encode(Tensor(np.zeros(2))))
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ValueError, match="torch"):
        decode("npy-torch", data)
