"""Adds to pyproject.toml the version, and the readme with links that work on an index page too."""

import re
import runpy
import tomllib
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).parent
VERSION = runpy.run_path(str(ROOT / "client/wheelgate_client/__init__.py"))["VERSION"]
SOURCE = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["urls"]["Source"]
RELATIVE = re.compile(r"\]\((?![a-z]+:|#)")
"""The beginning of a link to a file of the repository."""

setup(
    version=VERSION,
    long_description=RELATIVE.sub(f"]({SOURCE}/blob/v{VERSION}/", (ROOT / "README.md").read_text("utf-8")),
    long_description_content_type="text/markdown",
)
