"""``devpi-server plugins``: what is installed, what it does, and in which order it is asked."""

from __future__ import annotations

from wheelgate.plugin_host.discovery import Plugins


def list_plugins(plugins: Plugins) -> None:
    """Print a paragraph about each plugin, in the order in which functions are called."""
    keys: dict[str, list[str]] = {}
    for plugin, option in plugins.options():
        keys.setdefault(plugin, []).append(option.key)
    for number, entry in enumerate(plugins.found, 1):
        state = "blocked" if entry.blocked else "active"
        print(f"{number}. {entry.name} ({entry.distribution} {entry.version}): {state}")
        hooks = [name.removeprefix("wheelgate_") for name in plugins.hooks_of(entry.name)]
        if hooks:
            print(f"   hooks: {', '.join(hooks)}")
        if entry.name in keys:
            print(f"   settings: {', '.join(keys[entry.name])}")
