"""detector_service.events: each entry once, in order, and found by what it concerns."""

from __future__ import annotations

from detector_service import events
from garita_common.core import activity

from .conftest import T0, Bench, entry

MESSAGE = activity.MessageSent(ts_ms=T0, src="chat", ip="10.0.0.1", user="u1", device="d1", room="r", len=1, bytes=1)


async def test_only_what_is_new_is_told_in_the_order_it_came(bench: Bench) -> None:
    """Repeats within a batch and across batches alike."""
    first, second, third = (entry(MESSAGE, f"{number}-0") for number in (9, 3, 7))
    async with bench.store.writing() as db:
        assert [one for _, one in await events.insert(db, [first, second, first], T0)] == [first, second]
        assert [one for _, one in await events.insert(db, [second, third, first], T0)] == [third]


async def test_the_same_id_in_the_other_stream_is_another_entry(bench: Bench) -> None:
    """The stream belongs to the name."""
    one = entry(MESSAGE, "1-0")
    other = events.Entry("activity", "1-0", MESSAGE, one.data)
    async with bench.store.writing() as db:
        assert len(await events.insert(db, [one, other], T0)) == 2


async def test_each_kind_is_read_as_far_back_as_it_counts(bench: Bench) -> None:
    """Logins for two days, messages for a minute; in the order they came, and in pages."""
    login = activity.LoginFailed(ts_ms=T0, src="auth", account="a", known_device=False, reason="password")
    async with bench.store.writing() as db:
        for seen_ms in (T0 - 200_000_000, T0 - 100_000, T0 - 1, T0):
            await events.insert(db, [entry(MESSAGE), entry(login)], seen_ms)
        assert await events.last_seen_ms(db) == T0
        kinds = [
            (row["seen_ms"] - T0, activity.kind_of(activity.decode(row["body"])))
            async for page in events.that_count(db, T0)
            for row in page
        ]

    assert kinds == [(-100_000, "auth.fail"), (-1, "msg.sent"), (-1, "auth.fail"), (0, "msg.sent"), (0, "auth.fail")]


async def test_every_kind_that_a_rule_counts_is_read_again(bench: Bench) -> None:
    """More events than a page holds, of all kinds that have a horizon."""
    assert {activity.kind_of(MESSAGE), "proto.violation", "rate.hit", "conn.open", "auth.fail"} <= set(
        events.HORIZONS_MS
    )
    await bench.take(*([MESSAGE] * (2 * events.PAGE + 5)))
    async with bench.store.writing() as db:
        pages = [page async for page in events.that_count(db, T0)]

    numbers = [row["id"] for page in pages for row in page]
    assert len(pages) == 3
    assert numbers == sorted(numbers)
    assert len(numbers) == 2 * events.PAGE + 5


async def test_events_are_found_by_address_user_device_and_account(bench: Bench) -> None:
    """And by nothing that is empty or unknown."""
    await bench.take(MESSAGE, activity.RateHit(ts_ms=T0, src="gateway", limit="send"))

    found = {
        subject: len(await events.of_subject(bench.store.reading, subject, 10))
        for subject in ("addr:10.0.0.1/32", "user:u1", "device:d1", "account:a", "", "room:r", "user:")
    }

    assert found == {
        "addr:10.0.0.1/32": 1,
        "user:u1": 1,
        "device:d1": 1,
        "account:a": 0,
        "": 0,
        "room:r": 0,
        "user:": 0,
    }
