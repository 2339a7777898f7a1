"""Figures of the service."""

import re
from typing import Any

from tests.entrypoints.http.served import PNG, Client, picture

TWO = picture((20, 20, 60, 10), (150, 50, 120, 90))


def _figures(client: Client) -> dict[str, float]:
    """Return the figures of Prometheus, by name and labels."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_stages_are_counted_by_model(client: Client) -> None:
    before = client.get("/v1/performance").json()["stages"]
    client.post("/v1/analyze", content=TWO, headers=PNG)
    after: dict[str, Any] = client.get("/v1/performance").json()
    for stage, items in [("decode", 1), ("detect", 1), ("embed", 2), ("attributes", 2)]:
        had = before.get(stage, {"count": 0, "items": 0})
        assert after["stages"][stage]["count"] == had["count"] + 1
        assert after["stages"][stage]["items"] == had["items"] + items
        assert 0 <= after["stages"][stage]["p50_ms"] <= after["stages"][stage]["p99_ms"]
    (embedder,) = [model for model in after["models"] if "embed" in model["stages"]]
    assert embedder["batches"]["most_faces"] == 2
    assert after["resident_bytes"] > 0


def test_prometheus_has_histograms_of_stages_and_batches(client: Client) -> None:
    client.post("/v1/analyze", content=TWO, headers=PNG)
    figures = _figures(client)
    stages = {
        match[1] for name in figures if (match := re.search(r'_seconds_count.*stage="(\w+)"', name))
    }
    assert stages >= {"decode", "detect", "align", "embed", "attributes"}
    assert any(name.startswith("facecv_batch_faces_count") for name in figures)
    assert figures['facecv_model_loaded{kind="recognition",model="world"}'] == 1
    for name in ("facecv_queue_depth", "facecv_work_busy", "facecv_jobs_active"):
        assert figures[name] == 0
    assert figures["facecv_rejected_requests_total"] == 0


def test_prometheus_counts_requests_by_route(client: Client) -> None:
    client.post("/v1/detect", content=TWO, headers=PNG)
    names = [name for name in _figures(client) if name.startswith("facecv_requests_total")]
    assert any('path="/v1/detect"' in name and 'status_code="200"' in name for name in names)


def test_prometheus_counts_failures_and_what_is_under_way(client: Client) -> None:
    client.get("/v1/jobs/none")
    route = 'path="/v1/jobs/{'
    figures = {name: value for name, value in _figures(client).items() if route in name}
    assert {value for name, value in figures.items() if "in_progress" in name} == {0}
    assert any("requests_total" in name and 'status_code="404"' in name for name in figures)
    assert not any("error_total" in name for name in figures)
