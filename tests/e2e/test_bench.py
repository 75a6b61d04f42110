"""Every scenario of the bench runs to its end on a real stack; what it finds at this size means nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMES = ["idle", "one-to-one", "fan-out", "rooms", "stored", "storm", "attack"]


@pytest.mark.slow
def test_every_scenario_runs(tmp_path: Path) -> None:
    """One command runs them all, keeps their results and writes the page with its plot."""
    words = ["run", "--tiny", "--json", str(tmp_path / "load.json"), "--page", str(tmp_path / "page.md")]

    ran = subprocess.run(
        [sys.executable, "-m", "bench", *words], cwd=ROOT, capture_output=True, text=True, timeout=110, check=False
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    results = {row["name"]: row for row in json.loads((tmp_path / "load.json").read_text())}
    assert list(results) == NAMES
    assert all(len(row["rows"]) >= 1 and len(row["rows"][0]) == len(row["columns"]) for row in results.values())
    assert [claim["value"] for claim in results["storm"]["claims"]] == [0]
    assert all(title in (tmp_path / "page.md").read_text() for title in (row["title"] for row in results.values()))
    assert (tmp_path / "page.svg").exists()
