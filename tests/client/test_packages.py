"""The client's commands for releases, with a real server."""

from __future__ import annotations

import pytest
from tests.client.conftest import UserAccount
from tests.helpers import distributions

pytestmark = pytest.mark.slow

WHEEL = distributions.wheel("abc", "1.0")
ANOTHER = distributions.wheel("abc", "1.0", seed=1)


@pytest.fixture
def indices(logged_in_user: UserAccount) -> UserAccount:
    """Use an index with a release, and create a non-volatile one."""
    logged_in_user.devpi("index", "-c", "dev").ok()
    logged_in_user.devpi("index", "-c", "prod", "volatile=False").ok()
    logged_in_user.devpi("use", "dev")
    for file in (WHEEL, distributions.sdist("abc", "1.0")):
        (logged_in_user.devpi.home / file.filename).write_bytes(file.content)
        logged_in_user.devpi("upload", file.filename).ok()
    return logged_in_user


def test_a_release_is_listed_with_its_files(indices: UserAccount) -> None:
    """Each file is listed by its URL."""
    assert indices.devpi("list").ok().out == "abc\n"
    assert indices.devpi("list", "-v").ok().out == "abc==1.0\n"
    names = [line.rpartition("/")[2] for line in indices.devpi("list", "abc").ok().out.splitlines()]
    assert names == [WHEEL.filename, "abc-1.0.tar.gz"]


def test_a_release_is_pushed_once(indices: UserAccount) -> None:
    """A non-volatile index never replaces files; the message says so."""
    pushed = indices.devpi("push", "--no-docs", "abc==1.0", f"{indices.name}/prod").ok().out
    again = indices.devpi("push", "abc==1.0", f"{indices.name}/prod").fails().err
    (indices.devpi.home / WHEEL.filename).write_bytes(ANOTHER.content)
    other = indices.devpi("upload", "--index", "prod", WHEEL.filename).fails().err

    assert pushed.startswith(f"   200 register abc 1.0 -> {indices.name}/prod\n   200 store_releasefile ")
    assert again.startswith(f"PUSH {indices.root}/{indices.name}/dev\n409 Conflict: ")
    url = f"{indices.root}/{indices.name}/prod/"
    assert other.startswith(f"409 FAIL file_upload of {WHEEL.filename} to {url}\n{WHEEL.filename} already exists")


def test_a_release_is_yanked_and_made_available_again(indices: UserAccount) -> None:
    """The reason is stored with the version."""
    assert indices.devpi("yank", "abc==1.0", "--reason", "broken").ok().out == "yanked abc 1.0\n"
    version = indices.devpi("getjson", f"/{indices.name}/dev/abc/1.0").ok().out
    assert indices.devpi("yank", "abc==1.0", "--undo").ok().out == "un-yanked abc 1.0\n"
    restored = indices.devpi("getjson", f"/{indices.name}/dev/abc/1.0").ok().out
    assert "broken" in version
    assert "broken" not in restored


def test_why_names_the_index(indices: UserAccount) -> None:
    """The output also lists every index on the way."""
    lines = indices.devpi("why", "abc").ok().out.splitlines()

    assert lines[:3] == [
        f"abc comes from {indices.name}/dev",
        f"{indices.name}/dev (stage): served",
        "    files: 2, versions: 1.0",
    ]
    assert indices.devpi("why", "nope").code == 1


def test_a_release_is_removed(indices: UserAccount) -> None:
    """A non-volatile index requires ``-f``."""
    indices.devpi("push", "abc==1.0", f"{indices.name}/prod").ok()

    refused = indices.devpi("remove", "-y", "--index", "prod", "abc==1.0")
    indices.devpi("remove", "-y", "-f", "--index", "prod", "abc==1.0").ok()
    indices.devpi("remove", "-y", "abc").ok()

    assert (
        refused.err == f"{indices.root}/{indices.name}/prod is not volatile, so nothing was removed: add --force to"
        " remove from it anyway\n"
    )
    assert indices.devpi("list", "--index", "prod").out == indices.devpi("list").out == ""
