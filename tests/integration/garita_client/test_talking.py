"""`garita chat` as a process: messages and people are named by what is shown, and what others do stands there in words."""

import asyncio
import contextlib
import fcntl
import hashlib
import os
import pty
import struct
import sys
import termios
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from garita_client import Login, TokenStore
from tests.fakes.accounts_server import AccountsServer
from tests.fakes.chat_room import Member, Room
from tests.fakes.chat_server import ChatServer
from tests.integration.garita_client.test_command import DEADLINE_S, Ran, garita
from tests.integration.garita_client.test_connection import eventually

OTHER = {"id": "u" + "5" * 32, "name": "Otra"}


class Place:
    """A server, somebody's login, and a room."""

    def __init__(self, folder: Path, chat: ChatServer, accounts: AccountsServer) -> None:
        self.folder, self.chat = folder, chat
        self.store = TokenStore(folder / "login.json")
        self.store.save(Login(accounts.base.removesuffix("/v1/auth"), "u1", "chat-1", "rt1.0", "dv1.x"))
        self.room = chat.add_room("La Plaza")

    async def types(self, *lines: str, language: str = "en_GB.UTF-8") -> Ran:
        """A sitting in the room with these lines."""
        words = ("chat", "La Plaza", "--login", self.store.path, "--connect", self.chat.tcp, "--state", self.folder)
        return await garita(*words, lines="\n".join((*lines, "/quit")) + "\n", language=language)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with ChatServer().running() as chat, AccountsServer().running() as accounts:
        yield Place(tmp_path, chat, accounts)


@contextlib.asynccontextmanager
async def pseudo_terminal(*words: str | Path) -> AsyncIterator[tuple[Callable[[str], None], Callable[[], str]]]:
    """The command at a terminal: a function that types, and one that gives all that was written to the screen."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 160, 0, 0))
    environment = os.environ | {
        "LANG": "en_GB.UTF-8",
        "LC_ALL": "en_GB.UTF-8",
        "TERM": "xterm",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "garita_client",
        *map(str, words),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
    )
    os.close(theirs)
    shown = bytearray()

    def heard() -> None:
        try:
            data = os.read(ours, 65_536)
        except OSError:  # the other end is gone
            loop.remove_reader(ours)
            return
        shown.extend(data)
        if b"\x1b[6n" in data:  # where is the cursor?
            os.write(ours, b"\x1b[10;1R")

    loop = asyncio.get_running_loop()
    loop.add_reader(ours, heard)
    try:
        yield lambda text: void(os.write(ours, text.encode())), lambda: shown.decode(errors="replace")
        async with asyncio.timeout(DEADLINE_S):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        loop.remove_reader(ours)
        os.close(ours)


def void(_: object) -> None:
    """For functions that are called for what they do."""


def texts(room: Room) -> list[str]:
    return [event["text"] for event in room.events if event["op"] == "message"]


async def test_messages_are_named_by_number(place: Place) -> None:
    """Answer, change, react, take back, take away, find, report: each by the number that stands beside the message."""
    await place.chat.post(place.room, "Who has the keys?")

    ran = await place.types(
        "/reply 1 me", "/edit 3 I do", "/edit I have them", "/react #1 👍", "/react 1 👍", "first", "/delete 8", "/search keys",
        "/report 1 spam really", "/history", language="es_ES.UTF-8",
    )  # fmt: skip

    assert (ran.status, ran.err) == (0, "")
    ops = [event["op"] for event in place.room.events]
    assert ops == ["message", "member", "message", "edited", "edited", "reaction", "reaction", "message", "deleted"]
    assert texts(place.room) == ["Who has the keys?", "I have them", ""]
    assert place.room.events[2]["reply_to"] == place.room.events[0]["mid"]
    assert [event["on"] for event in place.room.events if event["op"] == "reaction"] == [True, False]
    assert [entry["action"] for entry in place.room.audit] == ["report"]
    shown = ran.out.split("La moderación ya puede verlo.")[1]
    assert "#1 otra: Who has the keys?" in shown
    assert "#3 chat-1: ↪ #1 I have them (editado)" in shown
    assert "#8 chat-1: (borrado)" in shown


async def test_moderators(place: Place) -> None:
    """An owner's words: topic, roles, putting out and letting in, by name."""
    me = {"id": "u" + hashlib.md5(b"chat-1").hexdigest(), "name": "chat-1"}  # noqa: S324 - as the server names people
    place.room.members |= {me["id"]: Member(me, "owner"), OTHER["id"]: Member(OTHER)}

    ran = await place.types(
        "/topic the well", "/role otra moderator", "/who", "/ban Otra too loud", "/banned", "/unban otra", "/banned", "/unban otra", "/kick nobody",
        "/role chat-1 king", "/audit",
    )  # fmt: skip

    assert "chat-1 changed the room: La Plaza · the well" in ran.out
    assert "Otra in La Plaza is now: moderator" in ran.out
    assert "\nchat-1\nOtra\n" in ran.out
    assert "Otra was banned from La Plaza by chat-1" in ran.out
    assert "Otra  (chat-1," in ran.out
    assert "Otra may come into La Plaza again" in ran.out
    assert "Nobody is kept out." in ran.out
    assert ran.out.count("There is nobody called") == 2
    assert "Say one of: owner, moderator, member, muted." in ran.out
    assert "chat-1: ban  Otra  too loud" in ran.out


