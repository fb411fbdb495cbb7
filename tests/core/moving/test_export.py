"""Exports of this server: from one state, beside a running server, readable by their owner only, and read again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.core.moving.conftest import Imported
from tests.core.moving.test_import import MADE, fill
from tests.helpers.commands import CHEAPLY, Outcome, Run
from tests.helpers.distributions import sdist, wheel
from tests.helpers.exports import Export
from tests.helpers.sites import Serve
from tests.helpers.upload_forms import address, upload

from wheelgate.testing.site import Site

ExportTo = Callable[..., Outcome]


@pytest.fixture
def export_from(run: Run, tmp_path: Path) -> ExportTo:
    """Return a function that exports a server below the folder of the test."""

    def command(server: str, target: str, *options: str) -> Outcome:
        place = str(tmp_path / server)
        return run("export", str(tmp_path / target), "--serverdir", place, *CHEAPLY, *options)

    return command


def index_of(folder: Path, name: str = "dataindex.json") -> Any:
    """Return the content of an export's index."""
    return json.loads((folder / name).read_text("utf-8"))


def tree(folder: Path) -> dict[str, bytes]:
    """Return the files of an export by their paths; in JSON, the order of keys means nothing."""
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for name in ("dataindex.json", "wheelgate.json"):
        found[name] = json.dumps(index_of(folder, name), sort_keys=True).encode()
    return found


def rich_server(serve: Serve) -> Site:
    """Return a running server with everything that devpi has no place for, too."""
    site = serve()
    root = ("root", "")
    alice, bob = site.add_user("alice"), site.add_user("bob")
    assert site.request("PUT", "/+x/groups/developers", {"members": ["bob"]}, auth=root).status == 201
    assert site.request("PUT", "/alice/dev", {"acl_upload": ["alice", ":developers"]}, auth=alice).status == 200
    hidden = {"acl_read": ["bob"], "bases": ["alice/dev"], "custom_data": {"größe": [1, 2.5, None]}}
    assert site.request("PUT", "/alice/hidden", hidden, auth=alice).status == 200
    for made in (MADE, sdist("Hello.World", "1.0"), wheel("hello-world", "2.0")):
        assert upload(site, "alice/dev", made, alice).status == 200
    assert upload(site, "alice/hidden", wheel("secret", "1.0"), alice).status == 200
    assert upload(site, "alice/dev", wheel("gone", "1.0"), bob).status == 200
    assert site.request("DELETE", "/alice/dev/gone", auth=alice).status == 200
    assert site.request("POST", f"/alice/dev/{address(MADE)}", b'{"testenvs": {}}', auth=bob).status == 200
    assert (
        site.request("PATCH", "/alice/dev/hello-world/2.0", {"yanked": True, "reason": "broken"}, auth=alice).status
        == 200
    )
    assert site.request("PATCH", "/alice/dev/hello-world", {"status": "deprecated"}, auth=alice).status == 200
    push = {"name": "hello-world", "version": "1.0", "targetindex": "alice/hidden"}
    assert site.request("POST", "/alice/dev", push, auth=alice).status == 200
    return site


RECORDED = (
    "/",
    "/+api",
    "/alice",
    "/alice/dev",
    "/alice/hidden",
    "/bob",
    "/alice/dev/hello-world",
    "/alice/dev/hello-world/1.0",
    "/alice/dev/hello-world/2.0",
    "/alice/dev/+simple/",
    "/alice/dev/+simple/hello-world/",
    "/alice/hidden/+simple/",
    "/alice/hidden/+simple/secret/",
    "/alice/hidden/+simple/hello-world/",
    "/alice/dev/+simple/gone/",
    "/alice/dev/pypi/hello-world/json",
    "/alice/dev/hello-world/1.0/+why",
    "/+x/groups/",
    "/+x/groups/developers",
    "/nobody",
    "/alice/none",
    f"/alice/dev/{address(MADE)}",
    f"/alice/dev/{address(MADE)}.metadata",
)
"""Addresses that are asked before and after a move, by everybody below."""
ACCEPTED = ("application/json", "text/html", "application/vnd.pypi.simple.v1+json")


