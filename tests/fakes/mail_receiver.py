"""A real SMTP receiver for tests: it keeps what it takes, and refuses or hangs when told to."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

TAKEN = "250 taken"


@dataclass
class Receiver:
    """What came, and what is answered: `to_recipient` and `to_data` are asked for each mail with its number of tries so far."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)
    tries: int = 0
    encrypted: list[bool] = field(default_factory=list)
    to_recipient: Callable[[int], str] = lambda _: TAKEN
    to_data: Callable[[int], str] = lambda _: TAKEN
    hangs: bool = False

    async def handle_RCPT(  # noqa: N802  the name that aiosmtpd looks for
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """A recipient is named."""
        self.tries += 1
        if self.hangs:
            await asyncio.sleep(3600)
        answer = self.to_recipient(self.tries)
        if answer == TAKEN:
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  as above
        """A mail is here."""
        answer = self.to_data(self.tries)
        if answer == TAKEN:
            content = envelope.content
            assert isinstance(content, bytes)
            mail = message_from_bytes(content, policy=policy.default)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
            self.recipients.append(envelope.rcpt_tos[0])
            self.encrypted.append(session.ssl is not None)
        return answer

    def text_to(self, address: str) -> str:
        """All that was mailed to an address."""
        return "\n".join(
            mail.get_content() for mail, to in zip(self.mails, self.recipients, strict=True) if to == address
        )


@asynccontextmanager
async def receiving(
    tls: ssl.SSLContext | None = None, *, wrapped: bool = False, login: bool = False
) -> AsyncIterator[Receiver]:
    """A receiver on loopback. Args: tls: for STARTTLS, or `wrapped` from the first byte on; login: a password is needed."""
    receiver = Receiver()

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        receiver.logins.append((data.login, data.password))
        return AuthResult(success=data.password == b"right")

    def protocol() -> SMTP:
        return SMTP(
            receiver,
            tls_context=None if wrapped else tls,
            require_starttls=tls is not None and not wrapped,
            auth_required=login,
            auth_require_tls=not wrapped,
            authenticator=authenticate if login else None,
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=tls if wrapped else None)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
