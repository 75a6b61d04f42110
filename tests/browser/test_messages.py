"""What becomes of messages: answered, changed, taken back, reacted to, read, found; by mouse, by keyboard alone, and by moderators."""

from __future__ import annotations

import re

from playwright.async_api import Locator, expect

from tests.browser.conftest import Newcomer
from tests.browser.person import PATIENCE_MS, Person
from tests.browser.test_access import NAMELESS, TOO_WIDE


def message(person: Person, text: str) -> Locator:
    """The stored message that holds these words."""
    return person.page.locator(".log:not(.outbox) .message").filter(has_text=text).last


async def choose(person: Person, text: str, entry: str, role: str = "menuitem") -> None:
    """Opens a message's menu by mouse and takes an entry."""
    item = message(person, text)
    await item.hover()
    await item.locator(".more").click()
    await person.page.get_by_role(role, name=entry).click()  # type: ignore[arg-type]  # a role's name


async def shows(person: Person, text: str | re.Pattern[str]) -> None:
    """Somewhere in the main part."""
    await expect(person.page.get_by_role("main").get_by_text(text).first).to_be_visible(timeout=PATIENCE_MS)


async def test_messages_change(newcomer: Newcomer) -> None:
    """Two people answer, edit, react, see each other write and read, delete, and find a message again."""
    ana, bob = await newcomer("ana.msg"), await newcomer("bob.msg", viewport={"width": 360, "height": 640})
    await ana.register()
    await bob.register()
    await ana.make_room("Tower")
    await bob.find_room("Tower")
    await ana.say("Who has the keys?")
    await bob.hears("Who has the keys?")
    await shows(ana, re.compile("^Read$"))
    await bob.page.evaluate("document.hasFocus = () => false")
    await ana.say("Anybody?")
    await expect(bob.page.locator(".new-line + .message")).to_contain_text("Anybody?", timeout=PATIENCE_MS)
    await shows(ana, re.compile("^Received$"))
    await bob.page.evaluate("delete document.hasFocus; dispatchEvent(new Event('focus'))")
    await shows(ana, re.compile("^Read$"))

    await choose(bob, "Who has the keys?", "Reply")
    await bob.page.get_by_role("textbox", name="Message").press_sequentially("I do, yestrday")
    await expect(ana.page.locator(".typing")).to_have_text("bob.msg is writing…", timeout=PATIENCE_MS)
    await bob.page.keyboard.press("Enter")
    await ana.hears("I do, yestrday")
    await expect(ana.page.locator(".typing")).to_be_empty()
    await expect(message(ana, "yestrday").get_by_role("button", name="ana.msg Who has the keys?")).to_be_visible()

    await bob.page.keyboard.press("ArrowUp")
    await bob.page.get_by_role("textbox", name="Message").fill("I do, since yesterday")
    assert await bob.page.evaluate(TOO_WIDE) == 0
    await bob.page.keyboard.press("Enter")
    await ana.hears("I do, since yesterday")
    await expect(message(ana, "since yesterday")).to_contain_text("(edited)")

    await choose(ana, "since yesterday", "React with ✅", "menuitemcheckbox")
    chip = message(bob, "since yesterday").locator(".reaction")
    await expect(chip).to_have_attribute("aria-pressed", "false", timeout=PATIENCE_MS)
    await chip.click()
    await expect(chip).to_have_attribute("aria-pressed", "true", timeout=PATIENCE_MS)
    await expect(message(ana, "since yesterday").get_by_role("button", name="✅ 2 reactions")).to_be_visible()
    await chip.click()
    await expect(message(ana, "since yesterday").get_by_role("button", name="✅ 1 reaction")).to_be_visible()

    await choose(bob, "since yesterday", "Delete…")
    await bob.page.get_by_role("button", name="Delete", exact=True).click()
    await shows(ana, "This message was deleted.")
    await expect(bob.page.get_by_role("textbox", name="Message")).to_be_focused()
    await expect(ana.page.get_by_text("since yesterday")).to_have_count(0)

    await ana.page.goto(f"{ana.place.http}/#/")
    await ana.page.get_by_role("button", name="Search in all rooms").click()
    assert await ana.page.evaluate(NAMELESS) == []
    words = ana.page.get_by_role("searchbox", name="Words")
    for _ in range(50):  # the index is filled after the message is stored
        await words.fill("who key")
        await words.press("Enter")
        await expect(ana.page.get_by_text(re.compile(r"\d messages? found"))).to_be_visible(timeout=PATIENCE_MS)
        if await ana.page.locator(".hit").count():
            break
    await ana.page.locator(".hit").click()
    await ana.is_in_room("Tower")
    await expect(message(ana, "Who has the keys?")).to_be_focused(timeout=PATIENCE_MS)


