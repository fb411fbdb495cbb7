"""Valid tokens authenticate their user in every header; invalid ones are refused with the reason."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.sites import Serve
from tests.plugins.tokens.conftest import ROOT, TokenOwner, basic, bearer, identifier, status

from wheelgate.testing.site import Site

NOT_VALID = "this token is not valid here: it is incomplete, was changed, or comes from another server"
EXPIRED = "this token has expired; create a new one"
REVOKED = "this token has been revoked; create a new one"
ENDED = "this token has ended: its user was deleted or has a new password; create a new one"
ANOTHERS = "this token is not valid here: it belongs to another user"
CHALLENGE = 'Basic realm="pypi", Bearer realm="pypi", error="invalid_token"'


def refusal(site: Site, headers: dict[str, str]) -> str:
    """Return why a request that needs a right is refused, and check that public reads still work."""
    assert status(site, headers) == ["noauth", "", []]
    assert site.request("GET", "/root/pypi", headers=headers).status == 200
    refused = site.request("DELETE", "/root/pypi", headers=headers)
    assert (refused.status, refused.headers["www-authenticate"]) == (401, CHALLENGE)
    return refused.message


HEADERS: dict[str, Callable[[str, str], dict[str, str]]] = {
    "basic as __token__": lambda name, secret: basic("__token__", secret),
    "basic as the user": basic,
    "bearer": lambda name, secret: bearer(secret),
    "bearer in lower case": lambda name, secret: {"Authorization": f"bearer  {secret}"},
    "the command's header as __token__": lambda name, secret: devpi("__token__", secret),
    "the command's header as the user": lambda name, secret: devpi(name, secret),
}


def devpi(name: str, secret: str) -> dict[str, str]:
    """Return the header that the ``devpi`` command sends."""
    return {"X-Devpi-Auth": basic(name, secret)["Authorization"].removeprefix("Basic ")}


@pytest.mark.parametrize("way", HEADERS.values(), ids=HEADERS)
def test_a_token_authenticates_its_user(alice: TokenOwner, way: Callable[[str, str], dict[str, str]]) -> None:
    """A token works in each header, with either name, and more than once."""
    headers = way(alice.name, alice.token()[1])

    assert status(alice.site, headers) == ["ok", alice.name, []]
    assert status(alice.site, headers) == ["ok", alice.name, []]


def test_a_token_with_another_users_name_is_refused(alice: TokenOwner) -> None:
    """With another name a token is refused, even after it was accepted with the right one."""
    _, secret = alice.token()
    assert status(alice.site, basic(alice.name, secret))[0] == "ok"

    assert refusal(alice.site, basic("root", secret)) == ANOTHERS
    assert refusal(alice.site, basic("nobody", secret)) == ANOTHERS


def test_no_user_can_be_named_token(shared: Site) -> None:
    """No user can have the name ``__token__``, which stands for a token's user."""
    refused = shared.request("PUT", "/__token__", {"password": "correct horse"}, auth=ROOT)

    assert refused.status == 400
    assert "stands for the user of an API token" in refused.message


@pytest.mark.slow
def test_every_character_counts(alice: TokenOwner) -> None:
    """Replacing any character of a token makes it invalid."""
    _, secret = alice.token("upload", indices=["team/prod"])
    for place in range(len("wgt_"), len(secret)):
        for other in {"-", "_", "A", "."} - {secret[place]}:
            changed = secret[:place] + other + secret[place + 1 :]

            assert status(alice.site, bearer(changed)) == ["noauth", "", []], (place, other)


