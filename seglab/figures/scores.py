"""Confusion, overlap and tables of scores (notebooks 08 and 10)."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.colors import to_rgb
from matplotlib.patches import Patch, Rectangle

from seglab.figures.pictures import (
    _class_legend,
    _classes_in,
    _inches_per_pixel,
    _legend_columns,
    name_regions,
)
from seglab.instances import average_precision, precision_recall
from seglab.metrics import ConfusionMatrix
from seglab.palettes import BLUE, ORANGE, VOC_CLASSES, VOC_PALETTE
from seglab.prediction import overlay


def change_table(
    changes: dict[str, dict[str, float]], title: str, label: str, width: float = 10
) -> plt.Figure:
    """Gains and losses as coloured squares with their figures: orange above zero, purple below.

    Args:
        changes: name of the column -> name of the row -> value. Rows keep the first one's order.
        label: what the values are.
    """
    rows = list(next(iter(changes.values())))
    values = np.array([[column[row] for column in changes.values()] for row in rows])
    figure, axis = plt.subplots(figsize=(width, 0.36 * len(rows) + 1.4), layout="constrained")
    limit = 2.2 * np.abs(values).max()  # pale enough for black figures
    axis.imshow(values, cmap="PuOr_r", vmin=-limit, vmax=limit, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        text = f"{round(value, 1) + 0:+.1f}"  # + 0: no "-0.0"
        axis.text(column, row, text, ha="center", va="center", fontsize=12)
    axis.set_xticks(range(len(changes)), list(changes), fontsize=12)
    axis.set_yticks(range(len(rows)), rows, fontsize=12)
    axis.xaxis.tick_top()
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    axis.set_xlabel(label, fontsize=12)
    figure.suptitle(title, fontsize=14)
    return figure


def confusion(
    counts,
    classes: Sequence[str],
    title: str,
    void_counts=None,
    shares: bool = False,
    width: float = 8,
) -> plt.Figure:
    """A confusion matrix: rows true, columns predicted, the diagonal framed (notebook 08).

    Colour is the share of the row, so that rare classes are seen as well as frequent ones.

    Args:
        counts: whole numbers `[C, C]`.
        classes: C names.
        void_counts: whole numbers `[C]`, a last row for pixels whose true label is void.
        shares: write the share of the row in percent instead of the count?
    """
    counts = np.asarray(counts)
    across = len(classes)
    sums = counts.sum(1, keepdims=True)
    share = np.divide(counts, sums, out=np.zeros(counts.shape), where=sums > 0)
    rows = list(classes)
    if void_counts is not None:
        counts = np.vstack([counts, np.asarray(void_counts)])
        share = np.vstack([share, np.full(across, np.nan)])
        rows.append("void (left out)")
    height = width * 0.6 * len(rows) / across + 1.1
    figure, axis = plt.subplots(figsize=(width, height), layout="constrained")
    colors = plt.get_cmap("Blues").with_extremes(bad="#dddddd")
    axis.imshow(np.ma.masked_invalid(share), cmap=colors, vmin=0, vmax=1, aspect="auto")
    size = min(14, 11 * width / across)
    for (row, column), count in np.ndenumerate(counts):
        here = share[row, column]
        text = f"{count:,}" if not shares or np.isnan(here) else f"{100 * here:.0f}"
        look = {"color": "white" if here > 0.6 else "black", "fontsize": size}
        axis.text(column, row, text, ha="center", va="center", **look)
    for place in range(across):
        corner = (place - 0.5, place - 0.5)
        axis.add_patch(Rectangle(corner, 1, 1, fill=False, edgecolor=ORANGE, linewidth=2))
    crowded = across > 5
    axis.set_xticks(range(across), classes, fontsize=12, rotation=30 if crowded else 0)
    if crowded:
        plt.setp(axis.get_xticklabels(), ha="left", rotation_mode="anchor")
    axis.set_yticks(range(len(rows)), rows, fontsize=12)
    axis.xaxis.tick_top()
    axis.xaxis.set_label_position("top")
    axis.tick_params(length=0)
    axis.set_xlabel("predicted", fontsize=12)
    axis.set_ylabel("true", fontsize=12)
    axis.spines[:].set_visible(False)
    figure.suptitle(title, fontsize=14)
    return figure


def overlap(truth, prediction, width: float = 11) -> plt.Figure:
    """Two masks of one object on top of each other, and three scores of the overlap (notebook 08).

    Args:
        truth, prediction: `bool [H, W]`; one of them at least is somewhere true.
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
    figure, axes = plt.subplots(1, 2, figsize=size, width_ratios=[1, 1.3], layout="constrained")
    axes[0].imshow(palette[numbers.numpy()], interpolation="nearest")
    axes[0].set(xticks=[], yticks=[])
    axes[0].set_title(f"{truth.shape[0]} × {truth.shape[1]} pixels", fontsize=13)
    scores = {
        "IoU": matrix.iou[1].item(),
        "Dice": matrix.dice[1].item(),
        "pixel\naccuracy": matrix.pixel_accuracy,
    }
    values = [100 * score for score in scores.values()]
    drawn = axes[1].barh(list(scores), values, color=["#33628d", "#33628d", "#aaaaaa"])
    axes[1].bar_label(drawn, fmt="{:.1f} %", padding=4, fontsize=14)
    axes[1].invert_yaxis()
    axes[1].set_xlim(0, 119)
    axes[1].set_xticks(range(0, 101, 20))
    axes[1].tick_params("y", labelsize=14, length=0)
    axes[1].spines[["top", "right"]].set_visible(False)
    figure.legend(
        handles=[
            Patch(facecolor=color, label=f"{name}: {int(where.sum()):,}")
            for name, (where, color) in kinds.items()
        ],
        loc="outside lower center",
        ncols=4,
        frameon=False,
        fontsize=13,
    )
    words = [f"{name} {value:.1f}" for name, value in zip(scores, values, strict=True)]
    figure.suptitle(", ".join(words).replace("\n", " ") + " %", fontsize=15)
    figure.draw_without_rendering()  # only now the size of the picture is known
    named = list(enumerate(kinds))[1:]
    name_regions(axes[0], numbers, _inches_per_pixel(axes[0]), named, indices=False)
    for text in axes[0].texts:  # no outlines as on a photograph: they smudge on the pale ground
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
    """A picture under two masks: left of a line the predicted one, right of it the true one.

    Args:
        image: `uint8 [3, H, W]`.
        truth, prediction: masks `[H, W]`.
        share: where the line is, from 0 (the left edge: all truth) to 1 (all prediction).
    """
    mixed = np.asarray(truth).copy()
    column = round(share * mixed.shape[1])
    mixed[:, :column] = np.asarray(prediction)[:, :column]
    names = _classes_in([truth, prediction], classes)  # of both, or the figure would jump
    across = _legend_columns(width, names)
    foot = 0.34 * -(-len(names) // across)
    height = width * mixed.shape[0] / mixed.shape[1] + 0.45 + foot
    figure, axis = plt.subplots(figsize=(width, height))
    axis.imshow(overlay(image, mixed, palette, 0.75), interpolation="nearest")
    axis.axvline(column - 0.5, color="black", linewidth=5)
    axis.axvline(column - 0.5, color="white", linewidth=2)
    axis.set(xlim=(-0.5, mixed.shape[1] - 0.5), xticks=[], yticks=[])
    axis.spines[:].set_visible(False)
    for text, place in (("← prediction", 0), ("truth →", 1)):
        axis.set_title(text, loc=("left", "right")[place], fontsize=15)
    _class_legend(figure, names, palette, across)
    figure.subplots_adjust(
        left=0.005, right=0.995, bottom=foot / height + 0.01, top=1 - 0.42 / height
    )
    # Each side by itself, or a name could stand across the line.
    left = np.arange(mixed.shape[1]) < column
    words = []
    for kind, side in (("prediction", left), ("truth", ~left)):
        half = np.where(side, mixed.astype(int), -1)
        name_regions(axis, half, _inches_per_pixel(axis), names, not palette[0].any())
        shown = ", ".join(name for index, name in names if (half == index).any())
        words.append(f"{kind} on {100 * side.mean():.0f} % of the picture: {shown or 'nothing'}")
    figure.set_label("; ".join(words))
    return figure


def score_table(
    scores: dict[str, dict[str, float]], title: str, label: str, width: float = 9
) -> plt.Figure:
    """Scores as coloured squares with their figures; the highest of each row is framed.

    Args:
        scores: name of the column -> name of the row -> value from 0 to 100, NaN where there is
            none. Rows keep the first one's order.
        label: what the values are.
    """
    rows = list(next(iter(scores.values())))
    values = np.array([[column[row] for column in scores.values()] for row in rows], dtype=float)
    figure, axis = plt.subplots(figsize=(width, 0.38 * len(rows) + 1.4), layout="constrained")
    colors = plt.get_cmap("Blues").with_extremes(bad="#eeeeee")
    axis.imshow(np.ma.masked_invalid(values), cmap=colors, vmin=0, vmax=130, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        best = np.isfinite(value) and round(value, 1) == round(np.nanmax(values[row]), 1)
        text = f"{value:.1f}" if np.isfinite(value) else "–"
        weight, ink = "bold" if best else "normal", "white" if value > 75 else "black"
        look = {"fontsize": 12, "weight": weight, "color": ink}
        axis.text(column, row, text, ha="center", va="center", **look)
        if best:
            corner = (column - 0.48, row - 0.44)
            axis.add_patch(Rectangle(corner, 0.96, 0.88, fill=False, edgecolor=ORANGE, lw=2))
    axis.set_xticks(range(len(scores)), list(scores), fontsize=13)
    axis.set_yticks(range(len(rows)), rows, fontsize=12)
    axis.xaxis.tick_top()
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    axis.set_xlabel(label, fontsize=12)
    figure.suptitle(title, fontsize=14)
    return figure


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
    figure, axis = plt.subplots(figsize=(width, 0.5 * width), layout="constrained")
    corners = torch.cat([torch.zeros(1), recall]), torch.cat([best[:1], best])
    axis.fill_between(*corners, step="pre", color="#cfe5f5")
    axis.step(*corners, where="pre", color=BLUE, linewidth=2, label="best from here on")
    axis.plot(recall, precision, "--", color="#555555", linewidth=1, label="precision")
    look = {"s": 140, "color": ORANGE, "edgecolor": "white", "zorder": 3}
    axis.scatter(recall[kept - 1], precision[kept - 1], **look)
    hits = int(right[:kept].sum())
    score = 100 * average_precision(right, objects)
    axis.set(xlim=(0, 102), ylim=(0, 104))
    axis.set_xlabel(f"recall: of {objects} objects, so many are found (%)", fontsize=12)
    axis.set_ylabel("precision: right of those kept (%)", fontsize=12)
    axis.set_title(
        f"{kept} of {len(right)} kept: {hits} right, {kept - hits} wrong, {objects - hits} missed"
        f" (average precision {score:.1f})",
        fontsize=14,
    )
    axis.legend(fontsize=12, loc="upper right")
    axis.grid(alpha=0.3)
    axis.spines[["top", "right"]].set_visible(False)
    return figure
