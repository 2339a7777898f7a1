"""``facecv gallery``: the persons of a collection and their faces."""

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from facecv.core.errors import FaceRecordNotFoundError, InputError, PersonNotFoundError
from facecv.entrypoints.cli import options, output, tables
from facecv.entrypoints.cli.errors import EPILOG
from facecv.entrypoints.cli.invocation import Invocation, pass_invocation
from facecv.entrypoints.cli.options import Form
from facecv.entrypoints.cli.shapes import person_shape, record_shape

if TYPE_CHECKING:
    from facecv.core.gallery import Person
    from facecv.entrypoints.api import Gallery

_SHORT = 8

person_argument = click.argument(
    "person", panel="What", help="A name, an id, or the beginning of an id."
)


@click.command("list", epilog=EPILOG)
@options.gallery_options
@options.pack_options
@options.form_options
@options.general_options
@pass_invocation
def list_(invocation: Invocation, form: Form) -> None:
    """List the persons of a collection."""
    gallery = invocation.engine().gallery()
    faces: dict[str, int] = {}
    for person_id, _ in gallery.faces():
        faces[person_id] = faces.get(person_id, 0) + 1
    persons = sorted(gallery.persons(), key=lambda person: (person.name, person.id))
    table = tables.table("name", "id", "faces", "metadata", "created")
    for person in persons:
        tables.add_row(table, *_cells(person, faces.get(person.id, 0)))
    shapes = [person_shape(each) | {"faces": faces.get(each.id, 0)} for each in persons]
    output.write_records(form, shapes, table)


def _cells(person: "Person", faces: int) -> tuple[object, ...]:
    facts = tables.metadata_text(person.metadata)
    return person.name, person.id[:_SHORT], faces, facts, tables.day(person.created)


@click.command(epilog=EPILOG)
@person_argument
@click.option(
    "--crops", type=options.FILE, metavar="DIR", panel="What", help="Write the stored crops there."
)
@options.gallery_options
@options.pack_options
@options.form_options
@options.general_options
@pass_invocation
def show(invocation: Invocation, person: str, *, crops: Path | None, form: Form) -> None:
    """Show a person and the enrolled faces."""
    gallery = invocation.engine().gallery()
    found = find_person(gallery, person)
    faces = [face for _, face in gallery.faces(found.id)]
    if crops:
        _write_crops(gallery, found, crops)
    shape = person_shape(found) | {"faces": [record_shape(face) for face in faces]}
    if output.write_record(form, shape):
        return
    table = tables.table("id", "quality", "crop", "created", "picture")
    for face in faces:
        kept = "kept" if face.crop is not None else "-"
        quality = tables.number(face.quality, 2)
        day, picture = tables.day(face.created), output.shown_path(face.source)
        tables.add_row(table, face.id[:_SHORT], quality, kept, day, picture)
    facts = tables.metadata_text(found.metadata)
    click.echo(f"{found.name}  id {found.id}{'  ' + facts if facts else ''}\n")
    output.print_table(table)


def _write_crops(gallery: "Gallery", person: "Person", folder: Path) -> None:
    """Write the crops of a person as PNG files; raise `InputError` if none is stored."""
    encode = gallery.engine.parts.annotator.encode
    written = 0
    for _, face in gallery.faces(person.id):
        if face.crop is not None:
            output.write_file(folder / f"{face.id}.png", encode(face.crop, ".png"))
            written += 1
    if not written:
        raise InputError(
            f"no crops of {person.name!r} are stored",
            hint="make the collection with 'facecv enroll --store-crops'",
        )


@click.command(epilog=EPILOG)
@person_argument
@click.argument("name", panel="What", help="The new name.")
@options.gallery_options
@options.pack_options
@options.general_options
@pass_invocation
def rename(invocation: Invocation, person: str, name: str) -> None:
    """Give a person another name."""
    gallery = invocation.engine().gallery()
    found = find_person(gallery, person)
    gallery.rename(found.id, name)
    click.echo(f"renamed {found.name!r} to {name!r}")


@click.command("delete-person", epilog=EPILOG)
@person_argument
@options.yes_option
@options.gallery_options
@options.pack_options
@options.general_options
@pass_invocation
def delete_person(invocation: Invocation, person: str, *, yes: bool) -> None:
    """Delete a person with all faces and events."""
    gallery = invocation.engine().gallery()
    found = find_person(gallery, person)
    faces = tables.plural(len(gallery.faces(found.id)), "face")
    options.confirm(f"Delete {found.name!r} with {faces}?", yes=yes)
    gallery.delete_person(found.id)
    click.echo(f"deleted {found.name!r} with {faces}")


@click.command("delete-face", epilog=EPILOG)
@click.argument(
    "face", panel="What", help="An id, or its beginning, as 'facecv gallery show' tells it."
)
@options.yes_option
@options.gallery_options
@options.pack_options
@options.general_options
@pass_invocation
def delete_face(invocation: Invocation, face: str, *, yes: bool) -> None:
    """Delete one face; its person stays."""
    gallery = invocation.engine().gallery()
    face_id, owner = find_face(gallery, face)
    options.confirm(f"Delete face {face_id} of {owner.name!r}?", yes=yes)
    gallery.delete_face(face_id)
    click.echo(f"deleted face {face_id} of {owner.name!r}")


PERSON_COMMANDS = (list_, show, rename, delete_person, delete_face)


def find_person(gallery: "Gallery", text: str) -> "Person":
    """Return the person meant by an id, a name, or the beginning of an id.

    Raises:
        PersonNotFoundError: there is none.
        InputError: there are several.
    """
    persons = gallery.persons()
    for found in (
        [person for person in persons if person.id == text],
        [person for person in persons if person.name == text],
        [person for person in persons if person.id.startswith(text)],
    ):
        if len(found) > 1:
            ids = ", ".join(person.id for person in found)
            raise InputError(f"{text!r} means {len(found)} persons", hint=f"use an id: {ids}")
        if found:
            return found[0]
    raise PersonNotFoundError(
        f"there is no person {text!r} in collection {gallery.name!r}",
        hint="see 'facecv gallery list'",
    )


def find_face(gallery: "Gallery", text: str) -> "tuple[str, Person]":
    """Return the id of the face meant by an id or its beginning, and the person it is of.

    Raises:
        FaceRecordNotFoundError: there is none.
        InputError: there are several.
    """
    found = [(face.id, owner) for owner, face in gallery.faces() if face.id.startswith(text)]
    exact = [(face_id, owner) for face_id, owner in found if face_id == text]
    chosen = exact or found
    if len(chosen) > 1:
        raise InputError(f"{text!r} means {len(chosen)} faces", hint="give more of the id")
    if not chosen:
        raise FaceRecordNotFoundError(
            f"there is no face {text!r} in collection {gallery.name!r}",
            hint="see 'facecv gallery show PERSON'",
        )
    return chosen[0][0], gallery.repo.person(gallery.name, chosen[0][1])
