"""Servers that ask for a client certificate, and the authorities of the system."""

from __future__ import annotations

import shutil
import ssl
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from tests.client.conftest import Devpi, FakeServer, Response

CA = trustme.CA()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Write the certificate of a user, with its key."""
    path = tmp_path / "alice.pem"
    CA.issue_cert("alice@packages.example").private_key_and_cert_chain_pem.write_to_path(path)
    return path


@pytest.fixture
def tls_server(fake_server: FakeServer, tmp_path: Path, devpi: Devpi, monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    """Let an index server require certificates of an authority that the client trusts, too."""
    fake_server.act_as_index_server()
    authority, server = tmp_path / "authority.pem", tmp_path / "server.pem"
    CA.cert_pem.write_to_path(authority)
    CA.issue_cert("127.0.0.1", "localhost").private_key_and_cert_chain_pem.write_to_path(server)
    plain = fake_server.url
    fake_server.enable_tls(server, authority)
    fake_server.rewrite_urls(fake_server.url, instead_of=plain)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    return fake_server


def test_the_certificate_is_shown_from_now_on(
    devpi: Devpi, tls_server: FakeServer, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client stores the absolute path for the server, and later commands use it."""
    monkeypatch.chdir(certificate.parent)
    devpi("use", f"{tls_server.url}/alice/dev", "--client-cert", certificate.name).ok()
    monkeypatch.chdir(devpi.home)

    devpi("getjson", "/+api").ok()
    assert devpi.state("auth.json")["client_cert"] == {f"{tls_server.url}/": str(certificate)}


@pytest.mark.parametrize(("installer", "variable"), [("pip", "PIP_CLIENT_CERT"), ("uv", "SSL_CLIENT_CERT")])
def test_installers_show_it_too(
    devpi: Devpi, tls_server: FakeServer, certificate: Path, tmp_path: Path, installer: str, variable: str
) -> None:
    """``devpi install`` passes the path on in the variable that the installer reads."""
    programs = tmp_path / "environment" / "bin"
    programs.mkdir(parents=True)
    (programs.parent / "pyvenv.cfg").touch()
    (programs / installer).symlink_to(shutil.which("true") or "")
    devpi("use", f"{tls_server.url}/alice/dev", "--client-cert", str(certificate)).ok()

    done = devpi("install", "--venv", str(programs.parent), "--installer", installer, "hello", PATH=str(programs)).ok()

    assert f",{variable}={certificate}," in done.out


def test_no_other_server_sees_it(devpi: Devpi, tls_server: FakeServer, certificate: Path) -> None:
    """The certificate is for one host and port, and ``-`` ends its use."""
    devpi("use", tls_server.url, "--client-cert", str(certificate)).ok()
    other = tls_server.url.replace("127.0.0.1", "localhost")

    assert "--client-cert FILE" in devpi("use", other).fails().err
    assert "--client-cert FILE" in devpi("use", tls_server.url, "--client-cert", "-").fails().err
    devpi("use", tls_server.url).ok()


def test_a_refused_certificate_is_reported(devpi: Devpi, tls_server: FakeServer, tmp_path: Path) -> None:
    """The message says how to name another certificate."""
    path = tmp_path / "other.pem"
    trustme.CA().issue_cert("eve@packages.example").private_key_and_cert_chain_pem.write_to_path(path)

    outcome = devpi("use", tls_server.url, "--client-cert", str(path)).fails()

    # The reason can get lost when the server closes the connection.
    assert outcome.err.startswith(f"could not connect to '{tls_server.url}/+api': the server ")
    assert outcome.err.endswith(f"name the file of yours with 'devpi use {tls_server.url} --client-cert FILE'\n")


