"""The forms: what they do, what they say, and that they do nothing that the API would refuse."""

from __future__ import annotations

import re

import pytest
from tests.helpers.distributions import wheel
from tests.helpers.sites import Serve
from tests.helpers.upload_forms import upload
from tests.helpers.web_browser import Browser

from wheelgate.testing.site import Site

PASSWORD = "correct horse"
NEW_PASSWORD = "battery staple"


@pytest.fixture
def site(serve: Serve) -> Site:
    """Return a server with two users and an index."""
    site = serve()
    for name in ("alice", "bob"):
        site.add_user(name)
    assert site.request("PUT", "/alice/dev", {}, auth=site.login("alice", PASSWORD)).status == 200
    return site


@pytest.fixture
def alice(site: Site) -> Browser:
    """Return alice's browser, signed in."""
    browser = Browser(site)
    browser.sign_in("alice", PASSWORD)
    return browser


@pytest.fixture
def root(site: Site) -> Browser:
    """Return root's browser, signed in."""
    browser = Browser(site)
    browser.sign_in("root", "")
    return browser


def test_create_a_user(site: Site) -> None:
    """Whoever may create users can do so by the form, and is led to the page of the user."""
    browser = Browser(site)
    form = browser.open(browser.open("/").links["Create user"])
    assert list(form.fields) == ["User name", "Password", "E-mail", "Title", "Description"]

    page = browser.send(
        "/+x/web/create-user", user="carol", password=PASSWORD, email="c@x.example", title="", description=""
    )

    assert (browser.address, page.roles["status"]) == ("/carol?done=user-created", "The user was created.")
    assert site.request("GET", "/carol").result["email"] == "c@x.example"
    assert site.login("carol", PASSWORD)


@pytest.mark.parametrize(
    ("name", "password", "status"),
    [("alice", PASSWORD, 409), ("a b", PASSWORD, 400), ("dave", "", 400), ("", PASSWORD, 400), ("a/b", PASSWORD, 400)],
)
def test_a_refused_form_comes_back(site: Site, name: str, password: str, status: int) -> None:
    """It has the status and the sentence of the API, and what was typed, but for the password."""
    page = Browser(site).send("/+x/web/create-user", user=name, password=password, title="<i>")

    assert page.status == status
    assert page.roles["alert"]
    assert (page.fields["User name"], page.fields["Title"], page.fields["Password"]) == (name, "<i>", "")
    assert site.request("GET", "/a/b").status == 404


def test_edit_the_profile(site: Site, alice: Browser) -> None:
    """The form shows the profile, and changes it; an empty field removes the value."""
    address = alice.open("/alice").links["Edit profile"]
    alice.send(address, email="a@x.example", title="CTO", description="one\r\ntwo")

    form = alice.open(address)
    assert [form.fields[each] for each in ("E-mail", "Title", "Description")] == ["a@x.example", "CTO", "one\ntwo"]
    page = alice.send(address, email="", title="CEO", description="")

    assert page.roles["status"] == "The profile was saved."
    shown = site.request("GET", "/alice").result
    assert (shown["title"], "email" in shown, "description" in shown) == ("CEO", False, False)


def test_change_the_own_password(site: Site, alice: Browser) -> None:
    """The present password is asked again; the reader stays signed in, and other sessions end."""
    address = alice.open("/alice").links["Change password"]
    other = Browser(site)
    other.sign_in("alice", PASSWORD)

    wrong = alice.send(address, current="wrong horse", password=NEW_PASSWORD)
    assert (wrong.status, bool(wrong.roles["alert"])) == (401, True)
    page = alice.send(address, current=PASSWORD, password=NEW_PASSWORD)

    assert page.roles["status"] == "The password was changed."
    assert "Sign out" in page.buttons
    assert "Sign in" in other.open("/").links
    assert site.login("alice", NEW_PASSWORD)


def test_root_changes_the_password_of_others(site: Site, root: Browser) -> None:
    """An administrator does not know the present password of others, and is not asked for it."""
    form = root.open("/+x/web/users/alice/password")
    assert list(form.fields) == ["New password"]

    page = root.send("/+x/web/users/alice/password", password=NEW_PASSWORD)

    assert "Sign out" in page.buttons
    assert site.login("alice", NEW_PASSWORD)


def test_delete_a_user(site: Site, alice: Browser) -> None:
    """Only who types the name deletes the user, and is then signed out."""
    address = alice.open("/alice").links["Delete user"]

    refused = alice.send(address, confirm="alic")
    assert (refused.status, site.request("GET", "/alice").status) == (400, 200)
    page = alice.send(address, confirm="alice")

    assert (page.roles["status"], "Sign in" in page.links) == ("The user was deleted.", True)
    assert site.request("GET", "/alice").status == 404


