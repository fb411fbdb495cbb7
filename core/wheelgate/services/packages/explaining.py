"""``why``: which indices a project comes from, and why others are not used."""

from __future__ import annotations

from typing import Any

from wheelgate.packages import Project
from wheelgate.services.packages.inheritance import Resolution
from wheelgate.services.packages.merging import HIDDEN, SERVED, IndexMerger, LayerAnswer


async def explain(merger: IndexMerger, resolution: Resolution, name: str) -> dict[str, Any]:
    """Explain the part of each index of a resolution in a project, in the order in which the server asks them."""
    answers = await merger.ask(resolution, name, lambda source: source.project)
    first = next((answer for answer in answers if answer.state == SERVED), None)
    taken: dict[str, str] = {}
    entries = []
    for answer in answers:
        if answer.state == HIDDEN:
            hidden = await merger.ask_hidden(answer.layer, name)
            entries.append(index_entry(answer, HIDDEN, hidden.content, hidden_reason(answer, resolution, name)))
        elif answer.content is None or first is None or first.content is None:
            entries.append(index_entry(answer, answer.state, None, absence_reason(answer, name)))
        else:
            reason = unused_reason(answer.content, first.content, first.layer.index.path, taken)
            state = HIDDEN if reason else SERVED
            entries.append(index_entry(answer, state, answer.content, reason or served_reason(answer, answers)))
            if state == SERVED:
                path = answer.layer.index.path
                taken |= {file.name: path for file in answer.content.files if file.name not in taken}
    served_from = [each["index"] for each in entries if each["state"] == SERVED]
    return {"project": name, "served_from": served_from, "indices": entries}


def index_entry(answer: LayerAnswer[Project], state: str, project: Project | None, reason: str) -> dict[str, Any]:
    """Return the explanation for one index."""
    return {
        "index": answer.layer.index.path,
        "type": answer.layer.index.type,
        "state": state,
        "versions": list(project.versions) if project is not None else [],
        "files": len(project.files) if project is not None else 0,
        "reason": reason,
        **({"absent_until": answer.remembered_until} if answer.remembered_until is not None else {}),
    }


def unused_reason(project: Project, first: Project, path: str, taken: dict[str, str]) -> str:
    """Return why the server offers none of an index's files; empty if it offers some.

    Args:
        project: the project on the index.
        first: the project on the first index that serves it; its status counts.
        path: the path of that first index.
        taken: the names of the files of earlier indices, with the path of the index that each comes from.
    """
    if first.status == "quarantined":
        return f"the project is quarantined on {path}, so no file is offered"
    if project.status == "quarantined":
        return "the project is quarantined here, so its files are held back"
    others = dict.fromkeys(taken[file.name] for file in project.files if file.name in taken)
    if others and all(file.name in taken for file in project.files):
        return f"{', '.join(others)} comes first and has files of the same names"
    return ""


def absence_reason(answer: LayerAnswer[Project], name: str) -> str:
    """Return why an index that was asked has nothing."""
    if answer.problem is not None:
        return answer.problem.message
    if answer.remembered_until is not None:
        return (
            f"its upstream does not have the project; the server remembers that until {answer.remembered_until}, and"
            f" 'devpi refresh {name}' asks again"
        )
    return "it has no project of that name"


def hidden_reason(answer: LayerAnswer[Project], resolution: Resolution, name: str) -> str:
    """Return why an index is not asked for a project."""
    return (
        f"the name belongs to {answer.hidden_by}; if you trust both, add '{name}' to the mirror_whitelist "
        f"of {resolution.index.path}"
    )


def served_reason(answer: LayerAnswer[Project], answers: list[LayerAnswer[Project]]) -> str:
    """Return why the server offers an index's files."""
    project = answer.content
    stale = project is not None and project.stale
    suffix = "; its upstream does not answer, so these are the files that it listed last" if stale else ""
    if project is not None and project.left_out:
        suffix += f"; {project.left_out}"
    if not answer.layer.source.last:
        return f"it has the project{suffix}"
    before = [other.layer.index.path for other in answers if other.state == SERVED and not other.layer.source.last]
    if before:
        return f"a mirror_whitelist allows it in addition to {', '.join(before)}{suffix}"
    return f"no index before it has the name{suffix}"
