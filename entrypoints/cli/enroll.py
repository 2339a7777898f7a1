"""``facecv enroll``: photos become persons of a collection."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import rich_click as click

from facecv.core.errors import CollectionNotFoundError, FaceCVError, GalleryError, InputError
from facecv.core.liveness import ATTRIBUTE, LIVE
from facecv.entrypoints.cli import options, output, tables
from facecv.entrypoints.cli.errors import DONE, EPILOG, INPUT, leave, show_error
from facecv.entrypoints.cli.inputs import STDIN, Source, find_sources, is_picture, pictures_in
from facecv.entrypoints.cli.invocation import Invocation, pass_invocation
from facecv.entrypoints.cli.metadata import KEY_VALUE, as_metadata
from facecv.entrypoints.cli.options import Form
from facecv.entrypoints.cli.shapes import Shape, error_shape, person_shape, photo_shape

if TYPE_CHECKING:
    from rich.table import Table

    from facecv.core.gallery import Metadata, MetadataValue
    from facecv.core.services.enrol import Enrolment
    from facecv.entrypoints.api import Gallery


@attrs.frozen
class Candidate:
    """Somebody to enrol."""

    name: str
    photos: tuple[Source, ...]


@attrs.frozen(eq=False)
class Desk:
    """Enrols one person at a time, with the same options for all."""

    gallery: "Gallery"
    metadata: "Metadata"
    skip_bad: bool
    store_crops: bool

    def enrol(self, candidate: Candidate) -> "Enrolment":
        """Enrol a person, all or nothing; raises `InputError` or `GalleryError`."""
        engine = self.gallery.engine
        return self.gallery.enroll(
            candidate.name,
            [s.read(engine) if s.location == STDIN else s.location for s in candidate.photos],
            metadata=self.metadata,
            skip_bad=self.skip_bad,
            store_crops=self.store_crops,
        )


@click.command(epilog=EPILOG)
@options.sources_argument
@click.option(
    "--name", metavar="NAME", panel="Person", help="All photos given are of this one person."
)
@click.option(
    "--metadata",
    "-m",
    type=KEY_VALUE,
    multiple=True,
    panel="Person",
    help="A fact about persons who are new; may be repeated.",
)
@options.setting(
    "--quality",
    key="quality",
    panel="Person",
    type=click.Choice(options.GATES),
    help="How good a face must be.",
)
@options.liveness_option(
    "liveness.enrolment", "Person", "Whether a face must be live; observe only tells."
)
@click.option(
    "--skip-bad",
    is_flag=True,
    panel="Person",
    help="Leave out photos that cannot be used, instead of the whole person.",
)
@click.option(
    "--store-crops",
    is_flag=True,
    panel="Person",
    help="Keep the aligned faces, if this makes the collection.",
)
@options.form_options
@options.gallery_options
@options.detection_options
@options.model_options
@options.attribute_option
@options.general_options
@pass_invocation
def enroll(
    invocation: Invocation,
    *,
    sources: tuple[str, ...],
    name: str | None,
    metadata: "tuple[tuple[str, MetadataValue], ...]",
    skip_bad: bool,
    store_crops: bool,
    form: Form,
) -> None:
    """Add persons to a collection: a folder for each, or photos of one with --name.

    The largest face of a photo counts. A person with a photo that cannot be used is left out and
    reported; the others go on, and the exit code is 3.
    """
    candidates = [_named(name, sources)] if name is not None else _people(sources)
    desk = Desk(invocation.engine().gallery(), as_metadata(metadata), skip_bad, store_crops)
    if store_crops and _keeps_no_crops(desk.gallery):
        output.warn(f"no crops are kept: {desk.gallery.name!r} was made without --store-crops")
    writer = output.JsonWriter(form)
    table = tables.table("name", "result", "enrolled", "known", "skipped")
    failed = faces = 0
    with output.progress(wanted=len(candidates) > 1) as bars:
        for candidate in bars.track(candidates, description="persons"):
            outcome = _try(desk, candidate, invocation)
            failed += isinstance(outcome, FaceCVError)
            faces += _enrolled(outcome)
            writer.add(_shape(candidate, outcome))
            _add_row(table, candidate, outcome)
    writer.close()
    if form == "table":
        output.print_table(table)
        output.remark(f"{tables.plural(faces, 'face')} added to {desk.gallery.name!r}")
    leave(INPUT if failed else DONE)


def _keeps_no_crops(gallery: "Gallery") -> bool:
    """Return whether the collection is there already and does not store crops."""
    try:
        return not gallery.info().store_crops
    except CollectionNotFoundError:
        return False


def _named(name: str, sources: Sequence[str]) -> Candidate:
    return Candidate(name, tuple(find_sources(sources)))


def _people(sources: Sequence[str]) -> list[Candidate]:
    """Return the persons of folders that hold a folder for each."""
    found = [candidate for text in sources for candidate in _people_in(text)]
    if not found:
        raise InputError(f"no person with a photo in {' '.join(sources)}")
    return found


def _people_in(text: str) -> list[Candidate]:
    folder = Path(text)
    if not folder.exists() and text != STDIN:
        raise InputError(f"there is no folder {text}")
    subfolders = sorted(path for path in folder.glob("*") if path.is_dir())
    if not folder.is_dir() or not subfolders:
        raise click.UsageError(
            f"{text} is not a folder with one folder per person; to enrol one person: --name NAME"
        )
    loose = sum(is_picture(path) for path in folder.iterdir())
    if loose:
        output.warn(f"{tables.plural(loose, 'photo')} directly in {text} left out: whose are they?")
    candidates = [
        Candidate(path.name, tuple(Source(str(photo), photo) for photo in pictures_in(path)))
        for path in subfolders
    ]
    return [candidate for candidate in candidates if candidate.photos]


def _try(desk: Desk, candidate: Candidate, invocation: Invocation) -> "Enrolment | FaceCVError":
    """Return what became of a person, and tell what went wrong."""
    try:
        enrolment = desk.enrol(candidate)
    except (InputError, GalleryError) as error:
        show_error(error, debug=invocation.debug, about=f"{candidate.name} left out")
        return error
    for photo in enrolment.photos:
        if photo.others:
            several = tables.plural(photo.others, "other face", "other faces")
            about = f"{photo.source} shows {several} of about that size"
            output.warn(f"{candidate.name}: the largest face was taken, but {about}")
        if photo.error:
            output.warn(f"{candidate.name}: skipped {photo.error.message}")
        elif photo.liveness and photo.liveness.value != LIVE:
            said = tables.attribute_text(ATTRIBUTE, photo.liveness)
            output.warn(f"{candidate.name}: {photo.source}: {said}")
    return enrolment


def _shape(candidate: Candidate, outcome: "Enrolment | FaceCVError") -> Shape:
    if isinstance(outcome, FaceCVError):
        return {"name": candidate.name, "error": error_shape(outcome)}
    photos = [photo_shape(photo) for photo in outcome.photos]
    return person_shape(outcome.person) | {"new": outcome.created, "photos": photos}


def _add_row(table: "Table", candidate: Candidate, outcome: "Enrolment | FaceCVError") -> None:
    if isinstance(outcome, FaceCVError):
        tables.add_row(table, candidate.name, tables.styled("left out", "red"), 0, 0, 0)
        return
    statuses = [photo.status for photo in outcome.photos]
    faces = _enrolled(outcome)
    changed = "updated" if faces else "unchanged"
    result = tables.styled("new", "green") if outcome.created else changed
    counts = (faces, statuses.count("known"), statuses.count("failed"))
    tables.add_row(table, candidate.name, result, *counts)


def _enrolled(outcome: "Enrolment | FaceCVError") -> int:
    """Return how many faces were stored."""
    if isinstance(outcome, FaceCVError):
        return 0
    return sum(photo.status == "enrolled" for photo in outcome.photos)
