"""`python -m auth_service`."""

import sys

from garita_common.runtime import main

from .app import run
from .config import AuthConfig

if __name__ == "__main__":
    sys.exit(main("auth_service", AuthConfig, run))
