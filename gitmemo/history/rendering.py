"""A fact as a git commit, and a commit as the fact that it came from.

Pure functions: no repository, no clock, no configuration. Invariant: `render`
and `recover` are inverse, so that a fetched commit is believed only if the fact
read out of it would be rendered as exactly that commit.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn, cast

from gitmemo.git.formats import (
    FILE_MODE,
    CommitInfo,
    TreeEntry,
    encode_commit,
    encode_tree,
    object_id,
)
from gitmemo.hashing.digest import SIZE, Digest, digest, to_hex
from gitmemo.history.names import file_name, key_of, parse_key
from gitmemo.model.facts import Decision, JsonValue, Source, Verdict
from gitmemo.model.lines import record_id, to_line

IDENTITY = "gitmemo <gitmemo@localhost>"
EPOCH = 946_684_800
"""2000-01-01 UTC. A commit's time is this plus its generation: only order, no clock."""

MAX_TEXT_BYTES = 1 << 20
MAX_MESSAGE_BYTES = 1 << 18

_PREFIX = "Gitmemo-"


@dataclass(frozen=True, slots=True)
class GitObject:
    """An object to write."""

    kind: str
    body: bytes
    oid: str


@dataclass(frozen=True, slots=True)
class Parent:
    """What a rendering needs of a commit that it follows."""

    commit: str
    tree: str
    time: int


@dataclass(frozen=True, slots=True)
class Rendering:
    """A fact's commit and the objects that it needs; `commit` is the last of them."""

    objects: tuple[GitObject, ...]
    tree: str
    time: int

    @property
    def commit(self) -> str:
        """The commit's id."""
        return self.objects[-1].oid

    @property
    def parent(self) -> Parent:
        """The same as a parent of a later commit."""
        return Parent(self.commit, self.tree, self.time)


def fact_id(fact: Source | Decision) -> Digest:
    """Return the record id of a fact."""
    return record_id(to_line(fact))


def make(kind: str, body: bytes, object_format: str) -> GitObject:
    """Return an object with its id."""
    return GitObject(kind, body, object_id(kind, body, object_format))


def render(
    fact: Source | Decision,
    text: str | None,
    parents: Sequence[Parent],
    object_format: str = "sha1",
) -> Rendering:
    """Return the commit of `fact`.

    Args:
        fact: What to render.
        text: The text of a `Source`; a `Decision` keeps its first parent's.
        parents: The commits of `fact.parents`, in that order.
        object_format: The repository's hash function.

    Raises:
        ValueError: The fact cannot be a commit, or the text is not its text.
    """
    if len(set(fact.parents)) != len(fact.parents):
        raise ValueError("it names a parent twice")
    if isinstance(fact, Source):
        objects = _tree_of(fact, text, object_format)
        message = _source_message(fact)
        tree = objects[-1].oid
    else:
        objects = [] if parents else [make("tree", b"", object_format)]
        tree = parents[0].tree if parents else objects[-1].oid
        message = _decision_message(fact)
    if len(message.encode()) > MAX_MESSAGE_BYTES:
        raise ValueError("its message is too long")
    time = max([EPOCH, *(parent.time for parent in parents)]) + 1
    body = encode_commit(tree, tuple(p.commit for p in parents), IDENTITY, time, message)
    return Rendering((*objects, make("commit", body, object_format)), tree, time)


def _tree_of(fact: Source, text: str | None, object_format: str) -> list[GitObject]:
    if text is None:
        raise ValueError("its text is not known")
    data = text.encode("utf-8")
    if digest(data) != fact.text:
        raise ValueError("the text given is not its text")
    if len(data) > MAX_TEXT_BYTES:
        raise ValueError(f"its text is longer than {MAX_TEXT_BYTES} bytes")
    blob = make("blob", blob_of(data), object_format)
    name = file_name(fact.component.unit).encode("ascii")
    tree = encode_tree([TreeEntry(FILE_MODE, name, blob.oid)])
    return [blob, make("tree", tree, object_format)]


def blob_of(text: bytes) -> bytes:
    """Return what a version's file holds: the text, ended by a newline so that diffs read well."""
    return text if text.endswith(b"\n") else text + b"\n"


def text_in(blob: bytes, text: Digest) -> str | None:
    """Return the text whose digest is `text` if `blob` holds it."""
    for data in (blob, blob[:-1]):
        if digest(data) == text and blob_of(data) == blob:
            try:
                return data.decode("utf-8")
            except UnicodeDecodeError:
                return None
    return None


# --- messages -------------------------------------------------------------


