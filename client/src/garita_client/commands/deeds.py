"""What one does to messages and people in `garita chat`: answers, edits, deletions, reactions, reports, search, moderation."""

from collections.abc import Awaitable, Callable

from garita_client.client import Client
from garita_client.core.display import printable
from garita_client.core.errors import GaritaError
from garita_client.core.hearing import RoomInfo
from garita_client.core.seen import Shown

from .telling import Teller, clock, name
from .terminal import Terminal

REASONS = ("spam", "abuse", "illegal", "other")
ROLES = ("owner", "moderator", "member", "muted")


class Deeds:
    """The commands on what is in the room where the person is."""

    def __init__(self, client: Client, terminal: Terminal, teller: Teller, here: Callable[[], RoomInfo]) -> None:
        """Args: here: the room, or GaritaError where there is none."""
        self._client = client
        self._terminal = terminal
        self._teller = teller
        self._here = here
        self.needy: dict[str, Callable[[str], Awaitable[None]]] = {
            "/reply": self._reply, "/edit": self._edit, "/delete": self._delete, "/react": self._react, "/report": self._report,
            "/search": self._search, "/topic": self._topic, "/title": self._title, "/kick": self._kick, "/ban": self._ban,
            "/unban": self._unban, "/role": self._role,
        }  # fmt: skip
        self.bare: dict[str, Callable[[], Awaitable[None]]] = {
            "/who": self._who, "/members": self._members, "/banned": self._banned, "/audit": self._audit,
        }  # fmt: skip

    # --- messages -----------------------------------------------------------------------------------------------------------------

    async def _reply(self, rest: str) -> None:
        message, text = await self._named(rest)
        await self._client.send(self._here().id, text, reply_to=message.mid)

    async def _edit(self, rest: str) -> None:
        """`/edit 41 text`, or `/edit text` for the newest message of one's own."""
        room = self._here().id
        if rest.partition(" ")[0].lstrip("#").isdigit():
            message, text = await self._named(rest)
        else:
            own = self._teller.seen.last_of(room, self._teller.own)
            if own is None:
                raise GaritaError(self._terminal.word("nothing_own"))
            message, text = own, rest
        await self._client.edit(room, message.mid, text)

    async def _delete(self, rest: str) -> None:
        message, note = await self._named(rest, needs_more=False)
        await self._client.delete(self._here().id, message.mid, note=note)

    async def _react(self, rest: str) -> None:
        """The same again takes it back."""
        message, emoji = await self._named(rest)
        on = not self._teller.seen.has_reacted(message.mid, emoji)
        await self._client.react(self._here().id, message.mid, emoji, on=on)

    async def _report(self, rest: str) -> None:
        message, more = await self._named(rest)
        reason, _, note = more.partition(" ")
        if reason not in REASONS:
            raise GaritaError(self._terminal.word("one_of", words=", ".join(REASONS)))
        await self._client.report(self._here().id, message.mid, reason, note=note.strip())
        self._terminal.say("reported")

    async def _search(self, words: str) -> None:
        """In this room; `/search * words` in all of one's own."""
        everywhere = words.startswith("* ")
        room = None if everywhere else self._here().id
        page = await self._client.search(words.removeprefix("* "), room=room)
        if not page.hits:
            self._terminal.say("nothing_found")
        for hit in reversed(page.hits):
            self._teller.show(hit, here=hit.room_id == room)

    async def _named(self, rest: str, *, needs_more: bool = True) -> tuple[Shown, str]:
        """The message whose number begins the line, and what follows. One that was not shown yet is asked for."""
        word, _, more = rest.partition(" ")
        number = word.lstrip("#")
        if not number.isdigit() or (needs_more and not more.strip()):
            raise GaritaError(self._terminal.word("number_first"))
        room, seq = self._here().id, int(number)
        found = self._teller.seen.message(room, seq)
        if found is None and seq > 0:
            for event in (await self._client.history(room, after=seq - 1, limit=1)).events:
                self._teller.seen.note(event, self._teller.own)
            found = self._teller.seen.message(room, seq)
        if found is None:
            raise GaritaError(self._terminal.word("no_message", number=number))
        return found, more.strip()

    # --- the room and its people --------------------------------------------------------------------------------------------------

    async def _topic(self, topic: str) -> None:
        await self._client.set_room(self._here().id, topic="" if topic == "-" else topic)

    async def _title(self, title: str) -> None:
        await self._client.set_room(self._here().id, title=title)

    async def _kick(self, rest: str) -> None:
        user, note = await self._person(rest)
        await self._client.kick(self._here().id, user, note=note)

    async def _ban(self, rest: str) -> None:
        user, note = await self._person(rest)
        await self._client.ban_member(self._here().id, user, note=note)

    async def _unban(self, rest: str) -> None:
        room, wanted = self._here().id, rest.strip().casefold()
        after: str | None = None
        while True:
            page = await self._client.banned(room, after=after)
            for one in page.banned:
                if wanted in (one.id, one.name.casefold()):
                    await self._client.ban_member(room, one.id, banned=False)
                    return
            after = page.next
            if after is None:
                raise GaritaError(self._terminal.word("no_such_person", user=rest))

    async def _role(self, rest: str) -> None:
        user, role = await self._person(rest)
        if role not in ROLES:
            raise GaritaError(self._terminal.word("one_of", words=", ".join(ROLES)))
        await self._client.set_role(self._here().id, user, role)

    async def _person(self, rest: str) -> tuple[str, str]:
        """The id of the member whose name begins the line, and what follows."""
        wanted, _, more = rest.partition(" ")
        after: str | None = None
        while True:
            page = await self._client.members(self._here().id, after=after)
            for member in page.members:
                if wanted.lstrip("@").casefold() in (member.id, member.name.casefold()):
                    return member.id, more.strip()
            after = page.next
            if after is None:
                raise GaritaError(self._terminal.word("no_such_person", user=wanted))

    async def _members(self) -> None:
        after: str | None = None
        while True:
            page = await self._client.members(self._here().id, after=after)
            for member in page.members:
                self._terminal.show(f"{self._terminal.word(f'role_{member.role}'):12} {printable(member.name)}")
            after = page.next
            if after is None:
                return

    async def _who(self) -> None:
        """Who is here now."""
        after: str | None = None
        while True:
            page = await self._client.presence(self._here().id, after=after)
            for person in page.here:
                self._terminal.show(name(person))
            after = page.next
            if after is None:
                return

    async def _banned(self) -> None:
        page = await self._client.banned(self._here().id)
        if not page.banned:
            self._terminal.say("nobody_banned")
        for one in page.banned:
            self._terminal.show(
                f"{printable(one.name)}  ({name(one.by)}, {clock(one.ts)})  {printable(one.note)}".rstrip()
            )

    async def _audit(self) -> None:
        """The newest page, oldest line first."""
        page = await self._client.audit(self._here().id)
        if not page.entries:
            self._terminal.say("nothing_found")
        for entry in reversed(page.entries):
            told = [
                entry.action,
                name(entry.user) if entry.user else "",
                entry.role,
                entry.reason,
                entry.note,
                entry.text,
            ]
            words = "  ".join(printable(word) for word in told if word)
            self._terminal.show(f"{clock(entry.ts)} {name(entry.by) if entry.by else '-'}: {words}")
