"""Commands whose modules are imported when they are used."""

from importlib import import_module
from typing import Any, cast

import rich_click as click


class LazyCommand(click.RichCommand):
    """Stands for a command in lists; whoever runs it, or asks for its help, gets the command.

    The command has its own name in a module of `facecv.entrypoints.cli`.
    """

    def __init__(self, name: str, summary: str, module: str = "") -> None:
        """Take what lists show.

        Args:
            name: of the command.
            summary: the first paragraph of its help.
            module: where it is, if that is not called as the command.
        """
        super().__init__(name=name, help=summary)
        self._home = f"{__package__}.{module or name}"

    def load(self) -> click.RichCommand:
        """Return the command itself."""
        return cast("click.RichCommand", getattr(import_module(self._home), str(self.name)))

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401 - click's
    ) -> click.Context:
        """Return a context of the command itself, which is what click goes on with."""
        return self.load().make_context(info_name, args, parent, **extra)
