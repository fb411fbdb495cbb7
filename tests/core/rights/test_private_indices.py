"""``acl_read``: who may read an index, and what others learn of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from tests.helpers.distributions import wheel
from tests.helpers.sites import Serve
from tests.helpers.upload_forms import address, upload

from wheelgate import Allow, Principal, Resource, hookimpl
from wheelgate.providers import GroupSource
from wheelgate.testing.site import Response, Site

ROOT = ("root", "")
DIST = wheel("demo", "1.0")
CHALLENGE = 'Basic realm="pypi"'


class Groups(GroupSource):
    """Knows one group."""

    name = "fixed"

    def groups(self, username: str) -> frozenset[str]:
        """Put carol into it."""
        return frozenset({"auditors"} if username == "carol" else ())

    @hookimpl
    def wheelgate_group_sources(self) -> list[GroupSource]:
        """Provide itself."""
        return [self]


@dataclass(frozen=True)
class Shop:
    """A server with three users and some indices of alice."""

    site: Site
    logins: dict[str | None, tuple[str, str] | None]

    def ask(self, caller: str | None, method: str, path: str, body: Any = None, **headers: str) -> Response:
        """Send a request."""
        return self.site.request(method, path, body, auth=self.logins[caller], headers=headers)

    def index(self, name: str = "private", **config: Any) -> str:
        """Create an index of alice with a file, and return its path."""
        path = f"alice/{name}"
        assert self.ask("alice", "PUT", f"/{path}", config).status == 200
        assert upload(self.site, path, DIST, self.logins["alice"]).status == 200
        return path

    def status(self, caller: str | None, path: str) -> int:
        """Send a request, and return the status."""
        return self.ask(caller, "GET", path).status

    def listed(self, caller: str | None) -> list[str]:
        """Return the indices of alice in two listings, which must agree."""
        one = self.ask(caller, "GET", "/alice").result["indexes"]
        assert self.ask(caller, "GET", "/").result["alice"]["indexes"] == one
        return sorted(one)


def furnish(site: Site) -> Shop:
    """Make the users."""
    logins: dict[str | None, tuple[str, str] | None] = {name: site.add_user(name) for name in ("alice", "bob", "carol")}
    ended = site.login("bob", "correct horse")
    site.request("POST", "/+logout", auth=ended)
    return Shop(site, {**logins, None: None, "root": ROOT, "ended": ended})


@pytest.fixture(scope="module")
def furnished(serve_shared: Serve) -> Shop:
    """Return a server that hides private indices, for all tests; each makes the indices."""
    return furnish(serve_shared(extra={"fixed": Groups()}))


@pytest.fixture
def shop(furnished: Shop) -> Iterator[Shop]:
    """Return a server that hides private indices; afterwards, delete the indices of its three users."""
    yield furnished
    for name in ("alice", "bob", "carol"):
        for index in furnished.ask("root", "GET", f"/{name}").result["indexes"]:
            assert furnished.ask("root", "DELETE", f"/{name}/{index}").status == 201


@pytest.fixture
def open_shop(serve: Serve) -> Shop:
    """Return a server that does not hide private indices."""
    return furnish(serve(extra={"fixed": Groups()}, private_indices="tell"))


EVERYBODY = [None, "alice", "bob", "carol", "root"]
LISTS = [
    pytest.param(None, EVERYBODY, id="nothing is said"),
    pytest.param([":ANONYMOUS:"], EVERYBODY, id="anonymous"),
    pytest.param(":anonymous:", EVERYBODY, id="anonymous, in small letters"),
    pytest.param([":AUTHENTICATED:"], ["alice", "bob", "carol", "root"], id="users"),
    pytest.param([], ["alice", "root"], id="nobody"),
    pytest.param("", ["alice", "root"], id="an empty text"),
    pytest.param(["bob"], ["alice", "bob", "root"], id="a user"),
    pytest.param(":auditors", ["alice", "carol", "root"], id="a group"),
    pytest.param("bob,:auditors", ["alice", "bob", "carol", "root"], id="a user and a group"),
]


@pytest.mark.parametrize("kind", ["stage", "mirror"])
@pytest.mark.parametrize(("readers", "may"), LISTS)
def test_who_may_read(shop: Shop, readers: Any, may: list[str | None], kind: str) -> None:
    """Listed users, the owner and root may read; without the key, everybody."""
    config = {"type": kind} if readers is None else {"type": kind, "acl_read": readers}

    made = shop.ask("alice", "PUT", "/alice/private", config)

    assert made.status == 200
    assert ("acl_read" in made.result) == (readers is not None)
    for caller in EVERYBODY:
        expected = 200 if caller in may else 401 if caller is None else 404
        assert shop.status(caller, "/alice/private?no_projects=") == expected
        assert shop.listed(caller) == (["private"] if caller in may else [])


ADDRESSES = ["", "/", "/+api", "/+simple/", "/+simple/demo/", "/demo", "/demo/1.0", "/+why/demo", f"/{address(DIST)}"]


@pytest.mark.parametrize("path", ["alice/private", "alice/top", "alice/nothing", "nobody/nothing"])
def test_what_is_hidden_looks_absent(shop: Shop, path: str) -> None:
    """Other users get the same response for a private index, one that inherits from it, and an absent one."""
    shop.index(acl_read="carol")
    shop.index("top", bases="alice/private")
    for below in ADDRESSES:
        if path == "alice/top" and below.startswith("/+f"):
            continue
        asked = f"/{path}{below}"
        bob, anonymous = shop.ask("bob", "GET", asked), shop.ask(None, "GET", asked)

        assert (bob.status, bob.message) == (404, f"The stage {path} could not be found.")
        assert (anonymous.status, anonymous.headers["www-authenticate"]) == (401, CHALLENGE)
        assert anonymous.message == f"not logged in: there is no public index {path}"
        assert shop.ask("ended", "GET", asked).message == "this login has ended; log in again"
        for caller in ("alice", "carol", "root") if path in ("alice/private", "alice/top") else ():
            assert shop.status(caller, asked) == 200


def test_where_everything_is_public_absent_is_absent(shop: Shop) -> None:
    """A server without a private index does not ask for a login if an index does not exist."""
    shop.index("public")

    assert shop.status(None, "/alice/nothing/+simple/") == 404

    shop.index(acl_read="carol")

    assert shop.status(None, "/alice/nothing/+simple/") == 401
    assert shop.status(None, "/alice/public/+simple/") == 200


def test_what_is_told_where_nothing_is_hidden(open_shop: Shop) -> None:
    """``--private-indices tell`` reveals that an index exists, and why the user may not read it."""
    shop = open_shop
    shop.index(acl_read="carol")
    shop.index("top", bases="alice/private")
    may_not = "user 'bob' has no permission to read index alice/"
    for below in ADDRESSES:
        refused, inherited = (shop.ask("bob", "GET", f"/alice/{name}{below}") for name in ("private", "top"))

        assert (refused.status, inherited.status) == (403, 403)
        assert refused.message == f"{may_not}private: acl_read of index alice/private does not list you"
        assert inherited.message.startswith(f"{may_not}top: it inherits from index alice/private: acl_read of")
        assert [shop.status(None, f"/alice/{name}{below}") for name in ("private", "nothing")] == [401, 404]
    assert shop.listed("bob") == []


@pytest.mark.parametrize(
    ("change", "after"),
    [
        (["acl_read+=carol"], ["bob", "carol"]),
        (["acl_read-=bob"], []),
        (["acl_read-="], None),
        ({"acl_read": "carol, :auditors"}, ["carol", ":auditors"]),
        ({"acl_read": []}, []),
    ],
    ids=["add", "take the last out", "remove the key", "replace", "empty"],
)
def test_changes(shop: Shop, change: object, after: list[str] | None) -> None:
    """The list changes as other lists do; only without the key is an index public."""
    shop.index(acl_read="bob")

    changed = shop.ask("alice", "PATCH", "/alice/private", change)

    assert changed.result.get("acl_read") == after
    assert shop.status(None, "/alice/private") == (200 if after is None else 401)


def test_who_is_gone_is_no_reader(serve: Serve) -> None:
    """A deleted user leaves the list, which does not make the index public; a new user of that name may not read."""
    shop = furnish(serve())
    shop.index(acl_read="bob")
    shop.ask("root", "DELETE", "/bob")
    again = shop.site.add_user("bob")

    assert shop.ask("alice", "GET", "/alice/private").result["acl_read"] == []
    assert shop.site.request("GET", "/alice/private", auth=again).status == 404


@pytest.mark.parametrize("body", [{"acl_read": "nobody"}, {"acl_read": 5}, {"acl_read": None}, ["acl_read=nobody"]])
def test_readers_must_exist(shop: Shop, body: object) -> None:
    """Entries that do not exist are refused."""
    shop.index()

    assert shop.ask("alice", "PATCH", "/alice/private", body).status == 400


MISSING = "base index 'alice/private' does not exist"


@pytest.mark.parametrize(
    ("bases", "message"),
    [
        ("alice/private", MISSING),
        ("alice/top", "base index 'alice/top' does not exist"),
        ("alice/nothing,alice/private", f"base index 'alice/nothing' does not exist, {MISSING}"),
    ],
)
def test_what_one_may_not_read_is_no_base(shop: Shop, bases: str, message: str) -> None:
    """A base that the user may not read is refused in the same words as an absent one."""
    shop.index(acl_read="carol")
    shop.index("top", bases="alice/private")
    shop.ask("bob", "PUT", "/bob/dev", {})

    answers = [
        shop.ask("bob", "PUT", "/bob/new", {"bases": bases}),
        shop.ask("bob", "PATCH", "/bob/dev", {"bases": bases}),
        shop.ask("bob", "PATCH", "/bob/dev", [f"bases={bases}"]),
    ]

    assert [(answer.status, answer.message) for answer in answers] == [(400, message)] * 3
    assert shop.ask("carol", "PUT", "/carol/new", {"bases": "alice/private"}).status == 200


def test_whoever_may_mend_an_index_is_told_what_is_wrong(shop: Shop) -> None:
    """If a base becomes private, the owner of an index that inherits from it learns that, and can change the bases."""
    shop.index()
    shop.ask("bob", "PUT", "/bob/dev", {"bases": "alice/private"})
    shop.ask("alice", "PATCH", "/alice/private", {"acl_read": []})

    refused, elsewhere = shop.ask("bob", "GET", "/bob/dev"), shop.ask("carol", "GET", "/bob/dev")
    mended = shop.ask("bob", "PATCH", "/bob/dev", {"bases": []})

    assert (refused.status, elsewhere.status, mended.status) == (403, 404, 200)
    assert refused.message.endswith("read index bob/dev: it inherits from an index that you may not read")
    assert shop.status("carol", "/bob/dev") == 200


def test_uploaders_need_not_read(shop: Shop) -> None:
    """Users in ``acl_upload`` know of the index and can upload and push to it, but read nothing."""
    shop.index(acl_read="carol", acl_upload="alice,bob")
    shop.ask("bob", "PUT", "/bob/dev", {})
    other = wheel("demo", "2.0")
    push = {"name": "demo", "version": "2.0", "targetindex": "alice/private"}

    assert upload(shop.site, "alice/private", wheel("demo", "1.1"), shop.logins["bob"]).status == 200
    assert upload(shop.site, "bob/dev", other, shop.logins["bob"]).status == 200
    assert shop.ask("bob", "PUSH", "/bob/dev", push).status == 200
    assert shop.status("bob", f"/alice/private/{address(other)}") == 404
    assert shop.status("carol", f"/alice/private/{address(other)}") == 200


def test_results_need_reading(shop: Shop) -> None:
    """``acl_toxresult_upload`` lists everybody by default; that does not make a private index public."""
    path = f"/{shop.index(acl_read='carol')}/{address(DIST)}"

    answers = [shop.ask(caller, "POST", path, {"outcome": "passed"}).status for caller in (None, "bob", "carol")]

    assert answers == [401, 404, 200]


@pytest.mark.parametrize(("caller", "status"), [(None, 401), ("bob", 403), ("alice", 409), ("root", 409)])
def test_who_is_told_that_a_name_is_taken(shop: Shop, caller: str | None, status: int) -> None:
    """Only users who may create an index learn that its name, or a look-alike, is taken."""
    shop.index(acl_read="carol")

    for name in ("private", "PRIVATE"):
        assert shop.ask(caller, "PUT", f"/alice/{name}", {}).status == status


class Auditing:
    """A policy that lets bob read everything."""

    @hookimpl
    def wheelgate_check_permission(self, principal: Principal, permission: str) -> Allow | None:
        """Accept the credentials."""
        return Allow("auditors may") if (permission, principal.name) == ("index_read", "bob") else None


def test_a_policy_may_let_others_read(serve: Serve) -> None:
    """What a policy allows beyond the list counts for pages and listings alike."""
    shop = furnish(serve(extra={"auditing": Auditing()}))
    shop.index(acl_read=[])
    shop.index("top", bases="alice/private")

    assert [shop.status(caller, "/alice/top/+simple/demo/") for caller in ("bob", "carol")] == [200, 404]
    assert (shop.listed("bob"), shop.listed("carol")) == (["private", "top"], [])


class Filtering:
    """A plugin that hides indices called ``private`` from everybody except root."""

    @hookimpl
    def wheelgate_filter_visible(
        self, principal: Principal, permission: str, resources: Sequence[Resource]
    ) -> Sequence[bool] | None:
        """Answer for each."""
        return None if principal.name == "root" else [resource.name != "private" for resource in resources]


def test_what_a_plugin_hides_hides_what_stands_on_it(serve: Serve) -> None:
    """Listings leave out indices that inherit from an index that a plugin hides."""
    shop = furnish(serve(extra={"filtering": Filtering()}))
    shop.index()
    shop.index("top", bases="alice/private")
    shop.index("other")

    assert (shop.listed("bob"), shop.listed("root")) == (["other"], ["other", "private", "top"])


FOREVER = "max-age=365000000, immutable"


@pytest.mark.parametrize(
    ("below", "public", "private"),
    [
        ("/+simple/demo/", "no-cache", "no-cache, private"),
        ("/+simple/", "no-cache", "no-cache, private"),
        (f"/{address(DIST)}", f"{FOREVER}, public", f"{FOREVER}, private"),
        (f"/{address(DIST)}.metadata", f"{FOREVER}, public", f"{FOREVER}, private"),
        ("/demo", None, "no-cache, private"),
        ("", None, "no-cache, private"),
    ],
)
def test_shared_caches(shop: Shop, below: str, public: str | None, private: str) -> None:
    """Shared caches may not store private responses, neither 200 nor 304; they may store public ones."""
    shop.index("public")
    shop.index(acl_read=[":AUTHENTICATED:"])

    def said(caller: str | None, path: str, **headers: str) -> str | None:
        return shop.ask(caller, "GET", path, **headers).headers.get("cache-control")

    assert [said(caller, f"/alice/public{below}") for caller in (None, "bob")] == [public, public]
    seen = shop.ask("bob", "GET", f"/alice/private{below}")
    assert seen.headers["cache-control"] == private
    if "etag" in seen.headers:
        again = shop.ask("bob", "GET", f"/alice/private{below}", **{"If-None-Match": seen.headers["etag"]})
        assert (again.status, again.headers["cache-control"]) == (304, private)


@pytest.mark.parametrize("path", ["/", "/alice", "/alice/nothing"])
def test_listings_are_not_kept_for_others(shop: Shop, path: str) -> None:
    """Shared caches may not store listings that differ between callers."""
    shop.index(acl_read=[])

    assert shop.ask("bob", "GET", path).headers["cache-control"] == "no-cache, private"


def test_on_both_databases(site: Site) -> None:
    """An index becomes private, and public again, with the next request, on SQLite and on PostgreSQL."""
    shop = furnish(site)
    shop.index()
    seen: list[int] = []
    look: Callable[[], None] = lambda: seen.append(shop.status("bob", "/alice/private/+simple/demo/"))  # noqa: E731
    for change in (["acl_read=carol"], ["acl_read+=bob"], ["acl_read=carol"], ["acl_read-="]):
        look()
        assert shop.ask("alice", "PATCH", "/alice/private", change).status == 200
    look()

    assert seen == [200, 404, 200, 404, 200]
    assert shop.listed("bob") == ["private"]
