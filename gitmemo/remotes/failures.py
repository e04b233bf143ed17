"""What a failure of a driver means: it may pass, or it is one of our errors.

Not the trying again (`retry`). Invariant: whatever a driver raises becomes a
`RemoteUnreachable`, and only what the other side may answer otherwise in a
moment counts as passing.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator

from gitmemo.errors import (
    RemoteDenied,
    RemoteFull,
    RemoteOptionUnknown,
    RemoteReadOnly,
    RemoteUnreachable,
)

# SDKs cannot be imported here: their classes are known by name.
_PASSING_NAMES = frozenset(
    {
        "ClientConnectionError",  # aiohttp, and what it derives from it
        "ClientPayloadError",
        "ConnectionClosedError",  # botocore
        "ConnectTimeoutError",
        "EndpointConnectionError",
        "FSTimeoutError",  # fsspec
        "HTTPClientError",
        "IncompleteRead",  # http.client
        "IncompleteReadError",  # botocore, asyncio
        "ReadTimeoutError",
        "RemoteDisconnected",
        "ResponseParserError",  # some services answer throttling with what is no XML
        "ResponseStreamingError",
        "SSHException",  # paramiko; wrong keys and passwords derive from it and are below
        "TransportError",
    }
)
_FINAL_NAMES = frozenset(
    {
        "AuthenticationException",
        "BadHostKeyException",
        "ClientConnectorCertificateError",
        "NoCredentialsError",
        "PartialCredentialsError",
        "SSLCertVerificationError",
    }
)
_PASSING_STATUS = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
_PASSING_CODES = frozenset(
    {
        "ConditionalRequestConflict",
        "InternalError",
        "OperationAborted",
        "RequestTimeout",
        "RequestTimeTooSkewed",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_PASSING_ERRNO = frozenset(
    {
        errno.EAGAIN,
        errno.EBUSY,
        errno.ECONNABORTED,
        errno.ECONNREFUSED,
        errno.ECONNRESET,
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.EINTR,
        errno.ENETDOWN,
        errno.ENETUNREACH,
        errno.EPIPE,
        errno.ESTALE,
        errno.ETIMEDOUT,
        getattr(errno, "EREMOTEIO", errno.ETIMEDOUT),  # s3fs: 500
    }
)
_UNKNOWN_OPTION = re.compile(r"unexpected keyword argument '(\w+)'")
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_DENIED_STATUS = frozenset({401, 403})
_DENIED_NAMES = frozenset(
    {"AuthenticationException", "NoCredentialsError", "PartialCredentialsError"}
)


def is_transient(error: BaseException) -> bool:
    """Say whether the same request may succeed in a moment.

    >>> is_transient(ConnectionResetError()), is_transient(PermissionError())
    (True, False)
    """
    for cause in _causes(error):
        names = {kind.__name__ for kind in type(cause).__mro__}
        # botocore's word for certificates; Python's own has other cases below it.
        if names & _FINAL_NAMES or type(cause).__name__ == "SSLError":
            return False
        if isinstance(cause, FileNotFoundError | PermissionError):
            return False
        if (status := _status(cause)) is not None:
            return status in _PASSING_STATUS or _code(cause) in _PASSING_CODES
        if _code(cause) in _PASSING_CODES or names & _PASSING_NAMES:
            return True
        if isinstance(cause, ConnectionError | TimeoutError | EOFError):
            return True
        if isinstance(cause, OSError) and cause.errno in _PASSING_ERRNO:
            return True
    return False


def named(name: str, url: str, error: Exception) -> RemoteUnreachable:
    """Return the error of ours that says what went wrong with a remote."""
    reason = _reason(error)
    for cause in _causes(error):
        names = {kind.__name__ for kind in type(cause).__mro__}
        if isinstance(cause, TypeError) and (unknown := _UNKNOWN_OPTION.search(str(cause))):
            return RemoteOptionUnknown(name, url, unknown[1])
        if isinstance(cause, OSError) and cause.errno in _FULL:
            return RemoteFull(name, url, reason)
        if isinstance(cause, OSError) and cause.errno == errno.EROFS:
            return RemoteReadOnly(name, url, reason)
        if isinstance(cause, PermissionError) or names & _DENIED_NAMES:
            return RemoteDenied(name, url, reason)
        if _status(cause) in _DENIED_STATUS:
            return RemoteDenied(name, url, reason)
    return RemoteUnreachable(name, url, reason)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.strerror} ({error.filename})"
    reason = getattr(error, "reason", None)  # urllib
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield `error` and what it was raised from."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        reason = getattr(cause, "reason", None)  # urllib
        cause = cause.__cause__ or (reason if isinstance(reason, Exception) else None)


def _status(error: BaseException) -> int | None:
    """Return the HTTP status that an exception of an SDK carries."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        return status if isinstance(status, int) else None
    for field in ("status", "status_code", "code"):
        status = getattr(error, field, None)
        if type(status) is int and 100 <= status < 600:
            return status
        if isinstance(status, str) and status.isdecimal() and len(status) == 3:  # gcsfs
            return int(status)
    return None


def _code(error: BaseException) -> str | None:
    """Return the name that S3 gives to an error."""
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        return None
    code = response.get("Error", {}).get("Code")
    return code if isinstance(code, str) else None
