"""``devpi token``, and ``DEVPI_TOKEN`` instead of a login."""

from __future__ import annotations

import base64
import json
import re
import time
from typing import Any

import pytest
from tests.client.conftest import Devpi, FakeServer, Response, UserAccount
from tests.helpers.distributions import wheel

from wheelgate_client.server import api_tokens

TOKEN = re.compile(r"wgt_[A-Za-z0-9._-]{80,}\n")


def create(logged_in_user: UserAccount, *arguments: str) -> str:
    """Create a token and return it."""
    made = logged_in_user.devpi("token", "create", *arguments)
    assert made.code == 0, made
    assert TOKEN.fullmatch(made.out), made
    return made.out.strip()


@pytest.mark.slow
def test_a_token_is_created_listed_inspected_and_revoked(logged_in_user: UserAccount) -> None:
    """Standard output contains only the token; list, inspect and revoke use its ID."""
    narrow = ("--index", "prod", "--project", "My_Pkg", "--read-project", "My_Pkg", "--read-project", "a.lib")
    made = logged_in_user.devpi("token", "create", "--scope", "upload,read", *narrow)
    token = made.out.strip()
    identifier = api_tokens.parse_token(token).id

    said = f"read,upload on {logged_in_user.name}/prod reading only a-lib,my-pkg changing only my-pkg until "
    assert made.err.splitlines()[0].startswith(f"token {identifier} of {logged_in_user.name}: {said}")
    assert made.err.splitlines()[-1] == "it is shown only once, and stored nowhere:"
    listed = logged_in_user.devpi("token", "list").ok().out
    assert listed.startswith(f"{identifier}: {said}")
    assert listed.endswith("; last used never\n")
    shown = logged_in_user.devpi("token", "inspect", identifier).ok().out.splitlines()
    assert shown[0] == f"{identifier}:"
    indices = f"  indices={logged_in_user.name}/prod"
    assert {"  scopes=read,upload", indices, "  change_projects=my-pkg", "  read_projects=a-lib,my-pkg"} <= set(shown)
    gone = logged_in_user.devpi("token", "revoke", identifier).ok().out
    assert gone == f"token {identifier} revoked, and all tokens derived from it\n"
    assert logged_in_user.devpi("token", "list").out == ""
    assert "you have no token" in logged_in_user.devpi("token", "revoke", identifier).fails().err
    state = [path.read_text() for path in logged_in_user.devpi.clientdir.iterdir() if path.is_file()]
    assert not [text for text in state if "wgt_" in text]


@pytest.mark.slow
def test_a_comment_and_an_expiration_are_stored(logged_in_user: UserAccount) -> None:
    """``--expires`` counts from now; revoke also accepts the whole token."""
    token = create(logged_in_user, "--scope", "read", "--expires", "2h", "--comment", "CI of web")

    assert logged_in_user.devpi("token", "list").ok().out.endswith("; last used never; CI of web\n")
    assert abs(api_tokens.combined_caveats(api_tokens.parse_token(token))["expires"] - time.time() - 7200) < 60
    assert logged_in_user.devpi("token", "revoke", token).ok()


@pytest.mark.parametrize("way", ["argument", "environment", "standard input"])
def test_a_token_is_narrowed_offline(devpi: Devpi, way: str) -> None:
    """No server is in use; standard error describes the new token, and standard output contains only the token."""
    given = token_with({"scopes": ["read", "upload"]})
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
    assert line.startswith("upload on team/prod changing only x-y until ")
    assert inspected.out == f"{'A' * 12}: {line}"
    assert api_tokens.parse_token(derived.out.strip()).caveats[0] == {"scopes": ["read", "upload"]}


@pytest.mark.parametrize(
    ("caveats", "narrow", "described"),
    [
        ([{"projects": ["x", "y"]}], ["--project", "x"], "read,upload reading only x,y changing only x"),
        ([{"projects": ["x", "y"]}], ["--read-project", "y"], "read,upload reading only y changing only x,y"),
        ([{"projects": ["x"]}], ["--scope", "upload"], "upload project x"),
        (
            [{"change_projects": ["x", "y"]}, {"change_projects": ["y", "z"]}],
            ["--scope", "read"],
            "read changing only y",
        ),
        ([], ["--project", "x", "--read-project", "x"], "read,upload project x"),
    ],
    ids=["older, fewer changes", "older, fewer reads", "older", "twice", "both"],
)
def test_older_and_newer_conditions_add_up(
    devpi: Devpi, caveats: list[dict[str, Any]], narrow: list[str], described: str
) -> None:
    """The condition ``projects`` of older tokens limits reading and changes; a newer one limits either further."""
    given = token_with({"scopes": ["read", "upload"]}, *caveats)

    derived = devpi("token", "derive", *narrow, stdin=given)

    assert derived.err == f"derived: {described}\n"


