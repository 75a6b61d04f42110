"""`python -m chat_service`."""

import sys


def start() -> int:
    """Runs the service; returns the exit code: 0 after SIGTERM, 78 for a bad configuration."""
    from garita_common import runtime

    from . import app
    from .config import ChatConfig

    return runtime.main("chat", ChatConfig, app.run)


if __name__ == "__main__":
    sys.exit(start())
