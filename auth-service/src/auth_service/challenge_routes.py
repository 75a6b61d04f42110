"""The endpoints of challenges: asking for one, looking at its picture, and answering one of the chat."""

import base64
from dataclasses import dataclass

from msgspec import UNSET, UnsetType

from .ban_watch import BanWatch
from .challenges import Challenges
from .clears import Clears
from .core import answers, problems, requests
from .core.pictures import LIFETIME_MS, MEDIA, Kind
from .edge import BASE, Ask, Reply, Route
from .limits import Limit, Limiter
from .origins import Cookies
from .parts import Caller, Parts
from .pictures import Begun, Pictures
from .sessions import Sessions


@dataclass(frozen=True, slots=True)
class ChallengeHandlers:
    """What the endpoints do."""

    parts: Parts
    challenges: Challenges
    pictures: Pictures
    bans: BanWatch
    limiter: Limiter
    cookies: Cookies
    sessions: Sessions
    clears: Clears

    async def challenge(self, ask: Ask) -> Reply:
        """POST /challenges"""
        self.bans.refuse_address(ask.caller)
        body: requests.AskChallenge = ask.body
        present = await self.sessions.present(ask.bearer, "chat") if body.action == "chat" else None
        await self._count(ask.caller, body.kinds[0])
        if body.kinds[0] == "pow":
            return Reply(201, self.challenges.make(body.action))
        if body.kinds[0] == "audio":
            # A clip is the dearest thing to make and the easiest for a machine to solve: work comes first.
            await self.challenges.take(body.captcha, body.action, ask.caller)
        kind = Kind(body.kinds[0])
        if present is not None:
            begun = await self.pictures.begin(kind, "chat", present.session.id, present.session.device)
            return Reply(201, _picture_challenge(begun))
        return await self._picture(ask.caller, kind, body)

    async def media(self, ask: Ask) -> Reply:
        """GET /challenges/{id}/media"""
        kind, file = await self.pictures.file(ask.path["challenge_id"])
        return Reply(200, file, media=kind)

    async def solve(self, ask: Ask) -> Reply:
        """POST /challenges/{id}/solve"""
        return Reply(200, await self.clears.give(ask.path["challenge_id"], ask.body, ask.present, ask.caller))

    async def _count(self, caller: Caller, kind: str) -> None:
        """A clip counts twice, and has a budget of its own besides."""
        if not caller.counted:
            return
        config = self.parts.config
        if kind == "audio":
            audio = Limit("challenge_audio_prefix", config.audio_challenges_per_prefix_per_10_min, 600)
            await self.limiter.take(audio, caller.unit)
        every = Limit("challenge_prefix", config.challenges_per_prefix_per_10_min, 600)
        await self.limiter.take(every, caller.unit, cost=2 if kind == "audio" else 1)

    async def _picture(self, caller: Caller, kind: Kind, body: requests.AskChallenge) -> Reply:
        browser = caller.device_cookie or caller.browser_cookie or body.browser
        made = None
        if browser is None:
            browser = made = base64.urlsafe_b64encode(self.parts.new_secret()).rstrip(b"=").decode()
        begun = await self.pictures.begin(kind, body.action, body.flow, browser)
        answer = _picture_challenge(begun, UNSET if made is None or caller.web else made)
        return Reply(201, answer, {self.cookies.browser: made} if made is not None and caller.web else {})


def _picture_challenge(begun: Begun, browser: str | UnsetType = UNSET) -> answers.PictureChallenge:
    return answers.PictureChallenge(
        id=begun.id,
        kind=begun.kind.value,
        media_url=f"{BASE}/challenges/{begun.id}/media",
        expires_in=LIFETIME_MS // 1000,
        browser=browser,
    )


def table(do: ChallengeHandlers) -> tuple[Route, ...]:
    """All of them."""
    p = problems
    return (
        Route("POST", f"{BASE}/challenges", "challenge", "Get a challenge to solve", do.challenge,
              {201: (answers.Challenge, answers.PictureChallenge)}, requests.AskChallenge, sets_cookies=True,
              refusals=(p.Banned, p.ProofRequired, p.AccessRefused)),
        Route("POST", f"{BASE}/challenges/{{challenge_id}}/solve", "challenge_solve", "Answer a challenge of the chat", do.solve,
              {200: answers.Cleared}, requests.Solve, needs_token=True, audience="chat", refusals=(p.CodeInvalid,)),
        Route("GET", f"{BASE}/challenges/{{challenge_id}}/media", "challenge_media", "A challenge's picture or clip, once",
              do.media, {200: bytes}, refusals=(p.NotHere,), media=tuple(MEDIA.values())),
    )  # fmt: skip
