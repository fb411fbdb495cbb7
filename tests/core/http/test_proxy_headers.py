"""The server's address in answers, and the client's: from the connection, a trusted proxy, or the settings."""

from __future__ import annotations

import pytest
from tests.helpers.sites import Serve

from wheelgate.testing.site import Site

PROXY = "10.1.2.3"


def login_url(site: Site, headers: dict[str, str], address: str = "127.0.0.1") -> str:
    """Return the address of the login that ``+api`` names."""
    return str(site.request("GET", "/+api", headers=headers, address=address).result["login"])


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("packages.example", "http://packages.example/+login"),
        ("packages.example:3141", "http://packages.example:3141/+login"),
        ("192.0.2.7", "http://192.0.2.7/+login"),
        ("[2001:db8::1]:8080", "http://[2001:db8::1]:8080/+login"),
        ("LOCALHOST", "http://LOCALHOST/+login"),
    ],
)
def test_the_host_header_names_the_server(shared: Site, host: str, url: str) -> None:
    """Addresses begin with the name by which the client reached the server."""
    assert login_url(shared, {"Host": host}) == url


@pytest.mark.parametrize(
    "host",
    [
        "packages.example/evil",
        "packages.example@evil.example",
        "packages.example?x=1",
        "packages.example#x",
        'packages.example"><script>',
        "packages.example evil",
        "packages.example:port",
        "packages.example:123456",
        "packages.example,evil.example",
        "x" * 300,
        "[::1",
        "ümlaut.example",
    ],
)
def test_an_invalid_host_is_refused(shared: Site, host: str) -> None:
    """A ``Host`` that is not a name with an optional port answers 400 where it is needed, and is not repeated."""
    refused = shared.request("GET", "/+api", headers={"Host": host})

    assert (refused.status, refused.message) == (400, "the header 'Host' is not a host name with an optional port")
    assert shared.request("GET", "/root", headers={"Host": host}).status == 200


FORWARDED = {
    "X-Outside-Url": "https://evil.example/sub",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-For": "192.0.2.9",
}


def test_untrusted_clients_cannot_set_proxy_headers(shared: Site) -> None:
    """Without ``--trusted-proxy``, ``X-Outside-Url`` and ``X-Forwarded-*`` are ignored."""
    assert login_url(shared, {"Host": "packages.example", **FORWARDED}) == "http://packages.example/+login"


