"""detect, analyze and embed: one answer a picture, whatever happens to the others."""

import base64
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.entrypoints.cli.runner import Cli

ADA, BOB = 10, 200


@pytest.fixture
def couple(cli: Cli) -> Path:
    return cli.picture("couple.png", (10, 10, 80, ADA), (200, 20, 60, BOB))


class TestDetectJson:
    def test_tells_boxes_landmarks_score_and_quality(self, cli: Cli, couple: Path) -> None:
        (answer,) = cli.json("detect", couple)
        assert answer["source"] == str(couple)
        assert (answer["width"], answer["height"]) == (400, 300)
        face, other = answer["faces"]
        assert face["box"] == [10, 10, 90, 90]
        assert face["score"] == pytest.approx(200 / 255, abs=1e-3)
        assert np.shape(face["landmarks"]) == (5, 2)
        assert 0 <= face["quality"] <= 1
        assert other["box"] == [200, 20, 260, 80]
        assert set(face) == {"box", "score", "landmarks", "quality"}

    def test_jsonl_is_an_object_a_line(self, cli: Cli, couple: Path) -> None:
        result = cli("detect", couple, couple, "--jsonl")
        lines = [json.loads(line) for line in result.stdout.splitlines()]
        assert [len(line["faces"]) for line in lines] == [2, 2]

    def test_standard_output_carries_nothing_else(self, cli: Cli, couple: Path) -> None:
        result = cli("detect", couple, "nope.png", "--json", "--verbose")
        assert len(json.loads(result.stdout)) == 2
        assert "nope.png" in result.stderr


class TestDetectTable:
    def test_has_a_row_a_face_and_a_summary_on_stderr(self, cli: Cli, couple: Path) -> None:
        result = cli("detect", couple)
        assert "10,10 80x80" in result.stdout
        assert "200,20 60x60" in result.stdout
        assert "2 faces in 1 picture" in result.stderr

    def test_quiet_leaves_the_summary_out(self, cli: Cli, couple: Path) -> None:
        assert not cli("detect", couple, "--quiet").stderr

    def test_names_with_brackets_are_shown_as_they_are(self, cli: Cli) -> None:
        cli.picture("[red]x[/red].png", (10, 10, 80, ADA))
        assert "[red]x[/red].png" in cli("detect", ".").stdout


class TestLockedFolders:
    """What may not be read is told, and the rest goes on."""

    @pytest.fixture
    def locked(self, cli: Cli, couple: Path) -> Iterator[Path]:
        folder = cli.folder / "locked"
        folder.mkdir()
        shutil.copy(couple, folder)
        folder.chmod(0)
        yield folder
        folder.chmod(0o700)

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_of_a_folder(self, cli: Cli, locked: Path) -> None:
        result = cli("detect", ".")
        assert result.exit_code == 0
        assert "2 faces in 1 picture" in result.stderr
        assert "locked cannot be read: Permission denied" in result.stderr

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    @pytest.mark.parametrize("name", ["couple.png", "people"])
    def test_of_a_file(self, cli: Cli, locked: Path, couple: Path, name: str) -> None:
        result = cli("detect", locked / name, couple)
        assert result.exit_code == 3
        assert f"{name}' cannot be read: Permission denied" in result.stderr
        assert "2 faces in 1 picture; 1 picture failed" in result.stderr


class TestManyPictures:
    def test_a_bad_one_is_reported_and_the_rest_go_on(self, cli: Cli, couple: Path) -> None:
        (cli.folder / "bad.png").write_bytes(b"no picture")
        result = cli("detect", "bad.png", "gone.png", couple, "--json")
        assert result.exit_code == 3
        bad, gone, good = json.loads(result.stdout)
        assert bad["error"]["code"] == "image-decode"
        assert gone["error"]["code"] == "image-not-found"
        assert len(good["faces"]) == 2
        assert len(result.stderr.strip().splitlines()) == 2

    def test_a_bad_one_is_told_once_in_the_summary(self, cli: Cli, couple: Path) -> None:
        result = cli("detect", "gone.png", couple)
        assert "2 faces in 1 picture; 1 picture failed" in result.stderr

    def test_folders_are_searched_for_pictures(self, cli: Cli) -> None:
        cli.picture("deep/er/a.png", (10, 10, 80, ADA))
        cli.picture("deep/b.png", (10, 10, 80, ADA))
        (cli.folder / "deep" / "notes.txt").write_text("not a picture")
        answers = cli.json("detect", "deep")
        assert [Path(answer["source"]).name for answer in answers] == ["b.png", "a.png"]

    def test_globs_work_where_no_shell_expands_them(self, cli: Cli) -> None:
        for name in ("a1.png", "a2.png", "b.png"):
            cli.picture(name, (10, 10, 80, ADA))
        assert len(cli.json("detect", "a*.png")) == 2

    @pytest.mark.parametrize("nothing", ["*.jpg", "."])
    def test_a_glob_or_folder_without_pictures_is_an_error(self, cli: Cli, nothing: str) -> None:
        result = cli("detect", nothing)
        assert result.exit_code == 3
        assert not result.stdout

    def test_a_url_that_does_not_answer_is_told_without_its_secrets(self, cli: Cli) -> None:
        result = cli("detect", "http://me:pass@localhost:1/x.png?token=abc", "--json")
        assert result.exit_code == 3
        assert json.loads(result.stdout)[0]["source"] == "http://localhost:1/x.png"
        assert "pass" not in result.output
        assert "abc" not in result.output

    def test_a_data_uri_is_a_picture_too(self, cli: Cli, couple: Path) -> None:
        text = base64.b64encode(couple.read_bytes()).decode()
        (answer,) = cli.json("detect", f"data:image/png;base64,{text}")
        assert len(answer["faces"]) == 2

    def test_the_standard_input_is_a_picture_too(self, cli: Cli, couple: Path) -> None:
        (answer,) = cli.json("detect", "-", text=couple.read_bytes())
        assert answer["source"] == "stdin"
        assert len(answer["faces"]) == 2

    def test_the_standard_input_is_read_once_only(self, cli: Cli) -> None:
        assert cli("detect", "-", "-").exit_code == 2

    def test_no_face_at_all_is_exit_code_1(self, cli: Cli) -> None:
        empty = cli.picture("empty.png")
        result = cli("detect", empty)
        assert result.exit_code == 1
        assert "no face" in result.stdout

    def test_one_face_somewhere_is_enough(self, cli: Cli, couple: Path) -> None:
        assert cli("detect", cli.picture("empty.png"), couple).exit_code == 0


