"""Who may come in, asked of the bare socket before a byte is read.

The order is fixed (docs/protocol.md §6): the node's cap, then what the prefix may do (connections held, attempts made), then the node's own rate,
then the ban. Refusals are cheap on purpose. An attempt is charged when the socket opens and given back once it has shown a valid token (or turned
out to be a page request, which has a budget of its own), so that a household of correct clients never uses its attempts up while a guesser does.
The counts of open connections are bounded by the node's cap; the tables of attempts drop their least recently used key, and while a table is
overrun by fresh addresses their tier is still counted.
"""

from dataclasses import dataclass
from enum import Enum

from garita_common.core import addresses
from garita_common.core.addresses import Address, Loopback
from garita_common.core.bans import Ban, BanBook
from garita_common.core.buckets import Bucket, BucketTable, Rate

from .counts import Alone, Counts, Neighbours
from .limits import AdmissionLimits


class Refusal(Enum):
    """Why a socket was turned away; the value is the limit's name in metrics and records."""

    NODE_CONNECTIONS = "node_connections"
    UNIT_CONNECTIONS = "connections_per_address"
    TIER_CONNECTIONS = "connections_per_prefix"
    UNIT_ATTEMPTS = "attempts_per_address"
    TIER_ATTEMPTS = "attempts_per_prefix"
    NODE_ATTEMPTS = "attempts_per_node"
    PAGES = "pages_per_address"
    BANNED = "banned"


@dataclass(slots=True, eq=False)
class Ticket:
    """One admitted socket. `unit` and `tier` are empty where the address is not counted; `charged` is what its attempt cost, while that
    is not given back.

    `page`: it turned out to carry page requests, which do not take one of the address's connections. `proxied`: the address is our own proxy's, which
    stands for nobody: it is never counted, banned or named in a record.
    """

    address: Address
    unit: str = ""
    tier: str = ""
    charged: float = 0.0
    page: bool = False
    proxied: bool = False
    open: bool = True


@dataclass(frozen=True, slots=True)
class Refused:
    """A socket turned away; `told` is whether this one may be given an answer (one per address and second)."""

    refusal: Refusal
    told: bool
    retry_after_s: float = 0.0
    ban: Ban | None = None


