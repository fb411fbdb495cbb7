"""A directory that is away, hangs, lies or is set up wrongly: what it costs, and what is said of it."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any

import pytest
import trustme
from tests.helpers.fake_ldap_servers import NO_LDAP, SILENCE, answering, listener
from tests.helpers.sites import Serve
from tests.helpers.slapd import PASSWORD, PEOPLE, SERVICE, Slapd
from tests.plugins.auth_ldap.conftest import MakeDirectory, log_in, settings

from wheelgate.errors import StartupError
from wheelgate.testing.site import Site
from wheelgate_auth_ldap.options import read_settings

pytestmark = pytest.mark.slow


def test_a_directory_that_is_stopped(site: Site, directory: Slapd, no_cache: None) -> None:
    """Its people get 503 with ``Retry-After``, new and logged in; local users notice nothing."""
    site.add_user("local", "correct horse")
    ada = site.login("ada", "analytical")
    directory.stop()

    refused = site.request("POST", "/+login", {"user": "ada", "password": "analytical"})
    assert (refused.status, refused.headers["retry-after"]) == (503, "5")
    assert refused.message == "the login service 'ldap' cannot be reached; try again later"
    for auth in (ada, ("ada", "analytical")):
        refused = site.request("PUT", "/ada/dev", {}, auth=auth)
        assert (refused.status, refused.headers["retry-after"]) == (503, "5")
        assert site.request("GET", "/ada", auth=auth).status == 200
    assert site.request("PUT", "/local/dev", {}, auth=site.login("local", "correct horse")).status == 200
    assert log_in(site, "root", "") == 200


def test_a_directory_that_is_back(site: Site, directory: Slapd, no_cache: None) -> None:
    """When it is started again its people log in, and those who were logged in still are."""
    ada = site.login("ada", "analytical")
    directory.stop()
    assert log_in(site, "ada", "analytical") == 503

    directory.start()

    assert log_in(site, "ada", "analytical") == 200
    assert site.request("PUT", "/ada/dev", {}, auth=ada).status == 200


def test_a_short_absence_is_not_noticed(site: Site, directory: Slapd) -> None:
    """Who was seen within the last minute works on while the directory is away."""
    ada = site.login("ada", "analytical")
    assert site.request("PUT", "/ada/dev", {}, auth=ada).status == 200
    directory.stop()

    assert site.request("PUT", "/ada/prod", {}, auth=ada).status == 200


def test_connections_are_used_again(serve: Serve, directory: Slapd) -> None:
    """To look somebody up takes no new connection; a bind with a user's password has one of its own, every time."""
    visitors: list[str] = []
    with answering(directory, 49, 49, visitors) as url:
        site = serve(**settings(directory, ldap_url=[url], ldap_starttls=False))
        assert log_in(site, "ada", "analytical") == 200
        first = len(visitors)

        assert [log_in(site, "ada", "analytical") for _ in range(3)] == [200] * 3

        assert len(visitors) == first + 3


def test_connections_that_have_ended_are_replaced(site: Site, directory: Slapd) -> None:
    """A connection that the directory has closed meanwhile is replaced without a word."""
    assert log_in(site, "ada", "analytical") == 200
    directory.stop()
    directory.start()

    assert log_in(site, "ada", "analytical") == 200


@pytest.mark.parametrize("says", [SILENCE, NO_LDAP], ids=["silence", "no LDAP"])
@pytest.mark.parametrize("scheme", ["ldap", "ldaps"])
@pytest.mark.parametrize("starttls", [True, False], ids=["starttls", "clear"])
def test_a_directory_that_does_not_answer(serve: Serve, says: bytes, scheme: str, starttls: bool) -> None:
    """One that accepts connections and says nothing, or nonsense, is as one that is away."""
    with listener(says) as away:
        site = serve(
            ldap_url=[away.url.replace("ldap", scheme)], ldap_starttls=starttls, ldap_user_base=PEOPLE, ldap_timeout="1"
        )
        site.add_user("local", "correct horse")

        assert log_in(site, "ada", "analytical") == 503
        assert log_in(site, "local", "correct horse") == 200


