"""The example of a CI job in the docs, with released tools, on a private index."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.helpers.distributions import wheel
from tests.helpers.index_host import PASSWORD, USER, IndexHost
from tests.helpers.installers import UV_PROJECT, installed, venv
from tests.helpers.released_tools import ProxyTrap, ToolHome

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "containers-and-ci.md"
SCRIPT = "#!/bin/sh\nset -eu\ntwine upload dist/*\n"
"""The program that the job trusts less."""
BUILT, NOT_MINE = wheel("web", "2.0"), wheel("other", "2.0")


def blocks(section: str, server_url: str) -> list[str]:
    """Return the shell commands of a section of the page, for this server and this user's index."""
    text = PAGE.read_text("utf-8").partition(f"## {section}\n")[2].partition("\n## ")[0]
    host = server_url.rstrip("/").removeprefix("http://")
    found = re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL)
    return [
        re.sub(r"^pip install \./wheelgate/client .*\n", "", block, flags=re.MULTILINE)  # it is installed here
        .replace("https://", "http://")
        .replace("packages.example", host)
        .replace("team/prod", f"{USER}/prod")
        for block in found
    ]


@pytest.fixture
def host(tmp_path: Path) -> Iterator[IndexHost]:
    """Start a server with a private index that has the project ``web`` and its dependency."""
    with ServerProcess(tmp_path / "server", *CHEAP_HASHING) as server:
        host = IndexHost.create(server)
        host.make_index("prod", acl_read=[])
        host.upload("prod", wheel("web", "1.0", requires_dist=["lib"]), wheel("lib", "1.0"))
        yield host


@pytest.fixture
def home(host: IndexHost, tmp_path: Path, tools: str) -> Iterator[ToolHome]:
    """Return a home with the folder of a CI job."""
    with ProxyTrap() as proxy:
        folder = tmp_path / "home"
        folder.mkdir()
        home = ToolHome(folder, tools, proxy, host.index("prod"))
        home.write("requirements.txt", "web==1.0")
        home.write("pyproject.toml", UV_PROJECT.format(requirement="web==1.0"))
        home.write("third-party-release-script", SCRIPT).chmod(0o700)
        home.write(f"dist/{BUILT.filename}").write_bytes(BUILT.content)
        yield home
        assert not proxy.requests


def test_the_job_in_the_docs_works_on_a_private_index(host: IndexHost, home: ToolHome) -> None:
    """The token installs the project with its dependency by pip and by uv, and uploads no other project."""
    path = os.pathsep.join([home.environment["PATH"], str(Path(sys.executable).parent)])
    create, *job = blocks("CI with a token", host.server.url)
    with_pip = home.another("with-pip", home.index)
    python = str(venv(with_pip))
    own_machine = f"set -eu\ndevpi use {host.server.url}\n{create}"
    said = home.run("sh", "-c", own_machine, PATH=path, DEVPI_PASSWORD=PASSWORD)
    [token] = re.findall(r"^wgt_\S+$", said, flags=re.MULTILINE)

    home.run("sh", "-c", "set -eux\n" + "\n".join(job), PATH=path, INDEX_TOKEN=token, PIP_PYTHON=python)
    (home.folder / "dist" / NOT_MINE.filename).write_bytes(NOT_MINE.content)
    refused = home.run("sh", "-c", f"set -eu\n{job[1]}", PATH=path, INDEX_TOKEN=token, code=1)

    assert "the token is for web only" in refused
    for installer in (with_pip, home):
        assert installed(installer, "web", "lib") == {"web": "1.0", "lib": "1.0"}
    assert [file["filename"] for file in host.files("prod", "web")][-1] == BUILT.filename
    assert host.files("prod", "other") == []
