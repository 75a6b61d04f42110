"""The example that is written from the two docs pages alone does what it says, against the real stack."""

import subprocess
import sys
from pathlib import Path

import pytest

from garita_local.stack import Stack

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "stdlib_client.py"


@pytest.mark.slow
def test_stdlib_client(stack: Stack) -> None:
    """Two registrations, a room, a message and a 5 MiB file with the same SHA-256; `-S -I`: nothing but the standard library."""
    host, port = stack.tcp
    words = [sys.executable, "-S", "-I", str(EXAMPLE), stack.http, f"{host}:{port}", stack.outbox]

    ran = subprocess.run(words, capture_output=True, text=True, timeout=100, check=False)

    assert ran.returncode == 0, ran.stderr
    assert "¡Hola, Bea!" in ran.stdout
    assert "5 MiB, SHA-256" in ran.stdout