class Admission:
    """The counts and rates of one gateway process.

    Where several processes share a host, counts of connections are added up over all of them. Rates are not: with n processes every attempt costs n tokens
    of this one's own bucket, so that together they let in what one alone would, and the kernel spreads an address over them evenly.
    """

    def __init__(
        self,
        limits: AdmissionLimits,
        bans: BanBook,
        loopback: Loopback,
        now_s: float,
        neighbours: Neighbours | None = None,
    ) -> None:
        """Args: bans: asked last, for the address alone; neighbours: the host's other processes."""
        self._limits = limits
        self._bans = bans
        self._loopback = loopback
        self._node = Bucket(limits.attempts_per_node, now_s)
        self._unit_attempts = BucketTable(limits.attempts_per_unit, limits.table_keys)
        self._tier_attempts = BucketTable(limits.attempts_per_tier, limits.table_keys)
        self._pages = BucketTable(limits.pages_per_unit, limits.table_keys)
        self._answers = BucketTable(limits.answers_per_unit, limits.table_keys)
        self._neighbours = neighbours or Alone()
        self._units = Counts(self._neighbours)
        self._tiers = Counts(self._neighbours)
        self.open = 0

    def tables(self) -> dict[str, tuple[int, int]]:
        """By table: keys held, and keys dropped because it was full. Counts of open connections are bounded by the node's cap."""
        buckets = {
            "unit_attempts": self._unit_attempts,
            "tier_attempts": self._tier_attempts,
            "pages": self._pages,
            "answers": self._answers,
        }
        counts = {"units": self._units, "tiers": self._tiers}
        sizes = {name: (len(table), table.evicted) for name, table in buckets.items()}
        return sizes | {name: (len(table), 0) for name, table in counts.items()}

    def enter(self, address: Address, now_s: float, now_ms: int, *, proxied: bool = False) -> Ticket | Refused:
        """Counts a new socket in, or says why not. Args: proxied: the peer is our own proxy; who is behind it comes with `reveal`."""
        if self.open >= self._limits.connections and self._refuses(Refusal.NODE_CONNECTIONS):
            return Refused(Refusal.NODE_CONNECTIONS, told=False)
        ticket = Ticket(address, proxied=proxied)
        if not proxied and addresses.is_counted(address, self._loopback):
            refused = self._count(ticket, address, now_s, now_ms)
            if refused is not None:
                return refused
        wait_s = self._node.take(now_s)
        if wait_s and self._refuses(Refusal.NODE_ATTEMPTS):
            self._uncount(ticket)
            self.give_back(ticket, now_s)
            return Refused(Refusal.NODE_ATTEMPTS, told=False, retry_after_s=wait_s)
        self.open += 1
        return ticket

    def reveal(self, ticket: Ticket, address: Address, now_s: float, now_ms: int) -> Refused | None:
        """Counts the client behind our own proxy, once its headers have named it; a refusal leaves the ticket to be left as usual."""
        ticket.address, ticket.proxied = address, False
        if addresses.is_counted(address, self._loopback):
            return self._count(ticket, address, now_s, now_ms)
        return None

    def give_back(self, ticket: Ticket, now_s: float) -> None:
        """Returns the attempt of a socket that has shown a valid token."""
        if ticket.charged:
            self._unit_attempts.of(ticket.unit, now_s).give_back(ticket.charged)
            self._tier_attempts.of(ticket.tier, now_s).give_back(ticket.charged)
            ticket.charged = 0.0

    def page(self, ticket: Ticket, now_s: float) -> Refused | None:
        """Turns the attempt into a page request, which has a budget of its own.

        A browser keeps six connections open for a page and drops them within seconds, so counting them would shut out the third browser of a household.
        How many an address can hold is bounded by their rate and idle time; the prefix and the node count them like any other.
        """
        self.give_back(ticket, now_s)
        if ticket.unit and not ticket.page:
            ticket.page = True
            self._units.less(ticket.unit)
        wait_s = self._pages.take(ticket.unit, now_s, self._cost(self._limits.pages_per_unit)) if ticket.unit else 0.0
        if wait_s and self._refuses(Refusal.PAGES):
            return Refused(Refusal.PAGES, told=True, retry_after_s=wait_s)
        return None

    def leave(self, ticket: Ticket) -> None:
        """Counts a socket out; once, however often it is called."""
        if ticket.open:
            ticket.open = False
            self.open -= 1
            self._uncount(ticket)

    def _count(self, ticket: Ticket, address: Address, now_s: float, now_ms: int) -> Refused | None:
        limits = self._limits
        unit, tier = addresses.unit(address), addresses.tier(address)
        if self._units.of(unit) >= limits.connections_per_unit and self._refuses(Refusal.UNIT_CONNECTIONS):
            return self._refused(Refusal.UNIT_CONNECTIONS, unit, now_s, 1.0)
        if self._tiers.of(tier) >= limits.connections_per_tier and self._refuses(Refusal.TIER_CONNECTIONS):
            return self._refused(Refusal.TIER_CONNECTIONS, unit, now_s, 1.0)
        cost = min(self._cost(limits.attempts_per_unit), self._cost(limits.attempts_per_tier))
        tier_wait_s = self._tier_attempts.take(tier, now_s, cost)
        if tier_wait_s and self._refuses(Refusal.TIER_ATTEMPTS):
            return self._refused(Refusal.TIER_ATTEMPTS, unit, now_s, tier_wait_s)
        unit_wait_s = self._unit_attempts.take(unit, now_s, cost)
        if unit_wait_s and self._refuses(Refusal.UNIT_ATTEMPTS):
            self._tier_attempts.of(tier, now_s).give_back(cost)
            return self._refused(Refusal.UNIT_ATTEMPTS, unit, now_s, unit_wait_s)
        ban = self._bans.of_address(address, now_ms)
        if ban is not None:
            return self._refused(Refusal.BANNED, unit, now_s, 0.0, ban)
        ticket.unit, ticket.tier, ticket.charged = unit, tier, cost
        self._units.more(unit)
        self._tiers.more(tier)
        return None

    def _cost(self, rate: Rate) -> float:
        """What one attempt costs here, at most a full bucket."""
        return min(float(self._neighbours.processes), rate.burst)

    def _refuses(self, refusal: Refusal) -> bool:
        return self._limits.enforcement.refuses(refusal.value)

    def _refused(
        self, refusal: Refusal, unit: str, now_s: float, retry_after_s: float, ban: Ban | None = None
    ) -> Refused:
        told = self._answers.take(unit, now_s) == 0.0
        return Refused(refusal, told, retry_after_s, ban)

    def _uncount(self, ticket: Ticket) -> None:
        if ticket.unit:
            if not ticket.page:
                self._units.less(ticket.unit)
            self._tiers.less(ticket.tier)
