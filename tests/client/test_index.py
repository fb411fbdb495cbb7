"""``devpi index``."""

from __future__ import annotations

import pytest
from tests.client.conftest import UserAccount

pytestmark = pytest.mark.slow


def settings(name: str, **changes: str) -> str:
    """Return the lines that show a stage index of ``name``."""
    config = {
        "type": "stage",
        "bases": "",
        "volatile": "True",
        "acl_upload": name,
        "acl_toxresult_upload": ":ANONYMOUS:",
        "mirror_whitelist": "",
        "mirror_whitelist_inheritance": "intersection",
        **changes,
    }
    return "".join(f"  {key}={value}\n" for key, value in config.items())


def test_indices_are_created_shown_listed_and_deleted(logged_in_user: UserAccount) -> None:
    """The commands cover the whole life of an index; its settings are in the recorded order."""
    devpi, name = logged_in_user.devpi, logged_in_user.name
    url = f"{logged_in_user.root}/{name}/dev"

    assert devpi("index", "-c", "dev").ok().out == f"{url}?no_projects=:\n{settings(name)}"
    assert devpi("index", "dev").ok().out == f"{url}:\n{settings(name)}"
    assert devpi("index", f"{name}/dev", "--no-projects").ok().out == f"{url}?no_projects=:\n{settings(name)}"
    assert devpi("index", "-l").ok().out == f"{name}/dev\n"
    assert devpi("index", "-l", name).ok().out == f"{name}/dev\n"
    assert devpi("index", "--delete", "dev", "-y").ok().out == (
        f"About to remove: {url}\nAre you sure (yes/no)? yes (autoset from -y option)\nindex deleted: {url}\n"
    )
    assert devpi("index", "-l").out == ""


def test_settings_can_be_given_at_creation(logged_in_user: UserAccount) -> None:
    """``-c`` takes any number of settings."""
    logged_in_user.devpi("index", "-c", "base").ok()

    outcome = logged_in_user.devpi(
        "index", "-c", "dev", f"bases={logged_in_user.name}/base", "volatile=False", "title=A = B"
    ).ok()

    expected = settings(logged_in_user.name, bases=f"{logged_in_user.name}/base", volatile="False", title="A = B")
    assert outcome.out == f"{logged_in_user.root}/{logged_in_user.name}/dev?no_projects=:\n{expected}"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param(["title=T x"], {"title": "T x"}, id="set"),
        pytest.param(["bases+={name}/base"], {"bases": "{name}/base"}, id="add"),
        pytest.param(["bases+={name}/base", "bases-={name}/base"], {"bases": ""}, id="add and take away"),
        pytest.param(
            ["acl_upload+=root", "volatile=False"], {"volatile": "False", "acl_upload": "{name},root"}, id="two"
        ),
        pytest.param(["title=T", "title-="], {}, id="drop"),
        pytest.param(["acl_upload="], {"acl_upload": ""}, id="empty"),
    ],
)
@pytest.mark.parametrize("named", [["dev"], ["-m", "dev"], []], ids=["named", "with -m", "in use"])
def test_settings_are_changed(
    logged_in_user: UserAccount, changes: list[str], expected: dict[str, str], named: list[str]
) -> None:
    """Each change is printed as typed, then the index; without a name it is the one in use."""
    logged_in_user.devpi("index", "-c", "base").ok()
    logged_in_user.devpi("index", "-c", "dev").ok()
    logged_in_user.devpi("use", "dev").ok()
    typed = [change.format(name=logged_in_user.name) for change in changes]

    outcome = logged_in_user.devpi("index", *named, *typed).ok()

    config = settings(
        logged_in_user.name, **{key: value.format(name=logged_in_user.name) for key, value in expected.items()}
    )
    told = "".join(f"/{logged_in_user.name}/dev {change}\n" for change in typed)
    assert outcome.out == f"{told}{logged_in_user.root}/{logged_in_user.name}/dev?no_projects=:\n{config}"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        pytest.param(["-c"], "need to explicitly specify index for deletion/creation\n", id="create nothing"),
        pytest.param(["--delete"], "need to explicitly specify index for deletion/creation\n", id="delete nothing"),
        pytest.param(["--delete", "dev", "a=b"], "cannot delete if you specify key=values\n", id="delete and set"),
        pytest.param(["dev", "x", "y"], "arguments must be format NAME=VALUE: ['x', 'y']\n", id="no equal sign"),
        pytest.param([], "no index in use: name one, or type 'devpi use USER/INDEX'\n", id="none in use"),
        pytest.param(["title=x"], "no index in use: name one, or type 'devpi use USER/INDEX'\n", id="none to change"),
        pytest.param(["a/b/c"], "'a/b/c' is not the name of a user or an index: ", id="too many slashes"),
    ],
)
def test_impossible_actions_are_reported_in_one_line(
    logged_in_user: UserAccount, arguments: list[str], complaint: str
) -> None:
    """Invalid arguments never reach the server."""
    outcome = logged_in_user.devpi("index", *arguments).fails()

    assert outcome.err.startswith(complaint)
    assert outcome.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [["-l"], ["-c", "dev"], ["dev"], ["dev", "a=b"], ["--delete", "dev", "-y"]])
