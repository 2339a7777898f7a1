"""The command line, put together."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import rich_click as click

from facecv.entrypoints.cli import options
from facecv.entrypoints.cli.errors import EPILOG
from facecv.entrypoints.cli.invocation import Invocation, Prepare, pass_invocation
from facecv.entrypoints.cli.lazy import LazyCommand
from facecv.entrypoints.cli.root import PLUGIN_PANEL, FindPlugins, RootGroup

# What each command says of itself is written here too, so that the help page need not import all
# of them; a test compares.
PANELS: Mapping[str, Sequence[LazyCommand]] = {
    "Pictures": (
        LazyCommand("detect", "Find the faces of pictures: boxes, landmarks, confidence, quality."),
        LazyCommand(
            "analyze",
            "Tell everything about the faces of pictures: attributes, parts of quality, "
            "embeddings.",
            module="detect",
        ),
        LazyCommand("embed", "Turn the faces of pictures into vectors of length one."),
        LazyCommand("verify", "Compare the largest faces of two pictures."),
    ),
    "People": (
        LazyCommand(
            "enroll",
            "Add persons to a collection: a folder for each, or photos of one with --name.",
        ),
        LazyCommand(
            "identify", "Say who is in pictures, among the persons enrolled in a collection."
        ),
        LazyCommand("gallery", "Look after collections and the persons enrolled in them."),
    ),
    "Streams": (
        LazyCommand("stream", "Follow the faces in a video or camera, and say who comes and goes."),
        LazyCommand(
            "events", "List what cameras have seen, make strangers persons, look after deliveries."
        ),
        LazyCommand(
            "attendance", "Say when persons were first and last seen, day by day, in local time."
        ),
    ),
    "Service": (
        LazyCommand(
            "serve", "Serve detection, recognition and galleries over HTTP, with OpenAPI at /docs."
        ),
        LazyCommand("keys", "Create, list and revoke API keys; a running server follows at once."),
    ),
    "Installation": (
        LazyCommand("models", "Get, check and remove model packs."),
        LazyCommand(
            "doctor",
            "Show versions, devices, models, gallery, plugins, and what is wrong with them.",
        ),
        LazyCommand("config", "Show every setting and where its value comes from."),
        LazyCommand(
            "plugins",
            "List plugins, what they provide, and why broken ones are broken (exit code 4).",
        ),
        LazyCommand(
            "tune",
            "Measure backends, devices, threads, batch and input sizes with the configured models.",
        ),
    ),
    "Trying out": (
        LazyCommand("demo", "Enrol two persons, and know them again in altered photos."),
        LazyCommand("bench", "Measure models on pictures of your own."),
    ),
}
HELP_CONFIG: dict[str, Any] = {
    "commands_before_options": True,
    "max_width": 100,
}


def build_cli(prepare: Prepare | None = None, find_plugins: FindPlugins | None = None) -> RootGroup:
    """Return the command line.

    Args:
        prepare: makes the parts of an engine; None: the installed ones.
        find_plugins: returns the plugins that may add commands; None: the installed ones.
    """

    @click.group("facecv", cls=RootGroup, epilog=EPILOG, no_args_is_help=True, panels=_panels())
    @click.rich_config(HELP_CONFIG)
    @click.version_option(package_name="facecv", message="%(prog)s %(version)s", panel="General")
    @options.general_options
    @pass_invocation
    def facecv(invocation: Invocation) -> None:
        """Find, compare and recognise faces."""
        if not invocation.logging:
            invocation.log("warning")

    facecv.prepare = prepare or facecv.prepare
    facecv.find_plugins = find_plugins or facecv.find_plugins
    for command in itertools.chain(*PANELS.values()):
        facecv.add_command(command)
    return facecv


def _panels() -> list[click.RichCommandPanel]:
    named = {title: [command.name or "" for command in own] for title, own in PANELS.items()}
    return [
        click.RichCommandPanel(title, commands=commands)
        for title, commands in {**named, PLUGIN_PANEL: []}.items()
    ]
