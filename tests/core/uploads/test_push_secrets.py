"""A push gets nobody at what is held back, and tells nobody what is hidden."""

from __future__ import annotations

import pytest
from tests.core.uploads.conftest import Owned
from tests.core.uploads.test_push import RELEASE, filled, push  # noqa: F401


@pytest.mark.parametrize("rest", [{}, {"only_docs": True}], ids=["files", "documentation"])
def test_a_project_in_quarantine_is_not_pushed(filled: Owned, other: tuple[str, str], rest: dict[str, bool]) -> None:  # noqa: F811
    """Nobody gets at the files of a quarantined project by a push to an index of their own; the owner neither."""
    status = {"status": "quarantined", "reason": "malware"}
    assert filled.site.request("PATCH", f"/{filled.index}/my-pkg", status, auth=filled.auth).status == 200
    assert filled.site.request("PUT", f"/{other[0]}/dev", {}, auth=other).status == 200

    for auth, target in ((other, f"{other[0]}/dev"), (filled.auth, filled.add_index("prod"))):
        refused = push(filled, {**RELEASE, "targetindex": target, **rest}, auth)
        assert refused.status == 403
        assert "is quarantined: malware; its files are held back" in refused.message
        assert filled.site.request("GET", f"/{target}/my-pkg", headers={"Accept": "application/json"}).status == 404


def test_the_history_of_a_file_hides_private_indices(filled: Owned, other: tuple[str, str]) -> None:  # noqa: F811
    """Only those who may read the index that a file comes from see in its history that it was there."""
    site, target = filled.site, filled.add_index("prod")
    push(filled, {**RELEASE, "targetindex": target}, filled.auth)

    def history(auth: tuple[str, str] | None) -> str:
        found = site.request("GET", f"/{target}/my-pkg/1.0", auth=auth, headers={"Accept": "application/json"})
        return str([link.get("log") for link in found.result["+links"]])

    assert all(filled.index in history(auth) for auth in (None, other, filled.auth))
    site.request("PATCH", f"/{filled.index}", {"acl_read": [filled.owner]}, auth=filled.auth)
    assert [filled.index in history(auth) for auth in (None, other, filled.auth)] == [False, False, True]
    assert "'what': 'push'" in history(None)
    site.request("DELETE", f"/{filled.index}", auth=filled.auth)
    assert [filled.index in history(auth) for auth in (None, other, filled.auth)] == [False, False, True]
