"""From the space of a collection to the file of the embedder that has it."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

import attrs

from facecv.core.embedding import EmbeddingSpace
from facecv.core.errors import ConfigurationError, ModelError, ModelNotFoundError
from facecv.core.pack import ModelFile, ModelSpec, PackManifest
from facecv.models.catalogue import KnownModel, PackCatalogue

Located = tuple[str, ModelFile | None]
"""A provider's name and the file it is to run; None for a provider without one."""


@attrs.frozen(eq=False)
class SpaceFinder:
    """Finds the embedder of a space among the models at hand.

    Attributes:
        packs: the packs that are known.
        locate: finds what a reference names.
        in_pack: finds a model of a pack.
    """

    packs: PackCatalogue
    locate: Callable[[str], Located]
    in_pack: Callable[[ModelSpec, PackManifest], Located]

    def find(self, space: EmbeddingSpace, references: Iterable[str]) -> Located:
        """Return the embedder whose file has the digest of `space`.

        An embedder without a file, if one is referred to, is taken where no file fits: what space
        it has is known only once it is loaded.

        Args:
            space: what the embeddings must be of.
            references: embedders that the configuration names; asked before the packs.

        Raises:
            ModelNotFoundError: no such embedder is at hand; the hint says where to get it.
        """
        without_file: Located | None = None
        for provider, file in self._candidates(space, references):
            if file is None:
                without_file = without_file or (provider, None)
            elif file.sha256 == space.digest:
                return provider, _called(file, space.model)
        if without_file:
            return without_file
        raise ModelNotFoundError(
            f"no model at hand gives embeddings of the space {space}",
            hint=self._advice(space),
            details={"space": str(space), "model": space.model, "digest": space.digest},
        )

    def _candidates(self, space: EmbeddingSpace, references: Iterable[str]) -> Iterator[Located]:
        for reference in references:
            yield from _if_here(partial(self.locate, reference))
        for known in self._published(space):
            yield from _if_here(partial(self.in_pack, known.spec, known.pack))

    def _published(self, space: EmbeddingSpace) -> list[KnownModel]:
        """Return the embedders of packs that may have the space, by digest or else by name."""
        return [
            known
            for known in self.packs.models()
            if known.spec.task == "recognition"
            and (known.spec.sha256 == space.digest or known.spec.name == space.model)
        ]

    def _advice(self, space: EmbeddingSpace) -> str:
        packs = [
            known.pack.name
            for known in self._published(space)
            if known.pack.root is None and known.spec.sha256 in {"", space.digest}
        ]
        if packs:
            return f"get it with 'facecv models pull {packs[0]}'"
        return (
            "name the pack that the collection was made with (--pack, --pack-dir), or its ONNX "
            "file in 'embedders' of section [models]; or take another --collection"
        )


def _if_here(find: Callable[[], Located]) -> Iterator[Located]:
    """Yield what `find` finds, or nothing where it is not on disk or not what it should be."""
    try:
        yield find()
    except (ModelError, ConfigurationError):
        return


def _called(file: ModelFile, name: str) -> ModelFile:
    """Return the file under the name that the space has for it: a digest outlives a file's name."""
    return attrs.evolve(file, spec=attrs.evolve(file.spec, name=name))
