"""TensorRT engines: built once for a network, a GPU and versions of libraries, then kept."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Thread

import attrs
import structlog
from filelock import FileLock

from facecv.adapters.backends.gpu import Gpu, tensorrt_version
from facecv.adapters.backends.opening import Opener
from facecv.adapters.backends.providers import (
    CPU,
    Choice,
    TensorrtSettings,
    largest_shapes,
    provider_list,
    tensorrt_cache,
    tensorrt_options,
)
from facecv.adapters.backends.session import OnnxSession

_DONE = "complete"
"""Written when an engine is; without it, whoever wrote the engine was stopped in the middle."""

_TELL_EVERY = 30.0
"""Seconds between two words about a build that goes on."""


def open_engine(
    opener: Opener, choice: Choice, settings: TensorrtSettings, gpu: Gpu
) -> OnnxSession:
    """Return a network as a TensorRT engine, from the cache or built now.

    Processes that want the same engine wait for the one that builds it. Raises what
    `Opener.open` raises.

    Args:
        opener: opens the network.
        choice: TensorRT.
        settings: how engines are built and kept.
        gpu: what the engine is for.
    """
    versions = (f"ort{opener.runtime.__version__}", f"trt{tensorrt_version()}")
    pixels = opener.options.pixels
    inside = (f"u8-{pixels.mean:g}-{pixels.std:g}",) if pixels else ()
    folder = tensorrt_cache(settings, opener.model, (gpu.name, gpu.capability, *versions, *inside))
    plain = attrs.evolve(opener, prepared=None)
    inputs = plain.open(Choice("cpu", "to read shapes"), [(CPU, {})]).inputs
    bounded = attrs.evolve(opener, largest=largest_shapes(settings, inputs))
    providers = provider_list(choice, tensorrt_options(settings, folder, inputs))
    with ExitStack() as stack:
        if folder is not None:
            stack.enter_context(_alone_with(folder))
        cached = folder is not None and _ready(folder)
        started = time.perf_counter()
        if not cached:
            stack.enter_context(_told(opener.model.spec.name, folder))
        session = bounded.open(choice, providers)
        if folder is not None:
            (folder / _DONE).touch()
    _log().info(
        "TensorRT engine ready",
        model=opener.model.spec.name,
        seconds=round(time.perf_counter() - started, 1),
        cached=cached,
        cache=str(folder) if folder else None,
    )
    return session


@contextmanager
def _alone_with(folder: Path) -> Iterator[None]:
    """Keep other processes from a folder of engines, which is made if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        yield


def _ready(folder: Path) -> bool:
    """Say whether a folder holds a whole engine; half of one is deleted."""
    engines = list(folder.glob("*.engine"))
    whole = bool(engines) and (folder / _DONE).is_file()
    for path in () if whole else (*engines, *folder.glob("*.profile")):
        path.unlink(missing_ok=True)
    return whole


@contextmanager
def _told(model: str, folder: Path | None) -> Iterator[None]:
    """Say that an engine is being built, now and every half minute."""
    cache, over, started = str(folder) if folder else None, Event(), time.monotonic()
    _log().info("building a TensorRT engine, which may take minutes", model=model, cache=cache)

    def tell() -> None:
        while not over.wait(_TELL_EVERY):
            seconds = round(time.monotonic() - started)
            _log().info("still building a TensorRT engine", model=model, seconds=seconds)

    teller = Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        over.set()
        teller.join()


def _log() -> structlog.stdlib.BoundLogger:
    logger: structlog.stdlib.BoundLogger = structlog.get_logger()
    return logger
