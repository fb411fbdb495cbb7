"""The logs: one line for each event, whatever clients send, and never a secret."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
from pathlib import Path

import pytest
from tests.helpers.wire import call, login, send_bytes, wait_until, workers

from wheelgate.testing.server_process import CHEAP_HASHING, ServerProcess

pytestmark = pytest.mark.slow

FORGED_LINE = "2026-01-01 00:00:00 info gunicorn.access: 127.0.0.1"
ACCESS_LINE = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d info gunicorn\.access\[[0-9a-f]{12}\]: "
    r'127\.0\.0\.1 (-|root) "[A-Z]+ \S.*" \d{3} \d+ \d+ms'
)


def test_the_access_log(tmp_path: Path) -> None:
    """The access log has one line per request, without query, headers and body, with control characters escaped."""
    log = tmp_path / "access.log"
    with ServerProcess(tmp_path / "server", *CHEAP_HASHING, "--access-log", str(log)) as server:
        auth = login(server)
        basic = base64.b64encode(b"root:canary-basic").decode()
        assert call(server, "GET", "/root?token=canary-query", auth=auth, Cookie="canary-cookie").status == 200
        assert call(server, "PUT", "/emilie", {"password": "canary-body"}).status == 201
        assert call(server, "GET", "/", Authorization=f"Basic {basic}", Referer="canary-referer").status == 200
        assert call(server, "GET", f"/a%0a{FORGED_LINE.replace(' ', '%20')}%0db%e2%80%a8c%1b[31m").status == 404
        assert send_bytes(server, b"nonsense canary-nonsense\r\n\r\n").statuses == [400]
        assert log.stat().st_mode & 0o777 == 0o600
    text = log.read_text()
    lines = [
        line for line in text.splitlines() if "/+api" not in line
    ]  # the test waited for the start with this request
    assert len(lines) == 5
    assert [line for line in lines if not ACCESS_LINE.fullmatch(line)] == []
    assert ' root "GET /root" 200' in lines[1]
    assert ' - "POST /+login" 200' in lines[0]
    assert rf'"GET /a\n{FORGED_LINE}\rb\u2028c\x1b[31m" 404' in lines[4]
    for secret in ("canary", auth[1], basic):
        assert secret not in text


def test_the_log_of_failed_logins(tmp_path: Path) -> None:
    """A failed login is logged with user and address, in one line whatever the name, and without the password."""
    with ServerProcess(tmp_path / "server", *CHEAP_HASHING) as server:
        for name in ("root", "emilie", f"emilie\n{FORGED_LINE}", "\x1b[2Jemilie"):
            answer = call(server, "POST", "/+login", {"user": name, "password": "canary-typed"})
            assert answer.status == 401
    text = server.log.read_text()
    failed = [line.partition("failed login")[2] for line in text.splitlines() if "failed login" in line]
    shown = [line.removeprefix(" of user '").removesuffix("' from 127.0.0.1") for line in failed]
    assert (len(shown), shown[0]) == (4, "root")
    assert [name for name in shown[1:] if not re.fullmatch("unknown:[0-9a-f]{8}", name)] == []
    assert "emilie" not in text
    assert "canary" not in text
    assert not any(line.startswith(FORGED_LINE) for line in text.splitlines())


def test_the_form_and_the_level(tmp_path: Path) -> None:
    """``--log-format json`` writes both logs as objects, with the client behind a proxy; a reload changes that."""
    config = tmp_path / "config.toml"
    config.write_text('log-format = "json"\nlog-level = "info"\n')
    options = ("--config", str(config), "--access-log", "-", "--trusted-proxy", "127.0.0.1", "--root-passwd", "secret")
    with ServerProcess(tmp_path / "server", *CHEAP_HASHING, *options) as server:
        auth = server.login("root", "secret")
        forwarded = {"X-Forwarded-For": "198.51.100.9"}
        assert call(server, "PUT", "/emilie", {"password": "canary"}, auth=auth, **forwarded).status == 201
        config.write_text('log-format = "text"\nlog-level = "warning"\n')
        old = workers(server)
        os.kill(server.pid, signal.SIGHUP)
        wait_until(lambda: workers(server) and not workers(server) & old, "new workers have the new settings")
        before = len(server.log.read_text().splitlines())
        assert call(server, "PUT", "/sophie", {"password": "canary"}, auth=auth).status == 201
    lines = server.log.read_text().splitlines()
    entries = [json.loads(line) for line in lines[:before] if line.startswith("{")]
    created = next(entry for entry in entries if entry["message"].startswith("UserCreated"))
    access = next(entry for entry in entries if '"PUT /emilie"' in entry["message"])

    assert created["message"] == "UserCreated emilie by 'root' from 198.51.100.9"
    assert (created["level"], created["logger"]) == ("info", "wheelgate.events")
    assert access["message"].startswith('198.51.100.9 root "PUT /emilie" 201 ')
    assert created["request_id"] == access["request_id"] != ""
    assert created["time"].endswith("+00:00")
    assert not any("UserCreated" in line for line in lines[before:])
    assert "canary" not in "".join(lines)
