"""What to make of a path of an ONNX file that no pack was named for.

A TOML file of the same stem beside it may say what the file is (all keys may be left out)::

    name = "mine"                 # else the file's stem
    provider = "arcface"
    licence = "…"
    [input]                       # as in a manifest
    [recognition]                 # as in a manifest
    [settings]
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from facecv.core.errors import ManifestError, ModelError, ModelNotFoundError
from facecv.core.pack import InputSpec, ModelFile, ModelSpec, RecognitionSpec, Task
from facecv.models.document import structure
from facecv.models.manifest import read_toml

_NOT_MEASURED = "not measured: a usual default of ArcFace embedders"


@attrs.frozen
class _Family:
    """What a file of a task is taken for if nothing says what it is."""

    provider: str
    input: InputSpec
    recognition: RecognitionSpec | None = None


@attrs.frozen
class _Sibling:
    name: str = ""
    provider: str = ""
    licence: str = ""
    input: InputSpec | None = None
    recognition: RecognitionSpec | None = None
    settings: Mapping[str, Any] = attrs.field(factory=dict)


def check_model_path(path: Path, /) -> None:
    """Raise unless `path` is a file: `ModelNotFoundError` or, for a folder, `ModelError`."""
    if path.is_dir():
        raise ModelError(f"{path} is a folder, not a model", hint="name a file, or use --pack-dir")
    if not path.is_file():
        raise ModelNotFoundError(f"there is no model file {path}")


def as_known(path: Path, digest: str, spec: ModelSpec, task: Task, provider: str) -> ModelFile:
    """Return the file at `path`, whose digest is that of the published model `spec`.

    Raises:
        ModelError: the published model is for another task.
    """
    if spec.task != task:
        raise ModelError(
            f"{path} is {spec.name!r}, a model for {spec.task}, not for {task}",
            hint=f"name a model for {task}",
        )
    return ModelFile(path, digest, attrs.evolve(spec, provider=provider or spec.provider))


def as_described(path: Path, digest: str, task: Task, provider: str) -> ModelFile:
    """Return the file at `path` as its sibling TOML file says, else by the defaults of its task.

    Raises:
        ManifestError: the sibling cannot be read.
        ModelError: nothing says which adapter runs it.
    """
    toml = path.with_suffix(".toml")
    found = read_toml(toml) if toml.is_file() else {}
    sibling = structure(found, _Sibling, str(toml), ManifestError)
    family = _family(task)
    provider = provider or sibling.provider or family.provider
    if not provider:
        raise ModelError(
            f"nothing says what runs {path}",
            hint=f"write PROVIDER:{path}, or describe it in {toml}",
        )
    spec = ModelSpec(
        name=sibling.name or path.stem,
        file=path.name,
        task=task,
        provider=provider,
        sha256=digest,
        size=path.stat().st_size,
        licence=sibling.licence,
        input=sibling.input or family.input,
        recognition=sibling.recognition or family.recognition,
        settings=sibling.settings,
    )
    return ModelFile(path, digest, spec)


def _family(task: Task) -> _Family:
    if task == "detection":
        return _Family("scrfd", InputSpec(mean=127.5, std=128.0))
    if task == "recognition":
        return _Family("arcface", InputSpec(), RecognitionSpec(source=_NOT_MEASURED))
    return _Family("", InputSpec(mean=0.0, std=1.0))
