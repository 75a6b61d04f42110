"""The replay's books balance on the real stack."""

import csv
import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .conftest import StackMaker

ROOT = Path(__file__).parents[2]
PEOPLE = 6


def made_up_day(folder: Path, messages: int) -> None:
    """A small day in the form of the real data: people take turns, with bursts."""
    fields = ["channel", "author", "t", "len", "words", "text", "flags", "label"]
    with gzip.open(folder / "rbtv_days.calibration.csv.gz", "wt", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(fields)
        for number in range(messages):
            moment = number // 3 * 3 * 23 * 3600 / messages
            writer.writerow([1, number * number % PEOPLE, moment, number % 200 + 1, 1, number, 0, "human"])


def replay(state: Path, chatlogs: Path, seconds: int) -> tuple[subprocess.CompletedProcess[str], Any]:
    """One run that takes about so many seconds; its report."""
    report = chatlogs / "report.json"
    told = [
        "--state",
        str(state),
        "--chatlogs",
        str(chatlogs),
        "--speed",
        str(23 * 3600 / seconds),
        "--json",
        str(report),
    ]
    ran = subprocess.run(
        [sys.executable, "-m", "bench.replay", *told],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    return ran, json.loads(report.read_text()) if report.exists() else None


@pytest.mark.slow
def test_books_balance(make_stack: StackMaker, tmp_path: Path) -> None:
    """Everything that was sent is acknowledged, stored and heard by all, once and in order, over both transports and two gateways."""
    make_stack(gateways=2)
    made_up_day(tmp_path, 60)

    ran, report = replay(tmp_path / "var", tmp_path, 10)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert report["good"]
    assert (report["sent"], report["acknowledged"], report["stored"]) == (60, 60, 60)
    assert report["people"] * 60 == report["deliveries"]
    assert all(report["transports"].values())
