"""The command line: ``facecv``.

`main` is the program; `facecv.entrypoints.cli.app` puts its commands together.
"""

import gc


def main() -> None:
    """Run the command line and end the process."""
    # What is imported stays, so looking for garbage in it is in vain (a tenth of the time that a
    # help page takes); the root group switches the collector on again before a command runs.
    gc.disable()
    from facecv.entrypoints.cli.app import build_cli

    try:
        build_cli()(prog_name="facecv")
    finally:
        gc.enable()
