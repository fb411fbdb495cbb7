"""People in a directory log in, with the rights of their groups, until they leave it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.helpers.slapd import FOREIGN_CLASS, GROUPS, PEOPLE, Slapd
from tests.plugins.auth_ldap.conftest import ServeWithDirectory, log_in

from wheelgate.testing.site import Site

pytestmark = pytest.mark.slow

SEARCH_AND_BIND = {"ldap_user_base": PEOPLE, "ldap_user_dn": None}
DIRECT_BIND = {"ldap_user_base": None, "ldap_user_dn": f"uid={{username}},{PEOPLE}"}
BOTH_WAYS = pytest.mark.parametrize("way", [SEARCH_AND_BIND, DIRECT_BIND], ids=["search and bind", "direct bind"])


@BOTH_WAYS
def test_a_first_login_creates_the_user(serve_with_directory: ServeWithDirectory, way: dict[str, str | None]) -> None:
    """A person in the directory becomes a user with email and title, and without a password on this server."""
    site = serve_with_directory(**way)

    token = site.login("ada", "analytical")

    shown = site.request("GET", "/ada").result
    assert (shown["email"], shown["title"]) == ("ada@company.example", "Ada Lovelace")
    assert site.request("GET", "/+api", auth=token).result["authstatus"] == ["ok", "ada", ["admins"]]
    assert site.request("GET", "/+api", auth=("ada", "analytical")).result["authstatus"] == ["ok", "ada", ["admins"]]
    assert site.request("PATCH", "/ada", {"password": "mine"}, auth=token).status == 409


REFUSED_LOGINS = {
    "wrong password": ("ada", "wrong"),
    "another user's": ("ada", "builder"),
    "unknown user": ("nobody", "analytical"),
    "empty": ("ada", ""),
    "empty after SASLprep": ("ada", "\u00ad"),
    "unknown user, empty": ("nobody", ""),
    "other case, wrong password": ("Ada", "wrong"),
    "space after": ("ada ", "analytical"),
    "space before": (" ada", "analytical"),
    "root": ("root", "swordfish"),
    "the service": ("wheelgate", "swordfish"),
}


@BOTH_WAYS
def test_wrong_logins_are_refused(serve_with_directory: ServeWithDirectory, way: dict[str, str | None]) -> None:
    """Wrong and empty passwords, unknown names and names with spaces get 401, and create no user."""
    site = serve_with_directory(**way)

    statuses = {
        what: site.request("POST", "/+login", {"user": user, "password": password}, address=f"192.0.2.{number}").status
        for number, (what, (user, password)) in enumerate(REFUSED_LOGINS.items())
    }

    assert statuses == dict.fromkeys(REFUSED_LOGINS, 401)
    assert site.request("GET", "/").result.keys() == {"root"}


@BOTH_WAYS
def test_every_spelling_logs_in_one_user(serve_with_directory: ServeWithDirectory, way: dict[str, str | None]) -> None:
    """A name in upper case logs in the user with the spelling of the directory, with the groups of that user."""
    site = serve_with_directory(**way)
    ada = ["ok", "ada", ["admins"]]

    login = site.request("POST", "/+login", {"user": "ADA", "password": "analytical"})

    assert login.result["user"] == "ada"
    for name in ("ADA", "ada"):
        assert site.request("GET", "/+api", auth=(name, login.result["password"])).result["authstatus"] == ada
        assert site.request("GET", "/+api", auth=(name, "analytical")).result["authstatus"] == ada
    assert site.request("GET", "/").result.keys() == {"root", "ada"}


def test_groups_have_rights(serve_with_directory: ServeWithDirectory, directory: Slapd, no_cache: None) -> None:
    """Members of a listed group of the directory may create users, others may not; changes of the group count."""
    site = serve_with_directory(restrict_modify=":admins")
    ada, bob = site.login("ada", "analytical"), site.login("bob", "builder")

    assert site.request("PUT", "/new1", {"password": "correct horse"}, auth=ada).status == 201
    assert site.request("PUT", "/new2", {"password": "correct horse"}, auth=bob).status == 403
    directory.modify(f"cn=admins,{GROUPS}", member=[f"uid=bob,{PEOPLE}"])
    assert site.request("PUT", "/new3", {"password": "correct horse"}, auth=ada).status == 403
    assert site.request("PUT", "/new4", {"password": "correct horse"}, auth=bob).status == 201


@pytest.mark.parametrize("by", ["token", "password"])
def test_an_index_for_a_group(
    serve_with_directory: ServeWithDirectory, directory: Slapd, no_cache: None, by: str
) -> None:
    """Members of a listed group of the directory can read a private index; for others it does not exist."""
    site = serve_with_directory()
    root = site.login("root", "")
    logins = {name: (name, word) for name, word in (("ada", "analytical"), ("bob", "builder"))}
    if by == "token":
        logins = {name: site.login(*auth) for name, auth in logins.items()}

    def seen(name: str, path: str = "/root/secret") -> tuple[int, str]:
        """Return the status and the message for an index, without the index's name."""
        answer = site.request("GET", path, auth=logins[name])
        return answer.status, "" if answer.status == 200 else answer.message.replace(path[1:], "it")

    assert site.request("PUT", "/root/secret", {"acl_read": [":admins"]}, auth=root).status == 200
    absent = seen("bob", "/root/absent")
    assert absent[0] == 404
    assert (seen("ada"), seen("bob")) == ((200, ""), absent)
    directory.modify(f"cn=admins,{GROUPS}", member=[f"uid=bob,{PEOPLE}"])
    assert (seen("ada"), seen("bob")) == (absent, (200, ""))


