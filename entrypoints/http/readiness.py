"""Loading the models when the server starts, so that no request pays for it."""

import threading
from typing import Literal

import numpy as np
import structlog

from facecv.core.errors import FaceCVError, NotReadyError
from facecv.core.face import Detection
from facecv.core.geometry import ARCFACE_TEMPLATE, Box
from facecv.core.image import Image
from facecv.core.services.analyse import Want
from facecv.entrypoints.api import Engine

State = Literal["starting", "ready", "failed"]


class Readiness:
    """Whether the engine has been run once. Safe to use from several threads.

    Attributes:
        state: ``starting`` until the models have run, then ``ready`` or ``failed``.
        reason: why it failed; empty otherwise.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self.state: State = "starting"
        self.reason = ""

    def warm_up(self) -> None:
        """Load the models, run each once, and open the gallery; a failure is kept, not raised."""
        with self._lock:
            if self.state == "ready":
                return
            try:
                _run_all(self._engine)
            except FaceCVError as error:
                self.state, self.reason = "failed", str(error)
                structlog.get_logger().error("not ready", code=error.code, reason=error.message)
                return
            self.state, self.reason = "ready", ""

    def check(self) -> None:
        """Raise unless the models have run and the gallery answers.

        A start that failed is tried again: what was missing may have come.

        Raises:
            NotReadyError: the models are loading, or cannot be loaded.
            FaceCVError: the gallery does not answer.
        """
        if self.state == "failed":
            self.warm_up()
        if self.state != "ready":
            raise NotReadyError(
                self.reason or "the models are loading", details={"state": self.state}
            )
        self._engine.collections()


def _run_all(engine: Engine) -> None:
    """Run every network once, on a grey picture with one made-up face."""
    picture = Image(np.full((160, 160, 3), 127, dtype=np.uint8))
    engine.detect(picture)
    face = Detection(Box(24, 24, 136, 136), 1.0, ARCFACE_TEMPLATE + np.float32(24))
    engine.analyser.describe([(picture.pixels, face)], Want(attributes=None))
    engine.collections()
