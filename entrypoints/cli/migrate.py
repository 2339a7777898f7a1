"""``facecv gallery migrate``: a collection moves to another model."""

from typing import TYPE_CHECKING

import rich_click as click

from facecv.core.errors import CropsMissingError, EmbeddingSpaceError, ModelNotFoundError
from facecv.entrypoints.cli import options, output, tables
from facecv.entrypoints.cli.errors import EPILOG
from facecv.entrypoints.cli.invocation import Invocation, pass_invocation
from facecv.entrypoints.cli.options import Form
from facecv.entrypoints.cli.shapes import Shape

if TYPE_CHECKING:
    from facecv.core.services.migrate import MigrateOptions as Options
    from facecv.core.services.migrate import Migration, Migrator


@click.command(epilog=EPILOG)
@click.argument("collection", metavar="COLLECTION", panel="What", help="The one that moves.")
@click.option(
    "--to",
    "model",
    metavar="MODEL",
    required=True,
    panel="What",
    help="Name of an embedder, PACK/MODEL, or the path of an ONNX file.",
)
@click.option(
    "--drop-without-crop",
    is_flag=True,
    panel="What",
    help="Leave faces behind whose crop was not stored; they are listed.",
)
@options.gallery_file_option
@options.pack_options
@options.form_options
@options.general_options
@pass_invocation
def migrate(
    invocation: Invocation, collection: str, *, model: str, drop_without_crop: bool, form: Form
) -> None:
    """Embed the faces of a collection anew, from their stored crops, with another model.

    Searches go on with the old model until the new embeddings are complete. A run that was
    stopped goes on where it was. Until then, they are in a collection called COLLECTION.migrating.
    """
    from facecv.core.services.migrate import MigrateOptions, Migrator

    engine = invocation.engine()
    migrator = Migrator(engine.analyser, engine.gallery(collection).repo)
    try:
        done = _run(migrator, collection, model, MigrateOptions(drop_without_crop))
    except CropsMissingError as error:
        faces = error.details["faces"]
        for person, face in faces if isinstance(faces, list) else []:
            output.remark(f"no crop: face {face} of person {person}")
        raise
    if not output.write_record(form, _shape(done)):
        _tell(done)
    if not _found_again(invocation, done):
        output.warn(
            f"no program finds this model by itself: set embedder = {model!r}, or add the path of "
            "its ONNX file to 'embedders' in section [models]"
        )


def _found_again(invocation: Invocation, done: "Migration") -> bool:
    """Say whether a program that starts now finds the model that the collection has now."""
    from facecv.entrypoints.bootstrap import bootstrap

    builder = invocation.builder()
    analyser = bootstrap(builder.config, builder.catalogue).analyser
    try:
        with analyser.in_space(done.collection.space).hold_embedder():
            return True
    except (ModelNotFoundError, EmbeddingSpaceError):
        return False


def _run(migrator: "Migrator", collection: str, model: str, chosen: "Options") -> "Migration":
    with output.progress() as bars:
        task = bars.add_task(collection, total=None)
        return migrator.migrate(
            collection,
            model,
            chosen,
            lambda done, total: bars.update(task, completed=done, total=total or None),
        )


def _shape(done: "Migration") -> Shape:
    return {
        "collection": done.collection.name,
        "from": str(done.before),
        "to": str(done.collection.space),
        "embedded": done.embedded,
        "dropped": [{"person": person, "face": face} for person, face in done.dropped],
        "dropped_threshold": done.threshold,
    }


def _tell(done: "Migration") -> None:
    before, now = tables.space_text(done.before), tables.space_text(done.collection.space)
    faces = tables.plural(done.embedded, "face")
    click.echo(f"{done.collection.name}: {before} -> {now}, {faces} embedded")
    for person, face in done.dropped:
        output.warn(f"left behind, no crop: face {face} of person {person}")
    if done.threshold is not None:
        output.warn(
            f"the threshold {done.threshold:g} was of the old model; the new one's own is used now"
        )
