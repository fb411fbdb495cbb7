"""``devpi-server fsck``: whether the files of packages are all there, whole, and needed."""

from __future__ import annotations

import os
from pathlib import Path

from wheelgate.app import Application
from wheelgate.config import Config
from wheelgate.errors import StartupError
from wheelgate.plugin_host.discovery import Plugins
from wheelgate.process.startup import lock_folder, make_secret, prepare_database

GRACE = 3600.0
"""Seconds for which a file without a record is let alone in a bucket: another node may be about to record it."""


def check_files(config: Config, plugins: Plugins, *, repair: bool = False, no_hashes: bool = False) -> int:
    """Compare stored files with the records, and say what does not fit; the server must be stopped.

    Returns:
        0 if nothing is wrong, or nothing any longer; 1 otherwise.
    """
    if config["database"] is None and not Path(config.database_url.removeprefix("sqlite:///")).exists():
        raise StartupError(f"no server was started in {config.serverdir} yet; name its folder with --serverdir")
    lock = lock_folder(config.serverdir, patience=0)
    make_secret(config.secret_path, given=config["secretfile"] is not None)
    prepare_database(config, plugins)
    application = Application(config, plugins)
    found = 0
    try:
        grace = 0.0 if config["files"] is None else GRACE
        check = application.files.check(hashes=not no_hashes, repair=repair, grace=grace)
        for finding in check.findings():
            found += 1
            print(f"{finding.subject}: {finding.problem}{' (repaired)' if finding.repaired else ''}")
    finally:
        application.close()
        os.close(lock)
    if not check.complete:
        print("the plugin of an index is missing: files that no package needs were not looked for")
    checked = f"{check.checked} stored {'file' if check.checked == 1 else 'files'} checked"
    if not found:
        print(f"{checked}, nothing is wrong")
    elif repair:
        print(f"{checked}, {found} found and repaired; damaged files now lie in 'damaged', beside the good ones")
    else:
        print(f"{checked}, {found} found; nothing was changed: 'devpi-server fsck --repair' puts it right")
    return 1 if found and not repair else 0
