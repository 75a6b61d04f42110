"""The endpoints of second factors and of the step-up, as `routes.py` has the others."""

from dataclasses import dataclass

from .answering import Answering
from .core import answers, problems, requests
from .edge import BASE, Ask, Reply, Route
from .passkey_login import PasskeyLogin
from .passkeys import Passkeys
from .saved_codes import SavedCodes
from .stepping_up import SteppingUp
from .ticket_codes import TicketCodes
from .totp_life import TotpLife


@dataclass(frozen=True, slots=True)
class FactorHandlers:
    """What the endpoints do."""

    totp: TotpLife
    codes: SavedCodes
    passkeys: Passkeys
    stepping_up: SteppingUp
    passkey_login: PasskeyLogin
    ticket_codes: TicketCodes
    answering: Answering

    async def offer_totp(self, ask: Ask) -> Reply:
        """POST /me/totp"""
        return Reply(200, await self.totp.offer(ask.present))

    async def confirm_totp(self, ask: Ask) -> Reply:
        """POST /me/totp/confirm"""
        await self.totp.confirm(ask.present, ask.body)
        return Reply(204)

    async def remove_totp(self, ask: Ask) -> Reply:
        """DELETE /me/totp"""
        return Reply(202, await self.totp.remove(ask.present, lost=False))

    async def lose_totp(self, ask: Ask) -> Reply:
        """POST /me/totp/lost"""
        return Reply(200, await self.totp.remove(ask.present, lost=True))

    async def make_codes(self, ask: Ask) -> Reply:
        """POST /me/recovery-codes"""
        return Reply(201, await self.codes.make(ask.present))

    async def lose_codes(self, ask: Ask) -> Reply:
        """POST /me/recovery-codes/lost"""
        return Reply(200, answers.Removals(removals=await self.codes.lose(ask.present)))

    async def make_passkey_options(self, ask: Ask) -> Reply:
        """POST /me/passkeys/options"""
        return Reply(200, await self.passkeys.options(ask.present))

    async def add_passkey(self, ask: Ask) -> Reply:
        """POST /me/passkeys"""
        return Reply(201, await self.passkeys.add(ask.present, ask.body))

    async def list_passkeys(self, ask: Ask) -> Reply:
        """GET /me/passkeys"""
        return Reply(200, await self.passkeys.listed(ask.present))

    async def rename_passkey(self, ask: Ask) -> Reply:
        """PATCH /me/passkeys/{id}"""
        await self.passkeys.rename(ask.present, ask.path["passkey_id"], ask.body.label)
        return Reply(204)

    async def remove_passkey(self, ask: Ask) -> Reply:
        """DELETE /me/passkeys/{id}"""
        return Reply(202, await self.passkeys.remove(ask.present, ask.path["passkey_id"], lost=False))

    async def lose_passkey(self, ask: Ask) -> Reply:
        """POST /me/passkeys/{id}/lost"""
        return Reply(200, await self.passkeys.remove(ask.present, ask.path["passkey_id"], lost=True))

    async def send_login_code(self, ask: Ask) -> Reply:
        """POST /login/mfa/send"""
        return Reply(202, await self.ticket_codes.send(ask.body, ask.caller))

    async def passkey_options(self, ask: Ask) -> Reply:
        """POST /passkeys/login/options"""
        return Reply(200, await self.passkey_login.options(ask.body, ask.caller))

    async def log_in_by_passkey(self, ask: Ask) -> Reply:
        """POST /passkeys/login/verify"""
        hint = ask.body.device_hint or ask.caller.device_cookie
        account, opened = await self.passkey_login.verify(ask.body, hint, ask.caller)
        return await self.answering.signed_in(200, account, opened, ask.caller)

    async def step_up_options(self, ask: Ask) -> Reply:
        """POST /step-up/options"""
        return Reply(200, await self.stepping_up.options(ask.present))

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
              {202: answers.Removal}, needs_token=True, refusals=(p.NotHere, *change)),
        Route("POST", f"{BASE}/me/totp/lost", "totp_lost", "Remove the TOTP at once", do.lose_totp,
              {200: answers.Removal}, requests.Nothing, needs_token=True, refusals=(p.NotHere, *change)),
        Route("POST", f"{BASE}/me/recovery-codes/lost", "recovery_codes_lost", "Remove all recovery codes at once", do.lose_codes,
              {200: answers.Removals}, requests.Nothing, needs_token=True, refusals=(p.NotHere, *change)),
        Route("POST", f"{BASE}/me/recovery-codes", "recovery_codes", "Get ten recovery codes", do.make_codes,
              {201: answers.RecoveryCodes}, requests.Nothing, needs_token=True, refusals=(*change, p.Overloaded)),
        Route("POST", f"{BASE}/me/passkeys/options", "passkey_options", "Begin to make a passkey", do.make_passkey_options,
              {200: answers.PasskeyOptions}, requests.Nothing, needs_token=True, refusals=change),
        Route("POST", f"{BASE}/me/passkeys", "passkey_add", "Add the passkey that was made", do.add_passkey,
              {201: answers.Passkey}, requests.AddPasskey, needs_token=True, refusals=(p.CodeInvalid, *change)),
        Route("GET", f"{BASE}/me/passkeys", "passkeys", "List the passkeys", do.list_passkeys,
              {200: answers.Passkeys}, needs_token=True),
        Route("PATCH", f"{BASE}/me/passkeys/{{passkey_id}}", "passkey_rename", "Rename a passkey", do.rename_passkey,
              {204: None}, requests.RenamePasskey, needs_token=True, refusals=(p.NotHere,)),
        Route("DELETE", f"{BASE}/me/passkeys/{{passkey_id}}", "passkey_delete", "Begin to remove a passkey", do.remove_passkey,
              {202: answers.Removal}, needs_token=True, refusals=(p.NotHere, *change)),
        Route("POST", f"{BASE}/me/passkeys/{{passkey_id}}/lost", "passkey_lost", "Remove a passkey at once", do.lose_passkey,
              {200: answers.Removal}, requests.Nothing, needs_token=True, refusals=(p.NotHere, *change)),
        Route("POST", f"{BASE}/login/mfa/send", "login_mfa_send", "Have a code sent as a second factor", do.send_login_code,
              {202: answers.CodeSent}, requests.SendLoginCode, refusals=(p.InvalidCode, p.Banned, p.ProofRequired)),
        Route("POST", f"{BASE}/passkeys/login/options", "passkey_login_options", "Begin a login with a passkey",
              do.passkey_options, {200: answers.PasskeyOptions}, requests.AskPasskey,
              refusals=(p.InvalidCode, p.Banned, p.Contradicted)),
        Route("POST", f"{BASE}/passkeys/login/verify", "passkey_login", "Log in with a passkey", do.log_in_by_passkey,
              {200: answers.SignedIn}, requests.LogInByPasskey, sets_cookies=True, refusals=(p.InvalidCredentials, p.Banned)),
        Route("POST", f"{BASE}/step-up/options", "step_up_options", "Begin a step-up with a passkey", do.step_up_options,
              {200: answers.PasskeyOptions}, requests.Nothing, needs_token=True, refusals=(p.Contradicted,)),
        Route("POST", f"{BASE}/step-up", "step_up", "Prove once more that it is you", do.step_up,
              {200: answers.AccessToken}, requests.StepUp, needs_token=True,
              refusals=(p.InvalidCredentials, p.InvalidCode, p.Overloaded)),
    )  # fmt: skip
