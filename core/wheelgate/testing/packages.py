"""What :class:`wheelgate.packages.PackageTarget` promises, as tests for any index type that takes uploads.

Subclass, and say by fixtures how the target is made and what it takes::

    class TestCorpPackages(PackageTargetContract):
        @pytest.fixture
        def server(self, tmp_path: Path) -> Iterator[Server]:
            with Site(tmp_path / "server", extra={"corp": wheelgate_corp}) as site:
                yield site.server

        @pytest.fixture
        def target(self, server: Server) -> PackageTarget:
            return CorpPackages(server)

        @pytest.fixture
        def make(self) -> Make:
            return ...  # (project, version, number) -> form and content; another number is another file of that name

Every test needs a server without packages. The indices are made in its store, with the keys ``volatile`` alone.
"""

from __future__ import annotations

from wheelgate.testing.package_changes import ChangeContract
from wheelgate.testing.package_kit import Make, Uploader
from wheelgate.testing.package_pushes import PushContract
from wheelgate.testing.package_uploads import UploadContract

__all__ = ["Make", "PackageTargetContract", "Uploader"]


class PackageTargetContract(UploadContract, ChangeContract, PushContract):
    """What an index type that takes uploads promises."""
