"""Changes are made in time, or not at all."""

import contextvars

import pytest

from facecv.core.errors import TimeLimitError
from facecv.core.services.permit import Permit, may_keep


def _within(permit: Permit) -> None:
    contextvars.copy_context().run(permit.around(may_keep))


def test_without_a_permit_everything_is_kept() -> None:
    may_keep()


def test_who_is_first_decides() -> None:
    """And a second question gets the same answer."""
    taken, withdrawn = Permit(), Permit()
    for _ in range(2):
        _within(taken)
        assert not taken.withdraw()
        assert withdrawn.withdraw()
        with pytest.raises(TimeLimitError):
            _within(withdrawn)


def test_a_permit_is_for_its_own_task() -> None:
    permit = Permit()
    permit.withdraw()
    with pytest.raises(TimeLimitError):
        _within(permit)
    may_keep()
