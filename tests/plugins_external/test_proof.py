"""Plugins that people have written for the incumbent are possible here, each in a few lines without touching the core.

``company_directory`` logs in by a directory, and the bundled ``remote_user`` by a header.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.distributions import wheel
from tests.helpers.upload_forms import encode, file_fields
from tests.plugins_external.conftest import FakeService

from wheelgate.testing.server_process import ServerProcess, clean_environment
from wheelgate.testing.site import Response

pytestmark = pytest.mark.slow

PROGRAMS = Path(sys.executable).parent
Start = Callable[..., ServerProcess]


PEOPLE = ("alice", "bob", "carol", "gil", "olga", "rita", "tess", "vic")
COMPATIBLE_PLUGINS = (
    "tiny_admin",
    "tiny_constrained",
    "tiny_gitlab_ci",
    "tiny_mirror_acl",
    "tiny_oidc",
    "tiny_reset",
    "tiny_tokens",
)


@pytest.fixture
def start(serve: Callable[..., Any], cheap: tuple[str, ...]) -> Start:
    """Return a function that starts a server with one third-party plugin, and users."""
    return lambda plugin, *options: with_people(serve(*cheap, *options, plugins=(plugin,)).server)


@pytest.fixture(scope="module")
def all_plugins(serve_all: Callable[..., Any], cheap: tuple[str, ...], service: FakeService) -> ServerProcess:
    """Return a server with all third-party plugins that do not affect each other, and users."""
    options = (
        *("--tiny-oidc-userinfo", service.url, "--tiny-gitlab-ci-url", service.url),
        *("--mirror-acl-makers", "bob", "--constrain-to", "Demo<2", "--constrain-index", "carol/prod"),
    )
    return with_people(serve_all(*cheap, *options, plugins=COMPATIBLE_PLUGINS).server)


def with_people(server: ServerProcess) -> ServerProcess:
    """Create users, each for the test of one plugin."""
    root = server.login("root", "")
    for name in PEOPLE:
        body = {"password": "correct horse", "email": f"{name}@mail.example"}
        assert server.request("PUT", f"/{name}", body, auth=root).status == 201
    return server


def login_state(server: ServerProcess, **sent: Any) -> tuple[str, str]:
    """Return the login's state and the user's name from ``authstatus``."""
    state, name, *_ = server.request("GET", "/+api", **sent).result["authstatus"]
    return state, name


def upload(server: ServerProcess, index: str, version: str, auth: tuple[str, str] | None, **more: str) -> Response:
    """Upload a release of demo."""
    body, headers = encode(file_fields(wheel("demo", version)))
    return server.request("POST", f"{index}/", body, auth=auth, headers={**headers, **more})


def test_tokens(all_plugins: ServerProcess, installed: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A token can only upload; its holder can narrow it but not widen it; it ends with the password."""
    monkeypatch.syspath_prepend(installed("tiny_tokens"))
    tiny = import_module("wheelgate_tiny_tokens")
    tess = all_plugins.login("tess", "correct horse")
    for index in ("dev", "prod"):
        all_plugins.request("PUT", f"/tess/{index}", {}, auth=tess)
    token = all_plugins.request("POST", "/+x/tiny_tokens/tokens", auth=tess).result
    narrow = tiny.narrowed(token, "index=tess/dev")
    parts, signature = tiny.unpacked(narrow)

    assert upload(all_plugins, "/tess/prod", "1.0", ("tess", token)).status == 200
    assert all_plugins.request("PUT", "/tess/more", {}, auth=("tess", token)).status == 403
    assert all_plugins.request("POST", "/+x/tiny_tokens/tokens", auth=("tess", token)).status == 403
    assert upload(all_plugins, "/tess/dev", "1.0", ("__token__", narrow)).status == 200
    assert upload(all_plugins, "/tess/prod", "2.0", ("tess", narrow)).status == 403
    assert upload(all_plugins, "/tess/prod", "2.0", ("tess", tiny.narrowed(narrow, "index=tess/prod"))).status == 403
    for forged in (
        tiny.packed(parts[:-1], signature),
        tiny.packed([parts[0], "bob", *parts[2:]], signature),
        "tiny_",
        "tiny_e30=",
    ):
        assert upload(all_plugins, "/tess/prod", "3.0", ("tess", forged)).status == 401
    for condition in (f"until={int(time.time()) - 1}", "moon=full"):
        assert upload(all_plugins, "/tess/prod", "3.0", ("tess", tiny.narrowed(token, condition))).status == 401
    assert login_state(all_plugins, auth=("bob", token))[0] != "ok"
    all_plugins.request("PATCH", "/tess", {"password": "battery staple"}, auth=tess)
    assert upload(all_plugins, "/tess/prod", "4.0", ("tess", token)).status == 401


