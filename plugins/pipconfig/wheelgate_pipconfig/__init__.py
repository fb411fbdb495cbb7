"""Client plugin ``pipconfig``: points setuptools, pip, buildout, uv and others at the current index.

Reading, which every ``devpi use`` does, needs the standard library only. The libraries that edit (ConfigUpdater,
tomlkit) cost 0.05 s, so the modules that use them are imported by the edits.
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
    """Return the writers: four in the order of the session that the documentation shows, then those by name only."""
    always: list[ConfigWriter] = [setuptools_writer(), PipWriter(), buildout_writer(), UvWriter()]
    return [*always, UvIndexWriter(), PypircWriter(), NetrcWriter(), poetry_writer(), pdm_writer()]
