"""Every metric of the detector. Labels come from enums and constants of ours: no subject, address or free text."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metrics:
    """The metrics on one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Declares them all."""
        self.events = Counter("detector_events_total", "Events stored, by kind.", ["kind"], registry=registry)
        self.repeated = Counter(
            "detector_repeated_entries_total", "Entries that came again and were stored already.", registry=registry
        )
        self.dead = Counter(
            "detector_dead_entries_total", "Entries moved to activity:dead, by reason.", ["reason"], registry=registry
        )
        self.unjudged = Counter(
            "detector_unjudged_entries_total",
            "Times an entry could not be judged; it is tried again.",
            registry=registry,
        )
        self.trimmed = Counter(
            "detector_trimmed_entries_total", "Entries that Redis dropped unread.", ["stream"], registry=registry
        )
        self.unread = Gauge("detector_unread_entries", "Entries not read yet.", ["stream"], registry=registry)
        self.lag = Gauge("detector_lag_seconds", "Age of the entries read last.", ["stream"], registry=registry)
        self.subjects = Gauge("detector_subjects_count", "Subjects held in memory.", registry=registry)
        self.shed = Gauge(
            "detector_subjects_shed_count", "Subjects shed for want of room since the start.", registry=registry
        )
        self.decisions = Counter(
            "detector_decisions_total", "Decisions, by rule and action.", ["scenario", "action"], registry=registry
        )
        self.bans = Gauge("detector_bans_active_count", "Bans in force.", registry=registry)
        self.rewrites = Counter(
            "detector_bans_rewritten_total",
            "Times all bans were written to Redis from the database.",
            registry=registry,
        )
        self.lifted = Counter("detector_bans_lifted_total", "Bans lifted by operators.", registry=registry)
        self.delay = Histogram(
            "detector_ban_delay_seconds",
            "From the event to the published ban.",
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30),
            registry=registry,
        )
        self.faults = Counter(
            "detector_faults_total", "Times a part could not do its work, by part.", ["part"], registry=registry
        )
        self.refused = Counter(
            "detector_operator_refusals_total", "Operator requests refused, by code.", ["code"], registry=registry
        )
