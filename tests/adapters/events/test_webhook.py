"""Webhooks: signed, at least once, in order per track, whatever the receiver does."""

import base64
import hashlib
import hmac
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from facecv.adapters.events.courier import CourierOptions, CourierSink
from facecv.adapters.events.signing import key_of
from facecv.adapters.events.webhook import webhook_sink
from facecv.core.backoff import Backoff
from facecv.core.errors import ConfigurationError, SinkError
from facecv.core.ports.event_sink import EventSink
from facecv.plugins.contracts.event_sink import Arrived, EventSinkContract, example
from tests.adapters.events.receiver import Receiver

SOON = Backoff(first=0.01, longest=0.05)
SIGNING = "hunter-2"
HASTY = CourierOptions(SOON, tries=1000, grace=30.0)


def first_times(events: Sequence[Mapping[str, Any]], track: str) -> list[float]:
    """Return the numbers of a track's events, each where it came for the first time."""
    return list(dict.fromkeys(e["similarity"] for e in events if e["track"] == track))


class TestWebhook(EventSinkContract):
    @pytest.fixture
    def receiver(self) -> Iterator[Receiver]:
        with Receiver() as receiver:
            yield receiver

    @pytest.fixture
    def box(self, tmp_path: Path) -> Path:
        return tmp_path / "outbox.db"

    @pytest.fixture
    def sink(self, receiver: Receiver, box: Path) -> Iterator[EventSink]:
        sink = webhook_sink(receiver.url, box, secret=SIGNING, options=HASTY)
        yield sink
        sink.close()

    @pytest.fixture
    def arrived(self, receiver: Receiver) -> Arrived:
        return receiver.wait

    @pytest.mark.parametrize("secret", ["plain", "whsec_" + base64.b64encode(b"raw").decode()])
    def test_messages_are_signed(self, receiver: Receiver, box: Path, secret: str) -> None:
        """A receiver can check the signature with nothing but the secret."""
        sink = webhook_sink(receiver.url, box, secret=secret, options=HASTY)
        event = example(1)
        sink.emit(event)
        receiver.wait(1)
        sink.close()
        headers, body = receiver.requests[0]
        assert headers["webhook-id"] == event["id"]
        moment = headers["webhook-timestamp"]
        assert abs(int(moment) - time.time()) < 60
        signed = f"{event['id']}.{moment}.".encode() + body
        digest = hmac.new(b"raw" if "_" in secret else b"plain", signed, hashlib.sha256).digest()
        assert headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()

    def test_without_a_secret_nothing_is_signed(self, receiver: Receiver, box: Path) -> None:
        sink = webhook_sink(receiver.url, box, options=HASTY)
        sink.emit(example(1))
        receiver.wait(1)
        sink.close()
        assert "webhook-signature" not in receiver.requests[0][0]

    def test_a_malformed_secret_is_an_error_of_the_configuration(self) -> None:
        with pytest.raises(ConfigurationError, match="base64"):
            key_of("whsec_%%%")

    def test_credentials_go_into_the_header_and_nowhere_else(
        self, receiver: Receiver, box: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """Neither logs nor the outbox file nor dead letters hold them."""
        receiver.verdict = lambda _: 500
        url = receiver.url.replace("//", "//ann:hunter2@") + "?token=hunter3"
        sink = webhook_sink(url, box, secret=f"{SIGNING}4", options=CourierOptions(SOON, 1, 30.0))
        sink.emit(example(1))
        sink.close()
        assert receiver.requests[0][0]["Authorization"].startswith("Basic ")
        with sqlite3.connect(box) as db:
            text = "\n".join(db.iterdump())
        db.close()
        written = capfd.readouterr()
        assert "status 500" in text
        assert "hunter" not in text + written.out + written.err

    @pytest.mark.parametrize("address", ["ftp://a/b", "nonsense", "http://"])
    def test_other_addresses_are_errors(self, box: Path, address: str) -> None:
        with pytest.raises(ConfigurationError, match="URL"):
            webhook_sink(address, box)

    def test_failures_hold_up_their_own_track_only(self, receiver: Receiver, box: Path) -> None:
        """The first event of one track fails for ever; another track goes on."""
        refused = example(1, "a")

        take = receiver.take

        def picky(headers: Mapping[str, str], body: bytes) -> int:
            return 503 if refused["id"].encode() in body else take(headers, body)

        receiver.take = picky  # type: ignore[method-assign]
        sink = webhook_sink(receiver.url, box, options=CourierOptions(SOON, 10_000, 0.0))
        for event in (refused, example(2, "a"), example(3, "b")):
            sink.emit(event)
        events = receiver.wait(1)
        time.sleep(0.3)
        sink.close()
        assert [event["track"] for event in events] == ["b"]

    def test_what_cannot_be_delivered_becomes_a_dead_letter(
        self, receiver: Receiver, box: Path
    ) -> None:
        """It makes way for the next one, is listed, and may be tried again."""
        receiver.verdict = lambda number: 500 if number < 3 else 200
        sink = webhook_sink(receiver.url, box, options=CourierOptions(SOON, 3, 30.0))
        bad, good = example(1), example(2)
        sink.emit(bad)
        sink.emit(good)
        assert receiver.wait(1) == [good]
        (letter,) = sink.dead_letters()
        assert (letter.event, letter.failures) == (bad, 3)
        assert "status 500" in letter.problem
        assert sink.revive() == 1
        assert receiver.wait(2) == [good, bad]
        sink.close()

    def test_what_is_left_goes_with_the_next_start(self, box: Path) -> None:
        """While nobody listens, events wait on the disk."""
        receiver = Receiver()
        sink = webhook_sink(receiver.url, box, options=CourierOptions(SOON, 1000, 0.0))
        for number in range(3):
            sink.emit(example(number))
        sink.close()
        with receiver:
            again = webhook_sink(receiver.url, box, options=HASTY)
            assert first_times(receiver.wait(3), "a-1") == [0.0, 0.001, 0.002]
            again.close()

    def test_addresses_do_not_get_the_mail_of_others(self, box: Path) -> None:
        """Although they share an outbox file."""
        with Receiver() as one, Receiver() as other:
            sinks = [webhook_sink(each.url, box, options=HASTY) for each in (one, other)]
            sinks[0].emit(example(1))
            sinks[1].emit(example(2))
            assert [e["similarity"] for e in one.wait(1)] == [0.001]
            assert [e["similarity"] for e in other.wait(1)] == [0.002]
            for sink in sinks:
                sink.close()
            assert len(one.events) == len(other.events) == 1

    def test_a_closed_sink_takes_nothing(self, sink: EventSink) -> None:
        sink.close()
        with pytest.raises(SinkError, match="closed"):
            sink.emit(example(1))

    def test_an_outbox_that_cannot_be_used(self, tmp_path: Path) -> None:
        with pytest.raises(SinkError, match="outbox"):
            webhook_sink("http://localhost/x", tmp_path)


def test_a_receiver_that_fails_and_is_killed_gets_everything(tmp_path: Path) -> None:
    """Every event at least once, and the first times of a track in order.

    Answers are errors, or get lost after the work was done, at random; the receiver goes away and
    comes back.
    """
    chance = random.Random(7)
    receiver = Receiver(lambda _: chance.choice([200, 200, 500, 429, 0]))
    sink = webhook_sink(receiver.url, tmp_path / "o.db", timeout=5.0, options=HASTY)
    tracks = ("a", "b", "c")
    for number in range(60):
        sink.emit(example(number, tracks[number % 3]))
        if number in {10, 30, 50}:
            receiver.start()
        if number in {20, 40}:
            receiver.stop()
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and len({e["id"] for e in receiver.events}) < 60:
        time.sleep(0.05)
    sink.close()
    receiver.stop()
    for start, track in enumerate(tracks):
        expected = [round(number / 1000, 4) for number in range(start, 60, 3)]
        assert first_times(receiver.events, track) == expected
    assert len(receiver.requests) > 60


_SENDER = """
import os, sys
from pathlib import Path
from facecv.adapters.events.courier import CourierOptions
from facecv.adapters.events.webhook import webhook_sink
from facecv.core.backoff import Backoff
sink = webhook_sink(sys.argv[1], Path(sys.argv[2]), options=CourierOptions(Backoff(0.01), 1000, 0))
for number in range(int(sys.argv[3]), int(sys.argv[3]) + 10):
    sink.emit({"id": str(number), "source": "s", "track": "t", "similarity": number})
os.kill(os.getpid(), 9)
"""


def test_a_sender_that_is_killed_loses_nothing(tmp_path: Path) -> None:
    """What `emit` has returned for is delivered by the next run, in order."""
    chance = random.Random(3)
    box = tmp_path / "o.db"
    with Receiver(lambda _: chance.choice([200, 500, 0])) as receiver:
        for start in (0, 10, 20):
            run = [sys.executable, "-c", _SENDER, receiver.url, str(box), str(start)]
            killed = subprocess.run(run, capture_output=True, check=False)
            assert killed.returncode == -signal.SIGKILL, killed.stderr  # its last line
        sink = webhook_sink(receiver.url, box, options=HASTY)
        assert isinstance(sink, CourierSink)
        sink.close()
        assert first_times(receiver.events, "t") == list(range(30))
