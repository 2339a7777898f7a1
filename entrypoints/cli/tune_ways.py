"""The ways of running the configured models that ``facecv tune`` compares."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, get_args

from facecv.core.errors import BackendError
from facecv.entrypoints.cli import output
from facecv.entrypoints.cli.errors import one_line

if TYPE_CHECKING:
    from facecv.core.ports.inference_backend import Device
    from facecv.core.services.tune import Candidate
    from facecv.entrypoints.bootstrap import Builder

BATCHES = (1, 2, 4, 8, 16, 32)
"""Numbers of faces that are embedded together."""

BATCH_KEY = "embedders.arcface.batch_size"
_DEVICE_KEY = "device"


def candidates(builder: "Builder") -> "Iterator[Candidate]":
    """Yield every way that works here, the configured one first."""
    from facecv.core.cpu_budget import available_cores

    cores = available_cores()
    present = _present(builder, cores)
    yield _candidate(builder, present)
    known = present, {**present, _DEVICE_KEY: "cuda"}  # the latter is what 'auto' takes
    missing = set()
    for way in [*_ways(builder, sorted({1, cores})), *_variants(builder, present)]:
        where = place(way)
        if way in known or where in missing:
            continue
        try:
            yield _candidate(builder, way)
        except BackendError as error:
            missing.add(where)
            output.remark(f"{where}: {one_line(error)}")


def _present(builder: "Builder", cores: int) -> dict[str, Any]:
    """Return the settings of the configured way."""
    import attrs

    config = builder.config
    way = {"backend": config.backend, "threads": config.threads or cores}
    settings: Any = builder.settings("backends", config.backend)
    if "precision" in attrs.fields_dict(type(settings)):
        way[f"backends.{config.backend}.precision"] = settings.precision
    return way


def _devices(builder: "Builder", backend: str) -> list["Device"]:
    """Return what a backend can run on here; empty: that is one, or was chosen already."""
    if builder.config.device != "auto":
        return []
    try:
        facts: Mapping[str, Any] = getattr(builder.build("backends", backend), "describe", dict)()
    except BackendError:
        return []  # told when it is measured
    found = [name for name, state in facts.get("devices", {}).items() if state == "available"]
    return found if len(found) > 1 else []


def _places(builder: "Builder") -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Yield each backend, the settings of its device, and whether that is a GPU."""
    for name in sorted(builder.catalogue.names("backends")):
        for device in _devices(builder, name):
            yield name, {_DEVICE_KEY: device}, device != "cpu"
        if not _devices(builder, name):
            yield name, {}, builder.config.device not in {"auto", "cpu"}


def _variants(builder: "Builder", present: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the ways of running what 'facecv models quantize' made of the models, everywhere.

    Half precision is for GPUs; on processors it is only slower.
    """
    from facecv.entrypoints.bootstrap import bootstrap
    from facecv.models.variant import variant_name

    packs, analyser = builder.packs().packs, bootstrap(builder.config, builder.catalogue).analyser
    models = {"detector": analyser.detector, "embedder": analyser.embedder}
    for key, registry in models.items():
        file = registry.blueprint.file
        for backend, on, gpu in _places(builder) if file else ():
            for precision in ("int8", "fp16") if gpu else ("int8",):
                name = variant_name(file, precision) if file else ""
                if name in packs:
                    yield {"backend": backend, "threads": present["threads"], **on, key: name}


def _ways(builder: "Builder", threads: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Yield the settings of every backend on all its devices in all its precisions."""
    import attrs

    for name, on, gpu in _places(builder):
        fields = attrs.fields_dict(builder.catalogue.provider("backends", name).settings)
        precisions = get_args(fields["precision"].type) if "precision" in fields else ()
        for count in threads[-1:] if gpu else threads:
            way = {"backend": name, "threads": count, **on}
            yield from ({**way, f"backends.{name}.precision": one} for one in precisions)
            if not precisions:
                yield way


def place(settings: Mapping[str, Any]) -> str:
    """Return a backend and its device, if that is a choice, in words."""
    return ", ".join(settings[key] for key in ("backend", _DEVICE_KEY) if key in settings)


def _candidate(builder: "Builder", settings: Mapping[str, Any]) -> "Candidate":
    from facecv.core.services.tune import Candidate
    from facecv.entrypoints.bootstrap import bootstrap
    from facecv.entrypoints.config import evolve

    config = evolve(builder.config, nested({**settings, BATCH_KEY: max(BATCHES)}))
    analyser = bootstrap(config, builder.catalogue).analyser
    return Candidate(settings, analyser.detector.get(), analyser.embedder.get())


def nested(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings whose keys have dots, nested like the file."""
    result: dict[str, Any] = {}
    for key, value in settings.items():
        *sections, name = key.split(".")
        place = result
        for section in sections:
            place = place.setdefault(section, {})
        place[name] = value
    return result
