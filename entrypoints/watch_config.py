"""Section ``[watch]`` of the configuration: how streams are watched."""

from datetime import timedelta

import attrs

from facecv.core.services.find import FindOptions
from facecv.core.services.regard import LookOptions
from facecv.core.services.tracking import TrackOptions
from facecv.core.services.watch import WatchOptions

_positive = attrs.validators.gt(0.0)
_not_negative = attrs.validators.ge(0.0)


@attrs.frozen
class WatchConfig:
    """How streams are watched; see `WatchOptions`, `TrackOptions` and `LookOptions`.

    Attributes:
        detect_every: faces are looked for in every frame of this number.
        hits: detections after which a face counts.
        patience: seconds for which a face that is not found is waited for.
        agree: looks that must agree before a name is given.
        least_quality: views below it are not recognised, 0..1.
        better: how many times better a view must be to be looked at again.
        recheck: seconds after which a face that has a name is looked at again.
        budget: looks a second, on average.
        cooldown: seconds for which nobody is announced twice.
        crops: whether events carry the aligned face.
        attributes: attributes that events carry.
        keep_days: days for which events are kept, from when they were stored; 0: for ever.
    """

    detect_every: int = attrs.field(default=2, validator=attrs.validators.ge(1))
    hits: int = attrs.field(default=2, validator=attrs.validators.ge(1))
    patience: float = attrs.field(default=1.5, validator=_positive)
    agree: int = attrs.field(default=2, validator=attrs.validators.ge(1))
    least_quality: float = attrs.field(
        default=0.15, validator=[_not_negative, attrs.validators.le(1.0)]
    )
    better: float = attrs.field(default=1.3, validator=attrs.validators.ge(1))
    recheck: float = attrs.field(default=10.0, validator=_positive)
    budget: float = attrs.field(default=20.0, validator=_positive)
    cooldown: float = attrs.field(default=30.0, validator=_not_negative)
    crops: bool = False
    attributes: tuple[str, ...] = ()
    keep_days: float = attrs.field(default=30.0, validator=_not_negative)

    @property
    def keep(self) -> timedelta | None:
        """How long events are kept; None: for ever."""
        return timedelta(days=self.keep_days) if self.keep_days else None

    def options(self, find: FindOptions) -> WatchOptions:
        """Return the section as options of the service.

        Args:
            find: which faces count.
        """
        sure = find.detector.score_threshold
        return WatchOptions(
            self.detect_every,
            TrackOptions(sure, min(0.3, sure), self.hits, self.patience),
            LookOptions(self.agree, self.least_quality, self.better, self.recheck, self.budget),
            frozenset(self.attributes),
            self.crops,
            find,
        )
