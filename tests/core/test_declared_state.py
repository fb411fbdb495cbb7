"""``devpi-server plan``, ``apply`` and ``export-state``: a file declares users, groups and indices."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from tests.helpers.commands import CHEAPLY, Outcome, Run, run  # noqa: F401 - a fixture
from tests.helpers.distributions import wheel
from tests.helpers.postgres import postgres_url  # noqa: F401 - a fixture
from tests.helpers.sites import BOTH_DATABASES, Serve
from tests.helpers.upload_forms import upload

from wheelgate.testing.server_process import clean_environment
from wheelgate.testing.site import Site

PASSWORD = "canary d'or"
URL_PASSWORD = "canary-of-the-mirror"
SECRET_URL = f"https://reader:{URL_PASSWORD}@mirror.example/simple/?key={URL_PASSWORD}"
HASH = "$argon2id$v=19$m=8,t=1,p=1$Y2FuYXJ5c2FsdA$Y2FuYXJ5aGFzaA"

STATE = """
    [users.alice]
    email = "alice@packages.example"
    password = "env:ALICE"
    custom_data = { team = "red", numbers = [1, 2.5, true] }
    [users."bob.x"]
    password = "file:{folder}/bob"
    [groups.outer]
    members = [":inner", "bob.x"]
    [groups.inner]
    title = "Inner"
    members = ["alice"]
    [indices."alice/dev"]
    bases = ["bob.x/base"]
    acl_upload = ["alice", ":outer"]
    [indices."bob.x/base"]
    bases = ["root/private"]
    [indices."root/private"]
    type = "mirror"
    mirror_url = "env:MIRROR"
