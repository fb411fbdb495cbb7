"""Copy a release with its files from one index to another, or to an external index in .pypirc."""

from __future__ import annotations

import argparse

from wheelgate_client import index_option
from wheelgate_client.errors import ClientError, RefusedError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from wheelgate_client.context import ClientContext

EXTERNAL_TARGET_PREFIX = "pypi:"
HTTP_GONE = 410
"""The status with which other indices refuse to register a project before an upload; uploads need no registration."""
LOWEST_ERROR_STATUS = 400
OPTION_FEATURES = {
    "no_docs": "push-no-docs",
    "only_docs": "push-only-docs",
    "register_project": "push-register-project",
}
"""The server feature that each option needs."""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("spec", metavar="NAME==VERSION", help="release to push")
    parser.add_argument("target", help="USER/INDEX on this server, or pypi:REPO for a section of .pypirc")
    index_option.add_index_option(parser, "push from")
    docs = parser.add_mutually_exclusive_group()
    docs.add_argument("--no-docs", action="store_true", help="push release files only")
    docs.add_argument("--only-docs", action="store_true", help="push documentation only")
    parser.add_argument("--register-project", action="store_true", help="with pypi:REPO: register the project first")
    parser.add_argument("--pypirc", metavar="FILE", help="with pypi:REPO: file to look in (default: ~/.pypirc)")


def run(options: argparse.Namespace, context: ClientContext) -> int:
    """Push, and show the steps that the server took."""
    from wheelgate_client.packages import requirements

    name, version = requirements.parse_pinned(options.spec, context.terminal.note)
    request = {"name": name, "version": version, **_target(options, context)}
    given = [name for name in OPTION_FEATURES if getattr(options, name)]
    if given:
        info = index_option.require_features(options, context, *(OPTION_FEATURES[name] for name in given))
        index = str(info.index)
        request.update(dict.fromkeys(given, True))
    else:
        index = index_option.chosen_index_url(options, context)
    try:
        steps = context.api.send("PUSH", index, request).content.get("result")
    except RefusedError as refused:
        if not _print_steps(context, refused.content.get("result")):
            raise
        raise ClientError(f"{refused}\nFailure during upload") from None
    if any(status >= LOWEST_ERROR_STATUS for status in _print_steps(context, steps)):
        raise ClientError("Failure during upload")
    return 0


def _target(options: argparse.Namespace, context: ClientContext) -> dict[str, Any]:
    target = options.target
    if target.startswith(EXTERNAL_TARGET_PREFIX):
        from wheelgate_client.packages import pypirc

        return pypirc.read_push_target(options.pypirc, target.removeprefix(EXTERNAL_TARGET_PREFIX), context)
    if options.pypirc or options.register_project:
        raise UsageError("devpi push: error: --pypirc and --register-project need a target pypi:REPO")
    user, _, index = target.strip("/").partition("/")
    if not user or not index or "/" in index:
        raise ClientError(f"target '{target}' not of form USER/NAME or pypi:REPONAME")
    return {"targetindex": f"{user}/{index}"}


def _print_steps(context: ClientContext, steps: object) -> Sequence[int]:
    """Print the steps; return their statuses, without that of a refused registration."""
    statuses = []
    for step in steps if isinstance(steps, list) else ():
        if isinstance(step, list) and step and isinstance(step[0], int):
            context.terminal.print_line(f"   {' '.join(map(str, step))}".rstrip())
            if step[:2] != [HTTP_GONE, "register"]:
                statuses.append(step[0])
    return statuses
