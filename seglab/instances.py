"""From a label for each pixel to single objects (bonus notebook 10).

Connected components make objects of a semantic mask; Mask R-CNN finds them one by one; average
precision says how good either is.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from seglab.palettes import VOID

# COCO's ten: 0.50, 0.55, ..., 0.95, and its 101 points of recall: 0.00, 0.01, ..., 1.00.
THRESHOLDS = tuple(np.linspace(0.5, 0.95, 10).tolist())
RECALLS = tuple(np.linspace(0, 1, 101).tolist())


@dataclass
class Instances:
    """The objects of one picture, true or predicted.

    Attributes:
        masks: `bool [N, H, W]`; predicted ones may overlap.
        labels: `int64 [N]`, class indices from 1 on.
        scores: `float [N]`, how sure a prediction is; higher is surer. Default: ones.

    Raises:
        ValueError: masks that are not `bool [N, H, W]`, another number of labels or scores, a
            label below 1 (0 is background) or void, or a score that is not a number.
    """

    masks: torch.Tensor
    labels: torch.Tensor
    scores: torch.Tensor | None = None

    def __post_init__(self):
        if self.scores is None:
            self.scores = torch.ones(len(self.labels))
        if self.masks.dtype != torch.bool or self.masks.dim() != 3:
            raise ValueError(
                "the masks of instances are bool [N, H, W]; found "
                f"{self.masks.dtype} {tuple(self.masks.shape)}. Probabilities? Compare them with "
                "0.5 first; and drop Mask R-CNN's second dimension: masks[:, 0] > 0.5"
            )
        if not len(self.masks) == len(self.labels) == len(self.scores):
            raise ValueError(
                f"{len(self.masks)} masks, {len(self.labels)} labels and {len(self.scores)} scores"
            )
        if len(self.labels) and not 1 <= self.labels.min() <= self.labels.max() < VOID:
            raise ValueError(
                "labels of objects are 1 to 254 (0 is background, 255 void); found "
                f"{int(self.labels.min())} to {int(self.labels.max())}"
            )
        if self.scores.isnan().any():
            raise ValueError("a score is not a number (NaN): an instance without pixels?")

    def __len__(self) -> int:
        return len(self.masks)


def object_numbers(objects: torch.Tensor) -> torch.Tensor:
    """The numbers of the objects in an object mask, `uint8 [N]`, without 0 and void."""
    numbers = objects.unique()
    return numbers[(numbers > 0) & (numbers < VOID)]


def true_instances(objects: torch.Tensor, mask: torch.Tensor) -> Instances:
    """What VOC's two label files say together, in the order of `object_numbers`.

    Args:
        objects: `uint8 [H, W]` from `VOCSegmentation.objects`: 0 none, 1, 2, ..., 255 void.
        mask: `uint8 [H, W]`, the class of each pixel.

    Raises:
        ValueError: different shapes, or an object with pixels of two classes.
    """
    if objects.shape != mask.shape:
        raise ValueError(f"objects {tuple(objects.shape)} and mask {tuple(mask.shape)} differ")
    numbers, labels = object_numbers(objects), []
    for number in numbers.tolist():
        classes = mask[objects == number].unique().tolist()
        if len(classes) > 1:
            raise ValueError(
                f"object {number} has pixels of classes {classes}; objects and mask are not of "
                "the same picture, or one of them was resized smoothly"
            )
        labels += classes
    return Instances(objects == numbers[:, None, None], torch.tensor(labels, dtype=torch.int64))


# ---------------------------------------------------------------- connected components


def components(region: torch.Tensor, neighbours: int = 8) -> torch.Tensor:
    """Number the connected components of a region.

    Every pixel of the region starts with a number of its own. Again and again it takes the
    highest number among itself and its neighbours, until nothing changes: then two pixels have
    the same number exactly if a path inside the region joins them.

    Args:
        region: `bool [H, W]`; anything else is a ValueError.
        neighbours: 4 (those that share an edge) or 8 (a corner is enough).

    Returns:
        `int64 [H, W]`: 0 outside, 1, 2, ... inside, in the order of their first pixels.
    """
    if region.dtype != torch.bool or region.dim() != 2:
        raise ValueError(f"a region is bool [H, W]; found {region.dtype} {tuple(region.shape)}")
    if neighbours not in (4, 8):
        raise ValueError(f"a pixel has 4 or 8 neighbours; found {neighbours}")
    numbers = first_numbers(region)
    while True:
        spread = one_step(numbers, region, neighbours)
        if torch.equal(spread, numbers):
            break
        numbers = spread
    found, ranks = numbers.unique(return_inverse=True)
    return (len(found) - ranks) * region


def first_numbers(region: torch.Tensor) -> torch.Tensor:
    """Every pixel's own number `int32 [H, W]`, the first one's highest; 0 outside the region."""
    countdown = torch.arange(region.numel(), 0, -1, dtype=torch.int32, device=region.device)
    return countdown.view_as(region) * region


def one_step(numbers: torch.Tensor, region: torch.Tensor, neighbours: int) -> torch.Tensor:
    """Each pixel of the region takes the highest number among itself and its neighbours."""
    if neighbours == 4:
        return torch.maximum(highest_of_three(numbers, 0), highest_of_three(numbers, 1)) * region
    return highest_of_three(highest_of_three(numbers, 0), 1) * region  # a square of 3 x 3


def highest_of_three(numbers: torch.Tensor, dim: int) -> torch.Tensor:
    """The highest of each pixel's number and those before and after it along one dimension."""
    result, length = numbers.clone(), numbers.shape[dim] - 1
    for place, neighbour in ((0, 1), (1, 0)):  # the one after, the one before
        part = result.narrow(dim, place, length)
        torch.maximum(part, numbers.narrow(dim, neighbour, length), out=part)
    return result


