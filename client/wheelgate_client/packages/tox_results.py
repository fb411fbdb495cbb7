"""Test results as tox reports them; the index stores them with the tested file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from wheelgate_client.context import ClientContext
from wheelgate_client.errors import NotAnIndexServerError
from wheelgate_client.packages.releases import ReleaseLink
from wheelgate_client.server import json_values

_STEP_REPORTS = {"setup": "setup was performed", "test": "tests were run"}


def fetch_result(context: ClientContext, link: ReleaseLink) -> Mapping[str, Any]:
    """Download the result at the link.

    Raises:
        ClientError: if it cannot be downloaded, or is not a JSON object.
    """
    text = bytearray()
    context.api.download(link.href, text.extend)
    try:
        result = json.loads(text)
    except (ValueError, RecursionError):
        result = None
    if not isinstance(result, dict):
        raise NotAnIndexServerError(link.href, "the test result is not a JSON object")
    return result


def result_lines(result: Mapping[str, Any], *, details: bool) -> Iterator[str]:
    """Yield a line for each environment and failure; with ``details`` also the output of failing commands."""
    place = f"{result.get('host', '?'):<10} {result.get('platform', '?'):<7}"
    for name, environment in sorted(json_values.objects_by_name(result.get("testenvs")).items()):
        python = json_values.objects_by_name(environment).get("python", {}).get("version", "")
        head = f"{place} {name:<10} {str(python).partition(' ')[0]}".rstrip()
        for step in _STEP_REPORTS:
            yield from _step_lines(head, step, environment.get(step), details=details)


def _step_lines(head: str, step: str, commands: object, *, details: bool) -> Iterator[str]:
    ran = [command for command in commands if isinstance(command, dict)] if isinstance(commands, list) else []
    failed = [command for command in ran if command.get("retcode") not in {0, "0"}]
    if not ran:
        yield f"{head} no {_STEP_REPORTS[step]}"
    elif failed:
        yield f"{head} {'tests' if step == 'test' else step} failed"
    elif step == "test":
        yield f"{head} tests passed"
    for command in failed if details else ():
        yield f"    {json_values.format_value(command.get('command'))}"
        yield from (f"    {line}" for line in str(command.get("output", "")).splitlines())
