"""``devpi use --for NAME``: configuration that is only set, shown and removed by name."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from tests.client.conftest import Devpi, FakeServer, Outcome


@pytest.fixture
def used(devpi: Devpi, fake_server: FakeServer) -> Devpi:
    """Use an index, logged in."""
    fake_server.serve_index()
    devpi("use", f"{fake_server.url}/alice/dev").ok()
    devpi("login", "alice", "--password", "x").ok()
    (devpi.home / "pyproject.toml").write_text("[project]\n")
    return devpi


def configuration(outcome: Outcome) -> list[str]:
    """Return the lines about configuration files."""
    return outcome.out.splitlines()[1:]


def test_only_named_tools_are_set_shown_and_unset(used: Devpi, fake_server: FakeServer) -> None:
    """Each file shows its upload URL or index; other files are not created."""
    simple, upload = f"{fake_server.url}/alice/dev/+simple/", f"{fake_server.url}/alice/dev/"
    names = "--for=uv-index,pypirc,poetry", "--for", "pdm"
    paths = ["~/.config/uv/uv.toml", "~/.pypirc", "~/pyproject.toml", "~/pyproject.toml"]

    shown = configuration(used("use", "--set-cfg", *names).ok())

    assert [line.split() for line in shown[:-1]] == [
        [path, ":", url] if len(path) < len(paths[0]) else [f"{path}:", url]
        for path, url in zip(paths, [simple, upload, simple, simple], strict=True)
    ]
    assert shown == [*configuration(used("use", *names).ok())[:-1], "always-set-cfg: no"]
    assert not (used.home / ".pip").exists()
    assert upload not in used("use", "--unset-cfg", *names).ok().out
    assert (used.home / "pyproject.toml").read_text() == "[project]\n"


def test_unnamed_tools_are_left_alone(used: Devpi) -> None:
    """``--set-cfg`` and ``--always-set-cfg`` write only the files in the documented session."""
    before = (used.home / "pyproject.toml").read_text()

    used("use", "--set-cfg", "--always-set-cfg=yes").ok()

    shown = [line.split(":")[0].strip() for line in configuration(used("use").ok())]
    assert shown[:-1] == ["~/.pydistutils.cfg", "~/.pip/pip.conf", "~/.buildout/default.cfg", "~/.config/uv/uv.toml"]
    assert (used.home / "pyproject.toml").read_text() == before
    assert not {".netrc", ".pypirc"} & {path.name for path in used.home.iterdir()}
    assert configuration(used("use", "--for", "netrc").ok())[0] == "~/.netrc: no config file exists"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        pytest.param(["--for", "pip,nosuch"], "no plugin can configure 'nosuch': --for takes setuptools, pip,", id="x"),
        pytest.param(["--for", ""], "no plugin can configure ''", id="empty"),
        pytest.param(["--set-cfg", "--with-login"], "--with-login needs --set-cfg, and --for", id="login of nothing"),
        pytest.param(["--for", "netrc", "--with-login"], "--with-login needs --set-cfg, and --for", id="login unset"),
        pytest.param(
            ["--set-cfg", "--for", "pip,poetry", "--with-login"],
            "no file that --for names can store a login",
            id="no place",
        ),
    ],
)
def test_invalid_combinations_are_refused(used: Devpi, arguments: list[str], complaint: str) -> None:
    """The message says what to type instead."""
    assert f"devpi use: error: {complaint}" in used("use", *arguments).fails(2).err


def test_a_login_is_stored_on_request(used: Devpi) -> None:
    """Only the owner can read the files and their backups, whatever their mode was before."""
    pypirc = used.home / ".pypirc"
    pypirc.write_text("[corp]\npassword = theirs\n")
    pypirc.chmod(0o644)
    arguments = ["use", "--set-cfg", "--for", "netrc,pypirc"]

    without = used(*arguments)
    texts = [pypirc.read_text()]
    used(*arguments, "--with-login").ok()
    texts += [pypirc.read_text(), (used.home / ".netrc").read_text()]

    assert without.code == 1
    assert "Add --with-login" in without.err
    assert ["a-token" in text for text in texts] == [False, True, True]
    written = [used.home / name for name in (".pypirc", ".pypirc-bak", ".netrc")]
    assert [stat.S_IMODE(path.stat().st_mode) for path in written] == [0o600] * 3


def test_no_password_is_printed(used: Devpi) -> None:
    """The differences of a dry run show neither the login nor other passwords in the files."""
    (used.home / ".netrc").write_text("machine corp.example login bob password theirs\n")
    (used.home / ".pypirc").write_text("[corp]\npassword = theirs\n")

    outcome = used("use", "--set-cfg", "--for", "netrc,pypirc", "--with-login", "--dry-run").ok()

    assert "+machine 127.0.0.1 login alice password ****" in outcome.out
    assert "+password = ****" in outcome.out
    assert " machine corp.example login bob password ****" in outcome.out
    assert "theirs" not in outcome.out
    assert "a-token" not in outcome.out


def test_without_a_login_there_is_none_to_store(devpi: Devpi, fake_server: FakeServer) -> None:
    """The message says how to log in."""
    fake_server.serve_index(authstatus=["noauth", "", []])
    devpi("use", f"{fake_server.url}/alice/dev").ok()

    outcome = devpi("use", "--set-cfg", "--for", "netrc", "--with-login").fails()

    assert "there is no login to store: type 'devpi login USER' first" in outcome.err
    assert not (devpi.home / ".netrc").exists()


@pytest.mark.parametrize("options", [["--for", "pip"], ["--for", "netrc", "--with-login"]], ids=" ".join)
def test_without_an_index_named_files_cannot_be_set(devpi: Devpi, fake_server: FakeServer, options: list[str]) -> None:
    """The command fails, so that a job does not go on with the public index or without its login."""
    fake_server.act_as_index_server()

    outcome = devpi("use", fake_server.url, "--set-cfg", *options).fails()

    assert outcome.err == "no index in use, so no file was changed: type 'devpi use USER/INDEX' first\n"


@pytest.mark.parametrize("address", ["simpleindex", "pypisubmit"])
def test_a_server_cannot_redirect_the_stored_login(used: Devpi, fake_server: FakeServer, address: str) -> None:
    """If the index has a URL on another host, no login is written for that host."""
    fake_server.serve_index(**{address: "http://evil.example/alice/dev/"})

    used("use", "--set-cfg", "--for", "netrc,pypirc", "--with-login").fails()

    assert not {".netrc", ".pypirc"} & {path.name for path in used.home.iterdir()}


def test_basic_authentication_takes_precedence_in_files(used: Devpi, fake_server: FakeServer) -> None:
    """If a proxy requires a password, the tools have to send that one."""
    host = fake_server.url.removeprefix("http://")
    used("use", f"http://u:secret@{host}/alice/dev")

    used("use", "--set-cfg", "--for", "netrc,poetry", "--with-login").ok()

    assert (used.home / ".netrc").read_text() == "machine 127.0.0.1 login u password secret\n"
    assert "secret" not in (used.home / "pyproject.toml").read_text()


def test_a_name_reaches_the_users_file_from_a_virtual_environment(used: Devpi, tmp_path: Path) -> None:
    """If a tool reads no file in the virtual environment, its name means the user's file."""
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "pyvenv.cfg").touch()
    venv = {"VIRTUAL_ENV": str(tmp_path / "venv")}

    outcome = used("use", "--set-cfg", "--for", "pip,uv", **venv).ok()

    assert [line.split()[0].rstrip(":") for line in configuration(outcome)[1:3]] == [
        f"{tmp_path}/venv/pip.conf",
        "~/.config/uv/uv.toml",
    ]
    assert "no global configuration changed" not in outcome.out
    assert "no global configuration changed" in used("use", **venv).ok().out


def test_unsetting_missing_files_succeeds(used: Devpi) -> None:
    """Missing files contain no settings to remove."""
    used("use", "--unset-cfg", "--for", "netrc,pypirc,uv-index,poetry,pdm").ok()
