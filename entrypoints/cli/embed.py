"""``facecv embed``: faces as vectors."""

import io
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import rich_click as click

from facecv.core.errors import InputError
from facecv.entrypoints.cli import options, pictures, shapes, tables
from facecv.entrypoints.cli.detect import face_label
from facecv.entrypoints.cli.drawing import drawing
from facecv.entrypoints.cli.errors import EPILOG, leave
from facecv.entrypoints.cli.inputs import find_sources
from facecv.entrypoints.cli.invocation import Invocation, pass_invocation
from facecv.entrypoints.cli.options import Form
from facecv.entrypoints.cli.output import write_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from facecv.core.face import Face
    from facecv.core.image import Image
    from facecv.entrypoints.api import Engine


@click.command(epilog=EPILOG)
@options.sources_argument
@click.option(
    "--out",
    type=options.FILE,
    metavar="FILE.npz",
    panel="Output",
    help="Write a NumPy archive: vectors, norms, boxes, scores, sources, space.",
)
@options.form_options
@options.draw_option
@options.detection_options
@options.model_options
@options.general_options
@pass_invocation
def embed(
    invocation: Invocation,
    *,
    sources: tuple[str, ...],
    out: Path | None,
    form: Form,
    draw: Path | None,
) -> None:
    """Turn the faces of pictures into vectors of length one.

    Faces without landmarks have none. Only vectors of one space may be compared.
    """
    if out and out.suffix != ".npz":
        raise click.UsageError(f"--out {out}: the name must end in .npz")
    found = find_sources(sources)
    collector = _Collector(invocation.engine(pictures=len(found)))
    task = pictures.Task(
        look=collector.look,
        keep=collector.keep,
        shape=shapes.embedded_shape,
        columns=("box", "score", "norm", "space"),
        cells=_cells,
        label=face_label,
        is_hit=lambda face: face.embedding is not None,
    )
    code = pictures.run(invocation, found, task, form, drawing(collector.engine, draw, found))
    if out:
        write_file(out, collector.archive())
    leave(code)


def _cells(face: "Face") -> tuple[object, ...]:
    box, score = tables.box_text(face.box), f"{face.score:.2f}"
    if face.embedding is None:
        return box, score, "-", "no landmarks"
    return box, score, f"{face.embedding.norm:.1f}", tables.space_text(face.embedding.space)


@attrs.frozen(eq=False)
class _Collector:
    """Looks at pictures and keeps the embeddings."""

    engine: "Engine"
    _found: "list[tuple[str, Face]]" = attrs.field(factory=list, init=False)

    def look(self, image: "Image") -> "list[Face]":
        from facecv.core.services.analyse import Want

        return self.engine.analyze(image, Want())

    def keep(self, image: "Image", faces: "Sequence[Face]") -> None:
        self._found.extend((image.source, face) for face in faces if face.embedding)

    def archive(self) -> bytes:
        """Return the content of an ``.npz`` file; raise `InputError` if there is nothing."""
        import numpy as np

        embeddings = [face.embedding for _, face in self._found if face.embedding]
        if not embeddings:
            raise InputError("no face was embedded: there is nothing to write")
        content = io.BytesIO()
        np.savez(
            content,
            vectors=np.stack([embedding.vector for embedding in embeddings]),
            norms=np.array([embedding.norm for embedding in embeddings], dtype=np.float32),
            boxes=np.array([face.box.as_tuple() for _, face in self._found], dtype=np.float32),
            scores=np.array([face.score for _, face in self._found], dtype=np.float32),
            sources=np.array([source for source, _ in self._found]),
            space=np.array(str(embeddings[0].space)),
        )
        return content.getvalue()
