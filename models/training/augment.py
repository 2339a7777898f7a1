"""Random views of aligned crops: cheap array work, so that two processor cores keep up.

A view keeps the identity, so the target stays the teacher's embedding of the clean crop.
"""

from __future__ import annotations

import attrs
import cv2
import numpy as np
import numpy.typing as npt

from facecv.core.arrays import Floats, Pixels


@attrs.frozen
class Strength:
    """How much a view may differ from the crop; the last six are probabilities."""

    degrees: float = 6.0
    scale: float = 0.05
    shift: float = 3.0
    light: float = 0.25
    grey: float = 0.12
    blur: float = 0.15
    jpeg: float = 0.1
    mask: float = 0.03
    glasses: float = 0.03
    border: float = 0.15


def view(
    crop: Pixels, origin: Floats | None, rng: np.random.Generator, how: Strength, size: int = 112
) -> Pixels:
    """Return a random view, uint8 [size,size,3], of an aligned crop with margin, BGR [128,128,3].

    *origin* [2,3] takes pixels to the picture they come from, 0..1; now and then what lies outside
    of it is blackened, as an aligner does that knows no better.
    """
    if origin is not None and rng.random() < how.border:
        crop = blacken(crop, origin)
    crop = occlude(crop, rng, how)
    out = cv2.warpAffine(
        crop,
        jitter(len(crop), size, rng, how),
        (size, size),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return colour(degrade(np.asarray(out, np.uint8), rng, how), rng, how)


def centre(crop: Pixels, size: int = 112) -> Pixels:
    """Return the middle 112x112 of a crop, resized to *size*."""
    margin = (len(crop) - 112) // 2
    part = crop[margin : margin + 112, margin : margin + 112]
    return (
        part
        if size == 112
        else np.asarray(cv2.resize(part, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
    )


def jitter(
    length: int, size: int, rng: np.random.Generator, how: Strength
) -> npt.NDArray[np.float64]:
    """Return a 2x3 map from the crop to a view: flip, turn, scale and shift about the middle."""
    angle = np.deg2rad(rng.normal() * how.degrees / 2)
    zoom = size / 112 * (1 + rng.normal() * how.scale / 2)
    turn = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    if rng.random() < 0.5:
        turn[:, 0] *= -1
    half = (length - 1) / 2
    shift = (size - 1) / 2 + rng.normal(size=2) * how.shift / 2 - turn @ np.array([half, half])
    return np.hstack([turn, shift[:, None]])


def blacken(crop: Pixels, origin: Floats) -> Pixels:
    """Return the crop with what its picture never showed in black."""
    ys, xs = np.mgrid[: len(crop), : len(crop)].astype(np.float32)
    u, v = (row[0] * xs + row[1] * ys + row[2] for row in origin)
    shown = (u >= 0) & (u < 1) & (v >= 0) & (v < 1)
    return np.where(shown[..., None], crop, np.uint8(0))


def occlude(crop: Pixels, rng: np.random.Generator, how: Strength) -> Pixels:
    """Return the crop, now and then with a painted mask or glasses."""
    dice = rng.random()
    if dice >= how.mask + how.glasses:
        return crop
    out, ink = crop.copy(), tuple(int(v) for v in rng.integers(0, 256, 3))
    if dice < how.mask:
        top = rng.integers(68, 82)
        shape = np.array(
            [[28, top], [64, top - 8], [100, top], [96, 112], [80, 126], [48, 126], [32, 112]]
        )
        cv2.fillPoly(out, [shape.astype(np.int32)], ink)
    else:
        dark = tuple(v // 3 for v in ink)
        thick = -1 if rng.random() < 0.4 else 2
        for x in (46, 82):
            cv2.ellipse(out, (x, 60), (14, 10), 0, 0, 360, dark, thick)
        cv2.line(out, (58, 58), (70, 58), dark, 2)
    return out


def degrade(image: Pixels, rng: np.random.Generator, how: Strength) -> Pixels:
    """Return the image, now and then at low resolution or after a JPEG round."""
    size = len(image)
    if rng.random() < how.blur:
        small = int(size * rng.uniform(0.25, 0.7))
        low = cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA)
        image = np.asarray(cv2.resize(low, (size, size), interpolation=cv2.INTER_LINEAR), np.uint8)
    if rng.random() < how.jpeg:
        coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 80))])[
            1
        ]
        image = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    return image


def colour(image: Pixels, rng: np.random.Generator, how: Strength) -> Pixels:
    """Return the image in other light: gain and offset a channel, gamma, now and then grey."""
    if rng.random() < how.grey:
        image = np.repeat(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[..., None], 3, axis=2)
    gain = np.exp(rng.normal() * how.light / 1.5) * np.exp(rng.normal(size=3) * how.light / 5)
    offset = rng.normal() * how.light * 60
    table = np.arange(256)[:, None] / 255
    table = (table ** np.exp(rng.normal() * how.light)) * 255
    table = np.clip((table - 128) * gain + 128 + offset, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(image, table[:, None, :]), np.uint8)


def tensor(images: Pixels) -> Floats:
    """Return BGR uint8 [n,H,W,3] as the networks want it: RGB [n,3,H,W], (x - 127.5) / 127.5."""
    return (images[..., ::-1].transpose(0, 3, 1, 2).astype(np.float32) - 127.5) / 127.5
