"""Packs of one network that was made here, of another one."""

from pathlib import Path
from typing import Any

import attrs
import tomli_w

from facecv.core.pack import ModelFile, ModelSpec, PackManifest, RecognitionSpec
from facecv.models.catalogue import file_digest
from facecv.models.manifest import FILE_NAME

FOLDER = ".variants"
"""Where they are kept in the folder of a model store: a folder each."""


def is_variant(pack: PackManifest) -> bool:
    """Say whether a pack was made here, and lies in the folder of a model store."""
    return pack.root is not None and pack.root.parent.name == FOLDER


def variant_name(model: ModelFile, precision: str) -> str:
    """Return what a variant of a model is called, and its pack."""
    return f"{model.spec.name}-{precision}"


def variant_spec(model: ModelFile, name: str, path: Path) -> ModelSpec:
    """Return the description of the variant at `path`: as the original's, but for the file."""
    recognition = model.spec.recognition
    if recognition is not None:
        recognition = _inherited(recognition, model.spec.name)
    return attrs.evolve(
        model.spec,
        name=name,
        file=path.name,
        sha256=file_digest(path),
        size=path.stat().st_size,
        url="",
        recognition=recognition,
        part_of="",
    )


def write_variant(folder: Path, spec: ModelSpec, summary: str, licence: str) -> PackManifest:
    """Write the manifest of a pack that holds a variant, beside its file; return it.

    Args:
        folder: where the file is.
        spec: what `variant_spec` gave.
        summary: one line.
        licence: of the original's weights.
    """
    pack = PackManifest(spec.name, summary, licence, models=(spec,), root=folder)
    document = {
        "pack": {"name": pack.name, "summary": summary, "licence": licence},
        "models": [_plain(spec)],
    }
    (folder / FILE_NAME).write_bytes(tomli_w.dumps(document).encode())
    return pack


def _inherited(recognition: RecognitionSpec, name: str) -> RecognitionSpec:
    """Return thresholds that say that they were measured with the original."""
    source = f"as {name}, not measured anew: {recognition.source}".removesuffix(": ")
    return attrs.evolve(recognition, source=source)


def _plain(value: Any) -> Any:  # noqa: ANN401 - values of a description, nested
    """Return a description as TOML can hold it: what is None or empty is left out."""
    if attrs.has(type(value)):
        value = attrs.asdict(value, recurse=False)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if item not in (None, "", ())}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
