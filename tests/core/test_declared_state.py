"""``devpi-server plan``, ``apply`` and ``export-state``: a file declares users, groups and indices."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.commands import CHEAPLY, Run, run  # noqa: F401 - a fixture
from tests.helpers.distributions import wheel
from tests.helpers.postgres import postgres_url  # noqa: F401 - a fixture
from tests.helpers.sites import BOTH_DATABASES, Serve
from tests.helpers.state_files import HASH, PASSWORD, SECRET_URL, STATE, Server
from tests.helpers.upload_forms import upload

from wheelgate.testing.server_process import clean_environment
from wheelgate.testing.site import Site


def test_a_state_is_planned_applied_and_exported(server: Server, serve: Serve) -> None:
    """A file creates users, groups and indices in an order that fits; applied, planned and exported it is no change."""
    server.write(STATE)
    before = server.export().out

    planned = server.plan()
    unchanged = server.export().out
    applied = server.apply()
    again = [server.plan(), server.apply()]
    exported = server.export()
    server.file.write_text(exported.out)
    declared = server.plan("--prune")

    assert (planned.code, applied.code, unchanged) == (3, 0, before)
    heads = [line for line in planned.out.splitlines() if not line.startswith("    ")]
    assert heads == [
        "+ create user alice",
        "+ create user bob.x",
        "+ create group inner",
        "+ create group outer",
        "+ create index root/private",
        "+ create index bob.x/base",
        "+ create index alice/dev",
        "7 to create, 0 to modify, 0 to delete",
    ]
    assert applied.out == f"{planned.out}applied\n"
    assert [(outcome.code, outcome.out) for outcome in again] == [(0, "no changes\n")] * 2
    assert (exported.code, declared.code, declared.out) == (0, 0, "no changes\n")
    site = serve("server")
    assert site.login("alice", PASSWORD)
    assert site.login("bob.x", f"{PASSWORD} of bob")
    assert site.request("GET", "/alice/dev").result["bases"] == ["bob.x/base"]
    assert site.server.indices.get("root", "private").config["mirror_url"] == SECRET_URL  # type: ignore[union-attr]


@pytest.mark.parametrize("database", BOTH_DATABASES)
def test_a_state_is_applied_beside_a_running_server(
    request: pytest.FixtureRequest,
    run: Run,  # noqa: F811
    server: Server,
    tmp_path: Path,
    database: str,
) -> None:
    """A running server shows what was applied at the next request; a plan does not touch its serial."""
    options: dict[str, Any] = {}
    if database == "postgresql":
        options = {"database": request.getfixturevalue("postgres_url")}
        server = Server(run, tmp_path / "server", "--database", options["database"])
    server.write(STATE)
    with Site(server.folder, **options) as site:
        serials = [site.request("GET", "/").headers["x-devpi-serial"]]
        assert server.plan().code == 3
        serials.append(site.request("GET", "/").headers["x-devpi-serial"])
        assert set(site.request("GET", "/").result) == {"root"}

        assert server.apply().code == 0

        assert set(site.request("GET", "/").result) == {"root", "alice", "bob.x"}
        alice = site.login("alice", PASSWORD)
        assert upload(site, "alice/dev", wheel("abc"), alice).status == 200
    assert serials[0] == serials[1]


def test_changes_are_shown_with_from_and_to(server: Server) -> None:
    """What is absent is left alone; a change shows the value before and after, and never a secret."""
    server.write(STATE)
    assert server.apply().code == 0
    server.write("""
        [users.alice]
        email = "new@packages.example"
        [groups.inner]
        members = ["alice", "bob.x"]
        [indices."alice/dev"]
        acl_upload = ["alice"]
        volatile = false
        [indices."root/private"]
        mirror_url = "https://other.example/simple/"
    """)

    planned = server.plan()

    assert planned.code == 3
    assert planned.out.splitlines() == [
        "~ modify user alice",
        '    email: "alice@packages.example" -> "new@packages.example"',
        "~ modify group inner",
        '    members: ["alice"] -> ["alice", "bob.x"]',
        "~ modify index alice/dev",
        "    volatile: true -> false",
        '    acl_upload: ["alice", ":outer"] -> ["alice"]',
        "~ modify index root/private",
        '    mirror_url: "https://reader:***@mirror.example/simple/?***" -> "https://other.example/simple/"',
        "0 to create, 4 to modify, 0 to delete",
    ]
    assert server.apply().code == 0
    assert server.plan().out == "no changes\n"


def test_bases_can_change_places(server: Server) -> None:
    """Two indices whose bases change places are changed in an order without a cycle."""
    server.write('[indices."root/a"]\n[indices."root/b"]\nbases = ["root/a"]\n')
    assert server.apply().code == 0
    server.write('[indices."root/a"]\nbases = ["root/b"]\n[indices."root/b"]\nbases = []\n')

    assert server.apply().code == 0

    server.write('[indices."root/a"]\nbases = ["root/b"]\n[indices."root/b"]\nbases = ["root/a"]\n')
    assert "the bases would form a cycle" in server.plan().err


def test_a_password_is_set_once(server: Server, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password of an existing user changes only with ``--reset-passwords``; a hash is stored as it is."""
    server.write(STATE)
    assert server.apply().code == 0
    server.write(f'[users.alice]\npassword = "env:NEW"\n[users.carol]\npassword = "hash:{HASH}"\n')
    monkeypatch.setenv("NEW", "another password")

    kept = server.apply()
    planned = server.plan("--reset-passwords")
    reset = server.apply("--reset-passwords")

    site = serve("server")
    assert "alice" not in kept.out
    assert planned.out.splitlines() == [
        "~ modify user alice",
        '    password: "(secret)" -> "(secret) a new one"',
        "0 to create, 1 to modify, 0 to delete",
    ]
    assert reset.out == f"{planned.out}applied\n"
    assert site.server.users.password_hash("carol") == HASH
    assert site.login("alice", "another password")


