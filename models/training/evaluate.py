"""Measure models: `python -m facecv.models.training.evaluate WHAT --shared DIR --pack FOLDER`.

WHAT is `detector` (boxes of detection_voc, faces of lfw_dev and groups) or `attributes` (held-out
fifths, and errors by race and age). The embedder is measured by `facecv bench accuracy`, speed by
`tests.benchmarks.bench_nano`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np

from facecv.core.arrays import Floats, Pixels
from facecv.models.training import augment, packfile, runtime
from facecv.models.training.assign import overlap
from facecv.models.training.export import ATTRIBUTES, NAMES
from facecv.models.training.teachers import Scrfd

AUTO = (640, 192)
RACES = ("White", "Black", "Asian", "Indian", "other")
AGES = ((0, 3), (4, 12), (13, 19), (20, 29), (30, 39), (40, 49), (50, 64), (65, 120))


def run(path: Path, images: Pixels, batch: int = 64) -> Floats:
    """Return what the network in *path* says of aligned BGR crops uint8 [n,112,112,3]."""
    said = runtime.loaded(path)
    starts = range(0, len(images), batch)
    return np.concatenate([said(augment.tensor(images[i : i + batch]))[0] for i in starts])


def photos(folder: Path) -> Iterator[tuple[Path, Pixels]]:
    """Yield the photos below *folder*."""
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in {".jpg", ".jpeg", ".png"}:
            yield path, np.asarray(cv2.imread(str(path)), np.uint8)


@click.group()
def main() -> None:
    """Measure the models of a pack."""


def option_shared(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that every measurement takes."""
    folder = click.Path(path_type=Path, exists=True)
    function = click.option("--pack", type=folder, required=True, help="Folder of the ONNX files.")(
        function
    )
    return click.option(
        "--shared", type=folder, required=True, help="Folder with data/ and models/."
    )(function)


@main.command()
@option_shared
@click.option("--model", type=click.Path(path_type=Path, exists=True), help="Another detector.")
def detector(shared: Path, pack: Path, model: Path | None) -> None:
    """Measure AP on detection_voc and how many faces of lfw_dev and groups are found."""
    finder = Scrfd(model or pack / f"{NAMES['detector']}.onnx")
    data = shared / "data"
    for sides in (AUTO, (640,)):
        precision, recall, false = average_precision(finder, data / "detection_voc", sides)
        click.echo(
            f"detection_voc at {sides}: AP@0.5 {precision:.3f}, "
            f"at score 0.5 recall {recall:.3f}, {false} false"
        )
    found = [len(finder.passes(image, AUTO, 0.5)) for _, image in photos(data / "lfw_dev")]
    click.echo(
        f"lfw_dev: faces in {sum(n > 0 for n in found)} of {len(found)}, {sum(found)} faces in all"
    )
    teacher = Scrfd(shared / "models" / "det_2.5g.onnx")
    hits = wanted = extra = 0
    for _, image in photos(data / "groups"):
        theirs, ours = (d.passes(image, AUTO, 0.5).boxes for d in (teacher, finder))
        match = overlap(theirs[:, None], ours[None]) >= 0.5
        hits, wanted = hits + int(match.any(1).sum()), wanted + len(theirs)
        extra += int((~match.any(0)).sum())
    click.echo(f"groups: {hits} of det_2.5g's {wanted} faces, {extra} others")


def average_precision(
    finder: Scrfd, folder: Path, sides: tuple[int, ...]
) -> tuple[float, float, int]:
    """Return AP at IoU 0.5, and recall and false detections at the score 0.5."""
    rows, total = [], 0
    for path, image in photos(folder / "images"):
        wanted = voc_boxes(folder / "annotations" / f"{path.stem}.xml")
        total += len(wanted)
        faces = finder.passes(image, sides, 0.02)
        taken: set[int] = set()
        for box, score in zip(faces.boxes, faces.scores, strict=True):
            shared = overlap(wanted, box[None])
            best = int(shared.argmax()) if len(wanted) else -1
            hit = best >= 0 and shared[best] >= 0.5 and best not in taken
            taken |= {best} if hit else set()
            rows.append((float(score), hit))
    rows.sort(key=lambda row: -row[0])
    hits = np.cumsum([hit for _, hit in rows])
    precision = np.maximum.accumulate((hits / np.arange(1, len(rows) + 1))[::-1])[::-1]
    area = float(np.sum(np.diff(hits / total, prepend=0) * precision))
    sure = [hit for score, hit in rows if score >= 0.5]
    return area, sum(sure) / total, len(sure) - sum(sure)


