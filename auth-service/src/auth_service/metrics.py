"""All metrics of the auth service. Label values come from constants of ours: no user, address or text."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metrics:
    """The metrics, on a registry of their own."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Args: registry: a fresh one in tests."""
        self.requests = Counter(
            "auth_requests_total", "Requests by route and outcome.", ["route", "code"], registry=registry
        )
        self.logins = Counter("auth_login_total", "Logins by result.", ["result"], registry=registry)
        self.registrations = Counter(
            "auth_registration_total", "Registrations by how far they came.", ["step"], registry=registry
        )
        self.passkeys_copied = Counter(
            "auth_passkeys_copied_total", "Passkeys refused because their count went back.", registry=registry
        )
        self.refreshes = Counter("auth_refresh_total", "Refreshes by outcome.", ["result"], registry=registry)
        self.challenges = Counter(
            "auth_challenge_total", "Challenges by kind and result.", ["kind", "result"], registry=registry
        )
        self.pictures = Gauge("auth_pictures_held", "Pictures and clips ready, by kind.", ["kind"], registry=registry)
        self.limits = Counter("auth_limit_total", "Refusals by limit.", ["bucket"], registry=registry)
        self.hash_seconds = Histogram(
            "auth_hash_seconds",
            "Time of one password hash in its thread.",
            buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2),
            registry=registry,
        )
        self.hash_queue = Gauge("auth_hash_queue", "Hashes that wait or run.", registry=registry)
        self.hash_shed = Counter("auth_hash_shed_total", "Hashes that were refused.", registry=registry)
        self.sessions_ended = Counter(
            "auth_sessions_ended_total", "Sessions ended, by why.", ["why"], registry=registry
        )
        self.recoveries = Counter(
            "auth_recovery_total", "Recoveries by goal and how far they came.", ["goal", "outcome"], registry=registry
        )
        self.vetoes = Counter("auth_veto_total", "Objections to recoveries by effect.", ["effect"], registry=registry)
        self.appeals_open = Gauge("auth_appeals_open", "Appeals that wait for an answer.", registry=registry)
        self.revocations_waiting = Gauge(
            "auth_revocations_waiting", "Ended sessions not yet said to the gateways.", registry=registry
        )
        self.redis_up = Gauge("auth_redis_up", "Whether Redis answered last time.", registry=registry)
        self.redis_up.set(1)  # until somebody asks it, which each look at /readyz does
        self.key_age = Gauge("auth_key_age_seconds", "Age of the signing key.", registry=registry)
        self.alarms = Counter(
            "auth_alarms_total", "What an operator should look at, by kind.", ["kind"], registry=registry
        )
        self.login_codes_waiting = Gauge(
            "auth_login_codes_waiting", "Codes for logins of shut names that are still to be sent.", registry=registry
        )
        self.login_storm = Gauge(
            "auth_login_storm",
            "Whether most of very many logins fail, so that everybody unknown is asked for work.",
            registry=registry,
        )
        self.inner_refused = Counter(
            "auth_inner_refused_total",
            "Refused requests of services and operators, by code.",
            ["code"],
            registry=registry,
        )
        self.open_requests = Gauge("auth_open_requests", "Requests in progress.", registry=registry)
        self.mails = Counter("auth_mail_total", "Mails by what came of a try.", ["result"], registry=registry)
        self.texts = Counter(
            "auth_sms_total",
            "Texts by country (of those that are allowed) and what came of a try.",
            ["country", "result"],
            registry=registry,
        )
        self.sms_confirm_ratio = Gauge(
            "auth_sms_confirm_ratio",
            "Codes of the last day that came back, by country.",
            ["country"],
            registry=registry,
        )
        self.notice_lag = Gauge(
            "auth_notice_lag_seconds", "Age of the oldest security notice that is not delivered.", registry=registry
        )
        self.notice_queue = Gauge("auth_notice_queue", "Security notices that are not delivered.", registry=registry)
        self.sms_share = Gauge(
            "auth_sms_day_share",
            "Texts of the last day as a share of what is allowed, by country and for all.",
            ["country"],
            registry=registry,
        )
        self.recovery_holds = Gauge("auth_recovery_hold_open", "Recoveries that wait out a hold.", registry=registry)
        self.audit_ok = Gauge(
            "auth_audit_chain_ok",
            "Whether all rows of the audit log that were looked at since the start are as they were written.",
            registry=registry,
        )
        self.geo_age = Gauge(
            "auth_geo_db_age_seconds",
            "Age of a GeoIP database; infinite without a readable one.",
            ["file"],
            registry=registry,
        )
