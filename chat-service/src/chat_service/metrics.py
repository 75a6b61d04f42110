"""Every metric of the chat service."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

COMMIT_BUCKETS_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
BATCH_BUCKETS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


class Metrics:
    """Declared once per registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Args: registry: a fresh one in tests."""
        self.commands = Counter(
            "chat_commands_total",
            "Commands carried out, by operation and outcome.",
            ["op", "outcome"],
            registry=registry,
        )
        self.dropped = Counter(
            "chat_commands_dropped_total", "Commands or batches not carried out.", ["reason"], registry=registry
        )
        self.would_refuse = Counter(
            "chat_would_refuse_total",
            "What limits in dry run would have refused.",
            ["limit"],
            registry=registry,
        )
        self.operator_refused = Counter(
            "chat_operator_refused_total", "Refused requests of operators, by code.", ["code"], registry=registry
        )
        self.waiting = Gauge("chat_commands_waiting", "Commands waiting for a transaction.", registry=registry)
        self.batch_commands = Histogram(
            "chat_batch_commands", "Commands in one transaction.", registry=registry, buckets=BATCH_BUCKETS
        )
        self.commit_seconds = Histogram(
            "chat_commit_seconds",
            "From the begin of a transaction to its commit.",
            registry=registry,
            buckets=COMMIT_BUCKETS_S,
        )
        self.batches_failed = Counter(
            "chat_batches_failed_total",
            "Transactions rolled back and carried out command by command.",
            registry=registry,
        )
        self.events = Counter("chat_events_published_total", "Events published.", ["log"], registry=registry)
        self.passing = Counter(
            "chat_passing_published_total", "What was said in passing: marks, typing, presence.", registry=registry
        )
        self.rooms_unindexed = Gauge(
            "chat_rooms_unindexed", "Rooms with events that cannot be found by search yet.", registry=registry
        )
        self.purges = Counter(
            "chat_purges_total", "Times that what was deleted was written out of index and logs.", registry=registry
        )
        self.search_seconds = Histogram(
            "chat_search_seconds",
            "From the begin of a search to its answer.",
            registry=registry,
            buckets=COMMIT_BUCKETS_S,
        )
        self.publishes_failed = Counter(
            "chat_publishes_failed_total", "Round trips to Redis whose outcome is not known.", registry=registry
        )
        self.logs_behind = Gauge(
            "chat_logs_behind", "Rooms and users with stored events not surely published.", registry=registry
        )
        self.fence = Gauge("chat_fence", "The fence under which this copy writes.", registry=registry)
        self.active = Gauge(
            "chat_active", "1 while this copy owns the database, 0 while it stands by.", registry=registry
        )
        self.takeovers = Counter(
            "chat_takeovers_total",
            "Times this copy took the database over, by what had become of the owner.",
            ["reason"],
            registry=registry,
        )
        self.fences_lost = Counter(
            "chat_fences_lost_total", "Times another copy took the database over from this one.", registry=registry
        )
        self.owners_ended = Counter(
            "chat_owners_ended_total", "Stopped owners ended because they held the database.", registry=registry
        )
        self.uploads_swept = Counter(
            "chat_uploads_swept_total", "Uploads that came to nothing and were cleared away.", registry=registry
        )
