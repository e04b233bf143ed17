"""The HTTP session of the S3 driver, which gives up on a server that answers byte by byte.

Not the trying again (`retry`). Invariant: a request ends in bounded time, whatever the server does;
the driver's own time-outs begin anew with each byte.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiobotocore.httpsession import AIOHTTPSession

from gitmemo.remotes.transport import LARGEST_PIECE, SLOWEST

if TYPE_CHECKING:
    from aiobotocore.awsrequest import AioAWSResponse
    from aiohttp import ClientResponse
    from botocore.awsrequest import AWSPreparedRequest

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
        return answer


def _sent(request: AWSPreparedRequest) -> int:
    for header in ("X-Amz-Decoded-Content-Length", "Content-Length"):
        if (found := request.headers.get(header)) is not None:
            return int(found)
    return LARGEST_PIECE if request.body else 0


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