def test_a_short_index_name_needs_a_login(new_user: UserAccount, arguments: list[str]) -> None:
    """The short form needs a login."""
    assert new_user.devpi("index", *arguments).fails().err.startswith("no current authenticated user")


@pytest.mark.parametrize(
    ("arguments", "request_line", "answer"),
    [
        pytest.param(["-c", "dev"], "PUT {index}/dev", "409 Conflict: index '{name}/dev' exists\n", id="twice"),
        pytest.param(["-c", "b d"], "PUT {index}/b%20d", "400 Bad Request: indexname 'b d' ", id="name"),
        pytest.param(
            ["-c", "x", "bases=no/pe"], "PUT {index}/x", "400 Bad Request: base index 'no/pe' does", id="base"
        ),
        pytest.param(
            ["dev", "volatile=maybe"], "PATCH {index}/dev", "400 Bad Request: Unknown boolean value", id="value"
        ),
        pytest.param(
            ["nope"], "GET {index}/nope?no_projects=", "404 Not Found: The stage {name}/nope could", id="show"
        ),
        pytest.param(["-l", "nobody"], "GET {root}/nobody", "404 Not Found: no user 'nobody' (", id="list"),
        pytest.param(["-c", "root/x"], "PUT {root}/root/x", "403 Forbidden: ", id="another's"),
        pytest.param(
            ["--delete", "nv", "-y"], "DELETE {index}/nv", "403 Forbidden: index {name}/nv non-vol", id="kept"
        ),
    ],
)
def test_a_refusal_shows_request_and_response(
    logged_in_user: UserAccount, arguments: list[str], request_line: str, answer: str
) -> None:
    """Two lines show the request and the server's reason."""
    logged_in_user.devpi("index", "-c", "dev").ok()
    logged_in_user.devpi("index", "-c", "nv", "volatile=False").ok()
    values = {
        "name": logged_in_user.name,
        "root": logged_in_user.root,
        "index": f"{logged_in_user.root}/{logged_in_user.name}",
    }

    outcome = logged_in_user.devpi("index", *arguments).fails()

    assert outcome.err.startswith(f"{request_line.format(**values)}\n{answer.format(**values)}")
    assert outcome.err.count("\n") == 2


def test_declining_deletes_nothing(logged_in_user: UserAccount) -> None:
    """Answering no is not a failure."""
    logged_in_user.devpi("index", "-c", "dev").ok()

    assert "index deleted" not in logged_in_user.devpi("index", "--delete", "dev", stdin="no\n").ok().out
    assert logged_in_user.devpi("index", "-l").ok().out == f"{logged_in_user.name}/dev\n"
