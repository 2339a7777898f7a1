"""Loading plugins into a catalogue of everything they provide."""

from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import entry_points
from typing import Any, cast

import attrs
import pluggy

from facecv.core.errors import DuplicateProviderError, UnknownProviderError
from facecv.core.pack import PackManifest
from facecv.core.text import nearest
from facecv.plugins.found import (
    GROUP,
    PluginInfo,
    Plugins,
    load_entry_point,
    new_manager,
    register,
)
from facecv.plugins.provider import Provider

PORTS: Mapping[str, str] = {
    "detectors": "facecv_register_detectors",
    "embedders": "facecv_register_embedders",
    "attribute_models": "facecv_register_attribute_models",
    "backends": "facecv_register_backends",
    "galleries": "facecv_register_galleries",
    "frame_sources": "facecv_register_frame_sources",
    "event_sinks": "facecv_register_event_sinks",
    "event_stores": "facecv_register_event_stores",
    "video_sinks": "facecv_register_video_sinks",
    "model_stores": "facecv_register_model_stores",
    "image_decoders": "facecv_register_image_decoders",
    "face_aligners": "facecv_register_face_aligners",
    "annotators": "facecv_register_annotators",
    "packs": "facecv_register_packs",
}
"""What can be registered, and the hook for it."""

Registered = Provider[Any] | PackManifest


@attrs.frozen
class Entry:
    """Something a plugin registered."""

    item: Registered
    plugin: PluginInfo


@attrs.frozen
class Catalogue(Plugins):
    """Everything that plugins provide, by kind and name.

    Attributes:
        entries: kind (a key of `PORTS`) to name to what was registered under it; more than one
            entry is a clash, which is an error as soon as the name is used.
    """

    entries: Mapping[str, Mapping[str, tuple[Entry, ...]]]

    def names(self, kind: str) -> list[str]:
        """Return the names registered for `kind`, in order of registration."""
        return list(self.entries[kind])

    def entry(self, kind: str, name: str) -> Entry:
        """Return what is registered as `name`.

        Raises:
            UnknownProviderError: nothing is; the hint names the nearest.
            DuplicateProviderError: more than one plugin did.
        """
        found = self.entries[kind].get(name)
        what = kind.removesuffix("s").replace("_", " ")
        if not found:
            known = self.names(kind)
            raise UnknownProviderError(
                f"there is no {what} called {name!r}", hint=nearest(name, known)
            )
        if len(found) > 1:
            owners = " and ".join(str(entry.plugin) for entry in found)
            raise DuplicateProviderError(
                f"{owners} both register a {what} called {name!r}", hint="uninstall one of them"
            )
        return found[0]

    def clashes(self) -> list[DuplicateProviderError]:
        """Return the errors of all names that more than one plugin registers."""
        found = []
        for kind, entries in self.entries.items():
            for name in entries:
                try:
                    self.entry(kind, name)
                except DuplicateProviderError as error:
                    found.append(error)
        return found

    def provider(self, kind: str, name: str) -> Provider[Any]:
        """Return the provider registered as `name`; raises as `entry` does."""
        return cast("Provider[Any]", self.entry(kind, name).item)

    def packs(self) -> list[PackManifest]:
        """Return all registered pack manifests; raises as `entry` does."""
        return [
            cast("PackManifest", self.entry("packs", name).item) for name in self.names("packs")
        ]


def load(*, third_party: bool = True) -> Catalogue:
    """Return a catalogue of our own adapters and, if asked, of all installed plugins.

    A plugin that cannot be imported, or whose hook fails, is listed with its error and left out.
    ``FACECV_TRACE_PLUGINS=1`` in the environment prints every hook call to stderr.
    """
    from facecv.plugins import builtin  # noqa: PLC0415 - it imports this package

    manager = new_manager()
    infos = [register(manager, builtin, _own_info())]
    if third_party:
        infos += [load_entry_point(manager, point) for point in entry_points(group=GROUP)]
    return _collect(manager, infos)


def catalogue_of(*plugins: object) -> Catalogue:
    """Return a catalogue of exactly these plugin objects (for tests and for embedding)."""
    manager = new_manager()
    named = [(plugin, getattr(plugin, "__name__", type(plugin).__name__)) for plugin in plugins]
    infos = [register(manager, plugin, PluginInfo(name, "", "")) for plugin, name in named]
    return _collect(manager, infos)


def _own_info() -> PluginInfo:
    from importlib.metadata import version  # noqa: PLC0415 - reads files, so only when loading

    return PluginInfo("built-in", "facecv", version("facecv"))


def _collect(manager: pluggy.PluginManager, infos: list[PluginInfo]) -> Catalogue:
    """Ask every plugin for what it registers; a plugin that fails gets its error noted."""
    known = {info.name: info for info in infos}
    entries: dict[str, dict[str, tuple[Entry, ...]]] = {kind: {} for kind in PORTS}
    for kind, hook in PORTS.items():
        for impl in getattr(manager.hook, hook).get_hookimpls():
            info = known[impl.plugin_name]
            try:
                items = _items(cast("Callable[[], Iterable[object]]", impl.function), kind)
            except Exception as error:  # noqa: BLE001 - whatever a foreign hook does
                known[info.name] = attrs.evolve(info, error=f"{hook} failed: {error!r}")
                continue
            for item in items:
                entry = Entry(item, info)
                entries[kind][item.name] = (*entries[kind].get(item.name, ()), entry)
    return Catalogue(tuple(known.values()), manager, entries)


def _items(hook: Callable[[], Iterable[object]], kind: str) -> list[Registered]:
    wanted: type = PackManifest if kind == "packs" else Provider
    items = list(hook())
    for item in items:
        if not isinstance(item, wanted):
            raise TypeError(f"returned {item!r} where a {wanted.__name__} is expected")
    return cast("list[Registered]", items)
