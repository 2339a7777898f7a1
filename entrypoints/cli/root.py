"""The top of the command line: errors become exit codes, plugins add commands."""

import gc
import os
import sys
from collections.abc import Callable, Iterable
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

import rich_click as click

from facecv.core.errors import FaceCVError, InputError, PluginError
from facecv.entrypoints.cli import errors
from facecv.entrypoints.cli.invocation import Invocation, Prepare, current, installed

if TYPE_CHECKING:
    from facecv.plugins.found import Plugins

PLUGIN_PANEL = "Plugins"
"""Where the help page lists commands of plugins."""

FindPlugins = Callable[[], "Plugins | None"]


def installed_plugins() -> "Plugins | None":
    """Return the installed plugins of other packages (ours add no commands); None: there are none.

    They are not asked what they provide, and the machinery is imported only if there are any.
    """
    points = [point for point in entry_points(group="facecv") if not _is_ours(point.module)]
    if not points:
        return None
    from facecv.plugins.found import find

    return find(points)


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] == "facecv"


class RootGroup(click.RichGroup):
    """A group whose commands may raise `FaceCVError`, and to which plugins may add commands.

    Attributes:
        prepare: makes the parts of an engine; tests hand in one with fake plugins.
        find_plugins: returns the plugins that may add commands, or None; likewise.
    """

    prepare: Prepare = staticmethod(installed)
    find_plugins: FindPlugins = staticmethod(installed_plugins)
    _asked_plugins = False

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401 - click's
    ) -> click.Context:
        """Return a context that carries a fresh `Invocation`."""
        extra.setdefault("obj", Invocation(self.prepare))
        return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's
        """Run the command; an error of ours or of a file is one line, Ctrl-C and the like none."""
        gc.enable()
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except FaceCVError as error:
            errors.show_error(error, debug=current().debug)
            ctx.exit(errors.exit_code(error))
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            ctx.exit(errors.INTERRUPTED)
        except BrokenPipeError:
            # Python would complain about what is still buffered when it closes the stream.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(errors.PIPE_CLOSED)
        except OSError as error:
            if error.filename is None:  # it is about no file that somebody named
                raise
            refused = InputError(f"{error.filename} cannot be used: {error.strerror}")
            errors.show_error(refused.with_traceback(error.__traceback__), debug=current().debug)
            ctx.exit(errors.INPUT)
        else:
            return result

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, those of plugins too."""
        self._add_plugin_commands()
        return super().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command; plugins are asked only if it is not one of ours."""
        if cmd_name not in self.commands:
            self._add_plugin_commands()
        return super().get_command(ctx, cmd_name)

    def add_command(
        self,
        cmd: click.Command,
        name: str | None = None,
        aliases: Iterable[str] | None = None,
        panel: str | None = None,
    ) -> None:
        """Add a command; raise `PluginError` if its name is taken."""
        if (name or cmd.name) in self.commands:
            raise PluginError(f"there is a command {name or cmd.name!r} already")
        super().add_command(cmd, name, aliases, panel)
        for place in self.panels:
            if self._asked_plugins and place.name == PLUGIN_PANEL:
                place.add_object(name or cmd.name or "")

    def _add_plugin_commands(self) -> None:
        """Let plugins add commands, once; one that fails is reported and changes nothing else."""
        if self._asked_plugins:
            return
        self._asked_plugins = True
        plugins = self.find_plugins()
        if plugins is None:
            return
        for failed in plugins.call("facecv_cli", group=self, engine_factory=_engine):
            from facecv.entrypoints.cli.output import warn

            warn(f"plugin {failed}: {failed.error}")


def _engine() -> object:
    """Return the engine that the options of the running command describe."""
    return current().engine()
