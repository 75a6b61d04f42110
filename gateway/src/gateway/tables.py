"""Watches the limiters' tables: how many keys each holds, and whether one is overrun.

A table that is full drops its least recently used key, so whoever brings enough fresh keys could make it forget. That costs them more attempts than the prefix's and
the node's limits let pass, which hold on; but it is an attack, and somebody should know (`GaritaLimiterTableOverrun` in deploy/prometheus/alerts.yml).
"""

from collections.abc import Callable, Mapping

import structlog

from garita_common.logs import Sparingly

from .metrics import Metrics

log = structlog.get_logger()

Sizes = Mapping[str, tuple[int, int]]
"""By table: keys held, and keys dropped since the start because it was full."""


class Tables:
    """All tables of one process."""

    def __init__(self, metrics: Metrics, monotonic: Callable[[], float], sources: list[Callable[[], Sizes]]) -> None:
        """Args: sources: whoever owns tables."""
        self._metrics = metrics
        self._sources = sources
        self._sparingly = Sparingly(monotonic)
        self._dropped: dict[str, int] = {}

    def measure(self) -> None:
        """Brings the figures up to date; a table that has dropped keys since the last time is warned of, once a minute."""
        for source in self._sources:
            for table, (held, dropped) in source().items():
                self._metrics.table_keys.labels(table).set(held)
                fresh = dropped - self._dropped.get(table, 0)
                self._metrics.table_dropped.labels(table).inc(fresh)
                self._dropped[table] = dropped
                if fresh and self._sparingly.due("limiter_table_overrun", table):
                    log.warning("limiter_table_overrun", table=table, dropped=dropped)
