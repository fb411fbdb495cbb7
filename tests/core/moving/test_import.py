"""What an import keeps: users, rights, releases, history, times, results of tests, documentation, mirrored files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.core.moving.conftest import Import, Imported, first_fast
from tests.helpers.commands import CHEAPLY, Run
from tests.helpers.distributions import Distribution, sdist, wheel
from tests.helpers.exports import Export, as_of_2013, as_of_2016
from tests.helpers.upload_forms import address

from wheelgate.testing.site import Site

ROOT = ("root", "root's")
ALICE = ("alice", "alice's")
MADE = wheel("Hello.World", "1.0", requires_python=">=3.9")
SOURCE = sdist("Hello.World", "1.0")
PUSHED: list[dict[str, object]] = [
    {"what": "upload", "who": "alice", "when": [2020, 3, 3, 10, 20, 30], "dst": "alice/dev"},
    {"what": "push", "who": None, "when": [2021, 1, 2, 3, 4, 5], "src": "alice/dev", "dst": "alice/prod"},
]


def fill(export: Export) -> str:
    """Fill an export with everything there is; return the address of the result of a test."""
    export.user("alice", email="alice@packages.example", title="CTO", custom_data={"desk": [1, None]})
    export.index("alice/dev", bases=["root/pypi"], acl_upload=["alice", ":developers"], custom_data={"a": 1})
    export.index("alice/prod", volatile=False, title="released")
    export.index("root/pypi", type="mirror", volatile=False, mirror_url="http://127.0.0.1:9/simple/")
    export.file("alice/dev", MADE)
    export.file("alice/dev", SOURCE)
    export.file("alice/prod", MADE, log=PUSHED)
    export.docs("alice/dev", "hello-world", "1.0", b"PK of some pages")
    export.version("alice/dev", "without-files", "2!1.0+local.1", summary="registered only", keywords="a b")
    return export.result("alice/dev", MADE, b'{"testenvs": {}}')


def links(site: Site, path: str) -> dict[str, list[dict[str, object]]]:
    """Return the links of a version by their kind."""
    found: dict[str, list[dict[str, object]]] = {}
    for link in site.request("GET", path, auth=ALICE, headers={"Accept": "application/json"}).result["+links"]:
        found.setdefault(link["rel"], []).append(link)
    return found


def test_users_and_indices(export: Export, imported: Imported) -> None:
    """Users keep fields and times, indices their configuration."""
    fill(export)
    export.users["alice"]["modified"] = "2021-02-03T04:05:06Z"
    site = imported()

    shown = site.request("GET", "/alice", auth=ALICE).result

    indices = shown.pop("indexes")
    assert shown == {
        "username": "alice",
        "created": "2020-01-02T03:04:05Z",
        "modified": "2021-02-03T04:05:06Z",
        "email": "alice@packages.example",
        "title": "CTO",
        "custom_data": {"desk": [1, None]},
    }
    assert indices["dev"] == export.indexes["alice/dev"]["indexconfig"]
    assert indices["prod"] == export.indexes["alice/prod"]["indexconfig"]
    assert site.request("GET", "/root/pypi", auth=ROOT).result["mirror_url"] == "http://127.0.0.1:9/simple/"


FORMS: dict[str, Callable[[Export], None]] = {
    "today": lambda export: None,
    "2016": as_of_2016,
    "2013": as_of_2013,
}


@pytest.mark.parametrize("form", first_fast(FORMS))
def test_files_of_every_form(export: Export, imported: Imported, form: str) -> None:
    """In each form since 2013, every file is at its old address with its content, its time and its metadata."""
    result = fill(export)
    FORMS[form](export)
    site = imported()

    for made in (MADE, SOURCE):
        assert site.request("GET", f"/alice/dev/{address(made)}").content == made.content
    found = links(site, "/alice/dev/hello-world/1.0")
    assert sorted(str(link["href"]).rpartition("/")[2] for link in found["releasefile"]) == sorted(
        [MADE.filename, SOURCE.filename]
    )
    (docs,) = found["doczip"]
    assert str(docs["href"]).endswith("/hello-world-1.0.doc.zip")
    assert site.request("GET", f"/alice/dev/{result}").content == b'{"testenvs": {}}'
    page = site.request(
        "GET", "/alice/dev/+simple/hello-world/", headers={"Accept": "application/vnd.pypi.simple.v1+json"}
    )
    (shown,) = [file for file in page.json["files"] if file["filename"] == MADE.filename]
    assert (shown["upload-time"], shown["requires-python"]) == ("2020-03-03T10:20:30.000000Z", ">=3.9")
    sibling = site.request("GET", f"/alice/dev/{address(MADE)}.metadata")
    assert sibling.content == MADE.metadata
    assert site.request("GET", "/alice/dev/without-files/2!1.0+local.1").result["summary"] == "registered only"


def test_history(export: Export, imported: Imported) -> None:
    """A file keeps its history with times, and nobody as nobody; the upload time is that of the first upload."""
    fill(export)
    site = imported()

    (link,) = links(site, "/alice/prod/hello-world/1.0")["releasefile"]

    assert link["log"] == [
        {"what": "upload", "who": "alice", "when": [2020, 3, 3, 10, 20, 30], "dst": "alice/dev"},
        {"what": "push", "who": None, "when": [2021, 1, 2, 3, 4, 5], "src": "alice/dev", "dst": "alice/prod"},
    ]


def test_renames_are_followed(export: Export, imported: Imported) -> None:
    """Access lists, bases and the history have the new names of users and indices."""
    fill(export)
    export.index("alice/next", bases=["alice/prod"], acl_upload=["alice"])
    site = imported("--rename", "alice=emilie", "--rename", "alice/prod=released")

    config = site.request("GET", "/emilie/next").result
    assert (config["bases"], config["acl_upload"]) == (["emilie/released"], ["emilie"])
    (link,) = site.request("GET", "/emilie/released/hello-world/1.0").result["+links"]
    assert [(entry["who"], entry["dst"], entry.get("src")) for entry in link["log"]] == [
        ("emilie", "emilie/dev", None),
        (None, "emilie/released", "emilie/dev"),
    ]


def test_an_upload_goes_on(export: Export, imported: Imported) -> None:
    """A non-volatile index refuses another content under an imported name, and a new version is added."""
    fill(export)
    site = imported()

    assert site.request("GET", "/alice/prod/+simple/hello-world/").status == 200
    assert site.request("DELETE", "/alice/prod/hello-world/1.0", auth=site.login("alice", "alice's")).status == 403


def test_two_spellings_of_a_project_and_of_a_version(export: Export, imported: Imported) -> None:
    """Two spellings of a project's name, and of a version, become one project and one version with all files."""
    export.user("alice")
    export.index("alice/dev")
    first, second, third = wheel("hello", "1.0"), sdist("hello", "1.0"), sdist("hello", "1.0.0", seed=1)
    for made in (first, second, third):
        export.file("alice/dev", made)
    projects = export.indexes["alice/dev"]["projects"]
    projects["Hello"] = {"1.0": projects["hello"].pop("1.0")}
    site = imported()

    page = site.request("GET", "/alice/dev/+simple/hello/").content.decode()

    assert [made.filename in page for made in (first, second, third)] == [True] * 3
    assert list(site.request("GET", "/alice/dev/hello").result) == ["1.0.0"]


