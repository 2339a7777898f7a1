"""Loading the configured models, one after the other, and telling what came of each."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from facecv.core.errors import FaceCVError
from facecv.entrypoints.cli.errors import one_line

if TYPE_CHECKING:
    from facecv.entrypoints.api import Engine


@attrs.frozen
class Loading:
    """What came of loading a model.

    Attributes:
        task: what the model is for.
        model: its name; empty: it cannot be found.
        pack: the pack it belongs to; empty for a file of its own.
        providers: what runs its networks.
        share: of their operators that these run, the least, 0..1; None: not known.
        seconds: that it took.
        cache: folder where the backend keeps what it makes for that provider; empty: nowhere.
        made: files that came into it.
        error: why it cannot be loaded; empty: it is.
    """

    task: str
    model: str
    pack: str = ""
    providers: tuple[str, ...] = ()
    share: float | None = None
    seconds: float = 0.0
    cache: str = ""
    made: tuple[str, ...] = ()
    error: str = ""

    @property
    def has_network(self) -> bool:
        """Whether there is something to run, or to run in vain."""
        return bool(self.providers or self.error)

    def record(self) -> dict[str, Any]:
        """Return it for JSON."""
        return attrs.asdict(self)


def slots_of(engine: "Engine") -> list[tuple[str, Any]]:
    """Return the task and the place of each configured model."""
    analyser = engine.analyser
    return [
        ("detection", analyser.detector),
        ("recognition", analyser.embedder),
        *(("attributes", slot) for slot in analyser.attribute_models.slots),
    ]


def load(
    task: str,
    slot: Any,  # noqa: ANN401 - any kind
    caches: Mapping[str, Path] | None = None,
) -> Loading:
    """Load a model, run it once, and return what came of it; never raises our errors.

    Args:
        task: what it is for.
        slot: its place: a slot or a registry.
        caches: folders where the backend keeps what it made of networks, by provider.
    """
    before = {name: _files(folder) for name, folder in (caches or {}).items()}
    started = time.perf_counter()
    name = pack = ""
    try:
        name, file = slot.blueprint.name, slot.blueprint.file
        pack = file.pack if file else ""
        slot.load()
        loaded = slot.loaded
    except FaceCVError as error:
        return Loading(task, name, pack, error=one_line(error))
    seconds = round(time.perf_counter() - started, 2)
    cache, made = "", frozenset[str]()
    for provider in loaded.providers:
        if caches and provider in caches:
            cache, made = str(caches[provider]), _files(caches[provider]) - before[provider]
    return Loading(
        task, name, pack, loaded.providers, loaded.share, seconds, cache, tuple(sorted(made))
    )


def load_all(engine: "Engine") -> list[Loading]:
    """Load the configured models and return what came of each that has a network."""
    loadings = [load(task, slot) for task, slot in slots_of(engine)]
    return [one for one in loadings if one.has_network]


def caches_of(engine: "Engine") -> Mapping[str, Path]:
    """Return the folders where the backend keeps what it makes of networks, by provider."""
    backend = engine.parts.backend.get()
    caches: Mapping[str, Path] = getattr(backend, "caches", dict)()
    return caches


def share_text(share: float | None) -> str:
    """Return the share of operators that a provider runs, for people."""
    return "not known" if share is None else f"{share:.0%}"


def _files(folder: Path) -> frozenset[str]:
    """Return the names of files that are kept in a folder, without locks."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")
    return frozenset(str(path.relative_to(folder)) for path in found)
