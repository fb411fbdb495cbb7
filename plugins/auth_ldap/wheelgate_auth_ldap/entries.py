"""An entry of the directory, as a search returns it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """An entry that a search found."""

    dn: str
    attributes: dict[str, tuple[bytes, ...]]
    """The values by the attribute's name in lower case."""

    def texts(self, attribute: str) -> tuple[str, ...]:
        """Return the values of an attribute, without those that are not text."""
        found = []
        for value in self.attributes.get(attribute.lower(), ()):
            try:
                found.append(value.decode())
            except UnicodeDecodeError:
                continue
        return tuple(found)

    def first(self, attribute: str) -> str | None:
        """Return the first value of an attribute that is text."""
        return next(iter(self.texts(attribute)), None)

    def first_bytes(self, attribute: str) -> bytes | None:
        """Return the first value of an attribute, as it is."""
        return next(iter(self.attributes.get(attribute.lower(), ())), None)
