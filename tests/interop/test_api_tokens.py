"""API tokens in the hands of the tools that people have: each sends them in its own way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.distributions import wheel
from tests.helpers.hosted_index import PASSWORD, USER, Shop
from tests.helpers.installers import COMMANDS, installed, with_uv_sync
from tests.helpers.released_tools import Desk, Outside
from tests.helpers.uploaders import UPLOADERS, Login, prepare

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess, clean_environment
from wheelgate_client.server import api_tokens as tokens

pytestmark = pytest.mark.slow

CLOSED = """\
from wheelgate import Deny, hookimpl
from wheelgate.hookspecs import instant


@hookimpl
@instant
def wheelgate_check_permission(principal, permission, resource):
    stranger = permission == "index_read" and resource.name == "closed" and principal.name is None
    return Deny("it is closed") if stranger else None
"""
"""A policy: what is called ``closed`` is for users, so that it takes the token to read it."""

PRIVATE = wheel("private-app", "1.0")
TELLING = {"twine", "uv", "flit", "poetry"}
"""Tools that show the sentence of a refusal."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Start a server where alice has an index for all, and one that is closed to strangers."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "closed.py").write_text(CLOSED)
    info = folder / "closed-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: closed\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[wheelgate]\nclosed = closed\n")
    environment = clean_environment(PYTHONPATH=str(folder))
    with ServerProcess(folder / "server", *CHEAP_HASHING, workers=2, env=environment) as server:
        shop = Shop.opened(server)
        for name in ("dev", "closed", "target"):
            shop.make_index(name)
        shop.upload("closed", PRIVATE)
        yield shop


@pytest.fixture
def desk(shop: Shop, tmp_path: Path, tools: str) -> Iterator[Desk]:
    """Sit down in a new home; at the end, no tool has asked anything but the server."""
    with Outside() as outside:
        yield Desk(tmp_path, tools, outside, shop.index("dev"))
        assert not outside.visits


def token(shop: Shop, *scopes: str, **narrow: Any) -> str:
    """Return a new token of the user."""
    made: str = shop.ask("POST", "+x/tokens", {"scopes": list(scopes), **narrow})["result"]["token"]
    return made


@pytest.mark.parametrize("name", ["__token__", USER])
@pytest.mark.parametrize("tool", UPLOADERS)
def test_a_tool_uploads_with_a_token(tool: str, name: str, shop: Shop, desk: Desk) -> None:
    """With one that is for this index and this project and nothing else, under either name."""
    project = f"by-{tool}-as-{name.strip('_')}"
    prepare(desk, project)
    secret = token(shop, "upload", indices=[f"{USER}/dev"], projects=[project])

    UPLOADERS[tool].upload(desk, Login(desk.index, name, secret))

    listed = {file["filename"]: file["hashes"]["sha256"] for file in shop.files("dev", project)}
    assert listed == shop.digests(desk.home / "dist")


@pytest.mark.parametrize("tool", UPLOADERS)
def test_a_token_for_another_project_is_refused(tool: str, shop: Shop, desk: Desk) -> None:
    """Derived by the client without the server; tools show the reason, if they show any, and nothing is kept."""
    project = f"not-by-{tool}"
    prepare(desk, project)
    narrowed = tokens.narrow(token(shop, "upload"), {"projects": ["something-else"]})

    said = UPLOADERS[tool].upload(desk, Login(desk.index, "__token__", narrowed), code=2 if tool == "uv" else 1)

    assert "the token is for something-else only" in said if tool in TELLING else "403" in said, said
    assert shop.files("dev", project) == []


def test_a_revoked_token_is_refused_with_the_reason(shop: Shop, desk: Desk) -> None:
    """Which twine shows."""
    prepare(desk, "revoked")
    secret = token(shop, "upload")
    shop.ask("DELETE", f"+x/tokens/{tokens.parse_token(secret).id}")

    said = UPLOADERS["twine"].upload(desk, Login(desk.index, "__token__", secret), code=1)

    assert "401" in said
    assert "this token has been revoked; create a new one" in said


