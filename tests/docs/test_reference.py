"""The hand-written pages of the reference leave nothing out."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "core" / "wheelgate"
TELLERS = [
    CORE / "commands" / "import_server.py",
    CORE / "identity" / "wiring.py",
    *sorted((CORE / "resources").glob("*.py")),
    *sorted((ROOT / "plugins").glob("*/*/*.py")),
]
TELLING = frozenset({"announce", "RouteEvent"})


def told_events() -> set[str]:
    """Return the names of the events that responders, the wiring, and the routes of bundled plugins, tell."""
    calls = [node for path in TELLERS for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    return {
        str(call.args[0].value)
        for call in calls
        if isinstance(call, ast.Call)
        and (call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")) in TELLING
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }


@pytest.mark.slow
def test_every_event_is_documented() -> None:
    """The page of events lists the events that the server tells, and no others."""
    page = (ROOT / "docs" / "reference" / "events.md").read_text("utf-8")
    listed = {line.split("`")[1] for line in page.splitlines() if line.startswith("| `")}

    assert listed == told_events()


@pytest.mark.parametrize("plugin", sorted(path.name for path in (ROOT / "plugins").iterdir() if path.is_dir()))
def test_every_bundled_plugin_has_a_page(plugin: str) -> None:
    """A bundled plugin has a page of its name."""
    page = ROOT / "docs" / "plugins" / f"{plugin}.md"

    assert page.read_text("utf-8").startswith(f"# {plugin}\n")


@pytest.mark.parametrize(
    "room",
    sorted(
        path.name if path.is_file() else f"{path.name}/"
        for package in (CORE, ROOT / "client" / "wheelgate_client", ROOT / "plugins")
        for path in package.iterdir()
        if not path.name.startswith(("_", ".")) and (path.suffix == ".py" or any(path.glob("**/__init__.py")))
    ),
)
def test_every_room_is_listed(room: str) -> None:
    """The architecture lists each folder and root module of the core and the client, and each bundled plugin."""
    page = (ROOT / "docs" / "explanation" / "architecture.md").read_text("utf-8")

    assert f"\n| `{room}` | " in page


def test_the_plugin_of_the_tutorial_is_short() -> None:
    """The authentication plugin has the 40 lines that its page promises, not counting empty ones."""
    module = ROOT / "tests/plugins_external/company_directory/wheelgate_company_directory/__init__.py"
    lines = [line for line in module.read_text("utf-8").splitlines() if line.strip()]

    assert len(lines) <= 40
