"""The library's errors: a sentence for the person, fields for the program."""

from __future__ import annotations

import pytest

from garita_client.core.errors import AuthRefused, Banned, Ended, GaritaError, NoAnswer, RequestRefused


def test_a_change_without_an_answer_says_its_doubt() -> None:
    """Only of a change that was sent can one not know whether it happened."""
    sent = NoAnswer("send", may_have_happened=True)
    asked = NoAnswer("rooms", may_have_happened=False)

    assert "may have been carried out" in str(sent)
    assert "may have been carried out" not in str(asked)
    assert (sent.op, asked.op) == ("send", "rooms")


def test_a_ban_is_an_end_with_its_reason() -> None:
    """A program that handles ends handles bans, and finds until when and whom to ask."""
    ban = Banned("flood", 1_800_000_000_000, "a-17")

    assert isinstance(ban, Ended)
    assert (ban.code, ban.until_ms, ban.appeal) == (4503, 1_800_000_000_000, "a-17")
    assert "flood" in str(ban)


def test_a_refused_request_keeps_the_servers_words() -> None:
    """Code to decide by, sentence to show."""
    refusal = RequestRefused("forbidden", "Only moderators may do that.")

    assert (refusal.code, str(refusal)) == ("forbidden", "Only moderators may do that.")


@pytest.mark.parametrize(
    ("problem", "code", "wait_s", "sentence"),
    [
        (
            {"code": "rate_limited", "title": "Too many tries.", "retry_after": 30},
            "rate_limited",
            30.0,
            "Too many tries.",
        ),
        (
            {"code": "bad_request", "title": "No.", "detail": "The name is taken."},
            "bad_request",
            None,
            "No. The name is taken.",
        ),
        ({"retry_after": "soon"}, "internal", None, "The accounts service refused this."),
        ({}, "internal", None, "The accounts service refused this."),
    ],
)
def test_a_refusal_of_the_accounts_service(
    problem: dict[str, object], code: str, wait_s: float | None, sentence: str
) -> None:
    """Whatever the answer lacks, there is a code, a sentence, and a wait only where one was given."""
    refusal = AuthRefused(problem, 429)

    assert isinstance(refusal, GaritaError)
    assert (refusal.code, refusal.retry_after_s, str(refusal), refusal.status) == (code, wait_s, sentence, 429)
