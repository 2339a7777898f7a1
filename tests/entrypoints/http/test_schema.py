"""Every operation of the OpenAPI document keeps what it says there, whatever it is sent."""

import contextlib
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.entrypoints.http.served import Client, picture

PICTURES = st.sampled_from([picture((20, 30, 80, 10)), picture(), b"", b"no picture"])
EXAMPLES = 3
"""For each operation and for good and bad requests, so that all take about a minute."""

schemathesis.openapi.format("binary", PICTURES)
for media in ("image/*", "application/octet-stream"):
    schemathesis.openapi.media_type(media, PICTURES)
LINES = st.sampled_from([b"", b"{}", b"no lines", b"[1]\n{"])
schemathesis.openapi.media_type("application/x-ndjson", LINES)

ENDLESS = {"GET /v1/events/stream"}
"""Answers that go on until the client leaves, which this client cannot; see test_events.py."""


def test_no_answer_contradicts_the_document(client: Client) -> None:
    document = client.get("/docs/openapi.json").json()
    schema = schemathesis.openapi.from_dict(document)
    failures = {}
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        if operation.label in ENDLESS:
            continue
        try:
            _probe(client, operation, schemathesis.GenerationMode.POSITIVE)
            with contextlib.suppress(Unsatisfiable):  # nothing that it takes could be wrong
                _probe(client, operation, schemathesis.GenerationMode.NEGATIVE)
        except FailureGroup as group:
            failures[operation.label] = [str(each) for each in group.exceptions]
    assert failures == {}


def _probe(client: Client, operation: Any, mode: schemathesis.GenerationMode) -> None:
    """Send an operation what its schema allows, or what it does not."""

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def probe(case: Any) -> None:
        sent = requests.Request(**case.as_transport_kwargs("http://127.0.0.1")).prepare()
        body: Any = sent.body or b""
        headers = {str(name): str(value) for name, value in sent.headers.items()}
        answer = client.request(str(sent.method), str(sent.url), content=body, headers=headers)
        answer.request.read()
        # What is a picture, a cursor or a line of an export, no schema can say: 422 is an answer.
        case.validate_response(answer, excluded_checks=[positive_data_acceptance])

    probe()
