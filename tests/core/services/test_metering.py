"""How long things take."""

import attrs
import numpy as np
import pytest

from facecv.core.errors import InputError
from facecv.core.services.analyse import Want
from facecv.core.services.metering import Meters, NoMeter, RollingMeter, counted, timed
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


class TestRollingMeter:
    """The last minutes, in numbers."""

    @pytest.fixture
    def clock(self) -> list[float]:
        """Return a list whose only number is the time."""
        return [1000.0]

    def test_percentiles_and_throughput_by_stage_and_by_model(self, clock: list[float]) -> None:
        meter = RollingMeter(60, clock=lambda: clock[0])
        for number in range(100):
            meter.observe("embed", (number + 1) / 100, 2, "a" if number < 50 else "b")
        clock[0] += 10
        stage = meter.stages()["embed"]
        assert (stage.count, stage.items, stage.per_second) == (100, 200, 20)
        assert [stage.p50, stage.p95, stage.p99] == pytest.approx([0.5, 0.95, 0.99], abs=0.01)
        models = meter.models()
        assert models["a", "embed"].p50 == pytest.approx(0.25, abs=0.01)
        assert models["b", "embed"].p50 == pytest.approx(0.75, abs=0.01)

    def test_what_is_old_is_forgotten(self, clock: list[float]) -> None:
        meter = RollingMeter(60, clock=lambda: clock[0])
        meter.observe("decode", 1.0, 1, "")
        meter.batch("a", 9)
        clock[0] += 61
        assert (meter.stages(), meter.models(), meter.batches()) == ({}, {}, {})
        meter.observe("decode", 2.0, 3, "")
        assert meter.stages()["decode"].per_second == pytest.approx(3 / 60)

    def test_a_full_memory_looks_back_less_far(self, clock: list[float]) -> None:
        meter = RollingMeter(60, 10, lambda: clock[0])
        for _ in range(30):
            clock[0] += 1
            meter.observe("decode", 0.1, 1, "")
        assert meter.stages()["decode"].per_second == pytest.approx(10 / 9)

    def test_sizes_of_runs(self) -> None:
        meter = RollingMeter()
        for size in (1, 2, 6):
            meter.batch("a", size)
        report = meter.batches()["a"]
        assert (report.runs, report.mean, report.largest) == (3, 3, 6)
