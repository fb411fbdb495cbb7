"""``devpi-server import`` adds the releases of another simple index, or of a folder, to an index."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.commands import CHEAPLY, Outcome, Run
from tests.helpers.distributions import Distribution, sdist, wheel
from tests.helpers.sites import Serve
from tests.helpers.upload_forms import upload
from tests.helpers.upstream import Fault, Upstream

from wheelgate.testing.site import Site

ROOT = ("root", "")
JSON = {"Accept": "application/vnd.pypi.simple.v1+json"}
EARLY, LATER = "2020-01-31T12:00:00.000000Z", "2021-01-31T12:00:00.123456Z"
ONE = wheel("Some.Project", "1.0", requires_python=">=3.8")
SOURCE, TWO, OTHER = sdist("Some.Project", "1.0"), wheel("Some.Project", "2.0"), wheel("other")


@pytest.fixture
def site(serve: Serve) -> Site:
    """Return a server with an empty index, which is not volatile."""
    site = serve()
    assert site.request("PUT", "/root/dev", {"volatile": False}, auth=ROOT).status == 200
    return site


def add(run: Run, site: Site, *arguments: str | Path, stdin: str = "", index: str = "root/dev") -> Outcome:
    """Run the command for a site."""
    flags = ["--index", index, "--serverdir", str(site.config.serverdir), *CHEAPLY]
    return run("import", *map(str, arguments), *flags, stdin=stdin)


def files(site: Site, name: str, index: str = "root/dev") -> dict[str, dict[str, Any]]:
    """Return the files on a project's page by name; none if the page does not exist."""
    answer = site.request("GET", f"/{index}/+simple/{name}/", headers=JSON)
    return {entry["filename"]: entry for entry in answer.json["files"]} if answer.status == 200 else {}


def content(site: Site, dist: Distribution) -> bytes:
    """Download a file of the index."""
    return site.request("GET", f"/root/dev/+f/{dist.sha256[:3]}/{dist.sha256[3:16]}/{dist.filename}").content


def filled(upstream: Upstream) -> None:
    """Add releases to an upstream, one of which is yanked."""
    upstream.add(ONE, upload_time=EARLY)
    upstream.add(SOURCE, upload_time=LATER)
    upstream.add(TWO, yanked="it is broken")
    upstream.add(OTHER)


def added(count: int, dists: list[Distribution], present: int = 0, left_out: int = 0) -> str:
    """Return the last line of the output."""
    size = sum(len(dist.content) for dist in dists)
    shown = f"{size} bytes" if size < 1000 else f"{size / 1000:.1f} kB"
    counts = f"{count} file{'' if count == 1 else 's'} of {shown} added to root/dev"
    return f"{counts}, {present} were there, {left_out} left out"


@pytest.mark.parametrize("form", ["json", "html"])
def test_a_simple_index(run: Run, site: Site, upstream: Upstream, form: Any) -> None:
    """Beside a running server, everything is added with its time, yank and Requires-Python, and once only."""
    upstream.form = form
    filled(upstream)

    first, again = add(run, site, "--from-simple", upstream.url), add(run, site, "--from-simple", upstream.url)

    assert (first.code, first.err, first.out) == (0, "", f"{added(4, [ONE, SOURCE, TWO, OTHER])}\n")
    assert (again.code, again.out) == (0, f"{added(0, [], 4)}\n")
    found = files(site, "some-project") | files(site, "other")
    assert set(found) == {dist.filename for dist in (ONE, SOURCE, TWO, OTHER)}
    assert [content(site, dist) for dist in (ONE, SOURCE, TWO)] == [dist.content for dist in (ONE, SOURCE, TWO)]
    assert found[ONE.filename]["requires-python"] == ">=3.8"
    assert {name for name, entry in found.items() if entry.get("yanked")} == {TWO.filename}
    assert found[TWO.filename]["yanked"] == "it is broken"
    assert found[ONE.filename]["core-metadata"]
    if form == "json":
        assert [found[dist.filename]["upload-time"] for dist in (ONE, SOURCE)] == [EARLY, LATER]
    data = site.request("GET", "/root/dev/some-project/1.0").result
    assert data["name"] == "Some.Project"
    assert not list(site.config.serverdir.glob("import-*"))


