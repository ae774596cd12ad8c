"""Writing files so that nobody ever finds half of one."""

import errno
import glob
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# What the system answers when a disk, or somebody's share of it, has no more room.
FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


@contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
    """Write under a temporary name; rename when everything went well.

        with written_whole("model.pt") as temporary:
            torch.save(state, temporary)

    The folder is made if it is missing. If the body fails, the old file stays as it was.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def remove_leftovers(path: str | Path) -> None:
    """Delete what killed processes left half-written beside a file."""
    path = Path(path)
    start, end = f".{path.stem}.", path.suffix
    for leftover in path.parent.glob(f"{glob.escape(start)}*{glob.escape(end)}"):
        if leftover.name.removeprefix(start).removesuffix(end).isdigit():  # a process number
            leftover.unlink(missing_ok=True)
