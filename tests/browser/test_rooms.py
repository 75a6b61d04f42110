"""Talking: live, unread, invited, directly, and back through the history."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.conftest import Newcomer
from tests.browser.person import PATIENCE_MS


async def test_two_talk_live(newcomer: Newcomer) -> None:
    """What one writes stands at once at the other, once, and a mark counts what one has not seen."""
    ana, bob = await newcomer("ana.live"), await newcomer("bob.live")
    await ana.register()
    await bob.register()
    await ana.make_room("Live wall")
    await bob.find_room("Live wall")

    await ana.say("Hello Bob")
    await bob.hears("Hello Bob")
    await bob.say("Hello Ana")
    await ana.hears("Hello Ana")
    await ana.hears("Hello Bob")

    await bob.page.goto(f"{bob.place.http}/#/")
    await ana.say("Are you there?")
    await ana.say("Bob?")
    link = bob.page.get_by_role("navigation").get_by_role("link", name="Live wall 2 unread messages")
    await expect(link).to_be_visible(timeout=PATIENCE_MS)
    await expect(bob.page).to_have_title("(2) Garita")
    await bob.page.reload()
    await expect(link).to_be_visible(timeout=PATIENCE_MS)
    await bob.open_room("Live wall")
    await bob.hears("Bob?")
    await bob.hears("Hello Bob")
    await expect(bob.page).to_have_title("Garita")


async def test_a_private_room_by_invitation(newcomer: Newcomer) -> None:
    """Who is invited hears of it, comes in, and stands among the members; who leaves is back outside."""
    ana, bob = await newcomer("ana.priv"), await newcomer("bob.priv")
    await ana.register()
    await bob.register()
    await ana.make_room("Behind the wall", private=True)
    await ana.page.get_by_role("button", name="Invite somebody").click()
    await ana.page.get_by_label("User name").fill("bob.priv")
    await ana.page.get_by_role("button", name="Invite", exact=True).click()

    await expect(bob.page.get_by_text("ana.priv invites you to Behind the wall.")).to_be_visible(timeout=PATIENCE_MS)
    await bob.page.get_by_role("button", name="Join Behind the wall").click()
    await bob.is_in_room("Behind the wall")
    await bob.say("Thank you")
    await ana.hears("Thank you")
    await ana.page.get_by_role("button", name="Members", exact=True).click()
    await expect(ana.page.get_by_role("complementary").get_by_text("bob.priv")).to_be_visible(timeout=PATIENCE_MS)
    await expect(ana.page.get_by_role("heading", name="2 members")).to_be_visible(timeout=PATIENCE_MS)

    await bob.page.get_by_role("button", name="Leave the room").click()
    await bob.page.get_by_role("button", name="Leave", exact=True).click()
    await expect(bob.page.get_by_text("No rooms yet")).to_be_visible(timeout=PATIENCE_MS)
    await expect(ana.page.get_by_text("bob.priv left")).to_be_visible(timeout=PATIENCE_MS)
    await expect(ana.page.get_by_role("heading", name="1 member", exact=True)).to_be_visible(timeout=PATIENCE_MS)


async def test_a_direct_message(newcomer: Newcomer) -> None:
    """A room for two comes up by itself at the other's."""
    ana, bob = await newcomer("ana.dm"), await newcomer("bob.dm")
    await ana.register()
    await bob.register()
    await ana.page.get_by_role("navigation").get_by_role("button", name="New direct message").click()
    await ana.page.get_by_label("User name").fill("nobody.of.that.name")
    await ana.page.get_by_role("button", name="Open the conversation").click()
    await expect(ana.page.get_by_text("Nobody here has this name.")).to_be_visible(timeout=PATIENCE_MS)
    await ana.page.get_by_label("User name").fill("bob.dm")
    await ana.page.get_by_role("button", name="Open the conversation").click()
    await ana.is_in_room("bob.dm")
    await ana.say("Only for you")

    await bob.page.get_by_role("navigation").get_by_role("link", name="ana.dm").click()
    await bob.hears("Only for you")
    await bob.say("Got it")
    await ana.hears("Got it")


async def test_history_on_scrolling_up(newcomer: Newcomer) -> None:
    """A reload shows the newest page; scrolling up brings the older ones, each once and in order, and keeps the place."""
    ana = await newcomer("ana.hist")
    await ana.register()
    await ana.make_room("Long memory")
    for number in range(130):
        await ana.say(f"Line {number}")
    await ana.hears("Line 129")

    await ana.page.reload()
    await ana.is_in_room("Long memory")
    await ana.hears("Line 129")
    texts = ana.page.locator(".log:not(.outbox) .text")
    assert await texts.count() < 130
    await ana.page.get_by_role("region", name="Messages").focus()
    for _ in range(40):
        await ana.page.keyboard.press("Home")
        if await ana.page.get_by_text("This is where it all began.").is_visible():
            break
        await ana.page.wait_for_timeout(250)

    assert await texts.all_inner_texts() == [f"Line {number}" for number in range(130)]


async def test_text_stays_text(newcomer: Newcomer) -> None:
    """Markup is shown as it was written, and only http links become links."""
    ana = await newcomer("ana.text")
    await ana.register()
    await ana.make_room("<b>Bold</b>")
    hostile = "<img src=x onerror=alert(1)> javascript:alert(1) https://example.org/a?b=<c>"
    await ana.say(hostile)
    await ana.hears(hostile)

    links = await ana.page.locator(".text a").evaluate_all("all => all.map(one => [one.href, one.rel])")

    assert links == [["https://example.org/a?b=", "noopener noreferrer nofollow"]]
    assert await ana.page.locator(".text img").count() == 0
