"""What the rules look at."""

import pytest

from auth_service.core.recovery.facts import DAY_MS, Policy


@pytest.mark.parametrize(("probation", "tombstone"), [(6, 30), (30, 91), (30, 29)])
def test_lengths_that_would_favour_an_intruder_are_refused(probation: int, tombstone: int) -> None:
    """A tombstone shorter than a probation would end the owner's rights before the intruder's begin."""
    with pytest.raises(ValueError, match=r"7 and 90 days|never shorter"):
        Policy(probation * DAY_MS, tombstone * DAY_MS)
