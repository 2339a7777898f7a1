"""Reading the manifest of a model pack, a TOML document.

A manifest is called ``manifest.toml`` where it lies in a folder of its own. Its tables::

    [pack]
    name = "mine"                 # unique; letters, digits, ``.``, ``_``, ``-``
    summary = "one line"          # this and the rest of [pack] may be left out
    licence = "Apache-2.0"
    licence_url = "https://…"
    homepage = "https://…"

    [pack.archive]                # one zip file that holds all files; may be left out
    url = "https://…/mine.zip"
    sha256 = "…"                  # empty: not known, recorded at the first download
    size = 1234                   # bytes; 0: not known

    [[models]]                    # one or more; the first of a task is the pack's default
    name = "det_mine"             # unique in the pack
    file = "det_mine.onnx"        # path inside the pack
    task = "detection"            # detection, recognition or attributes
    provider = "scrfd"            # the adapter that runs it
    sha256 = "…"                  # as above, like ``size``
    size = 1234
    url = "https://…"             # where the single file is; empty: in the archive
    licence = "…"                 # if it is not the pack's
    part_of = "other"             # of an ensemble: the model of this pack that it runs with

    [models.input]                # (pixel - mean) / std; see `InputSpec`
    size = [112, 112]             # width, height; left out: what the network says
    color = "rgb"                 # rgb, bgr or grey
    mean = 127.5
    std = 127.5

    [models.recognition]          # embedders only; see `RecognitionSpec`
    dim = 512
    preprocessing = "arcface-112-rgb"
    threshold = 0.4
    far = 1e-3                    # left out: not known
    source = "the measurement behind threshold and far"

    [[models.recognition.points]] # more operating points
    far = 1e-4
    similarity = 0.5
    source = "…"

    [models.settings]             # whatever else the adapter takes

A pack whose manifest names no URL at all, or all of whose files lie beside its manifest, is
embedded: its files are used from where they are and nothing is downloaded.
"""

import tomllib
from pathlib import Path
from typing import Any

import attrs

from facecv.core.errors import ManifestError, ModelNotFoundError
from facecv.core.pack import ArchiveSpec, ModelSpec, PackManifest
from facecv.models.document import structure

FILE_NAME = "manifest.toml"
"""What a manifest is called in the folder of its pack."""


@attrs.frozen
class _Pack:
    name: str
    summary: str = ""
    licence: str = ""
    licence_url: str = ""
    homepage: str = ""
    archive: ArchiveSpec | None = None


@attrs.frozen
class _Document:
    pack: _Pack
    models: tuple[ModelSpec, ...]


@attrs.frozen
class _Models:
    models: tuple[ModelSpec, ...]


def read_manifest(path: Path, /) -> PackManifest:
    """Return the manifest in the TOML file `path`; an embedded pack has its folder as root.

    Raises:
        ModelNotFoundError: there is no such file.
        ManifestError: it cannot be read, or a key is unknown, missing or of the wrong type; names
            the key and the file, and hints at the nearest key.
    """
    document = structure(read_toml(path), _Document, str(path), ManifestError)
    if not document.models:
        raise ManifestError(f"{path}: models: a pack needs at least one model")
    try:
        pack = PackManifest(**attrs.asdict(document.pack, recurse=False), models=document.models)
    except ManifestError as error:
        raise ManifestError(f"{path}: {error.message}", hint=error.hint) from error
    return attrs.evolve(pack, root=path.parent) if _is_embedded(pack, path.parent) else pack


def read_models(path: Path, /) -> tuple[ModelSpec, ...]:
    """Return the tables ``[[models]]`` of a TOML file without a pack; raises as `read_manifest`."""
    return structure(read_toml(path), _Models, str(path), ManifestError).models


def read_toml(path: Path, /) -> dict[str, Any]:
    """Return the TOML document in the file `path`; raises as `read_manifest` does."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelNotFoundError(f"there is no manifest {path}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"{path}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ManifestError(f"{path}: not TOML: {error}") from error


def _is_embedded(pack: PackManifest, folder: Path) -> bool:
    downloadable = pack.archive is not None or any(model.url for model in pack.models)
    return not downloadable or all((folder / model.file).is_file() for model in pack.models)
