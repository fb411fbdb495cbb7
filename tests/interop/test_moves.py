"""The incumbent's export is imported here, and ours there: passwords, rights, history, files and lock files stay."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.helpers import incumbent
from tests.helpers.commands import CHEAPLY, Run, run  # noqa: F401 - a fixture
from tests.helpers.distributions import sdist, wheel
from tests.helpers.exports import argon2i, salted_sha256
from tests.helpers.upload_forms import address
from tests.helpers.upstream import Upstream
from tests.helpers.wire import Auth, Port, call, login
from tests.helpers.wire_uploads import page, send

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess, clean_environment
from wheelgate.testing.site import Site

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

TYPED = unicodedata.normalize("NFD", "größe")
PASSWORDS = {"root": "r00t of it", "alice": "correct horse", "bob": "b", "nora": TYPED, "ada.b-c_d@x": "größe"}
FILES = [wheel("hello", "1.0"), sdist("hello", "1.0"), wheel("hello", "2.0"), wheel("with-dash", "1.0")]
MIRRORED = wheel("mirrored", "1.0")


@dataclass
class Incumbent:
    """An incumbent that was filled, and exported while it ran."""

    export: Path
    port: int
    users: Mapping[str, Any] = field(default_factory=dict)
    """What it showed of its users."""
    pages: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Hashes of files by name, by index and project."""
    version: Mapping[str, Any] = field(default_factory=dict)
    """What it showed of a version that was pushed."""
    requirements: str = ""


def fill(server: Port, upstream: Upstream) -> Auth:
    """Fill an incumbent with users, indices, files, documentation, a push and a mirrored file."""
    root = login(server)
    for name, password in PASSWORDS.items():
        method = "PATCH" if name == "root" else "PUT"
        assert call(server, method, f"/{name}", {"password": password}, root).status in (200, 201)
    root = login(server, "root", PASSWORDS["root"])
    assert call(server, "PATCH", "/bob", {"pwhash": argon2i("of 2018"), "email": "bob@x.example"}, root).status == 200
    alice = login(server, "alice", PASSWORDS["alice"])
    mirror = {"type": "mirror", "mirror_url": upstream.url, "volatile": False}
    assert call(server, "PUT", "/root/up", mirror, root).status == 200
    for name, config in {
        "dev": {"bases": ["root/up"], "acl_upload": ["alice", "bob"]},
        "prod": {"volatile": False, "bases": ["alice/dev"], "title": "released"},
        "one": {},
        "two": {"bases": ["alice/one"]},
    }.items():
        assert call(server, "PUT", f"/alice/{name}", config, alice).status == 200
    for made in FILES:
        assert send(server, alice, "alice/dev", made).status == 200
    push = {"name": "hello", "version": "1.0", "targetindex": "alice/prod"}
    assert call(server, "POST", "/alice/dev", push, alice).status == 200
    assert call(server, "POST", f"/alice/dev/{address(FILES[0])}", {"testenvs": {}}, alice).status == 200
    assert page(server, "root/up", "mirrored")
    assert call(server, "GET", f"/root/up/{address(MIRRORED)}").content == MIRRORED.content
    # A circle, which its own importer refuses.
    assert call(server, "PATCH", "/alice/one", {"bases": ["alice/two"]}, alice).status == 200
    return alice


@pytest.fixture(scope="module")
def filled(theirs: Path, tmp_path_factory: pytest.TempPathFactory) -> Incumbent:
    """Fill an incumbent, record what it answers, export it while it runs, and stop it."""
    folder = tmp_path_factory.mktemp("incumbent")
    with Upstream() as upstream:
        upstream.add(MIRRORED)
        with incumbent.running(theirs, folder) as port:
            server = Port(port)
            alice = fill(server, upstream)
            found = Incumbent(folder / "export", port)
            found.users = call(server, "GET", "/", None, alice).result
            found.pages = {
                f"{index}/{project}": page(server, index, project)
                for index in ("alice/dev", "alice/prod", "root/up")
                for project in ("hello", "with-dash", "mirrored")
            }
            found.version = call(server, "GET", "/alice/prod/hello/1.0", None, alice, Accept="application/json").result
            lines = [f"{file.name}=={file.version} --hash=sha256:{file.sha256}\n" for file in FILES[2:]]
            found.requirements = "".join(lines)
            export = ("--serverdir", str(folder / "server"), "--include-mirrored-files", str(found.export))
            incumbent.run(theirs, folder, "devpi-export", *export)
    return found


