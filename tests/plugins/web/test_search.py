"""The search: what it finds, in which order, and what it says if there is nothing."""

from __future__ import annotations

import random
import string

import pytest
from tests.helpers.distributions import core_metadata, wheel
from tests.helpers.search_pages import search, suggestions
from tests.helpers.upload_forms import upload

from wheelgate.testing.site import Site

CORPUS = {
    "weather": "Everything about it",
    "weather-station": "Reads instruments",
    "weathering": "How stones age",
    "my-weather": "Of a place",
    "fairweather": "Sails",
    "barometer": "Reads the weather",
    "thermometer": "Reads warmth",
    "clock-tower": "Strikes the hours",
    "tower-of-clocks": "Many of them",
    "naive": "Naïve café of the Ελλάδα",
    "b2": "Short",
    "x": "One letter",
    "and-or-not": "Operators",
}
"""Projects and their summaries."""


@pytest.fixture(scope="module")
def filled(shared: Site) -> Site:
    """Return a server with these projects on one index."""
    emilie = shared.add_user("emilie")
    shared.request("PUT", "/emilie/dev", {}, auth=emilie)
    for name, summary in CORPUS.items():
        keywords = ["Keywords: sundial"] if name == "clock-tower" else []
        metadata = core_metadata(name, "1.0", summary=summary, more=keywords)
        answer = upload(shared, "emilie/dev", wheel(name, "1.0", metadata=metadata), emilie)
        assert answer.status == 200, answer.content
    shared.run_jobs()
    return shared


QUERIES = [
    pytest.param(
        "weather",
        ["weather", "weathering", "weather-station", "my-weather", "fairweather", "barometer"],
        id="equal, begins, word begins, contains, summary",
    ),
    pytest.param("WEATHER", ["weather", "weathering", "weather-station"], id="case"),
    pytest.param("weather station", ["weather-station"], id="space for hyphen"),
    pytest.param("Weather_Station", ["weather-station"], id="underscore"),
    pytest.param("weatherstation", ["weather-station"], id="nothing for hyphen"),
    pytest.param("eather", ["weather", "my-weather", "weathering"], id="a part"),
    pytest.param("tower clock", ["clock-tower", "tower-of-clocks"], id="words in any order"),
    pytest.param("sundial", ["clock-tower"], id="keyword"),
    pytest.param("instrum", ["weather-station"], id="beginning of a word of the summary"),
    pytest.param("reads war", ["thermometer"], id="two words of the summary"),
    pytest.param("station reads", ["weather-station"], id="name and summary"),
    pytest.param("naive cafe", ["naive"], id="accents"),
    pytest.param("ελλαδα", ["naive"], id="another alphabet"),
    pytest.param("x", ["x"], id="one letter"),
    pytest.param("b2", ["b2"], id="a digit"),
    pytest.param("station nowhere", [], id="all words must be there"),
    pytest.param("ather stat", ["weather-station"], id="a part over a hyphen"),
]


@pytest.mark.parametrize(("query", "names"), QUERIES)
def test_a_search_finds_projects_the_best_first(filled: Site, query: str, names: list[str]) -> None:
    """The order is: name equal, name begins, word of the name begins, name contains, summary or keywords."""
    found = search(filled, query)

    assert found.names[: len(names)] == names
    assert bool(found.names) == bool(names)
    assert [address.rpartition("/")[2] for address in suggestions(filled, query)] == found.names[:8]


CORRECTIONS = [
    ("wether", ["weather"]),
    ("waether", ["weather"]),
    ("weathr", ["weather"]),
    ("weatherr", ["weather"]),
    ("wxather", ["weather"]),
    ("clok-tower", ["clock-tower"]),
    ("Clok Tower", ["clock-tower"]),
    ("wetherr", []),
    ("b3", []),
    ("b22", []),
]


@pytest.mark.parametrize(("query", "names"), CORRECTIONS)
def test_a_typing_error_is_corrected(filled: Site, query: str, names: list[str]) -> None:
    """If nothing is found for four letters or more, the page asks about names one edit or swap away."""
    found = search(filled, query)

    assert found.names == []
    assert "No project found for" in found.text
    assert found.corrections == names


