"""Concurrent changes: what a request has read may have changed when it writes.

A policy is asked between the two, so a policy that changes something stands for a second client.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from tests.helpers.sites import Serve

from wheelgate import Index, Server, User, hookimpl

ROOT = ("root", "")


class ConcurrentChange:
    """Makes a change when it is asked about a permission for the first time."""

    def __init__(self, permission: str, change: Callable[[Server], object]) -> None:
        self._permission = permission
        self._change = change

    @hookimpl
    def wheelgate_check_permission(self, server: Server, permission: str) -> None:
        """Make the change."""
        if permission == self._permission:
            self._permission = ""
            with server.database.transaction():
                self._change(server)


def alice(server: Server) -> User:
    """Return alice."""
    user = server.users.get("alice")
    assert user is not None
    return user


def dev(server: Server) -> Index:
    """Return the index alice/dev."""
    index = server.indices.get("alice", "dev")
    assert index is not None
    return index


def delete_user(server: Server) -> None:
    """Delete alice."""
    server.users.delete(alice(server))


def replace_user(server: Server) -> None:
    """Delete alice, and create another user with that name."""
    delete_user(server)
    server.users.create(User("alice", "another stamp", datetime.now(UTC)), None)


def change_password(server: Server) -> None:
    """Change the password of alice."""
    server.users.set_password_hash(alice(server), "", "another stamp")


def create_user(server: Server) -> None:
    """Create the user that the request is about to create."""
    server.users.create(User("new", "stamp", datetime.now(UTC)), None)


def change_index(server: Server) -> None:
    """Change the title of alice/dev."""
    server.indices.modify(dev(server), {**dev(server).config, "title": "ConcurrentChange"})


def create_index(server: Server) -> None:
    """Create the index that the request is about to create."""
    server.indices.create(Index("alice", "new", "stage", {"title": "ConcurrentChange"}))


def delete_index(server: Server) -> None:
    """Delete alice/dev."""
    server.indices.delete(dev(server))


def make_non_volatile(server: Server) -> None:
    """Make alice/dev non-volatile."""
    server.indices.modify(dev(server), {**dev(server).config, "volatile": False})


REPLACED = "user 'alice' was deleted, replaced, or given a new password in the meantime; look again and repeat"
GONE = "The stage alice/dev could not be found."

RACES = [
    pytest.param("PATCH", "/alice", {"title": "x"}, "user_modify", delete_user, 409, REPLACED, id="modify, deleted"),
    pytest.param("PATCH", "/alice", {"title": "x"}, "user_modify", replace_user, 409, REPLACED, id="modify, replaced"),
    pytest.param("PATCH", "/alice", {"password": "x"}, "user_password", change_password, 409, REPLACED, id="password"),
    pytest.param("PUT", "/new", {"password": "x"}, "user_create", create_user, 409, "user already exists", id="create"),
    pytest.param("PUT", "/alice/new", {}, "index_create", create_index, 409, "index 'alice/new' exists", id="index"),
    pytest.param(
        "PUT", "/alice/new", {}, "index_create", delete_user, 404, "no user 'alice'", id="index, owner deleted"
    ),
    pytest.param("PATCH", "/alice/dev", ["title=x"], "index_modify", delete_index, 404, GONE, id="index deleted"),
    pytest.param("DELETE", "/alice/dev", None, "index_delete", delete_index, 404, GONE, id="index deleted twice"),
    pytest.param(
        "DELETE",
        "/alice/dev",
        None,
        "index_delete",
        make_non_volatile,
        403,
        "index alice/dev non-volatile, cannot delete",
        id="index to be kept",
    ),
]


@pytest.mark.parametrize(("method", "path", "body", "permission", "change", "status", "message"), RACES)
def test_a_concurrent_change_is_noticed(
    serve: Serve,
    method: str,
    path: str,
    body: object,
    permission: str,
    change: Callable[[Server], object],
    status: int,
    message: str,
) -> None:
    """A request whose user or index has changed in the meantime is refused, and the concurrent change stays."""
    before = serve()
    before.add_user("alice")
    before.request("PUT", "/alice/dev", {}, auth=ROOT)
    site = serve(extra={"concurrent": ConcurrentChange(permission, change)})

    refused = site.request(method, path, body, auth=ROOT)

    assert (refused.status, refused.message) == (status, message)
    assert b'"x"' not in site.request("GET", "/").content


def test_no_change_of_an_index_is_lost(serve: Serve) -> None:
    """Operations are applied to the configuration that the index has when they are written."""
    before = serve()
    before.add_user("alice")
    before.request("PUT", "/alice/dev", {}, auth=ROOT)
    site = serve(extra={"concurrent": ConcurrentChange("index_modify", change_index)})

    changed = site.request("PATCH", "/alice/dev", ["bases+=root/pypi", "description=x"], auth=ROOT)

    assert (changed.result["title"], changed.result["bases"]) == ("ConcurrentChange", ["root/pypi"])
