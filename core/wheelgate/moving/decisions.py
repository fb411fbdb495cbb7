"""The decisions of an administrator about what an export has and this server does not take."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

MAPPED_TYPES = ("stage", "mirror")


def pair_of(what: str) -> Callable[[str], tuple[str, str]]:
    """Return a parser of ``OLD=NEW``; ``what`` is the form that messages show."""

    def parse(text: str) -> tuple[str, str]:
        old, equals, new = text.partition("=")
        if not old or not equals or not new or old.count("/") > 1 or new.count("/") > 1:
            raise argparse.ArgumentTypeError(f"{text[:200]!a} must be of the form {what}")
        return old, new

    return parse


def rename_pair(text: str) -> tuple[str, str]:
    """Parse ``USER=USER`` or ``USER/INDEX=INDEX``."""
    old, new = pair_of("OLD=NEW, where OLD is USER or USER/INDEX, and NEW its new name without a slash")(text)
    if "/" in new:
        raise argparse.ArgumentTypeError(
            f"{text[:200]!a}: the new name must not have a slash: users keep their indices"
        )
    return old, new


def type_pair(text: str) -> tuple[str, str]:
    """Parse ``TYPE=stage`` or ``TYPE=mirror``."""
    old, new = pair_of("TYPE=stage or TYPE=mirror")(text)
    if new not in MAPPED_TYPES:
        raise argparse.ArgumentTypeError(f"{text[:200]!a} must be of the form TYPE=stage or TYPE=mirror")
    return old, new


@dataclass(frozen=True, slots=True)
class Decisions:
    """What the options of one import decide."""

    renames: Mapping[str, str] = field(default_factory=dict)
    """New names of users, by the old ones, and of indices, by ``user/index``."""
    skipped: Sequence[str] = ()
    """Users, with all their indices, and ``user/index``."""
    types: Mapping[str, str] = field(default_factory=dict)
    """Types of this server, by those of the export."""
    without_password: Sequence[str] = ()
    """Users who lose their password."""
    legacy_hashes: bool = True
    """Whether hashes from before 4.2 are kept."""

    def user(self, name: str) -> str:
        """Return the name of a user after the import."""
        return self.renames.get(name, name)

    def index(self, path: str) -> str:
        """Return the path of an index after the import."""
        owner, _, name = path.partition("/")
        return f"{self.user(owner)}/{self.renames.get(path, name)}"

    def skips(self, path: str) -> bool:
        """Return whether a user, or an index ``user/index``, is left out."""
        return path in self.skipped or path.partition("/")[0] in self.skipped

    @property
    def key(self) -> str:
        """A text that is the same for the same decisions."""
        return json.dumps(asdict(self), sort_keys=True)


def add_decisions(parser: argparse.ArgumentParser) -> None:
    """Add the options that make decisions."""
    parser.add_argument(
        "--rename",
        action="append",
        default=[],
        type=rename_pair,
        metavar="OLD=NEW",
        help="give a user, or an index USER/INDEX, another name; can be repeated",
    )
    parser.add_argument(
        "--skip",
        action="append",
        default=[],
        metavar="USER[/INDEX]",
        help="leave out a user with all indices, or one index; can be repeated",
    )
    parser.add_argument(
        "--map-type",
        action="append",
        default=[],
        type=type_pair,
        metavar="TYPE=TYPE",
        help="import the indices of an unknown type as stage or mirror; can be repeated",
    )
    parser.add_argument(
        "--skip-password",
        action="append",
        default=[],
        metavar="USER",
        help="import a user without password; can be repeated",
    )
    parser.add_argument(
        "--no-legacy-hashes",
        action="store_true",
        help="import users whose hash is a salted SHA-256, as devpi wrote before 4.2, without password",
    )


def read_decisions(arguments: argparse.Namespace) -> Decisions:
    """Return the decisions of a command line."""
    return Decisions(
        dict(arguments.rename),
        sorted(set(arguments.skip)),
        dict(arguments.map_type),
        sorted(set(arguments.skip_password)),
        not arguments.no_legacy_hashes,
    )
