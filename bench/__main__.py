"""`make bench`: a short slice of a real day through a stack of its own, and its table."""

import sys

from bench.replay import main

SLICE = ("--people", "400", "--from-hour", "20", "--hours", "0.5", "--speed", "60")

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or list(SLICE)))