@pytest.mark.parametrize(
    ("span", "noted"),
    [
        ("90", "--expires 90 means 90 seconds; for days, write 90d\n"),
        ("90d", ""),
        ("90s", ""),
    ],
)
def test_a_number_without_a_unit_is_explained(devpi: Devpi, span: str, noted: str) -> None:
    """Standard error says that a lifetime without a unit is in seconds."""
    derived = devpi("token", "derive", "--expires", span, stdin=token_with({"scopes": ["read"]}))

    assert derived.err.startswith(f"{noted}derived: read until ")


@pytest.mark.parametrize("arguments", [["token", "inspect"], ["token", "derive", "--scope", "read"]], ids=" ".join)
def test_an_empty_place_is_no_token(devpi: Devpi, arguments: list[str]) -> None:
    """An empty variable, or nothing on standard input, is refused with its name."""
    assert devpi(*arguments, DEVPI_TOKEN="").fails().err == (
        "the environment variable DEVPI_TOKEN is empty: put the secret there, or unset it\n"
    )
    assert devpi(*arguments).fails().err == (
        "standard input is empty: pipe the password or the token into this command\n"
    )


@pytest.mark.slow
@pytest.mark.parametrize("token", ["", " "], ids=["empty", "blank"])
def test_an_empty_variable_is_no_anonymous_request(logged_in_user: UserAccount, token: str) -> None:
    """A command that would send the token fails; it sends neither nothing nor the stored login in its place."""
    outcome = logged_in_user.devpi("user", "-l", DEVPI_TOKEN=token).fails()

    assert outcome.err == "the environment variable DEVPI_TOKEN is empty: put the secret there, or unset it\n"


def encoded(caveat: object) -> str:
    """Return a condition as encoded in a token."""
    return base64.urlsafe_b64encode(json.dumps(caveat).encode()).rstrip(b"=").decode()


def token_with(*caveats: object) -> str:
    """Return a token with these conditions; the client cannot check its signature."""
    return ".".join([f"{api_tokens.API_TOKEN_PREFIX}{'A' * 12}", "B" * 22, *map(encoded, caveats), "C" * 43])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["create"], "devpi token create: error: say what it allows with --scope, for example --scope upload"),
        (["create", "--scope", "read", "x"], "devpi token create: error: it takes no token"),
        (["create", "--scope", "read", "--user", "x"], "devpi token create: error: it takes no --user"),
        (["list", "--scope", "read"], "devpi token list: error: it takes no --scope"),
        (["inspect", "x", "--project", "y"], "devpi token inspect: error: it takes no --project"),
        (["revoke"], "devpi token revoke: error: name the token; 'devpi token list' shows the IDs"),
        (
            ["derive", "x"],
            "devpi token derive: error: say how to narrow it: --scope, --index, --project, --read-project or --expires",
        ),
        (["list", "--read-project", "y"], "devpi token list: error: it takes no --read-project"),
        (["derive", "x", "--comment", "y"], "devpi token derive: error: it takes no --comment"),
        (
            ["create", "--scope", "read", "--expires", "soon"],
            "devpi token create: error: --expires takes a time span such as 12h, 30d or 8w, not 'soon'",
        ),
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_is_reported(devpi: Devpi, arguments: list[str], sentence: str) -> None:
    """One line, exit code 2, and neither a prompt nor a request."""
    assert devpi("token", *arguments).fails(2).err == f"{sentence}\n"


DAMAGED = api_tokens.API_TOKEN_PREFIX + "A" * 12 + "." + "B" * 22 + ".AAAA." + "C" * 43


