"""Large objects to S3 in parts, going on where an interrupted upload stopped.

Not the decision to upload (`pushing`). Invariant: a part that is there counts only
if its checksum, as the service tells it, is the one of our bytes; everything
else is sent again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from gitmemo.errors import RemoteUnreachable
from gitmemo.remotes.parallel import pause
from gitmemo.remotes.transport import LARGEST_PIECE, Reached

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

ONE_PUT_BELOW = LARGEST_PIECE
"""Smaller objects are one request: sending them again costs little."""

_MOST_PARTS = 10_000

Result = TypeVar("Result")


class Ask(Protocol):
    """Hands out the driver and where the remote begins; repeats what may pass, names what does not."""

    def __call__(self, action: Callable[[AbstractFileSystem, str], Result]) -> Result: ...


def upload_in_parts(ask: Ask, name: str, source: Path, reached: Reached) -> None:
    """Create the object `name` from `source`."""
    try:
        _Upload(ask, name, source, reached).run()
    except (FileNotFoundError, RemoteUnreachable) as error:
        # S3 says so of an upload that is finished or given up, by another push of
        # the same value or by an answer of our own that was lost.
        if _is_complete(ask, name, source):
            return
        if isinstance(error, RemoteUnreachable):
            raise
        _Upload(ask, name, source, reached).run()


class _Upload:
    """One upload while it runs."""

    def __init__(self, ask: Ask, name: str, source: Path, reached: Reached) -> None:
        self._ask, self._source, self._tell = ask, source, reached
        self._where = ask(lambda fs, root: _where(fs, f"{root}/{name}"))
        self._size = source.stat().st_size

    def run(self) -> None:
        """Send what is not there, then make it one object."""
        begun = self._begun()
        upload = begun[0] if begun else self._call("create_multipart_upload")["UploadId"]
        there = self._parts(upload) if begun else {}
        parts, done = [], 0
        for number, data in self._pieces():
            tag = self._send(upload, number, data, there.get(number))
            parts.append({"PartNumber": number, "ETag": tag})
            done += len(data)
            self._tell(done)
        self._call("complete_multipart_upload", UploadId=upload, MultipartUpload={"Parts": parts})
        for other in begun[1:]:
            self._give_up(other)

    def _pieces(self) -> Iterator[tuple[int, bytes]]:
        # A function of the size alone, so that the parts of an earlier push fit.
        size = max(LARGEST_PIECE, -(-self._size // _MOST_PARTS))
        with self._source.open("rb") as file:
            for number in range(1, -(-self._size // size) + 1):
                yield number, file.read(size)

    def _send(self, upload: str, number: int, data: bytes, there: str | None) -> str:
        """Send a part unless it is `there`, and return its tag."""
        pause()
        checksum = hashlib.md5(data, usedforsecurity=False).hexdigest()
        if there is None or there.strip('"') != checksum:
            sent = self._call("upload_part", UploadId=upload, PartNumber=number, Body=data)
            there = str(sent["ETag"])
        return there

    def _begun(self) -> list[str]:
        """Return the unfinished uploads of this object."""
        where = {"Bucket": self._where["Bucket"], "Prefix": self._where["Key"]}
        try:
            found = self._ask(lambda fs, _: fs.call_s3("list_multipart_uploads", **where))
        except (RemoteUnreachable, FileNotFoundError):
            return []  # not everyone may ask, and not every service knows
        uploads = found.get("Uploads") or []
        return [each["UploadId"] for each in uploads if each["Key"] == self._where["Key"]]

    def _parts(self, upload: str) -> dict[int, str]:
        """Return the tags of the parts that an unfinished upload has."""
        tags: dict[int, str] = {}
        after = 0
        while True:
            page = self._call("list_parts", UploadId=upload, PartNumberMarker=after)
            for part in page.get("Parts") or []:
                tags[part["PartNumber"]] = part["ETag"]
            following = int(page.get("NextPartNumberMarker") or 0)
            if not page.get("IsTruncated") or following <= after:
                return tags
            after = following

    def _give_up(self, upload: str) -> None:
        try:
            self._call("abort_multipart_upload", UploadId=upload)
        except (RemoteUnreachable, FileNotFoundError):
            return  # only rubbish remains

    def _call(self, method: str, **arguments: object) -> Mapping[str, Any]:
        return self._ask(lambda fs, _: fs.call_s3(method, **self._where, **arguments))


def _where(fs: AbstractFileSystem, path: str) -> dict[str, str]:
    bucket, key, _ = fs.split_path(path)
    return {"Bucket": bucket, "Key": key}


def _is_complete(ask: Ask, name: str, source: Path) -> bool:
    try:
        size = ask(lambda fs, root: fs.info(f"{root}/{name}")["size"])
    except (FileNotFoundError, RemoteUnreachable):
        return False
    return bool(size == source.stat().st_size)
