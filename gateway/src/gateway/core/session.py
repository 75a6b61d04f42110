"""One connection's conversation as a state machine: what a frame leads to, and when the time is up.

    NEW ── connect ──▶ (connecting) ──▶ CONNECTED ── end of token, logout, an error too many … ──▶ ended
     └────────── refused ◀──┘

Bytes of whole frames go in, together with the time; a `Step` comes out, and the shell carries it out. For each frame, in this order: it is parsed; the
gate table is asked (state, size); the buckets are asked; only then something happens. Every error that is not temporary is counted: too many of them in
a few seconds end the connection. Whatever is refused for its rate is counted too, in a bucket of its own, because answering a flood is work as well.
"""

from collections import deque
from dataclasses import dataclass, replace

from garita_common.core import frames, gate, pushes
from garita_common.core.buckets import Bucket
from garita_common.core.errors import (
    AppError,
    BadFrame,
    ChallengeRequired,
    CloseCode,
    Conflict,
    FrameTooLarge,
    RateLimited,
    TooLarge,
    Unauthenticated,
)
from garita_common.core.frames import (
    ChunkAck,
    Clear,
    ClientOp,
    Connect,
    HintOp,
    Logout,
    Pong,
    Read,
    Received,
    Renew,
    Request,
    Send,
    Typing,
)
from garita_common.core.gate import State
from garita_common.core.wire import CHUNK_HEADER_BYTES

from .allowance import Allowance
from .limits import SessionLimits
from .purse import Purse
from .shared_bucket import SharedBucket

PING = pushes.push("ping", {})
MAX_ATTEMPTS = 64
"""Five are what the detector looks for; an error closes the connection long before."""
TEMPORARY_CODES = frozenset({"internal", "busy", "rate_limited"})


@dataclass(frozen=True, slots=True)
class Tell:
    """Send this JSON. `limit` names the limit that refused something, `attempt` the cmid of a message that a challenge held up, for the record."""

    frame: bytes
    limit: str = ""
    attempt: str = ""


@dataclass(frozen=True, slots=True)
class Begin:
    """Check the token and attach the user; then call `connected` or `connect_refused`."""

    op: Connect


@dataclass(frozen=True, slots=True)
class Extend:
    """Check the new token; then call `renewed`."""

    op: Renew


@dataclass(frozen=True, slots=True)
class Redeem:
    """Ask the auth service whose clear this is; then call `cleared`, or not."""

    op: Clear


@dataclass(frozen=True, slots=True)
class Forward:
    """Ask the chat service."""

    op: Request


@dataclass(frozen=True, slots=True)
class Mention:
    """Tell the chat service; there is no answer."""

    op: HintOp


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """The client has bytes of a download."""

    op: ChunkAck


