"""Settings: flags come before the environment, the file and defaults; messages name the place of an error."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Any

import pytest

from wheelgate import Option
from wheelgate.config import Config, add_flags, resolve
from wheelgate.core_options import CORE_OPTIONS
from wheelgate.errors import StartupError
from wheelgate.main import Parser
from wheelgate.store.database import Database

EXTRA = (
    Option("tls", "speak TLS", default=False, section="ldap"),
    Option("url", "address of the directory", section="ldap", metavar="URL"),
    Option("bind-password", "password of the directory", section="ldap", metavar="PASSWORD", secret=True),
    Option("no-root-pypi", "do not create root/pypi", default=False, first_start=True),
    Option("root-pypi-url", "what root/pypi mirrors", metavar="URL", secret=True, first_start=True),
)
OPTIONS = (*CORE_OPTIONS, *EXTRA)


def settled(
    flags: list[str] | None = None, environment: dict[str, str] | None = None, file: Path | None = None
) -> Config:
    """Return the settings that the command line, the environment and a file give."""
    parser = Parser()
    add_flags(parser, OPTIONS)
    given = ["--config", str(file)] if file else []
    return resolve(OPTIONS, vars(parser.parse_args([*given, *(flags or [])])), environment or {})


PLACES = [
    # option, flag, (variable, text), line of the file; each with its value
    pytest.param("port", (["--port", "1"], 1), ("DEVPISERVER_PORT", "2", 2), ("port = 3", 3), 3141, id="number"),
    pytest.param(
        "secretfile",
        (["--secretfile", "a"], "a"),
        ("DEVPISERVER_SECRETFILE", "b", "b"),
        ('secretfile = "c"', "c"),
        None,
        id="text",
    ),
    pytest.param(
        "session-lifetime",
        (["--session-lifetime=1s"], 1),
        ("DEVPISERVER_SESSION_LIFETIME", "1m", 60),
        ("session-lifetime = 3", 3),
        36000,
        id="time span",
    ),
    pytest.param(
        "auth-order",
        (["--auth-order", "a", "--auth-order", "b,c"], ("a", "b,c")),
        ("DEVPISERVER_AUTH_ORDER", "d,e", ("d", "e")),
        ('auth-order = ["f", "g"]', ("f", "g")),
        (),
        id="list",
    ),
    pytest.param(
        "ldap-tls",
        (["--ldap-tls"], True),
        ("DEVPISERVER_LDAP_TLS", "no", False),
        ("[plugins.ldap]\ntls = true", True),
        False,
        id="switch",
    ),
    pytest.param(
        "ldap-url",
        (["--ldap-url", "ldap://a"], "ldap://a"),
        ("DEVPISERVER_LDAP_URL", "ldap://b", "ldap://b"),
        ('[plugins.ldap]\nurl = "ldap://c"', "ldap://c"),
        None,
        id="plugin's",
    ),
]


@pytest.mark.parametrize(("key", "flag", "variable", "line", "default"), PLACES)
def test_flag_before_environment_before_file_before_default(
    tmp_path: Path,
    key: str,
    flag: tuple[list[str], object],
    variable: tuple[str, str, object],
    line: tuple[str, object],
    default: object,
) -> None:
    """The flag overrides the environment, and the environment overrides the file."""
    file = tmp_path / "wheelgate.toml"
    file.write_text(line[0])
    environment = {variable[0]: variable[1]}

    assert settled(flag[0], environment, file)[key] == flag[1]
    assert settled(None, environment, file)[key] == variable[2]
    assert settled(None, None, file)[key] == line[1]
    assert settled()[key] == default
    assert dict(settled()).keys() == {option.key for option in OPTIONS}
    assert len(settled()) == len(OPTIONS)


def test_the_environment_may_name_the_file(tmp_path: Path) -> None:
    """``DEVPISERVER_CONFIG`` works like ``--config``."""
    file = tmp_path / "wheelgate.toml"
    file.write_text("port = 3")

    assert settled(environment={"DEVPISERVER_CONFIG": str(file)})["port"] == 3


def test_a_switch_can_be_turned_off() -> None:
    """``--no-ldap-tls`` overrides the environment."""
    assert settled(["--no-ldap-tls"], {"DEVPISERVER_LDAP_TLS": "yes"})["ldap-tls"] is False


VALUES = [
    ("port", "0", 0),
    ("port", "65535", 65535),
    ("session-lifetime", "90", 90),
    ("session-lifetime", " 10h ", 36000),
    ("session-lifetime", "7d", 604800),
    ("outside-url", "https://packages.example/sub/", "https://packages.example/sub"),
    ("trusted-proxy", "10.1.2.3/8", (ipaddress.ip_network("10.0.0.0/8"),)),
    ("trusted-proxy", "::1, 192.0.2.1", (ipaddress.ip_network("::1"), ipaddress.ip_network("192.0.2.1"))),
    ("trusted-proxy", "", ()),
    ("ldap-tls", "YES", True),
]


@pytest.mark.parametrize(("key", "text", "value"), VALUES)
def test_values_that_are_read(key: str, text: str, value: object) -> None:
    """Each type of option reads its values."""
    variable = "DEVPISERVER_" + key.replace("-", "_").upper()

    assert settled(environment={variable: text})[key] == value


WRONG = [
    ("DEVPISERVER_PORT", "80x", "expected a whole number from 0 to 65535, not '80x'"),
    ("DEVPISERVER_PORT", "65536", "expected a whole number from 0 to 65535, not '65536'"),
    ("DEVPISERVER_PORT", "-1", "expected a whole number from 0 to 65535, not '-1'"),
    ("DEVPISERVER_PORT", "²", "expected a whole number from 0 to 65535, not '²'"),
    ("DEVPISERVER_WORKERS", "0", "expected a whole number from 1 to 64, not '0'"),
    ("DEVPISERVER_SESSION_LIFETIME", "0", "expected a time span such as 36000, 30m, 10h, 7d or 2w, not '0'"),
    ("DEVPISERVER_SESSION_LIFETIME", "10 hours", "expected a time span such as 36000, 30m, 10h, 7d or 2w, not"),
    ("DEVPISERVER_OUTSIDE_URL", "ftp://x.example", "expected an address such as https://packages.example/sub, not"),
    ("DEVPISERVER_OUTSIDE_URL", "http://u:p@x.example", "expected an address such as https://packages.example/sub"),
    ("DEVPISERVER_TRUSTED_PROXY", "10.0.0.0/33", "expected an address or a network such as 10.0.0.0/8, not"),
    ("DEVPISERVER_LDAP_TLS", "maybe", "expected true, yes, on or 1, or false, no, off or 0, not 'maybe'"),
]


@pytest.mark.parametrize(("variable", "text", "sentence"), WRONG)
def test_values_that_cannot_be_read(variable: str, text: str, sentence: str) -> None:
    """The message names the place, the expected value and the actual one."""
    with pytest.raises(StartupError) as refused:
        settled(environment={variable: text})

    assert str(refused.value).startswith(f"environment variable {variable}: {sentence}")


FILES = [
    ("prot = 80", "unknown key 'prot'; did you mean 'port'?"),
    ("zzz = 80", "unknown key 'zzz'"),
    ("port = 1.5", "port: expected text or a number, not 1.5"),
    ("port = true", "port: expected text or a number, not True"),
    ("database = true", "database: expected text or a number, not a secret"),
    ('port = "x"', "port: expected a whole number from 0 to 65535, not 'x'"),
    ("auth-order = 5", "auth-order: expected a list, not 5"),
    ("auth-order = [[]]", "auth-order: expected text or a number, not []"),
    ("[plugins.ldap]\nurll = 1", "unknown key 'urll'; did you mean 'url'?"),
    ("[plugins.sso]\nurl = 1", "unknown table '[plugins.sso]'"),
    ("[plugins.auth_ldap]\nurl = 1", "unknown table '[plugins.auth_ldap]'; did you mean '[plugins.ldap]'?"),
    ("[plugins.auth_ldap]", "unknown table '[plugins.auth_ldap]'; did you mean '[plugins.ldap]'?"),
    ("[ldap]\nurl = 1", "unknown table '[ldap]'; did you mean '[plugins.ldap]'?"),
    ("[ldp]\nurl = 1", "unknown table '[ldp]'; did you mean '[plugins.ldap]'?"),
    ("[zzz]\nurl = 1", "unknown key 'zzz'"),
    ('outside-url = ["a", "b"]', "outside-url: expected one text or number, not a list; write several names as"),
    ('database = "file:/none/url"', "database: cannot read /none/url: No such file or directory"),
    ("[plugins]\nldap = 1", "[plugins.NAME] must be a table"),
    ("plugins = 1", "[plugins.NAME] must be a table"),
    (
        '[plugins.ldap]\ntls = "x"',
        "tls in [plugins.ldap]: expected true, yes, on or 1, or false, no, off or 0, not 'x'",
    ),
    ("port = ", "is not TOML: "),
    (b"\xff", "is not TOML: "),
]


@pytest.mark.parametrize(("content", "sentence"), FILES, ids=[str(row[0]) for row in FILES])
def test_files_that_cannot_be_meant(tmp_path: Path, content: str | bytes, sentence: str) -> None:
    """Errors in the file name its path; an unknown key gets the nearest known one."""
    file = tmp_path / "wheelgate.toml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(StartupError) as refused:
        settled(file=file)

    assert str(file) in str(refused.value)
    assert sentence in str(refused.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """``--config`` must name an existing file."""
    with pytest.raises(StartupError, match=r"^--config: cannot read .*/none.toml: No such file or directory$"):
        settled(file=tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("variable", "sentence"),
    [
        ("DEVPISERVER_PROT", "unknown variable 'DEVPISERVER_PROT'; did you mean 'DEVPISERVER_PORT'?"),
        ("DEVPISERVER_LDAP_ULR", "unknown variable 'DEVPISERVER_LDAP_ULR'; did you mean 'DEVPISERVER_LDAP_URL'?"),
    ],
)
def test_unknown_variables(variable: str, sentence: str) -> None:
    """An unknown variable with the server's prefix stops the start; the server ignores all other variables."""
    assert settled(environment={"DEVPI_USER": "x", "PORT": "x"})["port"] == 3141

    with pytest.raises(StartupError) as refused:
        settled(environment={variable: "1"})

    assert str(refused.value) == f"environment: {sentence}"


