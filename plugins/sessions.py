"""The networks that a model opened, so that they can be closed with it."""

from facecv.core.pack import ModelFile
from facecv.core.ports.inference_backend import InferenceBackend, Session, SessionOptions


class SessionKeeper:
    """An inference backend that loads on another one and remembers what it loaded.

    Args:
        backend: what loads the networks.
    """

    def __init__(self, backend: InferenceBackend) -> None:
        self._backend = backend
        self._sessions: list[Session] = []

    @property
    def providers(self) -> tuple[str, ...]:
        """What really runs the networks, each once."""
        return tuple(dict.fromkeys(session.provider for session in self._sessions))

    @property
    def share(self) -> float | None:
        """Least share of a network's operators that its provider runs; None: not known."""
        shares = [each.placement.share for each in self._sessions if each.placement]
        return min(shares, default=None)

    def load(self, model: ModelFile, options: SessionOptions, /) -> Session:
        """Return the network loaded; see `InferenceBackend`."""
        session = self._backend.load(model, options)
        self._sessions.append(session)
        return session

    def close(self) -> None:
        """Close all networks."""
        for session in self._sessions:
            session.close()
