"""Data sets of labelled faces, as people keep them on disk: which picture shows what.

Known are UTKFace (``utkface/AGE_GENDER_*.jpg``, gender 0 male, 1 female), FER2013
(``fer2013/EMOTION/*``), masks (``mask/with_mask/*``, ``mask/without_mask/*``) and spoofs
(``spoof/image_F*`` are spoofs, ``spoof/image_T*`` live).
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import attrs

Truth = Mapping[str, str | float]
"""Attribute name to what is right: a class, or a number."""

_PICTURES = frozenset({".jpg", ".jpeg", ".png"})
_UTKFACE = re.compile(r"(\d+)_([01])_")
_MASKS = {"with_mask": "mask", "without_mask": "no_mask"}
_SPOOFS = {"F": "spoof", "T": "live"}


@attrs.frozen
class LabelledPicture:
    """A picture of one face, and what is known about it."""

    path: Path
    truth: Truth


@attrs.frozen
class DataSet:
    """A data set.

    Attributes:
        name: of its folder.
        attributes: what is known about its faces.
        pictures: in the order of their paths.
        filled: whether the face fills the picture, so that detectors need a border around it.
    """

    name: str
    attributes: frozenset[str]
    pictures: tuple[LabelledPicture, ...]
    filled: bool = False

    def held_out(self) -> "DataSet":
        """Return the fifth that the pack nano was not trained on (all of a set of other faces)."""
        if self.name not in _TRAINED_ON:
            return self
        kept = tuple(each for each in self.pictures if _is_held_out(self.name, each.path.name))
        return attrs.evolve(self, pictures=kept)

    def thinned(self, count: int) -> "DataSet":
        """Return about `count` of the pictures, evenly spread; 0: all."""
        step = max(1, len(self.pictures) // count) if count else 1
        return attrs.evolve(self, pictures=self.pictures[::step][: count or None])


_TRAINED_ON = frozenset({"utkface", "fer2013", "mask"})


def data_sets(folder: Path) -> Iterator[DataSet]:
    """Yield the known data sets that lie in `folder`."""
    kinds: tuple[tuple[str, frozenset[str], Callable[[Path], Truth | None], bool], ...] = (
        ("utkface", frozenset({"age", "gender"}), _utkface, True),
        ("fer2013", frozenset({"emotion"}), lambda path: {"emotion": path.parent.name}, True),
        ("mask", frozenset({"mask"}), _mask, False),
        ("spoof", frozenset({"liveness"}), _spoof, False),
    )
    for name, attributes, label, filled in kinds:
        found = tuple(_labelled(folder / name, label))
        if found:
            yield DataSet(name, attributes, found, filled)


def _labelled(folder: Path, label: Callable[[Path], Truth | None]) -> Iterator[LabelledPicture]:
    for path in sorted(folder.rglob("*")):
        truth = label(path) if path.suffix.lower() in _PICTURES else None
        if truth is not None:
            yield LabelledPicture(path, truth)


def _utkface(path: Path) -> Truth | None:
    found = _UTKFACE.match(path.name)
    if found is None:
        return None
    return {"age": float(found[1]), "gender": ("male", "female")[int(found[2])]}


def _mask(path: Path) -> Truth | None:
    value = _MASKS.get(path.parent.name)
    return {"mask": value} if value else None


def _spoof(path: Path) -> Truth | None:
    kind = path.stem.removeprefix("image_")[:1]
    if not path.stem.startswith("image_") or path.stem.endswith("_result") or kind not in _SPOOFS:
        return None
    return {"liveness": _SPOOFS[kind]}


def _is_held_out(source: str, name: str) -> bool:
    """Return whether the training recipes of nano leave a picture out; see its model card."""
    return hashlib.sha256(f"1:{source}/{name}".encode()).digest()[0] % 5 == 0