HOSTILE = [
    pytest.param("", id="nothing"),
    pytest.param("   ", id="spaces"),
    pytest.param('"', id="quote"),
    pytest.param('"weather" OR name:x', id="quotes and column"),
    pytest.param("weather*", id="star"),
    pytest.param("^weather", id="caret"),
    pytest.param("NEAR(weather, 2)", id="near"),
    pytest.param("weather AND NOT station", id="and not"),
    pytest.param("name : weather", id="column"),
    pytest.param("'; DROP TABLE web_project; --", id="sql"),
    pytest.param("weather & !station | x:*", id="tsquery"),
    pytest.param("%_\\", id="like"),
    pytest.param("\0weather\0", id="nul"),
    pytest.param("<script>alert(1)</script>", id="markup"),
    pytest.param("{{ 1236+1 }}", id="template"),
    pytest.param("\u202eweather", id="bidi"),
    pytest.param("a" * 5000, id="long word"),
    pytest.param(" ".join(f"w{number}" for number in range(500)), id="many words"),
    pytest.param("\U0001f600 \U0001d573", id="beyond the BMP"),
    pytest.param("\u0345\u0301", id="combining"),
    pytest.param("ﬁ ß İ ǅ", id="folding"),
]


@pytest.mark.parametrize("query", HOSTILE)
def test_a_query_is_only_words(filled: Site, query: str) -> None:
    """Operators, quotes and markup are words or separators: no error, nothing is executed, and markup is escaped."""
    page, fragment = search(filled, query), suggestions(filled, query)

    assert len(fragment) <= 8
    assert "<script>alert" not in page.text
    assert "1237" not in page.text
    assert len(page.response.content) < 50_000


def test_operators_are_words(filled: Site) -> None:
    """``AND``, ``OR`` and ``NOT`` find the project that has them in its name, and nothing else."""
    assert search(filled, "and").names == ["and-or-not"]
    assert search(filled, "AND OR NOT").names == ["and-or-not"]
    assert search(filled, "weather AND station").names == []


@pytest.mark.slow
def test_random_queries_have_answers(filled: Site) -> None:
    """No text makes a search fail."""
    source = random.Random(7)
    letters = string.printable + "äßΩжあ\u0300\u200b"
    for _ in range(300):
        search(filled, "".join(source.choices(letters, k=source.randint(1, 40))))


def test_a_query_is_cut(filled: Site) -> None:
    """Only the first 200 characters and ten words of a query count."""
    assert search(filled, "station" + " " * 200 + "nowhere").names == ["weather-station"]
    assert search(filled, "station" + " " * 100 + "nowhere").names == []
    assert search(filled, "s st sta stat stati r re rea read reads nowhere").names == ["weather-station"]
    assert search(filled, "s st sta stat stati r re rea read nowhere").names == []


@pytest.mark.parametrize("page", ["0", "-1", "x", "99999999999999999999", "1.5", "²"])
def test_a_page_that_does_not_exist_is_no_error(filled: Site, page: str) -> None:
    """Nonsense for a page is the first page, or an empty one."""
    assert search(filled, "weather", page=page).response.status == 200


def test_results_come_in_pages(shared: Site, fresh: str) -> None:
    """A page has 25 results and links to its neighbours; together the pages have every project once, in order."""
    auth = shared.add_user(fresh)
    shared.request("PUT", f"/{fresh}/dev", {}, auth=auth)
    names = [f"{fresh}-{number:02}" for number in range(60)]
    for name in reversed(names):
        upload(shared, f"{fresh}/dev", wheel(name, "1.0"), auth)
    shared.run_jobs()
    pages = [search(shared, fresh, page=page) for page in ("", "2", "3")]

    assert [len(page.names) for page in pages] == [25, 25, 10]
    assert [name for page in pages for name in page.names] == names
    assert ["Next page" in page.text for page in pages] == [True, True, False]
    assert ["Previous page" in page.text for page in pages] == [False, True, True]
    assert ["60 projects" in page.text for page in pages] == [False, False, True]
