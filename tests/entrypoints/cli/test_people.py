"""enroll, identify and gallery: persons come in, are known again, and go."""

import json
from pathlib import Path

import pytest

from tests.entrypoints.cli.runner import Cli

ADA, BOB, EVE = 10, 110, 210


@pytest.fixture
def album(cli: Cli) -> Path:
    """A folder with a folder for each of two persons."""
    for name, who in (("Ada", ADA), ("Bob", BOB)):
        cli.picture(f"album/{name}/1.png", (10, 10, 80, who))
        cli.picture(f"album/{name}/2.png", (50, 40, 90, who + 4))
    return cli.folder / "album"


@pytest.fixture
def enrolled(cli: Cli, album: Path) -> Cli:
    assert cli("enroll", album).exit_code == 0
    return cli


def stored(cli: Cli, *more: object) -> dict[str, int]:
    """Return name and number of faces of everybody in the gallery."""
    return {one["name"]: one["faces"] for one in cli.json("gallery", "list", *more)}


class TestEnroll:
    def test_a_folder_for_each_person(self, cli: Cli, album: Path) -> None:
        answer = cli.json("enroll", album)
        assert [(one["name"], one["new"], len(one["photos"])) for one in answer] == [
            ("Ada", True, 2),
            ("Bob", True, 2),
        ]
        assert stored(cli) == {"Ada": 2, "Bob": 2}

    def test_photos_of_one_person(self, cli: Cli, album: Path) -> None:
        result = cli("enroll", album / "Ada", "--name", "Ada L.", "-m", "team=red", "-m", "age=36")
        assert result.exit_code == 0
        (ada,) = cli.json("gallery", "list")
        assert (ada["name"], ada["metadata"]) == ("Ada L.", {"team": "red", "age": 36})

    def test_a_photo_from_the_standard_input(self, cli: Cli, album: Path) -> None:
        photo = (album / "Ada" / "1.png").read_bytes()
        assert cli("enroll", "-", "--name", "Ada", text=photo).exit_code == 0
        assert stored(cli) == {"Ada": 1}

    def test_the_same_photos_again_change_nothing(self, enrolled: Cli) -> None:
        answer = enrolled.json("enroll", "album")
        assert {photo["status"] for one in answer for photo in one["photos"]} == {"known"}
        assert stored(enrolled) == {"Ada": 2, "Bob": 2}
        result = enrolled("enroll", "album")
        assert result.stdout.count("unchanged") == 2
        assert "0 faces added to 'default'" in result.stderr

    def test_a_bad_photo_leaves_its_person_out_and_the_others_go_on(
        self, cli: Cli, album: Path
    ) -> None:
        cli.picture("album/Ada/3.png")
        result = cli("enroll", album, "--json")
        assert result.exit_code == 3
        ada, bob = json.loads(result.stdout)
        assert ada["error"]["code"] == "face-not-found"
        assert "3.png" in result.stderr
        assert bob["new"] is True
        assert stored(cli) == {"Bob": 2}

    def test_bad_photos_may_be_skipped(self, cli: Cli, album: Path) -> None:
        cli.picture("album/Ada/3.png")
        result = cli("enroll", album, "--skip-bad")
        assert result.exit_code == 0
        assert "3.png" in result.stderr
        assert stored(cli) == {"Ada": 2, "Bob": 2}

    def test_the_quality_gate_says_what_failed(self, cli: Cli, album: Path) -> None:
        result = cli("enroll", album / "Ada", "--name", "Ada", "--quality", "strict")
        assert result.exit_code == 3
        assert "sharpness" in result.stderr
        assert cli("gallery", "list").exit_code == 3

    def test_loose_photos_are_told_about(self, cli: Cli, album: Path) -> None:
        cli.picture("album/who.png", (10, 10, 80, EVE))
        assert "1 photo directly in" in cli("enroll", album).stderr

    @pytest.mark.parametrize("source", ["album/Ada", "album/Ada/1.png", "-"])
    def test_photos_without_a_name_are_a_usage_error(
        self, cli: Cli, album: Path, source: str
    ) -> None:
        result = cli("enroll", source)
        assert result.exit_code == 2
        assert "--name" in result.stderr

    def test_a_folder_that_is_not_there(self, cli: Cli) -> None:
        assert cli("enroll", "gone").exit_code == 3


