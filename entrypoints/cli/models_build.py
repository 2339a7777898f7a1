"""``facecv models build``: what a backend makes of networks, made ahead of time."""

from typing import TYPE_CHECKING

import rich_click as click

from facecv.entrypoints.cli import options, output, tables
from facecv.entrypoints.cli.errors import DONE, EPILOG, MODEL, leave
from facecv.entrypoints.cli.invocation import Invocation, pass_invocation
from facecv.entrypoints.cli.options import Form

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from facecv.entrypoints.api import Engine
    from facecv.entrypoints.cli.loading import Loading


@click.command(epilog=EPILOG)
@options.attribute_option
@options.model_options
@options.form_options
@options.general_options
@pass_invocation
def build(invocation: Invocation, form: Form) -> None:
    """Prepare the configured models for the device, so that the next start is quick.

    With TensorRT that builds engines, which takes minutes; on the CPU, ONNX Runtime's networks are
    rewritten and optimised for this processor, and OpenVINO's compiled. What comes of it is kept
    in the cache of the backend (see [backends.NAME] in the configuration). Everything is loaded
    and run once, so this also tells where networks run. Exits with 4 if a model cannot be.
    """
    found = _build(invocation.engine())
    records = [{**one.record(), "cache": one.cache or None} for one in found]
    output.write_records(form, records, _table(found))
    if form == "table" and not all(one.error for one in found):
        caches = sorted({one.cache for one in found if one.cache})
        kept = f"kept in {' and '.join(caches)}" if caches else "nothing is kept for this device"
        click.echo(f"\n{kept}")
    leave(MODEL if any(one.error for one in found) else DONE)


def _build(engine: "Engine") -> "list[Loading]":
    import structlog

    from facecv.entrypoints.cli.loading import caches_of, load, slots_of

    slots, found, caches = slots_of(engine), [], caches_of(engine)
    with output.progress() as bars:
        bar = bars.add_task("models", total=len(slots))
        for task, slot in slots:
            bars.update(bar, description=task)
            one = load(task, slot, caches)
            if one.has_network:
                facts = {"seconds": one.seconds, "files": list(one.made), "cache": one.cache}
                structlog.get_logger().info("model built", model=one.model, **facts)
                found.append(one)
            bars.advance(bar)
    return found


def _table(found: "Sequence[Loading]") -> "Table":
    from facecv.entrypoints.cli.loading import share_text

    table = tables.table("task", "model", "runs on", "operators there", "seconds", "reason")
    for one in found:
        state = one.error or (f"{tables.plural(len(one.made), 'file')} made" if one.made else "")
        ran = (", ".join(one.providers), share_text(one.share), one.seconds)
        cells = ("", "", "") if one.error else ran
        tables.add_row(table, one.task, one.model, *cells, state or "was ready")
    return table
