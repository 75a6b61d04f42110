"""`python -m tests.integration.auth_service.nursery`: starts the auth service as fast as a fork, for tests that start it hundreds of times.

Each line of its input is a JSON object of environment variables. The answer is the process id of a service that runs with them, as `python -m auth_service` would, and
another line once that process is dead, by whose hand ever. One service at a time; the program ends with its input.
"""

import json
import os
import sys

from auth_service.app import run
from auth_service.config import AuthConfig
from garita_common.runtime import main


def serve(settings: dict[str, str]) -> None:
    """In the child: the service, to its end; it writes nothing and reads nothing of ours."""
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, sys.stdin.fileno())
    os.dup2(nothing, sys.stdout.fileno())
    os.environ.update(settings)
    os._exit(main("auth_service", AuthConfig, run))


if __name__ == "__main__":
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            serve(json.loads(line))
        print(child, flush=True)
        os.waitpid(child, 0)
        print("dead", flush=True)
