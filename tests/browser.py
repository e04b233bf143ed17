"""A real Chromium for tests, driven over its debugging pipe with the standard library alone.

Not a test. Where no Chromium is installed, `chromium()` is None and tests skip.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-pipe"),
)
_PATIENCE_S = 30.0


def chromium() -> str | None:
    """Return the path of a Chromium."""
    return next((found for name in _NAMES if (found := shutil.which(name))), None)


class Browser:
    """One headless browser with one page.

    Attributes:
        events: What it told without being asked: name and fields, the oldest first.
    """

    def __init__(self) -> None:
        program = chromium()
        assert program is not None
        self.events: list[tuple[str, dict[str, Any]]] = []
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        command = [program, *_OPTIONS, f"--user-data-dir={self._profile.name}", "about:blank"]
        # Chromium reads commands from 3 and writes answers to 4.
        shell = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'
        self._process = subprocess.Popen(
            ["bash", "-c", shell, "chromium", *command],
            pass_fds=(theirs_in, theirs_out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._rest = b""
        self._number = 0
        self._session = ""
        target = self._send("Target.createTarget", {"url": "about:blank"})["targetId"]
        attached = self._send("Target.attachToTarget", {"targetId": target, "flatten": True})
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._send(f"{domain}.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._out)
        os.close(self._in)
        self._profile.cleanup()

    def open(
        self, url: str, ready: str = "document.documentElement.dataset.ready !== undefined"
    ) -> None:
        """Open a page and wait until it says that it is ready."""
        # The page before may still ask a server that has ended.
        self._send("Page.navigate", {"url": "about:blank"})
        self.wait("location.href === 'about:blank'")
        self.events.clear()
        self._send("Page.navigate", {"url": url})
        self.wait(ready)

    def run(self, script: str) -> Any:
        """Return what an expression is in the page; promises are waited for."""
        asked = {"expression": script, "awaitPromise": True, "returnByValue": True}
        done = self._send("Runtime.evaluate", asked)
        if "exceptionDetails" in done:
            raise AssertionError(done["exceptionDetails"])
        return done["result"].get("value")

    def wait(self, script: str) -> None:
        """Wait until an expression is true in the page."""
        end = time.monotonic() + _PATIENCE_S
        while time.monotonic() < end:
            try:
                if self.run(f"Boolean({script})"):
                    return
            except AssertionError:  # the page is being replaced
                pass
            time.sleep(0.02)
        raise AssertionError(f"never true: {script}\n{self.complaints()}")

    def key(self, name: str, code: int = 0, text: str = "", modifiers: int = 0) -> None:
        """Press a key."""
        fields = {"key": name, "windowsVirtualKeyCode": code, "modifiers": modifiers}
        typed = fields | ({"text": text} if text else {})
        self._send("Input.dispatchKeyEvent", {"type": "keyDown", **typed})
        self._send("Input.dispatchKeyEvent", {"type": "keyUp", **fields})

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        self._send("Input.insertText", {"text": text})

    def click(self, selector: str) -> None:
        """Click in the middle of an element, as a mouse does."""
        box = self.run(
            f"(() => {{ const b = document.querySelector({json.dumps(selector)})"
            ".getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        self.click_at(*box)

    def click_at(self, x: float, y: float) -> None:
        """Click at a place of the window, as a mouse does."""
        at = {"x": x, "y": y, "button": "left", "clickCount": 1}
        self._send("Input.dispatchMouseEvent", {"type": "mousePressed", **at})
        self._send("Input.dispatchMouseEvent", {"type": "mouseReleased", **at})

    def look(self, *, dark: bool = False, width: int = 1400, height: int = 850) -> None:
        """Set the window, and the colours that its user likes."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._send("Emulation.setDeviceMetricsOverride", size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._send("Emulation.setEmulatedMedia", {"features": [scheme]})

    def picture(self, path: Path) -> None:
        """Write a picture of what is seen."""
        path.write_bytes(base64.b64decode(self._send("Page.captureScreenshot")["data"]))

    def paper(self) -> bytes:
        """Return the page as it is printed, as PDF."""
        return base64.b64decode(self._send("Page.printToPDF", {"printBackground": True})["data"])

    def complaints(self) -> list[str]:
        """Return what went wrong in the page: exceptions, dialogs, and what the policy refused."""
        found = []
        for name, fields in self.events:
            if name == "Runtime.exceptionThrown":
                found.append(str(fields["exceptionDetails"].get("exception", fields)))
            elif name == "Page.javascriptDialogOpening":
                found.append(f"dialog: {fields['message']}")
            elif name == "Log.entryAdded":
                entry = fields["entry"]
                found.append(f"{entry['level']}: {entry['text']} {entry.get('url', '')}")
        return found

    def requests(self) -> list[str]:
        """Return the addresses that were asked for."""
        asked = "Network.requestWillBeSent"
        return [fields["request"]["url"] for name, fields in self.events if name == asked]

    def _send(self, method: str, fields: dict[str, Any] | None = None) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": fields or {}}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        return self._until(lambda said: said.get("id") == self._number)

    def _until(self, is_it: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while True:
            while b"\0" not in self._rest:
                data = os.read(self._in, 1 << 20)
                if not data:
                    raise AssertionError("the browser is gone")
                self._rest += data
            line, _, self._rest = self._rest.partition(b"\0")
            said = json.loads(line)
            if is_it(said):
                if "error" in said:
                    raise AssertionError(said["error"])
                result: dict[str, Any] = said["result"]
                return result
            if "method" in said:
                self._noted(said["method"], said["params"])

    def _noted(self, name: str, fields: dict[str, Any]) -> None:
        self.events.append((name, fields))
        if name == "Page.javascriptDialogOpening":
            self._send("Page.handleJavaScriptDialog", {"accept": True})