@pytest.fixture
def hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a secret to a file and to the environment."""
    file = tmp_path / "secret"
    file.write_text("swordfish\n")
    monkeypatch.setenv("THE_SECRET", "swordfish")
    return file


@pytest.mark.parametrize("form", ["swordfish", "env:THE_SECRET", "file:{}"])
def test_secrets_may_be_kept_elsewhere(hidden: Path, form: str) -> None:
    """A secret is given directly, or through a variable or a file; the server never prints it."""
    config = settled(["--root-passwd", form.format(hidden), "--ldap-bind-password", form.format(hidden)])

    assert config["root-passwd"] == config["ldap-bind-password"] == "swordfish"
    assert "swordfish" not in repr(config)
    assert "'port': 3141" in repr(config)


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ("env:NO_SUCH_VARIABLE", "--root-passwd: there is no environment variable NO_SUCH_VARIABLE"),
        ("file:/no/such/file", "--root-passwd: cannot read /no/such/file: "),
    ],
)
def test_secrets_that_are_not_there(form: str, sentence: str) -> None:
    """``env:`` and ``file:`` must name an existing variable or file."""
    with pytest.raises(StartupError) as refused:
        settled(["--root-passwd", form])

    assert str(refused.value).startswith(sentence)


EMPTY_SECRETS = [
    (["--root-passwd", ""], {}, "--root-passwd: the value"),
    (["--root-passwd", "  "], {}, "--root-passwd: the value"),
    ([], {"DEVPISERVER_ROOT_PASSWD": ""}, "environment variable DEVPISERVER_ROOT_PASSWD: the value"),
    (["--root-passwd", "env:EMPTY"], {}, "--root-passwd: env:EMPTY"),
    (["--root-passwd", "file:{empty}"], {}, "--root-passwd: file:{empty}"),
    (
        [],
        {"DEVPISERVER_LDAP_BIND_PASSWORD": "env:EMPTY"},
        "environment variable DEVPISERVER_LDAP_BIND_PASSWORD: env:EMPTY",
    ),
    ([], {"DEVPISERVER_DATABASE": ""}, "environment variable DEVPISERVER_DATABASE: the value"),
    (["--upstream-proxy", "file:{empty}"], {}, "--upstream-proxy: file:{empty}"),
]


@pytest.mark.parametrize(("flags", "environment", "what"), EMPTY_SECRETS)
def test_an_empty_secret_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: list[str], environment: dict[str, str], what: str
) -> None:
    """The server refuses an empty secret; the message names its place."""
    empty = tmp_path / "empty"
    empty.write_text("\n")
    monkeypatch.setenv("EMPTY", "")

    with pytest.raises(StartupError) as refused:
        settled([flag.format(empty=empty) for flag in flags], environment)

    assert str(refused.value) == f"{what.format(empty=empty)} is empty; put a secret there, or leave the setting out"


def test_an_empty_secret_in_the_file_is_refused(tmp_path: Path) -> None:
    """The server also refuses an empty secret in the configuration file."""
    file = tmp_path / "wheelgate.toml"
    file.write_text('root-passwd = ""')

    with pytest.raises(StartupError, match=r": root-passwd: the value is empty; put a secret there, or leave"):
        settled(file=file)


def test_the_secret_file_needs_a_name() -> None:
    """An empty ``--secretfile`` is not the file in the server's folder."""
    with pytest.raises(StartupError, match=r"^--secretfile: expected the path of a file, not ''$"):
        settled(["--secretfile", ""])


