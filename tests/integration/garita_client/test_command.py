"""The command `garita` as a process: what it says, where it says it, and how it ends."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from garita_client import Login, TokenStore
from tests.fakes.accounts_server import AccountsServer
from tests.fakes.chat_server import ChatServer

DEADLINE_S = 30.0


class Ran:
    """A command that has ended."""

    def __init__(self, status: int, out: bytes, err: bytes) -> None:
        self.status, self.out, self.err = status, out.decode(), err.decode()


async def garita(*words: str | Path, lines: str = "", language: str = "en_GB.UTF-8") -> Ran:
    """Runs the command with lines on its standard input."""
    environment = {key: value for key, value in os.environ.items() if key != "LC_ALL"} | {
        "LANG": language,
        "COLUMNS": "200",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "garita_client", *map(str, words),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=environment,
    )  # fmt: skip
    async with asyncio.timeout(DEADLINE_S):
        out, err = await process.communicate(lines.encode())
    assert process.returncode is not None
    return Ran(process.returncode, out, err)


REPORT = {
    "id": 3,
    "ts": 1,
    "room": {"id": "r1", "kind": "direct", "title": None},
    "reporter": {"id": "u1", "name": "ana"},
    "user": {"id": "u2", "name": "bob"},
    "mid": "m1",
    "reason": "abuse",
    "text": "algo\x1b[2J feo",
}


OPERATED: dict[str, Any] = {
    "/operator/keys/rotate": {"signs_ms": 1_800_000_000_000},
    "/operator/invites": {"invite": "in1.secret", "expires_ms": 1_800_000_000_000},
    "/operator/admins/grant": {"user": "u1", "username": "ana"},
    "/operator/admins/withdraw": {"user": "u1", "username": "ana"},
    "/operator/revoke": {"ended": 2},
}


@asynccontextmanager
async def detector(calls: list[tuple[str, str, str, Any]]) -> AsyncIterator[str]:
    """Operator routes and readiness with fixed answers; every call is written down."""

    async def answer(request: web.Request) -> web.Response:
        body = await request.json() if request.can_read_body else None
        calls.append((request.method, request.path_qs, request.headers.get("Authorization", ""), body))
        ban = {
            "decision": 7,
            "subject": "user:u1",
            "state": "active",
            "until_ms": 1,
            "sentence": "u1 was banned\x1b[2J because.",
        }
        match request.path:
            case "/readyz":
                return web.Response(text="ok")
            case "/standby/readyz":
                return web.json_response({"status": "ready", "missing": [], "role": "standby"})
            case "/v1/bans":
                return web.json_response({"bans": [ban]})
            case "/v1/explain/7":
                event = {"id": 3, "kind": "proto.violation", "at_ms": 1}
                return web.json_response(
                    {"sentence": ban["sentence"], "numbers": {"violations": 3}, "evidence": [event]}
                )
            case "/v1/bans/7":
                return web.json_response(ban | {"state": "lifted", "pushed": True})
            case "/operator/audit/verify":
                is_whole = (await request.json())["heads"] == [{"seq": 3, "mac": "aa"}]
                flaw = None if is_whole else 2
                return web.json_response({"intact": is_whole, "rows": 5, "mac": "ab" * 32, "first_flaw": flaw})
            case path if path in OPERATED:
                return web.json_response(OPERATED[path])
            case "/v1/reports":
                return web.json_response({"reports": [REPORT], "next": 3})
            case _:
                return web.json_response({"title": "Not found", "detail": "There is no decision 9."}, status=404)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def write_state(state: Path, operator: str, processes: dict[str, Any]) -> None:
    """A state folder as the launcher leaves it."""
    (state / "secrets").mkdir(parents=True)
    (state / "secrets" / "operator_token").write_text("op-secret\n")
    told = {
        "v": 1,
        "http": "http://127.0.0.1:1",
        "tcp": "127.0.0.1:2",
        "operator": operator,
        "secrets_dir": str(state / "secrets"),
    }
    (state / "run.json").write_text(json.dumps(told | {"processes": processes}))


async def test_without_login_it_says_what_to_do(tmp_path: Path) -> None:
    """No traceback: one sentence, in the person's language."""
    english = await garita("chat", "--login", tmp_path / "none.json", "--state", tmp_path)
    spanish = await garita("chat", "--login", tmp_path / "none.json", "--state", tmp_path, language="es_ES.UTF-8")

    assert (english.status, english.out) == (1, "")
    assert english.err == "garita: You are not logged in. Run garita login, or garita register for a new account.\n"
    assert "No has iniciado sesión" in spanish.err


