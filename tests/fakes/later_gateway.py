"""`python -m tests.fakes.later_gateway`: the gateway as it is, with a clock that a test moves."""

from __future__ import annotations

import asyncio
import sys

from prometheus_client import CollectorRegistry

from garita_common.runtime import main
from gateway.app import build
from gateway.clock import Clock
from gateway.config import GatewayConfig
from tests.fakes.moved_clock import MovedClock


async def run(config: GatewayConfig, stop: asyncio.Event) -> None:
    """The process's whole life."""
    clock = Clock(unix=MovedClock.of_environment())
    await build(config, clock=clock, registry=CollectorRegistry()).serve(stop)


if __name__ == "__main__":
    sys.exit(main("gateway", GatewayConfig, run))
