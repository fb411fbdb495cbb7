"""Writes the parts of the documentation that follow from the code, so that they cannot say anything else.

``python docs/generate.py`` fills what stands between ``<!-- generated: NAME ARGUMENT -->`` and ``<!-- end -->`` on
every page; with ``--check`` it writes nothing and exits with 1 if a page would change.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module, metadata
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any

from wheelgate.commands import CORE_COMMANDS
from wheelgate.config import resolve
from wheelgate.core_options import CORE_OPTIONS
from wheelgate.http.errors import STATUS_BY_REFUSAL
from wheelgate.main import make_parser
from wheelgate.metrics.catalogue import METRICS
from wheelgate.newplugin.kinds import PLUGIN_KINDS
from wheelgate.newplugin.writing import filled_templates
from wheelgate.option_help import shown_default
from wheelgate.options import Option
from wheelgate.plugin_host.discovery import discover
from wheelgate.resources import openapi
from wheelgate.rights.permissions import CORE_PERMISSIONS
from wheelgate.services.opened_server import OpenedServer
from wheelgate.store.database import Database
from wheelgate_client import errors as client_errors
from wheelgate_client.arguments import CommandParser, main_parser
from wheelgate_client.commands import ALIASES, COMMANDS

DOCS = Path(__file__).parent
ROOT = DOCS.parent
EXAMPLES = ROOT / "tests" / "plugins_external"
PROJECTS = [ROOT / "pyproject.toml", *ROOT.glob("plugins/*/pyproject.toml")]
PART = re.compile(r"(<!-- generated: ([^>]*) -->)\n.*?<!-- end -->", re.DOTALL)
MAX_CODE_LINE_CHARS = 120
"""Characters of a line of code."""

KINDS = {
    "UserStore": "one provider; exactly one plugin must provide it",
    "IndexStore": "one provider; exactly one plugin must provide it",
    "PasswordHasher": "one provider; at most one plugin may provide it",
    "Path": "one answer from each plugin",
    "None": "a notice; the server or client calls every plugin and uses no answer",
    "UserDefaults | None": "a question; the first answer that is not `None` counts",
    "str | None": "a question; the first answer that is not `None` counts",
    "Allow | Deny | None": "a question to every plugin on each request",
    "Sequence[bool] | None": "a question to every plugin on each listing",
}
"""By the return type; what is missing here is a list from each plugin."""


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a Markdown table."""
    lines = [heads, ["---"] * len(heads), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def prose(text: str | None) -> str:
    """Turn a docstring into Markdown: one paragraph a line, code in single backticks."""
    plain = re.sub(r"(?::\w+:)?`{1,2}~?([^`]+)`{1,2}", r"`\1`", inspect.cleandoc(text or ""))
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in plain.split("\n\n"))


def code(text: str, kind: str = "python") -> str:
    """Write a block of code."""
    return f"```{kind}\n{text.rstrip()}\n```\n"


def bundled(group: str) -> dict[str, ModuleType]:
    """Return the modules that the distributions of this repository register as plugins, by their names."""
    projects = [tomllib.loads(path.read_text("utf-8"))["project"] for path in PROJECTS]
    found = [entry for project in projects for entry in metadata.distribution(project["name"]).entry_points]
    return {entry.name: entry.load() for entry in sorted(found, key=lambda entry: entry.name) if entry.group == group}


def classes(module: ModuleType) -> list[type]:
    """Return the classes that a module defines, in the order in which it does."""
    return [thing for thing in vars(module).values() if inspect.isclass(thing) and thing.__module__ == module.__name__]


def hooks(side: str) -> str:
    """Describe every hook of the server or of the client."""
    if side == "server":
        specs, plugins = import_module("wheelgate.hookspecs"), bundled("wheelgate")
    else:
        specs, plugins = import_module("wheelgate_client.hookspecs"), bundled("wheelgate.client")
        plugins["keyring"] = import_module("wheelgate_client.keyring_passwords")
    named = [(name, hook) for name, hook in vars(specs).items() if name.startswith("wheelgate_")]
    return "\n".join(hook_section(name, hook, plugins) for name, hook in named if inspect.isfunction(hook))


