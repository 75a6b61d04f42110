"""`python -m detector_service`."""

import sys

from garita_common.runtime import main

from .app import run
from .config import DetectorConfig

if __name__ == "__main__":
    sys.exit(main("detector", DetectorConfig, run))
