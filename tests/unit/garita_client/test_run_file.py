"""What the launcher says about its stack."""

import json

import pytest

from garita_client.core.run_file import BadRunFile, ProcessFacts, parse_run_file


def test_run_file_is_read() -> None:
    """Addresses and processes; what is new in it does no harm."""
    told = {
        "v": 1, "http": "http://127.0.0.1:8080", "tcp": "127.0.0.1:8081", "outbox": "http://x", "operator": "http://y", "new": [1],
        "secrets_dir": "/s", "redis_url": "unix:///r",
        "processes": {"redis": {"pid": 5}, "gateway-1": {"pid": 6, "inner": "http://i", "http": "http://h", "tcp": "t", "more": 1}},
    }  # fmt: skip

    stack = parse_run_file(json.dumps(told).encode())

    assert stack.processes["redis"] == ProcessFacts(5)
    assert stack.processes["gateway-1"].inner == "http://i"


@pytest.mark.parametrize("data", [b"", b"[]", b'{"http":1}', b"\xff"])
def test_other_files_are_refused(data: bytes) -> None:
    """One sentence instead of a traceback."""
    with pytest.raises(BadRunFile):
        parse_run_file(data)
