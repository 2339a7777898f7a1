"""``FaceAnalysis`` with the interface of the insightface package."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog
from numpy.typing import ArrayLike

from facecv.core.arrays import Pixels
from facecv.core.errors import ConfigurationError
from facecv.core.image import Image
from facecv.core.ports.annotator import Label
from facecv.core.services.analyse import Want
from facecv.entrypoints.api import Engine
from facecv.entrypoints.compat.insightface.arguments import (
    DEFAULT_SIZES,
    detection_sizes,
    device,
    pack_settings,
)
from facecv.entrypoints.compat.insightface.face import Face
from facecv.entrypoints.compat.insightface.models import (
    DetectionModel,
    GenderAgeModel,
    Metric,
    Model,
    RecognitionModel,
)


class FaceAnalysis:
    """Finds, embeds and describes the faces of pictures.

    Attributes:
        models: task (``detection``, ``recognition``, ``genderage``) to model; a task that is taken
            out is no longer done.
        engine: what does the work.
        det_thresh: what `prepare` was given.
        det_size: likewise; a list of both default sizes where it was given none.
    """

    det_thresh: float
    det_size: ArrayLike

    def __init__(
        self,
        name: str | Path = "buffalo_l",
        root: str | Path = "~/.insightface",
        allowed_modules: Collection[str] | None = None,
        providers: Sequence[Any] | None = None,
        provider_options: Sequence[Mapping[str, Any]] | None = None,
        *,
        addons: Sequence[str] | None = None,
        **kwargs: object,
    ) -> None:
        """Find the models of a pack; none is loaded yet.

        Args:
            name: a model pack, or a folder of model files.
            root: ``root/models/NAME`` is used if it is there, our model store otherwise.
            allowed_modules: tasks to do; None: all that the pack has models for.
            providers: ONNX Runtime's execution providers; None: a GPU if there is one.
            provider_options: not used, which is logged.
            addons: must be empty.
            kwargs: not used, which is logged.

        Raises:
            ConfigurationError: detection is not allowed, or an add-on or a provider is not ours.
            ModelError: there is no such pack, or its files are not here.
        """
        if addons:
            raise ConfigurationError(f"add-ons are not supported: {', '.join(addons)}")
        _note_unused({"provider_options": provider_options, **kwargs})
        settings = {**pack_settings(name, root), "device": device(providers)}
        self.engine = Engine.open(
            None, detector="", embedder="", attributes=(), gallery="memory", **settings
        )
        self.models: dict[str, Any] = dict(self._models(allowed_modules))

    @property
    def det_model(self) -> DetectionModel:
        """The model for detection."""
        model: DetectionModel = self.models["detection"]
        return model

    def prepare(
        self, ctx_id: int = 0, det_thresh: float = 0.5, det_size: ArrayLike | None = None
    ) -> None:
        """Load the models.

        Args:
            ctx_id: below 0: on the CPU, whatever the providers; else on the device they name.
            det_thresh: the least score of a face, 0..1.
            det_size: width and height at which pictures are looked at, or several; None: 128 and
                640 pixels square.

        Raises:
            BackendError: the device cannot be had.
            ModelError: a file is not the network it should be.
        """
        if ctx_id < 0 and self.engine.config.device != "cpu":
            self.engine = Engine.open(self.engine.config, device="cpu")
            for model in self.models.values():
                model.analyser = self.engine.analyser
        self.det_thresh, self.det_model.det_thresh = det_thresh, det_thresh
        self.det_size = list(DEFAULT_SIZES) if det_size is None else det_size
        self.det_model.sizes = detection_sizes(det_size)
        self._load()

    def get(self, img: Pixels, max_num: int = 0, det_metric: Metric = "default") -> list[Face]:
        """Return the faces of a picture, by falling score, with all that `models` can say.

        Args:
            img: uint8 [H, W, 3] BGR.
            max_num: the most faces; 0: all.
            det_metric: which, if there are more: the largest (``max``), or the largest near the
                middle (``default``).

        Raises:
            InputError: it is not a picture.
        """
        found = self.det_model.find(img, max_num, det_metric)
        attributes = GenderAgeModel.wanted if "genderage" in self.models else frozenset()
        want = Want(quality=False, embedding="recognition" in self.models, attributes=attributes)
        described = self.engine.analyser.describe([(img, face) for face in found], want)
        return [Face.of(face) for face in described]

    def draw_on(self, img: Pixels, faces: Sequence[Face]) -> Pixels:
        """Return a copy of a picture with boxes, landmarks, sex and age drawn on it."""
        labels = [Label(face.detection(), _caption(face)) for face in faces]
        return self.engine.draw(Image(img), labels)

    def _models(self, allowed: Collection[str] | None) -> dict[str, Model]:
        """Return the models that the pack has and that are allowed; raise for missing files."""
        analyser = self.engine.analyser
        models: dict[str, Model] = {"detection": DetectionModel(analyser)}
        if self.engine.parts.pack.for_task("recognition"):
            models["recognition"] = RecognitionModel(analyser)
        providers = [model.provider for model in self.engine.parts.pack.for_task("attributes")]
        if "genderage" in providers and GenderAgeModel.wanted <= analyser.attribute_models.names:
            models["genderage"] = GenderAgeModel(analyser)
        if allowed is not None:
            _check_allowed(allowed, models)
            models = {task: model for task, model in models.items() if task in allowed}
        for slot in self._slots(models):
            _ = slot.blueprint  # raises if the file is missing
        return models

    def _slots(self, models: Mapping[str, Model]) -> list[Any]:
        analyser = self.engine.analyser
        slots: list[Any] = [analyser.detector]
        if "recognition" in models:
            slots.append(analyser.embedder)
        if "genderage" in models:
            slots += [slot for slot, _ in analyser.attribute_models.needed(GenderAgeModel.wanted)]
        return slots

    def _load(self) -> None:
        for slot in self._slots(self.models):
            slot.get()


def _check_allowed(allowed: Collection[str], models: Mapping[str, Model]) -> None:
    if "detection" not in allowed:
        raise ConfigurationError("allowed_modules must name 'detection'")
    absent = sorted(set(allowed) - set(models))
    if absent:
        structlog.get_logger().warning("no model for these modules", modules=absent)


def _note_unused(arguments: Mapping[str, object]) -> None:
    unused = sorted(name for name, value in arguments.items() if value is not None)
    if unused:
        structlog.get_logger().warning("arguments without effect", arguments=unused)


def _caption(face: Face) -> str:
    if face.sex is None or face.age is None:
        return ""
    return f"{face.sex},{face.age}"