def test_legacy_files_are_kept(export: Export, imported: Imported) -> None:
    """An egg and a wheel that is none keep address and hash; a new egg is still refused."""
    export.user("alice")
    export.index("alice/dev")
    egg, broken = (
        Distribution(name, b"no archive", b"", "hello", "1.0")
        for name in ("hello-1.0-py2.7.egg", "hello-1.0-py3-none-any.whl")
    )
    export.file("alice/dev", egg)
    export.file("alice/dev", broken)
    site = imported()

    for made in (egg, broken):
        assert site.request("GET", f"/alice/dev/{address(made)}").content == made.content
    assert site.request("GET", f"/alice/dev/{address(broken)}.metadata").status == 404


def test_mirrored_files(export: Export, imported: Imported) -> None:
    """Mirrored files of the export are served at their addresses while the upstream is away, and their page, too."""
    export.index("root/pypi", type="mirror", volatile=False, mirror_url="http://127.0.0.1:9/simple/")
    made = wheel("hello", "1.0")
    export.file("root/pypi", made, log=(), mapping={"url": f"http://127.0.0.1:9/files/{made.filename}"})
    site = imported()

    assert made.filename in site.request("GET", "/root/pypi/+simple/hello/").content.decode()
    assert site.request("GET", f"/root/pypi/{address(made)}").content == made.content


