"""auth_service.core.key_life: a verifier knows a key before its first token and until after its last."""

from hypothesis import given
from hypothesis import strategies as st

from auth_service.core.key_life import DAY_MS, HOUR_MS, Key, Schedule, living, signing, successor_signs_ms

SCHEDULE = Schedule(30 * DAY_MS, 12 * HOUR_MS)
FIRST = Key("a", 0, 0)


def test_the_next_key_is_published_before_it_signs() -> None:
    """Half a day before the first one's month is over, not sooner."""
    due_ms = 30 * DAY_MS - 12 * HOUR_MS
    assert successor_signs_ms([FIRST], SCHEDULE, due_ms - 1) is None
    assert successor_signs_ms([FIRST], SCHEDULE, due_ms) == 30 * DAY_MS
    assert successor_signs_ms([FIRST, Key("b", due_ms, 30 * DAY_MS)], SCHEDULE, due_ms) is None


def test_after_a_long_pause_it_is_still_published_first() -> None:
    """The service was off for a year: nobody knows the new key yet."""
    assert successor_signs_ms([FIRST], SCHEDULE, 365 * DAY_MS) == 365 * DAY_MS + 12 * HOUR_MS


def test_without_a_living_key_one_signs_at_once() -> None:
    """There is nothing to wait for."""
    assert successor_signs_ms([Key("a", 0, 0, retires_ms=10)], SCHEDULE, 20) == 20


def test_who_signs_and_who_is_accepted() -> None:
    """The newest whose time has come; the old one is accepted until it retires, and not a moment longer."""
    keys = [Key("a", 0, 0, retires_ms=300), Key("b", 50, 100)]
    assert [key.kid for key in living(keys, 99)] == ["a", "b"]
    for now_ms, kid in ((0, "a"), (99, "a"), (100, "b"), (1000, "b")):
        found = signing(keys, now_ms)
        assert found is not None and found.kid == kid
    assert [key.kid for key in living(keys, 300)] == ["b"]
    assert signing([Key("a", 0, 500)], 100) == Key("a", 0, 500)
    assert signing([], 0) is None


@given(st.lists(st.integers(min_value=1, max_value=60 * DAY_MS), max_size=30))
def test_there_is_always_a_key_that_everybody_knows(pauses: list[int]) -> None:
    """However long the service is off between its looks: what signs was published an overlap before, and an accepted key stays an overlap after its last token."""
    keys, now_ms = [FIRST], 0
    for pause_ms in pauses:
        now_ms += pause_ms
        signs_ms = successor_signs_ms(keys, SCHEDULE, now_ms)
        if signs_ms is not None:
            keys = [
                Key(key.kid, key.published_ms, key.signs_ms, key.retires_ms or signs_ms + SCHEDULE.overlap_ms)
                for key in keys
            ]
            keys.append(Key(f"k{now_ms}", now_ms, signs_ms))
        using = signing(keys, now_ms)
        assert using is not None
        assert using is keys[0] or using.kid == "a" or now_ms - using.published_ms >= SCHEDULE.overlap_ms
        assert len(living(keys, now_ms)) <= 2
