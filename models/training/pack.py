"""Pack the data: `python -m facecv.models.training.pack --shared DIR --out FILE`.

Reads every photo below DIR/data except lfw_dev and spoof, finds the faces with the teacher
detector, aligns them, asks the teacher embedder once, and writes the one file that the recipes
train on. A fifth of utkface, fer2013 and mask is held out, by a digest of seed and file name.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs
import click
import cv2
import numpy as np
import numpy.typing as npt

from facecv.core.arrays import Floats, Pixels
from facecv.models.training import packfile
from facecv.models.training.packfile import CROP, EMOTIONS, MARGIN, SOURCES
from facecv.models.training.teachers import ArcFace, Faces, Scrfd, align

LABELLED = ("utkface", "fer2013", "mask")
DETECTOR_SOURCES = ("utkface", "mask", "people", "expressions", "video")
"""Where the detector learns; groups and detection_voc are what it is measured on."""


@attrs.frozen
class Labels:
    """What a file's name or folder says of the face in it; missing is -1 (NaN for the age)."""

    age: float = float("nan")
    gender: int = -1
    race: int = -1
    emotion: int = -1
    mask: int = -1


@attrs.frozen(eq=False)
class Photo:
    """One picture (BGR), where it is from and what is known of its main face."""

    image: Pixels
    source: str
    name: str
    labels: Labels


@attrs.define
class Gathered:
    """What has been gathered so far."""

    crops: list[bytes] = attrs.Factory(list)
    origins: list[Floats] = attrs.Factory(list)
    sources: list[int] = attrs.Factory(list)
    labels: list[Labels] = attrs.Factory(list)
    held_out: list[bool] = attrs.Factory(list)
    photos: list[bytes] = attrs.Factory(list)
    photo_sources: list[int] = attrs.Factory(list)
    photo_held_out: list[bool] = attrs.Factory(list)
    faces: list[tuple[int, Floats, Floats, float]] = attrs.Factory(list)


def labels_of(path: Path, source: str) -> Labels:
    """Return what the data set says by *path*."""
    if source == "utkface":
        age, gender, race, _ = path.name.split("_")
        return Labels(age=float(age), gender=int(gender), race=int(race))
    if source == "fer2013":
        return Labels(emotion=EMOTIONS.index(path.parent.name))
    return Labels(mask=int(path.parent.name == "with_mask")) if source == "mask" else Labels()


def pictures(data: Path, sources: Sequence[str], limit: int) -> Iterator[Photo]:
    """Yield every photo of *sources*, at most *limit* each, and some frames of the videos."""
    for source in sources:
        if source == "video":
            continue
        files = sorted(
            p for p in (data / source).rglob("*") if p.suffix.lower() in {".jpg", ".jpeg", ".png"}
        )
        if 0 < limit < len(files):
            files = files[:: len(files) // limit]
        for path in files:
            image = cv2.imread(str(path), cv2.IMREAD_COLOR)
            if image is not None:
                yield Photo(np.asarray(image, np.uint8), source, path.name, labels_of(path, source))
    for path in sorted((data / "video").glob("*.mp4")) if "video" in sources else ():
        yield from frames(path, 200 if limit else 8)


def frames(path: Path, step: int) -> Iterator[Photo]:
    """Yield every *step*-th frame of a video."""
    video = cv2.VideoCapture(str(path))
    index = 0
    while video.grab():
        if index % step == 0:
            yield Photo(
                np.asarray(video.retrieve()[1], np.uint8), "video", f"{path.name}:{index}", Labels()
            )
        index += 1


def is_held_out(source: str, name: str, seed: int) -> bool:
    """Return whether a labelled picture belongs to the fifth that no recipe trains on."""
    digest = hashlib.sha256(f"{seed}:{source}/{name}".encode()).digest()
    return source in LABELLED and digest[0] % 5 == 0


def find(photo: Photo, detector: Scrfd) -> Faces:
    """Return the teacher's faces, in the pixels of the photo."""
    height, width = photo.image.shape[:2]
    if photo.source not in ("utkface", "fer2013"):
        sides = (480, 160) if max(height, width) > 200 else (192,)
        return detector.passes(photo.image, sides, 0.4)
    pad = round(0.3 * width)  # the face fills the picture: show it smaller, on a wider canvas
    canvas = cv2.copyMakeBorder(photo.image, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=0)
    found = detector.passes(np.asarray(canvas, np.uint8), (256,), 0.3)
    shift = np.array([pad, pad], np.float32)
    offset = np.abs(found.points.mean(1) - shift - width / 2).max(1)
    keep = [i for i in np.argsort(offset)[:1] if offset[i] < 0.25 * width]
    return Faces(
        found.boxes[keep] - np.tile(shift, 2), found.points[keep] - shift, found.scores[keep]
    )


def jpeg(image: Pixels, quality: int = 95) -> bytes:
    """Return *image* as JPEG."""
    return bytes(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1])


