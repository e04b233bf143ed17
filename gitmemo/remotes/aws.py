"""What Amazon's SDK would find in the environment and in its files, where that is plain.

Not its whole search, which only the SDK knows and takes long to load. Invariant: whoever is
found here is who the SDK would be; wherever more is said than keys, a region and a profile that
holds such, nothing is found.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

_KEY_ID, _SECRET, _TOKEN = "aws_access_key_id", "aws_secret_access_key", "aws_session_token"
_KEYS = frozenset({_KEY_ID, _SECRET, _TOKEN})
_CREDENTIALS_FILE, _CONFIG_FILE = "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"
_UNDERSTOOD = frozenset(
    {"AWS_PROFILE", "AWS_DEFAULT_REGION", _CREDENTIALS_FILE, _CONFIG_FILE}
    | {name.upper() for name in _KEYS}
)
_MEANINGLESS = frozenset(
    {"AWS_REGION", "AWS_PAGER", "AWS_DEFAULT_OUTPUT", "AWS_EC2_METADATA_DISABLED"}
)
"""Of these the SDK for Python takes nothing once there are keys."""
_CERTIFICATES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE")

Keys = tuple[str, str, str | None]
"""The id of a key, the key, and a session token."""


@dataclass(frozen=True, slots=True)
class Access:
    """Who asks, and in which region.

    Attributes:
        region: None where nothing says it.
        keys: None for nobody in particular.
    """

    region: str | None
    keys: Keys | None = field(repr=False)


def plain_access(options: Mapping[str, str]) -> Access | None:
    """Return who a remote with these options is asked as, or None where only the SDK can say."""
    known = {*_UNDERSTOOD, *_MEANINGLESS, *_CERTIFICATES}
    if any(name.startswith("AWS_") and name not in known for name in os.environ):
        return None
    # Who names authorities trusts these alone, which only the SDK can be told.
    is_open = options.get("endpoint_url", "").startswith("http://")
    if not is_open and any(os.environ.get(name) for name in _CERTIFICATES):
        return None
    said = _profile(options)
    if said is None:
        return None
    region = options.get("region") or os.environ.get("AWS_DEFAULT_REGION") or said.get("region")
    if options.get("anon", "false").lower() == "true":
        return Access(region, None)
    keys = _keys(said, options)
    return None if keys is None else Access(region, keys)


def _keys(said: Mapping[str, str], options: Mapping[str, str]) -> Keys | None:
    if options.keys() & {"key", "secret", "token"}:
        return _pair(options.get("key"), options.get("secret"), options.get("token"))
    if "profile" not in options:  # a profile that is asked for hides the environment
        found = {name: os.environ.get(name.upper()) for name in _KEYS}
        if any(found.values()):
            return _pair(found[_KEY_ID], found[_SECRET], found[_TOKEN])
    return _pair(said.get(_KEY_ID), said.get(_SECRET), said.get(_TOKEN))


def _pair(key: str | None, secret: str | None, token: str | None) -> Keys | None:
    """Return the keys; None for half of a pair."""
    return (key, secret, token or None) if key and secret else None


def _profile(options: Mapping[str, str]) -> Mapping[str, str] | None:
    """Return what the files say for the profile; None where that is more than keys and a region."""
    asked = options.get("profile") or os.environ.get("AWS_PROFILE")
    name = asked or "default"
    secret = _sections(_CREDENTIALS_FILE, "~/.aws/credentials")
    shared = _sections(_CONFIG_FILE, "~/.aws/config")
    if secret is None or shared is None:
        return None
    kept = secret.get(name)
    told = [
        shared[section]
        for section in (f"profile {name}", *([name] if name == "default" else []))
        if section in shared
    ]
    if len(told) > 1 or (asked and kept is None and not told):
        return None
    public = told[0] if told else {}
    if not (kept or {}).keys() <= _KEYS or not public.keys() <= {"region", "output"}:
        return None
    return {**public, **(kept or {})}


def _sections(variable: str, usual: str) -> Mapping[str, Mapping[str, str]] | None:
    """Return the sections of a file of the SDK, none where there is no file; None if it is odd."""
    path = os.path.expanduser(os.path.expandvars(os.environ.get(variable) or usual))  # noqa: PTH111  as the SDK
    if not os.path.exists(path):  # noqa: PTH110
        return {}
    from configparser import Error, RawConfigParser

    parser = RawConfigParser(default_section="\0")
    try:
        parser.read(path, encoding="utf-8")
    except (Error, OSError, UnicodeDecodeError):
        return None
    return {section: dict(parser[section]) for section in parser.sections()}
