"""The kinds of plugins that have templates."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PluginKind:
    """What plugins of a kind do, and the entry-point group that makes them known."""

    does: str
    """Completes the sentence "A plugin for wheelgate that …"."""
    group: str = "wheelgate"
    """The entry-point group."""
    dependencies: tuple[str, ...] = ("wheelgate",)
    """Requirements of the distribution. A client plugin names no client: users have wheelgate or wheelgate-client."""


PLUGIN_KINDS = {
    "authenticator": PluginKind(
        "logs in the people of a directory, with their groups", dependencies=("wheelgate", "argon2-cffi>=23.1")
    ),
    "token-handler": PluginKind("verifies API tokens from a file"),
    "group-source": PluginKind("reports the groups of users"),
    "policy": PluginKind("decides which users may see which indices"),
    "events": PluginKind("logs what happens on the server"),
    "route": PluginKind("serves its own addresses"),
    "page": PluginKind("shows people a page of its own"),
    "index-type": PluginKind("adds a type of index"),
    "server-command": PluginKind("adds a subcommand to devpi-server"),
    "config-writer": PluginKind("configures another tool to use an index", "wheelgate.client", ()),
    "command": PluginKind("adds a command to devpi", "wheelgate.client", ()),
}
