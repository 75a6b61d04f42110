"""Getting in without what one had, and past the pictures: the real stack with a clock that the tests move, for a wait is a wait."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Route, expect

from garita_local.stack import Stack
from tests.browser.conftest import ROOMY, Newcomer, running
from tests.browser.person import PASSWORD, PATIENCE_MS, Person, Place
from tests.fakes import later_auth, moved_clock
from tests.fakes.moved_clock import MovedClock

REFUSED = "the server responded with a status of"
PHONE = "+34600000001"
DAY_S = 86_400
SLOW_S = 30 * DAY_S
"""How long the second factors stay where a text message is all that is shown (docs/security.md)."""
ROOT = Path(__file__).resolve().parents[2]
SOON = {
    "GARITA_AUTH_LOGIN_PROOF_AFTER": "1", "GARITA_AUTH_LOGIN_PICTURE_AFTER": "1", "GARITA_AUTH_LOGIN_SHUT_AFTER_PER_H": "3",
    "GARITA_AUTH_CAPTCHA_IMAGES": "8", "GARITA_AUTH_CAPTCHA_CLIPS": "2",
    "GARITA_GATEWAY_KEYS_EVERY_S": "1",  # a month makes new keys, and for a gateway it takes a second
}  # fmt: skip


@dataclass(frozen=True)
class Later:
    """A stack whose services take what the test says for the time, and the folder of what its pictures show."""

    stack: Stack
    clock: MovedClock
    answers: Path


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Later]:
    """Its own, for nobody else's tests are to find themselves a month later."""
    folder = tmp_path_factory.mktemp("later")
    clock, answers = folder / "clock", folder / "answers"
    answers.mkdir()
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        moved_clock.NAME: str(clock),
        later_auth.NAME: str(answers),
    }
    moved = MovedClock(clock)
    modules = {"auth": later_auth.__name__, "gateway": "tests.fakes.later_gateway"}
    stack = Stack(state=folder / "var", env=ROOMY | SOON, environment=environment, modules=modules)
    with running(stack):
        yield Later(stack, moved, answers)


@pytest.fixture
def place(later: Later) -> Place:
    """By name: passkeys belong to a host name, never to an address."""
    return Place(later.stack.http.replace("127.0.0.1", "localhost"), later.stack.outbox)


async def move(later: Later, person: Person, seconds: float) -> None:
    """Time passes, for the services and in the browser."""
    later.clock.pass_s(seconds)
    await person.page.clock.set_fixed_time(later.clock())


async def read_pictures(person: Person, later: Later) -> list[str]:
    """What the pictures and clips say that this page gets, newest last."""
    seen: list[str] = []

    async def look(route: Route) -> None:
        answer = await route.fetch()
        seen.append(later_auth.answer_of(later.answers, await answer.body()))
        await route.fulfill(response=answer)

    await person.page.route("**/challenges/*/media", look)
    return seen


async def seen(person: Person, shown: list[str], count: int) -> None:
    """So many pictures and clips have come."""
    while len(shown) < count:
        await person.page.wait_for_timeout(50)


async def show_text_code(person: Person) -> None:
    """Where evidence is asked for: a code by text message, sent and typed."""
    page = person.page
    await page.get_by_role("button", name="A code by text message").click()
    await page.get_by_role("button", name="Send the code").click()
    await page.get_by_label("Code", exact=True).fill(await person.new_code(PHONE))


def challenge(later: Later, name: str) -> None:
    """The operator has a user challenged, by the detector."""
    with sqlite3.connect(f"file:{later.stack.layout.database('auth')}?mode=ro", uri=True) as db:
        (user,) = db.execute("SELECT user FROM usernames WHERE name = ?", (name,)).fetchone()
    request = urllib.request.Request(f"{later.stack.operator}/v1/challenges", method="POST")
    request.add_header("Authorization", f"Bearer {later.stack.secret('operator_token')}")
    with urllib.request.urlopen(request, json.dumps({"user": user, "reason": "a test"}).encode(), timeout=15) as answer:
        assert json.load(answer)["pushed"]


