"""What an import has to say about an export: faults, which refuse it, and findings, some of which need a decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from wheelgate.logs import escape_unprintable

DECISIONS = {
    "name-refused": "--rename {subject}=NEW or --skip {subject}",
    "name-lookalike": "--rename {subject}=NEW or --skip {subject}",
    "type-unknown": "--map-type TYPE=stage, --map-type TYPE=mirror or --skip {subject}",
    "hash-unusable": "--skip-password {subject}",
}
"""The kinds of findings that need a decision, and the options that make it."""
MAX_LISTED_FAULTS = 100
"""Faults that one run names; after that it stops to look for more."""
NO_VALUE = object()
"""Stands for the value of a finding that has none; null is one."""


class FaultError(Exception):
    """Raised when an export has a fault that refuses it; the text says where and what."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in an export that this server stores in another way, or not at all."""

    kind: str
    subject: str
    """The user, index or file that it is about."""
    sentence: str
    value: Any = NO_VALUE
    """What was left out, for the report only: it may be long."""

    @property
    def decision(self) -> str:
        """The options that make the decision; empty if it needs none."""
        return DECISIONS.get(self.kind, "").format(subject=self.subject)

    def as_json(self) -> dict[str, Any]:
        """Return the finding for the report."""
        shown = {"kind": self.kind, "subject": self.subject, "sentence": self.sentence}
        if self.decision:
            shown["decision"] = self.decision
        return shown if self.value is NO_VALUE else {**shown, "value": self.value}


class TooManyFaultsError(Exception):
    """Raised when an export has so many faults that more would help nobody."""


@dataclass(slots=True)
class Findings:
    """The faults and findings of one export, in the order in which they were found."""

    faults: list[str] = field(default_factory=list)
    found: list[Finding] = field(default_factory=list)

    def add(self, kind: str, subject: str, sentence: str, value: Any = NO_VALUE) -> None:
        """Add a finding."""
        self.found.append(Finding(kind, subject, sentence, value))

    def add_fault(self, fault: str) -> None:
        """Add a fault. Raise ``TooManyFaultsError`` if it is one too many."""
        self.faults.append(escape_unprintable(fault))
        if len(self.faults) >= MAX_LISTED_FAULTS:
            raise TooManyFaultsError

    @property
    def undecided(self) -> Sequence[Finding]:
        """The findings that need a decision."""
        return [finding for finding in self.found if finding.decision]

    def table(self) -> str:
        """Return the findings as lines for people: the kind, the subject and the sentence."""
        width = max((len(finding.kind) for finding in self.found), default=0)
        lines = (f"{finding.kind:<{width}}  {finding.subject}: {finding.sentence}" for finding in self.found)
        return "".join(f"{escape_unprintable(line)}\n" for line in lines)
