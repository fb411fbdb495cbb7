"""Rights and credentials are asked again when a change is recorded: its body may have taken minutes to arrive."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from tests.helpers.distributions import wheel
from tests.helpers.sites import Serve
from tests.helpers.slow_bodies import send_in_two_parts
from tests.helpers.upload_forms import address, encode, file_fields, upload

from wheelgate import Allow, Deny, Principal, hookimpl
from wheelgate.testing.site import Response, Site

ROOT = ("root", "")
FILE, NEXT_FILE = wheel("pkg", "1.0"), wheel("pkg", "2.0")
RELEASE = {"name": "pkg", "version": "1.0"}
FORM, FORM_HEADERS = encode(file_fields(NEXT_FILE))


class Switch:
    """A policy that denies everything to a user as soon as a test names the user; it asks in a thread of its own."""

    denied = ""

    @hookimpl
    def wheelgate_check_permission(self, principal: Principal) -> Allow | Deny | None:
        """Deny what the named user asks for."""
        return Deny("switched off") if principal.name == self.denied else None


SWITCH = Switch()


@dataclass(frozen=True)
class Setting:
    """A user who may use root's index as a member of a group, and owns another index."""

    site: Site
    user: str
    auth: tuple[str, str]

    def ask_root(self, method: str, path: str, body: Any = None) -> None:
        """Send a request of root."""
        answer = self.site.request(method, path, body, auth=ROOT)
        assert answer.status in (200, 201), answer.content

    def log_out(self) -> None:
        """End the login that the request uses."""
        assert self.site.request("POST", "/+logout", auth=self.auth).status == 200

    def reset_password(self) -> None:
        """Give the user a new password."""
        self.ask_root("PATCH", f"/{self.user}", {"password": "another secret"})

    def delete_user(self) -> None:
        """Delete the user."""
        self.ask_root("DELETE", f"/{self.user}")

    def replace_user(self) -> None:
        """Delete the user, and create another of the same name."""
        self.delete_user()
        self.ask_root("PUT", f"/{self.user}", {"password": "another secret"})

    def deny(self) -> None:
        """Let a policy deny everything to the user."""
        SWITCH.denied = self.user

    def leave_group(self) -> None:
        """Remove the user from the group that the access lists name."""
        self.ask_root("PATCH", f"/+x/groups/{self.group}", {"members": []})

    def close_index(self) -> None:
        """Remove the group from the access lists of root's index."""
        self.ask_root("PATCH", f"/{self.shared}", {"acl_upload": [], "acl_toxresult_upload": []})

    def hide_index(self) -> None:
        """Let only root read root's index."""
        self.ask_root("PATCH", f"/{self.shared}", {"acl_read": ["root"]})

    @property
    def group(self) -> str:
        """The name of the group."""
        return f"{self.user}-group"

    @property
    def shared(self) -> str:
        """The index of root."""
        return f"root/{self.user}"

    @property
    def own(self) -> str:
        """The index of the user."""
        return f"{self.user}/own"

    def names(self, text: str) -> str:
        """Fill in the names of the indices and of the user."""
        return text.format(shared=self.shared, own=self.own, user=self.user, group=self.group)


@pytest.fixture(scope="module")
def site(serve_shared: Serve) -> Site:
    """Return a server with the switch."""
    return serve_shared("rights at the change", extra={"switch": SWITCH})


@pytest.fixture
def setting(site: Site, fresh: str) -> Iterator[Setting]:
    """Return a new user with the two indices, each with a release."""
    made = Setting(site, fresh, site.add_user(fresh))
    made.ask_root("PUT", f"/+x/groups/{made.group}", {"members": [fresh]})
    lists = {"acl_upload": [f":{made.group}"], "acl_toxresult_upload": [f":{made.group}"]}
    made.ask_root("PUT", f"/{made.shared}", lists)
    assert site.request("PUT", f"/{made.own}", {}, auth=made.auth).status == 200
    assert upload(site, made.shared, FILE, made.auth).status == 200
    assert upload(site, made.own, FILE, made.auth).status == 200
    yield made
    SWITCH.denied = ""


