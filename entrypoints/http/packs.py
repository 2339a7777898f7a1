"""Packs on the disk of the server: pulling, checking and deleting them."""

from facecv.core.errors import InputError, ModelInUseError
from facecv.core.pack import PackManifest
from facecv.core.services.jobs import Tell
from facecv.entrypoints.api import Engine
from facecv.entrypoints.http.model_shapes import FileShape
from facecv.entrypoints.http.service import Service
from facecv.entrypoints.http.worker_facts import ServerFacts


def known_packs(engine: Engine) -> list[PackManifest]:
    """Return the packs that are known, the one in use first."""
    used = engine.parts.pack
    others = [pack for pack in engine.parts.packs.packs.values() if pack.name != used.name]
    return [used, *others]


def pull(service: Service, pack: PackManifest, tell: Tell) -> dict[str, object]:
    """Download what is missing of a pack; return what is here then."""
    store = service.engine.parts.store
    files = store.pull(pack, lambda name, done, total: tell(done, total, name))
    service.models.forget()
    models = [{"name": file.spec.name, "sha256": file.sha256} for file in files]
    return {"pack": pack.name, "models": models}


def verify(engine: Engine, pack: PackManifest) -> list[FileShape]:
    """Return the state of every file of a pack."""
    found = engine.parts.store.verify(pack)
    return [FileShape(status.model, status.state, status.detail) for status in found]


def remove(service: Service, pack: PackManifest, facts: ServerFacts) -> int:
    """Delete the files of a pack; return how many bytes that freed.

    Args:
        service: whose pack.
        pack: which one.
        facts: what all workers have in memory.

    Raises:
        ModelInUseError: a model of it is in memory, or is a default.
        ModelError: it came with FaceCV.
    """
    used = {
        model.name
        for model in facts.models
        if model.pack == pack.name and (model.default or model.state in {"ready", "loading"})
    }
    if used:
        raise ModelInUseError(
            f"{', '.join(sorted(used))} of {pack.name} is in use",
            hint="switch to another model, and unload it",
            details={"models": sorted(used)},
        )
    freed = service.engine.parts.store.remove(pack)
    service.models.forget()
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
