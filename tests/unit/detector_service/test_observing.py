"""detector_service.core.observing: who is charged for what, and that the state is a fold."""

from hypothesis import given, settings
from hypothesis import strategies as st

from detector_service.core.facts import Fact
from detector_service.core.observing import Observer
from detector_service.core.rulings import rule
from detector_service.core.scenarios import Action, Finding
from garita_common.core import activity
from garita_common.core.addresses import Loopback

from .making import MIN, T0, UNIT, H, fact, logged_in, login_failed, opened, rate_hit, said, violation


def subjects(observer: Observer, *facts: Fact) -> list[str]:
    """Whom the findings of these name."""
    return [finding.subject for one in facts for finding in observer.observe(one)]


def test_before_login_the_address_is_charged() -> None:
    """And only its own: another address with two violations is not touched."""
    observer = Observer()

    found = subjects(
        observer, *(violation(T0 + n) for n in range(3)), *(violation(T0 + n, ip="203.0.113.8") for n in range(2))
    )

    assert found == [UNIT]


def test_after_login_user_and_device_are_charged_and_the_address_is_not() -> None:
    """Others may share it."""
    observer = Observer()

    found = subjects(observer, *(violation(T0 + n, user="u1", device="d1") for n in range(3)))

    assert found == ["user:u1", "device:d1"]
    assert UNIT not in observer.table


def test_three_users_of_one_device_charge_the_device_alone() -> None:
    """Each subject has a count of its own."""
    assert subjects(Observer(), *(violation(T0 + n, user=f"u{n}", device="d1") for n in range(3))) == ["device:d1"]


def test_a_refusal_is_charged_to_the_person_or_else_to_the_address() -> None:
    """Never to both."""
    assert subjects(Observer(), rate_hit(count=500, user="u1", device="d1")) == ["user:u1", "device:d1"]
    assert subjects(Observer(), rate_hit(count=500)) == [UNIT]
    assert subjects(Observer(), rate_hit(count=500, limit="attempts_per_node")) == []


def test_known_devices_fail_for_free() -> None:
    """The owner's slips count nowhere."""
    observer = Observer()

    assert subjects(observer, *(login_failed(T0 + n, known_device=True) for n in range(50))) == []
    assert len(observer.table) == 0


def test_ones_own_logins_do_not_wash_an_address_clean() -> None:
    """Six failures on one account, a success on the guesser's own after each: the seventh is found all the same."""
    observer, found = Observer(), list[str]()

    for number in range(7):
        found += subjects(observer, login_failed(T0 + 2 * number), logged_in(T0 + 2 * number + 1, account="own"))

    assert UNIT in found


def test_loopback_is_counted_only_where_it_is_public() -> None:
    """Behind a local proxy everybody is 127.0.0.1."""
    event = activity.ProtocolViolated(
        ts_ms=T0, src="gateway", ip="127.0.0.5", kind="tcp_kind", byte=0x52, state="new", count=3
    )

    assert subjects(Observer(), fact(event, loopback=Loopback.PRIVATE)) == []
    assert subjects(Observer(), fact(event, loopback=Loopback.PUBLIC)) == ["addr:127.0.0.5/32"]


def test_while_banned_nothing_counts() -> None:
    """What was under way when the ban fell does not earn the next one; after its end counting begins at nothing."""
    observer = Observer()
    observer.banned(UNIT, T0 + 10 * MIN, T0)

    assert subjects(observer, *(violation(T0 + n) for n in range(30))) == []
    assert subjects(observer, *(violation(T0 + 10 * MIN + n) for n in range(2))) == []
    assert subjects(observer, violation(T0 + 10 * MIN + 5)) == [UNIT]


def test_after_a_lift_counting_begins_anew() -> None:
    """Two violations are two again."""
    observer = Observer()
    observer.banned(UNIT, T0 + H, T0)
    observer.lifted(UNIT, T0 + MIN)

    assert subjects(observer, *(violation(T0 + 2 * MIN + n) for n in range(2))) == []
    assert subjects(observer, violation(T0 + 3 * MIN)) == [UNIT]


def test_abuse_62_whoever_is_copied_or_reported_is_not_charged() -> None:
    """Three new accounts repeat a user's text without end, then forty blame it on the user: whatever is found names the copiers, and bans none of them."""
    observer = Observer()
    tagged = {"tag": "t1", "dup_tag": "d1", "len": 40, "bytes": 40}
    history = [said(T0, user="victim", device="v", ip="203.0.113.50", **tagged)]
    history += [
        said(T0 + 100 * n, user=f"new{n % 3}", device=f"n{n % 3}", ip=f"198.51.100.{n % 3}", **tagged)
        for n in range(1, 60)
    ]
    history += [
        fact(
            activity.MessageReported(
                ts_ms=T0 + 6000 + n, src="chat", user=f"new{n % 3}", room="r1", mid="m1", about="victim", reason="spam"
            )
        )
        for n in range(40)
    ]

    findings = [finding for one in history for finding in observer.observe(one)]

    assert {finding.subject for finding in findings} == {"user:new0", "user:new1", "user:new2"}
    rulings = [rule(finding, good_users=0, past=None, now_ms=T0 + 10_000, luck=0.5) for finding in findings]
    assert {ruling.action for ruling in rulings} == {Action.WATCH}
    assert "user:victim" not in observer.table or observer.table.of("user:victim").progress < 1


def test_a_lift_that_comes_over_a_stream_lifts_nothing() -> None:
    """Only the operator's route does; anybody who may write activity could write this."""
    observer = Observer()
    observer.banned(UNIT, T0 + H, T0)

    observer.observe(fact(activity.BanLifted(ts_ms=T0, src="x", subject=UNIT)))

    assert subjects(observer, violation(T0, count=3)) == []


IPS = st.sampled_from(["203.0.113.7", "203.0.113.8", "2001:db8::1", ""])
USERS = st.sampled_from(["", "u1", "u2"])
MAKERS = st.sampled_from([violation, rate_hit, login_failed, logged_in, opened, said])
HISTORY = st.lists(st.tuples(MAKERS, st.integers(0, 3 * H), IPS, USERS, st.integers(1, 120)), max_size=80)


@settings(max_examples=60)
@given(HISTORY)
def test_the_same_history_gives_the_same_findings(history: list) -> None:
    """Rebuilding from stored events is taking them again: nothing else has a say."""
    facts = [maker(T0 + offset, ip=ip, user=user, count=times) for maker, offset, ip, user, times in history]

    def fold() -> list[Finding]:
        observer, found = Observer(), []
        for one in facts:
            for finding in observer.observe(one):
                found.append(finding)
                observer.banned(finding.subject, one.seen_ms + 10 * MIN, one.seen_ms)
        return found

    assert fold() == fold()
