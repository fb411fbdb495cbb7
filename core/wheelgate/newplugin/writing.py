"""Fills the templates and writes the files of a plugin."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from importlib import metadata, resources
from pathlib import Path, PurePosixPath
from string import Template

from wheelgate.errors import StartupError
from wheelgate.newplugin.kinds import KINDS

NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
LONGEST = 40
ENDING = ".template"
PLACES = {"plugin.py": "$package/__init__.py", "py.typed": "$package/py.typed", "test.py": "tests/test_$plugin.py"}
"""Where a file belongs that is not to be at the top."""


def write_plugin(name: str, kind: str, parent: Path) -> Path:
    """Write the folder ``wheelgate-NAME`` below ``parent`` and return it.

    Raises:
        StartupError: the name cannot be a plugin's, or is one's already; there is such a folder; the kind is unknown;
            the folder cannot be written.
    """
    check_name(name)
    folder = parent / f"wheelgate-{name.replace('_', '-')}"
    try:
        # Whoever has a folder of that name has work in it.
        folder.mkdir(parents=True)
        for path, text in files(name, kind):
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, "utf-8")
    except FileExistsError:
        raise StartupError(f"{folder} is there already: choose another name, or move it away") from None
    except OSError as error:
        raise StartupError(f"{error.filename} cannot be written: {error.strerror}") from None
    return folder


def check_name(name: str) -> None:
    """Refuse what is no name, or the name of a plugin that is installed."""
    if not NAME.fullmatch(name) or len(name) > LONGEST or keyword.iskeyword(name):
        raise StartupError(
            f"{name[: LONGEST * 2]!a} is no name for a plugin: up to {LONGEST} lower-case letters, digits and single "
            "dashes, beginning with a letter, and no word of Python, such as corp-login"
        )
    if name.startswith("wheelgate"):
        raise StartupError(f"'{name}': leave 'wheelgate-' away, it is put in front of the name")
    plugin = name.replace("-", "_")
    for group in ("wheelgate", "wheelgate.client"):
        for entry in metadata.entry_points(group=group, name=plugin):
            distribution = entry.dist.name if entry.dist else "something"
            raise StartupError(f"'{distribution}' is installed and brings a plugin '{plugin}': choose another name")


def files(name: str, kind: str) -> Iterator[tuple[PurePosixPath, str]]:
    """Fill the templates that all kinds share, and those of one, and say where each belongs."""
    plugin, section = name.replace("-", "_"), name.replace("_", "-")
    values = {
        "distribution": f"wheelgate-{section}",
        "plugin": plugin,
        "package": f"wheelgate_{plugin}",
        "section": section,
        "does": KINDS[kind].does,
        "group": KINDS[kind].group,
        "dependencies": ", ".join(f'"{each}"' for each in KINDS[kind].dependencies),
    }
    for folder in ("common", kind):
        templates = resources.files("wheelgate.newplugin") / "templates" / folder
        for template in sorted(templates.iterdir(), key=lambda each: each.name):
            file = template.name.removesuffix(ENDING)
            place = Template(PLACES.get(file, file)).substitute(values)
            yield PurePosixPath(place), Template(template.read_text("utf-8")).substitute(values)
