"""The sections of a state file, for ``devpi-server plan``, ``apply`` and ``export-state``.

A section declares one table of the file, such as ``[groups]``. Its changes are made within one transaction with those
of all other sections. ``plan`` makes them, too, and rolls the transaction back: so it finds every mistake that
``apply`` would find.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from wheelgate.config import SECRET_PLACES, fetch_secret
from wheelgate.errors import BadInput
from wheelgate.names import did_you_mean
from wheelgate.values import empty_mapping


@dataclass(frozen=True, slots=True)
class StateChange:
    """One change to something that the file declares."""

    verb: str
    """``create``, ``modify`` or ``delete``."""
    kind: str
    """The kind of thing, such as ``user``, ``index`` or ``group``."""
    name: str
    """Empty if there is only one of that kind."""
    keys: Mapping[str, tuple[Any, Any]] = field(default_factory=empty_mapping)
    """For each changed key its value before and after, None if there is none. Never a secret: write what
    :data:`SECRET` says in its place."""


SECRET = "(secret)"  # noqa: S105 - it is none
"""Stands for a value that no output may show."""


@dataclass(frozen=True, slots=True)
class StateOptions:
    """How the file is applied."""

    prune: bool = False
    """Whether to delete what the section does not declare."""
    prune_files: bool = False
    """Whether to delete even what holds package files."""
    reset_passwords: bool = False
    """Whether to set the passwords of users who exist."""
    only_plan: bool = False
    """Whether the changes are rolled back, so that nothing slow has to be done for them, such as to hash a password."""


class PreparedSection(Protocol):
    """A table of the file that was read; both methods are called within the transaction."""

    @abstractmethod
    def delete(self) -> Iterable[StateChange]:
        """Delete what the table does not declare, if :attr:`StateOptions.prune` is set; return the changes."""

    @abstractmethod
    def write(self) -> Iterable[StateChange]:
        """Create and change what the table declares, and return the changes; leave alone what it does not name."""


class StateSection(Protocol):
    """A table of the state file."""

    name: str
    """The name of the table, such as ``groups``."""
    rank: int = 100
    """Sections with a lower rank create and change first, and delete last; users have 0, and indices 1000."""

    @abstractmethod
    def export(self) -> Mapping[str, Any]:
        """Return the table that declares the present state. To apply it changes nothing, and it has no secret."""

    @abstractmethod
    def prepare(self, declared: Mapping[str, Any], options: StateOptions) -> PreparedSection:
        """Read a table, outside of the transaction: fetch its secrets, and do what takes long.

        Raises:
            BadInput: the table has a mistake. The message names the entry and never quotes a secret.
        """


def entries(section: str, declared: Mapping[str, Any], known: Iterable[str] | None = None) -> dict[str, dict[str, Any]]:
    """Return the entries of a table of tables, such as ``[groups.NAME]``.

    Args:
        section: the name of the table, for messages.
        declared: the table.
        known: the keys of an entry; None if the caller checks them.

    Raises:
        BadInput: an entry is no table, or has an unknown key.
    """
    found: dict[str, dict[str, Any]] = {}
    for name, table in declared.items():
        if not isinstance(table, dict):
            raise BadInput(f"{entry_label(section, name)} must be a table")
        if known is not None:
            refuse_unknown_keys(entry_label(section, name), table, known)
        found[name] = table
    return found


def refuse_unknown_keys(label: str, table: Mapping[str, Any], known: Iterable[str]) -> None:
    """Raise ``BadInput`` if a table has an unknown key; the message has no value, which could be a secret."""
    known = list(known)
    for key in sorted(set(table) - set(known)):
        raise BadInput(f"{label}: unknown key {key!a}{did_you_mean(key, known)}")


def entry_label(section: str, name: str) -> str:
    """Return the header of an entry, for messages."""
    plain = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    return f"[{section}.{name}]" if plain else f"[{section}.{name!a}]".replace("'", '"')


def read_secret_place(value: Any, label: str) -> str:
    """Return the secret at a place: ``env:NAME`` or ``file:PATH``.

    Raises:
        BadInput: the value is a secret itself, or no text. The message does not quote it.
        StartupError: there is nothing at the place.
    """
    require_secret_place(value, label)
    return fetch_secret(value, label)


def require_secret_place(value: Any, label: str) -> None:
    """Raise ``BadInput`` unless a value is ``env:NAME`` or ``file:PATH``."""
    if not isinstance(value, str) or not value.startswith(SECRET_PLACES):
        raise BadInput(f"{label}: a secret does not belong into this file; write env:NAME or file:PATH")


def settle(jobs: Mapping[str, Callable[[], StateChange | None]]) -> Iterator[StateChange]:
    """Run jobs that may depend on each other, in an order in which all succeed; yield their changes.

    A job that raises ``BadInput`` has changed nothing yet, and is run again after the others.

    Args:
        jobs: the jobs by the labels that messages begin with.

    Raises:
        BadInput: that of the first job, if none succeeds any more.
    """
    waiting = dict(jobs)
    while waiting:
        failed: dict[str, BadInput] = {}
        for label, job in waiting.items():
            try:
                change = job()
            except BadInput as error:
                failed[label] = error
                continue
            if change is not None:
                yield change
        if len(failed) == len(waiting):
            label, first = next(iter(failed.items()))
            raise BadInput(f"{label}: {first}")
        waiting = {label: waiting[label] for label in failed}
