"""Values that hold until the next change of the stores."""

from __future__ import annotations

from wheelgate.store.serial_cache import SerialCache


def test_a_value_holds_for_its_serial_only() -> None:
    """A value is made once per serial, also if it is None."""
    cache: SerialCache[str, str | None] = SerialCache(10)
    made: list[str | None] = []

    def make(value: str | None) -> str | None:
        made.append(value)
        return value

    assert [cache.get_or_make(1, "user", lambda: make(None)) for _ in range(2)] == [None, None]
    assert [cache.get_or_make(2, "user", lambda: make("ada")) for _ in range(2)] == ["ada", "ada"]
    assert made == [None, "ada"]
    assert (cache.get(1, "user"), cache.get(2, "user"), cache.get(3, "user")) == (None, "ada", None)


def test_a_slow_reader_does_not_replace_a_newer_value() -> None:
    """A value for a past serial is dropped if there is one for a later serial."""
    cache: SerialCache[str, str] = SerialCache(10)
    cache.put(2, "user", "new")
    cache.put(1, "user", "old")

    assert (cache.get(1, "user"), cache.get(2, "user")) == (None, "new")


def test_a_full_cache_keeps_the_values_in_use() -> None:
    """The least recently used value makes room, and the others stay."""
    cache: SerialCache[int, int] = SerialCache(100)
    for key in range(1000):
        cache.put(1, key, key)
        assert cache.get_or_make(1, 0, lambda: -1) == 0

    assert [cache.get(1, key) for key in (1, 900, 999)] == [None, None, 999]
    assert sum(cache.get(1, key) is not None for key in range(1000)) == 100
