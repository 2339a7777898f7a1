"""Examples for the OpenAPI document, of the shapes that several routes answer with."""

from facecv.entrypoints.http.shapes import (
    AttributeShape,
    BoxShape,
    EmbeddingShape,
    FaceShape,
    ImageShape,
    NormalizedBox,
    PixelBox,
    QualityShape,
    SpaceShape,
)

IMAGE = ImageShape(640, 480)
_BOX = BoxShape(
    PixelBox(210.5, 96.25, 128.0, 160.0), NormalizedBox(0.328906, 0.200521, 0.2, 0.333333)
)
_POINTS = [[242.1, 160.3], [301.7, 158.9], [272.4, 194.2], [249.8, 224.6], [297.3, 223.1]]
EMBEDDING = EmbeddingShape(
    [0.6, 0.0, 0.8, 0.0], SpaceShape("embed_nano", 4, "9f2b…", "arcface-112-rgb"), 21.4
)
"""Of four dimensions, for short."""

DETECTED = FaceShape(_BOX, 0.9712, _POINTS, QualityShape(0.83, 0.9, 1.0, 0.95, 0.8, 1.0, 0.9))
EMBEDDED = FaceShape(_BOX, 0.9712, _POINTS, DETECTED.quality, EMBEDDING)
ANALYZED = FaceShape(
    _BOX,
    0.9712,
    _POINTS,
    DETECTED.quality,
    EMBEDDING,
    {
        "age": AttributeShape(34.0, "attributes_nano"),
        "gender": AttributeShape("female", "attributes_nano", 0.93, {"female": 0.93, "male": 0.07}),
    },
)
