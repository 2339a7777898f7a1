"""A name for a track: several looks must agree before it is given."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Literal

import attrs

from facecv.core.gallery import Identification, Match

Standing = Literal["open", "person", "stranger"]
_REMEMBERED = 9
"""Looks that count; older ones are forgotten, so that a mistake does not last for ever."""
_LEAST_WEIGHT = 0.05
_STRANGER = ""


@attrs.frozen
class Look:
    """One recognition of a face.

    Attributes:
        who: what the search said.
        quality: of that view, 0..1.
    """

    who: Identification
    quality: float

    @property
    def weight(self) -> float:
        """How much it counts."""
        return max(self.quality, _LEAST_WEIGHT)

    @property
    def vote(self) -> str | None:
        """Whom it is for: a person's id, empty for a stranger, None where it cannot tell."""
        if self.who.person:
            return self.who.person.id
        return None if self.who.status == "ambiguous" else _STRANGER


@attrs.frozen
class Verdict:
    """What the looks at a face come to.

    Attributes:
        standing: ``person`` (see `match`), ``stranger`` (looked at well, and like nobody) or
            ``open`` (not known yet, or ambiguous).
        match: the person, with the highest similarity of all agreeing looks.
    """

    standing: Standing = "open"
    match: Match | None = None


@attrs.define
class Ballot:
    """Collects looks at one face.

    A person needs `agree` looks that agree and more than half of the weight of all looks, weights
    being qualities; ambiguous looks weigh against everybody. A stranger needs one look more, since
    a bad view of a known face looks like nobody.
    """

    agree: int = 2
    _looks: list[Look] = attrs.field(factory=list, init=False)

    @property
    def count(self) -> int:
        """How many looks count."""
        return len(self._looks)

    def cast(self, look: Look) -> None:
        """Add a look."""
        self._looks = [*self._looks[1 - _REMEMBERED :], look]

    def verdict(self) -> Verdict:
        """Return what the looks come to."""
        votes: dict[str, list[Look]] = defaultdict(list)
        for look in self._looks:
            if look.vote is not None:
                votes[look.vote].append(look)
        total = _weight(self._looks)
        for who, looks in votes.items():
            needed = self.agree + (who == _STRANGER)
            if len(looks) >= needed and _weight(looks) > total / 2:
                return Verdict("person", _best(looks)) if who else Verdict("stranger")
        return Verdict()


def _weight(looks: Sequence[Look]) -> float:
    return sum(look.weight for look in looks)


def _best(looks: Sequence[Look]) -> Match:
    return max((look.who.matches[0] for look in looks), key=lambda match: match.similarity)
