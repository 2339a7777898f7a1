"""``facecv plugins``: what is installed, and what it provides."""

from typing import TYPE_CHECKING

import rich_click as click

from facecv.entrypoints.cli import options, output, tables
from facecv.entrypoints.cli.errors import DONE, EPILOG, MODEL, leave, show_error
from facecv.entrypoints.cli.invocation import Invocation, pass_invocation
from facecv.entrypoints.cli.options import Form
from facecv.entrypoints.cli.shapes import Shape

if TYPE_CHECKING:
    from facecv.entrypoints.bootstrap import Builder


@click.command(epilog=EPILOG)
@options.form_options
@options.general_options
@pass_invocation
def plugins(invocation: Invocation, form: Form) -> None:
    """List plugins, what they provide, and why broken ones are broken (exit code 4).

    Names that two plugins give are told too.
    """
    builder = invocation.builder()
    found = plugin_shapes(builder)
    table = tables.table("plugin", "package", "version", "what")
    for shape in found:
        tables.add_row(table, shape["name"], shape["distribution"], shape["version"], _what(shape))
    output.write_records(form, found, table)
    clashes = builder.catalogue.clashes()
    for clash in clashes:
        show_error(clash, debug=invocation.debug)
    leave(MODEL if clashes or any(shape["error"] for shape in found) else DONE)


def plugin_shapes(builder: "Builder") -> list[Shape]:
    """Return the plugins, each with its error (or null) and the names it registered by kind."""
    catalogue = builder.catalogue
    return [
        {
            "name": plugin.name,
            "distribution": plugin.distribution,
            "version": plugin.version,
            "error": plugin.error or None,
            "provides": {
                kind: names
                for kind in catalogue.entries
                if (names := _names(builder, kind, plugin.name))
            },
        }
        for plugin in catalogue.plugins
    ]


def _names(builder: "Builder", kind: str, plugin: str) -> list[str]:
    registered = builder.catalogue.entries[kind].items()
    return [name for name, entries in registered if any(e.plugin.name == plugin for e in entries)]


def _what(shape: Shape) -> object:
    if shape["error"]:
        return tables.styled(f"broken: {shape['error']}", "red")
    provides = shape["provides"].items()
    return "\n".join(f"{kind.replace('_', ' ')}: {', '.join(names)}" for kind, names in provides)
