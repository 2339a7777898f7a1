"""A small HTTP server on this machine that can misbehave in the ways that servers do."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

import attrs

Behaviour = Literal[
    "good", "no-range", "wrong-range", "truncated", "corrupt", "endless", "broken-once", "broken",
    "busy-once", "redirect", "redirect-for-ever",
]  # fmt: skip


@attrs.define
class FileServer:
    """Serves `files` (path to content) and remembers what it was asked for.

    Use ``with serving({"/a.onnx": b"…"}) as server`` and set `behaviour`.
    """

    files: dict[str, bytes]
    behaviour: Behaviour = "good"
    etag: str = '"one"'
    url: str = ""
    requests: list[tuple[str, dict[str, str]]] = attrs.field(factory=list)
    served: int = 0

    @property
    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [path for path, _ in self.requests]


@contextmanager
def serving(files: dict[str, bytes]) -> Iterator[FileServer]:
    """Run a server for `files` on a free port."""
    state = FileServer(files)

    class Handler(_Handler):
        server_state = state

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    server_state: FileServer

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        state = self.server_state
        state.requests.append(
            (self.path, {key.lower(): value for key, value in self.headers.items()})
        )
        moved = self.path.startswith("/moved") and state.behaviour == "redirect"
        if state.behaviour in {"redirect", "redirect-for-ever"} and not moved:
            self._head(302, Location=f"/moved{self.path}")
            return
        content = state.files.get(self.path.removeprefix("/moved"))
        if content is None:
            self._head(404)
        elif state.behaviour == "busy-once":
            state.behaviour = "good"
            self._head(503)
        else:
            self._serve(state, content)

    def _serve(self, state: FileServer, content: bytes) -> None:
        start = self._start(state)
        if start >= len(content) > 0:
            self._head(416)
            return
        body = content[start:]
        headers = {"Content-Length": str(len(body)), "ETag": state.etag}
        if state.behaviour == "endless":
            body, headers = content * 100, {}
        elif state.behaviour == "truncated":
            body = body[: len(body) // 2]
            headers["Content-Length"] = str(len(body))
        elif state.behaviour == "corrupt":
            body = body[::-1]
        elif state.behaviour in {"broken", "broken-once"}:
            body = body[: len(body) // 2] if state.behaviour == "broken-once" else b""
            state.behaviour = "good" if state.behaviour == "broken-once" else "broken"
        if start:
            shown = 0 if state.behaviour == "wrong-range" else start
            headers["Content-Range"] = f"bytes {shown}-{len(content) - 1}/{len(content)}"
        self._head(206 if start else 200, **headers)
        state.served += len(body)
        try:
            self.wfile.write(body)
        except OSError:  # the client has seen enough
            self.close_connection = True

    def _start(self, state: FileServer) -> int:
        asked = self.headers.get("Range", "")
        tag = self.headers.get("If-Range", state.etag)
        if not asked or tag != state.etag or state.behaviour == "no-range":
            return 0
        return int(asked.removeprefix("bytes=").removesuffix("-"))

    def _head(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        if "Content-Length" not in headers and status != 200:
            self.send_header("Content-Length", "0")
        self.end_headers()
