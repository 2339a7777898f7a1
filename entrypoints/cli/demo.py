"""``facecv demo``: the whole job on photos that come with installed packages."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import rich_click as click

from facecv.entrypoints.cli import options, output, tables
from facecv.entrypoints.cli.errors import DONE, EPILOG, NEGATIVE, leave
from facecv.entrypoints.cli.invocation import Invocation, pass_invocation
from facecv.entrypoints.cli.options import Form
from facecv.entrypoints.cli.shapes import Shape

if TYPE_CHECKING:
    from rich.table import Table

    from facecv.core.arrays import Pixels
    from facecv.core.gallery import Identification
    from facecv.core.image import Image
    from facecv.core.ports.annotator import Label, Tone
    from facecv.entrypoints.api import Engine, Gallery, Identified
    from facecv.entrypoints.cli.demo_photos import DemoPhoto

_COLLECTION = "demo"


@attrs.frozen(eq=False)
class Answer:
    """Who the engine says is in a photo.

    Attributes:
        photo: the photo.
        found: its largest face and who that is; None where no face was found.
        detect: seconds that finding the faces took.
        embed: seconds that aligning and embedding them took.
    """

    photo: "DemoPhoto"
    found: "Identified | None"
    detect: float
    embed: float

    @property
    def who(self) -> "Identification | None":
        """The answer of the gallery, if there was a face to ask about."""
        return self.found.identification if self.found else None

    @property
    def name(self) -> str:
        """The person who was recognised; empty for nobody."""
        person = self.who.person if self.who else None
        return person.name if person else ""

    @property
    def words(self) -> str:
        """The answer for people."""
        return self.name or (self.who.status if self.who else "no face")

    @property
    def ok(self) -> bool:
        """Whether it is right; of a stranger, nobody must be recognised."""
        return self.name == self.photo.person


@click.command(epilog=EPILOG)
@click.option(
    "--out",
    type=options.FILE,
    default=Path("facecv-demo.jpg"),
    show_default=True,
    panel="Output",
    help="Where the annotated picture goes.",
)
@options.model_options
@options.form_options
@options.general_options
@pass_invocation
def demo(invocation: Invocation, *, out: Path, form: Form) -> None:
    """Enrol two persons, and know them again in altered photos.

    The photos come with scikit-image and matplotlib (pip install 'facecv[demo]'); nothing is
    downloaded, and nothing is kept but the annotated picture. Exits with 1 if an answer is wrong.
    """
    from facecv.entrypoints.cli.demo_photos import altered, contact_sheet, photos

    originals = photos()
    invocation.override("gallery", "memory")
    invocation.override("detection.rotate", "auto")
    invocation.override("detection.min_face", 30.0)
    engine = invocation.engine()
    loading = _load(engine)
    gallery = _enrol(engine, originals)
    answers: list[Answer] = []
    drawn: list[Pixels] = []
    for original in originals:
        for photo in (original, *altered(original)) if original.person else (original,):
            answers.append(_ask(engine, gallery, photo))
            drawn.append(_draw(engine, answers[-1]))
    output.write_file(out, engine.parts.annotator.encode(contact_sheet(drawn), out.suffix))
    if not output.write_record(form, _shape(engine, answers, loading, out)):
        _tell(engine, answers, loading, out)
    leave(DONE if all(answer.ok for answer in answers) else NEGATIVE)


def _load(engine: "Engine") -> float:
    """Load the models; return how many seconds that took."""
    start = time.perf_counter()
    engine.analyser.detector.get()
    engine.analyser.embedder.get()
    return time.perf_counter() - start


def _enrol(engine: "Engine", originals: "Sequence[DemoPhoto]") -> "Gallery":
    gallery = engine.gallery(_COLLECTION)
    for photo in originals:
        if photo.person:
            gallery.enroll(photo.person, _image(photo))
    return gallery


def _ask(engine: "Engine", gallery: "Gallery", photo: "DemoPhoto") -> Answer:
    from facecv.core.services.analyse import Want, largest
    from facecv.core.services.find import find_faces

    analyser, pixels = engine.analyser, photo.pixels
    start = time.perf_counter()
    found = find_faces(analyser.detector.get(), [pixels], analyser.find)[0]
    middle = time.perf_counter()
    faces = analyser.describe([(pixels, face) for face in found], Want(quality=False))
    end = time.perf_counter()
    face = largest([face for face in faces if face.embedding])
    identified = gallery.identify_faces([face])[0] if face else None
    return Answer(photo, identified, middle - start, (end - middle) / max(len(faces), 1))


def _draw(engine: "Engine", answer: Answer) -> "Pixels":
    return engine.draw(
        _image(answer.photo), [_label(answer.found, answer.words)] if answer.found else []
    )


def _label(found: "Identified", words: str) -> "Label":
    from facecv.core.ports.annotator import Label

    tones: dict[str, Tone] = {"match": "good", "ambiguous": "doubtful", "unknown": "bad"}
    best = found.identification.best
    text = words if best is None else f"{words} {best:.2f}"
    return Label(found.face.detection, text, tones[found.identification.status])


def _image(photo: "DemoPhoto") -> "Image":
    from facecv.core.image import Image

    return Image(photo.pixels, photo.title)


def _median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


def _shape(engine: "Engine", answers: Sequence[Answer], loading: float, out: Path) -> Shape:
    return {
        "ok": all(answer.ok for answer in answers),
        "pack": engine.parts.pack.name,
        "picture": str(out),
        "seconds": {
            "load": round(loading, 4),
            "detect": round(_median([answer.detect for answer in answers]), 4),
            "embed": round(_median([answer.embed for answer in answers]), 4),
        },
        "answers": [
            {
                "picture": answer.photo.title,
                "expected": answer.photo.person or None,
                "answer": answer.name or None,
                "status": answer.who.status if answer.who else "no face",
                "similarity": answer.who.best if answer.who else None,
                "ok": answer.ok,
            }
            for answer in answers
        ],
    }


def _tell(engine: "Engine", answers: Sequence[Answer], loading: float, out: Path) -> None:
    output.print_table(_table(answers))
    detect, embed = (
        1000 * _median(values)
        for values in ([a.detect for a in answers], [a.embed for a in answers])
    )
    right = sum(answer.ok for answer in answers)
    click.echo(f"\n{right} of {len(answers)} right, with {_models(engine)}")
    click.echo(
        f"models loaded in {loading:.2f} s; "
        f"a picture takes {detect:.0f} ms to detect, a face {embed:.0f} ms to embed (medians)"
    )
    click.echo(f"annotated picture: {out}")


def _models(engine: "Engine") -> str:
    detector, embedder = engine.analyser.detector, engine.analyser.embedder
    return f"{detector.blueprint.name} and {embedder.blueprint.name} of {engine.parts.pack.name}"


def _table(answers: Sequence[Answer]) -> "Table":
    made = tables.table("picture", "expected", "answer", "similarity", "ok")
    for answer in answers:
        tables.add_row(
            made,
            answer.photo.title,
            answer.photo.person or "nobody",
            answer.words,
            tables.number(answer.who.best if answer.who else None),
            tables.styled("yes", "green") if answer.ok else tables.styled("NO", "bold red"),
        )
    return made
