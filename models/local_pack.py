"""Which pack a folder of model files is.

A folder that a person names is taken as it is: a file that differs from the published one of that
name is used, which is logged, and is known by its own digest.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import attrs

from facecv.core.errors import ModelNotFoundError
from facecv.core.pack import ModelSpec, PackManifest

ESSENTIAL = frozenset({"detection", "recognition"})
"""Tasks that an engine cannot do without."""


def recognise(folder: Path, packs: Iterable[PackManifest], /) -> PackManifest:
    """Return the pack whose detectors and embedders all lie in `folder`.

    Of several, a pack that has both tasks wins, then one that is complete, then the largest.

    Raises:
        ModelNotFoundError: the folder holds no known pack.
    """
    candidates = [
        (pack, base)
        for pack in packs
        for base in _bases(folder, pack)
        if _has_essentials(base, pack)
    ]
    if not candidates:
        held = ", ".join(sorted(path.name for path in folder.glob("*.onnx"))) or "no ONNX file"
        raise ModelNotFoundError(
            f"no known pack lies in {folder}",
            hint=f"it holds {held}; describe them in a manifest.toml there, or name a pack",
        )
    return max(candidates, key=lambda found: _fit(*found))[0]


def has_attributes_only(pack: PackManifest, /) -> bool:
    """Return whether a pack is one to be used beside others."""
    return all(model.task == "attributes" for model in pack.models)


def at_folder(
    pack: PackManifest,
    folder: Path,
    digest: Callable[[Path], str],
    others: Sequence[ModelSpec] = (),
    /,
) -> PackManifest:
    """Return `pack` with its files taken from `folder`, known by the digests that they have.

    Models whose file is absent are dropped, but not detectors and embedders: what needs one of
    those is to fail with the reason.

    Args:
        pack: the pack.
        folder: where its files are.
        digest: returns the SHA-256 of a file.
        others: models that join the pack if their files are there and it has none of that name.
    """
    base = max(_bases(folder, pack), key=lambda base: len(_present(base, pack)))
    names = {model.name for model in pack.models}
    models = [
        model
        for model in (*pack.models, *(other for other in others if other.name not in names))
        if model.task in ESSENTIAL or (base / model.file).is_file()
    ]
    present = {model.name for model in models}
    found = tuple(
        _as_found(model, base / model.file, pack.name, digest)
        for model in models
        if not model.part_of or model.part_of in present
    )
    return attrs.evolve(pack, root=base, models=found, archive=None)


def _as_found(model: ModelSpec, path: Path, pack: str, digest: Callable[[Path], str]) -> ModelSpec:
    if not path.is_file():
        return model
    found = digest(path)
    if model.sha256 not in {"", found}:
        import structlog  # noqa: PLC0415 - costs start-up time, and is seldom needed

        structlog.get_logger().info(
            "not the published file", path=str(path), pack=pack, model=model.name, sha256=found
        )
    return attrs.evolve(model, sha256=found, size=path.stat().st_size)


def _bases(folder: Path, pack: PackManifest) -> tuple[Path, Path]:
    """Return where the files of a pack may lie: an unpacked archive has a folder of its own."""
    return folder, folder / pack.name


def _present(base: Path, pack: PackManifest) -> list[ModelSpec]:
    return [model for model in pack.models if (base / model.file).is_file()]


def _has_essentials(base: Path, pack: PackManifest) -> bool:
    wanted = [model for model in pack.models if model.task in ESSENTIAL]
    return bool(wanted) and all((base / model.file).is_file() for model in wanted)


def _fit(pack: PackManifest, base: Path) -> tuple[bool, bool, int]:
    present = _present(base, pack)
    both = {model.task for model in pack.models} >= ESSENTIAL
    return both, len(present) == len(pack.models), len(present)
