"""A program as a user writes it; `test_typing.py` has mypy and pyright check it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_type

import gitmemo as gm


class Scale:
    factor = 2.0


@gm.op
def plain(x: int, *, scale: float = 1.0) -> float:
    return x * scale


@gm.op(output_names=["low", "high"], ignore_args="verbose", store={"low": "hash"})
def bounds(values: list[float], verbose: bool = False) -> tuple[float, float]:
    return min(values), max(values)


@gm.op(materialize=True)
def numbers(n: int) -> Iterator[str]:
    yield from map(str, range(n))


@gm.op(
    packages=["numpy"],
    env="MODEL_DIR",
    files=("data/vocab.txt",),
    untracked=["CACHE", plain, Scale],
    track=[Scale],
)
def embed(text: str) -> list[float]:
    return [float(len(text))]


@gm.superop(packages="numpy", untracked="CACHE")
def embeddings(text: str) -> list[float]:
    return embed(text)


@gm.superop
def pipeline(n: int) -> float:
    return plain(n)


@gm.superop(version=2)
def newer(n: int) -> float:
    return plain(n)


@gm.op
async def fetch(url: str) -> bytes:
    return url.encode()


class Model:
    weight = 2.0

    @gm.op
    def predict(self, x: int, *, bias: float = 0.0) -> float:
        return self.weight * x + bias


async def main() -> None:
    storage = gm.Storage()
    with storage:
        assert_type(plain(1), float)
        assert_type(plain.ref(1, scale=2.0), gm.Ref[float])
        assert_type(storage.unwrap(plain.ref(1)), float)
        assert_type(gm.unwrap(plain.ref(1)), float)
        assert_type(storage.unwrap(plain(1)), float)
        low, high = bounds([1.0, plain(2)])
        assert_type(low, float)
        assert_type(high, float)
        assert_type(numbers(3), list[str])
        assert_type(embed("a"), list[float])
        assert_type(embeddings.ref("a"), gm.Ref[list[float]])
        assert_type(pipeline(3), float)
        assert_type(newer(3), float)
        assert_type(Model().predict(3, bias=1.0), float)
        assert_type(Model().predict.ref(3), gm.Ref[float])
        assert_type(Model.predict(Model(), 3), float)
        assert_type(await fetch("u"), bytes)
        assert_type(plain.__wrapped__(1), float)
        assert_type(gm.wrap_atom("a"), gm.Ref[str])
        with storage.allow_new_calls(False), gm.noop(), storage(mode="noop"):
            pass

        plain("1")  # type: ignore[arg-type]
        plain(1, scal=2.0)  # type: ignore[call-arg]
        plain.ref()  # type: ignore[call-arg]
        Model().predict("3")  # type: ignore[arg-type]
        storage(mode="off")  # type: ignore[arg-type]
        gm.op(nout="some")  # type: ignore[call-overload]
        gm.superop(nout="some")  # type: ignore[call-overload]
        gm.superop(versoin=2)  # type: ignore[call-overload]
        gm.op(packages=1)  # type: ignore[call-overload]
        gm.op(env=[b"HOME"])  # type: ignore[list-item]
        gm.op(files=None)  # type: ignore[call-overload]
        gm.superop(untracked=5)  # type: ignore[call-overload]
