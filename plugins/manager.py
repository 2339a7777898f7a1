"""Loading plugins into a catalogue of everything they provide."""

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any, cast

import attrs
import pluggy

from facecv.core.errors import DuplicateProviderError, UnknownProviderError
from facecv.core.pack import PackManifest
from facecv.core.text import nearest
from facecv.plugins import hookspecs
from facecv.plugins.provider import Provider

GROUP = "facecv"
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
class PluginInfo:
    """A plugin that was found.

    Attributes:
        name: of its entry point; ``built-in`` for our own.
        distribution: the package it comes from.
        version: of that package.
        error: why it could not be used; empty if it could.
    """

    name: str
    distribution: str
    version: str
    error: str = ""

    def __str__(self) -> str:
        origin = f"{self.distribution} {self.version}".strip()
        return f"{self.name} ({origin})" if origin else self.name


@attrs.frozen
class Entry:
    """Something a plugin registered."""

    item: Registered
    plugin: PluginInfo


@attrs.frozen
class Plugins:
    """The plugins that were found.

    Attributes:
        plugins: all of them, broken ones too.
        manager: pluggy's own manager, for the hooks that are called later.
    """

    plugins: tuple[PluginInfo, ...]
    manager: pluggy.PluginManager

    def call(self, hook: str, /, **arguments: object) -> list[PluginInfo]:
        """Call a hook of every plugin that implements it; return those that failed, and why.

        Args:
            hook: such as ``facecv_cli``.
            arguments: of the hook; an implementation may take fewer.
        """
        known = {info.name: info for info in self.plugins}
        failed = []
        for impl in reversed(getattr(self.manager.hook, hook).get_hookimpls()):
            try:
                impl.function(*(arguments[name] for name in impl.argnames))
            except Exception as error:  # noqa: BLE001 - whatever a foreign hook does
                reason = f"{hook} failed: {error!r}"
                failed.append(attrs.evolve(known[impl.plugin_name], error=reason))
        return failed


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

    manager = _manager()
    infos = [_register(manager, builtin, _own_info())]
    if third_party:
        infos += [_load_entry_point(manager, point) for point in entry_points(group=GROUP)]
    return _collect(manager, infos)


def find(points: Iterable[EntryPoint]) -> Plugins:
    """Return the plugins that these entry points name, without asking what they provide.

    A plugin that cannot be imported is listed with its error.
    """
    manager = _manager()
    return Plugins(tuple(_load_entry_point(manager, point) for point in points), manager)


def catalogue_of(*plugins: object) -> Catalogue:
    """Return a catalogue of exactly these plugin objects (for tests and for embedding)."""
    manager = _manager()
    named = [(plugin, getattr(plugin, "__name__", type(plugin).__name__)) for plugin in plugins]
    infos = [_register(manager, plugin, PluginInfo(name, "", "")) for plugin, name in named]
    return _collect(manager, infos)


def _manager() -> pluggy.PluginManager:
    """Return a manager that knows our hooks, and prints every call if the environment asks."""
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    if os.environ.get("FACECV_TRACE_PLUGINS") == "1":
        manager.trace.root.setwriter(sys.stderr.write)
        manager.enable_tracing()
    return manager


def _own_info() -> PluginInfo:
    from importlib.metadata import version  # noqa: PLC0415 - reads files, so only when loading

    return PluginInfo("built-in", "facecv", version("facecv"))


def _load_entry_point(manager: pluggy.PluginManager, point: EntryPoint) -> PluginInfo:
    dist = point.dist
    info = PluginInfo(point.name, dist.name if dist else "", dist.version if dist else "")
    try:
        module = cast("ModuleType", point.load())
    except Exception as error:  # noqa: BLE001 - whatever a foreign package does at import
        return attrs.evolve(info, error=f"cannot be imported: {error!r}")
    return _register(manager, module, info)


def _register(manager: pluggy.PluginManager, plugin: object, info: PluginInfo) -> PluginInfo:
    """Register a plugin; one with misspelt hooks is reported and taken out again."""
    try:
        manager.register(plugin, name=info.name)
        manager.check_pending()
    except (pluggy.PluginValidationError, ValueError) as error:
        if manager.get_plugin(info.name) is plugin:
            manager.unregister(plugin)
        return attrs.evolve(info, error=f"is not a plugin of this version: {error}")
    return info


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
