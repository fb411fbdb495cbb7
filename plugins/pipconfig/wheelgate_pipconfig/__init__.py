"""Client plugin ``pipconfig``: points setuptools, pip, buildout and uv at the current index.

Reading, which every ``devpi use`` does, needs the standard library only. The libraries that edit (ConfigUpdater,
tomlkit) cost 0.05 s, so the modules that use them are imported by the edits.
"""

from __future__ import annotations

from wheelgate_client.hookspecs import ConfigWriter, hookimpl
from wheelgate_pipconfig.legacy import buildout_writer, setuptools_writer
from wheelgate_pipconfig.pip import PipWriter
from wheelgate_pipconfig.uv import UvWriter


@hookimpl
def wheelgate_client_config_writers() -> list[ConfigWriter]:
    """Return the four writers, in the order of the session that the documentation shows."""
    return [setuptools_writer(), PipWriter(), buildout_writer(), UvWriter()]
