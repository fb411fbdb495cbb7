"""Every hook has a plugin that uses it."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

import wheelgate_client
from wheelgate import hookspecs
from wheelgate_client import hookspecs as client_hookspecs

ROOT = Path(__file__).parents[2]
PLUGINS = [
    *(ROOT / "plugins").rglob("*.py"),
    *(ROOT / "client" / "plugins").rglob("*.py"),
    *Path(__file__).parent.glob("*/*/*.py"),
    *Path(wheelgate_client.__file__).parent.glob("keyring_passwords.py"),
]
HOOKS = [
    name
    for specs in (hookspecs, client_hookspecs)
    for name, hook in vars(specs).items()
    if name.startswith("wheelgate_") and inspect.isfunction(hook)
]


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_used(hook: str) -> None:
    """A bundled or third-party plugin implements each hook of the server and of the client."""
    users = [path for path in PLUGINS if f"\ndef {hook}(" in path.read_text("utf-8")]

    assert users
