"""From the name of a model to what runs it."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from facecv.core.embedding import EmbeddingSpace
from facecv.core.errors import ConfigurationError, ModelNotFoundError, UnknownProviderError
from facecv.core.pack import ModelSpec, PackManifest
from facecv.core.ports.inference_backend import Placement, SessionOptions
from facecv.core.services.slot import Slot, at_hand
from facecv.models.catalogue import PackCatalogue
from facecv.plugins import BuildRequest, NoSettings, Provider, hookimpl
from facecv.plugins.manager import catalogue_of
from facecv.plugins.resolver import Resolver
from tests.fakes.inference_backend import FakeBackend, FakeSession
from tests.fakes.model_store import FakeModelStore


def refuse(request: BuildRequest) -> None:
    """Load the network and find it wrong."""
    request.load()
    raise ConfigurationError("wrong network")


class Plugin:
    """Providers that return what they were asked to build."""

    @hookimpl
    def facecv_register_detectors(self) -> list[Provider[Any]]:
        return [
            Provider("scrfd", lambda request: request, needs_model=True),
            Provider("other", lambda request: request, needs_model=True),
            Provider("lonely", lambda request: request, needs_model=True),
            Provider("corner", lambda request: request),
            Provider("eager", lambda request: request.load(), needs_model=True),
            Provider("picky", refuse, needs_model=True),
        ]

    @hookimpl
    def facecv_register_embedders(self) -> list[Provider[Any]]:
        return [Provider("arcface", lambda request: request, needs_model=True)]

    @hookimpl
    def facecv_register_attribute_models(self) -> list[Provider[Any]]:
        return [
            Provider(
                "genderage",
                lambda request: request,
                needs_model=True,
                provides=lambda spec: frozenset({spec.name} if spec else ()),
            )
        ]


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
def session() -> FakeSession:
    """Return the network that every file beginning with ``fake`` holds."""
    return FakeSession(lambda inputs: [], [], [])


@pytest.fixture
def resolver(tmp_path: Path, session: FakeSession) -> Resolver:
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
        backend=Slot(lambda: at_hand(FakeBackend(session))),
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
    assert blueprint.build().model.model is blueprint.file


def test_a_provider_without_a_network_needs_no_file(resolver: Resolver) -> None:
    blueprint = resolver.plan("detectors", "corner")
    assert (blueprint.name, blueprint.file) == ("corner", None)
    assert blueprint.build().model.backend is None


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


def test_attribute_models_say_what_they_tell_without_being_loaded(resolver: Resolver) -> None:
    (slot,) = resolver.attribute_models(())
    assert slot.blueprint.provides == frozenset({"ages"})
    assert slot.loaded is None


def test_fall_backs_come_after_the_models_of_the_pack(resolver: Resolver) -> None:
    class Rule:
        @hookimpl
        def facecv_register_attribute_models(self) -> list[Provider[Any]]:
            return [
                Provider("a-rule", lambda _: None, fallback=True),
                Provider("on-demand", lambda _: None),
            ]

    catalogue = catalogue_of(Plugin(), Rule())
    with_rule = attrs.evolve(resolver, catalogue=catalogue)
    names = [slot.blueprint.name for slot in with_rule.attribute_models(())]
    assert names == ["ages", "a-rule"]
    names = [slot.blueprint.name for slot in with_rule.attribute_models(("on-demand",))]
    assert names == ["on-demand"]


def test_the_networks_of_an_ensemble_come_with_it(resolver: Resolver) -> None:
    ages = MINE.model("ages")
    pack = attrs.evolve(
        MINE,
        models=(
            *MINE.models,
            attrs.evolve(ages, name="ages-2", file="ages-2.onnx", sha256="", part_of="ages"),
        ),
    )
    (resolver.store.path(MINE) / "ages-2.onnx").write_text("second")
    whole = attrs.evolve(resolver, pack=pack)
    (slot,) = whole.attribute_models(())
    file = slot.blueprint.file
    assert file is not None
    assert [part.path.name for part in file.parts] == ["ages-2.onnx"]


class TestNetworks:
    """What a model opens is closed with it."""

    @pytest.fixture
    def network(self, tmp_path: Path) -> Path:
        path = tmp_path / "own.onnx"
        path.write_text("fake")
        return path

    def test_closed_with_the_model(
        self, resolver: Resolver, session: FakeSession, network: Path
    ) -> None:
        session.placement = Placement(0.75)
        built = resolver.plan("detectors", f"eager:{network}").build()
        assert built.model is session
        assert (built.providers, built.share) == (("FakeExecutionProvider",), 0.75)
        assert not session.closed
        built.close()
        assert session.closed

    def test_closed_where_the_model_does_not_want_them(
        self, resolver: Resolver, session: FakeSession, network: Path
    ) -> None:
        with pytest.raises(ConfigurationError, match="wrong network"):
            resolver.plan("detectors", f"picky:{network}").build()
        assert session.closed


class TestSpaces:
    """A collection's space leads to the embedder that has it."""

    @staticmethod
    def _space(file: Path, model: str) -> EmbeddingSpace:
        return EmbeddingSpace(model, 512, hashlib.sha256(file.read_bytes()).hexdigest(), "any")

    def test_of_a_pack(self, resolver: Resolver) -> None:
        space = self._space(resolver.store.path(MINE) / "rec.onnx", "rec")
        file = resolver.plan("embedders", space).file
        assert file is not None
        assert (file.pack, file.spec.name) == ("mine", "rec")

    def test_of_a_file_that_the_configuration_names_whatever_it_is_called_now(
        self, resolver: Resolver, tmp_path: Path
    ) -> None:
        path = tmp_path / "renamed.onnx"
        path.write_text("own")
        space = self._space(path, "as_it_was")
        file = attrs.evolve(resolver, embedders=("", str(path))).plan("embedders", space).file
        assert file is not None
        assert (file.path, file.space(512).model) == (path, "as_it_was")

    def test_of_no_model_at_hand(self, resolver: Resolver) -> None:
        with pytest.raises(ModelNotFoundError, match=r"stranger/512/0000.*section \[models\]"):
            resolver.plan("embedders", EmbeddingSpace("stranger", 512, "0" * 64, "any"))

    def test_of_a_pack_that_is_not_here(self, resolver: Resolver) -> None:
        path = resolver.store.path(MINE) / "rec.onnx"
        space = self._space(path, "rec")
        path.unlink()
        with pytest.raises(ModelNotFoundError, match="facecv models pull mine"):
            resolver.plan("embedders", space)
