"""State files, and the server that ``devpi-server plan``, ``apply`` and ``export-state`` are run for."""

from __future__ import annotations

import shutil
from pathlib import Path
from textwrap import dedent

import pytest
from tests.helpers.commands import CHEAPLY, Outcome, Run

PASSWORD = "canary d'or"
URL_PASSWORD = "canary-of-the-mirror"
SECRET_URL = f"https://reader:{URL_PASSWORD}@mirror.example/simple/?key={URL_PASSWORD}"
HASH = "$argon2id$v=19$m=8,t=1,p=1$Y2FuYXJ5c2FsdA$Y2FuYXJ5aGFzaA"

STATE = """
    [users.alice]
    email = "alice@packages.example"
    password = "env:ALICE"
    custom_data = { team = "red", numbers = [1, 2.5, true] }
    [users."bob.x"]
    password = "file:{folder}/bob"
    [groups.outer]
    members = [":inner", "bob.x"]
    [groups.inner]
    title = "Inner"
    members = ["alice"]
    [indices."alice/dev"]
    bases = ["bob.x/base"]
    acl_upload = ["alice", ":outer"]
    [indices."bob.x/base"]
    bases = ["root/private"]
    [indices."root/private"]
    type = "mirror"
    mirror_url = "env:MIRROR"
"""


class Server:
    """A stopped or running server, and a state file beside it."""

    def __init__(self, run: Run, folder: Path, *options: str) -> None:
        self._run = run
        self.folder = folder
        self.file = folder.with_name("state.toml")
        self._options = options

    def write(self, text: str) -> None:
        """Write the file."""
        self.file.write_text(dedent(text).replace("{folder}", str(self.folder.parent)))

    def plan(self, *options: str) -> Outcome:
        """Plan the file."""
        return self._run("plan", *CHEAPLY, *self._options, "--serverdir", self.folder, self.file, *options)

    def apply(self, *options: str) -> Outcome:
        """Apply the file."""
        return self._run("apply", *CHEAPLY, *self._options, "--serverdir", self.folder, self.file, "--yes", *options)

    def export(self) -> Outcome:
        """Print the state of the server."""
        return self._run("export-state", *CHEAPLY, *self._options, "--serverdir", self.folder)


@pytest.fixture
def server(run: Run, template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    """Return a new server, and the secrets that its state file names."""
    monkeypatch.setenv("ALICE", PASSWORD)
    monkeypatch.setenv("MIRROR", SECRET_URL)
    (tmp_path / "bob").write_text(f"{PASSWORD} of bob\n")
    return Server(run, shutil.copytree(template, tmp_path / "server"))
