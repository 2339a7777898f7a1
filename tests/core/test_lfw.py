"""Lists of pairs in the format of Labeled Faces in the Wild."""

import pytest

from facecv.core.errors import InputError
from facecv.core.lfw import Picture, PicturePair, pictures_of, read_pairs


def test_one_set_has_no_folds() -> None:
    pairs = read_pairs(["1", "Ann_Lee\t1\t3", "Ann_Lee\t1\tBo\t12", ""])
    ann = Picture("Ann_Lee", 1)
    assert pairs == [
        PicturePair(ann, Picture("Ann_Lee", 3)),
        PicturePair(ann, Picture("Bo", 12)),
    ]
    assert [pair.same for pair in pairs] == [True, False]
    assert pictures_of(pairs)[-1].path == "Bo/Bo_0012.jpg"
    assert len(pictures_of(pairs)) == 3


def test_folds_follow_one_another() -> None:
    fold = ["A 1 2", "B 1 2", "A 1 B 1", "A 2 B 2"]
    pairs = read_pairs(["3 2", *fold, *fold, *fold])
    assert [pair.fold for pair in pairs] == [0] * 4 + [1] * 4 + [2] * 4


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["A 1 2"],
        ["0"],
        ["1 2 3"],
        ["2", "A 1 2", "A 1 B 1"],
        ["1", "A 1 two", "A 1 B 1"],
        ["1", "A 1", "A 1 B 1"],
    ],
)
def test_other_formats_are_refused(lines: list[str]) -> None:
    with pytest.raises(InputError):
        read_pairs(lines)