def test_lockdown(start: Start) -> None:
    """Anonymous clients can only log in; a browser's cookie is a login, which another site cannot use."""
    server = start("tiny_lockdown")
    alice = server.login("alice", "correct horse")

    server.request("PUT", "/alice/dev", {}, auth=alice)
    for path in ("/alice", "/alice/dev", "/alice/dev/+simple/"):
        assert server.request("GET", path).status == 401
        assert server.request("GET", path, auth=alice).status == 200
    assert server.request("GET", "/").status == 401
    assert server.request("PUT", "/newcomer", {"password": "correct horse"}).status == 401
    assert server.request("POST", "/+x/tiny_lockdown/cookie", {"token": alice[1]}).status == 403
    given = server.request("POST", "/+x/tiny_lockdown/cookie", {"token": alice[1]}, auth=alice)
    cookie, _, attributes = given.headers["set-cookie"].partition(";")
    assert "HttpOnly; SameSite=Strict" in attributes
    assert server.request("GET", "/alice", headers={"Cookie": f"theme=dark; {cookie}"}).status == 200
    foreign = {"Cookie": cookie, "Sec-Fetch-Site": "cross-site"}
    assert server.request("PATCH", "/alice", {"title": "x"}, headers=foreign).status == 403
    assert server.request("GET", "/alice", headers={"Cookie": "devpi=alice/correct horse"}).status == 401
    assert server.request("POST", "/+logout", auth=alice).status == 200
    assert server.request("GET", "/alice", headers={"Cookie": cookie}).status == 401


def test_overview(start: Start) -> None:
    """Another plugin replaces the first page; programs go on getting JSON, and a page that is missing is JSON, too."""
    server = start("tiny_overview", "--no-plugin", "web")
    browser = {"Accept": "text/html", "User-Agent": "Mozilla/5.0"}

    page = server.request("GET", "/", headers=browser)

    assert b'/alice">alice</a>' in page.content
    assert server.request("GET", "/").result["alice"]["username"] == "alice"
    assert server.request("GET", "/alice", headers=browser).result["username"] == "alice"
    lost = server.request("GET", "/nobody", headers=browser)
    assert (lost.status, b"<h1>Refused</h1>" in lost.content) == (404, True)


def test_a_block(start: Start) -> None:
    """A plugin adds a block to the pages of indices, with the projects that the reader may see."""
    server = start("tiny_block")
    alice = server.login("alice", "correct horse")
    server.request("PUT", "/alice/news", {"acl_read": ["alice"]}, auth=alice)
    body, headers = encode(file_fields(wheel("demo", "1.0")))
    server.request("POST", "/alice/news/", body, auth=alice, headers=headers)
    browser = {"Accept": "text/html", "User-Agent": "Mozilla/5.0"}

    page = server.request("GET", "/alice/news", auth=alice, headers=browser).content
    _, _, block = page.partition(b"New this week")

    assert b'<a href="/alice/news/demo"><bdi>demo</bdi></a>' in block
    assert b"New this week" not in server.request("GET", "/alice/news", headers=browser).content


def jwt(name: str) -> str:
    """Return a token like an identity provider's, with a made-up signature, which only the provider checks."""
    claims = base64.urlsafe_b64encode(json.dumps({"preferred_username": name}).encode()).decode().rstrip("=")
    return f"e30.{claims}.c2ln"


