"""Two servers on one PostgreSQL: a token that ends on one node also ends on the other, at the next request."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from tests.helpers.postgres import PostgresServer, postgres  # noqa: F401 - a fixture
from tests.helpers.wire import Auth, call, login

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess

pytestmark = pytest.mark.slow

Nodes = tuple[ServerProcess, ServerProcess]
REVOKED = "this token has been revoked; create a new one"
ENDED = "this token has ended: its user was deleted or has a new password; create a new one"


@pytest.fixture(scope="module")
def nodes(
    tmp_path_factory: pytest.TempPathFactory,
    postgres: PostgresServer,  # noqa: F811
) -> Iterator[Nodes]:
    """Return two servers that share their database and their secret file."""
    folder = tmp_path_factory.mktemp("token-nodes")
    options = (*CHEAP_HASHING, "--database", postgres.new_database())
    one, other = (ServerProcess(folder / name, *options, workers=2) for name in ("one", "other"))
    with one:
        (folder / "other").mkdir(mode=0o700)
        shutil.copy(folder / "one" / ".secret", folder / "other" / ".secret")
        with other:
            yield one, other


def token(node: ServerProcess, name: str) -> tuple[str, str]:
    """Create a user with a token; return the token's ID and the token."""
    root = login(node)
    assert call(node, "PUT", f"/{name}", {"password": "correct horse"}, root).status == 201
    made = call(node, "POST", "/+x/tokens", {"scopes": ["read"]}, login(node, name, "correct horse")).result
    return made["id"], made["token"]


def is_valid(node: ServerProcess, secret: str) -> list[bool]:
    """Whether a token is valid, asked ten times to reach both workers of a node."""
    asked = [call(node, "GET", "/+api", Authorization=f"Bearer {secret}") for _ in range(10)]
    return [answer.result["authstatus"][0] == "ok" for answer in asked]


def reason(node: ServerProcess, secret: str) -> str:
    """Return why a token is refused."""
    refused = call(node, "DELETE", "/root/pypi", Authorization=f"Bearer {secret}")
    assert refused.status == 401
    return refused.message


def revoke(node: ServerProcess, name: str, identifier: str, root: Auth) -> None:
    """Revoke a token."""
    assert call(node, "DELETE", f"/+x/tokens/{identifier}", {}, root).status == 200


def delete(node: ServerProcess, name: str, identifier: str, root: Auth) -> None:
    """Delete the user."""
    assert call(node, "DELETE", f"/{name}", {}, root).status == 200


def replace(node: ServerProcess, name: str, identifier: str, root: Auth) -> None:
    """Delete the user, and create one with the same name and password."""
    delete(node, name, identifier, root)
    assert call(node, "PUT", f"/{name}", {"password": "correct horse"}, root).status == 201


def reset(node: ServerProcess, name: str, identifier: str, root: Auth) -> None:
    """Set the password again."""
    assert call(node, "PATCH", f"/{name}", {"password": "correct horse"}, root).status == 200


@pytest.mark.parametrize("direction", [0, 1], ids=["one to other", "other to one"])
@pytest.mark.parametrize(
    ("end", "sentence"),
    [(revoke, REVOKED), (delete, ENDED), (replace, ENDED), (reset, ENDED)],
    ids=["revoked", "user deleted", "user replaced", "password reset"],
)
def test_a_token_ends_on_both_nodes(nodes: Nodes, end: object, sentence: str, direction: int) -> None:
    """A token made on one node and cached on the other is refused there by every worker as soon as it has ended."""
    here, there = nodes[direction], nodes[1 - direction]
    name = f"user{direction}-{getattr(end, '__name__', '')}"
    identifier, secret = token(here, name)
    assert is_valid(there, secret) == is_valid(here, secret) == [True] * 10

    end(here, name, identifier, login(here))  # type: ignore[operator]

    assert is_valid(there, secret) == [False] * 10
    assert reason(there, secret) == reason(here, secret) == sentence
