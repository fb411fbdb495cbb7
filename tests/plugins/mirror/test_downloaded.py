"""What a plugin that indexes packages reads of a mirror: what was downloaded, without asking the upstream."""

from __future__ import annotations

from tests.helpers.distributions import sdist, wheel
from tests.helpers.upstream import Upstream
from tests.plugins.mirror.conftest import Mirror

OLD, NEW, OTHER = wheel("demo", "1.0"), sdist("demo", "2.0"), wheel("other", "1.0")


def test_only_downloaded_files_are_there_to_index(mirror: Mirror, upstream: Upstream) -> None:
    """Of a mirror, only projects and versions with downloaded files can be indexed, and the upstream is not asked."""
    packages, path = mirror.site.server.packages, mirror.path[1:]
    for dist in (OLD, NEW, OTHER):
        upstream.add(dist)
    mirror.page()
    before = packages.stamp(path), packages.stamp(path, "demo"), packages.projects(path)
    assert mirror.get(OLD).status == 200
    assert mirror.get(OLD, ".metadata").status == 200
    upstream.forget()

    assert before[2] == []
    assert packages.stamp(path) != before[0]
    assert packages.stamp(path, "demo") != before[1]
    assert packages.projects(path) == ["demo"]
    (release,) = packages.releases(path, "demo")
    assert (release.version, [file.name for file in release.files]) == ("1.0", [OLD.filename])
    assert packages.releases(path, "other") == []
    assert upstream.count() == 0
