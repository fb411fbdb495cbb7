"""Time spans: the server, the mirrors and the client read the same ones."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from wheelgate.config import resolve
from wheelgate.core_options import CORE_OPTIONS
from wheelgate.errors import BadInput, StartupError
from wheelgate_client.server.api_tokens import parse_seconds
from wheelgate_mirror.cooldown import parse_min_age

SPANS = {"90": 90, "90s": 90, "30m": 1800, "10h": 36_000, "7d": 604_800, "2w": 1_209_600}
NO_SPANS = ["", "1y", "1 h", "-1h", "1.5h", "٣h", "h", "1h30m", "1H"]


def read_setting(text: str) -> object:
    """Read it as ``--session-lifetime``."""
    return resolve(CORE_OPTIONS, {"session-lifetime": text}, {})["session-lifetime"]


@pytest.mark.parametrize(("text", "expected"), SPANS.items(), ids=SPANS)
def test_a_time_span_is_read_everywhere(text: str, expected: int) -> None:
    """Seconds, minutes, hours, days and weeks."""
    assert read_setting(text) == expected
    assert parse_seconds(text) == expected
    assert parse_min_age(text) in (text, f"{text}s")


READERS: list[tuple[Callable[[str], object], type[Exception]]] = [
    (read_setting, StartupError),
    (parse_seconds, ValueError),
    (parse_min_age, BadInput),
]


@pytest.mark.parametrize("text", NO_SPANS, ids=ascii)
@pytest.mark.parametrize(("read", "error"), READERS, ids=["setting", "client", "min_age"])
def test_no_time_span_is_read_nowhere(read: Callable[[str], object], error: type[Exception], text: str) -> None:
    """Other units, fractions, signs and sums are refused."""
    with pytest.raises(error):
        read(text)
