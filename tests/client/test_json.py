"""``devpi getjson`` and ``devpi patchjson``."""

from __future__ import annotations

import json

import pytest
from tests.client.conftest import Devpi, UserAccount

pytestmark = pytest.mark.slow


def test_a_user_is_shown_as_the_session_shows_it(new_user: UserAccount) -> None:
    """JSON is indented by four spaces, with sorted keys."""
    shown = new_user.devpi("getjson", f"/{new_user.name}").ok().out

    content = json.loads(shown)
    assert content["type"] == "userconfig"
    assert shown == json.dumps(content, indent=4, sort_keys=True) + "\n"


@pytest.mark.parametrize(
    "path", ["/{name}/dev", "{root}/{name}/dev", ".", "../dev"], ids=["path", "URL", "in use", "up"]
)
def test_a_resource_can_be_a_path_or_a_url(logged_in_user: UserAccount, path: str) -> None:
    """Paths start at the server or at the index in use."""
    logged_in_user.devpi("index", "-c", "dev").ok()
    logged_in_user.devpi("use", "dev").ok()

    outcome = logged_in_user.devpi("getjson", path.format(name=logged_in_user.name, root=logged_in_user.root)).ok()

    assert json.loads(outcome.out)["type"] == "indexconfig"


def test_headers_are_shown_on_standard_error(new_user: UserAccount) -> None:
    """With ``-v`` standard output still contains only the JSON."""
    outcome = new_user.devpi("getjson", "-v", "/+api")

    assert json.loads(outcome.out)["type"] == "apiconfig"
    assert outcome.err.startswith(f"GET REQUEST sent to {new_user.root}/+api\nCONTENT-LENGTH: ")
    assert "\nX-DEVPI-API-VERSION: 2\n" in outcome.err


def test_json_is_sent_and_the_response_shown(logged_in_user: UserAccount) -> None:
    """A file and standard input have the same effect."""
    (logged_in_user.devpi.home / "title.json").write_text('{"title": "From a file"}')

    from_file = logged_in_user.devpi("patchjson", f"/{logged_in_user.name}", "title.json").ok()
    logged_in_user.devpi("patchjson", f"/{logged_in_user.name}", "-", stdin='{"email": "a@example.com"}').ok()

    assert json.loads(from_file.out) == {"message": "user updated"}
    assert "  email=a@example.com\n" in logged_in_user.devpi("user").ok().out
    assert "  title=From a file\n" in logged_in_user.devpi("user").ok().out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        pytest.param(["getjson", "dev"], "cannot use relative path without an active index\n", id="no index"),
        pytest.param(["getjson", "http://u:secret@h/"], "the URL carries a password: ", id="password"),
        pytest.param(["patchjson", "/x", "nofile"], "cannot read nofile: No such file or directory; ", id="no file"),
        pytest.param(["patchjson", "/x", "half.json"], "half.json is not JSON (", id="half a file"),
        pytest.param(["patchjson", "/x", "-"], "standard input is not JSON (", id="no input"),
    ],
)
def test_impossible_actions_are_reported_in_one_line(
    logged_in_user: UserAccount, arguments: list[str], complaint: str
) -> None:
    """Nothing is sent unless the JSON is complete."""
    (logged_in_user.devpi.home / "half.json").write_text('{"title": ')

    outcome = logged_in_user.devpi(*arguments).fails()

    assert outcome.err.startswith(complaint)
    assert outcome.err.count("\n") == 1
    assert "secret" not in outcome.err


@pytest.mark.parametrize("path", ["/nope", "/nope/nope"])
def test_a_refusal_shows_request_and_response(new_user: UserAccount, path: str) -> None:
    """The message is the same as for other commands."""
    outcome = new_user.devpi("getjson", path).fails()

    assert outcome.err.startswith(f"GET {new_user.root}{path}\n404 Not Found: ")
    assert outcome.out == ""


def test_a_path_needs_a_server(devpi: Devpi) -> None:
    """Only a URL works without a server in use."""
    assert devpi("getjson", "/").fails().err == "no server currently selected\n"
