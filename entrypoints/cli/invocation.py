"""One run of the command line: what its options say, and the engine they describe."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import rich_click as click
from click import get_current_context

if TYPE_CHECKING:
    from facecv.entrypoints.api import Engine
    from facecv.entrypoints.bootstrap import Builder
    from facecv.entrypoints.config import Config
    from facecv.entrypoints.logging import Level


MANY = 8
"""Pictures from which on two are looked at at once."""


def installed(config: "Config") -> "Builder":
    """Return what builds the parts of an engine, with all installed plugins."""
    from facecv.entrypoints.bootstrap import prepare

    return prepare(config)


Prepare = Callable[["Config"], "Builder"]


@dataclass(eq=False)  # click has imported dataclasses: the help page need not wait for attrs
class Invocation:
    """What was said on the command line, collected while options are parsed.

    Attributes:
        prepare: makes the parts of an engine; tests hand in fake ones.
        config_file: as given; None: the one that applies.
        overrides: nested like the configuration.
        debug: whether errors come with a traceback.
        quiet: whether progress bars and remarks are left out.
        logging: whether an option said what is logged.
        level: from which level on is logged.
    """

    prepare: Prepare = installed
    config_file: Path | None = None
    overrides: dict[str, Any] = field(default_factory=dict)
    debug: bool = False
    quiet: bool = False
    logging: bool = False
    level: "Level" = "warning"
    _engine: "Engine | None" = field(default=None, init=False, repr=False)

    def override(self, key: str, value: object) -> None:
        """Let `value` win over file and environment; dots in `key` separate sections."""
        *sections, name = key.split(".")
        place = self.overrides
        for section in sections:
            place = place.setdefault(section, {})
        place[name] = value

    def log(self, level: str) -> None:
        """Log from `level` on; ``quiet`` means errors only, and no progress bars."""
        from facecv.entrypoints.logging import configure

        self.logging, self.quiet = True, level == "quiet"
        self.level = "error" if self.quiet else cast("Level", level)
        configure(self.level)

    def config(self) -> "Config":
        """Return the configuration that applies; raises `ConfigurationError`."""
        from facecv.entrypoints.bootstrap import configure

        return configure(self.config_file, self.overrides)

    def builder(self) -> "Builder":
        """Return what builds the parts of an engine, one by one."""
        return self.prepare(self.config())

    def engine(self, *, pictures: int = 1) -> "Engine":
        """Return the engine, opened once and closed when the command ends.

        Args:
            pictures: how many are coming; `MANY` are looked at two at once, by networks of half
                the threads, unless the configuration says how many threads.
        """
        from facecv.entrypoints.api import Engine
        from facecv.entrypoints.bootstrap import bootstrap

        if self._engine is None:
            many = pictures >= MANY
            if many and not self.config().threads:
                self.override("threads", _half_of_the_cores())
            builder = self.builder()
            self._engine = Engine(bootstrap(builder.config, builder.catalogue, crowded=many))
            get_current_context().call_on_close(self._engine.close)
        return self._engine


def _half_of_the_cores() -> int:
    from facecv.core.cpu_budget import available_cores

    return max(1, available_cores() // 2)


pass_invocation = click.make_pass_decorator(Invocation)
"""Hands the `Invocation` to a command as its first argument."""


def current() -> Invocation:
    """Return the invocation of the command that is running."""
    found = get_current_context().find_object(Invocation)
    if found is None:
        raise RuntimeError("there is no invocation: was the command line made with build_cli?")
    return found