@dataclass(frozen=True, slots=True)
class TakeChunk:
    """Hand a chunk frame to the transfers."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class End:
    """Close the connection. `violation` is the fault of a frame that no correct client sends; `last` is sent before.

    `limit` is the limit that ended it, `count` how many refusals stand behind that which nobody has been told of.
    """

    code: CloseCode
    reason: str
    violation: BadFrame | None = None
    limit: str = ""
    count: int = 1
    last: bytes = b""


Step = Tell | Begin | Extend | Redeem | Forward | Mention | Acknowledge | TakeChunk | End


class Session:
    """What one connection may do now. Times are seconds of one monotonic clock."""

    __slots__ = (
        "_challenge",
        "_errors",
        "_frames",
        "_limits",
        "_ping_at_s",
        "_ping_every_s",
        "_pong_by_s",
        "_purse",
        "chunk_limit",
        "connecting",
        "frames_understood",
        "json_limit",
        "state",
        "until_s",
    )

    def __init__(self, limits: SessionLimits, now_s: float, jitter: float) -> None:
        """Args: jitter: 0.9 … 1.1, drawn per connection, so that the pings of a thousand connections opened together spread out."""
        self._limits = limits
        self._frames = 0
        self._errors: deque[float] | None = None
        self._challenge: Attempts | None = None
        self._purse = Purse(limits, now_s)
        self._ping_every_s = limits.ping_interval_s * jitter
        self._ping_at_s = float("inf")
        self._pong_by_s = float("inf")
        self.until_s = now_s + limits.connect_timeout_s
        self.state = State.NEW
        self.connecting = False
        self.frames_understood = 0
        self.json_limit = limits.connect_bytes
        self.chunk_limit = limits.early_bytes

    @property
    def deadline_s(self) -> float:
        """When `tick` next has something to say."""
        return min(self.until_s, self._ping_at_s, self._pong_by_s)

    def json_frame(self, data: bytes, now_s: float) -> Step | None:
        """What a JSON frame leads to; None: nothing to be done."""
        if self.state is State.NEW:
            early = self._count_early()
            if early is not None:
                return early
        try:
            op = frames.parse(data)
        except frames.Refused as refused:
            self.frames_understood += 1
            return self._fault(refused.request_id, refused.error, now_s)
        except BadFrame as exc:
            return End(CloseCode.MALFORMED, exc.sentence, violation=exc)
        self.frames_understood += 1
        row = gate.row_of(op)
        if len(data) > row.max_bytes or (
            self.state is State.NEW and type(op) is not Connect and len(data) > self._limits.early_bytes
        ):
            return self._oversize(op, now_s)
        if self.state not in row.states:
            return self._barred(op, row, now_s)
        refused_by = self._purse.pay(type(op), row, now_s)
        if refused_by is not None:
            return self._too_fast(request_id_of(op), *refused_by, now_s)
        return self._act(op, now_s)

    def chunk_frame(self, payload: bytes, now_s: float) -> Step | None:
        """What a chunk frame leads to."""
        if self.state is State.NEW:
            return self._count_early() or self._fault(None, Unauthenticated(), now_s)
        self.frames_understood += 1
        return TakeChunk(payload)

    def pay_bytes(self, size: int, now_s: float, *, upload: bool = False, control: bool = False) -> float | End:
        """Charges a frame's bytes to their budget: 0, or the seconds not to read for, or the end of a flood that goes on through the pauses."""
        limits, purse = self._limits, self._purse
        if upload:
            return purse.pay_upload(max(size, limits.chunk_cost_bytes), now_s)
        due = purse.pay_bytes(limits.control_cost_bytes if control else size + limits.frame_cost_bytes, now_s)
        if isinstance(due, str):
            return End(CloseCode.RATE_LIMITED, "Too many bytes in too short a time.", limit=due)
        return due

    def tick(self, now_s: float) -> Step | None:
        """What the time leads to: a ping, the end, or nothing."""
        if now_s >= self.until_s:
            if self.state is not State.NEW:
                return End(CloseCode.SESSION_ENDED, "The access token has ended.")
            if self._refuses("connect_timeout"):
                return End(CloseCode.CONNECT_TIMEOUT, "No connect came in time.", limit="connect_timeout")
            self.until_s = float("inf")
        if now_s >= self._pong_by_s:
            if self._refuses("pong_timeout"):
                return End(CloseCode.NO_PONG, "No pong came in time.")
            self._pong_by_s = float("inf")
        if now_s >= self._ping_at_s:
            self._ping_at_s = now_s + self._ping_every_s
            self._pong_by_s = min(self._pong_by_s, now_s + self._limits.pong_timeout_s)
            return Tell(PING)
        return None

    def connected(
        self, now_s: float, until_s: float, allowance: Allowance, sends: SharedBucket, device_send: Bucket
    ) -> None:
        """The user is attached.

        Args: until_s: when the token ends; allowance, sends: what all of the user's connections share, here and everywhere; device_send: what the device's share.
        """
        self.state = State.CONNECTED
        self.connecting = False
        self.until_s = until_s
        self._purse.share(allowance, sends, device_send)
        self._ping_at_s = now_s + self._ping_every_s
        self.json_limit = self._limits.text_bytes
        self.chunk_limit = self._limits.chunk_bytes + CHUNK_HEADER_BYTES

    def connect_refused(self) -> None:
        """The connect was answered with an error; another may be tried, within the time and the frames that are left."""
        self.connecting = False

    def renewed(self, until_s: float) -> None:
        """The token ends later now."""
        self.until_s = until_s

    def challenged(self, now_s: float) -> bool:
        """What needs a CONNECTED client is refused from now on, until `cleared`; False where it is already, or nobody is connected.

        A `challenge` and a ping are to be sent: the pong to that one says that the client knows.
        """
        if self.state is not State.CONNECTED:
            return False
        self.state = State.CHALLENGED
        self._challenge = Attempts(pongs_due=1 if self._pong_by_s == float("inf") else 2)
        self._pong_by_s = min(self._pong_by_s, now_s + self._limits.pong_timeout_s)
        return True

    def cleared(self) -> bool:
        """The challenge is over; False where there was none."""
        if self._challenge is None:
            return False
        self.state, self._challenge = State.CONNECTED, None
        return True

    def answered(self, code: str, now_s: float) -> End | None:
        """Counts an error that the chat service answered."""
        return self._count_error(now_s) if code and code not in TEMPORARY_CODES else None

    def fault(self, request_id: int | None, error: AppError, now_s: float) -> Step:
        """The answer to something that the shell refused, counted as any other."""
        return self._fault(request_id, error, now_s)

    def _count_early(self) -> Step | None:
        self._frames += 1
        if self._frames > self._limits.connect_frames and self._refuses("connect_frames"):
            return End(CloseCode.CONNECT_TIMEOUT, "Too many frames before connect.", limit="connect_frames")
        return None

    def _barred(self, op: ClientOp, row: gate.Row, now_s: float) -> Step | None:
        held = self._challenge
        if held is None or State.CONNECTED not in row.states:
            return self._fault(request_id_of(op), self._wrong_state(), now_s)
        if isinstance(op, Typing):
            return None
        step = self._fault(request_id_of(op), ChallengeRequired(), now_s)
        return replace(step, attempt=held.attempt(op)) if isinstance(step, Tell) else step

    def _wrong_state(self) -> AppError:
        return Unauthenticated() if self.state is State.NEW else Conflict("This connection is connected already.")

    def _oversize(self, op: ClientOp, now_s: float) -> Step:
        if self.state is State.NEW:
            return End(CloseCode.FRAME_TOO_LARGE, FrameTooLarge.default_sentence, limit="early_bytes")
        return self._fault(request_id_of(op), TooLarge("This request is larger than its operation allows."), now_s)

    def _act(self, op: ClientOp, now_s: float) -> Step | None:
        match op:
            case Connect():
                return self._begin(op, now_s)
            case Renew():
                return Extend(op)
            case Pong():
                self._pong_by_s = float("inf")
                if self._challenge is not None:
                    self._challenge.pongs_due -= 1
                return None
            case Clear():
                return Redeem(op)
            case Logout():
                return End(CloseCode.SESSION_ENDED, "Logged out.", last=pushes.ok(op.id))
            case ChunkAck():
                return Acknowledge(op)
            case Read() | Received() | Typing():
                return Mention(op)
            case _:
                return Forward(op)

    def _begin(self, op: Connect, now_s: float) -> Step:
        if op.v != frames.PROTOCOL_VERSION:
            return End(CloseCode.VERSION, f"This server speaks version {frames.PROTOCOL_VERSION}.")
        if self.connecting:
            return self._fault(op.id, Conflict("A connect is being answered already."), now_s)
        self.connecting = True
        return Begin(op)

    def _refuses(self, limit: str) -> bool:
        return self._limits.enforcement.refuses(limit)

    def _too_fast(self, request_id: int | None, limit: str, wait_s: float, now_s: float) -> Step:
        if not self._purse.may_be_refused(now_s):
            return End(CloseCode.RATE_LIMITED, "Too many requests over the limit.", limit=limit)
        wait_ms = None if wait_s == float("inf") else int(wait_s * 1000) + 1
        return Tell(pushes.error(request_id, RateLimited(retry_after_ms=wait_ms)), limit=limit)

    def _fault(self, request_id: int | None, error: AppError, now_s: float) -> Step:
        answer = pushes.error(request_id, error)
        if not error.temporary:
            end = self._count_error(now_s, last=answer)
            if end is not None:
                return end
        return Tell(answer)

    def _count_error(self, now_s: float, last: bytes = b"") -> End | None:
        if self._errors is None:
            self._errors = deque(maxlen=self._limits.errors)
        errors, horizon_s = self._errors, now_s - self._limits.errors_window_s
        while errors and errors[0] <= horizon_s:
            errors.popleft()
        errors.append(now_s)
        if len(errors) < self._limits.errors or not self._refuses("errors"):
            return None
        return End(
            CloseCode.TOO_MANY_ERRORS,
            "Too many errors in too short a time.",
            limit="errors",
            count=len(errors),
            last=last,
        )


class Attempts:
    """Messages that a challenge held up, once the client knew of it: it has answered the ping behind it, and those before."""

    __slots__ = ("_seen", "pongs_due")

    def __init__(self, pongs_due: int) -> None:
        """None yet."""
        self.pongs_due = pongs_due
        self._seen: set[str] = set()

    def attempt(self, op: ClientOp) -> str:
        """The cmid of a message that was not tried before; empty for anything else."""
        if self.pongs_due > 0 or not isinstance(op, Send) or len(self._seen) >= MAX_ATTEMPTS:
            return ""
        cmid = str(op.cmid)
        if cmid in self._seen:
            return ""
        self._seen.add(cmid)
        return cmid


def request_id_of(op: ClientOp) -> int | None:
    """The request's id; None for what has none and is never answered."""
    return op.id if isinstance(op, Request) else None
