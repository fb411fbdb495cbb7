"""Indices of the type ``mirror``: every key, its values, and their stored form."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from wheelgate.errors import StartupError
from wheelgate.testing.site import Site

ROOT = ("root", "")
BARE = {"type": "mirror", "volatile": True}

ACCEPTED: list[tuple[dict[str, object], dict[str, object]]] = [
    ({}, {}),
    ({"mirror_url": "https://packages.example/simple/"}, {"mirror_url": "https://packages.example/simple/"}),
    ({"mirror_url": "http://packages.example:8080"}, {"mirror_url": "http://packages.example:8080"}),
    ({"mirror_cache_expiry": "30"}, {"mirror_cache_expiry": 30}),
    ({"mirror_cache_expiry": 1.5}, {"mirror_cache_expiry": 1}),
    ({"mirror_cache_expiry": -1}, {"mirror_cache_expiry": -1}),
    (
        {"mirror_web_url_fmt": "https://packages.example/{name}"},
        {"mirror_web_url_fmt": "https://packages.example/{name}"},
    ),
    ({"mirror_no_project_list": "yes"}, {"mirror_no_project_list": True}),
    ({"mirror_use_external_urls": False}, {"mirror_use_external_urls": False}),
    ({"mirror_ignore_serial_header": "True"}, {"mirror_ignore_serial_header": True}),
    ({"mirror_provides_core_metadata": "no"}, {"mirror_provides_core_metadata": False}),
    ({"volatile": "no", "title": "T", "description": "D"}, {"volatile": False, "title": "T", "description": "D"}),
    ({"custom_data": [1]}, {"custom_data": [1]}),
    ({"min_age": " 7d "}, {"min_age": "7d"}),
    ({"min_age": "3600"}, {"min_age": "3600s"}),
    ({"min_age": 0}, {"min_age": "0s"}),
    ({"min_age_exceptions": "Abc.Def, x==1.0-alpha"}, {"min_age_exceptions": ["abc-def", "x==1.0a0"]}),
    ({"min_age_exceptions": ["a", "a", "b == next"]}, {"min_age_exceptions": ["a", "b==next"]}),
    ({"bases": 5, "acl_upload": "x", "mirror_whitelist": "*", "pypi_whitelist": "*"}, {}),
]
REFUSED: list[tuple[dict[str, object], str]] = [
    ({"mirror_url": "ftp://packages.example/"}, "'mirror_url' option must be a URL."),
    ({"mirror_url": "packages.example"}, "'mirror_url' option must be a URL."),
    ({"mirror_url": "https:///simple"}, "'mirror_url' option must be a URL."),
    ({"mirror_url": "https://packages.example/a b"}, "'mirror_url' option must be a URL."),
    ({"mirror_url": "https://packages.example:0/"}, "'mirror_url' option must be a URL."),
    ({"mirror_url": "https://packages.example:port/"}, "'mirror_url' option must be a URL."),
    ({"mirror_url": ""}, "'mirror_url' option must be a URL."),
    ({"mirror_url": None}, "'mirror_url' option must be a URL."),
    ({"mirror_url": 5}, "'mirror_url' option must be a URL."),
    (
        {"mirror_cache_expiry": "soon"},
        "'mirror_cache_expiry' option must be an integer from -1 to 1000000000, not 'soon'",
    ),
    ({"mirror_cache_expiry": None}, "'mirror_cache_expiry' option must be an integer from -1 to 1000000000, not None"),
    ({"mirror_cache_expiry": True}, "'mirror_cache_expiry' option must be an integer from -1 to 1000000000, not True"),
    ({"mirror_cache_expiry": -2}, "'mirror_cache_expiry' option must be an integer from -1 to 1000000000, not -2"),
    ({"mirror_cache_expiry": []}, "'mirror_cache_expiry' option must be an integer from -1 to 1000000000, not []"),
    ({"mirror_no_project_list": 0}, "Unknown boolean value 0."),
    ({"mirror_web_url_fmt": None}, "'mirror_web_url_fmt' must be text, not None"),
    ({"min_age": "soon"}, "'min_age' option must be a time span such as 7d, 12h or 3600, not 'soon'"),
    ({"min_age": -1}, "'min_age' option must be a time span such as 7d, 12h or 3600, not -1"),
    ({"min_age": "9999d"}, "'min_age' option must be a time span such as 7d, 12h or 3600, not '9999d'"),
    ({"min_age": True}, "'min_age' option must be a time span such as 7d, 12h or 3600, not True"),
    ({"min_age": None}, "'min_age' option must be a time span such as 7d, 12h or 3600, not None"),
    ({"min_age_exceptions": "a b"}, "'min_age_exceptions' option takes names and name==version, not 'a b'"),
    ({"min_age_exceptions": ["a=="]}, "'min_age_exceptions' option takes names and name==version, not 'a=='"),
    ({"min_age_exceptions": 5}, "Unknown list value 5."),
    (
        {"acl_toxresult_upload": []},
        (
            "indexconfig got unexpected keyword arguments: acl_toxresult_upload=[]; only an index of type=stage has"
            " 'acl_toxresult_upload'"
        ),
    ),
]


def labels(rows: Iterable[tuple[dict[str, object], object]]) -> list[str]:
    """Return the ids of the rows."""
    return [str(body) for body, _ in rows]


@pytest.fixture
def mirror(shared: Site, fresh: str) -> str:
    """Return the path of a new mirror."""
    assert shared.request("PUT", f"/root/{fresh}", {"type": "mirror"}, auth=ROOT).result == BARE
    return f"/root/{fresh}"


@pytest.mark.parametrize(("body", "stored"), ACCEPTED, ids=labels(ACCEPTED))
def test_accepted_values(shared: Site, mirror: str, body: dict[str, object], stored: dict[str, object]) -> None:
    """Creation and modification store the same values, and ignore keys of other types that clients send along."""
    created = shared.request("PUT", f"{mirror}-new", {"type": "mirror", **body}, auth=ROOT)
    modified = shared.request("PATCH", mirror, body, auth=ROOT)

    assert (created.status, created.result) == (200, {**BARE, **stored})
    assert (modified.status, modified.result) == (200, {**BARE, **stored})


@pytest.mark.parametrize(("body", "sentence"), REFUSED, ids=labels(REFUSED))
def test_refused_values(shared: Site, mirror: str, body: dict[str, object], sentence: str) -> None:
    """Creation and modification refuse the same values, with a message that names the key."""
    created = shared.request("PUT", f"{mirror}-new", {"type": "mirror", **body}, auth=ROOT)
    modified = shared.request("PATCH", mirror, body, auth=ROOT)

    assert (created.status, created.message) == (400, sentence)
    assert (modified.status, modified.message) == (400, sentence)
    assert shared.request("GET", f"{mirror}?no_projects=").result == BARE


@pytest.mark.parametrize(
    ("operations", "changes"),
    [
        (
            ["mirror_cache_expiry=60", "mirror_no_project_list=yes"],
            {"mirror_cache_expiry": 60, "mirror_no_project_list": True},
        ),
        (["title=x", "title-="], {}),
        (
            ["min_age_exceptions+=Abc", "min_age_exceptions+=x==1.0", "min_age_exceptions-=abc"],
            {"min_age_exceptions": ["x==1.0"]},
        ),
        (["bases+=root/pypi", "acl_upload=x", "pypi_whitelist-=x"], {}),
    ],
    ids=["set", "remove", "a list", "keys of a stage"],
)
def test_operations(shared: Site, mirror: str, operations: list[str], changes: dict[str, object]) -> None:
    """A list of operations works on a mirror too, and ignores keys that only a stage has."""
    changed = shared.request("PATCH", mirror, operations, auth=ROOT)

    assert (changed.status, changed.result) == (200, {**BARE, **changes})


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://ci:swordfish@packages.example/simple/", "https://ci:***@packages.example/simple/"),
        ("https://:swordfish@packages.example:8443/simple/", "https://:***@packages.example:8443/simple/"),
        ("https://ci:sword%2Ffish%40@packages.example/simple/", "https://ci:***@packages.example/simple/"),
        ("https://swordfish@packages.example/simple/", "https://***@packages.example/simple/"),
        ("https://swordfish:@packages.example/simple/", "https://***@packages.example/simple/"),
        ("https://swordfish:x-oauth-basic@packages.example/simple/", "https://***@packages.example/simple/"),
        ("https://packages.example/simple/?token=swordfish", "https://packages.example/simple/?***"),
        ("https://ci:a@packages.example/?k=swordfish#fish", "https://ci:***@packages.example/?***"),
        ("https://packages.example/simple/#swordfish", "https://packages.example/simple/#***"),
        ("https://packages.example/a:b@c/simple/", "https://packages.example/a:b@c/simple/"),
    ],
    ids=[
        "password",
        "no name",
        "percent-encoded",
        "name only",
        "empty password",
        "placeholder",
        "query",
        "both",
        "fragment",
        "no credentials",
    ],
)
def test_the_secrets_of_an_upstream_stay_hidden(shared: Site, mirror: str, address: str, shown: str) -> None:
    """No answer shows a secret in ``mirror_url``, and a client that sends the masked URL back changes nothing."""
    changed = shared.request("PATCH", mirror, {"mirror_url": address}, auth=ROOT)

    echoed = shared.request("PATCH", mirror, {**changed.result, "title": "T"}, auth=ROOT)

    answers = [changed, echoed, *(shared.request("GET", path) for path in (mirror, "/root", "/"))]
    assert not any(b"fish" in answer.content for answer in answers)
    assert [answer.result["mirror_url"] for answer in answers[:3]] == [shown] * 3
    noop = shared.request("PATCH", f"{mirror}?error_on_noop", {"mirror_url": address}, auth=ROOT)
    assert noop.message == "The requested modifications resulted in no changes"


@pytest.mark.parametrize(
    "body", [{"mirror_url": "https://ci:***@packages.example/"}, ["mirror_url=https://p.example/?***"]]
)
def test_a_masked_secret_is_no_secret(shared: Site, mirror: str, body: object) -> None:
    """A masked URL is refused where it would replace the real one: the upstream would refuse it later."""
    answer = shared.request("PATCH", mirror, body, auth=ROOT)

    assert (answer.status, "give the secret itself" in answer.message) == (400, True)


@pytest.mark.parametrize("body", [{"mirror_urll": "https://fish@p.example"}, ["mirror_urll=https://fish@p.example"]])
def test_messages_about_keys_show_no_secrets(shared: Site, mirror: str, body: object) -> None:
    """A message about an unknown key shows no secret of its value."""
    answer = shared.request("PATCH", mirror, body, auth=ROOT)

    assert (answer.status, "mirror_urll=https://***@p.example" in answer.message) == (400, True)


def test_a_mirror_has_no_upload_address(shared: Site, mirror: str) -> None:
    """``+api`` of a mirror names no address for uploads."""
    assert "pypisubmit" not in shared.request("GET", f"{mirror}/+api").result


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({"root_pypi_url": "https://packages.example/simple/"}, {"mirror_url": "https://packages.example/simple/"}),
        ({"root_pypi_url": "https://ci:secret@p.example/"}, {"mirror_url": "https://ci:***@p.example/"}),
        ({"no_root_pypi": "yes"}, None),
    ],
    ids=["another upstream", "with a password", "none"],
)
def test_the_first_index(tmp_path: Path, options: dict[str, Any], shown: dict[str, str] | None) -> None:
    """``--root-pypi-url`` sets the upstream of ``root/pypi``; ``--no-root-pypi`` leaves the index out."""
    with Site(tmp_path / "server", **options) as site:
        answer = site.request("GET", "/root/pypi?no_projects=")

    common = {"type": "mirror", "volatile": False, "title": "PyPI"}
    assert answer.status == (404 if shown is None else 200)
    assert shown is None or answer.result == {**common, **shown}


def test_by_default_the_first_index_mirrors_the_public_one(tmp_path: Path) -> None:
    """A new server has ``root/pypi``, which is not volatile, so that nobody deletes it by mistake."""
    with Site(tmp_path / "server", root_pypi_url=None) as site:
        shown = site.request("GET", "/root/pypi?no_projects=").result
        assert site.request("DELETE", "/root/pypi", auth=ROOT).status == 403

    assert shown["mirror_url"].startswith("https://")
    assert shown["mirror_url"].endswith("/simple/")
    assert shown["mirror_web_url_fmt"] == shown["mirror_url"].removesuffix("simple/") + "project/{name}/"
    assert (shown["volatile"], shown["title"]) == (False, "PyPI")


def test_an_upstream_must_be_a_url(tmp_path: Path) -> None:
    """The server does not start if ``--root-pypi-url`` is not a URL, and says what it expects."""
    with pytest.raises(StartupError, match=r"--root-pypi-url.*the URL of a simple index such as"):
        Site(tmp_path / "server", root_pypi_url="packages.example")
