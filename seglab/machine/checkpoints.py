"""The file of a trained network."""

import re
from pathlib import Path

import torch

from seglab.machine.files import FULL

# What torch says when a file cannot grow; that the disk is full it keeps to itself.
CANNOT_GROW = re.compile(r"unexpected pos \d+ vs \d+|failed writing file")


class CheckpointError(ValueError):
    """A checkpoint is missing, cut off, not one of seglab's, or cannot be written."""


def is_disk_full(error: OSError | RuntimeError) -> bool:
    """Did writing end with this error because there is no more room?"""
    if isinstance(error, OSError):
        return error.errno in FULL
    return bool(CANNOT_GROW.search(str(error)))


def disk_full(path: Path, content: dict) -> str:
    """What there is to say when a checkpoint does not fit on the disk."""
    counter = Counter()
    torch.save(content, counter)
    old = " beside the old one, which is still whole" if path.exists() else ""
    return (
        f"{path}: the disk, or your share of it, is full. The file needs {counter.size / 1e6:.1f} "
        f"MB{old}. Free some room; then a training goes on from its last checkpoint with "
        "resume=True (in a shell: --resume)"
    )


class Counter:
    """A file that only counts its bytes."""

    size = 0

    def write(self, data) -> int:
        """Count these bytes."""
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        """Nothing waits to be written."""


def read(path: str | Path) -> dict:
    """The content of a file that `save` wrote, by name.

    Raises:
        CheckpointError: the file is missing, cut off, or something else.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise CheckpointError(
            f"{path}: no such checkpoint; train one with `python -m seglab train`"
        ) from None
    except Exception as error:  # torch.load raises many kinds for a damaged file
        raise CheckpointError(
            f"{path}: cannot be read as a checkpoint ({type(error).__name__}); it may be cut off"
        ) from error
    if not isinstance(content, dict) or "seglab" not in content:
        raise CheckpointError(f"{path}: not a checkpoint of seglab's (bare weights, perhaps?)")
    return content
