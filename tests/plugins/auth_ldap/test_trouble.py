"""A directory that is stopped, hangs, sends nonsense or is misconfigured: the answers, and the messages."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any

import pytest
import trustme
from tests.helpers.fake_ldap_servers import NOT_LDAP, SILENCE, answering, listener
from tests.helpers.sites import Serve
from tests.helpers.slapd import PASSWORD, PEOPLE, SERVICE, Slapd
from tests.plugins.auth_ldap.conftest import MakeDirectory, log_in, settings

from wheelgate.errors import StartupError
from wheelgate.testing.site import Site
from wheelgate_auth_ldap.options import read_settings

pytestmark = pytest.mark.slow


def test_a_directory_that_is_stopped(site: Site, directory: Slapd, no_cache: None) -> None:
    """People in it get 503 with ``Retry-After``, whether logged in or not; local users notice nothing."""
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
    """When it is started again, people can log in, and earlier logins are still valid."""
    ada = site.login("ada", "analytical")
    directory.stop()
    assert log_in(site, "ada", "analytical") == 503

    directory.start()

    assert log_in(site, "ada", "analytical") == 200
    assert site.request("PUT", "/ada/dev", {}, auth=ada).status == 200


def test_a_short_absence_is_not_noticed(site: Site, directory: Slapd) -> None:
    """Users whom the server checked within the last minute can work on while the directory is stopped."""
    ada = site.login("ada", "analytical")
    assert site.request("PUT", "/ada/dev", {}, auth=ada).status == 200
    directory.stop()

    assert site.request("PUT", "/ada/prod", {}, auth=ada).status == 200


def test_connections_are_reused(serve: Serve, directory: Slapd) -> None:
    """Searches reuse a connection; every bind with a user's password opens its own."""
    visitors: list[str] = []
    with answering(directory, 49, 49, visitors) as url:
        site = serve(**settings(directory, ldap_url=[url], ldap_starttls=False))
        assert log_in(site, "ada", "analytical") == 200
        first = len(visitors)

        assert [log_in(site, "ada", "analytical") for _ in range(3)] == [200] * 3

        assert len(visitors) == first + 3


def test_connections_that_have_ended_are_replaced(site: Site, directory: Slapd) -> None:
    """A connection that the directory has closed is replaced, and users do not notice."""
    assert log_in(site, "ada", "analytical") == 200
    directory.stop()
    directory.start()

    assert log_in(site, "ada", "analytical") == 200


@pytest.mark.parametrize("greeting", [SILENCE, NOT_LDAP], ids=["silence", "not LDAP"])
@pytest.mark.parametrize("scheme", ["ldap", "ldaps"])
@pytest.mark.parametrize("starttls", [True, False], ids=["starttls", "clear"])
def test_a_directory_that_does_not_answer(serve: Serve, greeting: bytes, scheme: str, starttls: bool) -> None:
    """A server that accepts connections and sends nothing, or nonsense, counts as unavailable."""
    with listener(greeting) as away:
        site = serve(
            ldap_url=[away.url.replace("ldap", scheme)], ldap_starttls=starttls, ldap_user_base=PEOPLE, ldap_timeout="1"
        )
        site.add_user("local", "correct horse")

        assert log_in(site, "ada", "analytical") == 503
        assert log_in(site, "local", "correct horse") == 200


@pytest.mark.parametrize("first", ["closed", "silent", "nonsense"])
def test_the_next_server_is_asked(serve: Serve, directory: Slapd, first: str) -> None:
    """If a server is stopped, hangs or sends nonsense, the next one is asked."""
    with listener(NOT_LDAP if first == "nonsense" else SILENCE) as away:
        url = "ldap://127.0.0.1:9" if first == "closed" else away.url
        site = serve(**settings(directory, ldap_url=[url, directory.url], ldap_timeout="1"))

        assert log_in(site, "ada", "analytical") == 200
        asked = len(away.connections)
        assert log_in(site, "ada", "wrong") == 401
        if first == "silent":  # too slow, so it is not asked for a while
            assert len(away.connections) == asked


