"""auth_service.core.codes: what showing a code does to a registration."""

from dataclasses import replace

import pytest

from auth_service.core.codes import MAX_TRIES, Step, Waiting, code_from, judge

NOW = 1_800_000_000_000
RIGHT = Waiting(proved=False, tries=0, expires_ms=NOW + 1, secret_fits=True, code_fits=True)


@pytest.mark.parametrize(
    ("waiting", "step"),
    [
        (RIGHT, Step.PROVED),
        (replace(RIGHT, tries=MAX_TRIES - 1), Step.PROVED),
        (replace(RIGHT, tries=MAX_TRIES), Step.GONE),
        (replace(RIGHT, expires_ms=NOW), Step.GONE),
        (replace(RIGHT, proved=True), Step.GONE),
        (replace(RIGHT, secret_fits=False), Step.GONE),
        (replace(RIGHT, secret_fits=False, code_fits=False), Step.GONE),
        (replace(RIGHT, code_fits=False), Step.WRONG),
        (replace(RIGHT, code_fits=False, tries=MAX_TRIES), Step.GONE),
    ],
)
def test_what_showing_a_code_does(waiting: Waiting, step: Step) -> None:
    """Every way to be gone, and the limits of the tries."""
    assert judge(waiting, NOW) is step


@pytest.mark.parametrize(("number", "code"), [(0, "000000"), (7, "000007"), (999_999, "999999")])
def test_a_code_has_six_digits(number: int, code: str) -> None:
    """Leading zeros stay."""
    assert code_from(number) == code