@pytest.mark.parametrize("first", ["closed", "silent", "nonsense"])
def test_the_next_server_is_asked(serve: Serve, directory: Slapd, first: str) -> None:
    """Of several servers the next one answers if one is away, hangs or sends nonsense."""
    with listener(NO_LDAP if first == "nonsense" else SILENCE) as away:
        url = "ldap://127.0.0.1:9" if first == "closed" else away.url
        site = serve(**settings(directory, ldap_url=[url, directory.url], ldap_timeout="1"))

        assert log_in(site, "ada", "analytical") == 200
        asked = len(away.connections)
        assert log_in(site, "ada", "wrong") == 401
        if first == "silent":  # it keeps people waiting, so it is left alone for a while
            assert len(away.connections) == asked


def test_servers_that_keep_people_waiting_are_left_alone(serve: Serve) -> None:
    """Once nobody has answered in time, the next ones do not wait for that again, and are told how long to."""
    with listener(SILENCE) as away:
        site = serve(ldap_url=[away.url], ldap_user_base=PEOPLE, ldap_timeout="1")
        assert log_in(site, "ada", "analytical") == 503
        asked = len(away.connections)

        refused = site.request("POST", "/+login", {"user": "bob", "password": "builder"})

        assert (refused.status, 25 <= int(refused.headers["retry-after"]) <= 30) == (503, True)
        assert len(away.connections) == asked


ENCRYPTED = pytest.mark.parametrize("scheme", ["ldap", "ldaps"])


def address(directory: Slapd, scheme: str) -> str:
    """Return the address of a directory that encrypts at once, or when it is asked to."""
    return directory.url if scheme == "ldap" else directory.tls_url


@ENCRYPTED
@pytest.mark.parametrize(
    ("certificate", "known", "options", "status"),
    [
        pytest.param("127.0.0.1", True, {}, 200, id="fits"),
        pytest.param("ldap.example", True, {}, 503, id="other name"),
        pytest.param("127.0.0.1", False, {}, 503, id="unknown authority"),
        pytest.param("ldap.example", False, {"ldap_check_certificate": False}, 200, id="not looked at"),
    ],
)
def test_certificates_are_checked(
    serve: Serve,
    make_directory: MakeDirectory,
    tmp_path: Path,
    scheme: str,
    certificate: str,
    known: bool,
    options: dict[str, Any],
    status: int,
) -> None:
    """A server whose certificate does not fit gets no password, unless the settings say not to look."""
    directory = make_directory(name=certificate)
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    authority = directory.ca_file if known else tmp_path / "other.pem"
    given = settings(directory, ldap_url=[address(directory, scheme)], ldap_ca_file=str(authority), **options)

    assert log_in(serve(**given), "ada", "analytical") == status