def test_slow_servers_are_skipped_for_a_while(serve: Serve) -> None:
    """After a server was too slow, the next logins get 503 at once, and ``Retry-After`` says how long to wait."""
    with listener(SILENCE) as away:
        site = serve(ldap_url=[away.url], ldap_user_base=PEOPLE, ldap_timeout="1")
        assert log_in(site, "ada", "analytical") == 503
        asked = len(away.connections)

        refused = site.request("POST", "/+login", {"user": "bob", "password": "builder"})

        assert (refused.status, 25 <= int(refused.headers["retry-after"]) <= 30) == (503, True)
        assert len(away.connections) == asked


BOTH_SCHEMES = pytest.mark.parametrize("scheme", ["ldap", "ldaps"])


def directory_url(directory: Slapd, scheme: str) -> str:
    """Return the address of a directory, for TLS from the first byte or for StartTLS."""
    return directory.url if scheme == "ldap" else directory.tls_url


@BOTH_SCHEMES
@pytest.mark.parametrize(
    ("certificate", "known", "options", "status"),
    [
        pytest.param("127.0.0.1", True, {}, 200, id="match"),
        pytest.param("ldap.example", True, {}, 503, id="other name"),
        pytest.param("127.0.0.1", False, {}, 503, id="unknown authority"),
        pytest.param("ldap.example", False, {"ldap_check_certificate": False}, 200, id="unchecked"),
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
    """A server whose certificate does not match gets no password, unless the settings turn the check off."""
    directory = make_directory(name=certificate)
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    authority = directory.ca_file if known else tmp_path / "other.pem"
    given = settings(directory, ldap_url=[directory_url(directory, scheme)], ldap_ca_file=str(authority), **options)

    assert log_in(serve(**given), "ada", "analytical") == status


def test_nothing_is_sent_in_the_clear(serve: Serve) -> None:
    """An address without TLS receives only the request to start it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"ldap://127.0.0.1:{server.getsockname()[1]}"
        received = []

        def receive() -> None:
            connection, _ = server.accept()
            with connection:
                while data := connection.recv(1000):
                    received.append(data)

        thread = threading.Thread(target=receive)
        thread.start()
        site = serve(
            ldap_url=[url], ldap_user_base=PEOPLE, ldap_bind_dn=SERVICE, ldap_bind_password=PASSWORD, ldap_timeout="1"
        )
        assert log_in(site, "ada", "analytical") == 503
        thread.join()

    assert b"1.3.6.1.4.1.1466.20037" in b"".join(received)
    assert len(b"".join(received)) < 40


def test_a_wrong_bind_password_is_logged(serve: Serve, directory: Slapd, caplog: pytest.LogCaptureFixture) -> None:
    """If the bind password is wrong, logins get 503, and the log says which settings to check."""
    site = serve(**settings(directory, ldap_bind_password="other secret"))

    assert log_in(site, "ada", "analytical") == 503
    assert "check --ldap-bind-dn and --ldap-bind-password" in caplog.text
    assert "other secret" not in caplog.text
    assert "analytical" not in caplog.text


def test_anonymous_search(serve: Serve, make_directory: MakeDirectory) -> None:
    """A directory that allows anonymous searches needs no bind DN."""
    directory = make_directory(anonymous="anonymous read")

    assert log_in(serve(**settings(directory, ldap_bind_dn=None, ldap_bind_password=None)), "ada", "analytical") == 200


@pytest.mark.parametrize(
    ("code", "status"), [(48, 401), (49, 401), (19, 401), (53, 401), (51, 503), (80, 503), (10, 503)], ids=str
)
def test_a_refused_account_is_not_an_outage(serve: Serve, directory: Slapd, code: int, status: int) -> None:
    """A user without a password, or a locked one, gets 401; if the directory fails or refers elsewhere, it is 503."""
    with answering(directory, 49, code) as url:
        site = serve(**settings(directory, ldap_url=[url], ldap_starttls=False))

        assert {log_in(site, "ada", "x") for _ in range(4)} == {status}
        assert log_in(site, "ada", "analytical") == 200


def test_a_name_that_no_entry_can_have_is_unknown(serve: Serve, directory: Slapd) -> None:
    """Requests for a name that no entry can have, however many, do not make the directory count as unavailable."""
    named = {"ldap_user_base": None, "ldap_user_dn": f"uid={{username}},{PEOPLE}"}
    with answering(directory, 32, 34) as url:
        site = serve(**settings(directory, ldap_url=[url], ldap_starttls=False, **named))

        assert {log_in(site, f"nobody{number}", "x") for number in range(6)} == {401}
        assert log_in(site, "ada", "analytical") == 200


VALID = {"ldap_url": ["ldaps://ldap.example"], "ldap_user_base": PEOPLE}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        pytest.param(
            {**VALID, "ldap_url": ["http://x"]}, "--ldap-url: expected an address such as ldaps://", id="scheme"
        ),
        pytest.param(
            {**VALID, "ldap_url": ["ldap://h:x"]}, "--ldap-url: expected an address such as ldaps://", id="port"
        ),
        pytest.param({**VALID, "ldap_url": ["ldap://u:p@h"]}, "--ldap-url: expected an address such", id="credentials"),
        pytest.param({"ldap_url": ["ldap://h"]}, "--ldap-user-base is missing", id="no base"),
        pytest.param({"ldap_user_base": PEOPLE}, "--ldap-user-base is given, but no --ldap-url", id="no address"),
        pytest.param(
            {**VALID, "ldap_user_base": "people"}, "--ldap-user-base: expected a distinguished name", id="not a DN"
        ),
        pytest.param(
            {**VALID, "ldap_user_filter": "(uid=x"}, "--ldap-user-filter: expected a filter", id="not a filter"
        ),
        pytest.param(
            {**VALID, "ldap_name_attribute": "a)(b"}, "--ldap-name-attribute: expected the name", id="attribute"
        ),
        pytest.param(
            {**VALID, "ldap_bind_dn": SERVICE},
            "--ldap-bind-dn is given, but no --ldap-bind-password",
            id="DN without password",
        ),
        pytest.param(
            {**VALID, "ldap_user_dn": "uid={usrname},o=x"}, "with {username} as its only placeholder", id="placeholder"
        ),
        pytest.param({**VALID, "ldap_user_dn": "uid={username},o=x"}, "two ways to find users", id="two ways"),
        pytest.param({**VALID, "ldap_required_group": ["a"]}, "--ldap-required-group is given, but no", id="group"),
        pytest.param(
            {**VALID, "ldap_ca_file": "/nowhere"}, "--ldap-ca-file: there is no file /nowhere", id="no CA file"
        ),
        pytest.param(
            {**VALID, "ldap_ca_file": "/etc/passwd"}, "--ldap-ca-file: cannot use /etc/passwd", id="bad CA file"
        ),
        pytest.param(
            {**VALID, "ldap_timeout": "60"}, "--ldap-timeout: expected a whole number from 1 to 4", id="timeout"
        ),
        pytest.param(
            {**VALID, "ldap_bind_dn": SERVICE, "ldap_bind_password": "env:NOWHERE_SET"},
            "--ldap-bind-password: there is no environment variable NOWHERE_SET",
            id="missing environment variable",
        ),
    ],
)
def test_contradictory_settings_stop_the_start(serve: Serve, options: dict[str, Any], sentence: str) -> None:
    """The server does not start; the message names the wrong setting and says what it expects."""
    with pytest.raises(StartupError) as refused:
        serve(**options)

    assert sentence in str(refused.value)


def test_the_bind_password_is_not_shown(serve: Serve, directory: Slapd, tmp_path: Path) -> None:
    """The password may be in a file, and no representation of the settings contains it."""
    (tmp_path / "secret").write_text(f"{PASSWORD}\n")
    site = serve(**settings(directory, ldap_bind_password=f"file:{tmp_path / 'secret'}"))

    assert log_in(site, "ada", "analytical") == 200
    assert PASSWORD not in repr(site.config)
    assert PASSWORD not in repr(read_settings(site.config))
