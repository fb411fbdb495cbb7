"""Random servers: exported, imported and exported again, they are the same."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.core.moving.test_export import tree
from tests.helpers.commands import CHEAPLY, Run
from tests.helpers.distributions import Distribution, sdist, wheel
from tests.helpers.exports import Export, argon2i, argon2id, salted_sha256

SERVERS = 6
"""Random servers of one run; each is imported and exported twice."""
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
HASHES: list[dict[str, str | None]] = [
    {"pwhash": argon2id("a")},
    {"pwhash": argon2i("b")},
    {**salted_sha256("c")},
    {"pwhash": None},
]
PROJECTS = ["hello", "with-dash", "a1"]
VERSIONS = ["1.0", "1.0.post1", "2!1.0+local.1"]
NAMES = ["alice", "Bob", "größe", "ada.b-c_d@x", "x"]


@dataclass(frozen=True)
class RandomFile:
    """A file of a random server."""

    made: Distribution
    log: list[dict[str, Any]]
    mapping: dict[str, Any]


@st.composite
def files(draw: st.DrawFn, path: str) -> RandomFile:
    """Draw a file: a wheel, an sdist, or a legacy one."""
    project, version = draw(st.sampled_from(PROJECTS)), draw(st.sampled_from(VERSIONS[:2]))
    kind = draw(st.sampled_from(["wheel", "sdist", "egg"]))
    if kind == "egg":
        made = Distribution(f"{project}-{version}-py2.7.egg", b"no archive", b"", project, version)
    else:
        made = (wheel if kind == "wheel" else sdist)(project, version, seed=draw(st.integers(0, 2)))
    who = draw(st.sampled_from([*NAMES, None]))
    year = draw(st.integers(1990, 2030))
    log: list[dict[str, Any]] = [{"what": "upload", "who": who, "when": [year, 2, 3, 4, 5, 6], "dst": path}]
    if draw(st.booleans()):
        log.append({"what": "overwrite", "who": None, "when": [year + 1, 1, 1, 1, 1, 1], "count": 3})
    return RandomFile(made, log, {"last_modified": f"Sat, 03 Feb {year} 04:05:06 GMT"})


@st.composite
def servers(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the users, indices and files of a server."""
    users = {
        name: {
            **draw(st.sampled_from(HASHES)),
            **draw(st.fixed_dictionaries({}, optional={"email": TEXT, "title": TEXT, "custom_data": JSON})),
        }
        for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    }
    indices: dict[str, Any] = {}
    for path in draw(
        st.lists(st.sampled_from([f"{user}/{name}" for user in users for name in ("dev", "p")]), unique=True)
    ):
        optional = {"title": TEXT, "custom_data": JSON.filter(lambda value: value is not None)}
        config: dict[str, Any] = {**draw(st.fixed_dictionaries({}, optional=optional)), "volatile": draw(st.booleans())}
        bases = draw(st.lists(st.sampled_from(sorted(indices) or [path]), unique=True))
        config["bases"] = [base for base in bases if base != path]
        config["acl_upload"] = draw(st.lists(st.sampled_from([*users, ":team", ":ANONYMOUS:"]), unique=True))
        indices[path] = (config, draw(st.lists(files(path), max_size=4)), draw(st.booleans()))
    return {"users": users, "indices": indices}


def written(drawn: dict[str, Any], folder: Path) -> Path:
    """Write a random server as an export of devpi."""
    export = Export(folder)
    for name, fields in drawn["users"].items():
        export.user(name, **fields)
    for path, (config, made, registered) in drawn["indices"].items():
        export.index(path, **config)
        names = set()
        for file in made:
            if (file.made.filename, file.made.version) not in names:
                names.add((file.made.filename, file.made.version))
                export.file(path, file.made, log=file.log, mapping=file.mapping)
        if registered:
            export.version(path, "registered", VERSIONS[2], summary="only", keywords="größe")
    return export.write()


@pytest.mark.slow
@pytest.mark.timeout(600)
@settings(
    max_examples=SERVERS,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(drawn=servers())
def test_a_random_server_stays_the_same(run: Run, drawn: dict[str, Any]) -> None:
    """Whatever a server has, an export of it, imported and exported again, is the same."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = written(drawn, folder / "devpi")
        exports = []
        for turn in ("first", "second"):
            server, target = folder / f"{turn} server", folder / turn
            done = run("import", str(source), "--serverdir", str(server), *CHEAPLY)
            assert (done.code, done.err) == (0, ""), done
            assert run("export", str(target), "--serverdir", str(server), *CHEAPLY).code == 0
            exports.append(tree(target))
            source = target

    assert exports[0] == exports[1]
