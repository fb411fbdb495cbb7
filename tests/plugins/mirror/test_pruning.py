"""``devpi-server prune-mirror`` removes cached files that no client has used for a while."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from tests.helpers.commands import Outcome, Run
from tests.helpers.distributions import Distribution, wheel
from tests.helpers.postgres import PostgresServer
from tests.helpers.s3 import CREDENTIALS, ObjectStore
from tests.helpers.sites import Serve
from tests.helpers.upload_forms import address, upload
from tests.helpers.upstream import Upstream
from tests.plugins.mirror.conftest import Mirror

from wheelgate.packages import StoredFile
from wheelgate.testing.site import Site

OLD, OTHER, HOSTED = wheel("old", size=400_000), wheel("other", size=20_000), wheel("hosted", size=50_000)
PLACES = ["folder", *(pytest.param(name, marks=pytest.mark.slow) for name in ("bucket", "postgresql"))]


@pytest.fixture(params=PLACES)
def options(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return the settings of a server, by where it has its files and its database."""
    if request.param == "bucket":
        store: ObjectStore = request.getfixturevalue("object_store")
        for name, value in CREDENTIALS.items():
            monkeypatch.setenv(name, value)
        return {"files": f"s3://{store.bucket()}/some/prefix", "files_endpoint": store.url}
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        return {"database": server.new_database()}
    return {}


def filled(site: Site, upstream: Upstream) -> Mirror:
    """Return a mirror with three cached files, one of which is hosted too."""
    alice = site.add_user("alice")
    assert site.request("PUT", "/alice/dev", {}, auth=alice).status == 200
    assert upload(site, "alice/dev", HOSTED, alice).status == 200
    mirror = Mirror(site, "/root/company", mirror_url=upstream.url)
    for dist in (OLD, OTHER, HOSTED):
        upstream.add(dist)
        assert mirror.get(dist).status == 200
    return mirror


def age(site: Site, days: int, dists: Iterable[Distribution] = (OLD, OTHER, HOSTED)) -> None:
    """Move the last uses of files back, which no request could do."""
    with site.server.database.transaction():
        for dist in dists:
            site.server.database.write("UPDATE mirror_file SET used = used - ? WHERE path = ?", (days, address(dist)))


def prune(run: Run, site: Site, *arguments: str) -> Outcome:
    """Run the command for a site."""
    given = {key: site.config[key] for key in ("database", "files", "files-endpoint") if site.config[key]}
    flags = [f"--{key}={value}" for key, value in {"serverdir": str(site.config.serverdir), **given}.items()]
    return run("prune-mirror", *arguments, *flags)


def is_stored(site: Site, dist: Distribution) -> bool:
    """Return whether the content of a file is in the store."""
    return site.server.files.backend.size(StoredFile(dist.sha256, len(dist.content)).sha256) is not None


def test_unused_files_are_removed(
    run: Run,
    serve: Serve,
    options: dict[str, str],
    upstream: Upstream,
) -> None:
    """Beside a running server, the command first says what it would free, then removes unused cached files only."""
    site = serve(**options)
    mirror = filled(site, upstream)
    age(site, 100, (OLD, HOSTED))

    said, cached = prune(run, site, "--unused", "90d"), [is_stored(site, each) for each in (OLD, OTHER, HOSTED)]
    done, kept = prune(run, site, "--unused", "90d", "--yes"), [is_stored(site, each) for each in (OLD, OTHER, HOSTED)]

    size, heading = f"{len(OLD.content) / 1000:.1f} kB", "root/company: 2 files unused for 90 days\n"
    again = "nothing was removed: repeat the command with --yes"
    assert (said.code, said.err, said.out) == (0, "", f"{heading}removing them would free {size}; {again}\n")
    assert (done.code, done.err, done.out) == (0, "", f"{heading}2 files removed, {size} freed\n")
    assert (cached, kept) == ([True, True, True], [False, True, True])
    assert site.request("GET", f"/alice/dev/{address(HOSTED)}").content == HOSTED.content
    assert mirror.get(OLD).content == OLD.content
    assert [upstream.count(upstream.file_path(each)) for each in (OLD, OTHER, HOSTED)] == [2, 1, 1]
    assert prune(run, site, "--unused", "90d", "--yes").out == "no cached file is unused for 90 days\n"


@pytest.mark.parametrize("days", [1, 6, 7, 100])
def test_a_use_is_recorded(run: Run, serve: Serve, upstream: Upstream, days: int) -> None:
    """A file that is sent again is in use; after a week without a use, that is recorded before it is sent."""
    site = serve()
    mirror = filled(site, upstream)
    age(site, days)
    assert mirror.get(OLD).status == 200

    if days < 7:
        site.server.deferred.close()  # as when the server ends, instead of waiting some seconds
        age(site, 7 - days)
    printed = prune(run, site, "--unused", "7d", "--yes")

    assert printed.out.startswith("root/company: 2 files unused for 7 days\n")
    assert [is_stored(site, each) for each in (OLD, OTHER, HOSTED)] == [True, False, True]


def test_a_file_that_is_being_sent_is_safe(run: Run, serve: Serve, upstream: Upstream) -> None:
    """A reader that has opened a file reads it to its end, and the next request downloads it again."""
    site = serve()
    mirror = filled(site, upstream)
    with site.server.files.open(StoredFile(OLD.sha256, len(OLD.content))) as opened:
        opened.read(10)
        age(site, 100)
        assert prune(run, site, "--unused", "90d", "--yes").code == 0
        assert not is_stored(site, OLD)
        opened.seek(0)
        assert opened.read() == OLD.content

    assert mirror.get(OLD).content == OLD.content


NO_TIME = "argument --unused: expected a time span such as 36000, 30m, 10h, 7d or 2w, not 'long'"


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--unused", "long"], 2, NO_TIME),
        (["--unused", "6d"], 2, "argument --unused: expected at least 7d, not '6d'"),
        (["--unused", "90d", "alice/dev"], 1, "there is no mirror 'alice/dev' on this server; nothing was removed"),
        (
            ["--unused", "90d", "--yes", "root/no"],
            1,
            "there is no mirror 'root/no' on this server; nothing was removed",
        ),
    ],
    ids=["no time", "less than a week", "another type", "no index"],
)
def test_what_is_refused(
    run: Run, serve: Serve, upstream: Upstream, arguments: list[str], code: int, sentence: str
) -> None:
    """The command refuses a time that is none or too short, and an index that is no mirror, and removes nothing."""
    site = serve()
    filled(site, upstream)
    age(site, 100)

    refused = prune(run, site, *arguments)

    assert (refused.code, refused.out, refused.err.count("\n")) == (code, "", 1)
    assert refused.err.startswith(f"devpi-server: {sentence}")
    assert all(is_stored(site, each) for each in (OLD, OTHER, HOSTED))


def test_only_the_named_mirrors_are_pruned(run: Run, serve: Serve, upstream: Upstream) -> None:
    """Files of mirrors that the command does not name stay."""
    site = serve()
    filled(site, upstream)
    second = Mirror(site, "/root/second", mirror_url=upstream.url)
    assert second.get(OTHER).status == 200
    age(site, 100)

    printed = prune(run, site, "--unused", "90d", "--yes", "root/second")

    assert printed.out == "root/second: 1 file unused for 90 days\n1 file removed, 0 bytes freed\n"
    assert all(is_stored(site, each) for each in (OLD, OTHER, HOSTED))
