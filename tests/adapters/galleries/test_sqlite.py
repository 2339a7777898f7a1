"""The gallery in SQLite keeps the promises of the port."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from facecv.adapters.galleries.sqlite import SqliteGallery
from facecv.core.embedding import Embedding
from facecv.core.gallery import Match, SearchQuery
from facecv.core.ports.gallery_repo import GalleryRepo
from facecv.plugins.contracts.gallery_repo import GalleryRepoContract


class GraphGallery(SqliteGallery):
    """Puts all faces into a graph before each search."""

    def search(
        self, collection: str, probes: Sequence[Embedding], query: SearchQuery, /
    ) -> list[list[Match]]:
        self.prepare(collection)
        return super().search(collection, probes, query)


class TestSqliteGallery(GalleryRepoContract):
    """The contract of galleries."""

    @pytest.fixture
    def gallery(self, tmp_path: Path) -> Iterator[GalleryRepo]:
        """Return an empty gallery in a new file."""
        gallery = SqliteGallery(tmp_path / "gallery.db")
        yield gallery
        gallery.close()


class TestSqliteGraphGallery(GalleryRepoContract):
    """The contract of galleries, with a graph of all faces."""

    @pytest.fixture
    def gallery(self, tmp_path: Path) -> Iterator[GalleryRepo]:
        """Return an empty gallery in a new file."""
        gallery = GraphGallery(tmp_path / "gallery.db", graph_from=0)
        yield gallery
        gallery.close()
