"""The kit for tests of plugins: a whole server without a socket."""

from __future__ import annotations

import pytest

from wheelgate.testing.site import Site


def test_the_kit_says_what_went_wrong(shared: Site) -> None:
    """If a login or the creation of a user fails, the kit raises an error with the server's response."""
    with pytest.raises(AssertionError, match=r"cannot log in as nobody: 401 .*could not be authenticated"):
        shared.login("nobody", "x")
    with pytest.raises(AssertionError, match=r"cannot create the user root: 409 .*user already exists"):
        shared.add_user("root")


def test_an_answer_has_all_that_a_test_asks_for(shared: Site) -> None:
    """A response has status, headers, bytes and decoded JSON."""
    answer = shared.request("GET", "/root?x=1", headers={"Host": "packages.example"})

    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.result["username"] == answer.json["result"]["username"] == "root"
    assert b'"root"' in answer.content
