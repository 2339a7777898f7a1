"""Options of detection, as every request that looks at pictures may give them."""

from typing import Annotated, Literal

import attrs
import msgspec
from msgspec import Meta

from facecv.core.errors import InputError
from facecv.core.ports.detector import DetectorOptions, Passes
from facecv.core.services.find import FindOptions, Order, Rotate
from facecv.entrypoints.api import Engine
from facecv.entrypoints.http.packs import check_reference
from facecv.entrypoints.server_config import LimitsConfig

_Share = Annotated[float, Meta(ge=0, le=1)]
_Pixels = Annotated[float, Meta(ge=0, le=100_000)]
_Count = Annotated[int, Meta(ge=0, le=100_000)]
_Model = Annotated[str, Meta(max_length=300)]
_SMALLEST_TILE = 160
_OF_DETECTOR = frozenset(field.name for field in attrs.fields(DetectorOptions))


class FindFields(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Which faces to find, and how; what is left out is as the server is configured.

    Attributes:
        score_threshold: least confidence of a face, 0..1.
        nms_threshold: overlap from which two boxes are one face, 0..1.
        input_size: longer side, in pixels, at which the network sees the picture.
        passes: `auto` looks once more for faces that fill the picture.
        padding: `square` pads as the insightface package does.
        min_face: leave out faces with a shorter side, pixels.
        max_face: leave out faces with a longer side, pixels; 0: no limit.
        max_faces: the most faces; 0: as many as the server allows.
        order: which faces come first.
        tile: search larger pictures in tiles of that side too; 0: no tiles.
        rotate: `auto` turns a picture in which no face is found.
    """

    score_threshold: _Share | None = None
    nms_threshold: _Share | None = None
    input_size: Annotated[int, Meta(ge=32, le=4096)] | None = None
    passes: Passes | None = None
    padding: Literal["rectangle", "square"] | None = None
    min_face: _Pixels | None = None
    max_face: _Pixels | None = None
    max_faces: _Count | None = None
    order: Order | None = None
    tile: _Count | None = None
    rotate: Rotate | None = None

    def options(self, base: FindOptions, limits: LimitsConfig) -> FindOptions:
        """Return `base` with what the request says laid over it, within the limits.

        Raises:
            InputError: the tiles are too small.
        """
        own = {name: getattr(self, name) for name in FindFields.__struct_fields__}
        said = {name: value for name, value in own.items() if value is not None}
        detector = {name: said.pop(name) for name in _OF_DETECTOR & said.keys()}
        if detector:
            said["detector"] = attrs.evolve(base.detector, **detector)
        most = said.pop("max_faces", base.max_faces) or limits.faces
        found = attrs.evolve(base, **said, max_faces=min(most, limits.faces))
        if 0 < found.tile < _SMALLEST_TILE:
            raise InputError(f"tiles of {found.tile} pixels: {_SMALLEST_TILE} are the least")
        return found


class LookFields(FindFields, kw_only=True):
    """Which models look, where the request says so.

    Attributes:
        detector: name of a detector, or `PACK/MODEL`; the default one if left out.
        embedder: name of an embedder, or `PACK/MODEL`; the default one if left out.
    """

    detector: _Model | None = None
    embedder: _Model | None = None

    def engine(self, engine: Engine) -> Engine:
        """Return the engine with the models that the request names.

        Raises:
            InputError: it names a file.
        """
        if not (self.detector or self.embedder):
            return engine
        for name in (self.detector, self.embedder):
            check_reference(engine, name or "")
        return engine.using(detector=self.detector or "", embedder=self.embedder or "")
