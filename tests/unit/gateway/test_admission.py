"""Who may come in: each limit at its value and one past it, in its order, at once and in the long run."""

from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garita_common.core.addresses import Address, Loopback
from garita_common.core.bans import Ban, BanBook, address_subject
from garita_common.core.buckets import Rate
from gateway.core.admission import Admission, Refusal, Refused, Ticket
from gateway.core.enforcement import Enforcement
from gateway.core.limits import AdmissionLimits

NEVER_MS = 10**15


def limits(**changes: object) -> AdmissionLimits:
    """Limits that refuse nobody, but for `changes`."""
    fields: dict[str, object] = {
        "connections": 1000,
        "connections_per_unit": 1000,
        "connections_per_tier": 1000,
        "attempts_per_node": Rate(1000, 1000),
        "attempts_per_unit": Rate(1000, 1000),
        "attempts_per_tier": Rate(1000, 1000),
        "pages_per_unit": Rate(1000, 1000),
        "answers_per_unit": Rate(1, 1),
        "table_keys": 100,
    }
    return AdmissionLimits(**fields | changes)  # type: ignore[arg-type]


def admission(*bans: Ban, loopback: Loopback = Loopback.PRIVATE, **changes: Any) -> Admission:
    """An admission with these bans in force."""
    book = BanBook()
    book.replace(bans, 0)
    return Admission(limits(**changes), book, loopback, 0.0)


def ban(subject: str) -> Ban:
    """A ban without end."""
    return Ban(subject, 0, NEVER_MS, "flood", "You were banned.", "x")


def address(text: str) -> Address:
    """An address from its text."""
    return ip_address(text)


ANA = address("203.0.113.7")
BEN = address("203.0.113.8")
EVA = address("198.51.100.1")


def enter(it: Admission, who: Address = ANA, now_s: float = 0.0) -> Ticket | Refused:
    """One socket."""
    return it.enter(who, now_s, 0)


def refusal(verdict: Ticket | Refused) -> Refusal | None:
    """Why it was refused, or None."""
    return verdict.refusal if isinstance(verdict, Refused) else None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"connections": 3}, Refusal.NODE_CONNECTIONS),
        ({"connections_per_unit": 3}, Refusal.UNIT_CONNECTIONS),
        ({"connections_per_tier": 3}, Refusal.TIER_CONNECTIONS),
        ({"attempts_per_unit": Rate(0.01, 3)}, Refusal.UNIT_ATTEMPTS),
        ({"attempts_per_tier": Rate(0.01, 3)}, Refusal.TIER_ATTEMPTS),
        ({"attempts_per_node": Rate(0.01, 3)}, Refusal.NODE_ATTEMPTS),
    ],
)
def test_each_limit_lets_in_its_number_and_not_one_more(changes: dict[str, Any], reason: Refusal) -> None:
    """Three come in, the fourth is told which limit it was."""
    it = admission(**changes)

    assert [refusal(enter(it)) for _ in range(4)] == [None, None, None, reason]
    assert it.open == 3


def test_connections_count_while_they_are_open() -> None:
    """Who leaves makes room, once."""
    it = admission(connections_per_unit=1)
    ticket = enter(it)
    assert isinstance(ticket, Ticket)
    assert refusal(enter(it)) is Refusal.UNIT_CONNECTIONS

    it.leave(ticket)
    it.leave(ticket)

    assert it.open == 0
    assert refusal(enter(it)) is None


def test_addresses_do_not_share_a_unit_but_share_a_tier() -> None:
    """A neighbour has its own sixteen, inside the prefix's."""
    it = admission(connections_per_unit=1, connections_per_tier=2)
    enter(it, ANA)

    assert refusal(enter(it, BEN)) is None
    assert refusal(enter(it, address("203.0.113.9"))) is Refusal.TIER_CONNECTIONS
    assert refusal(enter(it, EVA)) is None