def test_only_what_is_missing_is_fetched(run: Run, site: Site, upstream: Upstream) -> None:
    """Files of the index stay, are not fetched again, and one with another content is named."""
    filled(upstream)
    mine = wheel("other", seed=1)
    for dist in (ONE, mine):
        assert upload(site, "root/dev", dist, ROOT).status == 200

    done = add(run, site, "--from-simple", upstream.url)

    differs = f"file-differs  {OTHER.filename}: the index has another file of this name, which stays"
    assert (done.code, done.out) == (1, f"{differs}\n{added(2, [SOURCE, TWO], 1, 1)}\n")
    assert files(site, "other")[OTHER.filename]["hashes"]["sha256"] == mine.sha256
    assert [upstream.count(upstream.file_path(dist)) for dist in (ONE, OTHER)] == [0, 0]


def test_named_projects_behind_a_login(run: Run, site: Site, upstream: Upstream, tmp_path: Path) -> None:
    """``--project`` reads no list, and the password comes from standard input and is nowhere in the output."""
    filled(upstream)
    upstream.credentials = ("reader", "p:@/ß")
    login, report = ("--username", "reader", "--password-stdin"), tmp_path / "report.json"

    refused = add(run, site, "--from-simple", upstream.url, "--project", "Other")
    done = add(
        *(run, site, "--from-simple", upstream.url, "--project", "Other", "--project", "none", *login),
        *("--report", report),
        stdin="p:@/ß\n",
    )

    assert (refused.code, "status 401" in refused.out) == (1, True)
    assert done.code == 1
    assert done.out.splitlines()[-1] == added(1, [OTHER], 0, 1)
    assert (set(files(site, "other")), files(site, "some-project")) == ({OTHER.filename}, {})
    assert upstream.count(upstream.page_path()) == 0
    written = json.loads(report.read_text())
    assert written["counts"]["files"] == 1
    assert [(each["kind"], each["subject"]) for each in written["findings"]] == [("project-failed", "none")]
    assert (report.stat().st_mode & 0o777, "p:@" in report.read_text() + done.out + done.err) == (0o600, False)


BAD_NAME = wheel("other", "3.0", filename="other-3.0-nonsense.whl")
DAMAGED = wheel("damaged", metadata=b"Metadata-Version: 2.1\nName: elsewhere\nVersion: 1.0\n\n")


@pytest.mark.parametrize(
    ("dist", "changes", "option", "kind"),
    [
        (OTHER, {"sha256": ""}, "", "file-unhashed"),
        (OTHER, {"sha256": ""}, "--allow-unhashed", ""),
        (OTHER, {"sha256": "0" * 64}, "", "file-failed"),
        (DAMAGED, {}, "", "file-refused"),
    ],
    ids=["no hash", "no hash is allowed", "wrong hash", "other metadata"],
)
def test_files_that_are_left_out(
    run: Run, site: Site, upstream: Upstream, dist: Distribution, changes: dict[str, Any], option: str, kind: str
) -> None:
    """A file without a hash, with a wrong one, or that an upload would not pass with, is named and left out."""
    upstream.add(dist, **changes)
    upstream.add(ONE)

    done = add(run, site, "--from-simple", upstream.url, *filter(None, [option]))

    assert done.code == (1 if kind else 0)
    assert done.out.startswith(f"{kind}  {dist.filename}: " if kind else "2 files of ")
    assert set(files(site, "some-project")) == {ONE.filename}
    assert set(files(site, dist.name)) == (set() if kind else {dist.filename})


def test_a_project_that_cannot_be_read(run: Run, site: Site, upstream: Upstream) -> None:
    """A page that cannot be used costs its own project only."""
    filled(upstream)
    upstream.faults[upstream.page_path("other")] = Fault(status=500)

    done = add(run, site, "--from-simple", upstream.url)

    assert done.code == 1
    assert done.out.startswith("project-failed  other: ")
    assert len(files(site, "some-project")) == 3


def test_a_version_of_which_some_files_are_yanked(run: Run, site: Site, upstream: Upstream) -> None:
    """A version is yanked as a whole here, so one that is yanked in part is not, and is named."""
    upstream.add(ONE, yanked="this file only")
    upstream.add(SOURCE)

    done = add(run, site, "--from-simple", upstream.url)

    assert (done.code, done.out.startswith("yank-partial  some-project 1.0: ")) == (0, True)
    assert not any(entry.get("yanked") for entry in files(site, "some-project").values())


