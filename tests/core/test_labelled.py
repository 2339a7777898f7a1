"""Data sets of labelled faces on disk."""

from pathlib import Path

import pytest

from facecv.core.labelled import DataSet, data_sets


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a few names of each data set, and names that are none."""
    names = [
        *("utkface/31_0_2_x.jpg", "utkface/8_1_0_y.JPG", "utkface/odd.jpg", "utkface/9_3_1_z.jpg"),
        *("fer2013/happy/1.jpg", "fer2013/sad/2.png", "fer2013/readme.txt"),
        *("mask/with_mask/a.jpg", "mask/without_mask/b.jpg", "mask/else/c.jpg"),
        *("spoof/image_F1.jpg", "spoof/image_T2.jpg", "spoof/image_T2_result.jpg", "spoof/x.jpg"),
        "people/amy/1.jpg",
    ]
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def test_labels_are_read_from_names(folder: Path) -> None:
    found = {
        each.name: {picture.path.name: dict(picture.truth) for picture in each.pictures}
        for each in data_sets(folder)
    }
    assert found == {
        "utkface": {
            "31_0_2_x.jpg": {"age": 31.0, "gender": "male"},
            "8_1_0_y.JPG": {"age": 8.0, "gender": "female"},
        },
        "fer2013": {"1.jpg": {"emotion": "happy"}, "2.png": {"emotion": "sad"}},
        "mask": {"a.jpg": {"mask": "mask"}, "b.jpg": {"mask": "no_mask"}},
        "spoof": {"image_F1.jpg": {"liveness": "spoof"}, "image_T2.jpg": {"liveness": "live"}},
    }


def test_what_is_not_there_is_left_out(tmp_path: Path) -> None:
    assert list(data_sets(tmp_path)) == []


def test_sets_are_thinned_evenly(folder: Path) -> None:
    (utkface, *_) = data_sets(folder)
    many = DataSet("utkface", utkface.attributes, utkface.pictures * 50)
    assert len(many.thinned(10).pictures) == 10
    assert many.thinned(0) == many
    assert many.thinned(1000) == many


@pytest.mark.shared
def test_a_fifth_is_held_out_where_nano_was_trained(shared: Path) -> None:
    """The counts are those of its model card."""
    counts = {each.name: len(each.held_out().pictures) for each in data_sets(shared / "data")}
    assert counts["spoof"] == 3
    assert counts["fer2013"] == 1011
    assert 2735 <= counts["utkface"] <= 2850
    assert 343 <= counts["mask"] <= 420
