"""Hosted indices keep every promise of the protocol, on both databases."""

from __future__ import annotations

from wheelgate import Index
from wheelgate.packages import PackageTarget
from wheelgate.testing.packages import PackageTargetContract, Uploader


class TestStagePackages(PackageTargetContract):
    """The packages of hosted indices."""

    def test_a_new_version_leaves_the_list_as_it_is(
        self, target: PackageTarget, index: Index, upload: Uploader
    ) -> None:
        """While people upload versions of what is there, the rendered list of projects stays good."""
        upload(index)
        before = target.stamp(index)
        upload(index, version="2.0")
        upload(index, version="2.0", number=1)

        assert target.stamp(index) == before
