"""garita_common.core.errors."""

import inspect

from garita_common.core import errors

DOCUMENTED = {
    "internal", "unauthenticated", "not_found", "forbidden", "unknown_op", "bad_request", "limit", "token_expired", "rate_limited",
    "cursor_invalid", "busy", "conflict", "too_large", "challenge_required", "file_rejected", "quota",
}  # fmt: skip
CLASSES = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.AppError)]


def test_every_code_is_documented_and_every_documented_code_exists() -> None:
    """The protocol page and the tree say the same."""
    assert {kind.code for kind in CLASSES} == DOCUMENTED


def test_only_three_codes_are_temporary() -> None:
    """internal, busy and rate_limited: a repeat may help."""
    assert {kind.code for kind in CLASSES if kind.temporary} == {"internal", "busy", "rate_limited"}


def test_an_error_shows_its_sentence_and_nothing_else() -> None:
    """What the peer reads is fixed by the class or given on purpose."""
    assert errors.NotFound().sentence == errors.NotFound.default_sentence
    assert errors.RateLimited(retry_after_ms=5).retry_after_ms == 5


def test_close_codes_part_at_4500() -> None:
    """44xx: come back; 45xx: do not, but where only time ran out."""
    assert {code for code in errors.CloseCode if code.reconnect != (code < 4500)} == {errors.CloseCode.CONNECT_TIMEOUT}
    assert {int(code) for code in errors.CloseCode} == {
        4401,
        4402,
        4403,
        4408,
        4409,
        4410,
        4411,
        4413,
        4414,
        *range(4500, 4509),
    }
