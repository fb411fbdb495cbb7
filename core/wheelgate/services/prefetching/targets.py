"""The environments to resolve for: a Python version on a platform, with its markers and its tags."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, product

from packaging.markers import default_environment
from packaging.tags import (
    Tag,
    compatible_tags,
    cpython_tags,
    generic_tags,
    interpreter_name,
    mac_platforms,
    platform_tags,
    sys_tags,
)

from wheelgate.errors import BadInput

OLDEST_MANYLINUX = 5
"""The oldest glibc 2.x that wheels name (PEP 513)."""
LEGACY_MANYLINUX = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
"""The names before PEP 600, with their glibc."""
WINDOWS_MACHINES = {"win32": "x86", "win_amd64": "AMD64", "win_arm64": "ARM64"}
"""The values of ``platform_machine`` on Windows, by platform tag."""
IMPLEMENTATIONS = {"cp": ("cpython", "CPython"), "pp": ("pypy", "PyPy")}
"""``implementation_name`` and ``platform_python_implementation`` by the abbreviation in tags."""
PYPY_ABI = "pypy{0}{1}_pp73"
"""The ABI tag of PyPy since 7.3.0 (2019)."""


@dataclass(frozen=True, slots=True)
class Target:
    """An environment."""

    name: str
    """For people: ``Python 3.12 on win_amd64``."""
    python: str
    """The full version, for ``Requires-Python``."""
    markers: dict[str, str]
    """The values of environment markers (PEP 508)."""
    ranks: dict[Tag, int] = field(repr=False)
    """The tags that it accepts; the lowest rank is the best."""


def make_targets(pythons: Sequence[str], platforms: Sequence[str], implementation: str) -> list[Target]:
    """Return a target for each Python version on each platform; those of this machine where none is given.

    Args:
        pythons: versions, ``3.12`` or ``3.12.4``.
        platforms: platform tags, such as ``manylinux_2_28_x86_64``, ``win_amd64`` or ``macosx_14_0_arm64``.
        implementation: ``cp`` for CPython, or ``pp`` for PyPy.

    Raises:
        BadInput: a value is malformed or unknown.
    """
    if not pythons and not platforms and implementation == interpreter_name():
        return [this_machine()]
    own = f"{default_environment()['python_full_version']}"
    return [make_target(*each, implementation) for each in product(pythons or [own], platforms or [""])]


def this_machine() -> Target:
    """Return the environment of the running Python."""
    markers = {name: str(value) for name, value in default_environment().items()}
    version = markers["python_full_version"].rstrip("+")
    ranks = {tag: rank for rank, tag in enumerate(sys_tags())}
    return Target(f"Python {version} on this machine", version, markers, ranks)


def make_target(python: str, platform: str, implementation: str) -> Target:
    """Return the environment of a Python version on a platform; an empty platform stands for this machine.

    Raises:
        BadInput: the version or the platform is unknown.
    """
    found = re.fullmatch(r"(3)\.(\d{1,2})(\.\d{1,2})?\+?", python)
    if found is None:
        raise BadInput(f"--python: expected a version such as 3.12, not {python[:50]!a}")
    major, minor = int(found[1]), int(found[2])
    full = f"{major}.{minor}{found[3] or '.0'}"
    names = IMPLEMENTATIONS[implementation]
    markers = {name: str(value) for name, value in default_environment().items()}
    markers |= platform_markers(platform) if platform else {}
    markers |= {
        "python_version": f"{major}.{minor}",
        "python_full_version": full,
        "implementation_version": full,
        "implementation_name": names[0],
        "platform_python_implementation": names[1],
    }
    tags = list(platform_tags()) if not platform else list(accepted_platforms(platform))
    where = f"on {platform}" if platform else "on this machine"
    ranks = {tag: rank for rank, tag in enumerate(target_tags(implementation, (major, minor), tags))}
    return Target(f"{names[1].replace('CPython', 'Python')} {python} {where}", full, markers, ranks)


def target_tags(implementation: str, version: tuple[int, int], platforms: list[str]) -> Iterator[Tag]:
    """Yield the tags that an interpreter accepts, the best first."""
    plain = f"{version[0]}{version[1]}"
    if implementation == "cp":
        own = cpython_tags(version, [f"cp{plain}"], platforms)
    else:
        own = generic_tags(f"{implementation}{plain}", [PYPY_ABI.format(*version)], platforms)
    return chain(own, compatible_tags(version, f"{implementation}{plain}", platforms))


def platform_markers(platform: str) -> dict[str, str]:
    """Return the markers that a platform tag decides.

    Raises:
        BadInput: it is not the tag of a platform.
    """
    unknown = {"platform_release": "", "platform_version": ""}
    if platform in WINDOWS_MACHINES:
        machine = WINDOWS_MACHINES[platform]
        return {
            "os_name": "nt",
            "sys_platform": "win32",
            "platform_system": "Windows",
            "platform_machine": machine,
        } | unknown
    if found := re.fullmatch(r"(?:manylinux(?:1|2010|2014|_\d+_\d+)|musllinux_\d+_\d+|linux)_([a-z0-9_]+)", platform):
        machine, systems = found[1], ("linux", "Linux")
    elif found := re.fullmatch(r"macosx_\d+_\d+_(arm64|x86_64)", platform):
        machine, systems = found[1], ("darwin", "Darwin")
    else:
        examples = "manylinux_2_28_x86_64, musllinux_1_2_x86_64, win_amd64 or macosx_14_0_arm64"
        raise BadInput(f"--platform: expected a platform tag such as {examples}, not {platform[:50]!a}")
    names = {"os_name": "posix", "sys_platform": systems[0], "platform_system": systems[1]}
    return names | {"platform_machine": machine} | unknown


def accepted_platforms(platform: str) -> Iterator[str]:
    """Yield the platform tags that a machine accepts for which ``platform`` is the best, as installers do."""
    if found := re.fullmatch(r"macosx_(\d+)_(\d+)_(arm64|x86_64)", platform):
        yield from mac_platforms((int(found[1]), int(found[2])), found[3])
    elif found := re.fullmatch(r"musllinux_(\d+)_(\d+)_(\w+)", platform):
        yield from (f"musllinux_{found[1]}_{minor}_{found[3]}" for minor in range(int(found[2]), -1, -1))
    elif found := re.fullmatch(r"(?:(manylinux(?:1|2010|2014))|manylinux_2_(\d+))_(\w+)", platform):
        newest = LEGACY_MANYLINUX[found[1]][1] if found[1] else int(found[2])
        legacy = {glibc[1]: name for name, glibc in LEGACY_MANYLINUX.items()}
        for minor in range(newest, OLDEST_MANYLINUX - 1, -1):
            yield f"manylinux_2_{minor}_{found[3]}"
            if minor in legacy:
                yield f"{legacy[minor]}_{found[3]}"
        yield f"linux_{found[3]}"
    else:
        yield platform


def this_implementation() -> str:
    """Return the abbreviation of the running Python's implementation, if it is one of the known ones."""
    return interpreter_name() if interpreter_name() in IMPLEMENTATIONS else "cp"
