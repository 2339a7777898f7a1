"""Heads in space, turned by known angles and seen from far away."""

import numpy as np

from facecv.core.arrays import Floats


def turned(points: Floats, *, yaw: float = 0, pitch: float = 0, roll: float = 0) -> Floats:
    """Return points [N, 3] of a head (x right, y down, z to the camera) turned by degrees.

    First clockwise by the roll, then to the right by the yaw, then up by the pitch.
    """
    head = np.asarray(points, np.float64)
    head = _turn(head, 0, 1, roll)
    head = _turn(head, 2, 0, yaw)
    return _turn(head, 2, 1, -pitch).astype(np.float32)


def _turn(points: np.ndarray, source: int, target: int, degrees: float) -> np.ndarray:
    """Return points turned so that axis `source` moves towards axis `target`."""
    angle = np.radians(degrees)
    moved = points.copy()
    moved[:, source] = points[:, source] * np.cos(angle) - points[:, target] * np.sin(angle)
    moved[:, target] = points[:, source] * np.sin(angle) + points[:, target] * np.cos(angle)
    return moved