async def test_no_stack_is_said_with_its_path(tmp_path: Path) -> None:
    """`status` and `bans` need a stack that runs here."""
    for words in (["status"], ["bans"], ["bans", "explain", "1"]):
        ran = await garita(*words, "--state", tmp_path)

        assert ran.status == 1
        assert str(tmp_path / "run.json") in ran.err
        assert "Traceback" not in ran.err


async def test_unreachable_server_is_said(tmp_path: Path) -> None:
    """Nobody there: which address, no traceback."""
    ran = await garita("login", "--server", "http://127.0.0.1:1", "--login", tmp_path / "l.json", lines="ana\nsecret\n")

    assert ran.status == 1
    assert "http://127.0.0.1:1/v1/auth does not answer" in ran.err
    assert "Traceback" not in ran.err


async def test_an_account_with_passkeys_alone_is_sent_to_the_page(tmp_path: Path) -> None:
    """A terminal cannot use one: it says so, and what can be done."""
    async with AccountsServer().running() as accounts:
        accounts.methods = ["passkey"]
        server = accounts.base.removesuffix("/v1/auth")

        ran = await garita("login", "--server", server, "--login", tmp_path / "l.json", lines="ana\nsecret\n")

    assert ran.status == 1
    assert "passkeys alone, which a terminal cannot use" in ran.err
    assert "make recovery codes" in ran.err


async def test_talking_and_files(tmp_path: Path) -> None:
    """A room is joined by title, a message and a file go out, the file comes back, a stranger's text is defused."""
    source = tmp_path / "notes.txt"
    source.write_bytes(b"contents" * 20_000)
    async with ChatServer().running() as chat, AccountsServer().running() as accounts:
        room = chat.add_room("La Plaza")
        await chat.post(room, "before \x1b[2J")
        store = TokenStore(tmp_path / "login.json")
        store.save(Login(accounts.base.removesuffix("/v1/auth"), "u1", "ana", "rt1.0", "dv1.x"))
        lines = f"/join la plaza\nhola\n/nonsense\n/up {source}\n/down 1 {tmp_path / 'copy.txt'}\n/rooms\n/quit\n"

        ran = await garita("chat", "--login", store.path, "--connect", chat.tcp, "--state", tmp_path, lines=lines)

    assert (ran.status, ran.err) == (0, "")
    assert "otra: before \N{REPLACEMENT CHARACTER}[2J" in ran.out
    assert "There is no command /nonsense" in ran.out
    assert "Sent notes.txt." in ran.out
    assert f"Saved as {tmp_path / 'copy.txt'}." in ran.out
    assert (tmp_path / "copy.txt").read_bytes() == source.read_bytes()
    assert room.id in ran.out
    assert [event["text"] for event in room.events if event["op"] == "message"] == ["before \x1b[2J", "hola", ""]


async def test_status_tells_ready_and_not(tmp_path: Path) -> None:
    """Each process with its state; the exit status says whether all is well."""
    async with detector([]) as inner:
        alive = {"pid": os.getpid(), "inner": inner}
        waiting = {"pid": os.getpid(), "inner": f"{inner}/standby"}
        write_state(tmp_path / "well", inner, {"chat": alive, "chat-2": waiting})
        write_state(
            tmp_path / "ill", inner, {"chat": alive, "auth": {"pid": os.getpid(), "inner": "http://127.0.0.1:1"}}
        )

        well = await garita("status", "--state", tmp_path / "well")
        ill = await garita("status", "--state", tmp_path / "ill")

    assert well.status == 0
    assert "ready" in well.out
    assert well.out.count("stands by") == 1
    assert ill.status == 1
    assert "not ready" in ill.out


async def test_bans_are_listed_explained_and_lifted(tmp_path: Path) -> None:
    """With the operator's token; what the detector quotes is defused; its refusals are told in its words."""
    calls: list[tuple[str, str, str, Any]] = []
    async with detector(calls) as operator:
        write_state(tmp_path / "var", operator, {})
        state = ("--state", tmp_path / "var")

        listed = await garita("bans", *state)
        explained = await garita("bans", "explain", "7", *state)
        lifted = await garita("bans", "lift", "7", "--reason", "a mistake", *state)
        unknown = await garita("bans", "explain", "9", *state)

    assert "u1 was banned" in listed.out
    assert "\x1b[2J" not in listed.out + explained.out
    assert "violations: 3" in explained.out
    assert "proto.violation" in explained.out
    assert lifted.out == "Lifted.\n"
    assert unknown.err == "garita: There is no decision 9.\n"
    assert [call[:3] for call in calls[:3]] == [
        ("GET", "/v1/bans", "Bearer op-secret"),
        ("GET", "/v1/explain/7", "Bearer op-secret"),
        ("DELETE", "/v1/bans/7", "Bearer op-secret"),
    ]
    assert calls[2][3] == {"reason": "a mistake"}


