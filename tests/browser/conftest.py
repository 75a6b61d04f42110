"""The real stack in a thread of its own, Chromium, and people at it. Whatever a page complains of fails the test."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager

import pytest
from playwright.async_api import Browser, async_playwright

from garita_local.stack import Stack
from tests.browser.person import Person, Place

CHROMIUM_WORDS = [
    "--no-sandbox",  # CI runs as root in a container, where Chromium has no sandbox of its own
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
# A browser test is a person with quick fingers; the limits have tests of their own.
ROOMY = {
    "GARITA_GATEWAY_SEND_BURST": "200", "GARITA_GATEWAY_SEND_PER_S": "100",
    "GARITA_GATEWAY_USER_SEND_BURST": "400", "GARITA_GATEWAY_USER_SEND_PER_S": "200",
    "GARITA_GATEWAY_DEVICE_SEND_BURST": "300", "GARITA_GATEWAY_DEVICE_SEND_PER_S": "150",
}  # fmt: skip
START_S = 180.0

Newcomer = Callable[..., Awaitable[Person]]


def chromium() -> str:
    """Debian's Chromium, or whatever goes by its names; `tests/chromium.sh` installs it."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert found, "no Chromium here: run tests/chromium.sh"
    return found


async def _run(stack: Stack, started: Future[Stack], ended: asyncio.Event) -> None:
    try:
        async with stack:
            started.set_result(stack)
            await ended.wait()
    except BaseException as trouble:
        if not started.done():
            started.set_exception(trouble)
        raise


@contextmanager
def running(stack: Stack) -> Iterator[Stack]:
    """A stack while the block runs; its own loop goes on while tests come and go."""
    loop = asyncio.new_event_loop()
    ended = asyncio.Event()
    started: Future[Stack] = Future()
    thread = threading.Thread(target=loop.run_until_complete, args=(_run(stack, started, ended),), name="stack")
    thread.start()
    try:
        yield started.result(START_S)
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(30)
        loop.close()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One stack for nearly all browser tests."""
    with running(Stack(state=tmp_path_factory.mktemp("stack") / "var", env=ROOMY)) as stack:
        yield stack


@pytest.fixture
def place(stack: Stack) -> Place:
    """Where people go."""
    return Place(stack.http, stack.outbox)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A Chromium of this test's own."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_WORDS)
        yield browser
        await browser.close()


@pytest.fixture
async def newcomer(browser: Browser, place: Place) -> AsyncIterator[Newcomer]:
    """Brings somebody who sees the page for the first time. At the end nobody may have had anything to complain of."""
    people: list[Person] = []

    async def arrive(name: str, **profile: object) -> Person:
        person = await Person.arrive(browser, place, name, **profile)
        people.append(person)
        return person

    yield arrive
    complaints = {person.name: await person.all_complaints() for person in people}
    assert complaints == {person.name: [] for person in people}
