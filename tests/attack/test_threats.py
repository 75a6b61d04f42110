"""THREAT_MODEL.md and this folder say the same."""

import re
from pathlib import Path

HERE = Path(__file__).parent


def test_every_threat_has_its_file_and_every_file_its_threat() -> None:
    """No row without a test, no test without a row."""
    rows = set(re.findall(r"`(test_[a-z]\d\d_\w+\.py)`", (HERE.parents[1] / "THREAT_MODEL.md").read_text()))
    files = {path.name for path in HERE.glob("test_[a-z][0-9][0-9]_*.py")}

    assert rows == files