def ignored(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the lines of the log about ignored headers, and forget them."""
    found = [record.message for record in caplog.records if record.message.startswith("ignored ")]
    caplog.clear()
    return found


@pytest.mark.parametrize("header", [*FORWARDED, "X-Forwarded-Prefix"])
@pytest.mark.parametrize("trusted", [None, "10.1.0.0/16"])
def test_the_log_names_a_proxy_whose_headers_are_ignored(
    serve: Serve, caplog: pytest.LogCaptureFixture, header: str, trusted: str | None
) -> None:
    """The line has the header, the address and the option, and comes once for an address."""
    site = serve(trusted_proxy=trusted) if trusted else serve()
    headers = {header: "https" if "Proto" in header else "/x"}
    site.request("GET", "/+api", address="10.2.0.1")
    site.request("GET", "/+api", headers={header: ""}, address="10.2.0.1")
    if trusted:
        site.request("GET", "/+api", headers=headers, address=PROXY)
    assert ignored(caplog) == []

    site.request("GET", "/+api", headers=headers, address="10.2.0.1")
    (line,) = ignored(caplog)
    assert line.startswith(
        f"ignored {header.lower()} from 10.2.0.1, because --trusted-proxy does not name this address"
    )

    site.request("GET", "/+api", headers=headers, address="10.2.0.1")
    assert ignored(caplog) == []


@pytest.mark.parametrize(("gap", "lines"), [(60.0, 1), (0.0, 20)])
def test_many_addresses_do_not_fill_the_log(
    serve: Serve, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, gap: float, lines: int
) -> None:
    """Between two lines, about whatever addresses, there is some time; after it, the next address is named."""
    monkeypatch.setattr("wheelgate.http.untrusted_headers.LEAST_GAP_SECONDS", gap)
    site = serve()
    for number in range(20):
        site.request("GET", "/+api", headers=FORWARDED, address=f"10.2.0.{number}")

    assert len(ignored(caplog)) == lines


@pytest.fixture
def behind(serve: Serve) -> Site:
    """Return a server behind a proxy of 10.1.0.0/16."""
    return serve(trusted_proxy=["10.1.0.0/16"])


@pytest.mark.parametrize(
    ("headers", "url"),
    [
        ({"X-Outside-Url": "https://packages.example/sub/"}, "https://packages.example/sub/+login"),
        ({"X-Outside-Url": "http://[2001:db8::1]:81"}, "http://[2001:db8::1]:81/+login"),
        ({"X-Forwarded-Proto": "https"}, "https://inside.example/+login"),
        ({"X-Forwarded-Proto": "HTTPS"}, "https://inside.example/+login"),
        ({"X-Forwarded-Proto": " https , "}, "https://inside.example/+login"),
        ({"X-Forwarded-Prefix": "/sub"}, "http://inside.example/sub/+login"),
        ({"X-Forwarded-Prefix": "/a/b.c/", "X-Forwarded-Proto": "https"}, "https://inside.example/a/b.c/+login"),
        ({"X-Forwarded-Prefix": "/"}, "http://inside.example/+login"),
        ({"X-Forwarded-Host": "packages.example:8443"}, "http://packages.example:8443/+login"),
        ({"X-Forwarded-Host": "packages.example", "X-Forwarded-Proto": "https"}, "https://packages.example/+login"),
        ({"X-Outside-Url": "https://a.example", "X-Forwarded-Host": "b.example"}, "https://a.example/+login"),
        ({"X-Outside-Url": ""}, "http://inside.example/+login"),
    ],
    ids=str,
)
def test_the_headers_of_a_trusted_proxy_count(behind: Site, headers: dict[str, str], url: str) -> None:
    """The headers of a trusted proxy replace its own Host; those of other clients do not."""
    sent = {"Host": "inside.example", **headers}

    assert login_url(behind, sent, PROXY) == url
    assert login_url(behind, sent, "10.2.0.1") == "http://inside.example/+login"


@pytest.mark.parametrize(
    ("headers", "sentence"),
    [
        ({"X-Outside-Url": "javascript:alert(1)"}, "the header 'X-Outside-Url' is not an http or https address"),
        ({"X-Outside-Url": "https://a.example/<x>"}, "the header 'X-Outside-Url' is not an http or https address"),
        ({"X-Outside-Url": "https://a@b.example/"}, "the header 'X-Outside-Url' is not an http or https address"),
        ({"X-Forwarded-Host": "a.example/<x>"}, "the header 'Host' is not a host name with an optional port"),
        ({"X-Forwarded-Proto": "gopher"}, "the header 'X-Forwarded-Proto' is neither http nor https"),
        ({"X-Forwarded-Prefix": "//evil.example"}, "the header 'X-Forwarded-Prefix' is not a path"),
        ({"X-Forwarded-Prefix": "/../x"}, "the header 'X-Forwarded-Prefix' is not a path"),
        ({"X-Forwarded-Prefix": "sub"}, "the header 'X-Forwarded-Prefix' is not a path"),
        ({"X-Forwarded-Prefix": "/<x>"}, "the header 'X-Forwarded-Prefix' is not a path"),
    ],
    ids=str,
)
def test_even_a_trusted_proxy_must_send_valid_headers(behind: Site, headers: dict[str, str], sentence: str) -> None:
    """A proxy may pass on headers of its clients, so an invalid address is refused, and not repeated."""
    refused = behind.request("GET", "/+api", headers=headers, address=PROXY)

    assert (refused.status, refused.message) == (400, sentence)


ONE, TWO, THREE = "192.0.2.9", "192.0.2.9, 10.1.9.9", "192.0.2.9, 10.1.9.9, 10.1.9.8"


@pytest.mark.parametrize(
    ("hops", "hosts", "protocols", "url"),
    [
        pytest.param(ONE, "a.example, b.example", "http, https", "https://b.example", id="the client wrote the first"),
        pytest.param("", "a.example, b.example", "http, https", "https://b.example", id="no client"),
        pytest.param(TWO, "a.example, b.example", "https, http", "https://a.example", id="two proxies"),
        pytest.param(
            TWO, "x.example, a.example, b.example", "http,https,http", "https://a.example", id="two and a client"
        ),
        pytest.param(THREE, "a.example, b.example", "HTTPS,http", "https://a.example", id="one of three adds nothing"),
        pytest.param(THREE, "b.example", "https", "https://b.example", id="the last one replaces"),
        pytest.param(
            f"nonsense, {TWO}", "a.example,b.example", "https,http", "https://a.example", id="nonsense before"
        ),
    ],
)
def test_the_value_of_the_first_trusted_proxy_counts(
    behind: Site, hops: str, hosts: str, protocols: str, url: str
) -> None:
    """Several proxies add values; the server counts from the end, as in X-Forwarded-For, and ignores the client's."""
    headers = {"X-Forwarded-For": hops, "X-Forwarded-Host": hosts, "X-Forwarded-Proto": protocols}

    assert login_url(behind, headers, PROXY) == f"{url}/+login"


def test_a_proxy_may_leave_the_path_in_place(serve: Serve) -> None:
    """With a path in the server's address, requests arrive with and without it; both reach the same index."""
    site = serve(outside_url="https://packages.example/sub/way", trusted_proxy=["10.1.0.0/16"])
    site.request("PUT", "/alice/dev", {}, auth=site.add_user("alice"))

    for path in ("/alice/dev", "/sub/way/alice/dev", "/sub/way/alice/dev/"):
        assert site.request("GET", path, address=PROXY).result["projects"] == []
    for path in ("", "/", "/sub/way", "/sub/way/"):
        assert "alice" in site.request("GET", path or "/", address=PROXY).result
    for path in ("/sub/alice/dev", "/sub/wayward/alice", "/sub/way/sub/way/alice"):
        assert site.request("GET", path, address=PROXY).status == 404


def test_a_proxy_may_name_the_path_in_a_header(behind: Site) -> None:
    """The path of a trusted ``X-Outside-Url`` is removed, too."""
    behind.request("PUT", "/alice/dev", {}, auth=behind.add_user("alice"))
    headers = {"X-Outside-Url": "https://packages.example/sub"}

    assert behind.request("GET", "/sub/alice/dev", headers=headers, address=PROXY).status == 200
    assert behind.request("GET", "/sub/alice/dev", headers=headers, address="10.2.0.1").status == 404


def test_the_settings_win(serve: Serve) -> None:
    """Clients always get ``--outside-url``, whatever the headers of a request say."""
    site = serve(outside_url="https://packages.example/sub/", trusted_proxy=["10.1.0.0/16"])

    for host in ("inside.example", "no host at all"):
        assert login_url(site, {"Host": host, **FORWARDED}, PROXY) == "https://packages.example/sub/+login"


@pytest.mark.parametrize(
    ("forwarded", "same_client"),
    [
        pytest.param("192.0.2.9", "192.0.2.9", id="one hop"),
        pytest.param("203.0.113.5, 192.0.2.9", "192.0.2.9", id="what the client wrote itself"),
        pytest.param("192.0.2.9, 10.1.9.9", "192.0.2.9", id="two proxies"),
        pytest.param("192.0.2.9, nonsense", PROXY, id="nonsense"),
        pytest.param("", PROXY, id="nothing"),
        pytest.param("10.1.9.9", "10.1.9.9", id="a proxy itself"),
    ],
)
def test_the_client_is_the_address_before_the_proxies(behind: Site, forwarded: str, same_client: str) -> None:
    """Wrong passwords count for the last address that is not a trusted proxy's: a client cannot invent one."""
    behind.add_user("alice")
    guess = {"user": "alice", "password": "wrong"}
    for _ in range(5):
        behind.request("POST", "/+login", guess, headers={"X-Forwarded-For": forwarded}, address=PROXY)

    counted = behind.request("POST", "/+login", guess, headers={"X-Forwarded-For": same_client}, address=PROXY)
    other = behind.request("POST", "/+login", guess, headers={"X-Forwarded-For": "198.51.100.1"}, address=PROXY)

    assert (counted.status, other.status) == (429, 401)


def test_a_connection_without_an_address_is_not_a_proxy(behind: Site) -> None:
    """A connection without an address, such as one over a Unix socket, is not trusted."""
    assert login_url(behind, {"Host": "inside.example", **FORWARDED}, "unix") == "http://inside.example/+login"


@pytest.mark.parametrize("outside", ["http://[", "http://[x/sub", "https://[::::]/sub", "packages.example/sub", "//["])
def test_a_malformed_outside_url_takes_no_path_away(serve: Serve, outside: str) -> None:
    """A malformed ``X-Outside-Url`` of a trusted proxy changes no path, and gets no 500 anywhere."""
    site = serve(trusted_proxy=["10.1.0.0/16"])
    headers = {"X-Outside-Url": outside, "Host": "packages.example"}

    assert site.request("GET", "/root", headers=headers, address=PROXY).status == 200
    assert site.request("GET", "/+api", headers=headers, address=PROXY).status in {200, 400}


def test_a_host_that_is_no_address_may_be_an_origin(shared: Site) -> None:
    """A ``Host`` in brackets that is no IPv6 address is compared with ``Origin`` all the same."""
    headers = {"Host": "[::::]", "Origin": "http://[:::]", "Authorization": "Basic cm9vdDo="}

    assert shared.request("PUT", "/root/dev", {}, headers=headers).status == 403