@pytest.mark.parametrize("url", ["postgresql://wheelgate:@db.example/wheelgate", "postgres://w:@/name"])
def test_a_database_url_with_an_empty_password_is_refused(url: str) -> None:
    """A password that was left out of the URL by mistake is not the same as no password."""
    with pytest.raises(StartupError, match=r"^the URL of the PostgreSQL database has an empty password: put the"):
        Database(url)


def test_a_secret_that_cannot_be_read_is_not_shown() -> None:
    """No error message contains a secret, not even an invalid one."""

    def picky(text: str) -> Any:
        raise ValueError("a key of 32 digits")

    option = Option("key", "a key", parse=picky, secret=True, metavar="KEY")

    with pytest.raises(StartupError) as refused:
        resolve([option], {"key": "swordfish"}, {})

    assert str(refused.value) == "--key: expected a key of 32 digits, not that"


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.0.2.1", False),
        ("packages.example", False),
        ("localhost.example", False),
    ],
)
def test_what_counts_as_loopback(host: str, loopback: bool) -> None:
    """Only loopback addresses and ``localhost`` count as loopback."""
    assert settled(["--host", host]).loopback is loopback
    assert settled(["--host", host, "--trusted-proxy", ""]).loopback is loopback
    assert not settled(["--host", host, "--trusted-proxy", "127.0.0.1"]).loopback
    assert settled(["--host", "127.0.0.1", "--host", host]).loopback is loopback
    assert not settled(["--host", host], {"DEVPISERVER_OUTSIDE_URL": "https://packages.example"}).loopback


