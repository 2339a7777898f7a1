"""A webhook receiver that may fail, and may be killed and started again."""

import http.server
import json
import socket
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

Verdict = Callable[[int], int]
"""Gives the status for the request of that number; 0: the connection breaks without an answer."""


class Receiver:
    """Keeps what it accepts in `events`, and all requests in `requests` (headers, body).

    ``with receiver:`` is the time for which it listens; it keeps its port.
    """

    def __init__(self, verdict: Verdict = lambda _: 200) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"
        self.verdict = verdict
        self.events: list[Mapping[str, Any]] = []
        self.requests: list[tuple[Mapping[str, str], bytes]] = []
        self.changed = threading.Condition()

    def wait(self, count: int, timeout: float = 60.0) -> list[Mapping[str, Any]]:
        """Return the accepted events once there are so many."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.events) >= count, timeout), self.events
            return list(self.events)

    def start(self) -> None:
        """Listen."""
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = self.rfile.read(length)
                whole = len(body) == length  # or else the sender has died
                status = receiver.take(dict(self.headers.items()), body) if whole else 0
                if not status:
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

        self._server = Server(("127.0.0.1", self.port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.02])
        self._thread.start()

    def stop(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def take(self, headers: Mapping[str, str], body: bytes) -> int:
        """Note a request; return the status for it."""
        with self.changed:
            status = self.verdict(len(self.requests))
            self.requests.append((headers, body))
            # An answer that gets lost after the work was done looks like a failure to the sender.
            if status in {0, 200}:
                self.events.append(json.loads(body))
            self.changed.notify_all()
        return status

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
