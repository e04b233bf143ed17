"""The settings of one remote.

Not where they are read from. Invariant: a `RemoteConfig` holds no secret,
because its settings are committed for everyone who can read the repository.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from gitmemo.blobs.store import check_remote_name, remote_origin
from gitmemo.errors import RemoteInvalid
from gitmemo.hashing.digest import digest

_ADDRESS_DIGITS = 16
_NAME_CHARACTERS = 40  # with the address an origin's name must stay a legal one
_OPTION = re.compile(r"[a-z][a-z0-9_]{0,63}")
# Parts of words on purpose: `aws_secret_access_key`, `connection_string`, `sas_token`.
_SECRET = re.compile(
    r"key|secret|token|passw|pwd|passphrase|credential|connection_string|signature|^sas|^sig$"
)
_WHERE_SECRETS_GO = (
    "remove it, and give credentials to the service's own tools instead (environment variables "
    'such as AWS_ACCESS_KEY_ID, or a profile in ~/.aws: `profile = "NAME"` is a fine option)'
)


@dataclass(frozen=True, slots=True)
class RemoteConfig:
    """Name, address and options of a remote.

    Attributes:
        name: Lower-case letters, digits, `_` and `-`.
        url: A directory (absolute, `~`, or relative to the repository root),
            or a URL that fsspec knows.
        options: Settings of the service, such as `endpoint_url` or `profile`.
    """

    name: str
    url: str
    options: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_remote_name(self.name)
        self._check_url()
        for option in self.options:
            self._check_option(option)

    @property
    def origin(self) -> str:
        """What its values are marked with on this machine: name and address, both.

        Trust is given to an address; a committed change of the address must not inherit it.
        """
        address = digest(self.url.encode("utf-8")).hex()[:_ADDRESS_DIGITS]
        return remote_origin(f"{self.name[:_NAME_CHARACTERS]}-{address}")

    @property
    def protocol(self) -> str | None:
        """The scheme of the URL, or None for a directory."""
        scheme, separator, _ = self.url.partition("://")
        return scheme if separator and scheme not in ("file", "local") else None

    def _check_url(self) -> None:
        if not self.url or "\0" in self.url or "\n" in self.url:
            raise RemoteInvalid(self.name, "its url is empty or not one line", "give a url")
        if "::" in self.url:
            raise RemoteInvalid(
                self.name, f"{self.url!r} chains several file systems", "give a single url"
            )
        if self.protocol is None:
            return
        parts = urlsplit(self.url)
        if parts.password is not None:
            raise RemoteInvalid(self.name, "its url holds a password", _WHERE_SECRETS_GO)
        for option, _ in parse_qsl(parts.query, keep_blank_values=True):
            if _SECRET.search(option.lower()):
                raise RemoteInvalid(
                    self.name, f"its url holds a secret ({option})", _WHERE_SECRETS_GO
                )

    def _check_option(self, option: str) -> None:
        if _SECRET.search(option.lower()):
            raise RemoteInvalid(
                self.name, f"the option {option!r} looks like a secret", _WHERE_SECRETS_GO
            )
        if not _OPTION.fullmatch(option):
            raise RemoteInvalid(
                self.name, f"{option!r} is no option name", "use lower-case letters, digits and _"
            )
