"""Errors of a connection are sentences that name the setting to check."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trustme
from tests.helpers.fake_ldap_servers import NOT_LDAP, SILENCE, answering, listener
from tests.helpers.sites import Serve
from tests.helpers.slapd import SERVICE, Slapd
from tests.plugins.auth_ldap.conftest import log_in, settings

pytestmark = pytest.mark.slow

CHECK_CERTIFICATE = "; check --ldap-ca-file, and whether the host in --ldap-url is a name in the certificate"
UNKNOWN_AUTHORITY = "certificate verify failed: self-signed certificate in certificate chain" + CHECK_CERTIFICATE
UNENCRYPTED = "): remove --no-ldap-starttls, or use ldaps:// in --ldap-url"


def logged(serve: Serve, company: Slapd, caplog: pytest.LogCaptureFixture, **options: Any) -> str:
    """Return the reason that the log gives for a failed login, without the server's address."""
    assert log_in(serve(**settings(company, ldap_timeout="1", **options)), "ada", "analytical") == 503
    (line,) = [line for line in caplog.messages if "is unavailable" in line]
    reason = line.partition("is unavailable: ")[2].partition(": ")[2]
    assert not [part for part in ("('", '("', "_ssl.c", "Errno") if part in reason]
    return reason


@pytest.mark.parametrize("scheme", ["ldap", "ldaps"])
def test_an_unknown_authority(
    serve: Serve, company: Slapd, caplog: pytest.LogCaptureFixture, tmp_path: Path, scheme: str
) -> None:
    """A certificate of an unknown authority is named as that, whether TLS starts at once or later."""
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    url = company.url if scheme == "ldap" else company.tls_url

    reason = logged(serve, company, caplog, ldap_url=[url], ldap_ca_file=str(tmp_path / "other.pem"))

    assert reason == UNKNOWN_AUTHORITY


@pytest.mark.parametrize("scheme", ["ldap", "ldaps"])
def test_another_name_in_the_certificate(
    serve: Serve, company: Slapd, caplog: pytest.LogCaptureFixture, scheme: str
) -> None:
    """A certificate for another name is named as that."""
    url = (company.url if scheme == "ldap" else company.tls_url).replace("127.0.0.1", "localhost")

    reason = logged(serve, company, caplog, ldap_url=[url])

    expected = "certificate verify failed: Hostname mismatch, certificate is not valid for 'localhost'"
    assert reason == expected + CHECK_CERTIFICATE


@pytest.mark.parametrize(
    ("greeting", "scheme", "sentence"),
    [
        (NOT_LDAP, "ldaps", "the server does not start TLS as it should (wrong version number); check the scheme and"),
        (SILENCE, "ldap", "it did not answer in time"),
        (SILENCE, "ldaps", "it did not answer in time"),
    ],
)
def test_a_server_that_does_not_speak_tls(
    serve: Serve, company: Slapd, caplog: pytest.LogCaptureFixture, greeting: bytes, scheme: str, sentence: str
) -> None:
    """A server without TLS, and one that says nothing, are named as that."""
    with listener(greeting) as away:
        reason = logged(serve, company, caplog, ldap_url=[away.url.replace("ldap", scheme)])

    assert reason.startswith(sentence)


def test_a_closed_port(serve: Serve, company: Slapd, caplog: pytest.LogCaptureFixture) -> None:
    """A refused connection is named in the words of the system, with the setting to look at."""
    reason = logged(serve, company, caplog, ldap_url=["ldap://127.0.0.1:9"])

    assert reason == "Connection refused; check host and port in --ldap-url, and whether the directory runs"


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (8, "the directory demands an encrypted connection (strongerAuthRequired" + UNENCRYPTED),
        (13, "the directory demands an encrypted connection (confidentialityRequired" + UNENCRYPTED),
        (2, f"the bind as '{SERVICE}' ended with protocolError"),
        (49, f"the bind as '{SERVICE}' ended with invalidCredentials; check --ldap-bind-dn and --ldap-bind-password"),
    ],
)
def test_a_bind_of_the_plugin_that_is_refused(
    serve: Serve, company: Slapd, caplog: pytest.LogCaptureFixture, code: int, sentence: str
) -> None:
    """Only a wrong name or password is blamed on ``bind-dn`` and ``bind-password``."""
    with answering(company, 0, code) as url:
        assert logged(serve, company, caplog, ldap_url=[url], ldap_starttls=False) == sentence
