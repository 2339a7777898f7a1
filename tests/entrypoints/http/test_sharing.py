"""Concurrent requests share runs of the networks."""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from facecv.core.arrays import Floats, Pixels
from facecv.core.attributes import AttributeValue
from facecv.core.face_view import FaceView
from facecv.core.services.attributes import AttributeModels
from facecv.core.services.metering import CountedEmbedder
from facecv.core.services.microbatch import MicroBatcher, SharedAttributeModel, SharedEmbedder
from facecv.core.services.slot import Built
from facecv.entrypoints.http import sharing
from facecv.entrypoints.server_config import BatchingConfig
from tests.core.services import world
from tests.entrypoints.http.served import Client, open_client, picture, service_of


def test_faces_of_concurrent_requests_are_embedded_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one run is held back, the faces of two more requests meet in the next one."""
    held, sizes = threading.Event(), []
    embed = world.WorldEmbedder.embed

    def slow(self: world.WorldEmbedder, crops: Pixels, /) -> tuple[Floats, Floats]:
        sizes.append(len(crops))
        assert held.wait(20)
        return embed(self, crops)

    with open_client(tmp_path, {"threads": 3}) as client, ThreadPoolExecutor(3) as clients:
        monkeypatch.setattr(world.WorldEmbedder, "embed", slow)
        answers = [clients.submit(_angle, client, 10)]
        _until(lambda: sizes == [1])
        batcher = _batcher(client)
        for position, who in enumerate((100, 200)):
            answers.append(clients.submit(_angle, client, who))
            _until(lambda: batcher.waiting == position + 1)  # noqa: B023 - called at once
        held.set()
        found = [answer.result() for answer in answers]
    assert sizes == [1, 2]
    assert found == [pytest.approx(world.cosine(who, 0), abs=1e-3) for who in (10, 100, 200)]


def test_attributes_of_concurrent_requests_are_told_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Likewise; each request gets what was said about its own faces."""
    held, sizes = threading.Event(), []
    predict = world.WorldAttributes.predict

    def slow(
        self: world.WorldAttributes, faces: Sequence[FaceView], /
    ) -> Sequence[Mapping[str, AttributeValue]]:
        sizes.append(len(faces))
        assert held.wait(20)
        return predict(self, faces)

    with open_client(tmp_path, {"threads": 3}) as client, ThreadPoolExecutor(3) as clients:
        monkeypatch.setattr(world.WorldAttributes, "predict", slow)
        answers = [clients.submit(_blues, client, (20,))]
        _until(lambda: sizes == [1])
        (slot,) = service_of(client).engine.analyser.attribute_models.slots
        with slot.use() as loaded:
            assert isinstance(loaded.model, SharedAttributeModel)
            batcher = loaded.model._batcher
        for position, asked in enumerate(((30, 120), (200,))):
            answers.append(clients.submit(_blues, client, asked))
            _until(lambda: batcher.waiting == position + 1)  # noqa: B023 - called at once
        held.set()
        found = [answer.result() for answer in answers]
    assert sizes == [1, 3]
    assert found == [pytest.approx(asked, abs=2) for asked in ([20], [30, 120], [200])]


def _blues(client: Client, asked: Sequence[int]) -> list[float]:
    """Return what is said about each face of a picture, in order."""
    image = picture(*((20 + 80 * place, 20, 60, who) for place, who in enumerate(asked)))
    faces = client.post("/v1/analyze", files={"image": image}).json()["faces"]
    return sorted(face["attributes"]["blue"]["value"] for face in faces)


def _angle(client: Client, who: int) -> float:
    answer = client.post("/v1/embed", files={"image": picture((20, 20, 90, who))})
    return float(answer.json()["faces"][0]["embedding"]["vector"][0])


def _batcher(client: Client) -> MicroBatcher[Any, Any]:
    with service_of(client).engine.analyser.embedder.use() as loaded:
        assert isinstance(loaded.model, SharedEmbedder)
        return loaded.model._batcher


def _until(condition: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(2000):
        if condition():
            return
        pause.wait(0.01)
    raise AssertionError("it never came to that")


def test_sharing_can_be_switched_off(tmp_path: Path) -> None:
    with (
        open_client(tmp_path, {"batching": {"max_size": 1}}) as client,
        service_of(client).engine.analyser.embedder.use() as loaded,
    ):
        counted = loaded.model
        assert isinstance(counted, CountedEmbedder)
        assert isinstance(counted.embedder, world.WorldEmbedder)


@pytest.mark.parametrize(
    ("provider", "threads", "most"),
    [("CPUExecutionProvider", 0, 2), ("OpenVINO CPU", 1, 2), ("CPUExecutionProvider", 2, 1)],
)
def test_a_processor_runs_as_many_at_once_as_it_has_cores_for(
    monkeypatch: pytest.MonkeyPatch, provider: str, threads: int, most: int
) -> None:
    assert _most_at_once(monkeypatch, provider, threads) == most


def test_an_accelerator_takes_one_run_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _most_at_once(monkeypatch, "CUDAExecutionProvider", 0) == 1


def _most_at_once(monkeypatch: pytest.MonkeyPatch, provider: str, threads: int) -> int:
    """Return how many runs of a model are under way at the same time on two cores."""
    monkeypatch.setattr(sharing, "available_cores", lambda: 2)
    wrappers: list[Callable[[Built[Any]], Built[Any]]] = []
    models = SimpleNamespace(
        embedder=SimpleNamespace(wrap=wrappers.append), attribute_models=AttributeModels([])
    )
    engine: Any = SimpleNamespace(analyser=models, config=SimpleNamespace(threads=threads))
    sharing.share_runs(engine, BatchingConfig())
    (wrap,) = wrappers
    entered, gate, under_way = threading.Semaphore(0), threading.Event(), []

    class Slow(world.WorldEmbedder):
        def embed(self, crops: Pixels, /) -> tuple[Floats, Floats]:
            under_way.append(len(crops))
            entered.release()
            assert gate.wait(20)
            return super().embed(crops)

    model = wrap(Built(Slow(), providers=(provider,))).model
    crops = np.zeros((1, model.input_size, model.input_size, 3), np.uint8)
    with ThreadPoolExecutor(2) as callers:
        calls = [callers.submit(model.embed, crops) for _ in range(2)]
        assert entered.acquire(timeout=20)
        _until(lambda: len(under_way) == 2 or model._batcher.waiting == 1)
        most = len(under_way)
        gate.set()
        for call in calls:
            call.result()
    return most
