"""Packs on the disk of the server: pulling, checking and deleting them."""

from facecv.core.errors import InputError, ModelInUseError
from facecv.core.pack import PackManifest
from facecv.core.services.jobs import Tell
from facecv.core.services.model_desk import ModelDesk
from facecv.entrypoints.api import Engine
from facecv.entrypoints.http.model_shapes import FileShape


def known_packs(engine: Engine) -> list[PackManifest]:
    """Return the packs that are known, the one in use first."""
    used = engine.parts.pack
    others = [pack for pack in engine.parts.packs.packs.values() if pack.name != used.name]
    return [used, *others]


def pull(engine: Engine, pack: PackManifest, tell: Tell) -> dict[str, object]:
    """Download what is missing of a pack; return what is here then."""
    files = engine.parts.store.pull(pack, lambda name, done, total: tell(done, total, name))
    ModelDesk(engine.analyser).forget()
    models = [{"name": file.spec.name, "sha256": file.sha256} for file in files]
    return {"pack": pack.name, "models": models}


def verify(engine: Engine, pack: PackManifest) -> list[FileShape]:
    """Return the state of every file of a pack."""
    found = engine.parts.store.verify(pack)
    return [FileShape(status.model, status.state, status.detail) for status in found]


def remove(engine: Engine, pack: PackManifest) -> int:
    """Delete the files of a pack; return how many bytes that freed.

    Raises:
        ModelInUseError: a model of it is in memory, or is a default.
        ModelError: it came with FaceCV.
    """
    desk = ModelDesk(engine.analyser)
    used = [
        place.slot.blueprint.name
        for place in desk.places()
        if (file := place.slot.blueprint.file) is not None
        and file.pack == pack.name
        and (place.default or place.slot.state in {"ready", "loading"})
    ]
    if used:
        raise ModelInUseError(
            f"{', '.join(used)} of {pack.name} is in use",
            hint="switch to another model, and unload it",
            details={"models": used},
        )
    freed = engine.parts.store.remove(pack)
    desk.forget()
    return freed


def check_reference(engine: Engine, reference: str) -> None:
    """Raise unless a client may name a model so: by name, or as the configuration names it.

    Raises:
        InputError: it is a path of which the configuration does not know.
    """
    config = engine.config
    named = {config.detector, config.embedder, *config.models.embedders, *config.models.detectors}
    is_path = reference.lower().endswith(".onnx") or ":" in reference or "\\" in reference
    if reference not in named and is_path:
        raise InputError(
            "files are not taken from clients",
            hint="name a model of a pack, or list the file in section [models]",
        )
