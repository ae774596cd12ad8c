"""Squares with a number in each: masks, score maps, confusion, tables of scores."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.patches import Rectangle

from seglab.figures.charts import styled
from seglab.figures.colors import ORANGE
from seglab.palettes import VOC_PALETTE, colorize


def write_cells(axis, words, **look) -> None:
    """Write `words [rows, columns]` into the squares of a drawn image, white on dark ones."""
    (image,) = axis.images
    colors = image.to_rgba(image.get_array())[..., :3]
    dark = colors @ [0.299, 0.587, 0.114] < 0.47
    for (row, column), word in np.ndenumerate(words):
        if word != "":
            ink = "white" if dark[row, column] else "black"
            axis.text(column, row, word, ha="center", va="center", color=ink, **look)


def lines_between(axis, shape: Sequence[int], color: str, linewidth: float) -> None:
    """Lines between the squares of a drawn image `[rows, columns]`, and no ticks."""
    axis.set_xticks(np.arange(0.5, shape[1] - 1), [])
    axis.set_yticks(np.arange(0.5, shape[0] - 1), [])
    axis.grid(color=color, linewidth=linewidth, alpha=1)
    axis.tick_params(length=0)


@styled
def numbers(
    masks: Sequence,
    titles: Sequence[str] | None = None,
    width: float = 10,
    palette: np.ndarray = VOC_PALETTE,
    title: str | None = None,
) -> plt.Figure:
    """Draw small masks `[H, W]` side by side, with the index of every pixel written on it."""
    masks = [np.asarray(mask) for mask in masks]
    shares = [mask.shape[1] for mask in masks]
    side = (width - 0.2 * len(masks)) / sum(shares)  # of one pixel, in inches
    height = side * max(map(len, masks)) + 0.35 * bool(titles) + 0.45 * bool(title)
    size = (width, height)
    figure, axes = plt.subplots(1, len(masks), figsize=size, width_ratios=shares, squeeze=False)
    for axis, mask, name in zip(axes.flat, masks, titles or [""] * len(masks), strict=True):
        axis.imshow(colorize(mask, palette), interpolation="nearest")
        axis.spines[:].set_visible(True)
        lines_between(axis, mask.shape, "gray", 0.5)
        write_cells(axis, mask, fontsize=min(13, 24 * side))
        axis.set_title(name, fontsize=12)
    if title:
        figure.suptitle(title)
    return figure


@styled
def score_grids(
    grids: Sequence[torch.Tensor],
    titles: Sequence[str],
    title: str,
    columns: int | None = None,
    width: float = 11,
) -> plt.Figure:
    """Small score maps as coloured squares: orange above zero, purple below, numbers inside.

    In maps of more than four columns a plus sign stands for the numbers above zero.

    Args:
        grids: maps `[h, w]`; all are drawn at the same size, whatever their number of squares.
        titles: one for each map.
        columns: maps in a row; default: all.
    """
    columns = columns or len(grids)
    rows = -(-len(grids) // columns)
    size = (width, rows * (width / columns + 0.3) + 0.3)
    figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False)
    limit = 1.8 * max(float(grid.abs().max()) for grid in grids)  # pale enough for black figures
    form = "g" if all((grid == grid.round()).all() for grid in grids) else ".2f"
    below = any((grid < 0).any() for grid in grids)
    for axis, grid, name in zip(axes.flat, grids, titles, strict=False):
        axis.imshow(grid.numpy(), cmap="PuOr_r", vmin=-limit, vmax=limit)
        if grid.shape[1] <= 4:
            words = [[f"{value + 0:{form}}" for value in row] for row in grid.tolist()]
            write_cells(axis, words, fontsize=13)
        elif grid.shape[1] <= 12 and below:
            write_cells(axis, np.where(grid > 0, "+", ""), fontsize=11)
        axis.spines[:].set_visible(True)
        lines_between(axis, grid.shape, "white", 1)
        axis.set_title(name, fontsize=12)
    figure.suptitle(title)
    return figure


def named_squares(
    shades, words, rows: Sequence[str], columns: Sequence[str], cmap: str, limits: tuple, **look
) -> plt.Axes:
    """Coloured squares (grey where a shade is NaN), with names at the left and on top."""
    axis = plt.gca()
    colors = plt.get_cmap(cmap).with_extremes(bad="#e6e6e6")
    low, high = limits
    axis.imshow(np.ma.masked_invalid(shades), cmap=colors, vmin=low, vmax=high, aspect="auto")
    write_cells(axis, words, **look)
    axis.set_xticks(range(len(columns)), columns)
    axis.set_yticks(range(len(rows)), rows)
    axis.xaxis.tick_top()
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    return axis


def frame(axis, row: int, column: int) -> None:
    """An orange frame just inside of a square."""
    corner = (column - 0.48, row - 0.44)
    axis.add_patch(Rectangle(corner, 0.96, 0.88, fill=False, edgecolor=ORANGE, linewidth=2))


@styled
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
    figure = plt.figure(figsize=(width, 0.36 * len(rows) + 1.4))
    limit = 2.2 * np.abs(values).max()  # pale enough for black figures
    words = [[f"{round(value, 1) + 0:+.1f}" for value in row] for row in values]  # no "-0.0"
    limits = (-limit, limit)
    axis = named_squares(values, words, rows, list(changes), "PuOr_r", limits, fontsize=12)
    axis.set_xlabel(label)
    figure.suptitle(title)
    return figure


@styled
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
    values = values.round(1)
    figure = plt.figure(figsize=(width, 0.38 * len(rows) + 1.4))
    words = [["–" if np.isnan(value) else f"{value:.1f}" for value in row] for row in values]
    axis = named_squares(values, words, rows, list(scores), "Blues", (0, 130), fontsize=12)
    best = np.nan_to_num(values, nan=-1).max(1, keepdims=True)
    for row, column in np.argwhere(values == best):
        frame(axis, row, column)
        axis.texts[row * len(scores) + column].set_weight("bold")
    axis.set_xlabel(label)
    figure.suptitle(title)
    return figure


@styled
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
    counts, rows, across = np.asarray(counts), list(classes), len(classes)
    share = counts / counts.sum(1, keepdims=True).clip(1)
    words = [[f"{100 * s:.0f}" for s in row] for row in share] if shares else None
    words = words or [[f"{count:,}" for count in row] for row in counts]
    if void_counts is not None:
        share = np.vstack([share, np.full(across, np.nan)])
        words = [*words, [f"{count:,}" for count in np.asarray(void_counts)]]
        rows.append("void (left out)")
    figure = plt.figure(figsize=(width, width * 0.6 * len(rows) / across + 1.1))
    size = min(14, 11 * width / across)
    axis = named_squares(share, words, rows, classes, "Blues", (0, 1), fontsize=size)
    for place in range(across):
        frame(axis, place, place)
    if across > 5:
        plt.setp(axis.get_xticklabels(), rotation=30, ha="left", rotation_mode="anchor")
    axis.xaxis.set_label_position("top")
    axis.set(xlabel="predicted", ylabel="true")
    figure.suptitle(title)
    return figure
