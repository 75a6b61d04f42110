"""auth_service.core.credentials: whom passkeys are made for, and when one is a copy."""

import pytest

from auth_service.core.credentials import RelyingParty, is_copied


@pytest.mark.parametrize(
    ("origins", "demo", "party"),
    [
        (["https://chat.example.org"], False, RelyingParty("chat.example.org", ("https://chat.example.org",))),
        (["http://127.0.0.1:8080"], False, None),
        (["http://[::1]:8080"], False, None),
        ([], False, None),
        (["http://127.0.0.1:8080"], True, RelyingParty("localhost", ("http://localhost:8080",))),
        (
            ["http://10.0.0.7", "https://a.example:8443", "https://b.example", "https://a.example"], False,
            RelyingParty("a.example", ("https://a.example:8443", "https://a.example")),
        ),
    ],
)  # fmt: skip
def test_passkeys_are_for_the_first_name(origins: list[str], demo: bool, party: RelyingParty | None) -> None:
    """With every origin that bears it; an address is no name."""
    assert RelyingParty.of(origins, demo=demo) == party


@pytest.mark.parametrize(
    ("stored", "shown", "copied"),
    [(0, 0, False), (0, 1, False), (1, 2, False), (1, 1, True), (2, 1, True), (1, 0, True)],
)
def test_a_count_only_goes_up(stored: int, shown: int, copied: bool) -> None:
    """Or is never there."""
    assert is_copied(stored, shown) is copied
