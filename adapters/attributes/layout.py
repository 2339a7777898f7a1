"""What the columns of an attribute network's output mean, as its manifest says it."""

from collections.abc import Mapping
from typing import Any

import attrs

from facecv.core.errors import ManifestError

_HINT = 'write columns = ["age", "gender=female", "gender=male"] in the settings of the model'


@attrs.frozen
class Layout:
    """What the output of a network means.

    Attributes:
        numbers: attribute name to the column that holds its value.
        classes: attribute name to class name to the column that holds its probability.
        length: number of columns.
    """

    numbers: Mapping[str, int]
    classes: Mapping[str, Mapping[str, int]]
    length: int

    @property
    def provides(self) -> frozenset[str]:
        """The names of the attributes."""
        return frozenset({*self.numbers, *self.classes})


def read_layout(name: str, settings: Mapping[str, Any]) -> Layout:
    """Return what the setting ``columns`` of a model says.

    Args:
        name: of the model.
        settings: of the model, from its manifest.

    Raises:
        ManifestError: it is missing or contradicts itself.
    """
    columns = settings.get("columns")
    if not isinstance(columns, list) or not all(isinstance(each, str) for each in columns):
        raise ManifestError(f"the manifest does not say what {name} gives", hint=_HINT)
    if not columns or len(set(columns)) != len(columns):
        raise ManifestError(f"the columns of {name} are empty or name one thing twice", hint=_HINT)
    numbers: dict[str, int] = {}
    classes: dict[str, dict[str, int]] = {}
    for index, column in enumerate(columns):
        attribute, equals, label = column.partition("=")
        if equals:
            classes.setdefault(attribute, {})[label] = index
        else:
            numbers[attribute] = index
    both = sorted(numbers.keys() & classes.keys())
    if both:
        raise ManifestError(f"{name}: {both[0]!r} is a number and a class at once", hint=_HINT)
    return Layout(numbers, classes, len(columns))