def _title(fact: Source | Decision) -> str:
    return f"{fact.component.path}: {fact.component.unit}"


def _source_message(fact: Source) -> str:
    state = "changed" if fact.parents else "first version"
    return _message(
        f"{_title(fact)}: {state}",
        "",
        [
            ("Component", key_of(fact.component)),
            ("Content", to_hex(fact.source)),
            ("Text", to_hex(fact.text)),
            ("Fact", to_hex(fact_id(fact))),
        ],
    )


def _decision_message(fact: Decision) -> str:
    trailers = [
        ("Decision", fact.verdict.value),
        ("Component", key_of(fact.component)),
        ("Base", to_hex(fact.old)),
        ("Content", to_hex(fact.new)),
        *(("Supersedes", to_hex(other)) for other in fact.supersedes),
    ]
    if fact.who:
        trailers.append(("Who", json.dumps(dict(fact.who), sort_keys=True)))
    trailers.append(("Fact", to_hex(fact_id(fact))))
    return _message(f"{fact.verdict.value}: {_title(fact)}", _body(fact.why), trailers)


def _message(subject: str, body: str, trailers: list[tuple[str, str]]) -> str:
    paragraphs = [subject, body] if body else [subject]
    lines = "\n".join(f"{_PREFIX}{name}: {value}" for name, value in trailers)
    return "\n\n".join([*paragraphs, lines]) + "\n"


def _body(why: str) -> str:
    """Return `why` as it is, or as a JSON string where that would not survive or could mislead."""
    plain = all(char.isprintable() or char in "\n\t" for char in why)
    if plain and why == why.strip() and not why.startswith('"'):
        return why
    return json.dumps(why)


def _why(body: str) -> str:
    return str(json.loads(body)) if body.startswith('"') else body


# --- back again -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Message:
    """A history commit's message, taken apart but not yet believed."""

    body: str
    trailers: dict[str, list[str]]

    def one(self, name: str) -> str:
        """Return the only value of a trailer; raise `ValueError` if there is not exactly one."""
        values = self.trailers.get(name, [])
        if len(values) != 1:
            raise ValueError(f"it has {len(values)} {_PREFIX}{name} trailers")
        return values[0]

    def digest(self, name: str) -> Digest:
        """Return the only value of a trailer that holds a digest in hex."""
        return read_hex(self.one(name))


def read_hex(value: str) -> Digest:
    """Read a digest in hex; raise `ValueError` for anything else."""
    data = bytes.fromhex(value)
    if len(data) != SIZE or data.hex() != value:
        raise ValueError(f"{value[:80]!r} is not a digest")
    return Digest(data)


def read_message(message: str) -> Message | None:
    """Take a message apart; None if its last paragraph holds no trailers of gitmemo."""
    if len(message) > MAX_MESSAGE_BYTES:
        return None
    paragraphs, _, last = message.removesuffix("\n").rpartition("\n\n")
    trailers: dict[str, list[str]] = {}
    for line in last.split("\n"):
        name, colon, value = line.partition(": ")
        if not colon or not name.startswith(_PREFIX):
            return None
        trailers.setdefault(name.removeprefix(_PREFIX), []).append(value)
    return Message(paragraphs.partition("\n\n")[2], trailers)


def recover(commit: CommitInfo, parent_facts: Sequence[Digest]) -> Source | Decision:
    """Return the fact that a commit claims to render; raise `ValueError` if it claims none.

    A claim only: whoever believes it renders the fact again and compares ids.

    Args:
        commit: Any commit.
        parent_facts: Record ids of the facts that its parents render, in order.
    """
    message = read_message(commit.message)
    if message is None:
        raise ValueError("its message has no gitmemo trailers")
    component = parse_key(message.one("Component"))
    parents = tuple(parent_facts)
    fact: Source | Decision
    if "Decision" in message.trailers:
        fact = Decision(
            component,
            message.digest("Base"),
            message.digest("Content"),
            Verdict(message.one("Decision")),
            _why(message.body),
            tuple(read_hex(value) for value in message.trailers.get("Supersedes", ())),
            parents,
            _who(message),
        )
    else:
        fact = Source(component, message.digest("Content"), message.digest("Text"), parents)
    if fact_id(fact) != message.digest("Fact"):
        raise ValueError("its trailers do not give the record id that it claims")
    return fact


def _who(message: Message) -> dict[str, JsonValue]:
    if "Who" not in message.trailers:
        return {}
    who = json.loads(message.one("Who"), parse_constant=_no_constant)
    if type(who) is not dict:
        raise ValueError("its Who trailer is not an object")
    return cast("dict[str, JsonValue]", who)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
