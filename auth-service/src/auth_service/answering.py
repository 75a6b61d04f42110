"""What a login, a registration or a refresh answers: tokens in the body, or in cookies for a page of ours."""

from dataclasses import dataclass

from msgspec import UNSET

from garita_common.core.tokens import LIFETIME_S

from .account import Profile
from .core import answers
from .edge import Reply
from .origins import Cookies
from .parts import Caller, Parts
from .sessions import Issued, Opened
from .store_accounts import Account


@dataclass(frozen=True, slots=True)
class Answering:
    """Puts these answers together."""

    parts: Parts
    profile: Profile
    cookies: Cookies

    async def signed_in(
        self,
        status: int,
        account: Account,
        opened: Opened,
        caller: Caller,
        *,
        recovery_code: str | None = None,
        recovery_codes: list[str] | None = None,
    ) -> Reply:
        """Somebody has come in. Args: recovery_code: in place of the one that was used for it; recovery_codes: made for somebody without a contact."""
        body = answers.SignedIn(
            user=await self.profile.shown(account),
            tokens=self.tokens(opened.issued, caller),
            recovery_code=UNSET if recovery_code is None else recovery_code,
            recovery_codes=recovery_codes or UNSET,
        )
        return Reply(status, body, self.cookies_of(opened.issued, caller))

    def tokens(self, issued: Issued, caller: Caller) -> answers.Tokens:
        """A pair of tokens as this caller gets them."""
        return answers.Tokens(
            access_token=issued.access_token,
            expires_in=LIFETIME_S,
            audience=issued.audience,
            session_id=issued.session_id,
            refresh_expires_in=self.parts.config.refresh_days * 86_400,
            refresh_token=UNSET if caller.web else issued.refresh_token,
            device=UNSET if caller.web or issued.device is None else issued.device,
        )

    def cookies_of(self, issued: Issued, caller: Caller) -> dict[str, str | None]:
        """The cookies that go with them."""
        if not caller.web:
            return {}
        cookies: dict[str, str | None] = {self.cookies.refresh: issued.refresh_token}
        if issued.device is not None:
            cookies[self.cookies.device] = issued.device
        return cookies
