"""Galleries whose vectors and crops are encrypted on the disk."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from facecv.adapters.galleries.sqlite import SqliteGallery
from facecv.core.arrays import Pixels
from facecv.core.errors import GalleryKeyError
from facecv.core.gallery import Collection, SearchQuery
from facecv.core.ports.gallery_repo import GalleryRepo
from facecv.plugins.contracts.gallery.examples import SPACE, TEAM, embedding, enrol, face
from facecv.plugins.contracts.gallery_repo import GalleryRepoContract

pytest.importorskip("cryptography")
KEY, OTHER = bytes(range(32)), bytes(range(1, 33))


class TestEncryptedGallery(GalleryRepoContract):
    """The contract of galleries."""

    @pytest.fixture
    def gallery(self, tmp_path: Path) -> Iterator[GalleryRepo]:
        """Return an empty gallery in a new file, encrypted."""
        gallery = SqliteGallery(tmp_path / "gallery.db", key=KEY)
        yield gallery
        gallery.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gallery.db"


@pytest.fixture
def crop() -> Pixels:
    return np.random.default_rng(0).integers(0, 256, (112, 112, 3), np.uint8)


def filled(path: Path, key: bytes | None, crop: Pixels) -> None:
    """Make a gallery of one face."""
    with closing(SqliteGallery(path, key=key)) as gallery:
        gallery.create_collection(Collection("team", SPACE, store_crops=True))
        enrol(gallery, "ann", face(3, 4, 12, id="f", crop=crop))


def on_disk(path: Path) -> bytes:
    """Return all bytes of the gallery's files."""
    return b"".join(file.read_bytes() for file in path.parent.rglob("*") if file.is_file())


def kept(path: Path, key: bytes | None, crop: Pixels) -> bool:
    """Return whether the face is read and found as it was enrolled."""
    with closing(SqliteGallery(path, key=key)) as gallery:
        [(_, found)] = gallery.faces("team")
        [[match]] = gallery.search("team", [embedding(3, 4, 12)], SearchQuery())
        same = found.embedding == embedding(3, 4, 12) and np.array_equal(found.crop, crop)  # type: ignore[arg-type]
        return same and match.similarity == 1.0


VECTOR = embedding(3, 4, 12).vector.tobytes()
PNG = b"\x89PNG"


def test_vectors_and_crops_are_nowhere_on_the_disk(path: Path, crop: Pixels) -> None:
    filled(path, KEY, crop)
    assert VECTOR not in on_disk(path)
    assert PNG not in on_disk(path)
    assert kept(path, KEY, crop)


@pytest.mark.parametrize("key", [OTHER, None])
def test_a_wrong_key_is_an_error_when_the_gallery_is_opened(
    path: Path, crop: Pixels, key: bytes | None
) -> None:
    filled(path, KEY, crop)
    with pytest.raises(GalleryKeyError, match="encrypted") as caught:
        SqliteGallery(path, key=key)
    assert "key_file" in caught.value.hint


def test_a_key_does_not_fit_a_gallery_of_plain_faces(path: Path, crop: Pixels) -> None:
    filled(path, None, crop)
    with pytest.raises(GalleryKeyError, match="not encrypted") as caught:
        SqliteGallery(path, key=KEY)
    assert "rotate-key" in caught.value.hint


@pytest.mark.parametrize(("old", "new"), [(KEY, OTHER), (None, KEY), (KEY, None)])
def test_the_key_is_changed(path: Path, crop: Pixels, old: bytes | None, new: bytes | None) -> None:
    filled(path, old, crop)
    with closing(SqliteGallery(path, key=old)) as gallery:
        gallery.rotate_key(new)
        enrol(gallery, "bob", face(0, 1))
    with pytest.raises(GalleryKeyError):
        SqliteGallery(path, key=old)
    assert (VECTOR in on_disk(path)) == (PNG in on_disk(path)) == (new is None)
    with closing(SqliteGallery(path, key=new)) as gallery:
        gallery.delete_person("team", "bob")
    assert kept(path, new, crop)


def test_graphs_of_plain_vectors_go_when_they_are_encrypted(path: Path, crop: Pixels) -> None:
    filled(path, None, crop)
    with closing(SqliteGallery(path, graph_from=0)) as gallery:
        gallery.prepare("team")
        assert list(path.parent.rglob("*.usearch"))
        gallery.rotate_key(KEY)
        assert not list(path.parent.rglob("*.usearch"))


def test_the_graph_of_an_encrypted_gallery_is_in_memory_only(path: Path, crop: Pixels) -> None:
    filled(path, KEY, crop)
    with closing(SqliteGallery(path, graph_from=0, key=KEY)) as gallery:
        for number in range(3):  # the second and third graph grow out of the ones before
            gallery.prepare("team")
            [[match, *_]] = gallery.search("team", [embedding(3, 4, 12)], SearchQuery())
            assert match.person.id == "ann"
            enrol(gallery, f"{number}", face(0, number, 1))
    assert not list(path.parent.rglob("*.usearch"))


def test_a_program_with_the_old_key_writes_nothing_more(path: Path, crop: Pixels) -> None:
    filled(path, KEY, crop)
    with closing(SqliteGallery(path, key=KEY)) as one, closing(SqliteGallery(path, key=KEY)) as two:
        two.rotate_key(OTHER)
        with pytest.raises(GalleryKeyError, match="changed"):
            enrol(one, "bob", face(1))
        with pytest.raises(GalleryKeyError, match="another key"):
            list(one.faces("team"))


def _swap(path: Path) -> None:
    _execute(path, "UPDATE faces SET vector = (SELECT vector FROM faces f WHERE f.id <> faces.id)")


def _flip(path: Path) -> None:
    _execute(path, "UPDATE faces SET vector = CAST(x'00' || vector AS BLOB)")


def _cut(path: Path) -> None:
    _execute(path, "UPDATE faces SET vector = x'00'")


@pytest.mark.parametrize("spoil", [_swap, _flip, _cut])
def test_what_was_tampered_with_is_not_believed(
    path: Path, crop: Pixels, spoil: Callable[[Path], None]
) -> None:
    filled(path, KEY, crop)
    with closing(SqliteGallery(path, key=KEY)) as gallery:
        enrol(gallery, "bob", face(0, 1, id="g"))
    spoil(path)
    with (
        closing(SqliteGallery(path, key=KEY)) as gallery,
        pytest.raises(GalleryKeyError, match="damaged"),
    ):
        gallery.search("team", [embedding(1)], SearchQuery())


def test_the_first_to_open_an_empty_gallery_with_a_key_encrypts_it(path: Path) -> None:
    with closing(SqliteGallery(path)) as plain, closing(SqliteGallery(path, key=KEY)):
        plain.create_collection(TEAM)
        with pytest.raises(GalleryKeyError, match="changed"):
            enrol(plain, "ann", face(1))


def _execute(path: Path, statement: str) -> None:
    import sqlite3

    with closing(sqlite3.connect(path)) as conn:
        conn.execute(statement)
        conn.commit()
