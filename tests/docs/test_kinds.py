"""The pages about kinds of plugins: complete, and what they show is what the tests run."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import wheelgate_client.hookspecs
from wheelgate import hookspecs

KINDS = Path(__file__).parents[2] / "docs" / "kinds"
TEXT = "\n".join(page.read_text("utf-8") for page in KINDS.glob("*.md"))
HOOKS = [
    name
    for specs in (hookspecs, wheelgate_client.hookspecs)
    for name, hook in vars(specs).items()
    if name.startswith("wheelgate_") and inspect.isfunction(hook)
]
GENERATED = re.compile(r"<!-- generated: .*?<!-- end -->", re.DOTALL)
SHOWN = {
    f"{page.stem} {number}": code
    for page in sorted(KINDS.glob("*.md"))
    for number, code in enumerate(
        re.findall(r"```python\n(.*?)```", GENERATED.sub("", page.read_text("utf-8")), re.DOTALL), 1
    )
}
"""What is written on the pages by hand; the rest are files that other tests run."""


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_has_a_page(hook: str) -> None:
    """Some page tells what each hook is for, and links to its exact form."""
    assert f"[`{hook}`](../reference/hooks.md#{hook})" in TEXT


@pytest.mark.parametrize("page", sorted(path.stem for path in KINDS.glob("*.md") if path.stem not in ("index", "kit")))
def test_every_page_shows_code_that_is_tested(page: str) -> None:
    """Each kind has an example that is a file of a plugin which the tests install, or which newplugin writes."""
    assert re.search(r"<!-- generated: (new|file) ", (KINDS / f"{page}.md").read_text("utf-8"))


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, code in SHOWN.items() if "def test_" in code])
def test_a_test_on_a_page_passes(name: str, tmp_path: Path) -> None:
    """What the page shows as a test is one."""
    module: dict[str, Any] = {}
    exec(SHOWN[name], module)
    tests: list[Callable[[Path], None]] = [thing for key, thing in module.items() if key.startswith("test_")]

    assert tests
    for test in tests:
        test(tmp_path)
