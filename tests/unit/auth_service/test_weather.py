"""auth_service.core.weather: what goes on around a login, and the work that it costs."""

import pytest

from auth_service.core.weather import MUCH, USUAL, Signs, Storm, work


@pytest.mark.parametrize(
    ("signs", "wanted"),
    [
        (Signs(15, 10, alarm=False, storm=False), 0),
        (Signs(16, 1, alarm=False, storm=False), MUCH),
        (Signs(1, 11, alarm=False, storm=False), USUAL),
        (Signs(1, 1, alarm=True, storm=False), USUAL),
        (Signs(1, 1, alarm=False, storm=True), USUAL),
        (Signs(16, 11, alarm=True, storm=True), MUCH),
    ],
)
def test_work_at_each_limit_and_one_past_it(signs: Signs, wanted: int) -> None:
    """Many names of one address cost most; a password that goes round, and a storm, cost everybody unknown a little."""
    assert work(signs) == wanted


def filled(failures: int, total: int = 3001) -> Storm:
    """Ten a second for five minutes, and one more."""
    storm = Storm()
    for number in range(total):
        storm.count(number * 299 / total, failed=number < failures)
    return storm


def test_a_storm_is_many_tries_of_which_most_fail() -> None:
    """More than ten a second and more than 60 % of them, in five minutes; then it is over."""
    assert filled(1801).rages(299)
    assert not filled(1800).rages(299)
    assert not filled(3000, total=3000).rages(299)
    assert not filled(3001).rages(600)
