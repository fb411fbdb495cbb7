"""Finds the client's plugins and calls their hooks: a plugin that raises costs one line, not the command."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pluggy

from wheelgate_client import hookspecs, keyring_passwords
from wheelgate_client.errors import ClientError
from wheelgate_client.hookspecs import ConfigWriter


@dataclass(frozen=True, slots=True)
class LoadedPlugin:
    """A plugin in use."""

    name: str
    distribution: str
    """Name and version of the distribution that contains it."""
    hooks: tuple[str, ...]


class ClientPlugins:
    """The plugins of the entry-point group, except those whose names are in ``blocked``."""

    def __init__(self, report: Callable[[str], None], blocked: frozenset[str]) -> None:
        self._report = report
        self._manager = pluggy.PluginManager(hookspecs.CLIENT_PLUGIN_GROUP)
        self._manager.add_hookspecs(hookspecs)
        self._distributions: dict[str, str] = {}
        # pluggy calls the plugin that is registered first last: installed password plugins go before the keyring.
        for entry_point in (
            _KEYRING,
            *sorted(entry_points(group=hookspecs.CLIENT_PLUGIN_GROUP), key=lambda found: found.name),
        ):
            if entry_point.name not in blocked and entry_point.name not in self._distributions:
                self._load(entry_point)

    def _load(self, entry_point: EntryPoint) -> None:
        name = entry_point.name
        try:
            self._manager.register(entry_point.load(), name)
            self._manager.check_pending()
        except Exception as error:  # noqa: BLE001 - a third-party module may raise anything
            if self._manager.has_plugin(name):
                self._manager.unregister(name=name)
            self._report(f"plugin '{name}' is left out: {_first_line(error)}")
        else:
            found = entry_point.dist
            self._distributions[name] = f"{found.name} {found.version}" if found else "bundled"

    def loaded(self) -> list[LoadedPlugin]:
        """Return the plugins in use, sorted by name."""
        plugins = []
        for name, distribution in sorted(self._distributions.items()):
            plugin = self._manager.get_plugin(name)
            hooks = (caller.name for caller in self._manager.get_hookcallers(plugin) or ())
            plugins.append(LoadedPlugin(name, distribution, tuple(sorted(hooks))))
        return plugins

    def config_writers(self) -> list[ConfigWriter]:
        """Return the writers of all plugins.

        Raises:
            ClientError: if two plugins provide a writer of the same name.
        """
        writers: dict[str, tuple[str, ConfigWriter]] = {}
        for plugin, provided in self._call_hook("wheelgate_client_config_writers"):
            for writer in provided:
                if writer.name in writers:
                    raise ClientError(
                        f"plugins '{writers[writer.name][0]}' and '{plugin}' both write the configuration of"
                        f" {writer.name}: uninstall one, or name it in DEVPI_NO_PLUGIN"
                    )
                writers[writer.name] = (plugin, writer)
        return [writer for _, writer in writers.values()]

    def find_password(self, url: str, username: str) -> str | None:
        """Return the first password that a plugin provides."""
        results = self._call_hook("wheelgate_client_get_password", url=url, username=username)
        return next((password for _, password in results if password is not None), None)

    def add_commands(self, subparsers: argparse._SubParsersAction[Any]) -> None:
        """Let the plugins add their commands."""
        list(self._call_hook("wheelgate_client_commands", subparsers=subparsers))

    def _call_hook(self, hook: str, **arguments: object) -> Iterator[tuple[str, Any]]:
        for implementation in reversed(getattr(self._manager.hook, hook).get_hookimpls()):
            name = implementation.plugin_name
            try:
                result = implementation.function(*(arguments[key] for key in implementation.argnames))
                yield name, list(result) if hook == "wheelgate_client_config_writers" else result
            except Exception as error:  # noqa: BLE001 - third-party code may raise anything
                self._report(f"plugin '{name}' failed in {hook}: {_first_line(error)}")


_KEYRING = EntryPoint("keyring", keyring_passwords.__name__, hookspecs.CLIENT_PLUGIN_GROUP)


def _first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
