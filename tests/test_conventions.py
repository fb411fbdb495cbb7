"""Promises about the repository as such, kept by machine: nothing lands undeclared, undocumented or unused."""

from __future__ import annotations

import ast
import inspect
import os
import re
import tomllib
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest

import wheelgate
import wheelgate_client.hookspecs
from wheelgate import hookspecs
from wheelgate.core_options import CORE_OPTIONS
from wheelgate.options import Option
from wheelgate.plugin_host.discovery import discover

ROOT = Path(__file__).parents[1]
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
TOOL = CONFIG["tool"]
FOLDERS = sorted(folder for folder in (ROOT / "plugins").iterdir() if folder.is_dir())
DISTRIBUTIONS = [folder.name for folder in FOLDERS if (folder / "pyproject.toml").exists()]
"""Plugins that are installed by themselves: what comes with them is not in the wheel of the rest."""
PLUGINS = [folder.name for folder in FOLDERS if folder.name not in DISTRIBUTIONS]
MADE = re.compile(
    r"\.git|\.venv.*|\.\w+_cache|\.hypothesis|__pycache__|build|dist|site|.+\.egg-info|.+\.pyc|\.coverage.*"
)
LONGEST_FILE = 500


def repository() -> Iterator[Path]:
    """Return the files that belong to the repository."""
    for folder, folders, files in os.walk(ROOT):
        folders[:] = (name for name in folders if not MADE.fullmatch(name))  # the others are not looked into
        yield from (Path(folder, name) for name in files if not MADE.fullmatch(name))


FILES = sorted(repository())


def name(path: Path) -> str:
    """Return a file's name in the repository."""
    return str(path.relative_to(ROOT))


def package_of(plugin: str) -> str:
    """Return the package that a folder of ``plugins/`` holds."""
    (package,) = [path.name for path in (ROOT / "plugins" / plugin).glob("wheelgate_*") if path.suffix == ""]
    return package


def lists_of_checks(plugin: str) -> dict[str, bool]:
    """Say for each list of ``pyproject.toml`` by which code is checked whether a plugin stands in it."""
    package = package_of(plugin)
    contracts = {contract["name"]: contract for contract in TOOL["importlinter"]["contracts"]}
    return {
        "mypy path": f"$MYPY_CONFIG_FILE_DIR/plugins/{plugin}" in TOOL["mypy"]["mypy_path"].split(":"),
        "coverage": package in TOOL["coverage"]["run"]["source_pkgs"],
        "import-linter roots": package in TOOL["importlinter"]["root_packages"],
        "the core does not know it": package
        in contracts["The core knows no plugin and no client"]["forbidden_modules"],
        "the client does not know it": package
        in contracts["The client knows no plugin and no server"]["forbidden_modules"],
        "it knows no other": package in contracts["No plugin imports another"]["modules"],
        "it uses the public face only": package
        in [
            *contracts["Plugins use the public face of the core only"]["source_modules"],
            *contracts["A client plugin speaks to the client only"]["source_modules"],
        ],
    }


def lists_of_packages(plugin: str) -> dict[str, bool]:
    """Say for each list of ``pyproject.toml`` by which a wheel is made whether a plugin stands in it."""
    groups = CONFIG["project"]["entry-points"]
    return {
        "setuptools": f"plugins/{plugin}" in TOOL["setuptools"]["packages"]["find"]["where"],
        "entry point": package_of(plugin) in {*groups["wheelgate"].values(), *groups["wheelgate.client"].values()},
    }


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_bundled_plugin_is_declared_everywhere(plugin: str) -> None:
    """Whoever adds a folder to ``plugins/`` is told each list of ``pyproject.toml`` that it is missing in."""
    lists = lists_of_packages(plugin) | lists_of_checks(plugin)

    assert [where for where, stands in lists.items() if not stands] == []


@pytest.mark.parametrize("plugin", DISTRIBUTIONS)
def test_a_plugin_with_a_distribution_of_its_own_is_checked_and_not_bundled(plugin: str) -> None:
    """What has a ``pyproject.toml`` of its own is held to the same rules, and is in no other wheel."""
    assert [where for where, stands in lists_of_checks(plugin).items() if not stands] == []
    assert [where for where, stands in lists_of_packages(plugin).items() if stands] == []


@pytest.mark.parametrize("plugin", DISTRIBUTIONS)
def test_a_plugin_with_a_distribution_of_its_own_is_installed(plugin: str) -> None:
    """It comes in by the entry point that its own ``pyproject.toml`` declares."""
    project = tomllib.loads((ROOT / "plugins" / plugin / "pyproject.toml").read_text("utf-8"))["project"]
    entries = metadata.distribution(project["name"]).entry_points

    assert {entry.name: entry.value for entry in entries} == project["entry-points"]["wheelgate"]


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_bundled_plugin_is_installed(plugin: str) -> None:
    """Its entry point has the name of its folder, so that ``--no-plugin`` takes what people see."""
    entries = metadata.distribution("wheelgate").entry_points
    found = {entry.name: entry.value for entry in entries if entry.group in ("wheelgate", "wheelgate.client")}

    assert found[plugin] == f"wheelgate_{plugin}"


