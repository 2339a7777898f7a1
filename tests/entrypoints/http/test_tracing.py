"""Traces of requests, as the exporter of OpenTelemetry gets them."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import format_span_id

from facecv.core.errors import RuntimeMissingError
from facecv.entrypoints.http.server import AppFactory, serve
from facecv.entrypoints.http.traced import check_tracing
from facecv.entrypoints.server_config import OpenTelemetrySettings
from tests.entrypoints.http.served import PNG, config_in, open_client, picture

ON = {"opentelemetry": {"enabled": True, "service_name": "faces", "endpoint": "http://c/v1/traces"}}
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """Return what gets the spans, in place of a collector."""
    exporter = InMemorySpanExporter()

    def made(endpoint: str, **_: Any) -> InMemorySpanExporter:
        assert endpoint == "http://c/v1/traces"
        return exporter

    monkeypatch.setattr("facecv.entrypoints.http.tracing.OTLPSpanExporter", made)
    return exporter


def named(spans: Sequence[ReadableSpan]) -> Mapping[str, ReadableSpan]:
    return {span.name: span for span in spans}


def test_a_request_has_a_span_and_its_stages_are_children(
    tmp_path: Path, exported: InMemorySpanExporter
) -> None:
    """The last ones are sent when the server stops."""
    with open_client(tmp_path, ON) as client:
        client.post("/v1/collections", json={"name": "staff"})
        answer = client.post(
            "/v1/collections/staff/search?top_k=3",
            content=picture((20, 20, 112, 40)),
            headers=PNG | {"traceparent": PARENT},
        )
        assert answer.status_code == 200, answer.text
    spans = named(exported.get_finished_spans())
    request = spans["POST /v1/collections/{collection}/search"]
    assert request.attributes is not None
    assert request.attributes["http.route"] == "/v1/collections/{collection}/search"
    assert request.attributes["facecv.request_id"] == answer.headers["X-Request-Id"]
    assert request.resource.attributes["service.name"] == "faces"
    assert request.parent is not None
    assert format_span_id(request.parent.span_id) == PARENT.split("-")[2]
    for stage in ("decode", "detect", "align", "embed", "search"):
        span = spans[stage]
        assert span.parent is not None
        assert request.context is not None
        assert span.parent.span_id == request.context.span_id
        assert request.start_time <= span.start_time <= span.end_time <= request.end_time  # type: ignore[operator]
    assert spans["embed"].attributes == {"facecv.items": 1, "facecv.model": "world"}


def test_names_in_a_query_do_not_leave(tmp_path: Path, exported: InMemorySpanExporter) -> None:
    with open_client(tmp_path, ON) as client:
        client.post("/v1/collections", json={"name": "staff"})
        client.get("/v1/collections/staff/persons?name=Amy")
    spans = exported.get_finished_spans()
    assert "GET /v1/collections/{collection}/persons" in named(spans)
    assert "Amy" not in "".join(span.to_json() for span in spans)


def test_whoever_watches_the_server_is_not_traced(
    tmp_path: Path, exported: InMemorySpanExporter
) -> None:
    with open_client(tmp_path, ON) as client:
        assert client.get("/v1/health/live").status_code == 200
        assert client.get("/metrics").status_code == 200
        assert client.get("/nowhere").status_code == 404
    assert {span.name for span in exported.get_finished_spans()} == {"GET /nowhere"}


def test_without_being_switched_on_there_is_nothing(
    tmp_path: Path, exported: InMemorySpanExporter
) -> None:
    with open_client(tmp_path) as client:
        client.get("/v1/system")
    assert exported.get_finished_spans() == ()


def test_without_the_extra_it_is_an_error_that_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before a port is taken or a worker started."""
    monkeypatch.delitem(sys.modules, "facecv.entrypoints.http.tracing", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    config = config_in(tmp_path, ON | {"workers": 2})
    with pytest.raises(RuntimeMissingError, match="not installed") as caught:
        serve(AppFactory(config), config, lambda _: pytest.fail("it was started"))
    assert caught.value.hint == "pip install 'facecv[otel]'"
    check_tracing(OpenTelemetrySettings())
