"""The HTTP service against the engine alone: ``python -m tests.benchmarks.bench_http``.

A server process of its own and the engine in this process do the same pictures, one at a time for
each core. Both are opened as a server opens it: a run of a small network has one thread, as has
OpenCV, and threads of larger ones do not wait awake. Each answer is checked: it must carry the id
of its request and the faces of its picture.
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
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import attrs
from rich.console import Console
from rich.table import Table

from facecv.core.services.analyse import Want
from facecv.entrypoints.api import Engine
from facecv.entrypoints.bootstrap import bootstrap, configure

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


def in_process(look: Callable[[bytes], object], photos: Sequence[bytes], requests: int) -> Load:
    """Return what the engine did with as many threads as the server has."""

    def one(turn: int) -> float:
        started = time.perf_counter()
        look(photos[turn % len(photos)])
        return time.perf_counter() - started

    threads = len(os.sched_getaffinity(0))
    with ThreadPoolExecutor(threads) as pool:
        started, worked = time.perf_counter(), time.process_time()
        times = list(pool.map(one, range(requests)))
        return Load(time.perf_counter() - started, times, time.process_time() - worked)


@contextmanager
def server(queue: int, threads: int) -> Iterator[tuple[int, str]]:
    """Yield the id and the address of a server process; so many threads do one run."""
    command = [sys.executable, "-c", "from facecv.entrypoints.cli import main; main()", "serve"]
    given = {"SERVER__QUEUE": str(queue), "SERVER__KEYS": "none", "THREADS": str(threads)}
    environment = os.environ | {f"FACECV_{name}": value for name, value in given.items()}
    settings = ["--port", "0", "--gallery", "memory", "--pack", "nano", "--quiet"]
    with subprocess.Popen(
        [*command, *settings], stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
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
    """Return the seconds of processor time that a process has taken."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(process: int) -> float:
    """Return the memory of a process, MiB."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def main() -> None:
    """Print tables of throughput and times, and how much the memory grew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--requests", type=int, default=320, help="of each load")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=0, help="of one run; 0: as many as suit it")
    parser.add_argument("--memory", type=int, default=0, help="requests of the memory test")
    given = parser.parse_args()
    paths = sorted((given.shared / "data/groups").glob("*.jpg"))[:4]
    photos = [path.read_bytes() for path in paths]
    settings = {"pack": "nano", "gallery": "memory", "threads": given.threads}
    os.environ.setdefault("OPENCV_FOR_THREADS_NUM", "1")
    engine = Engine(bootstrap(configure(None, settings), crowded=True))
    expected = [len(engine.detect(photo)) for photo in photos]
    looks: dict[str, Callable[[bytes], object]] = {
        "/v1/detect": engine.detect,
        "/v1/analyze": lambda photo: engine.analyze(photo, Want(attributes=None)),
    }
    with server(max(CLIENTS), given.threads) as (process, address):
        for path, look in looks.items():
            callers = [
                Caller(address, path, photos, expected, number) for number in range(max(CLIENTS))
            ]
            table = compare(path, look, callers, process, given.requests, given.rounds)
            Console().print(table)
        if given.memory:
            print_memory(process, callers[:8], given.memory)


def compare(  # noqa: PLR0917 - one call
    path: str,
    look: Callable[[bytes], object],
    callers: Sequence[Caller],
    process: int,
    requests: int,
    rounds: int,
) -> Table:
    """Return a table of one route; engine and server take turns, medians over the rounds."""
    over_http(callers[:1], 8, process)
    loads: dict[int, list[Load]] = {count: [] for count in CLIENTS}
    alone: list[Load] = []
    for _ in range(rounds):
        alone.append(in_process(look, callers[0].photos, requests))
        for count in CLIENTS:
            loads[count].append(over_http(callers[:count], requests, process))
    columns = (
        "a second",
        "of the engine's",
        "CPU, ms",
        "client's",
        "p50, ms",
        "p99, ms",
        "p99 / p50",
    )
    table = Table(path, *columns)
    rate = statistics.median(load.rate for load in alone)
    cost = statistics.median(load.cost for load in alone)
    table.add_row("engine alone", f"{rate:.1f}", "", f"{cost:.1f}")
    for count, found in loads.items():
        ratios = [load.rate / base.rate for load, base in zip(found, alone, strict=True)]
        p50 = statistics.median(load.percentile(50) for load in found)
        p99 = statistics.median(load.percentile(99) for load in found)
        table.add_row(
            f"{count} clients",
            f"{statistics.median(load.rate for load in found):.1f}",
            f"{statistics.median(ratios):.2f}",
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
