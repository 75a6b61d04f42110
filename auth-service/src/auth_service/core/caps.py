"""How many messages a stranger can cause: per contact, account, address and country, and in all.

A text costs money and disturbs whoever gets it; a mail disturbs. So the caps look at who is messaged, on whose account, from where, and at what it costs; a known
context (a confirmed device of the account, its usual place, a link from one of our notices) has a part of its own, so that a stranger cannot use the owner's up.
Security notices are not asked about here at all.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

PACE_MS: Final = 60_000
DAY_MS: Final = 86_400_000
TEXTS_PER_NUMBER, TEXTS_PER_NUMBER_UNKNOWN = 5, 3
TEXTS_PER_ACCOUNT, TEXTS_PER_ACCOUNT_UNKNOWN = 5, 3
TEXTS_PER_PREFIX, COUNTRIES_PER_PREFIX = 10, 3
MAILS_PER_ADDRESS, MAILS_PER_ADDRESS_UNKNOWN = 6, 4
RATIO_MIN: Final = 0.3
"""People who asked for a code type it in most of the time; a premium-rate number never does."""
RATIO_SAMPLE: Final = 20
"""Below so many texts a ratio says nothing."""
RATIO_AGE_MS: Final = 15 * 60_000
"""A code may still be typed in while it is good."""


class Cap(Enum):
    """Which cap refused; also its name in the metrics."""

    NUMBER = "sms_number"
    ACCOUNT = "sms_account"
    PREFIX = "sms_prefix"
    PREFIX_COUNTRIES = "sms_prefix_countries"
    COUNTRY = "sms_country"
    COUNTRY_DAY = "sms_country_day"
    UNCONFIRMED = "sms_unconfirmed"
    ALL = "sms_all"
    ADDRESS = "mail_address"


@dataclass(frozen=True, slots=True)
class Tally:
    """Messages of the last day: all, and those from unknown contexts."""

    total: int = 0
    unknown: int = 0

    def is_full(self, most: int, most_unknown: int, *, known: bool) -> bool:
        """Whether no further one may be sent."""
        return self.total >= most or (not known and self.unknown >= most_unknown)


@dataclass(frozen=True, slots=True)
class Texts:
    """What the last day saw. `ripe` texts to this country are older than a code lives, and `confirmed` of them were typed in. `prefix_countries`: where
    this prefix sent to.
    """

    number: Tally
    account: Tally
    prefix: int
    prefix_countries: frozenset[str]
    country: int
    everywhere: int
    ripe: int
    confirmed: int


@dataclass(frozen=True, slots=True)
class Spending:
    """What the operator allows: countries by their two letters, and texts a day."""

    countries: frozenset[str]
    per_country: int
    per_day: int


def judge_text(seen: Texts, spending: Spending | None, country: str, *, known: bool) -> Cap | None:
    """Which cap refuses a text, or None. Args: spending: None where no text leaves, so that none is paid for; country: of the number, '' if none is known."""
    if spending is not None and country not in spending.countries:
        return Cap.COUNTRY
    if seen.number.is_full(TEXTS_PER_NUMBER, TEXTS_PER_NUMBER_UNKNOWN, known=known):
        return Cap.NUMBER
    if seen.account.is_full(TEXTS_PER_ACCOUNT, TEXTS_PER_ACCOUNT_UNKNOWN, known=known):
        return Cap.ACCOUNT
    return None if spending is None else _judge_cost(seen, spending, country)


def _judge_cost(seen: Texts, spending: Spending, country: str) -> Cap | None:
    if seen.prefix >= TEXTS_PER_PREFIX:
        return Cap.PREFIX
    if len(seen.prefix_countries | {country}) > COUNTRIES_PER_PREFIX:
        return Cap.PREFIX_COUNTRIES
    if seen.everywhere >= spending.per_day:
        return Cap.ALL
    if seen.country >= spending.per_country:
        return Cap.COUNTRY_DAY
    if is_unconfirmed(seen.ripe, seen.confirmed):
        return Cap.UNCONFIRMED
    return None


def judge_mail(seen: Tally, *, known: bool) -> Cap | None:
    """Which cap refuses a mail, or None."""
    return Cap.ADDRESS if seen.is_full(MAILS_PER_ADDRESS, MAILS_PER_ADDRESS_UNKNOWN, known=known) else None


def is_unconfirmed(ripe: int, confirmed: int) -> bool:
    """Whether so few codes come back that a country is closed until the texts are a day old."""
    return ripe >= RATIO_SAMPLE and confirmed < RATIO_MIN * ripe


def due_ms(now_ms: int, last_ms: int | None) -> int:
    """When the next message to a contact may leave: a minute after the one before. It waits instead of being lost."""
    return now_ms if last_ms is None else max(now_ms, last_ms + PACE_MS)
