"""The account's own pages: contacts, password, question, devices and events, by names, by keyboard and on 360 pixels."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Newcomer
from tests.browser.person import PASSWORD, PATIENCE_MS, Person
from tests.browser.test_access import NAMELESS, TOO_WIDE

REFUSED = "the server responded with a status of"
OTHER_PASSWORD = "mejillones bajo un paraguas verde"
PARTS = ("", "/signin", "/contacts", "/devices", "/events")


async def go(person: Person, part: str) -> None:
    """To a part of the account, once all of it is there."""
    await person.page.goto(f"{person.place.http}/#/account{part}")
    await expect(person.page.get_by_role("main").get_by_text("Loading…")).to_have_count(0, timeout=PATIENCE_MS)


async def code_for(person: Person, to: str) -> str:
    """The code that went there, once it has."""
    for _ in range(100):
        if code := await asyncio.to_thread(person.place.newest_code, to):
            return code
        await person.page.wait_for_timeout(100)
    raise AssertionError(f"no code came for {to}")


def card(page: Page, name: str) -> Locator:
    """One card, by its title."""
    return page.get_by_role("region", name=name, exact=True)


async def told(page: Page, name: str, text: str | re.Pattern[str]) -> None:
    """A card says what was done, screen readers hear it, and the focus is on the card's title."""
    await expect(card(page, name).locator(".note")).to_have_text(text, timeout=PATIENCE_MS)
    await expect(card(page, name).get_by_role("heading")).to_be_focused()
    await expect(page.locator("#news")).to_have_text(text)


async def test_contacts_password_and_question_are_kept_by_their_owner(newcomer: Newcomer) -> None:
    """Each change is told, can be taken back while it waits, and stands among the events."""
    ana = await newcomer("own-ana")
    ana.expected = (REFUSED,)
    page, second = ana.page, "own-second@example.org"
    await ana.register()
    await expect(page.get_by_text("hangs on one address alone")).to_be_visible(timeout=PATIENCE_MS)
    await page.get_by_role("button", name="Not now").click()

    await go(ana, "/contacts")
    mails = card(page, "Email addresses")
    await mails.get_by_role("button", name="Add an address").press("Enter")
    await expect(page.get_by_role("textbox", name="Email address")).to_be_focused()
    await page.keyboard.type(second)
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Code")).to_be_focused(timeout=PATIENCE_MS)
    await page.keyboard.type(await code_for(ana, second))
    await told(page, "Email addresses", re.compile(f"{second} was added. It begins to count on"))
    await mails.get_by_role("button", name=f"Remove {second}").press("Enter")
    await page.get_by_role("dialog", name=f"Remove {second}").get_by_role("button", name="Remove", exact=True).click()
    await told(page, "Email addresses", re.compile("It is being removed and counts until"))
    waiting = card(page, "Please look at this")
    await waiting.get_by_role("button", name="Keep it").press("Enter")
    await told(page, "Please look at this", "It stays, as it was.")
    await expect(mails.get_by_role("listitem").nth(1)).to_contain_text("New")

    await go(ana, "/signin")
    password = card(page, "Password")
    await password.get_by_role("button", name="Change the password").press("Enter")
    await page.keyboard.type("not the present one")
    await password.get_by_role("textbox", name="New password").fill(OTHER_PASSWORD)
    await page.keyboard.press("Enter")
    await expect(password.get_by_role("textbox", name="Present password")).to_be_focused()
    await expect(password.get_by_text("This password is not right.")).to_be_visible(timeout=PATIENCE_MS)
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await told(page, "Password", re.compile("The password was changed"))
    question = card(page, "Secret question")
    await question.get_by_role("button", name="Set a question").press("Enter")
    await question.get_by_role("combobox", name="Question").select_option("What is the nickname of your oldest cousin?")
    await question.get_by_role("textbox", name="Answer").fill("x.")
    await page.keyboard.press("Enter")
    await expect(question.get_by_text("at least three letters or digits")).to_be_visible(timeout=PATIENCE_MS)
    await question.get_by_role("textbox", name="Answer").fill("El Chato")
    await page.keyboard.press("Enter")
    await told(page, "Secret question", re.compile("The question is set. It begins to count on"))
    await question.get_by_role("button", name="Remove it").click()
    await page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()
    await expect(question.get_by_text("None is set.")).to_be_visible(timeout=PATIENCE_MS)

    await go(ana, "/events")
    happened = card(page, "What happened").locator("li strong")
    assert (await happened.all_inner_texts())[:6] == [
        "The secret question is being removed",
        "A secret question was set",
        "The password was changed",
        "A removal was taken back",
        "An email address is being removed",
        "An email address was added",
    ]
    await page.get_by_role("button", name=re.compile("^Not me: The secret question is being removed")).press("Enter")
    await page.get_by_role("button", name="Take it back").press("Enter")
    await told(page, "What happened", "It stays, as it was.")


async def test_a_strangers_device_is_forgotten(newcomer: Newcomer) -> None:
    """It may ask for a code to be confirmed; its owner puts it out, takes a copy, and almost leaves. Every part fits a small telephone and names its controls."""
    sol = await newcomer("own-sol", viewport={"width": 360, "height": 700})
    sol.expected = (REFUSED,)
    await sol.register()
    other = await newcomer("own-sol", locale="es-ES")
    other.expected = (REFUSED,)
    await other.page.get_by_role("button", name="English").click()
    await other.log_in()
    await other.page.get_by_role("status").get_by_role("link", name="Confirm this device").click()
    await expect(other.page.get_by_text("Not confirmed: only a password was given here.")).to_have_count(1)
    await other.page.get_by_role("button", name="Confirm this device").press("Enter")
    await other.page.get_by_role("button", name="Send a code to my mail").press("Enter")
    await expect(other.page.get_by_label("Code")).to_be_focused(timeout=PATIENCE_MS)

    found: dict[str, tuple[int, list[str]]] = {}
    for part in PARTS:
        await go(sol, part)
        current = await sol.page.get_by_role("navigation", name="Your account").locator("[aria-current]").inner_text()
        assert await sol.page.get_by_role("heading", level=1).inner_text() == current
        found[part] = (await sol.page.evaluate(TOO_WIDE), await sol.page.evaluate(NAMELESS))
    await go(sol, "/events")
    await sol.page.get_by_role("button", name=re.compile("^Not me: A new device logged in")).click()
    await sol.page.get_by_role("button", name="Forget that device and end its sessions").click()
    await told(sol.page, "What happened", re.compile("That device is out"))

    await go(sol, "")
    async with sol.page.expect_download(timeout=PATIENCE_MS) as waiting:
        await sol.page.get_by_role("button", name="Download a copy").click()
    copy = json.loads(Path(await (await waiting.value).path()).read_bytes())
    await told(sol.page, "Your data", re.compile("The copy is among your downloads"))
    await sol.page.get_by_role("button", name="Delete the account").click()
    await sol.page.get_by_role("dialog").get_by_role("button", name="Delete the account").click()
    await told(sol.page, "Your data", re.compile("is going to be deleted on"))
    await card(sol.page, "Please look at this").get_by_role("button", name="Keep it: This account").click()
    await expect(sol.page.get_by_role("button", name="Delete the account")).to_be_visible(timeout=PATIENCE_MS)

    assert found == {part: (0, []) for part in PARTS}
    assert [contact["value"] for contact in copy["contacts"]] == [sol.email]
    await expect(other.page.get_by_role("heading", name="Log in")).to_be_visible(timeout=PATIENCE_MS)
