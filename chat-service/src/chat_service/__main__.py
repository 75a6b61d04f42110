"""`python -m chat_service`."""

import sys


def start() -> int:
    """Runs the service; returns the exit code: 0 after SIGTERM, 1 when another copy took over, 78 for a bad configuration."""
    import structlog

    from garita_common import runtime

    from . import app
    from .config import ChatConfig
    from .database import FenceLost

    code = 1
    try:
        code = runtime.main("chat", ChatConfig, app.run)
    except* FenceLost:
        structlog.get_logger().error("fence_lost", hint="another copy of the chat service owns the database now")
    return code


if __name__ == "__main__":
    sys.exit(start())
