"""Chooses the form of an answer by the headers Accept and Accept-Encoding (RFC 9110, section 12.5)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

WEIGHT_PATTERN = re.compile(r"(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)")
"""A quality value (RFC 9110, section 12.4.2)."""

BROWSER_NAMES = ("Mozilla/", "Opera/", "Lynx/", "w3m/", "ELinks", "Links ", "Dillo/", "NetSurf/")
"""How the User-Agent of every browser begins. Installers send ``Accept: text/html`` too, some of them nothing else; and
browsers send ``Sec-Fetch-*`` to https and loopback addresses only, so that nothing but the name tells them apart."""
INSTALLER_TYPES = "application/vnd.pypi.simple."
"""How the media types of PEP 691 begin, which only installers name."""

HEADER_CACHE_ENTRIES = 512
"""Headers whose result is cached: there are few kinds of clients, and each always sends the same header."""


@lru_cache(HEADER_CACHE_ENTRIES)
def best_media_type(accept: str, offers: tuple[str, ...]) -> str | None:
    """Return the offer that the client prefers; None if it accepts none of them.

    The weight counts first, then how precisely the header names the type, then the order of the offers (RFC 9110,
    section 12.5.1). Parameters other than the weight do not count; malformed entries are ignored.
    """
    ranges = dict(_parse_weights(accept)) or {"*/*": 1.0}
    best, rank = None, (0.0, 0)
    for offer in offers:
        named = (offer, f"{offer.partition('/')[0]}/*", "*/*")
        found = next(((ranges[name], -place) for place, name in enumerate(named) if name in ranges), (0.0, 0))
        if found[0] and (best is None or found > rank):
            best, rank = offer, found
    return best


@lru_cache(HEADER_CACHE_ENTRIES)
def wants_page(accept: str, user_agent: str) -> bool:
    """Return whether a client is a browser that shows a page to a person.

    It names ``text/html`` itself, does not prefer JSON, and has the name of a browser.
    """
    if not user_agent.startswith(BROWSER_NAMES) or INSTALLER_TYPES in accept.lower():
        return False
    weights = dict(_parse_weights(accept))
    return weights.get("text/html", 0.0) > 0 and weights["text/html"] >= weights.get("application/json", 0.0)


@lru_cache(HEADER_CACHE_ENTRIES)
def best_coding(accept_encoding: str, offers: tuple[str, ...]) -> str:
    """Return the content coding that the client prefers, the first of equal ones; empty for none.

    A client that accepts neither an offered coding nor ``identity`` (``identity;q=0``) gets the content
    without a coding: RFC 9110, section 12.5.3, leaves that to the server.
    """
    weights = dict(_parse_weights(accept_encoding))
    plain = weights.get("identity", 0.0)
    ranked = [(weights.get(offer, weights.get("*", 0.0)), -place, offer) for place, offer in enumerate(offers)]
    weight, _, offer = max(ranked)
    return offer if weight and weight >= plain else ""


def _parse_weights(header: str) -> Iterator[tuple[str, float]]:
    for entry in header.split(","):
        name, *parameters = (part.strip().lower() for part in entry.split(";"))
        weight = next((value.removeprefix("q=") for value in parameters if value.startswith("q=")), "1")
        if name and WEIGHT_PATTERN.fullmatch(weight):
            yield name, float(weight)