REQUESTS: dict[str, tuple[str, str, Any]] = {
    "upload": ("POST", "/{shared}/", FORM),
    "push": ("PUSH", "/{own}", {**RELEASE, "targetindex": "{shared}"}),
    "push from it": ("PUSH", "/{shared}", {**RELEASE, "targetindex": "{own}"}),
    "yank": ("PATCH", "/{shared}/pkg/1.0", {"yanked": True}),
    "status": ("PATCH", "/{shared}/pkg", {"status": "archived"}),
    "test result": ("POST", f"/{{shared}}/{address(FILE)}", {"result": "x"}),
    "new index": ("PUT", "/{user}/new", {"title": "x"}),
    "changed index": ("PATCH", "/{own}", {"title": "x"}),
    "changed user": ("PATCH", "/{user}", {"title": "x"}),
    "new password": ("PATCH", "/{user}", {"password": "chosen by the user"}),
    "new token": ("POST", "/+x/tokens/", {"scopes": ["upload"]}),
}
LOGIN_ENDS = (Setting.log_out, Setting.reset_password, Setting.replace_user)
CASES = [
    *(("upload", ending, 401) for ending in LOGIN_ENDS),
    *((name, Setting.log_out, 401) for name in REQUESTS if name != "upload"),
    ("upload", Setting.deny, 403),
    ("new token", Setting.deny, 403),
    ("push", Setting.deny, 404),  # the source is hidden from a user who may not read it
    *((name, Setting.leave_group, 403) for name in ("upload", "push")),
    ("yank", Setting.close_index, 403),
    ("push from it", Setting.hide_index, 403),
]
"""Each request with one right that goes, and each right that may go with one request."""
SLOW_CASES = [
    *((name, ending, 401) for name in REQUESTS if name != "upload" for ending in LOGIN_ENDS[1:]),
    *((name, Setting.deny, 403) for name in REQUESTS if not name.startswith(("push", "upload", "new token"))),
    *((name, Setting.leave_group, 403) for name in ("yank", "status", "test result")),
    *((name, Setting.close_index, 403) for name in ("upload", "push", "status", "test result")),
    ("test result", Setting.hide_index, 403),
]


@pytest.mark.parametrize(
    ("name", "meanwhile", "status"),
    [
        *(pytest.param(*case, id=f"{case[0]}, {case[1].__name__}") for case in CASES),
        *(pytest.param(*case, id=f"{case[0]}, {case[1].__name__}", marks=pytest.mark.slow) for case in SLOW_CASES),
    ],
)
def test_a_right_that_has_gone(setting: Setting, name: str, meanwhile: Callable[[Setting], None], status: int) -> None:
    """A change whose right or login ends while its body arrives is refused, and nothing of it is recorded."""
    before = contents(setting)
    answer = send(setting, name, setting.auth, lambda: meanwhile(setting))

    assert answer.status == status, answer.content
    if meanwhile is not Setting.replace_user:
        assert contents(setting) == before


@pytest.mark.parametrize("name", REQUESTS)
def test_a_right_that_stays(setting: Setting, name: str) -> None:
    """The same changes are made if another user's right goes."""
    answer = send(setting, name, setting.auth, lambda: setting.ask_root("PATCH", "/root", {"title": setting.user}))

    assert answer.status in (200, 201), answer.content


def end_token(setting: Setting, identifier: str) -> None:
    """Revoke an API token."""
    assert setting.site.request("DELETE", f"/+x/tokens/{identifier}", auth=setting.auth).status == 200


def let_token_expire(setting: Setting, identifier: str) -> None:
    """Wait until an API token has expired."""
    while setting.site.request("GET", f"/+x/tokens/{identifier}", auth=setting.auth).result["expires"] > now():
        time.sleep(0.05)


def now() -> str:
    """Return the time in the form of answers."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


@pytest.mark.parametrize("name", ["upload", "push"])
@pytest.mark.parametrize(
    ("end", "lifetime"), [(end_token, 3600), pytest.param(let_token_expire, 2, marks=pytest.mark.slow)]
)
def test_a_token_that_has_ended(
    setting: Setting, name: str, end: Callable[[Setting, str], None], lifetime: int
) -> None:
    """An upload or push with a token that is revoked or expires while the body arrives is refused."""
    wanted = {"scopes": ["upload", "read"], "expires_in": lifetime}
    token = setting.site.request("POST", "/+x/tokens/", wanted, auth=setting.auth).result

    answer = send(setting, name, ("__token__", token["token"]), lambda: end(setting, token["id"]))

    assert answer.status == 401, answer.content


@pytest.mark.parametrize("meanwhile", [Setting.reset_password, Setting.delete_user])
def test_a_password_that_has_ended(setting: Setting, meanwhile: Callable[[Setting], None]) -> None:
    """An upload with a password that is no longer valid when it is recorded is refused."""
    if meanwhile is Setting.delete_user:
        setting.ask_root("DELETE", f"/{setting.own}")
    answer = send(setting, "upload", (setting.user, "correct horse"), lambda: meanwhile(setting))

    assert answer.status == 401, answer.content


def send(setting: Setting, name: str, auth: tuple[str, str], meanwhile: Callable[[], object]) -> Response:
    """Send one of the requests, with something happening while its body arrives."""
    method, path, body = REQUESTS[name]
    if isinstance(body, dict):
        body = {key: setting.names(value) if isinstance(value, str) else value for key, value in body.items()}
    headers = FORM_HEADERS if body is FORM else {}
    return send_in_two_parts(setting.site, method, setting.names(path), body, auth, meanwhile, headers)


def contents(setting: Setting) -> list[Any]:
    """Return what the requests would change."""
    paths = (f"/{setting.user}", f"/{setting.shared}/pkg", f"/{setting.own}/pkg")
    found = [setting.site.request("GET", path, auth=ROOT).result for path in paths]
    found[0].pop("modified", None)
    return found
