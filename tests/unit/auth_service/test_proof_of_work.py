"""auth_service.core.proof_of_work: which signed challenge data is good for a request."""

import pytest

from auth_service.core.proof_of_work import LIFETIME_MS, MIN_FORM_MS, Flaw, flaw_of
from auth_service.core.requests import Action, ProofData

NOW = 1_800_000_000_000


def made(action: Action) -> ProofData:
    """Challenge data made at NOW."""
    return ProofData(action=action, id="0" * 32, issued_ms=NOW, expires_ms=NOW + LIFETIME_MS)


@pytest.mark.parametrize(
    ("made_for", "used_for", "after_ms", "flaw"),
    [
        ("register", "register", MIN_FORM_MS, None),
        ("register", "register", MIN_FORM_MS - 1, Flaw.TOO_FAST),
        ("login", "login", 0, None),
        ("register", "register", LIFETIME_MS - 1, None),
        ("register", "register", LIFETIME_MS, Flaw.OVER),
        ("register", "login", MIN_FORM_MS, Flaw.OTHER_ACTION),
        ("login", "register", MIN_FORM_MS, Flaw.OTHER_ACTION),
        ("login", "login", -60_000, Flaw.OVER),
    ],
)
def test_action_age_and_end(made_for: Action, used_for: Action, after_ms: int, flaw: Flaw | None) -> None:
    """Each bound at its last good millisecond and one past it; data from the future is not ours."""
    assert flaw_of(made(made_for), used_for, NOW + after_ms) is flaw
