"""What tox writes about a test run, kept by the index beside the file that was tested."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from wheelgate_client.errors import NotAnIndexServerError
from wheelgate_client.packages.releases import Link
from wheelgate_client.server import config_values as values
from wheelgate_client.session import Session

STEPS = {"setup": "setup was performed", "test": "tests were run"}


def fetch(session: Session, link: Link) -> Mapping[str, Any]:
    """Return the result that stands at the link.

    Raises:
        ClientError: if it cannot be had, or is no JSON object.
    """
    text = bytearray()
    session.api.fetch(link.href, text.extend)
    try:
        result = json.loads(text)
    except (ValueError, RecursionError):
        result = None
    if not isinstance(result, dict):
        raise NotAnIndexServerError(link.href, "what it keeps as the result of a test run is no JSON object")
    return result


def lines(result: Mapping[str, Any], *, details: bool) -> Iterator[str]:
    """Return one line for each environment and failure; with ``details`` also what failing commands printed."""
    place = f"{result.get('host', '?'):<10} {result.get('platform', '?'):<7}"
    for name, environment in sorted(values.objects(result.get("testenvs")).items()):
        python = values.objects(environment).get("python", {}).get("version", "")
        head = f"{place} {name:<10} {str(python).partition(' ')[0]}".rstrip()
        for step in STEPS:
            yield from _step(head, step, environment.get(step), details=details)


def _step(head: str, step: str, commands: object, *, details: bool) -> Iterator[str]:
    ran = [command for command in commands if isinstance(command, dict)] if isinstance(commands, list) else []
    failed = [command for command in ran if command.get("retcode") not in {0, "0"}]
    if not ran:
        yield f"{head} no {STEPS[step]}"
    elif failed:
        yield f"{head} {'tests' if step == 'test' else step} failed"
    elif step == "test":
        yield f"{head} tests passed"
    for command in failed if details else ():
        yield f"    {values.shown(command.get('command'))}"
        yield from (f"    {line}" for line in str(command.get("output", "")).splitlines())