def test_a_refusal_by_nginx_is_reported(devpi: Devpi, tls_server: FakeServer, certificate: Path) -> None:
    """Instead of breaking off the connection, nginx answers with a page."""
    page = b"<html><head><title>400 No required SSL certificate was sent</title></head></html>"
    no_index_server = {"Content-Type": "text/html", "X-DEVPI-API-VERSION": ""}
    tls_server.responses["/+api"] = Response(page, 400, headers=no_index_server)

    outcome = devpi("use", tls_server.url, "--client-cert", str(certificate)).fails()

    assert outcome.err.endswith(f"type 'devpi use {tls_server.url} --client-cert FILE')\n")


def test_a_dry_run_stores_nothing(devpi: Devpi, tls_server: FakeServer, certificate: Path) -> None:
    """The certificate is used for this run only."""
    devpi("use", tls_server.url, "--client-cert", str(certificate), "--dry-run").ok()

    assert "--client-cert FILE" in devpi("use", tls_server.url).fails().err


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file or directory"),
        ("nothing", "it is no PEM file with a certificate and its unencrypted key"),
        ("no key", "it is no PEM file with a certificate and its unencrypted key"),
        ("encrypted key", "it is no PEM file with a certificate and its unencrypted key"),
    ],
)
def test_an_unusable_file_is_reported(
    devpi: Devpi, tls_server: FakeServer, certificate: Path, content: str | None, reason: str
) -> None:
    """No request is sent without the certificate, nothing is stored, and OpenSSL asks for no password."""
    pem = certificate.read_bytes()
    key = serialization.load_pem_private_key(pem, None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"a password"),
    )
    chain = pem[pem.index(b"-----BEGIN CERT") :]
    certificate.unlink()
    if content is not None:
        certificate.write_bytes({"nothing": b"", "no key": chain, "encrypted key": key + chain}[content])

    outcome = devpi("use", tls_server.url, "--client-cert", str(certificate)).fails()

    assert outcome.err.startswith(f"the client certificate {certificate} cannot be used: {reason}; ")
    assert tls_server.requests == []
    assert not devpi.clientdir.exists()


@pytest.mark.parametrize("arguments", [["http://127.0.0.1:9/"], []], ids=["without TLS", "without a server"])
def test_a_certificate_needs_tls(devpi: Devpi, certificate: Path, arguments: list[str]) -> None:
    """The client refuses an option that would have no effect."""
    outcome = devpi("use", *arguments, "--client-cert", str(certificate)).fails()

    assert outcome.err.startswith("a client certificate needs a server with TLS: ")


def test_a_damaged_list_of_certificates_is_reported(devpi: Devpi, tls_server: FakeServer, certificate: Path) -> None:
    """The file is left as it is."""
    devpi("use", tls_server.url, "--client-cert", str(certificate)).ok()
    path = devpi.clientdir / "auth.json"
    path.write_text('{"client_cert": ["x"]}')

    assert "'client_cert' is not a JSON object of paths" in devpi("use").fails().err
    assert path.read_text() == '{"client_cert": ["x"]}'


def test_the_system_s_authorities_are_trusted(
    devpi: Devpi, fake_server: FakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate of a company's authority needs no variable if the system trusts that; a variable replaces it."""
    authority, server = tmp_path / "authority.pem", tmp_path / "server.pem"
    CA.cert_pem.write_to_path(authority)
    CA.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(server)
    plain = fake_server.url
    fake_server.act_as_index_server()
    fake_server.enable_tls(server)
    fake_server.rewrite_urls(fake_server.url, instead_of=plain)
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)

    def trust(context: ssl.SSLContext, purpose: ssl.Purpose = ssl.Purpose.SERVER_AUTH) -> None:
        context.load_verify_locations(authority)

    assert "certificate verify failed" in devpi("use", fake_server.url).fails().err
    # The test cannot add to the authorities of the machine, so it stands in for the machine.
    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", trust)
    devpi("use", fake_server.url).ok()
    for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        assert "certificate verify failed" in devpi("use", fake_server.url, **{variable: str(other)}).fails().err
