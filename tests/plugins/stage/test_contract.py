"""The contract of package targets, for hosted indices on both databases."""

from __future__ import annotations

from wheelgate import Index
from wheelgate.packages import PackageTarget
from wheelgate.testing.package_targets import PackageTargetContract, Uploader


class TestStagePackages(PackageTargetContract):
    """The packages of hosted indices."""

    def test_a_new_version_leaves_the_list_of_projects(
        self, target: PackageTarget, index: Index, upload: Uploader
    ) -> None:
        """The rendered list of projects stays valid while users upload versions of known projects."""
        upload(index)
        before = target.stamp(index)
        upload(index, version="2.0")
        upload(index, version="2.0", number=1)

        assert target.stamp(index) == before
