"""The end of a replay, as a table for people and JSON for the record."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.tally import Verdict


@dataclass
class Report:
    """All figures of one replay."""

    date: str
    hours: float
    speed: float
    people: int
    transports: dict[str, int]
    took_s: float
    sent: int
    acknowledged: int
    stored: int
    deliveries: int
    verdict: Verdict
    ack_ms: dict[str, float]
    delivery_ms: dict[str, float]
    client: dict[str, float]
    failures: list[str]
    client_cpu_s: float

    @property
    def good(self) -> bool:
        """Nothing lost, doubled or out of order, everything acknowledged."""
        return self.verdict.faults == 0 and self.sent == self.acknowledged and not self.failures

    def told(self) -> dict[str, Any]:
        """The report as JSON."""
        return {"good": self.good, **asdict(self)}


def show(report: Report, console: Console) -> None:
    """The tables."""
    table = Table(title=f"{report.date}: {report.hours:.1f} h of {report.people} people at {report.speed:g} times life")
    table.add_column("")
    table.add_column("", justify="right")
    mixed = ", ".join(f"{count} {name}" for name, count in report.transports.items())
    rows: list[tuple[str, object]] = [
        ("connections", mixed), ("took", f"{report.took_s:.1f} s"), ("sent", report.sent),
        ("acknowledged", report.acknowledged), ("stored", report.stored), ("delivered", f"{report.deliveries:,}"),
    ]  # fmt: skip
    rows += [(name.replace("_", " "), number) for name, number in vars(report.verdict).items()]
    rows += [
        ("acknowledged after, ms", _percentiles(report.ack_ms)),
        ("delivered after, ms", _percentiles(report.delivery_ms)),
    ]
    rows += [(name.replace("_", " "), f"{number:g}") for name, number in report.client.items()]
    for name, value in rows:
        table.add_row(name, str(value))
    console.print(table)
    for failure in report.failures[:20]:
        console.print(failure, highlight=False)
    console.print("good: nothing lost, doubled or out of order" if report.good else "NOT GOOD")


def write(report: Report, path: Path) -> None:
    """The JSON file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report.told(), indent=2, ensure_ascii=False) + "\n")


def _percentiles(told: dict[str, float]) -> str:
    return "  ".join(f"{name} {value:g}" for name, value in told.items())
