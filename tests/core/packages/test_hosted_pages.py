"""Pages of uploaded files, on both databases."""

from __future__ import annotations

from tests.helpers.distributions import wheel
from tests.helpers.upload_forms import upload

from wheelgate.testing.site import Response, Site

JSON = "application/vnd.pypi.simple.v1+json"


def page(site: Site, path: str, **headers: str) -> Response:
    """Request a page."""
    sent = {"Accept": JSON} | {name.replace("_", "-"): value for name, value in headers.items()}
    return site.request("GET", path, headers=sent)


def test_an_upload_shows_at_once(shared: Site, fresh: str) -> None:
    """A file uploaded to a base is on the page of an inheriting index at the next request; before, it answers 304."""
    auth = shared.add_user(fresh)
    shared.request("PUT", f"/{fresh}/base", {}, auth=auth)
    shared.request("PUT", f"/{fresh}/dev", {"bases": f"{fresh}/base"}, auth=auth)
    address = f"/{fresh}/dev/+simple/abc/"
    seen = []

    assert page(shared, address).status == 404
    for number in range(3):
        taken = upload(shared, f"{fresh}/base", wheel("abc", f"1.{number}"), auth=auth)
        assert taken.status == 200, taken.content
        first = page(shared, address)
        again = page(shared, address, If_None_Match=first.headers["etag"])
        assert (first.status, again.status) == (200, 304)
        seen.append(first.headers["etag"])
    files = first.json["files"]
    listed = page(shared, f"/{fresh}/dev/+simple/").json["projects"]
    link = files[0]["url"].removeprefix("../../../")

    assert len(set(seen)) == 3
    assert [each["filename"] for each in files] == [f"abc-1.{number}-py3-none-any.whl" for number in range(3)]
    assert first.json["versions"] == ["1.0", "1.1", "1.2"]
    assert listed == [{"name": "abc"}]
    assert shared.request("GET", f"/{fresh}/{link}").content == wheel("abc", "1.0").content


def test_a_deleted_name_stays_taken(shared: Site, fresh: str) -> None:
    """A project whose last file is deleted is on no page and no list, and no mirror serves the name."""
    auth = shared.add_user(fresh)
    mirror = {"type": "mirror", "mirror_url": "http://127.0.0.1:1/simple/"}
    shared.request("PUT", f"/{fresh}/mirror", mirror, auth=auth)
    shared.request("PUT", f"/{fresh}/dev", {"bases": f"{fresh}/mirror"}, auth=auth)
    upload(shared, f"{fresh}/dev", wheel("abc", "1.0"), auth=auth)
    before = page(shared, f"/{fresh}/dev/+simple/abc/")
    shared.request("DELETE", f"/{fresh}/dev/abc", auth=auth)

    after = page(shared, f"/{fresh}/dev/+simple/abc/")
    elsewhere = page(shared, f"/{fresh}/dev/+simple/other/")

    assert (before.status, after.status) == (200, 404)
    assert f"Its name belongs to {fresh}/dev" in after.message
    assert elsewhere.status in {502, 504}
