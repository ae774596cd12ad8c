"""Several processes that train one network together, one for each GPU (notebook 07).

    torchrun --nproc-per-node=2 -m seglab train

`torchrun` starts the same program several times and numbers the processes. Each works on its part
of every batch; after each step they average their gradients, so all hold the same weights. Without
torchrun every function here does nothing. Source: PyTorch's DistributedDataParallel.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import Dataset
from tqdm.auto import tqdm


class ProcessLost(RuntimeError):
    """Another process of this training has ended, so this one cannot go on."""


@contextmanager
def processes(device: torch.device) -> Iterator[None]:
    """Inside, the processes that torchrun started know each other.

    Args:
        device: this process's own; GPUs talk through NCCL, processors through Gloo.

    Raises:
        ProcessLost: another one ended while this one waited for it (told from what Gloo says; on
            GPUs read torchrun's own report).
    """
    if int(os.environ.get("WORLD_SIZE", 1)) == 1:
        yield
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield
    except RuntimeError as error:
        if "closed by peer" not in str(error).lower() and "reset by peer" not in str(error).lower():
            raise
        raise ProcessLost(
            f"process {rank()} of {count()} stops: another process of this training has ended. "
            "Look for its message above; then start again with --resume."
        ) from error
    finally:
        dist.destroy_process_group()


def count() -> int:
    """How many processes train together; 1 without torchrun."""
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    """The number of this process, from 0. Only process 0 writes files and shows progress."""
    return dist.get_rank() if dist.is_initialized() else 0


def own_items(data: Dataset, title: str, progress: bool = True) -> Iterator[tuple]:
    """The index and the item of each image that is this process's, under a bar with a title."""
    mine, hidden = range(rank(), len(data), count()), not progress or rank() > 0
    for index in tqdm(mine, title, disable=hidden, leave=False):
        yield index, data[index]


def shared(model: nn.Module) -> nn.Module:
    """The model, with gradients that are averaged over the processes after each backward pass."""
    return model if count() == 1 else DistributedDataParallel(model)


def total(values: torch.Tensor) -> torch.Tensor:
    """The sum of a tensor over all processes."""
    if count() == 1:
        return values
    # NCCL adds up on the GPU only.
    place = "cuda" if dist.get_backend() == "nccl" else "cpu"
    added = values.to(place, copy=True)
    dist.all_reduce(added)
    return added.to(values.device)


def wait() -> None:
    """Return when all processes have come here."""
    if count() > 1:
        dist.barrier()


def copy_statistics(model: nn.Module) -> None:
    """Give all processes the batch-norm statistics of process 0; each gathered its own."""
    if count() > 1:
        for values in model.buffers():
            dist.broadcast(values, src=0)
