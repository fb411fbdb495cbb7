"""The child process that renders descriptions: started when it is needed, killed when it hangs."""

from __future__ import annotations

import json
import logging
import os
import select
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path

PROGRAM = Path(__file__).with_name("child_program.py")
START_SECONDS = 20.0
"""Seconds for the start of the child: it loads two parsers on a machine that may be busy."""
RENDER_SECONDS = 2.0
"""Seconds for one description."""
BUSY_SECONDS = 1.0
"""Seconds to wait while the child renders for another request."""
RETRY_SECONDS = 60.0
"""Seconds until a child that did not start is started again."""
IDLE_SECONDS = 60.0
"""Seconds without work after which the child ends."""
READ_BYTES = 1 << 16

log = logging.getLogger("wheelgate.web")


class Busy(Exception):  # noqa: N818 - not an error: the caller does without, and nothing is kept
    """Raised when the child renders for others, or cannot be started."""


class TooSlow(Busy):
    """Raised when a description took too long, but not because of its processor time: the machine may be busy."""


class Running:
    """The process, if there is one; apart from :class:`ReadmeChild`, so that it ends when that is collected."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.last_used = 0.0

    def end(self) -> None:
        """Kill the process."""
        process, self.process = self.process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()


class ReadmeChild:
    """Renders descriptions, one at a time. Any thread may call it."""

    def __init__(self, idle_seconds: float = IDLE_SECONDS, program: Path = PROGRAM) -> None:
        """Start nothing yet; a child without work ends after ``idle_seconds``."""
        self._idle_seconds = idle_seconds
        self._program = program
        self._not_before = 0.0
        self._lock = threading.Lock()
        self._running = Running()
        weakref.finalize(self, self._running.end)

    @property
    def pid(self) -> int | None:
        """The child's process ID; None if there is no child."""
        process = self._running.process
        return None if process is None else process.pid

    def render(self, media_type: str, variant: str, text: str) -> str | None:
        """Return the HTML of a description; None if it cannot be rendered.

        Raises:
            TooSlow: it took more than two seconds.
            Busy: nothing is known about this description.
        """
        if not self._lock.acquire(timeout=BUSY_SECONDS):
            raise Busy
        try:
            process = self._running.process
            if process is None or process.poll() is not None:
                process = self._start()
            line = json.dumps([media_type, variant, text]).encode() + b"\n"
            answer = exchange(process, line, RENDER_SECONDS)
            html = json.loads(answer) if answer else None
            return html if isinstance(html, str) else None
        except TimeoutError:
            self._running.end()
            raise TooSlow from None
        finally:
            self._running.last_used = time.monotonic()
            self._lock.release()

    def close(self) -> None:
        """End the child."""
        with self._lock:
            self._running.end()

    def _start(self) -> subprocess.Popen[bytes]:
        self._running.end()
        if time.monotonic() < self._not_before:
            raise Busy
        self._not_before = time.monotonic() + RETRY_SECONDS
        try:
            # Isolated, and without the environment, in which there may be secrets of the server.
            process = subprocess.Popen(  # noqa: S603 - a program of this package
                [sys.executable, "-I", str(self._program)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={"PATH": os.defpath, "LANG": "C.UTF-8"},
                start_new_session=True,
            )
        except OSError as error:
            log.warning("cannot start the process that renders descriptions: %s", error.strerror)
            raise Busy from None
        self._running.process = process
        try:
            started = exchange(process, b"", START_SECONDS)
        except TimeoutError:
            started = b""
        if not started:
            self._running.end()
            log.warning("the process that renders descriptions does not start; they are shown as they are")
            raise Busy
        self._not_before = 0.0
        arguments = self._lock, self._running, process, self._idle_seconds
        threading.Thread(target=end_when_idle, args=arguments, name="readmes", daemon=True).start()
        return process


def end_when_idle(
    lock: threading.Lock, running: Running, process: subprocess.Popen[bytes], idle_seconds: float
) -> None:
    """End a process after some time without work."""
    while running.process is process:
        time.sleep(max(0.05, running.last_used + idle_seconds - time.monotonic()))
        with lock:
            if running.process is process and time.monotonic() - running.last_used >= idle_seconds:
                running.end()


def exchange(process: subprocess.Popen[bytes], line: bytes, seconds: float) -> bytes:
    """Write a line to a process and return the line that it answers with; empty if it dies.

    Raises:
        TimeoutError: it takes too long.
    """
    if process.stdin is None or process.stdout is None:
        return b""
    until = time.monotonic() + seconds
    output, source = process.stdin.fileno(), process.stdout.fileno()
    os.set_blocking(output, False)
    answer = b""
    while not answer.endswith(b"\n"):
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        # Not 'select', which knows no descriptor above 1023: a worker has one for each connection.
        waiting = select.poll()
        waiting.register(source, select.POLLIN)
        if line:
            waiting.register(output, select.POLLOUT)
        ready = dict(waiting.poll(left * 1000))
        try:
            if output in ready:
                line = line[os.write(output, line) :]
            if source in ready:
                chunk = os.read(source, READ_BYTES)
                if not chunk:
                    return b""
                answer += chunk
        except BrokenPipeError:
            return b""
    return answer
