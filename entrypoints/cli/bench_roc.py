"""The picture of a receiver operating characteristic, drawn by matplotlib."""

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facecv.core.errors import InputError
from facecv.entrypoints.cli.extras import demo_package
from facecv.entrypoints.cli.output import write_file

if TYPE_CHECKING:
    from facecv.core.evaluation import Roc


def check_drawable(path: Path) -> None:
    """Raise unless a curve can be drawn into `path`, before hours are spent on it.

    Raises:
        RuntimeMissingError: matplotlib is not installed.
        InputError: no picture of that kind can be written.
    """
    known = _figure().canvas.get_supported_filetypes()
    if path.suffix.removeprefix(".").lower() not in known:
        raise InputError(
            f"a curve cannot be drawn into {path}",
            hint=f"end its name in one of {', '.join(known)}",
        )


def draw_roc(path: Path, roc: "Roc", title: str) -> None:
    """Write a picture of the curve: share of genuine pairs over that of impostors accepted.

    Raises:
        RuntimeMissingError: matplotlib is not installed.
        InputError: the file cannot be written.
    """
    figure = _figure()
    axes = figure.add_subplot()
    least = 1 / roc.impostors
    shown = roc.far >= least
    axes.step(roc.far[shown], roc.tar[shown], where="post", linewidth=2)
    axes.plot(roc.far[shown], 1 - roc.far[shown], color="grey", linestyle=":")  # equal errors
    axes.set(xscale="log", xlim=(least, 1), xlabel="false-accept rate", ylabel="true-accept rate")
    axes.set_ylim(max(0.0, float(roc.tar[shown][0]) - 0.05), 1.005)
    axes.set_title(f"{title}\nAUC {roc.auc:.5f}, EER {roc.eer:.2%}", fontsize=9)
    axes.grid(visible=True, which="both", alpha=0.3)
    content = io.BytesIO()
    figure.savefig(content, format=path.suffix.removeprefix("."), dpi=150)
    write_file(path, content.getvalue())


def _figure() -> Any:  # noqa: ANN401 - a figure of matplotlib, which has no types here
    """Return an empty figure that needs no display."""
    return demo_package("matplotlib.figure").Figure(figsize=(6, 4.5), layout="constrained")
