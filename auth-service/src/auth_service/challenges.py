"""Challenges: making them, and taking a solved one once.

A challenge is signed and carried by the client, so making one stores nothing and a flood of requests for them fills nothing. What was used is remembered until
it would be over anyway: in Redis (`auth:tmp:pow:*`) and in this process. While Redis is away nobody can say what was used before a restart, so registration
refuses; a login, which a name's own counters guard as well, is content with this process's memory.
"""

from collections import OrderedDict

import altcha
import msgspec
import redis.asyncio as redis
import structlog
from redis.exceptions import RedisError

from garita_common.core import activity
from garita_common.emitter import Emitter

from .audit import Audit
from .core import answers, proof_of_work
from .core.problems import InvalidRequest, Overloaded, ProofRequired
from .core.proof_of_work import Flaw
from .core.requests import Proof, ProofChallenge, ProofData, ProofParameters, Purpose
from .parts import Caller, Parts

log = structlog.get_logger()

MAX_REMEMBERED = 100_000


class Challenges:
    """Makes challenges and checks what is sent for them."""

    def __init__(self, parts: Parts, client: "redis.Redis", emitter: Emitter, audit: Audit) -> None:
        """Args: client: for what was used."""
        self._parts = parts
        self._client = client
        self._audit = audit
        self._emitter = emitter
        self._secret = parts.seals.derived("challenge")
        self._key_secret = parts.seals.derived("challenge-key")
        self._used: OrderedDict[str, int] = OrderedDict()

    def make(self, action: Purpose, factor: int = 1) -> answers.Challenge:
        """A new challenge for an action; costs one PBKDF2 of about 1 ms. Args: factor: how many times the usual work is wanted."""
        now_ms = self._parts.now_ms()
        data = ProofData(
            action=action, id=self._parts.new_id(), issued_ms=now_ms, expires_ms=now_ms + proof_of_work.LIFETIME_MS
        )
        low, high = proof_of_work.COUNTERS
        made = altcha.create_challenge(
            "PBKDF2/SHA-256",
            self._parts.config.proof_cost * factor,
            counter=low + self._parts.random_below(high - low + 1),
            data=msgspec.to_builtins(data),
            hmac_secret=self._secret,
            hmac_key_secret=self._key_secret,
        )
        self._parts.metrics.challenges.labels("pow", "made").inc()
        return answers.Challenge(
            id=data.id,
            params=msgspec.convert(made.to_dict(), ProofChallenge),
            expires_in=proof_of_work.LIFETIME_MS // 1000,
        )

    async def take(self, proof: Proof | None, action: Purpose, caller: Caller, factor: int = 1) -> None:
        """Takes a solved challenge for a request. It is used up, whatever becomes of the request. Args: factor: as `make`; less is refused.

        Raises:
            ProofRequired: there is none, or it is not good for this; carries a new challenge.
            InvalidRequest: it was solved faster than a form is filled; it stays good.
            Overloaded: nobody can say whether it was used before.
        """
        if proof is None:
            raise ProofRequired(self.make(action, factor))
        data = proof.challenge.parameters.data
        flaw = proof_of_work.flaw_of(data, action, self._parts.now_ms()) if self._is_solved(proof) else Flaw.OVER
        if flaw is Flaw.TOO_FAST:
            raise InvalidRequest(
                "captcha: send the request no sooner than 1.5 s after its challenge was made.", retry_after_s=2
            )
        is_enough = proof.challenge.parameters.cost >= self._parts.config.proof_cost * factor
        if flaw is not None or not is_enough or not await self._use(data, action):
            self._count(caller, action, passed=False)
            raise ProofRequired(self.make(action, factor))
        self._count(caller, action, passed=True)

    def _is_solved(self, proof: Proof) -> bool:
        payload = altcha.Payload(
            altcha.Challenge(_parameters(proof.challenge.parameters), proof.challenge.signature),
            altcha.Solution(proof.solution.counter, proof.solution.derived_key),
        )
        # The key's own signature is compared (0.1 ms); the key is never derived again here, whatever counter is claimed.
        return altcha.verify_solution(payload, self._secret, hmac_key_secret=self._key_secret).verified

    async def _use(self, data: ProofData, action: Purpose) -> bool:
        """Whether this was the first use."""
        now_ms = self._parts.now_ms()
        while self._used and next(iter(self._used.values())) <= now_ms:
            self._used.popitem(last=False)
        if data.id in self._used:
            return False
        if len(self._used) >= MAX_REMEMBERED:
            raise Overloaded
        self._used[data.id] = data.expires_ms
        try:
            return bool(
                await self._client.set(f"auth:tmp:pow:{data.id}", 1, nx=True, px=max(1, data.expires_ms - now_ms))
            )
        except (RedisError, OSError, TimeoutError) as exc:
            if action == "login":
                log.warning("challenge_without_redis", error=type(exc).__name__)
                return True
            raise Overloaded from exc

    def _count(self, caller: Caller, action: Purpose, *, passed: bool) -> None:
        self._parts.metrics.challenges.labels("pow", "passed" if passed else "failed").inc()
        self._audit.tally("challenge.solved" if passed else "challenge.failed", caller, action=action)
        event = activity.CaptchaPassed if passed else activity.CaptchaFailed
        self._emitter.emit(
            event(ts_ms=self._parts.now_ms(), src="auth", ip=str(caller.address), ip_prefix=caller.unit, action=action)
        )


def _parameters(given: ProofParameters) -> altcha.ChallengeParameters:
    return altcha.ChallengeParameters(
        algorithm=given.algorithm,
        nonce=given.nonce,
        salt=given.salt,
        cost=given.cost,
        key_length=given.key_length,
        key_prefix=given.key_prefix,
        key_signature=given.key_signature,
        data=msgspec.to_builtins(given.data),
    )