def test_prune_deletes_what_is_absent(server: Server, serve: Serve) -> None:
    """Only with ``--prune`` a table deletes what it leaves out, and packages only with ``--prune-files``."""
    server.write(STATE)
    assert server.apply().code == 0
    site = serve("server")
    assert upload(site, "alice/dev", wheel("abc"), site.login("alice", PASSWORD)).status == 200
    server.write('[users."bob.x"]\n[groups.inner]\n[indices."root/private"]\n[indices."root/pypi"]\n')

    left = server.plan()
    refused = server.plan("--prune")
    planned = server.plan("--prune-files")
    applied = server.apply("--prune-files")

    assert (left.code, left.out) == (0, "no changes\n")
    assert refused.code == 1
    assert "the index alice/dev holds packages, or may; declare it, or add --prune-files" in refused.err
    assert planned.out.splitlines() == [
        "- delete index alice/dev",
        "- delete index bob.x/base",
        "- delete group outer",
        "- delete user alice",
        "0 to create, 0 to modify, 4 to delete",
    ]
    assert (applied.code, server.plan("--prune").out) == (0, "no changes\n")
    assert set(site.request("GET", "/").result) == {"root", "bob.x"}
    assert not [path for path in (server.folder / "files" / "sha256").rglob("*") if path.is_file()]


def test_users_of_a_table_that_is_absent_are_kept(server: Server) -> None:
    """``--prune`` leaves alone the tables that the file does not have; a user with packages needs ``--prune-files``."""
    server.write(STATE)
    assert server.apply().code == 0
    with Site(server.folder) as site:
        assert upload(site, "alice/dev", wheel("abc"), site.login("alice", PASSWORD)).status == 200

    server.write("[groups]\n")
    groups = server.plan("--prune")
    server.write("[users.root]\n")
    users = server.plan("--prune")

    assert [line for line in groups.out.splitlines() if line.startswith("-")] == [
        "- delete group inner",
        "- delete group outer",
    ]
    assert users.code == 1
    assert "the index alice/dev holds packages" in users.err


