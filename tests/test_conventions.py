"""Rules about the repository itself: every plugin is declared, every hook documented, every hook used."""

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
SEPARATE_PLUGINS = [folder.name for folder in FOLDERS if (folder / "pyproject.toml").exists()]
"""Plugins with their own distribution: the wheel of the server does not contain them."""
BUNDLED_PLUGINS = [folder.name for folder in FOLDERS if folder.name not in SEPARATE_PLUGINS]
GENERATED_NAMES = re.compile(
    r"\.git|\.venv.*|\.\w+_cache|\.hypothesis|__pycache__|build|dist|site|.+\.egg-info|.+\.pyc|\.coverage.*"
)
MAX_MODULE_LINES = 500


def repository() -> Iterator[Path]:
    """Return the files that belong to the repository."""
    for folder, folders, files in os.walk(ROOT):
        folders[:] = (name for name in folders if not GENERATED_NAMES.fullmatch(name))  # os.walk skips the rest
        yield from (Path(folder, name) for name in files if not GENERATED_NAMES.fullmatch(name))


FILES = sorted(repository())


def relative_path(path: Path) -> str:
    """Return a file's path in the repository."""
    return str(path.relative_to(ROOT))


def package_of(plugin: str) -> str:
    """Return the name of the package in a folder of ``plugins/``."""
    (package,) = [path.name for path in (ROOT / "plugins" / plugin).glob("wheelgate_*") if path.suffix == ""]
    return package


def lists_of_checks(plugin: str) -> dict[str, bool]:
    """Return for each list of ``pyproject.toml`` that the checks use whether it contains a plugin."""
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
    """Return for each list of ``pyproject.toml`` that builds the wheel whether it contains a plugin."""
    groups = CONFIG["project"]["entry-points"]
    return {
        "setuptools": f"plugins/{plugin}" in TOOL["setuptools"]["packages"]["find"]["where"],
        "entry point": package_of(plugin) in {*groups["wheelgate"].values(), *groups["wheelgate.client"].values()},
    }


@pytest.mark.parametrize("plugin", BUNDLED_PLUGINS)
def test_a_bundled_plugin_is_declared_everywhere(plugin: str) -> None:
    """Every list of ``pyproject.toml`` contains every bundled plugin."""
    lists = lists_of_packages(plugin) | lists_of_checks(plugin)

    assert [where for where, listed in lists.items() if not listed] == []


@pytest.mark.parametrize("plugin", SEPARATE_PLUGINS)
def test_a_plugin_with_its_own_distribution_is_checked_and_not_bundled(plugin: str) -> None:
    """A plugin with its own ``pyproject.toml`` passes the same checks, and is in no other wheel."""
    assert [where for where, listed in lists_of_checks(plugin).items() if not listed] == []
    assert [where for where, listed in lists_of_packages(plugin).items() if listed] == []


@pytest.mark.parametrize("plugin", SEPARATE_PLUGINS)
def test_a_plugin_with_its_own_distribution_is_installed(plugin: str) -> None:
    """A plugin with its own distribution has the entry point that its own ``pyproject.toml`` declares."""
    project = tomllib.loads((ROOT / "plugins" / plugin / "pyproject.toml").read_text("utf-8"))["project"]
    entries = metadata.distribution(project["name"]).entry_points

    assert {entry.name: entry.value for entry in entries} == project["entry-points"]["wheelgate"]


@pytest.mark.parametrize("plugin", BUNDLED_PLUGINS)
def test_a_bundled_plugin_is_installed(plugin: str) -> None:
    """The entry point of a bundled plugin has the name of its folder, which ``--no-plugin`` accepts."""
    entries = metadata.distribution("wheelgate").entry_points
    found = {entry.name: entry.value for entry in entries if entry.group in ("wheelgate", "wheelgate.client")}

    assert found[plugin] == f"wheelgate_{plugin}"


