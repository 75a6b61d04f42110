"""What a connection pays with: which bucket refuses, what a refusal costs the others, and limits on trial."""

from dataclasses import replace
from typing import Any

import pytest

from garita_common.core import frames, gate
from garita_common.core.buckets import Bucket, Rate
from gateway.core.allowance import Allowance, UserLimits
from gateway.core.enforcement import Enforcement
from gateway.core.purse import Purse
from gateway.core.shared_bucket import SharedBucket

from .test_limits import config

MUCH = Rate(1e9, 1e9)
USER = UserLimits(MUCH, MUCH, {}, MUCH, 10)


def purse(*, user: UserLimits = USER, sends: Rate = MUCH, device: Rate = MUCH, **changes: Any) -> Purse:
    """A user's purse with plenty of everything but for what is given."""
    limits = replace(
        config().session_limits, **{"send": MUCH, "other": MUCH, "bytes_in": MUCH, "upload_bytes": MUCH, **changes}
    )
    it = Purse(limits, 0.0)
    it.share(Allowance(user, 0.0), SharedBucket(sends, 0.0, sends.burst, 1), Bucket(device, 0.0))
    return it


def pay(it: Purse, kind: type[frames.ClientOp] = frames.Send, now_s: float = 0.0) -> str:
    """The limit that refused, or nothing."""
    due = it.pay(kind, gate.TABLE[kind], now_s)
    return due[0] if due else ""


@pytest.mark.parametrize(
    ("changes", "limit"),
    [
        ({"send": Rate(2, 3)}, "send"),
        ({"device": Rate(2, 3)}, "device_send"),
        ({"sends": Rate(2, 3)}, "user_send"),
    ],
)
def test_each_limit_of_messages_lets_pass_its_number_and_not_one_more(changes: dict[str, Any], limit: str) -> None:
    """Three at once, then two a second in the long run, and the refusal bears the limit's name."""
    it = purse(**changes)

    assert [pay(it) for _ in range(4)] == ["", "", "", limit]
    assert [pay(it, now_s=tick / 10) for tick in range(1, 101)].count("") == 20


def test_a_refusal_costs_nothing_in_the_other_buckets() -> None:
    """What the user or the device may not send leaves the connection its own."""
    one, two = Rate(0.001, 1), Rate(0.001, 2)
    for it, limit in ((purse(send=two, device=one), "device_send"), (purse(send=two, sends=one), "user_send")):
        assert [pay(it) for _ in range(9)] == ["", *[limit] * 8]


def test_a_dear_operation_has_a_rate_of_its_own_that_new_sockets_share() -> None:
    """Three rooms and not four, over all of a user's connections; history is not counted with them, and the refusal costs no budget."""
    user = Allowance(replace(USER, operations={frames.CreateRoom: Rate(0.1, 3)}), 0.0)
    purses = [purse(other=Rate(0.001, 12)) for _ in range(4)]
    for it in purses:
        it.share(user, SharedBucket(MUCH, 0.0, 9, 1), Bucket(MUCH, 0.0))

    assert [pay(it, frames.CreateRoom) for it in purses] == ["", "", "", "operation_rates"]
    assert [pay(purses[3], frames.History) for _ in range(7)] == [""] * 6 + ["other"]
    assert [pay(it, frames.CreateRoom, now_s) for it, now_s in zip(purses, (9.9, 10.0, 10.0), strict=False)] == [
        "operation_rates",
        "",
        "operation_rates",
    ]


def test_what_lowers_the_load_is_charged_and_never_refused() -> None:
    """Also when every bucket is empty; each leave takes from what the others may."""
    it = purse(other=Rate(0.001, 3))

    assert [pay(it, frames.Leave), pay(it, frames.GetRoom), pay(it, frames.GetRoom)] == ["", "", ""]
    assert pay(it, frames.GetRoom) == "other"
    for kind in (frames.Leave, frames.Pong, frames.Logout, frames.UploadAbort):
        assert [pay(it, kind) for _ in range(100)] == [""] * 100


