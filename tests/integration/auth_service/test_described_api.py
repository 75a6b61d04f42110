"""The API is what /openapi.json says: schemathesis asks a whole service whatever the document allows and much that it does not."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.integration.auth_service.conftest import PASSWORD, Worlds

HERE = Path(__file__).parent
EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "4"))
"""Random cases for each operation, beside those that the document itself gives rise to; docs/operations.md names the variable."""
ACCOUNTS = 12
WIDE_OPEN = dict.fromkeys(
    (
        "LOGIN_PROOF_AFTER", "LOGIN_PICTURE_AFTER", "LOGIN_SHUT_AFTER_PER_H", "LOGIN_SHUT_IN_A_ROW", "DEVICE_SHUT_AFTER_PER_15_MIN",
        "MFA_PER_ACCOUNT_PER_H", "MFA_PER_ACCOUNT_PER_DAY", "STEP_UPS_PER_SESSION_PER_15_MIN", "CODES_PER_CONTACT_PER_DAY",
        "CODES_PER_ACCOUNT_PER_DAY", "REFRESHES_PER_SESSION_PER_MIN", "RECOVERIES_PER_ACCOUNT_PER_DAY",
    ),
    "1000000",
)  # fmt: skip
"""Limits answer 429 or 428 before anything else is looked at; here what stands behind them is asked for."""


@pytest.mark.slow
@pytest.mark.timeout(60 + 60 * EXAMPLES)
async def test_every_answer_is_a_declared_one(worlds: Worlds, tmp_path: Path) -> None:
    """Right requests and wrong ones, with a token, without and with a false one, one after the other and in chains."""
    async with worlds(**WIDE_OPEN) as world:
        people = [await world.register() for _ in range(ACCOUNTS)]
        words = [
            sys.executable, "-m", "schemathesis.cli", "--config-file", str(HERE / "schemathesis.toml"), "run",
            f"{world.url}/v1/auth/openapi.json", "--checks", "all", "--max-examples", str(EXAMPLES), "--seed", "1",
            "--continue-on-failure", "--no-color",
        ]  # fmt: skip
        environment = os.environ | {
            "SCHEMATHESIS_HOOKS": str(HERE / "schemathesis_accounts.py"),
            "GARITA_TEST_URL": world.url,
            "GARITA_TEST_PASSWORD": PASSWORD,
            "GARITA_TEST_ACCOUNTS": ",".join(f"{person.name}:{person.device}" for person in people),
        }
        asking = await asyncio.create_subprocess_exec(
            *words, env=environment, cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        try:
            said, _ = await asking.communicate()
        finally:
            if asking.returncode is None:
                asking.kill()
        assert asking.returncode == 0, said.decode()
