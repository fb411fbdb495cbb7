"""What ``devpi --version -v`` prints: the versions of the plugins and of the server."""

from __future__ import annotations

from contextlib import suppress

from wheelgate_client.context import ClientContext
from wheelgate_client.errors import ClientError


def print_versions(context: ClientContext) -> None:
    """Print the plugins, and the server in use if it can be reached."""
    context.terminal.print_line()
    context.terminal.print_line("plugins:")
    for plugin in context.plugins.loaded():
        context.terminal.print_line(f"    {plugin.name} ({plugin.distribution})")
    with suppress(ClientError):
        status = context.api.get(f"{context.server_url}+status").result("status")
        context.terminal.print_line()
        context.terminal.print_line(f"current devpi server: {context.server_url}")
        versions = status.get("versioninfo")
        for name, version in sorted(versions.items()) if isinstance(versions, dict) else ():
            context.terminal.print_line(f"    {name} {version}")
