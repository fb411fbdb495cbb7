"""Client plugin ``pipconfig``: points setuptools, pip, buildout, uv and others at the current index.

Every ``devpi use`` reads the files, and that needs only the standard library. The libraries for edits (ConfigUpdater,
tomlkit) take 0.05 s to import, so the writers import the modules that use them when they edit.
"""

from __future__ import annotations

from wheelgate_client.hookspecs import ConfigWriter, hookimpl
from wheelgate_pipconfig.legacy import buildout_writer, setuptools_writer
from wheelgate_pipconfig.netrc_file import NetrcWriter
from wheelgate_pipconfig.pip import PipWriter
from wheelgate_pipconfig.pypirc import PypircWriter
from wheelgate_pipconfig.pyproject import pdm_writer, poetry_writer
from wheelgate_pipconfig.uv import UvIndexWriter, UvWriter


@hookimpl
def wheelgate_client_config_writers() -> list[ConfigWriter]:
    """Return four writers in the order in which the documentation lists them, then those that work by name only."""
    always: list[ConfigWriter] = [setuptools_writer(), PipWriter(), buildout_writer(), UvWriter()]
    return [*always, UvIndexWriter(), PypircWriter(), NetrcWriter(), poetry_writer(), pdm_writer()]