class TestIdentify:
    def test_everybody_is_told_apart(self, enrolled: Cli) -> None:
        photo = enrolled.picture("p.png", (10, 10, 90, BOB), (120, 10, 80, EVE), (220, 10, 70, ADA))
        (answer,) = enrolled.json("identify", photo, "--threshold", 0.9)
        bob, eve, ada = answer["faces"]
        assert (bob["status"], bob["matches"][0]["name"]) == ("match", "Bob")
        assert (eve["status"], eve["matches"]) == ("unknown", [])
        assert (ada["status"], ada["matches"][0]["name"]) == ("match", "Ada")
        assert set(ada["matches"][0]) >= {"person", "name", "similarity"}

    def test_the_table_and_the_drawing(self, enrolled: Cli) -> None:
        photo = enrolled.picture("p.png", (10, 10, 90, BOB), (120, 10, 80, EVE))
        result = enrolled("identify", photo, "--threshold", 0.9, "--draw", "out.png")
        assert result.exit_code == 0
        assert "Bob" in result.stdout
        assert "unknown" in result.stdout
        assert Path("out.png").is_file()

    def test_nobody_known_is_exit_code_1(self, enrolled: Cli) -> None:
        photo = enrolled.picture("p.png", (10, 10, 90, EVE))
        assert enrolled("identify", photo, "--threshold", 0.9).exit_code == 1

    def test_two_persons_about_equally_alike_are_ambiguous(self, enrolled: Cli) -> None:
        photo = enrolled.picture("p.png", (10, 10, 90, (ADA + BOB) // 2 + 2))
        (answer,) = enrolled.json("identify", photo, "--margin", 0.5, code=1)
        assert answer["faces"][0]["status"] == "ambiguous"
        assert {match["name"] for match in answer["faces"][0]["matches"]} == {"Ada", "Bob"}

    def test_metadata_narrows_the_search(self, cli: Cli, album: Path) -> None:
        cli("enroll", album / "Ada", "--name", "Ada", "-m", "team=red")
        photo = album / "Ada" / "1.png"
        assert cli("identify", photo, "--where", "team=red").exit_code == 0
        assert cli("identify", photo, "--where", "team=blue").exit_code == 1
        assert cli("identify", photo, "--where", "team").exit_code == 2

    def test_a_collection_that_is_not_there_is_exit_code_3(self, cli: Cli, album: Path) -> None:
        result = cli("identify", album, "--collection", "guests")
        assert result.exit_code == 3
        assert "guests" in result.stderr

    def test_one_bad_picture_among_many(self, enrolled: Cli) -> None:
        answer = enrolled.json("identify", "album/Ada/1.png", "gone.png", code=3)
        assert "faces" in answer[0]
        assert answer[1]["error"]["code"] == "image-not-found"


class TestGallery:
    def test_collections_are_listed(self, enrolled: Cli) -> None:
        enrolled("enroll", "album", "--collection", "guests")
        found = enrolled.json("gallery", "collections")
        assert [(one["name"], one["persons"], one["faces"]) for one in found] == [
            ("default", 2, 4),
            ("guests", 2, 4),
        ]
        assert "guests" in enrolled("gallery", "collections").stdout

    def test_an_empty_gallery_says_so(self, cli: Cli) -> None:
        result = cli("gallery", "collections")
        assert result.exit_code == 0
        assert "empty" in result.stderr

    def test_a_person_is_shown_by_name_and_by_id(self, enrolled: Cli) -> None:
        ada = enrolled.json("gallery", "show", "Ada")
        assert [face["source"] for face in ada["faces"]] != []
        assert enrolled.json("gallery", "show", ada["person"]) == ada
        assert enrolled.json("gallery", "show", ada["person"][:8]) == ada
        assert ada["faces"][0]["face"][:8] in enrolled("gallery", "show", "Ada").stdout

    def test_stored_crops_can_be_written(self, cli: Cli, album: Path) -> None:
        cli("enroll", album, "--store-crops")
        assert cli("gallery", "show", "Ada", "--crops", "crops").exit_code == 0
        assert len(list(Path("crops").glob("*.png"))) == 2

    def test_a_collection_that_keeps_no_crops_is_told_about(self, enrolled: Cli) -> None:
        result = enrolled("enroll", "album", "--store-crops")
        assert result.exit_code == 0
        assert "no crops are kept" in result.stderr

    def test_crops_that_are_not_stored_cannot(self, enrolled: Cli) -> None:
        result = enrolled("gallery", "show", "Ada", "--crops", "crops")
        assert result.exit_code == 3
        assert "--store-crops" in result.stderr

    def test_a_person_is_renamed(self, enrolled: Cli) -> None:
        assert enrolled("gallery", "rename", "Ada", "Ada Lovelace").exit_code == 0
        assert stored(enrolled) == {"Ada Lovelace": 2, "Bob": 2}

    def test_persons_and_faces_are_deleted(self, enrolled: Cli) -> None:
        face = enrolled.json("gallery", "show", "Bob")["faces"][0]["face"]
        assert enrolled("gallery", "delete-face", face[:10], "--yes").exit_code == 0
        assert enrolled("gallery", "delete-person", "Ada", "--yes").exit_code == 0
        assert stored(enrolled) == {"Bob": 1}

    def test_nothing_is_deleted_without_a_yes(self, enrolled: Cli) -> None:
        assert enrolled("gallery", "delete-person", "Ada", text="n\n").exit_code == 1
        assert enrolled("gallery", "delete", text="").exit_code == 1
        assert stored(enrolled) == {"Ada": 2, "Bob": 2}
        assert enrolled("gallery", "delete-person", "Ada", text="y\n").exit_code == 0

    @pytest.mark.parametrize(
        "command", [("show", "Eve"), ("rename", "Eve", "E"), ("delete-person", "Eve", "-y")]
    )
    def test_somebody_who_is_not_there(self, enrolled: Cli, command: tuple[str, ...]) -> None:
        result = enrolled("gallery", *command)
        assert result.exit_code == 3
        assert "Eve" in result.stderr

    def test_a_face_that_is_not_there(self, enrolled: Cli) -> None:
        assert enrolled("gallery", "delete-face", "zzz", "-y").exit_code == 3

    def test_what_means_several_is_refused(self, enrolled: Cli) -> None:
        enrolled("gallery", "rename", "Ada", "Bob")
        result = enrolled("gallery", "show", "Bob")
        assert result.exit_code == 3
        assert "2 persons" in result.stderr
        assert enrolled("gallery", "delete-face", "", "-y").exit_code == 3

    def test_a_collection_gets_a_threshold_of_its_own(self, enrolled: Cli) -> None:
        photo = enrolled.picture("p.png", (10, 10, 90, ADA - 10))
        assert enrolled("identify", photo).exit_code == 0
        assert enrolled("gallery", "set", "--threshold", 0.9999, "--margin", 0).exit_code == 0
        assert enrolled("identify", photo).exit_code == 1
        (found,) = enrolled.json("gallery", "collections")
        assert (found["threshold"], found["margin"]) == (0.9999, 0)
        assert enrolled("gallery", "set", "--threshold", "none").exit_code == 0
        assert enrolled("identify", photo).exit_code == 0

    @pytest.mark.parametrize("wrong", [(), ("--threshold", "high"), ("--threshold", "3")])
    def test_a_wrong_threshold_is_a_usage_error(
        self, enrolled: Cli, wrong: tuple[str, ...]
    ) -> None:
        assert enrolled("gallery", "set", *wrong).exit_code == 2

    def test_a_collection_is_deleted(self, enrolled: Cli) -> None:
        assert enrolled("gallery", "delete", "--yes").exit_code == 0
        assert enrolled.json("gallery", "collections") == []

    def test_count(self, enrolled: Cli) -> None:
        assert enrolled("gallery", "count").stdout == "2 persons, 4 faces\n"
        assert enrolled.json("gallery", "count") == {"persons": 2, "faces": 4}


class TestTransfer:
    def test_export_and_import_through_a_pipe(self, enrolled: Cli) -> None:
        lines = enrolled("gallery", "export").stdout
        result = enrolled("gallery", "import", "-", "--collection", "copy", text=lines)
        assert result.exit_code == 0
        assert stored(enrolled, "--collection", "copy") == {"Ada": 2, "Bob": 2}

    def test_export_and_import_through_a_file(self, enrolled: Cli) -> None:
        assert enrolled("gallery", "export", "all.jsonl").exit_code == 0
        enrolled("gallery", "delete", "--yes")
        assert enrolled("gallery", "import", "all.jsonl").exit_code == 0
        assert stored(enrolled) == {"Ada": 2, "Bob": 2}

    def test_a_collection_that_is_there_is_merged_only_if_asked(self, enrolled: Cli) -> None:
        enrolled("gallery", "export", "all.jsonl")
        assert enrolled("gallery", "import", "all.jsonl").exit_code == 3
        enrolled("gallery", "delete-person", "Ada", "-y")
        enrolled("gallery", "delete-person", "Bob", "-y")
        assert enrolled("gallery", "import", "all.jsonl", "--merge").exit_code == 0
        assert stored(enrolled) == {"Ada": 2, "Bob": 2}

    def test_what_cannot_be_read_or_written_is_exit_code_3(self, enrolled: Cli) -> None:
        assert enrolled("gallery", "import", "gone.jsonl").exit_code == 3
        Path("broken.jsonl").write_text("no json\n")
        assert enrolled("gallery", "import", "broken.jsonl").exit_code == 3
        assert enrolled("gallery", "export", "album/Ada/1.png/x.jsonl").exit_code == 3
