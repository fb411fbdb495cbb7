"""What users store about themselves and their indices has limits, and listings leave long values out."""

from __future__ import annotations

from typing import Any

import pytest
from tests.helpers.sites import Serve
from tests.helpers.upload_forms import submit

from wheelgate.testing.site import Site

MANY = 20
"""Indices of one user in the test of listings."""
LONG: dict[str, Any] = {"description": "d" * 20_000, "custom_data": "c" * 49_000}
"""Values just below their limits."""

TOO_LONG = [
    ("/alice", {"title": "t" * 1001}, "'title' has at most 1000 characters, not 1001"),
    ("/alice", {"email": "e" * 1001}, "'email' has at most 1000 characters, not 1001"),
    ("/alice", {"description": "d" * 20_001}, "'description' has at most 20000 characters, not 20001"),
    ("/alice", {"custom_data": ["c" * 50_000]}, "'custom_data' has at most 50000 bytes as JSON"),
    ("/alice/dev", {"title": "t" * 1001}, "'title' has at most 1000 characters, not 1001"),
    ("/alice/dev", [f"title={'t' * 1001}"], "'title' has at most 1000 characters, not 1001"),
    ("/alice/dev", {"description": "d" * 20_001}, "'description' has at most 20000 characters, not 20001"),
    ("/alice/dev", {"custom_data": {"c" * 50_000: 1}}, "'custom_data' has at most 50000 bytes as JSON"),
    ("/alice/dev", {"mirror_whitelist": ["a"] * 5001}, "a list has at most 5000 entries, not 5001"),
    ("/alice/dev", {"mirror_whitelist": "a," * 5001}, "a list has at most 5000 entries, not 5002"),
    ("/alice/dev", {"mirror_whitelist": ["a" * 501]}, "an entry of a list has at most 500 characters"),
    ("/alice/dev", {"mirror_whitelist": ["a" * 190] * 600}, "at most 100000 bytes as JSON"),
    ("/alice/dev", ["mirror_whitelist+=" + "a" * 501], "an entry of a list has at most 500 characters"),
    ("/alice/dev", ["title=a"] * 1001, "a request has at most 1000 operations, not 1001"),
    ("/alice/dev", [f"bases+=root/b{number}" for number in range(101)], "an index has at most 100 bases, not 101"),
    ("/alice/dev", {"bases": [f"root/b{number}" for number in range(101)]}, "an index has at most 100 bases, not 101"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "body", "sentence"), TOO_LONG, ids=[f"{path} {sentence[:30]}" for path, _, sentence in TOO_LONG]
)
def test_values_have_limits(shared: Site, fresh: str, path: str, body: Any, sentence: str) -> None:
    """A text, a list or a number of operations beyond its limit is refused with the limit, and nothing changes."""
    auth = shared.add_user(fresh)
    shared.request("PUT", f"/{fresh}/dev", {}, auth=auth)
    address = path.replace("alice", fresh)
    before = shared.request("GET", address).content

    refused = shared.request("PATCH", address, body, auth=auth)

    assert refused.status == 400
    assert sentence in refused.message
    assert shared.request("GET", address).content == before


def test_operations_can_shorten_a_list_one_by_one(site: Site) -> None:
    """Adding, removing and setting the same key in one request works in order, and each entry stays once."""
    alice = site.add_user("alice")
    site.request("PUT", "/alice/dev", {"mirror_whitelist": ["a", "b"]}, auth=alice)
    changes = ["mirror_whitelist+=c", "mirror_whitelist+=a", "mirror_whitelist-=b", "title=x", "mirror_whitelist+=b"]

    changed = site.request("PATCH", "/alice/dev", changes, auth=alice)
    replaced = site.request("PATCH", "/alice/dev", ["mirror_whitelist=z", "mirror_whitelist+=y"], auth=alice)

    assert changed.result["mirror_whitelist"] == ["a", "c", "b"]
    assert replaced.result["mirror_whitelist"] == ["z", "y"]


def test_listings_leave_long_values_out(site: Site) -> None:
    """``GET /`` and the indices in ``GET /USER`` show short values only; the address of the index shows all."""
    alice = site.add_user("alice")
    site.request("PATCH", "/alice", LONG, auth=alice)
    for number in range(MANY):
        site.request("PUT", f"/alice/dev{number}", {"title": "Short", **LONG}, auth=alice)
    everyone = site.request("GET", "/")
    user = site.request("GET", "/alice")
    index = everyone.result["alice"]["indexes"]["dev0"]

    assert len(everyone.content) < MANY * 1000
    assert len(user.content) < MANY * 1000 + 80_000
    assert user.result["description"] == LONG["description"]
    assert "description" not in everyone.result["alice"]
    assert (index["title"], index["acl_upload"]) == ("Short", ["alice"])
    assert LONG.keys().isdisjoint(index)
    assert site.request("GET", "/alice/dev0").result.items() >= LONG.items()


def test_the_versions_of_a_project_are_listed_without_long_values(site: Site) -> None:
    """The address of a project leaves long metadata out of each version; the address of a version shows all."""
    site.request("PUT", "/root/dev", {}, auth=("root", ""))
    for version in ("1.0", "2.0"):
        long = {"summary": "Short", "description": "d" * 1_000_000}
        submit(site, "root/dev", ("root", ""), **{":action": "submit", "name": "demo", "version": version}, **long)
    accept = {"Accept": "application/json"}
    listed = site.request("GET", "/root/dev/demo", headers=accept)

    assert len(listed.content) < 10_000
    assert [data["summary"] for data in listed.result.values()] == ["Short", "Short"]
    assert len(site.request("GET", "/root/dev/demo/1.0", headers=accept).result["description"]) == 1_000_000


def test_a_user_owns_a_limited_number_of_indices(serve: Serve) -> None:
    """Beyond ``--max-indices``, a user has to delete an index before creating another."""
    site = serve(max_indices="2")
    alice = site.add_user("alice")

    created = [site.request("PUT", f"/alice/{name}", {}, auth=alice) for name in ("a", "b", "c")]
    site.request("DELETE", "/alice/a", auth=alice)

    assert [answer.status for answer in created] == [200, 200, 403]
    assert "user 'alice' has 2 indices" in created[2].message
    assert "--max-indices" in created[2].message
    assert site.request("PUT", "/alice/c", {}, auth=alice).status == 200
