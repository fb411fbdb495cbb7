"""Warnings at the start: a list that leaves nobody who may administer."""

from __future__ import annotations

from collections.abc import Iterator

from wheelgate import Server


def warn_of_empty_lists(server: Server) -> Iterator[str]:
    """Yield a sentence for each option that lists no group and no user of this server.

    Who is in a group may be known to a directory alone, so a list with a group may be right.
    """
    for name, what in (("restrict-modify", "change users, groups and indices"), ("restrict-users", "create users")):
        listed = server.config[name]
        if listed is None or any(each.startswith(":") for each in listed):
            continue
        if all(server.users.get(each) is None for each in listed):
            names = ", ".join(sorted(listed)) or "nobody"
            yield f"--{name} lists {names}, and there is no such user: nobody may {what}, not even root"
