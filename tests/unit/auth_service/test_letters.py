"""auth_service.core.letters: a message as mail, and what cannot become one."""

from __future__ import annotations

from email import message_from_bytes, policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth_service.core.letters import BadAddress, letter, parse_address
from auth_service.core.retrying import Queue


def made(to: str = "ana@example.org", text: str = "¿No has sido tú? https://chat.example/undo.html#abc") -> bytes:
    """A mail as it is sent."""
    mail = letter(
        sender="garita@chat.example",
        to=to,
        queue=Queue.NOTICES,
        text=text,
        message_id="0123abcd",
        host="chat.example",
        at_ms=1_800_000_000_000,
    )
    return mail.as_bytes()


def test_a_mail_has_the_headers_that_it_needs_and_no_other() -> None:
    """Auto-Submitted keeps robots from answering; the Message-ID is ours and stays."""
    read = message_from_bytes(made(), policy=policy.default)

    assert dict(read.items()) == {
        "From": "Garita <garita@chat.example>",
        "To": "ana@example.org",
        "Subject": "Garita: security / seguridad",
        "Date": "Fri, 15 Jan 2027 08:00:00 +0000",
        "Message-ID": "<0123abcd@chat.example>",
        "Auto-Submitted": "auto-generated",
        "MIME-Version": "1.0",
        "Content-Type": 'text/plain; charset="utf-8"',
        "Content-Transfer-Encoding": "quoted-printable",
    }
    assert read.get_content().splitlines() == ["¿No has sido tú? https://chat.example/undo.html#abc"]


@pytest.mark.parametrize(
    "to",
    [
        "ana@example.org\r\nBcc: eve@example.org",
        "ana@example.org\nX: y",
        "ana@example.org, eve@example.org",
        "ana",
        "",
        "@example.org",
        "ana@",
        "ána@example.org",
        "ana@example.org\0",
    ],
)
def test_what_is_no_single_address_is_refused(to: str) -> None:
    """A line break would be a header of a stranger's, a comma a second recipient."""
    with pytest.raises(BadAddress):
        made(to=to)


@given(st.text(max_size=60))
def test_no_text_makes_a_header(text: str) -> None:
    """Whatever a message says, its headers are the same nine."""
    try:
        read = message_from_bytes(made(text=text), policy=policy.default)
    except UnicodeEncodeError:  # a lone surrogate: cannot be written at all
        return

    assert len(read.keys()) == 9


@given(st.text(max_size=40))
def test_an_address_that_passes_is_one_line_of_ascii(text: str) -> None:
    """Whatever is tried."""
    try:
        address = parse_address(text)
    except BadAddress:
        return

    assert address.addr_spec.isascii() and address.addr_spec.isprintable()
