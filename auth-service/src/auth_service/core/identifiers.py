"""Names that people type for an account: e-mail addresses, phone numbers, user names.

One address has one form here, so that `Ana@Example.ORG` and `ana@example.org` are one account and one limit. Two user names that a reader could
take for each other have one skeleton, and only one of them can exist.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum

import email_validator
import phonenumbers

from garita_common.core.ids import NAME_PATTERN

from .problems import InvalidRequest

MAX_DISPLAY_NAME = 64
RESERVED = frozenset(
    [
        "admin",
        "administrator",
        "root",
        "system",
        "operator",
        "moderator",
        "support",
        "security",
        "garita",
        "server",
        "me",
        "all",
        "here",
        "everyone",
        "channel",
    ]
)
"""Names that could pass for the operator's, or that mean something to clients. Compared by skeleton."""

_NAME = re.compile(NAME_PATTERN[:-1] + r"\Z")
_LOOK_ALIKE = str.maketrans({"0": "o", "1": "l", "i": "l", "_": "-", ".": "-"})
"""ASCII characters that many fonts draw alike. Non-ASCII ones cannot occur in a name at all."""


class ContactKind(Enum):
    """How a person is reached; the value is also the kind of message in the outbox."""

    EMAIL = "email"
    PHONE = "sms"


@dataclass(frozen=True, slots=True)
class Contact:
    """A proved or claimed way to reach somebody: `value` is what messages go to, `key` the one form that is compared."""

    kind: ContactKind
    value: str
    key: str


def parse_email(text: str) -> Contact:
    """An e-mail address.

    The key is casefolded as a whole: RFC 5321 lets the local part differ by case, no provider does, and two accounts that differ only so are a trap.

    Raises:
        InvalidRequest: not an address, or one with characters outside ASCII before the `@` (look-alikes of another person's address).
    """
    try:
        parsed = email_validator.validate_email(text, check_deliverability=False, allow_smtputf8=False)
    except email_validator.EmailNotValidError as exc:
        raise InvalidRequest("email is not an e-mail address.") from exc
    value = parsed.ascii_email or parsed.normalized
    return Contact(ContactKind.EMAIL, value, "email:" + value.casefold())


def parse_phone(text: str) -> Contact:
    """A phone number in international form.

    Raises:
        InvalidRequest: not a number that can exist, or without its country.
    """
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException as exc:
        raise InvalidRequest("phone is not a number in international form, such as +34600000000.") from exc
    if not phonenumbers.is_valid_number(number) or number.extension:
        raise InvalidRequest("phone is not a number that can be reached.")
    value = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return Contact(ContactKind.PHONE, value, "phone:" + value)


def one_contact(email: str | None, phone: str | None) -> Contact:
    """The one contact that a registration names.

    Raises:
        InvalidRequest: none, both, or one that is not valid.
    """
    if email is not None and phone is None:
        return parse_email(email)
    if phone is not None and email is None:
        return parse_phone(phone)
    raise InvalidRequest("Exactly one of email and phone is needed.")


@dataclass(frozen=True, slots=True)
class Named:
    """What somebody typed to log in: `key` is what limits are counted on, and exactly one of the two look-ups is set."""

    key: str
    contact: Contact | None
    skeleton: str | None


def parse_identifier(text: str) -> Named:
    """Any text as an account's name. What can be nobody's name is still a name of nobody: the answer must not tell the two apart."""
    text = text.strip()
    try:
        if "@" in text:
            contact = parse_email(text)
            return Named(contact.key, contact, None)
        if text.startswith("+"):
            contact = parse_phone(text)
            return Named(contact.key, contact, None)
    except InvalidRequest:
        return _nobody(text)
    return Named("name:" + skeleton(text), None, skeleton(text)) if _NAME.match(text) else _nobody(text)


def parse_username(text: str) -> str:
    """A user name that may be taken by a new account.

    Raises:
        InvalidRequest: not of the pattern, or reserved.
    """
    if not _NAME.match(text):
        raise InvalidRequest("username is 2 to 32 of A-Z a-z 0-9 . _ - and begins with a letter or digit.")
    if skeleton(text) in _RESERVED_SKELETONS:
        raise InvalidRequest("username is reserved.")
    return text


def parse_display_name(text: str | None, username: str) -> str:
    """A name as others see it, in NFC and without invisible or direction-changing characters; the user name where none is given.

    Raises:
        InvalidRequest: it has control, format, private or unassigned characters, or is too long.
    """
    if text is None or not text.strip():
        return username
    name = unicodedata.normalize("NFC", text.strip())
    if len(name) > MAX_DISPLAY_NAME or any(unicodedata.category(char) in _UNSEEN for char in name):
        raise InvalidRequest("display_name is 1 to 64 visible characters.")
    return name


def skeleton(name: str) -> str:
    """What is left of a user name when case and look-alikes do not count."""
    return name.casefold().translate(_LOOK_ALIKE)


def _nobody(text: str) -> Named:
    return Named("none:" + unicodedata.normalize("NFKC", text).casefold()[:320], None, None)


_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_RESERVED_SKELETONS = frozenset(skeleton(name) for name in RESERVED)