def test_local_and_directory_groups_add_up(serve_with_directory: ServeWithDirectory) -> None:
    """A person in the directory may be in a group of this server, which counts at the next request."""
    site = serve_with_directory()
    root, bob = site.login("root", ""), site.login("bob", "builder")
    site.request("PUT", "/root/secret", {"acl_read": [":devs"]}, auth=root)
    assert site.request("GET", "/root/secret", auth=bob).status == 404

    site.request("PUT", "/+x/groups/devs", {"members": ["bob"]}, auth=root)

    assert site.request("GET", "/root/secret", auth=bob).status == 200
    assert site.request("GET", "/root/secret", auth=("bob", "builder")).status == 200
    assert site.request("GET", "/+api", auth=bob).result["authstatus"] == ["ok", "bob", ["devs", "staff"]]


def test_a_session_ends_with_its_user(site: Site, directory: Slapd, no_cache: None) -> None:
    """A person who leaves the directory is logged out: public reads still work, the rest gets 401."""
    ada = site.login("ada", "analytical")
    assert site.request("PUT", "/ada/dev", {}, auth=ada).status == 200

    directory.delete(f"uid=ada,{PEOPLE}")

    refused = site.request("PUT", "/ada/prod", {}, auth=ada)
    assert (refused.status, refused.message) == (401, "user 'ada' is no longer known to 'ldap'")
    assert site.request("GET", "/ada", auth=ada).status == 200
    assert log_in(site, "ada", "analytical") == 401


def test_local_and_directory_users_are_never_confused(site: Site, directory: Slapd) -> None:
    """If a local user and a person in the directory have the same name, only the first to exist can log in."""
    local = site.add_user("bob", "correct horse")
    assert log_in(site, "bob", "builder") == 401
    assert site.request("GET", "/+api", auth=local).result["authstatus"] == ["ok", "bob", []]

    site.login("ada", "analytical")
    assert site.request("PUT", "/ada", {"password": "correct horse"}, auth=site.login("root", "")).status == 409
    directory.add_person("root", "analytical")
    assert log_in(site, "root", "analytical") == 401


@pytest.mark.parametrize(
    ("nested", "groups"), [(False, ["admins"]), (True, ["admins", "all", "staff"])], ids=["direct", "nested"]
)
def test_nested_groups(
    serve_with_directory: ServeWithDirectory, directory: Slapd, nested: bool, groups: list[str]
) -> None:
    """On request, the groups that contain a user's groups count too, even if they form a circle."""
    whole = directory.add_group("all", [f"cn=staff,{GROUPS}"])
    directory.modify(f"cn=staff,{GROUPS}", member=[f"cn=admins,{GROUPS}", whole])
    site = serve_with_directory(ldap_group_nested=nested)

    ada = site.login("ada", "analytical")

    assert site.request("GET", "/+api", auth=ada).result["authstatus"][2] == groups


def test_groups_that_list_login_names(serve_with_directory: ServeWithDirectory, directory: Slapd) -> None:
    """Groups of RFC 2307 list their members by login name; both kinds can be used together, and nested."""
    directory.add(f"cn=unix,{GROUPS}", "posixGroup", cn="unix", gidNumber=100, memberUid=["ada", "carl"])
    directory.add(
        f"cn=others,{GROUPS}", "posixGroup", cn="others", gidNumber=101, memberUid=[f"uid=ada,{PEOPLE}", "ad*"]
    )
    directory.add_group("all", [f"cn=unix,{GROUPS}"])
    site = serve_with_directory(ldap_group_member_attribute=["member", "memberUid"], ldap_group_nested=True)

    ada = site.login("ada", "analytical")

    assert site.request("GET", "/+api", auth=ada).result["authstatus"][2] == ["admins", "all", "staff", "unix"]


