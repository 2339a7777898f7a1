"""Cameras for tests: servers that can be switched off and on again."""

import contextlib
import http.server
import shutil
import socket
import socketserver
import subprocess
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import cv2
import numpy as np

FFMPEG = shutil.which("ffmpeg")


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """Return a port that nobody uses at the moment."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Camera:
    """Base of the cameras: ``with camera:`` is the time for which it works."""

    def __init__(self) -> None:
        self.port = free_port()
        self._off = threading.Event()
        self._server: socketserver.ThreadingTCPServer | None = None
        self._thread: threading.Thread | None = None

    def on(self) -> None:
        """Begin to serve."""
        self._off.clear()
        server = socketserver.ThreadingTCPServer(
            ("127.0.0.1", self.port), self._handler(), bind_and_activate=False
        )
        server.allow_reuse_address = True
        server.block_on_close = True
        server.server_bind()
        server.server_activate()
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, args=[0.02])
        self._thread.start()

    def off(self) -> None:
        """Break all connections, and answer no more."""
        self._off.set()
        if self._server and self._thread:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
        self._server = self._thread = None

    def __enter__(self) -> Self:
        self.on()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.off()

    def _handler(self) -> type[socketserver.BaseRequestHandler]:
        raise NotImplementedError


class MjpegCamera(Camera):
    """Serves JPEGs of `size` (width, height), `fps` a second, at `url`.

    With `asks` it wants a password; `seen` keeps what it got.
    """

    def __init__(self, size: tuple[int, int] = (64, 48), fps: float = 25.0) -> None:
        super().__init__()
        self.size = size
        self.fps = fps
        self.seen: list[str] = []
        self.asks = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/video"

    def _handler(self) -> type[socketserver.BaseRequestHandler]:
        camera, off = self, self._off

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                camera.seen.append(self.headers.get("Authorization", ""))
                if camera.asks and not camera.seen[-1]:
                    self.send_response(401)
                    self.send_header("WWW-Authenticate", 'Basic realm="camera"')
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                with contextlib.suppress(OSError):
                    for number in range(1_000_000):
                        self.wfile.write(camera.part(number))
                        if off.wait(1 / camera.fps):
                            return

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        return Handler

    def part(self, number: int) -> bytes:
        """Return one picture as a part of the answer."""
        width, height = self.size
        picture = np.full((height, width, 3), (number * 5) % 256, np.uint8)
        jpeg = cv2.imencode(".jpg", picture)[1].tobytes()
        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
        return head.encode() + jpeg + b"\r\n"


class RtspCamera(Camera):
    """Serves what FFmpeg encodes and packs into RTP, over TCP, at `url`.

    `sent` counts the pictures that were sent, to all clients.
    """

    def __init__(self, folder: Path, fps: int = 100) -> None:
        super().__init__()
        self.fps = fps
        self.sent = 0
        self._sdp = folder / "camera.sdp"
        self._rtp = free_port(socket.SOCK_DGRAM)

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self.port}/video"

    def on(self) -> None:
        """Start the encoder, then serve."""
        self._sdp.unlink(missing_ok=True)
        self._packets = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._packets.bind(("127.0.0.1", self._rtp))
        self._packets.settimeout(0.1)
        target = f"rtp://127.0.0.1:{self._rtp}?pkt_size=1200"
        picture = ["-f", "lavfi", "-i", f"color=gray:size=160x120:rate={self.fps}"]
        output = ["-threads", "1", "-sdp_file", str(self._sdp), "-f", "rtp", target]
        codec = [
            "-pix_fmt",
            "yuv420p",
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-tune",
            "zerolatency",
            "-g",
            "5",
        ]
        self._encoder = subprocess.Popen(
            [str(FFMPEG), "-v", "error", "-re", *picture, *codec, *output],
            stdin=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 20
        while not (self._sdp.exists() and "m=video" in self._sdp.read_text()):
            assert time.monotonic() < deadline, "ffmpeg does not start"
            time.sleep(0.02)
        super().on()

    def off(self) -> None:
        """Stop both."""
        super().off()
        self._encoder.kill()
        self._encoder.wait()
        self._packets.close()

    def description(self) -> bytes:
        """Return the SDP with a name for its only track."""
        text = self._sdp.read_text().replace("SDP:\n", "")
        return "\r\n".join([*text.splitlines(), "a=control:track0", ""]).encode()

    def packet(self) -> bytes:
        """Return the next RTP packet; empty if none came in time."""
        with contextlib.suppress(OSError):
            return self._packets.recv(4096)
        return b""

    def _handler(self) -> type[socketserver.BaseRequestHandler]:
        camera, off = self, self._off

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError):
                    while self._answer():
                        pass
                    while not off.is_set():
                        packet = camera.packet()
                        if packet:
                            size = len(packet).to_bytes(2, "big")
                            self.wfile.write(b"$\0" + size + packet)
                            camera.sent += packet[1] >> 7  # the marker: a picture ends

            def _answer(self) -> bool:
                """Answer one request; return whether more are to come before the pictures."""
                request = self.rfile.readline().decode().split()
                headers = dict[str, str]()
                while line := self.rfile.readline().decode().strip():
                    key, _, value = line.partition(":")
                    headers[key.lower()] = value.strip()
                if not request:
                    raise OSError
                extra, body = "", b""
                if request[0] == "DESCRIBE":
                    body = camera.description()
                    extra = "Content-Type: application/sdp\r\n"
                elif request[0] == "SETUP":
                    extra = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
                head = f"RTSP/1.0 200 OK\r\nCSeq: {headers['cseq']}\r\nSession: 1\r\n{extra}"
                public = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n"
                self.wfile.write(f"{head}{public}Content-Length: {len(body)}\r\n\r\n".encode())
                self.wfile.write(body)
                return request[0] != "PLAY"

        return Handler
