"""What its Python client sends, and what it reads out of the answers.

Paths, headers, forms and JSON bodies are those that the client of version 0.2.0 sends.
"""

from typing import Any

import httpx
import numpy as np

from tests.core.services import world
from tests.entrypoints.http.served import Client, picture, png

ADA, BOB, EVE = (picture((20, 30, 112, who)) for who in (10, 120, 200))
TWO = picture((20, 30, 80, 10), (200, 100, 120, 120))
NOBODY = picture()
AT = "/insightface/v1"
SERVER = {"compat": {"insightface_server": {"enabled": True}}}
FACE = {"bbox", "landmarks", "detection_score", "quality"}
COLLECTION = {
    "id", "name", "description", "default_threshold", "model_id", "model_version", "model_digest",
    "embedding_dimension", "preprocessing_version", "embedding_contract_id", "search_profile",
    "capacity_rows", "max_faces_per_person", "load_policy", "search_revision", "save_face_crops",
    "metadata", "person_count", "face_count", "created_at", "updated_at", "detection",
    "detection_revision",
}  # fmt: skip
PERSON = {"id", "name", "external_id", "metadata", "face_count", "created_at", "updated_at"}
SAMPLE = {
    "id", "person_id", "bounding_box", "landmarks", "detection_score", "quality", "model_id",
    "model_version", "model_digest", "preprocessing_version", "embedding_source",
    "embedding_contract_id", "has_crop", "created_at",
}  # fmt: skip


def asked(answer: httpx.Response, status: int = 200) -> dict[str, Any]:
    """Return the JSON of an answer of that status, whose request has an id."""
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    assert body["request_id"] == answer.headers["x-request-id"]
    return body


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Return the details of an error."""
    error = asked(answer, status)["error"]
    assert (error["code"], set(error)) == (code, {"code", "message", "details"})
    details: dict[str, Any] = error["details"]
    return details


def make(client: Client, **more: Any) -> dict[str, Any]:
    body = {
        "id": "staff", "name": "The staff", "description": "", "threshold": 0.6, "metadata": {},
    }  # fmt: skip
    answer = client.post(f"{AT}/collections", json=body | more)
    collection: dict[str, Any] = asked(answer, 201)["collection"]
    return collection


def enrol(client: Client, *photos: bytes, **fields: Any) -> httpx.Response:
    """Send what `create_person` sends."""
    fields = {"metadata": "{}", "review_mode": "off", "embedding_mode": "server"} | fields
    return client.post(f"{AT}/collections/staff/persons", data=fields, files=uploads(*photos))


def add(client: Client, person: str, *photos: bytes, **fields: Any) -> httpx.Response:
    """Send what `add_faces` sends."""
    fields = {"review_mode": "off", "embedding_mode": "server"} | fields
    path = f"{AT}/collections/staff/persons/{person}/faces"
    return client.post(path, data=fields, files=uploads(*photos))


def uploads(*photos: bytes) -> list[tuple[str, tuple[str, bytes, str]]]:
    return [("images", (f"image-{n}.jpg", each, "image/jpeg")) for n, each in enumerate(photos)]


def upload(content: bytes, name: str = "image") -> dict[str, tuple[str, bytes, str]]:
    return {name: (f"{name}.jpg", content, "image/jpeg")}


def textured(seed: int) -> bytes:
    """Return a picture of Ada whose face passes the standard gate: blue is noise, of one mean."""
    pixels = world.picture((20, 30, 112, 0))
    blue = np.random.default_rng(seed).integers(0, 2, (112, 112), dtype=np.uint8)
    pixels[30:142, 20:132, 0] = blue * 200
    return png(pixels)
