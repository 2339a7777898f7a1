"""``facecv keys``: who may use the HTTP service."""

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from facecv.entrypoints.cli import options, output, tables
from facecv.entrypoints.cli.errors import EPILOG
from facecv.entrypoints.cli.invocation import Invocation, pass_invocation
from facecv.entrypoints.cli.options import Form
from facecv.entrypoints.cli.shapes import Shape

if TYPE_CHECKING:
    from facecv.entrypoints.keys import ApiKey, KeyFile, Scope

_SCOPES = ("read", "enrol", "admin")

_file_option = options.setting(
    "--keys",
    key="server.keys",
    panel="Server",
    type=options.FILE,
    metavar="FILE",
    help="File of the keys, instead of the one in the user's data folder.",
)


@click.group(epilog=EPILOG)
@options.help_option
def keys() -> None:
    """Create, list and revoke API keys; a running server follows at once."""


@keys.command(epilog=EPILOG)
@click.argument("name", panel="What", help="Whom or what the key is for.")
@click.option(
    "--scope",
    type=click.Choice(_SCOPES),
    default="read",
    show_default=True,
    panel="What",
    help="What it may do: look; also enrol and delete persons; also manage.",
)
@click.option(
    "--collection",
    "collections",
    multiple=True,
    metavar="NAME",
    panel="What",
    help="The only collection it may touch; may be repeated.",
)
@_file_option
@options.form_options
@options.general_options
@pass_invocation
def create(
    invocation: Invocation, *, name: str, scope: "Scope", collections: tuple[str, ...], form: Form
) -> None:
    """Create a key and print it, this once; only its hash is kept."""
    key, secret = _keys(invocation).create(name, scope, collections or None)
    if not output.write_record(form, _shape(key) | {"key": secret}):
        click.echo(secret)


@keys.command("list", epilog=EPILOG)
@_file_option
@options.form_options
@options.general_options
@pass_invocation
def list_(invocation: Invocation, form: Form) -> None:
    """List keys: what they are for and what they may do, not the keys themselves."""
    found = _keys(invocation).keys()
    table = tables.table("id", "name", "scope", "collections", "created")
    for key in found:
        only = "all" if key.collections is None else ", ".join(key.collections)
        tables.add_row(table, key.id, key.name, key.scope, only, f"{key.created:%Y-%m-%d %H:%M}")
    output.write_records(form, [_shape(key) for key in found], table)


@keys.command(epilog=EPILOG)
@click.argument("key_id", metavar="ID", panel="What", help="As 'facecv keys list' shows it.")
@_file_option
@options.general_options
@pass_invocation
def revoke(invocation: Invocation, key_id: str) -> None:
    """Revoke a key."""
    key = _keys(invocation).revoke(key_id)
    click.echo(f"revoked {key.id} ({key.name})")


def _keys(invocation: Invocation) -> "KeyFile":
    from facecv.entrypoints.keys import KeyFile, default_keys_file

    named: Path | None = invocation.config().server.keys
    return KeyFile(named or default_keys_file())


def _shape(key: "ApiKey") -> Shape:
    return {
        "id": key.id,
        "name": key.name,
        "scope": key.scope,
        "collections": None if key.collections is None else list(key.collections),
        "created": key.created.isoformat(),
    }
