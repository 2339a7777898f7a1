"""The one composition root: from a configuration to the parts of an engine."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import attrs

from facecv.core.errors import ConfigurationError
from facecv.core.pack import ModelFile, PackManifest
from facecv.core.ports.annotator import Annotator
from facecv.core.ports.event_store import EventStore
from facecv.core.ports.gallery_repo import GalleryRepo
from facecv.core.ports.inference_backend import InferenceBackend, SessionOptions
from facecv.core.ports.model_store import ModelStore
from facecv.core.services.analyse import Analyser
from facecv.core.services.attributes import AttributeModels
from facecv.core.services.registry import Registry
from facecv.core.services.slot import Blueprint, Built, Slot
from facecv.core.services.warm import warm_detector, warm_embedder
from facecv.entrypoints.config import Config, evolve, load
from facecv.models.catalogue import PackCatalogue
from facecv.models.document import structure
from facecv.models.variant import FOLDER as VARIANTS
from facecv.plugins.manager import PORTS, Catalogue
from facecv.plugins.manager import load as load_plugins
from facecv.plugins.provider import BuildRequest
from facecv.plugins.resolver import Resolver

EMBEDDED_PACK = "nano"
LARGER_PACKS = ("buffalo_l", "antelopev2", "buffalo_m", "buffalo_s", "buffalo_sc")
"""Packs that are used instead of the embedded one once they have been pulled, best first."""


def configure(
    config: Config | str | Path | Mapping[str, Any] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Config:
    """Return a configuration from whatever `Engine.open` takes."""
    changes = overrides or {}
    if isinstance(config, Config):
        return evolve(config, changes)
    if isinstance(config, Mapping):
        return evolve(load(overrides=config, environment={}), changes)
    return load(Path(config) if config else None, changes)


@attrs.frozen(eq=False)
class Parts:
    """Everything an engine is made of, wired; no model is loaded and no gallery open yet.

    Attributes:
        config: the configuration it was made from.
        catalogue: what plugins provide.
        packs: all packs that are known.
        pack: the model pack in use.
        store: keeps model files.
        backend: runs the networks.
        analyser: looks at pictures.
        annotator: draws on pictures.
        gallery: keeps enrolled faces.
        events: keeps what happens in front of cameras.
    """

    config: Config
    catalogue: Catalogue
    packs: PackCatalogue
    pack: PackManifest
    store: ModelStore
    backend: Slot[InferenceBackend]
    analyser: Analyser
    annotator: Annotator
    gallery: Slot[GalleryRepo]
    events: Slot[EventStore]

    def build(self, kind: str, name: str, address: str, extra: Mapping[str, Any]) -> Any:  # noqa: ANN401 - each kind has its own port
        """Return a frame source, an event sink or a video sink.

        Args:
            kind: such as ``frame_sources``.
            name: of the provider.
            address: a path, a URL, a number.
            extra: settings that win over those of the configuration.
        """
        return Builder(self.config, self.catalogue).build(kind, name, address, extra)


def bootstrap(
    config: Config, catalogue: Catalogue | None = None, *, crowded: bool = False
) -> Parts:
    """Return the parts of an engine; nothing is loaded yet.

    Args:
        config: the settings.
        catalogue: what plugins provide; None: our own adapters and all installed plugins.
        crowded: whether many will look at pictures at once.

    Raises:
        ConfigurationError: a provider's section has a key it does not know.
        UnknownProviderError: the configuration names something that no plugin registers.
        ModelNotFoundError: there is no such pack.
    """
    builder = prepare(config, catalogue)
    catalogue = builder.catalogue
    builder.check_sections()
    store, packs = builder.store(), builder.packs()
    pack = choose_pack(config, packs, store)
    backend = builder.slot("backends", config.backend)
    resolver = Resolver(
        catalogue,
        packs,
        store,
        pack,
        config.pack_dir,
        backend,
        SessionOptions(config.device, config.threads, crowded=crowded),
        builder.settings,
        (config.embedder, *config.models.embedders),
    )
    analyser = Analyser(
        builder.build("image_decoders", config.decoder),
        builder.build("face_aligners", config.aligner),
        Registry(partial(resolver.plan, "detectors"), config.detector, warm_detector),
        Registry(partial(resolver.plan, "embedders"), config.embedder, warm_embedder),
        AttributeModels(resolver.attribute_models(config.attributes)),
        config.detection.options(),
    )
    gallery = builder.gallery()
    return Parts(
        config=config,
        catalogue=catalogue,
        packs=packs,
        pack=pack,
        store=store,
        backend=backend,
        analyser=analyser,
        annotator=builder.build("annotators", config.annotator),
        gallery=gallery,
        events=builder.events(gallery),
    )


def prepare(config: Config, catalogue: Catalogue | None = None) -> "Builder":
    """Return what builds the parts of an engine one by one, for tools that look at installations.

    Takes the same arguments as `bootstrap`; nothing is checked, built or loaded yet.
    """
    return Builder(config, catalogue or load_plugins())


@attrs.frozen(eq=False)
class Builder:
    """Builds what the configuration names."""

    config: Config
    catalogue: Catalogue

    def settings(self, kind: str, name: str, extra: Mapping[str, Any] | None = None) -> object:
        """Return the validated settings of a provider; `extra` ones win."""
        provider = self.catalogue.provider(kind, name)
        written = {**self.config.settings(kind, name), **(extra or {})}
        return structure(written, provider.settings, f"[{kind}.{name}]", ConfigurationError)

    def build(
        self, kind: str, name: str, address: str = "", extra: Mapping[str, Any] | None = None
    ) -> Any:  # noqa: ANN401 - each kind has its own port
        """Return a provider's implementation of its port."""
        provider = self.catalogue.provider(kind, name)
        return provider.build(BuildRequest(self.settings(kind, name, extra), address=address))

    def slot(self, kind: str, name: str) -> Slot[Any]:
        """Return a slot for it, built at first use; the name is checked now."""
        self.catalogue.provider(kind, name)
        return Slot(lambda: Blueprint(name, lambda: Built(self.build(kind, name))))

    def model(self, kind: str, file: ModelFile, backend: InferenceBackend) -> Any:  # noqa: ANN401
        """Return the model of a file, loaded on a backend; it need not be of any known pack.

        Args:
            kind: ``detectors`` or ``embedders``.
            file: the network; its description names the provider.
            backend: what runs it.
        """
        name = file.spec.provider
        options = SessionOptions(self.config.device, self.config.threads)
        request = BuildRequest(self.settings(kind, name), file, backend, options)
        return self.catalogue.provider(kind, name).build(request)

    @property
    def variants(self) -> Path | None:
        """Where models are kept that were made of others; None: the store keeps none."""
        settings = self.settings("model_stores", self.config.store)
        folder: Path | None = getattr(settings, "cache_dir", None)
        return folder / VARIANTS if folder else None

    def store(self) -> ModelStore:
        """Return the model store that the configuration names."""
        store: ModelStore = self.build("model_stores", self.config.store)
        return store

    def packs(self, digest: Callable[[Path], str] | None = None) -> PackCatalogue:
        """Return the known packs: ours, those of plugins and those of the user.

        Args:
            digest: returns the SHA-256 of a file; None: the store's, which remembers it on disk.
        """
        registered, made = tuple(self.catalogue.packs()), self.variants
        paths = (*self.config.packs, *([made] if made and made.is_dir() else []))
        return PackCatalogue(paths, registered, digest or self.store().digest)

    def gallery(self) -> Slot[Any]:
        """Return the gallery's slot; no file is touched before it is used."""
        builder, name = self._gallery()
        return builder.slot("galleries", name)

    def gallery_settings(self) -> tuple[str, object]:
        """Return the name of the gallery's provider and its settings."""
        builder, name = self._gallery()
        return name, builder.settings("galleries", name)

    def events(self, gallery: Slot[Any]) -> Slot[Any]:
        """Return the slot of the event store: in the gallery's file, if the gallery is one.

        Args:
            gallery: opened before the store, since it makes the file.
        """
        path = getattr(self.gallery_settings()[1], "path", None)
        name = self.config.event_store or ("sqlite" if path else "memory")
        self.catalogue.provider("event_stores", name)

        def build() -> Built[Any]:
            gallery.get()
            return Built(self.build("event_stores", name, str(path or "")))

        return Slot(lambda: Blueprint(name, build))

    def _gallery(self) -> tuple["Builder", str]:
        """Return who builds the gallery; what is not a provider's name is the path of a file."""
        name = self.config.gallery
        if name in self.catalogue.names("galleries"):
            return self, name
        written = self.config.settings("galleries", "sqlite")
        sections = {**self.config.galleries, "sqlite": {**written, "path": name}}
        return attrs.evolve(self, config=attrs.evolve(self.config, galleries=sections)), "sqlite"

    def check_sections(self) -> None:
        """Raise for sections of providers that do not exist, and for wrong settings in others."""
        for kind in PORTS:
            for name in getattr(self.config, kind, {}):
                self.settings(kind, name)


def choose_pack(config: Config, packs: PackCatalogue, store: ModelStore) -> PackManifest:
    """Return the pack that the configuration means; see `Config.pack`."""
    if config.pack_dir:
        return packs.local_pack(config.pack_dir, config.pack)
    if config.pack:
        return packs.pack(config.pack)
    larger = map(packs.pack, LARGER_PACKS)
    pulled = next((pack for pack in larger if _is_here(pack, store)), None)
    return pulled or packs.pack(EMBEDDED_PACK)


def _is_here(pack: PackManifest, store: ModelStore) -> bool:
    needed = [*pack.for_task("detection"), *pack.for_task("recognition")]
    return all((store.path(pack) / spec.file).is_file() for spec in needed)
