"""Jobs of a server of two workers: whichever is asked, the answer is of the whole."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.entrypoints.http.workers import Both, Pair, job_of, process_of, until

OVER = {"done", "failed", "cancelled"}


class TestJobs:
    """A job may be asked for anywhere."""

    @pytest.fixture
    def go(self, pair: Pair) -> Iterator[Path]:
        """Return the file that lets jobs end."""
        yield pair.folder / "go"
        (pair.folder / "go").unlink(missing_ok=True)

    def test_progress_result_and_list(self, both: Both, go: Path) -> None:
        one, other = both
        began = one.post("/job")
        assert began.status_code == 202, began.text
        url, identity = began.headers["Location"], began.json()["job"]["id"]
        half = until(lambda: (job := job_of(other, url))["progress"]["done"] and job)
        assert (half["state"], half["progress"]["note"]) == ("running", "half of it")
        for client in both:
            listed = client.get("/v1/jobs").json()["jobs"]
            assert listed[0]["id"] == identity
        go.touch()
        done = until(lambda: (job := job_of(other, url))["state"] in OVER and job)
        assert done["result"] == {"process": process_of(one)}
        assert job_of(one, url) == done

    def test_calling_off(self, both: Both) -> None:
        one, other = both
        url = one.post("/job").headers["Location"]
        assert other.delete(url).status_code == 200
        assert until(lambda: (job := job_of(other, url))["state"] in OVER and job["state"])
        assert job_of(one, url)["state"] == "cancelled"

    def test_one_of_nobody_is_lost(self, both: Both) -> None:
        for client in both:
            assert client.get(f"/v1/jobs/{'0' * 24}").status_code == 410
            assert client.get("/v1/jobs/nonsense").status_code == 404
