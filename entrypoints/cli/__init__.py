"""The command line: ``facecv``.

`main` is the program; `facecv.entrypoints.cli.app` puts its commands together.
"""


def main() -> None:
    """Run the command line and end the process."""
    from facecv.entrypoints.cli.app import build_cli

    build_cli()(prog_name="facecv")