def test_an_ipv6_household_is_one_unit() -> None:
    """Rotating the host part of a /64 wins nothing."""
    it = admission(connections_per_unit=1)
    enter(it, address("2001:db8::1"))

    assert refusal(enter(it, address("2001:db8::2"))) is Refusal.UNIT_CONNECTIONS
    assert refusal(enter(it, address("2001:db8:0:1::1"))) is None


def test_attempts_come_back_at_their_rate_and_no_faster() -> None:
    """The steady state: 32 in 10 minutes stays 32 in 10 minutes after the burst is gone."""
    it = admission(attempts_per_unit=Rate(32 / 600, 32))
    admitted = 0
    for second in range(3600):
        ticket = enter(it, now_s=float(second))
        if isinstance(ticket, Ticket):
            admitted += 1
            it.leave(ticket)

    assert 32 + 6 * 32 - 2 <= admitted <= 32 + 6 * 32


def test_the_node_takes_its_rate_in_the_long_run() -> None:
    """200 a second over ten seconds is 2000 and the burst, whatever knocks."""
    many: dict[str, Any] = {"connections": 9999, "connections_per_unit": 9999, "connections_per_tier": 9999}
    it = admission(attempts_per_node=Rate(200, 400), **many)
    admitted = sum(refusal(enter(it, EVA, tick / 1000)) is None for tick in range(10_000))

    assert 2395 <= admitted <= 2400


def test_a_prefix_s_attempts_come_back_at_their_rate() -> None:
    """However many addresses knock: 512 in ten minutes, for an hour."""
    it = admission(attempts_per_tier=Rate(512 / 600, 512))
    admitted = 0
    for tick in range(36_000):
        ticket = enter(it, address(f"203.0.113.{tick % 250}"), tick / 10)
        if isinstance(ticket, Ticket):
            admitted += 1
            it.leave(ticket)

    assert 512 * 7 - 2 <= admitted <= 512 * 7


def test_pages_come_back_at_their_rate() -> None:
    """Sixty at once, then four a second for ten minutes."""
    it = admission(pages_per_unit=Rate(4, 60))
    served = 0
    for tick in range(6_000):
        ticket = enter(it, now_s=tick / 10)
        assert isinstance(ticket, Ticket)
        served += it.page(ticket, tick / 10) is None
        it.leave(ticket)

    assert 60 + 4 * 600 - 2 <= served <= 60 + 4 * 600


def test_a_limit_on_trial_lets_in_and_counts() -> None:
    """Each limit at accept by its name, and a ban holds whatever is on trial."""
    for changes, name in (
        ({"connections": 2}, "node_connections"),
        ({"connections_per_unit": 2}, "connections_per_address"),
        ({"connections_per_tier": 2}, "connections_per_prefix"),
        ({"attempts_per_unit": Rate(0.01, 2)}, "attempts_per_address"),
        ({"attempts_per_tier": Rate(0.01, 2)}, "attempts_per_prefix"),
        ({"attempts_per_node": Rate(0.01, 2)}, "attempts_per_node"),
    ):
        trial = Enforcement([name])
        it = admission(ban(address_subject("198.51.100.1/32")), enforcement=trial, **changes)

        assert [refusal(enter(it)) for _ in range(5)] == [None] * 5, name
        assert trial.would_refuse == {name: 3}
        if name != "node_connections":
            assert refusal(enter(it, EVA)) is Refusal.BANNED


def test_a_valid_token_gives_the_attempt_back_once() -> None:
    """So correct clients never run out, and nobody gains by it."""
    it = admission(attempts_per_unit=Rate(0.001, 2))
    ticket = enter(it)
    assert isinstance(ticket, Ticket)
    it.give_back(ticket, 0.0)
    it.give_back(ticket, 0.0)

    assert [refusal(enter(it)) for _ in range(3)] == [None, None, Refusal.UNIT_ATTEMPTS]


