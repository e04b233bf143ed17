"""S3 by way of `obstore`, which is ready in a twentieth of the time that s3fs takes.

Not for every remote: `open_bucket` says for which. Invariant: it asks nothing twice, and what
fails for good is asked of s3fs, whose answer counts: it knows every kind of service and account.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from gitmemo.remotes.aws import Access, Keys, plain_access
from gitmemo.remotes.config import RemoteConfig
from gitmemo.remotes.layout import MARKER
from gitmemo.remotes.parallel import abandonable, in_parallel, pause
from gitmemo.remotes.retry import SETTINGS, Patience
from gitmemo.remotes.transport import LARGEST_PIECE, SLOWEST

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem
    from obstore.store import S3Store

_OPTIONS = SETTINGS | {"endpoint_url", "region", "profile", "anon", "requester_pays"}
_OPTIONS |= {"key", "secret", "token"}
_FLAGS = ("anon", "requester_pays")
_URL = re.compile(r"s3a?://([a-z0-9][a-z0-9.-]+)((?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._=-]+)*)/?")
_SERVICE = re.compile(r"https?://[A-Za-z0-9._-]+(:[0-9]{1,5})?/?")
_REGION = re.compile(r"(af|ap|ca|eu|il|me|mx|sa|us)-[a-z]+-[0-9]+")  # those of amazonaws.com
_STATUS = re.compile(r"status code: ([0-9]{3})")
_CODE = re.compile(r"<Code>(\w+)</Code>")
_KIND = re.compile(r"\bkind: (Connect|Interrupted|Request)\b")
_SAID = re.compile(r'message: "([^"]+)"')
_PASSING = frozenset({"RequestTimeout", "RequestTimeTooSkewed"})
_SOON = 1 << 20
"""What moves before anybody asks how fast: a page of a listing, an error, a small object."""
_SLOW = 5
"""So many times longer may the answer to a large object take: until it is sent, none is due."""
_PAGE = 1000
"""So many objects a service lists at once, and always so many but in the end."""
_PARTS = 8
"""So many parts of an object are asked for at once."""
_CHUNK = 1
"""What has arrived is looked at as it comes: who waits for more of it waits for ever."""
_PROCESS = os.getpid()
"""Where this was imported. The threads of the driver do not survive a fork."""

Result = TypeVar("Result")


class _Doubtful(Exception):
    """A listing may lack something."""


class ServiceAnswered(Exception):
    """The service answered with an error; its fields are those of the SDK's own exceptions."""

    def __init__(self, status: int, code: str | None) -> None:
        super().__init__(f"{status} {code}" if code else str(status))
        self.response: Mapping[str, Mapping[str, object]] = {
            "ResponseMetadata": {"HTTPStatusCode": status},
            "Error": {"Code": code} if code else {},
        }


def open_bucket(
    config: RemoteConfig, waits: Patience, s3fs: Callable[[], AbstractFileSystem]
) -> tuple[Bucket, str] | None:
    """Return the driver of a remote and where in it the remote begins; None where s3fs is needed.

    That is where its settings, or those of the SDK, say more than keys, a region and a service.
    """
    options, url = config.options, _URL.fullmatch(config.url)
    if url is None or not options.keys() <= _OPTIONS or os.getpid() != _PROCESS:
        return None
    if any(options.get(name, "true").lower() not in ("true", "false") for name in _FLAGS):
        return None
    if not (find_spec("obstore") and find_spec("s3fs")) or (found := plain_access(options)) is None:
        return None
    service = options.get("endpoint_url")
    region = found.region or "us-east-1"  # a bucket that is elsewhere says so, and s3fs goes there
    if not (_SERVICE.fullmatch(service) if service else _REGION.fullmatch(region)):
        return None
    settings = _settings(found, region, service, url[1])
    if options.get("requester_pays", "false").lower() == "true":
        settings["request_payer"] = True
    arguments = {"config": settings, "credential_provider": _provider(found.keys)}
    return Bucket(url[1], arguments, waits, s3fs), f"{url[1]}{url[2]}"