def gather(data: Path, detector: Scrfd, seed: int, limit: int, *, crops: bool = True) -> Gathered:
    """Return the crops and photos of all data sets; without *crops* the detector's photos alone."""
    rows, started = Gathered(), time.monotonic()
    missed: list[Photo] = []
    points_of_fer: list[Floats] = []
    sources = SOURCES if crops else DETECTOR_SOURCES
    for count, photo in enumerate(pictures(data, sources, limit)):
        faces = find(photo, detector)
        if photo.source == "fer2013":
            points_of_fer.extend(faces.points)
            if not len(faces):
                missed.append(photo)
        if crops:
            add_crops(rows, photo, faces, seed)
        if photo.source in DETECTOR_SOURCES and len(faces):
            add_photo(rows, photo, faces, seed)
        if count % 1000 == 0:
            click.echo(
                f"{count} photos, {len(rows.crops)} crops, {time.monotonic() - started:.0f} s"
            )
    if points_of_fer:
        usual = np.median(points_of_fer, 0)[None].astype(np.float32)
        for photo in missed:
            add_crops(
                rows,
                photo,
                Faces(np.zeros((1, 4), np.float32), usual, np.ones(1, np.float32)),
                seed,
            )
    return rows


def add_crops(rows: Gathered, photo: Photo, faces: Faces, seed: int) -> None:
    """Add every face that is large enough; the labels belong to the largest."""
    size = (faces.boxes[:, 2:] - faces.boxes[:, :2]).min(1)
    for index in range(len(faces)):
        main = index == int(size.argmax())
        if main or size[index] >= 24:
            crop, origin = align(photo.image, faces.points[index], CROP)
            rows.crops.append(jpeg(crop))
            rows.origins.append(origin)
            rows.sources.append(SOURCES.index(photo.source))
            rows.labels.append(photo.labels if main else Labels())
            rows.held_out.append(is_held_out(photo.source, photo.name, seed))


