"""A login name finds the entry with exactly this name, whatever characters it contains."""

from __future__ import annotations

import pytest
from tests.helpers.slapd import GROUPS, PEOPLE, Slapd
from tests.plugins.auth_ldap.conftest import ServeWithDirectory, log_in
from tests.plugins.auth_ldap.test_login import BOTH_WAYS

from wheelgate_auth_ldap.escaping import escape_dn, escape_filter

pytestmark = pytest.mark.slow

SPECIAL_NAMES = [
    *('a"b', "a#b", "#a", "a+b", "a,b", "a;b", "a<b", "a=b", "a>b", "a\\b", "a\\2ab", "a/b", "a b"),
    *("a*", "*", "(a)", "a)(uid=*", "a&b", "a|b", "!a", "a~b", "a:b", "a%b", "{username}", "ä,ö", "山*"),
]
"""Every character with a meaning in RFC 4514 or RFC 4515, in the middle, and at the edge if it has one there."""


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
def test_names_are_escaped_as_the_standards_say(name: str, in_dn: str, in_filter: str) -> None:
    """Names are escaped for distinguished names (RFC 4514) and filters (RFC 4515); slapd tolerates outer spaces."""
    assert (escape_dn(name), escape_filter(name)) == (in_dn, in_filter)


@BOTH_WAYS
def test_a_name_with_special_characters_is_found(
    serve_with_directory: ServeWithDirectory, directory: Slapd, way: dict[str, str | None]
) -> None:
    """The entry's own password is right and no other; no user is created, because the name is not allowed here."""
    with directory.connect() as connection:
        for number, name in enumerate(SPECIAL_NAMES):
            directory.add_person(name, f"password {number}", connection=connection)
    site = serve_with_directory(**way)

    for number, name in enumerate(SPECIAL_NAMES):
        answer = site.request("POST", "/+login", {"user": name, "password": f"password {number}"})
        assert (answer.status, "aren't allowed" in answer.message) == (400, True), name
        assert log_in(site, name, "analytical") == 401, name

    assert site.request("GET", "/").result.keys() == {"root"}


INJECTING_NAMES = [
    *("*", "ad*", "a?a", "ada)(uid=*", "*)(|(uid=ada", "ada))(|(uid=*", "ad\\61", "\\61da", "ada\\00", "ada\x00"),
    *(
        f"ada,{PEOPLE}",
        f"ada,{PEOPLE}\x00",
        "ada+cn=ada",
        "ada+sn=x",
        "ada\\",
        "\\20ada",
        "\u00adada",
        "ada\n",
    ),
    *("\ufffd", "\U0001f600", "\u0340", "x" * 100),
    f"ada)(memberOf=cn=admins,{GROUPS}",
]


@BOTH_WAYS
def test_a_name_cannot_inject_a_filter(serve_with_directory: ServeWithDirectory, way: dict[str, str | None]) -> None:
    """Names that would find Ada if not escaped, or that a directory treats as hers, are unknown users."""
    site = serve_with_directory(**way)

    for number, name in enumerate(INJECTING_NAMES):
        body = {"user": name, "password": "analytical"}
        answer = site.request("POST", "/+login", body, address=f"192.0.2.{number}")
        assert answer.status in (400, 401), name

    assert site.request("GET", "/").result.keys() == {"root"}


@pytest.mark.parametrize("folder", ['r"d', "a+b", "a,b", "a\\b", "a*b", "(a)", "a<;>=b", "#a", " a ", "ä"], ids=ascii)
def test_groups_of_an_entry_with_special_characters(
    serve_with_directory: ServeWithDirectory, directory: Slapd, folder: str
) -> None:
    """Groups are found by the whole DN of an entry, which may contain any character."""
    below = directory.add_folder(folder)
    directory.add_group("readers", [directory.add_person("zoe", "hidden", below=below)])
    directory.add_group("others", [f"uid=ada,{PEOPLE}"])
    site = serve_with_directory()

    zoe = site.login("zoe", "hidden")

    assert site.request("GET", "/+api", auth=zoe).result["authstatus"] == ["ok", "zoe", ["readers"]]


def test_two_entries_with_one_name_cannot_log_in(serve_with_directory: ServeWithDirectory, directory: Slapd) -> None:
    """If two entries have the same name, the login is ambiguous: both get 503."""
    directory.add_person("ada", "other", below=directory.add_folder("x"))
    site = serve_with_directory()

    assert log_in(site, "ada", "analytical") == 503
    assert log_in(site, "ada", "other") == 503
    assert log_in(site, "bob", "builder") == 200


def test_misleading_group_names_do_not_count(serve_with_directory: ServeWithDirectory, directory: Slapd) -> None:
    """A group whose name looks like a list of principals, or contains a colon, gives no rights."""
    for name in (":admins", "a,b", "x:y"):
        directory.add_group(name, [f"uid=bob,{PEOPLE}"])
    site = serve_with_directory(restrict_modify=":admins")

    bob = site.login("bob", "builder")

    assert site.request("GET", "/+api", auth=bob).result["authstatus"][2] == ["staff"]
    assert site.request("PUT", "/new", {"password": "correct horse"}, auth=bob).status == 403