def flipped(character: str) -> str:
    """Return the character with its last bit flipped, which a base64 decoder may ignore."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return letters[letters.index(character) ^ 1]


CHANGES: dict[str, Callable[[str], str]] = {
    "prefix only": lambda secret: "wgt_",
    "cut": lambda secret: secret[:-1],
    "one more character": lambda secret: secret + "A",
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
def test_a_changed_token_is_not_valid(alice: TokenOwner, change: Callable[[str], str]) -> None:
    """A changed token is still recognised as a token and refused as such; it is never tried as a password."""
    _, secret = alice.token()

    assert refusal(alice.site, basic(alice.name, change(secret))) == NOT_VALID


def test_a_token_of_another_server_is_not_valid(serve: Serve, tmp_path: Path) -> None:
    """A token of another server is invalid, even if both servers have the same secret and the same user."""
    here, there = serve("here"), tmp_path / "there"
    there.mkdir()
    (there / ".secret").write_bytes((tmp_path / "here" / ".secret").read_bytes())
    (there / ".secret").chmod(0o600)
    here.add_user("alice")
    with Site(there) as other:
        _, secret = TokenOwner(other, other.add_user("alice")).token()
        assert refusal(here, bearer(secret)) == NOT_VALID


def test_a_restart_ends_no_token(serve: Serve) -> None:
    """After a restart tokens are still valid, and revoked ones still revoked."""
    before = serve()
    alice = TokenOwner(before, before.add_user("alice"))
    (_, kept), (_, revoked) = alice.token(), alice.token()
    before.request("DELETE", f"/+x/tokens/{identifier(revoked)}", auth=alice.auth)

    after = serve()

    assert status(after, bearer(kept))[0] == "ok"
    assert refusal(after, bearer(revoked)) == REVOKED


def test_a_new_secret_ends_all_tokens(serve: Serve, tmp_path: Path) -> None:
    """Removing the secret file makes every token invalid."""
    before = serve()
    _, secret = TokenOwner(before, before.add_user("alice")).token()
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
def test_a_token_ends_with_its_user(alone: TokenOwner, requests: list[tuple[str, str, Any, str]]) -> None:
    """A token ends with its user and with the password; a new user of the same name has none of the tokens."""
    _, secret = alone.token()
    assert status(alone.site, bearer(secret))[0] == "ok"

    for method, path, body, actor in requests:
        auth = {"alice": alone.auth, "root": ROOT}[actor]
        assert alone.site.request(method, path, body, auth=auth).status in (200, 201)

    assert refusal(alone.site, bearer(secret)) == ENDED


def test_other_changes_end_no_token(alone: TokenOwner) -> None:
    """A new title of the user does not end a token."""
    _, secret = alone.token()

    assert alone.site.request("PATCH", "/alice", {"title": "CTO"}, auth=alone.auth).status == 200

    assert status(alone.site, bearer(secret))[0] == "ok"


def test_a_revoked_token_is_invalid_at_once(alone: TokenOwner) -> None:
    """Revoking ends a token at once, even if it was just used; other tokens stay valid."""
    (_, one), (_, other) = alone.token(), alone.token()
    assert status(alone.site, bearer(one))[0] == "ok"

    assert alone.site.request("DELETE", f"/+x/tokens/{identifier(one)}", auth=alone.auth).status == 200

    assert refusal(alone.site, bearer(one)) == REVOKED
    assert status(alone.site, bearer(other))[0] == "ok"


def test_a_token_expires(alice: TokenOwner, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token expires on time, even if the server has it in a cache."""
    _, secret = alice.token(expires_in=60)
    assert status(alice.site, bearer(secret))[0] == "ok"
    now = time.time()

    monkeypatch.setattr(time, "time", lambda: now + 61)
    cached = refusal(alice.site, bearer(secret))
    alice.site.request("PUT", f"/{alice.name}/new", {}, auth=ROOT)

    assert cached == refusal(alice.site, bearer(secret)) == EXPIRED


def test_a_shorter_longest_lifetime_ends_older_tokens(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shorter ``--token-longest-lifetime`` also applies to tokens that were made before."""
    before = serve()
    _, secret = TokenOwner(before, before.add_user("alice")).token(expires_in=86400)
    after = serve(token_longest_lifetime="1h")
    assert status(after, bearer(secret))[0] == "ok"
    now = time.time()

    monkeypatch.setattr(time, "time", lambda: now + 3601)

    assert refusal(after, bearer(secret)) == EXPIRED


def test_a_token_is_no_password(alice: TokenOwner) -> None:
    """A login with a token is refused, because a session would have more rights than the token."""
    for name in (alice.name, "__token__"):
        refused = alice.site.request("POST", "/+login", {"user": name, "password": alice.token()[1]})

        assert refused.status == 401
        assert refused.message.startswith("an API token is not a password")


@pytest.mark.parametrize("copied", ["", " {}", "'{}'", "\n{}", "correct horse"], ids=repr)
def test_what_is_no_token_is_refused_with_the_reason(alice: TokenOwner, copied: str) -> None:
    """If the password of ``__token__`` is not a token, the message says so, without the password."""
    secret = copied.format(alice.token()[1])

    refused = alice.site.request("DELETE", "/root/pypi", headers=basic("__token__", secret))

    assert refused.status == 401
    assert refused.message.startswith("the password of user '__token__' has to be an API token, but begins differently")
    assert not secret or secret not in refused.message


def test_other_bearer_tokens_are_ignored(alice: TokenOwner) -> None:
    """A bearer token with another prefix counts as no credentials."""
    answer = alice.site.request("DELETE", "/root/pypi", headers=bearer("eyJhbGciOi.J9.x"))

    assert (answer.status, answer.headers["www-authenticate"]) == (401, 'Basic realm="pypi"')
