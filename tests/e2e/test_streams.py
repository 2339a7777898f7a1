"""Real people in real videos, with real networks."""

from pathlib import Path

import pytest

from facecv.core.event import Event, EventQuery
from facecv.core.gallery import now
from facecv.core.services.event_log import all_events
from facecv.entrypoints.api import Engine
from facecv.entrypoints.streams import Streams

pytest.importorskip("onnxruntime")


@pytest.fixture
def clip(shared: Path) -> str:
    pytest.importorskip("av")
    return str(shared / "data" / "video" / "head-pose-face-detection-female-and-male.mp4")


def watched(engine: Engine, clip: str) -> list[Event]:
    """Watch a clip; return the events of its faces."""
    streams = Streams(engine.parts)
    watcher = streams.watcher("hall", "people", streams.log([]), began=now())
    for _ in watcher.watch(streams.source(clip)):
        pass
    return list(all_events(engine.parts.events.get(), EventQuery(source="hall")))


@pytest.mark.shared
def test_two_people_who_turn_their_heads_keep_track_and_name(clip: str, shared: Path) -> None:
    """She is on the left and he on the right, whatever they do with their heads."""
    engine = Engine.open(
        {
            "pack_dir": str(shared / "models"),
            "detector": "det_500m",
            "embedder": "w600k_mbf",
            "gallery": "memory",
            "device": "cpu",
            "threads": 1,
        }
    )
    with Streams(engine.parts).source(clip) as source:
        first = source.take(30.0)
    assert first is not None
    half = first.pixels.shape[1] // 2
    people = engine.gallery("people")
    people.enroll("She", first.pixels[:, :half].copy())
    people.enroll("He", first.pixels[:, half:].copy())
    events = watched(engine, clip)
    told = [event for event in events if event.kind == "person.recognised"]
    sides = {event.person: event.box.center[0] < half for event in told if event.box}
    assert sides == {"She": True, "He": False}
    assert [event.kind for event in events].count("face.appeared") == 2
    left = {event.person for event in events if event.kind == "face.left"}
    assert left == {"She", "He"}
    engine.close()


@pytest.mark.shared
def test_strangers_of_a_clip_are_found_again_in_another_run(clip: str) -> None:
    """With the pack that comes along: seen twice, one person each."""
    engine = Engine.open(
        {"pack": "nano", "gallery": "memory", "device": "cpu", "threads": 1},
        watch={"cooldown": 0.0},
    )
    for _ in range(2):
        watched(engine, clip)
    strangers = Streams(engine.parts).strangers("people").seen("people")
    assert 1 <= len(strangers) <= 3
    assert all(len(stranger.events) >= 2 for stranger in strangers)
    engine.close()