def test_an_identity_provider(all_plugins: ServerProcess, service: FakeService) -> None:
    """People whom the provider knows are logged in with their groups; unknown tokens get 401; an outage gets 503."""
    olga = all_plugins.login("olga", "correct horse")
    all_plugins.request("PUT", "/olga/dev", {"acl_upload": [":admins"]}, auth=olga)
    bearer = f"Bearer {jwt('grace')}"
    service.answers |= {
        bearer: (200, {"preferred_username": "grace", "groups": ["admins"]}),
        f"Bearer {jwt('frank')}": (200, {"preferred_username": "frank"}),
        f"Bearer {jwt('mallory')}": (200, {"preferred_username": "grace"}),
        f"Bearer {jwt('heidi')}": (500, {}),
    }
    expected = {"grace": 200, "frank": 403, "mallory": 401, "unknown": 401, "alice": 401, "root": 401, "heidi": 503}

    statuses = {
        name: upload(all_plugins, "/olga/dev", "1.0", None, Authorization=f"Bearer {jwt(name)}").status
        for name in expected
    }
    assert statuses == expected
    assert login_state(all_plugins, headers={"Authorization": bearer}) == ("ok", "grace")
    assert login_state(all_plugins, auth=("grace", jwt("grace")))[0] != "ok"


def test_jobs_of_a_gitlab(all_plugins: ServerProcess, service: FakeService) -> None:
    """A running job of the project can upload to the index that lists the project; other jobs cannot."""
    gil = all_plugins.login("gil", "correct horse")
    all_plugins.request("PUT", "/gil/dev", {"acl_upload": [":team/app"]}, auth=gil)

    def job(status: str, project: str) -> tuple[int, Any]:
        return 200, {"status": status, "pipeline": {"project_path": project}}

    service.answers |= {"good": job("running", "team/app"), "over": job("success", "team/app")}
    service.answers |= {"other": job("running", "team/other"), "down": (502, {})}
    expected = {"good": 200, "over": 401, "other": 403, "unknown": 401, "down": 503}

    statuses = {token: upload(all_plugins, "/gil/dev", "1.0", ("gitlab-ci-token", token)).status for token in expected}
    assert statuses == expected
    assert login_state(all_plugins, auth=("gil", "good"))[0] != "ok"


def test_client_certificates(start: Start) -> None:
    """In place of the bundled header login, a certificate's subject from a proxy logs in, unless it is ambiguous."""
    options = ("--no-plugin", "remote_user", "--no-root-pypi")
    server = start("tiny_mtls", *options, "--tiny-mtls-from", "127.0.0.1")

    assert login_state(server, headers={"X-Client-Subject": "CN=grace,OU=Team,O=Company"}) == ("ok", "grace")
    for subject in ("CN=grace,CN=root", "O=Company", "CN=root,O=Company", "CN=alice", "CN=a\\,CN=grace"):
        assert login_state(server, headers={"X-Client-Subject": subject})[0] != "ok"
    server.stop()
    server.options = tuple("10.1.2.3" if option == "127.0.0.1" else option for option in server.options)
    server.start()
    assert login_state(server, headers={"X-Client-Subject": "CN=grace,OU=Team,O=Company"}) == ("noauth", "")


def test_a_forgotten_password(all_plugins: ServerProcess) -> None:
    """The link in the mail sets a password once; answers reveal no users; weak passwords are refused."""
    server = all_plugins
    outbox = server.serverdir / "outbox"
    answers = [server.request("POST", "/+x/tiny_reset/ask", {"user": name}) for name in ("rita", "nobody", "root")]
    (mail,) = outbox.iterdir()
    address, token = mail.read_text().split()

    def take(user: str, token: str, password: str) -> int:
        body = {"user": user, "token": token, "password": password}
        return server.request("POST", "/+x/tiny_reset/take", body).status

    assert len({(answer.status, answer.content) for answer in answers}) == 1
    assert (address, mail.stat().st_mode & 0o777) == ("rita@mail.example", 0o600)
    assert take("bob", token, "battery staple") == 403
    assert take("rita", token[:-1], "battery staple") == 403
    assert take("rita", f"9{token}", "battery staple") == 403
    assert take("rita", token, "short") == 400
    assert take("rita", token, "battery staple") == 200
    assert take("rita", token, "another staple") == 403
    rita = server.login("rita", "battery staple")
    weak = server.request("PATCH", "/rita", {"password": "my rita"}, auth=rita)
    assert (weak.status, weak.message) == (400, "the password is refused: it needs eight characters, and not the name")
    assert server.request("PUT", "/newcomer", {"password": "1234"}).status == 400


def test_only_listed_users_create_mirrors(all_plugins: ServerProcess) -> None:
    """Only listed users can create mirrors; other types of index are not affected."""
    server = all_plugins
    alice, bob = server.login("alice", "correct horse"), server.login("bob", "correct horse")
    mirror = {"type": "mirror", "mirror_url": "http://127.0.0.1:9/simple/"}

    assert server.request("PUT", "/alice/dev", {}, auth=alice).status == 200
    assert server.request("PUT", "/bob/outside", mirror, auth=bob).status == 200
    refused = server.request("PUT", "/alice/outside", mirror, auth=alice)
    assert (refused.status, "only bob may create mirrors" in refused.message) == (403, True)


