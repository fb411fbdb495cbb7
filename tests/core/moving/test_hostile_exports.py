"""Exports that are broken or hostile: refused in one sentence, and nothing is read or written outside of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.core.moving.conftest import Import, first_fast
from tests.helpers.distributions import wheel
from tests.helpers.exports import Export

MADE = wheel("hello", "1.0")
PLACE = f"alice/dev/hello/1.0/{MADE.filename}"


def filled(export: Export) -> Export:
    """Give an export a user with an index and a file."""
    export.user("alice")
    export.index("alice/dev")
    export.file("alice/dev", MADE)
    return export


def with_entry(**changes: object) -> Callable[[Export], None]:
    """Return a function that changes the entry of the file."""

    def change(export: Export) -> None:
        export.indexes["alice/dev"]["files"][0].update(changes)

    return change


def with_outside(relpath: str) -> Callable[[Export], None]:
    """Return a function that lets the file be one outside of the export, with its right hash."""

    def change(export: Export) -> None:
        target = export.folder.parent / "outside" / MADE.filename
        target.parent.mkdir()
        target.write_bytes(MADE.content)
        export.indexes["alice/dev"]["files"][0]["relpath"] = relpath.format(outside=target)

    return change


def as_link(export: Export) -> None:
    """Let the file be a symbolic link to one outside."""
    with_outside(PLACE)(export)
    place = export.folder / PLACE
    place.unlink()
    place.symlink_to(export.folder.parent / "outside" / MADE.filename)


def as_linked_folder(export: Export) -> None:
    """Let a folder above the file be a symbolic link to one outside."""
    with_outside(PLACE)(export)
    folder = (export.folder / PLACE).parent
    (folder / MADE.filename).unlink()
    folder.rmdir()
    folder.symlink_to(export.folder.parent / "outside")


def as_pipe(export: Export) -> None:
    """Let the file be a pipe, which would never be opened."""
    (export.folder / PLACE).unlink()
    os.mkfifo(export.folder / PLACE)


def as_folder(export: Export) -> None:
    """Let the file be a folder."""
    (export.folder / PLACE).unlink()
    (export.folder / PLACE).mkdir()


def as_other_content(export: Export) -> None:
    """Let the file be another one of the same size."""
    (export.folder / PLACE).write_bytes(bytes(len(MADE.content)))


LEADS_OUT = "leads out of the export, or is not in its normal form"
LINK = f"the file '{PLACE}' cannot be opened: it, or a folder above it, is a symbolic link or no folder"
FAULTS: dict[str, tuple[Callable[[Export], object], str]] = {
    "a path that leads up": (with_outside(f"../outside/{MADE.filename}"), LEADS_OUT),
    "a path that leads up later": (with_outside(f"alice/../../outside/{MADE.filename}"), LEADS_OUT),
    "an absolute path": (with_outside("{outside}"), LEADS_OUT),
    "a path with an empty part": (with_entry(relpath=PLACE.replace("/dev/", "//dev/")), LEADS_OUT),
    "a path with NUL": (with_entry(relpath=PLACE.replace("hello/", "hel\0lo/")), LEADS_OUT),
    "a path with half a character": (with_entry(relpath=PLACE.replace("hello/", "\ud800/")), "is not JSON near"),
    "a symbolic link": (as_link, LINK),
    "a linked folder": (as_linked_folder, LINK),
    "a pipe": (as_pipe, f"'{PLACE}' is no regular file"),
    "a folder": (as_folder, f"'{PLACE}' is no regular file"),
    "a missing file": (lambda export: (export.folder / PLACE).unlink(), "No such file or directory"),
    "another content": (as_other_content, "does not match its sha256"),
    "another md5": (
        lambda export: export.indexes["alice/dev"]["files"][0]["entrymapping"].update(md5="0" * 32),
        "does not match its md5",
    ),
    "an unknown hash": (
        lambda export: export.indexes["alice/dev"]["files"][0]["entrymapping"].update(hash_spec="crc32=12345678"),
        "has a hash of the unknown kind 'crc32'",
    ),
    "a name that is hidden": (with_entry(relpath="alice/dev/hello/1.0/.profile"), "no file of a package can have"),
    "a project that is a path": (with_entry(projectname="../hello"), "is no project's name"),
    "a version that is a path": (with_entry(version="1.0/../.."), "has the version '1.0/../..'"),
    "a kind of file": (with_entry(type="device"), "has the unknown type 'device'"),
    "a time that is none": (
        with_entry(log=[{"what": "upload", "who": None, "when": [2020, 13, 1, 0, 0, 0], "dst": "alice/dev"}]),
        "has a time in its history that is none",
    ),
    "an entry that is no object": (
        lambda export: export.indexes["alice/dev"].update(files=[["x"]]),
        "has something else than objects",
    ),
    "an index without owner": (lambda export: export.users.pop("alice"), "the export has no user who owns it"),
    "a newer form": (
        lambda export: export.top.update(dumpversion="3"),
        "has the dumpversion '3'; this server reads 1 and 2",
    ),
    "no form": (lambda export: export.top.pop("dumpversion"), "has the dumpversion 'None'"),
    "an access list that is none": (
        lambda export: export.indexes["alice/dev"]["indexconfig"].update(acl_upload={"alice": 1}),
        "'acl_upload' cannot be used",
    ),
}


@pytest.mark.parametrize("name", first_fast(FAULTS))
def test_a_fault_refuses_the_export(export: Export, import_export: Import, tmp_path: Path, name: str) -> None:
    """A fault is named in one sentence without a traceback; nothing is begun."""
    spoil, sentence = FAULTS[name]
    filled(export)
    spoil(export)
    export.write()

    refused = import_export()

    assert (refused.code, refused.out.count("\n"), refused.err.count("\n")) == (1, 0, 1)
    assert sentence in refused.err
    assert refused.err.endswith("; nothing was changed\n")
    assert not (tmp_path / "imported").exists()


DEEP = b'{"dumpversion": "2", "users": {"a": ' + b"[" * 200_000 + b"]" * 200_000 + b'}, "indexes": {}}'
"""So deep that a recursive reader ends."""
CONTENTS: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "dataindex.json is empty"),
    "no JSON": (b"PK\x03\x04", "does not contain one JSON object"),
    "a list": (b"[]", "does not contain one JSON object"),
    "half of it": (b'{"dumpversion": "2", "users": {"root": {', "does not contain one JSON object"),
    "half of it with an end": (b'{"dumpversion": "2", "users": {"root": {}', "is not JSON"),
    "text without end": (b'{"dumpversion": "2, "users": {}, "indexes": {}}', "is not JSON"),
    "no users": (b'{"dumpversion": "2", "indexes": {}}', "has no objects 'users' and 'indexes'"),
    "another bracket": (b'{"dumpversion": "2", "users": {"a": {]}, "indexes": {}}', "is not JSON"),
    "deep": (DEEP, "has more than 100 nested values"),
    "not UTF-8": (b'{"dumpversion": "2", "users": {"root": {"email": "\xff"}}, "indexes": {}}', "is not JSON"),
    "twice the same index": (
        (
            b'{"dumpversion": "2", "users": {"a": {}},'
            b' "indexes": {"a/b": {"indexconfig": {}}, "a/b": {"indexconfig": {}}}}'
        ),
        "is there twice",
    ),
}


@pytest.mark.parametrize("name", first_fast(CONTENTS))
def test_an_index_that_is_broken(import_export: Import, export: Export, tmp_path: Path, name: str) -> None:
    """A ``dataindex.json`` of any content is refused in one sentence."""
    content, sentence = CONTENTS[name]
    export.put("dataindex.json", content)

    refused = import_export()

    assert (refused.code, refused.err.count("\n")) == (1, 1)
    assert sentence in refused.err
    assert not (tmp_path / "imported").exists()


@pytest.mark.parametrize("kind", first_fast(["missing", "link", "pipe", "huge"]))
def test_an_index_that_is_no_file(import_export: Import, export: Export, tmp_path: Path, kind: str) -> None:
    """A ``dataindex.json`` that is missing, a link, a pipe, or larger than 2 GiB is refused without reading it."""
    place = export.folder / "dataindex.json"
    if kind == "link":
        place.symlink_to(filled(Export(tmp_path / "other")).write() / "dataindex.json")
    elif kind == "pipe":
        os.mkfifo(place)
    elif kind == "huge":
        place.touch()
        os.truncate(place, (2 << 30) + 1)

    refused = import_export()

    assert (refused.code, refused.err.count("\n")) == (1, 1)
    assert "dataindex.json" in refused.err


def test_all_faults_are_named_at_once(export: Export, import_export: Import) -> None:
    """The faults of several files are all named, each in a line."""
    filled(export)
    other = export.file("alice/dev", wheel("other", "2.0"))
    as_pipe(export)
    other["relpath"] = "/absolute"
    export.write()

    refused = import_export("--dry-run")

    assert refused.code == 1
    assert [sentence in refused.err for sentence in ("no regular file", LEADS_OUT, "has 2 faults")] == [True] * 3


def test_ten_thousand_faults_are_not_all_named(export: Export, import_export: Import) -> None:
    """After a hundred faults the check ends: the output of a hostile export is bounded."""
    export.user("alice")
    export.index("alice/dev")["files"] = [{"type": "releasefile", "relpath": f"x{at}"} for at in range(10_000)]
    export.write()

    refused = import_export()

    assert (refused.code, refused.err.count("\n")) == (1, 101)
