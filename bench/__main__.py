"""`make bench`: load from processes of its own, against a stack of its own; what there is says `python -m bench`."""

import sys

from bench.load.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
