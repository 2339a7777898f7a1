"""The page of the documentation and the OpenAPI document."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.entrypoints.http.served import Client, open_client


class TestDocs:
    def test_the_page_needs_nothing_from_elsewhere(self, client: Client) -> None:
        page = client.get("/docs")
        assert page.headers["content-type"].startswith("text/html")
        assert "http://" not in page.text
        assert "https://" not in page.text

    def test_every_operation_has_a_description_and_an_example(self, client: Client) -> None:
        document = client.get("/docs/openapi.json").json()
        assert document["openapi"].startswith("3.1")
        for path, operations in document["paths"].items():
            for verb, operation in operations.items():
                assert operation.get("description"), (verb, path)
                assert " " in operation["summary"], (verb, path)
                assert operation.get("tags"), (verb, path)
                for status, answer in operation["responses"].items():
                    json_body = answer.get("content", {}).get("application/json")
                    assert json_body is None or "example" in json_body, (verb, path, status)
                for kind, body in operation.get("requestBody", {}).get("content", {}).items():
                    text = kind in {"application/json", "application/x-ndjson"}
                    assert not text or "example" in body, (verb, path)

    def test_every_reference_leads_somewhere(self, client: Client) -> None:
        document = client.get("/docs/openapi.json").json()
        known = document["components"]["schemas"]
        assert {name for name in _references(document) if name not in known} == set()

    def test_it_can_be_switched_off(self, tmp_path: Path) -> None:
        with open_client(tmp_path, {"docs": False}) as client:
            assert client.get("/docs").status_code == 404


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"].rpartition("/")[2]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)
