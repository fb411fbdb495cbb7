"""``python -m wheelgate.newplugin``: the files that it writes, and its refusals."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

from wheelgate.newplugin.__main__ import main
from wheelgate.newplugin.kinds import PLUGIN_KINDS

REFUSED = [
    ("", "'' is not a valid name for a plugin"),
    ("Corp", "'Corp' is not a valid name for a plugin"),
    ("../corp", "'../corp' is not a valid name for a plugin"),
    ("corp login", "'corp login' is not a valid name for a plugin"),
    ("1corp", "'1corp' is not a valid name for a plugin"),
    ("corp-", "'corp-' is not a valid name for a plugin"),
    ("corp--login", "'corp--login' is not a valid name for a plugin"),
    ("k\u00f6rp", "'k\\xf6rp' is not a valid name for a plugin"),
    ("import", "'import' is not a valid name for a plugin"),
    ("x" * 41, "is not a valid name for a plugin"),
    ("corp\n", "'corp\\n' is not a valid name for a plugin"),
    ('corp"', "is not a valid name for a plugin"),
    ("wheelgate-corp", "leave out 'wheelgate-'"),
    ("restrict-modify", "the installed 'wheelgate' has a plugin 'restrict_modify'"),
    ("pipconfig", "the installed 'wheelgate' has a plugin 'pipconfig'"),
]


@pytest.mark.parametrize(("name", "sentence"), REFUSED, ids=[ascii(name) for name, _ in REFUSED])
def test_an_invalid_name_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, sentence: str
) -> None:
    """Nothing is written, and the message says which names are valid."""
    assert main([name, "--folder", str(tmp_path)]) == 1

    error = capsys.readouterr().err
    assert sentence in error
    assert error.startswith("newplugin: ")
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An existing folder of that name is not changed, even if it is empty."""
    for name in ("corp-login", "corp_login"):
        assert main([name, "--folder", str(tmp_path)]) == (0 if name == "corp-login" else 1)
    (tmp_path / "wheelgate-mine").mkdir()

    assert main(["mine", "--folder", str(tmp_path)]) == 1
    assert capsys.readouterr().err.count("already exists: choose another name") == 2
    assert not list((tmp_path / "wheelgate-mine").iterdir())


def test_an_unwritable_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The message names the folder that cannot be written."""
    (tmp_path / "file").touch()

    assert main(["corp", "--folder", str(tmp_path / "file")]) == 1
    assert f"{tmp_path / 'file' / 'wheelgate-corp'} cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("kind", PLUGIN_KINDS)
@pytest.mark.parametrize("name", ["corp", "corp-login-2"])
def test_the_written_files(tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, name: str) -> None:
    """Package, test, README and metadata contain the name in its spellings, and no placeholder of a template."""
    assert main([name, "--kind", kind, "--folder", str(tmp_path)]) == 0

    folder, plugin = tmp_path / f"wheelgate-{name}", name.replace("-", "_")
    written = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    package = f"wheelgate_{plugin}"
    assert written == {
        "README.md",
        "pyproject.toml",
        f"{package}/__init__.py",
        f"{package}/py.typed",
        f"tests/test_{plugin}.py",
    }
    project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["name"] == folder.name
    assert ("wheelgate" in project["dependencies"]) == (PLUGIN_KINDS[kind].group == "wheelgate")
    assert project["entry-points"] == {PLUGIN_KINDS[kind].group: {plugin: package}}
    for path in folder.rglob("*.*"):
        assert "$" not in path.read_text("utf-8")
        if path.suffix == ".py":
            ast.parse(path.read_text("utf-8"))
    assert f"cd {folder}" in capsys.readouterr().out


def test_help_names_the_kinds(capsys: pytest.CaptureFixture[str]) -> None:
    """``--help`` lists the kinds with their descriptions."""
    with pytest.raises(SystemExit):
        main(["--help"])

    text = " ".join(capsys.readouterr().out.split())
    assert all(f"{name} {kind.does}" in text for name, kind in PLUGIN_KINDS.items())


@pytest.mark.parametrize(("kind", "program"), [("authenticator", "devpi-server"), ("command", "devpi")])
def test_the_next_steps_install_what_the_tests_need(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, program: str
) -> None:
    """The command prints what to type, in an order that works: the extra of the plugin has pytest, which runs next."""
    assert main(["corp", "--kind", kind, "--folder", str(tmp_path)]) == 0

    steps = [line.partition(" #")[0].strip() for line in capsys.readouterr().out.splitlines()[1:]]
    folder = tmp_path / "wheelgate-corp"
    install = "python -m pip install -e '.[dev]'"
    assert steps == [f"cd {folder}", install, "python -m pytest", f"{program} plugins"]
    extras = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    assert "pytest>=8" in extras["dev"]
    page = Path(__file__).parents[2] / "docs/how-to/new-plugin.md"
    for text in ((folder / "README.md").read_text("utf-8"), page.read_text("utf-8").replace("python3", "python")):
        assert text.index(install) < text.index("python -m pytest")