@pytest.fixture
def ours(filled: Incumbent, run: Run, tmp_path: Path) -> Path:  # noqa: F811
    """Return the folder of a server into which the incumbent's export was imported."""
    done = run("import", str(filled.export), "--serverdir", str(tmp_path / "ours"), *CHEAPLY)
    assert (done.code, done.err) == (0, ""), done
    assert "alice/two: it no longer inherits from alice/one" in done.out
    return tmp_path / "ours"


def without_hosts(links: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return links without the part of their addresses that names the server, and in order."""
    shown = [{key: link.get(key) for key in ("rel", "hash_spec", "log")} for link in links]
    for link, before in zip(shown, links, strict=True):
        link["path"] = before["href"].partition("/alice/")[2]
    return sorted(shown, key=lambda link: str(link["path"]))


def test_their_export_here(filled: Incumbent, ours: Path) -> None:
    """Everybody logs in with the old password; users, indices, files, addresses and history are the incumbent's."""
    with Site(ours) as site:
        for name, password in {**PASSWORDS, "bob": "of 2018"}.items():
            assert site.login(name, password), name
        users = site.request("GET", "/", auth=("alice", PASSWORDS["alice"])).result
        assert set(users) == set(filled.users)
        for name, before in filled.users.items():
            for key in ("username", "created", "email"):
                assert users[name].get(key) == before.get(key)
        for name in ("dev", "prod"):
            assert users["alice"]["indexes"][name] == filled.users["alice"]["indexes"][name]
        for place, before in filled.pages.items():
            index, _, project = place.rpartition("/")
            shown = site.request(
                "GET", f"/{index}/+simple/{project}/", headers={"Accept": "application/vnd.pypi.simple.v1+json"}
            )
            found = shown.json["files"] if shown.status == 200 else []
            assert {file["filename"]: file["hashes"]["sha256"] for file in found} == before, place
        for index, made in [*(("alice/dev", made) for made in FILES), ("alice/prod", FILES[0]), ("root/up", MIRRORED)]:
            assert site.request("GET", f"/{index}/{address(made)}").content == made.content
        version = site.request("GET", "/alice/prod/hello/1.0").result
        assert without_hosts(version["+links"]) == without_hosts(filled.version["+links"])
        for key in ("name", "version", "summary", "metadata_version"):
            assert version[key] == filled.version[key]


def test_our_export_there(theirs: Path, ours: Path, run: Run, tmp_path: Path) -> None:  # noqa: F811
    """After changes here, the incumbent imports our export: the same passwords, and files at the same addresses."""
    new = wheel("made-here", "1.0")
    with ServerProcess(ours, *CHEAP_HASHING) as server:
        alice = login(server, "alice", PASSWORDS["alice"])
        assert send(server, alice, "alice/dev", new).status == 200
        root = login(server, "root", PASSWORDS["root"])
        assert call(server, "PUT", "/carol", {"password": "made here"}, root).status == 201
        done = run("export", str(tmp_path / "back"), "--serverdir", str(ours), "--include-mirrored-files")
        assert (done.code, done.err) == (0, ""), done
    back = ("--no-root-pypi", "--serverdir", str(tmp_path / "theirs" / "server"), str(tmp_path / "back"))
    (tmp_path / "theirs").mkdir()

    incumbent.run(theirs, tmp_path, "devpi-import", *back)

    with incumbent.serving(theirs, tmp_path / "theirs" / "server") as port:
        server = Port(port)  # type: ignore[assignment]
        for name, password in {**PASSWORDS, "bob": "of 2018", "carol": "made here"}.items():
            assert login(server, name, password)
        for made in (*FILES, new):
            assert call(server, "GET", f"/alice/dev/{address(made)}").content == made.content
        assert page(server, "alice/prod", "hello")
        assert call(server, "GET", f"/root/up/{address(MIRRORED)}").content == MIRRORED.content
        links = call(server, "GET", "/alice/dev/hello/1.0", None, None, Accept="application/json").result["+links"]
        assert "toxresult" in {link["rel"] for link in links}


def test_the_hashes_that_the_incumbent_cannot_read(theirs: Path, filled: Incumbent, run: Run, tmp_path: Path) -> None:  # noqa: F811
    """A user of before 4.2, in an export of today, logs in here."""
    folder = tmp_path / "export"
    folder.mkdir()
    data = json.loads((filled.export / "dataindex.json").read_text("utf-8"))
    data["users"]["alice"].update(salted_sha256("of 2013"))
    data["indexes"] = {}
    (folder / "dataindex.json").write_text(json.dumps(data))

    assert run("import", str(folder), "--serverdir", str(tmp_path / "old"), *CHEAPLY).code == 0

    with Site(tmp_path / "old") as site:
        assert site.login("alice", "of 2013")


PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "move-from-devpi.md"
START = "devpi-server --serverdir ~/wheelgate"
"""The command of the page that serves."""


def test_the_page(theirs: Path, filled: Incumbent, tmp_path: Path) -> None:
    """The commands of the page, typed one after the other, move a server in, start it, and move it out."""
    home, programs = tmp_path / "home", tmp_path / "programs"
    (home / ".devpi").mkdir(parents=True)
    programs.mkdir()
    shutil.copytree(filled.export.parent / "server", home / ".devpi" / "server")
    (programs / "devpi-export").symlink_to(theirs / "devpi-export")
    (programs / "devpi-server").symlink_to(Path(sys.executable).with_name("devpi-server"))
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    commands = [line for block in blocks for line in block.splitlines()]
    assert START in commands
    environment = clean_environment(HOME=str(home), PATH=f"{programs}:{os.environ['PATH']}")

    for command in commands:
        if command != START:
            done = subprocess.run(["bash", "-c", command], env=environment, capture_output=True, text=True, check=False)
            assert done.returncode == 0, (command, done.stdout, done.stderr)
            continue
        with ServerProcess(home / "wheelgate", *CHEAP_HASHING) as server:
            assert login(server, "alice", PASSWORDS["alice"])

    assert json.loads((home / "import.json").read_text("utf-8"))["counts"]["users"] == len(PASSWORDS)
    assert (home / "wheelgate-export" / "dataindex.json").exists()


def install(home: Path, *command: str) -> None:
    """Run an installer in an empty home."""
    environment = clean_environment(HOME=str(home), UV_CACHE_DIR=str(home / "cache"), PATH=os.environ["PATH"])
    done = subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_lock_files_go_on_working(theirs: Path, filled: Incumbent, ours: Path, tmp_path: Path) -> None:
    """``uv sync`` with a lock file that was made against the incumbent, and hash-checking pip, work here unchanged."""
    uv, python = str(Path(sys.executable).with_name("uv")), sys.executable
    home = tmp_path / "home"
    home.mkdir()
    with incumbent.serving(theirs, filled.export.parent / "server") as port:
        index = f"http://127.0.0.1:{port}/alice/dev/+simple/"
        (home / "pyproject.toml").write_text(
            '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.11"\n'
            'dependencies = ["hello==2.0", "with-dash"]\n'
            f'[[tool.uv.index]]\nurl = "{index}"\ndefault = true\n'
        )
        install(home, uv, "lock", "--python", python)
    lock = (home / "uv.lock").read_bytes()
    (home / "requirements.txt").write_text(filled.requirements)

    server = ServerProcess(ours, *CHEAP_HASHING)
    server.port = port
    with server:
        install(home, uv, "sync", "--frozen", "--python", python)
        environment = home / "pip"
        install(home, uv, "venv", "--python", python, str(environment))
        pip = (python, "-m", "pip", "--isolated", "--python", str(environment / "bin" / "python"), "install")
        install(home, *pip, "--require-hashes", "--index-url", index, "-r", "requirements.txt")

    assert (home / "uv.lock").read_bytes() == lock
    assert (home / ".venv" / "lib").exists()