def voc_boxes(path: Path) -> Floats:
    """Return the boxes [n,4] of a VOC annotation."""
    boxes = [
        [float(re.findall(rf"<{tag}>(.*?)</", part)[0]) for tag in ("xmin", "ymin", "xmax", "ymax")]
        for part in re.findall(r"<bndbox>(.*?)</bndbox>", path.read_text(), re.DOTALL)
    ]
    return np.array(boxes, np.float32).reshape(-1, 4)


@main.command()
@option_shared
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True),
    required=True,
    help="The packed data file.",
)
def attributes(shared: Path, pack: Path, data: Path) -> None:
    """Measure the attributes on the held-out fifths, and by race and age."""
    crops = packfile.load(data).crops
    labelled = (crops.age >= 0) | (crops.emotion >= 0) | (crops.mask >= 0)
    rows = np.flatnonzero(crops.held_out & labelled)
    images = [
        augment.centre(augment.blacken(crops.blobs.image(int(i)), crops.origin[i])) for i in rows
    ]
    made = run(pack / f"{NAMES['attributes']}.onnx", np.stack(images))
    part = {name: made[:, ATTRIBUTES.index(name)] for name in ("age", "male", "mask")}
    off = np.abs(part["age"] - crops.age[rows])
    gender = (part["male"] >= 0.5) == (crops.gender[rows] == 0)
    emotion = made[:, 3:10].argmax(1) == crops.emotion[rows]
    mask = (part["mask"] >= 0.5) == (crops.mask[rows] == 1)
    utk, fer, masked = (getattr(crops, n)[rows] >= 0 for n in ("age", "emotion", "mask"))
    click.echo(
        f"utkface, {utk.sum()}: gender {100 * gender[utk].mean():.1f} %, "
        f"age off by {off[utk].mean():.2f} years"
    )
    click.echo(f"fer2013, {fer.sum()}: emotion {100 * emotion[fer].mean():.1f} %")
    click.echo(f"mask, {masked.sum()}: {100 * mask[masked].mean():.1f} %")
    groups = [(f"race {name}", utk & (crops.race[rows] == i)) for i, name in enumerate(RACES)]
    groups += [
        (f"age {a}-{b}", utk & (crops.age[rows] >= a) & (crops.age[rows] <= b)) for a, b in AGES
    ]
    for name, chosen in groups:
        click.echo(
            f"  {name}, {chosen.sum()}: gender {100 * gender[chosen].mean():.1f} %, "
            f"age off by {off[chosen].mean():.2f}"
        )
    detection_by_group(Scrfd(pack / f"{NAMES['detector']}.onnx"), shared / "data" / "utkface")


def detection_by_group(finder: Scrfd, folder: Path, every: int = 21) -> None:
    """Print in which share of utkface's photos, by race and age, a face is found at score 0.5."""
    rows = []
    for path, image in list(photos(folder))[::every]:
        years, _, kind, _ = path.name.split("_")
        rows.append((int(kind), int(years), len(finder.passes(image, AUTO, 0.5)) > 0))
    race, age, found = np.array(rows).T
    click.echo(f"utkface, {len(rows)} photos: a face is found in {100 * found.mean():.1f} %")
    for i, name in enumerate(RACES):
        click.echo(f"  race {name}: {100 * found[race == i].mean():.1f} %")
    for low, high in AGES:
        click.echo(f"  age {low}-{high}: {100 * found[(age >= low) & (age <= high)].mean():.1f} %")


if __name__ == "__main__":
    main()
