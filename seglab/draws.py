"""Which pictures a training sees, in which order, and how each is changed (notebook 07)."""

import copy
from collections.abc import Callable

import torch
from torch.utils.data import DataLoader, Dataset

from seglab.machine import distributed
from seglab.recipes import Recipe
from seglab.transforms import training_transforms


class Draws(Dataset):
    """The augmented training images, one after the other, as a recipe draws them.

    Each pass over the images has an order of its own. Everything random about an item follows from
    the recipe's seed and the item's position alone, so the same position gives the same picture
    whoever asks, and when: after a restart, in a worker process, in one of several processes.

    Args:
        images: a `VOCSegmentation` without transforms; it is left as it is.
        recipe: see `Recipe`.
    """

    def __init__(self, images: Dataset, recipe: Recipe):
        self.images = copy.copy(images)
        self.images.transforms = training_transforms(
            recipe.crop, recipe.scale, recipe.longest_side, recipe.color
        )
        self.recipe = recipe

    def __len__(self) -> int:
        return self.recipe.steps * self.recipe.batch_size

    def __getitem__(self, position: int):
        """Image `uint8 [3, h, w]` and mask `uint8 [h, w]` number `position`, from 0."""
        full_passes, place = divmod(position, len(self.images))
        generator = torch.Generator().manual_seed(self.recipe.seed + full_passes)
        order = torch.randperm(len(self.images), generator=generator)
        with torch.random.fork_rng([]):
            torch.manual_seed(position_seed(self.recipe, position))
            return self.images[int(order[place])]


def position_seed(recipe: Recipe, position: int) -> int:
    """A seed from 0 to 2^32 - 1 for what is random about the image at a position."""
    return (recipe.seed * 1_000_003 + position) % 2**32


def step_seed(recipe: Recipe, step: int) -> int:
    """A seed for what is random inside the network (dropout) at a step, for each process."""
    return position_seed(recipe, -1 - step * distributed.count() - distributed.rank())


def batches(
    draws: Draws, first_step: int, workers: int, collate: Callable | None = None
) -> DataLoader:
    """Batches `uint8 [N, 3, h, w]` and `uint8 [N, h, w]`, from step `first_step` (from 0) on.

    Of several processes each gets its own part of every batch. `collate` makes a batch of a list
    of items in another way.
    """
    recipe, process, processes = draws.recipe, distributed.rank(), distributed.count()
    mine = [
        range(step * recipe.batch_size + process, (step + 1) * recipe.batch_size, processes)
        for step in range(first_step, recipe.steps)
    ]
    return DataLoader(
        draws,
        batch_sampler=mine,
        collate_fn=collate,
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=torch.cuda.is_available(),
    )