def test_page_connections_leave_an_address_its_sockets() -> None:
    """Three browsers hold six page connections each, and there is still room for sixteen sockets; leaving counts each once."""
    it = admission(connections_per_unit=2, connections_per_tier=100)
    pages = []
    for _ in range(18):
        ticket = it.enter(address("192.0.2.7"), 0.0, 0)
        assert isinstance(ticket, Ticket)
        assert it.page(ticket, 0.0) is None
        pages.append(ticket)

    sockets = [it.enter(address("192.0.2.7"), 0.0, 0) for _ in range(3)]
    for ticket in pages:
        it.leave(ticket)

    assert [isinstance(verdict, Ticket) for verdict in sockets] == [True, True, False]
    assert isinstance(it.enter(address("192.0.2.7"), 0.0, 0), Refused)
    assert it.open == 2


def test_a_page_has_a_budget_of_its_own() -> None:
    """Reloading does not use the attempts up, and is limited all the same."""
    it = admission(attempts_per_unit=Rate(0.001, 1), pages_per_unit=Rate(0.001, 2))
    verdicts = []
    for _ in range(3):
        ticket = enter(it)
        assert isinstance(ticket, Ticket)
        verdicts.append(it.page(ticket, 0.0))

    assert verdicts[:2] == [None, None]
    assert verdicts[2] is not None
    assert verdicts[2].refusal is Refusal.PAGES


def test_our_own_fullness_costs_the_address_nothing() -> None:
    """A refusal by the node's rate gives the attempt back."""
    it = admission(attempts_per_node=Rate(0.001, 1), attempts_per_unit=Rate(0.001, 2), attempts_per_tier=Rate(0.001, 9))
    enter(it, EVA)

    assert [refusal(enter(it)) for _ in range(5)] == [Refusal.NODE_ATTEMPTS] * 5


def test_a_banned_address_is_told_once_a_second() -> None:
    """The first gets the ban; the others are cut off."""
    it = admission(ban(address_subject("203.0.113.7/32")))
    verdicts = [enter(it, now_s=now_s) for now_s in (0.0, 0.1, 0.2, 1.1)]

    assert [refusal(verdict) for verdict in verdicts] == [Refusal.BANNED] * 4
    assert [verdict.told for verdict in verdicts if isinstance(verdict, Refused)] == [True, False, False, True]
    assert isinstance(verdicts[0], Refused)
    assert verdicts[0].ban is not None
    assert refusal(enter(it, BEN)) is None


def test_a_limit_is_asked_before_the_ban() -> None:
    """The order of docs/protocol.md: what costs least comes first."""
    it = admission(ban(address_subject("203.0.113.7/32")), attempts_per_unit=Rate(0.001, 1))

    assert [refusal(enter(it)) for _ in range(2)] == [Refusal.BANNED, Refusal.UNIT_ATTEMPTS]


def test_a_banned_network_covers_its_addresses() -> None:
    """A ban of the tier holds for everyone in it."""
    it = admission(ban(address_subject("203.0.113.0/24")))

    assert refusal(enter(it, BEN)) is Refusal.BANNED
    assert refusal(enter(it, EVA)) is None


def test_loopback_is_nobody_in_particular_unless_it_is_public() -> None:
    """Behind a local proxy everybody is 127.0.0.1."""
    here = address("127.0.0.1")
    private = admission(ban(address_subject("127.0.0.1/32")), connections_per_unit=1)
    public = admission(loopback=Loopback.PUBLIC, connections_per_unit=1)

    assert [refusal(enter(private, here)) for _ in range(3)] == [None] * 3
    assert [refusal(enter(public, here)) for _ in range(2)] == [None, Refusal.UNIT_CONNECTIONS]