def test_an_index_from_its_creation_to_its_end(site: Site, alice: Browser) -> None:
    """It is created, edited and deleted by forms."""
    create = alice.open("/alice").links["Create index"]
    assert list(alice.open(create).fields) == ["Name", "Title", "Description", "Bases"]

    page = alice.send(create, name="prod", title="Production", description="", bases="alice/dev")
    assert (alice.address, page.roles["status"]) == ("/alice/prod?done=index-created", "The index was created.")
    assert site.request("GET", "/alice/prod").result["bases"] == ["alice/dev"]

    edit = page.links["Edit index"]
    fields = {"title": "P", "description": "", "bases": "", "acl_upload": "alice, bob", "acl_read": "alice"}
    alice.send(edit, **fields)
    shown = site.request("GET", "/alice/prod", auth=site.login("alice", PASSWORD)).result
    assert [shown[key] for key in ("title", "bases", "acl_upload", "acl_read", "volatile")] == [
        "P",
        [],
        ["alice", "bob"],
        ["alice"],
        False,
    ]
    alice.send(edit, **{**fields, "acl_read": "", "volatile": "yes"})
    shown = site.request("GET", "/alice/prod").result
    assert ("acl_read" in shown, shown["volatile"]) == (False, True)

    delete = alice.open("/alice/prod").links["Delete index"]
    assert alice.send(delete, confirm="prod").status == 400
    assert alice.send(delete, confirm="alice/prod").roles["status"] == "The index was deleted."
    assert site.request("GET", "/alice/prod").status == 404


def test_an_index_that_the_api_refuses(alice: Browser) -> None:
    """The form comes back with the sentence of the API."""
    page = alice.send("/+x/web/users/alice/create-index", name="x", bases="nobody/nothing")

    assert (page.status, page.fields["Bases"]) == (400, "nobody/nothing")
    assert "nobody/nothing" in page.roles["alert"]


FORMS = [
    "/+x/web/users/alice/edit",
    "/+x/web/users/alice/password",
    "/+x/web/users/alice/delete",
    "/+x/web/users/alice/create-index",
    "/+x/web/indices/alice/dev/edit",
    "/+x/web/indices/alice/dev/delete",
    "/+x/web/administration",
    "/+x/web/tokens",
]


@pytest.mark.parametrize("address", FORMS)
def test_forms_that_one_may_not_use(site: Site, address: str) -> None:
    """Their addresses are errors as pages: sign in first, or you may not; so are the forms when they are sent."""
    before = site.request("GET", "/alice").content
    anonymous, bob = Browser(site), Browser(site)
    bob.sign_in("bob", PASSWORD)

    shown = anonymous.open(address)
    assert (shown.status, "Password" in shown.fields) == (401, True)
    if address != "/+x/web/tokens":
        assert bob.open(address).status == 403
    if address != "/+x/web/administration":
        fields = {"confirm": "alice" if "users" in address else "alice/dev", "title": "x", "name": "x"}
        for reader in (anonymous, bob):
            assert reader.send(address, password=NEW_PASSWORD, **fields).status in (400, 401, 403)
    assert site.request("GET", "/alice").content == before


@pytest.mark.parametrize("address", [each for each in FORMS if each != "/+x/web/administration"])
def test_other_sites_cannot_send_forms(site: Site, alice: Browser, address: str) -> None:
    """Each form needs the proof that a page of this server sent it."""
    elsewhere = Browser(site, Origin="http://evil.example")
    elsewhere.cookie = alice.cookie

    assert elsewhere.send(address, confirm="alice", title="x", name="x", password=NEW_PASSWORD).status == 403
    assert site.request("GET", "/alice").status == 200


def test_api_tokens(site: Site, alice: Browser) -> None:
    """A token is created, shown once, listed without its secret, and revoked."""
    address = alice.open("/alice").links["API tokens"]
    form = alice.open(address)
    assert [each for each in form.fields if each != "Search projects"] == [
        "Index",
        "Project",
        "Days until it ends",
        "Comment",
    ]

    made = alice.send(address, upload="yes", index="alice/dev", project="Demo", days="7", comment="CI of <web>")
    token = re.search(r"wgt_\S+", made.text)
    assert token is not None
    assert "shown this once" in made.said
    assert made.response.headers["cache-control"].startswith("no-store")
    assert "Copy token" in made.buttons

    listed = alice.open(address)
    assert token[0] not in listed.text
    for text in ("CI of <web>", "alice/dev", "demo", "upload", "never"):
        assert text in listed.text
    revoke = next(each for each in listed.buttons if each.startswith("Revoke "))
    page = alice.send(f"{address}/{revoke.removeprefix('Revoke ')}/revoke")
    assert page.roles["status"] == "The token was revoked."
    assert revoke not in page.buttons


