"""The tables of remotes in the settings: what was committed, and what this clone alone says.

Not a remote (`remotes.config`), nor where files lie (`config`). Invariant: what looks like a secret
counts only if this clone's own file says it, and is never shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TypeAlias

from gitmemo.errors import RemoteInvalid, RemoteMoved

RemoteTable: TypeAlias = Mapping[str, str]

HIDDEN = "(hidden)"
# Parts of words on purpose: `aws_secret_access_key`, `connection_string`, `sas_token`.
_SECRET = re.compile(
    r"key|secret|token|pass|pwd|auth|credential|cookie|bearer|connection_string|signature|^sas|^sig$"
)
_PASSWORD = re.compile(r"(//[^:/?#@]*):[^/?#]*@")
_PART = re.compile(r"([?&#][^=&#]*)=[^&#]*")
WAITING = frozenset({"retries", "timeout"})
"""Options that say how long to wait. All others may say where the values lie, or who asks."""


def looks_secret(option: str) -> bool:
    """Whether an option's name says that it holds a secret."""
    return _SECRET.search(option.lower()) is not None


def refuse_secrets(name: str, table: RemoteTable) -> None:
    """Refuse what must not be committed.

    Raises:
        RemoteInvalid: An option of the remote `name`, or a part of an address in it, is a secret.
    """
    from urllib.parse import parse_qsl, urlsplit  # hooks read settings, and are to be quick

    for option, value in table.items():
        if looks_secret(option):
            raise RemoteInvalid(
                name, f"the option {option!r} looks like a secret", _advice(name, option)
            )
        if "//" not in value:
            continue
        try:
            parts = urlsplit(value)
        except ValueError:
            raise RemoteInvalid(name, f"its {option} is no address", "give another one") from None
        if parts.password is not None:
            raise RemoteInvalid(name, f"its {option} holds a password", _advice(name))
        for text in (parts.query, parts.fragment):
            for part, _ in parse_qsl(text, keep_blank_values=True):
                if looks_secret(part):
                    said = f"its {option} holds a secret ({part})"
                    raise RemoteInvalid(name, said, _advice(name))


def veiled(value: str) -> str:
    """Return a value without passwords and other secrets in an address.

    >>> veiled("https://me:pw@h/x?sig=1&b=2")
    'https://me:(hidden)@h/x?sig=(hidden)&b=2'
    """

    def hide(part: re.Match[str]) -> str:
        return f"{part[1]}={HIDDEN}" if looks_secret(part[1][1:]) else part[0]

    return _PART.sub(hide, _PASSWORD.sub(rf"\1:{HIDDEN}@", value))


def _advice(name: str, option: str = "") -> str:
    own = f"gitmemo remote modify --local {name} {option}=…" if option else ""
    return (
        "take it out of the committed settings (if it was pushed, it is known: have it replaced), "
        "and give credentials to the service's own tools (environment variables such as "
        'AWS_ACCESS_KEY_ID, or a profile in ~/.aws: `profile = "NAME"` is a fine option)'
        + (f", or to this clone alone: {own}" if own else "")
    )


def address_of(table: RemoteTable, place: str | None = None) -> str:
    """Return what says where a remote's values lie: its URL, and all options that may lead elsewhere.

    Two tables have the same address only if they lead to the same place. `place` stands for the
    URL of a directory. A secret leads nowhere: it can only be of this clone.

    >>> address_of({"url": "s3://b/x", "retries": "3", "secret": "…"})
    '["s3://b/x", {}]'
    >>> address_of({"url": "s3://b/x", "endpoint_url": "http://h:9"})
    '["s3://b/x", {"endpoint_url": "http://h:9"}]'
    """
    leading = {
        option: veiled(value)
        for option, value in table.items()
        if option != "url" and option not in WAITING and not looks_secret(option)
    }
    return json.dumps([place or veiled(table.get("url", "")), leading], sort_keys=True)


def readable(address: str) -> str:
    """Return an address as people read it.

    >>> readable('["s3://b/x", {"endpoint_url": "http://h:9"}]')
    's3://b/x endpoint_url=http://h:9'
    """
    try:
        url, leading = json.loads(address)
        return " ".join([str(url), *(f"{option}={value}" for option, value in leading.items())])
    except (ValueError, AttributeError, TypeError):  # what an earlier version noted
        return address


def effective(committed: RemoteTable, own: RemoteTable) -> dict[str, str]:
    """Return what holds of two tables: what this clone says wins.

    Who says the URL says all that leads anywhere: a commit must not lead it, or what was meant
    for it, to another place.
    """
    if "url" in own:
        committed = {key: value for key, value in committed.items() if key in WAITING}
    return {**committed, **own}


def needs_note(own: RemoteTable) -> bool:
    """Whether this clone says something of a remote that is meant for one address, and not which."""
    return "url" not in own and not WAITING.issuperset(own)


def refuse_moved(
    name: str, committed: RemoteTable, own: RemoteTable, meant_for: str | None
) -> None:
    """Refuse to take what this clone says of a remote to another address than it was said for.

    Raises:
        RemoteMoved: What is committed leads elsewhere now, or nobody has noted where it led.
    """
    if needs_note(own) and meant_for != (now := address_of(committed)):
        then = None if meant_for is None else readable(meant_for)
        raise RemoteMoved(name, tuple(sorted(own)), then, readable(now))


def merged(
    committed: Mapping[str, RemoteTable], local: Mapping[str, RemoteTable]
) -> dict[str, dict[str, str]]:
    """Return the remotes that can be used: those with a URL; what this clone says wins."""
    both = {
        name: effective(committed.get(name, {}), local.get(name, {}))
        for name in (*committed, *local)
    }
    # What is said of a remote of another branch waits until that is checked out.
    return {name: table for name, table in both.items() if "url" in table}


def shown(table: RemoteTable) -> dict[str, str]:
    """Return a table as it may be shown."""
    return {
        option: HIDDEN if looks_secret(option) else veiled(value)
        for option, value in table.items()
        if option != "url"
    }
