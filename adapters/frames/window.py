"""Showing videos in a window, through OpenCV."""

import os
import sys

import cv2

from facecv.core.arrays import Pixels
from facecv.core.errors import SinkError

_ENOUGH = frozenset([27, ord("q"), ord("Q")])
_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")
_PROBLEM = "no window can be shown"
_HINT = "is there a display? use --record instead"


class Window:
    """Shows pictures as they come; Escape, q, or closing the window is enough."""

    def __init__(self, title: str) -> None:
        """Make a window; it appears with the first picture."""
        self._title = title
        self._is_open = False

    def write(self, image: Pixels, _time: float, /) -> bool:
        """Show a picture; return False once the window was closed."""
        if not self._is_open:
            _check_display()
        try:
            if self._is_open and cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) < 1:
                return False
            cv2.imshow(self._title, image)
            self._is_open = True
            return cv2.waitKey(1) & 0xFF not in _ENOUGH
        except cv2.error as error:
            raise SinkError(_PROBLEM, hint=_HINT) from error

    def close(self) -> None:
        """Close the window."""
        if self._is_open:
            self._is_open = False
            cv2.destroyWindow(self._title)


def _check_display() -> None:
    """Raise `SinkError` where there is no display: Qt behind OpenCV would end the process."""
    if sys.platform == "linux" and not any(map(os.environ.get, _DISPLAYS)):
        raise SinkError(_PROBLEM, hint=_HINT)
