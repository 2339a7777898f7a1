"""Waiting before one tries again."""

import random

import attrs


@attrs.frozen
class Backoff:
    """Delays that grow from try to try, spread so that many do not come back at one moment.

    Attributes:
        first: seconds after the first failure.
        factor: by which each delay grows.
        longest: seconds that no delay exceeds.
        jitter: share of a delay that is left to chance, 0..1.
    """

    first: float = attrs.field(default=0.5, validator=attrs.validators.gt(0))
    factor: float = attrs.field(default=2.0, validator=attrs.validators.ge(1))
    longest: float = attrs.field(default=30.0, validator=attrs.validators.gt(0))
    jitter: float = attrs.field(
        default=0.5, validator=[attrs.validators.ge(0), attrs.validators.le(1)]
    )

    def delay(self, failures: int, chance: random.Random | None = None) -> float:
        """Return how long to wait, in seconds.

        Args:
            failures: how many tries in a row have failed, at least 1.
            chance: where the jitter comes from; None: the operating system.
        """
        steps = min(failures - 1, 64)  # more would overflow, and is far past `longest`
        whole = min(self.first * self.factor**steps, self.longest)
        # Processes that were forked would share the state of a generator, and so their delays.
        draw = (chance or random.SystemRandom()).random()
        return whole * (1 - self.jitter * draw)
