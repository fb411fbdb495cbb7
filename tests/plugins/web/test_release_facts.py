"""What the metadata and the test results of a release become on its page."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest
from tests.helpers.distributions import wheel
from tests.helpers.project_pages import ROOT, links, make_index, page, section, text_of, upload_with
from tests.helpers.sites import Serve
from tests.helpers.upload_forms import address, upload

from wheelgate.testing.site import Site


@pytest.fixture(scope="module")
def site(serve_shared: Serve) -> Site:
    """Return one server for all tests of this file."""
    return serve_shared()


def test_dependencies_are_linked_where_this_index_serves_them(site: Site, fresh: str) -> None:
    """A dependency is a link if the index or a base hosts it; extras, versions and markers are shown."""
    base = make_index(site, f"root/{fresh}base")
    path = make_index(site, f"root/{fresh}", bases=[base])
    upload(site, base, wheel("clock-tower", "1.5"), ROOT)
    body = [
        *[("requires_dist", text) for text in ("Clock.Tower[bells]>=1", "nowhere-to-be-found>=2 ; python_version<'3'")],
        ("requires_dist", "not a requirement !"),
    ]
    upload_with(site, path, wheel("weather-station", "1.0"), body)

    found = section(page(site, f"/{path}/weather-station"), "Dependencies")

    assert links(found) == {"Clock.Tower": f"/{path}/clock-tower"}
    text = " ".join(unescape(re.sub(r"<[^>]*>", " ", found)).split())
    assert "Clock.Tower [bells] >=1" in text
    assert 'nowhere-to-be-found >=2 if python_version < "3"' in text


def test_a_private_dependency_is_no_link(site: Site, fresh: str) -> None:
    """What an API token does not let its holder read is no link on a page either."""
    path = make_index(site, f"root/{fresh}", acl_read=["root"])
    upload(site, path, wheel("clock-tower", "1.5"), ROOT)
    upload_with(site, path, wheel("weather-station", "1.0"), [("requires_dist", "clock-tower")])
    scope = {"scopes": ["read"], "indices": [path], "projects": ["weather-station"]}
    token = site.request("POST", "/+x/tokens/", scope, auth=site.login(*ROOT)).result["token"]

    whole = page(site, f"/{path}/weather-station", ROOT)
    narrow = page(site, f"/{path}/weather-station", ("__token__", token))

    assert links(section(whole, "Dependencies")) == {"clock-tower": f"/{path}/clock-tower"}
    assert (narrow.status, links(section(narrow, "Dependencies"))) == (200, {})


def test_projects_that_use_a_project(site: Site, fresh: str) -> None:
    """A page names the projects that require this one, as far as the reader may see them, and follows changes."""
    path = make_index(site, f"root/{fresh}")
    private = make_index(site, f"root/{fresh}private", acl_read=["root"])
    name = f"{fresh}-tower"
    upload(site, path, wheel(name, "1.0"), ROOT)
    alone = page(site, f"/{path}/{name}")
    for index, user in ((path, "bells"), (private, "secret-bells")):
        upload_with(site, index, wheel(f"{fresh}-{user}", "1.0"), [("requires_dist", f"{name}>=1")])
    site.run_jobs()

    public, root = page(site, f"/{path}/{name}"), page(site, f"/{path}/{name}", ROOT)

    assert "Used by" not in alone.content.decode()
    assert links(section(public, "Used by")) == {f"{fresh}-bells": f"/{path}/{fresh}-bells"}
    assert "1 project<" in section(public, "Used by")
    assert set(links(section(root, "Used by"))) == {f"{fresh}-bells", f"{fresh}-secret-bells"}


def test_the_facts_and_links_of_a_release(site: Site, fresh: str) -> None:
    """Facts are named; only addresses of the web and of mail are links, and no search engine counts them."""
    path = make_index(site, f"root/{fresh}")
    fields = [
        ("author", "Emilie"),
        ("license", "MIT\n\nPermission is hereby granted"),
        ("keywords", "wind,rain"),
        ("home_page", "https://weather.example/"),
        ("project_urls", "Source, https://src.example/?a=1&b=2"),
        ("project_urls", "Evil, javascript:alert(1)"),
        ("project_urls", "Mail, mailto:emilie@weather.example"),
        ("project_urls", "Data, data:text/html,x"),
    ]
    upload_with(site, path, wheel("weather-station", "1.0"), fields)

    answer = page(site, f"/{path}/weather-station")

    assert links(section(answer, "Links")) == {
        "Homepage": "https://weather.example/",
        "Source": "https://src.example/?a=1&b=2",
        "Mail": "mailto:emilie@weather.example",
    }
    assert section(answer, "Links").count('rel="nofollow noopener"') == 3
    text = text_of(answer)
    for shown in ("Author Emilie", "Licence MIT", "Keywords wind,rain", "Evil: javascript:alert(1)"):
        assert shown in text
    assert "Permission is hereby granted" not in text
    assert "target=" not in answer.content.decode()


RESULTS: dict[str, tuple[Any, list[str]]] = {
    "passed": ({"testenvs": {"py311": {"test": [{"retcode": 0}]}}, "platform": "linux"}, ["py311 on linux passed"]),
    "failed": (
        {"testenvs": {"py311": {"test": [{"retcode": "0"}, {"retcode": 1}]}}, "platform": "linux"},
        ["py311 on linux failed"],
    ),
    "setup failed": ({"testenvs": {"py": {"setup": [{"retcode": 2}], "test": []}}}, ["py failed"]),
    "both": (
        {"testenvs": {"b": {"test": [{"retcode": 0}]}, "a": {"test": [{"retcode": 1}]}}, "platform": "linux"},
        ["a on linux failed", "b on linux passed"],
    ),
    "nothing ran": ({"testenvs": {"py": {}}}, ["py unknown"]),
    "nonsense": ({"testenvs": [1, 2]}, ["tests unknown"]),
    "hostile": ({"testenvs": {"<b>": {"test": [{"retcode": 0}]}}, "platform": 7}, ["<b> passed"]),
}


@pytest.mark.parametrize("name", RESULTS)
def test_test_results(site: Site, fresh: str, name: str) -> None:
    """The last result of each environment says in a word whether the tests passed."""
    document, shown = RESULTS[name]
    path = make_index(site, f"root/{fresh}", acl_toxresult_upload=["root"])
    dist = wheel("demo", "1.0")
    upload(site, path, dist, ROOT)
    result = json.dumps(document).encode()
    assert site.request("POST", f"/{path}/{address(dist)}", result, auth=ROOT).status == 200

    found = section(page(site, f"/{path}/demo"), "Test results")

    lines = [" ".join(unescape(re.sub(r"<[^>]*>", " ", line)).split()) for line in found.split("<li>")[1:]]
    assert [line.removesuffix(f" {dist.filename}") for line in lines] == shown


HOSTILE = {
    "markup": "<script>window.pwned=1</script><img src=x onerror=alert(1)>",
    "template": "{{ 7*7 }}{% raw %}${x}",
    "attribute": "\" onmouseover=\"alert(1)' x='",
    "bidi": "\u202eevil\u2066",
    "long": "x" * 4000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_metadata_are_text(site: Site, fresh: str, name: str) -> None:
    """Markup, templates and marks of direction in any field of a release are shown as they are."""
    text = HOSTILE[name]
    path = make_index(site, f"root/{fresh}")
    fields = [
        *((key, text) for key in ("summary", "author", "license", "keywords", "home_page")),
        ("project_urls", f"{text}, https://x.example/{text}"),
        ("description", text),
        ("description_content_type", "text/plain"),
    ]
    upload_with(site, path, wheel("demo", "1.0"), fields)
    site.request("PATCH", f"/{path}/demo", {"status": "archived", "reason": "<b>&"}, auth=ROOT)

    answer = page(site, f"/{path}/demo")

    html = answer.content.decode()
    main = html.partition("<main")[2]
    assert answer.status == 200
    assert not re.search(r"<(script|img|b|iframe)\b", main)
    assert not re.search(r"<[^>]*\son\w+=", main)
    assert "49" not in text_of(answer) or name != "template"
    assert "&lt;b&gt;&amp;" in html
    ids = re.findall(r'\sid="([^"]*)"', html)
    assert len(ids) == len(set(ids))