def test_the_primary_group_counts(serve_with_directory: ServeWithDirectory, directory: Slapd) -> None:
    """A user's primary group counts, although it does not list the user, and so do the groups that contain it."""
    sid = bytes.fromhex("010500000000000515000000a2bd33d123b864f02c34afba")
    carl = directory.add(
        *(f"uid=carl,{PEOPLE}", "inetOrgPerson", "posixAccount", FOREIGN_CLASS),
        uid="carl",
        cn="carl",
        sn="x",
        userPassword="pass word",
        uidNumber=1,
        gidNumber=2001,
        homeDirectory="/",
        primaryGroupID=1105,
        objectSid=sid + (1104).to_bytes(4, "little"),
    )
    directory.add_group("direct", [carl])
    directory.add(f"cn=unix,{GROUPS}", "posixGroup", cn="unix", gidNumber=2001)
    directory.add(f"cn=others,{GROUPS}", "posixGroup", cn="others", gidNumber=2002)
    primary = directory.add(
        *(f"cn=domain,{GROUPS}", "groupOfNames", FOREIGN_CLASS),
        cn="domain",
        member=[GROUPS],
        objectSid=sid + (1105).to_bytes(4, "little"),
    )
    directory.add_group("around", [primary])

    def groups(**options: Any) -> list[str]:
        site = serve_with_directory(**options)
        shown: list[str] = site.request("GET", "/+api", auth=site.login("carl", "pass word")).result["authstatus"][2]
        return shown

    assert groups() == ["direct", "domain"]
    assert groups(ldap_group_nested=True) == ["around", "direct", "domain"]
    assert groups(ldap_group_member_attribute=["member", "memberUid"]) == ["direct", "domain", "unix"]


def test_many_groups(
    serve_with_directory: ServeWithDirectory, directory: Slapd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user may be in many groups, nested ones included; above the limit the login gets 503."""
    for number in range(60):
        directory.add_group(f"g{number}", [f"uid=ada,{PEOPLE}"])
        directory.add_group(f"around{number}", [f"cn=g{number},{GROUPS}"])
    site = serve_with_directory(ldap_group_nested=True, ldap_required_group=["admins"])

    ada = site.login("ada", "analytical")

    groups = set(site.request("GET", "/+api", auth=ada).result["authstatus"][2])
    assert groups == {"admins", "staff", *(f"{kind}{number}" for kind in ("g", "around") for number in range(60))}
    monkeypatch.setattr("wheelgate_auth_ldap.directory.MAX_GROUPS_PER_USER", 50)
    assert log_in(site, "ada", "analytical") == 503


def test_a_required_group(serve_with_directory: ServeWithDirectory, directory: Slapd, no_cache: None) -> None:
    """Only members of a required group can log in, and only while they are members."""
    site = serve_with_directory(ldap_required_group=["admins", "others"])
    ada = site.login("ada", "analytical")
    assert log_in(site, "bob", "builder") == 401
    assert site.request("PUT", "/ada/dev", {}, auth=ada).status == 200

    directory.modify(f"cn=admins,{GROUPS}", member=[f"uid=bob,{PEOPLE}"])

    assert site.request("PUT", "/ada/prod", {}, auth=ada).status == 401
    assert log_in(site, "bob", "builder") == 200


def test_filters_exclude_people_and_groups(serve_with_directory: ServeWithDirectory, directory: Slapd) -> None:
    """People who do not match the filter cannot log in, and groups that do not match do not count."""
    directory.add_group("robots", [f"uid=ada,{PEOPLE}"])
    site = serve_with_directory(ldap_user_filter="(mail=*)", ldap_group_filter="(!(cn=robots))")

    assert log_in(site, "bob", "builder") == 401
    ada = site.login("ada", "analytical")
    assert site.request("GET", "/+api", auth=ada).result["authstatus"][2] == ["admins"]


def test_other_attributes(serve_with_directory: ServeWithDirectory) -> None:
    """Settings choose the attributes of names, emails, titles and group names."""
    site = serve_with_directory(
        ldap_name_attribute="cn",
        ldap_email_attribute="displayName",
        ldap_title_attribute="mail",
        ldap_group_name_attribute="objectClass",
    )

    ada = site.login("ada", "analytical")

    shown = site.request("GET", "/ada").result
    assert (shown["email"], shown["title"]) == ("Ada Lovelace", "ada@company.example")
    assert site.request("GET", "/+api", auth=ada).result["authstatus"][2] == ["groupOfNames"]


def test_a_new_user_gets_an_index(serve_with_directory: ServeWithDirectory) -> None:
    """On request every new user gets an index with bases, once, also if the password comes in a header."""
    site = serve_with_directory(ldap_index="dev", ldap_index_bases=["root/pypi"])

    site.login("ada", "analytical")
    assert site.request("GET", "/+api", auth=("bob", "builder")).result["authstatus"][:2] == ["ok", "bob"]

    for user in ("ada", "bob"):
        assert site.request("GET", f"/{user}/dev?no_projects=").result["bases"] == ["root/pypi"]
    site.login("bob", "builder")