@pytest.mark.parametrize(
    "fields",
    [{"days": "7"}, {"read": "yes", "days": "soon"}, {"read": "yes", "days": "99999"}, {"read": "yes", "index": "x"}],
)
def test_a_token_that_the_api_refuses(alice: Browser, fields: dict[str, str]) -> None:
    """The form comes back with the sentence and what was typed."""
    page = alice.send("/+x/web/tokens", comment="mine", **fields)

    assert (page.status, page.fields["Comment"], bool(page.roles["alert"])) == (400, "mine", True)


def test_without_tokens_there_is_no_page_of_them(serve: Serve) -> None:
    """The link and the page are there only if the plugin is."""
    site = serve(no_plugin=["tokens"])
    site.add_user("alice")
    alice = Browser(site)
    alice.sign_in("alice", PASSWORD)

    assert "API tokens" not in alice.open("/alice").links
    assert alice.open("/+x/web/tokens").status == 404


def test_yank_set_the_status_and_delete(site: Site, alice: Browser) -> None:
    """Who may change releases finds the forms on the page of the project; each says what it has done."""
    login = site.login("alice", PASSWORD)
    for version in ("1.0", "1.1"):
        assert upload(site, "alice/dev", wheel("demo", version), login).status == 200
    project = alice.open("/alice/dev/demo/1.0")
    assert {"Yank 1.0", "Set status", "Delete 1.0", "Delete project"} <= project.links.keys()
    assert "Yank 1.0" not in Browser(site).open("/alice/dev/demo/1.0").links

    yanked = alice.send(project.links["Yank 1.0"], yanked="yes", reason="it forgets the wind")
    assert (yanked.roles["status"], "Yanked: it forgets the wind" in yanked.said) == ("The version was yanked.", True)
    assert "no longer" in alice.send(project.links["Yank 1.0"]).roles["status"]
    page = alice.send(project.links["Set status"], status="archived", reason="done")
    assert "Archived" in page.said
    assert alice.send(project.links["Set status"], status="nonsense").status == 400
    assert alice.send(project.links["Delete 1.0"], confirm="1.0").status == 400
    alice.send(project.links["Delete 1.0"], confirm="demo 1.0")
    assert site.request("GET", "/alice/dev/demo").result.keys() == {"1.1"}
    page = alice.send(project.links["Delete project"], confirm="demo")
    assert (alice.address, page.roles["status"]) == ("/alice/dev?done=deleted", "It was deleted.")


@pytest.mark.parametrize(
    "form", ["projects/alice/dev/demo/status", "projects/alice/dev/demo/delete", "versions/alice/dev/demo/1.0/yank"]
)
def test_releases_of_others(site: Site, form: str) -> None:
    """Nobody else may use these forms."""
    assert upload(site, "alice/dev", wheel("demo"), site.login("alice", PASSWORD)).status == 200
    bob = Browser(site)
    bob.sign_in("bob", PASSWORD)

    for reader, status in ((Browser(site), 401), (bob, 403)):
        assert reader.open(f"/+x/web/{form}").status == status
        assert reader.send(f"/+x/web/{form}", confirm="demo", yanked="yes", status="archived").status == status
    assert site.request("GET", "/alice/dev/demo").result.keys() == {"1.0"}


def test_administration(site: Site, root: Browser, alice: Browser) -> None:
    """Root sees users, groups, plugins and the state of providers."""
    site.request("PUT", "/+x/groups/team", {"members": ["alice"], "title": "T"}, auth=("root", ""))

    page = root.open(root.open("/").links["Administration"])

    assert page.status == 200
    for text in ("alice", "team", "auth_basic", "password", "sqlite", "active"):
        assert text in page.text
    assert "Administration" not in alice.open("/").links


QUESTIONS = {
    "permission=index_modify&resource=alice/dev&user=alice": ("Yes: its owner may", "restrict_modify"),
    "permission=index_modify&resource=alice/dev&user=bob": ("No: only its owner 'alice' and root may", "no opinion"),
    "permission=fly": ("there is no permission 'fly'", ""),
    "permission=upload&resource=alice/dev&user=nobody": ("no user 'nobody'", ""),
}


@pytest.mark.parametrize(("query", "shown"), QUESTIONS.items(), ids=QUESTIONS)
def test_the_administration_says_who_may_do_what(
    root: Browser, alice: Browser, query: str, shown: tuple[str, str]
) -> None:
    """The page shows the decision of the server, its reason and the answers of the plugins."""
    page = root.open(f"/+x/web/administration?{query}")

    assert page.status == 200
    assert shown[0] in page.text
    assert shown[1] in page.text
    assert alice.open(f"/+x/web/administration?{query}").status == 403


@pytest.mark.parametrize("done", ["nonsense", "<b>", "user-created'"])
def test_an_address_cannot_make_a_page_say_something(site: Site, done: str) -> None:
    """Only sentences of this server stand in the place for what was done."""
    assert Browser(site).open(f"/?done={done}").roles.get("status") == ""
