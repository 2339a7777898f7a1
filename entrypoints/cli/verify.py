"""``facecv verify``: are two pictures of one person?"""

from typing import TYPE_CHECKING

import rich_click as click

from facecv.core.errors import ConfigurationError
from facecv.entrypoints.cli import options, output, tables
from facecv.entrypoints.cli.errors import DONE, EPILOG, NEGATIVE, leave
from facecv.entrypoints.cli.inputs import Source, find_sources
from facecv.entrypoints.cli.invocation import Invocation, pass_invocation
from facecv.entrypoints.cli.options import Form
from facecv.entrypoints.cli.shapes import Shape, face_shape

if TYPE_CHECKING:
    from facecv.core.face import Face
    from facecv.core.pack import RecognitionSpec
    from facecv.core.services.verify import Verification


@click.command(epilog=EPILOG)
@click.argument(
    "one", panel="What", help="A picture: a path, an http(s) URL, or - for the standard input."
)
@click.argument("other", panel="What", help="Another one.")
@click.option(
    "--threshold",
    type=click.FloatRange(-1, 1),
    metavar="COSINE",
    panel="Decision",
    help="Similarity that is needed, instead of the model's own.",
)
@click.option(
    "--far",
    type=float,
    metavar="RATE",
    panel="Decision",
    help="Use the threshold that the model states for this false-accept rate, such as 1e-4.",
)
@options.form_options
@options.detection_options
@options.model_options
@options.general_options
@pass_invocation
def verify(
    invocation: Invocation,
    *,
    one: str,
    other: str,
    threshold: float | None,
    far: float | None,
    form: Form,
) -> None:
    """Compare the largest faces of two pictures.

    Exits with 0 if they are the same person, with 1 if they are not or a face is missing.
    """
    sources = [_single(one), _single(other)]
    if "-" == one == other:
        raise click.UsageError("the standard input can be read once only")
    engine = invocation.engine()
    if far is not None:
        threshold = threshold_for(engine.analyser.embedder.recognition, far)
    images = [source.read(engine) for source in sources]
    answer = engine.verify(*images, threshold=threshold)
    stated = answer.far if far is None else far
    if not output.write_record(form, _shape(answer, sources, stated)):
        _tell(answer, sources, stated)
    leave(DONE if answer.match else NEGATIVE)


def threshold_for(recognition: "RecognitionSpec", far: float) -> float:
    """Return the similarity that a model's manifest states for a false-accept rate.

    Raises:
        ConfigurationError: the manifest does not know that rate.
    """
    known = {point.far: point.similarity for point in recognition.points}
    if recognition.far is not None:
        known[recognition.far] = recognition.threshold
    for rate, similarity in known.items():
        if abs(rate - far) < 1e-3 * rate:
            return similarity
    rates = ", ".join(f"{rate:g}" for rate in sorted(known)) or "none"
    raise ConfigurationError(
        f"the model states no threshold for a false-accept rate of {far:g}",
        hint=f"it knows {rates}; or use --threshold",
    )


def _single(text: str) -> Source:
    found = find_sources([text])
    if len(found) > 1:
        raise click.UsageError(f"{text} stands for {len(found)} pictures; verify compares two")
    return found[0]


def _shape(answer: "Verification", sources: list[Source], far: float | None) -> Shape:
    faces = [
        None if face is None else {"source": source.name} | face_shape(face)
        for source, face in zip(sources, answer.faces, strict=True)
    ]
    similarity = answer.similarity
    return {
        "match": answer.match,
        "similarity": None if similarity is None else round(similarity, 6),
        "threshold": answer.threshold,
        "far": far,
        "missing": [sources[index].name for index in answer.missing],
        "faces": faces,
    }


def _tell(answer: "Verification", sources: list[Source], far: float | None) -> None:
    table = tables.table("picture", "box", "score", "quality")
    for source, face in zip(sources, answer.faces, strict=True):
        tables.add_row(table, output.shown_path(source.name), *_cells(face))
    output.print_table(table)
    click.echo(_verdict(answer, far))


def _cells(face: "Face | None") -> tuple[object, ...]:
    if face is None:
        return "no face", "", ""
    return tables.box_text(face.box), f"{face.score:.2f}", tables.quality_cell(face)


def _verdict(answer: "Verification", far: float | None) -> str:
    if answer.similarity is None:
        return click.style("no answer", fg="yellow", bold=True) + ": a face is missing"
    color, words = ("green", "same person") if answer.match else ("red", "different persons")
    sign = "≥" if answer.match else "<"
    rate = "" if far is None else f", false-accept rate {far:g}"
    verdict = click.style(words, fg=color, bold=True)
    return f"{verdict}: similarity {answer.similarity:.3f} {sign} {answer.threshold:.3f}{rate}"
