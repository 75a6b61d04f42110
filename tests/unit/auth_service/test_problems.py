"""auth_service.core.problems: every refusal has a code of its own and its row in docs/auth-api.md."""

import re
from pathlib import Path

from auth_service.core import problems
from garita_common.core.errors import AppError, Internal

PAGE = Path(__file__).parents[3] / "docs" / "auth-api.md"


def classes() -> list[type[AppError]]:
    """All refusals of the service."""
    kinds: list[type[AppError]] = []
    for kind in vars(problems).values():
        if isinstance(kind, type) and issubclass(kind, AppError) and kind.__module__ == problems.__name__:
            kinds.append(kind)
    return [kind for kind in kinds if kind is not problems.Problem]


def test_codes_are_unique() -> None:
    """A client decides by the code."""
    codes = [kind.code for kind in classes()]

    assert len(codes) == len(set(codes))


def test_the_page_lists_exactly_these_codes_and_statuses() -> None:
    """docs/auth-api.md §2 is the contract."""
    rows = re.findall(r"^\| `([a-z_]+)` \| (\d{3}) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)

    kinds: list[type[AppError]] = [*classes(), Internal]
    assert {code: int(status) for code, status in rows} == {kind.code: kind.status for kind in kinds}


def test_a_refusal_of_credentials_carries_nothing_of_its_own() -> None:
    """All of them must be the same bytes."""
    refusal = problems.InvalidCredentials()

    assert (refusal.traced, dict(refusal.fields), refusal.retry_after_ms) == (False, {}, None)
