"""Made-up pictures without faces: what a detector takes for one is often round and small."""

from __future__ import annotations

import string

import cv2
import numpy as np

from facecv.core.arrays import Pixels


def texture(rng: np.random.Generator, size: int) -> Pixels:
    """Return a random texture, uint8 [size,size,3] BGR."""
    made = (patches, clouds, pebbles, writing)[int(rng.integers(4))](rng, size)
    return np.asarray(made, np.uint8)


def patches(rng: np.random.Generator, size: int) -> Pixels:
    """Return squares of random colours, sharp or blended."""
    cells = int(rng.choice([1, 2, 4, 8, 16, 32, 80]))
    noise = rng.integers(0, 256, (cells, cells, 3)).astype(np.uint8)
    how = cv2.INTER_CUBIC if rng.random() < 0.6 else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(noise, (size, size), interpolation=how), np.uint8)


def clouds(rng: np.random.Generator, size: int) -> Pixels:
    """Return noise at every scale, as of stone, grass or cloth."""
    channels = 1 if rng.random() < 0.5 else 3
    steepness = rng.uniform(0.3, 1.2)
    total = np.zeros((size, size, channels), np.float32)
    for cells in (4, 8, 16, 32, 64, 128, size):
        noise = rng.normal(size=(cells, cells, channels)).astype(np.float32)
        grown = cv2.resize(noise, (size, size), interpolation=cv2.INTER_LINEAR)
        total += grown.reshape(size, size, channels) * cells**-steepness
    total = (total - total.mean()) / (total.std() + 1e-6)
    made = total * rng.uniform(15, 60) + rng.uniform(60, 190, channels)
    return np.asarray(np.clip(np.broadcast_to(made, (size, size, 3)), 0, 255), np.uint8)


def pebbles(rng: np.random.Generator, size: int) -> Pixels:
    """Return ellipses with an edge and a light side: stones, coins, buttons, fruit."""
    image = clouds(rng, size)
    largest = int(rng.choice([8, 16, 32, 64]))
    tint = rng.uniform(40, 220, 3)
    for _ in range(int(rng.integers(10, 30 + 4000 // largest))):
        centre = [int(n) for n in rng.integers(0, size, 2)]
        axes = [max(2, int(n)) for n in largest * rng.uniform(0.4, 1.0, 2)]
        angle = float(rng.uniform(0, 180))
        colour = [float(c) for c in np.clip(tint + rng.normal() * 25, 0, 255)]
        edge = [c * 0.5 for c in colour]
        light = [min(255.0, c * 1.25) for c in colour]
        cv2.ellipse(image, centre, axes, angle, 0, 360, colour, -1)
        cv2.ellipse(image, centre, axes, angle, 0, 360, edge, 1)
        inner = [max(1, n // 2) for n in axes]
        spot = [c - n // 4 for c, n in zip(centre, axes, strict=True)]
        cv2.ellipse(image, spot, inner, angle, 0, 360, light, -1)
    return np.asarray(cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.4, 1.5))), np.uint8)


def writing(rng: np.random.Generator, size: int) -> Pixels:
    """Return lines of letters on a plain ground."""
    ground, ink = rng.integers(0, 256, 3), rng.integers(0, 256, 3)
    image = np.full((size, size, 3), ground, np.uint8)
    letters = list(string.ascii_letters + string.digits + ".,;:-()@8oOeaB")
    scale = float(rng.uniform(0.3, 1.6))
    step = max(8, int(28 * scale))
    for y in range(step, size + step, step):
        line = "".join(rng.choice(letters, size=80))
        place = (int(rng.integers(-20, 20)), y)
        ends = [int(c) for c in ink]
        cv2.putText(image, line, place, int(rng.integers(0, 8)), scale, ends, 1, cv2.LINE_AA)
    return image
