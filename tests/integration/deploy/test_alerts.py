"""deploy/prometheus/alerts.yml: rules about metrics that there are, each with a word in docs/operations.md about what to do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from auth_service.metrics import Metrics as OfAuth
from chat_service.metrics import Metrics as OfChat
from detector_service.metrics import Metrics as OfDetector
from gateway.metrics import Metrics as OfGateway

ROOT = Path(__file__).parents[3]
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
OF_PROMETHEUS = {"up"}
WORDS = {"increase", "rate", "sum", "and", "or"}


def metrics() -> dict[str, set[str]]:
    """Every name that the services show, and its labels."""
    found: dict[str, set[str]] = {}
    for kind in (OfAuth, OfChat, OfDetector, OfGateway):
        registry = CollectorRegistry()
        made = kind(registry)
        labels = {value._name: set(value._labelnames) for value in vars(made).values() if hasattr(value, "_labelnames")}
        for family in registry.collect():
            name = family.name + ("_total" if family.type == "counter" else "")
            found[name] = labels.get(family.name, set())
    return found


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_a_rule_asks_for_metrics_that_there_are(rule: dict[str, Any]) -> None:
    """A name or label that was changed in a service is changed here too, or the alert would be silent for ever."""
    known = metrics()
    bare = re.sub(r"\"[^\"]*\"|\[\w+\]", "", rule["expr"])
    names = set(re.findall(r"[a-z]\w+", re.sub(r"\{[^}]*\}", "", bare))) - WORDS

    assert names
    assert names - OF_PROMETHEUS <= known.keys()
    asked = set(re.findall(r"(\w+)\s*(?:!=|=~|=)", "".join(re.findall(r"\{[^}]*\}", bare))))
    assert asked <= set[str]().union(*(known[name] for name in names - OF_PROMETHEUS))
    assert rule["labels"]["severity"] in {"warning", "critical"}


def test_operations_says_what_to_do_for_each_alert_and_for_no_other() -> None:
    """Nobody is woken by a word that stands nowhere."""
    assert set(re.findall(r"`(Garita[A-Z]\w+)`", OPERATIONS)) == {rule["alert"] for rule in RULES}
