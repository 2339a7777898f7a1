"""Several processes share one gallery file, and die on it, without failing or losing."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from facecv.adapters.galleries.sqlite import SqliteGallery
from facecv.core.gallery import Counts, SearchQuery
from facecv.plugins.contracts.gallery.examples import TEAM, embedding

_SHARE = """
import sys
from pathlib import Path
from facecv.adapters.galleries.sqlite import SqliteGallery
from facecv.core.errors import AlreadyExistsError
from facecv.core.gallery import SearchQuery
from facecv.plugins.contracts.gallery.examples import TEAM, embedding, enrol, face

path, worker, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
gallery = SqliteGallery(path)
try:
    gallery.create_collection(TEAM)
except AlreadyExistsError:
    pass
for number in range(count):
    enrol(gallery, f"{worker}-{number}", face(worker + 1, number))
    print(f"{worker}-{number}", flush=True)
    [[best]] = gallery.search("team", [embedding(worker + 1, number)], SearchQuery(top_k=1))
    assert best.similarity == 1.0
gallery.close()
"""


def start(path: Path, worker: int, count: int) -> subprocess.Popen[str]:
    """Start a process that enrols `count` persons, and prints each when it is enrolled."""
    arguments = [sys.executable, "-c", _SHARE, str(path), str(worker), str(count)]
    return subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def release(process: subprocess.Popen[str]) -> None:
    """Let a process that is ready begin."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[list[subprocess.Popen[str]]]:
    """Return four processes, ready to use one new path."""
    processes = [start(tmp_path / "gallery.db", worker, 25) for worker in range(4)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


def test_processes_create_one_gallery_at_once_and_lose_nothing(
    workers: list[subprocess.Popen[str]], tmp_path: Path
) -> None:
    for process in workers:
        release(process)
    for process in workers:
        _, errors = process.communicate(timeout=120)
        assert (process.returncode, errors) == (0, "")
    with closing(SqliteGallery(tmp_path / "gallery.db")) as gallery:
        assert gallery.count("team") == Counts(100, 100)
        [found] = gallery.search("team", [embedding(1)], SearchQuery(top_k=200))
        assert len(found) == 100


def test_a_search_here_sees_what_another_process_adds(tmp_path: Path) -> None:
    with closing(SqliteGallery(tmp_path / "gallery.db")) as gallery:
        gallery.create_collection(TEAM)
        process = start(tmp_path / "gallery.db", 0, 10)
        release(process)
        assert process.stdout is not None
        for line in process.stdout:
            if line == "ready\n":
                continue
            [found] = gallery.search("team", [embedding(1)], SearchQuery(top_k=99))
            assert line.strip() in {match.person.id for match in found}
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize("after", [1, 20, 60])
def test_nothing_acknowledged_is_lost_by_kill(tmp_path: Path, after: int) -> None:
    process = start(tmp_path / "gallery.db", 0, 100_000)
    release(process)
    assert process.stdout is not None
    acknowledged = [process.stdout.readline().strip() for _ in range(after + 1)][1:]
    process.send_signal(signal.SIGKILL)
    acknowledged += process.stdout.read().split()
    process.communicate()
    with closing(SqliteGallery(tmp_path / "gallery.db")) as gallery:
        there = {person.id for person in gallery.persons("team")}
        assert there >= set(acknowledged)
        assert len(there) <= len(acknowledged) + 1
        assert gallery.count("team").faces == len(there)


_FORK = """
import os, sys
from pathlib import Path
from facecv.adapters.galleries.sqlite import SqliteGallery
from facecv.plugins.contracts.gallery.examples import TEAM, enrol, face

gallery = SqliteGallery(Path(sys.argv[1]))
gallery.create_collection(TEAM)
child = os.fork()
for number in range(20):
    enrol(gallery, f"{'child' if child == 0 else 'parent'}-{number}", face(1))
if child == 0:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert gallery.count("team").persons == 40
assert gallery._connections._inherited == []
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_process_opens_its_own_connections(tmp_path: Path) -> None:
    arguments = [sys.executable, "-c", _FORK, str(tmp_path / "gallery.db")]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
