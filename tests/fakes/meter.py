"""A meter that keeps what it is told."""

import attrs

from facecv.core.ports.meter import Stage


@attrs.frozen
class FakeMeter:
    """Keeps stage, items and model of each pass, and model and size of each run: ``FakeMeter()``.

    Times are dropped: no test should depend on them.
    """

    passes: list[tuple[Stage, int, str]] = attrs.field(factory=list)
    runs: list[tuple[str, int]] = attrs.field(factory=list)

    def observe(self, stage: Stage, seconds: float, items: int, model: str, /) -> None:
        assert seconds >= 0
        self.passes.append((stage, items, model))

    def batch(self, model: str, size: int, /) -> None:
        self.runs.append((model, size))
