"""Scores for segmentation, all from one confusion matrix (notebook 08)."""

import math
from itertools import compress

import torch
import torch.nn.functional as F

from seglab.machine.tables import Table
from seglab.machine.tensors import indices_of_classes, whole_numbers
from seglab.palettes import VOID


class ConfusionMatrix:
    """Counts, over a whole data set, which class was predicted where which class is true.

    Pixels whose true label is void are left out. Counting happens at the label's own size: resize
    the prediction to the label, never the reverse. All scores come from these counts; a class
    that is neither labelled nor predicted anywhere has no score (NaN) and is left out of
    the means. Source: PASCAL VOC development kit; Long et al. (2015), section 5.

    Several processes that saw different images sum `counts` and `void_counts`.

    Args:
        num_classes: 1 to 255.

    Attributes:
        counts: `int64 [num_classes, num_classes]`, rows true, columns predicted, on the CPU.
        void_counts: `int64 [num_classes]`, what was predicted on void pixels, on the CPU.
    """

    def __init__(self, num_classes: int):
        if not 1 <= num_classes <= VOID:
            raise ValueError(f"num_classes is 1 to 255; found {num_classes}")
        self.num_classes = num_classes
        self.reset()

    def reset(self) -> None:
        """Forget all counts."""
        self.counts = torch.zeros(self.num_classes, self.num_classes, dtype=torch.int64)
        self.void_counts = torch.zeros(self.num_classes, dtype=torch.int64)

    def update(self, prediction, target) -> None:
        """Count one image or a batch; arguments and errors are those of `count_pairs`."""
        counts, void_counts = count_pairs(prediction, target, self.num_classes)
        self.counts += counts
        self.void_counts += void_counts

    def __add__(self, other: "ConfusionMatrix") -> "ConfusionMatrix":
        """The counts of two disjoint sets of images together."""
        if other.num_classes != self.num_classes:
            raise ValueError(f"{self.num_classes} classes and {other.num_classes} do not add up")
        total = ConfusionMatrix(self.num_classes)
        total.counts = self.counts + other.counts
        total.void_counts = self.void_counts + other.void_counts
        return total

    @property
    def void_pixels(self) -> int:
        """How many pixels were left out because their true label is void."""
        return int(self.void_counts.sum())

    @property
    def pixel_accuracy(self) -> float:
        """Share of labelled pixels that are right."""
        return _ratio(self.counts.diagonal().sum(), self.counts.sum()).item()

    @property
    def accuracy(self) -> torch.Tensor:
        """For each true class, the share of its pixels that are right (recall), `float64 [C]`."""
        return _ratio(self.counts.diagonal(), self.counts.sum(1))

    @property
    def mean_accuracy(self) -> float:
        """Mean of `accuracy` over the classes that are labelled somewhere."""
        return self.accuracy.nanmean().item()

    @property
    def iou(self) -> torch.Tensor:
        """For each class, intersection over union of true and predicted pixels, `float64 [C]`."""
        return iou_of_counts(self.counts)

    @property
    def mean_iou(self) -> float:
        """Mean of `iou` over the classes that are labelled or predicted somewhere."""
        return self.iou.nanmean().item()

    @property
    def frequency_weighted_iou(self) -> float:
        """Mean of `iou`, each class weighted by its share of the labelled pixels."""
        share = self._share
        return float("nan") if share.isnan().any() else (share * self.iou.nan_to_num()).sum().item()

    @property
    def dice(self) -> torch.Tensor:
        """For each class, twice the intersection over the sum of both areas (F1), `float64 [C]`."""
        hits = self.counts.diagonal()
        return _ratio(2 * hits, self.counts.sum(0) + self.counts.sum(1))

    @property
    def mean_dice(self) -> float:
        """Mean of `dice` over the classes that are labelled or predicted somewhere."""
        return self.dice.nanmean().item()

    @property
    def _share(self) -> torch.Tensor:
        """For each class, its share of the labelled pixels, `float64 [C]`."""
        return _ratio(self.counts.sum(1), self.counts.sum())

    def table(self, classes=None) -> Table:
        """The scores of each class that has any, and the means, in percent; `print` it or show it.

        Args:
            classes: the name of each class; default: 0, 1, 2, ... Another number of names is a
                ValueError.
        """
        names = list(map(str, range(self.num_classes)) if classes is None else classes)
        if len(names) != self.num_classes:
            raise ValueError(f"{len(names)} names for {self.num_classes} classes")
        rows = torch.stack([self._share, self.iou, self.dice, self.accuracy], 1).tolist()
        named = [[name, *map(_percent, row)] for name, row in zip(names, rows, strict=True)]
        absent = self.iou.isnan().tolist()
        means = [
            ["mean IoU", "", _percent(self.mean_iou), "", ""],
            ["mean Dice", "", "", _percent(self.mean_dice), ""],
            ["mean accuracy", "", "", "", _percent(self.mean_accuracy)],
            ["frequency-weighted IoU", "", _percent(self.frequency_weighted_iou), "", ""],
            ["pixel accuracy", "", "", "", _percent(self.pixel_accuracy)],
        ]
        left_out = ", ".join(compress(names, absent))
        return Table(
            head=["class", "pixels %", "IoU %", "Dice %", "accuracy %"],
            groups=[[row for row, a in zip(named, absent, strict=True) if not a], means],
            note=left_out and f"neither labelled nor predicted, so not in the means: {left_out}",
        )


