"""Options that many commands share; each set is a decorator.

Options that configure the engine do not reach the command: they go straight into the overrides of
its `Invocation`, and an option that is not used overrides nothing.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import rich_click as click

from facecv.entrypoints.cli.invocation import Invocation

CommandT = TypeVar("CommandT", bound=Callable[..., Any])
Decorator = Callable[[Any], Any]
Form = Literal["table", "json", "jsonl"]

# Lists of what core types allow, so that no help page waits for numpy; a test compares them.
DEVICES = ("auto", "cpu", "cuda", "tensorrt")
ORDERS = ("area", "score", "center", "prominent")
PASSES = ("auto", "single")
PADDINGS = ("rectangle", "square")
ROTATIONS = ("off", "auto")
GATES = ("off", "standard", "strict")
LIVENESS_GATES = ("off", "observe", "enforce")
LEVELS = ("debug", "info", "warning", "error")

FILE = click.Path(path_type=Path)


def stacked(*decorators: Decorator) -> Callable[[CommandT], CommandT]:
    """Return one decorator that adds options in the order of their help page."""

    def decorate(command: CommandT) -> CommandT:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


def setting(*names: str, key: str, panel: str, **attributes: Any) -> Decorator:  # noqa: ANN401
    """Return an option that overrides `key` of the configuration; dots separate sections."""

    def store(ctx: click.Context, _: click.Parameter, value: object) -> None:
        if value is not None and value != ():
            ctx.ensure_object(Invocation).override(key, value)

    return click.option(*names, callback=store, expose_value=False, panel=panel, **attributes)


def _config_file(ctx: click.Context, _: click.Parameter, value: Path | None) -> None:
    if value is not None:
        ctx.ensure_object(Invocation).config_file = value


def _debug(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        ctx.ensure_object(Invocation).debug = True


def _level(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        ctx.ensure_object(Invocation).log(value)


def _diagnostic(*names: str, **attributes: Any) -> Decorator:  # noqa: ANN401 - click's
    return click.option(*names, expose_value=False, panel="General", **attributes)


help_option = click.help_option("--help", "-h", panel="General")

general_options = stacked(
    _diagnostic(
        "--config",
        type=FILE,
        callback=_config_file,
        help="Configuration file, instead of facecv.toml here or in the user's folder.",
    ),
    _diagnostic("--log-level", type=click.Choice(LEVELS), callback=_level, help="What is logged."),
    _diagnostic(
        "--verbose", "-v", flag_value="info", callback=_level, help="Log what is going on."
    ),
    _diagnostic(
        "--quiet", "-q", flag_value="quiet", callback=_level, help="No progress, errors only."
    ),
    _diagnostic("--debug", is_flag=True, callback=_debug, help="Show the traceback of errors."),
    help_option,
)

pack_dir_option = setting(
    "--pack-dir",
    key="pack_dir",
    panel="Models",
    type=FILE,
    metavar="DIR",
    help="Folder of model files to use instead of pulled packs.",
)

pack_options = stacked(
    setting("--pack", key="pack", panel="Models", metavar="NAME", help="Model pack."),
    pack_dir_option,
)

model_options = stacked(
    pack_options,
    setting(
        "--detector",
        key="detector",
        panel="Models",
        metavar="MODEL",
        help="Name of a model or provider, path of an ONNX file, or PROVIDER:PATH.",
    ),
    setting(
        "--embedder",
        key="embedder",
        panel="Models",
        metavar="MODEL",
        help="Likewise, for embeddings.",
    ),
    setting("--backend", key="backend", panel="Models", metavar="NAME", help="Runs the networks."),
    setting(
        "--device",
        key="device",
        panel="Models",
        type=click.Choice(DEVICES),
        help="Where they run; only auto may choose.",
    ),
    setting(
        "--threads",
        key="threads",
        panel="Models",
        type=click.IntRange(min=0),
        metavar="N",
        help="Threads of one run; 0: all cores this process may use.",
    ),
)

attribute_option = setting(
    "--attribute",
    key="attributes",
    panel="Models",
    multiple=True,
    metavar="MODEL",
    help="An attribute model, named as a detector is; may be repeated.",
)

detection_options = stacked(
    setting(
        "--score-threshold",
        key="detection.score_threshold",
        panel="Detection",
        type=click.FloatRange(0, 1),
        metavar="NUMBER",
        help="Least confidence of a face.",
    ),
    setting(
        "--nms-threshold",
        key="detection.nms_threshold",
        panel="Detection",
        type=click.FloatRange(0, 1),
        metavar="NUMBER",
        help="Overlap from which two boxes are one face.",
    ),
    setting(
        "--input-size",
        key="detection.input_size",
        panel="Detection",
        type=click.IntRange(32, 8192),
        metavar="PIXELS",
        help="Longer side at which the network sees a picture.",
    ),
    setting(
        "--passes",
        key="detection.passes",
        panel="Detection",
        type=click.Choice(PASSES),
        help="auto looks once more for faces that fill the picture.",
    ),
    setting(
        "--padding",
        key="detection.padding",
        panel="Detection",
        type=click.Choice(PADDINGS),
        help="square pads as the insightface package does; rectangle wastes nothing.",
    ),
    setting(
        "--min-face",
        key="detection.min_face",
        panel="Detection",
        type=click.FloatRange(min=0),
        metavar="PIXELS",
        help="Leave out faces with a shorter side.",
    ),
    setting(
        "--max-face",
        key="detection.max_face",
        panel="Detection",
        type=click.FloatRange(min=0),
        metavar="PIXELS",
        help="Leave out faces with a longer side; 0: no limit.",
    ),
    setting(
        "--max-faces",
        key="detection.max_faces",
        panel="Detection",
        type=click.IntRange(min=0),
        metavar="N",
        help="The most faces of a picture; 0: no limit.",
    ),
    setting(
        "--order",
        key="detection.order",
        panel="Detection",
        type=click.Choice(ORDERS),
        help="Which faces come first.",
    ),
    setting(
        "--tile",
        key="detection.tile",
        panel="Detection",
        type=click.IntRange(min=0),
        metavar="PIXELS",
        help="Search larger pictures in tiles of that side too; 0: no tiles.",
    ),
    setting(
        "--rotate",
        key="detection.rotate",
        panel="Detection",
        type=click.Choice(ROTATIONS),
        help="auto turns a picture in which no face is found.",
    ),
)


def liveness_option(key: str, panel: str, help_text: str) -> Decorator:
    """Return the option ``--liveness`` for the gate at `key` of the configuration."""
    gates = click.Choice(LIVENESS_GATES)
    return setting("--liveness", key=key, panel=panel, type=gates, help=help_text)


gallery_file_option = setting(
    "--gallery",
    key="gallery",
    panel="Gallery",
    metavar="PATH",
    help="SQLite file, or the name of a registered gallery.",
)

gallery_options = stacked(
    gallery_file_option,
    setting(
        "--collection", key="collection", panel="Gallery", metavar="NAME", help="Which collection."
    ),
)

_form: Sequence[Decorator] = (
    click.option("--json", "form", flag_value="json", panel="Output", help="One JSON document."),
    click.option(
        "--jsonl", "form", flag_value="jsonl", panel="Output", help="One JSON object a line."
    ),
)

form_options = stacked(
    click.option("--table", "form", flag_value="table", default="table", hidden=True), *_form
)

draw_option = click.option(
    "--draw",
    type=FILE,
    metavar="OUT",
    panel="Output",
    help="Write annotated pictures: a file for one picture, a folder for many.",
)

sources_argument = click.argument(
    "sources",
    nargs=-1,
    required=True,
    metavar="SOURCES...",
    panel="What",
    help="Pictures: paths, quoted globs, folders, http(s) URLs, or - for the standard input.",
)

load_option = click.option(
    "--load",
    is_flag=True,
    panel="What",
    help="Load the configured models too, and tell what runs them; fills the backend's cache.",
)

yes_option = click.option("--yes", "-y", is_flag=True, panel="What", help="Do not ask.")


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something is lost, unless the answer was given; no ends the command."""
    if not yes:
        click.confirm(question, abort=True, err=True)
