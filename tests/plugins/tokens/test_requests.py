"""``/+x/tokens``: requests for tokens, the answers, and who gets them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.helpers.sites import Serve
from tests.plugins.tokens.conftest import ROOT, TokenOwner, basic, identifier

from wheelgate.testing.site import Site


def test_a_token_is_shown_once(alice: TokenOwner) -> None:
    """Only the answer that creates a token contains it, and no cache may store that answer."""
    made = alice.create("upload", indices=["team/prod"], projects=["My_Project"], comment="CI of x", expires_in=3600)

    shown = dict(made.result)
    secret = shown.pop("token")
    assert re.fullmatch(r"wgt_[A-Za-z0-9._-]{80,}", secret)
    assert made.headers["cache-control"] == "no-store"
    later = alice.site.request("GET", f"/+x/tokens/{shown['id']}", auth=alice.auth)
    listed = alice.site.request("GET", "/+x/tokens", auth=alice.auth)
    assert later.json == {"result": shown, "type": "token"}
    assert listed.json == {"result": [shown], "type": "tokens"}
    assert shown["id"] == identifier(secret)
    span = datetime.fromisoformat(shown.pop("expires")) - datetime.fromisoformat(shown.pop("created"))
    assert abs(span - timedelta(hours=1)) <= timedelta(seconds=1)
    assert shown == {
        "id": identifier(secret),
        "user": alice.name,
        "scopes": ["upload"],
        "indices": ["team/prod"],
        "projects": ["my-project"],
        "read_projects": None,
        "change_projects": None,
        "comment": "CI of x",
        "last_used": None,
    }


def test_a_token_lasts_90_days_by_default(alice: TokenOwner) -> None:
    """A token without ``expires_in`` lasts 90 days."""
    expires = datetime.fromisoformat(alice.create("read").result["expires"])

    assert timedelta(days=89) < expires - datetime.now(UTC) < timedelta(days=91)


BAD_REQUESTS: dict[str, tuple[Any, str]] = {
    "not an object": ([], "the body must be a JSON object"),
    "no body": (None, "the body must be a JSON object"),
    "nothing": ({}, "'scopes' is missing"),
    "null": ({"scopes": None}, "'scopes' must be a list of 1 to 100 strings"),
    "string for a list": ({"scopes": "read"}, "'scopes' must be a list"),
    "empty list": ({"scopes": []}, "'scopes' must be a list of 1"),
    "number in a list": ({"scopes": ["read", 1]}, "'scopes' must be a list"),
    "unknown scope": ({"scopes": ["admin"]}, "there is no scope 'admin'; the scopes are read, upload, yank, delete"),
    "unknown key": ({"scopes": ["read"], "user": "root"}, "unknown keys: user"),
    "not a path": ({"scopes": ["read"], "indices": ["prod"]}, "'indices' must contain paths such as team/prod"),
    "long path": ({"scopes": ["read"], "indices": ["a/b/c"]}, "'indices' must contain paths"),
    "long name": ({"scopes": ["read"], "indices": ["a/" + "b" * 101]}, "'indices' must contain paths"),
    "control character": ({"scopes": ["read"], "indices": ["a/b\n"]}, "'indices' must be a list"),
    **{
        f"not a project name in {key}": ({"scopes": ["read"], key: ["-x"]}, f"'{key}' must contain names of projects")
        for key in ("projects", "read_projects", "change_projects")
    },
    "no index": ({"scopes": ["read"], "indices": []}, "'indices' must be a list of 1"),
    "too many": ({"scopes": ["read"], "indices": [f"a/{n}" for n in range(101)]}, "'indices' must be a list of 1"),
    "too long": ({"scopes": ["read"], "projects": [f"{n:040}" for n in range(100)]}, "the token would be too long"),
    "no time": ({"scopes": ["read"], "expires_in": 0}, "'expires_in' must be a number of seconds from 1 to 31536000"),
    "long time": ({"scopes": ["read"], "expires_in": 31536001}, "'expires_in' must be"),
    "true": ({"scopes": ["read"], "expires_in": True}, "'expires_in' must be"),
    "half": ({"scopes": ["read"], "expires_in": 1.5}, "'expires_in' must be"),
    "null time": ({"scopes": ["read"], "expires_in": None}, "'expires_in' must be"),
    "long comment": ({"scopes": ["read"], "comment": "x" * 201}, "'comment' must be one line"),
    "two lines": ({"scopes": ["read"], "comment": "x\ny"}, "'comment' must be one line"),
}


@pytest.mark.parametrize(("body", "sentence"), BAD_REQUESTS.values(), ids=BAD_REQUESTS)
def test_bad_requests_get_a_reason(alice: TokenOwner, body: Any, sentence: str) -> None:
    """A bad request gets 400 with the reason, and creates no token."""
    refused = alice.site.request("POST", "/+x/tokens", body, auth=alice.auth)

    assert (refused.status, refused.message[: len(sentence)]) == (400, sentence)
    assert alice.site.request("GET", "/+x/tokens", auth=alice.auth).result == []


def test_the_longest_lifetime_is_a_setting(serve: Serve) -> None:
    """The setting limits requested lifetimes and the default."""
    site = serve(token_longest_lifetime="7d")
    alice = TokenOwner(site, site.add_user("alice"))

    refused = alice.create("read", expires_in=7 * 86400 + 1)
    default = datetime.fromisoformat(alice.create("read").result["expires"])

    assert refused.status == 400
    assert "--token-longest-lifetime" in refused.message
    assert default - datetime.now(UTC) <= timedelta(days=7)


def test_anonymous_clients_get_no_token(shared: Site) -> None:
    """Creating a token needs a login or a password."""
    body = {"scopes": ["read"]}

    assert shared.request("POST", "/+x/tokens", body).status == 401
    assert shared.request("GET", "/+x/tokens").status == 401
    assert shared.request("POST", "/+x/tokens", body, headers=basic("root", "")).status == 200


def test_only_their_user_and_root_see_tokens(alice: TokenOwner) -> None:
    """For other users a token is answered like one that does not exist."""
    made = alice.create("read").result["id"]
    other = TokenOwner(alice.site, alice.site.add_user(f"{alice.name}-other"))

    def ask(method: str, path: str, auth: tuple[str, str]) -> int:
        return alice.site.request(method, f"/+x/tokens{path}", auth=auth).status

    for method in ("GET", "DELETE"):
        assert ask(method, f"/{made}", other.auth) == ask(method, "/AAAAAAAAAAAA", other.auth) == 404
    assert ask("GET", f"?user={alice.name}", other.auth) == 403
    assert [each["id"] for each in listed(alice.site, f"?user={alice.name}", ROOT)] == [made]
    assert ask("GET", f"/{made}", ROOT) == ask("DELETE", f"/{made}", ROOT) == 200
    assert ask("GET", f"/{made}", alice.auth) == 404
    assert ask("GET", "?user=nobody", ROOT) == 404


@pytest.mark.parametrize("name", ["%00", "x%00y", "%ED%A0%80", "%FF", "x" * 1000, "%0A"])
def test_odd_names_do_not_exist(shared: Site, name: str) -> None:
    """Every odd name in a path or a query gets 404, on both databases."""
    asked = [
        shared.request("GET", f"/+x/tokens?user={name}", auth=ROOT),
        shared.request("GET", f"/+x/tokens/{name}", auth=ROOT),
        shared.request("DELETE", f"/+x/tokens/{name}", auth=ROOT),
    ]

    assert {each.status for each in asked} == {404}


def listed(site: Site, query: str, auth: tuple[str, str]) -> list[dict[str, Any]]:
    """Return a list of tokens."""
    return list(site.request("GET", f"/+x/tokens{query}", auth=auth).result)


def test_a_new_password_empties_the_list(alone: TokenOwner) -> None:
    """Tokens that a new password has ended are not listed."""
    made = alone.create("read").result["id"]
    alone.site.request("PATCH", "/alice", {"password": "new password"}, auth=ROOT)
    anew = alone.site.login("alice", "new password")

    assert listed(alone.site, "", anew) == []
    gone = alone.site.request("GET", f"/+x/tokens/{made}", auth=anew)
    assert (gone.status, "has ended" in gone.message) == (404, True)


def test_a_user_has_at_most_200_tokens(alone: TokenOwner) -> None:
    """The 201st token is refused until the user revokes one."""
    database = alone.site.server.database
    first = alone.create("read").result["id"]
    with database.transaction():
        for number in range(199):
            database.write(
                "INSERT INTO tokens_token SELECT ?, digest, username, stamp, comment, caveat, created, expires,"
                " last_used FROM tokens_token WHERE id = ?",
                (f"copy{number}", first),
            )

    refused = alone.create("read")
    alone.site.request("DELETE", f"/+x/tokens/{first}", auth=alone.auth)

    assert (refused.status, refused.message) == (409, "user 'alice' already has 200 tokens; revoke some")
    assert alone.create("read").status == 200


def test_the_routes_are_described(shared: Site) -> None:
    """OpenAPI describes the routes and their bodies, and ``+api`` lists the feature."""
    paths = shared.request("GET", "/+openapi").json["paths"]

    assert paths["/+x/tokens"]["post"]["summary"] == "Create an API token"
    schema = paths["/+x/tokens"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert schema["properties"]["scopes"]["items"]["enum"] == ["read", "upload", "yank", "delete"]
    assert set(paths["/+x/tokens/{id}"]) == {"get", "delete", "parameters"}
    assert "api-tokens" in shared.request("GET", "/+api").result["features"]
