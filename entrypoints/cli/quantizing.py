"""Making a variant of a model and comparing it with the original."""

import os
import shutil
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import attrs
import numpy as np

from facecv.core.arrays import Pixels
from facecv.core.errors import (
    BackendError,
    ConfigurationError,
    FaceCVError,
    InputError,
    ModelError,
    ModelNotFoundError,
)
from facecv.core.lfw import pictures_of, read_pairs
from facecv.core.pack import ModelFile
from facecv.core.paired import paired_seconds
from facecv.core.ports.inference_backend import InferenceBackend, SessionOptions
from facecv.core.ports.model_converter import ModelConverter, Precision
from facecv.core.services.analyse import Analyser
from facecv.core.services.evaluate import PictureEmbedder, evaluate
from facecv.core.services.registry import ready
from facecv.core.services.variants import compare_detectors, compare_embedders
from facecv.entrypoints.bootstrap import Builder, bootstrap
from facecv.entrypoints.cli.network_recorder import Recorder, RecordingBackend
from facecv.entrypoints.cli.shapes import Shape
from facecv.models.variant import variant_name, variant_spec, write_variant

Kind = Literal["detectors", "embedders"]
_TIMED = 8
"""Faces of a batch, or pictures, that are timed."""
_ROUNDS = 9
_LONGEST = 1280
"""Longer side of pictures that are kept to calibrate a detector, pixels."""


@attrs.frozen
class Original:
    """The model that a variant is made of.

    Attributes:
        kind: which port it implements.
        file: its network.
    """

    kind: Kind
    file: ModelFile


def find_original(analyser: Analyser, reference: str) -> Original:
    """Return the embedder or detector of that name.

    Raises:
        ModelNotFoundError: there is none.
    """
    registries: tuple[tuple[Kind, Any], ...] = (
        ("embedders", analyser.embedder),
        ("detectors", analyser.detector),
    )
    failures: list[FaceCVError] = []
    for kind, registry in registries:
        try:
            file = registry.slot(reference).blueprint.file
        except (ModelError, ConfigurationError) as error:
            failures.append(error)
            continue
        if file is None:
            raise ModelNotFoundError(f"{reference!r} has no network that could be converted")
        return Original(kind, file)
    known = [error for error in failures if not isinstance(error, ModelNotFoundError)]
    raise failures[-1] if known else failures[0]


