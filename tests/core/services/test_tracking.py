"""Faces are followed from frame to frame."""

import itertools

import numpy as np
import pytest

from facecv.core.face import Detection
from facecv.core.geometry import Box
from facecv.core.services.tracking import Tracker, TrackOptions, best_pairs


def face(x: float, y: float = 50.0, side: float = 40.0, score: float = 0.9) -> Detection:
    return Detection(Box(x, y, x + side, y + side), score)


def numbers(tracker: Tracker) -> list[int]:
    return [track.number for track in tracker.tracks]


def test_a_face_counts_after_its_second_detection() -> None:
    """One that came once is forgotten, and never told."""
    tracker = Tracker()
    assert tracker.update([face(0), face(300)], 0.0) == []
    assert numbers(tracker) == []
    assert tracker.update([face(2)], 0.1) == []
    assert numbers(tracker) == [1]


def test_a_track_keeps_its_number_while_it_moves() -> None:
    """Also faster than its own size from frame to frame, once the speed is known."""
    tracker = Tracker()
    for step in range(20):
        speed = min(step, 10) * 6.0
        tracker.update([face(step * speed)], step / 10)
    assert numbers(tracker) == [1]


def test_two_faces_that_pass_one_another_are_not_mixed_up() -> None:
    """Both move on as they did before; where they meet, they overlap by half."""
    tracker = Tracker()
    for step in range(41):
        right, left = face(step * 10.0, 50), face(400 - step * 10.0, 72)
        tracker.update([right, left], step / 10)
        if step == 3:
            before = {t.number: t.detection.box.y1 for t in tracker.tracks}
    assert {t.number: t.detection.box.y1 for t in tracker.tracks} == before


def test_a_weak_detection_keeps_a_track_alive_but_starts_none() -> None:
    tracker = Tracker(TrackOptions(patience=0.5))
    for step in range(3):
        tracker.update([face(0)], step / 10)
    for step in range(3, 30):
        tracker.update([face(0, score=0.35), face(300, score=0.35)], step / 10)
    assert numbers(tracker) == [1]


def test_a_face_that_is_hidden_for_a_while_comes_back_as_itself() -> None:
    tracker = Tracker(TrackOptions(patience=1.0))
    for step in range(10):
        tracker.update([face(step * 4)], step / 10)
    for step in range(10, 15):
        assert tracker.update([], step / 10) == []
    tracker.update([face(15 * 4)], 1.5)
    assert numbers(tracker) == [1]


def test_a_face_that_stays_away_ends_once() -> None:
    tracker = Tracker(TrackOptions(patience=1.0))
    for step in range(3):
        tracker.update([face(0)], step / 10)
    ended = list(itertools.chain(*(tracker.update([], step / 10) for step in range(3, 40))))
    assert [track.number for track in ended] == [1]
    assert ended[0].seen == pytest.approx(0.2)
    assert tracker.tracks == []


def test_between_detections_the_face_moves_on() -> None:
    """Box and landmarks are where the face should be by then."""
    tracker = Tracker()
    for step in range(10):
        points = np.full((5, 2), step * 10.0, np.float32)
        tracker.update([Detection(face(step * 10.0).box, 0.9, points)], step / 10)
    tracker.advance(1.0)
    (track,) = tracker.tracks
    assert not track.fresh
    assert track.detection.box.x1 == pytest.approx(100, abs=4)
    assert track.detection.landmarks is not None
    assert track.detection.landmarks[0, 0] == pytest.approx(100, abs=4)


def test_finishing_ends_what_counts() -> None:
    tracker = Tracker()
    tracker.update([face(0)], 0.0)
    tracker.update([face(0), face(300)], 0.1)
    assert [track.number for track in tracker.finish()] == [1]
    assert tracker.finish() == []


def test_times_that_stand_still_do_no_harm() -> None:
    """Some cameras stamp two pictures alike."""
    tracker = Tracker()
    for _ in range(5):
        tracker.update([face(0)], 1.0)
    assert numbers(tracker) == [1]
    assert np.isfinite(tracker.tracks[0].motion.place).all()


def test_the_best_pairs_come_first() -> None:
    score = np.array([[0.5, 0.9, 0.0], [0.8, 0.85, 0.1]])
    assert best_pairs(score, 0.2) == [(0, 1), (1, 0)]
    assert best_pairs(np.zeros((0, 3)), 0.2) == []
