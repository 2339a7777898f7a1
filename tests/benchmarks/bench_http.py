"""The HTTP service against the engine alone: ``python -m tests.benchmarks.bench_http``.

A server of its own and the engine in this process do the same pictures, on the same cores. The
engine is called in two ways: one picture after another, each run on all cores, as a script does
it; and by a thread for each core at once, each run on one, opened as a server opens it, which is
the most that the cores give. Each answer is checked: it must carry the id of its request and the
faces of its picture.
"""

import argparse
import http.client
import itertools
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import attrs
import cv2
from rich.console import Console
from rich.table import Table

from facecv.core.services.analyse import Want
from facecv.entrypoints.api import Engine
from facecv.entrypoints.bootstrap import bootstrap, configure

ROUTES = ("/v1/detect", "/v1/analyze")
CLIENTS = (1, 8, 32)


@attrs.frozen
class Load:
    """What was measured under one load.

    Attributes:
        seconds: of the whole.
        times: seconds of each request.
        work: seconds of processor time that the server, or the engine, took for all.
        asking: seconds of processor time that the clients took for all; on the same cores.
    """

    seconds: float
    times: Sequence[float]
    work: float
    asking: float = 0.0

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.times) / self.seconds

    @property
    def cost(self) -> float:
        """Milliseconds of processor time of one request; does not depend on what else runs."""
        return self.work / len(self.times) * 1e3

    @property
    def asking_cost(self) -> float:
        """Milliseconds of processor time that the client of one request took."""
        return self.asking / len(self.times) * 1e3

    def percentile(self, share: int) -> float:
        """Return the time, in milliseconds, that so many of a hundred requests stay below."""
        return statistics.quantiles(self.times, n=100)[share - 1] * 1e3


@attrs.define
class Caller:
    """Sends pictures to a server over one connection, at little cost, and keeps the answers.

    Client and server share the cores, so what a client of a language like Python costs would be
    counted against the server.
    """

    address: str
    path: str
    photos: Sequence[bytes]
    expected: Sequence[int]
    number: int
    _answers: list[tuple[int, bytes]] = attrs.field(init=False, factory=list)

    def __call__(self, count: int) -> list[float]:
        """Send so many requests over a new connection; return the seconds that each took."""
        host, port = self.address.split(":")
        requests = [self._request(turn) for turn in range(count)]
        with socket.create_connection((host, int(port)), timeout=600) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return [self._one(connection, turn, request) for turn, request in enumerate(requests)]

    def check(self) -> None:
        """End the program if an answer is missing, wrong, or not that of its request."""
        for turn, answer in self._answers:
            head, _, body = answer.partition(b"\r\n\r\n")
            if b" 200 " not in head.partition(b"\r\n")[0]:
                raise SystemExit(f"refused: {answer[:300]!r}")
            found = json.loads(body)
            faces = self.expected[self._which(turn)]
            if found["request_id"] != self._id(turn) or len(found["faces"]) != faces:
                raise SystemExit(f"the answer to {self._id(turn)} is not its own")
        self._answers.clear()

    def _one(self, connection: socket.socket, turn: int, request: tuple[bytes, bytes]) -> float:
        started = time.perf_counter()
        connection.sendall(b"".join(request))
        answer = _receive(connection)
        seconds = time.perf_counter() - started
        self._answers.append((turn, answer))
        return seconds

    def _request(self, turn: int) -> tuple[bytes, bytes]:
        photo = self.photos[self._which(turn)]
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: {self.address}\r\nX-Request-Id: {self._id(turn)}"
            f"\r\nContent-Type: image/jpeg\r\nContent-Length: {len(photo)}\r\n\r\n"
        )
        return head.encode(), photo

    def _which(self, turn: int) -> int:
        return (turn + self.number) % len(self.photos)

    def _id(self, turn: int) -> str:
        return f"{self.number}-{turn}"


