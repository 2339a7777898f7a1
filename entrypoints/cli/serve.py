"""``facecv serve``: the HTTP service."""

import importlib
from typing import Any

import rich_click as click

from facecv.core.errors import RuntimeMissingError
from facecv.entrypoints.cli import options
from facecv.entrypoints.cli.errors import EPILOG
from facecv.entrypoints.cli.invocation import Invocation, pass_invocation


@click.command(epilog=EPILOG)
@options.setting(
    "--host", key="server.host", panel="Server", metavar="ADDRESS", help="Where to listen."
)
@options.setting(
    "--port",
    key="server.port",
    panel="Server",
    type=click.IntRange(0, 65535),
    help="Which port; 0: any that is free.",
)
@options.setting(
    "--workers",
    key="server.workers",
    panel="Server",
    type=click.IntRange(min=1),
    metavar="N",
    help="Processes that answer as one server, each with models of its own.",
)
@options.setting(
    "--keys",
    key="server.keys",
    panel="Server",
    type=options.FILE,
    metavar="FILE",
    help="File of API keys (see 'facecv keys').",
)
@options.setting(
    "--insecure",
    key="server.insecure",
    panel="Server",
    is_flag=True,
    default=None,
    help="Serve other machines without any key.",
)
@options.model_options
@options.gallery_options
@options.general_options
@pass_invocation
def serve(invocation: Invocation) -> None:
    """Serve detection, recognition and galleries over HTTP, with OpenAPI at /docs.

    Without a key, only this machine is served.
    """
    server = _server()
    config = server.served(invocation.config())
    factory = server.AppFactory(config, invocation.prepare, invocation.level)
    server.serve(factory, config, lambda url: click.echo(f"listening on {url}", err=True))


def _server() -> Any:  # noqa: ANN401 - a module that is imported when it is needed
    """Return the module that runs the server.

    Raises:
        RuntimeMissingError: the extra ``server`` is not installed.
    """
    try:
        return importlib.import_module("facecv.entrypoints.http.server")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("facecv"):
            raise
        raise RuntimeMissingError(
            f"the package {error.name!r} is not installed", hint="pip install 'facecv[server]'"
        ) from error
