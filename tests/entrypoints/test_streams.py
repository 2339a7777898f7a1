"""Addresses of sources, and what is drawn."""

from pathlib import Path
from typing import get_args

import pytest

from facecv.core.errors import ConfigurationError
from facecv.core.event import EventKind
from facecv.core.face import Detection
from facecv.core.gallery import Match, Person
from facecv.core.geometry import Box
from facecv.core.services.ballot import Verdict
from facecv.core.services.watch import Sight
from facecv.entrypoints.cli.events import KINDS
from facecv.entrypoints.streams import sight_label, source_kind

KNOWN = ["file", "folder", "rtsp", "http", "webcam", "push", "theirs"]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("rtsp://u:p@cam/x", ("rtsp", "rtsp://u:p@cam/x")),
        ("RTSPS://cam", ("rtsp", "RTSPS://cam")),
        ("https://cam/video", ("http", "https://cam/video")),
        ("0", ("webcam", "0")),
        ("/dev/video1", ("webcam", "/dev/video1")),
        ("film.mp4", ("file", "film.mp4")),
        ("C:\\film.mp4", ("file", "C:\\film.mp4")),
        ("http:rtmp://host/live", ("http", "rtmp://host/live")),
        ("file:https://host/film.mp4", ("file", "https://host/film.mp4")),
        ("theirs:anything", ("theirs", "anything")),
        ("theirs://x", ("theirs", "theirs://x")),
    ],
)
def test_addresses_tell_the_kind_of_a_source(address: str, expected: tuple[str, str]) -> None:
    assert source_kind(address, KNOWN) == expected


def test_a_folder_is_a_folder_of_pictures(tmp_path: Path) -> None:
    assert source_kind(str(tmp_path), KNOWN) == ("folder", str(tmp_path))


def test_urls_of_an_unknown_kind_are_errors_without_secrets() -> None:
    with pytest.raises(ConfigurationError, match="rtmp://host/live") as caught:
        source_kind("rtmp://u:hunter2@host/live", KNOWN)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("verdict", "text", "tone"),
    [
        (Verdict(), "", "plain"),
        (Verdict("stranger"), "unknown", "bad"),
        (Verdict("person", Match(Person("Ann"), "f", 0.712)), "Ann 0.71", "good"),
    ],
)
def test_labels(verdict: Verdict, text: str, tone: str) -> None:
    label = sight_label(Sight("t", Detection(Box(0, 0, 5, 5), 0.9), verdict))
    assert (label.text, label.tone) == (text, tone)


def test_the_command_line_knows_all_kinds_of_events() -> None:
    assert set(KINDS) == set(get_args(EventKind))
