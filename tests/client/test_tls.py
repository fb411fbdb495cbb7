"""Servers that use TLS: certificates, and URLs with the wrong scheme."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.client.conftest import Devpi, FakeServer


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Make a self-signed certificate."""
    path = tmp_path / "certificate.pem"
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    keys = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    files = ["-keyout", str(path), "-out", str(path)]
    subprocess.run(["openssl", "req", "-x509", "-days", "2", *names, *keys, *files], check=True, capture_output=True)
    path.write_text(path.read_text())
    return path


def test_a_self_signed_certificate_is_refused(devpi: Devpi, fake_server: FakeServer, certificate: Path) -> None:
    """The message names the reason, and no request is sent."""
    fake_server.act_as_index_server()
    fake_server.enable_tls(certificate)

    outcome = devpi("use", fake_server.url).fails()

    assert outcome.err == (
        f"could not connect to '{fake_server.url}/+api': certificate verify failed: self-signed certificate;"
        " if you trust 127.0.0.1, get the certificate of its authority from its administrator, and set"
        " SSL_CERT_FILE to the path of that file\n"
    )
    assert fake_server.requests == []


def test_a_certificate_for_another_host_is_refused(devpi: Devpi, fake_server: FakeServer, certificate: Path) -> None:
    """Trust in the authority does not help then."""
    fake_server.act_as_index_server()
    fake_server.enable_tls(certificate)
    url = fake_server.url.replace("127.0.0.1", "localhost")

    outcome = devpi("use", url, SSL_CERT_FILE=str(certificate)).fails()

    assert outcome.err.endswith("; the administrator of localhost has to renew or correct its certificate\n")


@pytest.mark.parametrize("path", ["", "/alice/dev"])
def test_the_wrong_scheme_is_reported(devpi: Devpi, fake_server: FakeServer, certificate: Path, path: str) -> None:
    """The message names the URL with the other scheme, in either direction."""
    fake_server.act_as_index_server()
    plain = fake_server.url
    with_tls = plain.replace("http:", "https:")
    refused = devpi("use", with_tls + path).fails().err
    assert refused.endswith(f"; this port does not speak TLS: is the URL {plain}{path}?\n")

    fake_server.enable_tls(certificate)
    refused = devpi("use", plain + path).fails().err
    assert refused.endswith(f"; this port speaks TLS: is the URL {with_tls}{path}?\n")
    assert fake_server.requests == []


def test_no_password_is_sent_unencrypted(devpi: Devpi, fake_server: FakeServer, certificate: Path) -> None:
    """The client does not use an https server that wants the login by http."""
    fake_server.act_as_index_server()
    plain = fake_server.url
    fake_server.enable_tls(certificate)

    outcome = devpi("use", fake_server.url, REQUESTS_CA_BUNDLE=str(certificate)).fails()

    assert f"asks clients to send passwords unencrypted to '{plain}/+login'" in outcome.err
    assert not devpi.clientdir.exists()


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_server_can_use_tls(devpi: Devpi, fake_server: FakeServer, certificate: Path, variable: str) -> None:
    """All its URLs start with https; either variable names the authority to trust."""
    fake_server.act_as_index_server()
    plain = fake_server.url
    fake_server.enable_tls(certificate)
    fake_server.rewrite_urls(fake_server.url, instead_of=plain)

    assert devpi("use", fake_server.url, **{variable: str(certificate)}).ok()
