"""Lists of pairs in the format of Labeled Faces in the Wild (``pairs.txt``).

The first line says how many pairs there are: ``500`` (500 of one person, then 500 of two) or
``10  300`` (ten folds, each of 300 and 300). A pair of one person is ``NAME  1  4``, a pair of two
``NAME  1  OTHER  2``. Picture 4 of NAME is the file ``NAME/NAME_0004.jpg``.
"""

from collections.abc import Iterable, Sequence

import attrs

from facecv.core.errors import InputError


@attrs.frozen
class Picture:
    """A picture of the collection."""

    person: str
    number: int

    @property
    def path(self) -> str:
        """Where it is, relative to the folder of pictures."""
        return f"{self.person}/{self.person}_{self.number:04d}.jpg"


@attrs.frozen
class PicturePair:
    """Two pictures to compare.

    Attributes:
        one: a picture.
        other: another.
        fold: 0, 1, …; None where the list has one set only.
    """

    one: Picture
    other: Picture
    fold: int | None = None

    @property
    def same(self) -> bool:
        """Whether both show one person."""
        return self.one.person == self.other.person


def read_pairs(lines: Iterable[str], /) -> list[PicturePair]:
    """Return the pairs that a list describes.

    Raises:
        InputError: the list has another format, or another length than it says.
    """
    rows = [(number, line.split()) for number, line in enumerate(lines, 1) if line.strip()]
    if not rows:
        raise InputError("a list of pairs is empty")
    folds, size = _header(rows[0][1])
    if len(rows) - 1 != (folds or 1) * 2 * size:
        raise InputError(
            f"a list of pairs holds {len(rows) - 1}, but its first line says otherwise"
        )
    return [
        _pair(number, fields, index // (2 * size) if folds else None)
        for index, (number, fields) in enumerate(rows[1:])
    ]


def pictures_of(pairs: Sequence[PicturePair], /) -> list[Picture]:
    """Return the pictures of all pairs, each once, in order of appearance."""
    return list(dict.fromkeys(picture for pair in pairs for picture in (pair.one, pair.other)))


def _header(fields: Sequence[str]) -> tuple[int | None, int]:
    """Return the number of folds (None: one set) and of pairs of each kind in each."""
    if not all(field.isdecimal() and int(field) > 0 for field in fields) or len(fields) > 2:
        raise InputError(
            f"a list of pairs begins with {' '.join(fields)!r}",
            hint="its first line is the number of pairs, or of folds and pairs: '500', '10 300'",
        )
    *folds, size = map(int, fields)
    return (folds[0] if folds else None), size


def _pair(number: int, fields: Sequence[str], fold: int | None) -> PicturePair:
    try:
        if len(fields) == 3:
            person, one, other = fields
            return PicturePair(Picture(person, int(one)), Picture(person, int(other)), fold)
        first, one, second, other = fields
        return PicturePair(Picture(first, int(one)), Picture(second, int(other)), fold)
    except ValueError as error:
        raise InputError(f"line {number} is not a pair: {' '.join(fields)!r}") from error
