"""The tables of remotes in the settings: what was committed, and what this clone alone says.

Not a remote (`remotes.config`), nor where files lie (`config`). Invariant: what looks like a secret
counts only if this clone's own file says it, and is never shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeAlias

from gitmemo.errors import RemoteInvalid

RemoteTable: TypeAlias = Mapping[str, str]

HIDDEN = "(hidden)"
# Parts of words on purpose: `aws_secret_access_key`, `connection_string`, `sas_token`.
_SECRET = re.compile(
    r"key|secret|token|passw|pwd|passphrase|credential|connection_string|signature|^sas|^sig$"
)
# Who asks, and how; all others may say where the values lie.
_NOT_A_PLACE = frozenset(
    {"profile", "region", "anon", "requester_pays", "timeout", "retries", "listing"}
)


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
        if "://" not in value:
            continue
        try:
            parts = urlsplit(value)
        except ValueError:
            raise RemoteInvalid(name, f"its {option} is no address", "give another one") from None
        if parts.password is not None:
            raise RemoteInvalid(name, f"its {option} holds a password", _advice(name))
        for part, _ in parse_qsl(parts.query, keep_blank_values=True):
            if looks_secret(part):
                raise RemoteInvalid(name, f"its {option} holds a secret ({part})", _advice(name))


def _advice(name: str, option: str = "") -> str:
    own = f"gitmemo remote modify --local {name} {option}=…" if option else ""
    return (
        "take it out of the committed settings (if it was pushed, it is known: have it replaced), "
        "and give credentials to the service's own tools (environment variables such as "
        'AWS_ACCESS_KEY_ID, or a profile in ~/.aws: `profile = "NAME"` is a fine option)'
        + (f", or to this clone alone: {own}" if own else "")
    )


def address_of(table: RemoteTable) -> str:
    """Return what says where a remote's values lie: its URL, and options that lead elsewhere.

    >>> address_of({"url": "s3://b/x", "profile": "me"})
    's3://b/x'
    >>> address_of({"url": "s3://b/x", "endpoint_url": "http://h:9"})
    's3://b/x endpoint_url=http://h:9'
    """
    places = sorted(
        f"{option}={value}"
        for option, value in table.items()
        if option != "url" and option not in _NOT_A_PLACE and not looks_secret(option)
    )
    return " ".join([table.get("url", ""), *places])


def merged(
    committed: Mapping[str, RemoteTable], local: Mapping[str, RemoteTable]
) -> dict[str, dict[str, str]]:
    """Return the remotes that can be used: those with a URL; what this clone says wins."""
    both = {
        name: {**committed.get(name, {}), **local.get(name, {})} for name in (*committed, *local)
    }
    # What is said of a remote of another branch waits until that is checked out.
    return {name: table for name, table in both.items() if "url" in table}


def shown(table: RemoteTable) -> dict[str, str]:
    """Return a table as it may be shown."""
    return {
        option: HIDDEN if looks_secret(option) else value
        for option, value in table.items()
        if option != "url"
    }
