"""Contract tests for every :class:`~wheelgate.packages.PackageTarget`: an index type that accepts uploads.

Subclass the contract, and return a server, your target and a maker of uploads from three fixtures::

    class TestCorpPackages(PackageTargetContract):
        @pytest.fixture
        def server(self, tmp_path: Path) -> Iterator[Server]:
            with Site(tmp_path / "server", extra={"corp": wheelgate_corp}) as site:
                yield site.server

        @pytest.fixture
        def target(self, server: Server) -> PackageTarget:
            return CorpPackages(server)

        @pytest.fixture
        def make_upload(self) -> MakeUpload:
            return ...  # a function of project, version and number that returns a form and the content of a file

Every test needs a server without packages. The tests create indices in its store, with the key ``volatile`` alone.
"""

from __future__ import annotations

from wheelgate.testing.package_changes import ChangeContract
from wheelgate.testing.package_fixtures import MakeUpload, Uploader
from wheelgate.testing.package_pushes import PushContract
from wheelgate.testing.package_uploads import UploadContract

__all__ = ["MakeUpload", "PackageTargetContract", "Uploader"]


class PackageTargetContract(UploadContract, ChangeContract, PushContract):
    """The tests that every package target passes."""
