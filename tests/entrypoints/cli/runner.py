"""The command line over a world in which everything about a face can be read off its pixels.

`Cli` runs ``facecv`` in a temporary folder with our own adapters, but with the detector, embedder
and attribute model of `tests.core.services.world` instead of networks, and with no file of the
user's in reach.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import attrs
from click.testing import CliRunner, Result
from PIL import Image

from facecv.core.arrays import Pixels
from facecv.core.pack import ModelSpec, PackManifest
from facecv.core.ports.attribute_model import AttributeModel
from facecv.core.ports.detector import Detector
from facecv.core.ports.embedder import Embedder
from facecv.entrypoints.bootstrap import Builder
from facecv.entrypoints.cli.app import build_cli
from facecv.entrypoints.config import Config
from facecv.plugins import Provider, builtin, hookimpl
from facecv.plugins.manager import Catalogue, catalogue_of
from tests.core.services import world

PACK = PackManifest(
    "world",
    licence="for tests only",
    models=(
        ModelSpec("det_world", "det.onnx", "detection", "scrfd", url="https://example.org/d"),
        ModelSpec("rec_world", "rec.onnx", "recognition", "arcface", url="https://example.org/r"),
    ),
)


class World:
    """A plugin: finds, embeds and describes the red squares of `world.picture`."""

    @hookimpl
    def facecv_register_detectors(self) -> Iterable[Provider[Detector]]:
        return [Provider("world", lambda _: world.WorldDetector())]

    @hookimpl
    def facecv_register_embedders(self) -> Iterable[Provider[Embedder]]:
        return [Provider("world", lambda _: world.WorldEmbedder())]

    @hookimpl
    def facecv_register_attribute_models(self) -> Iterable[Provider[AttributeModel]]:
        return [Provider("world", lambda _: world.WorldAttributes("blue", world.ALIGNED))]

    @hookimpl
    def facecv_register_packs(self) -> Iterable[PackManifest]:
        return [PACK]


@attrs.define
class Cli:
    """Runs commands: ``cli("detect", "a.png")``.

    Attributes:
        folder: the current folder; pictures go there.
        plugins: beside our own.
    """

    folder: Path
    plugins: list[object] = attrs.field(factory=lambda: [World()])

    def __call__(self, *args: object, text: str | bytes | None = None) -> Result:
        """Run ``facecv``; an exception that is no `FaceCVError` fails the test."""

        def plugins() -> Catalogue:
            return catalogue_of(builtin, *self.plugins)

        def prepare(config: Config) -> Builder:
            return Builder(config, plugins())

        runner = CliRunner(env=self._environment())
        words = [str(arg) for arg in args]
        return runner.invoke(
            build_cli(prepare, plugins),
            words,
            input=text,
            prog_name="facecv",
            catch_exceptions=False,
        )

    def json(self, *args: object, code: int = 0, text: str | bytes | None = None) -> Any:
        """Run a command with ``--json``, check its exit code, and return what it wrote."""
        result = self(*args, "--json", text=text)
        assert result.exit_code == code, result.output
        return json.loads(result.stdout)

    def picture(self, name: str, *faces: tuple[int, int, int, int]) -> Path:
        """Write a picture with faces (x, y, side, who) and return its path."""
        return save(self.folder / name, world.picture(*faces))

    def _environment(self) -> dict[str, str]:
        return {
            "FACECV_PACK": "world",
            "FACECV_DETECTOR": "world",
            "FACECV_EMBEDDER": "world",
            "FACECV_ATTRIBUTES": '["world"]',
            "FACECV_GALLERY": str(self.folder / "gallery.db"),
            "FACECV_QUALITY": "off",
            "FACECV_MODEL_STORES__LOCAL__CACHE_DIR": str(self.folder / "cache"),
        }


def save(path: Path, pixels: Pixels) -> Path:
    """Write BGR pixels as a picture without loss."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels[..., ::-1].copy()).save(path)
    return path
