"""Every figure the gateway gives, declared in one place. Labels come from enums and constants, never from what a peer says."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SIZES = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 10000)


class Metrics:
    """One process's figures."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Args: registry: a fresh one in tests."""
        self.registry = registry
        self._trials: dict[str, int] = {}
        self.connections = Gauge("gateway_connections", "Open sockets.", ["transport"], registry=registry)
        self.sessions = Gauge("gateway_sessions", "Connections that are connected as a user.", registry=registry)
        self.users = Gauge("gateway_users", "Users with a connection here.", registry=registry)
        self.feeds = Gauge("gateway_feeds", "Rooms and users whose channel is subscribed.", registry=registry)
        self.waiting = Gauge("gateway_requests_waiting", "Requests that wait for the chat service.", registry=registry)
        self.ready = Gauge("gateway_ready", "1 when the gateway takes connects.", registry=registry)
        self.table_keys = Gauge("gateway_limiter_keys", "Keys in a limiter table.", ["table"], registry=registry)
        self.table_dropped = Counter(
            "gateway_limiter_dropped_total", "Keys that went out of full limiter tables.", ["table"], registry=registry
        )
        self.certificate_until = Gauge(
            "gateway_certificate_until_seconds", "Unix time at which our certificate ends.", registry=registry
        )
        self.accepted = Counter("gateway_accepted_total", "Sockets admitted.", ["transport"], registry=registry)
        self.refused = Counter(
            "gateway_refused_total", "Sockets, requests and frames refused, by reason.", ["reason"], registry=registry
        )
        self.would_refuse = Counter(
            "gateway_would_refuse_total", "What limits in dry_run would have refused.", ["limit"], registry=registry
        )
        self.closed = Counter(
            "gateway_closed_total", "Connections ended, by close code or reason.", ["reason"], registry=registry
        )
        self.challenges = Counter(
            "gateway_challenges_total",
            "Challenges of connections: asked for, ended by a clear, and clears that were none.",
            ["outcome"],
            registry=registry,
        )
        self.violations = Counter(
            "gateway_violations_total", "Frames that no correct client sends.", ["kind"], registry=registry
        )
        frames_in = Counter("gateway_frames_in_total", "Frames received.", ["kind"], registry=registry)
        self.json_in, self.chunks_in = frames_in.labels("json"), frames_in.labels("chunk")
        self.control_in = frames_in.labels("control")
        self.bytes_in = Counter("gateway_received_bytes_total", "Bytes received.", ["transport"], registry=registry)
        self.pauses = Counter("gateway_read_pauses_total", "Times reading was paused for a budget.", registry=registry)
        self.delivered = Counter("gateway_delivered_total", "Events written to members.", registry=registry)
        self.passing = Counter(
            "gateway_passing_total",
            "Typing, marks and presence for members, told, or dropped for a long queue.",
            ["outcome"],
            registry=registry,
        )
        self.presence = Counter(
            "gateway_presence_total",
            "Users told to have come or gone, over all gateways.",
            ["change"],
            registry=registry,
        )
        self.events = Counter("gateway_events_total", "Events heard from Redis.", ["log"], registry=registry)
        self.commands = Counter("gateway_commands_total", "Commands published to the chat service.", registry=registry)
        self.batch = Histogram(
            "gateway_batch_commands", "Commands per published batch.", buckets=_SIZES, registry=registry
        )
        self.answers = Counter("gateway_answers_total", "Answers of the chat service.", ["code"], registry=registry)
        self.expired = Counter("gateway_requests_expired_total", "Requests without answer in time.", registry=registry)
        self.unheard = Counter("gateway_batches_unheard_total", "Batches that nobody listened to.", registry=registry)
        self.dropped_replies = Counter(
            "gateway_replies_dropped_total", "Replies that nobody waited for.", ["reason"], registry=registry
        )
        self.repairs = Counter("gateway_repairs_total", "Gaps in a feed, by outcome.", ["outcome"], registry=registry)
        self.attaches = Counter("gateway_attaches_total", "Connects, by outcome.", ["outcome"], registry=registry)
        self.faults = Counter("gateway_faults_total", "Exceptions caught at an edge.", ["where"], registry=registry)
        self.request_s = Histogram(
            "gateway_request_seconds",
            "Time from a request to its answer.",
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
            registry=registry,
        )

    def count_trials(self, would_refuse: Mapping[str, int]) -> None:
        """Brings `would_refuse` up to date. Args: would_refuse: by limit, since the start."""
        for limit, passed in would_refuse.items():
            self.would_refuse.labels(limit).inc(passed - self._trials.get(limit, 0))
            self._trials[limit] = passed
