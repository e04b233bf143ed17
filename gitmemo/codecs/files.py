"""The codec of files and folders, alone or in plain containers.

Not the values (`gitmemo.files`). The bytes of each file are stored as a value
of their own; this codec writes their names. Reading puts files back in the
project, where the next run may find them as code, so it needs trust, like
unpickling. Invariant: nothing is written outside the project.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from gitmemo.codecs.codec import Encoded, Parts, Source
from gitmemo.codecs.tree import Node, TreeReader, TreeWriter, read_tree, text_in, write_tree
from gitmemo.errors import FileOutside, GitmemoError, NotAFile, Unencodable
from gitmemo.files import Dir, File, names, placing
from gitmemo.files.seen import Content, Hasher, content_of
from gitmemo.hashing.digest import Digest, to_hex

_READ_BYTES = 1 << 20


class FilesCodec:
    """The `tree` format with two more tags; `parts` are the bytes of the files.

    `F` is `[path, content id, executable]`, `D` is `[path, [[relative path, content id,
    executable], …]]`. Paths are relative to the project, or absolute if outside.
    """

    name = "files"
    safe = False

    def compose(self, value: object) -> Encoded | None:
        """Accept `File`, `Dir`, and plain containers that hold some."""
        writer = _Writer()
        chunks = write_tree(value, writer)
        return Encoded(self.name, chunks, writer.parts) if chunks and writer.has_files else None

    def assemble(self, source: Source, parts: Parts) -> object:
        """Put the files in their places and return the values."""
        return read_tree(source, lambda data, is_map: _Reader(data, parts, is_map=is_map))


class _Writer(TreeWriter):
    def __init__(self) -> None:
        super().__init__()
        self.parts: dict[Digest, Encoded | None] = {}
        self.has_files = False

    def other(self, value: Any) -> Node:
        if type(value) is File:
            self.has_files = True
            return {"F": [_recorded(value), *self._part(os.fspath(value), value.content())]}
        if type(value) is Dir:
            self.has_files = True
            listed: list[Node] = [
                [name, *self._part(str(value.path / name), content)]
                for name, content in value.contents()
            ]
            return {"D": [_recorded(value), listed]}
        return super().other(value)

    def _part(self, path: str, content: Content) -> list[Node]:
        self.parts[content.cid] = _FileBytes(path, content)
        return [to_hex(content.cid), content.is_executable]


def _recorded(value: File | Dir) -> str:
    return names.portable(os.fspath(value))


class _FileBytes(Encoded):
    """The bytes of a file as a value, read when they are stored and never all at once."""

    __slots__ = ("_content",)
    _content: Content

    def __init__(self, path: str, content: Content) -> None:
        super().__init__("bytes", _Pieces(path, content))
        object.__setattr__(self, "_content", content)

    @property
    def size(self) -> int:
        """Number of bytes."""
        return self._content.size

    def blob_id(self) -> Digest:
        """Return the name of these bytes."""
        return self._content.blob


class _Pieces(Sequence[bytes]):
    """The bytes of a file, piece by piece; raises at their end if they are not what they were."""

    def __init__(self, path: str, content: Content) -> None:
        self._path, self._content = path, content

    def __len__(self) -> int:
        return -(-self._content.size // _READ_BYTES)

    def __getitem__(self, index: Any) -> Any:
        return list(self)[index]

    def __iter__(self) -> Iterator[bytes]:
        hasher = Hasher(self._content.size)
        with Path(self._path).open("rb", buffering=0) as file:
            while piece := file.read(_READ_BYTES):
                hasher.update(piece)
                yield piece
        if hasher.digests()[1] != self._content.blob:
            raise NotAFile(self._path, "it changed while it was being stored")


class _Reader(TreeReader):
    def __init__(self, data: memoryview, parts: Parts, *, is_map: bool) -> None:
        super().__init__(data, is_map=is_map)
        self._parts = parts
        self.readers |= {"F": self._file, "D": self._dir}

    def _file(self, body: Any) -> File:
        path, cid, executable = body
        place, is_ours = names.located(path)
        self._place(place, _digest(cid), executable=executable is True, is_ours=is_ours)
        return File(names.shown(place))

    def _dir(self, body: Any) -> Dir:
        path, listed = body
        folder, is_ours = names.located(path)
        places = [names.located(f"{path}/{names.check(name, folder)}")[0] for name, _, _ in listed]
        for place, (_, cid, executable) in zip(places, listed, strict=True):
            self._place(place, _digest(cid), executable=executable is True, is_ours=is_ours)
        if is_ours:
            folder.mkdir(parents=True, exist_ok=True)
        for name in set(Dir(folder).files()) - {name for name, _, _ in listed}:
            if not is_ours:
                raise FileOutside(path, str(names.root()))
            placing.clear(folder / name, self._is_stored)
        return Dir(names.shown(folder))

    def _place(self, place: Path, cid: Digest, *, executable: bool, is_ours: bool) -> None:
        if is_ours:
            placing.place(place, cid, self._stored, self._is_stored, executable=executable)
        elif not _holds(place, cid):
            raise FileOutside(str(place), str(names.root()))

    def _stored(self, cid: Digest) -> Source:
        codec, source = self._parts(cid)
        if codec != "bytes":
            raise ValueError(f"the bytes of a file are written as {codec!r}")
        return source

    def _is_stored(self, cid: Digest) -> bool:
        try:
            return self._parts(cid)[0] == "bytes"
        except GitmemoError:
            return False


def _holds(place: Path, cid: Digest) -> bool:
    try:
        return content_of(str(place)).cid == cid
    except NotAFile:
        return False


def _digest(text: Any) -> Digest:
    value = bytes.fromhex(text)
    if len(value) != len(Digest(b"\0" * 32)):
        raise ValueError(f"{text!r} is no content id")
    return Digest(value)


def named_in(source: Source) -> list[tuple[str, list[Digest]]]:
    """Return the path of each file and folder in a stored value, with its bytes; nothing is placed.

    Raises:
        ValueError: It is no such value.
    """
    found: list[tuple[str, list[Digest]]] = []

    def noted(data: dict[str, Any]) -> object:
        for tag, body in data.items():
            if tag == "F":
                found.append((str(body[0]), [_digest(body[1])]))
            elif tag == "D":
                found.append((f"{body[0]}/", [_digest(cid) for _, cid, *_ in body[1]]))
        return data

    try:
        json.loads(text_in(source), object_hook=noted)
    except (TypeError, IndexError, KeyError, RecursionError) as error:
        raise ValueError(f"no files: {error}") from error
    return found


def refuse_files(value: object) -> None:
    """Raise `Unencodable` for a file inside an object: its path alone is not the value."""
    if type(value) in (File, Dir):
        reason = (
            "an object that is pickled would keep its path but not its bytes; return it by itself "
            "or in a list, tuple or dict of plain data"
        )
        raise Unencodable(f"gitmemo.{type(value).__name__}", reason)
