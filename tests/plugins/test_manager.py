"""What happens to plugins, good and bad."""

import sys
from collections.abc import Iterable
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from facecv.core.errors import DuplicateProviderError, PluginError, UnknownProviderError
from facecv.core.pack import PackManifest
from facecv.plugins import BuildRequest, Provider, found, hookimpl, manager
from facecv.plugins.manager import PORTS, catalogue_of


def plugin(name: str, hook: str, result: Any) -> Any:
    """Return a plugin object with one hook that returns `result`, or raises it."""

    def implementation() -> Any:
        if isinstance(result, Exception):
            raise result
        return result

    implementation.__name__ = hook
    return SimpleNamespace(__name__=name, **{hook: hookimpl(implementation)})


def nothing(_: BuildRequest) -> object:
    return object()


@pytest.mark.parametrize(("kind", "hook"), PORTS.items())
def test_every_registering_hook_fills_its_kind(kind: str, hook: str) -> None:
    item: Any = PackManifest("mine") if kind == "packs" else Provider("mine", nothing)
    catalogue = catalogue_of(plugin("one", hook, [item]))
    assert catalogue.names(kind) == ["mine"]
    assert catalogue.entry(kind, "mine").item is item


def test_unknown_name_is_answered_with_the_nearest() -> None:
    detectors = [Provider("scrfd", nothing), Provider("yunet", nothing)]
    catalogue = catalogue_of(plugin("one", "facecv_register_detectors", detectors))
    with pytest.raises(UnknownProviderError, match="did you mean 'scrfd'"):
        catalogue.provider("detectors", "scrdf")


def test_two_plugins_with_one_name_are_both_named() -> None:
    catalogue = catalogue_of(
        plugin("first", "facecv_register_detectors", [Provider("mine", nothing)]),
        plugin("second", "facecv_register_detectors", [Provider("mine", nothing)]),
    )
    with pytest.raises(DuplicateProviderError, match="first and second both"):
        catalogue.provider("detectors", "mine")
    (clash,) = catalogue.clashes()
    assert "'mine'" in clash.message


def test_one_name_for_two_ports_is_no_clash() -> None:
    catalogue = catalogue_of(
        plugin("first", "facecv_register_detectors", [Provider("mine", nothing)]),
        plugin("second", "facecv_register_embedders", [Provider("mine", nothing)]),
    )
    assert catalogue.provider("detectors", "mine").name == "mine"
    assert catalogue.clashes() == []


@pytest.mark.parametrize("result", [RuntimeError("boom"), [42], None])
def test_a_hook_that_fails_is_reported_and_the_others_go_on(result: object) -> None:
    catalogue = catalogue_of(
        plugin("bad", "facecv_register_detectors", result),
        plugin("good", "facecv_register_detectors", [Provider("mine", nothing)]),
    )
    errors = {info.name: info.error for info in catalogue.plugins}
    assert "facecv_register_detectors failed" in errors["bad"]
    assert errors["good"] == ""
    assert catalogue.names("detectors") == ["mine"]


def test_a_misspelt_hook_is_reported() -> None:
    catalogue = catalogue_of(plugin("bad", "facecv_register_detektors", []))
    assert "facecv_register_detektors" in catalogue.plugins[0].error


def test_calling_a_hook_reports_who_failed_and_goes_on() -> None:
    def good(group: list[str]) -> None:
        group.append("good")

    def bad(group: list[str], engine_factory: object) -> None:
        raise RuntimeError(f"{engine_factory} broke")

    good.__name__ = bad.__name__ = "facecv_cli"
    catalogue = catalogue_of(
        SimpleNamespace(__name__="first", facecv_cli=hookimpl(bad)),
        SimpleNamespace(__name__="second", facecv_cli=hookimpl(good)),
    )
    group: list[str] = []
    (failed,) = catalogue.call("facecv_cli", group=group, engine_factory="it")
    assert group == ["good"]
    assert failed.name == "first"
    assert failed.error == "facecv_cli failed: RuntimeError('it broke')"


class TestEntryPoints:
    """Plugins that are installed."""

    @pytest.fixture
    def install(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
        """Return a function that makes modules importable as plugins, by name and source."""

        def install(**sources: str) -> None:
            for name, source in sources.items():
                (tmp_path / f"{name}.py").write_text(source)
            monkeypatch.syspath_prepend(tmp_path)
            points = [EntryPoint(name, name, found.GROUP) for name in sources]
            monkeypatch.setattr(manager, "entry_points", lambda group: points)

        yield install
        for name in list(sys.modules):
            if name.startswith("facecv_test_"):
                del sys.modules[name]

    def test_one_that_cannot_be_imported_is_reported(self, install: Any) -> None:
        install(facecv_test_broken="import no_such_module_anywhere")
        catalogue = manager.load()
        broken = next(info for info in catalogue.plugins if info.name == "facecv_test_broken")
        assert "no_such_module_anywhere" in broken.error
        assert "scrfd" in catalogue.names("detectors")

    def test_one_that_works_stands_beside_our_own(self, install: Any) -> None:
        install(
            facecv_test_good="from facecv.plugins import Provider, hookimpl\n"
            "@hookimpl\n"
            "def facecv_register_detectors():\n"
            "    return [Provider('corner', lambda request: object())]\n"
        )
        assert set(manager.load().names("detectors")) == {"scrfd", "corner"}
        assert manager.load(third_party=False).names("detectors") == ["scrfd"]

    def test_tracing_prints_hook_calls(
        self, install: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        install()
        monkeypatch.setenv("FACECV_TRACE_PLUGINS", "1")
        manager.load().manager.hook.facecv_http(routes=[], engine=None)
        assert "facecv_http" in capsys.readouterr().err


class TestProvider:
    """What a provider refuses."""

    @pytest.mark.parametrize("name", ["", "Mine", "my detector", "-mine", "mine-", "my_detector"])
    def test_a_bad_name(self, name: str) -> None:
        with pytest.raises(PluginError, match="provider name"):
            Provider(name, nothing)

    def test_settings_that_are_no_attrs_class(self) -> None:
        with pytest.raises(PluginError, match="attrs class"):
            Provider("mine", nothing, settings=dict)

    def test_settings_of_another_kind(self) -> None:
        with pytest.raises(PluginError, match="Provider expected"):
            BuildRequest().settings_as(Provider)


def hooks_with_tests() -> Iterable[str]:
    return [*PORTS.values(), "facecv_cli", "facecv_http"]


def test_every_hook_is_known_here() -> None:
    from facecv.plugins import hookspecs

    declared = {name for name in vars(hookspecs) if name.startswith("facecv_")}
    assert declared == set(hooks_with_tests())
