"""Export and import of galleries."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facecv.adapters.galleries.memory import MemoryGallery
from facecv.adapters.galleries.sqlite import SqliteGallery
from facecv.core.embedding import Embedding
from facecv.core.errors import (
    AlreadyExistsError,
    CollectionNotFoundError,
    EmbeddingSpaceError,
    InputError,
)
from facecv.core.gallery import Collection, Counts, FaceRecord, Person
from facecv.core.ports.gallery_repo import GalleryRepo
from facecv.core.services.transfer import export_lines, import_lines
from facecv.plugins.contracts.gallery.examples import OTHER_SPACE, SPACE, TEAM, enrol, face

Change = Callable[[dict[str, Any]], object]


def full_gallery() -> MemoryGallery:
    """Return a gallery with two collections, three persons and three faces."""
    gallery = MemoryGallery()
    gallery.create_collection(
        Collection(
            "team",
            SPACE,
            threshold=0.4,
            margin=0.05,
            gate="strict",
            store_crops=True,
            metadata={"x": 0.1 + 0.2},
        )
    )
    crop = np.random.default_rng(0).integers(0, 256, (112, 112, 3), np.uint8)
    enrol(
        gallery,
        "ann",
        face(1, 2, 3, id="f1", crop=crop, quality=0.1 + 0.2, source="ä.jpg", digest="ab"),
        face(3, 2, 1, id="f2"),
        metadata={"vip": True, "n": 1, "none": None, "text": "\udc80 ü"},
    )
    enrol(gallery, "bob")
    gallery.create_collection(Collection("guests", OTHER_SPACE))
    guest = FaceRecord(Embedding(np.eye(8, dtype=np.float32)[3], OTHER_SPACE, norm=17.25), id="f1")
    born = datetime(2020, 2, 3, 4, 5, 6, 7, tzinfo=timezone(timedelta(hours=5)))
    gallery.add_person("guests", Person("Cyd", id="ann", created=born), [guest])
    return gallery


def contents(gallery: GalleryRepo, collection: str) -> list[object]:
    """Return all that is in a collection, in a form that compares."""
    faces = [
        (
            owner,
            *attrs.astuple(record, recurse=False, filter=lambda a, _: a.name not in HARD),
            record.embedding.vector.tobytes(),
            record.embedding.norm,
            record.embedding.space,
            None if record.crop is None else record.crop.tolist(),
        )
        for owner, record in gallery.faces(collection)
    ]
    return [gallery.collection(collection), gallery.persons(collection), faces]


HARD = {"embedding", "crop"}


def edited(lines: list[str], number: int, change: Change) -> list[str]:
    """Return `lines` with the object on a line, counted from one, changed."""
    fields = json.loads(lines[number - 1])
    change(fields)
    return [*lines[: number - 1], json.dumps(fields), *lines[number:]]


class TestRoundTrip:
    """What comes in is what went out."""

    def test_every_value_of_every_collection(self, tmp_path: Path) -> None:
        source = full_gallery()
        target = SqliteGallery(tmp_path / "gallery.db")
        assert import_lines(target, export_lines(source)) == Counts(3, 3)
        for name in ("team", "guests"):
            assert contents(target, name) == contents(source, name)
        assert list(export_lines(target, "team")) == list(export_lines(source, "team"))
        target.close()

    def test_one_collection_under_another_name(self) -> None:
        gallery = full_gallery()
        lines = list(export_lines(gallery, "team"))
        assert import_lines(gallery, lines, collection="copy") == Counts(2, 2)
        assert contents(gallery, "copy")[1:] == contents(gallery, "team")[1:]

    def test_lines_are_json_and_survive_a_text_file(self, tmp_path: Path) -> None:
        lines = list(export_lines(full_gallery()))
        assert not any("\n" in line for line in lines)
        path = tmp_path / "export.jsonl"
        path.write_text("\n\n".join(lines) + "\n\n", encoding="ascii")
        with path.open(encoding="ascii") as file:
            assert import_lines(MemoryGallery(), file) == Counts(3, 3)

    def test_an_empty_gallery(self) -> None:
        assert import_lines(MemoryGallery(), export_lines(MemoryGallery())) == Counts(0, 0)

    def test_more_persons_than_are_read_at_once(self) -> None:
        source, target = MemoryGallery(), MemoryGallery()
        source.create_collection(TEAM)
        for number in range(1203):
            enrol(source, f"{number}")
        assert import_lines(target, export_lines(source)) == Counts(1203, 0)
        assert target.persons("team") == source.persons("team")

    @given(
        st.lists(st.floats(-1, 1, width=32), min_size=8, max_size=8),
        st.floats(0, 1e6),
        st.dictionaries(
            st.text(),
            st.none()
            | st.booleans()
            | st.integers(-(2**63), 2**63 - 1)
            | st.floats(allow_nan=False, allow_infinity=False)
            | st.text(),
        ),
        st.datetimes(timezones=st.just(UTC)),
    )
    def test_any_numbers(
        self, vector: list[float], norm: float, metadata: dict[str, Any], created: datetime
    ) -> None:
        source, target = MemoryGallery(), MemoryGallery()
        source.create_collection(attrs.evolve(TEAM, metadata=metadata))
        embedding = Embedding(np.array(vector, np.float32), SPACE, norm=norm)
        person = Person("Ann", metadata=metadata, created=created)
        source.add_person("team", person, [FaceRecord(embedding)])
        import_lines(target, export_lines(source))
        assert contents(target, "team") == contents(source, "team")


class TestExport:
    """What an export says."""

    def test_an_unknown_collection_is_an_error_at_once(self) -> None:
        with pytest.raises(CollectionNotFoundError):
            export_lines(MemoryGallery(), "nowhere")

    def test_a_person_deleted_meanwhile_is_left_out(self) -> None:
        gallery = full_gallery()
        lines = []
        for line in export_lines(gallery, "team"):
            lines.append(line)
            if json.loads(line).get("id") == "ann":
                gallery.delete_person("team", "bob")
        assert import_lines(MemoryGallery(), lines) == Counts(1, 2)


class TestImport:
    """All or nothing, and only where it fits."""

    def test_an_existing_collection_is_refused(self) -> None:
        gallery = full_gallery()
        with pytest.raises(AlreadyExistsError, match="line 2"):
            import_lines(gallery, export_lines(full_gallery(), "team"))

    def test_merging_keeps_what_is_there(self) -> None:
        gallery = MemoryGallery()
        gallery.create_collection(TEAM)
        enrol(gallery, "zoe", face(1))
        assert import_lines(gallery, export_lines(full_gallery(), "team"), merge=True) == Counts(
            2, 2
        )
        assert gallery.collection("team") == TEAM
        assert gallery.count("team") == Counts(3, 3)

    def test_merging_makes_a_collection_that_is_not_there(self) -> None:
        gallery = MemoryGallery()
        import_lines(gallery, export_lines(full_gallery()), merge=True)
        assert gallery.collection("team").threshold == 0.4

    def test_merging_does_not_overwrite(self) -> None:
        gallery = full_gallery()
        before = contents(gallery, "team")
        with pytest.raises(AlreadyExistsError, match=r"line 3.*'ann'"):
            import_lines(gallery, export_lines(full_gallery(), "team"), merge=True)
        assert contents(gallery, "team") == before

    def test_merging_into_another_space_is_refused(self) -> None:
        gallery = MemoryGallery()
        gallery.create_collection(attrs.evolve(TEAM, space=OTHER_SPACE))
        with pytest.raises(EmbeddingSpaceError, match="line 2"):
            import_lines(gallery, export_lines(full_gallery(), "team"), merge=True)

    def test_another_space_than_expected_is_refused(self) -> None:
        gallery = MemoryGallery()
        with pytest.raises(EmbeddingSpaceError, match="line 2"):
            import_lines(gallery, export_lines(full_gallery(), "team"), space=OTHER_SPACE)
        import_lines(gallery, export_lines(full_gallery(), "team"), space=SPACE)

    def test_two_collections_cannot_take_one_name(self) -> None:
        gallery = MemoryGallery()
        with pytest.raises(InputError, match="more than one"):
            import_lines(gallery, export_lines(full_gallery()), collection="one")
        assert gallery.collections() == []

    def test_an_export_cut_short_anywhere_leaves_nothing(self) -> None:
        lines = list(export_lines(full_gallery()))
        for end in range(len(lines)):
            gallery = MemoryGallery()
            with pytest.raises(InputError, match="cut short"):
                import_lines(gallery, lines[:end])
            assert gallery.collections() == []

    def test_a_lost_line_is_noticed(self) -> None:
        lines = list(export_lines(full_gallery(), "team"))
        for lost in range(1, len(lines)):
            with pytest.raises(InputError):
                import_lines(MemoryGallery(), lines[:lost] + lines[lost + 1 :])

    @pytest.mark.parametrize(
        ("number", "change", "reason"),
        [
            (1, lambda line: line.update(format="other"), "format"),
            (1, lambda line: line.update(version=2), "version"),
            (1, lambda line: line.update(version=True), "version"),
            (1, lambda line: line.update(type="person"), "header was expected"),
            (2, lambda line: line.update(name="no/name"), "no/name"),
            (2, lambda line: line.pop("space"), "'space' is missing"),
            (2, lambda line: line["space"].update(dim="8"), "'dim' must be int"),
            (2, lambda line: line["space"].update(dim=9), "8 numbers"),
            (2, lambda line: line["space"].update(dim=0), "dim"),
            (2, lambda line: line.update(threshold=2), "threshold"),
            (2, lambda line: line.update(threshold="high"), "'threshold' must be"),
            (2, lambda line: line.update(store_crops=1), "'store_crops' must be bool"),
            (2, lambda line: line.update(metadata={"a": [1]}), "metadata"),
            (3, lambda line: line.update(name=7), "'name' must be str"),
            (3, lambda line: line.update(name=""), "name"),
            (3, lambda line: line.update(id=""), "identifier"),
            (3, lambda line: line.update(created="yesterday"), "yesterday"),
            (3, lambda line: line.update(created="2020-01-01T00:00:00"), "time zone"),
            (3, lambda line: line.update(type="pet"), "'pet'"),
            (4, lambda line: line["vector"].update(data="!!!!"), "base64"),
            (4, lambda line: line["vector"].update(data="AAAA"), "3 bytes"),
            (4, lambda line: line["vector"].update(dtype="<f8"), "'<f8'"),
            (4, lambda line: line["vector"].update(shape=[7]), "shape [7]"),
            (4, lambda line: line["vector"].update(shape=["a"]), "not the shape"),
            (4, lambda line: line["vector"].update(shape=[2, 4]), "shape"),
            (4, lambda line: line["vector"].update(shape=[-1]), "not the shape"),
            (4, lambda line: line.update(norm=None), "'norm' must be float"),
            (4, lambda line: line["crop"].update(shape=[112, 112 * 3]), "shape"),
            (4, lambda line: line.update(crop="picture"), "'crop' must be"),
            (5, lambda line: line.update(id="f1"), "'f1'"),
            (7, lambda line: line.update(persons=3), "written"),
        ],
    )
    def test_a_bad_line_is_named_and_leaves_nothing(
        self, number: int, change: Change, reason: str
    ) -> None:
        lines = edited(list(export_lines(full_gallery(), "team")), number, change)
        gallery = MemoryGallery()
        with pytest.raises((InputError, AlreadyExistsError, EmbeddingSpaceError)) as caught:
            import_lines(gallery, lines)
        assert reason in str(caught.value)
        assert str(caught.value).startswith("line ")
        assert gallery.collections() == []

    @pytest.mark.parametrize("text", ["{", "[]", '"text"', "7", "[" * 100_000, "{}", "\0"])
    def test_what_is_not_an_object_is_named(self, text: str) -> None:
        lines = list(export_lines(full_gallery(), "team"))
        with pytest.raises(InputError, match="line 4"):
            import_lines(MemoryGallery(), [*lines[:3], text, *lines[3:]])

    def test_nothing_may_follow_the_end(self) -> None:
        lines = list(export_lines(full_gallery(), "team"))
        with pytest.raises(InputError, match="nothing was expected"):
            import_lines(MemoryGallery(), [*lines, lines[-1]])
