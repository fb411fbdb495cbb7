"""Parsers for the values of options. Each raises ``ValueError`` with a description of the valid form."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

SECONDS_PER_UNIT = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
BYTES_PER_UNIT = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
SWITCH_ON_WORDS = frozenset({"true", "yes", "on", "1"})
SWITCH_OFF_WORDS = frozenset({"false", "no", "off", "0"})


def boolean(text: str) -> bool:
    """Read ``true``, ``yes``, ``on``, ``1``, ``false``, ``no``, ``off`` or ``0``; upper case counts as lower case."""
    word = text.strip().lower()
    if word in SWITCH_ON_WORDS | SWITCH_OFF_WORDS:
        return word in SWITCH_ON_WORDS
    raise ValueError("true, yes, on or 1, or false, no, off or 0")


def time_span(text: str) -> int:
    """Parse a time span into seconds: ``36000``, ``600s``, ``30m``, ``10h``, ``7d`` or ``2w``; ``0`` is valid, too."""
    match = re.fullmatch(r"([0-9]{1,9})([smhdw]?)", text.strip())
    if not match:
        raise ValueError("a time span such as 36000, 30m, 10h, 7d or 2w")
    return int(match[1]) * SECONDS_PER_UNIT[match[2]]


def positive_time_span(text: str) -> int:
    """Parse a time span as :func:`time_span` does, of at least one second."""
    seconds = time_span(text)
    if not seconds:
        raise ValueError("a time span such as 36000, 30m, 10h, 7d or 2w")
    return seconds


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """Return a parser of whole numbers from ``low`` to ``high``."""

    def parse(text: str) -> int:
        if not text.strip().isdecimal() or not low <= int(text) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(text)

    return parse


def byte_size(text: str) -> int:
    """Parse a number of bytes: ``5000000``, ``500k``, ``100M`` or ``2G``."""
    match = re.fullmatch(r"([0-9]{1,15})([kmgt]?)b?", text.strip().lower())
    if not match or not int(match[1]):
        raise ValueError("a size such as 500000, 100M or 2G")
    return int(match[1]) * BYTES_PER_UNIT[match[2]]


def one_of(*words: str) -> Callable[[str], str]:
    """Return a parser that accepts one of several words, in any case."""

    def parse(text: str) -> str:
        word = text.strip().lower()
        if word not in words:
            raise ValueError(" or ".join(f"'{each}'" for each in words))
        return word

    return parse


def network(text: str) -> Network:
    """Parse an address or a network, such as ``10.0.0.0/8``."""
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        raise ValueError("an address or a network such as 10.0.0.0/8") from None


def upstream_network(text: str) -> Network | str:
    """Parse ``public``, or an address or a network."""
    try:
        return "public" if text.strip().lower() == "public" else network(text)
    except ValueError as error:
        raise ValueError(f"'public', or {error}") from None


def proxy_exception(text: str) -> Network | str:
    """Parse a host or domain, which stands for all names below it too, or an address or a network."""
    plain = text.strip().lower().removeprefix("*").strip(".")
    if re.fullmatch(r"(?=.*[a-z])[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63}){0,30}", plain):
        return plain
    try:
        return network(plain)
    except ValueError as error:
        raise ValueError(f"a host such as packages.example without a port, or {error}") from None


def file_path(text: str) -> str:
    """Read the path of a file."""
    if not text.strip():
        raise ValueError("the path of a file")
    return text


def http_url(text: str) -> str:
    """Parse an http or https URL without a query, and remove a trailing slash."""
    if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", text):
        raise ValueError("an address such as https://packages.example/sub")
    return text.rstrip("/")


def proxy_url(text: str) -> str:
    """Parse the URL of a proxy, which may contain a user name and a password."""
    if not re.fullmatch(r"https?://[^\s/?#]+/?", text):
        raise ValueError("an address such as http://proxy.example:3128")
    return text


def s3_url(text: str) -> str:
    """Parse the URL of an S3 bucket, with or without a prefix."""
    if not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9!_.*'()/-]*)?", text):
        raise ValueError("an address such as s3://bucket/prefix")
    return text
