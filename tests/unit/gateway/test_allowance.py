"""What a user may do over all connections here."""

from garita_common.core import frames
from garita_common.core.buckets import Rate
from gateway.core.allowance import Allowances, UserLimits

LIMITS = UserLimits(
    Rate(100, 1000), Rate(100, 1000), {frames.Search: Rate(1, 5), frames.Join: Rate(1, 1)}, Rate(1, 3), 2
)


def test_an_operation_s_own_rate_holds_at_once_and_in_the_long_run() -> None:
    """Five at once and not six, then one a second; others do not pay for it."""
    it = Allowances(LIMITS).of("ana", 0.0)

    assert [it.take(frames.Search, 0.0) == 0.0 for _ in range(6)] == [True] * 5 + [False]
    assert it.take(frames.Join, 0.0) == 0.0
    assert sum(it.take(frames.Search, tick / 10) == 0.0 for tick in range(1, 1001)) == 100


def test_an_operation_without_a_rate_is_free_here() -> None:
    """The connection's own budget is the one that pays."""
    it = Allowances(LIMITS).of("ana", 0.0)

    assert {it.take(frames.History, 0.0) for _ in range(1000)} == {0.0}


def test_a_new_socket_resets_nothing() -> None:
    """The user's allowance is the same whoever asks for it."""
    table = Allowances(LIMITS)
    table.of("ana", 0.0).take(frames.Join, 0.0)
    table.of("ana", 0.0).bytes_in.charge(0.0, 1000)

    again = table.of("ana", 0.0)

    assert again.take(frames.Join, 0.0) > 0
    assert again.bytes_in.charge(0.0, 1) > 0


def test_the_table_drops_the_user_that_was_away_longest() -> None:
    """At its size it drops nobody; one past it, the least recently seen; it counts them."""
    table = Allowances(LIMITS)
    ana, ben = table.of("ana", 0.0), table.of("ben", 0.0)
    assert table.of("ana", 0.0) is ana
    assert table.tables()["users"] == (2, 0)

    table.of("eva", 0.0)

    assert table.tables()["users"] == (2, 1)
    assert table.of("ana", 0.0) is ana
    assert table.of("ben", 0.0) is not ben


def test_a_device_s_connections_share_a_bucket_that_new_sockets_do_not_fill() -> None:
    """Three messages and not four; the table of devices is bounded as well."""
    table = Allowances(LIMITS)

    assert [table.device("phone", 0.0).take(0.0) == 0.0 for _ in range(4)] == [True, True, True, False]
    assert table.device("laptop", 0.0).take(0.0) == 0.0
    assert table.device("tablet", 0.0).take(0.0) == 0.0
    assert table.tables()["devices"] == (2, 1)