def test_constraints(all_plugins: ServerProcess) -> None:
    """Uploads and pushes of releases that the list does not allow are refused with the reason."""
    server = all_plugins
    carol = server.login("carol", "correct horse")
    for index in ("dev", "prod"):
        server.request("PUT", f"/carol/{index}", {}, auth=carol)
    push = {"name": "demo", "targetindex": "carol/prod"}

    assert [upload(server, "/carol/dev", version, carol).status for version in ("1.0", "2.0")] == [200, 200]
    refused = upload(server, "/carol/prod", "2.0", carol)
    assert (refused.status, "demo 2.0 is refused: carol/prod accepts only Demo<2" in refused.content.decode()) == (
        403,
        True,
    )
    assert server.request("PUSH", "/carol/dev", {**push, "version": "2.0"}, auth=carol).status == 403
    assert server.request("GET", "/carol/prod/demo").status == 404
    assert server.request("PUSH", "/carol/dev", {**push, "version": "1.0"}, auth=carol).status == 200
    assert list(server.request("GET", "/carol/prod/demo").result) == ["1.0"]


def test_an_overview(all_plugins: ServerProcess) -> None:
    """An administrator sees the users and recent events; other users may not."""
    server = all_plugins
    alice, root = server.login("alice", "correct horse"), server.login("root", "")

    shown = server.request("GET", "/+x/tiny_admin/overview", auth=root).result
    assert {"name": "vic", "provider": "local", "indices": 0} in shown["users"]
    assert {"name": "root", "provider": "local", "indices": 1} in shown["users"]
    assert server.request("GET", "/+x/tiny_admin/overview", auth=alice).status == 403
    assert server.request("GET", "/+x/tiny_admin/overview").status == 401


def test_a_table_of_the_state_file(
    serve: Callable[..., Any], cheap: tuple[str, ...], installed: Callable[[str], Path], tmp_path: Path
) -> None:
    """A plugin adds a table to the state file: planned, applied beside the server, exported, and then no change."""
    server = serve(*cheap, plugins=("tiny_notice",)).server
    state = tmp_path / "state.toml"
    state.write_text('[notice]\ntext = "Closed on Friday"\n')

    def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
        line = [PROGRAMS / "devpi-server", *command, "--serverdir", server.serverdir]
        environment = clean_environment(PYTHONPATH=str(installed("tiny_notice")))
        return subprocess.run(line, env=environment, capture_output=True, text=True)

    def notice() -> str:
        return str(server.request("GET", "/+x/tiny_notice/").result["text"])

    planned = run("plan", state)
    before = notice()
    applied = run("apply", "--yes", state)

    assert (planned.returncode, before) == (3, "")
    assert planned.stdout.splitlines()[:2] == ["~ modify notice", '    text: "" -> "Closed on Friday"']
    assert (applied.returncode, notice()) == (0, "Closed on Friday")
    state.write_text(run("export-state").stdout)
    assert "[notice]" in state.read_text()
    assert run("plan", state).stdout == "no changes\n"
    state.write_text("[notice]\ntex = 1\n")
    assert "[notice]: unknown key 'tex'; did you mean 'text'?" in run("plan", state).stderr


def test_passwords_from_a_file(all_plugins: ServerProcess, installed: Callable[[str], Path], tmp_path: Path) -> None:
    """``devpi login`` takes the password from ``.pypirc`` if the file has one for the server and user."""
    environment = clean_environment(PYTHONPATH=str(installed("tiny_vault")), HOME=str(tmp_path))
    (tmp_path / ".pypirc").write_text(
        f"[other]\nrepository = http://other.example/\nusername = vic\npassword = wrong\n"
        f"[ours]\nrepository = {all_plugins.url}vic/dev/\nusername = vic\npassword = correct horse\n"
    )

    def devpi(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([PROGRAMS / "devpi", *command], env=environment, capture_output=True, text=True)

    assert devpi("use", all_plugins.url).returncode == 0
    assert "logged in 'vic'" in devpi("login", "vic").stdout
    assert "no terminal to ask" in devpi("login", "bob").stderr
