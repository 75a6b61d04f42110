"""`garita chat`: rooms, messages and files in a terminal. New messages appear above the line that is being typed, who writes below it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from garita_client.account import Account
from garita_client.auth_api import AuthApi
from garita_client.client import Client
from garita_client.core.display import numbered, printable, safe_file_name
from garita_client.core.errors import Closed, Ended, GaritaError, NoAnswer, TransferFailed
from garita_client.core.hearing import Event, RoomInfo
from garita_client.core.typed import Command, Nothing, Say, read_line
from garita_client.files import download, upload

from .deeds import Deeds
from .places import Places
from .telling import Teller, name, title
from .terminal import Terminal

CONNECT_TIMEOUT_S = 30.0
HISTORY_AT_JOIN = 20
WATCH_S = 0.5
TYPING_EVERY_S = 3.0
"""The server passes on no more."""
TYPING_LASTS_S = 5.0
MARKS_EVERY_S = 1.0
SMALL_ROOM = 100
"""In larger rooms nobody is told what was received."""


class Quit(Exception):
    """The person has had enough."""


async def chat(places: Places, terminal: Terminal, room: str | None) -> int:
    """Talks until /quit or the end of the input."""
    login = places.login_needed()
    address = places.chat_address(login.server)
    async with AuthApi(places.api_of(login.server)) as api:
        account = Account(api, places.store)
        terminal.say("connecting", address=address)
        async with Client(address, account, name="garita chat") as client:
            try:
                welcome = await client.connected(timeout_s=CONNECT_TIMEOUT_S)
            except NoAnswer as exc:
                raise GaritaError(f"{exc} {client.trouble}".strip()) from exc
            terminal.say("connected", name=welcome.user.name)
            await _talk(ChatScreen(client, terminal), room)
    return 0


async def _talk(screen: "ChatScreen", room: str | None) -> None:
    """The person's lines and the server's events, side by side, until one of them ends."""
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(screen.hear(), name="hear")
            tasks.create_task(screen.watch(), name="watch")
            tasks.create_task(screen.read(room), name="read")
    except* Quit:
        pass
    except* Ended as group:
        raise group.exceptions[0] from None


class ChatScreen:
    """What the person sees and can do."""

    def __init__(self, client: Client, terminal: Terminal) -> None:
        """Args: client: connected."""
        self._client = client
        self._terminal = terminal
        self._room: RoomInfo | None = None
        self._rooms: dict[str, RoomInfo] = {}
        self._entering: list[Event] | None = None
        self._told: dict[str, int] = {}  # per room, up to where the history that was shown on entering reached
        self._heads: dict[str, int] = {}  # per room, the newest seq that was heard and not marked yet
        self._writing: dict[
            str, tuple[str, float]
        ] = {}  # by user, in the room that one is in: the name, and until when
        self._teller = Teller(terminal, name_of=self._name)
        self._deeds = Deeds(client, terminal, self._teller, self._here)
        if client.welcome is not None:
            self._teller.own = client.welcome.user.id

    # --- hearing ------------------------------------------------------------------------------------------------------------------

    async def hear(self) -> None:
        """Shows events as they come."""
        async for event in self._client:
            if event.is_passing:
                self._pass(event)
                continue
            room = event.room_id
            if room and event.seq is not None and not event.log:
                self._heads[room] = event.seq
            if event.op == "message" and event.user:
                self._writing.pop(event.user.id, None)
            if self._entering is not None and self._room is not None and room == self._room.id:
                self._entering.append(event)
            elif not self._is_told(event):
                self._show(event)

    def _pass(self, event: Event) -> None:
        """Who writes in the room that one is in stands below the line for a few seconds."""
        mine = event.user is not None and event.user.id == self._teller.own
        if event.op == "typing" and event.user and not mine and self._room and event.room_id == self._room.id:
            self._writing[event.user.id] = (name(event.user), time.monotonic() + TYPING_LASTS_S)
            self._draw_status()

    def _draw_status(self) -> None:
        now = time.monotonic()
        self._writing = {user: told for user, told in self._writing.items() if told[1] > now}
        names = [told[0] for told in self._writing.values()]
        self._terminal.status = self._terminal.word("writing", names=", ".join(names)) if names else ""

    def _is_told(self, event: Event) -> bool:
        """Whether history has shown this event already: its push may come after the answer that holds it."""
        if event.op == "reset":
            self._told.pop(event.room_id or "", None)
        return event.seq is not None and event.log is None and event.seq <= self._told.get(event.room_id or "", -1)

    async def watch(self) -> None:
        """Says when the connection is lost and when it is back; tells the server what was read and that one writes."""
        stood, marked_at, typed_at = True, 0.0, 0.0
        while True:
            await asyncio.sleep(WATCH_S)
            stands = self._client.is_connected
            if stood and not stands:
                self._terminal.say("lost", why=self._client.trouble or "?")
            elif stands and not stood:
                self._terminal.say("reconnected")
            stood, now = stands, time.monotonic()
            self._draw_status()
            if now - marked_at >= MARKS_EVERY_S:
                marked_at = now
                await self._mark()
            if self._terminal.take_typed() and self._room is not None and now - typed_at >= TYPING_EVERY_S:
                typed_at = now
                await self._client.typing(self._room.id)

    async def _mark(self) -> None:
        """What was shown in the room that one is in is read, what came elsewhere received. Without a connection it is told later."""
        for room, seq in list(self._heads.items()):
            here = self._room is not None and self._room.id == room and self._entering is None
            info = self._rooms.get(room)
            if here:
                told = await self._client.read(room, seq)
            else:
                told = info is None or info.members > SMALL_ROOM or await self._client.received(room, seq)
            if told and self._heads.get(room) == seq:
                del self._heads[room]

    def _show(self, event: Event) -> None:
        if event.op == "notice" and event.kind != "invited" and isinstance(event.room, RoomInfo):
            self._rooms[event.room.id] = event.room
        room = event.room_id
        if event.op == "room" and room in self._rooms:
            self._rooms[room] = msgspec.structs.replace(self._rooms[room], title=event.title, topic=event.topic or "")
            if self._room is not None and self._room.id == room:
                self._room = self._rooms[room]
        self._teller.show(event, here=room is None or (self._room is not None and room == self._room.id))
        mine = event.user is not None and event.user.id == self._teller.own
        if mine and event.ends_membership and room is not None:
            self._rooms.pop(room, None)
            self._heads.pop(room, None)
            if self._room is not None and self._room.id == room:
                self._room = None

    def _name(self, room: str | None) -> str:
        info = self._rooms.get(room or "")
        return title(info) if info else (room or "?")[:9]

    # --- typing -------------------------------------------------------------------------------------------------------------------

    async def read(self, room: str | None) -> None:
        """Takes lines until the end."""
        await self._learn_rooms()
        if room:
            await self._try(self._join, room)
        elif len(self._rooms) == 1:
            await self._try(self._enter, next(iter(self._rooms.values())))
        while True:
            prompt = f"{title(self._room)}> " if self._room else "> "
            try:
                line = await self._terminal.line(prompt)
            except (EOFError, KeyboardInterrupt) as exc:
                raise Quit from exc
            match read_line(line):
                case Nothing():
                    continue
                case Say(said):
                    await self._try(self._say, said)
                case Command(word, rest):
                    await self._try(self._command, word, rest)

    async def _try(self, what: object, *words: object) -> None:
        """A refusal is told, and the chat goes on."""
        assert callable(what)  # noqa: S101 - a method of this class
        try:
            await what(*words)
        except Ended as exc:
            if not isinstance(exc, Closed):
                raise
        except (GaritaError, TransferFailed, OSError) as exc:
            self._terminal.show(str(exc))

    async def _command(self, word: str, rest: str) -> None:
        """One command; those that need a word say so."""
        if word in ("/quit", "/exit"):
            raise Quit
        bare = {"/help": self._help, "/leave": self._leave} | self._deeds.bare
        optional: dict[str, Callable[[str], Awaitable[None]]] = {"/rooms": self._list_rooms, "/history": self._older}
        needy: dict[str, Callable[[str], Awaitable[None]]] = self._deeds.needy | {
            "/join": self._join, "/create": self._create, "/direct": self._direct, "/invite": self._invite,
            "/up": self._up, "/down": self._down,
        }  # fmt: skip
        if word in bare:
            await bare[word]()
        elif word in optional or (word in needy and rest):
            await (optional | needy)[word](rest)
        elif word in needy:
            usage = next(line for line in self._terminal.word("help").splitlines() if line.startswith(word + " "))
            self._terminal.say("usage", usage=usage)
        else:
            self._terminal.say("unknown_command", word=printable(word))

    async def _help(self) -> None:
        self._terminal.say("help")

    async def _direct(self, user: str) -> None:
        await self._enter(await self._client.direct_room(user))

    async def _invite(self, user: str) -> None:
        await self._client.invite(self._here().id, user)
        self._terminal.say("invited_user", user=user)

    async def _older(self, count: str) -> None:
        await self._history(int(count) if count.isdigit() else HISTORY_AT_JOIN)

    def _here(self) -> RoomInfo:
        if self._room is None:
            raise GaritaError(self._terminal.word("no_room"))
        return self._room

    async def _say(self, said: str) -> None:
        await self._client.send(self._here().id, said)

    async def _learn_rooms(self) -> None:
        self._rooms |= {room.id: room for room in await self._client.rooms()}

    async def _list_rooms(self, scope: str) -> None:
        rooms = await self._client.rooms("public" if scope == "public" else "mine")
        if not rooms:
            self._terminal.say("no_rooms")
        for room in rooms:
            self._terminal.show(_room_line(room))

    async def _join(self, wanted: str) -> None:
        room = await self._find(wanted)
        await self._enter(room, join=room.role is None)

    async def _find(self, wanted: str) -> RoomInfo:
        """A room by id or title, among one's own and the public ones."""
        rooms = {room.id: room for room in await self._client.rooms("public")}
        rooms |= {room.id: room for room in await self._client.rooms("mine")}
        if wanted in rooms:
            return rooms[wanted]
        if wanted.startswith("r") and len(wanted) == 33:
            return await self._client.room(wanted)
        found = [room for room in rooms.values() if title(room).casefold() == wanted.casefold()]
        mine = [room for room in found if room.role is not None]
        if len(found) == 1 or len(mine) == 1:
            return (mine or found)[0]
        for room in found:
            self._terminal.show(_room_line(room))
        raise GaritaError(self._terminal.word("many_rooms" if found else "no_such_room", room=wanted))

    async def _create(self, rest: str) -> None:
        private = rest.startswith("-p ")
        room = await self._client.create_room("private" if private else "public", rest.removeprefix("-p ").strip())
        self._terminal.say("room_made", room=title(room))
        await self._enter(room)

    async def _enter(self, room: RoomInfo, *, join: bool = False) -> None:
        """Shows what was said last, then what has come meanwhile, each once."""
        before, self._room, self._entering = self._room, room, []
        try:
            if join:
                await self._client.join(room.id)
            self._rooms[room.id] = room
            self._terminal.say("in_room", room=title(room))
            self._told[room.id] = await self._history(HISTORY_AT_JOIN)
        except GaritaError:
            self._room = before
            raise
        finally:
            waiting, self._entering = self._entering, None
            for event in waiting:
                if not self._is_told(event):
                    self._show(event)

    async def _leave(self) -> None:
        room = self._here()
        await self._client.leave(room.id)
        self._room = None
        self._rooms.pop(room.id, None)
        self._terminal.say("left_room", room=title(room))

    async def _history(self, count: int) -> int:
        """The newest events; the seq of the last one."""
        page = await self._client.history(self._here().id, limit=max(1, min(count, 100)))
        for event in page.events:
            self._teller.show(event, here=True)
        self._heads[page.room] = page.head
        return page.head

    # --- files --------------------------------------------------------------------------------------------------------------------

    async def _up(self, where: str) -> None:
        room, path = self._here(), _file_at(where)
        if path is None:
            raise GaritaError(self._terminal.word("no_such_path", path=where))
        with self._terminal.progress(path.name) as report:
            file = await upload(self._client, room.id, path, progress=report)
        await self._client.send(room.id, "", files=[file.id])
        self._terminal.say("sent_file", name=path.name)

    async def _down(self, rest: str) -> None:
        word, _, where = rest.partition(" ")
        if not word.isdigit() or not 0 < int(word) <= len(self._teller.files):
            raise GaritaError(self._terminal.word("no_file", number=word))
        file = self._teller.files[int(word) - 1]
        target = _free_target(where, file.name)
        with self._terminal.progress(printable(file.name)) as report:
            await download(self._client, file.id, target, progress=report)
        self._terminal.say("saved", path=target)


def _file_at(where: str) -> Path | None:
    """The file that a person means, None if it is not one."""
    path = Path(where).expanduser()
    return path if path.is_file() else None


def _free_target(wanted: str, name: str) -> Path:
    """Where to save: what was said if it names a file that is not there, else a free name in that folder. Nothing is overwritten."""
    where = Path(wanted).expanduser()
    if where.name and not where.is_dir() and not where.exists():
        return where
    folder = where if where.is_dir() else where.parent
    safe, number = safe_file_name(name), 0
    while (target := folder / numbered(safe, number)).exists():
        number += 1
    return target


def _room_line(room: RoomInfo) -> str:
    new = f"  (+{room.head - room.read})" if room.role is not None and room.head > room.read else ""
    return f"{room.id}  {room.kind:8}  {room.members:5}  {title(room)}{new}"
