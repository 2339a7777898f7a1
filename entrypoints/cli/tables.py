"""Tables for people."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from facecv.core.attributes import AttributeValue, HeadPose, LandmarkSet
    from facecv.core.embedding import EmbeddingSpace
    from facecv.core.face import Face
    from facecv.core.gallery import Metadata
    from facecv.core.geometry import Box

NUMERIC = frozenset(
    [
        *("face", "faces", "score", "quality", "similarity", "norm", "persons", "size"),
        *("enrolled", "known", "skipped", "threshold", "margin"),
    ]
)
"""Columns that are set flush right."""
WIDE = frozenset(["reason", "path", "value", "summary", "licence", "metadata", "what"])
"""Columns whose contents may be broken into several lines."""
SHRINKING = frozenset(
    ["picture", "name", "who", "person", "expected", "answer", "space", "model", "pack / model"]
)
"""Columns whose contents are cut first where the terminal is narrow."""


def table(*columns: str) -> "Table":
    """Return an empty table; names of columns decide how they are set."""
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for name in columns:
        wide = name in WIDE
        made.add_column(
            name,
            justify="right" if name in NUMERIC else "left",
            no_wrap=not wide and name not in SHRINKING,
            overflow="fold" if wide else "ellipsis",
        )
    return made


def add_row(made: "Table", *cells: object, style: str = "") -> None:
    """Add a row; None and empty texts leave a cell empty, brackets are brackets."""
    from rich.text import Text

    texts = [cell if isinstance(cell, Text) else Text(_text(cell)) for cell in cells]
    for column, text in zip(made.columns, texts, strict=False):
        text.no_wrap = column.overflow == "ellipsis"
    made.add_row(*texts, style=style or None)


def styled(text: object, style: str) -> object:
    """Return a cell in a style of its own."""
    from rich.text import Text

    return Text(_text(text), style=style)


def _text(cell: object) -> str:
    return "" if cell is None else str(cell)


def box_text(box: "Box") -> str:
    """Return left, top, width and height of a box, as people read it."""
    x, y, width, height = (round(v) for v in (box.x1, box.y1, box.width, box.height))
    return f"{x},{y} {width}x{height}"


def quality_cell(face: "Face") -> object:
    """Return the quality of a face, coloured by how usable it is."""
    if face.quality is None:
        return "-"
    score = face.quality.score
    return styled(f"{score:.2f}", "green" if score >= 0.5 else "yellow" if score >= 0.25 else "red")


def attribute_text(name: str, attribute: "AttributeValue") -> str:
    """Return what an attribute model says, in a few words."""
    value = attribute.value
    if isinstance(value, bool):
        return name if value else f"no {name}"
    if isinstance(value, str):
        return f"{name} {value}: {attribute.reason}" if attribute.reason else value
    if isinstance(value, int | float):
        return f"{name} {value:.0f}"
    return _many_numbers(name, value)


def _many_numbers(name: str, value: "HeadPose | LandmarkSet") -> str:
    from facecv.core.attributes import HeadPose

    if isinstance(value, HeadPose):
        return f"yaw {value.yaw:+.0f}° pitch {value.pitch:+.0f}° roll {value.roll:+.0f}°"
    return f"{name} ({len(value.points)} points)"


def number(value: float | None, digits: int = 3) -> str:
    """Return a number, or a dash for none."""
    return "-" if value is None else f"{value:.{digits}f}"


def size_text(count: int) -> str:
    """Return a number of bytes in a unit that suits it; a dash for an unknown one."""
    if count <= 0:
        return "-"
    value = float(count)
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def space_text(space: "EmbeddingSpace") -> str:
    """Return an embedding space, short."""
    return f"{space.model}/{space.dim}"


def day(moment: datetime) -> str:
    """Return the day of a moment, in local time."""
    return moment.astimezone().strftime("%Y-%m-%d")


def metadata_text(metadata: "Metadata") -> str:
    """Return metadata as KEY=VALUE."""
    return ", ".join(f"{key}={value}" for key, value in metadata.items())


def plural(count: int, word: str, many: str = "") -> str:
    """Return ``1 face``, ``2 faces``."""
    return f"{count} {word if count == 1 else many or word + 's'}"


def joined(parts: Sequence[str]) -> str:
    """Return the parts that are not empty, with commas."""
    return ", ".join(part for part in parts if part)
