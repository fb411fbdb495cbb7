"""Finds the installed plugins, leaves out the blocked ones, and calls their hooks."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from types import ModuleType
from typing import Any

import pluggy

from wheelgate import hookspecs
from wheelgate.config import unknown_name
from wheelgate.core_options import CORE_OPTIONS
from wheelgate.errors import StartupError
from wheelgate.options import Option
from wheelgate.plugin_host.failures import failure_text

HOOK_PREFIX = "wheelgate_"


@dataclass(frozen=True, slots=True)
class InstalledPlugin:
    """A plugin that is installed."""

    name: str
    distribution: str
    version: str
    blocked: bool
    plugin: Any = None
    """The module or object that its entry point names; None if it is blocked."""


@dataclass(frozen=True, slots=True)
class Implementation:
    """One plugin's function for one hook."""

    plugin: str
    function: Callable[..., Any]
    arguments: tuple[str, ...]
    instant: bool
    about: frozenset[str] | None = None
    """The permissions or events that the function is called for; None for all."""

    def is_about(self, name: str) -> bool:
        """Return whether the function is called for a permission or an event."""
        return self.about is None or name in self.about

    def __call__(self, **given: Any) -> Any:
        """Call the function with the arguments that it takes; leave out the others."""
        return self.function(**{name: given[name] for name in self.arguments})


class _Manager(pluggy.PluginManager):
    """A manager that looks at the attributes named like hooks only; at all of them, a start takes 2 ms longer."""

    def parse_hookspec_opts(self, module_or_class: ModuleType | type, name: str) -> pluggy.HookspecOpts | None:
        return super().parse_hookspec_opts(module_or_class, name) if name.startswith(HOOK_PREFIX) else None

    def parse_hookimpl_opts(self, plugin: object, name: str) -> pluggy.HookimplOpts | None:
        return super().parse_hookimpl_opts(plugin, name) if name.startswith(HOOK_PREFIX) else None


