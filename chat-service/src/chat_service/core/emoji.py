"""What may be put on a message as a reaction: one symbol or a short run of them, never words.

Characters that no standard knows yet pass, for new emoji appear every year and the tables of this Python do not.
"""

import unicodedata

from garita_common.core.errors import BadRequest

_SYMBOLS = frozenset({"So", "Sm", "Sk", "Po", "Pd", "Me", "Cn"})
_JOINERS = frozenset({"\u200d", "\ufe0e", "\ufe0f"})
_TAGS = range(0xE0020, 0xE0080)
_KEYS = frozenset("0123456789#*")
_LETTERLIKE = frozenset("\u2139")
"""U+2139, the information sign, is a letter by its category."""


def check(emoji: str) -> None:
    """Lets a reaction through.

    Raises:
        BadRequest: it is no emoji: plain text, blanks, control characters, or characters that only change how others are shown.
    """
    if all(_is_allowed(character) for character in emoji) and any(_is_symbol(character) for character in emoji):
        return
    raise BadRequest("A reaction is an emoji.")


def _is_symbol(character: str) -> bool:
    return not character.isascii() and (unicodedata.category(character) in _SYMBOLS or character in _LETTERLIKE)


def _is_allowed(character: str) -> bool:
    return _is_symbol(character) or character in _JOINERS or character in _KEYS or ord(character) in _TAGS
