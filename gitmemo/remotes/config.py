"""The settings of one remote.

Not where they are read from. Invariant: what a `RemoteConfig` takes from the committed settings
holds no secret, because everyone who can read the repository reads it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from gitmemo.blobs.store import check_remote_name, remote_origin
from gitmemo.errors import RemoteInvalid
from gitmemo.hashing.digest import digest
from gitmemo.remote_tables import address_of, refuse_secrets

_ADDRESS_DIGITS = 16
_NAME_CHARACTERS = 40  # with the address an origin's name must stay a legal one
_OPTION = re.compile(r"[a-z][a-z0-9_]{0,63}")


def origin_of(name: str, address: str) -> str:
    """Return what values from a remote are marked with on this machine: name and address, both.

    Trust is given to an address; a committed change of the address must not inherit it.
    """
    digits = digest(address.encode("utf-8")).hex()[:_ADDRESS_DIGITS]
    return remote_origin(f"{name[:_NAME_CHARACTERS]}-{digits}")


@dataclass(frozen=True, slots=True)
class RemoteConfig:
    """Name, address and options of a remote.

    Attributes:
        name: Lower-case letters, digits, `_` and `-`.
        url: A directory (absolute, `~`, or relative to the repository root),
            or a URL that fsspec knows.
        options: Settings of the service, such as `endpoint_url` or `profile`.
        own: Which of these this clone's own file says: they may hold secrets.
    """

    name: str
    url: str
    options: Mapping[str, str] = field(default_factory=dict, repr=False)
    own: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        check_remote_name(self.name)
        shared = {key: value for key, value in self.options.items() if key not in self.own}
        refuse_secrets(self.name, {"url": self.url, **shared})
        self._check_url()
        for option in self.options:
            self._check_option(option)

    @classmethod
    def of(
        cls, name: str, committed: Mapping[str, str], own: Mapping[str, str] | None = None
    ) -> RemoteConfig:
        """Return the remote of two tables, at least one of which has a `url`; the second wins.

        Raises:
            RemoteInvalid, InvalidName: They make no sense, or what is committed holds a secret.
        """
        refuse_secrets(check_remote_name(name), committed)
        table = {**committed, **(own or {})}
        url = table.pop("url", "")
        return cls(name, url, table, frozenset(own or {}))

    @property
    def address(self) -> str:
        """What says where its values lie: the URL, and options that lead elsewhere."""
        return address_of({**self.options, "url": self.url})

    @property
    def origin(self) -> str:
        """What its values are marked with on this machine."""
        return origin_of(self.name, self.address)

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
        if self.protocol is not None:
            try:
                urlsplit(self.url)
            except ValueError as error:
                raise RemoteInvalid(self.name, f"its url is none: {error}", "give a url") from None

    def _check_option(self, option: str) -> None:
        if not _OPTION.fullmatch(option):
            raise RemoteInvalid(
                self.name, f"{option!r} is no option name", "use lower-case letters, digits and _"
            )
