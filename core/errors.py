"""Every error the engine raises on purpose.

One root, seven families, and a stable ``code`` a class, so that the command line can turn a family
into an exit code and an HTTP service can turn it into a status. Each message says what was wrong;
``hint`` says what to do about it.
"""

from collections.abc import Mapping
from typing import ClassVar


class FaceCVError(Exception):
    """Root of all errors raised by the engine.

    Attributes:
        code: a stable identifier of the kind of error.
        message: what was wrong.
        hint: what to do about it; may be empty.
        details: machine-readable facts about the error (never an image, a vector or a secret).
    """

    code: ClassVar[str] = "error"

    def __init__(
        self, message: str, *, hint: str = "", details: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details: Mapping[str, object] = dict(details or {})

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class ConfigurationError(FaceCVError, ValueError):
    """A setting is unknown, has the wrong type, or contradicts another."""

    code = "configuration"


class InputError(FaceCVError, ValueError):
    """What the caller handed in cannot be used."""

    code = "invalid-input"


class ImageNotFoundError(InputError):
    """There is no picture at the given place."""

    code = "image-not-found"


class ImageDecodeError(InputError):
    """The bytes are not a picture that can be decoded."""

    code = "image-decode"


class ImageTooLargeError(InputError):
    """The picture has more bytes or pixels than the limits allow."""

    code = "image-too-large"


class ImageFetchError(InputError):
    """A picture could not be fetched from its URL."""

    code = "image-fetch"


class SourceError(InputError):
    """A video or camera cannot be opened or read."""

    code = "source"


class SinkError(InputError):
    """Events or pictures cannot be written to the place that was named."""

    code = "sink"


class FaceNotFoundError(InputError):
    """An operation that cannot go on without a face got a picture that has none."""

    code = "face-not-found"


class QualityError(InputError):
    """A face does not pass the quality gate; ``details["failed"]`` names the parts."""

    code = "low-quality"


class LivenessError(InputError):
    """A face does not pass the liveness gate; ``details["reason"]`` says why it was not judged."""

    code = "not-live"


class ModelError(FaceCVError):
    """A model or a model pack is missing, damaged or not what it claims to be."""

    code = "model"


class ModelNotFoundError(ModelError, LookupError):
    """No pack, model or file goes by the given name."""

    code = "model-not-found"


class ManifestError(ModelError):
    """A pack manifest cannot be read."""

    code = "manifest"


class IntegrityError(ModelError):
    """A file does not have the size or digest that its manifest states."""

    code = "integrity"


class DownloadError(ModelError):
    """A file could not be downloaded."""

    code = "download"


class ModelSignatureError(ModelError):
    """The inputs or outputs of a network are not those of the family it was loaded as."""

    code = "model-signature"


class ModelInUseError(ModelError):
    """The files of a model cannot go while the model is in use."""

    code = "model-in-use"


class EmbeddingSpaceError(ModelError):
    """Embeddings of two different spaces were about to be compared."""

    code = "embedding-space"


class GalleryError(FaceCVError):
    """A gallery refused an operation."""

    code = "gallery"


class CollectionNotFoundError(GalleryError, LookupError):
    """The gallery has no collection of that name."""

    code = "collection-not-found"


class PersonNotFoundError(GalleryError, LookupError):
    """The collection has no such person."""

    code = "person-not-found"


class FaceRecordNotFoundError(GalleryError, LookupError):
    """The collection has no such face."""

    code = "face-record-not-found"


class StrangerNotFoundError(GalleryError, LookupError):
    """No stranger who is still unknown goes by that id."""

    code = "stranger-not-found"


class AlreadyExistsError(GalleryError):
    """A collection, person or face with that identity is already there."""

    code = "already-exists"


class CropsMissingError(GalleryError):
    """Faces would have to be embedded anew, and their crops were not kept."""

    code = "crops-missing"


class KnownFaceError(AlreadyExistsError):
    """A face is enrolled already, as somebody else's or from the same photo."""

    code = "known-face"


class NotEmptyError(GalleryError):
    """A collection that still has persons was about to be deleted."""

    code = "not-empty"


class GallerySchemaError(GalleryError):
    """The gallery file was written by a newer version, or is not a gallery."""

    code = "gallery-schema"


class GalleryKeyError(GalleryError):
    """What the gallery keeps is encrypted, and not with the key at hand."""

    code = "gallery-key"


class PluginError(FaceCVError):
    """A plugin is missing, broken, or clashes with another."""

    code = "plugin"


class UnknownProviderError(PluginError, LookupError):
    """No plugin registered anything under that name."""

    code = "unknown-provider"


class DuplicateProviderError(PluginError):
    """Two plugins registered the same name for the same port."""

    code = "duplicate-provider"


class BackendError(FaceCVError):
    """An inference backend cannot do what was asked."""

    code = "backend"


class RuntimeMissingError(BackendError):
    """The package an adapter needs is not installed."""

    code = "runtime-missing"


class RuntimeConflictError(BackendError):
    """Two packages that exclude each other are installed together."""

    code = "runtime-conflict"


class DeviceUnavailableError(BackendError):
    """The device that was asked for cannot be used."""

    code = "device-unavailable"


class PlacementError(BackendError):
    """A device would leave operators that take time to the CPU."""

    code = "placement"


class InferenceError(BackendError):
    """A network failed while it ran."""

    code = "inference"


class ServiceError(FaceCVError):
    """A server refuses a request, whatever is in it."""

    code = "service"


class OverloadedError(ServiceError):
    """Too much work waits; ``details["retry_after"]``: come back in so many seconds."""

    code = "overloaded"


class NotReadyError(ServiceError):
    """Models are still loading, or cannot be loaded."""

    code = "not-ready"


class TimeLimitError(ServiceError, TimeoutError):
    """The work took longer than a request may take."""

    code = "time-limit"


class UnauthorizedError(ServiceError):
    """A key is needed, and the one that came, if any, is not valid."""

    code = "unauthorized"


class ForbiddenError(ServiceError, PermissionError):
    """The key is valid and does not allow this."""

    code = "forbidden"


class JobNotFoundError(ServiceError, LookupError):
    """There is no such job, or its result was not kept any longer."""

    code = "job-not-found"


class JobLostError(JobNotFoundError):
    """The job was of a process that has ended; nothing of it is left."""

    code = "job-lost"


class StreamNotFoundError(ServiceError, LookupError):
    """There is no such stream."""

    code = "stream-not-found"


class StreamExistsError(ServiceError):
    """Another stream has that name, or there are as many streams as there may be."""

    code = "stream-exists"
