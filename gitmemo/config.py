"""Settings: the committed file, this clone's own file, and the environment.

Not what settings do. Invariant: this module and the command line are the only
readers of the environment; secrets are never in the committed file, and only
this clone's own file can grant trust.
"""

from __future__ import annotations

import functools
import os
import re
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from gitmemo.errors import BadSetting, NewerFormat, StoreCommitted
from gitmemo.plain_files import refuse_links
from gitmemo.quantities import size_in_bytes
from gitmemo.remote_tables import RemoteTable, merged
from gitmemo.signing_keys import VARIABLE, KeyTable, tables_in

FORMAT = 1
COMMITTED = ".gitmemo/config.toml"
LOCAL = "gitmemo/config.toml"
CALLS_ALONE = "GITMEMO_CALLS_ALONE"
_RESOURCES = "GITMEMO_RESOURCES"
SMALLEST_SPILL = 10_000_000
"""Smaller segments stay in git: joining them may take them away, which would conflict in a merge."""
SIDE_REF = "refs/gitmemo/versions"
_DEPENDS = ("packages", "env", "files")
_MAX_SIDE_REF = 200
_Choice = TypeVar("_Choice", bound=StrEnum)
_LARGEST = 1 << 18
_MOST_DOTS = 200
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


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings after every source was read.

    Attributes:
        on_change: The policy at commits; `ask` falls back to `pending` without a terminal.
        on_change_running: The policy in a running program, at the entry of a block.
        remotes: Name to its table: `url` and options, as this clone uses them.
        committed_remotes, own_remotes: What each of the two files says of remotes.
        committed_default, own_default: Which default remote each of them names.
        default_remote: The remote used when none is named; the only one, if there is one.
        lazy_pull: Whether values are fetched from it when they are needed.
        trusted: This clone's trust: remote name to the address that was trusted.
        meant_for: Remote name to the committed address that this clone's options were said for.
        source_roots: Folders that do not count in module names.
        depends: What every call depends on beyond code: names under `packages`, `env`, `files`.
        reuse: Whether calls of other branches and commits that are known here are adopted.
        record_user: Whether decisions say who made them, and when.
        spill_above: From how many bytes on `gitmemo index spill` moves a segment to a remote.
        side_ref: The ref that holds the function histories on git remotes.
        keys: What this clone says of the keys that sign values, for each remote.
        claims: Whether calls are claimed, so that no two programs compute the same.
        resources: How much there is here of what calls need besides cores.
        store: Where this clone keeps its values, if not in its own folder.
        store_id: Under which name it is known there.
    """

    on_change: OnChange = OnChange.ASK
    on_change_running: OnChange = OnChange.PENDING
    remotes: Mapping[str, RemoteTable] = field(default_factory=dict)
    committed_remotes: Mapping[str, RemoteTable] = field(default_factory=dict)
    own_remotes: Mapping[str, RemoteTable] = field(default_factory=dict)
    committed_default: str | None = None
    own_default: str | None = None
    default_remote: str | None = None
    lazy_pull: LazyPull = LazyPull.ON
    trusted: Mapping[str, str] = field(default_factory=dict)
    meant_for: Mapping[str, str] = field(default_factory=dict)
    source_roots: tuple[str, ...] = ("src",)
    depends: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reuse: Reuse = Reuse.ANY
    record_user: bool = False
    spill_above: int | None = None
    side_ref: str = SIDE_REF
    keys: Mapping[str, KeyTable] = field(default_factory=dict)
    claims: Claiming = Claiming.ON
    resources: Mapping[str, float] = field(default_factory=dict)
    store: Path | None = None
    store_id: str | None = None


def read_settings(root: Path, common_dir: Path) -> Settings:
    """Read the settings of a repository.

    Raises:
        NewerFormat: The committed file is of a format this gitmemo does not know.
        BadSetting: A setting has a value that makes no sense, or a file is not TOML.
        LinkInside: The committed file is a link, or its folder is one: it could lead anywhere.
    """
    return merge(*read_tables(root, common_dir), os.environ)


def read_tables(root: Path, common_dir: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the committed file and this clone's own file say, as it stands there.

    Raises:
        BadSetting, LinkInside: As `read_settings`, but that values may make no sense.
    """
    refuse_links(root, COMMITTED)
    return _table(root / COMMITTED), _table(common_dir / LOCAL)


