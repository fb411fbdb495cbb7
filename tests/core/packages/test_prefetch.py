"""``devpi-server prefetch`` caches what requirements need, so that an offline server can install them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.commands import CHEAPLY, Outcome, Run
from tests.helpers.distributions import core_metadata, sdist, wheel
from tests.helpers.sites import Serve
from tests.helpers.upload_forms import upload
from tests.helpers.upstream import Fault, Upstream

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess, clean_environment
from wheelgate.testing.site import Site

ROOT = ("root", "")
LINUX, WINDOWS = "manylinux_2_28_x86_64", "win_amd64"
MANY = [f"part{number}" for number in range(30)]


def add_projects(upstream: Upstream) -> None:
    """Add projects with markers, extras, tags and sdists."""
    markers = ["on-windows; sys_platform == 'win32'", "on-old; python_version < '3.12'", "always>=1"]
    for dist in (
        wheel("app", "1.0", requires_dist=[*markers, "extra-only; extra == 'fast'", "Named.Extra[More_Speed]"]),
        wheel("on-windows", tag="cp312-cp312-win_amd64"),
        wheel("on-old"),
        wheel("always", "0.9"),
        wheel("always", "1.0"),
        wheel("always", "2.0rc1"),
        wheel("extra-only"),
        wheel("named-extra", requires_dist=["compiled; extra == 'more-speed'"]),
        wheel("compiled", "1.0", tag="cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64"),
        wheel("compiled", "1.0", tag="cp312-abi3-win_amd64"),
        wheel("compiled", "1.0", tag="cp311-cp311-musllinux_1_2_x86_64"),
        sdist("compiled", "1.0"),
        wheel("compiled", "2.0", tag="cp313-cp313-manylinux_2_17_x86_64"),
        sdist("only-source", "1.0"),
        wheel("too-new", requires_python=">=3.99"),
        wheel("clash-a", requires_dist=["always<1"]),
        wheel("clash-b", requires_dist=["always>=1"]),
        wheel("broken", "1.0"),
        wheel("broken", "2.0", metadata=b"Metadata-Version: 2.1\nName: broken\nVersion: 2.0\nRequires-Dist: ==\n\n"),
    ):
        upstream.add(dist)


@pytest.fixture
def online(serve: Serve, upstream: Upstream) -> Site:
    """Return a server with a mirror, and an index that inherits from it and has a project of its own."""
    add_projects(upstream)
    site = serve()
    config = {"type": "mirror", "mirror_url": upstream.url}
    assert site.request("PUT", "/root/company", config, auth=ROOT).status == 200
    assert site.request("PUT", "/root/dev", {"bases": ["root/company"]}, auth=ROOT).status == 200
    own = wheel("own", requires_dist=["always"])
    assert upload(site, "root/dev", own, ROOT).status == 200
    return site


def prefetch(run: Run, site: Site, lines: Sequence[str], *arguments: str, index: str = "root/company") -> Outcome:
    """Run the command for a requirements file."""
    file = site.config.serverdir / "requirements.txt"
    file.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    flags = ["--serverdir", str(site.config.serverdir), *CHEAPLY]
    return run("prefetch", index, "-r", str(file), *arguments, *flags)


def cached(site: Site) -> set[str]:
    """Return the names of the cached files."""
    rows = site.server.database.read("SELECT path FROM mirror_file")
    return {path.rpartition("/")[2] for (path,) in rows if not path.endswith(".metadata")}


PURE = "-py3-none-any.whl"
APP_ON_LINUX = {f"app-1.0{PURE}", f"always-1.0{PURE}", f"named_extra-1.0{PURE}"}
COMPILED_ON_LINUX = "compiled-1.0-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
COMPILED_ON_WINDOWS = "compiled-1.0-cp312-abi3-win_amd64.whl"
FOR_LINUX = ("--platform", LINUX, "--python", "3.12")
FOR_WINDOWS = ("--platform", WINDOWS, "--python", "3.12")


@pytest.mark.parametrize(
    ("lines", "arguments", "files"),
    [
        (["app"], FOR_LINUX, {*APP_ON_LINUX, COMPILED_ON_LINUX}),
        (
            ["App  # a comment", "", "--requirement=more.txt"],
            FOR_WINDOWS,
            {*APP_ON_LINUX, f"on_old-1.0{PURE}", "on_windows-1.0-cp312-cp312-win_amd64.whl", COMPILED_ON_WINDOWS},
        ),
        (
            ["app"],
            (*FOR_LINUX, "--platform", WINDOWS),
            {*APP_ON_LINUX, COMPILED_ON_LINUX, COMPILED_ON_WINDOWS, "on_windows-1.0-cp312-cp312-win_amd64.whl"},
        ),
        (["app[fast]"], FOR_LINUX, {*APP_ON_LINUX, COMPILED_ON_LINUX, f"extra_only-1.0{PURE}"}),
        (
            ["app \\", "   --hash=sha256:" + "0" * 64],
            ("--platform", "musllinux_1_2_x86_64", "--python", "3.11"),
            {*APP_ON_LINUX, f"on_old-1.0{PURE}", "compiled-1.0-cp311-cp311-musllinux_1_2_x86_64.whl"},
        ),
        (["always"], FOR_LINUX, {f"always-1.0{PURE}"}),
        (["always>=2.0rc1"], FOR_LINUX, {f"always-2.0rc1{PURE}"}),
        (["always", "-c constraints.txt"], FOR_LINUX, {f"always-0.9{PURE}"}),
        (["compiled>=1; sys_platform == 'win32'"], FOR_LINUX, set()),
        (["broken"], FOR_LINUX, {f"broken-1.0{PURE}"}),
        (["only-source"], FOR_LINUX, {"only_source-1.0.tar.gz"}),
        (["compiled"], ("--platform", LINUX, "--python", "3.12", "--implementation", "pp"), {"compiled-1.0.tar.gz"}),
    ],
    ids=[
        *("markers", "windows and a nested file", "two platforms", "extra", "musl and a hash", "no pre-release"),
        *("pre-release", "constraint", "marker in the file", "unreadable metadata", "sdist", "pypy"),
    ],
)
def test_what_is_cached(run: Run, online: Site, lines: list[str], arguments: tuple[str, ...], files: set[str]) -> None:
    """The server caches the best file of each release that a target needs, by its markers, tags and extras."""
    (online.config.serverdir / "more.txt").write_text("on-old\n")
    (online.config.serverdir / "constraints.txt").write_text("always<1\non-windows==99\n")

    done = prefetch(run, online, lines, *arguments)

    assert done.code == 0, done.err
    assert cached(online) == files


def test_metadata_of_a_release_are_cached_too(run: Run, online: Site, serve: Serve, upstream: Upstream) -> None:
    """After the prefetch, an offline server shows the chosen versions only, each with its metadata."""
    assert prefetch(run, online, ["app"], *FOR_LINUX).code == 0

    upstream.stop()
    site = serve(offline=True)
    answer = site.request("GET", "/root/company/+simple/always/", headers={"Accept": "application/json"})
    (file,) = answer.json["files"]
    metadata = site.request("GET", f"/root/company/{file['url'].removeprefix('../../')}.metadata")

    assert answer.json["versions"] == ["1.0"]
    assert metadata.content == core_metadata("always", "1.0", summary="made for a test")


def test_an_index_over_the_mirror(run: Run, online: Site) -> None:
    """Requirements of hosted releases count, and hosted files need no download."""
    done = prefetch(run, online, ["own"], *FOR_LINUX, index="root/dev")

    assert done.out.startswith(f"Python 3.12 on {LINUX}: 2 files\n2 files of ")
    assert cached(online) == {f"always-1.0{PURE}"}


@pytest.mark.parametrize(
    ("lines", "arguments", "code", "sentence"),
    [
        (["never-seen"], FOR_LINUX, 1, "never-seen (F:1): The project never-seen does not exist."),
        (["too-new"], FOR_LINUX, 1, "too-new (F:1): 'too-new' has no wheel or sdist for it"),
        (["only-source"], (*FOR_LINUX, "--no-sdist"), 1, "only-source (F:1): 'only-source' has no wheel for it"),
        (["clash-a", "clash-b"], FOR_LINUX, 1, "always"),
        (["a b"], FOR_LINUX, 1, "F:1: 'a b' is not a requirement such as 'requests>=2.32'"),
        (["x @ http://x.example/x.whl"], FOR_LINUX, 1, "has a URL, but a mirror has only what its upstream lists"),
        (["-r none.txt"], FOR_LINUX, 1, "none.txt: No such file or directory"),
        (["-r requirements.txt"], FOR_LINUX, 1, "requirements files name each other in a circle"),
        (["app"], ("--platform", "amiga"), 1, "--platform: expected a platform tag such as manylinux_2_28_x86_64"),
        (["app"], ("--python", "2.7"), 1, "--python: expected a version such as 3.12, not '2.7'"),
        (["app"], ("--implementation", "ip"), 2, "argument --implementation: invalid choice: 'ip'"),
        (["app"], ("--offline",), 1, "this server is offline (--offline): run prefetch on a server that reaches"),
    ],
)
def test_what_is_refused(
    run: Run, online: Site, lines: list[str], arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    """What has no solution, and what cannot be read, is refused in one line that says why; nothing is cached."""
    refused = prefetch(run, online, lines, *arguments)

    assert (refused.code, refused.out, refused.err.count("\n")) == (code, "", 1), refused
    assert sentence in refused.err.replace(f"{online.config.serverdir}/requirements.txt", "F")
    assert cached(online) == set()


def test_an_unknown_index_is_refused(run: Run, online: Site) -> None:
    """An index that does not exist is named."""
    prefetch(run, online, ["app"], index="root/no").fails(1, "there is no index 'root/no' on this server")


def test_a_wrong_hash_is_refused(run: Run, online: Site, upstream: Upstream) -> None:
    """A file whose bytes are not those of the page is not cached, and the command says so."""
    bad = wheel("always", "1.0")
    upstream.faults[upstream.file_path(bad)] = Fault(body=b"x" * len(bad.content))

    refused = prefetch(run, online, ["always"], *FOR_LINUX)

    refused_text = "sends another 'always-1.0-py3-none-any.whl' than it announces: its sha256 is wrong"
    assert (refused.code, refused_text in refused.err) == (1, True), refused
    assert cached(online) == set()


def add_tree(upstream: Upstream) -> dict[str, str]:
    """Add a made-up tree of 30 projects in two versions each; return the newest version of each by package."""
    for number, name in enumerate(MANY):
        needs = [f"{MANY[child]}>=1.1" for child in (2 * number + 1, 2 * number + 2) if child < len(MANY)]
        for version in ("1.0", "1.1"):
            made: Any = sdist if number % 10 == 9 else wheel
            upstream.add(made(name, version, requires_dist=needs))
    return dict.fromkeys(MANY, "1.1")


def tool(tmp_path: Path, name: str, server: ServerProcess, *names: str) -> subprocess.CompletedProcess[str]:
    """Install with pip or uv into a folder of its own, without any cache."""
    folder = Path(sys.executable).parent
    url = f"{server.url}root/company/+simple/"
    commands: dict[str, list[str | Path]] = {
        "pip": [folder / "pip", "--isolated", "install", "--no-cache-dir", "--disable-pip-version-check"],
        "uv": [folder / "uv", "pip", "install", "--no-cache", "--no-config", "--python", sys.executable],
    }
    command: list[str | Path] = [*commands[name], "--index-url", url, "--target", tmp_path / f"by-{name}", *names]
    environment = clean_environment(HOME=str(tmp_path), NO_PROXY="127.0.0.1")
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=100)


@pytest.mark.slow
def test_pip_and_uv_install_offline(tmp_path: Path, upstream: Upstream) -> None:
    """After a prefetch of a tree of 30 projects, with the upstream gone, pip and uv install all of it offline."""
    versions = add_tree(upstream)
    program, folder = Path(sys.executable).with_name("devpi-server"), tmp_path / "server"
    (tmp_path / "requirements.txt").write_text("part0\n")
    with ServerProcess(folder, *CHEAP_HASHING) as server:
        config = {"type": "mirror", "mirror_url": upstream.url}
        assert server.request("PUT", "/root/company", config, auth=server.login("root", "")).status == 200
        command: list[str | Path] = [
            program,
            "prefetch",
            "root/company",
            "-r",
            tmp_path / "requirements.txt",
            "--serverdir",
            folder,
        ]
        done = subprocess.run(command, capture_output=True, text=True, env=clean_environment(), timeout=100)
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[0].endswith("on this machine: 30 files")
    upstream.stop()

    with ServerProcess(folder, "--offline", *CHEAP_HASHING) as server:
        outcomes = {name: tool(tmp_path, name, server, "part0") for name in ("pip", "uv")}
        unknown = {name: tool(tmp_path, name, server, "never-seen") for name in ("pip", "uv")}
        answer = server.request("GET", "/root/company/+simple/never-seen/")

    for name, outcome in outcomes.items():
        assert outcome.returncode == 0, (name, outcome.stdout, outcome.stderr)
        found = {path.parent.name: path.read_text() for path in (tmp_path / f"by-{name}").glob("part*/__init__.py")}
        assert set(found) == set(versions)
        assert all("1.1" in text for text in found.values())
    assert all(outcome.returncode != 0 for outcome in unknown.values())
    assert (answer.status, answer.headers["x-wheelgate-offline"]) == (404, "true")


def test_the_library_is_missing(run: Run, online: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra, the command names the command that installs it."""
    for name in [name for name in sys.modules if name.endswith((".prefetching", ".resolving"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "resolvelib", None)

    refused = prefetch(run, online, ["app"])

    missing = "prefetch needs the library resolvelib, which is not installed; run: pip install 'wheelgate[prefetch]'"
    refused.fails(1, missing)
