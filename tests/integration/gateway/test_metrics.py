"""Every figure is named as it should be."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from gateway.metrics import Metrics


def test_figures_are_the_gateway_s_and_say_what_they_are() -> None:
    """Prefix and help."""
    registry = CollectorRegistry()
    Metrics(registry)

    families = list(registry.collect())
    assert len(families) > 20
    assert all(family.name.startswith("gateway_") and family.documentation for family in families)
