"""Fills in the templates and writes the files of a plugin."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from importlib import metadata, resources
from pathlib import Path, PurePosixPath
from string import Template

from wheelgate.errors import StartupError
from wheelgate.newplugin.kinds import PLUGIN_KINDS

NEW_PLUGIN_NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
MAX_PLUGIN_NAME_CHARS = 40
TEMPLATE_SUFFIX = ".template"
TEMPLATE_TARGETS = {
    "plugin.py": "$package/__init__.py",
    "py.typed": "$package/py.typed",
    "test.py": "tests/test_$plugin.py",
}
"""The paths of the files that do not belong at the top of the distribution."""


def write_plugin(name: str, kind: str, parent: Path) -> Path:
    """Write the folder ``wheelgate-NAME`` below ``parent`` and return it.

    Raises:
        StartupError: the name is invalid or taken by an installed plugin; the folder exists; it cannot be written.
    """
    check_plugin_name(name)
    folder = parent / f"wheelgate-{name.replace('_', '-')}"
    try:
        # An existing folder of that name probably contains a user's work.
        folder.mkdir(parents=True)
        for path, text in filled_templates(name, kind):
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, "utf-8")
    except FileExistsError:
        raise StartupError(f"{folder} already exists: choose another name, or move the folder away") from None
    except OSError as error:
        raise StartupError(f"{error.filename} cannot be written: {error.strerror}") from None
    return folder


def check_plugin_name(name: str) -> None:
    """Refuse an invalid name, and the name of an installed plugin."""
    if not NEW_PLUGIN_NAME.fullmatch(name) or len(name) > MAX_PLUGIN_NAME_CHARS or keyword.iskeyword(name):
        raise StartupError(
            f"{name[: MAX_PLUGIN_NAME_CHARS * 2]!a} is not a valid name for a plugin: use up to "
            f"{MAX_PLUGIN_NAME_CHARS} lower-case letters, digits and single dashes, start with a letter, and use no "
            "keyword of Python; for example corp-login"
        )
    if name.startswith("wheelgate"):
        raise StartupError(f"'{name}': leave out 'wheelgate-', newplugin adds it to the name")
    plugin = name.replace("-", "_")
    for group in ("wheelgate", "wheelgate.client"):
        for entry in metadata.entry_points(group=group, name=plugin):
            distribution = entry.dist.name if entry.dist else "unknown distribution"
            raise StartupError(f"the installed '{distribution}' has a plugin '{plugin}': choose another name")


def filled_templates(name: str, kind: str) -> Iterator[tuple[PurePosixPath, str]]:
    """Yield the path and the text of each file, from the templates of all kinds and of this one."""
    plugin, section = name.replace("-", "_"), name.replace("_", "-")
    values = {
        "distribution": f"wheelgate-{section}",
        "plugin": plugin,
        "package": f"wheelgate_{plugin}",
        "section": section,
        "does": PLUGIN_KINDS[kind].does,
        "group": PLUGIN_KINDS[kind].group,
        "dependencies": ", ".join(f'"{each}"' for each in PLUGIN_KINDS[kind].dependencies),
    }
    for folder in ("common", kind):
        templates = resources.files("wheelgate.newplugin") / "templates" / folder
        for template in sorted(templates.iterdir(), key=lambda each: each.name):
            file = template.name.removesuffix(TEMPLATE_SUFFIX)
            path = Template(TEMPLATE_TARGETS.get(file, file)).substitute(values)
            yield PurePosixPath(path), Template(template.read_text("utf-8")).substitute(values)
