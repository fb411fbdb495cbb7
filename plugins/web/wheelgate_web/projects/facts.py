"""What the metadata of a release say about it: people, licence, links and dependencies. Everything is hostile."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement

from wheelgate.packages import normalize

MAX_FACT_CHARS = 500
"""Characters of one fact; a licence may be given with its whole text."""
MAX_LINKS = 50
MAX_DEPENDENCIES = 300
MAX_DEPENDENCY_CHARS = 500
LINK_PATTERN = re.compile(r"(?:https?://[^\s]+|mailto:[^\s]+)\Z", re.IGNORECASE)
"""An address that pages link to."""
FACTS = (
    ("Author", ("author", "author_email")),
    ("Maintainer", ("maintainer", "maintainer_email")),
    ("Licence", ("license_expression", "license")),
    ("Python", ("requires_python",)),
    ("Keywords", ("keywords",)),
)
SINGLE_LINKS = (("Homepage", "home_page"), ("Download", "download_url"))


@dataclass(frozen=True, slots=True)
class Link:
    """A link that the metadata name."""

    label: str
    url: str
    """Empty if it is no address that a page may link to; the label then shows what it is."""


@dataclass(frozen=True, slots=True)
class Dependency:
    """A requirement of a release."""

    name: str
    """As it is written; the whole requirement if it is malformed."""
    project: str
    """The normalised name; empty if the requirement is malformed."""
    details: str
    """Extras and versions."""
    marker: str


def facts_of(metadata: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return facts with their labels; several sources of one fact are joined."""
    found = []
    for label, keys in FACTS:
        values = [text for key in keys if (text := fact(metadata.get(key)))]
        if label == "Licence":
            values = values[:1]
        if values:
            found.append((label, ", ".join(dict.fromkeys(values))))
    return found


def fact(value: Any) -> str:
    """Return a value of the metadata as one line of limited length; empty if there is none."""
    text = ", ".join(str(each) for each in value) if isinstance(value, list | tuple) else str(value or "")
    line = next((each.strip() for each in text.splitlines() if each.strip()), "")
    return "" if line == "UNKNOWN" else line[:MAX_FACT_CHARS]


def links_of(metadata: Mapping[str, Any]) -> list[Link]:
    """Return the links, each address once."""
    given = [(label, fact(metadata.get(key))) for label, key in SINGLE_LINKS]
    urls = metadata.get("project_urls") or ()
    pairs = urls.items() if isinstance(urls, Mapping) else (str(each).partition(",")[::2] for each in urls)
    given += [(fact(label), fact(url)) for label, url in pairs]
    found = {url: Link(label or url, url) for label, url in reversed(given) if url}
    links = [link if is_link(link.url) else Link(f"{link.label}: {link.url}", "") for link in reversed(found.values())]
    return links[:MAX_LINKS]


def is_link(url: str) -> bool:
    """Return whether a page may link to an address."""
    return LINK_PATTERN.match(url) is not None


def dependencies_of(metadata: Mapping[str, Any]) -> list[Dependency]:
    """Return the requirements, in their order."""
    given = metadata.get("requires_dist") or ()
    texts: Iterable[Any] = given if isinstance(given, list | tuple) else ()
    return [dependency(str(text)[:MAX_DEPENDENCY_CHARS]) for text in list(texts)[:MAX_DEPENDENCIES]]


def dependency(text: str) -> Dependency:
    """Parse a requirement (PEP 508)."""
    try:
        parsed = Requirement(text)
    except (InvalidRequirement, ValueError, RecursionError):
        return Dependency(text, "", "", "")
    extras = f"[{','.join(sorted(parsed.extras))}]" if parsed.extras else ""
    where = f" @ {parsed.url}" if parsed.url else ""
    details = f"{extras} {parsed.specifier}{where}".strip()
    return Dependency(parsed.name, normalize(parsed.name), details, str(parsed.marker or ""))