def settings_in(committed: bytes, common_dir: Path) -> Settings:
    """Do the same for a committed file of another revision.

    Raises:
        NewerFormat, BadSetting: As `read_settings`.
    """
    return merge(_parsed(COMMITTED, committed), _table(common_dir / LOCAL), os.environ)


def own_settings(common_dir: Path) -> Settings:
    """Return what this clone's own file says alone, as it is now.

    Raises:
        BadSetting: As `read_settings`.
    """
    return merge({}, _table(common_dir / LOCAL), os.environ)


def environment_variable(name: str) -> str | None:
    """Return the value of a variable that the user named as a dependency, None if it is not set."""
    return os.environ.get(name)


def signing_key_given() -> str | None:
    """Return the key for signing values that the environment holds; None if it holds none."""
    return os.environ.get(VARIABLE) or None


def own_clone() -> str:
    """Return where a worker has its clone that does not see the program's folder."""
    return os.environ.get("GITMEMO_PROJECT") or "."


def is_commit_of_calls() -> bool:
    """Whether the hook that runs is that of `gitmemo commit`, which lets git commit calls alone."""
    return CALLS_ALONE in os.environ


def chosen_policy(default: OnChange) -> OnChange:
    """Return the policy that the environment asks for, else `default`; for where no file says it.

    Raises:
        BadSetting: `GITMEMO_ON_CHANGE` is no policy.
    """
    return policy("GITMEMO_ON_CHANGE", os.environ.get("GITMEMO_ON_CHANGE") or default)


def chosen_capacity() -> dict[str, float]:
    """Return how much the environment says there is of what calls need; for where no file says it.

    Raises:
        BadSetting: `GITMEMO_RESOURCES` is no list of names and amounts.
    """
    return _amounts_said(os.environ.get(_RESOURCES, ""))


def policy(name: str, value: object) -> OnChange:
    """Return the policy that the setting `name` means.

    Raises:
        BadSetting: There is no such policy.
    """
    # What the question at a commit calls later is the policy `pending`.
    return OnChange.PENDING if value == "later" else _one_of(OnChange, name, value)


def reuse_of(value: object) -> Reuse:
    """Return what the setting `reuse` means.

    Raises:
        BadSetting: It is neither "any" nor "world".
    """
    return _one_of(Reuse, "reuse", value)


def lazy_pull_of(value: object) -> LazyPull:
    """Return what the setting `lazy_pull` means; true is "on" and false is "off".

    Raises:
        BadSetting: It is neither "on" nor "ask" nor "off".
    """
    if isinstance(value, bool):
        return LazyPull.ON if value else LazyPull.OFF
    return _one_of(LazyPull, "lazy_pull", value)


def claiming_of(value: object) -> Claiming:
    """Return what the setting `run.claims` means; true is "on" and false is "off".

    Raises:
        BadSetting: It is neither "on" nor "off".
    """
    if isinstance(value, bool):
        return Claiming.ON if value else Claiming.OFF
    return _one_of(Claiming, "run.claims", value)


def chosen_claiming(default: Claiming = Claiming.ON) -> Claiming:
    """Return what the environment says of claims, else `default`; for where no file says it.

    Raises:
        BadSetting: `GITMEMO_CLAIMS` is neither "on" nor "off".
    """
    return _one_of(Claiming, "GITMEMO_CLAIMS", os.environ.get("GITMEMO_CLAIMS") or default)


def _one_of(kind: type[_Choice], name: str, value: object) -> _Choice:
    try:
        return kind(str(value))
    except ValueError:
        raise BadSetting(name, value, tuple(kind)) from None


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


