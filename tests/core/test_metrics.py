"""``/+metrics``, ``/+healthz`` and ``/+readyz``: what monitoring reads."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from tests.helpers.distributions import wheel
from tests.helpers.sites import Serve
from tests.helpers.upload_forms import address, upload
from tests.helpers.wire import wait_until, workers

from wheelgate.metrics.catalogue import METRICS
from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess
from wheelgate.testing.site import Response, Site

ROOT = ("root", "")
DIST = wheel("secretproject", "1.0")


def samples(answer: Response) -> dict[str, float]:
    """Return the samples of an answer by their series."""
    lines = [line for line in answer.content.decode().splitlines() if not line.startswith("#")]
    return {series: float(value) for series, value in (line.rsplit(" ", 1) for line in lines)}


@pytest.fixture(scope="module")
def busy(serve_shared: Serve) -> Site:
    """Return a server that has done a bit of everything."""
    site = serve_shared("metrics", metrics_from="192.0.2.0/24")
    alice = site.add_user("alicewithaname")
    site.request("PUT", "/alicewithaname/dev", {"acl_upload": ["alicewithaname"]}, auth=alice)
    assert upload(site, "alicewithaname/dev", DIST, alice).status == 200
    assert upload(site, "alicewithaname/dev", DIST, None).status == 401
    for path in ("", ".metadata"):
        assert site.request("GET", f"/alicewithaname/dev/{address(DIST)}{path}").status == 200
    assert site.request("POST", "/+login", {"user": "alicewithaname", "password": "wrong"}).status == 401
    assert site.request("GET", "/alicewithaname/dev/+simple/secretproject/").status == 200
    assert site.request("GET", "/x/y/z/a/b/c").status == 404
    assert site.request("BREW", "/+api").status == 405
    return site


SERIES = {
    'wheelgate_http_requests_total{method="GET",route="unknown",status="404"}': 1,
    'wheelgate_http_requests_total{method="other",route="/+api",status="405"}': 1,
    'wheelgate_http_requests_total{method="GET",route="/{user}/{index}/+simple/{project}",status="200"}': 1,
    'wheelgate_http_requests_total{method="POST",route="/{user}/{index}",status="401"}': 1,
    'wheelgate_http_request_duration_seconds_count{route="/{user}/{index}"}': 3,
    'wheelgate_http_request_duration_seconds_bucket{route="/{user}/{index}",le="+Inf"}': 3,
    'wheelgate_uploads_total{result="accepted"}': 1,
    'wheelgate_uploads_total{result="refused"}': 1,
    'wheelgate_downloads_total{kind="file"}': 1,
    'wheelgate_downloads_total{kind="metadata"}': 1,
    'wheelgate_logins_total{result="failure"}': 1,
    "wheelgate_http_requests_in_flight": 1,
    'wheelgate_provider_state{provider="password"}': 0,
}


@pytest.mark.parametrize(("series", "value"), SERIES.items(), ids=SERIES)
def test_the_numbers(busy: Site, series: str, value: float) -> None:
    """Each number counts what it says."""
    assert samples(busy.request("GET", "/+metrics", auth=ROOT))[series] == value


def test_numbers_that_differ_each_time(busy: Site) -> None:
    """Sizes, serial, version and the process itself are there, and buckets add up."""
    found = samples(busy.request("GET", "/+metrics", auth=ROOT))

    assert found["wheelgate_upload_bytes_total"] > len(DIST.content)
    assert found["wheelgate_database_serial"] > 2
    assert found["process_resident_memory_bytes"] > 1 << 20
    assert found["process_open_fds"] > 3
    assert found["process_cpu_seconds_total"] > 0
    assert found["wheelgate_password_hash_seconds_count"] >= 2
    buckets = [value for series, value in found.items() if series.startswith("wheelgate_password_hash_seconds_bucket")]
    assert len(buckets) == 14
    assert buckets == sorted(buckets)
    assert buckets[-1] == found["wheelgate_password_hash_seconds_count"]


def test_each_metric_is_counted(busy: Site) -> None:
    """A server that has done a bit of everything shows every metric that the documentation lists."""
    shown = busy.request("GET", "/+metrics", auth=ROOT).content.decode()

    assert [metric.name for metric in METRICS if f"# TYPE {metric.name} {metric.kind}\n" not in shown] == []


def test_no_label_is_a_name(busy: Site) -> None:
    """No user, index, project, file or address is in the metrics, and unknown methods and addresses add no series."""
    seen = []
    for numbers in (range(2), range(2, 30)):
        for number in numbers:
            busy.request(f"BREW{number}", "/+api")
            busy.request("GET", f"/user{number}/+simple/x{number}/y")
            busy.request("GET", f"/user{number}", address=f"198.51.100.{number}")
        answer = busy.request("GET", "/+metrics", auth=ROOT)
        seen.append(set(samples(answer)))

    assert not re.search(r"alicewithaname|secretproject|198\.51|127\.0\.0|user\d", answer.content.decode())
    assert seen[0] == seen[1]


@pytest.mark.parametrize(
    ("auth", "address", "status"),
    [
        (ROOT, "127.0.0.1", 200),
        (None, "127.0.0.1", 401),
        ("alice", "127.0.0.1", 403),
        (None, "192.0.2.7", 200),
        (None, "192.0.3.7", 401),
    ],
)
def test_who_may_read_them(busy: Site, auth: tuple[str, str] | str | None, address: str, status: int) -> None:
    """Root may, and the networks of ``--metrics-from`` without a login."""
    login = busy.login("alicewithaname", "correct horse") if isinstance(auth, str) else auth

    assert busy.request("GET", "/+metrics", auth=login, address=address).status == status


@pytest.mark.parametrize(
    ("accept", "media", "counter", "end"),
    [
        ("*/*", "text/plain; version=0.0.4", "# TYPE wheelgate_uploads_total counter", "}"),
        (
            "application/openmetrics-text; version=1.0.0; charset=utf-8,*/*;q=0.1",
            "application/openmetrics-text; version=1.0.0",
            "# TYPE wheelgate_uploads counter",
            "# EOF",
        ),
    ],
)
def test_the_formats(busy: Site, accept: str, media: str, counter: str, end: str) -> None:
    """Prometheus' own text by default, OpenMetrics for clients that ask for it."""
    answer = busy.request("GET", "/+metrics", auth=ROOT, headers={"Accept": accept})
    text = answer.content.decode()

    assert answer.headers["content-type"].startswith(media)
    assert counter in text
    assert text.endswith("\n")
    assert text.rstrip("\n").endswith("# EOF") == (end == "# EOF")


