"""The fakes of streams keep the promises of their ports."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from facecv.core.stream import Frame
from facecv.plugins.contracts.event_sink import Arrived, EventSinkContract
from facecv.plugins.contracts.frame_source import FrameSourceContract
from tests.fakes.event_sink import FakeSink
from tests.fakes.frame_source import FakeSource


class TestFakeSource(FrameSourceContract):
    length = 5

    @pytest.fixture
    def source(self) -> FakeSource:
        picture = np.zeros((20, 30, 3), np.uint8)
        return FakeSource([Frame(number, number / 10, picture) for number in range(5)])


class TestFakeSink(EventSinkContract):
    @pytest.fixture
    def sink(self) -> FakeSink:
        return FakeSink()

    @pytest.fixture
    def arrived(self, sink: FakeSink) -> Arrived:
        def events(_: int) -> Sequence[Mapping[str, Any]]:
            return sink.events

        return events
