"""Events to an MQTT broker, through paho-mqtt: the one module that imports it."""

import json
import re
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

from facecv.adapters.events.courier import CourierOptions, CourierSink
from facecv.adapters.events.outbox import Letter, Outbox
from facecv.core.errors import ConfigurationError, RuntimeMissingError, SinkError
from facecv.core.urls import redacted

if TYPE_CHECKING:
    from paho.mqtt.client import Client

_PORTS = {"mqtt": 1883, "mqtts": 8883}
_SPECIAL = re.compile(r"[+#/\0]")
_AT_LEAST_ONCE = 1


class Publisher:
    """Publishes letters under ``PREFIX/SOURCE/KIND`` and waits for the broker to confirm each."""

    def __init__(self, parts: SplitResult, timeout: float) -> None:
        """Make a publisher that is not connected yet.

        Raises:
            RuntimeMissingError: paho-mqtt is not installed.
        """
        self._mqtt = _import_mqtt()
        self._parts = parts
        self._timeout = timeout
        self._prefix = unquote(parts.path).strip("/") or "facecv"
        self._client: Client | None = None

    def __call__(self, letter: Letter) -> None:
        """Publish a letter, connecting first if need be.

        Raises:
            SinkError: the broker did not confirm it.
        """
        try:
            client = self._connected()
            sent = client.publish(self._topic(letter), letter.body, qos=_AT_LEAST_ONCE)
            sent.wait_for_publish(self._timeout)
            confirmed = sent.is_published()
        except (OSError, ValueError, RuntimeError) as error:
            self.close()
            name = f"{self._parts.scheme}://{self._parts.hostname}"
            raise SinkError(f"{name} does not answer: {type(error).__name__}") from None
        if not confirmed:
            self.close()
            raise SinkError(f"{self._parts.hostname} does not confirm what is published")

    def close(self) -> None:
        """Disconnect. May be called twice."""
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop_stop()

    def _connected(self) -> "Client":
        if self._client is None:
            client = self._mqtt.Client(self._mqtt.CallbackAPIVersion.VERSION2)
            client.connect_timeout = self._timeout
            if self._parts.username:
                client.username_pw_set(unquote(self._parts.username), _password(self._parts))
            if self._parts.scheme == "mqtts":
                client.tls_set()
            client.connect(self._parts.hostname, self._parts.port or _PORTS[self._parts.scheme])
            client.loop_start()
            self._client = client
        return self._client

    def _topic(self, letter: Letter) -> str:
        event = json.loads(letter.body)
        levels = [_SPECIAL.sub("_", str(event.get(key))) for key in ("source", "kind")]
        return "/".join([self._prefix, *levels])


def mqtt_sink(
    address: str, outbox: Path, *, timeout: float = 10.0, options: CourierOptions | None = None
) -> CourierSink:
    """Return a sink that publishes each event with quality of service 1.

    Args:
        address: ``mqtt://user:password@host:port/prefix``, or ``mqtts://``.
        outbox: the file in which events wait for the broker.
        timeout: seconds until the broker must have confirmed one.
        options: how hard to try.

    Raises:
        ConfigurationError: that is not such an address.
        RuntimeMissingError: paho-mqtt is not installed.
        SinkError: the outbox cannot be used.
    """
    parts = urlsplit(address)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ConfigurationError(
            f"{redacted(address)} is not the address of an MQTT broker", hint="mqtt://host/prefix"
        )
    publisher = Publisher(parts, timeout)
    box = Outbox(outbox, f"mqtt {address}")
    return CourierSink(box, publisher, options, release=publisher.close)


def _password(parts: SplitResult) -> str | None:
    return None if parts.password is None else unquote(parts.password)


def _import_mqtt() -> ModuleType:
    try:
        import paho.mqtt.client  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise RuntimeMissingError(
            "MQTT needs the package 'paho-mqtt'", hint="pip install 'facecv[mqtt]'"
        ) from error
    return paho.mqtt.client
