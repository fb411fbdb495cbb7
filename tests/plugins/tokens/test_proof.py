"""What a token proves, by which headers, and all the ways in which one is no good."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.sites import Serve
from tests.plugins.tokens.conftest import ROOT, Holder, basic, bearer, identifier, status

from wheelgate.testing.site import Site

NOT_VALID = "this token is not valid here: it was cut, changed, or made by another server"
EXPIRED = "this token has expired; create a new one"
REVOKED = "this token has been revoked; create a new one"
ENDED = "this token has ended: its user was deleted or has a new password; create a new one"
ANOTHERS = "this token is not valid here: it is another user's"
CHALLENGE = 'Basic realm="wheelgate", Bearer realm="wheelgate", error="invalid_token"'


def refusal(site: Site, headers: dict[str, str]) -> str:
    """Return why a token is refused where a right is needed, and check that what is open stays open."""
    assert status(site, headers) == ["noauth", "", []]
    assert site.request("GET", "/root/pypi", headers=headers).status == 200
    refused = site.request("DELETE", "/root/pypi", headers=headers)
    assert (refused.status, refused.headers["www-authenticate"]) == (401, CHALLENGE)
    return refused.message


WAYS: dict[str, Callable[[str, str], dict[str, str]]] = {
    "basic as __token__": lambda name, secret: basic("__token__", secret),
    "basic as the user": basic,
    "bearer": lambda name, secret: bearer(secret),
    "bearer in small letters": lambda name, secret: {"Authorization": f"bearer  {secret}"},
    "the command's header as __token__": lambda name, secret: devpi("__token__", secret),
    "the command's header as the user": lambda name, secret: devpi(name, secret),
}


def devpi(name: str, secret: str) -> dict[str, str]:
    """Return the header of the ``devpi`` command."""
    return {"X-Devpi-Auth": basic(name, secret)["Authorization"].removeprefix("Basic ")}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_token_proves_its_user(alice: Holder, way: Callable[[str, str], dict[str, str]]) -> None:
    """In each header, and under either name."""
    headers = way(alice.name, alice.token()[1])

    assert status(alice.site, headers) == ["ok", alice.name, []]
    assert status(alice.site, headers) == ["ok", alice.name, []]


def test_a_token_is_its_users_alone(alice: Holder) -> None:
    """Under another name it proves nothing, also after it was good under the right one."""
    _, secret = alice.token()
    assert status(alice.site, basic(alice.name, secret))[0] == "ok"

    assert refusal(alice.site, basic("root", secret)) == ANOTHERS
    assert refusal(alice.site, basic("nobody", secret)) == ANOTHERS


def test_no_user_is_called_like_that(shared: Site) -> None:
    """The name that stands for a token's user belongs to nobody."""
    refused = shared.request("PUT", "/__token__", {"password": "correct horse"}, auth=ROOT)

    assert refused.status == 400
    assert "stands for the user of an API token" in refused.message


def test_every_character_counts(alice: Holder) -> None:
    """At every place each of some other characters makes the token worthless."""
    _, secret = alice.token("upload", indices=["team/prod"])
    for place in range(len("wgt_"), len(secret)):
        for other in {"-", "_", "A", "."} - {secret[place]}:
            changed = secret[:place] + other + secret[place + 1 :]

            assert status(alice.site, bearer(changed)) == ["noauth", "", []], (place, other)


