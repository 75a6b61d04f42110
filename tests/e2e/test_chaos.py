"""Everything that may fail fails once, under load, with two gateways and two chat services: what was acknowledged is there, once and in order."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PEOPLE = 12
PROCESSES = ("gateway-1", "gateway-2", "chat", "chat-2", "auth", "detector", "redis")


@pytest.mark.slow
@pytest.mark.timeout(420)
def test_every_blow_once(tmp_path: Path) -> None:
    """Each process killed, stopped for longer than a standby waits, and ended in order one after the other; Redis emptied, slowed, cut off, held back, its subscribers
    deafened, one of them dead but counted; a gateway's network cut: acknowledged = stored = delivered once and in order at every member, and all are back."""
    report = tmp_path / "chaos.json"
    words = ["--each-once", "--people", str(PEOPLE), "--rate", "10", "--longest-s", "4", "--json", str(report)]

    ran = subprocess.run(
        [sys.executable, "-m", "bench.chaos", *words],
        cwd=ROOT,
        env={**os.environ, "GARITA_CHAT_TAKEOVER_S": "1.5"},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    told = json.loads(report.read_text())
    assert told["good"]
    assert told["sent"] == told["acknowledged"] == told["stored"] > 100
    assert told["deliveries"] > told["stored"]
    dealt = {row["blow"] for row in told["outages"]}
    wanted = {f"{how} {name}" for how in ("kill", "stop") for name in PROCESSES}
    wanted |= {"empty", "slow", "sever", "hold", "deafen", "pretend", "roll", "end redis", "end chat"}
    assert wanted <= dealt
    assert not told["namespace"] or {"cut gateway-1", "cut gateway-2"} <= dealt
