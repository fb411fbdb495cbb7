"""``/{user}/{index}/+why/{project}`` explains what a page shows, and agrees with the page."""

from __future__ import annotations

import pytest
from tests.core.packages.conftest import Shelved
from tests.helpers.memory_indices import project

from wheelgate.errors import UpstreamTimeout

Entry = tuple[str, str, list[str], int]


def why(shelved: Shelved) -> tuple[list[str], list[Entry], str]:
    """Return the indices that serve the project, each index's entry, and all reasons."""
    answer = shelved.get("/root/top/+why/abc", "application/json")
    assert (answer.status, answer.json["type"], answer.result["project"]) == (200, "why", "abc")
    entries = answer.result["indices"]
    seen = [(each["index"], each["state"], each["versions"], each["files"]) for each in entries]
    return answer.result["served_from"], seen, "\n".join(each["reason"] for each in entries)


@pytest.fixture
def stack(shelved: Shelved) -> Shelved:
    """Return a server on which ``root/top`` inherits from ``root/base`` and a mirror that has ``abc``."""
    shelved.far.put(shelved.index("mirror", "far"), "abc", project("abc", "abc-8.tar.gz", "abc-9.tar.gz"))
    shelved.index("base")
    shelved.index("top", bases=["base", "mirror"])
    return shelved


ABSENT: list[tuple[str, str, list[str], int]] = [("root/top", "absent", [], 0), ("root/base", "absent", [], 0)]


def test_only_a_mirror_has_it(stack: Shelved) -> None:
    """A project that no hosted index has comes from the mirror."""
    served, entries, reasons = why(stack)

    assert served == ["root/mirror"]
    assert entries == [*ABSENT, ("root/mirror", "served", ["8", "9"], 2)]
    assert reasons.endswith("no index before it has the name")


@pytest.mark.parametrize("opened", [False, True])
def test_a_hosted_index_has_it(stack: Shelved, opened: bool) -> None:
    """A hosted project hides the mirror, which is shown with its files; a whitelist lets the mirror answer."""
    stack.near.put("root/base", "abc", project("abc", "abc-1.tar.gz"))
    change = ["mirror_whitelist=abc"] if opened else []
    stack.site.request("PATCH", "/root/top", change, auth=("root", ""))

    served, entries, reasons = why(stack)

    assert served == (["root/base", "root/mirror"] if opened else ["root/base"])
    assert entries[1:] == [
        ("root/base", "served", ["1"], 1),
        ("root/mirror", "served" if opened else "hidden", ["8", "9"], 2),
    ]
    if opened:
        assert "a mirror_whitelist allows it in addition to root/base" in reasons
    else:
        assert "the name belongs to root/base" in reasons
        assert "mirror_whitelist of root/top" in reasons


def test_a_name_that_is_only_taken(stack: Shelved) -> None:
    """A project whose files are all deleted still hides the mirror, and the reason names its index."""
    stack.near.taken.add("abc")

    served, entries, reasons = why(stack)

    assert (served, entries[2][1]) == ([], "hidden")
    assert "the name belongs to root/top" in reasons


def test_the_same_file_names(stack: Shelved) -> None:
    """An index is hidden if an earlier index has all its file names."""
    stack.near.put("root/top", "abc", project("abc", "abc-1.tar.gz"))
    stack.near.put("root/base", "abc", project("abc", "abc-1.tar.gz"))

    served, entries, reasons = why(stack)

    assert (served, entries[1]) == (["root/top"], ("root/base", "hidden", ["1"], 1))
    assert "root/top comes first and has files of the same names" in reasons


@pytest.mark.parametrize(
    ("own", "base", "served"),
    [("quarantined", "active", []), ("active", "quarantined", ["root/top"])],
)
def test_quarantine(stack: Shelved, own: str, base: str, served: list[str]) -> None:
    """A quarantined project is not served; if the first index quarantines it, no index serves it."""
    stack.near.put("root/top", "abc", project("abc", "abc-1.tar.gz", status=own))
    stack.near.put("root/base", "abc", project("abc", "abc-2.tar.gz", status=base))

    explained, _, reasons = why(stack)

    assert explained == served
    assert "quarantined" in reasons


def test_a_silent_upstream(stack: Shelved) -> None:
    """An upstream that does not answer is shown as unavailable with its reason; the request itself succeeds."""
    stack.far.put("root/mirror", "abc", UpstreamTimeout("'upstream.example' does not answer"))

    served, entries, reasons = why(stack)

    assert (served, entries[2][1:]) == ([], ("unavailable", [], 0))
    assert "'upstream.example' does not answer" in reasons


def test_stale(stack: Shelved) -> None:
    """Files that an upstream could not confirm are marked."""
    stack.far.put("root/mirror", "abc", project("abc", "abc-9.tar.gz", stale=True))

    assert "its upstream does not answer, so these are the files that it listed last" in why(stack)[2]


def test_it_is_a_feature_of_the_server(stack: Shelved) -> None:
    """A client learns from /+api that the server has this address."""
    assert "why" in stack.get("/+api", "application/json").result["features"]
