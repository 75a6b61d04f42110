"""garita_common.core.queries: numbers in an address."""

import pytest

from garita_common.core.errors import BadRequest
from garita_common.core.queries import parse_number


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "", "x", "1001", "９", "1" * 30])
def test_a_number_out_of_its_bounds_is_refused(text: str) -> None:
    """Below, above, or none."""
    with pytest.raises(BadRequest):
        parse_number(text, "limit", default=5, most=1000)


def test_a_number_within_its_bounds_is_taken() -> None:
    """And the default where there is none."""
    assert [parse_number(text, "limit", default=5, most=1000) for text in (None, "1", "1000")] == [5, 1, 1000]
