"""Routes that keep nothing."""

from typing import Any
from uuid import UUID

import numpy as np
import pytest

from tests.core.services import world
from tests.entrypoints.compat.insightface_server.asking import (
    ADA,
    AT,
    FACE,
    NOBODY,
    TWO,
    asked,
    make,
    refused,
    upload,
)
from tests.entrypoints.http.served import Client, picture


def test_detect(client: Client) -> None:
    body = asked(client.post(f"{AT}/detect", data={}, files=upload(TWO)))
    large, small = body["faces"]
    assert set(large) == set(small) == FACE
    assert large["bbox"] == {
        "pixels": {"x": 200, "y": 100, "width": 120, "height": 120},
        "normalized": {"left": 0.5, "top": 0.33333333, "width": 0.3, "height": 0.4},
    }
    assert len(large["landmarks"]) == 5
    assert {"score", "sharpness", "brightness", "pose"} <= set(large["quality"])
    assert body["processing_ms"] > 0
    UUID(body["request_id"])


def test_detect_up_to_a_number_and_nobody(client: Client) -> None:
    one = client.post(f"{AT}/detect", data={"max_faces": 1}, files=upload(TWO))
    assert len(asked(one)["faces"]) == 1
    assert asked(client.post(f"{AT}/detect", files=upload(NOBODY)))["faces"] == []


def test_compare(client: Client) -> None:
    files = upload(ADA, "source") | upload(TWO, "target")
    body = asked(client.post(f"{AT}/compare", data={"threshold": 0.5}, files=files))
    assert body["similarity"] == pytest.approx(world.cosine(10, 120), abs=0.02)
    assert (body["matched"], body["threshold"]) == (True, 0.5)
    assert set(body["source_face"]) == set(body["target_face"]) == FACE
    files = upload(ADA, "source") | upload(NOBODY, "target")
    refused(client.post(f"{AT}/compare", files=files), 422, "face_not_found")


def test_embeddings(client: Client) -> None:
    body = asked(client.post(f"{AT}/embeddings", data={}, files=upload(TWO)))
    (face,) = body["faces"]
    assert set(face) == {*FACE, "embedding"}
    assert np.linalg.norm(face["embedding"]) == pytest.approx(1, abs=1e-6)
    assert body["model"]["model_id"] == "world"
    refused(client.post(f"{AT}/embeddings", files=upload(NOBODY)), 422, "face_not_found")


def test_a_collection_says_which_face_counts(client: Client) -> None:
    photo = picture((0, 0, 100, 10), (160, 110, 80, 200))
    make(client, detection={"single_face_selection": "center_largest"})
    told = client.post(f"{AT}/embeddings", data={"collection_id": "staff"}, files=upload(photo))
    assert asked(told)["faces"][0]["bbox"]["pixels"]["x"] == 160
    plain = asked(client.post(f"{AT}/embeddings", files=upload(photo)))
    assert plain["faces"][0]["bbox"]["pixels"]["x"] == 0


@pytest.mark.parametrize(
    ("data", "files", "status", "code"),
    [
        ({}, upload(b"no picture"), 422, "invalid_image"),
        ({"min_score": 0.5}, upload(ADA), 400, "invalid_request"),
        ({"max_faces": 0}, upload(ADA), 400, "invalid_request"),
        ({"collection_id": "absent"}, upload(ADA), 404, "resource_not_found"),
    ],
)
def test_what_is_refused(client: Client, data: Any, files: Any, status: int, code: str) -> None:
    refused(client.post(f"{AT}/detect", data=data, files=files), status, code)
