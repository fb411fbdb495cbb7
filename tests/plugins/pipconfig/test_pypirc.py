"""``.pypirc``: the list of servers, ours in it, and whose password may stay there."""

from __future__ import annotations

import configparser
from pathlib import Path

import pytest

from wheelgate_client.hookspecs import ConfigError, ConfigWriter, Target

SERVER = "http://pkgs.example:3141/"
INDEX = f"{SERVER}alice/dev/"
OTHER = f"{SERVER}alice/prod/"
OURS = f"[wheelgate]\nrepository = {INDEX}\nusername = alice\n"


def target(index: str = INDEX, username: str | None = "alice", password: str | None = None) -> Target:
    return Target(f"{index}+simple/", index, upload_url=index, username=username, password=password)


@pytest.mark.parametrize(
    ("before", "after", "undone"),
    [
        pytest.param(None, f"[distutils]\nindex-servers = wheelgate\n{OURS}", None, id="fresh"),
        pytest.param(
            "# mine\n[distutils]\nindex-servers =\n    corp\n\n[corp]\nrepository: http://corp.example/\npassword: p\n",
            "# mine\n[distutils]\nindex-servers =\n    corp\n    wheelgate\n\n"
            f"[corp]\nrepository: http://corp.example/\npassword: p\n{OURS}",
            "# mine\n[distutils]\nindex-servers =\n    corp\n\n[corp]\nrepository: http://corp.example/\npassword: p\n",
            id="another-server",
        ),
        pytest.param(
            "[distutils]\r\nindex-servers = corp\r\n[corp]\r\npassword = p\r\n",
            f"[distutils]\nindex-servers = corp\n    wheelgate\n[corp]\npassword = p\n{OURS}".replace("\n", "\r\n"),
            "[distutils]\r\nindex-servers = corp\r\n[corp]\r\npassword = p\r\n",
            id="crlf",
        ),
        pytest.param(
            "[pypi]\nusername = __token__\npassword = p\n",
            "[pypi]\nusername = __token__\npassword = p\n[distutils]\nindex-servers = pypi\n    wheelgate\n" + OURS,
            "[pypi]\nusername = __token__\npassword = p\n[distutils]\nindex-servers = pypi\n",
            id="a-server-that-was-implied",
        ),
    ],
)
def test_plan_and_unplan(
    writers: dict[str, ConfigWriter], tmp_path: Path, before: str | None, after: str, undone: str | None
) -> None:
    """The server is listed, moves to another index, and goes; every byte that is not ours stays, and is private."""
    path = tmp_path / ".pypirc"
    if before is not None:
        path.write_bytes(before.encode())
    pypirc = writers["pypirc"]

    edit = pypirc.plan(path, target())

    assert edit.after is not None
    assert edit.after.decode() == after
    path.write_bytes(edit.after)
    assert pypirc.status(path) == INDEX
    again = pypirc.plan(path, target())
    moved = pypirc.plan(path, target(OTHER))
    assert (again.after, again.has_secret) == (edit.after, True)
    assert (moved.after or b"").decode() == after.replace(INDEX, OTHER)
    assert pypirc.plan_removal(path, "http://elsewhere.example/").after == edit.after
    back = pypirc.plan_removal(path, SERVER)
    assert back.after == (None if undone is None else undone.encode())
    assert back.has_secret == (undone is not None)


@pytest.mark.parametrize(
    ("wanted", "username", "password"),
    [
        pytest.param(target(), "alice", "old", id="unchanged"),
        pytest.param(target(OTHER), "alice", "old", id="another-index-of-the-server"),
        pytest.param(target(username=None), "alice", "old", id="not-logged-in"),
        pytest.param(target(password="new"), "alice", "new", id="asked-for"),
        pytest.param(target(username="bob"), "bob", None, id="another-user"),
        pytest.param(target(username="bob", password="new"), "bob", "new", id="another-user-with-login"),
        pytest.param(target("http://evil.example/alice/dev/"), "alice", None, id="another-host"),
        pytest.param(target("http://pkgs.example:4000/alice/dev/", None), None, None, id="another-port"),
    ],
)
def test_whose_password_it_is(
    writers: dict[str, ConfigWriter], tmp_path: Path, wanted: Target, username: str | None, password: str | None
) -> None:
    """A password stays only where it is still for the same user and host."""
    path = tmp_path / ".pypirc"
    path.write_text(f"[distutils]\nindex-servers = wheelgate\n{OURS}password = old\n")

    edit = writers["pypirc"].plan(path, wanted)

    said = configparser.RawConfigParser()
    said.read_string((edit.after or b"").decode())
    assert said.get("wheelgate", "repository") == wanted.upload_url
    assert said.get("wheelgate", "username", fallback=None) == username
    assert said.get("wheelgate", "password", fallback=None) == password
    assert "old" in edit.secrets


def test_a_section_that_is_not_listed_says_nothing(writers: dict[str, ConfigWriter], tmp_path: Path) -> None:
    """Upload tools know the servers of the list only."""
    path = tmp_path / ".pypirc"
    path.write_text(OURS)

    assert writers["pypirc"].status(path) is None


def test_credentials_stay_out_of_the_url(writers: dict[str, ConfigWriter], tmp_path: Path) -> None:
    """Upload tools print the address, so user and password have options of their own."""
    url = INDEX.replace("//", "//u:s3cret@")

    edit = writers["pypirc"].plan(tmp_path / ".pypirc", Target(url, url, upload_url=url, username="u"))

    assert b"s3cret" not in (edit.after or b"s3cret")


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        pytest.param(Target(INDEX, INDEX), "this index takes no uploads", id="mirror"),
        pytest.param(target(password="s3cret\n[x]"), "has a control character", id="newline"),
        pytest.param(target(password=" s3cret"), "begins or ends with a blank", id="blank"),
    ],
)
def test_what_cannot_be_written(writers: dict[str, ConfigWriter], tmp_path: Path, wanted: Target, said: str) -> None:
    """The error says why, and nothing of the password."""
    with pytest.raises(ConfigError, match=said) as caught:
        writers["pypirc"].plan(tmp_path / ".pypirc", wanted)

    assert "s3cret" not in str(caught.value)
