"""``facecv models``: packs of networks."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from facecv.core.errors import ModelError, ModelNotFoundError
from facecv.entrypoints.cli import options, output, tables
from facecv.entrypoints.cli.errors import DONE, EPILOG, MODEL, leave
from facecv.entrypoints.cli.invocation import Invocation, pass_invocation
from facecv.entrypoints.cli.library import Library, open_library
from facecv.entrypoints.cli.models_build import build
from facecv.entrypoints.cli.models_quantize import quantize
from facecv.entrypoints.cli.options import Form
from facecv.entrypoints.cli.shapes import Shape

if TYPE_CHECKING:
    from rich.table import Table

    from facecv.core.pack import PackManifest, Progress
    from facecv.core.ports.model_store import FileStatus
    from facecv.entrypoints.cli.loading import Loading

    Loaded = Mapping[tuple[str, str], Loading]

_STYLES = {"ok": "green", "damaged": "red", "missing": "red", "unverified": "yellow"}


@click.group(epilog=EPILOG)
@options.help_option
def models() -> None:
    """Get, check and remove model packs."""


@models.command("list", epilog=EPILOG)
@options.load_option
@options.model_options
@options.form_options
@options.general_options
@pass_invocation
def list_(invocation: Invocation, form: Form, *, load: bool) -> None:
    """List all known packs and their models; the pack in use comes first."""
    library = open_library(invocation)
    packs, loaded = list(library.packs()), _loaded(invocation) if load else {}
    table = tables.table("pack / model", "task", "size", "state", *(["runs on"] if load else []))
    for pack in packs:
        _add_pack(table, library, pack, loaded)
    output.write_records(form, [_pack_shape(library, pack, loaded) for pack in packs], table)
    if form == "table":
        _tell_licences(packs)


def _loaded(invocation: Invocation) -> "Loaded":
    """Load the configured models and return what came of each, by pack and name."""
    from facecv.entrypoints.cli.loading import load_all

    return {(one.pack, one.model): one for one in load_all(invocation.engine())}


def _add_pack(table: "Table", library: Library, pack: "PackManifest", loaded: "Loaded") -> None:
    used = pack is library.in_use
    tables.add_row(table, pack.name, "", "", "in use" if used else "", style="bold")
    for spec in pack.models:
        state = library.state(pack, spec)
        style = "dim" if state == "not pulled" else ""
        key = (pack.name, spec.name)
        where = _where(loaded[key]) if key in loaded else ""
        cells = (f"  {spec.name}", spec.task, tables.size_text(spec.size), state)
        tables.add_row(table, *cells, *([where] if loaded else []), style=style)


def _where(loading: "Loading") -> str:
    """Return what runs a model, and how much of it, or why it cannot be loaded."""
    from facecv.entrypoints.cli.loading import share_text

    return loading.error or f"{', '.join(loading.providers)} {share_text(loading.share)}"


def _tell_licences(packs: "Sequence[PackManifest]") -> None:
    """Print each licence once, with the packs it goes for."""
    named: dict[str, list[str]] = defaultdict(list)
    for pack in packs:
        named[pack.licence or "licence not stated"].append(pack.name)
    click.echo()
    for licence, names in named.items():
        click.echo(f"{', '.join(names)}:\n  {licence}")


def _pack_shape(library: Library, pack: "PackManifest", loaded: "Loaded") -> Shape:
    return {
        "pack": pack.name,
        "summary": pack.summary,
        "licence": pack.licence,
        "licence_url": pack.licence_url,
        "in_use": pack is library.in_use,
        "path": str(library.store.path(pack)),
        "models": [
            {
                "name": spec.name,
                "task": spec.task,
                "provider": spec.provider,
                "size": spec.size,
                "sha256": spec.sha256,
                "licence": spec.licence or pack.licence,
                "state": library.state(pack, spec),
                **(_run_shape(loaded.get((pack.name, spec.name))) if loaded else {}),
            }
            for spec in pack.models
        ],
    }


def _run_shape(loading: "Loading | None") -> Shape:
    """Return what runs a model; of one that is not configured nothing is known."""
    if loading is None:
        return {"providers": [], "share": None}
    return {"providers": list(loading.providers), "share": loading.share, "error": loading.error}


@models.command(epilog=EPILOG)
@click.argument(
    "packs", nargs=-1, required=True, metavar="PACK...", panel="What", help="Which ones."
)
@options.general_options
@pass_invocation
def pull(invocation: Invocation, packs: tuple[str, ...]) -> None:
    """Download packs, or what is missing of them, and check every file."""
    library = open_library(invocation)
    for pack in [library.catalogue.pack(name) for name in packs]:
        lacking = [spec for spec in pack.models if library.state(pack, spec) != "installed"]
        if lacking and pack.root is None:
            _tell_licence(pack)
        with _download_bars() as progress:
            files = library.store.pull(pack, progress)
        count = tables.plural(len(files), "model")
        click.echo(f"{pack.name} is ready: {count} in {library.store.path(pack)}")


def _tell_licence(pack: "PackManifest") -> None:
    where = f" ({pack.licence_url})" if pack.licence_url else ""
    click.echo(f"licence of {pack.name}: {pack.licence or 'not stated'}{where}", err=True)


@contextmanager
def _download_bars() -> "Iterator[Progress]":
    """Return what a store tells about downloads; shown as bars, one a file."""
    from rich import progress

    columns = (
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(),
        progress.DownloadColumn(),
        progress.TransferSpeedColumn(),
        progress.TimeRemainingColumn(),
    )
    with output.progress(*columns) as bars:
        tasks: dict[str, progress.TaskID] = {}

        def tell(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=None)
            bars.update(tasks[name], completed=done, total=total or None)

        yield tell


@models.command("import", epilog=EPILOG)
@click.argument("source", type=options.FILE, panel="What", help="A folder or a zip file.")
@click.option(
    "--pack", "name", metavar="NAME", panel="What", help="Which pack it is, if that cannot be seen."
)
@options.general_options
@pass_invocation
def import_(invocation: Invocation, source: Path, name: str | None) -> None:
    """Take a pack from a folder or a zip file; every file is checked."""
    library = open_library(invocation)
    pack = library.catalogue.pack(name or _pack_name(library, source))
    files = library.store.add(pack, source)
    names = ", ".join(file.spec.name for file in files)
    click.echo(f"{pack.name}: took {names} into {library.store.path(pack)}")
    lacking = [spec.name for spec in pack.models if library.state(pack, spec) != "installed"]
    if lacking:
        output.warn(f"{source} has no {', '.join(lacking)}")


def _pack_name(library: Library, source: Path) -> str:
    """Return which pack a folder or an archive is, by its name or what lies in it."""
    if not source.exists():
        raise ModelNotFoundError(f"there is no folder or archive {source}")
    if source.stem in library.catalogue.packs:
        return source.stem
    if source.is_dir():
        return library.catalogue.local_pack(source).name
    raise ModelError(f"{source.name} is not named after a known pack", hint="say --pack NAME")


@models.command(epilog=EPILOG)
@click.argument(
    "name",
    metavar="[PACK]",
    required=False,
    panel="What",
    help="All that are here if left out.",
)
@options.pack_dir_option
@options.form_options
@options.general_options
@pass_invocation
def verify(invocation: Invocation, name: str | None, form: Form) -> None:
    """Read every file of a pack and check its digest."""
    library = open_library(invocation)
    chosen = [library.pack(name)] if name else list(filter(library.any_here, library.packs()))
    if not chosen:
        raise ModelNotFoundError("no pack is here", hint="get one with 'facecv models pull'")
    table = tables.table("pack", "model", "state", "reason")
    shapes: list[Shape] = []
    for each in chosen:
        for status in library.store.verify(each):
            shapes.append(_status_shape(each, status))
            state = tables.styled(status.state, _STYLES[status.state])
            tables.add_row(table, each.name, status.model, state, status.detail)
    output.write_records(form, shapes, table)
    leave(MODEL if {shape["state"] for shape in shapes} & {"damaged", "missing"} else DONE)


def _status_shape(pack: "PackManifest", status: "FileStatus") -> Shape:
    return {
        "pack": pack.name,
        "model": status.model,
        "state": status.state,
        "path": str(status.path),
        "detail": status.detail,
    }


@models.command(epilog=EPILOG)
@click.argument("name", metavar="PACK", panel="What", help="Its name.")
@options.yes_option
@options.general_options
@pass_invocation
def remove(invocation: Invocation, name: str, *, yes: bool) -> None:
    """Delete the files of a pack that was pulled or imported."""
    library = open_library(invocation)
    pack = library.catalogue.pack(name)
    options.confirm(f"Delete {library.store.path(pack)}?", yes=yes)
    freed = library.store.remove(pack)
    click.echo(f"{name}: {tables.size_text(freed) if freed else 'nothing'} freed")


@models.command(epilog=EPILOG)
@click.argument(
    "name", metavar="[PACK]", required=False, panel="What", help="The one in use if left out."
)
@options.pack_dir_option
@options.general_options
@pass_invocation
def path(invocation: Invocation, name: str | None) -> None:
    """Print the folder of a pack, whether or not it is there."""
    library = open_library(invocation)
    click.echo(library.store.path(library.pack(name)))


for command in (build, quantize):
    models.add_command(command)
