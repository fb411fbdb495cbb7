"""The page cache: pages are rendered once, and again as soon as something changes that they are made of."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import falcon.testing
import pytest
from tests.core.packages.conftest import JSON, ROOT, Shelved
from tests.helpers.concurrent_requests import conduct
from tests.helpers.memory_indices import Gate, file, project

from wheelgate.packages import ProjectList

LONG_AGO, LATER = 1.0, 10.0**11
PAGE = "/root/dev/+simple/abc/"


def names(shelved: Shelved) -> list[str]:
    """Return the files of the page."""
    return [each["filename"] for each in shelved.get(PAGE).json["files"]]


def test_a_page_is_rendered_once(shelved: Shelved) -> None:
    """While its stamps stay the same, no source is asked again, however much else changes on the server."""
    shelved.index("base")
    path = shelved.index("dev", bases=["base"])
    shelved.near.put(path, "abc", project("abc", "abc-1.tar.gz"))
    first = names(shelved)
    asked = list(shelved.near.asked)

    for number in range(3):
        shelved.near.put(path, f"other-{number}", project(f"other-{number}"))
        shelved.near.put("root/base", "other", project("other"))
        shelved.site.request("PUT", f"/user{number}", {"password": "x"}, auth=ROOT)
        assert names(shelved) == first

    assert asked == shelved.near.asked != []


@pytest.mark.parametrize("accept", [JSON, "text/html"])
@pytest.mark.parametrize("change", ["own", "base", "claimed", "bases", "whitelist", "deleted", "again"])
def test_a_change_shows_at_the_next_request(shelved: Shelved, change: str, accept: str) -> None:
    """A change of anything that a page is made of shows at once."""
    shelved.far.put(shelved.index("mirror", "far"), "abc", project("abc", "abc-9.tar.gz"))
    shelved.index("other")
    shelved.index("base", bases=["mirror"])
    path = shelved.index("dev", bases=["base"])
    shelved.near.put(path, "abc", project("abc", "abc-1.tar.gz"))
    if change == "claimed":
        shelved.near.put(path, "abc", project("abc"))
        shelved.near.delete(shelved_index(shelved, "dev"), "abc")
    before = shelved.get(PAGE, accept)

    def patch(name: str, operation: str) -> None:
        assert shelved.site.request("PATCH", f"/root/{name}", [operation], auth=ROOT).status == 200

    match change:
        case "own":
            shelved.near.put(path, "abc", project("abc", "abc-1.tar.gz", "abc-2.tar.gz"))
        case "base":
            shelved.near.put("root/base", "abc", project("abc", "abc-3.tar.gz"))
        case "claimed":
            shelved.near.put("root/base", "abc", project("abc", "abc-3.tar.gz"))
        case "bases":
            shelved.near.put("root/other", "abc", project("abc", "abc-4.tar.gz"))
            patch("dev", "bases+=root/other")
        case "whitelist":
            patch("dev", "mirror_whitelist=abc")
        case "deleted":
            shelved.site.request("DELETE", "/root/dev", auth=ROOT)
        case "again":
            shelved.site.request("DELETE", "/root/dev", auth=ROOT)
            shelved.index("dev", bases=["mirror", "other"])
    after = shelved.get(PAGE, accept)

    assert before.status == 200
    assert after.status == (404 if change == "deleted" else 200)
    assert after.headers.get("etag") != before.headers["etag"]


def shelved_index(shelved: Shelved, name: str) -> Any:
    """Return an index as its package source sees it."""
    return shelved.near._server.indices.get("root", name)


@pytest.mark.parametrize(("until", "times"), [(None, 1), (LATER, 1), (LONG_AGO, 3)])
def test_a_page_expires(shelved: Shelved, until: float | None, times: int) -> None:
    """A page whose source limits its validity is rendered again when that time is over."""
    path = shelved.index("dev", "far")
    shelved.far.put(path, "abc", project("abc", "abc-1.tar.gz", until=until))

    for _ in range(3):
        names(shelved)

    assert len(shelved.far.asked) == times


@pytest.mark.parametrize("until", [None, LONG_AGO])
def test_the_list_expires(shelved: Shelved, until: float | None) -> None:
    """A list whose source limits its validity is rendered again when that time is over."""
    path = shelved.index("dev", "far")
    shelved.far.put_listing(path, ProjectList(["old"], until=until))
    shelved.get("/root/dev/+simple/")
    shelved.far.put_listing(path, ProjectList(["new"], until=until))

    listed = shelved.get("/root/dev/+simple/").json["projects"]

    assert listed == [{"name": "old" if until is None else "new"}]


def test_absence_is_not_cached(shelved: Shelved) -> None:
    """An absent project is asked for again: it may exist by now, on an upstream too."""
    path = shelved.index("dev", "far")

    for _ in range(2):
        assert shelved.get(PAGE).status == 404

    assert shelved.far.asked == [(path, "abc")] * 2


def test_a_page_without_a_mirrors_answer_expires(shelved: Shelved) -> None:
    """A mirror that did not have the project, or failed, is asked again although no stamp has changed."""
    shelved.index("mirror", "far")
    path = shelved.index("dev", bases=["mirror"], mirror_whitelist="abc")
    shelved.near.put(path, "abc", project("abc", "abc-1.tar.gz"))
    before = time.time()

    shelved.get(PAGE)

    pages = shelved.site.application.packages.pages._pages
    untils = [page.rendered.until for page in pages.values()]
    assert all(until is not None and before < until < before + 3600 for until in untils)


def test_concurrent_requests_render_once(shelved: Shelved) -> None:
    """Requests for a page that is being rendered wait for it; one that is cancelled does not affect the others."""
    path = shelved.index("dev", "far")
    shelved.far.put(path, "abc", project("abc", "abc-1.tar.gz"))
    gate = Gate()
    shelved.far.hold("abc", gate)

    async def crowd(conductor: falcon.testing.ASGIConductor) -> list[Any]:
        asking = [asyncio.create_task(conductor.simulate_get(PAGE, headers={"Accept": JSON})) for _ in range(20)]
        await gate.arrival()
        asking[0].cancel()
        gate.open()
        return await asyncio.gather(*asking, return_exceptions=True)

    gone, *answers = conduct(shelved.site, crowd)

    assert isinstance(gone, asyncio.CancelledError)
    assert {answer.status_code for answer in answers} == {200}
    assert shelved.far.asked == [(path, "abc")]


def test_a_request_after_a_change_gets_no_older_page(shelved: Shelved) -> None:
    """A request after a change never gets a page whose rendering began before the change."""
    path = shelved.index("dev", "far")
    shelved.far.put(path, "abc", project("abc", "abc-1.tar.gz"))
    gate = Gate()
    shelved.far.hold("abc", gate)

    async def both(conductor: falcon.testing.ASGIConductor) -> list[Any]:
        early = asyncio.create_task(conductor.simulate_get(PAGE, headers={"Accept": JSON}))
        await gate.arrival()
        shelved.far.put(path, "abc", project("abc", "abc-2.tar.gz"))
        late = asyncio.create_task(conductor.simulate_get(PAGE, headers={"Accept": JSON}))
        await gate.arrival()
        gate.open()
        return list(await asyncio.gather(early, late))

    late = conduct(shelved.site, both)[1]

    assert [each["filename"] for each in late.json["files"]] == ["abc-2.tar.gz"]
    assert names(shelved) == ["abc-2.tar.gz"]


def test_a_change_while_a_page_is_rendered(shelved: Shelved) -> None:
    """A page that changed while it was rendered is rendered again for the next request."""
    path = shelved.index("dev", "far")
    shelved.far.put(path, "abc", project("abc", "abc-1.tar.gz"))
    gate = Gate()
    shelved.far.hold("abc", gate)

    async def overtaken(conductor: falcon.testing.ASGIConductor) -> None:
        asking = asyncio.create_task(conductor.simulate_get(PAGE, headers={"Accept": JSON}))
        await gate.arrival()
        shelved.far.put(path, "abc", project("abc", "abc-2.tar.gz"))
        gate.open()
        await asking

    conduct(shelved.site, overtaken)

    assert names(shelved) == ["abc-2.tar.gz"]


def test_the_memory_of_the_cache_is_bounded(shelved: Shelved) -> None:
    """The least recently used pages are dropped when the cache exceeds its limit; all pages stay correct."""
    path = shelved.index("dev")
    pages = shelved.site.application.packages.pages
    pages._max_bytes = 100_000
    for number in range(30):
        files = [file(f"p{number}-{version}.tar.gz") for version in range(30)]
        shelved.near.put(path, f"p{number}", project(f"p{number}", *files))

    for number in [*range(30), *range(30)]:
        page = shelved.get(f"/root/dev/+simple/p{number}/", headers={"Accept-Encoding": "gzip"})
        assert page.status == 200

    kept = pages._pages.values()
    assert 3 < len(kept) < 30
    assert pages._size == sum(page.size for page in kept) <= 100_000
    assert list(kept)[-1].key[1] == "p29"
