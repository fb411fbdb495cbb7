"""How ``--help`` shows the settings: in groups, with readable defaults and the names of their variables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from wheelgate.option_types import SECONDS_PER_UNIT
from wheelgate.options import Option

CORE_OPTION_GROUPS = {
    "address and storage": (
        *("host", "port", "serverdir", "database", "database-connections", "files", "files-endpoint"),
        *("max-upload", "config"),
    ),
    "logins and rights": (
        *("root-passwd", "require-login", "private-indices", "session-lifetime", "secretfile"),
        *("autocreate-users", "auth-order", "extractor-order"),
    ),
    "behind a proxy": ("outside-url", "trusted-proxy", "absolute-urls"),
    "requests that the server itself sends": ("allow-upstream", "upstream-proxy", "upstream-no-proxy"),
    "processes, limits and logs": (
        *("workers", "hash-concurrency", "head-timeout", "body-timeout", "send-timeout", "max-indices"),
        *("log-level", "log-format", "access-log", "metrics-from", "no-plugin"),
    ),
}
"""The names of the server's own settings by the titles above them, the most needed first."""
OTHER_OPTIONS_TITLE = "other settings"
TIME_METAVAR = "TIME"
SUBCOMMAND_OPTIONS = frozenset({"config", "serverdir", "database"})
"""The settings that ``devpi-server COMMAND --help`` shows, because they name the server that the command is about."""


def option_groups(core: Sequence[Option], plugins: Iterable[tuple[str, Option]]) -> Mapping[str, Sequence[Option]]:
    """Return the settings by their titles: those of the server itself, then those of each plugin."""
    titles = {name: title for title, names in CORE_OPTION_GROUPS.items() for name in names}
    groups: dict[str, list[Option]] = {title: [] for title in CORE_OPTION_GROUPS}
    for option in core:
        groups.setdefault(titles.get(option.name, OTHER_OPTIONS_TITLE), []).append(option)
    for plugin, option in plugins:
        groups.setdefault(f"plugin {plugin}", []).append(option)
    return groups


def describe_option(option: Option) -> str:
    """Return the help of an option, its default if it has one, and its environment variable."""
    default = shown_default(option)
    shown = f" (default: {default})" if default else ""
    return f"{option.help}{shown} [{option.variable}]"


def shown_default(option: Option) -> str:
    """Return the default as a user would type it; empty for an option that is off or not set by default."""
    default: Any = option.default
    if option.metavar is None:
        return "yes" if default else ""
    if default in (None, "", ()):
        return ""
    if option.metavar == TIME_METAVAR and isinstance(default, int):
        return _time_span(default)
    return ",".join(map(str, default)) if option.many else str(default)


def _time_span(seconds: int) -> str:
    """Return a time span with the largest unit up to days that it is a whole number of."""
    unit = next(unit for unit in "dhms" if seconds % SECONDS_PER_UNIT[unit] == 0)
    return f"{seconds // SECONDS_PER_UNIT[unit]}{unit}"
