"""``deploy/nginx.conf`` in a real nginx: it adds TLS, and loses nothing that clients rely on."""

from __future__ import annotations

import base64
import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from tests.helpers.distributions import sdist
from tests.helpers.upload_forms import address, encode, file_fields

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess, clean_environment, free_port

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "nginx.conf"
PROGRAM = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
HOST = "packages.example"
OUTSIDE = f"https://{HOST}"
CLIENT_ADDRESS, OTHER_CLIENT_ADDRESS = "127.0.0.2", "127.0.0.3"
"""The addresses of the tests' clients; the proxy itself has 127.0.0.1."""
UPLOAD_BYTES = 3_000_000
"""More than the 1 MB that nginx allows by default."""
START_TIMEOUT_SECONDS = 20
ROOT_PASSWORD = "a password of root"

NGINX_CONF = """
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
{user}
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""
"""The parts of Debian's ``nginx.conf`` that a site's file needs."""

pytestmark = [pytest.mark.slow, pytest.mark.skipif(PROGRAM is None, reason="nginx is not installed")]


@dataclass(frozen=True)
class Proxy:
    """nginx with the configuration of this repository, in front of a server."""

    server: ServerProcess
    port: int
    plain_port: int
    tls: ssl.SSLContext
    errors: Path

    def call(
        self, method: str, path: str, body: bytes | None = None, source: str = CLIENT_ADDRESS, **headers: str
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """Send a request over TLS, from an address that is not the proxy's."""
        connection = http.client.HTTPSConnection(HOST, self.port, timeout=60)
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=60, source_address=(source, 0))
        connection.sock = self.tls.wrap_socket(plain, server_hostname=HOST)
        try:
            connection.request(method, path, body, {"Host": HOST, **headers})
            response = connection.getresponse()
            return response, response.read()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Give root a password and start a server as the how-to says, and nginx in front of it."""
    folder = tmp_path_factory.mktemp("nginx")
    server = ServerProcess(folder / "server", *CHEAP_HASHING, "--outside-url", OUTSIDE, "--trusted-proxy", "127.0.0.1")
    command = [*server.command, "passwd", "root", "--password-stdin", "--serverdir", str(server.serverdir)]
    subprocess.run([*command, *server.options], input=ROOT_PASSWORD, text=True, check=True, env=clean_environment())
    with server, nginx(server, folder) as started:
        yield started


@contextmanager
def nginx(server: ServerProcess, folder: Path) -> Iterator[Proxy]:
    """Start nginx with the file as it is, but for ports and certificates."""
    authority = trustme.CA()
    certificate = authority.issue_cert(HOST)
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    for number, part in enumerate(certificate.cert_chain_pems):
        part.write_to_path(folder / "chain.pem", append=number > 0)
    tls = ssl.create_default_context()
    authority.configure_trust(tls)
    started = Proxy(server, free_port(), free_port(), tls, folder / "error.log")
    site = CONFIGURATION.read_text("utf-8")
    for theirs, ours in (
        ("listen 443 ssl;", f"listen 127.0.0.1:{started.port} ssl;"),
        ("listen 80;", f"listen 127.0.0.1:{started.plain_port};"),
        ("server 127.0.0.1:3141;", f"server 127.0.0.1:{server.port};"),
        (f"/etc/ssl/{HOST}.pem", f"{folder}/chain.pem"),
        (f"/etc/ssl/{HOST}.key", f"{folder}/key.pem"),
    ):
        assert site.count(theirs) == 1
        site = site.replace(theirs, ours)
    (folder / "site.conf").write_text(site)
    user = "user root;" if os.geteuid() == 0 else ""  # its workers must be able to read the folder of the tests
    (folder / "nginx.conf").write_text(NGINX_CONF.format(folder=folder, user=user))
    process = subprocess.Popen([str(PROGRAM), "-e", str(started.errors), "-c", str(folder / "nginx.conf")])
    try:
        wait_for(started.port)
        yield started
    finally:
        process.terminate()
        process.wait(20)


def wait_for(port: int) -> None:
    """Wait until a server listens on a port."""
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def test_the_addresses_of_the_server_are_those_of_the_proxy(proxy: Proxy) -> None:
    """The login address starts with https and the name that clients use."""
    answer, body = proxy.call("GET", "/+api")

    assert answer.status == 200
    assert f'"login": "{OUTSIDE}/+login"'.encode() in body


def test_plain_http_is_redirected_to_https(proxy: Proxy) -> None:
    """A request without TLS is redirected to the same address with TLS."""
    connection = http.client.HTTPConnection("127.0.0.1", proxy.plain_port, timeout=60)
    connection.request("GET", "/root/pypi/+simple/", headers={"Host": HOST})
    answer = connection.getresponse()
    connection.close()

    assert (answer.status, answer.headers["Location"]) == (301, f"{OUTSIDE}/root/pypi/+simple/")


def test_the_server_knows_where_a_request_comes_from(proxy: Proxy) -> None:
    """Wrong passwords slow down only the address that sends them, not all clients of the proxy."""
    proxy.server.request("PUT", "/emilie", {"password": "correct horse"})

    def log_in(password: str, source: str) -> int:
        body = json.dumps({"user": "emilie", "password": password}).encode()
        return proxy.call("POST", "/+login", body, source=source)[0].status

    assert [log_in("wrong", CLIENT_ADDRESS) for _ in range(6)] == [401] * 5 + [429]
    assert log_in("correct horse", OTHER_CLIENT_ADDRESS) == 200


def test_a_large_upload_and_the_reason_of_a_refusal_pass(proxy: Proxy) -> None:
    """An upload above nginx's own limit arrives, comes back as it was, and a refusal keeps its reason."""
    name, token = proxy.server.login("root", ROOT_PASSWORD)
    proxy.server.request("PUT", "/root/dev", {}, auth=(name, token))
    dist = sdist("large", size=UPLOAD_BYTES)
    body, headers = encode(file_fields(dist))
    headers["X-Devpi-Auth"] = base64.b64encode(f"{name}:{token}".encode()).decode()
    accepted, _ = proxy.call("POST", "/root/dev/", body, **headers)
    refused, _ = proxy.call("POST", "/root/dev/", encode(file_fields(dist, sha256_digest="0" * 64))[0], **headers)
    received, content = proxy.call("GET", f"/root/dev/{address(dist)}")

    assert accepted.status == 200
    assert (received.status, content) == (200, dist.content)
    assert refused.status == 400
    assert "sha256_digest" in refused.reason


def test_a_server_that_knows_of_no_proxy_lets_nobody_in(tmp_path: Path) -> None:
    """Through nginx nobody is root with the empty password, even if no option of the server names the proxy."""
    body = json.dumps({"user": "root", "password": ""}).encode()
    with ServerProcess(tmp_path / "server", *CHEAP_HASHING) as server, nginx(server, tmp_path) as open_proxy:
        assert server.login("root", "")
        answer, _ = open_proxy.call("POST", "/+login", body)

    assert answer.status == 401


def test_nginx_logs_no_error(proxy: Proxy) -> None:
    """Nginx logs no warning about the configuration, and no failed request."""
    assert proxy.errors.read_text("utf-8") == ""