def count_pairs(prediction, target, num_classes: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Count how often each class is predicted where each class is true.

    From the counts of each image, stacked, `iou_of_counts` and `bootstrap_mean_iou` start.

    Args:
        prediction: class indices from 0 to `num_classes - 1`, `[..., H, W]`: a tensor on any
            device or an array, of any type of whole numbers.
        target: the true mask of the same shape; 255 is void. It is brought to that device.
        num_classes: 1 to 255.

    Returns:
        `int64 [num_classes, num_classes]`, rows true, columns predicted, and `int64 [num_classes]`,
        what is predicted on void pixels; both on the CPU.

    Raises:
        ValueError: different shapes, fractions (logits?), or an index without a class.
    """
    prediction, target = indices_of_classes(prediction, target, num_classes, VOID)
    # Like the digits of 47 = 4 * 10 + 7: one number for each pair of true and predicted class.
    pairs = target.int() * num_classes + prediction
    counts = torch.bincount(pairs.flatten(), minlength=256 * num_classes)
    counts = counts.view(256, num_classes).cpu()  # a row for each number a mask can hold
    return counts[:num_classes], counts[VOID]


def iou_of_counts(counts) -> torch.Tensor:
    """Intersection over union of each class, of one or many confusion matrices `[..., C, C]`.

    The result is `float64 [..., C]`; NaN where a class is neither labelled nor predicted.
    """
    return _ratio(*_intersection_and_union(torch.as_tensor(counts)))


def bootstrap_mean_iou(
    counts_of_images, repeats: int = 1000, confidence: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """Between which values the data set's mean IoU lies, as far as the choice of images goes.

    As many images as there are get drawn with replacement, again and again; each draw is scored
    like a data set (counts first, then IoU, then the mean). The interval leaves out an equal
    share of the draws' scores on both sides. It says nothing about another training run. Source:
    Efron (1979); the percentile interval.

    Args:
        counts_of_images: `int64 [N, C, C]`, one confusion matrix for each image.
        repeats: number of draws.
        confidence: share of the draws inside the interval, between 0 and 1.
        seed: of the draws' own generator.

    Raises:
        ValueError: no images, another shape, no repeats, or a confidence outside 0 to 1.
    """
    counts = torch.as_tensor(counts_of_images)
    if counts.dim() != 3 or counts.shape[1] != counts.shape[2] or len(counts) == 0:
        raise ValueError(
            f"counts of images are [N, C, C], N at least 1; found {tuple(counts.shape)}. Stack "
            "what seglab.metrics.count_pairs gives for each image"
        )
    if repeats < 1 or not 0 < confidence < 1:
        raise ValueError(
            "repeats are at least 1 and confidence lies between 0 and 1; found "
            f"{repeats} and {confidence}"
        )
    images = len(counts)
    drawn = torch.randint(images, (repeats, images), generator=torch.Generator().manual_seed(seed))
    times = torch.stack([draw.bincount(minlength=images) for draw in drawn]).double()
    intersection, union = (part.double().cpu() for part in _intersection_and_union(counts))
    scores = _ratio(times @ intersection, times @ union).nanmean(1)
    tail = (1 - confidence) / 2
    ends = torch.tensor([tail, 1 - tail], dtype=torch.float64)
    return tuple(scores.nanquantile(ends).tolist())


def boundary_width(height: int, width: int) -> int:
    """How wide boundary IoU's bands are: 2 % of the image's diagonal, at least one pixel."""
    return max(1, round(0.02 * math.hypot(height, width)))


def inner_border(mask, width: int) -> torch.Tensor:
    """Where a pixel is within `width` of a pixel of another index or of the image's outside.

    For each class, these are the pixels that `width` erosions with a 3 x 3 square take away from
    its region. One test serves all classes: is the highest index of the square of `2 * width + 1`
    around a pixel also its lowest?

    Args:
        mask: whole numbers from 0 to 255, `[..., H, W]`, the shape of the `bool` result.
        width: of the band in pixels; below 1 it is a ValueError.
    """
    if width < 1:
        raise ValueError(f"the band is at least 1 pixel wide; found {width}")
    mask = whole_numbers("mask", mask).float()
    framed = F.pad(mask, [width] * 4, value=-1)  # the outside is an index of its own
    extremes = torch.stack([framed, -framed]).flatten(0, -3)
    for _ in range(2):  # along the rows, then along the columns, which `mT` makes rows
        extremes = F.max_pool1d(extremes, 2 * width + 1, stride=1).mT
    highest, lowest = extremes.reshape(2, *mask.shape)
    return highest != -lowest


def count_bands(prediction, target, num_classes: int, width: int | None = None) -> torch.Tensor:
    """The confusion matrix of one image's outlines, for boundary IoU.

    IoU of a large object hardly notices a poor contour. Here a region is only the band just inside
    its contour; the last row and column are for pixels of no band. So boundary IoU of each class
    is `iou_of_counts(table)[:num_classes]`, and of a data set the same of the sum of its tables.
    Void is left out of both masks before the bands are found, so a prediction that is right on all
    labelled pixels has 1. Source: Cheng et al. (2021), "Boundary IoU", and the authors' code:
    erosion with a 3 x 3 square, where the image's edge is part of the contour. They score single
    objects, here it is classes.

    Args:
        prediction: class indices from 0 to `num_classes - 1`, `[H, W]`, on any device.
        target: the true mask of the same shape; 255 is void.
        num_classes: 1 to 254.
        width: of the bands in pixels; default: `boundary_width` of the image, as in the paper.

    Returns:
        `int64 [num_classes + 1, num_classes + 1]` on the CPU, rows true, columns predicted.

    Raises:
        ValueError: as `count_pairs`; not a single image; or a width below 1.
    """
    prediction, target = indices_of_classes(prediction, target, num_classes, VOID)
    if target.dim() != 2:
        raise ValueError(f"count_bands takes one image [H, W]; found {tuple(target.shape)}")
    width = boundary_width(*target.shape) if width is None else width
    void = target == VOID
    predicted, true = (
        mask.where(inner_border(mask, width) & ~void, num_classes)
        for mask in (prediction.where(~void, VOID), target)
    )
    return count_pairs(predicted, true, num_classes + 1)[0]


def count_confidences(confidence, right, bins: int = 15) -> torch.Tensor:
    """How often pixels of about the same confidence are right; `calibration_error` starts from it.

    Tables of different pixels can be added. Source: Guo et al. (2017), section 2.

    Args:
        confidence: of each labelled pixel the probability of the predicted class, 0 to 1.
        right: `bool` of the same shape: is that class the true one?
        bins: equal ranges of confidence. An edge belongs to the range above it, 1 to the last.

    Returns:
        `float64 [3, bins]`: how many pixels, the sum of their confidences, how many are right.

    Raises:
        ValueError: a confidence that is no probability (a logit?).
    """
    confidence, right = (torch.as_tensor(x).cpu().flatten().double() for x in (confidence, right))
    if not ((confidence >= 0) & (confidence <= 1)).all():
        raise ValueError("confidence lies between 0 and 1: logits become so by softmax(1).max(1)")
    place = torch.bucketize(confidence, torch.linspace(0, 1, bins + 1)[1:-1].double(), right=True)
    rows = torch.ones_like(confidence), confidence, right
    return torch.stack([place.bincount(row, bins) for row in rows])


def calibration_error(table: torch.Tensor) -> float:
    """Expected calibration error, 0 to 1: how far confidence and share of right ones are apart.

    The mean gap over ranges of confidence, by their pixels. Source: Guo et al. (2017), formula 3.

    Args:
        table: of `count_confidences`, or a sum of such tables.
    """
    pixels, confidence, right = table
    return ((confidence - right).abs().sum() / pixels.sum()).item()


def _intersection_and_union(counts: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Of each class, in pixels: `[..., C, C]` -> two of `[..., C]`."""
    intersection = counts.diagonal(dim1=-2, dim2=-1)
    return intersection, counts.sum(-1) + counts.sum(-2) - intersection


def _ratio(part: torch.Tensor, whole: torch.Tensor) -> torch.Tensor:
    """part / whole as float64; NaN where whole is zero."""
    return part.double() / whole.double().where(whole > 0, torch.nan)


def _percent(score: float) -> str:
    return "-" if math.isnan(score) else f"{100 * score:.1f}"
