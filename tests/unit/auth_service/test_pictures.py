"""auth_service.core.pictures: which symbols there are, and what may be typed for them."""

from auth_service.core.pictures import IMAGE_ALPHABET, normal


def test_no_two_symbols_look_alike() -> None:
    """22 of them, without the pairs that people confuse."""
    assert len(set(IMAGE_ALPHABET)) == len(IMAGE_ALPHABET) == 22
    for group in ("0OQD", "1IL", "2Z", "5S", "6G", "8B", "9G", "UV", "VY"):
        assert len(set(group) & set(IMAGE_ALPHABET)) <= 2, group
    assert not set("01256789BGIOQSZ") & set(IMAGE_ALPHABET) - {"7"}


def test_case_and_blanks_do_not_count() -> None:
    """A person types as it comes."""
    assert normal(" ac d3\tef\n") == normal("ACD3EF") == "ACD3EF"
