"""Refusals that mention something missing name the next command, or the nearest name."""

from __future__ import annotations

import re

import pytest
from tests.client.conftest import UserAccount
from tests.helpers.distributions import wheel

pytestmark = pytest.mark.slow

USERS = "('devpi user -l' lists the users, 'devpi user -c {0}' creates one)"
INDICES = "('devpi use -l' lists the indices, 'devpi index -c {0}' creates one)"
GROUPS = "('devpi group -l' lists the groups, 'devpi group -c {0}' creates one)"
PROJECTS = "('devpi list' lists the projects of the index in use)"


@pytest.fixture
def owner(logged_in_user: UserAccount) -> UserAccount:
    """Return a user who uses an index."""
    logged_in_user.devpi("index", "-c", "dev").ok()
    logged_in_user.devpi("use", "dev").ok()
    return logged_in_user


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["user", "team"], USERS.format("team")),
        (["user", "-m", "team", "title=x"], USERS.format("team")),
        (["passwd", "team", "--password=a-good-password"], USERS.format("team")),
        (["index", "-l", "team"], USERS.format("team")),
        (["use", "team/prod"], INDICES.format("team/prod")),
        (["index", "team/prod"], INDICES.format("team/prod")),
        (["index", "-c", "new", "bases=team/prod"], INDICES.format("team/prod")),
        (["list", "--index", "team/prod"], INDICES.format("team/prod")),
        (["push", "x==1", "team/prod"], INDICES.format("team/prod")),
        (["group", "devs"], GROUPS.format("devs")),
        (["list", "nope"], PROJECTS),
        (["remove", "nope", "-y"], PROJECTS),
        (["token", "inspect", "AAAAAAAAAAAA"], "('devpi token list' shows the IDs)"),
        (["token", "list", "--user", "team"], "403 Forbidden: only user 'team' and root may see these tokens"),
        (["index", "-c", "new", "base=root/pypi"], "; did you mean 'bases'?"),
        (["index", "dev", "volatil=False"], "; did you mean 'volatile'?"),
        (["index", "dev", "acl_uplod+=bob"], "; did you mean 'acl_upload'?"),
        (["index", "-c", "new", "type=stag"], "; the types are mirror, stage"),
        (["user", "-m", "{name}", "titel=x"], "; did you mean 'title'?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_something_missing_comes_with_the_next_step(owner: UserAccount, arguments: list[str], hint: str) -> None:
    """The last line of the refusal ends with what to type, or with the name that is meant."""
    refused = owner.devpi(*(text.format(name=owner.name) for text in arguments)).fails()

    assert refused.err.rstrip("\n").endswith(hint)


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["index", "-c", "team/prod"], USERS.format("team")),
        (["user", "--delete", "team", "-y"], USERS.format("team")),
        (["index", "--delete", "team/prod", "-y"], INDICES.format("team/prod")),
        (["group", "-m", "devs", "title=x"], GROUPS.format("devs")),
        (["group", "-c", "devs", "member=x"], "only members and title"),
        (["group", "-c", "devs", "members=team"], "'team', who does not exist; create the user first"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_root_gets_the_next_step_too(owner: UserAccount, arguments: list[str], hint: str) -> None:
    """Root may do what fails here only because something is missing."""
    owner.devpi("login", "root", "--password=").ok()

    assert owner.devpi(*arguments).fails().err.rstrip("\n").endswith(hint)


def test_an_unknown_group_in_a_list_is_noted(owner: UserAccount) -> None:
    """A directory may know the group, so the change is made; a name that looks like a typo gets the nearest one."""
    name = f"{owner.name}-developers"
    owner.devpi("login", "root", "--password=").ok()
    owner.devpi("group", "-c", name).ok()
    owner.devpi("login", owner.name, "--password", owner.password).ok()
    unknown = "this server has no group ':{0}': {1}root creates it with 'devpi group -c {0}', unless a directory"
    unknown += " reports it\n"

    changed = owner.devpi("index", "dev", f"acl_upload=:{name},:other,:AUTHENTICATED:", f"acl_read=:{name[:-1]}")
    created = owner.devpi("index", "-c", "new", "acl_read=:other")
    removed = owner.devpi("index", "dev", "acl_upload-=:other")

    assert (changed.code, created.code) == (0, 0)
    other = unknown.format("other", "")
    assert changed.err == other + unknown.format(name[:-1], f"did you mean ':{name}'? Otherwise ")
    assert created.err == other
    assert removed.ok()
    for index in ("dev", "new"):  # private indices would change the answers that other tests get
        owner.devpi("index", "--delete", index, "-y").ok()


def test_a_token_for_a_missing_index_is_noted(owner: UserAccount) -> None:
    """The token is created, because the index may come later; an index that exists gets no note."""
    created = owner.devpi("token", "create", "--scope", "read", "--index", "dev", "--index", "prod")

    path = f"{owner.name}/prod"
    assert created.code == 0
    assert created.err.splitlines()[1:] == [
        f"but there is no index {path} yet {INDICES.format(path)}",
        "it is shown only once, and stored nowhere:",
    ]


def test_an_upload_after_an_expired_login_asks_for_a_login(owner: UserAccount) -> None:
    """After ``use`` noticed that the login has ended, ``upload`` names the user who has to log in again."""
    state = owner.devpi.clientdir / "auth.json"
    kept = state.read_text()
    owner.devpi("logoff").ok()
    state.write_text(kept)
    owner.devpi("use")
    made = wheel("made")
    (owner.devpi.home / made.filename).write_bytes(made.content)

    for command in (["upload", made.filename], ["push", "x==1.0", f"{owner.name}/dev"], ["index", "title=x"]):
        refused = owner.devpi(*command).fails().err

        assert "does not list you" not in refused
        assert f"(type 'devpi login {owner.name}')\n" in refused


@pytest.mark.parametrize(
    ("arguments", "note"),
    [
        (["list"], "{index} has no projects of its own; 'devpi upload' adds some, unless it is a mirror\n"),
        (["token", "list"], "there are no tokens; 'devpi token create' makes one\n"),
        (["index", "-l", "root"], ""),
    ],
    ids=["projects", "tokens", "not empty"],
)
def test_an_empty_list_says_so(owner: UserAccount, arguments: list[str], note: str) -> None:
    """The note is on standard error, so that scripts read an empty list."""
    listed = owner.devpi(*arguments)

    assert (listed.code, listed.err) == (0, note.format(index=f"{owner.root}/{owner.name}/dev"))
    assert bool(listed.out) is not bool(note)


def test_a_user_without_indices_is_told_how_to_create_one(logged_in_user: UserAccount) -> None:
    """The list of a new user's indices is empty."""
    listed = logged_in_user.devpi("index", "-l")

    assert (listed.code, listed.out) == (0, "")
    assert (
        listed.err == f"{logged_in_user.name} has no indices; 'devpi index -c {logged_in_user.name}/NAME' creates one\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["user", "--delete", "{name}-x"],
        ["index", "--delete", "nope"],
        ["group", "--delete", "nope"],
        ["remove", "{root}/{name}/dev/+f/aaa/bbb/nope-1.0.zip"],
        ["remove", "nope"],
        ["remove", "made", "--index", "{name}/stable"],
    ],
    ids=" ".join,
)
def test_a_deletion_that_cannot_succeed_is_not_asked_about(owner: UserAccount, arguments: list[str]) -> None:
    """Something missing, or a release on a non-volatile index, is reported before the question."""
    owner.devpi("index", "-c", "stable", "volatile=False").ok()
    made = wheel("made")
    (owner.devpi.home / made.filename).write_bytes(made.content)
    owner.devpi("upload", "--index", "stable", made.filename).ok()

    refused = owner.devpi(*(text.format(name=owner.name, root=owner.root) for text in arguments)).fails()

    assert refused.out == ""
    assert "404 Not Found" in refused.err or refused.err.endswith("add --force to remove from it anyway\n")


