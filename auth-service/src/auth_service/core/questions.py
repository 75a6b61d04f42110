"""Secret questions: the fixed list, the one form of an answer, and what wrong ones do.

A question is weak evidence: an answer is often known to others or found. So it can only shorten a wait (`recovery.points`), it is looked at only after something was
proved that one possesses, and nobody is told whether an answer was right. No free questions: people would ask for what is on their profile.
"""

import unicodedata
from typing import Final, Literal

from .recovery.facts import DAY_MS

QuestionId = Literal[
    "first_concert", "childhood_street", "first_teacher", "oldest_cousin", "first_job_street", "childhood_book"
]

QUESTIONS: Final[dict[QuestionId, dict[str, str]]] = {
    "first_concert": {"en": "Who played at the first concert you went to?", "es": "¿Quién tocaba en el primer concierto al que fuiste?"},
    "childhood_street": {"en": "What was the street of your first home called?", "es": "¿Cómo se llamaba la calle de tu primera casa?"},
    "first_teacher": {"en": "What was your first teacher's surname?", "es": "¿Cuál era el apellido de tu primera maestra o maestro?"},
    "oldest_cousin": {"en": "What is the nickname of your oldest cousin?", "es": "¿Qué apodo tiene tu primo o prima mayor?"},
    "first_job_street": {"en": "In which street was your first job?", "es": "¿En qué calle estaba tu primer trabajo?"},
    "childhood_book": {"en": "Which book did you read again and again as a child?", "es": "¿Qué libro leías una y otra vez de niño o niña?"},
}  # fmt: skip
MIN_CHARS: Final = 3
MAX_MISSES: Final = 3
CLOSED_MS: Final = 7 * DAY_MS


def normal(answer: str) -> str:
    """An answer without what people write differently the next time: case, accents, blanks and punctuation."""
    spread = unicodedata.normalize("NFKD", answer).casefold()
    return "".join(char for char in spread if char.isalnum())


def after_miss(misses: int, now_ms: int) -> tuple[int, int]:
    """Misses in a row and the end of the closing after one more: the third closes the question for a week, and counting begins anew."""
    return (0, now_ms + CLOSED_MS) if misses + 1 >= MAX_MISSES else (misses + 1, 0)
