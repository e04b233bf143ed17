"""The settings of one remote.

Not where they are read from. Invariant: what a `RemoteConfig` takes from the committed settings
holds no secret, because everyone who can read the repository reads it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from gitmemo.blobs.store import check_remote_name, remote_of, remote_origin
from gitmemo.errors import RemoteInvalid
from gitmemo.hashing.digest import digest
from gitmemo.remote_tables import address_of, effective, looks_secret, refuse_secrets, veiled
from gitmemo.remotes.protocols import refuse_address, refuse_options, refuse_wrapping

_ADDRESS_DIGITS = 16
_NAME_CHARACTERS = 40  # with the address an origin's name must stay a legal one
_OPTION = re.compile(r"[a-z][a-z0-9_]{0,63}")


def origin_of(name: str, address: str) -> str:
    """Return what values from a remote are marked with on this machine: name and address, both.

    Trust is given to an address; a committed change of the address must not inherit it.
    """
    digits = digest(address.encode("utf-8")).hex()[:_ADDRESS_DIGITS]
    return remote_origin(f"{name[:_NAME_CHARACTERS]}-{digits}")


def protocol_of(url: str) -> str | None:
    """Return the scheme of a URL, or None for a directory."""
    scheme, separator, _ = url.partition("://")
    return scheme if separator and scheme not in ("file", "local") else None


def name_in(origin: str) -> str | None:
    """Return the name of the remote in an origin as `origin_of` makes it, None in another one."""
    return (remote_of(origin) or "").rpartition("-")[0] or None


@dataclass(frozen=True, slots=True)
class RemoteConfig:
    """Name, address and options of a remote.

    Attributes:
        name: Lower-case letters, digits, `_` and `-`.
        url: A directory (absolute, `~`, or relative to the repository root),
            or a URL that fsspec knows.
        options: Settings of the service, such as `endpoint_url` or `profile`.
        own: Which of these this clone's own file says: they may hold secrets.
        root: What a relative directory counts from: the top of the work tree.
    """

    name: str
    url: str
    options: Mapping[str, str] = field(default_factory=dict, repr=False)
    own: frozenset[str] = frozenset()
    root: Path = field(default=Path(), repr=False)

    def __post_init__(self) -> None:
        check_remote_name(self.name)
        self._check_text()
        shared = {key: value for key, value in self.options.items() if key not in self.own}
        refuse_secrets(self.name, shared if "url" in self.own else {"url": self.url, **shared})
        refuse_wrapping(self.name, self.url, self.protocol)
        self._check_url()
        if "url" not in self.own:
            refuse_address(self.name, self.url, self.protocol)
        for option in self.options:
            self._check_option(option)
        refuse_options(self.name, self.protocol, shared)

    @classmethod
    def of(
        cls,
        name: str,
        committed: Mapping[str, str],
        own: Mapping[str, str] | None = None,
        root: Path = Path(),
    ) -> RemoteConfig:
        """Return the remote of two tables, at least one of which has a `url`; the second wins.

        A second table with a `url` leaves nothing of the first but how long to wait.

        Raises:
            RemoteInvalid, InvalidName: They make no sense, or what is committed holds a secret.
            RemoteNotPlain: What is committed may be said by this clone alone.
        """
        refuse_secrets(check_remote_name(name), committed)
        table = effective(committed, own or {})
        url = table.pop("url", "")
        return cls(name, url, table, frozenset(own or {}), root)

    @property
    def shown_url(self) -> str:
        """The URL as it may be shown: without secrets that this clone may have put there."""
        return veiled(self.url)

    @property
    def address(self) -> str:
        """What its settings say of where its values lie: the URL, and options that lead elsewhere."""
        return address_of({**self.options, "url": self.url})

    @property
    def true_address(self) -> str:
        """The same, with a directory as it is named from everywhere: what can be trusted."""
        place = None if self.protocol is not None else str(self.folder.resolve())
        return address_of({**self.options, "url": self.url}, place)

    @property
    def origin(self) -> str:
        """What its values are marked with on this machine."""
        return origin_of(self.name, self.true_address)

    @property
    def protocol(self) -> str | None:
        """The scheme of the URL, or None for a directory."""
        return protocol_of(self.url)

    @property
    def folder(self) -> Path:
        """The path of a directory; relative ones count from `root`."""
        if self.url.startswith("file://"):
            return self.root / unquote(urlsplit(self.url).path)
        return self.root / Path(self.url.removeprefix("local://")).expanduser()

    def _check_text(self) -> None:
        for option, value in {"url": self.url, **self.options}.items():
            # A key in several lines is nobody's address.
            if not value.isprintable() and not (option in self.own and looks_secret(option)):
                raise RemoteInvalid(
                    self.name, f"its {option!r} holds what cannot be shown", "write it anew"
                )

    def _check_url(self) -> None:
        if not self.url:
            raise RemoteInvalid(self.name, "its url is empty", "give a url")
        try:
            parts = urlsplit(self.url)
        except ValueError as error:
            if self.protocol is None and not self.url.startswith("file://"):
                return  # a path may hold brackets
            raise RemoteInvalid(self.name, f"its url is none: {error}", "give a url") from None
        if not self.url.startswith("file://"):
            return
        if parts.netloc not in ("", "localhost") or not parts.path.strip("/"):
            said = f"{self.url!r} names no directory of this machine"
            raise RemoteInvalid(self.name, said, "write file:///PATH, or the path alone")
        if parts.query or parts.fragment or not unquote(parts.path).isprintable():
            raise RemoteInvalid(
                self.name,
                f"{self.url!r} is no path",
                "write %3F for ?, %23 for #, or the path alone",
            )

    def _check_option(self, option: str) -> None:
        if not _OPTION.fullmatch(option):
            raise RemoteInvalid(
                self.name, f"{option!r} is no option name", "use lower-case letters, digits and _"
            )
