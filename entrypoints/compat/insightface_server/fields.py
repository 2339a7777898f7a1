"""What requests to InsightFace Server carry."""

from typing import Annotated, Any, Literal

import attrs
import msgspec
from msgspec import UNSET, Meta, UnsetType

from facecv.core.services.find import FindOptions, Order

Selection = Literal["largest", "center_largest"]
Review = Literal["off", "standard", "strict"]
_Share = Annotated[float, Meta(ge=0, le=1)]
_Text = Annotated[str, Meta(max_length=200)]
_Id = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
_Name = Annotated[str, Meta(min_length=1, max_length=200)]
_Description = Annotated[str, Meta(max_length=2000)]
_Side = Annotated[int, Meta(ge=32, le=2048)]
_Sizes = Annotated[list[tuple[_Side, _Side]], Meta(min_length=1, max_length=4)]
_Rows = Annotated[int, Meta(ge=1, le=2**63 - 1)]
_Faces = Annotated[int, Meta(ge=1, le=1_000_000)]


class DetectionFields(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """How faces are found in pictures for a collection; what is left out is as configured here.

    Attributes:
        input_sizes: [width, height] of the looks of the detector; here the largest side counts.
        threshold: least confidence of a face.
        nms_threshold: overlap from which two boxes are one face.
        single_face_selection: which face counts where there are several.
    """

    input_sizes: _Sizes | UnsetType = UNSET
    threshold: _Share | UnsetType = UNSET
    nms_threshold: _Share | UnsetType = UNSET
    single_face_selection: Selection | UnsetType = UNSET


class SearchSettings(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """How much a collection may hold; the load policy is only kept."""

    capacity_rows: _Rows | UnsetType = UNSET
    max_faces_per_person: _Faces | UnsetType = UNSET
    load_policy: Literal["eager", "lazy"] | UnsetType = UNSET


class NewSearchSettings(SearchSettings):
    """With the precision of stored embeddings: ours are always float32."""

    profile: Literal["fp32_v1"] | UnsetType = UNSET


class NewCollection(msgspec.Struct, forbid_unknown_fields=True):
    """A collection to make."""

    id: _Id
    name: _Name
    description: _Description = ""
    threshold: _Share | None = None
    save_face_crops: bool | None = None
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)
    detection: DetectionFields = msgspec.field(default_factory=DetectionFields)
    search: NewSearchSettings = msgspec.field(default_factory=NewSearchSettings)


class CollectionChange(msgspec.Struct, forbid_unknown_fields=True):
    """What to change; null is refused."""

    name: _Name | UnsetType = UNSET
    description: _Description | UnsetType = UNSET
    threshold: _Share | UnsetType = UNSET
    save_face_crops: bool | UnsetType = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET
    detection: DetectionFields | UnsetType = UNSET
    search: SearchSettings | UnsetType = UNSET


class PhotoFields(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """How photos are taken in.

    Attributes:
        review_mode: `off` takes the face that counts; `standard` wants exactly one, of our standard
            quality; `strict` one that is not somebody else's too.
        embedding_mode: who embeds; `external_trusted`: the client.
        external_embeddings: then one vector a photo, as JSON.
        embedding_contract_id: then that of the collection.
    """

    review_mode: Review = "off"
    embedding_mode: Literal["server", "external_trusted"] = "server"
    external_embeddings: str | None = None
    embedding_contract_id: Annotated[str, Meta(max_length=256)] | None = None


class PersonFields(PhotoFields, kw_only=True):
    """Somebody to enrol."""

    id: _Id | None = None
    name: _Text | None = None
    external_id: _Text | None = None
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)


class PersonChange(msgspec.Struct, forbid_unknown_fields=True):
    """What to change; null takes a name or an external id away."""

    name: _Text | UnsetType | None = UNSET
    external_id: _Text | UnsetType | None = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET


class LookFields(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Whose settings of detection count: those of a collection, if one is named."""

    collection_id: _Text | None = None


class DetectFields(LookFields, kw_only=True):
    """The fields of ``detect`` beside the picture."""

    max_faces: Annotated[int, Meta(ge=1, le=100)] | None = None


class CompareFields(LookFields, kw_only=True):
    """The fields of ``compare`` beside the pictures."""

    threshold: _Share | None = None


class SearchFields(msgspec.Struct, forbid_unknown_fields=True):
    """The fields of ``search`` beside the picture."""

    limit: Annotated[int, Meta(ge=1, le=100)] = 5
    threshold: _Share | None = None


def many_faces(profile: DetectionFields, base: FindOptions, most: int) -> FindOptions:
    """Return options that find up to `most` faces, the largest first."""
    said: dict[str, Any] = {}
    if not isinstance(profile.input_sizes, UnsetType):
        said["input_size"] = max(max(size) for size in profile.input_sizes)
    if not isinstance(profile.threshold, UnsetType):
        said["score_threshold"] = profile.threshold
    if not isinstance(profile.nms_threshold, UnsetType):
        said["nms_threshold"] = profile.nms_threshold
    detector = attrs.evolve(base.detector, **said)
    return attrs.evolve(base, detector=detector, order="area", max_faces=most)


def one_face(profile: DetectionFields, base: FindOptions) -> FindOptions:
    """Return options that find the one face that counts."""
    central = profile.single_face_selection == "center_largest"
    order: Order = "prominent" if central else "area"
    return attrs.evolve(many_faces(profile, base, 1), order=order)
