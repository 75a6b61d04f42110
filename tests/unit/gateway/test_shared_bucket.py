"""Messages of a user over several gateways: at the limit, one past it, in the long run, and when reports are late or lost."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from garita_common.core.buckets import Rate
from gateway.core.shared_bucket import SHARE_WAIT_S, Report, SharedBucket

RATE = Rate(4, 20)


@dataclass
class Store:
    """What the script in Redis does with one user's bucket."""

    tokens: float = RATE.burst
    at_s: float = 0.0
    holders: int = 1

    def level(self, now_s: float) -> float:
        return min(RATE.burst, self.tokens + (now_s - self.at_s) * RATE.rate_per_s)

    def take(self, report: Report, now_s: float) -> float:
        level = min(self.level(now_s), report.level) if report.uncertain else self.level(now_s)
        self.tokens, self.at_s = max(-RATE.burst, level - report.cost), now_s
        return self.tokens


@dataclass
class Node:
    """A gateway that holds the user."""

    store: Store
    bucket: SharedBucket = field(init=False)

    def __post_init__(self) -> None:
        self.bucket = SharedBucket(RATE, 0.0, self.store.level(0.0), self.store.holders)

    def send(self, now_s: float) -> bool:
        return self.bucket.take(now_s) == 0.0

    def report(self, now_s: float) -> None:
        level = self.store.take(self.bucket.report(now_s), now_s)
        self.bucket.answered(now_s, level, self.store.holders)


def nodes(count: int) -> list[Node]:
    """So many gateways that hold the user."""
    store = Store(holders=count)
    return [Node(store) for _ in range(count)]


def test_alone_with_the_user_a_gateway_spends_all_of_it_before_any_answer() -> None:
    """Twenty and not twenty-one; the refusal says when."""
    (node,) = nodes(1)

    assert [node.send(0.0) for _ in range(21)] == [True] * 20 + [False]
    assert node.bucket.take(0.0) == 0.25
    assert node.send(0.25)


def test_two_that_spend_at_the_same_moment_do_not_spend_the_same_tokens() -> None:
    """Each its half; and when both have reported, and told each other, nothing is left: twenty in all."""
    one, two = nodes(2)

    first = [sum(node.send(0.0) for _ in range(30)) for node in (one, two)]
    for node in (one, two):
        node.report(0.0)
    one.bucket.told(0.0, two.store.tokens, 2)
    rest = sum(node.send(0.0) for node in (one, two) for _ in range(30))

    assert first == [10, 10]
    assert rest == 0


def test_a_share_that_is_spent_waits_for_the_next_report() -> None:
    """A moment, not as long as a token takes."""
    one, _ = nodes(2)
    for _ in range(10):
        one.send(0.0)

    assert one.bucket.take(0.0) == SHARE_WAIT_S
    one.report(0.0)
    assert one.send(0.0)


def test_what_one_spent_the_other_cannot_spend_again() -> None:
    """Told of it, an idle gateway knows the level; the twenty-first is refused at both."""
    one, two = nodes(2)
    while one.send(0.0):
        one.report(0.0)
    two.bucket.told(0.0, one.store.tokens, 2)

    assert not one.send(0.0)
    assert not two.send(0.0)


def test_over_two_gateways_the_rate_is_one_user_s() -> None:
    """An hour of both sending all they can: burst and four a second, and one in excess at most."""
    both = nodes(2)
    sent = 0
    for tick in range(36_000):
        for node in both:
            sent += node.send(tick / 10)
        for node in both:
            node.report(tick / 10)

    assert 20 + 4 * 3600 - 2 <= sent <= 20 + 4 * 3600 + 1


def test_what_was_spent_too_much_is_waited_for() -> None:
    """Gateways that did not know of each other spend double; the debt is paid before anybody sends again."""
    store = Store(holders=1)
    both = [Node(store), Node(store)]
    sent = sum(node.send(0.0) for node in both for _ in range(30))
    for node in both:
        node.report(0.0)
    both[0].report(0.0)

    assert sent == 40
    assert not any(node.send(now_s) for node in both for now_s in (1.0, 4.9))
    assert both[0].send(5.26)


def test_a_lost_report_is_made_up_for_and_fills_nothing() -> None:
    """While Redis is away the copy counts; afterwards the lower level does, whether or not the lost report was heard."""
    for heard in (True, False):
        (node,) = nodes(1)
        for _ in range(10):
            node.send(0.0)
        report = node.bucket.report(0.0)
        if heard:
            node.store.take(report, 0.0)
        node.bucket.unheard()
        for _ in range(5):
            node.send(0.0)

        node.report(0.0)

        assert node.store.tokens == 5
        assert sum(node.send(0.0) for _ in range(10)) == 5


def test_a_bucket_that_is_full_again_need_not_be_told() -> None:
    """Not before it is; and not while it is uncertain what Redis knows."""
    (node,) = nodes(1)
    node.send(0.0)

    assert not node.bucket.is_settled(0.2)
    assert node.bucket.is_settled(0.3)
    assert node.bucket.report(0.3).cost == 0

    node.bucket.unheard()
    assert not node.bucket.is_settled(99.0)


@given(
    st.integers(2, 4),
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(1, 12), st.floats(0, 0.4)), max_size=150),
)
def test_no_order_of_sends_and_reports_lets_pass_much_more(
    count: int, steps: list[tuple[int, int, int, float]]
) -> None:
    """Whatever is sent where, and however late each gateway reports: burst + rate × time, and what the others have not reported, each at most its share."""
    all_nodes = nodes(count)
    now_s, sent = 0.0, 0
    for which, action, times, gap_s in steps:
        node = all_nodes[which % count]
        if action < 2:
            sent += sum(node.send(now_s) for _ in range(times))
        else:
            node.report(now_s)
            for other in all_nodes:
                if other is not node:
                    other.bucket.told(now_s, node.store.tokens, count)
            now_s += gap_s
        unreported = (count - 1) * max(1, RATE.burst / count)
        assert sent <= RATE.burst + RATE.rate_per_s * now_s + unreported + 1e-6
