"""``facecv config``: which settings apply, and where each is from."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from facecv.entrypoints.cli import options, output, tables
from facecv.entrypoints.cli.errors import EPILOG
from facecv.entrypoints.cli.invocation import Invocation, pass_invocation
from facecv.entrypoints.cli.options import Form

if TYPE_CHECKING:
    from facecv.entrypoints.config import Layer


@click.group(invoke_without_command=True, epilog=EPILOG)
@click.option("--toml", is_flag=True, panel="Output", help="A complete facecv.toml.")
@options.model_options
@options.detection_options
@options.gallery_options
@options.form_options
@options.general_options
@pass_invocation
def config(invocation: Invocation, *, toml: bool, form: Form) -> None:
    """Show every setting and where its value comes from.

    The file comes first, then FACECV_* variables (FACECV_DETECTION__INPUT_SIZE=320), then options.
    """
    if click.get_current_context().invoked_subcommand:  # type: ignore[union-attr]
        return
    import attrs

    settings = _plain(attrs.asdict(invocation.config()))
    if toml:
        click.echo(_as_toml(settings), nl=False)
        return
    from facecv.entrypoints.config import layers

    sources = layers(invocation.config_file, invocation.overrides)
    found = [(key, value, _origin(key, sources)) for key, value in _flat(settings)]
    table = tables.table("setting", "value", "from")
    for key, value, origin in found:
        style = "dim" if origin == "default" else ""
        tables.add_row(table, key, _shown(value), origin, style=style)
    shapes = [{"setting": key, "value": value, "from": origin} for key, value, origin in found]
    output.write_records(form, shapes, table)


@config.command(epilog=EPILOG)
@options.general_options
@pass_invocation
def path(invocation: Invocation) -> None:
    """Print the configuration file that applies; exits with 1 if there is none."""
    import os

    from facecv.entrypoints.cli.errors import NEGATIVE, leave
    from facecv.entrypoints.config import default_files, find_file

    found = find_file(invocation.config_file, os.environ)
    if found:
        click.echo(found.absolute())
        return
    places = " or ".join(str(file.absolute()) for file in default_files())
    output.remark(f"there is none; it would be {places}")
    leave(NEGATIVE)


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a setting holds
    """Return settings as JSON and TOML can say them."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _origin(key: str, sources: "list[Layer]") -> str:
    """Return the last source that sets `key`."""
    for layer in reversed(sources):
        if key in dict(_flat(_plain(layer.values))):
            variable = "FACECV_" + key.upper().replace(".", "__")
            return variable if layer.origin == "the environment" else layer.origin
    return "default"


def _shown(value: object) -> str:
    if value is None or value in ("", []):
        return "-"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _as_toml(settings: Mapping[str, Any]) -> str:
    import tomli_w

    return tomli_w.dumps(_without_none(settings))


def _without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings without those that TOML has no word for, and without empty sections."""
    kept = {
        key: _without_none(value) if isinstance(value, Mapping) else value
        for key, value in values.items()
        if value is not None
    }
    return {key: value for key, value in kept.items() if value != {}}
