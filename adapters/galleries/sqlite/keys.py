"""Which key a gallery is encrypted with, and changing it."""

from collections.abc import Iterator
from pathlib import Path

from sqlite_utils import Database

from facecv.adapters.galleries.sqlite.aes_gcm import AesGcmSeal
from facecv.adapters.galleries.sqlite.rows import crop_label, vector_label
from facecv.adapters.galleries.sqlite.seal import NoSeal, Seal
from facecv.core.errors import GalleryKeyError

_LABEL = b"proof"
_CONTENT = b"facecv gallery"
_PAGE = 1000
_HINT = "see key_file and key_variable in [galleries.sqlite]"


def seal_of(key: bytes | None) -> Seal:
    """Return what encrypts with a key; None: nothing is encrypted."""
    return NoSeal() if key is None else AesGcmSeal(key)


def check_seal(db: Database, path: Path, seal: Seal) -> bytes:
    """Return the proof that a gallery is encrypted with `seal`; empty if it is not encrypted.

    An empty gallery is encrypted from now on. To be called in a transaction.

    Raises:
        GalleryKeyError: the gallery is encrypted with another key, or it is encrypted and `seal`
            does not encrypt, or the other way round.
    """
    proof = stored_proof(db)
    if not seal.secret and proof:
        raise GalleryKeyError(f"{path} is encrypted, and no key was given", hint=_HINT)
    if seal.secret and not proof:
        if db.execute("SELECT EXISTS (SELECT 1 FROM faces)").fetchone()[0]:
            raise GalleryKeyError(
                f"{path} is not encrypted, but a key was given",
                hint="encrypt it, without the key in the settings: facecv gallery rotate-key",
            )
        return _store_proof(db, seal)
    if proof:
        _check_proof(seal, proof, path)
    return proof


def stored_proof(db: Database) -> bytes:
    """Return what tells one key from another; empty if the gallery is not encrypted."""
    found = db.conn.execute("SELECT proof FROM seal").fetchone()
    return bytes(found[0]) if found else b""


def reseal(db: Database, old: Seal, new: Seal) -> bytes:
    """Encrypt all vectors and crops anew, and return the new proof. Part of a transaction."""
    for page in _pages(db):
        db.conn.executemany(
            "UPDATE faces SET vector = ?, crop = ? WHERE key = ?",
            [
                (
                    _changed(vector, vector_label(face_id), old, new),
                    None if crop is None else _changed(crop, crop_label(face_id), old, new),
                    key,
                )
                for key, face_id, vector, crop in page
            ],
        )
    db.execute("DELETE FROM graphs")
    db.execute("DELETE FROM seal")
    return _store_proof(db, new) if new.secret else b""


def _changed(content: bytes, label: bytes, old: Seal, new: Seal) -> bytes:
    return new.close(old.open(content, label), label)


def _pages(db: Database) -> Iterator[list[tuple[int, str, bytes, bytes | None]]]:
    last = 0
    while page := db.execute(
        "SELECT key, id, vector, crop FROM faces WHERE key > ? ORDER BY key LIMIT ?", [last, _PAGE]
    ).fetchall():
        yield page
        last = page[-1][0]


def _store_proof(db: Database, seal: Seal) -> bytes:
    proof = seal.close(_CONTENT, _LABEL)
    db.conn.execute("INSERT INTO seal VALUES (1, ?)", [proof])
    return proof


def _check_proof(seal: Seal, proof: bytes, path: Path) -> None:
    try:
        seal.open(proof, _LABEL)
    except GalleryKeyError as error:
        raise GalleryKeyError(f"{path} is encrypted with another key", hint=_HINT) from error