def test_whoami_asks_the_server(owner: UserAccount) -> None:
    """A login that has ended on the server is no login, whatever is stored here."""
    state = owner.devpi.clientdir / "auth.json"
    kept = state.read_text()
    first, second = owner.devpi("whoami").ok().out.splitlines()
    assert first == f"{owner.name} at {owner.server.url}"
    assert re.fullmatch(r"logged in until 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", second)

    owner.devpi("logoff").ok()
    anonymous = owner.devpi("whoami").fails().err
    state.write_text(kept)
    ended = owner.devpi("whoami").fails().err

    assert anonymous == f"not logged in at {owner.server.url}: type 'devpi login USER'\n"
    assert ended == f"the login of '{owner.name}' is no longer valid: type 'devpi login {owner.name}'\n"


def test_can_asks_the_server(owner: UserAccount) -> None:
    """The decision, its reason and an exit code; with ``-v`` the answers of the plugins."""
    own = owner.devpi("can", "upload", f"{owner.name}/dev").ok().out
    other = owner.devpi("can", "index_modify", "root/pypi", "-v")
    unknown = owner.devpi("can", "fly").fails().err

    assert own == "yes: acl_upload lists you\n"
    assert (other.code, other.out.splitlines()) == (
        1,
        ["no: only root may", "    restrict_modify: no opinion", "    default: deny"],
    )
    assert "there is no permission 'fly'; there are group_create" in unknown


def test_whoami_shows_an_api_token(owner: UserAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an API token in the environment, it shows the ID of the token and its end."""
    monkeypatch.setenv("DEVPI_TOKEN", owner.devpi("token", "create", "--scope", "read").out.strip())

    lines = owner.devpi("whoami").ok().out.splitlines()

    assert lines[0] == f"{owner.name} at {owner.server.url}"
    assert re.fullmatch(r"API token \S{12}, valid until \S+Z", lines[-1])
