"""Why a training cannot begin or go on, said so that one knows what to change."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.utils.data import Dataset

from seglab.machine import distributed


class TrainingError(RuntimeError):
    """Training cannot go on. The message names the likely causes."""


@contextmanager
def limits_explained(recipe) -> Iterator[None]:
    """Inside, a batch that is too large or too small is a `TrainingError` that says what to change.

    Too large: memory runs out. Too small: batch norm has a single number for each channel, or the
    network wants larger images.

    Args:
        recipe: the `seglab.recipes.Recipe` whose batches they are.
    """
    try:
        yield
    except (RuntimeError, ValueError) as error:
        words = str(error).lower()
        if "out of memory" in words or "can't allocate" in words:
            found = "out of memory"
            cure = "Halve the batch_size first, then the crop; or choose a smaller network."
        elif "more than 1 value per channel" in words or "at least 32 x 32" in words:
            found = f"too little to learn from ({error})"
            cure = "Raise the batch_size or the crop (in a shell: --batch-size, --crop)."
        else:
            raise
        height, width = recipe.crop
        raise TrainingError(
            f"{found} with batch_size {recipe.batch_size} and crop {height} x {width}. {cure}"
        ) from error


def expect_equal_shares(batch_size: int) -> None:
    """A `TrainingError` if the processes that train together cannot share batches of this size."""
    if batch_size % distributed.count():
        raise TrainingError(
            f"{distributed.count()} processes cannot share batches of {batch_size}; choose a "
            "batch_size that their number divides"
        )


def expect_channels(logits: torch.Tensor, classes: int) -> None:
    """A `TrainingError` if logits `[N, C, H, W]` have too few channels for the classes."""
    if (channels := logits.shape[1]) < classes:
        raise TrainingError(
            f"the model scores {channels} classes but the data set has {classes}; build it with "
            f"num_classes={classes}"
        )


def expect_a_number(loss: float, step: int, rate: float) -> None:
    """A `TrainingError` if a loss is infinite or not a number; `rate` is the learning rate."""
    if not math.isfinite(loss):
        raise TrainingError(
            f"the loss is {loss} at step {step}. Likely causes: a learning rate that is too high "
            f"(now {rate:.2g}; try a tenth, or max_gradient_norm=1), or images that are not "
            "normalised."
        )


def expect_pretrained(norms: list[nn.BatchNorm2d], recipe) -> None:
    """A `TrainingError` if the norms are those of a backbone at random and the recipe freezes it.

    Norms that have seen no image have the mean 0.
    """
    at_random = norms and not any(norm.running_mean.any() for norm in norms)
    if at_random and (recipe.frozen_norms or recipe.frozen_stages or recipe.frozen_depthwise):
        raise TrainingError(
            f"the recipe freezes parts of the backbone (frozen_norms {recipe.frozen_norms}, "
            f"frozen_stages {recipe.frozen_stages}, frozen_depthwise "
            f"{recipe.frozen_depthwise}), but this one starts at random; train it with "
            "recipe.from_scratch()"
        )


def look_through(data: Dataset, part: str, void: int, progress: bool = True) -> None:
    """Read all images and masks once, so that no fault waits for the end of a training.

    Of several processes each looks at its part.

    Args:
        data: items of image `uint8 [3, H, W]` and mask `uint8 [H, W]`; `data.num_classes` says
            how many classes there are.
        part: its name in messages, such as "training".
        void: the index of pixels that nobody labelled.
        progress: show a bar.

    Raises:
        TrainingError: a mask of another size than its image, an index without a class, or nothing
            but void. What reading an item raises comes through as it is.
    """
    labelled, title = torch.zeros((), dtype=torch.int64), f"looking through the {part} masks"
    for index, (image, mask) in distributed.own_items(data, title, progress):
        if fault := fault_of(image, mask, data.num_classes, void):
            raise TrainingError(
                f"{part} image {index}: {fault}. Correct it; or skip this look with check=False "
                "(in a shell: --no-check)."
            )
        labelled += (mask != void).sum()
    if distributed.total(labelled) == 0:
        raise TrainingError(
            f"the {part} masks are void ({void}) all over: not one of {len(data)} has a labelled "
            f"pixel, so there is nothing to learn or to score. If {void} marks an object in "
            "them, write another index; else label some pixels."
        )


def fault_of(image: torch.Tensor, mask: torch.Tensor, num_classes: int, void: int) -> str | None:
    """What is wrong with a mask, in words; None if nothing is."""
    if mask.shape != image.shape[-2:]:
        return f"the mask is {list(mask.shape)} pixels but its image {list(image.shape[-2:])}"
    strangers = mask[(mask >= num_classes) & (mask != void)].unique().tolist()
    if strangers:
        return (
            f"the mask has index {strangers[0]}, but there are {num_classes} classes (0 to "
            f"{num_classes - 1}) and void ({void})"
        )
    return None
