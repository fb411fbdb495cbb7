"""The paths of the writers, which are those of the tools."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wheelgate_client.hookspecs import ConfigWriter

ALWAYS = ("setuptools", "pip", "buildout", "uv")
BY_NAME = ("uv-index", "pypirc", "netrc", "poetry", "pdm")


def test_writers_come_in_the_order_of_the_listing(writers: dict[str, ConfigWriter]) -> None:
    """`devpi use` lists setuptools, pip, buildout and uv; writers that work by name only come last."""
    assert list(writers) == [*ALWAYS, *BY_NAME]


@pytest.mark.parametrize(
    ("tool", "files", "environment", "label"),
    [
        pytest.param("setuptools", [], {}, "~/.pydistutils.cfg", id="setuptools"),
        pytest.param("buildout", [], {}, "~/.buildout/default.cfg", id="buildout"),
        pytest.param("buildout", [], {"BUILDOUT_HOME": "{home}/b"}, "~/b/default.cfg", id="buildout-home"),
        pytest.param("pip", [], {}, "~/.pip/pip.conf", id="pip-fresh"),
        pytest.param("pip", [".config/pip/pip.conf"], {}, "~/.config/pip/pip.conf", id="pip-new-place"),
        pytest.param("pip", [".pip/pip.conf"], {}, "~/.pip/pip.conf", id="pip-old-place"),
        pytest.param(
            "pip", [".pip/pip.conf", ".config/pip/pip.conf"], {}, "~/.config/pip/pip.conf", id="pip-last-word"
        ),
        pytest.param("pip", ["x/pip/pip.conf"], {"XDG_CONFIG_HOME": "{home}/x"}, "~/x/pip/pip.conf", id="pip-xdg"),
        pytest.param(
            "pip", [".config/pip/pip.conf"], {"PIP_CONFIG_FILE": "{home}/p.conf"}, "~/p.conf", id="pip-chosen"
        ),
        pytest.param("pip", [], {"PIP_CONFIG_FILE": "/etc/p.conf"}, "/etc/p.conf", id="pip-chosen-elsewhere"),
        pytest.param("pip", [], {"PIP_CONFIG_FILE": os.devnull}, "~/.pip/pip.conf", id="pip-devnull"),
        pytest.param("pip", [], {"PIP_CONFIG_FILE": ""}, "~/.pip/pip.conf", id="pip-chosen-empty"),
        pytest.param("uv", [], {}, "~/.config/uv/uv.toml", id="uv"),
        pytest.param("uv", [], {"XDG_CONFIG_HOME": "{home}/x"}, "~/x/uv/uv.toml", id="uv-xdg"),
        pytest.param("uv", [], {"XDG_CONFIG_HOME": "x"}, "~/.config/uv/uv.toml", id="uv-xdg-relative"),
        pytest.param("uv", [], {"UV_CONFIG_FILE": "{home}/u.toml"}, "~/u.toml", id="uv-chosen"),
        pytest.param("uv-index", [], {"UV_CONFIG_FILE": "{home}/u.toml"}, "~/u.toml", id="uv-index"),
        pytest.param("pypirc", [], {}, "~/.pypirc", id="pypirc"),
        pytest.param("netrc", [], {}, "~/.netrc", id="netrc"),
        pytest.param("netrc", [], {"NETRC": "~/n"}, "~/n", id="netrc-chosen"),
        pytest.param("poetry", [], {}, "~/project/src/pyproject.toml", id="poetry-without-a-project"),
        pytest.param("poetry", ["project/src/pyproject.toml"], {}, "~/project/src/pyproject.toml", id="poetry-here"),
        pytest.param(
            "pdm", ["project/pyproject.toml", "pyproject.toml"], {}, "~/project/pyproject.toml", id="pdm-above"
        ),
    ],
)
def test_user_file(
    writers: dict[str, ConfigWriter],
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    tool: str,
    files: list[str],
    environment: dict[str, str],
    label: str,
) -> None:
    """The file is the one that takes precedence in the tool; its label has ``~`` for the home directory."""
    for name in files:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).touch()
    for name, value in environment.items():
        monkeypatch.setenv(name, value.format(home=home))
    (home / "project" / "src").mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(home / "project" / "src")

    location = writers[tool].location(None)

    assert location is not None
    assert location.label == label
    assert location.path == Path(label.replace("~", str(home)))


@pytest.mark.parametrize("tool", [*ALWAYS, *BY_NAME])
def test_files_that_have_to_be_named(writers: dict[str, ConfigWriter], home: Path, tool: str) -> None:
    """Files with passwords, and those of a project, are left alone unless they are named."""
    location = writers[tool].location(None)

    assert location is not None
    assert location.by_name_only == (tool in BY_NAME)
    assert location.stores_login == (tool in {"pypirc", "netrc"})


@pytest.mark.parametrize("tool", ["setuptools", "pip", "buildout"])
def test_the_files_of_the_session_are_always_shown(writers: dict[str, ConfigWriter], home: Path, tool: str) -> None:
    """Three files are listed even if they do not exist."""
    location = writers[tool].location(None)

    assert location is not None
    assert location.listed_when_unset
    assert not location.path.exists()


def test_uv_is_shown_once_it_has_a_file(writers: dict[str, ConfigWriter], home: Path) -> None:
    """``uv.toml`` is listed if it exists."""
    before = writers["uv"].location(None)
    assert before is not None
    before.path.parent.mkdir(parents=True)
    before.path.touch()

    after = writers["uv"].location(None)

    assert after is not None
    assert (before.listed_when_unset, after.listed_when_unset) == (False, True)


@pytest.mark.parametrize(
    ("tool", "name"), [(tool, "pip.conf" if tool == "pip" else None) for tool in (*ALWAYS, *BY_NAME)]
)
def test_virtual_environment(writers: dict[str, ConfigWriter], home: Path, tool: str, name: str | None) -> None:
    """Only pip reads a file in a virtual environment; its label is the full path."""
    venv = home / "venv"

    location = writers[tool].location(venv)

    assert (location and location.path) == (name and venv / name)
    assert (location and location.label) == (name and str(venv / name))
