"""How each worker of a server stands, so that any of them can tell of the whole."""

import asyncio
import os
from collections.abc import Iterable

import attrs
import msgspec

from facecv.core.services.figures import Figures, Snapshot
from facecv.core.services.model_desk import Kind, ModelDesk, Place
from facecv.core.services.process_memory import resident_bytes
from facecv.core.services.slot import State
from facecv.entrypoints.http.job_shapes import JobShape, job_shape
from facecv.entrypoints.http.journal import KEPT, Incident
from facecv.entrypoints.http.model_shapes import MemoryShape
from facecv.entrypoints.http.service import Service


class WorkFacts(msgspec.Struct):
    """The pool that runs the networks, or all of them together."""

    threads: int = 0
    queue: int = 0
    busy: int = 0
    waiting: int = 0
    refused: int = 0


class ModelFacts(msgspec.Struct):
    """A model that was asked for."""

    kind: Kind
    name: str
    pack: str
    default: bool
    state: State
    users: int = 0
    memory: MemoryShape | None = None


class JobFacts(msgspec.Struct):
    """A job without its result, and whose it is."""

    owner: str
    job: JobShape


class WorkerFacts(msgspec.Struct):
    """How a worker stands.

    Attributes:
        id: of the worker.
        pid: of its process.
        state: ``starting``, ``ready`` or ``failed``.
        problems: which models it could not follow to, and why.
        resident_bytes: memory of the process.
        work: its pool.
        models: those that were asked for.
        jobs: the newest first.
        incidents: requests that failed there, the newest first.
        figures: of its last minutes.
    """

    id: str
    pid: int
    state: str
    problems: list[str]
    resident_bytes: int
    work: WorkFacts
    models: list[ModelFacts]
    jobs: list[JobFacts]
    incidents: list[Incident]
    figures: Snapshot


@attrs.frozen
class ServerFacts:
    """How all workers stand.

    Attributes:
        workers: this one first; those that do not answer are left out.
    """

    workers: list[WorkerFacts]

    @property
    def work(self) -> WorkFacts:
        """All pools together."""
        fields = WorkFacts.__struct_fields__
        sums = (sum(getattr(each.work, name) for each in self.workers) for name in fields)
        return WorkFacts(*sums)

    @property
    def resident_bytes(self) -> int:
        """Memory of all processes."""
        return sum(each.resident_bytes for each in self.workers)

    @property
    def figures(self) -> Figures:
        """The last minutes of all."""
        return Figures([each.figures for each in self.workers])

    @property
    def models(self) -> list[ModelFacts]:
        """The models of all; one of several processes comes several times."""
        return [model for each in self.workers for model in each.models]

    def jobs(self) -> list[JobFacts]:
        """Return all jobs, the newest first."""
        jobs = (job for each in self.workers for job in each.jobs)
        return sorted(jobs, key=lambda each: each.job.created, reverse=True)

    def incidents(self) -> list[Incident]:
        """Return the last requests that failed, the newest first."""
        found = (one for each in self.workers for one in each.incidents)
        return sorted(found, key=lambda one: one.time, reverse=True)[:KEPT]


async def server_facts(service: Service) -> ServerFacts:
    """Return how all workers of a service's server stand."""
    own, told = await asyncio.gather(
        asyncio.to_thread(worker_facts, service), service.workers.facts()
    )
    decoder = msgspec.msgpack.Decoder(WorkerFacts)
    return ServerFacts([own, *(decoder.decode(each) for each in told)])


def worker_facts(service: Service) -> WorkerFacts:
    """Return how this worker stands."""
    pool = service.pool
    return WorkerFacts(
        id=service.workers.id,
        pid=os.getpid(),
        state=service.readiness.state,
        problems=service.models.problems(),
        resident_bytes=resident_bytes(),
        work=WorkFacts(pool.workers, pool.queue, pool.busy, pool.waiting, pool.refused),
        models=_models(ModelDesk(service.engine.analyser).places()),
        jobs=[JobFacts(job.owner, job_shape(job, result=False)) for job in service.jobs.all()],
        incidents=service.journal.newest(),
        figures=service.meter.snapshot(),
    )


def _models(places: Iterable[Place]) -> list[ModelFacts]:
    return [_model(place) for place in places]


def _model(place: Place) -> ModelFacts:
    blueprint, loaded = place.slot.blueprint, place.slot.loaded
    pack = blueprint.file.pack if blueprint.file else ""
    facts = ModelFacts(place.kind, blueprint.name, pack, place.default, place.slot.state)
    if loaded is not None:
        facts.users = loaded.users
        facts.memory = MemoryShape(loaded.footprint.bytes, loaded.footprint.measured)
    return facts
