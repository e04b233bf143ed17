"""The S3 server of the tests with what misbehaves before it, in a process of its own. Not a test.

`Service` starts it and tells it what to do, one line of JSON at a time: whoever forks must have no
threads. Invariant: nothing happens to a request while no fault is armed.
"""

from __future__ import annotations

import base64
import json
import logging
import re
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

TESTS = Path(__file__).resolve().parents[1]
BUCKET = "lab"
_KIND = re.compile(r"\.(pack|idx|cat|sig|mark|user)$")


@dataclass(frozen=True)
class Request:
    """A request as it came.

    Attributes:
        label: Its method, what for, and that it is the so-manieth of these.
        size: Of the answer.
        listed: How many objects the answer lists.
    """

    label: str
    size: int
    listed: int


class Service:
    """The process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "faults.s3_service"],
            cwd=TESTS,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.url: str = self._told("url")

    def save(self, name: str) -> None:
        """Remember all objects under a name."""
        self._told("save", name)

    def restore(self, name: str) -> None:
        """Let there be the objects that were remembered, and no others."""
        self._told("restore", name)

    def age(self, days: int) -> None:
        """Let all objects have been written so long before."""
        self._told("age", days)

    def arm(self, fault: str = "", label: str = "", *, sticky: bool = False) -> None:
        """Count requests from now on; let `fault` happen to one of them, or to all from it on."""
        self._told("arm", fault, label, sticky)

    def disarm(self) -> tuple[list[Request], int]:
        """Let nothing happen any more; return which requests there were, and how many faults."""
        requests, fired = self._told("disarm")
        return [Request(*one) for one in requests], fired

    def objects(self) -> dict[str, bytes]:
        """Return what lies in the remote."""
        return {name: base64.b64decode(data) for name, data in self._told("objects").items()}

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()

    def _told(self, *order: object) -> Any:
        assert self._process.stdin and self._process.stdout
        print(json.dumps(order), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())


class _Served:
    """What the process does when it is told."""

    def __init__(self, endpoint: str) -> None:
        from moto.s3.models import s3_backends
        from remotes.faults import FaultyProxy
        from s3_server import new_bucket

        new_bucket(endpoint, BUCKET)
        self._backend = next(iter(s3_backends.values()))["aws"]
        self._bucket = self._backend.buckets[BUCKET]
        self._proxy = FaultyProxy(endpoint)
        self._proxy.decide = self._decide
        self._saved: dict[str, list[tuple[str, bytes, Any]]] = {}
        self._lock = threading.Lock()
        self.arm("", "", False)

    def url(self) -> str:
        return self._proxy.url

    def save(self, name: str) -> None:
        self._saved[name] = [(key.name, key.value, key.last_modified) for key in self._keys()]

    def restore(self, name: str) -> None:
        for key in self._keys():
            self._bucket.keys.pop(key.name)
        self._bucket.multiparts.clear()
        for path, value, moment in self._saved[name]:
            self._backend.put_object(BUCKET, path, value).last_modified = moment

    def age(self, days: int) -> None:
        for key in self._keys():
            key.last_modified -= timedelta(days=days)

    def arm(self, fault: str, label: str, sticky: bool) -> None:
        self._fault, self._label, self._sticky = fault, label, sticky
        self._labels: dict[int, str] = {}
        self._counts: Counter[str] = Counter()
        self._fired, self._first = 0, len(self._proxy.answers)

    def disarm(self) -> tuple[list[tuple[str, int, int]], int]:
        answers = {number: rest for number, *rest in self._proxy.answers[self._first :]}
        found = [(label, *answers.get(number, (0, 0))) for number, label in self._labels.items()]
        fired = self._fired
        self.arm("", "", False)
        return found, fired

    def objects(self) -> dict[str, str]:
        return {
            key.name.removeprefix("values/"): base64.b64encode(key.value).decode()
            for key in self._keys()
        }

    def _keys(self) -> list[Any]:
        return list(self._bucket.keys.values())

    def _decide(self, method: str, path: str, number: int) -> str | None:
        with self._lock:
            what = f"{method} {_what(path)}"
            self._counts[what] += 1
            label = f"{what} {self._counts[what]}"
            self._labels[number] = label
            if not self._fault or not (label == self._label or (self._sticky and self._fired)):
                return None
            self._fired += 1
            return self._fault


def _what(path: str) -> str:
    parts = urlsplit(path)
    asked = parse_qs(parts.query, keep_blank_values=True)
    if "list-type" in asked:
        return "list"
    name = parts.path.partition("/values/")[2]
    kind = _KIND.search(name)
    folder = name.partition("/")[0] if "/" in name else name.partition("-")[0] or "bucket"
    steps = [key for key in ("uploads", "partNumber", "uploadId") if key in asked]
    return " ".join([kind[1] if kind else folder, *steps[:1]])


def main() -> None:
    """Serve until nobody tells anything any more."""
    sys.path[:0] = [str(TESTS), str(TESTS.parent)]
    import moto.s3.models
    from s3_server import serving

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    moto.s3.models.S3_UPLOAD_PART_MIN_SIZE = 1
    with serving() as endpoint:
        served = _Served(endpoint)
        for line in sys.stdin:
            order, *arguments = json.loads(line)
            print(json.dumps(getattr(served, order)(*arguments)), flush=True)


if __name__ == "__main__":
    main()
