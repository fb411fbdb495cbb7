"""``.pypirc``: our section in the list of servers, and passwords that may stay."""

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
def test_plan_and_removal(
    writers: dict[str, ConfigWriter], tmp_path: Path, before: str | None, after: str, undone: str | None
) -> None:
    """The section is added, changed to another index, and removed; every other byte stays, and the file is private."""
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
def test_a_password_stays_for_the_same_user_and_host(
    writers: dict[str, ConfigWriter], tmp_path: Path, wanted: Target, username: str | None, password: str | None
) -> None:
    """A password only stays if user and host are still the same."""
    path = tmp_path / ".pypirc"
    path.write_text(f"[distutils]\nindex-servers = wheelgate\n{OURS}password = old\n")

    edit = writers["pypirc"].plan(path, wanted)

    said = configparser.RawConfigParser()
    said.read_string((edit.after or b"").decode())
    assert said.get("wheelgate", "repository") == wanted.upload_url
    assert said.get("wheelgate", "username", fallback=None) == username
    assert said.get("wheelgate", "password", fallback=None) == password
    assert "old" in edit.secrets


def test_an_unlisted_section_does_not_count(writers: dict[str, ConfigWriter], tmp_path: Path) -> None:
    """Upload tools only know the servers in the list."""
    path = tmp_path / ".pypirc"
    path.write_text(OURS)

    assert writers["pypirc"].status(path) is None


def test_credentials_stay_out_of_the_url(writers: dict[str, ConfigWriter], tmp_path: Path) -> None:
    """Upload tools print the URL, so user and password are stored in separate options."""
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
def test_unwritable_logins(writers: dict[str, ConfigWriter], tmp_path: Path, wanted: Target, said: str) -> None:
    """The error says why and does not show the password."""
    with pytest.raises(ConfigError, match=said) as caught:
        writers["pypirc"].plan(tmp_path / ".pypirc", wanted)

    assert "s3cret" not in str(caught.value)
