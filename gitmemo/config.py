"""Settings: the committed file, this clone's own file, and the environment.

Not what settings do. Invariant: this module and the command line are the only
readers of the environment; secrets are never in the committed file, and only
this clone's own file can grant trust.
"""

from __future__ import annotations

import functools
import os
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from gitmemo.errors import BadSetting, NewerFormat, SettingsUnreadable, StoreCommitted
from gitmemo.plain_files import refuse_links
from gitmemo.remote_tables import RemoteTable, merged
from gitmemo.setting_values import (
    RESOURCES,
    SIDE_REF,
    Claiming,
    LazyPull,
    OnChange,
    Reuse,
    addresses_of,
    amounts_of,
    amounts_said,
    claiming_of,
    default_remote_of,
    depends_of,
    flag_of,
    folders_of,
    lazy_pull_of,
    one_of,
    policy,
    remotes_of,
    reuse_of,
    side_ref_of,
    spill_limit_of,
    store_id_of,
    store_path_of,
    table_in,
)
from gitmemo.signing_keys import VARIABLE, KeyTable, tables_in

FORMAT = 1
COMMITTED = ".gitmemo/config.toml"
LOCAL = "gitmemo/config.toml"
CALLS_ALONE = "GITMEMO_CALLS_ALONE"
_LARGEST = 1 << 18
_MOST_DOTS = 200


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
    """Return the value of any variable, such as one that the user named as a dependency; None if unset."""
    return os.environ.get(name)


def environment_table(name: str, written: str) -> dict[str, object]:
    """Return the JSON object that gitmemo left in a variable for its subprocesses; empty if unset.

    Raises:
        BadSetting: It holds something else; `written` says who sets it, and what it looks like.
    """
    text = environment_variable(name)
    if not text:
        return {}
    import json

    try:
        found: object = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise BadSetting(name, text, (written,))
    return cast("dict[str, object]", found)


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
    return amounts_said(os.environ.get(RESOURCES, ""))


def chosen_claiming(default: Claiming = Claiming.ON) -> Claiming:
    """Return what the environment says of claims, else `default`; for where no file says it.

    Raises:
        BadSetting: `GITMEMO_CLAIMS` is neither "on" nor "off".
    """
    return one_of(Claiming, "GITMEMO_CLAIMS", os.environ.get("GITMEMO_CLAIMS") or default)


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
    shared = remotes_of(committed.get("remotes", {}), needs_url=True)
    own = remotes_of(local.get("remotes", {}), needs_url=False)
    remotes = merged(shared, own)
    chosen = environment.get("GITMEMO_ON_CHANGE")
    running = chosen or committed.get("on_change_running", OnChange.PENDING)
    return Settings(
        on_change=policy("on_change", chosen or committed.get("on_change", OnChange.ASK)),
        on_change_running=policy("on_change_running", running),
        remotes=remotes,
        committed_remotes=shared,
        own_remotes=own,
        committed_default=default_remote_of(committed),
        own_default=default_remote_of(local),
        default_remote=_default_of(default_remote_of(committed), default_remote_of(local), remotes),
        lazy_pull=lazy_pull_of(
            environment.get("GITMEMO_LAZY_PULL")
            or local.get("lazy_pull", committed.get("lazy_pull", LazyPull.ON))
        ),
        trusted=addresses_of("trust", local),
        meant_for=addresses_of("meant_for", local),
        source_roots=folders_of(committed.get("source_roots", ["src"])),
        depends=depends_of(committed.get("depends", {})),
        reuse=reuse_of(committed.get("reuse", Reuse.ANY)),
        record_user=flag_of("record.user", committed.get("record", {}), "user"),
        spill_above=spill_limit_of(committed.get("index", {})),
        side_ref=side_ref_of(committed.get("side_ref", SIDE_REF)),
        keys=tables_in(committed, local),
        claims=_claiming(committed, local, environment),
        resources=_capacity(committed, local, environment),
        store=store_path_of(local),
        store_id=store_id_of(local),
    )


def _default_of(
    committed: str | None, own: str | None, remotes: Mapping[str, RemoteTable]
) -> str | None:
    """Return the remote that is used when none is named."""
    if own in remotes:  # else it may be a remote of another branch
        return own
    if committed is not None and committed not in remotes:
        raise BadSetting("default_remote", committed, tuple(remotes))
    return committed or (next(iter(remotes)) if len(remotes) == 1 else None)


def _claiming(
    committed: Mapping[str, Any], local: Mapping[str, Any], environment: Mapping[str, str]
) -> Claiming:
    if chosen := environment.get("GITMEMO_CLAIMS"):
        return one_of(Claiming, "GITMEMO_CLAIMS", chosen)
    said: object = Claiming.ON
    for table in (committed, local):
        said = table_in("run", table.get("run", {})).get("claims", said)
    return claiming_of(said)


def _capacity(
    committed: Mapping[str, Any], local: Mapping[str, Any], environment: Mapping[str, str]
) -> dict[str, float]:
    found: dict[str, float] = {}
    for table in (committed, local):
        run = table_in("run", table.get("run", {}))
        found |= amounts_of("run.resources", run.get("resources", {}))
    return found | amounts_said(environment.get(RESOURCES, ""))


def _table(path: Path) -> dict[str, Any]:
    try:
        return _parsed(str(path), path.read_bytes())
    except FileNotFoundError:
        return {}


def _parsed(name: str, data: bytes) -> dict[str, Any]:
    """Read a file that a stranger may have written: a few kilobytes of it can cost gigabytes."""
    if len(data) > _LARGEST or any(line.count(b".") > _MOST_DOTS for line in data.splitlines()):
        raise SettingsUnreadable(name, "it is larger, or deeper, than gitmemo writes it")
    try:
        return tomllib.loads(data.decode("utf-8"))
    except (
        ValueError,
        RecursionError,
    ) as error:  # a number of thousands of digits is no TOML error
        raise SettingsUnreadable(name, str(error)) from None
