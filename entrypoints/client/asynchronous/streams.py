"""Streams, their events, and what is made of these."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from facecv.core.errors import FaceCVError
from facecv.entrypoints.client.asynchronous.connection import AsyncConnection
from facecv.entrypoints.client.calls import streams as calls
from facecv.entrypoints.client.following import Following
from facecv.entrypoints.client.mjpeg import MjpegParts
from facecv.entrypoints.client.results import Page
from facecv.entrypoints.client.stream_results import (
    EnrolledStranger,
    RemoteAttendance,
    RemoteEvent,
    RemoteStranger,
    RemoteStream,
    StreamState,
)
from facecv.entrypoints.client.wire import Picture


class AsyncStreamOperations(AsyncConnection):
    """Operations on streams and events."""

    async def create_stream(self, name: str, address: str, **settings: Any) -> RemoteStream:  # noqa: ANN401 - the service's
        """Begin to watch a camera or video."""
        return await self._do(calls.create_stream(name, address, settings))

    async def streams(self, *, limit: int = 50, cursor: str | None = None) -> Page[RemoteStream]:
        """Return a page of streams."""
        return await self._do(calls.streams(limit, cursor))

    async def stream(self, stream_id: str) -> RemoteStream:
        """Return a stream."""
        return await self._do(calls.stream(stream_id))

    async def stream_state(self, stream_id: str) -> StreamState:
        """Return how a stream is doing."""
        return await self._do(calls.stream_state(stream_id))

    async def update_stream(self, stream_id: str, **changes: Any) -> RemoteStream:  # noqa: ANN401 - likewise
        """Change a stream, and watch it anew."""
        return await self._do(calls.update_stream(stream_id, changes))

    async def delete_stream(self, stream_id: str) -> None:
        """Stop watching a stream and forget it; its events stay."""
        await self._do(calls.delete_stream(stream_id))

    async def push_frame(self, stream_id: str, image: Picture) -> StreamState:
        """Hand in a frame for a stream of ``push:NAME``."""
        return await self._do(calls.push_frame(stream_id, image))

    async def preview(self, stream_id: str) -> AsyncIterator[bytes]:
        """Yield JPEG files with boxes and names, always the newest, while the stream runs."""
        parts = MjpegParts()
        async for piece in self._pieces(calls.preview(stream_id)):
            for picture in parts.feed(piece):
                yield picture

    async def events(
        self,
        *,
        limit: int = 50,
        cursor: str | None = None,
        **filters: Any,  # noqa: ANN401 - likewise
    ) -> Page[RemoteEvent]:
        """Return a page of events, the newest first unless ``order="oldest"``."""
        return await self._do(calls.events(limit, cursor, filters))

    async def follow_events(
        self,
        *,
        after: str = "",
        patience: float = 60.0,
        **filters: Any,  # noqa: ANN401 - likewise
    ) -> AsyncIterator[RemoteEvent]:
        """Yield events as they happen, without end; broken connections cost none.

        Args:
            after: `position` of the last event that was read; empty: from now on.
            patience: seconds for which a server that cannot be reached is asked again.
            filters: ``kind``, ``source``, ``collection``.

        Raises:
            ServiceError: the server was away for too long.
        """
        following = Following(filters, after, patience)
        while True:
            problem = None
            try:
                async for line in self._lines(following.call()):
                    event = following.take(line)
                    if event is not None:
                        yield event
            except FaceCVError as error:
                problem = error
            await asyncio.sleep(following.pause(problem))

    async def attendance(self, **filters: Any) -> list[RemoteAttendance]:  # noqa: ANN401 - likewise
        """Return when persons were first and last seen, day by day."""
        return await self._do(calls.attendance(filters))

    async def strangers(self, **filters: Any) -> list[RemoteStranger]:  # noqa: ANN401 - likewise
        """Return strangers who were seen several times and are still unknown."""
        return await self._do(calls.strangers(filters))

    async def enroll_stranger(
        self,
        stranger_id: str,
        name: str,
        **options: Any,  # noqa: ANN401 - likewise
    ) -> EnrolledStranger:
        """Make a stranger a person."""
        return await self._do(calls.enroll_stranger(stranger_id, name, options))
