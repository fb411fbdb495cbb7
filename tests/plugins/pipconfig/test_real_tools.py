"""The real pip, uv and setuptools read the edited files, on the loopback interface only."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wheelgate_client.hookspecs import ConfigWriter, Edit, Target

pytestmark = pytest.mark.slow

SIMPLE = "http://pkgs.example:3141/alice/dev/+simple/"
INDEX = "http://pkgs.example:3141/alice/dev/"
SERVER = "http://pkgs.example:3141/"

Make = Callable[[Edit], None]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def pip_value(run: Run) -> Callable[..., str | None]:
    """Return the value of an option as the real pip reads it."""

    def value(name: str, *options: str, **environment: str) -> str | None:
        got = run(sys.executable, "-m", "pip", *options, "config", "get", name, **environment)
        if got.returncode == 0:
            return got.stdout.strip()
        assert f"No such key - {name}" in got.stderr, got.stderr
        # In some versions of pip "get" does not look into the file of PIP_CONFIG_FILE, but "list" does.
        got = run(sys.executable, "-m", "pip", *options, "config", "list", **environment)
        values = [line.removeprefix(f"{name}=") for line in got.stdout.splitlines() if line.startswith(f"{name}=")]
        return ast.literal_eval(values[-1]).strip() if values else None

    return value


@pytest.mark.parametrize(
    ("content", "mode", "others"),
    [
        pytest.param(b"[global]", 0o644, {}, id="bare-global-at-the-end"),
        pytest.param(
            b"[install]\nindex-url = http://corp.example/\n",
            0o644,
            {"install.index-url": "http://corp.example/"},
            id="index-url-in-another-section",
        ),
        pytest.param(b"[global]\ntimeout = 5", 0o644, {"global.timeout": "5"}, id="no-final-newline"),
        pytest.param(
            b"# mine\r\n[global]\r\ntimeout = 5\r\nindex_url = http://corp.example/\r\n",
            0o644,
            {"global.timeout": "5"},
            id="crlf",
        ),
        pytest.param(b"[global]\ntimeout = 5\n", 0o444, {"global.timeout": "5"}, id="read-only"),
    ],
)
def test_pip_reads_the_edited_file(
    writers: dict[str, ConfigWriter],
    home: Path,
    make: Make,
    pip_value: Callable[..., str | None],
    content: bytes,
    mode: int,
    others: dict[str, str],
) -> None:
    """The real pip finds index, trusted host and all earlier settings in the edited file."""
    location = writers["pip"].location(None)
    assert location is not None
    location.path.parent.mkdir(parents=True)
    location.path.write_bytes(content)
    location.path.chmod(mode)

    edit = writers["pip"].plan(location.path, Target(SIMPLE, INDEX, trusted_host=True))

    assert location.path.read_bytes() == content
    assert location.path.stat().st_mode & 0o777 == mode
    make(edit)
    said = {"global.index-url": SIMPLE, "global.trusted-host": "pkgs.example", **others}
    assert {name: pip_value(name) for name in said} == said
    make(writers["pip"].plan_removal(location.path, SERVER))
    assert {name: pip_value(name) for name in others} == others
    assert pip_value("global.index-url") != SIMPLE


@pytest.mark.parametrize(
    ("files", "environment"),
    [
        pytest.param([], {}, id="fresh"),
        pytest.param([".pip/pip.conf"], {}, id="old-place"),
        pytest.param([".pip/pip.conf", ".config/pip/pip.conf"], {}, id="both-places"),
        pytest.param([".config/pip/pip.conf", "x/pip/pip.conf"], {"XDG_CONFIG_HOME": "{home}/x"}, id="xdg-config-home"),
        pytest.param([".config/pip/pip.conf"], {"PIP_CONFIG_FILE": "{home}/p.conf"}, id="pip-config-file"),
    ],
)
def test_pip_prefers_the_edited_file(
    writers: dict[str, ConfigWriter],
    home: Path,
    make: Make,
    monkeypatch: pytest.MonkeyPatch,
    pip_value: Callable[..., str | None],
    files: list[str],
    environment: dict[str, str],
) -> None:
    """In the real pip the edited file takes precedence over the other files in use."""
    for name in files:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("[global]\nindex-url = http://corp.example/\n")
    chosen = {name: value.format(home=home) for name, value in environment.items()}
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    location = writers["pip"].location(None)
    assert location is not None

    make(writers["pip"].plan(location.path, Target(SIMPLE, INDEX)))

    assert pip_value("global.index-url", **chosen) == SIMPLE


def test_pip_of_a_virtual_environment(
    writers: dict[str, ConfigWriter], home: Path, make: Make, run: Run, pip_value: Callable[..., str | None]
) -> None:
    """The pip.conf of a virtual environment applies there, and only there."""
    run(sys.executable, "-m", "venv", "--without-pip", home / "venv")
    location = writers["pip"].location(home / "venv")
    assert location is not None

    make(writers["pip"].plan(location.path, Target(SIMPLE, INDEX)))

    assert pip_value("global.index-url", "--python", "venv/bin/python") == SIMPLE
    assert pip_value("global.index-url") != SIMPLE


@pytest.mark.parametrize(
    ("trusted", "asked"),
    [
        pytest.param(True, [f"{SIMPLE}some-project/"], id="trusted"),
        pytest.param(False, [], id="not-trusted"),
    ],
)
def test_pip_trusts_the_host(
    writers: dict[str, ConfigWriter],
    home: Path,
    make: Make,
    run: Run,
    recorder: Any,
    trusted: bool,
    asked: list[str],
) -> None:
    """The real pip uses an index without TLS, at any port, if and only if the host is trusted."""
    location = writers["pip"].location(None)
    assert location is not None
    make(writers["pip"].plan(location.path, Target(SIMPLE, INDEX, trusted)))

    run(sys.executable, "-m", "pip", "download", "--no-cache-dir", "some-project", HTTP_PROXY=recorder.url)

    assert recorder.asked == asked


@pytest.mark.parametrize(
    ("content", "asked"),
    [
        pytest.param("", ["ours"], id="empty"),
        pytest.param('[[index]]\nurl = "{url}/corp/"\n', ["corp", "ours"], id="index-table"),
        pytest.param(
            '[[index]]\nurl = "{url}/corp/"\n[pip]\nstrict = true\n[[index]]\nurl = "{url}/b/"\ndefault = true',
            ["corp", "ours"],
            id="default-index-tables-apart",
        ),
        pytest.param('[[index]]\nurl = "{url}/corp/"\ndefault = true\n', ["ours"], id="default-index-table"),
        pytest.param(
            '[[index]]\nname = "c"\nurl = "{url}/corp/"\ndefault = true\nexplicit = true\n',
            ["ours"],
            id="explicit-default-index-table",
        ),
        pytest.param('index = [{{ url = "{url}/corp/", default = true }}]\n', ["ours"], id="default-index-inline"),
        pytest.param('[pip]\nindex-url = "{url}/corp/"\n', ["ours"], id="pip-index-url"),
        pytest.param('index-url = "{url}/corp/"', ["ours"], id="no-final-newline"),
        pytest.param("# mine\r\noffline = false\r\n\r\n[pip]\r\nstrict = true\r\n", ["ours"], id="crlf"),
        pytest.param("\ufeffoffline = false\n", ["ours"], id="byte-order-mark"),
    ],
)
def test_uv_uses_the_index(
    writers: dict[str, ConfigWriter],
    home: Path,
    make: Make,
    run: Run,
    recorder: Any,
    content: str,
    asked: list[str],
) -> None:
    """The real uv asks our index last, and no other default index."""
    location = writers["uv"].location(None)
    assert location is not None
    location.path.parent.mkdir(parents=True)
    location.path.write_bytes(content.format(url=recorder.url).encode())

    make(writers["uv"].plan(location.path, Target(f"{recorder.url}/ours/", f"{recorder.url}/")))
    (home / "requirements.in").write_text("some-project\n")
    run(Path(sys.executable).with_name("uv"), "pip", "compile", "--python", sys.executable, "requirements.in")

    assert recorder.asked == [f"/{name}/some-project/" for name in asked]


def test_uv_reads_no_file_of_a_virtual_environment(home: Path, run: Run, recorder: Any) -> None:
    """The real uv reads no uv.toml in a virtual environment."""
    run(sys.executable, "-m", "venv", "--without-pip", home / "venv")
    (home / "venv" / "uv.toml").write_text(f'index-url = "{recorder.url}/venv/"\n')
    (home / ".config" / "uv").mkdir(parents=True)
    (home / ".config" / "uv" / "uv.toml").write_text(f'index-url = "{recorder.url}/user/"\n')
    (home / "requirements.in").write_text("some-project\n")

    run(
        Path(sys.executable).with_name("uv"),
        "pip",
        "compile",
        "requirements.in",
        VIRTUAL_ENV=str(home / "venv"),
        PATH=f"{home}/venv/bin:{os.defpath}",
    )

    assert recorder.asked == ["/user/some-project/"]


def test_setuptools_interpolates_back(writers: dict[str, ConfigWriter], home: Path, make: Make, run: Run) -> None:
    """The real setuptools reads a URL with a percent sign unchanged."""
    pytest.importorskip("setuptools")
    location = writers["setuptools"].location(None)
    assert location is not None
    url = SIMPLE.replace("//", "//alice:p%40ss@")
    make(writers["setuptools"].plan(location.path, Target(url, INDEX)))

    read = run(
        sys.executable,
        "-c",
        "from setuptools import Distribution; found = Distribution(); found.parse_config_files(['.pydistutils.cfg']);"
        "print(found.get_option_dict('easy_install')['index_url'][1])",
    )

    assert read.stdout == f"{url}\n", read.stderr
