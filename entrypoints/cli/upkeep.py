"""``facecv gallery …``: commands that look after how a gallery is kept, not after what is in it."""

from pathlib import Path
from typing import Protocol, cast

import rich_click as click

from facecv.core.errors import GalleryError
from facecv.core.secret import KeySource
from facecv.entrypoints.cli import options, output
from facecv.entrypoints.cli.errors import EPILOG
from facecv.entrypoints.cli.invocation import Invocation, pass_invocation


class Encrypting(Protocol):
    """What a gallery has that can be encrypted."""

    def rotate_key(self, key: bytes | None, /) -> None:
        """Encrypt everything with another key; None: with none."""
        ...


@click.command(epilog=EPILOG)
@options.gallery_options
@options.pack_options
@options.general_options
@pass_invocation
def prepare(invocation: Invocation) -> None:
    """Build what makes searches in a large collection fast.

    Servers do it by themselves, beside their work; for programs that end soon, do it once after
    many persons were enrolled.
    """
    gallery = invocation.engine().gallery()
    gallery.repo.prepare(gallery.name)
    output.remark(f"{gallery.name} is ready")


@click.command("rotate-key", epilog=EPILOG)
@click.option(
    "--new-key-file",
    type=options.FILE,
    panel="What",
    help="File with the new key: 32 bytes as hexadecimal digits or base64.",
)
@click.option(
    "--new-key-variable",
    metavar="NAME",
    default="",
    panel="What",
    help="Environment variable with the new key.",
)
@click.option("--plain", is_flag=True, panel="What", help="Encrypt nothing any more: no new key.")
@options.yes_option
@options.gallery_file_option
@options.pack_options
@options.general_options
@pass_invocation
def rotate_key(
    invocation: Invocation,
    *,
    new_key_file: Path | None,
    new_key_variable: str,
    plain: bool,
    yes: bool,
) -> None:
    """Encrypt the vectors and crops of a gallery with a new key, the first one too.

    The settings name the key that is in use now, or none; change them afterwards. Other programs
    that have the gallery open must be started anew. Keep the old key with old copies.
    """
    key = KeySource(new_key_file, new_key_variable).read()
    if (key is None) != plain:
        raise click.UsageError("give --new-key-file, --new-key-variable or --plain")
    name, _ = invocation.builder().gallery_settings()
    repo = invocation.builder().gallery().get()
    try:
        if not hasattr(repo, "rotate_key"):
            raise GalleryError(f"the gallery {name!r} cannot be encrypted", hint="use sqlite")
        options.confirm("Encrypt everything anew?" if key else "Decrypt everything?", yes=yes)
        cast("Encrypting", repo).rotate_key(key)
    finally:
        repo.close()
    click.echo("encrypted with the new key" if key else "not encrypted any more")


UPKEEP_COMMANDS = (prepare, rotate_key)
