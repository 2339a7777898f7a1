"""Cutting off clients that do not take what they are sent."""

import asyncio
from typing import Any

from litestar.types import ASGIApp, Message, Receive, Scope, Send


def impatient(app: ASGIApp) -> ASGIApp:
    """Return an application around another, as middleware of routes whose answers do not end.

    A client that does not take a message within ``server.streams.send_seconds`` counts as gone:
    nothing more is sent, and who listens hears that it disconnected.
    """

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        seconds = scope["litestar_app"].state.service.config.streams.send_seconds
        gone = asyncio.Event()

        async def sending(message: Message) -> None:
            if gone.is_set():
                return
            try:
                await asyncio.wait_for(send(message), seconds)
            except TimeoutError:
                gone.set()

        async def receiving() -> Any:  # noqa: ANN401 - a message of either kind
            return await _received(receive, gone, scope["type"])

        await app(scope, receiving, sending)

    return serve


async def _received(receive: Receive, gone: asyncio.Event, kind: str) -> Any:  # noqa: ANN401 - as above
    """Return the next message, or that the client disconnected once it counts as gone."""
    message = asyncio.ensure_future(receive())
    leaving = asyncio.ensure_future(gone.wait())
    try:
        await asyncio.wait({message, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if message.done():
            return message.result()
        return {"type": f"{kind}.disconnect", "code": 1013}
    finally:
        message.cancel()
        leaving.cancel()
