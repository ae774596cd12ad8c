"""Writing files and folders so that nobody ever finds half of one."""

import errno
import glob
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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


@contextmanager
def folder_written_whole(folder: str | Path) -> Iterator[Path]:
    """Fill a folder under a temporary name; rename it when everything went well.

    The body makes the temporary folder. If the body fails, nothing is left of it.

    Raises:
        OSError: the folder exists already and is not empty.
    """
    folder = Path(folder)
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        yield temporary
        os.replace(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def alone(path: str | Path) -> Iterator[None]:
    """Wait until no other process works on a file or folder. The lock of a killed one is void."""
    from filelock import FileLock, Timeout  # here: whoever only writes a file does not wait for it

    path = Path(path)
    lock = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print(f"another process is making {path}: waiting for it", flush=True)
        lock.acquire()
    try:
        yield
    finally:
        with suppress(OSError):  # Windows removes no open file
            os.unlink(lock.lock_file)
        lock.release()


def link_or_copy(old: Path, new: Path) -> None:
    """A second name for a file that takes no space; a copy where the disk knows no such thing."""
    try:
        os.link(old, new)
    except OSError:
        shutil.copyfile(old, new)