def recorded(site: Site, users: dict[str, str]) -> dict[str, tuple[int, Any]]:
    """Return the answers to some two hundred requests, by anybody and by each user."""
    answers = {}
    for user in (None, *users):
        auth = None if user is None else (user, users[user])
        for path in RECORDED:
            for accept in ACCEPTED:
                answer = site.request("GET", path, auth=auth, headers={"Accept": accept})
                content = answer.content
                # The order of keys means nothing, and differs if a configuration was not written by a request.
                shown = json.loads(content) if content[:1] == b"{" else content
                answers[f"{user} {path} {accept}"] = (answer.status, shown)
    return answers


def test_the_same_server(serve: Serve, export_from: ExportTo, run: Run, tmp_path: Path) -> None:
    """An export is imported as the same server: it answers the same, and its export is the same."""
    before = recorded(rich_server(serve), {"alice": "correct horse", "bob": "correct horse"})
    assert len(before) > 200
    exported = export_from("server", "first")
    serve.stop()
    sentence = "alice/hidden is private here (acl_read); in devpi everybody who reaches the server can read it"
    assert sentence in exported.out
    assert "1 projects have a status or yanked versions, which devpi does not know" in exported.out

    assert run("import", str(tmp_path / "first"), "--serverdir", str(tmp_path / "again"), *CHEAPLY).code == 0

    with Site(tmp_path / "again") as site:
        after = recorded(site, {"alice": "correct horse", "bob": "correct horse"})
    assert after == before
    assert export_from("again", "second").code == 0
    assert tree(tmp_path / "first") == tree(tmp_path / "second")


def test_the_form_of_devpi(export: Export, imported: Imported, export_from: ExportTo, tmp_path: Path) -> None:
    """What was imported is exported in devpi's form as it came: users, configurations, versions, files, history."""
    fill(export)
    imported().application.close()
    assert export_from("imported", "again").code == 0

    before, after = index_of(export.folder), index_of(tmp_path / "again")

    assert after["users"] == before["users"]
    assert list(after["indexes"]) == ["root/pypi", "alice/dev", "alice/prod"]
    for path, index in before["indexes"].items():
        assert after["indexes"][path]["indexconfig"] == index["indexconfig"]
        files = {file["relpath"]: file for file in after["indexes"][path]["files"]}
        assert sorted(files) == sorted(file["relpath"] for file in index["files"])
        for file in index["files"]:
            assert files[file["relpath"]]["log"] == file["log"]
            assert files[file["relpath"]]["entrymapping"]["hash_spec"] == file["entrymapping"]["hash_spec"]


def test_only_the_owner_can_read_an_export(serve: Serve, export_from: ExportTo, tmp_path: Path) -> None:
    """Folders have the mode 0700, files 0600; there is no secret of the server."""
    before = os.umask(0o022)
    try:
        rich_server(serve)
        assert export_from("server", "out").code == 0
    finally:
        os.umask(before)

    folders = {
        path.stat().st_mode & 0o777 for path in [tmp_path / "out", *(tmp_path / "out").rglob("*")] if path.is_dir()
    }
    files = {path.stat().st_mode & 0o777 for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert (folders, files) == ({0o700}, {0o600})
    secret = (tmp_path / "server" / ".secret").read_bytes().strip()
    assert not [path for path, content in tree(tmp_path / "out").items() if secret in content]


def test_a_folder_that_is_not_empty(serve: Serve, export_from: ExportTo, tmp_path: Path) -> None:
    """A folder with anything in it is refused."""
    serve()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "precious").touch()

    export_from("server", "out").fails(
        1, f"{tmp_path / 'out'} is not empty; name a folder that is, or that does not exist"
    )


def test_some_indices(serve: Serve, export_from: ExportTo, tmp_path: Path) -> None:
    """With ``--index``, only the matching indices are exported, with root, their owners and who is in their lists."""
    site = rich_server(serve)
    site.add_user("carol")

    assert export_from("server", "out", "--index", "alice/h*").code == 0

    found = index_of(tmp_path / "out")
    assert (sorted(found["users"]), list(found["indexes"])) == (["alice", "bob", "root"], ["alice/hidden"])
    export_from("server", "none", "--index", "bob/*").fails(1, "--index: no index matches 'bob/*'")


