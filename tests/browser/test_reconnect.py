"""The gateway dies and comes back: nothing is lost, nothing is shown twice, nobody has to do anything."""

from __future__ import annotations

import asyncio
import signal

from playwright.async_api import expect

from garita_local.stack import Stack
from tests.browser.conftest import Newcomer
from tests.browser.person import PATIENCE_MS

GATEWAY_GONE = (
    "WebSocket connection to",
    "ERR_CONNECTION_REFUSED",
    "ERR_CONNECTION_RESET",
    "ERR_EMPTY_RESPONSE",
    "502",
    "504",
)
"""What Chromium's console says while there is no gateway."""


async def test_messages_across_a_killed_gateway(newcomer: Newcomer, stack: Stack) -> None:
    """What was written while the gateway was dead arrives once, in order, also what the other had said meanwhile."""
    ana, bob = await newcomer("ana.back"), await newcomer("bob.back")
    for person in (ana, bob):
        person.expected = GATEWAY_GONE
        await person.register()
    await ana.make_room("Ever after")
    await bob.find_room("Ever after")
    await ana.say("before")
    await bob.hears("before")

    for turn in range(3):
        starts = stack.starts("gateway-1")
        stack.kill("gateway-1")
        await ana.say(f"ana {turn}")
        await bob.say(f"bob {turn}")
        while stack.starts("gateway-1") == starts:
            await asyncio.sleep(0.1)
        for person in (ana, bob):
            await person.hears(f"ana {turn}")
            await person.hears(f"bob {turn}")
            await expect(person.page.locator(".waiting")).to_have_count(0, timeout=PATIENCE_MS)

    shown = [await person.page.locator(".log:not(.outbox) .text").all_inner_texts() for person in (ana, bob)]
    assert shown[0] == shown[1]
    assert len(shown[0]) == 7


async def test_messages_across_a_killed_chat_service(newcomer: Newcomer, stack: Stack) -> None:
    """While nobody can store a message it stands as not yet sent; it is stored once when the service is back."""
    ana, bob = await newcomer("ana.chat"), await newcomer("bob.chat")
    await ana.register()
    await bob.register()
    await ana.make_room("Night watch")
    await bob.find_room("Night watch")

    stack.kill("chat")
    for number in range(5):
        await ana.say(f"hour {number}")

    for person in (ana, bob):
        for number in range(5):
            await person.hears(f"hour {number}")
    await expect(ana.page.locator(".waiting")).to_have_count(0, timeout=PATIENCE_MS)
    shown = [await person.page.locator(".log:not(.outbox) .text").all_inner_texts() for person in (ana, bob)]
    assert shown == [[f"hour {number}" for number in range(5)]] * 2


async def test_unsent_messages_outlive_their_tab(newcomer: Newcomer, stack: Stack) -> None:
    """What stood as sending when the tab was closed is stored once by the next visit, and nothing of it is kept afterwards."""
    ana = await newcomer("ana.tab")
    await ana.register()
    await ana.make_room("Last words")
    place = ana.page.url
    stack.kill("chat", signal.SIGSTOP)
    try:
        await ana.say("not yet said")
        await expect(ana.page.locator(".waiting")).to_have_count(1, timeout=PATIENCE_MS)
        await ana.page.close()
        ana.page = await ana.context.new_page()
        await ana.page.goto(place)
    finally:
        stack.kill("chat", signal.SIGCONT)

    await ana.hears("not yet said")
    await expect(ana.page.locator(".waiting")).to_have_count(0, timeout=PATIENCE_MS)
    kept = await ana.page.evaluate(
        "Object.entries(localStorage).filter(([key]) => key.includes('unsent')).map(([, value]) => value)"
    )
    assert kept in ([], ["{}"])