"""


class Server:
    """A stopped or running server, and a state file beside it."""

    def __init__(self, run: Run, folder: Path, *options: str) -> None:  # noqa: F811
        self._run = run
        self.folder = folder
        self.file = folder.with_name("state.toml")
        self._options = options

    def write(self, text: str) -> None:
        """Write the file."""
        self.file.write_text(dedent(text).replace("{folder}", str(self.folder.parent)))

    def plan(self, *options: str) -> Outcome:
        """Plan the file."""
        return self._run("plan", *CHEAPLY, *self._options, "--serverdir", self.folder, self.file, *options)

    def apply(self, *options: str) -> Outcome:
        """Apply the file."""
        return self._run("apply", *CHEAPLY, *self._options, "--serverdir", self.folder, self.file, "--yes", *options)

    def export(self) -> Outcome:
        """Print the state of the server."""
        return self._run("export-state", *CHEAPLY, *self._options, "--serverdir", self.folder)


@pytest.fixture
def server(run: Run, template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:  # noqa: F811
    """Return a new server, and the secrets that its state file names."""
    monkeypatch.setenv("ALICE", PASSWORD)
    monkeypatch.setenv("MIRROR", SECRET_URL)
    (tmp_path / "bob").write_text(f"{PASSWORD} of bob\n")
    return Server(run, shutil.copytree(template, tmp_path / "server"))


def without_log(outcome: Outcome) -> str:
    """Return what a command printed besides its log."""
    return "\n".join(line for line in outcome.err.splitlines() if " wheelgate." not in line)


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


MISTAKES = {
    "no TOML": ("[users", "is not TOML"),
    "a table": ("[grops.x]", "unknown table [grops]; did you mean 'groups'?"),
    "a key of a user": ("[users.root]\nemial = 'swordfish'", "[users.root]: unknown key 'emial'"),
    "a key of a group": ("[groups.x]\nmember = ['swordfish']", "[groups.x]: unknown key 'member'"),
    "a key of an index": ('[indices."root/x"]\nbase = ["swordfish"]', "[indices.\"root/x\"]: unknown key 'base'"),
    "a value": ('[indices."root/x"]\nvolatile = "maybe"', "[indices.\"root/x\"]: Unknown boolean value 'maybe'."),
    "a date": ("[users.root]\ncustom_data = 2020-01-01", "[users.root]: custom_data must be text"),
    "a type": ('[indices."root/pypi"]\ntype = "stage"', "the 'type' of an index can't be changed"),
    "no such type": ('[indices."root/x"]\ntype = "swordfish"', '[indices."root/x"]: unknown type; the types are'),
    "a path": ("[indices.x]\nbases = []", '[indices.x]: an index is written "user/index", in quotes'),
    "an entry": ("[users]\nalice = 1", "[users.alice] must be a table"),
    "a member": ("[groups.x]\nmembers = ['nobody']", "[groups.x]: 'members' names the user 'nobody', who does not"),
    "a principal": ('[indices."root/x"]\nacl_upload = ["nobody"]', "'acl_upload' names the user 'nobody', who does"),
    "a base": ('[indices."root/x"]\nbases = ["root/none"]', "base index 'root/none' does not exist"),
    "an owner": ('[indices."nobody/x"]', "there is no user 'nobody'; declare the user, too"),
    "a name": ('[users."a b"]\npassword = "env:ALICE"', "[users."),
    "a lookalike": ('[users.ROOT]\npassword = "env:ALICE"', "looks like the existing user 'root'"),
    "no password": ("[users.alice]", "[users.alice]: a new user needs a password"),
    "a literal": ("[users.alice]\npassword = 'swordfish'", "[users.alice]: password: a secret does not belong into"),
    "no hash": ("[users.alice]\npassword = 'hash:swordfish'", "[users.alice]: password: after hash: comes the hash"),
    "no variable": ("[users.alice]\npassword = 'env:ABSENT'", "there is no environment variable ABSENT"),
    "no file": ("[users.alice]\npassword = 'file:/absent/file'", "cannot read /absent/file"),
    "a login": (
        '[indices."root/x"]\ntype = "mirror"\nmirror_url = "https://a:swordfish@b.example/"',
        "mirror_url: the URL has a login; write env:NAME or file:PATH",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES, ids=str)
def test_mistakes_are_found_by_plan(server: Server, mistake: str) -> None:
    """``plan`` and ``apply`` find the same mistakes, change nothing, name the entry, and quote no secret."""
    text, message = MISTAKES[mistake]
    server.write(f"{text}\n")
    before = server.export().out

    outcomes = [server.plan(), server.apply()]

    assert [outcome.code for outcome in outcomes] == [1, 1]
    assert without_log(outcomes[0]) == without_log(outcomes[1])
    assert message in without_log(outcomes[0])
    assert "swordfish" not in outcomes[0].err + outcomes[0].out
    assert server.export().out == before


def test_one_mistake_undoes_everything(server: Server) -> None:
    """If the last entry has a mistake, nothing of the file is applied."""
    server.write(f'{dedent(STATE)}\n[indices."root/last"]\nbases = ["root/none"]\n'.replace("{folder}", "{folder}"))
    before = server.export().out

    assert server.apply().code == 1

    assert server.export().out == before


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


def test_a_member_who_is_pruned_is_a_mistake(server: Server) -> None:
    """Who is deleted by the same file cannot be a member of a group that it declares."""
    server.write(STATE)
    assert server.apply().code == 0
    server.write("[users.root]\n[groups.inner]\nmembers = ['alice']\n[indices.'root/pypi']\n")

    outcome = server.plan("--prune-files")

    assert (outcome.code, "names the user 'alice', who does not exist" in outcome.err) == (1, True)


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


@pytest.mark.parametrize(
    ("restriction", "text", "options", "refused"),
    [
        (":inner", "[groups.inner]\nmembers = []", [], True),
        (":inner", "[groups]", ["--prune"], True),
        ("alice", "[users.root]", ["--prune-files"], True),
        (":inner,root", "[groups.inner]\nmembers = []", [], False),
        (":elsewhere", "[groups.inner]\nmembers = []", [], False),
    ],
)
def test_nobody_is_locked_out(
    run: Run,  # noqa: F811
    server: Server,
    restriction: str,
    text: str,
    options: list[str],
    refused: bool,
) -> None:
    """A file that leaves nobody who can administer the server is refused, unless there was nobody before."""
    server.write(STATE)
    assert server.apply().code == 0
    restricted = Server(run, server.folder, "--restrict-modify", restriction)
    restricted.write(f"{text}\n")

    outcomes = [restricted.plan(*options), restricted.apply(*options)]

    assert [outcome.code for outcome in outcomes] == ([1, 1] if refused else [3, 0])
    message = "nobody could administer the server after that; nothing was changed"
    assert [message in outcome.err for outcome in outcomes] == [refused] * 2


def test_no_output_has_a_secret(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a plan, an export, a log nor a refusal quotes a password, a hash, or the login of a URL."""
    said = []
    server.write(f'{dedent(STATE)}[users.carol]\npassword = "hash:{HASH}"\n')
    said += [server.plan(), server.apply(), server.apply("--reset-passwords"), server.export()]
    for url in ("not a URL: swordfish", f"{SECRET_URL}x", f"ftp://reader:{URL_PASSWORD}@mirror.example/"):
        monkeypatch.setenv("MIRROR", url)
        said += [server.plan(), server.apply()]
    monkeypatch.setenv("ALICE", f"{PASSWORD}\n" * 2000)
    said += [server.plan("--reset-passwords")]

    text = "".join(outcome.out + outcome.err for outcome in said)
    for secret in (PASSWORD, URL_PASSWORD, HASH, "swordfish", SECRET_URL):
        assert secret not in text
        assert repr(secret)[1:-1] not in text


def test_values_that_toml_lacks_are_left_out(server: Server) -> None:
    """A value with null is left out of the export, which says so, and a plan leaves it alone."""
    with Site(server.folder) as site:
        root = site.login("root", "")
        assert site.request("PATCH", "/root", {"custom_data": {"a": None}}, auth=root).status == 200

    exported = server.export()
    server.file.write_text(exported.out)

    assert "[users.root]: custom_data is left out, because TOML has no null" in exported.err
    assert server.plan().out == "no changes\n"


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
