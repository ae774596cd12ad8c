"""`python -m seglab`: see `seglab.classroom.shell`."""

import sys

from seglab.classroom.shell import main

if __name__ == "__main__":
    sys.exit(main())
