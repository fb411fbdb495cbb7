"""How to build: what the options say, and ``[devpi:upload]`` of the project's ``setup.cfg``."""

from __future__ import annotations

import argparse
import configparser
import sys
from pathlib import Path

from wheelgate_client.errors import ClientError
from wheelgate_client.packages.building import Settings
from wheelgate_client.session import Session

SECTION = "devpi:upload"
FORMATS = {"sdist": "sdist", "sdist.tgz": "sdist", "sdist.zip": "sdist", "bdist_wheel": "wheel"}
"""What a format of old is called today."""


def chosen(options: argparse.Namespace, session: Session) -> Settings:
    """Return the settings; what is on in ``setup.cfg`` cannot be switched off by an option.

    Raises:
        ClientError: if a format is unknown, or ``setup.cfg`` cannot be understood.
    """
    on = _in_setup_cfg(Path("setup.cfg")) | _formats(options.formats, session)
    return Settings(
        python=options.python or sys.executable,
        sdist=options.sdist or "sdist" in on,
        wheel=options.wheel or "wheel" in on,
        isolated=not options.no_isolation,
        exported=not options.no_vcs and "no-vcs" not in on,
        with_repository=not options.setupdir_only and "setupdir-only" not in on,
    )


def _formats(text: str | None, session: Session) -> set[str]:
    if text is None:
        return set()
    session.terminal.note("--formats is deprecated: use --sdist, --wheel, or both")
    formats = [item.strip() for item in text.split(",") if item.strip()]
    unknown = ", ".join(item for item in formats if item not in FORMATS)
    if unknown:
        raise ClientError(f"cannot build {unknown}: 'python -m build' makes sdist and bdist_wheel")
    return {FORMATS[item] for item in formats}


def _in_setup_cfg(path: Path) -> set[str]:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(path, encoding="utf-8")
        if not parser.has_section(SECTION):
            return set()
        names = ("sdist", "wheel", "no-vcs", "setupdir-only")
        on = {name for name in names if parser.getboolean(SECTION, name, fallback=False)}
        formats = parser.get(SECTION, "formats", fallback="").split(",")
    except (configparser.Error, ValueError) as error:
        raise ClientError(f"{path}: {error}; correct [{SECTION}]") from None
    return on | {FORMATS[item.strip()] for item in formats if item.strip() in FORMATS}
