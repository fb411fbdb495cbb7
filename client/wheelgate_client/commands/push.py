"""Copy a release with its files from one index to another, or to an external index that .pypirc describes."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from wheelgate_client import targets
from wheelgate_client.errors import ClientError, RefusedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from wheelgate_client.session import Session

EXTERNAL = "pypi:"
ABSENT = 410
"""Said of a step that the other index does not have: registering before an upload."""
REFUSED = 400
FLAGS = {"no_docs": "push-no-docs", "only_docs": "push-only-docs", "register_project": "push-register-project"}
"""The feature that a server needs for each option."""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("spec", metavar="NAME==VERSION", help="release to push")
    parser.add_argument("target", help="USER/INDEX on this server, or pypi:REPO for a section of .pypirc")
    targets.add_option(parser, "push from")
    docs = parser.add_mutually_exclusive_group()
    docs.add_argument("--no-docs", action="store_true", help="push release files only")
    docs.add_argument("--only-docs", action="store_true", help="push documentation only")
    parser.add_argument("--register-project", action="store_true", help="with pypi:REPO: register the project first")
    parser.add_argument("--pypirc", metavar="FILE", help="with pypi:REPO: file to look in (default: ~/.pypirc)")


def run(options: argparse.Namespace, session: Session) -> int:
    """Push, and show what the server did."""
    from wheelgate_client.packages import requirements as specs

    name, version = specs.pinned(options.spec, session.terminal.note)
    request = {"name": name, "version": version, **_target(options, session)}
    used = [flag for flag in FLAGS if getattr(options, flag)]
    if used:
        info = targets.with_feature(options, session, *(FLAGS[flag] for flag in used))
        index = str(info.index)
        request.update(dict.fromkeys(used, True))
    else:
        index = targets.index_url(options, session)
    try:
        steps = session.api.send("PUSH", index, request).content.get("result")
    except RefusedError as refused:
        if not _show(session, refused.content.get("result")):
            raise
        raise ClientError(f"{refused}\nFailure during upload") from None
    if any(status >= REFUSED for status in _show(session, steps)):
        raise ClientError("Failure during upload")
    return 0


def _target(options: argparse.Namespace, session: Session) -> dict[str, Any]:
    target = options.target
    if target.startswith(EXTERNAL):
        from wheelgate_client.packages import pypirc

        return pypirc.target(options.pypirc, target.removeprefix(EXTERNAL), session)
    if options.pypirc or options.register_project:
        raise UsageError("devpi push: error: --pypirc and --register-project belong to a target pypi:REPO")
    user, _, index = target.strip("/").partition("/")
    if not user or not index or "/" in index:
        raise ClientError(f"target '{target}' not of form USER/NAME or pypi:REPONAME")
    return {"targetindex": f"{user}/{index}"}


def _show(session: Session, steps: object) -> Sequence[int]:
    """Print what was done; return the statuses that count."""
    statuses = []
    for step in steps if isinstance(steps, list) else ():
        if isinstance(step, list) and step and isinstance(step[0], int):
            session.terminal.line(f"   {' '.join(map(str, step))}".rstrip())
            if step[:2] != [ABSENT, "register"]:
                statuses.append(step[0])
    return statuses