async def test_the_menu_by_keyboard(newcomer: Newcomer) -> None:
    """One stop for the Tab key, arrows between messages, Enter, arrows in the menu, Escape; the focus is never lost."""
    kim = await newcomer("kim.menu")
    await kim.register()
    await kim.make_room("Keys only")
    for text in ("first", "second"):
        await kim.say(text)
        await kim.hears(text)
    page, keyboard = kim.page, kim.page.keyboard
    buttons = page.get_by_role("button", name="What to do with kim.menu’s message")
    menu = page.get_by_role("menu")

    await page.get_by_role("textbox", name="Message").focus()
    for _ in range(5):
        await keyboard.press("Shift+Tab")
        if await buttons.last.evaluate("one => one === document.activeElement"):
            break
    await expect(buttons.last).to_be_focused()
    await keyboard.press("ArrowUp")
    await expect(buttons.first).to_be_focused()
    await keyboard.press("Enter")
    await expect(menu).to_be_visible()
    assert await page.evaluate(NAMELESS) == []
    await keyboard.press("Escape")
    await expect(menu).to_have_count(0)
    await expect(buttons.first).to_be_focused()
    await keyboard.press("Enter")
    await keyboard.press("End")
    await keyboard.press("ArrowUp")
    await expect(page.get_by_role("menuitem", name="Edit")).to_be_focused()
    await keyboard.press("Enter")
    await expect(page.get_by_role("textbox", name="Message")).to_have_value("first")
    await keyboard.press("End")
    await keyboard.type(" of all")
    await keyboard.press("Enter")
    await kim.hears("first of all")
    await expect(page.get_by_role("textbox", name="Message")).to_be_focused()
    await expect(page.get_by_role("textbox", name="Message")).to_have_value("")


async def test_moderation(newcomer: Newcomer) -> None:
    """A report is seen by the owner, who names the room, mutes, removes and bans, and lets in again; the other hears of it."""
    ana, bob = await newcomer("ana.mod"), await newcomer("bob.mod")
    await ana.register()
    await bob.register()
    await ana.make_room("Order")
    await bob.find_room("Order")
    await ana.say("Buy my oranges")
    await bob.hears("Buy my oranges")
    await choose(bob, "oranges", "Report…")
    await bob.page.get_by_role("button", name="Report", exact=True).click()
    await expect(bob.page.get_by_role("dialog")).to_have_count(0)

    page = ana.page
    await page.get_by_role("button", name="Room settings").click()
    await page.get_by_label("Topic").fill("No oranges")
    await page.get_by_role("button", name="Save").click()
    await expect(bob.page.locator(".topic")).to_have_text("No oranges", timeout=PATIENCE_MS)
    await page.get_by_role("button", name="Members", exact=True).click()
    about_bob = page.get_by_role("button", name="What to do about bob.mod")
    await expect(
        page.locator("[data-user]").filter(has_text="bob.mod").get_by_role("img", name="Here now")
    ).to_be_visible()
    await about_bob.click()
    await page.get_by_role("menuitem", name="Mute").click()
    await expect(bob.page.get_by_role("textbox", name="Message")).to_be_disabled(timeout=PATIENCE_MS)
    await shows(bob, "bob.mod may only read now")

    await expect(page.locator("[data-user]").filter(has_text="Muted")).to_be_visible(timeout=PATIENCE_MS)
    await about_bob.click()
    await page.get_by_role("menuitem", name="Remove…").click()
    await page.get_by_role("button", name="Remove", exact=True).click()
    await shows(bob, "A moderator removed you from Order.")
    await expect(page.get_by_role("heading", name="1 member", exact=True)).to_be_focused(timeout=PATIENCE_MS)
    await bob.page.get_by_role("link", name="Back to the rooms").click()
    await bob.find_room("Order")
    await expect(page.get_by_role("heading", name="2 members")).to_be_visible(timeout=PATIENCE_MS)
    await about_bob.click()
    await page.get_by_role("menuitem", name="Ban from the room…").click()
    await page.get_by_label("Reason").fill("oranges")
    await page.get_by_role("button", name="Ban", exact=True).click()
    await shows(bob, "A moderator banned you from Order.")

    await page.get_by_role("button", name="Room settings").click()
    await page.get_by_role("button", name="What moderators did").click()
    for entry in ("ana.mod banned bob.mod", "ana.mod removed bob.mod", "A message of ana.mod was reported"):
        await expect(page.get_by_role("dialog").get_by_text(entry)).to_be_visible(timeout=PATIENCE_MS)
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Room settings").click()
    await page.get_by_role("button", name="Who is banned").click()
    await page.get_by_role("button", name="Let bob.mod in again").click()
    await expect(page.get_by_text("Nobody is banned from this room.")).to_be_visible(timeout=PATIENCE_MS)
    await page.keyboard.press("Escape")
    await bob.page.get_by_role("link", name="Back to the rooms").click()
    await bob.find_room("Order")
