"""The model packs that are known: ours, those of plugins, and those the user describes.

Nothing is read before the first question. A name that two sources give to a pack is an error that
names both: a pack decides what the vectors in a gallery mean, so none silently hides another.
"""

import functools
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import attrs

from facecv.core.errors import ManifestError, ModelError, ModelNotFoundError
from facecv.core.pack import ModelFile, ModelSpec, PackManifest, Task
from facecv.core.text import nearest
from facecv.models import bare, local_pack
from facecv.models.manifest import FILE_NAME, read_manifest, read_models

BUILT_IN = Path(__file__).parent / "packs"
"""The folder of the packs that come with FaceCV."""

LOOSE = "loose.toml"
"""A file there: networks that are known, but that belong to no pack which could be pulled."""


def file_digest(path: Path, /) -> str:
    """Return the SHA-256 of a file, hexadecimal; raise `ModelError` if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}") from error


@attrs.frozen
class KnownModel:
    """A model and the pack it belongs to."""

    pack: PackManifest
    spec: ModelSpec

    def __str__(self) -> str:
        return f"{self.pack.name}/{self.spec.name}"


@attrs.frozen
class PackCatalogue:
    """All known packs, and how a name, a digest, a folder or a file leads to a model.

    Attributes:
        paths: manifests of the user: TOML files, folders with a ``manifest.toml``, or folders of
            such folders.
        registered: manifests that plugins registered.
        digest: returns the SHA-256 of a file; a model store's remembers it.
        built_in: the folder of our own packs.
    """

    paths: tuple[Path, ...] = ()
    registered: tuple[PackManifest, ...] = ()
    digest: Callable[[Path], str] = file_digest
    built_in: Path = BUILT_IN

    @functools.cached_property
    def packs(self) -> Mapping[str, PackManifest]:
        """All packs by name.

        Raises:
            ManifestError: a manifest cannot be read, or two packs have one name.
            ModelNotFoundError: a path of the user does not exist.
        """
        found: dict[str, tuple[PackManifest, str]] = {}
        for pack, origin in self._sources():
            other = found.setdefault(pack.name, (pack, origin))[1]
            if other != origin:
                raise ManifestError(
                    f"{other} and {origin} both describe a pack called {pack.name!r}",
                    hint="rename one of them",
                )
        return {name: pack for name, (pack, _) in found.items()}

    @functools.cached_property
    def loose(self) -> tuple[ModelSpec, ...]:
        """Networks that are known but belong to no pack; raises `ManifestError`."""
        file = self.built_in / LOOSE
        return read_models(file) if file.is_file() else ()

    def pack(self, name: str, /) -> PackManifest:
        """Return the pack called `name`; raise `ModelNotFoundError` if there is none."""
        if name not in self.packs:
            raise ModelNotFoundError(
                f"there is no model pack called {name!r}", hint=nearest(name, list(self.packs))
            )
        return self.packs[name]

    def models(self) -> Iterator[KnownModel]:
        """Yield the models of all packs."""
        for pack in self.packs.values():
            for spec in pack.models:
                yield KnownModel(pack, spec)

    def model(self, name: str, /, prefer: Iterable[str] = ()) -> KnownModel:
        """Return the model called `name`, which is ``MODEL`` or ``PACK/MODEL``.

        Several packs may hold one file; then the first pack in `prefer` (names, such as of the
        packs that are on disk) wins, else the first that is known.

        Raises:
            ModelNotFoundError: there is none.
            ModelError: several packs have different models of that name.
        """
        if "/" in name:
            pack_name, _, model_name = name.partition("/")
            pack = self.pack(pack_name)
            return KnownModel(pack, pack.model(model_name))
        found = [known for known in self.models() if known.spec.name == name]
        if not found:
            names = list(dict.fromkeys(known.spec.name for known in self.models()))
            raise ModelNotFoundError(f"there is no model {name!r}", hint=nearest(name, names))
        return _preferred(found, tuple(prefer))

    def by_digest(self, sha256: str, /) -> KnownModel | None:
        """Return the model whose published file has that digest, if one is known."""
        return next((known for known in self.models() if known.spec.sha256 == sha256 != ""), None)

    def local_pack(self, folder: Path, /, name: str = "") -> PackManifest:
        """Return the pack that lies in a folder which the user names, its root set to it.

        A folder with a ``manifest.toml`` is that pack. Else it is the known pack `name`, or the
        one whose files lie there by name; a file that is not the published one is taken, and
        that is logged. Models that are absent are dropped; a missing detector or embedder is
        reported when it is asked for. Attribute models of other packs, and loose ones, that lie
        there by name join the pack.

        Raises:
            ModelNotFoundError: no such folder, or it holds no known pack.
            ManifestError: its manifest cannot be read.
        """
        if not folder.is_dir():
            raise ModelNotFoundError(f"there is no folder {folder}")
        manifest = folder / FILE_NAME
        if manifest.is_file():
            own = read_manifest(manifest)
            if name in {"", own.name}:
                return attrs.evolve(own, root=folder)
        pack = self.pack(name) if name else local_pack.recognise(folder, self.packs.values())
        attributes = filter(local_pack.has_attributes_only, self.packs.values())
        others = [spec for each in attributes for spec in each.models] + [*self.loose]
        return local_pack.at_folder(pack, folder, self.digest, others)

    def bare_model(self, path: Path, task: Task, /, provider: str = "") -> ModelFile:
        """Return the ONNX file at `path` as a model for `task`.

        A published file is known by its digest, whatever it is called; else a TOML file of the
        same stem beside it says what it is; else it is taken for SCRFD (detection) or ArcFace
        (recognition). `provider` overrides the adapter.

        Raises:
            ModelNotFoundError: there is no such file.
            ModelError: it is a published model for another task, or nothing says what runs it.
            ManifestError: the TOML file beside it cannot be read.
        """
        bare.check_model_path(path)
        sha256 = self.digest(path)
        known = self.by_digest(sha256)
        spec = known.spec if known else self._loose(sha256)
        if spec:
            return bare.as_known(path, sha256, spec, task, provider)
        return bare.as_described(path, sha256, task, provider)

    def _loose(self, sha256: str) -> ModelSpec | None:
        return next((spec for spec in self.loose if spec.sha256 == sha256), None)

    def _sources(self) -> Iterator[tuple[PackManifest, str]]:
        """Yield each manifest with the place that it is from."""
        for path in (self.built_in, *self.paths):
            for file in _manifest_files(path):
                yield read_manifest(file), str(file)
        for number, pack in enumerate(self.registered, 1):
            yield pack, f"a plugin (registered pack {number})"


def _manifest_files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    if (path / FILE_NAME).is_file():
        return [path / FILE_NAME]
    return sorted(path.glob(f"*/{FILE_NAME}"))


def _preferred(found: list[KnownModel], prefer: tuple[str, ...]) -> KnownModel:
    """Return one of several models of one name."""
    ranked = {name: rank for rank, name in reversed(list(enumerate(prefer)))}
    best = min(found, key=lambda known: ranked.get(known.pack.name, len(prefer)))
    if best.pack.name not in ranked and len({known.spec.sha256 for known in found}) > 1:
        raise ModelError(
            f"{' and '.join(map(str, found))} are different models",
            hint="name the pack too, as PACK/MODEL",
        )
    return best
