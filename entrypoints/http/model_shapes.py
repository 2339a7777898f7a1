"""What models and packs look like in answers."""

import msgspec

from facecv.core.errors import FaceCVError
from facecv.core.gallery import Collection
from facecv.core.pack import ModelSpec, PackManifest, Task
from facecv.core.ports.model_store import FileState
from facecv.core.services.model_desk import Kind, Place
from facecv.core.services.slot import State
from facecv.entrypoints.api import Engine


class MemoryShape(msgspec.Struct):
    """How much memory a model takes.

    Attributes:
        bytes: the amount.
        measured: `resident`: by how much the process grew while it was loaded; `file`: the size
            of its file; `unknown`.
    """

    bytes: int
    measured: str


class LoadedShape(msgspec.Struct):
    """A model that was asked for, in memory or not.

    Attributes:
        kind: its task.
        name: its name.
        pack: the pack it belongs to; empty for a file of its own.
        sha256: digest of its file; empty where it has none.
        state: `absent`, `loading`, `ready` or `failed`.
        default: whether requests that name no model use it.
        users: how many are using it now.
        providers: what really runs it.
        share: of the operators of its networks that these run, the least, 0..1; null: not known.
        memory: how much it takes; null while it is not in memory.
        collections: those that are bound to its embedding space.
        error: why it could not be loaded.
    """

    kind: Kind
    name: str
    pack: str
    sha256: str
    state: State
    default: bool
    users: int = 0
    providers: list[str] = []
    share: float | None = None
    memory: MemoryShape | None = None
    collections: list[str] = []
    error: str | None = None


class PackModelShape(msgspec.Struct):
    """A model as its pack describes it.

    Attributes:
        name: its name.
        task: what it is for.
        provider: the adapter that runs it.
        size: bytes; 0: not known.
        sha256: digest; empty: not published.
        licence: of the weights.
        installed: whether its file is here.
        state: of the model in memory.
        default: whether requests that name no model use it.
    """

    name: str
    task: Task
    provider: str
    size: int
    sha256: str
    licence: str
    installed: bool
    state: State = "absent"
    default: bool = False


class PackShape(msgspec.Struct):
    """A model pack.

    Attributes:
        name: its name.
        summary: one line.
        licence: of the weights.
        licence_url: where it is written.
        in_use: whether the defaults come from it.
        embedded: whether it came with FaceCV, or lies in a folder of its own: it is not deleted.
        models: what is in it.
    """

    name: str
    summary: str
    licence: str
    licence_url: str
    in_use: bool
    embedded: bool
    models: list[PackModelShape]


class FileShape(msgspec.Struct):
    """The state of one file of a pack."""

    model: str
    state: FileState
    detail: str


def loaded_shape(place: Place, collections: list[Collection]) -> LoadedShape:
    """Return a model that was asked for, with the collections that are bound to it."""
    slot, file = place.slot, place.slot.blueprint.file
    loaded, sha256 = slot.loaded, file.sha256 if file else ""
    bound = [
        each.name
        for each in collections
        if place.kind == "recognition"
        and (each.space.model, each.space.digest) == (slot.blueprint.name, sha256)
    ]
    shape = LoadedShape(
        kind=place.kind,
        name=slot.blueprint.name,
        pack=file.pack if file else "",
        sha256=sha256,
        state=slot.state,
        default=place.default,
        collections=bound,
        error=_why(slot.failure) if slot.state == "failed" else None,
    )
    if loaded is not None:
        shape.users, shape.providers = loaded.users, list(loaded.providers)
        shape.share = loaded.share
        shape.memory = MemoryShape(loaded.footprint.bytes, loaded.footprint.measured)
    return shape


def pack_shape(engine: Engine, pack: PackManifest, places: list[Place]) -> PackShape:
    """Return a pack, with the state of its models in memory."""
    parts = engine.parts
    return PackShape(
        name=pack.name,
        summary=pack.summary,
        licence=pack.licence,
        licence_url=pack.licence_url,
        in_use=pack.name == parts.pack.name,
        embedded=pack.root is not None,
        models=[_model_shape(engine, pack, spec, places) for spec in pack.models],
    )


def _model_shape(
    engine: Engine, pack: PackManifest, spec: ModelSpec, places: list[Place]
) -> PackModelShape:
    own = [
        place
        for place in places
        if (file := place.slot.blueprint.file) is not None
        and (file.pack, file.spec.name) == (pack.name, spec.name)
    ]
    return PackModelShape(
        name=spec.name,
        task=spec.task,
        provider=spec.provider,
        size=spec.size,
        sha256=spec.sha256,
        licence=spec.licence or pack.licence,
        installed=(engine.parts.store.path(pack) / spec.file).is_file(),
        state=own[0].slot.state if own else "absent",
        default=any(place.default for place in own),
    )


def _why(error: Exception | None) -> str:
    if isinstance(error, FaceCVError):
        return str(error)
    return "something went wrong here; the log tells what"