def hook_section(name: str, hook: Callable[..., Any], plugins: Mapping[str, ModuleType]) -> str:
    """Say what there is to know about a hook: signature, when, kind, users, meaning."""
    signature = inspect.signature(hook)
    when, head, rest = occasion(name, prose(hook.__doc__))
    users = [f"`{plugin}`" for plugin, module in plugins.items() if hasattr(module, name)]
    shown = [f"`{path.name}`" for path in examples(name)]
    facts = [
        ("When", when),
        ("Kind", KINDS.get(str(signature.return_annotation), "a list from each plugin; all of them count")),
        ("Used by", ", ".join(users) or "no bundled plugin"),
        *([("Examples", f"{', '.join(shown)} in `tests/plugins_external`")] if shown else []),
    ]
    parts = [
        f"### {name}\n",
        code(f"@hookimpl\n{declaration(name, signature)}"),
        f"{head}\n",
        table(("", ""), facts),
        *(f"{paragraph}\n" for paragraph in rest),
    ]
    return "\n".join(parts)


def declaration(name: str, signature: inspect.Signature) -> str:
    """Write the first line of a function; in three lines if it is too long for one, as the formatter would."""
    typed = str(signature).replace("'", "").replace("argparse._SubParsersAction", "_SubParsersAction")
    line = f"def {name}{typed}: ..."
    arguments, _, answer = typed[1:].rpartition(") -> ")
    return line if len(line) <= MAX_CODE_LINE_CHARS else f"def {name}(\n    {arguments}\n) -> {answer}: ..."


def occasion(name: str, text: str) -> tuple[str, str, list[str]]:
    """Take the sentence that says when a hook is called out of its text; return it, the first paragraph, the others."""
    found = re.search(r"(?:^|(?<=\s))(?:Called|The first hook)\b.*?[.;](?=\s|$)", text)
    if found is None:
        raise ValueError(f"{name}: the docstring does not say when the hook is called")
    rest = [paragraph.strip() for paragraph in text.replace(found[0], "", 1).split("\n\n")]
    head, *others = [part[:1].upper() + part[1:] for part in rest if part]
    return found[0].rstrip(";."), head, others


def examples(hook: str) -> list[Path]:
    """Return the folders of the example plugins that implement a hook."""
    files = [path for path in EXAMPLES.glob("*/**/*.py") if f"def {hook}(" in path.read_text("utf-8")]
    return sorted({EXAMPLES / path.relative_to(EXAMPLES).parts[0] for path in files})


def docstring(path: str) -> str:
    """Show the docstring of a module, or of a function in one, given as ``module:function``."""
    module, _, name = path.partition(":")
    thing = getattr(import_module(module), name) if name else import_module(module)
    return f"{prose(thing.__doc__)}\n"


def sources(path: str) -> str:
    """Show the code of every class of a module, or of one of them, given as ``module:Class``."""
    module, _, name = path.partition(":")
    return "\n".join(
        code(inspect.getsource(thing)) for thing in classes(import_module(module)) if name in ("", thing.__name__)
    )


def settings(where: str) -> str:
    """List the settings of the server, or of the plugins that have some."""
    if where == "server":
        return settings_table(CORE_OPTIONS)
    plugins = [(name, plugin) for name, plugin in bundled("wheelgate").items() if hasattr(plugin, "wheelgate_options")]
    return "\n".join(f"### {name}\n\n{settings_table(plugin.wheelgate_options())}" for name, plugin in plugins)


def settings_table(options: Iterable[Option]) -> str:
    """Write the table of some settings."""
    rows = []
    for option in options:
        flag = f"`{option.flag} {option.metavar}`" if option.metavar else f"`{option.flag}`, `{option.negated_flag}`"
        place = f" in `[plugins.{option.section}]`" if option.section else ""
        names = f"{flag}<br>`{option.variable}`<br>`{option.name}`{place}"
        marks = [mark for mark, holds in (("secret", option.secret), ("several", option.many)) if holds]
        meaning = option.help + (f" (*{', '.join(marks)}*)" if marks else "")
        default = f"`{shown_default(option)}`" if shown_default(option) else ""
        rows.append((names, default, meaning))
    return table(("Flag, variable, key of the file", "Default", "Meaning"), rows)