def add_photo(rows: Gathered, photo: Photo, faces: Faces, seed: int) -> None:
    """Add the photo, no larger than 480, with all its faces."""
    scale = min(1.0, 480 / max(photo.image.shape[:2]))
    image = cv2.resize(photo.image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    for box, points, score in zip(faces.boxes, faces.points, faces.scores, strict=True):
        rows.faces.append((len(rows.photos), box * scale, points * scale, float(score)))
    rows.photos.append(jpeg(np.asarray(image, np.uint8), 90))
    rows.photo_sources.append(SOURCES.index(photo.source))
    rows.photo_held_out.append(is_held_out(photo.source, photo.name, seed))


def teach_crops(blobs: packfile.Blobs, teacher: ArcFace) -> npt.NDArray[np.float16]:
    """Return the teacher's embeddings [n,2,512] of every crop and of its mirror image."""
    out = np.zeros((len(blobs), 2, 512), np.float16)
    for start in range(0, len(blobs), 512):
        part = inner(blobs.images(range(start, min(start + 512, len(blobs)))))
        out[start : start + 512, 0] = teacher.embed(part)
        out[start : start + 512, 1] = teacher.embed(part[:, :, ::-1])
        if start % 4096 == 0:
            click.echo(f"taught {start}")
    return out


def inner(crops: Pixels) -> Pixels:
    """Return the 112x112 that the models see of crops [n,128,128,3]."""
    return crops[:, MARGIN:-MARGIN, MARGIN:-MARGIN]


def make_morphs(crops: packfile.Crops, teacher: ArcFace, count: int, seed: int) -> packfile.Morphs:
    """Return *count* faces made of two photographed ones, with the teacher's embedding of each."""
    rng = np.random.default_rng(seed)
    pool = np.flatnonzero(crops.source != SOURCES.index("fer2013"))
    pair = rng.choice(pool, (count, 2)).astype(np.int32)
    kind = rng.integers(0, 2, count).astype(np.int8)
    weight = np.where(kind == 0, rng.uniform(0.4, 0.6, count), rng.uniform(0, 1, count)).astype(
        np.float32
    )
    out = np.zeros((count, 512), np.float16)
    for start in range(0, count, 512):
        rows = slice(start, min(start + 512, count))
        made = [
            packfile.morph(
                crops.blobs.image(a).astype(np.float32),
                crops.blobs.image(b).astype(np.float32),
                int(k),
                float(w),
            )
            for (a, b), k, w in zip(pair[rows], kind[rows], weight[rows], strict=True)
        ]
        out[rows] = teacher.embed(inner(np.stack(made).round().astype(np.uint8)))
        if start % 4096 == 0:
            click.echo(f"morphed {start}")
    return packfile.Morphs(pair, kind, weight, out)


def assemble(rows: Gathered, teacher: ArcFace, morphs: int, seed: int) -> packfile.Pack:
    """Return the pack of what was gathered."""
    blobs = packfile.Blobs.of(rows.crops)
    labels: dict[str, Any] = {
        name: np.array(
            [getattr(label, name) for label in rows.labels],
            np.float32 if name == "age" else np.int8,
        )
        for name in attrs.fields_dict(Labels)
    }
    source, held = np.array(rows.sources, np.int8), np.array(rows.held_out, np.bool_)
    crops = packfile.Crops(
        blobs,
        np.array(rows.origins, np.float32).reshape(-1, 2, 3),
        source,
        held_out=held,
        teacher=teach_crops(blobs, teacher),
        **labels,
    )
    photo, box, points, score = zip(*rows.faces, strict=True)
    photos = packfile.Photos(
        packfile.Blobs.of(rows.photos),
        np.array(rows.photo_sources, np.int8),
        np.array(rows.photo_held_out, np.bool_),
        np.array(photo, np.int32),
        np.array(box, np.float32),
        np.array(points, np.float32),
        np.array(score, np.float32),
    )
    return packfile.Pack(crops, make_morphs(crops, teacher, morphs, seed), photos)


@click.command()
@click.option(
    "--shared",
    type=click.Path(path_type=Path, exists=True),
    required=True,
    help="Folder with data/ and models/.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="The packed file to write (.npz)."
)
@click.option("--morphs", default=120000, show_default=True, help="Faces made of two faces.")
@click.option("--seed", default=1, show_default=True)
@click.option("--limit", default=0, help="Photos of each data set at most; 0 is all.")
@click.option(
    "--detector-only",
    is_flag=True,
    help="Photos for the detector alone, in a few minutes: no aligned faces, no embeddings.",
)
def main(
    shared: Path, out: Path, morphs: int, seed: int, limit: int, *, detector_only: bool
) -> None:
    """Pack all photos, labels and teacher outputs into one file."""
    detector = Scrfd(shared / "models" / "det_2.5g.onnx")
    rows = gather(shared / "data", detector, seed, limit, crops=not detector_only)
    teacher = ArcFace(shared / "models" / "w600k_mbf.onnx")
    pack = assemble(rows, teacher, 0 if detector_only else morphs, seed)
    packfile.save(pack, out)
    click.echo(
        f"{len(pack.crops.blobs)} crops, {len(pack.photos.blobs)} photos, "
        f"{len(pack.photos.box)} faces: {out}"
    )


if __name__ == "__main__":
    main()