@pytest.mark.parametrize(
    ("given", "narrow", "sentence"),
    [
        ("hunter2", ["--project", "x"], "this is not a token: a token starts with wgt_"),
        ("wgt_short", ["--project", "x"], "this is not a token: a token starts with wgt_"),
        (DAMAGED, ["--project", "x"], "this token is damaged: one of its conditions cannot be read"),
        (
            "{token}",
            ["--scope", "upload"],
            "the derived token would allow nothing, because the token is only for read",
        ),
        ("{token}", ["--index", "prod"], "you are not logged in, so it is unclear whose index 'prod' is"),
        ("{token}", ["--project", "x" * 3500], "the token would have more than 4000 characters"),
        ("{full}", ["--project", "x"], "a token holds at most 20 conditions: create a new one"),
    ],
    ids=["password", "cut", "damaged", "nothing left", "whose index", "long", "full"],
)
def test_failed_derivations_are_reported(devpi: Devpi, given: str, narrow: list[str], sentence: str) -> None:
    """The message is on standard error; standard output is empty, so that no script takes it for a token."""
    token, full = token_with({"scopes": ["read"]}), token_with(*[{}] * 20)

    outcome = devpi("token", "derive", *narrow, stdin=given.format(token=token, full=full)).fails()

    assert (outcome.out, outcome.err[: len(sentence)]) == ("", sentence)


@pytest.mark.parametrize(
    "caveat",
    [{"expires": "x"}, {"expires": -(10**30)}, {"expires": 10**30}, {"scopes": 1}, {"scopes": [[]]}, {"x": {}}],
    ids=str,
)
def test_odd_conditions_are_no_traceback(devpi: Devpi, caveat: dict[str, Any]) -> None:
    """A token may contain any JSON."""
    token = token_with(caveat)

    assert devpi("token", "inspect", stdin=token).out.startswith("A" * 12)
    assert devpi("token", "derive", "--project", "x", stdin=token).code == 0


def test_a_server_without_tokens_is_reported(devpi: Devpi, index: FakeServer) -> None:
    """The incumbent's server has no tokens."""
    index.act_as_index_server("alice")
    devpi("use", index.url).ok()

    outcome = devpi("token", "list").fails()

    assert outcome.err == (
        f"the server at {index.url}/ has no API tokens (it lacks: api-tokens); nothing was changed\n"
    )


def test_odd_responses_are_no_traceback(devpi: Devpi, index: FakeServer) -> None:
    """A server may send any JSON instead of a list."""
    index.act_as_index_server("alice")
    devpi("use", index.url).ok()
    api = {"login": f"{index.url}/+login", "authstatus": ["ok", "alice", []], "features": ["api-tokens"]}
    index.respond("/+api", "apiconfig", api)
    results: list[object] = [None, {}, [1, None], [{"id": 1, "scopes": 7, "indices": 8}], [{"expires": []}]]
    for odd in results:
        index.responses["/+x/tokens"] = Response({"result": odd, "type": "tokens"})

        assert devpi("token", "list").code == 0


@pytest.mark.slow
def test_a_token_in_the_environment_works_as_a_login(logged_in_user: UserAccount) -> None:
    """The token allows uploads and listings without a login, and is stored nowhere."""
    logged_in_user.devpi("index", "-c", "dev").ok()
    token = create(logged_in_user, "--scope", "upload", "--project", "mine")
    logged_in_user.devpi("logoff").ok()
    logged_in_user.devpi("use", f"{logged_in_user.name}/dev").ok()
    for name in ("mine", "other"):
        made = wheel(name)
        (logged_in_user.devpi.home / made.filename).write_bytes(made.content)

    refused = logged_in_user.devpi("upload", wheel("mine").filename).fails()
    logged_in_user.devpi("upload", wheel("mine").filename, DEVPI_TOKEN=token).ok()
    others = logged_in_user.devpi("upload", wheel("other").filename, DEVPI_TOKEN=token).fails()

    assert "not logged in" in refused.err + refused.out
    assert "the token is for mine only" in others.err + others.out
    assert logged_in_user.devpi("list", DEVPI_TOKEN=token).ok().out == "mine\n"
    assert "403 Forbidden" in logged_in_user.devpi("token", "create", "--scope", "read", DEVPI_TOKEN=token).fails().err
    assert token not in (logged_in_user.devpi.clientdir / "auth.json").read_text()


@pytest.mark.slow
def test_a_token_in_the_environment_is_only_sent_to_the_server_in_use(
    new_user: UserAccount, fake_server: FakeServer
) -> None:
    """A URL on another server does not get the token; ``devpi use`` makes that server the one in use."""
    fake_server.act_as_index_server("alice")

    def is_sent(command: str, path: str) -> bool:
        fake_server.requests.clear()
        assert new_user.devpi(command, f"{fake_server.url}{path}", DEVPI_TOKEN="wgt_secret").code == 0
        return any("X-Devpi-Auth" in request.headers for request in fake_server.requests)

    assert not is_sent("getjson", "/+api")
    assert is_sent("use", "")
    assert is_sent("getjson", "/+api")
