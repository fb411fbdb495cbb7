"""Whatever a name holds, it stays a name: it finds the entry that is called so, and no other."""

from __future__ import annotations

import pytest
from tests.helpers.slapd import GROUPS, PEOPLE, Slapd
from tests.plugins.auth_ldap.conftest import Served, log_in
from tests.plugins.auth_ldap.test_login import WAYS

from wheelgate_auth_ldap.escaping import escape_dn, escape_filter

pytestmark = pytest.mark.slow

SPECIAL = [
    *('a"b', "a#b", "#a", "a+b", "a,b", "a;b", "a<b", "a=b", "a>b", "a\\b", "a\\2ab", "a/b", "a b"),
    *("a*", "*", "(a)", "a)(uid=*", "a&b", "a|b", "!a", "a~b", "a:b", "a%b", "{username}", "ä,ö", "山*"),
]
"""Everything that has a meaning in RFC 4514 or RFC 4515, in the middle, and where it has one at the edge."""


@pytest.mark.parametrize(
    ("name", "in_dn", "in_filter"),
    [
        ("ada", "ada", "ada"),
        (" a  ", "\\20a\\20\\20", " a  "),
        ("  ", "\\20\\20", "  "),
        ('#"+,;<=>\\', '\\#\\"\\+\\,\\;\\<\\=\\>\\\\', '#"+,;<=>\\5c'),
        ("*()\0\n", "*()\\00\\0a", "\\2a\\28\\29\\00\\0a"),
        ("ä/&|!~", "ä/&|!~", "ä/&|!~"),
    ],
    ids=ascii,
)
def test_names_are_written_as_the_standards_want_it(name: str, in_dn: str, in_filter: str) -> None:
    """In distinguished names (RFC 4514) and in filters (RFC 4515); spaces at the edges are what slapd does not mind."""
    assert (escape_dn(name), escape_filter(name)) == (in_dn, in_filter)


@WAYS
def test_a_name_with_special_characters_is_found(served: Served, directory: Slapd, way: dict[str, str | None]) -> None:
    """Its own password is good and nobody else's; no user is made, for users here may not be called so."""
    with directory.connect() as connection:
        for number, name in enumerate(SPECIAL):
            directory.add_person(name, f"password {number}", connection=connection)
    site = served(**way)

    for number, name in enumerate(SPECIAL):
        answer = site.request("POST", "/+login", {"user": name, "password": f"password {number}"})
        assert (answer.status, "aren't allowed" in answer.message) == (400, True), name
        assert log_in(site, name, "analytical") == 401, name

    assert site.request("GET", "/").result.keys() == {"root"}


INJECTED = [
    *("*", "ad*", "a?a", "ada)(uid=*", "*)(|(uid=ada", "ada))(|(uid=*", "ad\\61", "\\61da", "ada\\00", "ada\x00"),
    *(
        f"ada,{PEOPLE}",
        f"ada,{PEOPLE}\x00",
        "ada+cn=ada",
        "ada+sn=x",
        "ada\\",
        "\\20ada",
        "\u00adada",
        "\uff41da",
        "ada\n",
    ),
    *("\ufffd", "\U0001f600", "\u0340", "x" * 100),
    f"ada)(memberOf=cn=admins,{GROUPS}",
]


@WAYS
def test_a_name_that_would_be_a_question_finds_nobody(served: Served, way: dict[str, str | None]) -> None:
    """What would find Ada if it was not escaped, or what a directory takes for her name, is somebody unknown."""
    site = served(**way)

    for number, name in enumerate(INJECTED):
        body = {"user": name, "password": "analytical"}
        answer = site.request("POST", "/+login", body, address=f"192.0.2.{number}")
        assert answer.status in (400, 401), name

    assert site.request("GET", "/").result.keys() == {"root"}


@pytest.mark.parametrize("folder", ['r"d', "a+b", "a,b", "a\\b", "a*b", "(a)", "a<;>=b", "#a", " a ", "ä"], ids=ascii)
def test_a_group_of_an_entry_with_special_characters(served: Served, directory: Slapd, folder: str) -> None:
    """Groups are found by the whole name of an entry, which may hold anything."""
    below = directory.add_folder(folder)
    directory.add_group("readers", [directory.add_person("zoe", "hidden", below=below)])
    directory.add_group("others", [f"uid=ada,{PEOPLE}"])
    site = served()

    zoe = site.login("zoe", "hidden")

    assert site.request("GET", "/+api", auth=zoe).result["authstatus"] == ["ok", "zoe", ["readers"]]


def test_two_entries_of_one_name_are_nobody(served: Served, directory: Slapd) -> None:
    """If the directory has a name twice, nobody can tell whose login it would be."""
    directory.add_person("ada", "other", below=directory.add_folder("x"))
    site = served()

    assert log_in(site, "ada", "analytical") == 503
    assert log_in(site, "ada", "other") == 503
    assert log_in(site, "bob", "builder") == 200


def test_a_group_with_a_name_that_could_deceive_is_none(served: Served, directory: Slapd) -> None:
    """A group called like a list of principals, or with a colon, gives nothing."""
    for name in (":admins", "a,b", "x:y"):
        directory.add_group(name, [f"uid=bob,{PEOPLE}"])
    site = served(restrict_modify=":admins")

    bob = site.login("bob", "builder")

    assert site.request("GET", "/+api", auth=bob).result["authstatus"][2] == ["staff"]
    assert site.request("PUT", "/new", {"password": "correct horse"}, auth=bob).status == 403