def test_a_mirror_of_a_closed_address(export: Export, imported: Imported) -> None:
    """A mirror of an address that this server may not connect to is imported; only its requests are refused."""
    export.index("root/pypi", type="mirror", volatile=False, mirror_url="http://127.0.0.1:9/simple/")
    site = imported("--allow-upstream", "public", allow_upstream=["public"])

    assert site.request("GET", "/root/pypi", auth=ROOT).result["mirror_url"] == "http://127.0.0.1:9/simple/"
    assert site.request("GET", "/root/pypi/+simple/hello/").status in (403, 502)


def test_no_index_is_added(export: Export, imported: Imported) -> None:
    """The new server has the indices of the export only: no mirror of a public index comes by itself."""
    site = imported()

    assert site.request("GET", "/").result == {
        "root": {"username": "root", "created": "2020-01-02T03:04:05Z", "indexes": {}}
    }


def test_hard_links(export: Export, import_export: Import, tmp_path: Path) -> None:
    """With ``--hard-links`` no byte is copied: the files of the server are those of the export."""
    fill(export)
    export.write()

    assert import_export("--hard-links").code == 0

    stored = {path.stat().st_ino for path in (tmp_path / "imported" / "files").rglob("*") if path.is_file()}
    assert stored <= {path.stat().st_ino for path in export.folder.rglob("*")}
    assert len(stored) == 4


def test_a_folder_with_a_server(export: Export, import_export: Import, run: Run, tmp_path: Path) -> None:
    """An import into the folder of a server is refused, and so is one beside remains."""
    export.write()
    (tmp_path / "imported").mkdir()
    (tmp_path / "imported" / "precious").touch()
    assert "it has precious" in import_export().err
    (tmp_path / "imported" / "precious").unlink()
    assert run("init", "--serverdir", tmp_path / "imported", "--no-root-pypi", *CHEAPLY).code == 0

    sentence = "already; an import needs an empty folder, which --serverdir names"
    import_export().fails(1, f"there is a server in {tmp_path / 'imported'} {sentence}")


def test_an_event(export: Export, import_export: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plugins that listen to events get one event with the counts."""
    from wheelgate import Event, hookimpl
    from wheelgate.plugin_host.discovery import InstalledPlugin, Plugins, discover

    class Listener:
        def __init__(self) -> None:
            self.heard: list[Event] = []

        @hookimpl
        def wheelgate_on_event(self, event: Event) -> None:
            self.heard.append(event)

    listener = Listener()
    found = Plugins([*discover(()).found, InstalledPlugin("listener", "tests", "1", blocked=False, plugin=listener)])
    monkeypatch.setattr("wheelgate.main.discover", lambda blocked: found)
    fill(export)
    export.write()

    assert import_export().code == 0

    (event,) = listener.heard
    assert (event.name, event.actor, event.subject) == ("ServerImported", None, "export")
    assert event.detail == {
        "users": 2,
        "indices": 3,
        "projects": 3,
        "versions": 3,
        "files": 5,
        "bytes": sum(path.stat().st_size for path in (export.folder / "alice").rglob("*") if path.is_file()),
    }
