"""Events as lines of a file."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from facecv.adapters.events.jsonl import JsonLinesSink
from facecv.core.errors import SinkError
from facecv.core.ports.event_sink import EventSink
from facecv.plugins.contracts.event_sink import Arrived, EventSinkContract, example


class TestJsonLines(EventSinkContract):
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return tmp_path / "sub" / "events.jsonl"

    @pytest.fixture
    def sink(self, path: Path) -> EventSink:
        return JsonLinesSink(str(path))

    @pytest.fixture
    def arrived(self, path: Path) -> Arrived:
        def read(_: int) -> Sequence[dict[str, Any]]:
            return [json.loads(line) for line in path.read_text("utf-8").splitlines()]

        return read

    def test_a_file_is_added_to(self, path: Path, arrived: Arrived) -> None:
        """A second run does not lose what the first has written."""
        for number in range(2):
            sink = JsonLinesSink(str(path))
            sink.emit(example(number))
            sink.close()
        assert len(arrived(2)) == 2

    def test_the_standard_output_stays_open(self, capsys: pytest.CaptureFixture[str]) -> None:
        sink = JsonLinesSink("-")
        sink.emit(example(1))
        sink.close()
        print("more")  # noqa: T201 - that is the point
        first, more = capsys.readouterr().out.splitlines()
        assert json.loads(first)["kind"] == "person.recognised"
        assert more == "more"

    def test_a_place_that_cannot_be_written(self, tmp_path: Path) -> None:
        with pytest.raises(SinkError, match="cannot be written"):
            JsonLinesSink(str(tmp_path))

    def test_a_closed_sink_takes_nothing(self, sink: EventSink) -> None:
        sink.close()
        with pytest.raises(SinkError, match="closed"):
            sink.emit(example(1))
