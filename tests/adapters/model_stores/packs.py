"""Packs that a `FileServer` has, and what a store leaves behind."""

from pathlib import Path

import attrs

from facecv.adapters.model_stores.http_download import Downloader
from facecv.adapters.model_stores.local import LocalModelStore
from facecv.core.pack import ArchiveSpec, PackManifest
from facecv.plugins.contracts.model_store import FILES, example_pack, sha256, write_files
from tests.adapters.model_stores.file_server import FileServer

IMPATIENT = Downloader(attempts=3, backoff=0.0, timeout=5.0)


def single_files(url: str, *, digests: bool = True) -> PackManifest:
    """Return a pack each file of which has its own address."""
    pack = example_pack(digests=digests)
    models = tuple(attrs.evolve(model, url=f"{url}/{model.file}") for model in pack.models)
    return attrs.evolve(pack, models=models)


def archived(server: FileServer, archive: Path) -> PackManifest:
    """Return a pack whose files are in `archive`, which the server has as ``/example.zip``."""
    content = archive.read_bytes()
    server.files["/example.zip"] = content
    spec = ArchiveSpec(f"{server.url}/example.zip", sha256(content), len(content))
    return attrs.evolve(example_pack(), archive=spec)


def leftovers(store: LocalModelStore) -> list[str]:
    """Return the names in the pack's folder that are no models."""
    folder = store.root / "example"
    return sorted(path.name for path in folder.glob("*") if path.name not in FILES)


def partly(store: LocalModelStore, content: bytes, tag: str) -> None:
    """Leave behind what an interrupted download of the detector would."""
    files = {"det.onnx.part": content, "det.onnx.part.tag": tag.encode()}
    write_files(store.root / "example", files)