@pytest.mark.parametrize("plugin", [*BUNDLED_PLUGINS, *SEPARATE_PLUGINS])
def test_a_plugin_has_tests_and_only_one_package(plugin: str) -> None:
    """Every plugin has a folder of tests, and its own folder has one package and the files of its distribution."""
    assert any((ROOT / "tests" / "plugins" / plugin).glob("test_*.py"))
    folders = {
        path.name for path in (ROOT / "plugins" / plugin).iterdir() if not GENERATED_NAMES.search(f"/{path.name}/")
    }
    extra = {"pyproject.toml", "README.md", "LICENSE"} if plugin in SEPARATE_PLUGINS else set()
    assert folders == {package_of(plugin), *extra}


def hooks_of(module: ModuleType) -> list[tuple[str, Callable[..., object]]]:
    """Return the hooks that a module specifies, with their names."""
    return [
        (name, function) for name, function in inspect.getmembers(module, inspect.isfunction) if "wheelgate_" in name
    ]


HOOKS = [*hooks_of(hookspecs), *hooks_of(wheelgate_client.hookspecs)]
HOOKS_PAGE = ROOT / "docs" / "reference" / "hooks.md"


@pytest.mark.parametrize(("hook", "function"), HOOKS, ids=[hook for hook, _ in HOOKS])
def test_a_hook_is_documented_with_its_exact_arguments(hook: str, function: Callable[..., object]) -> None:
    """Every hook has a docstring that says when it is called, types, and an entry that declares its arguments."""
    signature = inspect.signature(function)
    (entry,) = re.findall(
        rf"^### {hook}\n\n```python\n(.*?)```", HOOKS_PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
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
    """At least one plugin, bundled or in the tests, implements each hook."""
    users = [
        relative_path(path)
        for path in FILES
        if relative_path(path).startswith(("plugins/", "tests/")) and path.suffix == ".py"
    ]
    implements = re.compile(rf"def {hook}\(|plugin\({hook.removeprefix('wheelgate_')}=")

    assert any(implements.search((ROOT / user).read_text("utf-8")) for user in users)


def test_the_page_of_hooks_has_no_others() -> None:
    """The page of hooks has a heading for each hook, and no others."""
    headings = re.findall(r"^### (wheelgate_\w+)$", HOOKS_PAGE.read_text("utf-8"), re.MULTILINE)

    assert sorted(headings) == sorted(hook for hook, _ in HOOKS)


OPTIONS: list[Option] = [*CORE_OPTIONS, *(option for _, option in discover(()).options())]


@pytest.mark.parametrize("option", OPTIONS, ids=[option.key for option in OPTIONS])
def test_an_option_is_documented(option: Option) -> None:
    """The reference lists every option with its flag, its environment variable and its help."""
    page = (ROOT / "docs" / "reference" / "settings.md").read_text("utf-8")
    (row,) = [line for line in page.splitlines() if re.match(rf"\| `{option.flag}[ `]", line)]

    assert f"`{option.variable}`" in row
    assert option.help in row.replace("\\|", "|")


def test_the_public_face_is_pinned() -> None:
    """``wheelgate`` exports exactly these names: plugins import them."""
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
        "SecretCheck",
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
    """No module has more than 500 lines."""
    lengths = {relative_path(path): len(path.read_text("utf-8").splitlines()) for path in FILES if path.suffix == ".py"}

    assert {path: length for path, length in lengths.items() if length > MAX_MODULE_LINES} == {}


PUBLIC_REGISTRY_HOSTS = [
    ".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("pypi", "python"), ("npmjs", "com"))
]
"""Joined from their parts, because this file is checked too."""


def test_no_file_names_a_public_registry_or_this_machine() -> None:
    """Tests and examples ask no public index, and no file has a path of a developer's machine."""
    forbidden = [*PUBLIC_REGISTRY_HOSTS, f"/{'work'}/", f"/{'tmp'}/v/"]
    found = {
        relative_path(path): word
        for path in FILES
        for word in forbidden
        if word.encode() in path.read_bytes() and path.stat().st_size < 10**6
    }

    assert not found
