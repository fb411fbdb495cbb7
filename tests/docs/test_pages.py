"""The documentation: what it prints is what happens, and what is generated is up to date."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.helpers.session_transcript import Shell, difference, from_markdown, same_lines

ROOT = Path(__file__).parents[2]
PAGES = [
    str(path.relative_to(ROOT))
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if "```console" in path.read_text("utf-8")
]
"""Every page that shows a terminal."""

CHEAP_HASHING = {
    "DEVPISERVER_ARGON2_MEMORY_COST": "8",
    "DEVPISERVER_ARGON2_TIME_COST": "1",
    "DEVPISERVER_ARGON2_PARALLELISM": "1",
}


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_every_command_prints_what_the_page_shows(page: str, tmp_path: Path) -> None:
    """Typed one after the other into a fresh home, the commands of a page print every line that stands there."""
    steps = from_markdown((ROOT / page).read_text("utf-8"))
    terminal = Shell(tmp_path, variables=CHEAP_HASHING)
    different = []
    with contextlib.ExitStack() as server:
        if not steps[0].serves:
            server.enter_context(terminal.serve("devpi-server"))
        for step in steps:
            if step.serves:
                server.close()
                printed = server.enter_context(terminal.serve(step.command))
                printed = [line for line in printed if "//[" not in line]  # not every machine has IPv6
            else:
                printed = terminal.type(step.command)
            if not same_lines(step.expected, printed):
                different.append(difference(step, printed))

    assert not different, "\n".join(different)


@pytest.mark.slow
def test_generated_pages_are_up_to_date() -> None:
    """``docs/generate.py`` has nothing to write."""
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "generate.py", "--check"], capture_output=True, text=True, timeout=60
    )

    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


@pytest.mark.parametrize(
    "page",
    [
        path.relative_to(ROOT)
        for pages in ("*.md", "docs/**/*.md", "plugins/*/README.md", "client/README.md")
        for path in ROOT.glob(pages)
    ],
    ids=str,
)
def test_nothing_is_installed_that_has_no_release(page: Path) -> None:
    """Pages install the distributions of this repository from a checkout; an extra only completes what is installed."""
    text = (ROOT / page).read_text("utf-8").replace("\\\n", " ")
    commands = [line for line in text.splitlines() if "pip install" in line and "--find-links" not in line]

    assert not [
        line for line in commands if re.search(r"install [^#]*(?<![./\w-])wheelgate(?!\[)(-auth-ldap|-client)?\b", line)
    ]
