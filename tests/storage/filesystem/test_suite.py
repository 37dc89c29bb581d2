"""The filesystem store keeps every promise of the public suite."""

from pathlib import Path

import pytest

from imagegallery.clock import utc_now
from imagegallery.storage.filesystem.store import FilesystemStore
from imagegallery.storage.signatures import UrlSigner
from imagegallery.testing.storage import ObjectStoreSuite


class TestFilesystemStore(ObjectStoreSuite):
    @pytest.fixture(autouse=True)
    def _root(self, tmp_path: Path) -> None:
        self.root = tmp_path

    async def make_store(self) -> FilesystemStore:
        return FilesystemStore(self.root / "objects", UrlSigner(b"a secret of the tests", utc_now))
