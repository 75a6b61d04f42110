"""Metrics: named after the service, labels from fixed lists, one registry each."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from chat_service.metrics import Metrics


def test_every_metric_is_the_chat_services() -> None:
    """And a second registry takes them all again."""
    Metrics(CollectorRegistry())
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    metrics.commands.labels("send", "ok").inc()

    text = generate_latest(registry).decode()

    assert 'chat_commands_total{op="send",outcome="ok"} 1.0' in text
    assert all(line.split()[2].startswith("chat_") for line in text.splitlines() if line.startswith("# TYPE"))
