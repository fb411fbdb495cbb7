"""``devpi token``, and ``DEVPI_TOKEN`` in the place of a login."""

from __future__ import annotations

import json
import re
import time

import pytest
from tests.client.conftest import Account, Answer
from tests.helpers.distributions import wheel

from wheelgate_client.server import api_tokens as tokens

TOKEN = re.compile(r"wgt_[A-Za-z0-9._-]{80,}\n")


def create(member: Account, *arguments: str) -> str:
    """Create a token and return it."""
    made = member.devpi("token", "create", *arguments)
    assert made.code == 0, made
    assert TOKEN.fullmatch(made.out), made
    return made.out.strip()


@pytest.mark.slow
def test_a_token_from_its_creation_to_its_end(member):
    """The token alone is on standard output; its list entry, its inspection and its end go by the ID."""
    made = member.devpi("token", "create", "--scope", "upload,read", "--index", "prod", "--project", "My_Pkg")
    token = made.out.strip()
    identifier = tokens.read(token).id

    said = f"read,upload on {member.name}/prod project my-pkg until "
    assert made.err.splitlines()[0].startswith(f"token {identifier} of {member.name}: {said}")
    assert made.err.splitlines()[1] == "it is shown this once, and stored nowhere:"
    listed = member.devpi("token", "list").ok().out
    assert listed.startswith(f"{identifier}: {said}")
    assert listed.endswith("; last used never\n")
    shown = member.devpi("token", "inspect", identifier).ok().out.splitlines()
    assert shown[0] == f"{identifier}:"
    assert {"  scopes=read,upload", f"  indices={member.name}/prod", "  projects=my-pkg"} <= set(shown)
    gone = member.devpi("token", "revoke", identifier).ok().out
    assert gone == f"token {identifier} revoked, and all that was derived from it\n"
    assert member.devpi("token", "list").ok().out == ""
    assert "you have no token" in member.devpi("token", "revoke", identifier).fails().err
    state = [path.read_text() for path in member.devpi.clientdir.iterdir() if path.is_file()]
    assert not [text for text in state if "wgt_" in text]


@pytest.mark.slow
def test_a_comment_and_a_time_are_kept(member):
    """``--expires`` counts from now; a revoked token can be given whole."""
    token = create(member, "--scope", "read", "--expires", "2h", "--comment", "CI of web")

    assert member.devpi("token", "list").ok().out.endswith("; last used never; CI of web\n")
    assert abs(tokens.together(tokens.read(token))["expires"] - time.time() - 7200) < 60
    assert member.devpi("token", "revoke", token).ok()


@pytest.mark.parametrize("way", ["argument", "environment", "standard input"])
def test_a_token_is_narrowed_offline(devpi, way):
    """With no server in use; what is left is said, and printed alone on standard output."""
    given = tokens.PREFIX + "A" * 12 + "." + "B" * 22 + "." + encoded({"scopes": ["read", "upload"]}) + "." + "C" * 43
    arguments, stdin, environ = {
        "argument": ([given], "", {}),
        "environment": ([], "", {"DEVPI_TOKEN": given}),
        "standard input": ([], f"{given}\n", {}),
    }[way]
    narrow = ("--scope", "upload", "--index", "team/prod", "--project", "X_y", "--expires", "1h")

    derived = devpi("token", "derive", *arguments, *narrow, stdin=stdin, **environ)
    inspected = devpi("token", "inspect", stdin=derived.out)

    assert derived.code == inspected.code == 0
    line = derived.err.removeprefix("derived: ")
    assert line.startswith("upload on team/prod project x-y until ")
    assert inspected.out == f"{'A' * 12}: {line}"
    assert tokens.read(derived.out.strip()).caveats[0] == {"scopes": ["read", "upload"]}


def encoded(caveat: object) -> str:
    """Return a condition as it stands in a token."""
    return tokens._encoded(json.dumps(caveat).encode())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["create"], "devpi token create: error: say what it is for with --scope, for example --scope upload"),
        (["create", "--scope", "read", "x"], "devpi token create: error: it takes no token"),
        (["create", "--scope", "read", "--user", "x"], "devpi token create: error: it takes no --user"),
        (["list", "--scope", "read"], "devpi token list: error: it takes no --scope"),
        (["inspect", "x", "--project", "y"], "devpi token inspect: error: it takes no --project"),
        (["revoke"], "devpi token revoke: error: say which one; 'devpi token list' shows the IDs"),
        (["derive", "x"], "devpi token derive: error: say how to narrow it: --scope, --index, --project or --expires"),
        (["derive", "x", "--comment", "y"], "devpi token derive: error: it takes no --comment"),
        (
            ["create", "--scope", "read", "--expires", "soon"],
            "devpi token create: error: --expires takes a time span such as 12h, 30d or 8w, not 'soon'",
        ),
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_is_told(devpi, arguments, sentence):
    """In one line, exit code 2, before anything is asked or sent."""
    assert devpi("token", *arguments).fails(2).err == f"{sentence}\n"


DAMAGED = tokens.PREFIX + "A" * 12 + "." + "B" * 22 + ".AAAA." + "C" * 43