def test_values_that_toml_lacks_are_left_out(server: Server) -> None:
    """A value with null is left out of the export, which says so, and a plan leaves it alone."""
    with Site(server.folder) as site:
        root = site.login("root", "")
        assert site.request("PATCH", "/root", {"custom_data": {"a": None}}, auth=root).status == 200

    exported = server.export()
    server.file.write_text(exported.out)

    assert "[users.root]: custom_data is left out, because TOML has no null" in exported.err
    assert server.plan().out == "no changes\n"


def test_every_text_comes_back(server: Server) -> None:
    """Texts with quotes, line breaks and control characters, and odd names, are exported as what they are."""
    texts = [
        "'\"",
        "a\nb\r\n\tc",
        "\x1b[31m\x7f",
        "\\u0041 \\",
        "\u2028\u202e\ufeff",
        "\U0001d518\U0001d52b",
        "[users.x]",
        "#",
        "'''\n\"\"\"",
    ]
    with Site(server.folder) as site:
        root = site.login("root", "")
        for number, text in enumerate(texts):
            user = {"password": "1234", "title": text, "custom_data": {text: [text, 1.5, -1, True, {}, []]}}
            assert site.request("PUT", f"/üser.{number}", user, auth=root).status == 201
            index = {"title": text, "acl_upload": [f":{text.split()[0]}"]}
            assert site.request("PUT", f"/üser.{number}/dev", index, auth=root).status == 200

    exported = server.export()
    server.file.write_text(exported.out)
    planned = server.plan("--prune")

    assert (exported.code, planned.code, planned.out) == (0, 0, "no changes\n")
    assert not [character for character in exported.out if character < " " and character != "\n"]


def test_a_question_is_asked_without_yes(run: Run, server: Server) -> None:  # noqa: F811
    """Without a terminal ``apply`` needs ``--yes``; it has shown the changes, and makes none."""
    server.write("[groups.inner]\n")

    outcome = run("apply", *CHEAPLY, "--serverdir", server.folder, server.file)

    assert (outcome.code, outcome.out.splitlines()[0]) == (1, "+ create group inner")
    assert "there is no terminal to ask at; apply with --yes; nothing was changed" in outcome.err
    assert server.plan().code == 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changed", "answer", "code", "end"),
    [
        (False, "yes", 0, "applied"),
        (False, "no", 1, "devpi-server: nothing was changed"),
        (True, "yes", 1, "the server has changed in the meantime, so nothing was applied; run the command again"),
    ],
)
def test_a_question_is_answered(server: Server, changed: bool, answer: str, code: int, end: str) -> None:
    """At a terminal ``apply`` shows the changes and asks; it makes exactly these changes, or none."""
    server.write("[groups.inner]\n[groups.outer]\n")
    program = str(Path(sys.executable).with_name("devpi-server"))
    command = [program, "apply", "--serverdir", str(server.folder), str(server.file)]
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=clean_environment()) as process:
        os.close(theirs)
        screen = b""
        while not screen.endswith(b"apply these changes? (yes/no) "):
            screen += os.read(ours, 1000)
        if changed:
            server.write("[groups.inner]\n")
            assert server.apply().code == 0
        os.write(ours, f"{answer}\n".encode())
        with suppress(OSError):  # Linux reports the end of a terminal as an error
            while more := os.read(ours, 1000):
                screen += more
    os.close(ours)

    assert process.returncode == code
    assert end in screen.decode()
    with Site(server.folder, prepared=True) as site:
        groups = site.request("GET", "/+x/groups/", auth=site.login("root", "")).result
    assert set(groups) == ({"inner", "outer"} if code == 0 else {"inner"} if changed else set())


def test_what_was_applied_is_recorded(server: Server) -> None:
    """The log has one line about the whole, and one about each change."""
    server.write("[groups.inner]\ntitle = 'Inner'\n[users.root]\ntitle = 'Boss'\n")

    applied, again = server.apply(), server.apply()

    lines = [line.partition(" wheelgate.commands: ")[2] for line in applied.err.splitlines()]
    assert [line for line in lines if line] == [
        f'server.apply {server.file} {{"changes": 2}}',
        'user.modify root {"parent": "server.apply"}',
        'group.create inner {"parent": "server.apply"}',
    ]
    assert "server.apply" not in again.err
