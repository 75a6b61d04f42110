"""Words: what of a text can be searched for, and what a query asks for.

A word is a run of letters and digits, without case and diacritics. In the index each word stands under the number of its room ("1f_plaza"), so that
looking a word up, or all that begin with something, costs as much as there is of it in that room, whatever else the store holds. Both sides
go through `words_in`, so nothing of the index's own query language ever comes from outside.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from garita_common.core.errors import BadRequest

MAX_WORD = 40
"""Characters of a word that count: longer ones are links and keys, found by their beginning."""
MAX_QUERY_WORDS = 16
MIN_BEGINNING = 2
"""A single ASCII letter begins a good part of all words: it is looked for as a word only."""

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Query:
    """Words that must all be there; `beginning` (or nothing) is what one must begin with."""

    words: tuple[str, ...]
    beginning: str


def words_in(text: str) -> list[str]:
    """The words of a text, each once, in order."""
    folded = text.lower() if text.isascii() else _fold(text)
    return list(dict.fromkeys(word[:MAX_WORD] for word in _WORD.findall(folded)))


def query(text: str) -> Query:
    """What a search's text asks for.

    Raises:
        BadRequest: it has no word, or more than can be looked for at once.
    """
    words = words_in(text)
    if not words:
        raise BadRequest("There is no word in this to search for.")
    if len(words) > MAX_QUERY_WORDS:
        raise BadRequest(f"A search has at most {MAX_QUERY_WORDS} words.")
    if len(words[-1]) < MIN_BEGINNING and words[-1].isascii():
        return Query(tuple(words), "")
    return Query(tuple(words[:-1]), words[-1])


def tokens(room: int, words: Iterable[str]) -> str:
    """Words as they stand in the index. Args: room: the room's number there."""
    return " ".join(f"{room:x}_{word}" for word in words)


def match(room: int, wanted: Query) -> str:
    """A query in the index's language, for one room. Words hold letters and digits only, so quoting them is enough."""
    terms = [f'"{room:x}_{word}"' for word in wanted.words]
    if wanted.beginning:
        terms.append(f'"{room:x}_{wanted.beginning}"*')
    return " AND ".join(terms)


def _fold(text: str) -> str:
    """Without case, compatibility forms and marks. Folding the case may bring out a mark, and the other way round."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(character for character in plain if not unicodedata.category(character).startswith("M"))