def test_uv_has_a_variable_for_tokens(shop: Shop, desk: Desk) -> None:
    """``UV_PUBLISH_TOKEN`` needs no name."""
    prepare(desk, "with-a-variable")
    variables: dict[str, Any] = {"UV_PUBLISH_URL": desk.index, "UV_PUBLISH_TOKEN": token(shop, "upload")}

    desk.run(*UPLOADERS["uv"].command, *map(str, (desk.home / "dist").iterdir()), **variables)

    assert len(shop.files("dev", "with-a-variable")) == 2


@pytest.fixture
def reader(shop: Shop, desk: Desk) -> Desk:
    """Return a desk whose index is the closed one, with a token in its address."""
    secret = token(shop, "read", indices=[f"{USER}/closed"])
    return desk.beside("reader", shop.index("closed").replace("://", f"://__token__:{secret}@"))


@pytest.mark.parametrize("tool", COMMANDS)
def test_a_tool_installs_with_a_token(tool: str, shop: Shop, desk: Desk, reader: Desk) -> None:
    """From an index that is closed without it."""
    stranger = desk.beside("stranger", shop.index("closed"))

    refused = stranger.run(*COMMANDS[tool](stranger), "private-app", code={"pip": 1, "uv": 1}[tool])
    reader.run(*COMMANDS[tool](reader), "private-app")

    assert "private-app" in refused
    assert installed(reader, "private_app") == {"private_app": "1.0"}


def test_uv_locks_with_a_token(reader: Desk) -> None:
    """And does not write it into its lock file."""
    with_uv_sync(reader, "private-app")

    assert installed(reader, "private_app") == {"private_app": "1.0"}
    assert "wgt_" not in (reader.home / "uv.lock").read_text()


@pytest.mark.parametrize("tool", COMMANDS)
def test_a_token_for_one_project_installs_it(tool: str, shop: Shop, desk: Desk) -> None:
    """The list of all projects is not needed for that."""
    secret = token(shop, "read", indices=[f"{USER}/closed"], projects=["private-app"])
    narrow = desk.beside("narrow", shop.index("closed").replace("://", f"://__token__:{secret}@"))

    narrow.run(*COMMANDS[tool](narrow), "private-app")

    assert installed(narrow, "private_app") == {"private_app": "1.0"}


@pytest.mark.parametrize("client", ["ours", "theirs"])
@pytest.mark.parametrize("way", ["address", "state"])
def test_both_clients_work_with_a_token(
    way: str, client: str, shop: Shop, desk: Desk, clients: dict[str, Path]
) -> None:
    """Given in the address of the server, or put where a client keeps its logins: upload, list, push and remove."""
    project = f"by-{client}-from-{way}"
    narrow = {"projects": [project], "indices": [f"{USER}/{name}" for name in ("dev", "closed", "target")]}
    secret = token(shop, "read", "upload", "delete", **narrow)
    devpi, root = clients[client], shop.server.url
    made = wheel(project)
    (desk.home / made.filename).write_bytes(made.content)
    other = wheel(f"{project}-no")
    (desk.home / other.filename).write_bytes(other.content)
    if way == "address":
        desk.run(devpi, "use", root.replace("://", f"://__token__:{secret}@"))
    else:
        desk.run(devpi, "use", root)
        desk.run(devpi, "login", USER, f"--password={PASSWORD}")
        state = desk.home / ".devpi" / "client" / "auth.json"
        stored = json.loads(state.read_text())
        state.write_text(json.dumps({**stored, "auth": {root: [[USER, secret]]}}))

    desk.run(devpi, "use", f"{USER}/closed")
    desk.run(devpi, "upload", made.filename)
    refused = desk.run(devpi, "upload", other.filename, code=1)
    listed = desk.run(devpi, "list", project)
    desk.run(devpi, "push", f"{project}==1.0", f"{USER}/target")
    mine = desk.run(devpi, "user", "-m", USER, "title=x", code=1)
    desk.run(devpi, "remove", "-y", f"{project}==1.0")

    assert f"the token is for {project} only" in refused
    assert made.filename in listed
    assert "the token is not for that" in mine
    assert len(shop.files("target", project)) == 1
    assert shop.files("closed", project) == []
