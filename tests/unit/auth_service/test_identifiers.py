"""auth_service.core.identifiers: one form per address, one skeleton per name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth_service.core import identifiers
from auth_service.core.identifiers import ContactKind, parse_identifier
from auth_service.core.problems import InvalidRequest


@pytest.mark.parametrize("text", ["ana@example.org", "Ana@Example.ORG", "ANA@EXAMPLE.ORG"])
def test_an_address_has_one_key(text: str) -> None:
    """However it is written."""
    assert identifiers.parse_email(text).key == "email:ana@example.org"


NO_ADDRESSES = [
    "", "ana", "ana@", "@example.org", "ana@example", "ana@@example.org", "ana b@example.org", "ana@localhost",
    "αna@example.org", "ana@example.org\n", "ana@exam\0ple.org", "<ana@example.org>", "ana@[127.0.0.1]",
]  # fmt: skip


@pytest.mark.parametrize("text", NO_ADDRESSES)
def test_what_is_no_address_is_refused(text: str) -> None:
    """Look-alikes outside ASCII too."""
    with pytest.raises(InvalidRequest):
        identifiers.parse_email(text)


@pytest.mark.parametrize("text", ["+34 600 00 00 00", "+34600000000", "+34-600-000-000", " +34600000000"])
def test_a_number_has_one_key(text: str) -> None:
    """However it is grouped."""
    contact = identifiers.parse_phone(text)

    assert (contact.kind, contact.value) == (ContactKind.PHONE, "+34600000000")


@pytest.mark.parametrize("text", ["", "600000000", "+34", "+999600000000", "tel", "+34600000000;ext=5", "+1 900"])
def test_what_is_no_number_is_refused(text: str) -> None:
    """A number without its country is nobody's."""
    with pytest.raises(InvalidRequest):
        identifiers.parse_phone(text)


@pytest.mark.parametrize(("email", "phone"), [(None, None), ("ana@example.org", "+34600000000")])
def test_a_registration_names_exactly_one_contact(email: str | None, phone: str | None) -> None:
    """None and both are refused."""
    with pytest.raises(InvalidRequest):
        identifiers.one_contact(email, phone)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Ana", "ana"), ("b0b", "bob"), ("bill", "bi1l"), ("a.b", "a_b"), ("a-b", "a.b"), ("PAUL", "pau1")],
)
def test_names_that_look_alike_have_one_skeleton(one: str, other: str) -> None:
    """Case, 0/o, 1/l/i and the three separators do not tell names apart."""
    assert identifiers.skeleton(one) == identifiers.skeleton(other)


def test_different_names_stay_different() -> None:
    """The skeleton does not swallow names."""
    assert len({identifiers.skeleton(name) for name in ("ana", "anna", "ana2", "bea", "a-na")}) == 5


@pytest.mark.parametrize(
    "text",
    ["", "a", "a" * 33, "-ana", ".ana", "ana ", "ána", "ana\n", "a\0b", "ana@x", "аna", "admin", "Adm1n", "r00t"],
)
def test_names_that_nobody_can_have(text: str) -> None:
    """Outside the pattern, look-alikes in other alphabets, and reserved ones however they are spelt."""
    with pytest.raises(InvalidRequest):
        identifiers.parse_username(text)


@pytest.mark.parametrize("text", ["an", "a" * 32, "A.b_c-9", "9lives"])
def test_names_that_anybody_can_have(text: str) -> None:
    """At both ends of the length."""
    assert identifiers.parse_username(text) == text


def test_an_identifier_is_looked_up_as_what_it_is() -> None:
    """An address, a number, a name; the same key for every spelling."""
    assert parse_identifier("Ana@example.org").key == identifiers.parse_email("ana@example.org").key
    assert parse_identifier("+34 600000000").contact == identifiers.parse_phone("+34600000000")
    assert parse_identifier(" Ana ").skeleton == parse_identifier("ana").skeleton
    assert parse_identifier("ANA").key == parse_identifier("ana").key


@given(text=st.text(max_size=320))
def test_any_text_is_somebodys_or_nobodys_name(text: str) -> None:
    """Never an exception, always a key to count on, and never both look-ups at once."""
    named = parse_identifier(text)

    assert named.key.split(":", 1)[0] in ("email", "phone", "name", "none")
    assert named.contact is None or named.skeleton is None


@pytest.mark.parametrize("text", ["a\u202eb", "a\u200bb", "a\nb", "x" * 65, "\ue000", "a\u2028b"])
def test_a_display_name_shows_what_it_is(text: str) -> None:
    """Nothing invisible, nothing that turns the direction of text, at most 64 characters."""
    with pytest.raises(InvalidRequest):
        identifiers.parse_display_name(text, "ana")


@pytest.mark.parametrize(("text", "shown"), [(None, "ana"), ("  ", "ana"), (" Ána Ñ ", "Ána Ñ"), ("A\u0301na", "Ána"), ("x" * 64, "x" * 64)])  # fmt: skip
def test_a_display_name_is_trimmed_and_composed(text: str | None, shown: str) -> None:
    """And is the user name where none is given."""
    assert identifiers.parse_display_name(text, "ana") == shown