def commands(program: str) -> str:
    """Describe the commands of ``devpi-server`` or of ``devpi``."""
    return server_commands() if program == "devpi-server" else client_commands()


def server_commands() -> str:
    """Describe the arguments of ``devpi-server`` that are not settings."""
    parser = make_parser({"": CORE_OPTIONS}, CORE_COMMANDS)
    known = {option.flag for option in CORE_OPTIONS}
    sections = [arguments_table(parser, known), *commands_of(parser, "devpi-server", known)]
    return "\n".join(filter(None, sections))


def commands_of(parser: argparse.ArgumentParser, name: str, known: set[str]) -> list[str]:
    """Describe the commands of a parser, and those below them."""
    sections = []
    # argparse has no public way to its arguments but the help text, whose form changes from one Python to the next.
    for group in (action for action in parser._actions if isinstance(action, argparse._SubParsersAction)):  # noqa: SLF001
        for choice in group._choices_actions:  # noqa: SLF001
            title, below = f"{name} {choice.dest}", group.choices[choice.dest]
            sections.append(f"### {title}\n\n{str(choice.help)[0].upper()}{str(choice.help)[1:]}.\n")
            sections.append(arguments_table(below, known))
            sections += commands_of(below, title, known)
    return sections


def client_commands() -> str:
    """Describe the options of all commands of ``devpi``, and then each command."""
    sections = [arguments_table(main_parser(), set())]
    known = {flag for action in CommandParser()._actions for flag in action.option_strings}  # noqa: SLF001
    for name, summary in COMMANDS.items():
        sections.append(f"### devpi {name}\n")
        if name in ALIASES:
            sections.append(f"{summary.capitalize()}.\n")
            continue
        module = import_module(f"wheelgate_client.commands.{name}")
        parser = CommandParser(prog=f"devpi {name}")
        module.register(parser)
        sections += [f"{prose(module.__doc__)}\n", arguments_table(parser, known)]
    return "\n".join(filter(None, sections))


def arguments_table(parser: argparse.ArgumentParser, known: set[str]) -> str:
    """Write the table of a parser's arguments, but for ``known`` options."""
    rows = []
    for action in parser._actions:  # noqa: SLF001
        hidden = action.help == argparse.SUPPRESS or isinstance(action, argparse._SubParsersAction)  # noqa: SLF001
        if hidden or known & set(action.option_strings) or "--help" in action.option_strings:
            continue
        value = action.metavar or ("{" + ",".join(action.choices) + "}" if action.choices else action.dest.upper())
        takes = "" if action.nargs == 0 else f" {value}"
        names = [f"`{name}{takes}`" for name in action.option_strings] or [
            f"`{word}`" for word in str(value).split("|")
        ]
        rows.append((", ".join(names), (action.help or "").replace("%%", "%")))
    return table(("Argument", "Meaning"), rows) if rows else ""


def refusals() -> str:
    """List the statuses of refusals."""
    rows = [(str(status), f"`{kind.__name__}`", raised(kind)) for kind, status in STATUS_BY_REFUSAL]
    return table(("Status", "Class", "When"), sorted(rows))


def complaints() -> str:
    """List the errors of the client."""
    rows = [
        (f"`{kind.__name__}`", "2" if issubclass(kind, client_errors.UsageError) else "1", raised(kind))
        for kind in classes(client_errors)
    ]
    return table(("Class", "Exit code", "When"), rows)


def raised(kind: type) -> str:
    """Return when an error is raised."""
    return prose(kind.__doc__).removeprefix("Raised when ").removeprefix("Raised ")


def routes() -> str:
    """List the addresses."""
    rows = [
        (f"`{method.upper()} {path}`", described["summary"])
        for path, methods in openapi.openapi_document([], "")["paths"].items()
        for method, described in methods.items()
        if method != "parameters"
    ]
    return table(("Request", "What it does"), rows)


def metrics() -> str:
    """Write the table of the metrics."""
    rows = ((f"`{metric.name}`", metric.kind, metric.help) for metric in METRICS)
    return table(["Metric", "Kind", "What it is"], rows)


