"""What a login has to bring before its password is looked at, and whether a password is enough.

On a known device only that device's own tries count. On any other the name's tries do, and what goes on around it: work, a picture, and at last the name is shut. Then
any password, right or wrong, gets a ticket, and only a code to an old contact (or the account's second factor) goes on: the answer tells nobody which it was, the
owner still gets in, and nobody is sent a code for a wrong password.
"""

from dataclasses import dataclass

from .challenges import Challenges
from .core.attempts import Policy, Verdict
from .core.problems import Overloaded, ProofRequired, TooMany
from .core.requests import LogIn
from .core.weather import USUAL
from .limits import Limiter, Reserved
from .looking import Looking
from .parts import Caller, Parts
from .store_accounts import Account
from .strangers import Strangers

PICTURE_FACTOR = 4


@dataclass(frozen=True, slots=True)
class Tried:
    """A try that was counted. `is_shut`: the name is, and every password gets a ticket; `needs_code`: even a right password is not enough.

    `newly`: this try is the one with which the row of its account became too long.
    """

    tag: str
    device: str | None
    account: Account | None
    reserved: Reserved
    is_shut: bool = False
    needs_code: bool = False
    newly: bool = False


class Shut(TooMany):
    """A known device has to wait for its own tries."""


class Admitting:
    """Counts tries and asks for what they cost."""

    def __init__(
        self, parts: Parts, limiter: Limiter, challenges: Challenges, looking: Looking, strangers: Strangers
    ) -> None:
        """Args: looking: takes pictures; strangers: knows rows of failures, and what goes on around a name."""
        config = parts.config
        self._parts = parts
        self._limiter = limiter
        self._challenges = challenges
        self._looking = looking
        self._strangers = strangers
        self._unknown = Policy(
            config.login_proof_after,
            None,
            config.login_shut_after_per_h,
            config.login_shut_min * 60_000,
            config.login_picture_after,
        )
        self._device = Policy(None, config.device_shut_after_per_15_min, None, config.device_shut_min * 60_000)

    async def admit(self, body: LogIn, tag: str, account: Account | None, device: str | None, caller: Caller) -> Tried:
        """Counts a try, and takes what it has to bring.

        Raises:
            Shut: this known device waits.
            ProofRequired, Overloaded: as their names say; then nothing was counted.
        """
        if device is not None:
            return Tried(tag, device, account, await self._on_device(device))
        reserved = await self._limiter.reserve(f"name:{tag}", self._parts.new_id(), self._unknown)
        try:
            await self._demand(reserved, body, tag, caller)
        except (ProofRequired, Overloaded):
            await self._limiter.forgive(reserved)  # no password was tried
            raise
        of_name, of_account = await self._strangers.count(tag, account)
        most = self._parts.config.login_shut_in_a_row
        is_shut = reserved.judged.verdict is Verdict.SHUT or of_name > most
        if is_shut:
            self._parts.metrics.limits.labels("login_name").inc()
        needs_code = is_shut or of_account > most
        return Tried(tag, None, account, reserved, is_shut, needs_code, newly=of_account == most + 1)

    async def was_right(self, tried: Tried) -> None:
        """The password was right, or none was looked at: the try does not count."""
        await self._limiter.forgive(tried.reserved)
        if tried.device is None:
            await self._strangers.was_right(tried.tag, tried.account)

    async def _on_device(self, device: str) -> Reserved:
        reserved = await self._limiter.reserve(f"device:{device}", self._parts.new_id(), self._device)
        if reserved.judged.verdict is Verdict.SHUT:
            self._parts.metrics.limits.labels("login_device").inc()
            raise Shut("login_device", (reserved.judged.shut_until_ms - self._parts.now_ms()) // 1000 + 1)
        return reserved

    async def _demand(self, reserved: Reserved, body: LogIn, tag: str, caller: Caller) -> None:
        verdict = reserved.judged.verdict
        around = await self._strangers.work(tag, body.password, caller)
        if verdict is Verdict.PICTURE:
            factor = max(PICTURE_FACTOR, around)
            await self._looking.take(body.captcha, body.picture, "login", body.identifier, caller, factor=factor)
            return
        proof_after, shut_after = self._unknown.proof_after, self._unknown.shut_after_hour
        is_dear = verdict is Verdict.SHUT and proof_after is not None and proof_after < (shut_after or 0)
        own = USUAL if verdict is Verdict.PROOF or is_dear else 0
        if max(own, around) > 0:
            await self._challenges.take(body.captcha, "login", caller, max(own, around))
