"""What an operator asks, read from text."""

import re

from garita_common.core import addresses, bans
from garita_common.core.errors import BadRequest
from garita_common.core.ids import USER_PATTERN

KINDS = ("addr", "user", "device", "account")


def parse_subject(text: str) -> str:
    """A subject: `addr:`, `user:`, `device:` or `account:` and a name; a bare address or user id does too. Addresses become their unit.

    Raises:
        BadRequest: it is none of these.
    """
    text = text.strip()
    kind, _, name = text.partition(":")
    if kind in KINDS[1:] and 1 <= len(name) <= 200:
        return text
    if re.fullmatch(USER_PATTERN, text):
        return bans.user_subject(text)
    try:
        address = addresses.parse((name if kind == "addr" else text).partition("/")[0])
    except ValueError:
        raise BadRequest("subject is an address, a user, a device or an account.") from None
    return bans.address_subject(addresses.unit(address))