def permissions() -> str:
    """List the permissions that the core knows."""
    kinds = {"server": "the server", "user": "a user", "index": "an index"}
    rows = [(f"`{each.name}`", f"{each.description} {kinds[each.resource]}", each.default) for each in CORE_PERMISSIONS]
    return table(("Permission", "To", "Without a policy, for"), rows)


def keys(plugin: str) -> str:
    """List the keys of the index type that a plugin provides."""
    plugins = discover(())
    options = [*CORE_OPTIONS, *(option for _, option in plugins.options())]
    # A server that is never started: nothing is opened or made on the disk before it is needed.
    opened = OpenedServer(resolve(options, {}, {}), plugins, Database("sqlite:///none.db"))
    (kind,) = dict(plugins.ask("wheelgate_index_types", server=opened.server))[plugin]
    rows = []
    for field in kind.fields:
        takes = " or ".join(f"`{word}`" for word in field.schema.get("enum", ())) or field.schema.get(
            "type", "any JSON"
        )
        rows.append((f"`{field.name}`", takes, f"`{field.default('OWNER')}`" if field.default else ""))
    return table(("Key", "Value", "If not given"), rows)


def plugin_kinds() -> str:
    """List what ``newplugin`` can write."""
    rows = [
        (f"`{name}`", f"{kind.does}", "client" if kind.group.endswith("client") else "server")
        for name, kind in PLUGIN_KINDS.items()
    ]
    return table(("Kind", "A plugin that", "Extends the"), rows)


def new(kind: str, place: str) -> str:
    """Show a file that ``newplugin`` writes for a plugin of a kind that is called ``corp``."""
    return code(dict(filled_templates("corp", kind))[PurePosixPath(place)])


def file(path: str) -> str:
    """Show a file of an example plugin."""
    return code((EXAMPLES / path).read_text("utf-8"), "toml" if path.endswith(".toml") else "python")


def deploy(name: str, language: str) -> str:
    """Show a file of the folder ``deploy``."""
    return code((ROOT / "deploy" / name).read_text("utf-8"), language)


def rooms(where: str) -> str:
    """List the folders and then the modules of a package, or of the folder of all plugins, by their docstrings."""
    folder = ROOT / where
    packages = {path.parent: path for path in folder.glob("*/__init__.py")}
    if not packages and not (folder / "__init__.py").exists():  # the folder of all plugins
        packages = {path.parent.parent: path for path in folder.glob("*/*/__init__.py")}
    modules = [path for path in folder.glob("*.py") if path.stem not in ("__init__", "__main__")]
    rows = [(f"`{package.name}/`", first_sentence(packages[package])) for package in sorted(packages)]
    rows += [(f"`{path.name}`", first_sentence(path)) for path in sorted(modules)]
    return table(("Name", "What it contains"), rows)


def first_sentence(path: Path) -> str:
    """Return the first sentence of a module's docstring, without its full stop."""
    text = prose(ast.get_docstring(ast.parse(path.read_text("utf-8"))))
    if not text:
        raise ValueError(f"{path.relative_to(ROOT)} has no docstring")
    return re.split(r"\.(?=\s|$)", text, maxsplit=1)[0]


PARTS: Mapping[str, Callable[..., str]] = {
    writer.__name__: writer
    for writer in (
        hooks,
        docstring,
        sources,
        settings,
        commands,
        refusals,
        complaints,
        routes,
        metrics,
        permissions,
        keys,
        plugin_kinds,
        new,
        file,
        deploy,
        rooms,
    )
}


def filled(text: str) -> str:
    """Return a page with its parts as they have to be."""

    def fill(found: re.Match[str]) -> str:
        name, *given = found[2].split()
        return f"{found[1]}\n\n{PARTS[name](*given)}\n<!-- end -->"

    return PART.sub(fill, text)


def main(argv: Sequence[str]) -> int:
    """Fill the pages, or check them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a page is out of date")
    check = parser.parse_args(argv).check
    stale = 0
    for path in sorted(DOCS.rglob("*.md")):
        text = path.read_text("utf-8")
        page = filled(text)
        if page != text:
            stale += 1
            print(f"{path.relative_to(ROOT)} {'is out of date: run make docs' if check else 'written'}")
            if not check:
                path.write_text(page, "utf-8")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
