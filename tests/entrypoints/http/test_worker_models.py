"""Switches of models reach both workers of a server."""

import threading
from collections.abc import Iterator

import httpx
import pytest

from tests.entrypoints.http.served import PNG
from tests.entrypoints.http.test_processes import PATIENCE
from tests.entrypoints.http.workers import (
    FACE,
    Both,
    Pair,
    default_model,
    models_of,
    process_of,
    switch,
    until,
)


class TestModels:
    """What one worker loads, unloads or switches, the other does too."""

    @pytest.fixture(autouse=True)
    def _as_before(self, both: Both) -> Iterator[None]:
        yield
        one, other = both
        switch(one, "world")
        until(lambda: default_model(other) == "world")

    def test_switching_there_and_back(self, both: Both) -> None:
        one, other = both
        for client, name in ((one, "other"), (other, "world"), (other, "other")):
            assert switch(client, name).status_code == 200
            assert default_model(client) == name
            for each in both:
                until(lambda: default_model(each) == name)  # noqa: B023 - called at once

    def test_the_last_of_many_switches_holds(self, both: Both) -> None:
        """Whoever made it, all end with the same default."""
        threads = [
            threading.Thread(target=lambda: [switch(client, n) for n in names])  # noqa: B023
            for client, names in zip(
                both, (("other", "world") * 5, ("world", "other") * 5), strict=True
            )
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        until(lambda: len({default_model(client) for client in both}) == 1)

    def test_loading_and_unloading(self, both: Both) -> None:
        one, other = both
        choice = {"kind": "recognition", "model": "other"}
        for action, state in (("load", "ready"), ("unload", "absent")):
            assert one.post(f"/v1/models/{action}", json=choice).status_code == 200
            until(lambda: models_of(other)["other"]["state"] == state)  # noqa: B023 - called at once

    def test_one_that_cannot_follow_says_so_and_stays(self, pair: Pair, both: Both) -> None:
        one, other = both
        sick = process_of(other)
        (pair.folder / f"sick-{sick}").touch()
        assert switch(one, "other").status_code == 200

        def problems(client: httpx.Client) -> dict[int, list[str]]:
            workers = client.get("/v1/system").json()["workers"]
            return {worker["pid"]: worker["problems"] for worker in workers}

        until(lambda: problems(one)[sick])
        (problem,) = problems(other)[sick]
        assert problem == "switch recognition other: this worker is sick"
        assert problems(other)[process_of(one)] == []
        assert (default_model(one), default_model(other)) == ("other", "world")
        assert _space(other) == "world"
        (pair.folder / f"sick-{sick}").unlink()
        switch(one, "other")
        until(lambda: default_model(other) == "other")
        assert problems(one)[sick] == []


def _space(client: httpx.Client) -> str:
    (face,) = client.post("/v1/embed", content=FACE, headers=PNG).json()["faces"]
    return str(face["embedding"]["space"]["model"])