def component_instances(
    mask: torch.Tensor,
    probabilities: torch.Tensor | None = None,
    smallest: int = 1,
    neighbours: int = 8,
) -> Instances:
    """Take every connected component of every class as one object.

    Args:
        mask: class indices, `uint8 [H, W]`; background and void are no objects.
        probabilities: `float [C, H, W]` of the mask's size, else a ValueError; the score of an
            object is the mean probability of its class over its pixels. Default: the score is
            the number of its pixels.
        smallest: components of fewer pixels are left out.
        neighbours: see `components`.
    """
    if probabilities is not None and probabilities.shape[1:] != mask.shape:
        raise ValueError(
            f"probabilities are [C, H, W] of the mask's size {tuple(mask.shape)}; found "
            f"{tuple(probabilities.shape)}"
        )
    masks, labels, scores = [], [], []
    for label in sorted(set(mask.unique().tolist()) - {0, VOID}):
        numbers = components(mask == label, neighbours)
        for number in range(1, int(numbers.max()) + 1):
            one = numbers == number
            pixels = int(one.sum())
            if pixels >= smallest:
                masks.append(one)
                labels.append(label)
                scores.append(pixels if probabilities is None else probabilities[label, one].mean())
    masks = torch.stack(masks) if masks else torch.zeros(0, *mask.shape, dtype=torch.bool)
    return Instances(
        masks, torch.tensor(labels, dtype=torch.int64), torch.tensor(scores, dtype=torch.float32)
    )


# ---------------------------------------------------------------- average precision


