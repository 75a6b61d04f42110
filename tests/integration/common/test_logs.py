"""garita_common.logs in a real process."""

import json
import subprocess
import sys

from garita_common.config import Secret
from garita_common.logs import AddressHash, Sparingly

PROGRAM = """
import structlog
from garita_common import logs
logs.configure("toy", "INFO")
log = structlog.get_logger()
log.debug("hidden")
log.info("seen", agent="a\\r\\n{\\"event\\":\\"forged\\"}")
"""


def test_a_line_is_one_json_object_whatever_it_holds() -> None:
    """Line breaks in a value do not make a second line."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=30, check=True)

    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["seen"]
    assert lines[0]["service"] == "toy"


def test_an_address_is_logged_as_a_keyed_hash() -> None:
    """Equal addresses look equal, and another key gives another hash."""
    one, other = AddressHash(Secret("k" * 40)), AddressHash(Secret("l" * 40))

    assert one("192.0.2.1") == one("192.0.2.1") != other("192.0.2.1")
    assert "192" not in one("192.0.2.1")


def test_a_stranger_cannot_write_our_logs() -> None:
    """One line a minute per event and reason."""
    now_s = [0.0]
    sparingly = Sparingly(lambda: now_s[0])

    assert sparingly.due("refused", "rate")
    assert not sparingly.due("refused", "rate")
    assert sparingly.due("refused", "ban")
    now_s[0] = 60.0
    assert sparingly.due("refused", "rate")
