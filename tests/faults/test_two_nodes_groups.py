"""Two servers on one PostgreSQL: a change of a group on one node counts on the other at the next request."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.helpers.postgres import PostgresServer, postgres  # noqa: F401 - a fixture
from tests.helpers.wire import Answer, call, login

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess

pytestmark = pytest.mark.slow

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def nodes(
    tmp_path_factory: pytest.TempPathFactory,
    postgres: PostgresServer,  # noqa: F811
) -> Iterator[tuple[ServerProcess, ServerProcess]]:
    """Return two servers of two workers each that share their database, with a user and a private index."""
    folder = tmp_path_factory.mktemp("grouped")
    secret = folder / "secret"
    secret.write_text(secrets.token_urlsafe(48))
    secret.chmod(0o600)
    options = (*CHEAP_HASHING, "--database", postgres.new_database(), "--secretfile", str(secret))
    one, other = (ServerProcess(folder / name, *options, workers=2) for name in ("one", "other"))
    with one, other:
        for user in ("alice", "bob"):
            assert call(one, "PUT", f"/{user}", {"password": PASSWORD}).status == 201
        assert call(one, "PUT", "/root/dev", {"acl_read": ":devs"}, login(one)).status == 200
        yield one, other


def group(node: ServerProcess, method: str, name: str, body: object = None) -> Answer:
    """Change a group."""
    return call(node, method, f"/+x/groups/{name}", {} if body is None else body, login(node))


def test_a_change_counts_everywhere(nodes: tuple[ServerProcess, ServerProcess]) -> None:
    """Adding and removing a member on either node counts on every worker of both, for sessions and passwords."""
    session = login(nodes[0], "alice", PASSWORD)
    assert group(nodes[0], "PUT", "devs").status == 201
    for number in range(6):
        here, there = nodes[number % 2], nodes[1 - number % 2]
        inside = number % 2 == 0
        assert group(here, "PATCH", "devs", [f"members{'+' if inside else '-'}=alice"]).status == 200

        for node in (there, here) * 4:
            for credentials in (session, ("alice", PASSWORD)):
                seen = call(node, "GET", "/root/dev", None, credentials).status
                assert seen == (200 if inside else 404)


def test_a_deleted_user_leaves_groups_on_both_nodes(nodes: tuple[ServerProcess, ServerProcess]) -> None:
    """A new user with the name of a deleted one is in none of its groups, on either node."""
    one, other = nodes
    assert group(one, "PUT", "staff", {"members": ["bob"]}).status == 201
    assert call(one, "GET", "/+api", None, ("bob", PASSWORD)).result["authstatus"][2] == ["staff"]

    assert call(one, "DELETE", "/bob", {}, login(one)).status == 200
    assert call(other, "PUT", "/bob", {"password": PASSWORD}).status == 201

    for node in (other, one) * 2:
        assert call(node, "GET", "/+api", None, ("bob", PASSWORD)).result["authstatus"][2] == []


def test_changes_at_once(nodes: tuple[ServerProcess, ServerProcess]) -> None:
    """Changes on both nodes at once are not lost, and never nest groups more than one level deep."""
    names = [f"g{number}" for number in range(6)]
    for name in names:
        assert group(nodes[0], "PUT", name).status == 201
    logins = [login(node) for node in nodes]

    def put(number: int) -> None:
        where = number % 2
        body = [f"members+=:{names[(number + 1) % 6]}", "members+=alice"]
        call(nodes[where], "PATCH", f"/+x/groups/{names[number]}", body, logins[where])
        call(nodes[where], "PATCH", f"/+x/groups/{names[number]}", ["members+=root"], logins[where])

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(put, range(6)))

    groups = call(nodes[0], "GET", "/+x/groups", None, logins[0]).result
    nested = {name for name in names if any(member.startswith(":") for member in groups[name]["members"])}
    assert all("root" in groups[name]["members"] for name in names)
    assert nested
    assert not any(f":{name}" in groups[outer]["members"] for outer in names for name in nested)
