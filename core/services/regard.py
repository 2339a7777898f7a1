"""When a face that is followed is looked at again, and what is known about it so far."""

import math

import attrs

from facecv.core.face import Face
from facecv.core.gallery import Identification
from facecv.core.services.ballot import Ballot, Look, Verdict

_GAP = 0.2
"""Seconds between two looks at a face whose name is open: closer views are hardly different."""
_TRIES = 6
"""Looks after which a face that stays open is looked at once a second only."""
_SLOW_GAP = 1.0
_LEAST_GAIN = 0.05
"""By which a clearly better view is better at least: many times nothing is nothing."""


@attrs.frozen
class LookOptions:
    """When a face is recognised.

    Attributes:
        agree: looks that must agree before a name is given.
        least_quality: a view below it is not worth a look, 0..1.
        better: a view is clearly better if its quality is this many times the best so far (and
            not by next to nothing).
        recheck: seconds after which a face that has a name is looked at again, in case that two
            faces were mixed up.
        budget: looks a second, on average; more wait for a later frame, and the newest view.
    """

    agree: int = attrs.field(default=2, validator=attrs.validators.ge(1))
    least_quality: float = attrs.field(default=0.15, validator=attrs.validators.ge(0))
    better: float = attrs.field(default=1.3, validator=attrs.validators.ge(1))
    recheck: float = attrs.field(default=10.0, validator=attrs.validators.gt(0))
    budget: float = attrs.field(default=20.0, validator=attrs.validators.gt(0))


@attrs.define(eq=False)
class Regard:
    """What is known about a face that is followed.

    Attributes:
        name: of the track, as events give it.
        ballot: of the looks so far.
        best: the best view that was looked at, with its embedding; None before the first look.
        quality: of that view.
        verdict: what the looks come to.
        threshold: similarity from which it would have been somebody.
        told: for whom it was announced: a person's id, ``stranger``, or empty.
        looked: time of the last look, seconds.
    """

    name: str
    ballot: Ballot
    best: Face | None = None
    quality: float = 0.0
    verdict: Verdict = attrs.field(factory=Verdict)
    threshold: float = 1.0
    told: str = ""
    looked: float = -math.inf

    def is_due(self, quality: float, time: float, options: LookOptions) -> bool:
        """Return whether a view of that quality is worth a look now."""
        if quality < options.least_quality:
            return False
        waited = time - self.looked
        if self.verdict.standing == "open" and waited >= self._gap:
            return True
        better = max(options.better * self.quality, self.quality + _LEAST_GAIN)
        return (quality >= better and waited >= _GAP) or waited >= options.recheck

    def look(self, face: Face, quality: float, who: Identification, time: float) -> None:
        """Take what a look has brought."""
        self.ballot.cast(Look(who, quality))
        self.verdict, self.looked, self.threshold = self.ballot.verdict(), time, who.threshold
        if self.best is None or quality > self.quality:
            self.best, self.quality = face, quality

    @property
    def _gap(self) -> float:
        return _GAP if self.ballot.count < _TRIES else _SLOW_GAP


@attrs.define
class Allowance:
    """A number of looks a second that may be saved up for one second, not longer."""

    rate: float
    _left: float = attrs.field(init=False)
    _time: float = attrs.field(default=-math.inf, init=False)

    def __attrs_post_init__(self) -> None:
        self._left = self._most

    def take(self, wanted: int, time: float) -> int:
        """Return how many of `wanted` looks may be had at `time` (seconds, rising)."""
        passed = max(time - self._time, 0.0)
        self._left = min(self._left + passed * self.rate, self._most)
        self._time = time
        given = min(wanted, int(self._left))
        self._left -= given
        return given

    @property
    def _most(self) -> float:
        return max(self.rate, 1.0)
