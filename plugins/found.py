"""Finding plugins and calling their hooks; what they provide is asked for by the manager."""

import os
import sys
from collections.abc import Iterable
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import cast

import attrs
import pluggy

from facecv.plugins import hookspecs

GROUP = "facecv"


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


def find(points: Iterable[EntryPoint]) -> Plugins:
    """Return the plugins that these entry points name, without asking what they provide.

    A plugin that cannot be imported is listed with its error.
    """
    manager = new_manager()
    return Plugins(tuple(load_entry_point(manager, point) for point in points), manager)


def new_manager() -> pluggy.PluginManager:
    """Return a manager that knows our hooks, and prints every call if the environment asks."""
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    if os.environ.get("FACECV_TRACE_PLUGINS") == "1":
        manager.trace.root.setwriter(sys.stderr.write)
        manager.enable_tracing()
    return manager


def load_entry_point(manager: pluggy.PluginManager, point: EntryPoint) -> PluginInfo:
    """Import and register a plugin; one that cannot be imported is returned with its error."""
    dist = point.dist
    info = PluginInfo(point.name, dist.name if dist else "", dist.version if dist else "")
    try:
        module = cast("ModuleType", point.load())
    except Exception as error:  # noqa: BLE001 - whatever a foreign package does at import
        return attrs.evolve(info, error=f"cannot be imported: {error!r}")
    return register(manager, module, info)


def register(manager: pluggy.PluginManager, plugin: object, info: PluginInfo) -> PluginInfo:
    """Register a plugin; one with misspelt hooks is reported and taken out again."""
    try:
        manager.register(plugin, name=info.name)
        manager.check_pending()
    except (pluggy.PluginValidationError, ValueError) as error:
        if manager.get_plugin(info.name) is plugin:
            manager.unregister(plugin)
        return attrs.evolve(info, error=f"is not a plugin of this version: {error}")
    return info