class Plugins:
    """The plugins of one server, in the order of their names."""

    def __init__(self, found: Sequence[InstalledPlugin]) -> None:
        """Register the plugins that are not blocked.

        Raises:
            StartupError: a plugin implements a hook that does not exist, or takes an argument that the hook does not
            have.
        """
        self.found = tuple(found)
        self._manager = _Manager(hookspecs.SERVER_PLUGIN_GROUP)
        self._manager.add_hookspecs(hookspecs)
        known = [name for name in vars(hookspecs) if name.startswith(HOOK_PREFIX)]
        for entry in found:
            if not entry.blocked:
                try:
                    self._manager.register(entry.plugin, entry.name)
                except pluggy.PluginValidationError as error:
                    raise StartupError(f"plugin '{entry.name}': {str(error).splitlines()[-1]}") from None
                self._refuse_unknown_hooks(entry, known)

    def _refuse_unknown_hooks(self, entry: InstalledPlugin, known: Sequence[str]) -> None:
        for name in dir(entry.plugin):
            marked = getattr(getattr(entry.plugin, name), f"{hookspecs.SERVER_PLUGIN_GROUP}_impl", None)
            if marked is not None and name not in known:
                raise StartupError(f"plugin '{entry.name}': {unknown_name('hook', name, known)}")

    def implementations(self, hook: str) -> list[Implementation]:
        """Return the implementations of a hook, in the order of the plugins' names."""
        implementations = [
            Implementation(
                plugin=impl.plugin_name,
                function=impl.function,
                arguments=tuple(impl.argnames),
                instant=getattr(impl.function, "instant", False),
                about=getattr(impl.function, "about", None),
            )
            for impl in getattr(self._manager.hook, hook).get_hookimpls()
        ]
        return sorted(implementations, key=lambda each: each.plugin)

    def hooks_of(self, name: str) -> list[str]:
        """Return the hooks that a plugin implements."""
        plugin = self._manager.get_plugin(name)
        return sorted(caller.name for caller in self._manager.get_hookcallers(plugin) or ())

    def ask(self, hook: str, **given: Any) -> Iterator[tuple[str, Any]]:
        """Call a hook at the start, and yield the name and the answer of each plugin that does not answer None.

        Raises:
            StartupError: a plugin raised an exception; the text names the plugin.
        """
        for implementation in self.implementations(hook):
            try:
                answer = implementation(**given)
            except StartupError:
                raise
            except Exception as error:
                what = failure_text(error)
                raise StartupError(f"plugin '{implementation.plugin}' failed in {hook}: {what}") from error
            if answer is not None:
                yield implementation.plugin, answer

    def collect(
        self,
        hook: str,
        key: Callable[[Any], str],
        check: Callable[[str, Any], None] = lambda plugin, item: None,
        **given: Any,
    ) -> list[tuple[str, Any]]:
        """Call a hook whose answers are lists, and return every item with the name of its plugin.

        Args:
            hook: the hook's name.
            key: returns the name of an item.
            check: called with the plugin and an item before anything else is done with the item.
            given: the arguments of the hook.

        Raises:
            StartupError: two items have the same name, or a plugin or ``check`` raised an exception.
        """
        items: dict[str, tuple[str, Any]] = {}
        for plugin, answer in self.ask(hook, **given):
            for item in answer:
                check(plugin, item)
                name = key(item)
                other, known = items.setdefault(name, (plugin, item))
                if known is not item:
                    raise StartupError(f"{hook}: '{name}' comes from plugin '{other}' and from plugin '{plugin}'")
        return list(items.values())

    def single(self, hook: str, what: str, *, needed: bool, **given: Any) -> Any:
        """Call a hook that at most one plugin may answer, and return its answer or None.

        Args:
            hook: the hook's name.
            what: the name of the provided thing in messages.
            needed: whether exactly one plugin must answer.
            given: the arguments of the hook.

        Raises:
            StartupError: several plugins answer, or none although one is needed, or a plugin raised an exception.
        """
        answers = list(self.ask(hook, **given))
        if len(answers) > 1:
            names = " and ".join(f"'{plugin}'" for plugin, _ in answers)
            raise StartupError(f"plugins {names} both provide {what}; leave one out with --no-plugin NAME")
        if needed and not answers:
            raise StartupError(f"no plugin provides {what}; 'devpi-server plugins' shows which plugins are left out")
        return answers[0][1] if answers else None

    def options(self) -> list[tuple[str, Option]]:
        """Return the settings that the plugins declare, each with the name of its plugin."""
        declared = self.collect("wheelgate_options", lambda option: option.key)
        refuse_reserved(declared, "option", {option.key for option in CORE_OPTIONS}, lambda option: option.key)
        return declared


def discover(blocked: Sequence[str]) -> Plugins:
    """Find the installed plugins by their entry points and register those that are not blocked.

    Raises:
        StartupError: a blocked name is not installed, two plugins have the same name, or one cannot be imported.
    """
    found: dict[str, InstalledPlugin] = {}
    for entry in sorted(metadata.entry_points(group=hookspecs.SERVER_PLUGIN_GROUP), key=lambda entry: entry.name):
        distribution = entry.dist.name if entry.dist else "?"
        if entry.name in found:
            other = found[entry.name].distribution
            raise StartupError(f"'{distribution}' and '{other}' both provide a plugin '{entry.name}'; uninstall one")
        try:
            plugin = None if entry.name in blocked else entry.load()
        except Exception as error:
            what = failure_text(error)
            hint = f"repair it, uninstall it, or start with --no-plugin {entry.name}"
            raise StartupError(f"plugin '{entry.name}' of '{distribution}' cannot be loaded: {what}; {hint}") from error
        version = entry.dist.version if entry.dist else "?"
        found[entry.name] = InstalledPlugin(entry.name, distribution, version, entry.name in blocked, plugin)
    for name in blocked:
        if name not in found:
            raise StartupError(f"--no-plugin: {unknown_name('plugin', name, found)}")
    return Plugins(list(found.values()))


def refuse_reserved(
    items: Iterable[tuple[str, Any]], what: str, reserved: Container[str], key: Callable[[Any], str]
) -> None:
    """Raise ``StartupError`` if a plugin provides an item under a name that belongs to the server itself."""
    for plugin, item in items:
        if key(item) in reserved:
            raise StartupError(f"plugin '{plugin}': the {what} '{key(item)}' belongs to the server itself")
