"""Login tokens: what a good one proves, and every way in which one is not good."""

from __future__ import annotations

import base64
import hashlib
import time
from pathlib import Path

import pytest
from itsdangerous import TimestampSigner, URLSafeTimedSerializer
from tests.helpers.sites import Serve

from wheelgate.store.keys import derive_key
from wheelgate.testing.site import Site

ROOT = ("root", "")
NOT_VALID = "this login is not valid here; log in again"
EXPIRED = "this login has expired; log in again"
ENDED = "this login has ended; log in again"
NO_PASSWORD = "user 'alice' could not be authenticated"


def status(site: Site, auth: tuple[str, str]) -> str:
    """Return what ``+api`` says of credentials: ``ok`` or ``noauth``."""
    return str(site.request("GET", "/+api", auth=auth).result["authstatus"][0])


def refusal(site: Site, auth: tuple[str, str]) -> str:
    """Return why credentials are refused, and check that public pages stay readable."""
    assert status(site, auth) == "noauth"
    assert site.request("GET", "/alice", auth=auth).status == 200
    refused = site.request("PATCH", "/alice", {"title": "x"}, auth=auth)
    assert refused.status == 401
    assert refused.headers["www-authenticate"] == 'Basic realm="pypi"'
    return refused.message


@pytest.fixture
def alice(shared: Site) -> tuple[str, str]:
    """Return a login of alice."""
    if shared.request("GET", "/alice").status == 404:
        shared.add_user("alice")
    return shared.login("alice", "correct horse")


def test_a_token_proves_its_user(shared: Site, alice: tuple[str, str]) -> None:
    """A token works in either header in place of the password."""
    basic = base64.b64encode(":".join(alice).encode()).decode()

    by_basic = shared.request("GET", "/+api", headers={"Authorization": f"Basic {basic}"})

    assert status(shared, alice) == "ok"
    assert by_basic.result["authstatus"] == ["ok", "alice", []]
    assert shared.request("PATCH", "/alice", {"title": "x"}, auth=alice).status == 200