@pytest.mark.parametrize("plugin", [*PLUGINS, *DISTRIBUTIONS])
def test_a_plugin_has_tests_and_only_one_package(plugin: str) -> None:
    """The tests mirror the folders, and a folder holds one package, and what a distribution of its own needs."""
    assert any((ROOT / "tests" / "plugins" / plugin).glob("test_*.py"))
    folders = {path.name for path in (ROOT / "plugins" / plugin).iterdir() if not MADE.search(f"/{path.name}/")}
    own = {"pyproject.toml", "README.md", "LICENSE"} if plugin in DISTRIBUTIONS else set()
    assert folders == {package_of(plugin), *own}


def hooks_of(module: ModuleType) -> list[tuple[str, Callable[..., object]]]:
    """Return the hooks that a contract has."""
    return [
        (name, function) for name, function in inspect.getmembers(module, inspect.isfunction) if "wheelgate_" in name
    ]


HOOKS = [*hooks_of(hookspecs), *hooks_of(wheelgate_client.hookspecs)]
PAGE = ROOT / "docs" / "reference" / "hooks.md"


@pytest.mark.parametrize(("hook", "function"), HOOKS, ids=[hook for hook, _ in HOOKS])
def test_a_hook_is_documented_with_its_exact_arguments(hook: str, function: Callable[..., object]) -> None:
    """Every hook has a docstring that says when it is called, types, and an entry that declares its arguments."""
    signature = inspect.signature(function)
    (entry,) = re.findall(rf"^### {hook}\n\n```python\n(.*?)```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    (declared,) = ast.parse(entry).body

    first, _, rest = inspect.cleandoc(function.__doc__ or "").partition("\n\n")
    assert first.endswith(".")
    assert rest
    assert signature.return_annotation is not inspect.Signature.empty
    assert all(each.annotation is not inspect.Parameter.empty for each in signature.parameters.values())
    assert isinstance(declared, ast.FunctionDef)
    assert declared.name == hook
    assert [argument.arg for argument in declared.args.args] == list(signature.parameters)


@pytest.mark.parametrize("hook", [hook for hook, _ in HOOKS])
def test_a_hook_is_used(hook: str) -> None:
    """Every hook has a plugin, bundled or of the tests, that implements it."""
    users = [name(path) for path in FILES if name(path).startswith(("plugins/", "tests/")) and path.suffix == ".py"]
    implements = re.compile(rf"def {hook}\(|plugin\({hook.removeprefix('wheelgate_')}=")

    assert any(implements.search((ROOT / user).read_text("utf-8")) for user in users)


def test_the_page_of_hooks_has_no_others() -> None:
    """What is no hook any more is gone from the page."""
    headings = re.findall(r"^### (wheelgate_\w+)$", PAGE.read_text("utf-8"), re.MULTILINE)

    assert sorted(headings) == sorted(hook for hook, _ in HOOKS)


OPTIONS: list[Option] = [*CORE_OPTIONS, *(option for _, option in discover(()).options())]


@pytest.mark.parametrize("option", OPTIONS, ids=[option.key for option in OPTIONS])
def test_an_option_is_documented(option: Option) -> None:
    """Every option stands in the reference with its flag, its variable and its meaning."""
    page = (ROOT / "docs" / "reference" / "settings.md").read_text("utf-8")
    (row,) = [line for line in page.splitlines() if re.match(rf"\| `{option.flag}[ `]", line)]

    assert f"`{option.variable}`" in row
    assert option.help in row.replace("\\|", "|")


def test_the_public_face_is_pinned() -> None:
    """What plugins import from ``wheelgate`` is a promise: it changes here, or not at all."""
    assert wheelgate.__all__ == [
        "Allow",
        "Command",
        "Credentials",
        "Deny",
        "Event",
        "Index",
        "Ok",
        "Option",
        "Outcome",
        "Permission",
        "Principal",
        "Reject",
        "RequestInfo",
        "Resource",
        "Restriction",
        "Server",
        "Token",
        "Unavailable",
        "Unknown",
        "User",
        "UserDefaults",
        "Verdict",
        "hookimpl",
    ]


def test_no_module_is_too_long() -> None:
    """A module that has grown beyond what one reads at a sitting is two."""
    lengths = {name(path): len(path.read_text("utf-8").splitlines()) for path in FILES if path.suffix == ".py"}

    assert {path: length for path, length in lengths.items() if length > LONGEST_FILE} == {}


HOSTS = [".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("pypi", "python"), ("npmjs", "com"))]
"""Put together here, so that not even this file names one."""


def test_no_file_names_a_public_registry_or_this_machine() -> None:
    """Whoever runs the tests or copies an example asks no public index, and no path of a developer's is left behind."""
    forbidden = [*HOSTS, f"/{'work'}/", f"/{'tmp'}/v/"]
    found = {
        name(path): word
        for path in FILES
        for word in forbidden
        if word.encode() in path.read_bytes() and path.stat().st_size < 10**6
    }

    assert not found
