"""The settings of a build, from the options and from ``[devpi:upload]`` in the project's ``setup.cfg``."""

from __future__ import annotations

import argparse
import configparser
import sys
from pathlib import Path

from wheelgate_client.context import ClientContext
from wheelgate_client.errors import ClientError
from wheelgate_client.packages.building import BuildSettings

SETUP_CFG_SECTION = "devpi:upload"
_CURRENT_FORMATS = {"sdist": "sdist", "sdist.tgz": "sdist", "sdist.zip": "sdist", "bdist_wheel": "wheel"}
"""The current name of each format that ``--formats`` and ``setup.cfg`` may contain."""


def choose_build_settings(options: argparse.Namespace, context: ClientContext) -> BuildSettings:
    """Return the settings; options cannot switch off settings of ``setup.cfg``.

    Raises:
        ClientError: if a format is unknown, or ``setup.cfg`` cannot be understood.
    """
    enabled = _read_setup_cfg(Path("setup.cfg")) | _parse_formats(options.formats, context)
    return BuildSettings(
        python=options.python or sys.executable,
        sdist=options.sdist or "sdist" in enabled,
        wheel=options.wheel or "wheel" in enabled,
        isolated=not options.no_isolation,
        exported=not options.no_vcs and "no-vcs" not in enabled,
        with_repository=not options.setupdir_only and "setupdir-only" not in enabled,
    )


def _parse_formats(text: str | None, context: ClientContext) -> set[str]:
    if text is None:
        return set()
    context.terminal.note("--formats is deprecated: use --sdist, --wheel, or both")
    formats = [item.strip() for item in text.split(",") if item.strip()]
    unknown = ", ".join(item for item in formats if item not in _CURRENT_FORMATS)
    if unknown:
        raise ClientError(f"cannot build {unknown}: choose sdist, bdist_wheel, or both")
    return {_CURRENT_FORMATS[item] for item in formats}


def _read_setup_cfg(path: Path) -> set[str]:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(path, encoding="utf-8")
        if not parser.has_section(SETUP_CFG_SECTION):
            return set()
        names = ("sdist", "wheel", "no-vcs", "setupdir-only")
        enabled = {name for name in names if parser.getboolean(SETUP_CFG_SECTION, name, fallback=False)}
        formats = parser.get(SETUP_CFG_SECTION, "formats", fallback="").split(",")
    except (configparser.Error, ValueError) as error:
        raise ClientError(f"{path}: {error}; correct [{SETUP_CFG_SECTION}]") from None
    return enabled | {_CURRENT_FORMATS[item.strip()] for item in formats if item.strip() in _CURRENT_FORMATS}
