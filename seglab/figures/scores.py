"""How well masks and objects agree (notebooks 08 and 10)."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.colors import to_rgb
from matplotlib.patches import Patch

from seglab.figures.charts import PLAIN, styled
from seglab.figures.colors import BLUE, ORANGE
from seglab.figures.pictures import classes_in, name_regions, show
from seglab.instances import average_precision, precision_recall
from seglab.metrics import ConfusionMatrix, calibration_error
from seglab.palettes import VOC_CLASSES, VOC_PALETTE
from seglab.prediction import overlay


@styled
def overlap(truth, prediction, width: float = 11) -> plt.Figure:
    """Two masks of one object on top of each other, and three scores of the overlap (notebook 08).

    Both are `bool [H, W]`, and one of them at least is somewhere true.
    """
    truth, prediction = torch.as_tensor(truth), torch.as_tensor(prediction)
    matrix = ConfusionMatrix(2)
    matrix.update(prediction.long(), truth.long())
    kinds = {
        "neither": (~truth & ~prediction, "#e8e8e8"),
        "only true": (truth & ~prediction, BLUE),
        "only predicted": (prediction & ~truth, "#E69F00"),
        "both": (truth & prediction, "#222222"),
    }
    numbers = truth + 2 * prediction.long()  # places in kinds
    palette = np.array([to_rgb(color) for _, color in kinds.values()])
    size = (width, 0.42 * width)
    figure, (left, right) = plt.subplots(1, 2, figsize=size, width_ratios=[1, 1.3])
    left.imshow(palette[numbers.numpy()], interpolation="nearest")
    left.set(xticks=[], yticks=[])
    left.spines[:].set_visible(True)
    left.set_title(f"{truth.shape[0]} × {truth.shape[1]} pixels", fontsize=13)
    scores = {
        "IoU": 100 * matrix.iou[1].item(),
        "Dice": 100 * matrix.dice[1].item(),
        "pixel\naccuracy": 100 * matrix.pixel_accuracy,
    }
    drawn = right.barh(list(scores), list(scores.values()), color=[PLAIN, PLAIN, "#aaaaaa"])
    right.bar_label(drawn, fmt="{:.1f} %", padding=4, fontsize=14)
    right.invert_yaxis()
    right.set(xlim=(0, 119), xticks=range(0, 101, 20))
    right.tick_params("y", labelsize=14, length=0)
    patches = [Patch(facecolor=color) for _, color in kinds.values()]
    counts = [f"{name}: {int(where.sum()):,}" for name, (where, _) in kinds.items()]
    figure.legend(patches, counts, loc="outside lower center", ncols=4)
    words = ", ".join(f"{name} {value:.1f}" for name, value in scores.items())
    figure.suptitle(words.replace("\n", " ") + " %")
    figure.draw_without_rendering()  # only now the size of the picture is known
    named = list(enumerate(kinds))[1:]
    name_regions(left, numbers, named, indices=False)
    for text in left.texts:  # no outlines as on a photograph: they smudge on the pale ground
        paper = {"boxstyle": "round,pad=0.2", "facecolor": "white", "edgecolor": "none"}
        text.set(color="black", path_effects=[], bbox=paper)
    return figure


def curtain(
    image,
    truth: torch.Tensor,
    prediction: torch.Tensor,
    share: float,
    classes: Sequence[str] = VOC_CLASSES,
    palette: np.ndarray = VOC_PALETTE,
    width: float = 8,
) -> plt.Figure:
    """An image `uint8 [3, H, W]` under two masks: left of a line the predicted one, right the true.

    The line is at a share of the width, from 0 (all truth) to 1 (all prediction).
    """
    mixed = np.asarray(truth).copy()
    column = round(share * mixed.shape[1])
    mixed[:, :column] = np.asarray(prediction)[:, :column]
    names = classes_in([truth, prediction], classes)  # of both, or the figure would jump
    figure = show([overlay(image, mixed, palette, 0.75)], [" "], 1, width, palette, legend=names)
    (axis,) = figure.axes
    axis.set_title("← prediction", loc="left", fontsize=15)
    axis.set_title("truth →", loc="right", fontsize=15)
    axis.axvline(column - 0.5, color="black", linewidth=5)
    axis.axvline(column - 0.5, color="white", linewidth=2)
    # Each side by itself, or a name could stand across the line.
    left = np.arange(mixed.shape[1]) < column
    words = []
    for kind, side in (("prediction", left), ("truth", ~left)):
        half = np.where(side, mixed.astype(int), -1)
        name_regions(axis, half, names, blank=not palette[0].any())
        shown = ", ".join(name for index, name in names if (half == index).any())
        words.append(f"{kind} on {100 * side.mean():.0f} % of the picture: {shown or 'nothing'}")
    figure.set_label("; ".join(words))
    return figure


@styled
def reliability(tables: dict[str, torch.Tensor], title: str, width: float = 12) -> plt.Figure:
    """Does a network that is 80 % sure hit 80 times of 100? A panel for each table (notebook 08).

    Bars are the share of right pixels in each range of confidence, the line is where they should
    end; below stands how many of the pixels are in the range. Ranges with less than one in a
    thousand are pale: they say little.

    Args:
        tables: name -> `float64 [3, bins]` of `seglab.metrics.count_confidences`.
    """
    size = (width, 0.3 * width + 0.8)
    options = {"squeeze": False, "sharey": "row", "sharex": True, "height_ratios": [3, 1]}
    figure, axes = plt.subplots(2, len(tables), figsize=size, **options)
    for (above, below), (name, table) in zip(axes.T, tables.items(), strict=True):
        pixels, _, right = table
        edges = 100 * np.linspace(0, 1, len(pixels) + 1)
        share = (100 * pixels / pixels.sum()).numpy()
        look = {"width": np.diff(edges), "align": "edge", "edgecolor": "white"}
        color = [PLAIN if s >= 0.1 else "#c3d0dd" for s in share]
        above.bar(edges[:-1], 100 * (right / pixels).nan_to_num().numpy(), color=color, **look)
        above.plot([0, 100], [0, 100], "--", color="#111111", linewidth=2)
        error = 100 * calibration_error(table)
        above.set(ylim=(0, 100), title=f"{name}\nerror {error:.1f} points")
        below.bar(edges[:-1], share, color="#888888", **look)
        below.set(xlim=(0, 100), xticks=(0, 50, 100), xlabel="confidence (%)")
    axes[0, 0].set_ylabel("right (%)")
    axes[1, 0].set_ylabel("pixels (%)")
    figure.suptitle(title)
    return figure


@styled
def precision_recall_curve(
    right: torch.Tensor, objects: int, kept: int | None = None, width: float = 9
) -> plt.Figure:
    """Precision over recall while more and more predictions are kept (notebook 10).

    Args:
        right: `bool [K]`, predictions in order of falling score, K at least 1.
        objects: how many true ones there are, at least 1.
        kept: mark the point where so many predictions are kept, 1 to K; default: K.

    Raises:
        ValueError: no predictions, or more kept than there are.
    """
    kept = len(right) if kept is None else kept
    if not 1 <= kept <= len(right):
        raise ValueError(f"keep 1 to {len(right)} predictions; found {kept}")
    precision, recall = (100 * values for values in precision_recall(right, objects))
    best = precision.flip(0).cummax(0).values.flip(0)
    figure, axis = plt.subplots(figsize=(width, 0.5 * width))
    corners = torch.cat([torch.zeros(1), recall]), torch.cat([best[:1], best])
    axis.fill_between(*corners, step="pre", color="#cfe5f5")
    axis.step(*corners, where="pre", color=BLUE, linewidth=2, label="best from here on")
    axis.plot(recall, precision, "--", color="#555555", linewidth=1, label="precision")
    look = {"s": 140, "color": ORANGE, "edgecolor": "white", "zorder": 3}
    axis.scatter(recall[kept - 1], precision[kept - 1], **look)
    hits = int(right[:kept].sum())
    score = 100 * average_precision(right, objects)
    axis.set(xlim=(0, 102), ylim=(0, 104))
    axis.set_xlabel(f"recall: of {objects} objects, so many are found (%)")
    axis.set_ylabel("precision: right of those kept (%)")
    axis.set_title(
        f"{kept} of {len(right)} kept: {hits} right, {kept - hits} wrong, {objects - hits} missed"
        f" (average precision {score:.1f})"
    )
    axis.legend(fontsize=12, loc="upper right")
    axis.grid()
    return figure
