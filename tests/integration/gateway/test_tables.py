"""The limiters' tables as figures: their sizes, and a warning where one is overrun."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from gateway.metrics import Metrics
from gateway.tables import Tables
from tests.fakes.wire_clients import Closed

from .rig import eventually, rig


def test_an_overrun_is_warned_of_while_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once a minute and table, not for ever after."""
    registry, sizes, times = CollectorRegistry(), {"attempts": (3, 0), "users": (1, 0)}, [0.0]
    tables = Tables(Metrics(registry), lambda: times[-1], [lambda: sizes])

    said: list[str] = []
    monkeypatch.setattr("gateway.tables.log.warning", lambda event, **_: said.append(event))

    tables.measure()
    assert said == []

    for now_s, dropped in ((1.0, 5), (2.0, 9), (63.0, 10), (200.0, 10)):
        times.append(now_s)
        sizes["attempts"] = (4, dropped)
        tables.measure()

    assert said == ["limiter_table_overrun"] * 2
    assert registry.get_sample_value("gateway_limiter_keys", {"table": "attempts"}) == 4
    assert registry.get_sample_value("gateway_limiter_dropped_total", {"table": "attempts"}) == 10


async def test_fresh_addresses_overrun_a_small_table_and_meet_their_prefix(tmp_path: Path, redis_url: str) -> None:
    """Real sockets from more addresses than the table holds: the prefix refuses, and the overrun shows."""
    async with rig(
        tmp_path, redis_url, loopback="public", limiter_keys=4, attempts_per_prefix=12, attempts_window_s=100_000
    ) as it:
        admitted = 0
        for host in range(30):
            client = await it.tcp(source=f"127.0.7.{host + 1}")
            client.send("rooms")
            try:
                await client.take()
            except Closed:
                continue
            admitted += 1

        assert admitted == 12
        assert it.figure("gateway_refused_total", reason="attempts_per_prefix") == 18
        await eventually(lambda: it.figure("gateway_limiter_dropped_total", table="unit_attempts") >= 8)
        assert it.figure("gateway_limiter_keys", table="unit_attempts") == 4
