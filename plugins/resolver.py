"""From names in a configuration to models that can be built."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import attrs

from facecv.core.embedding import EmbeddingSpace
from facecv.core.errors import ConfigurationError, ModelNotFoundError
from facecv.core.pack import ModelFile, ModelSpec, PackManifest, Task
from facecv.core.ports.inference_backend import InferenceBackend, SessionOptions
from facecv.core.ports.model_store import ModelStore
from facecv.core.services.registry import Reference
from facecv.core.services.slot import Blueprint, Built, Slot
from facecv.core.text import nearest
from facecv.models.catalogue import PackCatalogue
from facecv.plugins.manager import Catalogue
from facecv.plugins.provider import BuildRequest, Provider
from facecv.plugins.sessions import SessionKeeper
from facecv.plugins.spaces import SpaceFinder

TASKS: Mapping[str, Task] = {
    "detectors": "detection",
    "embedders": "recognition",
    "attribute_models": "attributes",
}
"""Kinds of providers that run a network, and the task their networks have in a pack."""


@attrs.frozen(eq=False)
class Resolver:
    """Finds the provider and the file behind the name of a model.

    Attributes:
        catalogue: what plugins provide.
        packs: the packs that are known.
        store: where model files are.
        pack: the pack in use.
        folder: a folder whose files are taken first; None: only the store.
        backend: what runs the networks.
        session: how to load them.
        settings: kind and provider name to the provider's validated settings.
        embedders: references of embedders that collections may be bound to, the default first.
    """

    catalogue: Catalogue
    packs: PackCatalogue
    store: ModelStore
    pack: PackManifest
    folder: Path | None
    backend: Slot[InferenceBackend]
    session: SessionOptions
    settings: Callable[[str, str], object]
    embedders: tuple[str, ...] = ("",)

    def plan(self, kind: str, reference: Reference) -> Blueprint[Any]:
        """Return the model that `reference` names, found but not loaded.

        Args:
            kind: ``detectors``, ``embedders`` or ``attribute_models``.
            reference: a model's name, ``PACK/MODEL``, the path of an ONNX file,
                ``PROVIDER:PATH``, or a provider's name; empty: the default of the pack in use; or
                the space that an embedder must have.

        Raises:
            ModelNotFoundError: no model or provider goes by that name, or its file is missing.
            UnknownProviderError: the plugin that runs the model is not installed.
        """
        if isinstance(reference, EmbeddingSpace):
            name, file = self._in_space(reference)
        else:
            name, file = self._locate(kind, reference)
        provider = self.catalogue.provider(kind, name)
        settings = self.settings(kind, name)

        def build() -> Built[Any]:
            return self._build(provider, settings, file)

        provides = provider.provides(file.spec if file else None) if provider.provides else None
        return Blueprint(file.spec.name if file else name, build, file, provides)

    def _build(
        self, provider: Provider[Any], settings: object, file: ModelFile | None
    ) -> Built[Any]:
        """Load a model; the networks it opens are closed with it, or now if it fails."""
        if file is None:
            return Built(provider.build(BuildRequest(settings, None, None, self.session)))
        keeper = SessionKeeper(self.backend.get())
        try:
            model = provider.build(BuildRequest(settings, file, keeper, self.session))
        except BaseException:
            keeper.close()
            raise
        return Built(model, keeper.close, keeper.providers, keeper.share)

    def _in_space(self, space: EmbeddingSpace) -> tuple[str, ModelFile | None]:
        finder = SpaceFinder(self.packs, partial(self._locate, "embedders"), self._in_pack)
        return finder.find(space, self.embedders)

    def _locate(self, kind: str, reference: str) -> tuple[str, ModelFile | None]:
        """Return the provider's name and the model file; None for a provider without one."""
        task = TASKS[kind]
        if not reference:
            return self._in_pack(self._default(task), self.pack)
        provider, colon, rest = reference.partition(":")
        if colon and provider in self.catalogue.names(kind):
            return provider, self.packs.bare_model(Path(rest), task, provider)
        if reference.endswith(".onnx"):
            file = self.packs.bare_model(Path(reference), task)
            return file.spec.provider, file
        if reference in self.catalogue.names(kind):
            return self._of_provider(kind, reference)
        pack, spec = self._named(kind, task, reference)
        return self._in_pack(spec, pack)

    def _default(self, task: Task) -> ModelSpec:
        for spec in self.pack.for_task(task):
            return spec
        raise ModelNotFoundError(f"pack {self.pack.name!r} has no model for {task}")

    def _named(self, kind: str, task: Task, reference: str) -> tuple[PackManifest, ModelSpec]:
        """Return a model by name; the pack in use is asked first."""
        own = [spec for spec in self.pack.for_task(task) if spec.name == reference]
        if own:
            return self.pack, own[0]
        try:
            found = self.packs.model(reference, prefer=[self.pack.name])
        except ModelNotFoundError as error:
            known = [each.spec.name for each in self.packs.models() if each.spec.task == task]
            hint = nearest(reference, [*dict.fromkeys(known), *self.catalogue.names(kind)])
            raise ModelNotFoundError(
                f"there is no model or provider for {task} called {reference!r}", hint=hint
            ) from error
        if found.spec.task != task:
            raise ConfigurationError(f"{found} is a model for {found.spec.task}, not for {task}")
        return found.pack, found.spec

    def _of_provider(self, kind: str, name: str) -> tuple[str, ModelFile | None]:
        """Return a provider with a model of its own: of the pack in use, then of any pack."""
        if not self.catalogue.provider(kind, name).needs_model:
            return name, None
        for pack in (self.pack, *self.packs.packs.values()):
            for spec in pack.for_task(TASKS[kind]):
                if spec.provider == name:
                    return self._in_pack(spec, pack)
        raise ConfigurationError(
            f"no known pack has a model for {name!r}", hint=f"name its file: {name}:PATH"
        )

    def _in_pack(self, spec: ModelSpec, pack: PackManifest) -> tuple[str, ModelFile]:
        """Return a model of a pack, from the folder that the user named or from the store."""
        if self.folder and pack.root != self.folder and (self.folder / spec.file).is_file():
            pack = self.packs.local_pack(self.folder, pack.name)
        parts = tuple(self.store.resolve(pack, part.name) for part in pack.parts(spec.name))
        return spec.provider, attrs.evolve(self.store.resolve(pack, spec.name), parts=parts)

    def attribute_models(self, references: tuple[str, ...]) -> list[Slot[Any]]:
        """Return slots for the attribute models named, or for those of the pack in use.

        After those of the pack come the fall-backs, which need no network (see `Provider`).

        Raises:
            UnknownProviderError: a model that was named needs a plugin that is not installed.
        """
        if references:
            return [self._attribute_slot(reference) for reference in references]
        known = self.catalogue.names("attribute_models")
        own = [spec.name for spec in self.pack.for_task("attributes") if spec.provider in known]
        return [self._attribute_slot(name) for name in [*own, *self._fallbacks()]]

    def _fallbacks(self) -> list[str]:
        kind = "attribute_models"
        names = self.catalogue.names(kind)
        return [name for name in names if self.catalogue.provider(kind, name).fallback]

    def _attribute_slot(self, reference: str) -> Slot[Any]:
        return Slot(lambda: self.plan("attribute_models", reference))
