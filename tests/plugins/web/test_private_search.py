"""A search tells nobody anything about indices that they may not read."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.helpers.distributions import wheel
from tests.helpers.search_pages import BROWSER, search, suggestions
from tests.helpers.upload_forms import upload

from wheelgate.testing.site import Response, Site

Auth = tuple[str, str]

WORDS = ["sun", "sunny", "dial", "clock", "tower", "weather", "wether", "rain", "rein"]
TYPED = [*WORDS, "su", "d", "clok", "suny", "raine", "tower clock", "sundial", "made", "nothing"]
CHANGING = frozenset({"x-devpi-serial", "x-request-id"})
"""Headers that differ from one answer to the next, search or not."""


class TwoWorlds:
    """A server with a public index, which has or has not a private one beside it."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._auth = site.add_user("owner")

    def build(self, path: str, projects: Mapping[str, str], **config: Any) -> None:
        """Make an index of these projects, given with their summaries."""
        assert self._site.request("PUT", f"/{path}", config, auth=self._auth).status == 200
        for name, summary in projects.items():
            required = ["sun-dial>=1"]
            answer = upload(self._site, path, wheel(name, "1.0", summary=summary, requires_dist=required), self._auth)
            assert answer.status == 200, answer.content
        self._site.run_jobs()

    def tear_down(self) -> None:
        """Remove both indices."""
        for name in ("public", "private"):
            self._site.request("DELETE", f"/owner/{name}", auth=self._auth)
        self._site.run_jobs()

    def answers(self, auth: Auth | None = None) -> list[tuple[int, dict[str, str], bytes]]:
        """Return what the search answers, page and suggestions, for many queries."""
        return [
            comparable(self._site.request("GET", f"/+x/web/{kind}?q={query}{more}", auth=auth, headers=BROWSER))
            for query in TYPED
            for kind, more in (("search", ""), ("search", "&page=2"), ("suggestions", ""))
        ]


def comparable(response: Response) -> tuple[int, dict[str, str], bytes]:
    """Return an answer without what differs each time."""
    headers = {name: value for name, value in response.headers.items() if name not in CHANGING}
    return response.status, headers, response.content


@pytest.fixture(scope="module")
def two_worlds(shared: Site) -> TwoWorlds:
    """Return a server for all examples."""
    return TwoWorlds(shared)


names = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map("-".join)
projects = st.dictionaries(names, st.lists(st.sampled_from(WORDS), max_size=3).map(" ".join), max_size=4)


@pytest.mark.slow
@settings(deadline=None, max_examples=10, suppress_health_check=list(HealthCheck))
@given(public=projects, private=projects)
def test_a_private_index_changes_no_answer(
    two_worlds: TwoWorlds, public: dict[str, str], private: dict[str, str]
) -> None:
    """In random worlds, a private index changes no byte of any page or suggestion for anonymous."""
    compare(two_worlds, public, private)


def test_a_private_index_changes_no_answer_in_one_world(two_worlds: TwoWorlds) -> None:
    """The same in one world, in which the private index has the better matches for most queries."""
    public = {"clock-tower": "sunny", "rain": "dial", "sunny-dial": "weather"}
    private = {"clock": "tower", "sun": "", "sun-dial": "rain", "weather": "clock", "wether": "", "rein": "made"}

    compare(two_worlds, public, private)


def compare(two_worlds: TwoWorlds, public: dict[str, str], private: dict[str, str]) -> None:
    """Fail if a private index makes a difference."""
    try:
        two_worlds.build("owner/public", public)
        alone = two_worlds.answers()
        two_worlds.build("owner/private", private, acl_read=["owner"])

        assert two_worlds.answers() == alone
    finally:
        two_worlds.tear_down()