@pytest.mark.parametrize(
    ("given", "narrow", "sentence"),
    [
        ("hunter2", ["--project", "x"], "this is no token: one begins with wgt_"),
        ("wgt_short", ["--project", "x"], "this is no token: one begins with wgt_"),
        (DAMAGED, ["--project", "x"], "this token is damaged: a condition in it cannot be read"),
        ("{token}", ["--scope", "upload"], "nothing would be left of a token for read: a token can be narrowed"),
        ("{token}", ["--index", "prod"], "nobody is logged in, so it is not clear whose index 'prod' is"),
        ("{token}", ["--project", "x" * 3500], "the token would have more than 4000 characters"),
        ("{full}", ["--project", "x"], "a token holds at most 20 conditions: create a new one"),
    ],
    ids=["password", "cut", "damaged", "nothing left", "whose index", "long", "full"],
)
def test_what_cannot_be_narrowed_is_told(devpi, given, narrow, sentence):
    """On standard error; nothing is printed that could be taken for a token."""
    head = tokens.PREFIX + "A" * 12 + "." + "B" * 22
    token = f"{head}.{encoded({'scopes': ['read']})}.{'C' * 43}"
    full = head + f".{encoded({})}" * 20 + "." + "C" * 43

    outcome = devpi("token", "derive", *narrow, stdin=given.format(token=token, full=full)).fails()

    assert (outcome.out, outcome.err[: len(sentence)]) == ("", sentence)


@pytest.mark.parametrize(
    "caveat",
    [{"expires": "x"}, {"expires": -(10**30)}, {"expires": 10**30}, {"scopes": 1}, {"scopes": [[]]}, {"x": {}}],
    ids=str,
)
def test_odd_conditions_are_no_traceback(devpi, caveat):
    """Whoever gave us the token may have put anything into it."""
    token = tokens.PREFIX + "A" * 12 + "." + "B" * 22 + f".{encoded(caveat)}.{'C' * 43}"

    assert devpi("token", "inspect", stdin=token).out.startswith("A" * 12)
    assert devpi("token", "derive", "--project", "x", stdin=token).code == 0


def test_a_server_without_tokens_is_told(devpi, index):
    """The incumbent's has none."""
    index.speaks_the_protocol("alice")
    devpi("use", index.url).ok()

    outcome = devpi("token", "list").fails()

    assert outcome.err == (
        f"the server at {index.url}/ has no API tokens (it lacks: api-tokens); nothing was changed\n"
    )


def test_odd_answers_are_no_traceback(devpi, index):
    """Whatever a server says in the place of a list."""
    index.speaks_the_protocol("alice")
    devpi("use", index.url).ok()
    api = {"login": f"{index.url}/+login", "authstatus": ["ok", "alice", []], "features": ["api-tokens"]}
    index.says("/+api", "apiconfig", api)
    for odd in (None, {}, [1, None], [{"id": 1, "scopes": 7, "indices": 8}], [{"expires": []}]):
        index.answers["/+x/tokens"] = Answer({"result": odd, "type": "tokens"})

        assert devpi("token", "list").code == 0


@pytest.mark.slow
def test_a_token_of_the_environment_is_a_login(member):
    """It uploads and lists as its user may, without a login, and is stored nowhere."""
    member.devpi("index", "-c", "dev").ok()
    token = create(member, "--scope", "upload", "--project", "mine")
    member.devpi("logoff").ok()
    member.devpi("use", f"{member.name}/dev").ok()
    for name in ("mine", "other"):
        made = wheel(name)
        (member.devpi.home / made.filename).write_bytes(made.content)

    refused = member.devpi("upload", wheel("mine").filename).fails()
    member.devpi("upload", wheel("mine").filename, DEVPI_TOKEN=token).ok()
    others = member.devpi("upload", wheel("other").filename, DEVPI_TOKEN=token).fails()

    assert "not logged in" in refused.err + refused.out
    assert "the token is for mine only" in others.err + others.out
    assert member.devpi("list", DEVPI_TOKEN=token).ok().out == "mine\n"
    assert "403 Forbidden" in member.devpi("token", "create", "--scope", "read", DEVPI_TOKEN=token).fails().err
    assert token not in (member.devpi.clientdir / "auth.json").read_text()


@pytest.mark.slow
def test_a_token_of_the_environment_goes_to_the_server_in_use_alone(stranger, made_up_server):
    """Another server, to which a URL leads, learns nothing of it."""
    made_up_server.speaks_the_protocol()

    stranger.devpi("getjson", f"{made_up_server.url}/+api", DEVPI_TOKEN="wgt_secret").ok()
    stranger.devpi("use", made_up_server.url, DEVPI_TOKEN="wgt_secret").ok()
    before = [request for request in made_up_server.requests if "X-Devpi-Auth" in request.headers]
    stranger.devpi("getjson", f"{made_up_server.url}/+api", DEVPI_TOKEN="wgt_secret").ok()

    assert before == []
    assert "X-Devpi-Auth" in made_up_server.requests[-1].headers