async def test_what_cannot_be_is_said(place: Place) -> None:
    """A missing or wrong number, an edit of nothing, a missing word: a sentence, and nothing is sent."""
    await place.chat.post(place.room, "one")

    ran = await place.types(
        "/reply thanks", "/delete 99", "/edit nothing of mine", "/react 1", "/kick", "/report 1 boredom"
    )

    assert ran.status == 0
    assert ran.out.count("Begin with the number") == 2
    assert "Number 99 is no message" in ran.out
    assert "There is no message of yours here." in ran.out
    assert "Usage: /kick <user> [why]" in ran.out
    assert "Say one of: spam, abuse, illegal, other." in ran.out
    assert [event["op"] for event in place.room.events] == ["message", "member"]


async def test_in_a_real_terminal(place: Place) -> None:
    """Who writes stands below the line; what is being typed is told before it is sent, a command is not; what was shown is read."""
    me = {"id": "u" + hashlib.md5(b"chat-1").hexdigest(), "name": "chat-1"}  # noqa: S324 - as the server names people
    place.room.members |= {me["id"]: Member(me), OTHER["id"]: Member(OTHER)}
    async with pseudo_terminal(
        "chat", "La Plaza", "--login", place.store.path, "--connect", place.chat.tcp, "--state", place.folder
    ) as (write, screen):
        await eventually("the room", lambda: "You are in La Plaza" in screen())
        write("/nothing yet")
        await place.chat.push_all({"op": "typing", "room": place.room.id, "user": OTHER})
        await eventually("who writes", lambda: "Otra: writing" in screen())
        assert place.chat.requests["typing"] == 0
        write("\x15hola")
        await eventually("typing", lambda: place.chat.requests["typing"] == 1)
        write("\r")
        await eventually("the message", lambda: place.room.head == 1)
        await eventually("the mark", lambda: place.room.members[me["id"]].read == 1)
        await place.chat.push_all({"op": "challenge", "until": 1_800_000_000_000})
        await eventually("what to do", lambda: "open its page in a browser and answer" in screen())
        await place.chat.push_all({"op": "challenge", "until": None})
        await eventually("the end of it", lambda: "You can write again." in screen())
        write("/quit\r")


async def test_the_second_factor_and_sessions(tmp_path: Path) -> None:
    """The server wants a proof first; a wrong password and a wrong code may be said again. A session ends by its number."""
    async with AccountsServer().running() as accounts:
        store = TokenStore(tmp_path / "login.json")
        store.save(Login(accounts.base.removesuffix("/v1/auth"), "u1", "ana", "rt1.0", "dv1.x"))
        place = ("--login", store.path, "--state", tmp_path)

        listed = await garita("sessions", *place)
        own = await garita("sessions", "--end", "1", *place)
        ended = await garita("sessions", "--end", "2", *place, lines="wrong\nsecret\n")
        unknown = await garita("sessions", "--end", "2", *place)
        totp = await garita("totp", *place, lines="000000\n123456\n")
        again = await garita("totp", *place)

    assert "1  garita" in listed.out
    assert "(this one)" in listed.out
    assert "\x1b" not in listed.out
    assert own.err == "garita: That is this session: use garita logout.\n"
    assert (ended.status, ended.out.splitlines()[-1]) == (0, "Session 2 has ended.")
    assert "There is no session 2." in unknown.err
    assert "GEZD GNBV GY3T QOJQ" in totp.out
    assert totp.out.splitlines()[-1].startswith("Two-step login is on")
    assert accounts.totp
    assert again.out == "Two-step login is on already.\n"
