"""The gallery in SQLite keeps the promises of the port."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from facecv.adapters.galleries.sqlite import SqliteGallery
from facecv.core.ports.gallery_repo import GalleryRepo
from facecv.plugins.contracts.gallery_repo import GalleryRepoContract


class TestSqliteGallery(GalleryRepoContract):
    """The contract of galleries."""

    @pytest.fixture
    def gallery(self, tmp_path: Path) -> Iterator[GalleryRepo]:
        """Return an empty gallery in a new file."""
        gallery = SqliteGallery(tmp_path / "gallery.db")
        yield gallery
        gallery.close()
