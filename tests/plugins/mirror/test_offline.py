"""``--offline``: no request leaves the server, and mirrors serve what they have cached, whatever its age."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import pytest
from tests.helpers.distributions import Distribution, sdist, wheel
from tests.helpers.sites import Serve
from tests.helpers.upload_forms import upload
from tests.helpers.upstream import Upstream
from tests.plugins.mirror.conftest import Mirror

from wheelgate.config import add_flags, resolve
from wheelgate.core_options import CORE_OPTIONS
from wheelgate.errors import Forbidden
from wheelgate.testing.site import Response, Site

OLD, NEW, SOURCE = wheel("abc", "1.0"), wheel("abc", "2.0"), sdist("abc", "1.0")
OTHER = wheel("other")


@pytest.fixture
def online(serve: Serve, upstream: Upstream) -> Mirror:
    """Return a mirror that has cached an old wheel, but not the newer one and the sdist beside it."""
    for dist in (OLD, NEW, SOURCE, OTHER):
        upstream.add(dist, provenance=f"{upstream.root}provenance")
    mirror = Mirror(serve(), "/root/company", mirror_url=upstream.url, mirror_cache_expiry=0)
    assert mirror.get(OLD).status == 200
    return mirror


@pytest.fixture
def offline(online: Mirror, serve: Serve, upstream: Upstream) -> Iterator[Mirror]:
    """Return the same mirror on an offline server, whose upstream must see no request."""
    upstream.forget()
    online.site = serve(offline=True)
    yield online
    assert upstream.asked() == []


def refused(answer: Response, sentence: str) -> None:
    """Check that an answer is 404 with the reason, in the message and in the header."""
    assert (answer.status, answer.headers["x-wheelgate-offline"]) == (404, "true")
    assert answer.message == f"this server is offline (--offline), and root/company has cached {sentence}"


def test_cached_files_are_served(offline: Mirror) -> None:
    """A page whose time is over shows the cached files only, so that installers choose one that there is."""
    files = offline.files("abc")

    assert list(files) == [OLD.filename]
    assert "provenance" not in files[OLD.filename]
    assert offline.get(OLD).content == OLD.content
    assert offline.page("abc").json["versions"] == ["1.0"]
    assert offline.names() == ["abc"]


def test_metadata_come_from_the_cached_wheel(offline: Mirror) -> None:
    """Metadata that no client has asked for before are those in the cached wheel."""
    assert offline.get(OLD, ".metadata").content == OLD.metadata
    assert offline.get(OLD, ".metadata").content == OLD.metadata


def test_a_project_that_was_never_seen(offline: Mirror) -> None:
    """The answer for a project without a cached page is 404 and says why, as ``devpi why`` does."""
    refused(offline.page("other"), "no page of 'other'")

    (entry,) = offline.site.request("GET", "/root/company/+why/other").result["indices"]
    assert entry["state"] == "absent"
    assert entry["reason"] == "this server is offline (--offline), and root/company has cached no page of 'other'"


def test_why_counts_what_is_left_out(offline: Mirror) -> None:
    """``devpi why`` says how many files of a cached page are not cached."""
    (entry,) = offline.site.request("GET", "/root/company/+why/abc").result["indices"]

    left_out = "the server is offline and leaves out 2 files that it has not cached"
    assert entry["reason"] == f"no index before it has the name; {left_out}"


@pytest.mark.parametrize(
    ("dist", "suffix", "sentence"),
    [
        (NEW, "", f"not cached the file '{NEW.filename}'"),
        (NEW, ".metadata", f"not cached the core metadata of '{NEW.filename}'"),
        (SOURCE, "", f"not cached the file '{SOURCE.filename}'"),
        (OLD, ".provenance", f"not cached the provenance of '{OLD.filename}'"),
        (OTHER, "", "cached no page of 'other'"),
    ],
    ids=["file", "metadata", "sdist", "provenance", "unknown project"],
)
def test_what_is_not_cached_is_refused(offline: Mirror, dist: Distribution, suffix: str, sentence: str) -> None:
    """Files and metadata that are not cached are refused with the reason."""
    path = f"+f/{dist.sha256[:3]}/{dist.sha256[3:16]}/{dist.filename}{suffix}"

    answer = offline.site.request("GET", f"/root/company/{path}")

    assert (answer.status, answer.headers["x-wheelgate-offline"]) == (404, "true")
    assert answer.message == f"this server is offline (--offline), and root/company has {sentence}"


def test_external_urls_are_refused(offline: Mirror) -> None:
    """A mirror that redirects to its upstream refuses files: the client could not reach it either."""
    offline.set(mirror_use_external_urls=True)

    answer = offline.site.request("GET", f"/root/company/+f/{NEW.sha256[:3]}/{NEW.sha256[3:16]}/{NEW.filename}")

    assert (answer.status, answer.headers["x-wheelgate-offline"]) == (404, "true")


def test_an_index_that_inherits_from_the_mirror(offline: Mirror) -> None:
    """An index over the mirror serves its own files and the cached ones, and passes the reason on."""
    site = offline.site
    assert site.request("PUT", "/root/dev", {"bases": ["root/company"]}, auth=("root", "")).status == 200
    own = wheel("own")
    assert upload(site, "root/dev", own, ("root", "")).status == 200

    pages = {name: site.request("GET", f"/root/dev/+simple/{name}/") for name in ("own", "abc", "other")}

    assert {name: page.status for name, page in pages.items()} == {"own": 200, "abc": 200, "other": 404}
    assert pages["other"].headers["x-wheelgate-offline"] == "true"


def test_a_refresh_expires_nothing(offline: Mirror, serve: Serve, upstream: Upstream) -> None:
    """A refresh has no effect, and the server is the same as before once it is online again."""
    offline.refresh("abc")

    assert list(offline.files("abc")) == [OLD.filename]
    assert upstream.asked() == []
    offline.site = serve()
    assert set(offline.files("abc")) == {OLD.filename, NEW.filename, SOURCE.filename}
    upstream.forget()


@pytest.mark.parametrize("word", ["", "--offline", "--offline-mode", "--no-offline"])
@pytest.mark.parametrize("variable", ["", "OFFLINE", "OFFLINE_MODE"])
def test_both_names(word: str, variable: str) -> None:
    """The flag and the variable of devpi, ``--offline-mode``, mean the same; a flag counts before a variable."""
    parser = argparse.ArgumentParser()
    add_flags(parser, CORE_OPTIONS)
    flags = vars(parser.parse_args([word] if word else []))

    config = resolve(CORE_OPTIONS, flags, {f"DEVPISERVER_{variable}": "true"} if variable else {})

    assert config["offline"] is (word != "--no-offline" if word else bool(variable))


def test_other_requests_are_refused(serve: Serve, upstream: Upstream) -> None:
    """A push to another server, and a request of a plugin, are refused before they are sent; ``/+status`` says why."""
    site: Site = serve(offline=True)
    root = ("root", "")
    assert site.request("PUT", "/root/dev", {}, auth=root).status == 200
    assert upload(site, "root/dev", OTHER, root).status == 200
    target = {"posturl": upstream.root, "username": "a", "password": "b"}

    push = site.request("PUSH", "/root/dev", {"name": "other", "version": "1.0", **target}, auth=root)
    with pytest.raises(Forbidden, match="this server is offline"):
        site.server.outgoing.session().get(upstream.root)

    sentence = "this server is offline (--offline), so it sends no request to '127.0.0.1'"
    assert (push.status, push.message) == (403, sentence)
    assert upstream.asked() == []
    assert site.request("GET", "/+status", auth=root).result["offline"] is True
