"""What training makes small: losses, and weights for rare classes (notebook 07)."""

import torch
import torch.nn.functional as F
from torch.utils.data import Dataset

from seglab.palettes import VOID


def pixel_loss(
    logits: torch.Tensor, masks: torch.Tensor, weights: torch.Tensor | None = None
) -> torch.Tensor:
    """Cross-entropy, averaged over the labelled pixels; zero if there is none.

    Args:
        logits: `float [N, C, H, W]`.
        masks: `uint8` or `int64 [N, H, W]`; void (255) does not count.
        weights: `float [C]`, for each class; the average is weighted by them.
    """
    masks = masks.long()
    total = F.cross_entropy(
        logits.float(), masks, weight=weights, ignore_index=VOID, reduction="sum"
    )
    labelled = masks != VOID
    if weights is None:
        norm = labelled.sum()
    else:
        norm = weights[masks.where(labelled, 0)].where(labelled, 0).sum()
    return total / norm.clamp(min=1e-6)


def dice_loss(
    logits: torch.Tensor, masks: torch.Tensor, weights: torch.Tensor | None = None
) -> torch.Tensor:
    """One minus the Dice score of the probabilities, averaged over the classes in the batch.

    Dice is twice the overlap over the sum of both areas. Here a pixel belongs to a class as far
    as its probability says, so the score has a gradient. Every class that is labelled somewhere in
    the batch counts alike, however small. Void pixels do not count; zero if all are void.
    Arguments are those of `pixel_loss`. Source: Milletari et al., V-Net (2016), section 3, with
    areas that are not squared.
    """
    classes, labelled = logits.shape[1], masks != VOID
    masks = masks.long().where(labelled, 0)
    probable = logits.float().softmax(1) * labelled[:, None]  # [N, C, H, W]
    of_true_class = probable.gather(1, masks[:, None])  # [N, 1, H, W]
    overlap = probable.new_zeros(classes).index_add(0, masks.flatten(), of_true_class.flatten())
    true_area = torch.bincount(masks[labelled], minlength=classes)
    present = true_area > 0
    share = present.float() if weights is None else weights * present
    areas = probable.sum((0, 2, 3)) + true_area
    misses = (1 - 2 * overlap / areas.clamp(min=1e-6)) * share
    return misses.sum() / share.sum().clamp(min=1e-6)


def cross_entropy_and_dice(
    logits: torch.Tensor, masks: torch.Tensor, weights: torch.Tensor | None = None
) -> torch.Tensor:
    """The sum of `pixel_loss` and `dice_loss`. Class weights go to the cross-entropy only."""
    return pixel_loss(logits, masks, weights) + dice_loss(logits, masks)


# By the names that a recipe uses. All take (logits, masks, weights).
LOSSES = {
    "cross_entropy": pixel_loss,
    "dice": dice_loss,
    "cross_entropy_dice": cross_entropy_and_dice,
}


def class_pixels(dataset: Dataset, num_classes: int) -> torch.Tensor:
    """For each image, how many pixels each class has: `int64 [images, C]`.

    Args:
        dataset: a `VOCSegmentation`, of which only the masks are read, or any data set of pairs.
        num_classes: C; indices from C on, void among them, are left out.
    """
    rows = []
    for index in range(len(dataset)):
        mask = dataset.mask(index) if hasattr(dataset, "mask") else dataset[index][1]
        rows.append(torch.bincount(mask.flatten().to(torch.int64), minlength=256)[:num_classes])
    return torch.stack(rows)


def class_shares(dataset: Dataset, num_classes: int) -> torch.Tensor:
    """Of each class the share of the labelled pixels, `float64 [C]`; see `class_pixels`."""
    counts = class_pixels(dataset, num_classes).sum(0).double()
    return counts / counts.sum()


def balanced_weights(shares: torch.Tensor) -> torch.Tensor:
    """A weight for each class, larger for rare ones: `1 / log(1.02 + share)`, `float32 [C]`.

    Source: Paszke et al., ENet (2016), section 5.2.
    """
    return (1 / torch.log(1.02 + shares)).float()


def median_frequency_weights(pixels: torch.Tensor) -> torch.Tensor:
    """A weight for each class: the median of the frequencies over its own, `float32 [C]`.

    The frequency of a class is its share of the labelled pixels of those images that show it. A
    class that occurs nowhere gets 0, and does not count in the median.
    Source: Eigen and Fergus (2015), section 6.3.2; used by SegNet.

    Args:
        pixels: `int64 [images, C]`, see `class_pixels`.
    """
    shown = pixels > 0
    around = (pixels.sum(1, keepdim=True) * shown).sum(0)  # labelled pixels where a class occurs
    frequency = pixels.sum(0) / around.clamp(min=1)
    occurs = shown.any(0)
    weights = frequency[occurs].quantile(0.5) / frequency.clamp(min=1e-12)
    return weights.where(occurs, 0).float()


def class_weights(kind: str, dataset: Dataset) -> torch.Tensor | None:
    """The weights that a recipe calls "log" (`balanced_weights`) or "median"; None for "none"."""
    if kind == "none":
        return None
    if kind == "log":
        return balanced_weights(class_shares(dataset, dataset.num_classes))
    return median_frequency_weights(class_pixels(dataset, dataset.num_classes))
