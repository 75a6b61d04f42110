"""The endpoints of second factors and of the step-up, as `routes.py` has the others."""

from dataclasses import dataclass

from .core import answers, problems, requests
from .edge import BASE, Ask, Reply, Route
from .saved_codes import SavedCodes
from .stepping_up import SteppingUp
from .totp_life import TotpLife


@dataclass(frozen=True, slots=True)
class FactorHandlers:
    """What the endpoints do."""

    totp: TotpLife
    codes: SavedCodes
    stepping_up: SteppingUp

    async def offer_totp(self, ask: Ask) -> Reply:
        """POST /me/totp"""
        return Reply(200, await self.totp.offer(ask.present))

    async def confirm_totp(self, ask: Ask) -> Reply:
        """POST /me/totp/confirm"""
        await self.totp.confirm(ask.present, ask.body)
        return Reply(204)

    async def remove_totp(self, ask: Ask) -> Reply:
        """DELETE /me/totp"""
        return Reply(202, await self.totp.remove(ask.present))

    async def make_codes(self, ask: Ask) -> Reply:
        """POST /me/recovery-codes"""
        return Reply(201, await self.codes.make(ask.present))

    async def step_up(self, ask: Ask) -> Reply:
        """POST /step-up"""
        return Reply(200, await self.stepping_up.step_up(ask.present, ask.body))


def table(do: FactorHandlers) -> tuple[Route, ...]:
    """All of them."""
    p = problems
    change = (p.StepUpRequired, p.Contradicted)
    return (
        Route("POST", f"{BASE}/me/totp", "totp", "Get a TOTP seed", do.offer_totp,
              {200: answers.TotpOffer}, requests.Nothing, needs_token=True, refusals=change),
        Route("POST", f"{BASE}/me/totp/confirm", "totp_confirm", "Turn the second factor on", do.confirm_totp,
              {204: None}, requests.ConfirmTotp, needs_token=True, refusals=(p.CodeInvalid, *change)),
        Route("DELETE", f"{BASE}/me/totp", "totp_delete", "Begin to remove the TOTP", do.remove_totp,
              {202: answers.Retiring}, needs_token=True, refusals=(p.NotHere, *change)),
        Route("POST", f"{BASE}/me/recovery-codes", "recovery_codes", "Get ten recovery codes", do.make_codes,
              {201: answers.RecoveryCodes}, requests.Nothing, needs_token=True, refusals=(*change, p.Overloaded)),
        Route("POST", f"{BASE}/step-up", "step_up", "Prove once more that it is you", do.step_up,
              {200: answers.AccessToken}, requests.StepUp, needs_token=True,
              refusals=(p.InvalidCredentials, p.InvalidCode, p.Overloaded)),
    )  # fmt: skip
