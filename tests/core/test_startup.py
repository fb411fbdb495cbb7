"""The preparation of a server: folder, lock, secret and root's password."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from tests.helpers.sites import Serve

from wheelgate import hookimpl
from wheelgate.config import resolve
from wheelgate.core_options import CORE_OPTIONS
from wheelgate.errors import StartupError
from wheelgate.plugin_host.discovery import InstalledPlugin, Plugins
from wheelgate.process.master import GunicornMaster
from wheelgate.process.startup import lock_folder, prepare_server, rehearse
from wheelgate.secret_file import make_secret
from wheelgate.testing.site import CHEAP_HASHING_SETTINGS, Site, registered_plugins

ROOT = ("root", "")
STRONG = "".join(chr(48 + number) for number in range(48))


def prepare(folder: Path, **options: object) -> None:
    """Do what ``devpi-server`` does before it listens."""
    plugins = registered_plugins()
    known = [*CORE_OPTIONS, *(option for _, option in plugins.options())]
    flags = {name.replace("_", "-"): value for name, value in options.items()}
    prepare_server(resolve(known, {"serverdir": str(folder), **CHEAP_HASHING_SETTINGS, **flags}, {}), plugins)


def mode(path: Path) -> int:
    """Return the permission bits of a file."""
    return path.stat().st_mode & 0o777


def test_what_a_first_start_leaves_is_the_owners_alone(tmp_path: Path) -> None:
    """Folder, secret and database are readable by their owner only, whatever the umask."""
    folder = tmp_path / "deep" / "server"
    before = os.umask(0)
    try:
        prepare(folder)
    finally:
        os.umask(before)

    assert mode(folder) == 0o700
    assert {name.name: oct(mode(name)) for name in folder.iterdir() if mode(name) & 0o077} == {}
    assert (folder / ".secret").stat().st_size >= 48
    assert (folder / "wheelgate.db").stat().st_size > 0


def test_a_second_start_finds_all_as_it_was(tmp_path: Path) -> None:
    """A second preparation keeps the secret and the UUID."""
    prepare(tmp_path / "server")
    secret = (tmp_path / "server" / ".secret").read_bytes()
    with Site(tmp_path / "server") as site:
        uuid = site.request("GET", "/").headers["x-devpi-uuid"]

    prepare(tmp_path / "server")

    assert (tmp_path / "server" / ".secret").read_bytes() == secret
    with Site(tmp_path / "server") as site:
        assert site.request("GET", "/").headers["x-devpi-uuid"] == uuid


@pytest.mark.parametrize(
    ("content", "permissions", "given", "sentence"),
    [
        pytest.param("short", 0o600, False, "the secret in {} is too weak: remove it; all logins then end", id="short"),
        pytest.param(
            "ab" * 30, 0o600, False, "the secret in {} is too weak: remove it; all logins then end", id="same"
        ),
        pytest.param("", 0o600, True, "the secret in {} is too weak: write 48 random characters into it", id="empty"),
        pytest.param(STRONG, 0o640, False, "others can read the secret file {}; run: chmod 600 {}", id="group"),
        pytest.param(STRONG, 0o604, True, "others can read the secret file {}; run: chmod 600 {}", id="others"),
    ],
)
def test_a_bad_secret_stops_the_start(
    tmp_path: Path, content: str, permissions: int, given: bool, sentence: str
) -> None:
    """A secret that is weak, or that others can read, is refused with a message that says what to do."""
    path = tmp_path / "secret"
    path.write_text(content)
    path.chmod(permissions)

    with pytest.raises(StartupError) as refused:
        make_secret(path, given=given)

    assert str(refused.value) == sentence.format(path, path)
    assert path.read_text() == content


def test_a_secret_that_cannot_be_made_stops_the_start(tmp_path: Path) -> None:
    """If the secret cannot be written, the message has its path."""
    (tmp_path / "file").touch()

    with pytest.raises(StartupError, match=r"^cannot use the secret file .*/file/secret: Not a directory$"):
        make_secret(tmp_path / "file" / "secret", given=True)


def test_a_folder_that_cannot_be_made_stops_the_start(tmp_path: Path) -> None:
    """A folder below a file is refused."""
    (tmp_path / "file").touch()

    with pytest.raises(StartupError, match=r"^--serverdir: cannot use .*/file/server: Not a directory$"):
        prepare(tmp_path / "file" / "server")


def test_an_access_log_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    """An access log that cannot be written is reported before the server starts."""
    with pytest.raises(StartupError, match=r"^--access-log: cannot write .*/none/log: No such file or directory$"):
        prepare(tmp_path / "server", access_log=str(tmp_path / "none" / "log"))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"no_root_pypi": True}, "there is an index root/pypi, because --no-root-pypi counts at the first start only"),
        ({"root_pypi_url": "http://127.0.0.1:9/other/"}, "root/pypi mirrors another URL than that of --root-pypi-url"),
        ({"root_pypi_url": "http://127.0.0.1:9/simple/"}, None),
        ({}, None),
    ],
)
def test_settings_of_the_first_start_that_come_too_late(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, settings: dict[str, Any], sentence: str | None
) -> None:
    """A start with other settings for ``root/pypi`` than the first warns that they do nothing."""
    with Site(tmp_path / "server", no_root_pypi=False, root_pypi_url="http://127.0.0.1:9/simple/"):
        assert "root/pypi" not in caplog.text
    with Site(tmp_path / "server", **{"no_root_pypi": False, **settings}):
        pass

    assert (sentence or "") in caplog.text
    assert ("root/pypi" in caplog.text) == (sentence is not None)
    assert "127.0.0.1:9" not in caplog.text


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Make a folder below one that all users can enter, unlike pytest's own."""
    with TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.parametrize(
    ("permissions", "of_folder"), [(0o600, 0o755), (0o640, 0o755), (0o644, 0o755), (0o644, 0o750)], ids=oct
)
@pytest.mark.parametrize("place", ["file", "settings", "file of settings", "environment of settings"])
def test_a_secret_that_everybody_can_read(
    open_folder: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    permissions: int,
    of_folder: int,
) -> None:
    """The start warns of it, with the setting, the file and the command that helps, but without the secret."""
    monkeypatch.setenv("THE_SECRET", "swordfish")
    secret, settings = open_folder / "secret", open_folder / "wheelgate.toml"
    secret.write_text("swordfish")
    value = {"settings": "swordfish", "environment of settings": "env:THE_SECRET"}.get(place, f"file:{secret}")
    settings.write_text(f'root-passwd = "{value}"\nport = 4000\n')
    options: dict[str, Any] = {"root_passwd": value} if place == "file" else {"config": str(settings)}
    for path in (secret, settings):
        path.chmod(permissions)
    open_folder.chmod(of_folder)
    with Site(tmp_path / "server", **options):
        pass

    open_file = {"file": secret, "file of settings": secret, "settings": settings}.get(place)
    where = "--root-passwd" if place == "file" else f"{settings}: root-passwd"
    warning = f"{where}: every user of this machine can read the secret in {open_file}; run: chmod o-r {open_file}"
    warned = (permissions, of_folder) == (0o644, 0o755) and open_file is not None
    assert (warning in caplog.messages) == warned
    assert ("every user" in caplog.text) == warned
    assert "swordfish" not in caplog.text


