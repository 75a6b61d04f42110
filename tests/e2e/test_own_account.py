"""`garita login` with a saved code and `garita account`, against the real stack."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pyotp

from garita_local.stack import Stack
from tests.e2e.people import PASSWORD, new_name, newcomer

DEADLINE_S = 60.0


async def garita(login: Path, *words: str, lines: str = "") -> str:
    """What the command says; it must succeed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "garita_client", *words, "--login", str(login),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={"LANG": "en_GB.UTF-8"},
    )  # fmt: skip
    async with asyncio.timeout(DEADLINE_S):
        out, err = await process.communicate(lines.encode())
    assert (process.returncode, err) == (0, b"")
    return out.decode()


async def test_a_saved_code_logs_in_and_the_account_is_shown(stack: Stack, tmp_path: Path) -> None:
    """Its successor is told; the overview tells contacts, factors, what is to count and what happened where."""
    name = new_name()
    async with newcomer(stack, name) as account:
        code = (await account.make_codes())[0]
        seed = await account.begin_totp()
        await account.confirm_totp(pyotp.TOTP(seed.secret).now())
    login = tmp_path / "login.json"

    entered = await garita(login, "login", "--server", stack.http, lines=f"{name}\n{PASSWORD}\n2\n{code.lower()}\n")
    shown = await garita(login, "account")

    assert "1  code of your authenticator" in entered
    assert "This one takes its place, write it down: " in entered
    assert f"{name} ({name})" in shown
    assert "Authenticator on, passkeys: 0, recovery codes left: 10" in shown
    assert f"{name}@example.org  counts" in shown
    assert "A set of recovery codes was added and begins to count on" in shown
    happened = [line.split("  ")[1] for line in shown.splitlines() if line.startswith("20")]
    assert happened == ["A new device logged in", "An authenticator app was added", "Recovery codes were made"]
    assert f"All of this is changed on the page: {stack.http}/#/account" in shown
