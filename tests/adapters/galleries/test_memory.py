"""The gallery in memory keeps the promises of the port."""

import pytest

from facecv.adapters.galleries.memory import MemoryGallery
from facecv.core.ports.gallery_repo import GalleryRepo
from facecv.plugins.contracts.gallery_repo import GalleryRepoContract


class TestMemoryGallery(GalleryRepoContract):
    """The contract of galleries."""

    @pytest.fixture
    def gallery(self) -> GalleryRepo:
        """Return an empty gallery."""
        return MemoryGallery()
