"""The server itself and its models."""

from facecv.entrypoints.client.calls import system as calls
from facecv.entrypoints.client.calls.parts import Json
from facecv.entrypoints.client.results import RemoteJob
from facecv.entrypoints.client.sync.connection import Connection


class SystemOperations(Connection):
    """Operations on the server and its models."""

    def live(self) -> Json:
        """Return whether the server runs."""
        return self._do(calls.ask("/v1/health/live"))

    def ready(self) -> Json:
        """Return whether the server is ready; raise `NotReadyError` if it is not."""
        return self._do(calls.ask("/v1/health/ready"))

    def system(self) -> Json:
        """Return what the server says about itself."""
        return self._do(calls.ask("/v1/system"))

    def performance(self) -> Json:
        """Return throughput and times of the last minutes."""
        return self._do(calls.ask("/v1/performance"))

    def models(self) -> Json:
        """Return packs and models."""
        return self._do(calls.ask("/v1/models"))

    def load_model(self, kind: str, model: str = "", *, wait: bool = True) -> Json:
        """Load a model beside the others."""
        return self._do(calls.change_model("load", {"kind": kind, "model": model, "wait": wait}))

    def unload_model(self, kind: str, model: str = "") -> Json:
        """Take a model out of memory."""
        return self._do(calls.change_model("unload", {"kind": kind, "model": model}))

    def switch_model(self, kind: str, model: str, *, keep: bool = False) -> Json:
        """Make another model the default of its task."""
        return self._do(calls.change_model("switch", {"kind": kind, "model": model, "keep": keep}))

    def pull_pack(self, pack: str) -> RemoteJob:
        """Download a pack, as a job."""
        return self._do(calls.pull(pack))

    def verify_pack(self, pack: str) -> Json:
        """Compare the files of a pack with their digests."""
        return self._do(calls.verify_pack(pack))

    def remove_pack(self, pack: str) -> Json:
        """Delete the files of a pack."""
        return self._do(calls.remove_pack(pack))

    def metrics(self) -> str:
        """Return figures in the text format of Prometheus."""
        return self._do(calls.metrics())