def test_a_stranger_sends_nothing() -> None:
    """Whatever the gate says."""
    assert pay(Purse(config().session_limits, 0.0)) == "user_send"


def test_ten_connections_do_not_bring_ten_times_the_bytes() -> None:
    """At the user's limit none waits; one byte past it, whichever connection it came by."""
    user = Allowance(replace(USER, bytes_in=Rate(100, 1000), upload_bytes=Rate(100, 1000)), 0.0)
    purses = [purse() for _ in range(10)]
    for it in purses:
        it.share(user, SharedBucket(MUCH, 0.0, 9, 1), Bucket(MUCH, 0.0))

    assert [it.pay_bytes(100, 0.0) for it in purses] == [0.0] * 10
    assert purses[3].pay_bytes(1, 0.0) == 0.01
    assert [it.pay_upload(100, 0.0) for it in purses] == [0.0] * 10
    assert purses[3].pay_upload(1, 0.0) == 0.01


def test_a_user_s_flood_over_many_connections_is_ended() -> None:
    """No connection is over its own budget, and together they do not stop: the one that pays last goes."""
    user = Allowance(replace(USER, bytes_in=Rate(100, 1000)), 0.0)
    purses = [purse(flood_s=15) for _ in range(10)]
    for it in purses:
        it.share(user, SharedBucket(MUCH, 0.0, 9, 1), Bucket(MUCH, 0.0))

    ends = [it.pay_bytes(100, float(second)) for second in range(60) for it in purses]

    assert "user_bytes_in" in ends
    assert ends.index("user_bytes_in") > 150


@pytest.mark.parametrize(
    ("limit", "changes", "kind"),
    [
        ("send", {"send": Rate(1, 3)}, frames.Send),
        ("device_send", {"device": Rate(1, 3)}, frames.Send),
        ("user_send", {"sends": Rate(1, 3)}, frames.Send),
        ("other", {"other": Rate(1, 3)}, frames.GetRoom),
        ("operation_rates", {"user": replace(USER, operations={frames.Search: Rate(1, 3)})}, frames.Search),
    ],
)
def test_a_limit_on_trial_counts_what_it_would_have_refused(
    limit: str, changes: dict[str, Any], kind: type[frames.ClientOp]
) -> None:
    """The same set-up with and without: two refusals, or two counted and nothing refused."""
    trial = Enforcement([limit])

    it = purse(**changes)
    enforced = [pay(it, kind) for _ in range(5)]
    tried = purse(**changes, enforcement=trial)
    on_trial = [pay(tried, kind) for _ in range(5)]

    assert enforced == ["", "", "", limit, limit]
    assert on_trial == [""] * 5
    assert trial.would_refuse == {limit: 2}


def test_budgets_of_bytes_on_trial_pause_nobody() -> None:
    """Not even a flood; each frame over the budget is counted."""
    names = ["bytes_in", "user_bytes_in", "upload_bytes", "user_upload_bytes"]
    tight = Rate(1, 1)
    trial = Enforcement(names)
    it = purse(
        user=replace(USER, bytes_in=tight, upload_bytes=tight), bytes_in=tight, upload_bytes=tight, enforcement=trial
    )

    assert {it.pay_bytes(10, float(second)) for second in range(60)} == {0.0}
    assert {it.pay_upload(10, float(second)) for second in range(60)} == {0.0}
    assert trial.would_refuse == dict.fromkeys(names, 60)


def test_being_refused_has_its_price() -> None:
    """Three refusals and not four; on trial any number."""
    it, tried = purse(refusals=Rate(1, 3)), purse(refusals=Rate(1, 3), enforcement=Enforcement(["refusals"]))

    assert [it.may_be_refused(0.0) for _ in range(4)] == [True, True, True, False]
    assert [tried.may_be_refused(0.0) for _ in range(4)] == [True] * 4
