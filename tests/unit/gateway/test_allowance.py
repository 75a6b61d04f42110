"""What a user may do over all connections here."""

from garita_common.core import frames
from garita_common.core.buckets import Rate
from gateway.core.allowance import AllowanceTable, UserLimits

LIMITS = UserLimits(Rate(100, 1000), Rate(100, 1000), {frames.Search: Rate(1, 5), frames.Join: Rate(1, 1)}, 2)


def test_an_operation_s_own_rate_holds_at_once_and_in_the_long_run() -> None:
    """Five at once and not six, then one a second; others do not pay for it."""
    it = AllowanceTable(LIMITS).of("ana", 0.0)

    assert [it.take(frames.Search, 0.0) == 0.0 for _ in range(6)] == [True] * 5 + [False]
    assert it.take(frames.Join, 0.0) == 0.0
    assert sum(it.take(frames.Search, tick / 10) == 0.0 for tick in range(1, 1001)) == 100


def test_an_operation_without_a_rate_is_free_here() -> None:
    """The connection's own budget is the one that pays."""
    it = AllowanceTable(LIMITS).of("ana", 0.0)

    assert {it.take(frames.History, 0.0) for _ in range(1000)} == {0.0}


def test_a_new_socket_resets_nothing() -> None:
    """The user's allowance is the same whoever asks for it."""
    table = AllowanceTable(LIMITS)
    table.of("ana", 0.0).take(frames.Join, 0.0)
    table.of("ana", 0.0).bytes_in.charge(0.0, 1000)

    again = table.of("ana", 0.0)

    assert again.take(frames.Join, 0.0) > 0
    assert again.bytes_in.charge(0.0, 1) > 0


def test_the_table_drops_the_user_that_was_away_longest() -> None:
    """At its size it drops nobody; one past it, the least recently seen; it counts them."""
    table = AllowanceTable(LIMITS)
    ana, ben = table.of("ana", 0.0), table.of("ben", 0.0)
    assert table.of("ana", 0.0) is ana
    assert (len(table), table.evicted) == (2, 0)

    table.of("eva", 0.0)

    assert (len(table), table.evicted) == (2, 1)
    assert table.of("ana", 0.0) is ana
    assert table.of("ben", 0.0) is not ben