class TestOptions:
    def test_detection_options_reach_the_engine(self, cli: Cli, couple: Path) -> None:
        (answer,) = cli.json("detect", couple, "--max-faces", 1, "--order", "area")
        assert [face["box"][2] for face in answer["faces"]] == [90]
        (answer,) = cli.json("detect", couple, "--max-face", 70)
        assert [face["box"][2] for face in answer["faces"]] == [260]

    def test_options_win_over_the_environment(
        self, cli: Cli, couple: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("FACECV_DETECTION__MAX_FACES", "1")
        assert len(cli.json("detect", couple)[0]["faces"]) == 1
        assert len(cli.json("detect", couple, "--max-faces", 0)[0]["faces"]) == 2

    def test_a_configuration_file_is_used(self, cli: Cli, couple: Path) -> None:
        file = cli.folder / "mine.toml"
        file.write_text("[detection]\nmax_faces = 1\n")
        assert len(cli.json("detect", couple, "--config", file)[0]["faces"]) == 1
        assert cli("--config", file, "detect", couple).stdout.count("80x80") == 1

    def test_a_wrong_value_is_a_usage_error(self, cli: Cli, couple: Path) -> None:
        assert cli("detect", couple, "--score-threshold", 2).exit_code == 2
        assert cli("detect", couple, "--device", "gpu").exit_code == 2

    def test_an_unknown_model_is_a_model_error(self, cli: Cli, couple: Path) -> None:
        result = cli("detect", couple, "--detector", "wrld")
        assert result.exit_code == 4
        assert "world" in result.stderr


class TestDraw:
    def test_one_picture_goes_into_a_file(self, cli: Cli, couple: Path) -> None:
        assert cli("detect", couple, "--draw", "out.png").exit_code == 0
        with Image.open("out.png") as drawn, Image.open(couple) as plain:
            assert drawn.size == plain.size
            assert drawn.tobytes() != plain.tobytes()

    def test_many_go_into_a_folder_and_keep_apart(self, cli: Cli) -> None:
        cli.picture("a/x.png", (10, 10, 80, ADA))
        cli.picture("b/x.png", (10, 10, 80, ADA))
        assert cli("detect", "a", "b", "--draw", "out").exit_code == 0
        assert sorted(path.name for path in Path("out").iterdir()) == ["x-2.png", "x.png"]

    def test_a_photo_is_never_replaced(self, cli: Cli, couple: Path) -> None:
        before = couple.read_bytes()
        result = cli("detect", couple, "--draw", couple)
        assert result.exit_code == 3
        assert couple.read_bytes() == before

    def test_many_do_not_fit_into_a_file(self, cli: Cli, couple: Path) -> None:
        Path("out.png").write_bytes(b"kept")
        assert cli("detect", couple, couple, "--draw", "out.png").exit_code == 3
        assert Path("out.png").read_bytes() == b"kept"


class TestAnalyze:
    def test_tells_attributes_embedding_and_parts_of_quality(self, cli: Cli, couple: Path) -> None:
        face = cli.json("analyze", couple)[0]["faces"][0]
        assert face["attributes"]["blue"]["value"] == pytest.approx(ADA, abs=1)
        assert len(face["embedding"]) == 2
        assert face["space"].startswith("world/2")
        assert set(face["quality_parts"]) >= {"sharpness", "pose", "size"}

    def test_an_attribute_model_may_be_named(self, cli: Cli, couple: Path) -> None:
        result = cli("analyze", couple, "--attribute", "wrld")
        assert result.exit_code == 4
        assert "wrld" in result.stderr
        assert cli("analyze", couple, "--attribute", "world").exit_code == 0

    def test_the_table_tells_attributes_and_weak_points(self, cli: Cli, couple: Path) -> None:
        result = cli("analyze", couple)
        assert "blue 10" in result.stdout
        assert "low sharpness" in result.stdout


class TestEmbed:
    def test_vectors_have_length_one_and_a_space(self, cli: Cli, couple: Path) -> None:
        faces = cli.json("embed", couple)[0]["faces"]
        assert np.linalg.norm([face["embedding"] for face in faces], axis=1) == pytest.approx(1)
        assert faces[0]["space"] == faces[1]["space"]

    def test_an_archive_holds_all_vectors(self, cli: Cli, couple: Path) -> None:
        other = cli.picture("other.png", (10, 10, 80, BOB))
        assert cli("embed", couple, other, "--out", "faces.npz").exit_code == 0
        with np.load("faces.npz") as found:
            assert found["vectors"].shape == (3, 2)
            assert found["boxes"].shape == (3, 4)
            assert found["sources"].tolist() == [str(couple), str(couple), str(other)]
            assert str(found["space"]).startswith("world/2")

    def test_many_pictures_keep_their_order(self, cli: Cli) -> None:
        """Although two are looked at at once."""
        many = [cli.picture(f"{number}.png", (10, 10, 60, ADA + number)) for number in range(12)]
        answers = cli.json("embed", *many, "--out", "faces.npz")
        names = [str(path) for path in many]
        assert [answer["source"] for answer in answers] == names
        with np.load("faces.npz") as found:
            assert found["sources"].tolist() == names
            told = [answer["faces"][0]["embedding"] for answer in answers]
            np.testing.assert_allclose(found["vectors"], told, atol=1e-6)

    def test_another_kind_of_file_is_refused(self, cli: Cli, couple: Path) -> None:
        assert cli("embed", couple, "--out", "faces.csv").exit_code == 2


class TestVerify:
    def test_the_same_person_is_a_match(self, cli: Cli) -> None:
        one = cli.picture("one.png", (10, 10, 80, ADA))
        two = cli.picture("two.png", (50, 60, 90, ADA + 5))
        answer = cli.json("verify", one, two)
        assert answer["match"] is True
        assert answer["similarity"] > 0.99
        assert answer["threshold"] == 0.4
        assert [face["source"] for face in answer["faces"]] == [str(one), str(two)]

    def test_others_are_exit_code_1(self, cli: Cli) -> None:
        one = cli.picture("one.png", (10, 10, 80, 0))
        two = cli.picture("two.png", (10, 10, 80, 250))
        result = cli("verify", one, two)
        assert result.exit_code == 1
        assert "different persons" in result.stdout

    def test_a_missing_face_is_exit_code_1_and_named(self, cli: Cli, couple: Path) -> None:
        empty = cli.picture("empty.png")
        answer = cli.json("verify", couple, empty, code=1)
        assert answer["missing"] == [str(empty)]
        assert answer["similarity"] is None
        assert answer["faces"][1] is None

    def test_the_threshold_decides(self, cli: Cli) -> None:
        one = cli.picture("one.png", (10, 10, 80, 0))
        two = cli.picture("two.png", (10, 10, 80, 60))
        assert cli("verify", one, two).exit_code == 0
        assert cli("verify", one, two, "--threshold", 0.99).exit_code == 1

    def test_a_rate_that_the_model_does_not_state_is_refused(self, cli: Cli, couple: Path) -> None:
        result = cli("verify", couple, couple, "--far", "1e-9")
        assert result.exit_code == 2
        assert "1e-09" in result.stderr

    def test_a_picture_that_is_not_there_is_exit_code_3(self, cli: Cli, couple: Path) -> None:
        assert cli("verify", couple, "gone.png").exit_code == 3

    def test_it_takes_one_picture_a_side(self, cli: Cli, couple: Path) -> None:
        cli.picture("folder/a.png", (10, 10, 80, ADA))
        cli.picture("folder/b.png", (10, 10, 80, ADA))
        assert cli("verify", "folder", couple).exit_code == 2
        assert cli("verify", "-", "-").exit_code == 2


class TestNarrowTerminal:
    @pytest.mark.parametrize("command", ["detect", "analyze", "embed"])
    def test_a_table_fits_and_shows_the_end_of_a_long_path(
        self, cli: Cli, monkeypatch: pytest.MonkeyPatch, command: str
    ) -> None:
        monkeypatch.setenv("COLUMNS", "80")
        photo = cli.picture(f"{'deep' * 12}/photo.png", (10, 10, 80, ADA))
        lines = cli(command, photo).stdout.splitlines()
        assert max(map(len, lines)) <= 80
        assert "photo.png" in lines[2]

    def test_a_pipe_gets_the_whole_path(self, cli: Cli) -> None:
        photo = cli.picture(f"{'deep' * 40}/photo.png", (10, 10, 80, ADA))
        assert str(photo) in cli("detect", photo).stdout
