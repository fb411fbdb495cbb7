"""What takes part, and in which version."""

from __future__ import annotations

from contextlib import suppress

from wheelgate_client.errors import ClientError
from wheelgate_client.session import Session


def show(session: Session) -> None:
    """Print the plugins, and the server in use if it can be reached."""
    session.terminal.line()
    session.terminal.line("plugins:")
    for plugin in session.plugins.described():
        session.terminal.line(f"    {plugin.name} ({plugin.distribution})")
    with suppress(ClientError):
        status = session.api.get(f"{session.root}+status").result("status")
        session.terminal.line()
        session.terminal.line(f"current devpi server: {session.root}")
        versions = status.get("versioninfo")
        for name, version in sorted(versions.items()) if isinstance(versions, dict) else ():
            session.terminal.line(f"    {name} {version}")