def test_a_file_in_place_of_the_folder_stops_the_start(tmp_path: Path) -> None:
    """The message says that ``--serverdir`` names a file."""
    (tmp_path / "file").touch()

    with pytest.raises(StartupError, match=r"^--serverdir: cannot use .*/file: it is not a folder; name the server's"):
        prepare(tmp_path / "file")


def test_a_password_of_root_counts_at_the_first_start_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Later starts say that they ignore ``--root-passwd``, and which command changes the password."""
    caplog.set_level("INFO")
    with Site(tmp_path / "server", root_passwd="first one") as site:
        assert site.request("GET", "/root", auth=("root", "first one")).status == 200
    assert "counts at the first start only" not in caplog.text

    with Site(tmp_path / "server", root_passwd="second one") as site:
        assert site.request("GET", "/root", auth=("root", "first one")).status == 200
    assert f"counts at the first start only; 'devpi-server passwd root --serverdir {tmp_path}" in caplog.text
    assert "second one" not in caplog.text


@pytest.mark.slow
def test_two_servers_cannot_have_one_folder(tmp_path: Path) -> None:
    """The second server is refused after a short wait; when the first has ended, the folder is free."""
    first = lock_folder(tmp_path)

    with pytest.raises(StartupError) as refused:
        lock_folder(tmp_path)

    assert str(refused.value) == f"another server uses {tmp_path}; stop it, or start this one with another --serverdir"
    os.close(first)
    os.close(lock_folder(tmp_path))
    assert mode(tmp_path / ".lock") == 0o600


EXPOSED = [
    pytest.param({"host": "0.0.0.0"}, "--host 0.0.0.0", id="IPv4"),
    pytest.param({"host": "::"}, "--host ::", id="IPv6"),
    pytest.param({"host": "192.0.2.1"}, "--host 192.0.2.1", id="address"),
    pytest.param({"host": "packages.example"}, "--host packages.example", id="name"),
    pytest.param({"outside_url": "https://packages.example"}, "--outside-url", id="outside-url"),
    pytest.param({"outside_url": "http://localhost:8080/sub"}, "--outside-url", id="outside-url of this machine"),
    pytest.param({"host": "127.0.0.1", "trusted_proxy": ["127.0.0.1"]}, "--trusted-proxy", id="trusted-proxy"),
    pytest.param({"host": "::1", "remote_user_from": ["::1"]}, "--remote-user-from", id="proxy that logs users in"),
]


@pytest.mark.parametrize(("options", "by"), EXPOSED)
def test_root_needs_a_password_where_others_could_be_root(tmp_path: Path, options: dict[str, Any], by: str) -> None:
    """A server that other machines can reach, also by a proxy, never starts with an empty root password."""
    new, old = tmp_path / "new server", tmp_path / "old"
    with pytest.raises(StartupError) as first:
        Site(new, **options)
    assert str(first.value) == (
        f"root has no password yet, and {by} lets other machines reach the server; set one with "
        f"'devpi-server passwd root --serverdir '{new}' --root-pypi-url URL', or give --root-passwd at the first start"
    )
    with Site(old):
        pass

    with pytest.raises(StartupError) as later:
        Site(old, **options)

    assert str(later.value) == (
        f"root has an empty password, and {by} lets other machines reach the server; set one with "
        f"'devpi-server passwd root --serverdir {old}'"
    )


@pytest.mark.parametrize(
    ("options", "by"),
    [EXPOSED[0], *(pytest.param(*each.values, id=each.id, marks=pytest.mark.slow) for each in EXPOSED[1:])],
)
def test_a_reload_opens_no_server_without_a_password(tmp_path: Path, options: dict[str, Any], by: str) -> None:
    """A running server whose root has no password keeps its old settings if the new ones let other machines in."""
    prepare(tmp_path / "server")
    plugins = registered_plugins()
    known = [*CORE_OPTIONS, *(option for _, option in plugins.options())]
    flags = {name.replace("_", "-"): value for name, value in options.items()}
    settings = resolve(known, {"serverdir": str(tmp_path / "server"), **CHEAP_HASHING_SETTINGS, **flags}, {})

    with pytest.raises(StartupError, match=f"^root has an empty password, and {by} lets other machines reach"):
        rehearse(settings, plugins)


def test_the_first_password_of_root_comes_from_the_settings(tmp_path: Path) -> None:
    """``--root-passwd`` sets the password at the first start, and changes nothing later."""
    with Site(tmp_path / "server", host="0.0.0.0", root_passwd="correct horse") as site:
        assert site.login("root", "correct horse")
        assert site.request("POST", "/+login", {"user": "root", "password": ""}).status == 401
    with Site(tmp_path / "server", root_passwd="another") as site:
        assert site.login("root", "correct horse")


def test_an_empty_root_password_is_loud(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """As long as root has an empty password, every start logs a warning."""
    with Site(tmp_path / "server"):
        pass
    assert "root has an EMPTY password" in caplog.text
    caplog.clear()

    with Site(tmp_path / "other", root_passwd="correct horse"):
        pass

    assert "EMPTY" not in caplog.text


def test_a_password_needs_somebody_who_keeps_it(tmp_path: Path) -> None:
    """Without a password hasher ``--root-passwd`` is refused at the first start."""
    with pytest.raises(StartupError, match=r"^--root-passwd: no plugin of this server keeps passwords$"):
        Site(tmp_path / "server", root_passwd="correct horse", no_plugin=["auth_basic"])


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"auth_order": "nobody"}, "--auth-order: there is no 'nobody'"),
        (
            {"database": "mysql://x"},
            "--database: the URL must begin with sqlite:/// or postgresql://, not with 'mysql'",
        ),
        ({"files_endpoint": "https://objects.example"}, "--files-endpoint is given, but no --files"),
        ({"remote_user_groups_header": "x-groups"}, "--remote-user-groups-header is given, but no --remote-user-from"),
    ],
    ids=["a sentence", "a database", "an endpoint without a bucket", "a header without a proxy"],
)
def test_what_fails_while_preparing_is_said_in_its_words(
    tmp_path: Path, options: dict[str, object], sentence: str
) -> None:
    """The preparation runs in a child process; its error message reaches the parent."""
    with pytest.raises(StartupError) as refused:
        prepare(tmp_path / "server", **options)

    assert str(refused.value).startswith(sentence)


def test_a_fault_while_wiring_says_where_and_no_value(serve: Serve) -> None:
    """An unexpected exception becomes a message without its text, which may hold a secret."""

    class Broken:
        @hookimpl
        def wheelgate_group_sources(self) -> object:
            return [Nameless()]

    class Nameless:
        @property
        def name(self) -> str:
            raise LookupError("swordfish")

    config = serve().config
    found = InstalledPlugin("broken", "tests", "1", blocked=False, plugin=Broken())

    with pytest.raises(StartupError) as refused:
        rehearse(config, Plugins([*registered_plugins().found, found]))

    assert str(refused.value).startswith("the server could not be prepared: LookupError at test_startup.py:")
    assert "swordfish" not in str(refused.value)


def test_wiring_that_succeeds_leaves_nothing_behind(serve: Serve) -> None:
    """A rehearsal makes an application and closes it; the application that serves does not notice."""
    site = serve()

    rehearse(site.config, registered_plugins())

    assert site.request("GET", "/").status == 200


@pytest.mark.parametrize(("key", "value"), [("serverdir", "elsewhere"), ("host", "127.0.0.2"), ("port", "4321")])
def test_a_reload_does_not_move_a_server(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, key: str, value: str
) -> None:
    """A reload that changes the folder, the address or the port is refused, and the log says why."""
    prepare(tmp_path / "server")
    plugins = registered_plugins()
    known = [*CORE_OPTIONS, *(option for _, option in plugins.options())]
    flags = {"serverdir": str(tmp_path / "server"), "port": "1234", **CHEAP_HASHING_SETTINGS}
    settings = iter([resolve(known, flags, {}), resolve(known, {**flags, key: value}, {})])
    server = GunicornMaster(lambda: (next(settings), plugins), -1, ())
    before = server.cfg.bind

    server.reload()

    assert server.cfg.bind == before
    assert f"'{key}' cannot change while the server runs; stop the server and start it again" in caplog.text
