"""Models of all workers of a server: what one loads, unloads or switches, the others do too."""

import threading
import time

import msgspec
import structlog

from facecv.core.errors import FaceCVError
from facecv.core.services.model_desk import ModelDesk, Place
from facecv.entrypoints.http.model_book import ModelBook, ModelChange

_LOOK = 0.25
_AGAIN = 30.0
"""Seconds after which a change that failed is tried again."""


class ModelSync:
    """Changes the models of this worker, and follows the changes of others.

    A worker that cannot follow goes on with the models that it has, says why, and tries again.
    Safe to use from several threads.
    """

    def __init__(self, desk: ModelDesk, own: str, book: ModelBook | None) -> None:
        """Make one that does not look yet.

        Args:
            desk: where the models are.
            own: id of this worker.
            book: what all workers read and write; None: there is only this one.
        """
        self._desk, self._own, self._book = desk, own, book
        self._switching = threading.Lock()
        self._seen = 0
        self._failed: dict[tuple[str, ...], tuple[ModelChange, str]] = {}
        self._next_try = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="facecv-models", daemon=True)

    def start(self) -> None:
        """Do what was asked before this worker was there, and follow what comes."""
        if self._book is not None:
            self._look_once(self._book)
            self._thread.start()

    def close(self) -> None:
        """Follow no more. May be called twice."""
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()

    def problems(self) -> list[str]:
        """Return what this worker could not follow to, in words."""
        failed = list(self._failed.values())
        return [f"{each.action} {each.kind} {each.model}: {why}" for each, why in failed]

    def change(self, change: ModelChange) -> Place:
        """Change the models of this worker, and let the others follow.

        Raises:
            FaceCVError: that cannot be done; nothing has changed anywhere.
        """
        if change.action != "switch":
            return self._changed(change)
        with self._switching:  # nobody follows to an older switch before this one is noted
            return self._changed(change)

    def forget(self) -> None:
        """Look names up anew in all workers: files of models came or went."""
        self._desk.forget()
        self._note(ModelChange(action="forget"))

    def _changed(self, change: ModelChange) -> Place:
        place = self._done(change)
        self._failed.pop(change.about, None)
        self._note(change)
        return place

    def _note(self, change: ModelChange) -> None:
        if self._book is not None:
            self._book.add(msgspec.structs.replace(change, by=self._own))

    def _done(self, change: ModelChange) -> Place:
        kind, model = change.kind, change.model
        if change.action == "switch" and kind != "attributes":
            return self._desk.switch(kind, model, keep=change.keep)
        if change.action == "load":
            return self._desk.load(kind, model, wait=change.wait)
        return self._desk.unload(kind, model)

    def _look(self) -> None:
        while self._book is not None and not self._over.wait(_LOOK):
            self._look_once(self._book)

    def _look_once(self, book: ModelBook) -> None:
        try:
            self._follow(book)
            self._try_again()
        except (OSError, msgspec.MsgspecError):  # the next look may go better
            structlog.get_logger().exception("models cannot be followed")

    def _follow(self, book: ModelBook) -> None:
        """Do what others did since the last look, one after the other."""
        while True:
            with self._switching:
                change = next(iter(book.since(self._seen)), None)
                if change is None:
                    return
                if change.action == "switch":
                    self._try(change)
                self._seen = change.number
            if change.action != "switch":
                self._try(change)

    def _try_again(self) -> None:
        """Do what failed before, now and then."""
        if not self._failed or time.monotonic() < self._next_try:
            return
        for change, _ in list(self._failed.values()):
            with self._switching:
                if change.about in self._failed:
                    self._try(change)

    def _try(self, change: ModelChange) -> None:
        """Follow a change; one that fails is kept with the reason, and models stay as they are."""
        if change.by == self._own:
            return
        self._failed.pop(change.about, None)
        try:
            self._desk.forget() if change.action == "forget" else self._done(change)
        except Exception as error:  # noqa: BLE001 - a bug of one model must not keep others away
            why = str(error) if isinstance(error, FaceCVError) else "a bug; the log tells what"
            structlog.get_logger().error(
                "a model cannot be followed",
                action=change.action,
                model=change.model,
                exc_info=error,
            )
            self._failed[change.about] = change, why
            self._next_try = time.monotonic() + _AGAIN
