"""Names of components in git are legal, distinct, and never a way out of a folder."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitmemo.history.names import (
    MAX_KEY_BYTES,
    file_name,
    key_of,
    parse_key,
    ref_name,
    tracking_ref,
    twin_of,
)
from gitmemo.model.components import Component

ODD_UNITS = [
    "f", "C.m", "class C", "$N", "$n", "lock", "Cache.lock", "cache.lock", "f.<locals>.g", "con",
    "größe", "_", "__init__", "-f", "f.", "a" * 300, "A" * 300, "..", "@{", "HEAD", "git",
]  # fmt: skip
ODD_PATHS = [
    "m.py", "src/m.py", "analysis/train.py", "analysis/__init__.py", "nb.ipynb", "a b/ü.py",
    "__main__", "con.py", "Big/M.py", "a.b/c.py", "a/b/c.py", "x.lock.py", "-/-.py",
    "d/" * 90 + "x.py",
]  # fmt: skip


def test_plain_names_are_plain() -> None:
    assert (
        ref_name(Component("analysis/train.py", "train")) == "refs/gitmemo/fn/analysis.train/train"
    )
    assert ref_name(Component("src/pkg/m.py", "fit_all")) == "refs/gitmemo/fn/pkg.m/fit_all"
    assert file_name("scale") == "scale.py"
    assert tracking_ref("origin") == "refs/gitmemo-remote/origin/versions"


def test_every_ref_name_is_legal_for_git_and_has_two_levels() -> None:
    names = [ref_name(Component(path, unit)) for path in ODD_PATHS for unit in ODD_UNITS]
    names += [
        tracking_ref(r) for r in ("../up", "git@host:a b.git", "https://u:p@h/x", "--help", "Ω")
    ]
    for name in names:
        assert name.count("/") == 4 or name.startswith("refs/gitmemo-remote/")
        assert all(part and len(part) < 130 for part in name.split("/"))
        done = subprocess.run(["git", "check-ref-format", name], check=False)
        assert done.returncode == 0, name


def test_different_components_have_different_refs_even_where_case_does_not_count() -> None:
    paths = [path for path in ODD_PATHS if not path.startswith("src/")]
    components = [Component(path, unit) for path in paths for unit in ODD_UNITS]
    names = [ref_name(component).lower() for component in components]
    assert len(set(names)) == len(names)
    assert ref_name(Component("m.py", "Fit")).lower() != ref_name(Component("m.py", "fit")).lower()


def test_a_component_under_src_gives_way_to_its_twin() -> None:
    inner, outer = Component("src/m.py", "f"), Component("m.py", "f")
    assert ref_name(inner) == ref_name(outer)
    assert twin_of(inner) == outer
    assert twin_of(outer) is None
    assert ref_name(inner, shadowed=True).startswith("refs/gitmemo/fn/m/f-")


@pytest.mark.parametrize(
    "key",
    [
        "", ":", "a.py", "a.py:", ":f", "/etc/passwd:f", "../a.py:f", "a/../../b.py:f", "a//b.py:f",
        "./a.py:f", "a\\b.py:f", "a.py:f\n", "a\0.py:f", "a.py:\x1b[31mf", " a.py:f", ".git/x.py:f",
        "a/.GIT/config:f", "a.py:f\u2028", "x" * MAX_KEY_BYTES + ":f",
    ],
)  # fmt: skip
def test_hostile_keys_are_refused(key: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_key(key)


def test_a_component_that_cannot_be_a_key_is_refused() -> None:
    with pytest.raises(ValueError, match="history"):
        key_of(Component("a.py", "f:g"))
    assert parse_key("C: drive/a.py:f") == Component("C: drive/a.py", "f")


@given(st.text(max_size=300))
def test_any_text_gives_a_harmless_file_name(unit: str) -> None:
    name = file_name(unit)
    assert name.endswith(".py")
    assert not name.startswith((".", "-"))
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")
    assert len(name) < 110


@given(st.text(min_size=1, max_size=50), st.text(min_size=1, max_size=50))
def test_any_text_gives_a_harmless_ref_name(path: str, unit: str) -> None:
    name = ref_name(Component(path, unit))
    assert name.count("/") == 4
    for part in name.split("/"):
        assert part and not part.startswith(".") and not part.endswith((".", ".lock"))
        assert ".." not in part and part.isascii() and part.isprintable() and " " not in part
