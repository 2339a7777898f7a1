"""``facecv identify``: who is in pictures?"""

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from facecv.core.liveness import ATTRIBUTE, LIVE
from facecv.entrypoints.cli import options, pictures, shapes, tables
from facecv.entrypoints.cli.drawing import drawing
from facecv.entrypoints.cli.errors import EPILOG, leave
from facecv.entrypoints.cli.inputs import find_sources
from facecv.entrypoints.cli.invocation import Invocation, pass_invocation
from facecv.entrypoints.cli.metadata import KEY_VALUE, as_metadata
from facecv.entrypoints.cli.options import Form

if TYPE_CHECKING:
    from facecv.core.gallery import MetadataValue
    from facecv.core.ports.annotator import Label, Tone
    from facecv.entrypoints.api import Identified

_COLORS = {"match": "green", "ambiguous": "yellow", "unknown": "red"}

decision_options = options.stacked(
    click.option(
        "--threshold",
        type=click.FloatRange(-1, 1),
        metavar="COSINE",
        panel="Decision",
        help="Similarity that is needed, instead of the collection's or the model's.",
    ),
    click.option(
        "--margin",
        type=click.FloatRange(min=0),
        metavar="COSINE",
        panel="Decision",
        help="The best two persons closer than this are ambiguous.",
    ),
    options.liveness_option(
        "liveness.identification",
        "Decision",
        "Whether a face must be live to be answered; observe only tells.",
    ),
    options.setting(
        "--top-k",
        key="recognition.top_k",
        panel="Decision",
        type=click.IntRange(min=1),
        metavar="N",
        help="The most candidates for a face.",
    ),
    click.option(
        "--where",
        type=KEY_VALUE,
        multiple=True,
        panel="Decision",
        help="Only persons whose metadata says so; may be repeated.",
    ),
)


@click.command(epilog=EPILOG)
@options.sources_argument
@decision_options
@options.form_options
@options.draw_option
@options.gallery_options
@options.detection_options
@options.model_options
@options.attribute_option
@options.general_options
@pass_invocation
def identify(
    invocation: Invocation,
    *,
    sources: tuple[str, ...],
    threshold: float | None,
    margin: float | None,
    where: "tuple[tuple[str, MetadataValue], ...]",
    form: Form,
    draw: Path | None,
) -> None:
    """Say who is in pictures, among the persons enrolled in a collection.

    A face is a match, ambiguous (two persons are about equally alike) or unknown. Exits with 1 if
    no face is a match. With --liveness enforce, faces that are not live are left out; a picture
    that has no other fails.
    """
    from facecv.core.services.identify import IdentifyOptions

    found = find_sources(sources)
    engine = invocation.engine(pictures=len(found))
    gallery = engine.gallery()
    gallery.info()  # a collection that is not there is said before any model loads
    top_k = engine.config.recognition.top_k
    decide = IdentifyOptions(top_k, threshold, margin, as_metadata(where))
    task = pictures.Task(
        look=lambda image: gallery.identify(image, decide),
        shape=lambda one: shapes.identified_shape(one.face, one.identification),
        columns=("box", "who", "similarity", "status"),
        cells=_cells,
        label=_label,
        is_hit=lambda one: one.identification.status == "match",
    )
    leave(pictures.run(invocation, found, task, form, drawing(engine, draw, found)))


def _cells(one: "Identified") -> tuple[object, ...]:
    who = one.identification
    status = tables.styled(who.status, _COLORS[who.status])
    said = one.face.attributes.get(ATTRIBUTE)
    if said and said.value != LIVE:
        status = tables.styled(f"{who.status}, {tables.attribute_text(ATTRIBUTE, said)}", "red")
    return tables.box_text(one.face.box), _names(one) or "-", tables.number(who.best), status


def _names(one: "Identified") -> str:
    """Return the person, or those who are about equally alike; empty for an unknown face."""
    who = one.identification
    if who.person:
        return who.person.name
    return " or ".join(match.person.name for match in who.matches[:2])


def _label(one: "Identified") -> "Label":
    from facecv.core.ports.annotator import Label

    tones: dict[str, Tone] = {"match": "good", "ambiguous": "doubtful", "unknown": "bad"}
    status, best = one.identification.status, one.identification.best
    similarity = "" if best is None or status == "unknown" else f" {best:.2f}"
    text = f"{_names(one) or 'unknown'}{similarity}"
    return Label(one.face.detection, text, tones[status])
