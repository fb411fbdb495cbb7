"""Caches with a bound: which value makes room, and when a value expires."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from wheelgate.caches import LruCache, TtlCache


def test_the_least_recently_used_value_makes_room() -> None:
    """A full cache drops the value that was neither read nor written for longest."""
    cache: LruCache[str, int] = LruCache(2)
    cache.put("a", 1)
    cache.put("b", 2)
    assert cache.get("a") == 1

    cache.put("c", 3)
    assert [cache.get(key) for key in "abc"] == [1, None, 3]

    cache.put("a", 4)
    cache.put("d", 5)
    assert [cache.get(key) for key in "acd"] == [4, None, 5]


def test_a_value_can_be_dropped() -> None:
    """A dropped value is absent; dropping an absent one does nothing."""
    cache: LruCache[str, int] = LruCache(2)
    cache.put("a", 1)
    cache.pop("a")
    cache.pop("a")

    assert cache.get("a") is None


def test_each_value_has_its_own_time() -> None:
    """A value is returned, with the seconds that it has left, until they are over."""
    cache: TtlCache[str, str] = TtlCache(3)
    cache.put("short", "value", 0)
    cache.put("long", "value", 60)

    assert (cache.get("short"), cache.get("long"), cache.get("absent")) == (None, "value", None)
    entry = cache.entry("long")
    assert entry is not None
    assert (0 < entry[0] <= 60, entry[1]) == (True, "value")

    cache.put("long", "other", -1)
    assert cache.entry("long") is None
    cache.put("long", "other", 60)
    cache.pop("long")
    assert cache.entry("long") is None


def test_a_full_cache_with_times_stays_within_its_bound() -> None:
    """A new value replaces the least recently used one even if that has not expired."""
    cache: TtlCache[str, str] = TtlCache(2)
    for key in "abc":
        cache.put(key, key, 60)

    assert [cache.get(key) for key in "abc"] == [None, "b", "c"]


def test_threads_share_a_cache() -> None:
    """Threads that read, write and drop at once see their values or none, and the bound holds."""
    cache: LruCache[int, int] = LruCache(10)

    def use(start: int) -> bool:
        right = True
        for turn in range(5_000):
            key = (start + turn) % 13
            cache.put(key, key)
            right = right and cache.get((key + 5) % 13) in ((key + 5) % 13, None)
            cache.pop((key + 1) % 13)
        return right

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(use, range(4)))
    assert sum(cache.get(key) is not None for key in range(13)) <= 10
