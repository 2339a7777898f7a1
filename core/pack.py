"""Model packs: what their manifests say, and files that are at hand.

A pack is a set of networks that belong together (a detector, an embedder, attribute models). Its
manifest is a TOML document; `facecv.models.catalogue` reads it into these values.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Literal

import attrs

from facecv.core.errors import ManifestError, ModelNotFoundError

if TYPE_CHECKING:
    from facecv.core.embedding import EmbeddingSpace

Task = Literal["detection", "recognition", "attributes"]
ColorOrder = Literal["rgb", "bgr", "grey"]
_RATE = attrs.validators.and_(attrs.validators.ge(0.0), attrs.validators.le(1.0))
_COSINE = attrs.validators.and_(attrs.validators.ge(-1.0), attrs.validators.le(1.0))
_PACK_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def _check_file(_: object, __: object, value: str) -> None:
    path = PurePosixPath(value)
    if not value or path.is_absolute() or ".." in path.parts or "\\" in value or ":" in value:
        raise ManifestError(f"{value!r} is not a relative path inside the pack")


def _check_pack_name(_: object, __: object, value: str) -> None:
    if not _PACK_NAME.fullmatch(value):
        raise ManifestError(
            f"{value!r} is not a pack name: letters, digits, dot, underscore, hyphen",
            hint="it is the name of a folder, and begins with a letter or a digit",
        )


def _check_digest(_: object, __: object, value: str) -> None:
    if value and (len(value) != 64 or set(value) - set("0123456789abcdef")):
        raise ManifestError(f"{value!r} is not a SHA-256 digest of 64 hexadecimal digits")


@attrs.frozen
class InputSpec:
    """How pixels become the tensor a network wants: ``(pixel - mean) / std``.

    Attributes:
        size: width and height in pixels; None: taken from the network.
        color: order of the channels.
        mean: subtracted from each pixel (0..255).
        std: divides the difference.
    """

    size: tuple[int, int] | None = None
    color: ColorOrder = "rgb"
    mean: float = 127.5
    std: float = attrs.field(default=127.5, validator=attrs.validators.gt(0))


@attrs.frozen
class OperatingPoint:
    """A similarity threshold and the false-accept rate that it stands for.

    Attributes:
        far: share of pairs of strangers that reach the threshold, 0..1.
        similarity: the cosine, -1..1.
        source: the measurement behind the figures.
    """

    far: float = attrs.field(validator=_RATE)
    similarity: float = attrs.field(validator=_COSINE)
    source: str = ""


@attrs.frozen
class RecognitionSpec:
    """What is particular to an embedder.

    Attributes:
        dim: length of its vectors.
        preprocessing: version of alignment and normalisation, part of the embedding space.
        threshold: the default similarity from which two faces are one person.
        far: the false-accept rate that the default threshold stands for; None: not known.
        source: the measurement behind the default threshold.
        points: more operating points.
    """

    dim: int = attrs.field(default=512, validator=attrs.validators.gt(0))
    preprocessing: str = "arcface-112-rgb"
    threshold: float = attrs.field(default=0.4, validator=_COSINE)
    far: float | None = attrs.field(default=None, validator=attrs.validators.optional(_RATE))
    source: str = ""
    points: tuple[OperatingPoint, ...] = ()


@attrs.frozen
class ModelSpec:
    """One network of a pack, as its manifest describes it.

    Attributes:
        name: unique in its pack, such as ``det_500m``.
        file: path inside the pack.
        task: what it is for.
        provider: name of the adapter that runs it, such as ``scrfd``.
        sha256: digest of the file; empty: not published, recorded at the first download.
        size: bytes; 0: not known.
        url: where the single file is; empty: it comes with the pack's archive.
        licence: licence of the weights; empty: the pack's.
        input: preprocessing.
        recognition: for embedders.
        settings: further settings of the adapter.
        part_of: name of the model of the same pack that this network belongs to, as in an
            ensemble; it is not a model by itself. Empty: it is.
    """

    name: str
    file: str = attrs.field(validator=_check_file)
    task: Task
    provider: str
    sha256: str = attrs.field(default="", validator=_check_digest)
    size: int = attrs.field(default=0, validator=attrs.validators.ge(0))
    url: str = ""
    licence: str = ""
    input: InputSpec = attrs.field(factory=InputSpec)
    recognition: RecognitionSpec | None = None
    settings: Mapping[str, Any] = attrs.field(factory=dict)
    part_of: str = ""


@attrs.frozen
class ArchiveSpec:
    """A zip file that holds all files of a pack (in its root or in one folder of its own)."""

    url: str
    sha256: str = attrs.field(default="", validator=_check_digest)
    size: int = attrs.field(default=0, validator=attrs.validators.ge(0))


@attrs.frozen
class PackManifest:
    """A model pack.

    Attributes:
        name: unique among the packs that are known.
        summary: one line.
        licence: licence of the weights, in words.
        licence_url: where it is written.
        homepage: where the pack is from.
        archive: one download for the whole pack, if there is one.
        models: its networks; at most one default a task is the first of that task.
        root: folder of an embedded pack whose files are already on disk; None: to be pulled.
    """

    name: str = attrs.field(validator=_check_pack_name)
    summary: str = ""
    licence: str = ""
    licence_url: str = ""
    homepage: str = ""
    archive: ArchiveSpec | None = None
    models: tuple[ModelSpec, ...] = ()
    root: Path | None = None

    def __attrs_post_init__(self) -> None:
        names = [model.name for model in self.models]
        if len(set(names)) != len(names):
            raise ManifestError(f"pack {self.name!r} names a model twice")
        whole = {model.name: model.task for model in self.models if not model.part_of}
        for model in self.models:
            if model.part_of and whole.get(model.part_of) != model.task:
                raise ManifestError(
                    f"pack {self.name!r}: {model.name!r} is part of {model.part_of!r}, "
                    f"which is no model for {model.task}"
                )

    def model(self, name: str) -> ModelSpec:
        """Return the model called `name`; raise `ModelNotFoundError` if there is none."""
        for model in self.models:
            if model.name == name:
                return model
        known = ", ".join(model.name for model in self.models)
        raise ModelNotFoundError(
            f"pack {self.name!r} has no model {name!r}", hint=f"it has {known or 'none'}"
        )

    def for_task(self, task: Task) -> tuple[ModelSpec, ...]:
        """Return the models for `task`, the default first."""
        return tuple(model for model in self.models if model.task == task and not model.part_of)

    def parts(self, name: str) -> tuple[ModelSpec, ...]:
        """Return the networks that run with the model called `name`; most have none."""
        return tuple(model for model in self.models if model.part_of == name)


@attrs.frozen
class ModelFile:
    """A network on disk, ready to be loaded.

    Attributes:
        path: the file.
        sha256: digest of the file as it is on disk.
        spec: what its manifest says (or the defaults of its family, for a bare file).
        pack: name of the pack; empty for a bare file.
        parts: further networks that run with it.
    """

    path: Path
    sha256: str
    spec: ModelSpec
    pack: str = ""
    parts: tuple["ModelFile", ...] = ()

    def space(self, dim: int) -> "EmbeddingSpace":
        """Return the embedding space of this embedder, whose vectors have `dim` numbers."""
        from facecv.core.embedding import EmbeddingSpace  # noqa: PLC0415 - plugins do without numpy

        preprocessing = (self.spec.recognition or RecognitionSpec()).preprocessing
        return EmbeddingSpace(self.spec.name, dim, self.sha256, preprocessing)


Progress = Callable[[str, int, int], None]
"""Called with a file's name, bytes done and bytes in all (0: not known)."""
