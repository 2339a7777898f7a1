"""The gallery in memory keeps the promises of the port."""

from collections.abc import Sequence

import pytest

from facecv.adapters.galleries.memory import MemoryGallery
from facecv.core.embedding import Embedding
from facecv.core.gallery import Match, SearchQuery
from facecv.core.ports.gallery_repo import GalleryRepo
from facecv.plugins.contracts.gallery_repo import GalleryRepoContract


class GraphGallery(MemoryGallery):
    """Puts all faces into a graph before each search."""

    def search(
        self, collection: str, probes: Sequence[Embedding], query: SearchQuery, /
    ) -> list[list[Match]]:
        self.prepare(collection)
        return super().search(collection, probes, query)


class TestMemoryGallery(GalleryRepoContract):
    """The contract of galleries."""

    @pytest.fixture
    def gallery(self) -> GalleryRepo:
        """Return an empty gallery."""
        return MemoryGallery()


class TestMemoryGraphGallery(GalleryRepoContract):
    """The contract of galleries, with a graph of all faces."""

    @pytest.fixture
    def gallery(self) -> GalleryRepo:
        """Return an empty gallery."""
        return GraphGallery(graph_from=0)
