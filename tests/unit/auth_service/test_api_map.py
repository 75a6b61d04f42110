"""auth_service.core.api_map: every endpoint has a group."""

import pytest

from auth_service.core.api_map import group_of


@pytest.mark.parametrize(
    ("path", "group"),
    [
        ("/me", "The account"),
        ("/me/emails/{contact_id}", "Contacts"),
        ("/me/recovery-codes/lost", "Second factors"),
        ("/me/recoveries", "Recovery"),
        ("/passkeys/login/verify", "Login"),
        ("/unheard-of", "More"),
    ],
)
def test_the_first_beginning_that_fits_tells_the_group(path: str, group: str) -> None:
    """The more special ones come first."""
    assert group_of(path) == group
