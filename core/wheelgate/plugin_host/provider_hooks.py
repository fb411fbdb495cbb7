"""Collects the providers of each kind, checks that they keep their protocol, and puts them in order."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from functools import cache, partial
from types import FunctionType
from typing import Any, get_origin, get_type_hints

from wheelgate.errors import StartupError
from wheelgate.plugin_host.discovery import Plugins
from wheelgate.providers import Authenticator, CredentialExtractor, GroupSource, TokenHandler
from wheelgate.server import Server

MIN_TYPO_SIMILARITY = 0.75
"""From 0 to 1: how much a name must look like an optional attribute to be taken for a misspelling of it."""


def credential_extractors(plugins: Plugins, server: Server) -> list[CredentialExtractor]:
    """Return the credential extractors in the order of ``--extractor-order``."""
    order = server.config["extractor-order"]
    return _collect(plugins, "wheelgate_credential_extractors", CredentialExtractor, server, order, "--extractor-order")


def authenticators(plugins: Plugins, server: Server) -> list[Authenticator]:
    """Return the authenticators in the order of ``--auth-order``."""
    order = server.config["auth-order"]
    return _collect(plugins, "wheelgate_authenticators", Authenticator, server, order, "--auth-order")


def token_handlers(plugins: Plugins, server: Server) -> list[TokenHandler]:
    """Return the token handlers."""
    return _collect(plugins, "wheelgate_token_handlers", TokenHandler, server)


def group_sources(plugins: Plugins, server: Server) -> list[GroupSource]:
    """Return the group sources."""
    return _collect(plugins, "wheelgate_group_sources", GroupSource, server)


def _collect(
    plugins: Plugins, hook: str, protocol: type, server: Server, order: Sequence[str] = (), option: str = ""
) -> list[Any]:
    check = partial(check_provider, protocol=protocol)
    found = plugins.collect(hook, lambda provider: provider.name, check, server=server)
    by_name = {provider.name: provider for _, provider in found}
    for name in order:
        if name not in by_name:
            near = difflib.get_close_matches(name, by_name, n=1, cutoff=0.0)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            raise StartupError(f"{option}: there is no '{name}'{hint}")
    places = {name: place for place, name in enumerate(order)}
    return sorted(by_name.values(), key=lambda each: (places.get(each.name, len(places)), each.rank, each.name))


def check_provider(plugin: str, provider: Any, protocol: type) -> None:
    """Refuse a provider that does not implement its protocol.

    Args:
        plugin: the name of its plugin.
        provider: the provider.
        protocol: the class in ``wheelgate.providers`` that describes its kind.

    Raises:
        StartupError: an attribute or a method is missing, an attribute has another type, or the name of an optional
            attribute is misspelled. The text names the plugin and the attribute.
    """
    subject = f"plugin '{plugin}': {type(provider).__name__}"
    hints = _attributes(protocol)
    for name, hint in hints.items():
        kind = get_origin(hint) or hint
        if not hasattr(provider, name):
            default = f", or derive the class from {protocol.__name__}" if hasattr(protocol, name) else ""
            raise StartupError(f"{subject} lacks '{name}'; set it to a value of type {kind.__name__}{default}")
        if not isinstance(getattr(provider, name), kind):
            actual = type(getattr(provider, name)).__name__
            raise StartupError(f"{subject}.{name} must be of type {kind.__name__}, not {actual}")
    for name in sorted(getattr(protocol, "__abstractmethods__", ())):
        if not callable(getattr(provider, name, None)):
            raise StartupError(f"{subject} lacks the method '{name}' of every {_kind_name(protocol)}")
    _refuse_typos(subject, provider, {name: hint for name, hint in hints.items() if hasattr(protocol, name)})


@cache
def _attributes(protocol: type) -> Mapping[str, Any]:
    """Return the types of the attributes of a protocol; to find them out takes longer than the rest of a check."""
    return get_type_hints(protocol)


def _refuse_typos(subject: str, provider: Any, optional: dict[str, type]) -> None:
    """Refuse an attribute whose name and type are almost those of an optional one: it would have no effect."""
    own = {
        name: value
        for each in (*reversed(type(provider).__mro__), provider)
        for name, value in getattr(each, "__dict__", {}).items()
        if not name.startswith("_")
    }
    types = set(optional.values())
    for name in sorted(own.keys() - optional.keys()):
        value = own[name]
        may_be_meant = type(value) in types or (hasattr(value, "__get__") and not isinstance(value, FunctionType))
        if not may_be_meant:  # to compare names is slow
            continue
        for near in difflib.get_close_matches(name, optional, n=1, cutoff=MIN_TYPO_SIMILARITY):
            if type(getattr(provider, name)) is optional[near]:
                raise StartupError(f"{subject}.{name} has no meaning; did you mean '{near}'?")


def _kind_name(protocol: type) -> str:
    return re.sub(r"(?<!^)([A-Z])", r" \1", protocol.__name__).lower()
