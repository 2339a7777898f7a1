"""Handing pictures from the thread that makes them to the thread that wants them."""

import threading
from collections import deque
from typing import Generic, TypeVar

ItemT = TypeVar("ItemT")


class Mailbox(Generic[ItemT]):
    """Holds a few items between two threads; never more.

    Args:
        depth: the most items it holds.
        replace: whether a new item drives out the oldest one of a full box; otherwise who puts it
            in waits.
    """

    def __init__(self, depth: int, *, replace: bool) -> None:
        self._depth = depth
        self._replace = replace
        self._items: deque[ItemT] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """How many items were driven out."""
        return self._dropped

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to take."""
        return not self._items

    def put(self, item: ItemT) -> bool:
        """Put an item in; return False if the box was closed instead."""
        with self._changed:
            if not self._replace:
                self._changed.wait_for(lambda: self._closed or len(self._items) < self._depth)
            if self._closed:
                return False
            while len(self._items) >= self._depth:
                self._items.popleft()
                self._dropped += 1
            self._items.append(item)
            self._changed.notify_all()
            return True

    def take(self, timeout: float, until: threading.Event) -> ItemT | None:
        """Return the oldest item; None after `timeout` seconds, or once `until` is set and woken.

        What is in the box comes out first.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: bool(self._items) or self._closed or until.is_set(), timeout
            )
            if not self._items:
                return None
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def clear(self) -> None:
        """Drop what is in the box."""
        with self._changed:
            self._dropped += len(self._items)
            self._items.clear()

    def wake(self) -> None:
        """Let waiting threads look again."""
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """Drop what is in the box, and take no more."""
        with self._changed:
            self._closed = True
            self._items.clear()
            self._changed.notify_all()
