"""Reads and checks a whole export, and plans what an import creates; nothing is changed by that."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from wheelgate.fields import IndexType
from wheelgate.moving.dataindex import DataIndex
from wheelgate.moving.decisions import Decisions
from wheelgate.moving.details import Details
from wheelgate.moving.export_folder import ExportFolder
from wheelgate.moving.file_check import Counts, FileCheck, MetadataSpool
from wheelgate.moving.findings import FaultError, Findings, TooManyFaultsError
from wheelgate.moving.index_plan import IndexPlan, PlannedIndex
from wheelgate.moving.moved_projects import ProjectReader
from wheelgate.moving.user_plan import PlannedUser, missing_root, plan_users
from wheelgate.values import ROOT


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """A checked export, and what to create from it."""

    folder: ExportFolder
    decisions: Decisions
    users: Mapping[str, PlannedUser]
    """By their old names."""
    indices: list[PlannedIndex]
    projects: ProjectReader
    details: Details
    counts: Counts
    fingerprint: str
    """The same for the same export and the same decisions."""


@contextmanager
def opened_plan(
    path: Path,
    types: Mapping[str, IndexType],
    decisions: Decisions,
    findings: Findings,
    progress: Callable[[int], None],
) -> Iterator[ImportPlan | None]:
    """Check an export, and yield the plan of its import; None if it has faults.

    Args:
        path: the folder of the export.
        types: the index types of this server.
        decisions: what the administrator has decided.
        findings: gets everything that is to be said.
        progress: gets the size of each file that was checked.
    """
    try:
        with ExitStack() as opened:
            folder = opened.enter_context(closing(ExportFolder(path)))
            spool = opened.enter_context(MetadataSpool())
            details = opened.enter_context(closing(Details(folder)))
            data = opened.enter_context(closing(DataIndex(folder, findings)))
            _check_decisions(data, decisions, findings)
            for exported in data.indices.values():
                exported.claimed.update(details.project_names(exported.path))
            users = plan_users(data.users, decisions, findings, details.users)
            missing_root(users, findings)
            indices = IndexPlan(types, decisions, findings, users).plan(data.indices)
            check = FileCheck(folder, data, details, findings, spool, progress)
            for planned in indices:
                check.check(planned)
            check.counts.users = len(users)
            digest = hashlib.sha256(f"{data.sha256} {details.sha256} {decisions.key}".encode()).hexdigest()
            projects = ProjectReader(data, details, decisions, check.checked, spool)
            plan = ImportPlan(folder, decisions, users, indices, projects, details, check.counts, digest)
            yield None if findings.faults else plan
    except FaultError as fault:
        findings.faults.append(str(fault))
        yield None
    except TooManyFaultsError:
        yield None


def _check_decisions(data: DataIndex, decisions: Decisions, findings: Findings) -> None:
    """Refuse decisions about what the export does not have: they are typing errors."""
    if ROOT in decisions.skipped or ROOT in decisions.renames:
        findings.add_fault("root cannot be skipped or renamed")
    known = {*data.users, *data.indices}
    for subject in [*decisions.renames, *decisions.skipped]:
        if subject not in known:
            findings.add_fault(f"the export has no user or index {subject[:200]!a}, which --rename or --skip names")
    for name in decisions.without_password:
        if name not in data.users:
            findings.add_fault(f"the export has no user {name[:100]!a}, whom --skip-password names")