CHANGES = {
    "signature": lambda token: token[:-20] + ("A" if token[-20] != "A" else "B") + token[-19:],
    "time": lambda token: token.replace("." + token.split(".")[1][0], "." + chr(ord(token.split(".")[1][0]) ^ 3), 1),
    "first character of the payload": lambda token: token[:4] + ("X" if token[4] != "X" else "Y") + token[5:],
    "middle of the payload": lambda token: token[:20] + ("X" if token[20] != "X" else "Y") + token[21:],
    "other payload": lambda token: "wgs_" + "W10x" * 10 + token[token.index(".") :],
}
CUTS = {
    "without the prefix": lambda token: token[4:],
    "without the last character": lambda token: token[:-1],
    "other last character": lambda token: token[:-1] + chr(ord(token[-1]) + 1),
    "without the signature": lambda token: token.rpartition(".")[0],
    "one character more": lambda token: token + "A",
    "prefix alone": lambda token: "wgs_",
    "space around": lambda token: f" {token} ",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_token_is_not_valid(shared: Site, alice: tuple[str, str], change: object) -> None:
    """One character is enough, wherever it is."""
    assert refusal(shared, ("alice", change(alice[1]))) == NOT_VALID  # type: ignore[operator]


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
def test_what_has_not_the_form_of_a_token_is_a_wrong_password(site: Site, cut: object) -> None:
    """A truncated token counts as a wrong password."""
    alice = site.add_user("alice")

    assert refusal(site, ("alice", cut(alice[1]))) in (NO_PASSWORD, NOT_VALID)  # type: ignore[operator]


def test_no_character_of_a_token_can_be_changed(shared: Site, alice: tuple[str, str]) -> None:
    """Another character at any place makes the token invalid."""
    token = alice[1]
    for place in range(len("wgs_"), len(token)):
        other = "-" if token[place] != "-" else "_"
        changed = token[:place] + other + token[place + 1 :]

        assert status(shared, ("alice", changed)) == "noauth", place


def test_a_token_is_its_users_alone(shared: Site, alice: tuple[str, str]) -> None:
    """A token with another user name proves nothing."""
    assert refusal(shared, ("root", alice[1])) == NOT_VALID
    assert refusal(shared, ("nobody", alice[1])) == NOT_VALID


def test_a_token_is_its_servers_alone(serve: Serve, tmp_path: Path) -> None:
    """A token of another server is not valid, even if both have the same secret or the same UUID."""
    here = serve("here")
    mine = here.add_user("alice")
    with Site(tmp_path / "there") as there:
        there.add_user("alice")
        assert refusal(there, mine) == NOT_VALID
    same_secret = tmp_path / "same-secret"
    same_secret.mkdir()
    (same_secret / ".secret").write_bytes((tmp_path / "here" / ".secret").read_bytes())
    (same_secret / ".secret").chmod(0o600)
    with Site(same_secret) as copy:
        copy.add_user("alice")
        assert refusal(copy, mine) == NOT_VALID


def test_a_token_is_no_password(shared: Site, alice: tuple[str, str]) -> None:
    """A token cannot be exchanged for a new one, so every login ends some day."""
    refused = shared.request("POST", "/+login", {"user": "alice", "password": alice[1]})

    assert (refused.status, refused.message) == (401, "a login token is not a password; log in with the password")


class Clock(TimestampSigner):
    """A signer with a clock set by the test."""

    now = 0

    def get_timestamp(self) -> int:
        """Return that time."""
        return self.now


def issued(folder: Path, uuid: str, token: str, shift: int, fields: int | None = None) -> str:
    """Return a token as the server would have issued it ``shift`` seconds from now, with its first fields only."""

    class Shifted(Clock):
        now = int(time.time()) + shift

    key = derive_key((folder / ".secret").read_bytes(), f"wheelgate session {uuid}")
    options = {"key_derivation": "none", "digest_method": hashlib.sha256}
    serializer = URLSafeTimedSerializer(key, signer=Shifted, signer_kwargs=options)
    return f"wgs_{serializer.dumps(serializer.loads(token.removeprefix('wgs_'))[:fields])}"


@pytest.mark.parametrize(
    ("options", "shift", "outcome"),
    [
        pytest.param({}, 0, "ok", id="now"),
        pytest.param({}, -35990, "ok", id="almost ten hours"),
        pytest.param({}, -36010, EXPIRED, id="over ten hours"),
        pytest.param({}, -(10**8), EXPIRED, id="years ago"),
        pytest.param({}, 50, "ok", id="almost a minute ahead"),
        pytest.param({}, 70, NOT_VALID, id="from the future"),
        pytest.param({"session_lifetime": "1h"}, -3590, "ok", id="almost an hour of one"),
        pytest.param({"session_lifetime": "1h"}, -3610, EXPIRED, id="over an hour of one"),
        pytest.param({"session_lifetime": "30d"}, -(29 * 86400), "ok", id="29 days of 30"),
    ],
)
def test_a_token_has_its_time(serve: Serve, tmp_path: Path, options: dict[str, str], shift: int, outcome: str) -> None:
    """A login is valid for as long as the settings say; a token from the future is not."""
    site = serve(**options)
    alice = site.add_user("alice")
    uuid = site.request("GET", "/+api").headers["x-devpi-uuid"]

    token = ("alice", issued(tmp_path / "server", uuid, alice[1], shift))

    assert (status(site, token) if outcome == "ok" else refusal(site, token)) == outcome


def test_a_login_from_before_there_were_epochs_is_valid(serve: Serve, tmp_path: Path) -> None:
    """A token with three fields, as released servers made it, belongs to the first epoch."""
    site = serve()
    alice = site.add_user("alice")
    uuid = site.request("GET", "/+api").headers["x-devpi-uuid"]

    token = ("alice", issued(tmp_path / "server", uuid, alice[1], 0, fields=3))

    assert status(site, token) == "ok"
    assert site.request("POST", "/+logout", auth=token).status == 200
    assert refusal(site, token) == ENDED


@pytest.mark.slow
def test_a_login_that_is_used_ends_too(serve: Serve) -> None:
    """A token that is remembered expires as well."""
    site = serve(session_lifetime="1s")
    alice = site.add_user("alice")
    assert status(site, alice) == "ok"

    time.sleep(2.1)

    assert refusal(site, alice) == EXPIRED


ENDINGS = {
    "own new password": ([("PATCH", "/alice", {"password": "new password"}, "alice")], ENDED),
    "administrator's reset": ([("PATCH", "/alice", {"password": "new password"}, "root")], ENDED),
    "reset to the same password": ([("PATCH", "/alice", {"password": "correct horse"}, "root")], ENDED),
    "logout": ([("POST", "/+logout", None, "alice")], ENDED),
}


@pytest.mark.parametrize(("requests", "sentence"), ENDINGS.values(), ids=ENDINGS)
def test_what_ends_a_session(site: Site, requests: list[tuple[str, str, object, str]], sentence: str) -> None:
    """A new password, from the user or an administrator, and a logout end the token at once."""
    actors = {"alice": site.add_user("alice"), "root": ROOT}
    assert status(site, actors["alice"]) == "ok"

    for method, path, body, actor in requests:
        assert site.request(method, path, body, auth=actors[actor]).status == 200

    assert refusal(site, actors["alice"]) == sentence


def test_deletion_ends_a_session_for_good(site: Site) -> None:
    """A token ends with its user, also if a user of that name and password is created again."""
    alice = site.add_user("alice", "correct horse")
    site.request("DELETE", "/alice", auth=ROOT)
    gone = site.request("PUT", "/alice/dev", {}, auth=alice)
    assert gone.status == 404
    assert status(site, alice) == "noauth"

    again = site.add_user("alice", "correct horse")

    assert refusal(site, alice) == ENDED
    assert status(site, again) == "ok"


@pytest.mark.parametrize(
    "change",
    [{"email": "a@mail.example"}, {"title": "CTO", "password": None}, {}],
    ids=["email", "null password", "nothing"],
)
def test_other_changes_end_no_session(site: Site, change: dict[str, object]) -> None:
    """Only a new password does."""
    alice = site.add_user("alice")

    site.request("PATCH", "/alice", change, auth=ROOT)

    assert status(site, alice) == "ok"


def test_tokens_and_their_end_survive_a_restart(serve: Serve) -> None:
    """A server that is started again knows its tokens, and which of them have ended."""
    before = serve()
    one, two = before.add_user("alice"), before.login("alice", "correct horse")
    before.request("POST", "/+logout", auth=two)

    after = serve()

    assert status(after, one) == "ok"
    assert refusal(after, two) == ENDED


def test_a_new_secret_ends_all_sessions(serve: Serve, tmp_path: Path) -> None:
    """Removing the secret file logs everybody out and has no other effect."""
    alice = serve().add_user("alice")
    (tmp_path / "server" / ".secret").unlink()

    after = serve()

    assert refusal(after, alice) == NOT_VALID
    assert after.login("alice", "correct horse")


@pytest.mark.parametrize("name", ["x" * 100, "名" * 100, "𠀀𠀁" * 50, "abc.def-" * 10], ids=ascii)
def test_names_of_any_length_and_script_can_log_in(shared: Site, name: str) -> None:
    """Names of the maximal length fit into a token."""
    assert status(shared, shared.add_user(name)) == "ok"