def test_provenance_is_kept(run: Run, site: Site, upstream: Upstream) -> None:
    """The provenance of a file is served as the other index has it."""
    document = b'{"version": 1, "attestation_bundles": []}'
    upstream.add(OTHER, provenance=f"{upstream.root}provenance")
    upstream.faults["/provenance"] = Fault(body=document)

    assert add(run, site, "--from-simple", upstream.url).code == 0

    path = f"/root/dev/+f/{OTHER.sha256[:3]}/{OTHER.sha256[3:16]}/{OTHER.filename}.provenance"
    assert site.request("GET", path).content == document


def test_a_folder(run: Run, site: Site, tmp_path: Path) -> None:
    """Wheels and sdists in a folder and below it are added with the time of the file; links and others are not."""
    folder = tmp_path / "dist"
    (folder / "deep").mkdir(parents=True)
    for path, dist in ((folder / ONE.filename, ONE), (folder / "deep" / SOURCE.filename, SOURCE)):
        path.write_bytes(dist.content)
        os.utime(path, (1_600_000_000, 1_600_000_000))
    (folder / "notes.txt").write_text("abc")
    (folder / OTHER.filename).symlink_to(tmp_path / "outside.whl")
    (tmp_path / "outside.whl").write_bytes(OTHER.content)
    (folder / BAD_NAME.filename).write_bytes(BAD_NAME.content)
    os.mkfifo(folder / "pipe-1.0.tar.gz")

    done, again = add(run, site, "--from-folder", folder), add(run, site, "--from-folder", folder)

    lines = done.out.splitlines()
    assert (done.code, lines[-1]) == (1, added(2, [ONE, SOURCE], 0, 3))
    assert [line.split()[:2] for line in lines[:-1]] == [
        ["file-refused", f"{name}:"] for name in (BAD_NAME.filename, OTHER.filename, "pipe-1.0.tar.gz")
    ]
    assert again.out.splitlines()[-1] == added(0, [], 2, 3)
    found = files(site, "some-project")
    assert {entry["upload-time"] for entry in found.values()} == {"2020-09-13T12:26:40.000000Z"}
    assert set(found) == {ONE.filename, SOURCE.filename}


@pytest.mark.parametrize(
    ("arguments", "index", "code", "sentence"),
    [
        (["--from-folder", "F"], "root/no", 1, "there is no index 'root/no' on this server; create it first"),
        (["--from-folder", "F"], "root/pypi", 1, "cannot submit to mirror index"),
        (["--from-folder", "F/none"], "root/dev", 1, "none is not a folder"),
        (["--from-simple", "nonsense"], "root/dev", 1, "--from-simple: expected the URL of a simple index, such as"),
        (["--from-simple", "http://a:secret@x.example/"], "root/dev", 1, "--from-simple: the URL has a login; use"),
        (["--from-simple", "U", "--password-stdin"], "root/dev", 1, "--password-stdin needs --username"),
        (["--from-folder", "F", "--project", "x"], "root/dev", 1, "--project belong to --from-simple"),
        (
            ["--from-folder", "F", "--from-simple", "U"],
            "root/dev",
            2,
            "name one source: a folder with an export, --from",
        ),
        ([], "root/dev", 2, "name one source: a folder with an export, --from-simple or --from-folder"),
        (["F"], "root/dev", 2, "--index belongs to --from-simple or --from-folder"),
        (["--from-folder", "F", "--dry-run"], "root/dev", 2, "--dry-run belongs to the import of an export"),
        (["--from-simple", "U", "--offline"], "root/dev", 1, "this server is offline (--offline): run the import"),
    ],
)
def test_what_is_refused(
    run: Run, site: Site, tmp_path: Path, arguments: list[str], index: str, code: int, sentence: str
) -> None:
    """Wrong usage, and an index that takes no uploads, are refused in one line, without the password in a URL."""
    places = {"F": str(tmp_path), "F/none": str(tmp_path / "none"), "U": "http://127.0.0.1:9/simple/"}

    refused = add(run, site, *(places.get(word, word) for word in arguments), index=index)

    assert (refused.code, refused.out, refused.err.count("\n")) == (code, "", 1), refused
    assert sentence in refused.err
    assert "secret" not in refused.err


def test_an_index_that_does_not_answer(run: Run, site: Site) -> None:
    """If the list of projects cannot be read, nothing is added, and the reason is one line."""
    refused = add(run, site, "--from-simple", "http://127.0.0.1:9/simple/")

    refused.fails(1, "'127.0.0.1' cannot be reached, or closed the connection; try again later")
    assert not list(site.config.serverdir.glob("import-*"))
