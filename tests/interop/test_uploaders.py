"""Uploads with the tools that people have: each sends its own form, and shows its own part of a refusal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.helpers.hosted_index import PASSWORD, USER, Shop
from tests.helpers.released_tools import Desk, Outside
from tests.helpers.uploaders import UPLOADERS, Login, prepare

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess

pytestmark = pytest.mark.slow

REFUSED = {
    # what each shows of a conflict, and how it ends; hatch looks beforehand, pdm shows the status alone
    "twine": ("{file} already exists in non-volatile index", 1),
    "uv": ("{file} already exists in non-volatile index", 2),
    "flit": ("{file} already exists in non-volatile index", 1),
    "poetry": ("already exists in non-volatile index", 1),
    "hatch": ("already exists", 0),
    "pdm": ("409", 1),
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Start a server where alice has a volatile index and one that is not."""
    with ServerProcess(tmp_path_factory.mktemp("shop") / "server", *CHEAP_HASHING, workers=2) as server:
        shop = Shop.opened(server)
        shop.make_index("dev", volatile=True)
        shop.make_index("stable", volatile=False)
        yield shop


@pytest.fixture
def desk(shop: Shop, tmp_path: Path, tools: str) -> Iterator[Desk]:
    """Sit down in a new home; at the end, no tool has asked anything but the server."""
    with Outside() as outside:
        yield Desk(tmp_path, tools, outside, shop.index("stable"))
        assert not outside.visits


@pytest.mark.parametrize("secret", ["token", "password"])
@pytest.mark.parametrize("tool", UPLOADERS)
def test_a_tool_uploads(tool: str, secret: str, shop: Shop, desk: Desk) -> None:
    """The wheel and the sdist that a tool uploads, with a token or the password, are listed with their digests."""
    project = f"with-{tool}-and-{secret}"
    prepare(desk, project)

    UPLOADERS[tool].upload(desk, Login(desk.index, USER, {"token": shop.token, "password": PASSWORD}[secret]))

    listed = {file["filename"]: file["hashes"]["sha256"] for file in shop.files("stable", project)}
    assert listed == shop.digests(desk.home / "dist")
    assert len(listed) == 2


@pytest.mark.parametrize("tool", UPLOADERS)
def test_a_tool_shows_why_an_upload_is_refused(tool: str, shop: Shop, desk: Desk) -> None:
    """Another file of the same name is refused on a non-volatile index; tools show the sentence, if they show any."""
    project = f"twice-with-{tool}"
    login = Login(desk.index, USER, shop.token)
    prepare(desk, project)
    UPLOADERS[tool].upload(desk, login)
    before = shop.files("stable", project)
    shown, code = REFUSED[tool]
    prepare(desk, project, seed=1)

    said = UPLOADERS[tool].upload(desk, login, code)

    assert any(shown.format(file=name) in said for name in shop.digests(desk.home / "dist")), said
    assert shop.files("stable", project) == before


@pytest.mark.parametrize("tool", UPLOADERS)
def test_a_tool_shows_that_a_login_is_wrong(tool: str, shop: Shop, desk: Desk) -> None:
    """A user that is not there is 401, which each tool shows; nothing is listed."""
    project = f"stranger-with-{tool}"
    prepare(desk, project)

    said = UPLOADERS[tool].upload(desk, Login(desk.index, f"not-{USER}-{tool}", "wrong"), code=2 if tool == "uv" else 1)

    assert "401" in said
    assert shop.files("stable", project) == []


@pytest.mark.parametrize("tool", sorted(UPLOADERS.keys() - {"hatch"}))  # which leaves alone what is there
def test_a_tool_uploads_again_to_a_volatile_index(tool: str, shop: Shop, desk: Desk) -> None:
    """A volatile index takes another file of the same name in the place of the first."""
    project = f"again-with-{tool}"
    login = Login(shop.index("dev"), USER, shop.token)
    for seed in (0, 1):
        prepare(desk, project, seed=seed)
        UPLOADERS[tool].upload(desk, login)

    listed = {file["filename"]: file["hashes"]["sha256"] for file in shop.files("dev", project)}
    assert listed == shop.digests(desk.home / "dist")
