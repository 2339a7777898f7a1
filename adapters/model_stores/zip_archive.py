"""Taking the files of a pack out of a zip archive that nobody vouches for."""

import contextlib
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from facecv.adapters.model_stores.files import writing
from facecv.core.errors import IntegrityError, ModelError

_CHUNK = 1 << 18
_LARGEST = 4 << 30


@contextlib.contextmanager
def open_archive(path: Path, /) -> Iterator[zipfile.ZipFile]:
    """Return the archive, all of whose members lie inside it.

    Raises:
        IntegrityError: it is damaged, or not a zip archive.
        ModelError: a member would be written outside of the folder, or is a link.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                _check_member(path, member)
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise IntegrityError(f"{path.name} is not a sound zip archive: {error}") from error
    except (NotImplementedError, RuntimeError) as error:  # a password, an unknown compression
        raise ModelError(f"{path.name} cannot be unpacked: {error}") from error


def find_member(archive: zipfile.ZipFile, file: str, /) -> zipfile.ZipInfo | None:
    """Return the member `file`, which may lie in one folder of any name; None if there is none.

    Raises:
        ModelError: more than one member could be meant.
    """
    members = [member for member in archive.infolist() if not member.is_dir()]
    exact = [member for member in members if PurePosixPath(member.filename) == PurePosixPath(file)]
    nested = [
        member
        for member in members
        if PurePosixPath(*PurePosixPath(member.filename).parts[1:]) == PurePosixPath(file)
    ]
    found = exact or nested
    if len(found) > 1:
        names = " and ".join(member.filename for member in found)
        raise ModelError(f"the archive holds {file!r} more than once: {names}")
    return found[0] if found else None


def extract(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, /, size: int = 0
) -> None:
    """Write a member to `target`.

    Args:
        archive: as `open_archive` returned it.
        member: what to write.
        target: the file to write.
        size: the bytes it should have; 0: not known.

    Raises:
        IntegrityError: it has another size.
        ModelError: the disk cannot take it.
    """
    limit = size or _LARGEST
    done = 0
    with writing(target), archive.open(member) as source, target.open("wb") as file:
        while chunk := source.read(_CHUNK):
            done += len(chunk)
            # The header may lie about the size: a bomb is noticed while it unfolds.
            if done > limit:
                break
            file.write(chunk)
    if done > limit or (size and done != size):
        target.unlink()
        got = "more" if done > limit else str(done)
        raise IntegrityError(f"{member.filename} should have {limit} bytes, got {got}")


def _check_member(path: Path, member: zipfile.ZipInfo) -> None:
    name = member.orig_filename
    parts = PurePosixPath(name).parts
    outside = name.startswith("/") or ".." in parts or "\\" in name or ":" in name or "\0" in name
    if outside or stat.S_ISLNK(member.external_attr >> 16):
        raise ModelError(
            f"{path.name} is refused: its member {name!r} is a link or leads out of the archive",
            hint="this archive was not made in good faith; get it from its publisher",
        )
