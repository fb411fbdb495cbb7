"""The bundled writers keep every promise of the protocol."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from wheelgate_client.contracts import CONTRACT_TARGET, ConfigWriterContract
from wheelgate_client.hookspecs import ConfigWriter, Target

INI = b"# mine\n[other]\nkey = 1\n    2\n\n; end\n"
TOML = b"# mine\noffline = false\n\n[tool.other]\nkey = [\n  1, # one\n]\n"
FILES = {
    "setuptools": INI,
    "pip": INI,
    "buildout": INI,
    "uv": TOML,
    "uv-index": TOML,
    "pypirc": INI,
    "netrc": b"machine other.example login bob password battery\n",
    "poetry": TOML,
    "pdm": TOML,
}


class TestWriters(ConfigWriterContract):
    """The contract for each bundled writer."""

    @pytest.fixture(params=FILES)
    def writer(self, writers: dict[str, ConfigWriter], request: pytest.FixtureRequest) -> ConfigWriter:
        """Return the writer under test."""
        return writers[request.param]

    @pytest.fixture
    def content(self, writer: ConfigWriter) -> bytes:
        """Return a file as a user might have it."""
        return FILES[writer.name]

    @pytest.fixture
    def path(self, writer: ConfigWriter, tmp_path: Path) -> Path:
        """Return the path of the file; poetry and pdm need an existing pyproject.toml."""
        path = tmp_path / "pyproject.toml"
        if writer.name in ("poetry", "pdm"):
            path.write_bytes(b'[project]\nname = "demo"\n')
        return path

    @pytest.fixture
    def target(self, writer: ConfigWriter) -> Target:
        """Return the index to point at; netrc needs a password."""
        return replace(CONTRACT_TARGET, password="hunter2") if writer.name == "netrc" else CONTRACT_TARGET


def test_every_writer_is_tested(writers: dict[str, ConfigWriter]) -> None:
    """A new writer has to be added to this test."""
    assert set(writers) == set(FILES)
