"""Looking at pictures."""

from typing import Any

from facecv.entrypoints.client.calls import faces as calls
from facecv.entrypoints.client.results import Comparison, FacesFound, RemoteEmbedding
from facecv.entrypoints.client.sync.connection import Connection
from facecv.entrypoints.client.wire import Picture


class FaceOperations(Connection):
    """Operations on pictures; nothing is kept."""

    def detect(self, image: Picture, **options: Any) -> FacesFound:  # noqa: ANN401 - the service's
        """Return the faces of a picture."""
        return self._do(calls.look("detect", image, options))

    def analyze(self, image: Picture, **options: Any) -> FacesFound:  # noqa: ANN401 - likewise
        """Return all about the faces of a picture."""
        return self._do(calls.look("analyze", image, options))

    def embed(self, image: Picture, **options: Any) -> FacesFound:  # noqa: ANN401 - likewise
        """Return the faces of a picture with embeddings; one without a face is an error."""
        return self._do(calls.look("embed", image, options))

    def draw(self, image: Picture, **options: Any) -> bytes:  # noqa: ANN401 - likewise
        """Return the picture with its faces marked, as a file."""
        return self._do(calls.draw(image, options))

    def verify(
        self,
        one: Picture | RemoteEmbedding,
        other: Picture | RemoteEmbedding,
        **options: Any,  # noqa: ANN401 - the service's
    ) -> Comparison:
        """Return whether two pictures, or embeddings, are of one person."""
        return self._do(calls.verify(one, other, options))