def test_behind_our_own_proxy_the_client_is_counted_once_it_is_known() -> None:
    """Not the proxy, and with the client's own bans."""
    it = admission(ban(address_subject("198.51.100.1/32")), connections_per_unit=1)
    proxy = address("10.0.0.1")
    tickets = [it.enter(proxy, 0.0, 0, proxied=True) for _ in range(3)]
    assert all(isinstance(ticket, Ticket) for ticket in tickets)
    first, second, third = (ticket for ticket in tickets if isinstance(ticket, Ticket))

    assert it.reveal(first, ANA, 0.0, 0) is None
    refused = it.reveal(second, ANA, 0.0, 0)
    banned = it.reveal(third, EVA, 0.0, 0)

    assert refused is not None
    assert refused.refusal is Refusal.UNIT_CONNECTIONS
    assert banned is not None
    assert banned.refusal is Refusal.BANNED


def test_a_full_table_lets_nobody_through_who_is_over_the_prefix() -> None:
    """Fresh addresses of one network push each other out of the table, and run into their tier."""
    it = admission(table_keys=4, attempts_per_unit=Rate(0.001, 1), attempts_per_tier=Rate(0.001, 10))
    verdicts = [refusal(enter(it, address(f"203.0.113.{host}"))) for host in range(50)]

    assert verdicts.count(None) == 10
    assert it.tables()["unit_attempts"] == (4, 10 - 4)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=200))
def test_counts_never_outlive_their_connections(steps: list[tuple[int, bool]]) -> None:
    """Whatever the order of coming and going, everything is zero when all have gone."""
    it = admission(connections=20, connections_per_unit=4, connections_per_tier=9, attempts_per_unit=Rate(5, 5))
    held: list[Ticket] = []
    for step, (host, coming) in enumerate(steps):
        if coming:
            verdict = enter(it, address(f"203.0.{host % 2}.{host}"), step / 10)
            held += [verdict] if isinstance(verdict, Ticket) else []
        elif held:
            it.leave(held.pop(host % len(held)))
        assert it.open == len(held) <= 20
    for ticket in held:
        it.leave(ticket)

    assert it.open == 0
    assert it.tables()["units"] == it.tables()["tiers"] == (0, 0)


class Beside:
    """Other processes of the host, which hold `held` connections of every key."""

    def __init__(self, processes: int, held: int = 0) -> None:
        self.processes = processes
        self.held = held

    def elsewhere(self, key: str) -> int:
        return self.held

    def publish(self, key: str, count: int) -> None:
        """Nobody asks."""


def shared(beside: Beside, **changes: Any) -> Admission:
    """An admission beside others."""
    return Admission(limits(**changes), BanBook(), Loopback.PRIVATE, 0.0, beside)


def test_connections_of_other_processes_count() -> None:
    """Two are held elsewhere, so one comes in here and the next does not; once they are gone it does."""
    beside = Beside(2, held=2)
    it = shared(beside, connections_per_unit=3)

    assert refusal(enter(it)) is None
    assert refusal(enter(it)) is Refusal.UNIT_CONNECTIONS
    beside.held = 0
    assert refusal(enter(it)) is None


def test_attempts_cost_as_much_as_there_are_processes() -> None:
    """Of four processes each lets in its quarter; a valid token gives back all that was paid, also when a process has gone meanwhile."""
    beside = Beside(4)
    it = shared(beside, attempts_per_unit=Rate(0.001, 8))
    first = enter(it)
    assert refusal(enter(it)) is None
    assert refusal(enter(it)) is Refusal.UNIT_ATTEMPTS

    assert isinstance(first, Ticket)
    beside.processes = 1
    it.give_back(first, 0.0)
    assert [refusal(enter(it)) for _ in range(5)] == [None] * 4 + [Refusal.UNIT_ATTEMPTS]


def test_more_processes_than_attempts_still_let_one_in() -> None:
    """A full bucket is enough for one."""
    it = shared(Beside(50), attempts_per_unit=Rate(0.001, 8))

    assert [refusal(enter(it)) for _ in range(2)] == [None, Refusal.UNIT_ATTEMPTS]
