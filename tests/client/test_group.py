"""``devpi group``."""

from __future__ import annotations

import pytest
from tests.client.conftest import Devpi

from wheelgate.testing.server_process import ServerProcess

pytestmark = pytest.mark.slow


@pytest.fixture
def chief(index_server: ServerProcess, devpi: Devpi) -> Devpi:
    """Use the server as root."""
    devpi("use", index_server.url).ok()
    devpi("login", "root", "--password", "").ok()
    return devpi


def test_groups_are_created_listed_shown_modified_and_deleted(chief: Devpi, index_server: ServerProcess) -> None:
    """The commands cover the whole life of a group, as for users and indices."""
    url = f"{index_server.url}+x/groups"
    for name in ("gina", "gerd"):
        chief("user", "-c", name, "password=a-good-password").ok()

    assert chief("group", "-c", "testers", "members=gerd").ok().out == "group created: testers\n"
    assert chief("group", "-c", "devs", "members=gina,:testers", "title=All of us").ok().out == "group created: devs\n"
    assert {"devs", "testers"} <= set(chief("group", "-l").ok().out.splitlines())
    assert chief("group", ":devs").ok().out == f"{url}/devs:\n  members=:testers,gina\n  title=All of us\n"
    assert chief("group", "-m", "devs", "members-=gina", "members+=root").ok().out == (
        ":devs members-=gina\n:devs members+=root\ngroup modified: devs\n"
    )
    assert chief("group", "devs", "title=Some").ok().out == ":devs title=Some\ngroup modified: devs\n"
    assert chief("group", "devs").ok().out == f"{url}/devs:\n  members=:testers,root\n  title=Some\n"
    assert chief("group", "--delete", "devs", "-y").ok().out.startswith(f"About to remove: {url}/devs\n")
    assert "devs" not in chief("group", "-l").ok().out.splitlines()


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["-c"], 1, "need to specify a group"),
        ([], 1, "need to specify a group"),
        (["-l", "devs"], 2, "-l lists all groups"),
        (["--delete", "devs", "title=x"], 1, "cannot delete if you specify key=values"),
        (["-m", "nothing", "title=x"], 1, "no group 'nothing'"),
        (["-c", "a/b"], 1, "'a/b' is not a group name"),
        (["-c", ".."], 1, "'..' is not a group name"),
        (["-c", "-m", "devs"], 2, "not allowed with"),
        (["-c", "devs", "members"], 1, "arguments must be format NAME=VALUE"),
        (["-c", "devs", "members=nobody"], 1, "names the user 'nobody', who does not exist"),
    ],
)
def test_failures_are_reported(chief: Devpi, arguments: list[str], code: int, sentence: str) -> None:
    """One sentence says why, and the exit code tells usage errors apart."""
    assert sentence in chief("group", *arguments).fails(code).err


def test_rights_are_needed(chief: Devpi) -> None:
    """Users who are not logged in cannot list groups."""
    chief("logoff").ok()

    assert "401" in chief("group", "-l").fails().err
