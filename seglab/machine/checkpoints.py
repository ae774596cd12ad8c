"""The file of a trained network."""

import re
from pathlib import Path

import torch
from torch import nn

from seglab.machine.embedded import FOLDER
from seglab.machine.files import FULL, written_whole

# What torch says when a file cannot grow; that the disk is full it keeps to itself.
CANNOT_GROW = re.compile(r"unexpected pos \d+ vs \d+|failed writing file")


class CheckpointError(ValueError):
    """A checkpoint is missing, cut off, not one of seglab's, or cannot be written."""


def write(path: Path, content: dict) -> None:
    """Write a dict of tensors and plain values, whole or not at all.

    Raises:
        CheckpointError: the disk is full; then an older file of that name is still whole.
    """
    try:
        with written_whole(path) as temporary:
            torch.save(content, temporary)
    except (OSError, RuntimeError) as error:
        no_room = (
            error.errno in FULL if isinstance(error, OSError) else CANNOT_GROW.search(str(error))
        )
        if not no_room:
            raise
        old = " beside the old one, which is still whole" if path.exists() else ""
        raise CheckpointError(
            f"{path}: the disk, or your share of it, is full. The file needs "
            f"{tensor_bytes(content) / 1e6:.1f} MB{old}. Free some room; then a training goes on "
            "from its last checkpoint with resume=True (in a shell: --resume)"
        ) from error


def tensor_bytes(content) -> int:
    """How many bytes the tensors in nested dicts and lists have."""
    if isinstance(content, torch.Tensor):
        return content.nbytes
    if isinstance(content, dict):
        content = content.values()
    elif not isinstance(content, list | tuple):
        return 0
    return sum(map(tensor_bytes, content))


def plain_names(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """A state dict without what wrappers add to names: "module." and "_orig_mod.".

    The first is DataParallel's, the second torch.compile's.
    """
    state = {name.replace("_orig_mod.", ""): value for name, value in state.items()}
    if all(name.startswith("module.") for name in state):
        state = {name.removeprefix("module."): value for name, value in state.items()}
    return state


def unwrapped(model: nn.Module) -> nn.Module:
    """The network inside of torch.compile's wrapper and DataParallel's."""
    if hasattr(model, "_orig_mod"):
        return unwrapped(model._orig_mod)
    parallel = (nn.DataParallel, nn.parallel.DistributedDataParallel)
    return unwrapped(model.module) if isinstance(model, parallel) else model


def stored(path: str | Path) -> dict:
    """What any file that torch wrote holds, by name.

    Raises:
        CheckpointError: the file is missing or cut off, or holds something else.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        command = "data/train_embedded.py" if Path(path).parent == FOLDER else "-m seglab train"
        raise CheckpointError(
            f"{path}: no such checkpoint; train one with `python {command}`"
        ) from None
    except Exception as error:  # torch.load raises many kinds for a damaged file
        raise CheckpointError(
            f"{path}: cannot be read as a checkpoint ({type(error).__name__}); it may be cut off"
        ) from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}: no checkpoint; it holds a {type(content).__name__}")
    return content


def read(path: str | Path) -> dict:
    """The content of a file that `seglab.networks.save` wrote, by name.

    Raises:
        CheckpointError: the file is missing, cut off, or something else.
    """
    content = stored(path)
    if "seglab" not in content:
        raise CheckpointError(
            f"{path}: not a checkpoint of seglab's (bare weights, perhaps?); it holds "
            f"{list(content)[:3]}"
        )
    return content | {"state": plain_names(content.get("state", {}))}
