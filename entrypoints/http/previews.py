"""Streams to look at: pictures that replace one another, in one answer that does not end."""

import asyncio
from collections.abc import AsyncIterator

from facecv.core.errors import OverloadedError
from facecv.entrypoints.http.errors import AnyRequest
from facecv.entrypoints.http.event_filters import is_still_valid
from facecv.entrypoints.http.service import ClientGoneError, Service
from facecv.entrypoints.http.stream_runner import StreamRunner

MJPEG = "multipart/x-mixed-replace; boundary=frame"
_BOUNDARY = b"--frame\r\n"


def pictures(request: AnyRequest, service: Service, runner: StreamRunner) -> AsyncIterator[bytes]:
    """Return the parts of an answer: the newest picture of a stream whenever there is a new one.

    Raises:
        OverloadedError: too many clients look already.
    """
    service.streams.previews.check_room()
    return _parts(request, service, runner)


async def _parts(
    request: AnyRequest, service: Service, runner: StreamRunner
) -> AsyncIterator[bytes]:
    shown, pause = 0, 1 / service.config.streams.preview_fps
    with service.streams.previews.held():
        yield _BOUNDARY
        while runner.is_wanted and is_still_valid(request):
            if runner.count > shown:
                try:
                    shown, picture = await service.run(request, runner.picture)
                except OverloadedError:  # who works comes first
                    await asyncio.sleep(pause)
                    continue
                except ClientGoneError:
                    return
                yield _part(picture)
            await asyncio.sleep(pause)


def _part(picture: bytes) -> bytes:
    """Return a picture with the boundary behind it: browsers show it when they see that."""
    head = f"Content-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
    return head.encode() + picture + b"\r\n" + _BOUNDARY
