"""Whatever an upstream says is read or refused; nothing else happens, and nothing odd gets through."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wheelgate_mirror.filenames import projects_of, version_of
from wheelgate_mirror.page_parsing import read_html, read_json
from wheelgate_mirror.pages import Page, packed, unpacked
from wheelgate_mirror.project_list import packed_names, read_html_names, read_json_names, unpacked_names

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


def sound(page: Page) -> None:
    """Check that nothing of a page can break one of ours, and that it is kept as it is."""
    for file in page.files:
        assert re.fullmatch(
            r"(\+f/[0-9a-f]{3}/[0-9a-f]{13}|\+e/https?_[A-Za-z0-9._-]+)/abc-[A-Za-z0-9._+!~-]+", file.path
        )
        assert re.match(r"https?://[^@]*$", file.url)
        shown = file.file()
        texts = [shown.version, shown.requires_python, shown.yanked, shown.core_metadata, *shown.hashes.values()]
        assert all(text is None or text.isprintable() for text in texts)
    assert unpacked(packed(page)) == page


@settings(max_examples=100, deadline=None)
@given(pages)
@example({"files": [{"filename": "abc-1.0.tar.gz", "url": "https://u:p@h.example:1/abc-1.0.tar.gz"}]})
@example({"files": [{"filename": "abc-1.0.tar.gz", "url": "x", "upload-time": "0001-01-01T00:00:00+23:00"}]})
def test_any_json(told: Any) -> None:
    """Any JSON is a page or a ``ValueError``."""
    try:
        page = read_json("abc", json.dumps(told).encode(), URL)
    except ValueError:
        return
    sound(page)


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
def test_html_that_libraries_warn_of(head: str) -> None:
    """A page that is a little odd is read without a word in the log."""
    text = f'{head}<html><body><a href="abc-1.0.tar.gz">abc</a></body></html>'

    assert [file.name for file in read_html("abc", text.encode(), URL, "utf-8").files] == ["abc-1.0.tar.gz"]
    assert list(read_html_names(f'{head}<a href="/simple/x/">x</a>'.encode(), URL[:-4], None)) == ["x"]


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60) | st.lists(tags, max_size=5).map(lambda parts: "".join(parts).encode("utf-8", "ignore")))
def test_any_html(body: bytes) -> None:
    """Any bytes are a page or a ``ValueError``."""
    try:
        page = read_html("abc", body, URL, None)
    except ValueError:
        return
    sound(page)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60) | values.map(lambda told: json.dumps({"projects": told}).encode()))
def test_any_list(body: bytes) -> None:
    """Any bytes are a list of names or a ``ValueError``."""
    for read in (read_json_names, lambda body: read_html_names(body, URL, None)):
        try:
            names = list(unpacked_names(packed_names(read(body))))
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
def test_what_the_name_of_a_file_says(name: str, project: str, version: str | None) -> None:
    """The version is what follows the project's name, up to the tags; old names are as good as they can be."""
    assert version_of(name, project) == version
    if version:
        assert projects_of(name)[0] == project


def test_names_are_a_sequence() -> None:
    """The list of names can be used as any other, and keeps no more than its text."""
    names = unpacked_names(packed_names(["b", "A.c", "a", "../x", "b"]))

    assert [*names] == ["a", "a-c", "b"]
    assert (len(names), names[1], names[-1], names[1:]) == (3, "a-c", "b", ["a-c", "b"])
    assert ("a-c" in names, "c" in names, 5 in names) == (True, False, False)
    with pytest.raises(IndexError):
        names[3]
