"""The endpoints of challenges: asking for one, and looking at its picture."""

import base64
from dataclasses import dataclass

from msgspec import UNSET

from .ban_watch import BanWatch
from .challenges import Challenges
from .core import answers, problems, requests
from .core.pictures import LIFETIME_MS, MEDIA, Kind
from .edge import BASE, Ask, Reply, Route
from .limits import Limit, Limiter
from .origins import Cookies
from .parts import Caller, Parts
from .pictures import Pictures


@dataclass(frozen=True, slots=True)
class ChallengeHandlers:
    """What the endpoints do."""

    parts: Parts
    challenges: Challenges
    pictures: Pictures
    bans: BanWatch
    limiter: Limiter
    cookies: Cookies

    async def challenge(self, ask: Ask) -> Reply:
        """POST /challenges"""
        self.bans.refuse_address(ask.caller)
        body: requests.AskChallenge = ask.body
        await self._count(ask.caller, body.kinds[0])
        if body.kinds[0] == "pow":
            return Reply(201, self.challenges.make(body.action))
        if body.kinds[0] == "audio":
            # A clip is the dearest thing to make and the easiest for a machine to solve: work comes first.
            await self.challenges.take(body.captcha, body.action, ask.caller)
        return await self._picture(ask.caller, Kind(body.kinds[0]), body)

    async def media(self, ask: Ask) -> Reply:
        """GET /challenges/{id}/media"""
        kind, file = await self.pictures.file(ask.path["challenge_id"])
        return Reply(200, file, media=kind)

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
        answer = answers.PictureChallenge(
            id=begun.id,
            kind=begun.kind.value,
            media_url=f"{BASE}/challenges/{begun.id}/media",
            expires_in=LIFETIME_MS // 1000,
            browser=UNSET if made is None or caller.web else made,
        )
        return Reply(201, answer, {self.cookies.browser: made} if made is not None and caller.web else {})


def table(do: ChallengeHandlers) -> tuple[Route, ...]:
    """Both of them."""
    p = problems
    return (
        Route("POST", f"{BASE}/challenges", "challenge", "Get a challenge to solve", do.challenge,
              {201: (answers.Challenge, answers.PictureChallenge)}, requests.AskChallenge, sets_cookies=True,
              refusals=(p.Banned, p.ProofRequired)),
        Route("GET", f"{BASE}/challenges/{{challenge_id}}/media", "challenge_media", "A challenge's picture or clip, once",
              do.media, {200: bytes}, refusals=(p.NotHere,), media=tuple(MEDIA.values())),
    )  # fmt: skip
