"""The client that waits for each answer."""

from facecv.entrypoints.client.sync.faces import FaceOperations
from facecv.entrypoints.client.sync.gallery import GalleryOperations
from facecv.entrypoints.client.sync.streams import StreamOperations
from facecv.entrypoints.client.sync.system import SystemOperations
from facecv.entrypoints.client.sync.work import WorkOperations


class Client(
    FaceOperations,
    GalleryOperations,
    WorkOperations,
    StreamOperations,
    SystemOperations,
):
    """A client of ``facecv serve``. Safe to use from several threads.

    Options are those of the service, by their names there. Methods raise what the server answers,
    as the class of `facecv.core.errors` that it is, and `ServiceError` where it cannot be reached.
    """
