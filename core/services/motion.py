"""How a face moves: a Kalman filter of constant velocity."""

import math

import attrs
import numpy as np
from numpy.typing import NDArray

from facecv.core.geometry import Box

_MEASURED = 0.06
"""Standard deviation of a detected coordinate, in sizes of the face."""
_SPEED = 3.0
"""Standard deviation of the speed of a new face, sizes a second."""
_ACCELERATION = 6.0
"""Standard deviation of the acceleration, sizes a second squared."""
_LEAST_SIDE = 1.0


@attrs.define(eq=False)
class Motion:
    """Where a face is and where it goes.

    Centre and sides move independently of one another, but with one uncertainty, counted in sizes
    of the face, so that one 2x2 covariance is enough for the four.

    Attributes:
        place: centre x and y, width, height; float64 [4], pixels.
        speed: float64 [4], pixels a second.
        spread: covariance of place and speed, float64 [2, 2], in sizes of the face.
    """

    place: NDArray[np.float64]
    speed: NDArray[np.float64] = attrs.field(factory=lambda: np.zeros(4))
    spread: NDArray[np.float64] = attrs.field(
        factory=lambda: np.diag([_MEASURED**2, _SPEED**2]).astype(np.float64)
    )

    @classmethod
    def start(cls, box: Box) -> "Motion":
        """Return the motion of a face that has just been found and may go anywhere."""
        return cls(_place(box))

    @property
    def box(self) -> Box:
        """Where the face is."""
        x, y, width, height = self.place.tolist()
        width, height = max(width, _LEAST_SIDE), max(height, _LEAST_SIDE)
        return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        if seconds <= 0:
            return
        self.place = self.place + self.speed * seconds
        step = np.array([[1.0, seconds], [0.0, 1.0]])
        pull = np.array([seconds**2 / 2, seconds]) * _ACCELERATION
        self.spread = step @ self.spread @ step.T + np.outer(pull, pull)

    def correct(self, box: Box) -> None:
        """Take into account where the face was really found."""
        gain = self.spread[:, 0] / (self.spread[0, 0] + _MEASURED**2)
        missed = _place(box) - self.place
        self.place = self.place + gain[0] * missed
        self.speed = self.speed + gain[1] * missed
        self.spread = self.spread - np.outer(gain, self.spread[0])

    def calm(self, seconds: float) -> None:
        """Slow down what has not been seen for a while: nobody leaves at full speed for ever."""
        self.speed = self.speed * math.exp(-2.0 * seconds)


def _place(box: Box) -> NDArray[np.float64]:
    return np.array([*box.center, box.width, box.height])
