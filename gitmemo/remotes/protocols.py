"""The ways to values that gitmemo knows to be plain, and what a commit may say of each.

Not the drivers (`drivers`). Invariant: whatever is committed, only bytes move: nothing that runs
code, reads or writes files outside the remote, or opens other file systems can be asked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from gitmemo.errors import RemoteInvalid, RemoteNotPlain
from gitmemo.remote_tables import WAITING

_FLAG = re.compile(r"true|false", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
_NAME = re.compile(r"\w[\w .@+-]*")
_PORT = re.compile(r"[0-9]{1,5}")
# An address alone: what is before an @ or behind a ? would be sent along.
_SERVICE = re.compile(r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[\w./~-]*)?")
# Nothing that somebody's parser could take for the end of a host.
_HOST = re.compile(
    r"([A-Za-z0-9._+-]+@)?([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?", re.ASCII
)
_BUCKET = re.compile(r"[A-Za-z0-9._:-]+")  # or an access point's ARN

_Allowed = Mapping[str, re.Pattern[str]]
_S3: _Allowed = {
    "endpoint_url": _SERVICE,
    "region": _WORD,
    "profile": _NAME,
    "anon": _FLAG,
    "requester_pays": _FLAG,
}
# No `endpoint_url` for these: what they send to it would let it act for you.
_GOOGLE: _Allowed = {"project": _NAME, "requester_pays": _FLAG}
_AZURE: _Allowed = {"account_name": _WORD, "anon": _FLAG}
_SSH: _Allowed = {"username": _NAME, "port": _PORT}
_PLAIN: Mapping[str | None, _Allowed] = {
    **{protocol: {} for protocol in (None, "memory", "http", "https")},
    **dict.fromkeys(("s3", "s3a"), _S3),
    **dict.fromkeys(("gs", "gcs"), _GOOGLE),
    **dict.fromkeys(("az", "abfs", "abfss"), _AZURE),
    **dict.fromkeys(("ssh", "sftp"), _SSH),
}
# These open other file systems, run what they find there, or write files elsewhere.
_WRAPPING = frozenset(
    {"dask", "reference", "filecache", "simplecache", "blockcache", "cached", "dir"}
    | {"generic", "async_wrapper", "zip", "tar", "libarchive", "data"}
)


def refuse_wrapping(name: str, url: str, protocol: str | None) -> None:
    """Refuse what is no place of its own, whoever says it.

    Raises:
        RemoteInvalid: The URL chains file systems, or its protocol wraps another one.
    """
    if "::" in url:
        raise RemoteInvalid(name, f"{url!r} chains several file systems", "give a single url")
    if protocol is not None and protocol.lower() in _WRAPPING:
        said = f"{protocol}:// is no place of its own, but a way to look at others"
        raise RemoteInvalid(name, said, "give the url of the place itself")


def refuse_options(name: str, protocol: str | None, shared: Mapping[str, str]) -> None:
    """Refuse what a commit may not say; `shared` are the options that are committed.

    Raises:
        RemoteNotPlain: Only this clone's own settings may say it.
    """
    own = f"gitmemo remote modify --local {name}"
    allowed = _PLAIN.get(protocol)
    for option, value in shared.items():
        if option in WAITING:
            continue
        pattern = None if allowed is None else allowed.get(option)
        if pattern is None:
            said = f"committed settings may not say {option!r} of such an address"
            raise RemoteNotPlain(name, said, f"{own} {option}=…")
        if not pattern.fullmatch(value):
            said = f"committed settings may not say {option} = {value!r}"
            raise RemoteNotPlain(name, said, f"{own} {option}=…")


def refuse_address(name: str, url: str, protocol: str | None) -> None:
    """Refuse an address that a commit may not name.

    Raises:
        RemoteNotPlain: Only this clone's own settings may say it.
    """
    own = f"gitmemo remote modify --local {name} --url {url}"
    if protocol not in _PLAIN:
        said = f"committed settings may not name {protocol}:// addresses"
        raise RemoteNotPlain(name, said, own)
    pattern = _BUCKET if protocol in ("s3", "s3a") else _HOST
    if protocol not in (None, "memory") and not pattern.fullmatch(urlsplit(url).netloc):
        raise RemoteNotPlain(name, f"{url!r} names no plain host or bucket", own)
