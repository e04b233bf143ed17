"""Source ids are the same on every Python: these were written down once.

A change here is a change of the scheme: give it a new name instead.
"""

from __future__ import annotations

import pytest

from gitmemo.source import SourceFile

TEXT = r'''
from __future__ import annotations
import functools, os.path as p
from .near import thing as other, rest
VALUES = [1, -2.5, 1e300, 3j, True, None, ..., b"\x00\xff", "é\n", 10**20]
NESTED = {"a": (1, [2, {3}]), **rest}
async def wait(x, /, y: int = 1, *args, z=(), **kw) -> None:
    """Doc."""
    async with x as a, y:
        async for i in z: await i
    return [i async for i in x if i], {k: v for k, v in kw.items()}
@functools.cache
def texts(n, w):
    "kept"
    return f"a{n!r:>{w}}b" f"{n=}" "c" "d", f"{n:{w}.{w}}", f"", rf"\d{{{n}}}"
class C(other, metaclass=p):
    """kept"""
    x: int = 3
    y: str
    def m(self): return super().m() if self else lambda *a, b=1: (a, b)
    @property
    def q(self): x: int = 1; z: str; return x
    @q.setter
    def q(self, v): del (v), self.a, self.b[0]
def flow(n):
    global VALUES
    try:
        while n: n -= 1; continue
        else: pass
    except* (ValueError, TypeError) as e: raise e from None
    finally: assert n, "no"
    match n:
        case {"a": [1, *r], **k} | C(x=-1, y=None) if r: return r
        case _: pass
    if (m := n) < 2 <= 3 != 4 is not None not in n: return not m and ~n or +n @ m
    with open(n) as f, (n): nonlocal_ = f
    return n[1:2, ::3, ...], (yield n), (yield from n)
if VALUES:
    def late(): return 1
else:
    def late(): return 2
VALUES.append(other(p))
'''

GOLDEN = {
    "$VALUES": "bf37aebcd0574da17bc245f2d5c485e7902a66b6ae57710e6549592dc5f2237b",
    "$NESTED": "29bac098dc1e0b834f53f8f2fffdd9bcb206667e303c2523ad942197d85b17ab",
    "wait": "5192dd232f7333401b730b4aa5e9036b9ce7473c2bf4f25ffd4d242cd69a4a1b",
    "texts": "cb3d7613443337363d25b66bd8665df2c190b05176d7cafd6a03f0ee1c2a8619",
    "class C": "5b91a0b719bf89b7a863ddf4e10718d42972cf933d7902bd0da0e6301fedf512",
    "flow": "ad80832b0532d20f3638ad15a191f45eca3484d9628693c639a363a0f32b393f",
    "late": "91776d960098b3ab1c9427df4c30f3f03d02682e6d0099a223712dc1c4d4cc1c",
    "C.m": "df6a2038b0ce7012a2d0d1e2449a822a0df01ad91a112605be0113a65e3af2f1",
    "C.q": "ab57cab479ccb73a15b14c246c026dad20c85c13d5f0a866baeb5b88593ac87e",
}


@pytest.mark.parametrize("name", GOLDEN)
def test_ids_are_what_they_always_were(name: str) -> None:
    assert SourceFile.parse(TEXT, "mod.py").units[name].source.hex() == GOLDEN[name]


def test_none_is_missing() -> None:
    assert set(SourceFile.parse(TEXT, "mod.py").units) == set(GOLDEN)
