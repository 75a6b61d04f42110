"""Staying logged in: refresh in time, one at a time, and never a refresh token twice without need."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from garita_client import Account, AuthApi, AuthRefused, Login, LoginNeeded, TokenStore, Unreachable
from tests.fakes.accounts_server import AccountsServer


@pytest.fixture
async def server() -> AsyncIterator[AccountsServer]:
    async with AccountsServer().running() as server:
        yield server


@pytest.fixture
def store(server: AccountsServer, tmp_path: Path) -> TokenStore:
    store = TokenStore(tmp_path / "login.json")
    store.save(Login(server.base.removesuffix("/v1/auth"), "u1", "ana", "rt1.0", "dv1.x", "s1"))
    return store


@pytest.fixture
async def account(server: AccountsServer, store: TokenStore) -> AsyncIterator[Account]:
    async with AuthApi(server.base) as api:
        yield Account(api, store, sleep=lambda _: asyncio.sleep(0))


async def test_token_is_kept_while_it_is_good(server: AccountsServer, account: Account, store: TokenStore) -> None:
    """One refresh, for the audience of the chat; the new refresh token is saved."""
    first = await account.token(fresh=False)
    second = await account.token(fresh=False)

    assert first.text == second.text == "chat-1"
    assert server.refreshes == [{"refresh_token": "rt1.0", "device_hint": "dv1.x", "audience": "chat"}]
    saved = store.load()
    assert saved is not None
    assert (saved.refresh_token, saved.device) == ("rt1.1", "dv1.x")


async def test_token_that_ends_soon_is_replaced(server: AccountsServer, account: Account) -> None:
    """Less than half a minute left is not worth a connection."""
    server.expires_in = 20
    await account.token(fresh=False)

    assert (await account.token(fresh=False)).text == "chat-2"


async def test_fresh_means_another_one(account: Account) -> None:
    """A token that the server refused is not shown again."""
    assert (await account.token(fresh=False)).text == "chat-1"
    assert (await account.token(fresh=True)).text == "chat-2"


async def test_refreshes_of_one_process_are_in_a_row(server: AccountsServer, account: Account) -> None:
    """Many who need a token at once cause one refresh."""
    async with asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(account.token(fresh=False)) for _ in range(20)]

    assert {task.result().text for task in asked} == {"chat-1"}
    assert len(server.refreshes) == 1


async def test_refreshes_of_several_processes_are_in_a_row(server: AccountsServer, store: TokenStore) -> None:
    """Programs that share the file take turns, and each goes on with the token that the other saved."""
    async with AuthApi(server.base) as api, asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(Account(api, TokenStore(store.path)).token(fresh=True)) for _ in range(5)]

    assert len({task.result().text for task in asked}) == 5
    assert server.most_at_once == 1


async def test_lost_answer_is_asked_for_again(server: AccountsServer, account: Account) -> None:
    """The same refresh token once more gives the same successor."""
    server.lose_answers = 2

    assert (await account.token(fresh=False)).text == "chat-1"
    assert [body["refresh_token"] for body in server.refreshes] == ["rt1.0"] * 3


async def test_ended_session_is_forgotten(server: AccountsServer, account: Account, store: TokenStore) -> None:
    """A session that is over says so, and is not tried again; the device stays."""
    server.refusal = (401, {"code": "session_ended", "title": "Log in again."})
    with pytest.raises(LoginNeeded):
        await account.token(fresh=False)
    with pytest.raises(LoginNeeded):
        await account.token(fresh=False)

    assert len(server.refreshes) == 1
    saved = store.load()
    assert saved is not None
    assert (saved.refresh_token, saved.device) == (None, "dv1.x")


async def test_overload_is_passed_on(server: AccountsServer, account: Account) -> None:
    """Trouble that passes does not end the login."""
    server.refusal = (503, {"code": "overloaded", "title": "Try again.", "retry_after": 2})

    with pytest.raises(AuthRefused) as refused:
        await account.token(fresh=False)

    assert refused.value.retry_after_s == 2.0
    server.refusal = None
    assert (await account.token(fresh=False)).text == "chat-1"


async def test_logout_forgets_the_session(account: Account, store: TokenStore) -> None:
    """After logout there is nothing to refresh with."""
    await account.logout()

    saved = store.load()
    assert saved is not None
    assert saved.refresh_token is None


async def test_nobody_there(store: TokenStore) -> None:
    """An accounts service that is away is told as that."""
    async with AuthApi("http://127.0.0.1:1/v1/auth", timeout_s=1) as api:
        with pytest.raises(Unreachable):
            await Account(api, store, sleep=lambda _: asyncio.sleep(0)).token(fresh=False)
