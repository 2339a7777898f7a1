"""From the name of a model to what runs it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from facecv.core.errors import ConfigurationError, ModelNotFoundError, UnknownProviderError
from facecv.core.pack import ModelSpec, PackManifest
from facecv.core.ports.inference_backend import SessionOptions
from facecv.core.services.registry import ready
from facecv.models.catalogue import PackCatalogue
from facecv.plugins import BuildRequest, NoSettings, Provider, hookimpl
from facecv.plugins.manager import catalogue_of
from facecv.plugins.resolver import Resolver
from tests.fakes.model_store import FakeModelStore


class Plugin:
    """Providers that return what they were asked to build."""

    @hookimpl
    def facecv_register_detectors(self) -> list[Provider[Any]]:
        return [
            Provider("scrfd", lambda request: request, needs_model=True),
            Provider("other", lambda request: request, needs_model=True),
            Provider("lonely", lambda request: request, needs_model=True),
            Provider("corner", lambda request: request),
        ]

    @hookimpl
    def facecv_register_embedders(self) -> list[Provider[Any]]:
        return [Provider("arcface", lambda request: request, needs_model=True)]

    @hookimpl
    def facecv_register_attribute_models(self) -> list[Provider[Any]]:
        return [Provider("genderage", lambda request: request, needs_model=True)]


MINE = PackManifest(
    "mine",
    models=(
        ModelSpec("det_a", "det_a.onnx", "detection", "scrfd"),
        ModelSpec("det_b", "det_b.onnx", "detection", "scrfd"),
        ModelSpec("rec", "rec.onnx", "recognition", "arcface"),
        ModelSpec("ages", "ages.onnx", "attributes", "genderage"),
        ModelSpec("moods", "moods.onnx", "attributes", "not-installed"),
    ),
)
THEIRS = PackManifest(
    "theirs",
    models=(
        ModelSpec("det_b", "det_b.onnx", "detection", "scrfd"),
        ModelSpec("det_c", "det_c.onnx", "detection", "other"),
        ModelSpec("alien", "alien.onnx", "detection", "not-installed"),
    ),
)
Plan = Callable[[str, str], BuildRequest]


@pytest.fixture
def resolver(tmp_path: Path) -> Resolver:
    """Return a resolver over two packs, both in the store."""
    store = FakeModelStore(tmp_path / "store")
    for pack in (MINE, THEIRS):
        for spec in pack.models:
            file = store.path(pack) / spec.file
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{pack.name} {spec.name}")
    return Resolver(
        catalogue=catalogue_of(Plugin()),
        packs=PackCatalogue(registered=(MINE, THEIRS)),
        store=store,
        pack=MINE,
        folder=None,
        backend=ready(object()),  # type: ignore[arg-type]
        session=SessionOptions(device="cpu"),
        settings=lambda kind, name: NoSettings(),
    )


@pytest.mark.parametrize(
    ("reference", "content"),
    [
        ("", "mine det_a"),
        ("det_b", "mine det_b"),
        ("theirs/det_b", "theirs det_b"),
        ("det_c", "theirs det_c"),
        ("scrfd", "mine det_a"),
        ("other", "theirs det_c"),
    ],
)
def test_names_lead_to_files(resolver: Resolver, reference: str, content: str) -> None:
    blueprint = resolver.plan("detectors", reference)
    assert blueprint.file is not None
    assert blueprint.file.path.read_text() == content
    assert blueprint.build().model is blueprint.file


def test_a_provider_without_a_network_needs_no_file(resolver: Resolver) -> None:
    blueprint = resolver.plan("detectors", "corner")
    assert (blueprint.name, blueprint.file) == ("corner", None)
    assert blueprint.build().backend is None


@pytest.mark.parametrize(("prefix", "provider"), [("", "scrfd"), ("other:", "other")])
def test_a_path_is_a_model_of_its_own(
    resolver: Resolver, tmp_path: Path, prefix: str, provider: str
) -> None:
    path = tmp_path / "own.onnx"
    path.write_text("own")
    file = resolver.plan("detectors", f"{prefix}{path}").file
    assert file is not None
    assert (file.path, file.spec.name, file.spec.provider) == (path, "own", provider)


def test_files_of_a_named_folder_come_first(resolver: Resolver, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "det_c.onnx").write_text("from the folder")
    here = attrs.evolve(resolver, folder=folder)
    for reference, content in [("det_c", "from the folder"), ("det_a", "mine det_a")]:
        file = here.plan("detectors", reference).file
        assert file is not None
        assert file.path.read_text() == content


@pytest.mark.parametrize(
    ("reference", "error", "message"),
    [
        ("det_aa", ModelNotFoundError, "did you mean 'det_a'"),
        ("rec", ConfigurationError, "mine/rec is a model for recognition, not for detection"),
        ("absent.onnx", ModelNotFoundError, "no model file"),
        ("alien", UnknownProviderError, "not-installed"),
        ("lonely", ConfigurationError, "lonely:PATH"),
    ],
)
def test_wrong_names_are_explained(
    resolver: Resolver, reference: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        resolver.plan("detectors", reference)


def test_a_model_that_is_not_here_is_missed_when_used(resolver: Resolver) -> None:
    (resolver.store.path(MINE) / "rec.onnx").unlink()
    with pytest.raises(ModelNotFoundError):
        resolver.plan("embedders", "")


def test_attribute_models_are_the_packs_unless_named(resolver: Resolver) -> None:
    assert [slot.blueprint.name for slot in resolver.attribute_models(())] == ["ages"]
    (named,) = resolver.attribute_models(("moods",))
    with pytest.raises(UnknownProviderError, match="not-installed"):
        named.get()
