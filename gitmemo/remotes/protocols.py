"""The ways to values that gitmemo knows to be plain, and what a commit may say of each.

Not the drivers (`drivers`). Invariant: whatever is committed, only bytes move: nothing that runs
code, reads or writes files outside the remote, or opens other file systems can be asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
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
# What the drivers take besides, as text: for the settings of one clone.
_OWN_TOO: Mapping[str, str] = {
    **dict.fromkeys(
        ("s3", "s3a"),
        "key secret token username password use_ssl version_aware cache_regions local_expiry_check",
    ),
    **dict.fromkeys(
        ("gs", "gcs"),
        "token access endpoint_url default_location version_aware check_connection secure_serialize",
    ),
    **dict.fromkeys(
        ("az", "abfs", "abfss"),
        "account_key connection_string sas_token client_id client_secret tenant_id location_mode "
        "account_host version_aware assume_container_exists",
    ),
    **dict.fromkeys(
        ("ssh", "sftp"),
        "password passphrase key_filename allow_agent look_for_keys compress temppath",
    ),
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


def refuse_unknown(name: str, protocol: str | None, options: Iterable[str]) -> None:
    """Refuse options that nobody knows for the addresses of well-known services: they are misspelt.

    Of other addresses their drivers alone know what they take. The drivers are not asked: they
    take long to import, and need not be installed where a remote is set up.

    Raises:
        RemoteInvalid: An option is none of those that the driver is known to take.
    """
    if protocol is None or protocol not in _OWN_TOO:
        return
    known = sorted({*_PLAIN[protocol], *_OWN_TOO[protocol].split(), *WAITING})
    for option in options:
        if option not in known:
            near = _nearest(option, known)
            meant = f"did you mean {near[0]!r}? " if near else ""
            raise RemoteInvalid(
                name,
                f"{option!r} is no option that is known for {protocol}:// addresses",
                f"{meant}known are: {', '.join(known)}; --force takes it for the driver to judge",
            )


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


def _refuse_unknown_scheme(name: str, protocol: str | None) -> None:
    """Refuse a scheme that no driver could be found for."""
    from fsspec.registry import available_protocols

    if protocol in available_protocols():
        return
    close = _nearest(protocol or "", filter(None, _PLAIN))
    meant = f"did you mean {close[0]}://? " if close else ""
    raise RemoteInvalid(
        name,
        f"{protocol}:// is no kind of address that is known",
        f"{meant}name a directory, s3://, gs://, az://, sftp:// or https://, or what else fsspec knows",
    )


def refuse_address(name: str, url: str, protocol: str | None) -> None:
    """Refuse an address that a commit may not name.

    Raises:
        RemoteNotPlain: Only this clone's own settings may say it.
    """
    own = f"gitmemo remote modify --local {name} --url {url}"
    if protocol not in _PLAIN:
        _refuse_unknown_scheme(name, protocol)
        said = f"committed settings may not name {protocol}:// addresses"
        raise RemoteNotPlain(name, said, own)
    pattern = _BUCKET if protocol in ("s3", "s3a") else _HOST
    if protocol not in (None, "memory") and not pattern.fullmatch(urlsplit(url).netloc):
        raise RemoteNotPlain(name, f"{url!r} names no plain host or bucket", own)


def _nearest(name: str, known: Iterable[str]) -> list[str]:
    import difflib  # only for an error

    return difflib.get_close_matches(name, list(known), n=1)
