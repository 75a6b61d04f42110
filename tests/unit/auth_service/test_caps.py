"""auth_service.core.caps: each cap at its limit and one past it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auth_service.core.caps import Cap, Spending, Tally, Texts, due_ms, is_unconfirmed, judge_mail, judge_text

SPENDING = Spending(frozenset({"ES", "PT", "FR", "DE"}), per_country=50, per_day=100)
QUIET = Texts(
    number=Tally(),
    account=Tally(),
    prefix=0,
    prefix_countries=frozenset(),
    country=0,
    everywhere=0,
    ripe=0,
    confirmed=0,
)


@pytest.mark.parametrize(
    ("passes", "refused", "cap"),
    [
        ({"number": Tally(2, 2)}, {"number": Tally(3, 3)}, Cap.NUMBER),
        ({"account": Tally(2, 2)}, {"account": Tally(3, 3)}, Cap.ACCOUNT),
        ({"prefix": 9}, {"prefix": 10}, Cap.PREFIX),
        (
            {"prefix_countries": frozenset({"ES", "PT", "FR"})},
            {"prefix_countries": frozenset({"DE", "PT", "FR"})},
            Cap.PREFIX_COUNTRIES,
        ),
        ({"everywhere": 99}, {"everywhere": 100}, Cap.ALL),
        ({"country": 49}, {"country": 50}, Cap.COUNTRY_DAY),
        ({"ripe": 20, "confirmed": 6}, {"ripe": 20, "confirmed": 5}, Cap.UNCONFIRMED),
    ],
)
def test_a_text_from_an_unknown_context(passes: dict[str, object], refused: dict[str, object], cap: Cap) -> None:
    """Each at its limit and one past it."""
    assert judge_text(replace(QUIET, **passes), SPENDING, "ES", known=False) is None  # type: ignore[arg-type]
    assert judge_text(replace(QUIET, **refused), SPENDING, "ES", known=False) is cap  # type: ignore[arg-type]


@pytest.mark.parametrize("whose", ["number", "account"])
def test_a_known_context_has_two_of_its_own(whose: str) -> None:
    """Three strangers' texts leave two for the owner; five are the end for everybody."""
    for total, cap in ((3, None), (4, None), (5, Cap.NUMBER if whose == "number" else Cap.ACCOUNT)):
        seen = replace(QUIET, **{whose: Tally(total, 3)})  # type: ignore[arg-type]
        assert judge_text(seen, SPENDING, "ES", known=True) is cap


@pytest.mark.parametrize("country", ["US", ""])
def test_other_countries_get_nothing(country: str) -> None:
    """Nor does a number of none."""
    assert judge_text(QUIET, SPENDING, country, known=True) is Cap.COUNTRY


def test_mail_has_its_own_numbers() -> None:
    """Four from strangers, six in all."""
    assert judge_mail(Tally(3, 3), known=False) is None
    assert judge_mail(Tally(4, 4), known=False) is Cap.ADDRESS
    assert judge_mail(Tally(5, 4), known=True) is None
    assert judge_mail(Tally(6, 0), known=True) is Cap.ADDRESS


def test_a_few_unanswered_texts_close_nothing() -> None:
    """A ratio of nineteen says nothing."""
    assert not is_unconfirmed(19, 0)
    assert is_unconfirmed(20, 0)


def test_a_second_message_waits_a_minute() -> None:
    """It is not lost."""
    assert due_ms(1_000_000, None) == 1_000_000
    assert due_ms(1_000_000, 999_999) == 1_059_999
    assert due_ms(1_000_000, 900_000) == 1_000_000


def test_where_nothing_is_paid_for_people_are_still_spared() -> None:
    """No country is closed and no budget used up; a number and an account get no more than elsewhere."""
    busy = replace(QUIET, prefix=99, country=99, everywhere=999, ripe=50, confirmed=0)

    assert judge_text(busy, None, "US", known=False) is None
    assert judge_text(replace(QUIET, number=Tally(3, 3)), None, "US", known=False) is Cap.NUMBER
    assert judge_text(replace(QUIET, account=Tally(5, 0)), None, "US", known=True) is Cap.ACCOUNT