def flipped(character: str) -> str:
    """Return the character with the last bit of its six turned, which base64 may not look at."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return letters[letters.index(character) ^ 1]


CHANGES: dict[str, Callable[[str], str]] = {
    "prefix alone": lambda secret: "wgt_",
    "cut": lambda secret: secret[:-1],
    "one more": lambda secret: secret + "A",
    "last bit": lambda secret: secret[:-1] + flipped(secret[-1]),
    "without a caveat": lambda secret: ".".join(part for n, part in enumerate(secret.split(".")) if n != 2),
    "caveat twice": lambda secret: secret.replace("." + secret.split(".")[2], 2 * ("." + secret.split(".")[2])),
    "without the signature": lambda secret: secret.rpartition(".")[0],
    "other identifier": lambda secret: secret.replace(identifier(secret), "A" * 12),
    "not ASCII": lambda secret: secret[:-1] + "é",
    "very long": lambda secret: secret + ".AAAA" * 1000,
    "other prefix of a token's length": lambda secret: "wgt_" + "A" * (len(secret) - 4),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_token_is_not_valid(alice: Holder, change: Callable[[str], str]) -> None:
    """It is recognised as a token, never taken for a password, and said to be none."""
    _, secret = alice.token()

    assert refusal(alice.site, basic(alice.name, change(secret))) == NOT_VALID


def test_a_token_of_another_server_is_not_valid(serve: Serve, tmp_path: Path) -> None:
    """Also if both servers have the same secret, and the same user."""
    here, there = serve("here"), tmp_path / "there"
    there.mkdir()
    (there / ".secret").write_bytes((tmp_path / "here" / ".secret").read_bytes())
    (there / ".secret").chmod(0o600)
    here.add_user("alice")
    with Site(there) as other:
        _, secret = Holder(other, other.add_user("alice")).token()
        assert refusal(here, bearer(secret)) == NOT_VALID


def test_a_restart_ends_no_token(serve: Serve) -> None:
    """And one that was revoked stays so."""
    before = serve()
    alice = Holder(before, before.add_user("alice"))
    (_, kept), (_, revoked) = alice.token(), alice.token()
    before.request("DELETE", f"/+x/tokens/{identifier(revoked)}", auth=alice.auth)

    after = serve()

    assert status(after, bearer(kept))[0] == "ok"
    assert refusal(after, bearer(revoked)) == REVOKED


def test_a_new_secret_ends_all_tokens(serve: Serve, tmp_path: Path) -> None:
    """Who removes the secret file makes every token worthless."""
    before = serve()
    _, secret = Holder(before, before.add_user("alice")).token()
    (tmp_path / "server" / ".secret").unlink()

    assert refusal(serve(), bearer(secret)) == NOT_VALID


ENDINGS: dict[str, list[tuple[str, str, Any, str]]] = {
    "own new password": [("PATCH", "/alice", {"password": "new password"}, "alice")],
    "administrator's reset": [("PATCH", "/alice", {"password": "correct horse"}, "root")],
    "deletion": [("DELETE", "/alice", None, "root")],
    "deletion and recreation": [
        ("DELETE", "/alice", None, "root"),
        ("PUT", "/alice", {"password": "correct horse"}, "root"),
    ],
}


@pytest.mark.parametrize("requests", ENDINGS.values(), ids=ENDINGS)
def test_a_token_ends_with_its_user(alone: Holder, requests: list[tuple[str, str, Any, str]]) -> None:
    """With the user, with the password, and for good: who gets the name next has none of the tokens."""
    _, secret = alone.token()
    assert status(alone.site, bearer(secret))[0] == "ok"

    for method, path, body, actor in requests:
        auth = {"alice": alone.auth, "root": ROOT}[actor]
        assert alone.site.request(method, path, body, auth=auth).status in (200, 201)

    assert refusal(alone.site, bearer(secret)) == ENDED


def test_other_changes_end_no_token(alone: Holder) -> None:
    """A new title is no reason."""
    _, secret = alone.token()

    assert alone.site.request("PATCH", "/alice", {"title": "CTO"}, auth=alone.auth).status == 200

    assert status(alone.site, bearer(secret))[0] == "ok"


def test_a_revoked_token_is_worth_nothing(alone: Holder) -> None:
    """At once, also one that was just used; the others stay."""
    (_, one), (_, other) = alone.token(), alone.token()
    assert status(alone.site, bearer(one))[0] == "ok"

    assert alone.site.request("DELETE", f"/+x/tokens/{identifier(one)}", auth=alone.auth).status == 200

    assert refusal(alone.site, bearer(one)) == REVOKED
    assert status(alone.site, bearer(other))[0] == "ok"


def test_a_token_expires(alice: Holder, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is remembered from a moment ago does too."""
    _, secret = alice.token(expires_in=60)
    assert status(alice.site, bearer(secret))[0] == "ok"
    now = time.time()

    monkeypatch.setattr(time, "time", lambda: now + 61)
    remembered = refusal(alice.site, bearer(secret))
    alice.site.request("PUT", f"/{alice.name}/new", {}, auth=ROOT)

    assert remembered == refusal(alice.site, bearer(secret)) == EXPIRED


def test_an_administrator_shortens_every_life(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shorter longest lifetime counts for tokens that were made before."""
    before = serve()
    _, secret = Holder(before, before.add_user("alice")).token(expires_in=86400)
    after = serve(token_longest_lifetime="1h")
    assert status(after, bearer(secret))[0] == "ok"
    now = time.time()

    monkeypatch.setattr(time, "time", lambda: now + 3601)

    assert refusal(after, bearer(secret)) == EXPIRED


def test_a_token_is_no_password(alice: Holder) -> None:
    """Nobody logs in with one, so that what it may not do stays out of its reach."""
    for name in (alice.name, "__token__"):
        refused = alice.site.request("POST", "/+login", {"user": name, "password": alice.token()[1]})

        assert refused.status == 401
        assert refused.message.startswith("an API token is not a password")


def test_the_rest_of_the_bearers_are_left_alone(alice: Holder) -> None:
    """What begins otherwise is nobody's here, and so no problem by itself."""
    answer = alice.site.request("DELETE", "/root/pypi", headers=bearer("eyJhbGciOi.J9.x"))

    assert (answer.status, answer.headers["www-authenticate"]) == (401, 'Basic realm="wheelgate"')
