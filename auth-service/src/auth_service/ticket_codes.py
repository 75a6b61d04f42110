"""A code by text as the last choice of a second factor: asked for with the ticket that a right password got.

It goes to the oldest phone that counts, and only where there is a TOTP or passkey beside it. A ticket of a shut name, which a wrong password gets too, is answered
alike and sends nothing: otherwise the time it takes would tell whether the password was right.
"""

from . import store_accounts, store_flows, store_sessions
from .ban_watch import BanWatch
from .contact_codes import ContactCodes
from .core import answers, codes, texts
from .core.problems import InvalidCode
from .core.requests import SendLoginCode
from .core.sealing import digest
from .limits import Limit, Limiter
from .outbox import Asked
from .parts import Caller, Parts
from .second_factors import SecondFactors
from .store_flows import Ticket, purpose_of
from .text_price import TextPrice


class TicketCodes:
    """Sends such codes."""

    def __init__(
        self,
        parts: Parts,
        limiter: Limiter,
        bans: BanWatch,
        factors: SecondFactors,
        sent: ContactCodes,
        price: TextPrice,
    ) -> None:
        """Args: sent: sends the code; price: what it costs a stranger."""
        self._parts = parts
        self._limiter = limiter
        self._bans = bans
        self._factors = factors
        self._sent = sent
        self._price = price
        self._per_ticket = Limit("login_text", 1, 60)

    async def send(self, body: SendLoginCode, caller: Caller) -> answers.CodeSent:
        """Sends a code for a ticket, if its account has a phone for it.

        Raises:
            InvalidCode: the ticket has ended.
            ProofRequired: from a device that is not a confirmed one.
            TooMany, Banned, InvalidRequest, Overloaded: as their names say.
        """
        self._bans.refuse_address(caller)
        reading, ticket_hash = self._parts.store.reading, digest(body.mfa_ticket.encode())
        ticket = await store_flows.ticket(reading, ticket_hash)
        if ticket is None or not ticket.is_alive(self._parts.now_ms()):
            raise InvalidCode
        is_known = ticket.device is not None and await store_sessions.is_confirmed(reading, ticket.device)
        if not is_known:
            names = [f"name:{ticket.tag}"]
            await self._price.take(names, body.captcha, body.picture, "login", body.mfa_ticket, caller)
        await self._limiter.take(self._per_ticket, ticket_hash.hex())
        if ticket.user is not None and not ticket.shut and await self._sent.may_send(ticket.user):
            await self._post(ticket, ticket_hash, Asked(caller, ticket.user, known=is_known))
        return answers.CodeSent(expires_in=codes.CONTACT_CODE_LIFETIME_MS // 1000)

    async def _post(self, ticket: Ticket, ticket_hash: bytes, asked: Asked) -> None:
        async with self._parts.store.writing() as tx:
            account = await store_accounts.by_id(tx, ticket.user or "")
            if account is not None and await self._factors.takes_texts(tx, account.id):
                await self._sent.post(tx, account, "sms", purpose_of(ticket_hash), asked, text=texts.login_code)
