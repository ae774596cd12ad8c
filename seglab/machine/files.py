"""Writing files and folders so that nobody ever finds half of one."""

import csv
import errno
import glob
import os
import shutil
from collections.abc import Iterable, Iterator
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


def write_csv(path: str | Path, rows: Iterable[Iterable]) -> Path:
    """Write rows of cells, the first with the names of the columns; whole or not at all."""
    with (
        written_whole(path) as temporary,
        open(temporary, "w", newline="", encoding="utf-8", errors="backslashreplace") as file,
    ):
        csv.writer(file).writerows(rows)
    return Path(path)


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
def alone(path: str | Path, patience: float | None = None) -> Iterator[None]:
    """Inside, no other process of this machine is inside for the same path.

    The lock of a killed process is void. Where a disk knows no locks, all may enter.

    Args:
        path: a file or folder that is to be made; the lock is a hidden file beside it.
        patience: seconds to wait for another process to leave. Default: as long as it takes,
            after a line that says so.

    Raises:
        Occupied: another process is inside, and stays longer.
    """
    from filelock import FileLock, Timeout  # here: whoever only writes a file does not wait for it

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.with_name(f".{path.stem}.lock"))
    try:
        lock.acquire(timeout=patience or 0)
    except Timeout:
        if patience is not None:
            raise Occupied(f"{path}: another process works on it") from None
        print(f"another process is making {path}: waiting for it", flush=True)
        lock.acquire()
    except (NotImplementedError, OSError):
        pass  # some network drives know no locks
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
