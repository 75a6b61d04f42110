"""Every limit by its name: the settings that make it, and whether it can be on trial (`dry_run`).

The name is what metrics (`gateway_refused_total`, `gateway_would_refuse_total`) and `GARITA_GATEWAY_DRY_RUN` say. A limit that bounds what one peer can make
the process hold has to refuse: without it the trial itself would be the attack.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit. `settings` are fields of the configuration; `bounds` says what memory it bounds, empty for a limit that can be on trial."""

    settings: tuple[str, ...]
    bounds: str = ""


CATALOGUE: dict[str, Limit] = {
    "node_connections": Limit(("connections",)),
    "connections_per_address": Limit(("connections_per_address",)),
    "connections_per_prefix": Limit(("connections_per_prefix",)),
    "connections_per_user": Limit(("connections_per_user",)),
    "connections_per_device": Limit(("connections_per_device",)),
    "attempts_per_address": Limit(("attempts_per_address", "attempts_window_s")),
    "attempts_per_prefix": Limit(("attempts_per_prefix", "attempts_window_s")),
    "attempts_per_node": Limit(("accept_per_s", "accept_burst")),
    "pages_per_address": Limit(("pages_per_s", "pages_burst")),
    "tls_timeout": Limit(("tls_timeout_s",)),
    "header_timeout": Limit(("header_timeout_s",)),
    "slow_reader": Limit(("page_idle_s",)),
    "connect_timeout": Limit(("connect_timeout_s",)),
    "connect_frames": Limit(("connect_frames",)),
    "send": Limit(("send_per_s", "send_burst")),
    "device_send": Limit(("device_send_per_s", "device_send_burst")),
    "user_send": Limit(("user_send_per_s", "user_send_burst", "share_every_s")),
    "other": Limit(("other_per_s", "other_burst")),
    "operation_rates": Limit(("operation_rates",)),
    "bytes_in": Limit(("bytes_in_per_s", "bytes_in_burst", "flood_s", "pause_s")),
    "user_bytes_in": Limit(("user_bytes_in_per_s", "user_bytes_in_burst", "flood_s", "pause_s")),
    "upload_bytes": Limit(("upload_bytes_per_s", "upload_bytes_burst", "pause_s")),
    "user_upload_bytes": Limit(("user_upload_bytes_per_s", "user_upload_bytes_burst", "pause_s")),
    "refusals": Limit(("refusals_per_s", "refusals_burst")),
    "errors": Limit(("errors", "errors_window_s")),
    "rooms_per_connection": Limit(("rooms_per_connection",)),
    "pong_timeout": Limit(("ping_interval_s", "pong_timeout_s")),
    "header_bytes": Limit(("header_bytes",), "what a request's headers take before they are read"),
    "connect_bytes": Limit(("connect_bytes",), "what a frame takes before it is parsed"),
    "early_bytes": Limit(("early_bytes",), "what a stranger's frame takes before it is parsed"),
    "frame_bytes": Limit(("text_bytes",), "what a frame takes before it is parsed"),
    "queue_bytes": Limit(("queue_bytes", "sndbuf_bytes"), "what waits for a client that does not read"),
    "write_timeout": Limit(("write_timeout_s",), "how long what waits for a client is kept"),
    "limiter_keys": Limit(("limiter_keys",), "the tables that the other limits are kept in"),
    "requests_in_flight": Limit(("requests_in_flight",), "the requests of a connection that wait"),
    "requests_waiting": Limit(("requests_waiting",), "all requests that wait for the chat service"),
    "attaching": Limit(("attaching",), "the connections that are being attached"),
    "recovery_bytes": Limit(("recovery_bytes",), "the missed events that one resume may fetch"),
}


def check_on_trial(names: Iterable[str]) -> None:
    """Whether these limits can be on trial.

    Raises:
        ValueError: one does not exist, or bounds memory; the text says which and why.
    """
    for name in names:
        if name not in CATALOGUE:
            raise ValueError(f"there is no limit {name}; the names are {', '.join(sorted(CATALOGUE))}")
        if CATALOGUE[name].bounds:
            raise ValueError(f"{name} bounds {CATALOGUE[name].bounds}, so it always refuses")
