"""Model packs as the command line sees them: which are known, which are here, which is in use."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import attrs

from facecv.core.errors import ModelError
from facecv.entrypoints.cli.invocation import Invocation

if TYPE_CHECKING:
    from facecv.core.pack import ModelSpec, PackManifest
    from facecv.core.ports.model_store import ModelStore
    from facecv.entrypoints.bootstrap import Builder
    from facecv.models.catalogue import PackCatalogue

State = Literal["installed", "embedded", "folder", "missing", "not pulled"]


@attrs.frozen(eq=False)
class Library:
    """All known packs and the store that keeps them; nothing is hashed or written.

    Attributes:
        store: keeps model files.
        catalogue: the packs that are known.
        in_use: the pack that the configuration means; None: it cannot be had.
        problem: why not; empty otherwise.
        from_folder: whether the pack in use lies in a folder that the user named.
    """

    store: "ModelStore"
    catalogue: "PackCatalogue"
    in_use: "PackManifest | None"
    problem: str
    from_folder: bool

    def packs(self) -> "Iterator[PackManifest]":
        """Yield the pack in use, then all others; a pack in a folder hides its published self."""
        if self.in_use:
            yield self.in_use
        used = self.in_use.name if self.in_use else ""
        yield from (pack for pack in self.catalogue.packs.values() if pack.name != used)

    def pack(self, name: str | None) -> "PackManifest":
        """Return a pack by name, None meaning the one in use; raises `ModelError`."""
        if self.in_use and name in {None, self.in_use.name}:
            return self.in_use
        if name is None:
            raise ModelError(self.problem)
        return self.catalogue.pack(name)

    def state(self, pack: "PackManifest", spec: "ModelSpec") -> State:
        """Return where a model's file is, by its presence alone."""
        from facecv.models.variant import is_variant

        if self._is_here(pack, spec):
            if pack.root is None or is_variant(pack):
                return "installed"
            return "folder" if self.from_folder and pack is self.in_use else "embedded"
        return "missing" if pack.root or self.any_here(pack) else "not pulled"

    def any_here(self, pack: "PackManifest") -> bool:
        """Return whether any file of a pack is on disk."""
        return any(self._is_here(pack, spec) for spec in pack.models)

    def _is_here(self, pack: "PackManifest", spec: "ModelSpec") -> bool:
        return (self.store.path(pack) / spec.file).is_file()


def open_library(invocation: Invocation) -> Library:
    """Return the library that the configuration describes."""
    return library_of(invocation.builder())


def library_of(builder: "Builder", digest: Callable[[Path], str] | None = None) -> Library:
    """Return the library of an installation.

    Args:
        builder: of the installation.
        digest: returns the SHA-256 of a file; None: the store's, which remembers it on disk.
    """
    from facecv.entrypoints.bootstrap import choose_pack

    config, store, packs = builder.config, builder.store(), builder.packs(digest)
    in_use, problem = None, ""
    try:
        in_use = choose_pack(config, packs, store)
    except ModelError as error:
        problem = str(error)
    return Library(store, packs, in_use, problem, config.pack_dir is not None)