@pytest.mark.parametrize(
    ("flags", "environment", "repeated"),
    [
        ([], {}, ""),
        (["--port", "80"], {}, ""),
        (["--serverdir", "/srv/a b"], {}, " --serverdir '/srv/a b'"),
        ([], {"DEVPISERVER_SERVERDIR": "/srv/a"}, " --serverdir /srv/a"),
        (["--config", "{file}"], {}, " --config {file}"),
        ([], {"DEVPISERVER_CONFIG": "{file}"}, " --config {file}"),
        (["--config", "{file}", "--serverdir", "/srv/a"], {}, " --config {file} --serverdir /srv/a"),
        (["--database", "postgresql://u:swordfish@h/n"], {}, " --database URL"),
        (["--secretfile", "/srv/a b"], {}, " --secretfile '/srv/a b'"),
    ],
    ids=[
        *("defaults", "another option", "folder", "folder by variable", "file", "file by variable", "both", "database"),
        "secret",
    ],
)
def test_a_command_for_the_same_server(
    tmp_path: Path, flags: list[str], environment: dict[str, str], repeated: str
) -> None:
    """A hint repeats the options that locate the server, quoted for a shell and without secrets."""
    file = tmp_path / "wheelgate.toml"
    file.write_text('serverdir = "/srv/of-the-file"')
    given = [each.format(file=file) for each in flags]
    variables = {name: text.format(file=file) for name, text in environment.items()}

    line = settled(given, variables).command("passwd", "root")

    assert line == "devpi-server passwd root" + repeated.format(file=file)


@pytest.mark.parametrize(
    ("flags", "environment", "repeated"),
    [
        (["--no-root-pypi"], {}, " --no-root-pypi"),
        (["--root-pypi"], {"DEVPISERVER_NO_ROOT_PYPI": "yes"}, " --root-pypi"),
        ([], {"DEVPISERVER_NO_ROOT_PYPI": "yes"}, " --no-root-pypi"),
        (["--root-pypi-url", "http://u:swordfish@127.0.0.1/simple/"], {}, " --root-pypi-url URL"),
        (["--root-passwd", "swordfish"], {}, ""),
    ],
    ids=["without root-pypi", "with root-pypi", "by variable", "another upstream", "password"],
)
def test_a_command_that_makes_the_server(flags: list[str], environment: dict[str, str], repeated: str) -> None:
    """Before the first start, a hint repeats the options that count only then; later it does not."""
    config = settled(flags, environment)

    assert config.command("passwd", "root", new=True) == f"devpi-server passwd root{repeated}"
    assert config.command("passwd", "root") == "devpi-server passwd root"


def test_folders_are_made_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A tilde means the home folder; without ``--secretfile``, the secret is in the server's folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    config = settled()

    assert config.serverdir == tmp_path / ".devpi" / "server"
    assert config.secret_path == tmp_path / ".devpi" / "server" / ".secret"
    assert config.database_url == f"sqlite:///{tmp_path}/.devpi/server/wheelgate.db"
    assert settled(["--secretfile", "~/secret"]).secret_path == tmp_path / "secret"
    assert settled(["--database", "postgresql://x"]).database_url == "postgresql://x"