async def test_who_is_challenged_in_the_chat_answers_and_writes_on(newcomer: Newcomer, later: Later) -> None:
    """First of all here, for the detector's clock stays where it is. What was sent meanwhile goes out by itself; a wrong answer brings another picture."""
    ana = await newcomer("anachal")
    ana.expected = (REFUSED,)
    page = ana.page
    shown: list[str] = []

    async def look(route: Route) -> None:
        answer = await route.fetch()
        shown.append(later_auth.answer_of(later.answers, await answer.body()))
        await route.fulfill(response=answer)

    await page.route("**/challenges/*/media", look)
    await ana.register()
    await ana.make_room("Challenged")
    while len(list(later.answers.iterdir())) < 10:  # until then the pool may be empty, which is an answer of its own
        await page.wait_for_timeout(50)
    await asyncio.to_thread(challenge, later, "anachal")
    await expect(page.get_by_role("dialog", name="Are you there?")).to_be_visible(timeout=PATIENCE_MS)
    await page.keyboard.press("Escape")
    await ana.say("Here I am")
    await expect(page.get_by_text("Please solve the challenge first.")).to_be_visible(timeout=PATIENCE_MS)

    await page.get_by_role("button", name="Answer it").press("Enter")
    answer = page.get_by_label("What do you see or hear?")
    await expect(answer).to_be_focused(timeout=PATIENCE_MS)
    await answer.fill("000000")
    await answer.press("Enter")
    await expect(page.get_by_text("That did not fit")).to_be_visible(timeout=PATIENCE_MS)
    await expect(answer).to_be_focused(timeout=PATIENCE_MS)
    while len(shown) < 3:  # the first when the dialog came, one when it was opened again, and this one
        await page.wait_for_timeout(50)
    await page.keyboard.type(shown[-1])
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_have_count(0, timeout=PATIENCE_MS)
    await ana.hears("Here I am")


async def test_totp_and_passkey_are_lost_and_a_text_message_and_a_wait_bring_the_account_back(
    newcomer: Newcomer, later: Later
) -> None:
    """Both count for 40 days when their device is gone. A text alone is worth a month, in which nothing helps and the phone is told."""
    ana = await newcomer("anarec")
    await ana.give_authenticator()
    await ana.register(PHONE)
    await ana.turn_on_totp()
    await ana.add_passkey()
    later.clock.pass_s(40 * DAY_S)

    lost = await newcomer("anarec")
    page = lost.page
    lost.used_codes = ana.used_codes
    await page.get_by_role("link", name="I cannot get in").click()
    await page.get_by_label("User name, email or phone number").fill("anarec")
    await page.get_by_role("radio", name="Two-step login off").check()
    await page.get_by_role("button", name="Begin", exact=True).click()
    await show_text_code(lost)
    await expect(page.get_by_role("button", name="A code by text message").get_by_text("Shown")).to_be_visible(
        timeout=PATIENCE_MS
    )
    await page.get_by_role("button", name="That is all I have").click()
    await expect(page.get_by_role("heading", name="You have to wait")).to_be_visible(timeout=PATIENCE_MS)
    told = await asyncio.to_thread(lost.place.letters, PHONE)
    assert "A recovery of the account is waiting" in told[-1]

    await move(later, lost, SLOW_S - 60)
    await page.goto(f"{lost.place.http}/#/recover")
    await page.reload()
    await page.get_by_role("button", name="Go on for anarec").click()
    await expect(page.get_by_role("heading", name="You have to wait")).to_be_visible(timeout=PATIENCE_MS)

    await move(later, lost, 120)
    await page.get_by_role("button", name="Look again").click()
    await expect(page.get_by_role("heading", name="The wait is over")).to_be_visible(timeout=PATIENCE_MS)
    await show_text_code(lost)
    await page.get_by_role("button", name="Turn two-step login off").click()
    await expect(page.get_by_role("heading", name="You have it back")).to_be_visible(timeout=PATIENCE_MS)
    await page.get_by_role("link", name="Log in").click()
    await lost.log_in()
    await page.goto(f"{lost.place.http}/#/account/signin")
    for gone in ("The authenticator app is being removed.", "A passkey is being removed."):
        await expect(page.get_by_text(gone)).to_be_visible(timeout=PATIENCE_MS)


