"""`python -m seglab`: see `seglab.classroom.shell`."""

import sys

from seglab.classroom import shell

if __name__ == "__main__":
    sys.exit(shell.main())