def _settings(found: Access, region: str, service: str | None, bucket: str) -> dict[str, object]:
    settings: dict[str, object] = {"region": region, "disable_bulk_delete": True}
    if service:
        settings["endpoint"] = service.rstrip("/")
    # A certificate of Amazon's covers one part of a name.
    settings["virtual_hosted_style_request"] = not service and "." not in bucket
    return settings if found.keys else {**settings, "skip_signature": True}


def _provider(keys: Keys | None) -> Callable[[], Mapping[str, str | None]] | None:
    """Return what tells the driver the keys.

    Among its settings they would be completed from the environment: with the session token of
    another account.
    """
    if keys is None:
        return None
    key, secret, token = keys
    return lambda: {
        "access_key_id": key,
        "secret_access_key": secret,
        "token": token,
        "expires_at": None,
    }


class Bucket:
    """A bucket, in those words of fsspec that `objects` and `multipart` use."""

    def __init__(
        self,
        name: str,
        arguments: Mapping[str, object],
        waits: Patience,
        s3fs: Callable[[], AbstractFileSystem],
    ) -> None:
        self._name, self._arguments, self._waits = name, arguments, waits
        self._open_s3fs = s3fs
        self._opened: AbstractFileSystem | None = None
        self._stores: dict[tuple[int, int], S3Store] = {}
        self._opening = Lock()
        self._resigned = False

    def find(self, root: str, detail: bool = True) -> Mapping[str, Mapping[str, int]]:
        """Return what lies below `root`, by path."""

        def find() -> dict[str, Mapping[str, int]]:
            found: dict[str, Mapping[str, int]] = {}
            for page in self._store().list(self._key(root) or None, chunk_size=_PAGE):
                pause()
                found |= {f"{self._name}/{each['path']}": {"size": each["size"]} for each in page}
            self._doubt(found, f"{root}/{MARKER}")
            return found

        return self._asked(find, lambda fs: fs.find(root, detail=detail))

    def cat_file(self, path: str, start: int, end: int) -> bytes:
        """Return a part of an object, as far as it goes."""
        found: bytes = self._asked(
            lambda: self._part(path, start, end), lambda fs: fs.cat_file(path, start=start, end=end)
        )
        return found

    def cat_ranges(
        self, paths: Sequence[str], starts: Sequence[int], ends: Sequence[int], on_error: str
    ) -> list[bytes]:
        """Return several parts of one object, whose path is repeated."""

        def part(number: int) -> tuple[int, bytes]:
            return number, self._part(paths[number], starts[number], ends[number])

        def read() -> list[bytes]:
            found = dict(in_parallel(part, range(len(starts)), _PARTS, tick=pause))
            return [found[number] for number in range(len(starts))]

        return self._asked(read, lambda fs: fs.cat_ranges(paths, starts, ends, on_error=on_error))

    def pipe_file(self, path: str, data: bytes, mode: str = "overwrite") -> None:
        """Create an object, or replace it unless `mode` is `create`."""
        create = mode == "create"

        def put() -> None:
            self._store(sent=len(data)).put(
                self._key(path),
                data,
                use_multipart=False,
                mode="create" if create else "overwrite",
            )

        self._asked(put, lambda fs: fs.pipe_file(path, data, mode=mode))

    def put_file(self, source: str, path: str) -> None:
        """Create or replace an object from a file that is not large."""
        self.pipe_file(path, Path(source).read_bytes())

    def rm_file(self, path: str) -> None:
        """Remove an object."""
        self._asked(lambda: self._store().delete(self._key(path)), lambda fs: fs.rm_file(path))

    def modified(self, path: str) -> datetime:
        """Return when an object was written."""
        found: datetime = self._asked(
            lambda: self._store().head(self._key(path))["last_modified"],
            lambda fs: fs.modified(path),
        )
        return found

    # --- only s3fs can: uploads in parts ------------------------------------------

    def info(self, path: str) -> Mapping[str, object]:
        """Return what is known of an object."""
        found: Mapping[str, object] = self._s3fs().info(path)
        return found

    def split_path(self, path: str) -> tuple[str, str, str | None]:
        """Return bucket, key and version."""
        return self._name, self._key(path), None

    def call_s3(self, method: str, **arguments: object) -> Mapping[str, object]:
        """Return the answer to any request."""
        answer: Mapping[str, object] = self._s3fs().call_s3(method, **arguments)
        return answer

    # --- asking -------------------------------------------------------------------

    def _asked(
        self, action: Callable[[], Result], other: Callable[[AbstractFileSystem], Result]
    ) -> Result:
        only_doubt = False
        if not self._resigned:
            try:
                return abandonable(action)  # the driver does not hear of Ctrl-C
            except (FileNotFoundError, TimeoutError):
                raise
            except Exception as error:
                if (meant := _meant(error)) is not None:
                    raise meant from error
                only_doubt = isinstance(error, _Doubtful)
        found = other(self._s3fs())
        self._resigned |= not only_doubt  # what only the other can do, it will have to do again
        return found

    def _doubt(self, found: Mapping[str, object], marker: str) -> None:
        """Raise `_Doubtful` for a listing that may lack something.

        The driver takes whatever comes with a 200 for a page, and that of an error for the last.
        """
        if found and len(found) % _PAGE == 0:
            raise _Doubtful
        if marker not in found:
            with suppress(FileNotFoundError):
                self._store().head(self._key(marker))
                raise _Doubtful

    def _key(self, path: str) -> str:
        return path.removeprefix(self._name).lstrip("/")

    def _part(self, path: str, start: int, end: int) -> bytes:
        """Return a part of an object, unless it only trickles."""
        if start >= end:  # there is no range of nothing
            return b""
        answer = self._store(asked=end - start).get(
            self._key(path), options={"range": (start, end)}
        )
        began, came = time.monotonic(), 0
        pieces: list[bytes] = []
        for piece in answer.stream(min_chunk_size=_CHUNK):
            pause()
            pieces.append(bytes(piece[: end - start - came]))
            came += len(pieces[-1])
            if came == end - start:  # what is sent beyond is not taken in
                break
            took_s = time.monotonic() - began
            if took_s > self._waits.timeout_s + came / SLOWEST:
                raise TimeoutError(f"{came} bytes came in {took_s:.0f} s")
        return b"".join(pieces)

    def _store(self, *, sent: int = 0, asked: int = 0) -> S3Store:
        """Return the driver for requests that move at most so many bytes."""
        pieces = -(-moved // LARGEST_PIECE) if (moved := max(sent, asked)) > _SOON else 0
        factor = 1 if sent <= _SOON else _SLOW * pieces
        if (store := self._stores.get((factor, pieces))) is None:
            moved = max(_SOON, pieces * LARGEST_PIECE)
            store = self._stores[factor, pieces] = self._opened_store(factor, moved)
        return store

    def _opened_store(self, factor: int, moved: int) -> S3Store:
        from obstore.store import S3Store

        silent_s = self._waits.timeout_s * factor
        arguments: dict[str, Any] = {
            **self._arguments,
            "client_options": {
                "allow_http": True,
                "connect_timeout": timedelta(seconds=self._waits.connect_timeout_s),
                "read_timeout": timedelta(seconds=silent_s),  # begins anew with each byte
                "timeout": timedelta(seconds=silent_s + moved / SLOWEST),  # for all of an answer
            },
            "retry_config": {"max_retries": 0, "retry_timeout": timedelta(0)},
        }
        return S3Store(self._name, **arguments)

    def _s3fs(self) -> AbstractFileSystem:
        with self._opening:
            if self._opened is None:
                self._opened = self._open_s3fs()
            return self._opened


def _meant(error: Exception) -> Exception | None:
    """Return the failure that `error` tells of, if it is one that we know; the driver tells by text."""
    text = str(error)
    if status := _STATUS.search(text):
        code = _CODE.search(text)
        return _answered(int(status[1]), code[1] if code else None, type(error).__name__)
    if "TimedOut" in text or "kind: Timeout" in text:
        return TimeoutError("timeout: the service is silent, or too slow")
    if _KIND.search(text) is None or "certificate" in text:
        return None
    said = _SAID.search(text)
    return ConnectionError(said[1] if said else text.partition("\n")[0])


def _answered(status: int, code: str | None, kind: str) -> Exception | None:
    if status == 404:
        return FileNotFoundError(code or "not found")
    if status == 412 and kind == "AlreadyExistsError":
        return FileExistsError("there is one")
    if status in (408, 409, 425, 429, 500, 502, 503, 504) or code in _PASSING:
        return ServiceAnswered(status, code)
    return None
