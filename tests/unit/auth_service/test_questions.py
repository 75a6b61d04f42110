"""Secret questions: one form of an answer, and what wrong ones do."""

from auth_service.core import questions
from auth_service.core.questions import CLOSED_MS, QUESTIONS, normal


def test_answers_are_compared_without_what_people_write_differently() -> None:
    """Case, accents, blanks, punctuation, full-width letters."""
    assert normal("  Café  del Mar, 3! ") == normal("cafe DEL mar 3") == "cafedelmar3"
    assert normal("ＡＢＣ") == "abc"
    assert normal("Ana") != normal("Anna")


def test_every_question_is_asked_in_both_languages() -> None:
    """A page can show the list in either."""
    assert all(set(said) == {"en", "es"} and all(said.values()) for said in QUESTIONS.values())


def test_the_third_wrong_answer_closes_the_question_for_a_week() -> None:
    """The first two do not, and counting begins anew afterwards."""
    assert questions.after_miss(0, 1_000) == (1, 0)
    assert questions.after_miss(1, 1_000) == (2, 0)
    assert questions.after_miss(2, 1_000) == (0, 1_000 + CLOSED_MS)
