"""What of a page an index offers now."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from wheelgate import Index
from wheelgate.packages import Release, ReleaseFile, StoredFile
from wheelgate_mirror.cache import CurrentPage
from wheelgate_mirror.cooldown import cooldown_of
from wheelgate_mirror.filenames import order
from wheelgate_mirror.pages import Offer, Page

QUARANTINED = "quarantined"
"""The status of projects whose files are not offered (PEP 792)."""


@dataclass(frozen=True, slots=True)
class Offered:
    """A project as this index shows it; the fields that are not explained are those of ``Project``."""

    page: Page
    offers: tuple[Offer, ...]
    versions: tuple[str, ...]
    stale: bool
    until: float | None


def offered(index: Index, project: str, page: Page, current: CurrentPage) -> Offered:
    """Leave out what is too young, and everything of a project in quarantine."""
    cooldown, now = cooldown_of(index), time.time()
    offers = () if page.status == QUARANTINED else page.files
    if index.config.get("mirror_provides_core_metadata") is False:
        offers = tuple(replace(offer, core_metadata=None) for offer in offers)
    if not cooldown.age:
        return Offered(page, offers, page.versions, current.stale, current.until)
    ready = [cooldown.ready(project, offer.version, offer.upload_time) for offer in offers]
    old = tuple(offer for offer, moment in zip(offers, ready, strict=True) if moment <= now)
    versions = tuple(sorted({offer.version for offer in old if offer.version}, key=order))
    until = min(
        (moment for moment in ready if moment > now), default=math.inf
    )  # a page that was good for longer would go on hiding what has come of age
    until = min(until, math.inf if current.until is None else current.until)
    return Offered(page, old, versions, current.stale, None if math.isinf(until) else until)


def releases(found: Offered, here: Mapping[str, StoredFile]) -> list[Release]:
    """Return the versions that have files, the oldest first; ``here`` names by path the files that were fetched."""
    by_version: dict[str, list[Offer]] = {}
    for offer in found.offers:
        if offer.version:
            by_version.setdefault(offer.version, []).append(offer)
    return [_release(found.page.name, version, by_version[version], here) for version in sorted(by_version, key=order)]


def _release(name: str, version: str, offers: Sequence[Offer], here: Mapping[str, StoredFile]) -> Release:
    metadata = {"name": name, "version": version}
    for key, values in (
        ("requires_python", [offer.requires_python for offer in offers]),
        ("yanked", [offer.yanked for offer in offers]),
    ):
        told = next((value for value in values if value is not None), None)
        if told is not None:
            metadata[key] = told
    links = tuple(ReleaseFile("releasefile", offer.path, here.get(offer.path), offer.hashes) for offer in offers)
    return Release(name, version, metadata, links)
