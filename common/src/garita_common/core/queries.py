"""What stands in the query of an address, read from text."""

from .errors import BadRequest


def parse_number(text: str | None, name: str, *, default: int, most: int) -> int:
    """A whole number from 1 to `most`.

    Raises:
        BadRequest: it is none.
    """
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and 1 <= int(text) <= most):
        raise BadRequest(f"{name} is a number from 1 to {most}.")
    return int(text)
