"""API tokens with released tools, each of which sends them in its own way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.distributions import wheel
from tests.helpers.index_host import PASSWORD, USER, IndexHost
from tests.helpers.installers import COMMANDS, installed, with_uv_sync
from tests.helpers.released_tools import ProxyTrap, ToolHome
from tests.helpers.uploaders import UPLOADERS, Login, prepare

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess, clean_environment
from wheelgate_client.server import api_tokens as tokens

pytestmark = pytest.mark.slow

CLOSED_INDEX_PLUGIN = """\
from wheelgate import Deny, hookimpl
from wheelgate.hookspecs import instant


@hookimpl
@instant
def wheelgate_check_permission(principal, permission, resource):
    anonymous = permission == "index_read" and resource.name == "closed" and principal.name is None
    return Deny("it is closed") if anonymous else None
"""
"""A policy: anonymous clients cannot read an index named ``closed``, so that reading it needs the token."""

PRIVATE_APP = wheel("private-app", "1.0")
SHOW_REASON = {"twine", "uv", "flit", "poetry"}
"""Tools that show the reason of a refusal."""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IndexHost]:
    """Start a server where alice has a public index, and one that anonymous clients cannot read."""
    folder = tmp_path_factory.mktemp("host")
    (folder / "closed.py").write_text(CLOSED_INDEX_PLUGIN)
    info = folder / "closed-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: closed\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[wheelgate]\nclosed = closed\n")
    environment = clean_environment(PYTHONPATH=str(folder))
    with ServerProcess(folder / "server", *CHEAP_HASHING, workers=2, env=environment) as server:
        host = IndexHost.create(server)
        for name in ("dev", "closed", "target"):
            host.make_index(name)
        host.upload("closed", PRIVATE_APP)
        yield host


@pytest.fixture
def home(host: IndexHost, tmp_path: Path, tools: str) -> Iterator[ToolHome]:
    """Return a new home; check at the end that the tools contacted only the server."""
    with ProxyTrap() as proxy:
        yield ToolHome(tmp_path, tools, proxy, host.index("dev"))
        assert not proxy.requests


def token(host: IndexHost, *scopes: str, **narrow: Any) -> str:
    """Return a new token of the user."""
    made: str = host.request("POST", "+x/tokens", {"scopes": list(scopes), **narrow})["result"]["token"]
    return made


@pytest.mark.parametrize("name", ["__token__", USER])
@pytest.mark.parametrize("tool", UPLOADERS)
def test_a_tool_uploads_with_a_token(tool: str, name: str, host: IndexHost, home: ToolHome) -> None:
    """A token for only this index and project is enough for an upload, with either name."""
    project = f"by-{tool}-as-{name.strip('_')}"
    prepare(home, project)
    secret = token(host, "upload", indices=[f"{USER}/dev"], projects=[project])

    UPLOADERS[tool].upload(home, Login(home.index, name, secret))

    listed = {file["filename"]: file["hashes"]["sha256"] for file in host.files("dev", project)}
    assert listed == host.digests(home.folder / "dist")


@pytest.mark.parametrize("tool", UPLOADERS)
def test_a_token_for_another_project_is_refused(tool: str, host: IndexHost, home: ToolHome) -> None:
    """A token that the client has narrowed to another project is refused with the reason, and stores nothing."""
    project = f"not-by-{tool}"
    prepare(home, project)
    narrowed = tokens.narrow(token(host, "upload"), {"projects": ["something-else"]})

    output = UPLOADERS[tool].upload(home, Login(home.index, "__token__", narrowed), code=2 if tool == "uv" else 1)

    assert "the token is for something-else only" in output if tool in SHOW_REASON else "403" in output, output
    assert host.files("dev", project) == []


def test_a_revoked_token_is_refused_with_the_reason(host: IndexHost, home: ToolHome) -> None:
    """Twine shows why a revoked token is refused."""
    prepare(home, "revoked")
    secret = token(host, "upload")
    host.request("DELETE", f"+x/tokens/{tokens.parse_token(secret).id}")

    output = UPLOADERS["twine"].upload(home, Login(home.index, "__token__", secret), code=1)

    assert "401" in output
    assert "this token has been revoked; create a new one" in output


def test_uv_has_a_variable_for_tokens(host: IndexHost, home: ToolHome) -> None:
    """``UV_PUBLISH_TOKEN`` needs no user name."""
    prepare(home, "with-a-variable")
    variables: dict[str, Any] = {"UV_PUBLISH_URL": home.index, "UV_PUBLISH_TOKEN": token(host, "upload")}

    home.run(*UPLOADERS["uv"].command, *map(str, (home.folder / "dist").iterdir()), **variables)

    assert len(host.files("dev", "with-a-variable")) == 2


@pytest.fixture
def reader(host: IndexHost, home: ToolHome) -> ToolHome:
    """Return a home for the closed index, with a token in the index's address."""
    secret = token(host, "read", indices=[f"{USER}/closed"])
    return home.another("reader", host.index("closed").replace("://", f"://__token__:{secret}@"))


