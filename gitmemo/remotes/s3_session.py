"""The HTTP session of the S3 driver, which gives up on a server that answers byte by byte.

Not the trying again (`retry`). Invariant: a request ends in bounded time, whatever the server does;
the driver's own time-outs begin anew with each byte.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from aiobotocore.httpsession import AIOHTTPSession

from gitmemo.remotes.transport import LARGEST_PIECE, SLOWEST

if TYPE_CHECKING:
    from aiobotocore.awsrequest import AioAWSResponse
    from aiohttp import ClientResponse, StreamReader
    from botocore.awsrequest import AWSPreparedRequest

_RANGE = re.compile(r"bytes=(\d+)-(\d+)")
_LARGEST_ANSWER = 1 << 20
"""What is no object: a page of a listing, an error."""


class PatientSession(AIOHTTPSession):  # type: ignore[misc]  # it has no types
    """What botocore sends its requests with: that of aiohttp, and a watch over it."""

    async def send(self, request: AWSPreparedRequest) -> AioAWSResponse:
        """Return the answer to a request; of one that is to be streamed the head."""
        waits = self._timeout.sock_read
        size = _sent(request) + (0 if request.stream_output else _LARGEST_ANSWER)
        answer = await asyncio.wait_for(super().send(request), waits + size / SLOWEST)
        if request.stream_output:
            _Watch(answer.raw, waits).look()
            answer.raw.content = _Bounded(answer.raw.content, _asked(request))
        return answer


def _sent(request: AWSPreparedRequest) -> int:
    for header in ("X-Amz-Decoded-Content-Length", "Content-Length"):
        if (found := request.headers.get(header)) is not None:
            return int(found)
    return LARGEST_PIECE if request.body else 0


def _asked(request: AWSPreparedRequest) -> int:
    told = request.headers.get("Range") or b""
    found = _RANGE.fullmatch(told.decode() if isinstance(told, bytes) else told)
    return max(int(found[2]) - int(found[1]) + 1 if found else LARGEST_PIECE, _LARGEST_ANSWER)


class _Bounded:
    """The body of an answer, which is given up when more comes than was asked for."""

    def __init__(self, content: StreamReader, most: int) -> None:
        self._content, self._most = content, most

    def __getattr__(self, name: str) -> object:
        return getattr(self._content, name)

    async def read(self, size: int = -1) -> bytes:
        """Return so many bytes, or all."""
        if size >= 0:
            return bytes(await self._content.read(size))
        pieces, came = list[bytes](), 0
        while piece := await self._content.readany():
            pieces.append(piece)
            came += len(piece)
            if came > self._most:
                raise ValueError(f"more than the {self._most} bytes that may come")
        return b"".join(pieces)


class _Watch:
    """Closes an answer that has stopped to come at more than a trickle."""

    def __init__(self, answer: ClientResponse, timeout: float) -> None:
        self._answer, self._timeout = answer, timeout
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()

    def look(self) -> None:
        """Look now, and again until the answer is there."""
        if self._answer.closed or self._answer.content.is_eof():
            return
        late_s = self._loop.time() - self._began - self._timeout
        if self._answer.content.total_bytes < late_s * SLOWEST:
            self._answer.close()
        else:
            self._loop.call_later(self._timeout / 4, self.look)