def is_unattended() -> bool:
    """Whether the environment says that nobody sits in front of this process, as on build machines."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def is_plain_terminal() -> bool:
    """Whether the terminal, if there is one, cannot write over a line."""
    return os.environ.get("TERM", "dumb") == "dumb"


def cache_folder() -> Path:
    """Return the folder for what can be computed again, outside of any repository."""
    return _cache_folder(os.environ.get("XDG_CACHE_HOME", ""), os.environ.get("HOME", ""))


@functools.cache  # asked for every file
def _cache_folder(chosen: str, home: str) -> Path:
    if Path(chosen).is_absolute():
        return Path(chosen) / "gitmemo"
    place = "Library/Caches" if sys.platform == "darwin" else ".cache"
    return (Path(home) if home else Path.home()) / place / "gitmemo"


def merge(
    committed: Mapping[str, Any], local: Mapping[str, Any], environment: Mapping[str, str]
) -> Settings:
    """Merge the tables of the two files and the environment; the environment wins."""
    found = committed.get("format", FORMAT)
    if found != FORMAT:
        raise NewerFormat(COMMITTED, found, FORMAT)
    if "store" in committed:  # it could name any folder
        raise StoreCommitted(COMMITTED)
    shared = _remotes(committed.get("remotes", {}), needs_url=True)
    own = _remotes(local.get("remotes", {}), needs_url=False)
    remotes = merged(shared, own)
    chosen = environment.get("GITMEMO_ON_CHANGE")
    running = chosen or committed.get("on_change_running", OnChange.PENDING)
    return Settings(
        on_change=policy("on_change", chosen or committed.get("on_change", OnChange.ASK)),
        on_change_running=policy("on_change_running", running),
        remotes=remotes,
        committed_remotes=shared,
        own_remotes=own,
        committed_default=_default_remote(committed),
        own_default=_default_remote(local),
        default_remote=_default_of(_default_remote(committed), _default_remote(local), remotes),
        lazy_pull=lazy_pull_of(
            environment.get("GITMEMO_LAZY_PULL")
            or local.get("lazy_pull", committed.get("lazy_pull", LazyPull.ON))
        ),
        trusted=_addresses("trust", local),
        meant_for=_addresses("meant_for", local),
        source_roots=_folders(committed.get("source_roots", ["src"])),
        depends=_depends(committed.get("depends", {})),
        reuse=reuse_of(committed.get("reuse", Reuse.ANY)),
        record_user=_flag("record.user", committed.get("record", {}), "user"),
        spill_above=_spill_above(committed.get("index", {})),
        side_ref=side_ref_of(committed.get("side_ref", SIDE_REF)),
        keys=tables_in(committed, local),
        claims=_claiming(committed, local, environment),
        resources=_capacity(committed, local, environment),
        store=_store_path(local),
        store_id=_store_id(local),
    )


def _claiming(
    committed: Mapping[str, Any], local: Mapping[str, Any], environment: Mapping[str, str]
) -> Claiming:
    if chosen := environment.get("GITMEMO_CLAIMS"):
        return _one_of(Claiming, "GITMEMO_CLAIMS", chosen)
    said: object = Claiming.ON
    for table in (committed, local):
        said = _is_table("run", table.get("run", {})).get("claims", said)
    return claiming_of(said)


def _capacity(
    committed: Mapping[str, Any], local: Mapping[str, Any], environment: Mapping[str, str]
) -> dict[str, float]:
    found: dict[str, float] = {}
    for table in (committed, local):
        run = _is_table("run", table.get("run", {}))
        found |= _amounts("run.resources", run.get("resources", {}))
    return found | _amounts_said(environment.get(_RESOURCES, ""))


def _amounts_said(text: str) -> dict[str, float]:
    """Return the amounts that the environment says, as `GPU=2,memory=16`."""
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    try:
        return _amounts(_RESOURCES, {name.strip(): float(amount) for name, _, amount in pairs})
    except ValueError:
        raise BadSetting(_RESOURCES, text, ("names and amounts, as GPU=2",)) from None


def _amounts(name: str, table: Any) -> dict[str, float]:
    for key, amount in _is_table(name, table).items():
        if not isinstance(amount, int | float) or isinstance(amount, bool) or not amount >= 0:
            raise BadSetting(f"{name}.{key}", amount, ("a number, 0 or more",))
    return {str(key): amount for key, amount in table.items()}


def _store_path(local: Mapping[str, Any]) -> Path | None:
    value = _is_table("store", local.get("store", {})).get("path")
    if value is None:
        return None
    try:
        path = Path(value).expanduser() if isinstance(value, str) and "\0" not in value else None
    except RuntimeError:  # nobody has that home
        path = None
    if path is None or not path.is_absolute():
        raise BadSetting("store.path", value, ("the absolute path of a folder",))
    return path


def _store_id(local: Mapping[str, Any]) -> str | None:
    value = _is_table("store", local.get("store", {})).get("id")
    if value is not None and not (isinstance(value, str) and _STORE_ID.fullmatch(value)):
        raise BadSetting("store.id", value, ("what `gitmemo store share` wrote",))
    return value


def _default_remote(table: Mapping[str, Any]) -> str | None:
    chosen = table.get("default_remote")
    if chosen is not None and not isinstance(chosen, str):
        raise BadSetting("default_remote", chosen, ("the name of a remote",))
    return chosen


def _default_of(
    committed: str | None, own: str | None, remotes: Mapping[str, RemoteTable]
) -> str | None:
    """Return the remote that is used when none is named."""
    if own in remotes:  # else it may be a remote of another branch
        return own
    if committed is not None and committed not in remotes:
        raise BadSetting("default_remote", committed, tuple(remotes))
    return committed or (next(iter(remotes)) if len(remotes) == 1 else None)


def _is_table(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadSetting(name, value, ("a table",))
    return value


def _addresses(name: str, table: Mapping[str, Any]) -> dict[str, str]:
    return {str(k): str(v) for k, v in _is_table(name, table.get(name, {})).items()}


def _flag(name: str, table: Any, key: str) -> bool:
    value = _is_table(name.partition(".")[0], table).get(key, False)
    if not isinstance(value, bool):
        raise BadSetting(name, value, ("true", "false"))
    return value


def _spill_above(table: Any) -> int | None:
    value = _is_table("index", table).get("spill_above")
    if value is None:
        return None
    found = size_in_bytes(value) if isinstance(value, str) else value
    if not isinstance(found, int) or isinstance(found, bool) or found < SMALLEST_SPILL:
        raise BadSetting("index.spill_above", value, ('a size from "10 MB" on',))
    return found


def _folders(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(folder, str) for folder in value):
        raise BadSetting("source_roots", value, ('a list of folders, such as ["src"]',))
    return tuple(value)


def _depends(table: Any) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for key, names in _is_table("depends", table).items():
        if key not in _DEPENDS:
            raise BadSetting("depends", key, _DEPENDS)
        listed = [names] if isinstance(names, str) else names
        if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
            raise BadSetting(f"depends.{key}", names, ('a list of names, such as ["numpy"]',))
        found[key] = tuple(listed)
    return found


def _remotes(tables: Any, *, needs_url: bool) -> dict[str, dict[str, str]]:
    for name, table in _is_table("remotes", tables).items():
        is_table = isinstance(table, dict) and isinstance(table.get("url", ""), str)
        if not is_table or (needs_url and "url" not in table):
            raise BadSetting(f"remotes.{name}", "(not shown)", ('a table with a "url"',))
    return {str(name): {str(k): str(v) for k, v in t.items()} for name, t in tables.items()}


def _table(path: Path) -> dict[str, Any]:
    try:
        return _parsed(str(path), path.read_bytes())
    except FileNotFoundError:
        return {}


def _parsed(name: str, data: bytes) -> dict[str, Any]:
    """Read a file that a stranger may have written: a few kilobytes of it can cost gigabytes."""
    if len(data) > _LARGEST or any(line.count(b".") > _MOST_DOTS for line in data.splitlines()):
        raise BadSetting(name, "(too large)", ("a file as gitmemo writes it",))
    try:
        return tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadSetting(name, str(error), ("a valid TOML file",)) from None