async def test_a_picture_and_a_clip_are_solved_by_keyboard(newcomer: Newcomer, later: Later) -> None:
    """Right letters let a password be tried; wrong ones bring another picture; a clip's digits, on top of the right password, log in."""
    eva = await newcomer("evarec")
    await eva.register()
    rob = await newcomer("evarec")
    rob.expected = (REFUSED,)
    page = rob.page
    shown = await read_pictures(rob, later)
    await page.get_by_label("User name, email or phone number").fill("evarec")
    password = page.get_by_role("textbox", name="Password")
    await password.fill("wrong password here")
    await password.press("Enter")
    await expect(page.get_by_text("The name or the password is not right.")).to_be_visible(timeout=PATIENCE_MS)
    await password.press("Enter")
    answer = page.get_by_label("What do you see or hear?")
    await expect(answer).to_be_focused(timeout=PATIENCE_MS)
    picture = page.get_by_alt_text(
        "A picture of six letters and digits. If you cannot read it, choose “Listen instead”."
    )
    await expect(picture).to_be_visible(timeout=PATIENCE_MS)
    await expect(picture).to_have_js_property("naturalWidth", 280, timeout=PATIENCE_MS)

    await page.keyboard.type("000000")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("That did not fit")).to_be_visible(timeout=PATIENCE_MS)
    await expect(answer).to_be_focused(timeout=PATIENCE_MS)
    await seen(rob, shown, 2)
    assert len(set(shown)) == len(shown) == 2
    await page.keyboard.type(shown[-1].lower())
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("The name or the password is not right.")).to_be_visible(timeout=PATIENCE_MS)
    await expect(answer).to_have_value("", timeout=PATIENCE_MS)

    await page.get_by_role("button", name="Listen instead").focus()
    await page.keyboard.press("Enter")
    player = page.locator("audio[aria-label='A clip of six digits, spoken in English']")
    await expect(player).to_be_focused(timeout=PATIENCE_MS)
    while not await player.evaluate("clip => clip.duration > 1"):
        await page.wait_for_timeout(50)
    assert shown[-1].isdigit()
    await password.fill(PASSWORD)
    await answer.fill(shown[-1])
    await answer.press("Enter")
    await rob.is_in()


async def test_a_name_that_many_have_tried_is_opened_by_the_code_that_was_sent(
    newcomer: Newcomer, later: Later
) -> None:
    """Three wrong passwords shut it here; then the right one is answered like a wrong one, and its code to the old address lets in."""
    luz = await newcomer("luzrec")
    await luz.register()
    other = await newcomer("luzrec")
    other.expected, other.used_codes = (REFUSED,), luz.used_codes
    page = other.page
    shown = await read_pictures(other, later)
    await page.get_by_label("User name, email or phone number").fill("luzrec")
    password = page.get_by_role("textbox", name="Password")
    await password.fill("wrong password here")
    await password.press("Enter")
    wrong = page.get_by_text("The name or the password is not right.")
    await expect(wrong).to_be_visible(timeout=PATIENCE_MS)
    await password.press("Enter")
    answer = page.get_by_label("What do you see or hear?")
    await expect(answer).to_be_focused(timeout=PATIENCE_MS)
    for count in (1, 2):
        await seen(other, shown, count)
        await answer.fill(shown[-1])
        await answer.press("Enter")
        await expect(answer).to_have_value("", timeout=PATIENCE_MS)
    await seen(other, shown, 3)
    await answer.fill(shown[-1])
    await password.fill(PASSWORD)
    await password.press("Enter")
    await expect(page.get_by_text("so a password alone is not enough now")).to_be_visible(timeout=PATIENCE_MS)
    await page.get_by_label("Code", exact=True).fill(await other.new_code(other.email))
    await other.is_in()


async def test_a_text_is_a_second_step_and_a_trusted_device_is_not_asked_again(
    newcomer: Newcomer, later: Later
) -> None:
    """Beside the app that somebody has not at hand."""
    ina = await newcomer("inarec")
    ina.ahead_s = later.clock.moved_s
    await ina.register(PHONE.replace("001", "002"))
    await ina.turn_on_totp()
    other = await newcomer("inarec")
    other.used_codes = ina.used_codes
    page = other.page
    for is_asked in (True, False):
        await page.get_by_label("User name, email or phone number").fill("inarec")
        await page.get_by_role("textbox", name="Password").fill(PASSWORD)
        await page.get_by_role("button", name="Log in", exact=True).click()
        if is_asked:
            await page.get_by_role("button", name="Get a code by text").click()
            await page.get_by_role("checkbox", name="Do not ask on this device for 30 days").check()
            await page.get_by_role("button", name="Send the code").click()
            await page.get_by_label("Code", exact=True).fill(await other.new_code(PHONE.replace("001", "002")))
        await other.is_in()
        await other.log_out()
