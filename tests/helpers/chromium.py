"""A headless Chromium that a test drives over a pipe, by the browser's own protocol."""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import subprocess
from pathlib import Path
from typing import Any, Self

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless",
    "--remote-debugging-pipe",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
ANSWER_SECONDS = 30
"""How long the browser may take to answer one command."""


class Chromium:
    """One tab of a browser with a new profile; it ends with the ``with`` block."""

    def __init__(self, profile: Path) -> None:
        # The browser reads commands from its file descriptor 3 and answers on 4.
        reads, self._writes = os.pipe()
        self._reads, writes = os.pipe()
        high = [fcntl.fcntl(each, fcntl.F_DUPFD, 10) for each in (reads, writes)]
        self._process = subprocess.Popen(
            [
                "bash",
                "-c",
                f'exec "$@" 3<&{high[0]} 4>&{high[1]}',
                "-",
                str(PROGRAM),
                *FLAGS,
                f"--user-data-dir={profile}",
            ],
            pass_fds=high,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for each in (reads, writes, *high):
            os.close(each)
        self._buffer = b""
        self._commands = 0
        self._session: str | None = None
        self._events: list[dict[str, Any]] = []
        self.requested: list[str] = []
        """The URLs of everything that the pages asked for."""

    def __enter__(self) -> Self:
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime"):
            self.send(f"{domain}.enable")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()
        os.close(self._writes)
        os.close(self._reads)

    def send(self, method: str, **params: object) -> dict[str, Any]:
        """Send a command and return the result; raise ``RuntimeError`` with the browser's message if it refuses."""
        self._commands += 1
        command: dict[str, object] = {"id": self._commands, "method": method, "params": params}
        if self._session:
            command["sessionId"] = self._session
        os.write(self._writes, json.dumps(command).encode() + b"\0")
        while (message := self._message()).get("id") != self._commands:
            pass
        if "error" in message:
            raise RuntimeError(f"{method}: {message['error']['message']}")
        return dict(message["result"])

    def open(self, url: str, width: int = 1280) -> None:
        """Load a page in a window of a width in pixels, and wait until it has everything that it asks for."""
        self.resize(width)
        self._events.clear()
        self.send("Page.navigate", url=url)
        while not any(event["method"] == "Page.loadEventFired" for event in self._events):
            self._message()

    def resize(self, width: int) -> None:
        """Give the window a width in pixels; a narrow one is a phone's."""
        phone = width < 600
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=phone)

    def type(self, text: str) -> None:
        """Type into the field that has the focus."""
        self.send("Input.insertText", text=text)

    def evaluate(self, script: str) -> Any:
        """Return the value of a JavaScript expression in the page; that of a promise, once it is kept."""
        done = self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in done:
            raise RuntimeError(str(done["exceptionDetails"]))
        return done["result"].get("value")

    def wait_for(self, script: str) -> Any:
        """Return the value of an expression as soon as it is true."""
        look = f"const found = ({script}); if (found) done(found); else requestAnimationFrame(look)"
        return self.evaluate(f"new Promise(done => {{ const look = () => {{ {look} }}; look() }})")

    def _message(self) -> dict[str, Any]:
        """Read the next message; raise ``TimeoutError`` if the browser is silent for too long."""
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._reads], [], [], ANSWER_SECONDS)
            data = os.read(self._reads, 1 << 16) if ready else b""
            if not data:
                raise TimeoutError("the browser does not answer")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        if "method" in message:
            self._events.append(message)
        if message.get("method") == "Network.requestWillBeSent":
            self.requested.append(message["params"]["request"]["url"])
        return message