@pytest.fixture(scope="module")
def private(shared: Site) -> Site:
    """Return a server with a public and a private index, and one that inherits from the private one."""
    emilie, _ = shared.add_user("emilie"), shared.add_user("sophie")
    shared.add_user("stranger")
    for name, config in (
        ("open", {}),
        ("closed", {"acl_read": ["emilie", "sophie"]}),
        ("heir", {"bases": ["emilie/closed"]}),
    ):
        assert shared.request("PUT", f"/emilie/{name}", config, auth=emilie).status == 200
        for project in ("lighthouse", "lighthouse-keeper"):
            upload(shared, f"emilie/{name}", wheel(project, "1.0", summary=f"Guards {name}"), emilie)
    upload(shared, "emilie/closed", wheel("beacon", "1.0"), emilie)
    shared.run_jobs()
    return shared


READERS = [
    pytest.param(None, ["open"], id="anonymous"),
    pytest.param("stranger", ["open"], id="another user"),
    pytest.param("sophie", ["closed", "heir", "open"], id="a reader"),
    pytest.param("emilie", ["closed", "heir", "open"], id="the owner"),
    pytest.param("root", ["closed", "heir", "open"], id="root"),
]


@pytest.mark.parametrize(("user", "indices"), READERS)
def test_readers_find_what_they_may_read(private: Site, user: str | None, indices: list[str]) -> None:
    """A search finds a project on every index that the reader may read, bases included, and on no other."""
    auth = None if user is None else private.login(user, "" if user == "root" else "correct horse")
    expected = [f"emilie/{index}/lighthouse" for index in indices]
    keepers = [f"emilie/{index}/lighthouse-keeper" for index in indices]

    assert search(private, "lighthouse", auth).addresses == expected + keepers
    assert suggestions(private, "lighthouse", auth) == (expected + keepers)[:8]
    assert ("beacon" in search(private, "becaon", auth).corrections) == (len(indices) > 1)
    assert len(search(private, "guards", auth).addresses) == 2 * len(indices)


TOKENS = [
    pytest.param({"indices": ["emilie/closed"]}, ["closed/lighthouse", "open/lighthouse"], id="one index"),
    pytest.param({"indices": ["emilie/open"]}, ["open/lighthouse"], id="another index"),
    pytest.param({"indices": ["emilie/closed"], "projects": ["beacon"]}, [], id="another project"),
    pytest.param(
        {"projects": ["lighthouse"]}, ["closed/lighthouse", "heir/lighthouse", "open/lighthouse"], id="one project"
    ),
]


@pytest.mark.parametrize(("scope", "found"), TOKENS)
def test_a_token_finds_what_it_may_read(private: Site, scope: dict[str, Any], found: list[str]) -> None:
    """What a token leaves out is left out of its search."""
    sophie = private.login("sophie", "correct horse")
    token = private.request("POST", "/+x/tokens/", {"scopes": ["read"], **scope}, auth=sophie).result["token"]
    addresses = search(private, "lighthouse", ("__token__", token)).addresses

    assert [address for address in addresses if not address.endswith("-keeper")] == [f"emilie/{each}" for each in found]
    if "projects" in scope:
        assert not any(address.endswith("-keeper") for address in addresses)


def test_a_private_word_is_a_word_that_nobody_has(private: Site) -> None:
    """For anonymous, the answer for a private project's name is that for any other word, but for the word itself."""
    for kind in ("search", "suggestions"):
        secret, other = (
            private.request("GET", f"/+x/web/{kind}?q={word}", headers=BROWSER).content.decode()
            for word in ("beacon", "xylophonist")
        )
        assert secret.replace(escape("beacon"), "WORD") == other.replace("xylophonist", "WORD")


def test_access_that_ends_ends_for_the_search(private: Site) -> None:
    """Whoever is taken off the list of readers finds nothing there at the next search, and the other way round."""
    emilie, sophie = (private.login(name, "correct horse") for name in ("emilie", "sophie"))
    try:
        private.request("PATCH", "/emilie/closed", {"acl_read": ["emilie"]}, auth=emilie)
        without = search(private, "beacon", sophie).names
        private.request("PATCH", "/emilie/closed", {"acl_read": [":ANONYMOUS:"]}, auth=emilie)
        everybody = search(private, "beacon").names
    finally:
        private.request("PATCH", "/emilie/closed", {"acl_read": ["emilie", "sophie"]}, auth=emilie)

    assert (without, everybody) == ([], ["beacon"])