@attrs.frozen(eq=False, slots=False)
class Quantizer:
    """Makes a variant of a model.

    Attributes:
        builder: of the installation.
        precision: what the variant computes in.
    """

    builder: Builder
    precision: Precision

    @cached_property
    def analyser(self) -> Analyser:
        """What finds faces in the pictures."""
        return bootstrap(self.builder.config, self.builder.catalogue).analyser

    @cached_property
    def backend(self) -> InferenceBackend:
        """What runs both networks: the configured one."""
        backend: InferenceBackend = self.builder.build("backends", self.builder.config.backend)
        return backend

    @contextmanager
    def draft(self) -> Iterator[Path]:
        """Return a folder beside that of the variants, deleted at the end of the block."""
        folder = self._variants().parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".draft-", dir=folder) as made:
                yield Path(made)
        except OSError as error:
            raise ModelError(f"{folder} cannot be written: {error.strerror or error}") from error

    def look(
        self, original: Original, pictures: Sequence[Path], done: Callable[[], None]
    ) -> list[Pixels]:
        """Return what the model is shown of pictures that have a face, BGR.

        Aligned faces uint8 [S, S, 3] for an embedder, whole pictures for a detector.
        """
        seen = []
        for path in pictures:
            image = self.analyser.read(path)
            faces = self.analyser.detect([image])[0]
            done()
            marks = faces[0].landmarks if faces else None
            if not faces:
                continue
            if original.kind == "detectors":
                step = -(-max(image.pixels.shape) // _LONGEST)
                seen.append(np.ascontiguousarray(image.pixels[::step, ::step]))
            elif marks is not None:
                side = self.analyser.embedder.slot(_reference(original)).get().input_size
                seen.append(self.analyser.aligner.align(image.pixels, [marks], side)[0])
        return seen

    def convert(self, original: Original, seen: Sequence[Pixels], draft: Path) -> None:
        """Write the variant into the folder `draft`; raises what `ModelConverter` raises."""
        recorder = Recorder()
        model = self.builder.model(
            original.kind,
            original.file,
            RecordingBackend(self.backend, recorder, as_published=True),
        )
        recorder.on = True  # from now on: models run their network on a probe when they load
        self._run(original, model, seen)
        runs = [run.inputs for run in recorder.runs]
        self._converter().convert(original.file, self.precision, runs, self._path(original, draft))

    def compare(self, original: Original, seen: Sequence[Pixels], draft: Path) -> Shape:
        """Return how the variant in the folder `draft` compares with the original."""
        file = self._variant(original, draft)
        one, other = self._both(original, file)
        if original.kind == "embedders":
            agreement = compare_embedders(one, other, np.stack(seen))
        else:
            agreement = compare_detectors(one, other, seen, self._detection)
        timed = seen[:_TIMED]
        actions = {
            "one": lambda: self._run(original, one, timed),
            "other": lambda: self._run(original, other, timed),
        }
        seconds = paired_seconds(actions, _ROUNDS)
        ratios = [b / a for a, b in zip(seconds["one"], seconds["other"], strict=True)]
        return {
            "name": file.spec.name,
            "of": original.file.path.stat().st_size,
            "size": file.spec.size,
            "sha256": file.sha256,
            **attrs.asdict(agreement),
            "time_ratio": round(statistics.median(ratios), 3),
            "provider": self._provider(file),
        }

    def accuracies(self, original: Original, draft: Path, pairs: Path, images: Path) -> Shape:
        """Return the accuracy of both on a list of pairs, by the protocol of LFW."""
        found = {}
        models = self._both(original, self._variant(original, draft))
        for name, model in zip(("accuracy_of_original", "accuracy"), models, strict=True):
            if original.kind == "detectors":
                analyser = attrs.evolve(self.analyser, detector=ready(model))
            else:
                analyser = attrs.evolve(self.analyser, embedder=ready(model))
            found[name] = _accuracy(analyser, pairs, images)
        return found

    def replaces_space(self, original: Original, draft: Path) -> bool:
        """Say whether another embedder makes room for the variant: its space goes with it."""
        spec = self._variant(original, draft).spec
        known = self.builder.packs().packs.get(spec.name)
        return (
            original.kind == "embedders"
            and known is not None
            and spec.sha256 not in {each.sha256 for each in known.models}
        )

    def install(self, original: Original, draft: Path) -> Path:
        """Move the variant to its place, with a manifest; return its folder."""
        spec = self._variant(original, draft).spec
        packs = self.builder.packs().packs
        pack = packs.get(original.file.pack)
        licence = original.file.spec.licence or (pack.licence if pack else "")
        write_variant(
            draft, spec, f"{original.file.spec.name} in {self.precision}, made here", licence
        )
        target = self._variants() / spec.name
        if spec.name in packs and packs[spec.name].root != target:
            raise ModelError(f"there is another pack called {spec.name!r}", hint="rename it")
        target.parent.mkdir(parents=True, exist_ok=True)
        draft.chmod(0o755)
        old = target.with_name(f".{target.name}.{os.getpid()}")
        if target.exists():
            target.rename(old)
        draft.rename(target)
        shutil.rmtree(old, ignore_errors=True)
        draft.mkdir()  # what is to be deleted at the end
        return target

    @property
    def _detection(self) -> Any:  # noqa: ANN401 - DetectorOptions
        return self.analyser.find.detector

    def _run(self, original: Original, model: Any, seen: Sequence[Pixels]) -> None:  # noqa: ANN401
        if original.kind == "embedders":
            model.embed(np.stack(seen))
        else:
            for picture in seen:
                model.detect([picture], self._detection)

    def _both(self, original: Original, variant: ModelFile) -> tuple[Any, Any]:
        """Return the original and the variant, loaded."""
        kind = original.kind
        return (
            self.builder.model(kind, original.file, self.backend),
            self.builder.model(kind, variant, self.backend),
        )

    def _path(self, original: Original, draft: Path) -> Path:
        return draft / f"{variant_name(original.file, self.precision)}.onnx"

    def _variant(self, original: Original, draft: Path) -> ModelFile:
        path = self._path(original, draft)
        spec = variant_spec(original.file, path.stem, path)
        return ModelFile(path, spec.sha256, spec, spec.name)

    def _provider(self, file: ModelFile) -> str:
        config = self.builder.config
        session = self.backend.load(file, SessionOptions(config.device, config.threads))
        try:
            return session.provider
        finally:
            session.close()

    def _converter(self) -> ModelConverter:
        """Return a backend that can convert: the configured one, else the first that can."""
        if isinstance(self.backend, ModelConverter):
            return self.backend
        for name in self.builder.catalogue.names("backends"):
            backend = self.builder.build("backends", name)
            if isinstance(backend, ModelConverter):
                return backend
        raise BackendError("no inference backend here can convert networks")

    def _variants(self) -> Path:
        if self.builder.variants is None:
            raise ModelError("the model store that is configured keeps no models made here")
        return self.builder.variants


def _reference(original: Original) -> str:
    file = original.file
    return f"{file.pack}/{file.spec.name}" if file.pack else f"{file.spec.provider}:{file.path}"


def _accuracy(analyser: Analyser, pairs: Path, images: Path) -> float:
    try:
        listed = read_pairs(pairs.read_text(encoding="utf-8").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{pairs} cannot be read: {error}") from error
    pictures = pictures_of(listed)
    find = attrs.evolve(analyser.find, order="center")
    embedded = PictureEmbedder(analyser, find).embed([images / one.path for one in pictures])
    report = evaluate(listed, dict(zip(pictures, embedded, strict=True)))
    return round(report.accuracy.mean, 6)
