"""What may be put on a message as a reaction."""

from __future__ import annotations

import pytest

from chat_service.core import emoji
from garita_common.core.errors import BadRequest


@pytest.mark.parametrize(
    "good", ["👍", "👍🏽", "❤️", "👩‍👩‍👧‍👦", "🇪🇸", "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f", "1️⃣", "#️⃣", "‼️", "ℹ️", "↔️", "©️", "\U0001fae9"]
)  # fmt: skip
def test_emoji_pass(good: str) -> None:
    """With skin tones, joined, flags, keys, and such as are newer than this Python."""
    emoji.check(good)


@pytest.mark.parametrize(
    "bad",
    ["a", "1", "+1", ":+1:", "ok👍", "sí", "ñ", "👍 👍", "👍\n", "👍\u00a0", "\u200d", "\ufe0f", "👍\u202e",
     "👍\u0000", "👍\x07", "e\u0301", "👍\u0301", "\ue000", "日本"],
)  # fmt: skip
def test_what_is_no_emoji_is_refused(bad: str) -> None:
    """Words, blanks, control characters, marks and what turns text around."""
    with pytest.raises(BadRequest):
        emoji.check(bad)
