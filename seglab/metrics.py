"""Scores for segmentation, all from one confusion matrix (notebook 08)."""

import numpy as np
import torch

from seglab.palettes import VOID


class ConfusionMatrix:
    """Counts, over a whole data set, which class was predicted where which class is true.

    Pixels whose true label is void are left out. Counting happens at the label's own size: resize
    the prediction to the label, never the reverse. All scores come from these counts; a class
    that is neither labelled nor predicted anywhere has no score (NaN) and is left out of
    the means. Source: PASCAL VOC development kit; Long et al. (2015), section 5.

    Args:
        num_classes: 1 to 255.

    Attributes:
        counts: `int64 [num_classes, num_classes]`, rows true, columns predicted, on the CPU.
        void_pixels: how many pixels were left out.
    """

    def __init__(self, num_classes: int):
        if not 1 <= num_classes <= VOID:
            raise ValueError(f"num_classes is 1 to 255; found {num_classes}")
        self.num_classes = num_classes
        self.reset()

    def reset(self) -> None:
        """Forget all counts."""
        self.counts = torch.zeros(self.num_classes, self.num_classes, dtype=torch.int64)
        self.void_pixels = 0

    def update(self, prediction, target) -> None:
        """Count one image or a batch.

        Args:
            prediction: class indices, whole numbers from 0 to `num_classes - 1`, `[..., H, W]`.
            target: the true mask of the same shape; 255 is void.

        Raises:
            ValueError: different shapes, fractions (logits?), or an index without a class.
        """
        prediction, target = torch.as_tensor(prediction), torch.as_tensor(target)
        if prediction.shape != target.shape:
            raise ValueError(
                f"prediction {tuple(prediction.shape)} and target {tuple(target.shape)} differ in "
                "shape; take argmax over the classes and resize the prediction to the label"
            )
        for name, value in (("prediction", prediction), ("target", target)):
            if value.is_floating_point() or value.dtype == torch.bool:
                raise ValueError(f"{name} holds {value.dtype}; expected whole-number class indices")
        if prediction.numel() == 0:
            return
        _check_range("prediction", prediction, self.num_classes - 1)
        if target.dtype != torch.uint8:
            _check_range("target", target, VOID)
        # One number for each (true, predicted) pair. All 256 true values get a row, so void is
        # counted like a class and cut off afterwards; that is faster than leaving it out here.
        # Narrow numbers are faster; 256 * 127 is the most that fits into 16 bits.
        kind = torch.int16 if self.num_classes < 128 else torch.int32
        pairs = target.flatten().to(kind) * self.num_classes
        pairs += prediction.flatten().to(kind)
        rows = torch.bincount(pairs, minlength=256 * self.num_classes)
        rows = rows.view(256, self.num_classes).cpu()
        without_class = rows[self.num_classes : VOID].sum(1)
        if without_class.any():
            found = (without_class.nonzero().flatten() + self.num_classes).tolist()
            raise ValueError(
                f"target index {', '.join(map(str, found[:5]))} has no class; there are "
                f"{self.num_classes} (0 to {self.num_classes - 1}) and void ({VOID})"
            )
        self.counts += rows[: self.num_classes]
        self.void_pixels += int(rows[VOID].sum())

    def __add__(self, other: "ConfusionMatrix") -> "ConfusionMatrix":
        """The counts of two disjoint sets of images together."""
        if other.num_classes != self.num_classes:
            raise ValueError(f"{self.num_classes} classes and {other.num_classes} do not add up")
        total = ConfusionMatrix(self.num_classes)
        total.counts = self.counts + other.counts
        total.void_pixels = self.void_pixels + other.void_pixels
        return total

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
        hits = self.counts.diagonal()
        return _ratio(hits, self.counts.sum(0) + self.counts.sum(1) - hits)

    @property
    def mean_iou(self) -> float:
        """Mean of `iou` over the classes that are labelled or predicted somewhere."""
        return self.iou.nanmean().item()

    @property
    def frequency_weighted_iou(self) -> float:
        """Mean of `iou`, each class weighted by its share of the labelled pixels."""
        share = _ratio(self.counts.sum(1), self.counts.sum())
        return float("nan") if share.isnan().any() else (share * self.iou.nan_to_num()).sum().item()

    @property
    def dice(self) -> torch.Tensor:
        """For each class, twice the intersection over the sum of both areas (F1), `float64 [C]`."""
        hits = self.counts.diagonal()
        return _ratio(2 * hits, self.counts.sum(0) + self.counts.sum(1))

    def table(self, classes=None) -> str:
        """IoU of each class that has one, and the means, as lines of text (percent)."""
        names = classes or [str(i) for i in range(self.num_classes)]
        width = max(map(len, [*names, "pixel accuracy"]))
        rows = [
            f"{name:<{width}}  {100 * iou:5.1f}"
            for name, iou in zip(names, self.iou.tolist(), strict=True)
            if not np.isnan(iou)
        ]
        rows += [
            "-" * (width + 7),
            f"{'mean IoU':<{width}}  {100 * self.mean_iou:5.1f}",
            f"{'pixel accuracy':<{width}}  {100 * self.pixel_accuracy:5.1f}",
        ]
        return "\n".join(rows)


def _check_range(name: str, values: torch.Tensor, highest: int) -> None:
    low, high = (int(v) for v in values.aminmax())
    if low < 0 or high > highest:
        raise ValueError(
            f"{name} holds indices from {low} to {high}; expected 0 to {highest}. Only the target "
            f"may be void, and void is {VOID}."
        )


def _ratio(part: torch.Tensor, whole: torch.Tensor) -> torch.Tensor:
    """part / whole as float64; NaN where whole is zero."""
    return part.double() / whole.double().where(whole > 0, torch.nan)
