"""What the last minutes were like, from what the meters of one or several processes kept."""

from collections.abc import Iterable, Mapping, Sequence

import attrs
import numpy as np

Pass = tuple[float, float, int]
"""How many seconds ago it was, how many it took, how many items."""


@attrs.frozen
class Passes:
    """The passes of one stage with one model, or the runs of one network.

    Attributes:
        stage: which one; empty for runs of a network.
        model: name of the model; empty where none ran.
        passes: the oldest first.
    """

    stage: str
    model: str
    passes: tuple[Pass, ...]


@attrs.frozen
class Snapshot:
    """What a meter keeps, at one moment.

    Attributes:
        window: seconds that it looks back.
        age: seconds since it began.
        most: the most passes that it keeps of one stage and model.
        stages: the passes of each stage and model.
        batches: the runs of each network; they take no time, and their items are faces.
    """

    window: float
    age: float
    most: int
    stages: tuple[Passes, ...] = ()
    batches: tuple[Passes, ...] = ()

    def rate(self, passes: Sequence[Pass]) -> float:
        """Return items a second of passes of one stage, over the time that was looked at."""
        full = len(passes) >= self.most
        since = max(ago for ago, _, _ in passes) if full else min(self.age, self.window)
        return sum(items for _, _, items in passes) / max(since, 1e-9)


@attrs.frozen
class StageReport:
    """What a stage did during the last minutes.

    Attributes:
        count: passes.
        items: pictures, faces or probes in them.
        per_second: items in a second, over the time that was looked at.
        p50: median seconds of a pass.
        p95: seconds that 95 % of passes took at most.
        p99: likewise 99 %.
    """

    count: int
    items: int
    per_second: float
    p50: float
    p95: float
    p99: float


@attrs.frozen
class BatchReport:
    """The runs of a network during the last minutes.

    Attributes:
        runs: how many.
        mean: faces in one, on average.
        largest: the most faces in one.
    """

    runs: int
    mean: float
    largest: int


@attrs.frozen
class Figures:
    """The last minutes of all processes of a service.

    Attributes:
        snapshots: one a process.
    """

    snapshots: Sequence[Snapshot]

    def stages(self) -> Mapping[str, StageReport]:
        """Return what each stage did, whatever the model."""
        names = {each.stage for snapshot in self.snapshots for each in snapshot.stages}
        return {name: self._report(stage=name) for name in sorted(names)}

    def models(self) -> Mapping[tuple[str, str], StageReport]:
        """Return what each model did, by its name and the stage."""
        keys = {
            (each.model, each.stage)
            for snapshot in self.snapshots
            for each in snapshot.stages
            if each.model
        }
        return {(model, stage): self._report(stage, model) for model, stage in sorted(keys)}

    def batches(self) -> Mapping[str, BatchReport]:
        """Return the runs of each network."""
        sizes: dict[str, list[int]] = {}
        for snapshot in self.snapshots:
            for each in snapshot.batches:
                sizes.setdefault(each.model, []).extend(faces for _, _, faces in each.passes)
        return {
            model: BatchReport(len(each), sum(each) / len(each), max(each))
            for model, each in sizes.items()
        }

    def _report(self, stage: str, model: str = "") -> StageReport:
        """Return what a stage did, with one model or with all of them."""
        found = [
            (snapshot, passes)
            for snapshot in self.snapshots
            if (passes := _chosen(snapshot.stages, stage, model))
        ]
        everything = [each for _, passes in found for each in passes]
        took = [seconds for _, seconds, _ in everything]
        p50, p95, p99 = np.percentile(took, [50, 95, 99]).tolist()
        items = sum(count for _, _, count in everything)
        rate = sum(snapshot.rate(passes) for snapshot, passes in found)
        return StageReport(len(everything), items, rate, p50, p95, p99)


def _chosen(stages: Iterable[Passes], stage: str, model: str) -> list[Pass]:
    return [
        one
        for each in stages
        if each.stage == stage and model in {"", each.model}
        for one in each.passes
    ]
