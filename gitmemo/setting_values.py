"""What the values of settings mean, and which of them are refused.

Not where they are said (`config`). Invariant: nothing is read here, no file and no environment; a
value that makes no sense is an error that names the setting.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from gitmemo.errors import BadSetting
from gitmemo.quantities import size_in_bytes

SMALLEST_SPILL = 10_000_000
"""Smaller segments stay in git: joining them may take them away, which would conflict in a merge."""
SIDE_REF = "refs/gitmemo/versions"
RESOURCES = "GITMEMO_RESOURCES"
_DEPENDS = ("packages", "env", "files")
_MAX_SIDE_REF = 200
_Choice = TypeVar("_Choice", bound=StrEnum)
_STORE_ID = re.compile(r"[0-9a-f]{32}")
# Less than git allows: what every host, platform and shell takes as it is.
_SIDE_REF = re.compile(r"refs/(heads|gitmemo)(/(?!-)[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*)+")


class OnChange(StrEnum):
    """What happens when a component that stored calls depend on has changed."""

    ASK = "ask"
    PENDING = "pending"
    BREAKING = "breaking"
    NON_BREAKING = "non-breaking"
    ERROR = "error"


class Reuse(StrEnum):
    """Which stored calls stand for one that is made now."""

    ANY = "any"
    WORLD = "world"


class Claiming(StrEnum):
    """Whether a program waits for calls that another one computes."""

    ON = "on"
    OFF = "off"


class LazyPull(StrEnum):
    """Whether a value that is only on the remote is fetched when it is needed."""

    ON = "on"
    ASK = "ask"
    OFF = "off"


def policy(name: str, value: object) -> OnChange:
    """Return the policy that the setting `name` means.

    Raises:
        BadSetting: There is no such policy.
    """
    # What the question at a commit calls later is the policy `pending`.
    return OnChange.PENDING if value == "later" else one_of(OnChange, name, value)


def reuse_of(value: object) -> Reuse:
    """Return what the setting `reuse` means.

    Raises:
        BadSetting: It is neither "any" nor "world".
    """
    return one_of(Reuse, "reuse", value)


def lazy_pull_of(value: object) -> LazyPull:
    """Return what the setting `lazy_pull` means; true is "on" and false is "off".

    Raises:
        BadSetting: It is neither "on" nor "ask" nor "off".
    """
    if isinstance(value, bool):
        return LazyPull.ON if value else LazyPull.OFF
    return one_of(LazyPull, "lazy_pull", value)


def claiming_of(value: object) -> Claiming:
    """Return what the setting `run.claims` means; true is "on" and false is "off".

    Raises:
        BadSetting: It is neither "on" nor "off".
    """
    if isinstance(value, bool):
        return Claiming.ON if value else Claiming.OFF
    return one_of(Claiming, "run.claims", value)


def side_ref_of(value: object) -> str:
    """Return the ref that the setting `side_ref` means.

    Raises:
        BadSetting: It is no plain full name of a branch, or of a ref of gitmemo that travels.
    """
    name = value if isinstance(value, str) and len(value) <= _MAX_SIDE_REF else ""
    is_legal = _SIDE_REF.fullmatch(name) and not any(
        part.lower().endswith(".lock") for part in name.split("/")
    )
    # Views are made in each clone for itself, and a branch HEAD would hide the real one.
    if not is_legal or name == "refs/heads/HEAD" or f"{name}/".startswith("refs/gitmemo/fn/"):
        raise BadSetting("side_ref", value, (f'"{SIDE_REF}"', 'a branch, as "refs/heads/gitmemo"'))
    return name


def one_of(kind: type[_Choice], name: str, value: object) -> _Choice:
    """Return the choice that the setting `name` means; `BadSetting` lists them all."""
    try:
        return kind(str(value))
    except ValueError:
        raise BadSetting(name, value, tuple(kind)) from None


def table_in(name: str, value: Any) -> dict[str, Any]:
    """Return what has to be a table."""
    if not isinstance(value, dict):
        raise BadSetting(name, value, ("a table",))
    return value


def amounts_of(name: str, table: Any) -> dict[str, float]:
    """Return how much there is of each thing that a table names."""
    for key, amount in table_in(name, table).items():
        if not isinstance(amount, int | float) or isinstance(amount, bool) or not amount >= 0:
            raise BadSetting(f"{name}.{key}", amount, ("a number, 0 or more",))
    return {str(key): amount for key, amount in table.items()}


def amounts_said(text: str) -> dict[str, float]:
    """Return the amounts that the environment says, as `GPU=2,memory=16`."""
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    try:
        return amounts_of(RESOURCES, {name.strip(): float(amount) for name, _, amount in pairs})
    except ValueError:
        raise BadSetting(RESOURCES, text, ("names and amounts, as GPU=2",)) from None


def store_path_of(local: Mapping[str, Any]) -> Path | None:
    """Return where a clone keeps its values, if its file names a folder."""
    value = table_in("store", local.get("store", {})).get("path")
    if value is None:
        return None
    try:
        path = Path(value).expanduser() if isinstance(value, str) and "\0" not in value else None
    except RuntimeError:  # nobody has that home
        path = None
    if path is None or not path.is_absolute():
        raise BadSetting("store.path", value, ("the absolute path of a folder",))
    return path


def store_id_of(local: Mapping[str, Any]) -> str | None:
    """Return under which name a clone is known there."""
    value = table_in("store", local.get("store", {})).get("id")
    if value is not None and not (isinstance(value, str) and _STORE_ID.fullmatch(value)):
        raise BadSetting("store.id", value, ("what `gitmemo store share` wrote",))
    return value


def default_remote_of(table: Mapping[str, Any]) -> str | None:
    """Return which remote a file names as the default one."""
    chosen = table.get("default_remote")
    if chosen is not None and not isinstance(chosen, str):
        raise BadSetting("default_remote", chosen, ("the name of a remote",))
    return chosen


def flag_of(name: str, table: Any, key: str) -> bool:
    """Return a setting that is true or false; false if it is not said."""
    value = table_in(name.partition(".")[0], table).get(key, False)
    if not isinstance(value, bool):
        raise BadSetting(name, value, ("true", "false"))
    return value


def spill_limit_of(table: Any) -> int | None:
    """Return from how many bytes on segments may be moved to a remote."""
    value = table_in("index", table).get("spill_above")
    if value is None:
        return None
    found = size_in_bytes(value) if isinstance(value, str) else value
    if not isinstance(found, int) or isinstance(found, bool) or found < SMALLEST_SPILL:
        raise BadSetting("index.spill_above", value, ('a size from "10 MB" on',))
    return found


def folders_of(value: Any) -> tuple[str, ...]:
    """Return the folders that do not count in module names."""
    if not isinstance(value, list) or not all(isinstance(folder, str) for folder in value):
        raise BadSetting("source_roots", value, ('a list of folders, such as ["src"]',))
    return tuple(value)


def depends_of(table: Any) -> dict[str, tuple[str, ...]]:
    """Return what every call depends on beyond code: names by kind."""
    found: dict[str, tuple[str, ...]] = {}
    for key, names in table_in("depends", table).items():
        if key not in _DEPENDS:
            raise BadSetting("depends", key, _DEPENDS)
        listed = [names] if isinstance(names, str) else names
        if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
            raise BadSetting(f"depends.{key}", names, ('a list of names, such as ["numpy"]',))
        found[key] = tuple(listed)
    return found


def remotes_of(tables: Any, *, needs_url: bool) -> dict[str, dict[str, str]]:
    """Return the tables of remotes as texts; what stands in a bad one is not shown."""
    for name, table in table_in("remotes", tables).items():
        is_table = isinstance(table, dict) and isinstance(table.get("url", ""), str)
        if not is_table or (needs_url and "url" not in table):
            raise BadSetting(f"remotes.{name}", "(not shown)", ('a table with a "url"',))
    return {str(name): {str(k): str(v) for k, v in t.items()} for name, t in tables.items()}


def addresses_of(name: str, table: Mapping[str, Any]) -> dict[str, str]:
    """Return the addresses that a table of names holds."""
    return {str(k): str(v) for k, v in table_in(name, table.get(name, {})).items()}
