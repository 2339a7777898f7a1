"""The server itself and its models."""

from facecv.entrypoints.client.asynchronous.connection import AsyncConnection
from facecv.entrypoints.client.calls import system as calls
from facecv.entrypoints.client.calls.parts import Json
from facecv.entrypoints.client.results import RemoteJob


class AsyncSystemOperations(AsyncConnection):
    """Operations on the server and its models."""

    async def live(self) -> Json:
        """Return whether the server runs."""
        return await self._do(calls.ask("/v1/health/live"))

    async def ready(self) -> Json:
        """Return whether the server is ready; raise `NotReadyError` if it is not."""
        return await self._do(calls.ask("/v1/health/ready"))

    async def system(self) -> Json:
        """Return what the server says about itself."""
        return await self._do(calls.ask("/v1/system"))

    async def performance(self) -> Json:
        """Return throughput and times of the last minutes."""
        return await self._do(calls.ask("/v1/performance"))

    async def models(self) -> Json:
        """Return packs and models."""
        return await self._do(calls.ask("/v1/models"))

    async def load_model(self, kind: str, model: str = "", *, wait: bool = True) -> Json:
        """Load a model beside the others."""
        return await self._do(
            calls.change_model("load", {"kind": kind, "model": model, "wait": wait})
        )

    async def unload_model(self, kind: str, model: str = "") -> Json:
        """Take a model out of memory."""
        return await self._do(calls.change_model("unload", {"kind": kind, "model": model}))

    async def switch_model(self, kind: str, model: str, *, keep: bool = False) -> Json:
        """Make another model the default of its task."""
        return await self._do(
            calls.change_model("switch", {"kind": kind, "model": model, "keep": keep})
        )

    async def pull_pack(self, pack: str) -> RemoteJob:
        """Download a pack, as a job."""
        return await self._do(calls.pull(pack))

    async def verify_pack(self, pack: str) -> Json:
        """Compare the files of a pack with their digests."""
        return await self._do(calls.verify_pack(pack))

    async def remove_pack(self, pack: str) -> Json:
        """Delete the files of a pack."""
        return await self._do(calls.remove_pack(pack))

    async def metrics(self) -> str:
        """Return figures in the text format of Prometheus."""
        return await self._do(calls.metrics())
