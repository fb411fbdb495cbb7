"""The kinds of plugins that there are templates for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """What a plugin does, and where it is looked for."""

    does: str
    """Completes the sentence "A plugin for wheelgate that …"."""
    group: str = "wheelgate"
    """The entry-point group."""
    dependencies: tuple[str, ...] = ("wheelgate",)


KINDS = {
    "authenticator": Kind(
        "logs people in whom a directory knows, with their groups", dependencies=("wheelgate", "argon2-cffi>=23.1")
    ),
    "token-handler": Kind("judges API tokens that a file lists"),
    "group-source": Kind("knows who is in which group"),
    "policy": Kind("decides who may see which indices"),
    "events": Kind("writes down what happens"),
    "route": Kind("serves an address of its own"),
    "index-type": Kind("brings a type of index"),
    "server-command": Kind("adds a subcommand to devpi-server"),
    "config-writer": Kind("points another tool at an index", "wheelgate.client"),
    "command": Kind("adds a command to devpi", "wheelgate.client"),
}
