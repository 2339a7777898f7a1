"""The command line, put together."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import rich_click as click

from facecv.entrypoints.cli import options
from facecv.entrypoints.cli.attendance import attendance
from facecv.entrypoints.cli.bench import bench
from facecv.entrypoints.cli.config import config
from facecv.entrypoints.cli.demo import demo
from facecv.entrypoints.cli.detect import analyze, detect
from facecv.entrypoints.cli.doctor import doctor
from facecv.entrypoints.cli.embed import embed
from facecv.entrypoints.cli.enroll import enroll
from facecv.entrypoints.cli.errors import EPILOG
from facecv.entrypoints.cli.events import events
from facecv.entrypoints.cli.gallery import gallery
from facecv.entrypoints.cli.identify import identify
from facecv.entrypoints.cli.invocation import Invocation, Prepare, pass_invocation
from facecv.entrypoints.cli.keys import keys
from facecv.entrypoints.cli.models import models
from facecv.entrypoints.cli.plugins import plugins
from facecv.entrypoints.cli.root import PLUGIN_PANEL, RootGroup
from facecv.entrypoints.cli.serve import serve
from facecv.entrypoints.cli.stream import stream
from facecv.entrypoints.cli.tune import tune
from facecv.entrypoints.cli.verify import verify

PANELS: Mapping[str, Sequence[click.RichCommand]] = {
    "Pictures": (detect, analyze, embed, verify),
    "People": (enroll, identify, gallery),
    "Streams": (stream, events, attendance),
    "Service": (serve, keys),
    "Installation": (models, doctor, config, plugins, tune),
    "Trying out": (demo, bench),
}
HELP_CONFIG: dict[str, Any] = {
    "commands_before_options": True,
    "max_width": 100,
}


def build_cli(prepare: Prepare | None = None) -> RootGroup:
    """Return the command line; `prepare` makes the parts of an engine (None: the installed)."""

    @click.group("facecv", cls=RootGroup, epilog=EPILOG, no_args_is_help=True, panels=_panels())
    @click.rich_config(HELP_CONFIG)
    @click.version_option(package_name="facecv", message="%(prog)s %(version)s", panel="General")
    @options.general_options
    @pass_invocation
    def facecv(invocation: Invocation) -> None:
        """Find, compare and recognise faces."""
        if not invocation.logging:
            invocation.log("warning")

    if prepare is not None:
        facecv.prepare = prepare
    for command in itertools.chain(*PANELS.values()):
        facecv.add_command(command)
    return facecv


def _panels() -> list[click.RichCommandPanel]:
    named = {title: [command.name or "" for command in own] for title, own in PANELS.items()}
    return [
        click.RichCommandPanel(title, commands=commands)
        for title, commands in {**named, PLUGIN_PANEL: []}.items()
    ]
