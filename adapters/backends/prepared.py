"""Networks as ONNX Runtime has optimised them for this processor, kept on disk.

The first time a network is loaded it is rewritten (see `graph`), optimised, compared with the
original on random pictures, and written to the cache; after that the file is loaded as it is. Its
name holds all that it depends on: weights, processor, version of ONNX Runtime and of the passes.
Whatever goes wrong here costs time, never an answer: the original is loaded as if there were no
cache. What nobody has loaded for a month is deleted when something new comes in.
"""

import hashlib
import importlib
import os
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import attrs
import structlog
from filelock import FileLock, Timeout

from facecv.adapters.backends.graph.agreement import agrees, disagreement, probe
from facecv.adapters.backends.processor import Processor, this_processor
from facecv.adapters.backends.providers import CPU
from facecv.adapters.backends.sweeping import mark_used, sweep
from facecv.core.pack import ModelFile

_VERSION = 3
"""Goes up with every change of what the passes do."""

_BOLD = frozenset({"batch"})
"""Passes that some networks do not stand, since a shape hides where it is not looked for."""

_ATTEMPTS = (frozenset[str](), _BOLD)
"""What is left out, one attempt after the other."""

_SUFFIX = ".graph"
_UNUSED_DAYS = 30
_KEPT = 64
"""Files in the cache, at most; a new one may drive out the one that was not used for longest."""

_DIGEST = 32
_WAIT = 120.0
_FATAL_ONLY = 4  # what is less comes as an exception


@attrs.frozen(eq=False)
class Source:
    """A network to be prepared.

    Attributes:
        runtime: the package ``onnxruntime``.
        model: its file.
        settings: returns new ``onnxruntime.SessionOptions`` for it.
    """

    runtime: Any
    model: ModelFile
    settings: Callable[[], Any]

    def session(
        self, network: str | bytes, *, optimise: bool = True, save: Path | None = None
    ) -> Any:  # noqa: ANN401 - no types
        """Return a session for the content of a file or its path.

        Args:
            network: path or content.
            optimise: whether the graph still is to be optimised.
            save: where the optimised graph is written.
        """
        settings = self.settings()
        settings.log_severity_level = _FATAL_ONLY
        if not optimise:
            settings.graph_optimization_level = self.runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
        if save is not None:
            settings.optimized_model_filepath = str(save)
        return self.runtime.InferenceSession(network, sess_options=settings, providers=[CPU])


class PreparedNetworks:
    """A folder of networks that are ready to run on this processor.

    Attributes:
        folder: where they are kept; made when it is needed.
    """

    def __init__(self, folder: Path, processor: Callable[[], Processor] = this_processor) -> None:
        """Say where they are kept."""
        self.folder = folder
        self._processor = processor

    def session(self, source: Source) -> Any:  # noqa: ANN401 - the library has no types
        """Return a session for a network, prepared now or earlier; None: load the original."""
        if not source.model.sha256:
            return None
        try:
            processor = self._processor()
            path = self.folder / _file_name(source, processor)
            found = _load(source, path)
            if found:
                mark_used(path)
                return found
            return self._prepare(source, path, processor.block)
        except (OSError, Timeout) as error:
            _log().info("prepared networks cannot be kept", folder=str(self.folder), why=str(error))
        except Exception as error:  # noqa: BLE001 - the library's errors have no common root
            _log().warning(
                "network not prepared", model=source.model.spec.name, why=_first_line(error)
            )
        return None

    def _prepare(self, source: Source, path: Path, block: int) -> Any:  # noqa: ANN401 - no types
        """Return a session for the network, and write it to the cache; one process at a time."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock", timeout=_WAIT):
            found = _load(source, path)
            if found:
                return found
            started = time.perf_counter()
            draft = path.with_suffix(f".{os.getpid()}")
            try:
                session, passes = _optimised(source, block, draft)
                _write(path, draft)
            finally:
                draft.unlink(missing_ok=True)
            _log().info(
                "network prepared for this processor",
                model=source.model.spec.name,
                passes=passes,
                seconds=round(time.perf_counter() - started, 2),
            )
            self._sweep()
            return session

    def _sweep(self) -> None:
        """Delete files of networks, versions and processors that are no longer used."""
        gone = sweep(self.folder, _SUFFIX, days=_UNUSED_DAYS, keep=_KEPT)
        if gone:
            _log().info("old prepared networks deleted", folder=str(self.folder), files=gone)


def _optimised(source: Source, block: int, draft: Path) -> tuple[Any, tuple[str, ...]]:
    """Return a session for the network, rewritten if that changes no answer, saved as `draft`."""
    content = source.model.path.read_bytes()
    for leave_out in _ATTEMPTS:
        rewritten, passes = _rewritten(content, block, leave_out)
        if not passes:
            break
        session = source.session(rewritten, save=draft)
        if _same(source, session):
            return session, passes
        _log().info("rewritten network not taken", model=source.model.spec.name, passes=passes)
        if not set(passes) & _BOLD:
            break
    return source.session(content, save=draft), ()


def _rewritten(
    content: bytes, block: int, leave_out: frozenset[str]
) -> tuple[bytes, tuple[str, ...]]:
    """Return the network rewritten; as it is where the package ``onnx`` is not installed."""
    if find_spec("onnx") is None:
        return content, ()
    rewriting = importlib.import_module("facecv.adapters.backends.graph.rewriting")
    try:
        return rewriting.rewrite(content, block, leave_out)  # type: ignore[no-any-return]
    except ValueError as error:
        _log().info("network not rewritten", why=_first_line(error))
        return content, ()


def _same(source: Source, session: Any) -> bool:  # noqa: ANN401 - the library has no types
    """Say whether a rewritten network answers as the original does; no, if it cannot be told."""
    original = source.session(str(source.model.path))
    feeds = probe(original, source.model.spec.input)
    try:
        return feeds is not None and agrees(disagreement(original, session, feeds))
    except Exception as error:  # noqa: BLE001 - the library's errors have no common root
        _log().debug("networks not compared", why=_first_line(error))
        return False


def _file_name(source: Source, processor: Processor) -> str:
    """Return the name for all that a prepared network depends on.

    The size is a guard against digests that were taken of another file.
    """
    passes = _VERSION if find_spec("onnx") else 0
    size = source.model.path.stat().st_size
    facts = (processor.name, str(source.runtime.__version__), str(passes), str(size))
    key = hashlib.sha256("\n".join(facts).encode()).hexdigest()
    return f"{source.model.sha256[:32]}-{key[:16]}{_SUFFIX}"


def _load(source: Source, path: Path) -> Any:  # noqa: ANN401 - the library has no types
    """Return a session for a file of the cache; None if it is not there or damaged."""
    try:
        stored = path.read_bytes()
    except FileNotFoundError:
        return None
    if hashlib.sha256(stored[_DIGEST:]).digest() != stored[:_DIGEST]:
        _log().warning("prepared network is damaged and will be made anew", path=str(path))
        return None
    return source.session(stored[_DIGEST:], optimise=False)


def _write(path: Path, draft: Path) -> None:
    """Put what ONNX Runtime wrote in its place, behind its digest."""
    content = draft.read_bytes()
    with draft.open("wb") as file:
        file.write(hashlib.sha256(content).digest())
        file.write(content)
    draft.replace(path)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def _log() -> structlog.stdlib.BoundLogger:
    logger: structlog.stdlib.BoundLogger = structlog.get_logger()
    return logger
