"""What ``devpi-server plan`` and ``apply`` refuse, and what no output of them shows."""

from __future__ import annotations

from textwrap import dedent

import pytest
from tests.helpers.commands import Outcome, Run, run  # noqa: F401 - a fixture
from tests.helpers.state_files import (
    HASH,
    PASSWORD,
    SECRET_URL,
    STATE,
    URL_PASSWORD,
    Server,
)


def without_log(outcome: Outcome) -> str:
    """Return what a command printed besides its log."""
    return "\n".join(line for line in outcome.err.splitlines() if " wheelgate." not in line)


MISTAKES = {
    "no TOML": ("[users", "is not TOML"),
    "a table": ("[grops.x]", "unknown table [grops]; did you mean 'groups'?"),
    "a key of a user": ("[users.root]\nemial = 'swordfish'", "[users.root]: unknown key 'emial'"),
    "a key of a group": ("[groups.x]\nmember = ['swordfish']", "[groups.x]: unknown key 'member'"),
    "a key of an index": ('[indices."root/x"]\nbase = ["swordfish"]', "[indices.\"root/x\"]: unknown key 'base'"),
    "a value": ('[indices."root/x"]\nvolatile = "maybe"', "[indices.\"root/x\"]: Unknown boolean value 'maybe'."),
    "a date": ("[users.root]\ncustom_data = 2020-01-01", "[users.root]: custom_data must be text"),
    "NUL": ('[groups.x]\ntitle = "a\\u0000"', "[groups.x]: title contains a character that is not valid in text (NUL)"),
    "a large number": (f"[users.root]\ncustom_data = {2**63}", "[users.root]: custom_data contains a number outside"),
    "no number": ("[users.root]\ncustom_data = nan", "[users.root]: custom_data contains a number outside the range"),
    "a deep value": (f"[users.root]\ncustom_data = {'[' * 40}{']' * 40}", "is nested deeper than 32 levels"),
    "a deeper value": (f"[users.root]\ncustom_data = {'[' * 9999}{']' * 9999}", "is nested too deeply"),
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


def test_a_member_who_is_pruned_is_a_mistake(server: Server) -> None:
    """Who is deleted by the same file cannot be a member of a group that it declares."""
    server.write(STATE)
    assert server.apply().code == 0
    server.write("[users.root]\n[groups.inner]\nmembers = ['alice']\n[indices.'root/pypi']\n")

    outcome = server.plan("--prune-files")

    assert (outcome.code, "names the user 'alice', who does not exist" in outcome.err) == (1, True)


@pytest.mark.parametrize(
    ("restriction", "text", "options", "refused"),
    [
        ("modify=:inner", "[groups.inner]\nmembers = []", [], True),
        ("modify=:inner", "[groups]", ["--prune"], True),
        ("modify=alice", "[users.root]", ["--prune-files"], True),
        ("users=alice", "[users.root]", ["--prune-files"], True),
        ("users=:inner", "[groups.inner]\nmembers = []", [], True),
        ("modify=:inner,root", "[groups.inner]\nmembers = []", [], False),
        ("modify=:elsewhere", "[groups.inner]\nmembers = []", [], False),
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
    restricted = Server(run, server.folder, f"--restrict-{restriction}")
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
