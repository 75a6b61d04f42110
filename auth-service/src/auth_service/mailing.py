"""Mail over SMTP, one connection per message. What the receiver says is final, tries again or counts as our own fault is decided here by its reply."""

import asyncio
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import aiosmtplib
import structlog

from garita_common.config import Secret

from .core.letters import BadAddress, letter
from .core.parcels import Outcome, Parcel

log = structlog.get_logger()

Security = Literal["starttls", "tls", "none"]
NO_SUCH = range(500, 600)


@dataclass(frozen=True, slots=True)
class MailRoute:
    """The next hop. `ca`: PEM file of the authorities that its certificate is checked against; None: the system's. `host` names us in Message-IDs."""

    server: str
    port: int
    security: Security
    user: str
    password: Secret | None
    sender: str
    ca: Path | None
    host: str
    timeout_s: float


class Mailer:
    """Hands mails to the next hop."""

    def __init__(self, route: MailRoute) -> None:
        """Args: route: the next hop. Raises: OSError: its file of authorities cannot be read."""
        self._route = route
        self._tls = ssl.create_default_context(cafile=str(route.ca) if route.ca else None)
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_2

    async def carry(self, parcel: Parcel) -> Outcome:
        """Tries once, within the route's deadline."""
        route = self._route
        try:
            mail = letter(
                sender=route.sender,
                to=parcel.to,
                queue=parcel.queue,
                text=parcel.text,
                message_id=parcel.message_id,
                host=route.host,
                at_ms=parcel.at_ms,
            )
        except BadAddress:
            return Outcome.UNKNOWN
        try:
            async with asyncio.timeout(route.timeout_s):
                await aiosmtplib.send(
                    mail,
                    sender=route.sender,
                    recipients=[parcel.to],
                    hostname=route.server,
                    port=route.port,
                    use_tls=route.security == "tls",
                    start_tls=route.security == "starttls",
                    tls_context=None if route.security == "none" else self._tls,
                    username=route.user or None,
                    password=route.password.reveal() if route.password else None,
                    local_hostname=route.host,
                    timeout=route.timeout_s,
                )
        except aiosmtplib.SMTPRecipientsRefused as exc:
            codes = [refused.code for refused in exc.recipients]
            return _judged("recipient", codes[0] if codes else 0)
        except aiosmtplib.SMTPDataError as exc:
            return _judged("data", exc.code)
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as exc:
            log.warning("mail_not_sent", error=type(exc).__name__, code=getattr(exc, "code", 0))
            return Outcome.LATER
        return Outcome.SENT


def _judged(step: str, code: int) -> Outcome:
    """What a refusal means: 4xx asks for another try (greylisting), 5xx is final. Only about the recipient: a refused sender or login is for us to mend."""
    log.info("mail_refused", step=step, code=code)
    return Outcome.UNKNOWN if step == "recipient" and code in NO_SUCH else Outcome.LATER
