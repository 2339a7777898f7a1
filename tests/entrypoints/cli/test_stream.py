"""``facecv stream``, ``facecv events`` and ``facecv attendance``."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import pytest

from tests.adapters.events.receiver import Receiver
from tests.core.services import world
from tests.entrypoints.cli.runner import Cli, save

ANN, NOBODY = 10, 240
WATCH = ("--detect-every", 1)


@pytest.fixture
def film(cli: Cli) -> Path:
    """Return a folder of pictures in which Ann comes, goes, and somebody else comes."""
    cli.picture("ann.png", (100, 100, 80, ANN))
    assert cli("enroll", "ann.png", "--name", "Ann").exit_code == 0
    scenes: list[list[tuple[int, int, int, int]]]
    scenes = [[]] * 1 + [[(100, 100, 80, ANN)]] * 6 + [[]] * 4 + [[(220, 60, 90, NOBODY)]] * 6
    for number, faces in enumerate(scenes):
        save(cli.folder / "film" / f"{number:03d}.png", world.picture(*faces))
    return cli.folder / "film"


def stream(cli: Cli, film: Path, *args: object) -> Any:
    config = cli.folder / "facecv.toml"
    config.write_text("[frame_sources.folder]\nrate = 2\n[watch]\nleast_quality = 0.0\n")
    return cli("stream", film, *WATCH, *args)


def kinds(text: str) -> list[str]:
    return [line.split()[1] for line in text.splitlines()]


def test_events_are_told_as_they_happen(cli: Cli, film: Path) -> None:
    result = stream(cli, film, "--name", "door")
    assert result.exit_code == 0, result.output
    assert kinds(result.stdout) == [
        "source.up",
        "face.appeared",
        "person.recognised",
        "face.left",
        "face.appeared",
        "stranger.seen",
        "face.left",
        "source.down",
    ]
    assert "Ann  1.00" in result.stdout
    for word in ("fps", "latency", "2 tracks", "recognitions", "0 dropped"):
        assert word in result.stderr


def test_events_as_json_on_the_standard_output(cli: Cli, film: Path) -> None:
    """Nothing else is there."""
    result = stream(cli, film, "--events", "jsonl=-", "--began", "2026-05-04T08:00:00")
    events = [json.loads(line) for line in result.stdout.splitlines()]
    (ann,) = [event for event in events if event["kind"] == "person.recognised"]
    assert ann["person"]["name"] == "Ann"
    assert ann["source"] == str(film)
    assert ann["track"]
    assert all("2026-05-04" in event["time"] or "2026-05-03" in event["time"] for event in events)


def test_events_go_to_several_places(cli: Cli, film: Path) -> None:
    """A webhook gets what the file gets."""
    outbox = cli.folder / "outbox.db"
    with Receiver() as receiver:
        config = cli.folder / "more.toml"
        config.write_text(
            f'[event_sinks.webhook]\noutbox = "{outbox}"\nsecret = "s"\ngrace = 30\n'
            "[frame_sources.folder]\nrate = 2\n[watch]\nleast_quality = 0.0\n"
        )
        sinks = ("--events", "jsonl=events.jsonl", "--events", f"webhook={receiver.url}")
        result = cli("stream", film, *WATCH, *sinks, "--config", config)
        assert result.exit_code == 0, result.output
        written = (cli.folder / "events.jsonl").read_text().splitlines()
        assert len(written) == 8
        assert receiver.wait(8) == [json.loads(line) for line in written]


def test_a_video_with_boxes_is_recorded(cli: Cli, film: Path) -> None:
    """With the size and length of what was watched."""
    pytest.importorskip("av")
    result = stream(cli, film, "--record", "out.mp4")
    assert result.exit_code == 0, result.output
    video = cv2.VideoCapture(str(cli.folder / "out.mp4"))
    frames = []
    while (read := video.read())[0]:
        frames.append(read[1])
    video.release()
    assert len(frames) == 17
    assert frames[0].shape == (300, 400, 3)
    assert frames[0].max() < 60
    green = (frames[5][..., 1] > 150) & (frames[5][..., 2] < 120)
    assert green.sum() > 100


def test_a_stranger_becomes_a_person(cli: Cli, film: Path) -> None:
    """Seen twice, listed, enrolled in one step, and recognised from then on."""
    for _ in range(2):
        assert stream(cli, film, "--cooldown", 0).exit_code == 0
    (stranger,) = cli.json("events", "strangers")
    assert stranger["seen"] == 2
    result = cli("events", "enroll", stranger["stranger"][:8], "--name", "Zoe")
    assert result.exit_code == 0, result.output
    assert cli.json("events", "strangers", "--least", 1) == []
    assert "no stranger" in cli("events", "strangers").stderr
    assert "Zoe" in stream(cli, film).stdout


def test_events_can_be_listed(cli: Cli, film: Path) -> None:
    stream(cli, film, "--name", "door")
    listed = cli.json("events", "list", "--kind", "person.recognised", "--kind", "face.left")
    assert [event["kind"] for event in listed] == ["person.recognised", "face.left", "face.left"]
    assert len(cli.json("events", "list", "--person", "Ann")) == 2
    assert cli.json("events", "list", "--source", "gate") == []
    assert cli.json("events", "list", "--until", "2020-01-01") == []
    assert "no such event" in cli("events", "list", "--source", "gate").stderr
    assert len(cli.json("events", "list", "--limit", 3)) == 3
    assert "person.recognised" in cli("events", "list").stdout


def test_events_of_a_person_go_with_the_person(cli: Cli, film: Path) -> None:
    stream(cli, film)
    assert cli("gallery", "delete-person", "Ann", "--yes").exit_code == 0
    left = [event["kind"] for event in cli.json("events", "list")]
    assert left == ["source.up", "face.appeared", "stranger.seen", "face.left", "source.down"]


def test_attendance_is_first_in_and_last_out(cli: Cli, film: Path) -> None:
    day = (datetime.now().astimezone() - timedelta(days=2)).date().isoformat()
    for hour in (17, 8):
        stream(cli, film, "--name", "door", "--began", f"{day}T{hour:02d}:00:00")
    (row,) = cli.json("attendance")
    assert (row["day"], row["person"]["name"], row["visits"]) == (day, "Ann", 2)
    assert row["first"].startswith(f"{day}T08:00:0")
    assert row["last"].startswith(f"{day}T17:00:0")
    assert "Ann" in cli("attendance").stdout
    assert cli.json("attendance", "--person", "Bob") == []


def test_what_could_not_be_delivered_is_listed_and_tried_again(cli: Cli, film: Path) -> None:
    config = cli.folder / "more.toml"
    config.write_text(
        f'[event_sinks.webhook]\noutbox = "{cli.folder / "o.db"}"\ntries = 1\ngrace = 30\n'
        "[frame_sources.folder]\nrate = 2\n[watch]\nleast_quality = 0.0\n"
    )
    with Receiver(lambda number: 500 if number < 8 else 200) as receiver:
        sink = f"webhook={receiver.url}"
        assert cli("stream", film, *WATCH, "--events", sink, "--config", config).exit_code == 0
        dead = cli.json("events", "dead", sink, "--config", config)
        assert len(dead) == 8
        assert "status 500" in dead[0]["problem"]
        assert cli("events", "dead", sink, "--retry", "--config", config).exit_code == 0
        assert len(receiver.wait(8)) == 8
        assert cli.json("events", "dead", sink, "--config", config) == []


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("gone.mp4",), 3, "no video gone.mp4"),
        (("rtmp://u:hunter2@host/x",), 2, "rtmp://host/x"),
        (("film", "--events", "nowhere"), 2, "KIND=ADDRESS"),
        (("film", "--events", "pigeon=x"), 4, "pigeon"),
        (("film", "--events", "webhook=ftp://x"), 2, "http(s)"),
    ],
)
def test_what_is_wrong_is_said(
    cli: Cli, film: Path, args: tuple[str, ...], code: int, said: str
) -> None:
    result = cli("stream", *args)
    assert result.exit_code == code
    assert said in result.stderr
    assert "hunter2" not in result.output
