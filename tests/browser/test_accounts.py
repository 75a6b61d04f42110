"""Accounts on the page: registering, the second step, sessions, and what is said when something is not right."""

from __future__ import annotations

import asyncio

from playwright.async_api import expect

from tests.browser.conftest import Newcomer
from tests.browser.person import PASSWORD, PATIENCE_MS

REFUSED = "the server responded with a status of"
"""What Chromium's console says of every refused request; the test is about such a one."""


async def test_register_enrol_and_come_back(newcomer: Newcomer) -> None:
    """Register, confirm, turn two-step login on, log out, log in again with a code; a reload keeps one logged in."""
    ana = await newcomer("ana")
    await ana.register()
    await ana.turn_on_totp()
    await ana.log_out()

    await ana.log_in()
    await ana.page.reload()

    await ana.is_in()
    await ana.page.goto(f"{ana.place.http}/#/account/signin")
    await expect(ana.page.get_by_role("main").get_by_text("Two-step login is on")).to_be_visible(timeout=PATIENCE_MS)
    await ana.page.get_by_role("navigation").get_by_role("link", name="Devices and sessions").click()
    await expect(ana.page.locator(".sessions").get_by_text("This one")).to_be_visible(timeout=PATIENCE_MS)


async def test_no_token_is_in_reach_of_scripts(newcomer: Newcomer) -> None:
    """Storage and readable cookies hold no token, whatever else they hold."""
    eva = await newcomer("eva")
    await eva.register()

    kept = await eva.page.evaluate("JSON.stringify({...localStorage, ...sessionStorage}) + document.cookie")

    assert "eva" in kept
    assert "rt1." not in kept
    assert "eyJ" not in kept
    assert "dv1." not in kept
    cookies = await eva.context.cookies()
    assert cookies
    assert all(cookie["httpOnly"] and cookie["sameSite"] == "Strict" for cookie in cookies)


async def test_a_weak_password_is_explained(newcomer: Newcomer) -> None:
    """The server's reasons stand beside the field, and a better password goes on."""
    page = (weak := await newcomer("leo")).page
    weak.expected = (REFUSED,)
    await page.get_by_role("link", name="Create an account").click()
    await page.get_by_label("Email or phone number").fill(weak.email)
    password = page.get_by_role("textbox", name="Password")
    await password.fill("passwordpassword")
    await page.get_by_role("button", name="Continue").click()
    await expect(page.get_by_text("Too easy to guess")).to_be_visible(timeout=PATIENCE_MS)
    await expect(password).to_be_focused()

    await password.fill(PASSWORD)
    await page.get_by_role("button", name="Continue").click()

    await expect(page.get_by_role("heading", name="Check your messages")).to_be_visible(timeout=PATIENCE_MS)


async def test_a_wrong_password_says_nothing_more(newcomer: Newcomer) -> None:
    """One sentence for an unknown name and a wrong password; after three the page solves a proof by itself."""
    rob = await newcomer("rob")
    rob.expected = (REFUSED,)
    page = rob.page
    await page.get_by_label("User name, email or phone number").fill("nobody.at.all")
    for _ in range(5):
        await page.get_by_role("textbox", name="Password").fill("wrong password here")
        await page.get_by_role("button", name="Log in").click()
        await expect(page.get_by_role("button", name="Log in")).not_to_have_attribute(
            "aria-busy", "true", timeout=PATIENCE_MS
        )

        await expect(page.get_by_text("The name or the password is not right.")).to_be_visible(timeout=PATIENCE_MS)


async def test_another_session_can_be_ended(newcomer: Newcomer) -> None:
    """Whoever is logged in twice sees both, ends one, and that page is back at the entrance."""
    sol = await newcomer("sol")
    await sol.register()
    other = await newcomer("sol")
    await other.log_in()
    other.expected = (REFUSED,)

    await sol.page.goto(f"{sol.place.http}/#/account/devices")
    await expect(sol.page.locator(".sessions li")).to_have_count(2, timeout=PATIENCE_MS)
    await sol.page.locator(".sessions").get_by_role("button").click()
    await expect(sol.page.locator(".sessions li")).to_have_count(1, timeout=PATIENCE_MS)

    await expect(other.page.get_by_role("heading", name="Log in")).to_be_visible(timeout=PATIENCE_MS)
    await expect(other.page.get_by_text("Your session has ended")).to_be_visible(timeout=PATIENCE_MS)


async def test_two_tabs_take_turns(newcomer: Newcomer) -> None:
    """Tabs that draw tokens at the same moment do not throw each other out, however often; a logout reaches both."""
    eli = await newcomer("eli")
    await eli.register()
    other = await eli.context.new_page()
    await other.goto(eli.place.http)

    for _ in range(6):
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(eli.page.reload(), name="one tab")
            tasks.create_task(other.reload(), name="the other")
        for page in (eli.page, other):
            await expect(page.get_by_text("Welcome, Eli")).to_be_visible(timeout=PATIENCE_MS)
            await expect(page.get_by_role("link", name="Turn on two-step login")).to_be_visible(timeout=PATIENCE_MS)

    await eli.log_out()
    await expect(other.get_by_role("heading", name="Log in")).to_be_visible(timeout=PATIENCE_MS)
