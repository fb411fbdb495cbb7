"""``/+whoami``: the user and the credential that the server recognises; and refusals say it, too."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.helpers.distributions import wheel
from tests.helpers.sites import Serve
from tests.helpers.upload_forms import upload

from wheelgate.testing.site import Site

ROOT = ("root", "")
PROXY = {"X-Remote-User": "alice"}


@pytest.fixture(scope="module")
def server(serve_shared: Serve) -> Site:
    """Return a server with a group, and an index that only bob may upload to."""
    site = serve_shared("whoami")
    alice = site.add_user("alice")
    site.add_user("bob")
    assert site.request("PUT", "/+x/groups/team", {"members": ["alice"]}, auth=ROOT).status == 201
    assert site.request("PUT", "/bob/dev", {"acl_upload": ["bob"]}, auth=ROOT).status == 200
    assert alice
    return site


def new_token(site: Site, **body: Any) -> dict[str, Any]:
    """Create an API token of alice."""
    answer = site.request("POST", "/+x/tokens/", body, auth=site.login("alice", "correct horse"))
    return dict(answer.result)


def test_anonymous(server: Site) -> None:
    """Without credentials the answer is null, and wrong ones are refused."""
    assert server.request("GET", "/+whoami").json == {"result": None, "type": "whoami"}
    assert server.request("GET", "/+whoami", auth=("alice", "wrong")).status == 401


def test_a_password(server: Site) -> None:
    """A password has no ID and no end."""
    basic = base64.b64encode(b"alice:correct horse").decode()
    told = server.request("GET", "/+whoami", headers={"Authorization": f"Basic {basic}"})

    assert told.result == {
        "user": "alice",
        "groups": ["team"],
        "credential": {"kind": "password", "id": None, "expires": None, "restriction": None},
        "provider": "password",
    }
    assert told.headers["cache-control"] == "no-store"


def test_a_session(server: Site) -> None:
    """A login has an ID and an end."""
    credential = server.request("GET", "/+whoami", auth=server.login("alice", "correct horse")).result["credential"]

    assert (credential["kind"], len(credential["id"]), credential["restriction"]) == ("session", 12, None)
    until = datetime.fromisoformat(credential["expires"]) - datetime.now(UTC)
    assert timedelta(hours=9) < until <= timedelta(hours=10)


def test_a_token(server: Site) -> None:
    """An API token shows its ID, its end and its limits."""
    made = new_token(server, scopes=["upload"], indices=["bob/dev"], projects=["web"])
    told = server.request("GET", "/+whoami", auth=("__token__", made["token"])).result

    assert told["credential"] == {
        "kind": "token",
        "id": made["id"],
        "expires": made["expires"],
        "restriction": {
            "permissions": ["toxresult_upload", "upload"],
            "indices": ["bob/dev"],
            "projects": ["web"],
            "read_projects": ["web"],
            "change_projects": ["web"],
        },
    }
    assert (told["user"], told["provider"]) == ("alice", "token")


@pytest.mark.parametrize("kind", ["session", "token"])
def test_a_refusal_says_who_and_why(server: Site, kind: str) -> None:
    """A 403 has the permission, the index, the user, the credential and the rule beside its sentence."""
    auth = server.login("alice", "correct horse")
    if kind == "token":
        auth = ("__token__", new_token(server, scopes=["upload"])["token"])
    credential = server.request("GET", "/+whoami", auth=auth).result["credential"]
    del credential["restriction"]

    refused = upload(server, "bob/dev", wheel("demo", "1.0"), auth)

    assert refused.status == 403
    reason = "acl_upload of index bob/dev does not list you"
    assert refused.json == {
        "message": f"user 'alice' has no permission to submit to index bob/dev: {reason}",
        "permission": "upload",
        "resource": "bob/dev",
        "user": "alice",
        "credential": credential,
        "rule": {"plugin": "core", "reason": reason},
    }


def test_a_token_for_another_project(server: Site) -> None:
    """The refusal of a restriction names the project."""
    bob = server.login("bob", "correct horse")
    made = server.request("POST", "/+x/tokens/", {"scopes": ["upload"], "projects": ["web"]}, auth=bob).result

    refused = upload(server, "bob/dev", wheel("demo", "1.0"), ("__token__", made["token"])).json

    assert (refused["project"], refused["rule"]["reason"]) == ("demo", "the token is for web only")


def ended_session(site: Site) -> tuple[str, str]:
    """Return a login that was ended."""
    auth = site.login("alice", "correct horse")
    assert site.request("POST", "/+logout", auth=auth).status == 200
    return auth


def test_an_ended_login(server: Site) -> None:
    """A 401 of somebody who was logged in says who and with what."""
    auth = ended_session(server)

    refused = server.request("PUT", "/alice/new", {}, auth=auth).json

    assert refused["message"] == "this login has ended; log in again"
    assert (refused["user"], refused["permission"], refused["resource"]) == ("alice", "index_create", "alice/new")
    assert (refused["credential"]["kind"], refused["rule"]["plugin"]) == ("session", "core")


@pytest.mark.parametrize(
    "auth",
    [None, ("alice", "wrong"), ("alice", "wgs_AAAAAAAAAAAA.AAAAAA." + "A" * 43), ("__token__", "wgt_nonsense")],
    ids=["nothing", "wrong password", "forged login", "forged token"],
)
def test_others_get_the_message_alone(server: Site, auth: tuple[str, str] | None) -> None:
    """Without valid credentials a refusal tells nothing but its sentence."""
    refused = server.request("PUT", "/alice/new", {}, auth=auth)

    assert (refused.status, list(refused.json)) == (401, ["message"])
