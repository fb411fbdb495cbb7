"""The program of the child process: renders one description after the other, and dies of one that takes too long.

The server starts this file as a script, so that the child loads nothing of the server. On standard input it reads, for
each description, a line of JSON ``[media type, variant, text]``; on standard output it answers with a line: the HTML as
JSON, or null. The first line of the output says that it is ready.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import sys
from pathlib import Path

if __name__ == "__main__":  # an isolated Python does not find its own folder
    sys.path.insert(0, str(Path(__file__).parent))

import readme_html  # type: ignore[import-not-found]
import readme_renderer.markdown
import readme_renderer.rst

NICENESS = 10
"""Added to the nice value: requests come first."""
MAX_ADDRESS_BYTES = 1 << 30
"""Bytes of address space."""
MAX_CPU_SECONDS = 1.5
"""Seconds of processor time for one description; the child kills itself after that."""
MAX_RENDER_SECONDS = 4
"""Seconds after which the child kills itself. The server kills it sooner, unless the server has died."""
MAX_IDLE_SECONDS = 120
"""Seconds without a description after which the child kills itself; the server ends it sooner."""


def main() -> None:
    """Answer until the input ends."""
    limit()
    answer("ready")
    signal.alarm(MAX_IDLE_SECONDS)
    for line in sys.stdin:
        # Python's own handler would run only between two instructions, which a hanging parser in C never reaches.
        signal.setitimer(signal.ITIMER_PROF, MAX_CPU_SECONDS)
        signal.alarm(MAX_RENDER_SECONDS)
        media_type, variant, text = json.loads(line)
        answer(render(media_type, variant, text))
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(MAX_IDLE_SECONDS)


def limit() -> None:
    """Give up what the child does not need, and end only with the server, or by a timer."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    # A service manager sends it to all processes of a server that still answers; its input ends with the server.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.nice(NICENESS)
    for kind, value in ((resource.RLIMIT_AS, MAX_ADDRESS_BYTES), (resource.RLIMIT_CORE, 0)):
        with contextlib.suppress(OSError, ValueError):  # not every system knows each limit
            resource.setrlimit(kind, (value, value))


def answer(value: str | None) -> None:
    """Write one line of the output."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def render(media_type: str, variant: str, text: str) -> str | None:
    """Return the HTML of a description; None if it cannot be rendered."""
    try:
        if media_type == "text/markdown":
            html = readme_renderer.markdown.render(text, variant=variant)
        else:
            html = readme_renderer.rst.render(text)
        return None if html is None else readme_html.safe_html(html)
    except (Exception, RecursionError, MemoryError):  # noqa: BLE001 - whatever a hostile text makes of three parsers
        return None


if __name__ == "__main__":
    main()
