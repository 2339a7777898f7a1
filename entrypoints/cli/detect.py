"""``facecv detect`` and ``facecv analyze``: what is in pictures."""

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from facecv.entrypoints.cli import options, pictures, shapes, tables
from facecv.entrypoints.cli.drawing import drawing
from facecv.entrypoints.cli.errors import EPILOG, leave
from facecv.entrypoints.cli.inputs import find_sources
from facecv.entrypoints.cli.invocation import Invocation, pass_invocation
from facecv.entrypoints.cli.options import Form

if TYPE_CHECKING:
    from collections.abc import Mapping

    from facecv.core.attributes import AttributeValue
    from facecv.core.face import Face
    from facecv.core.ports.annotator import Label


@click.command(epilog=EPILOG)
@options.sources_argument
@options.form_options
@options.draw_option
@options.detection_options
@options.model_options
@options.general_options
@pass_invocation
def detect(invocation: Invocation, sources: tuple[str, ...], form: Form, draw: Path | None) -> None:
    """Find the faces of pictures: boxes, landmarks, confidence, quality."""
    found = find_sources(sources)
    engine = invocation.engine(pictures=len(found))
    task = pictures.Task(
        look=engine.detect,
        shape=shapes.face_shape,
        columns=("box", "score", "quality"),
        cells=face_cells,
        label=face_label,
    )
    leave(pictures.run(invocation, found, task, form, drawing(engine, draw, found)))


@click.command(epilog=EPILOG)
@options.sources_argument
@options.form_options
@options.draw_option
@options.detection_options
@options.model_options
@options.attribute_option
@click.option(
    "--only",
    multiple=True,
    metavar="NAME",
    panel="Output",
    help="Tell this attribute and no other (age, pose, …); may be repeated.",
)
@options.general_options
@pass_invocation
def analyze(
    invocation: Invocation,
    *,
    sources: tuple[str, ...],
    only: tuple[str, ...],
    form: Form,
    draw: Path | None,
) -> None:
    """Tell everything about the faces of pictures: attributes, parts of quality, embeddings."""
    from facecv.core.services.analyse import Want

    found = find_sources(sources)
    engine = invocation.engine(pictures=len(found))
    want = Want(embedding=form != "table", attributes=frozenset(only) or None)
    task = pictures.Task(
        look=lambda image: engine.analyze(image, want),
        shape=shapes.analyzed_shape,
        columns=("box", "score", "quality", "what"),
        cells=lambda face: (*face_cells(face), _what(face)),
        label=_described_label,
    )
    leave(pictures.run(invocation, found, task, form, drawing(engine, draw, found)))


def face_cells(face: "Face") -> tuple[object, ...]:
    """Return box, score and quality of a face for a table."""
    return tables.box_text(face.box), f"{face.score:.2f}", tables.quality_cell(face)


def face_label(face: "Face") -> "Label":
    """Return a face with its score, to be drawn."""
    from facecv.core.ports.annotator import Label

    return Label(face.detection, f"{face.score:.2f}")


def _described_label(face: "Face") -> "Label":
    from facecv.core.ports.annotator import Label

    words = {name: value for name, value in face.attributes.items() if _is_short(value)}
    return Label(face.detection, _attributes_text(words) or f"{face.score:.2f}")


def _what(face: "Face") -> str:
    """Return the attributes, and the parts of the quality that are weak."""
    import attrs

    parts = attrs.asdict(face.quality) if face.quality else {}
    weak = [f"low {name}" for name, part in parts.items() if part < 0.25]
    return tables.joined([_attributes_text(face.attributes), *weak])


def _attributes_text(attributes: "Mapping[str, AttributeValue]") -> str:
    return tables.joined([tables.attribute_text(name, value) for name, value in attributes.items()])


def _is_short(attribute: "AttributeValue") -> bool:
    """Return whether an attribute is for a label on a picture: a firm word or number."""
    return isinstance(attribute.value, str | float) and not attribute.reason
