"""A message as mail: plain text, and only the headers that it needs.

What goes into a header is checked here as well, whatever was checked before: a line break in an address would let whoever wrote it add headers and recipients.
"""

from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

from .retrying import Queue

SUBJECTS: Final = {Queue.CODES: "Garita", Queue.NOTICES: "Garita: security / seguridad"}
"""Never the code itself: subjects are shown on locked screens."""


class BadAddress(ValueError):
    """This cannot be written into a mail's header."""


def parse_address(text: str) -> Address:
    """An address that a header and an SMTP command can hold.

    Raises:
        BadAddress: it has a line break or control character, or is no address.
    """
    if not text.isprintable() or not text.isascii():
        raise BadAddress("an address is printable ASCII")
    try:
        address = Address(addr_spec=text)
    except (MessageError, ValueError, IndexError) as exc:
        raise BadAddress("not an address") from exc
    if not address.username or not address.domain:
        raise BadAddress("not an address")
    return address


def letter(*, sender: str, to: str, queue: Queue, text: str, message_id: str, host: str, at_ms: int) -> EmailMessage:
    """A mail. Args: message_id: of letters and digits, the same in every try; host: of the public origin, as the right side of the Message-ID.

    Raises:
        BadAddress: one of the two addresses cannot stand in a header.
    """
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address("Garita", addr_spec=parse_address(sender).addr_spec)
    mail["To"] = parse_address(to)
    mail["Subject"] = SUBJECTS[queue]
    mail["Date"] = format_datetime(datetime.fromtimestamp(at_ms // 1000, UTC))
    mail["Message-ID"] = f"<{message_id}@{host}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text + "\n", cte="quoted-printable")
    return mail
