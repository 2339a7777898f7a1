"""Events as JSON, and delays between tries."""

import json
import random
from datetime import UTC, datetime

import pytest

from facecv.core.backoff import Backoff
from facecv.core.event import Event, event_json
from facecv.plugins.contracts.event_store import full_event


def test_an_event_as_json_has_all_it_knows_but_no_embedding() -> None:
    shape = json.loads(json.dumps(event_json(full_event())))
    assert shape["kind"] == "stranger.seen"
    assert shape["box"] == [1.5, 2.0, 30.0, 40.0]
    assert shape["person"] == {"id": "p1", "name": "Zoë"}
    assert shape["attributes"]["age"]["value"] == 31.0
    assert datetime.fromisoformat(shape["time"]).tzinfo is not None
    assert "embedding" not in shape


def test_keys_are_always_there() -> None:
    empty = event_json(Event("source.up", "door", datetime(2026, 1, 1, tzinfo=UTC)))
    assert set(empty) == set(event_json(full_event()))
    assert empty["person"] is empty["box"] is empty["track"] is empty["crop"] is None


def test_an_embedding_is_not_shown() -> None:
    assert "0.6" not in repr(full_event().embedding)
    assert b"jpeg" not in repr(full_event()).encode()


class TestBackoff:
    def test_delays_grow_up_to_the_longest(self) -> None:
        backoff = Backoff(1.0, 2.0, longest=10.0, jitter=0.0)
        assert [backoff.delay(n) for n in range(1, 7)] == [1, 2, 4, 8, 10, 10]
        assert backoff.delay(100_000) == 10

    @pytest.mark.parametrize("failures", [1, 3, 50])
    def test_chance_takes_away_at_most_its_share(self, failures: int) -> None:
        chance = random.Random(1)
        whole = Backoff(jitter=0.0).delay(failures)
        delays = [Backoff(jitter=0.5).delay(failures, chance) for _ in range(200)]
        assert whole / 2 <= min(delays) < max(delays) <= whole
        assert len(set(delays)) > 100
