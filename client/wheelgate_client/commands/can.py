"""Say whether you, or another user, have a permission, and which rule decides so; exit code 1 if not."""

from __future__ import annotations

import argparse
from urllib.parse import urlencode

from wheelgate_client.errors import ClientError
from wheelgate_client.server import urls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wheelgate_client.context import ClientContext
    from wheelgate_client.server.json_values import JsonObject

EXAMPLES = "for example upload, index_read, index_modify or user_create; a wrong name shows all"


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("permission", help=f"name of the permission, {EXAMPLES}")
    parser.add_argument("resource", nargs="?", help="index, as USER/NAME, or user; nothing for the server as a whole")
    parser.add_argument("--project", help="project on the index; it matters for API tokens")
    parser.add_argument("--user", help="user to ask about; only root and owners of the index may ask about others")


def run(options: argparse.Namespace, context: ClientContext) -> int:
    """Ask the server, and show the decision with the answers of its plugins."""
    from wheelgate_client import server_info

    info = server_info.fetch_server_info(context, context.server_url, None)
    if "can" not in info.features:
        raise ClientError(f"the server at {context.server_url} cannot say who may do what (it lacks: can)")
    asked = {name: getattr(options, name) for name in ("permission", "resource", "project", "user")}
    query = urlencode({name: value for name, value in asked.items() if value is not None})
    result = context.api.get(f"{urls.join(context.server_url, '+can')}?{query}").result("can")
    allowed = result.get("allowed") is True
    context.terminal.print_line(f"{'yes' if allowed else 'no'}: {result.get('reason')}")
    if options.verbose:
        _print_verdicts(context, result)
    return 0 if allowed else 1


def _print_verdicts(context: ClientContext, result: JsonObject) -> None:
    verdicts = result.get("verdicts")
    for verdict in verdicts if isinstance(verdicts, list) else ():
        if isinstance(verdict, dict):
            reason = f": {verdict['reason']}" if verdict.get("reason") else ""
            context.terminal.print_line(f"    {verdict.get('plugin')}: {verdict.get('answer')}{reason}")
    context.terminal.print_line(f"    default: {result.get('default')}")
