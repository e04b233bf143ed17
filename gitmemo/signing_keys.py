"""Keys that a team shares to sign values: what they are, where this clone keeps them.

Not what is signed (`remotes.signing`). Invariant: a key is read from this clone's own folder or
from the environment, never from what was committed or fetched, and is never shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gitmemo.errors import BadSetting, KeyUnusable
from gitmemo.quantities import count

VARIABLE = "GITMEMO_SIGNING_KEY"
BYTES = 32
_PREFIX = "gitmemo-key-1 "
_ID = re.compile(r"[0-9a-f]{32}")
_LONGEST = 1024


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key, and the name that anybody may see."""

    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """What it is called: two keys differ in it, and nothing of the key can be told from it."""
        return self.mac(b"gitmemo key id 1\n")[:16].hex()

    def mac(self, message: bytes) -> bytes:
        """Return what only who has the key can make of `message`."""
        import hmac  # only who shares keys needs it

        return hmac.digest(self.secret, message, "sha256")

    def text(self) -> str:
        """Return the one line of a key file."""
        import base64

        return _PREFIX + base64.urlsafe_b64encode(self.secret).decode("ascii") + "\n"


@dataclass(frozen=True, slots=True)
class KeyTable:
    """What this clone says of the keys for one remote.

    Attributes:
        files: Where each key lies, by its id; all of them are trusted.
        sign: The id of the one that signs.
        required: Whether values without a signature are refused.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    sign: str | None = None
    required: bool = False

    def as_table(self) -> dict[str, str]:
        """Return it as it stands in the settings."""
        table = dict(self.files)
        if self.sign is not None:
            table["sign"] = self.sign
        if self.required:
            table["signed"] = "required"
        return table


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys for one remote, read.

    Attributes:
        keys: Those that are trusted, by id.
        signer: The one that signs.
        required: Whether values without a signature are refused.
    """

    keys: Mapping[str, SigningKey] = field(default_factory=dict, repr=False)
    signer: SigningKey | None = None
    required: bool = False


def new_key() -> SigningKey:
    """Return a key that nobody else has."""
    import secrets

    return SigningKey(secrets.token_bytes(BYTES))


def key_in(text: str, where: str) -> SigningKey:
    """Return the key that `text` holds; `where` is for errors.

    Raises:
        KeyUnusable: It holds none, or one that is too short.
    """
    import base64  # hooks read settings, and are to be quick

    line = text.strip()
    try:
        if not line.startswith(_PREFIX) or len(line) > _LONGEST:
            raise ValueError
        encoded = line.removeprefix(_PREFIX)
        secret = base64.b64decode(encoded, altchars=b"-_", validate=True)
    except ValueError:
        raise KeyUnusable(where, f"it is not one line {_PREFIX.strip()!r} and a key") from None
    if len(secret) < BYTES:
        raise KeyUnusable(where, f"the key has {count(len(secret), 'byte')}; {BYTES} are the least")
    return SigningKey(secret)


def key_at(path: Path) -> SigningKey:
    """Return the key in a file.

    Raises:
        KeyUnusable: There is none that can be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_LONGEST + 1)
    except OSError as error:
        raise KeyUnusable(str(path), error.strerror or str(error)) from None
    return key_in(data.decode("ascii", "replace"), str(path))


def tables_in(committed: Mapping[str, Any], local: Mapping[str, Any]) -> dict[str, KeyTable]:
    """Return what the two files of settings say of keys.

    Raises:
        BadSetting: It makes no sense, or the committed file says it.
    """
    if "keys" in committed:
        raise BadSetting("keys", "(not shown)", ("nothing: keys are never committed",))
    found = local.get("keys", {})
    if not isinstance(found, dict):
        raise BadSetting("keys", "(not shown)", ("a table for each remote",))
    return {str(name): _table(str(name), table) for name, table in found.items()}


def _table(name: str, table: Any) -> KeyTable:
    if not isinstance(table, dict) or not all(isinstance(value, str) for value in table.values()):
        raise BadSetting(f"keys.{name}", "(not shown)", ("a table of key ids and files",))
    rest = dict(table)
    sign, signed = rest.pop("sign", None), rest.pop("signed", "optional")
    if signed not in ("required", "optional"):
        raise BadSetting(f"keys.{name}.signed", signed, ('"required"', '"optional"'))
    if not all(map(_ID.fullmatch, rest)) or (sign is not None and sign not in rest):
        raise BadSetting(f"keys.{name}", "(not shown)", ("ids of 32 digits, and files",))
    return KeyTable(rest, sign, signed == "required")


def ring(table: KeyTable, variable: str | None) -> KeyRing:
    """Read the keys of a remote, and the one that the environment holds.

    Raises:
        KeyUnusable: One cannot be read, or is not the one that it should be.
    """
    keys: dict[str, SigningKey] = {}
    for name, path in table.files.items():
        key = keys[name] = key_at(Path(path))
        if key.id != name:
            raise KeyUnusable(path, f"it is another key than {name}")
    signer = keys.get(table.sign) if table.sign is not None else None
    if variable:
        key = key_in(variable, f"the variable {VARIABLE}")
        keys[key.id] = key
        signer = signer or key
    return KeyRing(keys, signer, table.required)


def trusted_ids(tables: Iterable[KeyTable], variable: str | None) -> frozenset[str]:
    """Return the ids of all keys that are trusted here; no file is read."""
    ids = {name for table in tables for name in table.files}
    return frozenset(
        ids | ({key_in(variable, f"the variable {VARIABLE}").id} if variable else set())
    )
