"""The plugins: how they are found, ordered, left out and called without letting one of them stop the rest."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any, Protocol, TypeVar

import pluggy

from wheelgate import hookspecs
from wheelgate.config import unknown_name
from wheelgate.core_options import CORE_OPTIONS
from wheelgate.errors import StartupError
from wheelgate.options import Option

PREFIX = "wheelgate_"


class HasName(Protocol):
    """A provider, as far as ordering goes."""

    name: str


Named = TypeVar("Named", bound=HasName)


@dataclass(frozen=True, slots=True)
class Found:
    """A plugin that is installed."""

    name: str
    distribution: str
    version: str
    blocked: bool
    plugin: Any = None
    """None if it is blocked."""


@dataclass(frozen=True, slots=True)
class Implementation:
    """One plugin's function for one hook."""

    plugin: str
    function: Callable[..., Any]
    arguments: tuple[str, ...]
    instant: bool
    about: frozenset[str] | None = None
    """The permissions, or events, that it has a use for; None for all."""

    def is_about(self, name: str) -> bool:
        """Say whether it has a use for a permission or an event."""
        return self.about is None or name in self.about

    def __call__(self, **given: Any) -> Any:
        """Call it with those of the arguments that it takes."""
        return self.function(**{name: given[name] for name in self.arguments})


class Plugins:
    """Every plugin that takes part, in the order of their names."""

    def __init__(self, found: Sequence[Found]) -> None:
        """Register the plugins.

        Raises:
            StartupError: a plugin implements a hook that does not exist, or takes an argument that it does not have.
        """
        self.found = tuple(found)
        self._manager = pluggy.PluginManager(hookspecs.GROUP)
        self._manager.add_hookspecs(hookspecs)
        for entry in found:
            if not entry.blocked:
                try:
                    self._manager.register(entry.plugin, entry.name)
                except pluggy.PluginValidationError as error:
                    raise StartupError(f"plugin '{entry.name}': {str(error).splitlines()[-1]}") from None
                self._refuse_unknown_hooks(entry)

    def _refuse_unknown_hooks(self, entry: Found) -> None:
        known = [name for name in vars(hookspecs) if name.startswith(PREFIX)]
        for name in dir(entry.plugin):
            marked = getattr(getattr(entry.plugin, name), f"{hookspecs.GROUP}_impl", None)
            if marked is not None and name not in known:
                raise StartupError(f"plugin '{entry.name}': {unknown_name('hook', name, known)}")

    def implementations(self, hook: str) -> list[Implementation]:
        """Return who implements a hook, in the order of the plugins' names."""
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
        """Call a hook of the start-up and yield each plugin's name with its answer.

        Raises:
            StartupError: a plugin raised; the text names it.
        """
        for implementation in self.implementations(hook):
            try:
                answer = implementation(**given)
            except StartupError:
                raise
            except Exception as error:
                what = f"{type(error).__name__}: {error}"
                raise StartupError(f"plugin '{implementation.plugin}' failed in {hook}: {what}") from error
            if answer is not None:
                yield implementation.plugin, answer

    def collect(self, hook: str, key: Callable[[Any], str], **given: Any) -> list[tuple[str, Any]]:
        """Call a hook whose answers are lists of named things; two of one name are refused."""
        things: dict[str, tuple[str, Any]] = {}
        for plugin, answer in self.ask(hook, **given):
            for thing in answer:
                other, _ = things.setdefault(key(thing), (plugin, thing))
                if things[key(thing)][1] is not thing:
                    raise StartupError(f"{hook}: '{key(thing)}' comes from plugin '{other}' and from plugin '{plugin}'")
        return list(things.values())

    def only(self, hook: str, what: str, *, needed: bool, **given: Any) -> Any:
        """Call a hook that at most one plugin may answer."""
        answers = list(self.ask(hook, **given))
        if len(answers) > 1:
            names = " and ".join(f"'{plugin}'" for plugin, _ in answers)
            raise StartupError(f"plugins {names} both bring {what}; leave one out with --no-plugin NAME")
        if needed and not answers:
            raise StartupError(f"no plugin brings {what}; see 'devpi-server plugins' for what is left out")
        return answers[0][1] if answers else None

    def options(self) -> list[tuple[str, Option]]:
        """Return the settings that plugins declare, with the plugin's name."""
        declared = self.collect("wheelgate_options", lambda option: option.key)
        refuse_own(declared, "option", {option.key for option in CORE_OPTIONS}, lambda option: option.key)
        return declared


def discover(blocked: Sequence[str]) -> Plugins:
    """Find the installed plugins by their entry points and register those that are not blocked.

    Raises:
        StartupError: a blocked name is not installed, two plugins have one name, or one cannot be imported.
    """
    found: dict[str, Found] = {}
    for entry in sorted(metadata.entry_points(group=hookspecs.GROUP), key=lambda entry: entry.name):
        distribution = entry.dist.name if entry.dist else "?"
        if entry.name in found:
            other = found[entry.name].distribution
            raise StartupError(f"'{distribution}' and '{other}' both bring a plugin '{entry.name}'; uninstall one")
        try:
            plugin = None if entry.name in blocked else entry.load()
        except Exception as error:
            what = f"{type(error).__name__}: {error}"
            hint = f"repair it, uninstall it, or start with --no-plugin {entry.name}"
            raise StartupError(f"plugin '{entry.name}' of '{distribution}' cannot be loaded: {what}; {hint}") from error
        version = entry.dist.version if entry.dist else "?"
        found[entry.name] = Found(entry.name, distribution, version, entry.name in blocked, plugin)
    for name in blocked:
        if name not in found:
            raise StartupError(f"--no-plugin: {unknown_name('plugin', name, found)}")
    return Plugins(list(found.values()))


def refuse_own(brought: Iterable[tuple[str, Any]], what: str, own: Container[str], key: Callable[[Any], str]) -> None:
    """Raise ``StartupError`` if a plugin brings something under a name that is the server's own."""
    for plugin, thing in brought:
        if key(thing) in own:
            raise StartupError(f"plugin '{plugin}': the {what} '{key(thing)}' is the server's own")


def in_order(named: Iterable[Named], order: Sequence[str], option: str) -> list[Named]:
    """Sort providers: those that the configuration names first, then the rest by rank (100 if none), then by name.

    Raises:
        StartupError: the configuration names one that is not there.
    """
    by_name = {thing.name: thing for thing in named}
    for name in order:
        if name not in by_name:
            near = difflib.get_close_matches(name, by_name, n=1, cutoff=0.0)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            raise StartupError(f"{option}: there is no '{name}'{hint}")
    ranks = {name: rank for rank, name in enumerate(order)}
    return sorted(
        by_name.values(),
        key=lambda thing: (ranks.get(thing.name, len(ranks)), getattr(thing, "rank", 100), thing.name),
    )
