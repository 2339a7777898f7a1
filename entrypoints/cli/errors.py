"""Exit codes, and how errors are shown."""

import sys

import rich_click as click
from click import get_current_context

from facecv.core.errors import (
    BackendError,
    ConfigurationError,
    FaceCVError,
    GalleryError,
    InputError,
    ModelError,
    PluginError,
    ServiceError,
)

DONE = 0
NEGATIVE = 1
USAGE = 2
INPUT = 3
MODEL = 4
INTERRUPTED = 130
PIPE_CLOSED = 141

EPILOG = (
    "Exit codes: 0 done; 1 no match, or no face; 2 usage or configuration; "
    "3 an input (a picture, a collection, a person) could not be used; "
    "4 a model, backend or plugin could not be used; 130 interrupted."
)

_CODES: tuple[tuple[type[FaceCVError], int], ...] = (
    (ConfigurationError, USAGE),
    (InputError, INPUT),
    (GalleryError, INPUT),
    (ModelError, MODEL),
    (BackendError, MODEL),
    (PluginError, MODEL),
    (ServiceError, USAGE),
)


def exit_code(error: FaceCVError) -> int:
    """Return the exit code for an error."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), MODEL)


def one_line(error: FaceCVError) -> str:
    """Return what was wrong and what to do about it, on one line."""
    hint = f" ({error.hint})" if error.hint else ""
    return " ".join(f"{error.message}{hint}".split())


def show_error(error: FaceCVError, *, debug: bool = False, about: str = "") -> None:
    """Print an error on one line of the standard error, or with its traceback.

    Args:
        error: what happened.
        debug: whether the traceback is wanted.
        about: the picture or person it is about; left out where the message names it.
    """
    if debug:
        import traceback

        traceback.print_exception(error, file=sys.stderr)
    prefix = f"{about}: " if about and about not in error.message else ""
    click.secho("error: ", fg="red", bold=True, nl=False, err=True)
    click.echo(f"{prefix}{one_line(error)}", err=True)


def leave(code: int) -> None:
    """End the command with an exit code; 0 goes on."""
    if code != DONE:
        get_current_context().exit(code)
