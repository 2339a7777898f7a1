"""The embedded pack against its bars: ``python -m tests.benchmarks.bench_nano``.

Prints average precision and false boxes on ``detection_voc``, faces found on ``groups`` against
those of det_2.5g, and the times of both networks against those of buffalo_sc: all files as they
are, and all as the engine prepares them for the CPU.
"""

import argparse
from collections.abc import Iterator, Sequence
from functools import partial
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from rich.console import Console

import facecv
from facecv.core.face import Detection
from facecv.core.geometry import Box
from facecv.core.pack import ModelFile
from facecv.core.paired import overhead, paired_seconds
from facecv.core.ports.detector import Detector, DetectorOptions
from facecv.models.catalogue import PackCatalogue
from tests.benchmarks.average_precision import annotated_pictures, average_precision
from tests.real_models import RealModels

ROUNDS = 60


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    shared = parser.parse_args().shared
    models, console = RealModels(shared), Console()
    with facecv.Engine.open(pack="nano", gallery="memory", device="cpu") as engine:
        detector = engine.analyser.detector.get()
    console.print(_close_ups(detector, shared / "data/detection_voc"))
    console.print(_groups(detector, models))
    with TemporaryDirectory() as folder:
        for how, cache in (("as published", None), ("as prepared", Path(folder))):
            for line in _times(RealModels(shared, graph_cache=cache)):
                console.print(f"{how}: {line}")


def _times(models: RealModels) -> Iterator[str]:
    """Yield how long each network takes, over that of buffalo_sc: the median of paired runs."""
    pack = PackCatalogue().pack("nano")
    for task, other, side in (("detection", "det_500m", 640), ("recognition", "w600k_mbf", 112)):
        (spec,) = (model for model in pack.models if model.task == task)
        path = files("facecv.models").joinpath("packs", "nano", spec.file)
        ours = models.session(ModelFile(Path(str(path)), spec.sha256, spec))
        theirs = models.session(models.file(other))
        image = np.random.default_rng(0).normal(size=(1, 3, side, side)).astype(np.float32)
        seconds = paired_seconds(
            {
                name: partial(session.run, {session.inputs[0].name: image})
                for name, session in (("base", theirs), ("other", ours))
            },
            ROUNDS,
        )
        yield f"{spec.name} over {other}: {1 + overhead(seconds['base'], seconds['other']):.2f}x"


def _close_ups(detector: Detector, folder: Path) -> str:
    pictures = list(annotated_pictures(folder))
    truths = [boxes for _, boxes in pictures]
    found = detector.detect([image for image, _ in pictures], DetectorOptions(score_threshold=0.02))
    sure = [[face for face in faces if face.score >= 0.5] for faces in found]
    false = _strangers(sure, truths)
    return f"detection_voc: AP@0.5 {average_precision(truths, found):.3f}, {false} false boxes"


def _groups(detector: Detector, models: RealModels) -> str:
    photos = models.photos("groups/*.jpg")
    wanted = [
        [face.box for face in faces]
        for faces in models.detector("det_2.5g").detect(photos, DetectorOptions())
    ]
    found = detector.detect(photos, DetectorOptions())
    hits = sum(
        any(box.iou(face.box) > 0.5 for face in faces)
        for faces, boxes in zip(found, wanted, strict=True)
        for box in boxes
    )
    total = sum(map(len, wanted))
    return f"groups: {hits} of {total} faces of det_2.5g, {_strangers(found, wanted)} others"


def _strangers(found: Sequence[Sequence[Detection]], truths: Sequence[Sequence[Box]]) -> int:
    """Return how many detections overlap no true box."""
    return sum(
        all(face.box.iou(box) < 0.3 for box in boxes)
        for faces, boxes in zip(found, truths, strict=True)
        for face in faces
    )


if __name__ == "__main__":
    main()
