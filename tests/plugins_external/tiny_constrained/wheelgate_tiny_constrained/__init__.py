"""Accepts only releases that a list of constraints allows, in the form of pip's ``constraints.txt``: ``demo<2``."""

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from wheelgate import Index, Option, Server, hookimpl


def constraint(text: str) -> Requirement:
    try:
        return Requirement(text)
    except InvalidRequirement:
        raise ValueError("a constraint such as demo<2") from None


@hookimpl
def wheelgate_options() -> list[Option]:
    return [
        Option("to", "constraint on new releases", (), constraint, "CONSTRAINT", many=True, section="constrain"),
        Option("index", "index that is constrained", (), metavar="USER/INDEX", many=True, section="constrain"),
    ]


@hookimpl
def wheelgate_check_upload(server: Server, index: Index, project: str, version: str) -> str | None:
    if index.path not in server.config["constrain-index"]:
        return None
    for known in server.config["constrain-to"]:
        if canonicalize_name(known.name) == project and not known.specifier.contains(version, prereleases=True):
            return f"{index.path} accepts only {known}"
    return None