@pytest.mark.parametrize("tool", COMMANDS)
def test_a_tool_installs_with_a_token(tool: str, host: IndexHost, home: ToolHome, reader: ToolHome) -> None:
    """A tool installs from the closed index with a token, and cannot without one."""
    anonymous = home.another("anonymous", host.index("closed"))

    refused = anonymous.run(*COMMANDS[tool](anonymous), "private-app", code={"pip": 1, "uv": 1}[tool])
    reader.run(*COMMANDS[tool](reader), "private-app")

    assert "private-app" in refused
    assert installed(reader, "private_app") == {"private_app": "1.0"}


def test_uv_locks_with_a_token(reader: ToolHome) -> None:
    """Uv locks with a token, and does not write the token into the lock file."""
    with_uv_sync(reader, "private-app")

    assert installed(reader, "private_app") == {"private_app": "1.0"}
    assert "wgt_" not in (reader.folder / "uv.lock").read_text()


@pytest.mark.parametrize("tool", COMMANDS)
def test_a_token_for_one_project_installs_it(tool: str, host: IndexHost, home: ToolHome) -> None:
    """A token for one project is enough to install it: tools do not need the list of all projects."""
    secret = token(host, "read", indices=[f"{USER}/closed"], projects=["private-app"])
    narrow = home.another("narrow", host.index("closed").replace("://", f"://__token__:{secret}@"))

    narrow.run(*COMMANDS[tool](narrow), "private-app")

    assert installed(narrow, "private_app") == {"private_app": "1.0"}


@pytest.mark.parametrize("client", ["ours", "theirs"])
@pytest.mark.parametrize("way", ["address", "state"])
def test_both_clients_work_with_a_token(
    way: str, client: str, host: IndexHost, home: ToolHome, clients: dict[str, Path]
) -> None:
    """With a token in the server's address or the client's state, both clients upload, list, push and remove."""
    project = f"by-{client}-from-{way}"
    narrow = {"projects": [project], "indices": [f"{USER}/{name}" for name in ("dev", "closed", "target")]}
    secret = token(host, "read", "upload", "delete", **narrow)
    devpi, root = clients[client], host.server.url
    made = wheel(project)
    (home.folder / made.filename).write_bytes(made.content)
    other = wheel(f"{project}-no")
    (home.folder / other.filename).write_bytes(other.content)
    if way == "address":
        home.run(devpi, "use", root.replace("://", f"://__token__:{secret}@"))
    else:
        home.run(devpi, "use", root)
        home.run(devpi, "login", USER, f"--password={PASSWORD}")
        state = home.folder / ".devpi" / "client" / "auth.json"
        stored = json.loads(state.read_text())
        state.write_text(json.dumps({**stored, "auth": {root: [[USER, secret]]}}))

    home.run(devpi, "use", f"{USER}/closed")
    home.run(devpi, "upload", made.filename)
    refused = home.run(devpi, "upload", other.filename, code=1)
    listed = home.run(devpi, "list", project)
    home.run(devpi, "push", f"{project}==1.0", f"{USER}/target")
    mine = home.run(devpi, "user", "-m", USER, "title=x", code=1)
    home.run(devpi, "remove", "-y", f"{project}==1.0")

    assert f"the token is for {project} only" in refused
    assert made.filename in listed
    assert "the token is not for that" in mine
    assert len(host.files("target", project)) == 1
    assert host.files("closed", project) == []
