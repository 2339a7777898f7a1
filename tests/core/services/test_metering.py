"""How long things take."""

import attrs
import numpy as np
import pytest

from facecv.core.errors import InputError
from facecv.core.services.analyse import Want
from facecv.core.services.metering import Meters, NoMeter, counted, timed
from facecv.core.services.slot import Built
from tests.core.services.world import ALIGNED, WorldAttributes, WorldEmbedder, analyser, picture
from tests.fakes.meter import FakeMeter

TWO = picture((20, 20, 60, 10), (150, 50, 120, 90))


def test_each_stage_of_a_picture_is_told() -> None:
    meter = FakeMeter()
    looking = attrs.evolve(analyser(attributes=[WorldAttributes("tone", ALIGNED)]), meter=meter)
    looking.analyse([looking.read(TWO)], Want(attributes=None))
    assert meter.passes == [
        ("decode", 1, ""),
        ("detect", 1, "WorldDetector"),
        ("align", 2, ""),
        ("embed", 2, "WorldEmbedder"),
        ("attributes", 2, "WorldAttributes"),
    ]


def test_faces_are_aligned_for_their_embedding_alone_too() -> None:
    meter = FakeMeter()
    looking = attrs.evolve(analyser(), meter=meter)
    looking.analyse([looking.read(TWO)], Want(quality=False))
    assert ("align", 2, "") in meter.passes


def test_what_fails_is_not_told() -> None:
    meter = FakeMeter()
    with pytest.raises(InputError), timed(meter, "decode", 1):
        raise InputError("no")
    assert meter.passes == []


def test_runs_of_an_embedder_are_counted() -> None:
    meter = FakeMeter()
    embedder = counted(Built(WorldEmbedder()), meter).model
    for faces in (3, 0, 1):
        embedder.embed(np.zeros((faces, 112, 112, 3), np.uint8))
    assert meter.runs == [("world", 3), ("world", 1)]


def test_several_meters_are_all_told() -> None:
    one, other = FakeMeter(), FakeMeter()
    both = Meters((one, NoMeter(), other))
    both.observe("search", 0.1, 4, "")
    both.batch("world", 2)
    assert one == other == FakeMeter([("search", 4, "")], [("world", 2)])
