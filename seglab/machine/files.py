"""Writing files so that nobody ever finds half of one."""

import errno
import glob
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

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


class Occupied(RuntimeError):
    """Another process works on the same file."""


@contextmanager
def kept_from_others(path: str | Path, patience: float = 0.0) -> Iterator[None]:
    """Inside, no other process of this machine is inside for the same path.

    The lock of a killed process is void. Where a disk knows no locks, all may enter.

    Args:
        path: of the file that is to be written; the lock is a hidden file beside it.
        patience: seconds to wait for another process to leave.

    Raises:
        Occupied: another process is inside, and stays longer.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.with_name(f".{path.stem}.lock"))
    try:
        lock.acquire(timeout=patience)
    except Timeout:
        raise Occupied(f"{path}: another process works on it") from None
    except (NotImplementedError, OSError):
        pass  # some network drives know no locks
    try:
        yield
    finally:
        with suppress(OSError):  # Windows removes no open file
            Path(lock.lock_file).unlink()
        lock.release()