@pytest.mark.parametrize("path", ["/+healthz", "/+readyz"])
def test_health_needs_no_login(serve: Serve, path: str) -> None:
    """Both answer 200 without a login, even if the server requires one."""
    site = serve(require_login=True)

    answer = site.request("GET", path)

    assert (answer.status, answer.headers["cache-control"]) == (200, "no-store")
    assert site.request("GET", "/+metrics").status == 401


def test_files_that_do_not_answer(serve: Serve) -> None:
    """If the files cannot be reached, the server is not ready, and says no more than that."""
    site = serve()
    folder = site.config.serverdir / "files"
    shutil.rmtree(folder, ignore_errors=True)
    folder.write_text("no folder")

    ready, healthy = site.request("GET", "/+readyz"), site.request("GET", "/+healthz")

    assert (ready.status, ready.message, healthy.status) == (503, "not ready", 200)


API_REQUESTS = 'wheelgate_http_requests_total{method="GET",route="/+api",status="200"}'


def read_metrics(server: ServerProcess) -> str:
    """Return the metrics of a server."""
    answer = server.request("GET", "/+metrics", auth=ROOT)
    assert answer.status == 200
    return answer.content.decode()


def api_requests(server: ServerProcess) -> float:
    """Return the counted requests of ``/+api``."""
    lines = [line for line in read_metrics(server).splitlines() if line.startswith(API_REQUESTS)]
    return float(lines[0].rsplit(" ", 1)[1])


@pytest.mark.slow
def test_all_workers_count_together(tmp_path: Path) -> None:
    """Any worker shows the numbers of all, and a worker that is killed leaves its numbers to the next one."""
    with ServerProcess(tmp_path / "server", *CHEAP_HASHING, workers=2) as server:
        before = api_requests(server)
        for _ in range(40):
            server.request("GET", "/+api")
        assert {api_requests(server) for _ in range(10)} == {before + 40}

        killed = min(workers(server))
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: len(workers(server) - {killed}) == 2, "the next worker has started")
        for _ in range(10):
            server.request("GET", "/+api")
        assert {api_requests(server) for _ in range(10)} == {before + 50}


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_prometheus_has_no_complaint(tmp_path: Path) -> None:
    """Prometheus' own checker accepts the names, the units and the text."""
    with ServerProcess(tmp_path / "server", *CHEAP_HASHING, workers=2) as server:
        server.login("root", "")
        text = read_metrics(server)

    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)

    assert (checked.returncode, checked.stderr) == (0, "")
