"""A look at every picture before a training begins."""

import torch
from torch.utils.data import Dataset
from tqdm.auto import tqdm

from seglab.history import TrainingError
from seglab.machine import distributed
from seglab.palettes import VOID


def look_through(data: Dataset, part: str, progress: bool = True) -> None:
    """Read all images and masks once, so that no fault waits for the end of a training.

    Of several processes each looks at its part.

    Args:
        data: items of image `uint8 [3, H, W]` and mask `uint8 [H, W]`; `data.num_classes` says
            how many classes there are.
        part: its name in messages, such as "training".
        progress: show a bar.

    Raises:
        TrainingError: a mask of another size than its image, an index without a class, or nothing
            but void. What reading an item raises comes through as it is.
    """
    labelled = torch.zeros((), dtype=torch.int64)
    mine = range(distributed.rank(), len(data), distributed.count())
    hidden = not progress or distributed.rank() > 0
    for index in tqdm(mine, f"looking through the {part} masks", disable=hidden, leave=False):
        image, mask = data[index]
        if fault := fault_of(image, mask, data.num_classes):
            raise TrainingError(
                f"{part} image {index}: {fault}. Correct it; or skip this look with check=False "
                "(in a shell: --no-check)."
            )
        labelled += (mask != VOID).sum()
    if distributed.total(labelled) == 0:
        raise TrainingError(
            f"the {part} masks are void ({VOID}) all over: not one of {len(data)} has a labelled "
            f"pixel, so there is nothing to learn or to score. If {VOID} marks an object in "
            "them, write another index; else label some pixels."
        )


def fault_of(image: torch.Tensor, mask: torch.Tensor, num_classes: int) -> str | None:
    """What is wrong with a mask, in words; None if nothing is."""
    if mask.shape != image.shape[-2:]:
        return f"the mask is {list(mask.shape)} pixels but its image {list(image.shape[-2:])}"
    strangers = mask[(mask >= num_classes) & (mask != VOID)].unique().tolist()
    if strangers:
        return (
            f"the mask has index {strangers[0]}, but there are {num_classes} classes (0 to "
            f"{num_classes - 1}) and void ({VOID})"
        )
    return None
