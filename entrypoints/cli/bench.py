"""``facecv bench``: measurements. Each is a module of its own, ``bench_…``."""

import rich_click as click

from facecv.entrypoints.cli import options
from facecv.entrypoints.cli.bench_accuracy import accuracy
from facecv.entrypoints.cli.bench_attributes import attributes
from facecv.entrypoints.cli.bench_photo import photo
from facecv.entrypoints.cli.bench_search import search
from facecv.entrypoints.cli.errors import EPILOG


@click.group(epilog=EPILOG, no_args_is_help=True)
@options.general_options
def bench() -> None:
    """Measure models on pictures of your own."""


bench.add_command(accuracy)
bench.add_command(attributes)
bench.add_command(photo)
bench.add_command(search)
