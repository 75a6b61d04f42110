"""Limits on trial and rates of operations as settings: what is wrong refuses the start, with a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from garita_common.config import ConfigError
from tests.unit.gateway.test_limits import config

from .rig import eventually, rig, user_id


@pytest.mark.parametrize(
    ("setting", "text", "why"),
    [
        ("DRY_RUN", "sned", "there is no limit sned"),
        ("DRY_RUN", "send,queue_bytes", "queue_bytes bounds what waits for a client that does not read"),
        ("DRY_RUN", "header_bytes", "header_bytes bounds"),
        ("DRY_RUN", "limiter_keys", "limiter_keys bounds"),
        ("OPERATION_RATES", "leave=1:1", "leave has a limit of its own or is never refused"),
        ("OPERATION_RATES", "search=fast", "not of the form"),
    ],
)
def test_what_is_wrong_refuses_the_start(setting: str, text: str, why: str) -> None:
    """By the setting's name, and with the reason."""
    with pytest.raises(ConfigError, match=f"GARITA_GATEWAY_{setting}: .*{why}"):
        config(**{f"GARITA_GATEWAY_{setting}": text})


def test_limits_on_trial_are_named_with_commas() -> None:
    """None by default."""
    assert config().on_trial == frozenset()
    assert config(GARITA_GATEWAY_DRY_RUN=" send, errors,").on_trial == {"send", "errors"}


async def test_what_a_limit_on_trial_lets_pass_is_a_figure_and_nothing_else(tmp_path: Path, redis_url: str) -> None:
    """Twelve messages against a burst of ten: all are stored, two are counted, and no record leads to a ban."""
    async with rig(tmp_path, redis_url, dry_run="send", send_per_s=0.0001) as it:
        room = it.chat.room(user_id("ana"))
        client = await it.user("ana")

        answers = [await client.change("send", room=room.id, text="hola") for _ in range(12)]

        assert {answer["op"] for answer in answers} == {"ok"}
        await eventually(lambda: it.figure("gateway_would_refuse_total", limit="send") == 2)
        assert it.figure("gateway_refused_total", reason="send") == 0


async def test_the_same_without_a_trial(tmp_path: Path, redis_url: str) -> None:
    """The eleventh is refused."""
    async with rig(tmp_path, redis_url, send_per_s=0.0001) as it:
        room = it.chat.room(user_id("ana"))
        client = await it.user("ana")

        answers = [await client.change("send", room=room.id, text="hola") for _ in range(12)]

        assert [answer.get("code", "ok") for answer in answers] == ["ok"] * 10 + ["rate_limited"] * 2
        assert it.figure("gateway_refused_total", reason="send") == 2