def test_hard_links(serve: Serve, export_from: ExportTo, tmp_path: Path) -> None:
    """With ``--hard-links``, the files of the export are those of the server."""
    rich_server(serve)

    assert export_from("server", "out", "--hard-links").code == 0

    stored = {path.stat().st_ino for path in (tmp_path / "server" / "files" / "sha256").rglob("*") if path.is_file()}
    exported = {path.stat().st_ino for path in (tmp_path / "out").rglob("*") if path.suffix in (".whl", ".gz")}
    assert exported
    assert exported <= stored  # the server may still have files that nothing refers to any more


def test_mirrored_files(export: Export, imported: Imported, export_from: ExportTo, tmp_path: Path) -> None:
    """Mirrored files are exported only if that is wanted."""
    export.index("root/pypi", type="mirror", volatile=False, mirror_url="http://127.0.0.1:9/simple/")
    made = wheel("hello", "1.0")
    export.file("root/pypi", made, log=(), mapping={"url": f"http://127.0.0.1:9/files/{made.filename}"})
    imported().application.close()

    assert export_from("imported", "without").code == 0
    assert export_from("imported", "with", "--include-mirrored-files").code == 0

    assert index_of(tmp_path / "without")["indexes"]["root/pypi"]["files"] == []
    (file,) = index_of(tmp_path / "with")["indexes"]["root/pypi"]["files"]
    assert file["entrymapping"]["url"] == f"http://127.0.0.1:9/files/{made.filename}"
    assert tree(tmp_path / "with")[file["relpath"]] == made.content


def test_a_claimed_name_stays_claimed(
    export: Export, imported: Imported, export_from: ExportTo, run: Run, tmp_path: Path
) -> None:
    """A project whose last file was removed goes on hiding the public one of its name after a move."""
    export.user("alice")
    export.index("root/pypi", type="mirror", volatile=False, mirror_url="http://127.0.0.1:9/simple/")
    export.index("alice/dev", bases=["root/pypi"])
    public = wheel("gone", "9.0")
    export.file("root/pypi", public, log=())
    site = imported()
    alice = ("alice", "alice's")
    assert public.filename in site.request("GET", "/alice/dev/+simple/gone/").content.decode()
    assert upload(site, "alice/dev", wheel("gone", "1.0"), alice).status == 200
    assert site.request("DELETE", "/alice/dev/gone", auth=alice).status == 200
    site.application.close()
    assert export_from("imported", "out", "--include-mirrored-files").code == 0

    assert run("import", str(tmp_path / "out"), "--serverdir", str(tmp_path / "again"), *CHEAPLY).code == 0

    with Site(tmp_path / "again") as again:
        assert public.filename in again.request("GET", "/root/pypi/+simple/gone/").content.decode()
        assert public.filename not in again.request("GET", "/alice/dev/+simple/gone/").content.decode()


def damaged_sibling(folder: Path) -> None:
    """Change the core metadata beside a file."""
    next(folder.rglob("*.metadata")).write_bytes(b"Name: other\n")


def newer_form(folder: Path) -> None:
    """Let ``wheelgate.json`` have a newer form."""
    place = folder / "wheelgate.json"
    place.write_bytes(place.read_bytes().replace(b'"form": 1', b'"form": 2'))


def strange_status(folder: Path) -> None:
    """Let a project have an unknown status."""
    place = folder / "wheelgate.json"
    place.write_bytes(place.read_bytes().replace(b'"deprecated"', b'"frozen"'))


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (damaged_sibling, "does not match the hash in wheelgate.json"),
        (newer_form, "has another form than 1"),
        (strange_status, "has a value that is none"),
    ],
)
def test_spoiled_details(
    serve: Serve, export_from: ExportTo, run: Run, tmp_path: Path, spoil: Callable[[Path], None], sentence: str
) -> None:
    """A ``wheelgate.json`` that is spoiled refuses the import in one sentence."""
    rich_server(serve)
    assert export_from("server", "out").code == 0
    spoil(tmp_path / "out")

    refused = run("import", str(tmp_path / "out"), "--serverdir", str(tmp_path / "again"), *CHEAPLY)

    assert (refused.code, refused.err.count("\n"), sentence in refused.err) == (1, 1, True), refused