def test_nothing_is_said_in_the_clear(serve: Serve) -> None:
    """To an address without TLS nothing is sent but the wish for it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"ldap://127.0.0.1:{server.getsockname()[1]}"
        heard = []

        def hear() -> None:
            connection, _ = server.accept()
            with connection:
                while data := connection.recv(1000):
                    heard.append(data)

        thread = threading.Thread(target=hear)
        thread.start()
        site = serve(
            ldap_url=[url], ldap_user_base=PEOPLE, ldap_bind_dn=SERVICE, ldap_bind_password=PASSWORD, ldap_timeout="1"
        )
        assert log_in(site, "ada", "analytical") == 503
        thread.join()

    assert b"1.3.6.1.4.1.1466.20037" in b"".join(heard)
    assert len(b"".join(heard)) < 40


def test_people_who_may_not_be_seen(serve: Serve, directory: Slapd, caplog: pytest.LogCaptureFixture) -> None:
    """A wrong password of the service is 503 for its people, and the log says which settings to look at."""
    site = serve(**settings(directory, ldap_bind_password="other secret"))

    assert log_in(site, "ada", "analytical") == 503
    assert "look at --ldap-bind-dn and --ldap-bind-password" in caplog.text
    assert "other secret" not in caplog.text
    assert "analytical" not in caplog.text


def test_anonymous_search(serve: Serve, make_directory: MakeDirectory) -> None:
    """Where everybody may look, no entry is needed for it."""
    directory = make_directory(anonymous="anonymous read")

    assert log_in(serve(**settings(directory, ldap_bind_dn=None, ldap_bind_password=None)), "ada", "analytical") == 200


@pytest.mark.parametrize(
    ("code", "status"), [(48, 401), (49, 401), (19, 401), (53, 401), (51, 503), (80, 503), (10, 503)], ids=str
)
def test_an_account_that_cannot_log_in_is_no_outage(serve: Serve, directory: Slapd, code: int, status: int) -> None:
    """Who has no password there, or is locked out, is refused; a directory that fails or points elsewhere is away."""
    with answering(directory, 49, code) as url:
        site = serve(**settings(directory, ldap_url=[url], ldap_starttls=False))

        assert {log_in(site, "ada", "x") for _ in range(4)} == {status}
        assert log_in(site, "ada", "analytical") == 200


def test_a_name_that_the_directory_finds_impossible_is_nobody(serve: Serve, directory: Slapd) -> None:
    """However often somebody asks for a name that no entry could have, the directory is not away because of it."""
    named = {"ldap_user_base": None, "ldap_user_dn": f"uid={{username}},{PEOPLE}"}
    with answering(directory, 32, 34) as url:
        site = serve(**settings(directory, ldap_url=[url], ldap_starttls=False, **named))

        assert {log_in(site, f"nobody{number}", "x") for number in range(6)} == {401}
        assert log_in(site, "ada", "analytical") == 200


GOOD = {"ldap_url": ["ldaps://ldap.example"], "ldap_user_base": PEOPLE}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        pytest.param(
            {**GOOD, "ldap_url": ["http://x"]}, "--ldap-url: expected an address such as ldaps://", id="scheme"
        ),
        pytest.param(
            {**GOOD, "ldap_url": ["ldap://h:x"]}, "--ldap-url: expected an address such as ldaps://", id="port"
        ),
        pytest.param({**GOOD, "ldap_url": ["ldap://u:p@h"]}, "--ldap-url: expected an address such", id="credentials"),
        pytest.param({"ldap_url": ["ldap://h"]}, "--ldap-user-base is missing", id="no base"),
        pytest.param({"ldap_user_base": PEOPLE}, "--ldap-user-base is given, but no --ldap-url", id="no address"),
        pytest.param(
            {**GOOD, "ldap_user_base": "people"}, "--ldap-user-base: expected a distinguished name", id="no DN"
        ),
        pytest.param({**GOOD, "ldap_user_filter": "(uid=x"}, "--ldap-user-filter: expected a filter", id="no filter"),
        pytest.param(
            {**GOOD, "ldap_name_attribute": "a)(b"}, "--ldap-name-attribute: expected the name", id="attribute"
        ),
        pytest.param(
            {**GOOD, "ldap_bind_dn": SERVICE}, "--ldap-bind-dn is given, but no --ldap-bind-password", id="half"
        ),
        pytest.param(
            {**GOOD, "ldap_user_dn": "uid={usrname},o=x"}, "with {username} as its only placeholder", id="placeholder"
        ),
        pytest.param({**GOOD, "ldap_user_dn": "uid={username},o=x"}, "two ways to find users", id="two ways"),
        pytest.param({**GOOD, "ldap_required_group": ["a"]}, "--ldap-required-group is given, but no", id="group"),
        pytest.param(
            {**GOOD, "ldap_ca_file": "/nowhere"}, "--ldap-ca-file: there is no file /nowhere", id="no CA file"
        ),
        pytest.param(
            {**GOOD, "ldap_ca_file": "/etc/passwd"}, "--ldap-ca-file: cannot use /etc/passwd", id="bad CA file"
        ),
        pytest.param(
            {**GOOD, "ldap_timeout": "60"}, "--ldap-timeout: expected a whole number from 1 to 4", id="timeout"
        ),
        pytest.param(
            {**GOOD, "ldap_bind_dn": SERVICE, "ldap_bind_password": "env:NOWHERE_SET"},
            "--ldap-bind-password: there is no environment variable NOWHERE_SET",
            id="password from nowhere",
        ),
    ],
)
def test_settings_that_cannot_be_meant_stop_the_start(serve: Serve, options: dict[str, Any], sentence: str) -> None:
    """The server does not start, and says which setting is wrong and what it should be."""
    with pytest.raises(StartupError) as refused:
        serve(**options)

    assert sentence in str(refused.value)


def test_the_bind_password_is_not_shown(serve: Serve, directory: Slapd, tmp_path: Path) -> None:
    """It can be kept in a file, and stands in no representation of the settings."""
    (tmp_path / "secret").write_text(f"{PASSWORD}\n")
    site = serve(**settings(directory, ldap_bind_password=f"file:{tmp_path / 'secret'}"))

    assert log_in(site, "ada", "analytical") == 200
    assert PASSWORD not in repr(site.config)
    assert PASSWORD not in repr(read_settings(site.config))
