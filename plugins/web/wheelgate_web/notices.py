"""What a page says after a form has led to it: the address names a sentence, and never contains one."""

from __future__ import annotations

from collections.abc import Mapping

NOTICES = {
    "signed-in": "You are signed in.",
    "signed-out": "You are signed out.",
    "user-created": "The user was created.",
    "user-deleted": "The user was deleted.",
    "profile-saved": "The profile was saved.",
    "password-changed": "The password was changed.",
    "index-created": "The index was created.",
    "index-saved": "The index was saved.",
    "index-deleted": "The index was deleted.",
    "status-set": "The status was set.",
    "yanked": "The version was yanked.",
    "unyanked": "The version is no longer yanked.",
    "deleted": "It was deleted.",
    "token-revoked": "The token was revoked.",
}


def notice_of(query: Mapping[str, str]) -> str:
    """Return the sentence that the query of an address names; empty if it names none."""
    return NOTICES.get(query.get("done", ""), "")