def mask_iou(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Intersection over union of each mask of one set with each of another.

    Args:
        a, b: `bool [N, H, W]` and `bool [M, H, W]`, of fewer than 2^24 pixels each.

    Returns:
        `float64 [N, M]`; 0 where both masks are empty.

    Raises:
        ValueError: masks of different sizes.
    """
    if a.shape[1:] != b.shape[1:]:
        raise ValueError(f"masks of {tuple(a.shape[1:])} and {tuple(b.shape[1:])} pixels")
    a, b = a.flatten(1).float(), b.flatten(1).float()
    intersection = (a @ b.T).double()
    union = a.sum(1).double()[:, None] + b.sum(1).double() - intersection
    return intersection / union.clamp(min=1)


def match(ious: torch.Tensor, thresholds: Sequence[float] = THRESHOLDS) -> torch.Tensor:
    """Which predictions are right: each takes the true object that it overlaps most.

    The surest prediction chooses first. An object that is taken is gone, so a second prediction
    of it is wrong. Source: COCO's evaluation code (its rule for equal IoUs apart).

    Args:
        ious: `float64 [N, M]`, N predictions in order of falling score, M true objects.
        thresholds: T lowest IoUs at which a prediction counts as right.

    Returns:
        `bool [T, N]`.
    """
    lowest = torch.tensor(thresholds, dtype=torch.float64)
    right = torch.zeros(len(lowest), len(ious), dtype=torch.bool)
    free = torch.ones(len(lowest), ious.shape[1], dtype=torch.bool)
    for n, row in enumerate(ious if ious.numel() else ()):
        best_iou, best = torch.where(free, row, -1.0).max(1)
        right[:, n] = best_iou >= lowest
        free[right[:, n], best[right[:, n]]] = False
    return right


def precision_recall(right: torch.Tensor, objects: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Precision and recall after the surest prediction, the two surest, and so on.

    Args:
        right: `bool [K]`, predictions in order of falling score.
        objects: how many true ones there are, at least 1.

    Returns:
        Two of `float64 [K]`.
    """
    hits = right.cumsum(0).double()
    return hits / torch.arange(1, len(right) + 1), hits / objects


def average_precision(right: torch.Tensor, objects: int) -> float:
    """The mean, over 101 points of recall, of the best precision at that recall or a higher one.

    A recall that is never reached counts as precision 0; without true objects the result is NaN.
    Arguments are those of `precision_recall`. Source: COCO's evaluation code.
    """
    if objects == 0:
        return math.nan
    precision, recall = precision_recall(right, objects)
    best_from_here = precision.flip(0).cummax(0).values.flip(0)
    places = torch.searchsorted(recall, torch.tensor(RECALLS, dtype=torch.float64))
    return torch.cat([best_from_here, precision.new_zeros(1)])[places].mean().item()


class AveragePrecision:
    """The score of instance segmentation, over a whole data set.

    Void pixels are left out: taken away from every predicted mask before it is compared. A
    prediction that lies in void altogether is neither right nor wrong. A class without true
    objects has no score (NaN) and is left out of the means. Source: Lin et al., Microsoft COCO
    (2014), and its evaluation code, which has no void; there is no limit of 100 predictions here.

    Args:
        num_classes: 2 to 255, background included.
        thresholds: see `match`.
    """

    def __init__(self, num_classes: int, thresholds: Sequence[float] = THRESHOLDS):
        if not 2 <= num_classes <= VOID:
            raise ValueError(f"num_classes is 2 to 255, background included; found {num_classes}")
        self.num_classes, self.thresholds = num_classes, tuple(thresholds)
        self.objects = [0] * num_classes
        self.scores: list[list[torch.Tensor]] = [[] for _ in range(num_classes)]
        self.right: list[list[torch.Tensor]] = [[] for _ in range(num_classes)]

    def update(
        self, prediction: Instances, truth: Instances, void: torch.Tensor | None = None
    ) -> None:
        """Count one picture, whose void is `bool [H, W]`; default: none.

        Raises:
            ValueError: masks of different sizes, or a label without a class.
        """
        for instances in (prediction, truth):
            if len(instances) and instances.labels.max() >= self.num_classes:
                raise ValueError(
                    f"label {int(instances.labels.max())} has no class; there are "
                    f"{self.num_classes}, background included"
                )
        masks = prediction.masks if void is None else prediction.masks & ~void
        order = prediction.scores.argsort(descending=True, stable=True)
        order = order[masks.flatten(1).any(1)[order]]
        ious = mask_iou(masks[order], truth.masks)
        labels, scores = prediction.labels[order], prediction.scores[order]
        for label in torch.cat([labels, truth.labels]).unique().tolist():
            mine, theirs = labels == label, truth.labels == label
            self.objects[label] += int(theirs.sum())
            self.scores[label].append(scores[mine])
            self.right[label].append(match(ious[mine][:, theirs], self.thresholds))

    def ranked(self, label: int, threshold: int = 0) -> torch.Tensor:
        """Are the predictions of a class right? `bool [K]`, the surest of all pictures first.

        `threshold` is a place in `thresholds`.
        """
        if not self.scores[label]:
            return torch.zeros(0, dtype=torch.bool)
        order = torch.cat(self.scores[label]).argsort(descending=True, stable=True)
        return torch.cat(self.right[label], 1)[threshold, order]

    @property
    def table(self) -> torch.Tensor:
        """Average precision at each threshold, for each class: `float64 [T, num_classes]`."""
        rows = [
            [average_precision(self.ranked(c, t), self.objects[c]) for c in range(self.num_classes)]
            for t in range(len(self.thresholds))
        ]
        return torch.tensor(rows, dtype=torch.float64)

    @property
    def mean(self) -> float:
        """Mean over thresholds and classes: what COCO's tables call AP."""
        return self.table.nanmean().item()

    @property
    def mean_at_first(self) -> float:
        """Mean over the classes at the first threshold: by default 0.5, COCO's AP50."""
        return self.table[0].nanmean().item()