def _receive(connection: socket.socket) -> bytes:
    """Return an answer, head and body."""
    answer = bytearray()
    while (end := answer.find(b"\r\n\r\n")) < 0:
        answer += _some(connection)
    length = next(
        int(line.split(b":")[1])
        for line in bytes(answer[:end]).lower().splitlines()
        if line.startswith(b"content-length:")
    )
    while len(answer) < end + 4 + length:
        answer += _some(connection)
    return bytes(answer)


def _some(connection: socket.socket) -> bytes:
    received = connection.recv(1 << 18)
    if not received:
        raise SystemExit("the server closed the connection: a request is lost")
    return received


def over_http(callers: Sequence[Caller], requests: int, process: int) -> Load:
    """Return what all callers together did to the server with that process id."""
    with ThreadPoolExecutor(len(callers)) as pool:
        started, worked, asked = time.perf_counter(), processor_time(process), time.process_time()
        times = list(pool.map(lambda caller: caller(requests // len(callers)), callers))
        seconds, work = time.perf_counter() - started, processor_time(process) - worked
        asking = time.process_time() - asked
    for caller in callers:
        caller.check()
    return Load(seconds, list(itertools.chain(*times)), work, asking)


@attrs.frozen
class Calling:
    """A way of calling the engine in this process.

    Attributes:
        engine: opened for it.
        callers: how many threads call at once.
        opencv: how many threads OpenCV has.
    """

    engine: Engine
    callers: int
    opencv: int

    @classmethod
    def of(cls, settings: Mapping[str, Any], cores: int, *, crowded: bool) -> "Calling":
        """Return one caller with all cores, or a caller for each."""
        engine = Engine(bootstrap(configure(None, settings), crowded=crowded))
        return cls(engine, cores if crowded else 1, 1 if crowded else cores)

    def load(self, route: str, photos: Sequence[bytes], requests: int) -> Load:
        """Return what the engine did."""
        look = self.engine.detect if route == "/v1/detect" else self._analyze

        def one(turn: int) -> float:
            started = time.perf_counter()
            look(photos[turn % len(photos)])
            return time.perf_counter() - started

        cv2.setNumThreads(self.opencv)
        with ThreadPoolExecutor(self.callers) as pool:
            started, worked = time.perf_counter(), time.process_time()
            times = list(pool.map(one, range(requests)))
            return Load(time.perf_counter() - started, times, time.process_time() - worked)

    def _analyze(self, photo: bytes) -> object:
        return self.engine.analyze(photo, Want(attributes=None))


@contextmanager
def server(queue: int, threads: int, workers: int) -> Iterator[tuple[int, str]]:
    """Yield the id and the address of a server of some processes; so many threads do one run."""
    command = [sys.executable, "-c", "from facecv.entrypoints.cli import main; main()", "serve"]
    given = {"SERVER__QUEUE": str(queue), "SERVER__KEYS": "none", "THREADS": str(threads)}
    environment = os.environ | {f"FACECV_{name}": value for name, value in given.items()}
    settings = ["--port", "0", "--workers", str(workers), "--pack", "nano", "--quiet"]
    with (
        TemporaryDirectory() as folder,
        subprocess.Popen(
            [*command, *settings, "--gallery", f"{folder}/gallery.db"],
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        ) as process,
    ):
        assert process.stderr
        address = urlsplit(process.stderr.readline().split()[-1]).netloc
        try:
            _wait_until_ready(address)
            yield process.pid, address
        finally:
            process.send_signal(signal.SIGTERM)


def _wait_until_ready(address: str) -> None:
    while True:
        connection = http.client.HTTPConnection(address)
        connection.request("GET", "/v1/health/ready")
        if connection.getresponse().status == 200:
            return
        time.sleep(0.2)


def processor_time(process: int) -> float:
    """Return the seconds of processor time that a process and those it started have taken."""
    ticks = 0
    for one in family(process):
        stat = Path(f"/proc/{one}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        ticks += int(stat[11]) + int(stat[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def resident(process: int) -> float:
    """Return the memory of a process and of those it started, MiB."""
    status = [Path(f"/proc/{one}/status").read_text(encoding="ascii") for one in family(process)]
    lines = [line for each in status for line in each.splitlines() if line.startswith("VmRSS")]
    return sum(int(line.split()[1]) for line in lines) / 1024


def family(process: int) -> Iterator[int]:
    """Yield a process and those it started."""
    yield process
    for thread in Path(f"/proc/{process}/task").iterdir():
        for child in (thread / "children").read_text(encoding="ascii").split():
            yield from family(int(child))


def main() -> None:
    """Print tables of throughput and times, and how much the memory grew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--requests", type=int, default=320, help="of each load")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=0, help="of one run; 0: as many as suit it")
    parser.add_argument("--workers", type=int, default=1, help="processes of the server")
    parser.add_argument("--memory", type=int, default=0, help="requests of the memory test")
    given = parser.parse_args()
    paths = sorted((given.shared / "data/groups").glob("*.jpg"))[:4]
    photos = [path.read_bytes() for path in paths]
    settings = {"pack": "nano", "gallery": "memory", "threads": given.threads}
    cores = len(os.sched_getaffinity(0))
    alone = {
        "in turn": Calling.of(settings, cores, crowded=False),
        "side by side": Calling.of(settings, cores, crowded=True),
    }
    expected = [len(alone["in turn"].engine.detect(photo)) for photo in photos]
    with server(max(CLIENTS), given.threads, given.workers) as (process, address):
        for route in ROUTES:
            callers = [
                Caller(address, route, photos, expected, number) for number in range(max(CLIENTS))
            ]
            over_http(callers[:1], 8, process)
            ways: list[str | int] = [*alone, *CLIENTS]
            loads: dict[str | int, list[Load]] = {way: [] for way in ways}
            for _ in range(given.rounds):
                for name, calling in alone.items():
                    loads[name].append(calling.load(route, photos, given.requests))
                for count in CLIENTS:
                    loads[count].append(over_http(callers[:count], given.requests, process))
            Console().print(table_of(route, loads, [*alone]))
        if given.memory:
            print_memory(process, callers[:8], given.memory)


def table_of(route: str, loads: Mapping[str | int, Sequence[Load]], alone: Sequence[str]) -> Table:
    """Return a table of one route: medians over the rounds, paired where they are ratios.

    Args:
        route: its path.
        loads: name of a way of calling the engine, or number of clients, to loads.
        alone: the ways of calling the engine.
    """
    columns = ("a second", *(f"over {name}" for name in alone), "CPU, ms", "client")
    table = Table(route, *columns, "p50, ms", "p99, ms", "p99 / p50")
    for name, found in loads.items():
        pairs = [zip(found, loads[base], strict=True) for base in alone]
        ratios = [statistics.median(one.rate / base.rate for one, base in pair) for pair in pairs]
        p50 = statistics.median(load.percentile(50) for load in found)
        p99 = statistics.median(load.percentile(99) for load in found)
        table.add_row(
            f"engine {name}" if name in alone else f"{name} clients",
            f"{statistics.median(load.rate for load in found):.1f}",
            *(f"{ratio:.2f}" for ratio in ratios),
            f"{statistics.median(load.cost for load in found):.1f}",
            f"{statistics.median(load.asking_cost for load in found):.2f}",
            f"{p50:.1f}",
            f"{p99:.1f}",
            f"{p99 / p50:.1f}",
        )
    return table


def print_memory(process: int, callers: Sequence[Caller], requests: int) -> None:
    """Print how the memory of the server changes over many requests."""
    table = Table("requests", "memory, MiB")
    step = max(requests // 8, len(callers))
    for done in range(0, requests + 1, step):
        table.add_row(str(done), f"{resident(process):.0f}")
        if done + step <= requests:
            over_http(callers, step, process)
    Console().print(table)


if __name__ == "__main__":
    main()
