"""Parsers of upstreams' answers: they accept or refuse any input, and pass nothing invalid on."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wheelgate_mirror.filenames import projects_of, version_of
from wheelgate_mirror.page_parsing import parse_html_page, parse_json_page
from wheelgate_mirror.pages import UpstreamPage, pack_page, unpack_page
from wheelgate_mirror.project_list import pack_names, parse_html_list, parse_json_list, unpack_names

URL = "https://packages.example/simple/abc/"
KEYS = [
    "filename", "url", "hashes", "sha256", "md5", "size", "upload-time", "requires-python", "yanked", "core-metadata",
    "dist-info-metadata", "provenance", "files", "versions", "name", "meta", "api-version", "project-status", "status",
    "reason", "projects",
]  # fmt: skip
WORDS = [
    "abc", "abc-1.0.tar.gz", "abc-1!2.0+x_y-1-py3-none-any.whl", "abc-..-1.zip", "../abc-1.zip", "0" * 64, "active",
    "https://files.example/abc-1.0.tar.gz", "//[", "file:///x", "https://u:p@h.example:1/abc-1.0.tar.gz?x#y", "1.0",
    "2020-02-02T02:02:02Z", "0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00", "2.0", "quarantined", "a\r\nb",
]  # fmt: skip
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(WORDS) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=3), inner),
    max_leaves=15,
)  # fmt: skip
files = st.fixed_dictionaries(
    {"filename": st.sampled_from(WORDS), "url": st.sampled_from(WORDS)},
    optional=dict.fromkeys(KEYS[2:12], values),
)
pages = values | st.fixed_dictionaries(
    {"files": st.lists(files | values, max_size=5)}, optional=dict.fromkeys(KEYS[13:18], values)
)


def check_page(page: UpstreamPage) -> None:
    """Check that nothing on a page can break a page of the mirror, and that its stored form is exact."""
    for file in page.files:
        assert re.fullmatch(
            r"(\+f/[0-9a-f]{3}/[0-9a-f]{13}|\+e/https?_[A-Za-z0-9._-]+)/abc-[A-Za-z0-9._+!~-]+", file.path
        )
        assert re.match(r"https?://[^@]*$", file.url)
        shown = file.as_file()
        texts = [shown.version, shown.requires_python, shown.yanked, shown.core_metadata, *shown.hashes.values()]
        assert all(text is None or text.isprintable() for text in texts)
    assert unpack_page(pack_page(page)) == page


@pytest.mark.slow
@settings(deadline=None)
@given(pages)
@example({"files": [{"filename": "abc-1.0.tar.gz", "url": "https://u:p@h.example:1/abc-1.0.tar.gz"}]})
@example({"files": [{"filename": "abc-1.0.tar.gz", "url": "x", "upload-time": "0001-01-01T00:00:00+23:00"}]})
def test_any_json(data: Any) -> None:
    """Any JSON is parsed as a page, or raises ``ValueError``."""
    try:
        page = parse_json_page("abc", json.dumps(data).encode(), URL)
    except ValueError:
        return
    check_page(page)


attributes = st.dictionaries(
    st.sampled_from(
        ["href", "data-yanked", "data-core-metadata", "data-dist-info-metadata", "class", "data-requires-python"]
    ),
    st.sampled_from([*WORDS, "../../x/abc-1.0.tar.gz#sha256=" + "a" * 64, "sha256=" + "b" * 64]) | st.text(max_size=9),
)
tags = st.builds(
    lambda tag, attrs, text: f"<{tag} {' '.join(f'{key}={json.dumps(value)}' for key, value in attrs.items())}>{text}",
    st.sampled_from(["a", "base", "meta name='pypi:repository-version' content='1.0'", "/a", "!--", "p"]),
    attributes,
    st.text(max_size=9),
)


@pytest.mark.parametrize("head", ["<?xml version='1.0'?>", '<meta name="pypi:repository-version" content="1.9">'])
def test_html_that_libraries_warn_about(head: str) -> None:
    """A page with unusual HTML is parsed, and nothing is logged."""
    text = f'{head}<html><body><a href="abc-1.0.tar.gz">abc</a></body></html>'

    assert [file.name for file in parse_html_page("abc", text.encode(), URL, "utf-8").files] == ["abc-1.0.tar.gz"]
    assert list(parse_html_list(f'{head}<a href="/simple/x/">x</a>'.encode(), URL[:-4], None)) == ["x"]


@pytest.mark.slow
@settings(deadline=None, max_examples=settings().max_examples * 3 // 2)
@given(st.binary(max_size=60) | st.lists(tags, max_size=5).map(lambda parts: "".join(parts).encode("utf-8", "ignore")))
def test_any_html(body: bytes) -> None:
    """Any bytes are parsed as a page, or raise ``ValueError``."""
    try:
        page = parse_html_page("abc", body, URL, None)
    except ValueError:
        return
    check_page(page)


@settings(deadline=None)
@given(st.binary(max_size=60) | values.map(lambda data: json.dumps({"projects": data}).encode()))
def test_any_list(body: bytes) -> None:
    """Any bytes are parsed as a list of names, or raise ``ValueError``."""
    for parse in (parse_json_list, partial(parse_html_list, url=URL, charset=None)):
        try:
            names = list(unpack_names(pack_names(parse(body))))
        except ValueError:
            continue
        assert all(re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", name) for name in names)


@pytest.mark.parametrize(
    ("name", "project", "version"),
    [
        ("abc-1.0.tar.gz", "abc", "1.0"),
        ("ABC-1.0.zip", "abc", "1.0"),
        ("a.b_c-1.0.post1.tar.gz", "a-b-c", "1.0.post1"),
        ("a-b-1.0-1.tar.gz", "a-b", "1.0.post1"),
        ("a-2-1.0.tar.gz", "a-2", "1.0"),
        ("abc-1.0+local_1-py3-none-any.whl", "abc", "1.0+local.1"),
        ("abc-1!2.0-1-py3-none-any.whl", "abc", "1!2.0"),
        ("abc-1.0-py2.7.egg", "abc", "1.0"),
        ("abc-1.0.win32-py2.7.exe", "abc", ""),
        ("abc-2004d.tar.bz2", "abc", ""),
        ("abc-1.0.tar.gz", "ab", None),
        ("abc-1.0.txt", "abc", None),
        ("abc.whl", "abc", None),
    ],
)
def test_versions_in_file_names(name: str, project: str, version: str | None) -> None:
    """The version follows the project's name and ends at the tags; for old names, the guess is as good as possible."""
    assert version_of(name, project) == version
    if version:
        assert projects_of(name)[0] == project


def test_names_are_a_sequence() -> None:
    """The list of names works as any other sequence."""
    names = unpack_names(pack_names(["b", "A.c", "a", "../x", "b"]))

    assert [*names] == ["a", "a-c", "b"]
    assert (len(names), names[1], names[-1], names[1:]) == (3, "a-c", "b", ["a-c", "b"])
    assert ("a-c" in names, "c" in names, names.__contains__(5)) == (True, False, False)
    with pytest.raises(IndexError):
        names[3]
