"""A room of `chat_server`: its members, its events, and every operation on them, as docs/protocol.md tells it.

Operations take what a client sent and give the answer's fields; what others hear of it is appended to `out`, for the server to push.
"""

from __future__ import annotations

import itertools
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

Frame = dict[str, Any]
RANKS = ("muted", "member", "moderator", "owner")


class Refused(Exception):
    """The operation is answered with this code."""


@dataclass
class Member:
    """Somebody in a room."""

    user: Frame
    role: str = "member"
    read: int = 0
    received: int = 0

    @property
    def rank(self) -> int:
        return RANKS.index(self.role)


@dataclass
class Room:
    """A room with its events from seq 1 on."""

    id: str
    title: str
    kind: str = "public"
    topic: str = ""
    epoch: str = "a1"
    events: list[Frame] = field(default_factory=list)
    members: dict[str, Member] = field(default_factory=dict)
    banned: dict[str, Frame] = field(default_factory=dict)
    audit: list[Frame] = field(default_factory=list)
    out: list[Frame] = field(default_factory=list)
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def head(self) -> int:
        return len(self.events)

    def info(self, user: Frame) -> Frame:
        member = self.members.get(user["id"])
        return {
            "id": self.id, "kind": self.kind, "title": self.title, "topic": self.topic, "members": len(self.members), "epoch": self.epoch,
            "head": self.head, "role": member.role if member else None, "read": member.read if member else 0, "created": 0,
        }  # fmt: skip

    def add(self, op: str, user: Frame, **fields: Any) -> Frame:
        """A stored event."""
        event = {
            "op": op, "room": self.id, "epoch": self.epoch, "seq": self.head + 1, "ts": time.time_ns() // 10**6, "user": user, **fields
        }  # fmt: skip
        self.events.append(event)
        return event

    def carry_out(self, op: str, user: Frame, frame: Frame) -> Frame:
        """One operation. Raises: Refused."""
        match op:
            case "join":
                return self._join(user)
            case "leave":
                self._ends(user, "left", user)
                return {"room": self.id}
            case "room":
                return {"room": self.info(user)}
            case _:
                return self._carry_out(op, self._member(user), frame)

    def _carry_out(self, op: str, me: Member, frame: Frame) -> Frame:
        """What only members may."""
        match op:
            case "set_room" | "kick" | "ban_member" | "set_role" | "banned" | "audit":
                return self._moderate(op, me, frame)
            case "edit" | "delete" | "react" | "report":
                return self._change(op, me, frame)
            case "history":
                return self._history(frame)
            case "search":
                return self.search(frame)
            case "members":
                fields = ("role", "read", "received")
                return {
                    "members": [
                        one.user | {name: getattr(one, name) for name in fields} for one in self.members.values()
                    ]
                }
            case "presence":
                return {"here": [one.user for one in self.members.values()]}
            case _:
                raise Refused("unknown_op")

    def hint(self, op: str, user: Frame, frame: Frame) -> Frame:
        """What is said in passing: the push that others get. Raises: Refused."""
        me = self._member(user)
        if op == "typing":
            if me.rank < 1:
                raise Refused("forbidden")
            return {"op": "typing", "room": self.id, "user": user}
        setattr(me, op, max(getattr(me, op), min(frame["seq"], self.head)))
        me.received = max(me.received, me.read)
        return {"op": "read", "room": self.id, "user": user, "read": me.read, "received": me.received}

    def search(self, frame: Frame) -> Frame:
        words = frame["text"].casefold().split()
        found = [
            event
            for event in self.events
            if event["op"] == "message" and all(word in (event.get("text") or "").casefold() for word in words)
        ]
        return {"hits": found[::-1][: frame.get("limit", 20)]}

    def _member(self, user: Frame) -> Member:
        member = self.members.get(user["id"])
        if member is None:
            raise Refused("not_found")
        return member

    def _join(self, user: Frame) -> Frame:
        if user["id"] in self.banned:
            raise Refused("not_found")
        start = self.head
        self.members[user["id"]] = Member(user, "member" if self.members else "owner")
        self.out.append(self.add("member", user, change="joined", role=self.members[user["id"]].role))
        return {"room": self.id, "epoch": self.epoch, "seq": start}

    def _ends(self, user: Frame, change: str, by: Frame) -> None:
        """The one who goes hears of it too."""
        named = {} if by == user else {"by": by}
        self.out.append(self.add("member", user, change=change, **named) | {"_also": user["id"]})
        self.members.pop(user["id"], None)

    # --- moderation ---------------------------------------------------------------------------------------------------------------

    def _moderate(self, op: str, me: Member, frame: Frame) -> Frame:
        if me.rank < 2:
            raise Refused("forbidden")
        if op == "set_room":
            self.title, self.topic = frame.get("title", self.title), frame.get("topic", self.topic)
            self._note(op, me, None, frame)
            self.out.append(self.add("room", me.user, title=self.title, topic=self.topic))
            return {"room": self.info(me.user)}
        if op == "banned":
            return {"banned": list(self.banned.values())}
        if op == "audit":
            return {"entries": self.audit[::-1]}
        if op == "ban_member" and not frame.get("banned", True):
            return self._let_in(me, frame)
        other = self.members.get(frame["user"])
        if other is None:
            raise Refused("not_found")
        if other.rank >= me.rank:
            raise Refused("forbidden")
        self._note({"ban_member": "ban", "set_role": "role"}.get(op, op), me, other.user, frame)
        if op == "set_role":
            other.role = frame["role"]
            self.out.append(self.add("member", other.user, change="role", by=me.user, role=other.role))
            return {"room": self.id, "user": other.user, "role": other.role}
        if op == "ban_member":
            self.banned[frame["user"]] = other.user | {"by": me.user, "ts": 0, "note": frame.get("note", "")}
        self._ends(other.user, "banned" if op == "ban_member" else "kicked", me.user)
        return {"room": self.id, "user": other.user, "banned": op == "ban_member"}

    def _let_in(self, me: Member, frame: Frame) -> Frame:
        known = self.banned.pop(frame["user"], None)
        if known is None:
            raise Refused("not_found")
        user = {"id": known["id"], "name": known["name"]}
        self._note("unban", me, user, frame)
        self.out.append(self.add("member", user, change="unbanned", by=me.user))
        return {"room": self.id, "user": user, "banned": False}

    def _note(self, action: str, me: Member | None, user: Frame | None, frame: Frame) -> int:
        number = next(self.numbers)
        told = {
            "by": me.user if me else None,
            "user": user,
            "note": frame.get("note"),
            "role": frame.get("role"),
            "reason": frame.get("reason"),
        }
        self.audit.append(
            {"n": number, "ts": 0, "action": action} | {name: value for name, value in told.items() if value}
        )
        return number

    # --- messages -----------------------------------------------------------------------------------------------------------------

    def _change(self, op: str, me: Member, frame: Frame) -> Frame:
        message = next(
            (event for event in self.events if event.get("mid") == frame["mid"] and event["op"] == "message"), None
        )
        if message is None:
            raise Refused("not_found")
        if op == "report":
            return {"report": self._note("report", None, message["user"], frame)}
        mine = message["user"]["id"] == me.user["id"]
        about = {"mid": message["mid"], "of": message["seq"]}
        if op == "react":
            event = self.add("reaction", me.user, **about, emoji=frame["emoji"], on=frame.get("on", True))
        elif op == "edit":
            if not mine:
                raise Refused("forbidden")
            event = self.add("edited", me.user, **about, text=frame["text"])
            message |= {"text": frame["text"], "edited": event["ts"]}
        else:
            author = self.members.get(message["user"]["id"])
            if not mine and me.rank <= max(1, author.rank if author else 0):
                raise Refused("forbidden")
            event = self.add("deleted", me.user, **about, **({} if mine else {"by_moderator": True}))
            self._empty(message)
        self.out.append(event)
        return {"seq": event["seq"], "ts": event["ts"]}

    def _empty(self, message: Frame) -> None:
        message |= {"deleted": True, "text": ""}
        message.pop("files", None)
        for event in self.events:
            if event["op"] == "edited" and event["of"] == message["seq"]:
                event["text"] = ""

    def say(self, user: Frame, frame: Frame, files: list[Frame]) -> Frame:
        """A message. Raises: Refused."""
        if self._member(user).rank < 1:
            raise Refused("forbidden")
        fields = {"reply_to": frame["reply_to"]} if frame.get("reply_to") else {}
        listed = {"files": files} if files else {}
        event = self.add(
            "message", user, mid=str(uuid.uuid4()), cmid=frame["cmid"], text=frame["text"], **fields, **listed
        )
        self.out.append(event)
        return {"mid": event["mid"], "seq": event["seq"], "ts": event["ts"]}

    def _history(self, frame: Frame) -> Frame:
        limit = frame.get("limit", 50)
        if "after" in frame:
            found = self.events[frame["after"] :]
            page, more = found[:limit], len(found) > limit
        else:
            found = self.events[: frame.get("before", self.head + 1) - 1]
            page, more = found[-limit:], len(found) > limit
        return {"room": self.id, "epoch": self.epoch, "head": self.head, "events": page, "more": more}
