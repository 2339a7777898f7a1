"""The client for asyncio; the operations are those of `facecv.entrypoints.client.sync`."""

from facecv.entrypoints.client.asynchronous.faces import AsyncFaceOperations
from facecv.entrypoints.client.asynchronous.gallery import AsyncGalleryOperations
from facecv.entrypoints.client.asynchronous.streams import AsyncStreamOperations
from facecv.entrypoints.client.asynchronous.system import AsyncSystemOperations
from facecv.entrypoints.client.asynchronous.work import AsyncWorkOperations


class AsyncClient(
    AsyncFaceOperations,
    AsyncGalleryOperations,
    AsyncWorkOperations,
    AsyncStreamOperations,
    AsyncSystemOperations,
):
    """A client of ``facecv serve``. For one event loop.

    Options are those of the service, by their names there. Methods raise what the server answers,
    as the class of `facecv.core.errors` that it is, and `ServiceError` where it cannot be reached.
    """
