"""The client that programs use: requests that are repeated until they are answered, every operation as a method.

`async with Client("tcp://127.0.0.1:8081", tokens) as client:`; events come from `async for event in client`. How the connection is kept is
`connection`'s business, how files travel is `files`'s.
"""

import asyncio
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from .connection import LastingConnection
from .core import saying
from .core.cursors import Cursor
from .core.errors import NoAnswer
from .core.hearing import ErrorAnswer, Ok, RoomInfo
from .core.replies import (
    AuditPage,
    BannedPage,
    Changed,
    Created,
    Done,
    HistoryPage,
    Joined,
    MemberPage,
    PresencePage,
    Reported,
    RoomPage,
    RoomReply,
    SearchPage,
    Sent,
    read_reply,
)
from .link import Link, LinkLost


class Client(LastingConnection):
    """See the module. Every operation may raise what `ask` raises."""

    # --- operations ---------------------------------------------------------------------------------------------------------------

    async def send(
        self,
        room: str,
        text: str,
        *,
        reply_to: str | None = None,
        files: list[str] | None = None,
        cmid: str | None = None,
        timeout_s: float = 60.0,
    ) -> Sent:
        """A message; returns when it is stored."""
        fields = {"room": room, "text": text, "reply_to": reply_to, "files": files or None, "cmid": cmid}
        return read_reply(await self.ask("send", fields, timeout_s=timeout_s), Sent)

    async def join(self, room: str, *, timeout_s: float = 60.0) -> Joined:
        """Becomes a member; events of the room come from here on."""
        return read_reply(await self.ask("join", {"room": room}, timeout_s=timeout_s), Joined)

    async def leave(self, room: str, *, timeout_s: float = 60.0) -> None:
        """Ends one's membership."""
        read_reply(await self.ask("leave", {"room": room}, timeout_s=timeout_s), Done)

    async def create_room(self, kind: str, title: str, *, topic: str = "", timeout_s: float = 60.0) -> RoomInfo:
        """A new room of kind `public` or `private`."""
        fields = {"kind": kind, "title": title, "topic": topic}
        return read_reply(await self.ask("create_room", fields, timeout_s=timeout_s), Created).room

    async def direct_room(self, user: str, *, timeout_s: float = 60.0) -> RoomInfo:
        """The room with one other user, by name; made at the first time."""
        fields = {"kind": "direct", "user": user}
        return read_reply(await self.ask("create_room", fields, timeout_s=timeout_s), Created).room

    async def invite(self, room: str, user: str, *, timeout_s: float = 60.0) -> None:
        """Lets a user, by name, join a private room."""
        read_reply(await self.ask("invite", {"room": room, "user": user}, timeout_s=timeout_s), Done)

    async def rooms(self, scope: str = "mine", *, timeout_s: float = 30.0) -> list[RoomInfo]:
        """All rooms of one's own, or all public ones."""
        rooms: list[RoomInfo] = []
        after: str | None = None
        while True:
            fields = {"scope": scope, "after": after, "limit": 100}
            page = read_reply(await self.ask("rooms", fields, timeout_s=timeout_s), RoomPage)
            rooms += page.rooms
            after = page.next
            if after is None:
                return rooms

    async def room(self, room: str, *, timeout_s: float = 30.0) -> RoomInfo:
        """One room's description."""
        return read_reply(await self.ask("room", {"room": room}, timeout_s=timeout_s), RoomReply).room

    async def members(self, room: str, *, after: str | None = None, timeout_s: float = 30.0) -> MemberPage:
        """A page of a room's members."""
        fields = {"room": room, "after": after, "limit": 100}
        return read_reply(await self.ask("members", fields, timeout_s=timeout_s), MemberPage)

    async def history(
        self,
        room: str,
        *,
        before: int | None = None,
        after: int | None = None,
        limit: int = 50,
        timeout_s: float = 30.0,
    ) -> HistoryPage:
        """A page of stored events; the newest ones unless `before` or `after` (exclusive) is given."""
        fields = {"room": room, "before": before, "after": after, "limit": limit}
        return read_reply(await self.ask("history", fields, timeout_s=timeout_s), HistoryPage)

    async def search(
        self,
        words: str,
        *,
        room: str | None = None,
        before: int | None = None,
        limit: int = 20,
        timeout_s: float = 30.0,
    ) -> SearchPage:
        """Messages that have all the words, newest first, in one room or in all of one's own; `before` is the `next` of the page before."""
        fields = {"text": words, "room": room, "before": before, "limit": limit}
        return read_reply(await self.ask("search", fields, timeout_s=timeout_s), SearchPage)

    # --- on messages --------------------------------------------------------------------------------------------------------------

    async def edit(self, room: str, mid: str, text: str, *, timeout_s: float = 60.0) -> Changed:
        """Another text for a message of one's own."""
        fields = {"room": room, "mid": mid, "text": text}
        return read_reply(await self.ask("edit", fields, timeout_s=timeout_s), Changed)

    async def delete(self, room: str, mid: str, *, note: str = "", timeout_s: float = 60.0) -> Changed:
        """Takes a message's text and files away: one's own, or as a moderator that of somebody below."""
        fields = {"room": room, "mid": mid, "note": note}
        return read_reply(await self.ask("delete", fields, timeout_s=timeout_s), Changed)

    async def react(self, room: str, mid: str, emoji: str, *, on: bool = True, timeout_s: float = 60.0) -> Changed:
        """Puts a reaction on a message, or takes it back."""
        fields = {"room": room, "mid": mid, "emoji": emoji, "on": on}
        return read_reply(await self.ask("react", fields, timeout_s=timeout_s), Changed)

    async def report(self, room: str, mid: str, reason: str, *, note: str = "", timeout_s: float = 60.0) -> int:
        """Tells the moderators of a message: `spam`, `abuse`, `illegal` or `other`. The report's number."""
        fields = {"room": room, "mid": mid, "reason": reason, "note": note}
        return read_reply(await self.ask("report", fields, timeout_s=timeout_s), Reported).report

    # --- for moderators -----------------------------------------------------------------------------------------------------------

    async def set_room(
        self, room: str, *, title: str | None = None, topic: str | None = None, timeout_s: float = 60.0
    ) -> RoomInfo:
        """Another title or topic; what is None stays."""
        fields = {"room": room, "title": title, "topic": topic}
        return read_reply(await self.ask("set_room", fields, timeout_s=timeout_s), RoomReply).room

    async def kick(self, room: str, user: str, *, note: str = "", timeout_s: float = 60.0) -> None:
        """Ends somebody's membership; `user` is an id, here and below, `note` is for the audit trail."""
        fields = {"room": room, "user": user, "note": note}
        read_reply(await self.ask("kick", fields, timeout_s=timeout_s), Done)

    async def ban_member(
        self, room: str, user: str, *, banned: bool = True, note: str = "", timeout_s: float = 60.0
    ) -> None:
        """Keeps somebody out of a room, or (`banned` false) lets them in again."""
        fields = {"room": room, "user": user, "banned": banned, "note": note}
        read_reply(await self.ask("ban_member", fields, timeout_s=timeout_s), Done)

    async def set_role(self, room: str, user: str, role: str, *, note: str = "", timeout_s: float = 60.0) -> None:
        """Makes a member `owner`, `moderator`, `member` or `muted`."""
        fields = {"room": room, "user": user, "role": role, "note": note}
        read_reply(await self.ask("set_role", fields, timeout_s=timeout_s), Done)

    async def banned(self, room: str, *, after: str | None = None, timeout_s: float = 30.0) -> BannedPage:
        """A page of those who are kept out."""
        fields = {"room": room, "after": after, "limit": 100}
        return read_reply(await self.ask("banned", fields, timeout_s=timeout_s), BannedPage)

    async def audit(self, room: str, *, before: int | None = None, timeout_s: float = 30.0) -> AuditPage:
        """A page of what moderators did and of what was reported, newest first."""
        fields = {"room": room, "before": before, "limit": 100}
        return read_reply(await self.ask("audit", fields, timeout_s=timeout_s), AuditPage)

    # --- in passing ---------------------------------------------------------------------------------------------------------------

    async def presence(self, room: str, *, after: str | None = None, timeout_s: float = 30.0) -> PresencePage:
        """Who of a page of members is connected now."""
        fields = {"room": room, "after": after, "limit": 100}
        return read_reply(await self.ask("presence", fields, timeout_s=timeout_s), PresencePage)

    async def read(self, room: str, seq: int) -> bool:
        """One has read everything up to `seq`; see `hint`."""
        return await self.hint("read", room=room, seq=seq)

    async def received(self, room: str, seq: int) -> bool:
        """Everything up to `seq` has arrived here; see `hint`."""
        return await self.hint("received", room=room, seq=seq)

    async def typing(self, room: str) -> bool:
        """One is writing in a room now: worth saying every three seconds; see `hint`."""
        return await self.hint("typing", room=room)

    async def hint(self, op: str, *, room: str, **fields: object) -> bool:
        """Says something in passing: `read`, `received` or `typing`. It has no answer; a refusal comes as an event `refused`.

        False when it could not be said, because no connection stands: marks only go up, so say them again with the next one.
        """
        data = saying.hint(op, room, fields)
        if self.link is None or self.link.over:
            return False
        try:
            await self.link.say(data)
        except LinkLost:
            return False
        return True

    # --- asking -------------------------------------------------------------------------------------------------------------------

    async def request(self, op: str, *, timeout_s: float = 30.0, **fields: object) -> dict[str, Any]:
        """Any operation, by its name and fields; the answer's fields. A change gets a `cmid` unless one is given.

        Raises:
            RequestRefused: the server says no.
            NoAnswer: the deadline passed, repeats included.
            Ended: the connection has ended for good.
        """
        answer = await self.ask(op, fields, timeout_s=timeout_s)
        told: dict[str, Any] = msgspec.json.decode(answer.raw)
        return told

    async def ask(
        self, op: str, fields: Mapping[str, object], *, timeout_s: float, on_ok: Callable[[Ok], None] | None = None
    ) -> Ok:
        """As `request`, with the raw answer. `on_ok` is called with it before anything that came after it is heard."""
        named = saying.with_cmid(op, fields, uuid.uuid4())
        cmid = str(named.get("cmid", ""))
        joins = op in ("join", "create_room")
        if joins:
            room = named.get("room")
            self._cursors.joining(cmid, room if isinstance(room, str) else None)
        try:
            return await self._repeat(op, named, time.monotonic() + timeout_s, self._follow(op, named, cmid, on_ok))
        finally:
            if joins:
                self._deliver(lambda: self._cursors.not_joined(cmid))

    async def _repeat(
        self, op: str, fields: dict[str, object], deadline: float, on_ok: Callable[[Ok], None] | None
    ) -> Ok:
        """Asks until there is an answer that stays, or the deadline (monotonic) has passed."""
        repeats, asked = 0, False
        while True:
            link = await self.standing_link(op, deadline, may_have_happened=asked and op in saying.CHANGES)
            asked = True
            left_s = max(0.001, min(deadline - time.monotonic(), self._timing.answer_s))
            try:
                answer = await link.ask(op, fields, on_ok=on_ok, timeout_s=left_s)
            except (LinkLost, TimeoutError):
                self.counters.repeats += 1
                continue
            if isinstance(answer, Ok):
                return answer
            await self._after_error(link, answer, op, deadline, repeats)
            repeats += 1

    async def _after_error(self, link: Link, answer: ErrorAnswer, op: str, deadline: float, repeats: int) -> None:
        """Waits as long as the error asks for, or raises it."""
        self.counters.rate_limited += answer.code == "rate_limited"
        self.counters.busy += answer.code == "busy"
        match saying.judge(answer, repeats=repeats, fraction=self._fraction()):
            case saying.Refuse(error):
                raise error
            case saying.Reconnect():
                self._want_fresh = True
                link.fail("the server wants a new token")
                await link.gone.wait()
            case saying.Repeat(after_s):
                if time.monotonic() + after_s >= deadline:
                    raise NoAnswer(op, may_have_happened=op in saying.CHANGES and answer.outcome == "unknown")
                self.counters.repeats += 1
                await asyncio.sleep(after_s)

    def _follow(
        self, op: str, fields: Mapping[str, object], cmid: str, on_ok: Callable[[Ok], None] | None
    ) -> Callable[[Ok], None] | None:
        """What the cursors must know of an answer before the next frame is heard."""
        match op:
            case "join":
                return lambda answer: self._joined(cmid, read_reply(answer, Joined))
            case "create_room":
                return lambda answer: self._created(cmid, read_reply(answer, Created))
            case "leave":
                return lambda _: self._cursors.left(str(fields.get("room")))
            case _:
                return on_ok

    def _joined(self, cmid: str, reply: Joined) -> None:
        self._deliver(lambda: self._cursors.joined(cmid, reply.room, Cursor(reply.epoch, reply.seq)))

    def _created(self, cmid: str, reply: Created) -> None:
        self._deliver(lambda: self._cursors.joined(cmid, reply.room.id, Cursor(reply.epoch, reply.seq)))
