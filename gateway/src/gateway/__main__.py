"""`python -m gateway`: one gateway process, set up by the environment (`config.py`)."""

import sys


def main() -> int:
    """Runs until SIGTERM or SIGINT; returns the exit code."""
    from garita_common import runtime

    from .app import run
    from .config import GatewayConfig

    return runtime.main("gateway", GatewayConfig, run)


if __name__ == "__main__":
    sys.exit(main())
