"""Why a project comes from where it comes from."""

from __future__ import annotations

from typing import Any

from wheelgate.packages import Project
from wheelgate.services.inheritance import Resolution
from wheelgate.services.merging import HIDDEN, SERVED, Answer, Reading


async def explain(reading: Reading, resolution: Resolution, name: str) -> dict[str, Any]:
    """Return what each index of a resolution has of a project, in the order in which they are asked."""
    answers = await reading.ask(resolution, name, lambda source: source.project)
    first = next((answer for answer in answers if answer.state == SERVED), None)
    taken: dict[str, str] = {}
    entries = []
    for answer in answers:
        if answer.state == HIDDEN:
            held = await reading.held_back(answer.layer, name)
            entries.append(entry(answer, HIDDEN, held.given, hidden_because(answer, resolution, name)))
        elif answer.given is None or first is None or first.given is None:
            reason = answer.problem.message if answer.problem is not None else "it has no project of that name"
            entries.append(entry(answer, answer.state, None, reason))
        else:
            because = overruled(answer.given, first.given, first.layer.index.path, taken)
            state = HIDDEN if because else SERVED
            entries.append(entry(answer, state, answer.given, because or served_because(answer, answers)))
            if state == SERVED:
                taken |= {file.name: answer.layer.index.path for file in answer.given.files if file.name not in taken}
    served = [found["index"] for found in entries if found["state"] == SERVED]
    return {"project": name, "served_from": served, "indices": entries}


def entry(answer: Answer[Project], state: str, project: Project | None, reason: str) -> dict[str, Any]:
    """Write what is said of one index."""
    return {
        "index": answer.layer.index.path,
        "type": answer.layer.index.type,
        "state": state,
        "versions": list(project.versions) if project is not None else [],
        "files": len(project.files) if project is not None else 0,
        "reason": reason,
    }


def overruled(project: Project, first: Project, path: str, taken: dict[str, str]) -> str:
    """Return why nothing of what an index has is offered; empty if something is."""
    if first.status == "quarantined":
        return f"the project is quarantined on {path}, so no file is offered"
    if project.status == "quarantined":
        return "the project is quarantined here, so its files are held back"
    others = dict.fromkeys(taken[file.name] for file in project.files if file.name in taken)
    if others and all(file.name in taken for file in project.files):
        return f"{', '.join(others)} comes first and has files of the same names"
    return ""


def hidden_because(answer: Answer[Project], resolution: Resolution, name: str) -> str:
    """Return why an index is not asked for a name."""
    return (
        f"the name belongs to {answer.hidden_by}; who trusts both may put '{name}' into the mirror_whitelist "
        f"of {resolution.index.path}"
    )


def served_because(answer: Answer[Project], answers: list[Answer[Project]]) -> str:
    """Return why what an index has is offered."""
    stale = answer.given is not None and answer.given.stale
    suffix = "; its upstream does not answer, so this is what it said last" if stale else ""
    if not answer.layer.source.last:
        return f"it has the project{suffix}"
    before = [other.layer.index.path for other in answers if other.state == SERVED and not other.layer.source.last]
    if before:
        return f"a mirror_whitelist lets it answer beside {', '.join(before)}{suffix}"
    return f"no index before it has the name{suffix}"
