"""Batches: one answer a picture, in order, at once, line by line, or as a job."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence

import msgspec
import structlog
from litestar import Response
from litestar.response import Stream

from facecv.core.errors import FaceCVError
from facecv.core.services.jobs import Tell
from facecv.entrypoints.http.archives import Item
from facecv.entrypoints.http.bodies import Picture
from facecv.entrypoints.http.errors import AnyRequest, ErrorBody, error_body
from facecv.entrypoints.http.job_shapes import JobAnswer
from facecv.entrypoints.http.jobs import begin
from facecv.entrypoints.http.request_id import request_id
from facecv.entrypoints.http.service import Service

NDJSON = "application/x-ndjson"
Group = tuple[Picture, ...]
"""What one answer is about: a picture, or a pair."""


class BatchItem(msgspec.Struct):
    """What became of one picture, or of one pair.

    Attributes:
        index: its place in the batch, from 0.
        name: of the file, or of both.
        result: as the route for one picture answers; null where it failed.
        error: why it failed.
    """

    index: int
    name: str
    result: msgspec.Raw | None = None
    error: ErrorBody | None = None


class BatchAnswer(msgspec.Struct):
    """One item a picture, in their order."""

    request_id: str
    items: list[BatchItem]


Answer = Response[BatchAnswer] | Response[JobAnswer] | Stream


async def answer(
    request: AnyRequest,
    service: Service,
    kind: str,
    groups: Sequence[Group | FaceCVError],
    work: Callable[[Group], msgspec.Struct],
    *,
    job: bool,
) -> Answer:
    """Answer a batch as it was asked for.

    Args:
        request: with ``Accept: application/x-ndjson`` the items come as lines, as they finish.
        service: what works.
        kind: of the job.
        groups: what to look at, or why it cannot be.
        work: makes the result of one.
        job: whether it goes on in the background; more pictures than a request may carry do.
    """
    if job or len(groups) > service.config.limits.images:
        return begin(request, service, kind, lambda tell: _as_job(groups, work, tell))
    items = service.stream(request, _items(groups, work), at_once=1)
    if NDJSON in request.headers.get("accept", ""):
        return Stream(_lines(items), media_type=NDJSON, status_code=200)
    own = request_id(request.scope)
    return Response(BatchAnswer(own, [item async for item in items]), status_code=200)


def singles(items: Sequence[Item]) -> list[Group | FaceCVError]:
    """Return pictures as groups of one."""
    return [(item,) if isinstance(item, Picture) else item for item in items]


def pairs(items: Sequence[Item]) -> list[Group | FaceCVError]:
    """Return pictures two by two; a pair of which one cannot be had fails."""
    found: list[Group | FaceCVError] = []
    for one, other in zip(items[::2], items[1::2], strict=True):
        if isinstance(one, Picture) and isinstance(other, Picture):
            found.append((one, other))
        else:
            found.append(one if isinstance(one, FaceCVError) else _error(other))
    return found


def _error(item: Item) -> FaceCVError:
    return item if isinstance(item, FaceCVError) else FaceCVError("a picture is missing")


def _items(
    groups: Sequence[Group | FaceCVError], work: Callable[[Group], msgspec.Struct]
) -> Iterator[BatchItem]:
    for index, group in enumerate(groups):
        yield _item(index, group, work)


def _item(
    index: int, group: Group | FaceCVError, work: Callable[[Group], msgspec.Struct]
) -> BatchItem:
    """Return what becomes of one; an error of ours, and even a bug, is that item's alone."""
    if isinstance(group, FaceCVError):
        return BatchItem(index, "", error=error_body(group))
    name = ", ".join(picture.name for picture in group)
    try:
        result = msgspec.json.encode(work(group))
    except FaceCVError as error:
        return BatchItem(index, name, error=error_body(error))
    except Exception as error:  # noqa: BLE001 - the other items are not to suffer
        structlog.get_logger().error("a bug in a batch", item=index, exc_info=error)
        return BatchItem(index, name, error=ErrorBody("internal", "something went wrong here"))
    return BatchItem(index, name, result=msgspec.Raw(result))


def _as_job(
    groups: Sequence[Group | FaceCVError], work: Callable[[Group], msgspec.Struct], tell: Tell
) -> dict[str, object]:
    items = []
    for item in _items(groups, work):
        tell(item.index, len(groups), item.name)
        items.append(item)
    tell(len(groups), len(groups), "")
    return {"items": items}


async def _lines(items: AsyncIterator[BatchItem]) -> AsyncIterator[bytes]:
    async for item in items:
        yield msgspec.json.encode(item) + b"\n"
