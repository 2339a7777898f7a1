"""Events through a real Mosquitto."""

import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from facecv.adapters.events.courier import CourierOptions
from facecv.adapters.events.mqtt import mqtt_sink
from facecv.core.backoff import Backoff
from facecv.core.errors import ConfigurationError
from facecv.core.ports.event_sink import EventSink
from facecv.plugins.contracts.event_sink import Arrived, EventSinkContract, example

mqtt = pytest.importorskip("paho.mqtt.client")
MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
HASTY = CourierOptions(Backoff(0.02, longest=0.1), tries=1000, grace=30.0)


class Broker:
    """A Mosquitto that wants a password; keeps its port."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        passwords, config = folder / "passwords", folder / "mosquitto.conf"
        passwords.write_text("ann:p@ss/word\n")
        passwords.chmod(0o600)
        hasher = shutil.which("mosquitto_passwd")
        assert hasher
        subprocess.run([hasher, "-U", passwords], check=True)
        config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous false\n"
            f"password_file {passwords}\nuser root\n"
        )
        self._command = [str(MOSQUITTO), "-c", str(config)]
        self.url = f"mqtt://ann:p%40ss%2Fword@127.0.0.1:{self.port}/building"

    def start(self) -> None:
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        pytest.fail("mosquitto does not start")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()


class Subscriber:
    """Keeps what is published in `messages`: topic and event."""

    def __init__(self, broker: Broker) -> None:
        self.messages: list[tuple[str, Mapping[str, Any]]] = []
        self._changed = threading.Condition()
        ready = threading.Event()
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        self._client.username_pw_set("ann", "p@ss/word")
        self._client.on_message = self._note
        self._client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self._client.on_subscribe = lambda *_: ready.set()
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()
        assert ready.wait(20)

    def wait(self, count: int) -> Sequence[Mapping[str, Any]]:
        """Return the events once there are so many."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.messages) >= count, 30)
            return [event for _, event in self.messages]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _note(self, _client: object, _data: object, message: Any) -> None:
        with self._changed:
            self.messages.append((message.topic, json.loads(message.payload)))
            self._changed.notify_all()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Return a broker that runs."""
    broker = Broker(tmp_path_factory.mktemp("broker"))
    broker.start()
    yield broker
    broker.stop()


@pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")
class TestMqtt(EventSinkContract):
    @pytest.fixture
    def subscriber(self, broker: Broker) -> Iterator[Subscriber]:
        subscriber = Subscriber(broker)
        yield subscriber
        subscriber.close()

    @pytest.fixture
    def sink(self, broker: Broker, subscriber: Subscriber, tmp_path: Path) -> Iterator[EventSink]:
        sink = mqtt_sink(broker.url, tmp_path / "o.db", timeout=5, options=HASTY)
        yield sink
        sink.close()

    @pytest.fixture
    def arrived(self, subscriber: Subscriber) -> Arrived:
        return subscriber.wait

    def test_topics_tell_stream_and_kind(self, sink: EventSink, subscriber: Subscriber) -> None:
        """What has a meaning in topics is replaced."""
        sink.emit(example(1) | {"source": "hall/north#1+"})
        subscriber.wait(1)
        assert subscriber.messages[0][0] == "building/hall_north_1_/person.recognised"

    def test_a_broker_that_goes_away_gets_everything_later(
        self, sink: EventSink, broker: Broker, subscriber: Subscriber
    ) -> None:
        """At least once, in order."""
        sink.emit(example(0))
        subscriber.wait(1)
        broker.stop()
        for number in range(1, 5):
            sink.emit(example(number))
        broker.start()
        deadline = time.monotonic() + 30
        late = Subscriber(broker)  # the first one may come back too late to hear it all
        sink.emit(example(5))
        while time.monotonic() < deadline and not late.messages:
            time.sleep(0.02)
        sink.close()
        heard = [event["similarity"] for _, event in late.messages]
        late.close()
        assert heard == sorted(heard)
        assert heard[-1] == 0.005

    def test_a_wrong_password_is_said_without_telling_it(
        self, broker: Broker, tmp_path: Path
    ) -> None:
        url = broker.url.replace("p%40ss%2Fword", "hunter2")
        options = CourierOptions(Backoff(0.01, longest=0.01), tries=1, grace=30.0)
        sink = mqtt_sink(url, tmp_path / "w.db", timeout=1, options=options)
        sink.emit(example(1))
        deadline = time.monotonic() + 20
        while not (letters := sink.dead_letters()) and time.monotonic() < deadline:
            time.sleep(0.02)
        sink.close()
        assert letters[0].problem
        assert "hunter" not in letters[0].problem


@pytest.mark.parametrize("address", ["http://broker", "mqtt://", "nonsense"])
def test_other_addresses_are_errors(tmp_path: Path, address: str) -> None:
    with pytest.raises(ConfigurationError, match="MQTT"):
        mqtt_sink(address, tmp_path / "o.db")