async def test_reports_are_listed_from_any_copy_that_answers(tmp_path: Path) -> None:
    """With the operator's token, from the chat service's inner port; what people wrote is defused."""
    calls: list[tuple[str, str, str, Any]] = []
    async with detector(calls) as inner:
        write_state(
            tmp_path / "var", "", {"chat": {"pid": 1, "inner": "http://127.0.0.1:1"}, "chat-2": {"inner": inner}}
        )
        write_state(tmp_path / "ill", "", {"chat": {"inner": "http://127.0.0.1:1"}})

        listed = await garita("reports", "--before", "9", "--state", tmp_path / "var")
        away = await garita("reports", "--state", tmp_path / "ill")

    assert listed.status == 0
    assert "ana (u1) → bob (u2)" in listed.out
    assert "reason: abuse" in listed.out
    assert "feo" in listed.out
    assert "\x1b" not in listed.out
    assert "garita reports --before 3" in listed.out
    assert [call[:3] for call in calls] == [("GET", "/v1/reports?before=9", "Bearer op-secret")]
    assert away.err.startswith("garita: The chat service does not answer at")


async def test_the_audit_log_is_held_against_the_heads_in_the_log(tmp_path: Path) -> None:
    """1 where it was changed; a half-written line is no head."""
    state = tmp_path / "var"
    calls: list[tuple[str, str, str, Any]] = []
    async with detector(calls) as inner:
        write_state(state, "", {"auth": {"pid": 1, "inner": inner}})
        broken = await garita("audit", "verify", "--state", state)
        (state / "log").mkdir()
        lines = [{"event": "x"}, {"event": "audit_head", "seq": 3, "mac": "aa"}]
        (state / "log" / "auth.log").write_text("\n".join(map(json.dumps, lines)) + '\n{"event": "audit_head", "se')
        whole = await garita("audit", "verify", "--state", state)

    assert (broken.status, whole.status) == (1, 0)
    assert "row 2" in broken.out
    assert "5 rows" in whole.out
    assert calls[0][:3] == ("POST", "/operator/audit/verify", "Bearer op-secret")


async def test_keys_and_sessions_of_the_auth_service(tmp_path: Path) -> None:
    """What is asked is what was said."""
    state = tmp_path / "var"
    calls: list[tuple[str, str, str, Any]] = []
    async with detector(calls) as inner:
        write_state(state, "", {"auth": {"pid": 1, "inner": inner}})
        made = await garita("admin", "rotate-keys", "--now", "--state", state)
        ended = await garita("admin", "revoke", "u1", "--session", "s1", "--state", state)

    assert (made.status, ended.status) == (0, 0)
    assert "2027" in made.out
    assert "2" in ended.out
    assert [call[3] for call in calls] == [{"now": True}, {"user": "u1", "session": "s1"}]


async def test_invites_and_the_role_of_an_administrator(tmp_path: Path) -> None:
    """What is asked is what was said; the ticket is a line of its own."""
    state = tmp_path / "var"
    calls: list[tuple[str, str, str, Any]] = []
    async with detector(calls) as inner:
        write_state(state, "", {"auth": {"pid": 1, "inner": inner}})
        made = await garita("admin", "invite", "--state", state)
        granted = await garita("admin", "grant", "ana", "--state", state)
        withdrawn = await garita("admin", "withdraw", "u1", "--state", state)

    assert (made.status, granted.status, withdrawn.status) == (0, 0, 0)
    assert made.out.splitlines()[1] == "in1.secret"
    assert "ana is an administrator now" in granted.out
    assert [(call[1], call[3]) for call in calls] == [
        ("/operator/invites", {}),
        ("/operator/admins/grant", {"user": "ana"}),
        ("/operator/admins/withdraw", {"user": "u1"}),
    ]


@pytest.mark.parametrize("words", [[], ["nonsense"], ["bans", "lift", "1"]])
async def test_wrong_words_show_the_usage(words: list[str]) -> None:
    """A wrong command line is told by its usage."""
    ran = await garita(*words)

    assert ran.status == 2
    assert "usage: garita" in ran.err
