"""The last minutes of one process or several, in numbers."""

import msgspec
import pytest

from facecv.core.services.figures import Figures, Snapshot
from facecv.core.services.metering import RollingMeter


class TestOne:
    """The last minutes of one process, in numbers."""

    @pytest.fixture
    def clock(self) -> list[float]:
        """Return a list whose only number is the time."""
        return [1000.0]

    def test_percentiles_and_throughput_by_stage_and_by_model(self, clock: list[float]) -> None:
        meter = RollingMeter(60, clock=lambda: clock[0])
        for number in range(100):
            meter.observe("embed", (number + 1) / 100, 2, "a" if number < 50 else "b")
        clock[0] += 10
        figures = Figures([meter.snapshot()])
        stage = figures.stages()["embed"]
        assert (stage.count, stage.items, stage.per_second) == (100, 200, 20)
        assert [stage.p50, stage.p95, stage.p99] == pytest.approx([0.5, 0.95, 0.99], abs=0.01)
        models = figures.models()
        assert models["a", "embed"].p50 == pytest.approx(0.25, abs=0.01)
        assert models["b", "embed"].p50 == pytest.approx(0.75, abs=0.01)

    def test_what_is_old_is_forgotten(self, clock: list[float]) -> None:
        meter = RollingMeter(60, clock=lambda: clock[0])
        meter.observe("decode", 1.0, 1, "")
        meter.batch("a", 9)
        clock[0] += 61
        snapshot = meter.snapshot()
        assert (snapshot.stages, snapshot.batches) == ((), ())
        meter.observe("decode", 2.0, 3, "")
        assert Figures([meter.snapshot()]).stages()["decode"].per_second == pytest.approx(3 / 60)

    def test_a_full_memory_looks_back_less_far(self, clock: list[float]) -> None:
        meter = RollingMeter(60, 10, lambda: clock[0])
        for _ in range(30):
            clock[0] += 1
            meter.observe("decode", 0.1, 1, "")
        assert Figures([meter.snapshot()]).stages()["decode"].per_second == pytest.approx(10 / 9)

    def test_sizes_of_runs(self) -> None:
        meter = RollingMeter()
        for size in (1, 2, 6):
            meter.batch("a", size)
        report = Figures([meter.snapshot()]).batches()["a"]
        assert (report.runs, report.mean, report.largest) == (3, 3, 6)


class TestSeveral:
    """Processes are counted together, each over the time that it looks back."""

    @pytest.fixture
    def figures(self) -> Figures:
        clock = [1000.0]
        old = RollingMeter(60, clock=lambda: clock[0])
        clock[0] += 50
        young = RollingMeter(60, clock=lambda: clock[0])
        clock[0] += 10
        for meter, seconds, passes in ((old, 0.1, 30), (young, 0.3, 10)):
            for _ in range(passes):
                meter.observe("embed", seconds, 2, "a")
            meter.batch("a", passes)
        return Figures([old.snapshot(), young.snapshot()])

    def test_passes_are_merged_and_rates_added(self, figures: Figures) -> None:
        stage = figures.stages()["embed"]
        assert (stage.count, stage.items) == (40, 80)
        assert stage.per_second == pytest.approx(60 / 60 + 20 / 10)
        assert (stage.p50, stage.p99) == (0.1, 0.3)
        assert figures.models()["a", "embed"] == stage
        batches = figures.batches()["a"]
        assert (batches.runs, batches.mean, batches.largest) == (2, 20, 30)

    def test_they_can_be_sent(self, figures: Figures) -> None:
        sent = msgspec.msgpack.encode(list(figures.snapshots))
        assert msgspec.msgpack.decode(sent, type=list[Snapshot]) == figures.snapshots
