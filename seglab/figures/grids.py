"""Squares with a number in each: masks, score maps, confusion, tables of scores."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.patches import Rectangle

from seglab.figures.charts import styled
from seglab.figures.colors import ORANGE
from seglab.palettes import VOC_PALETTE, colorize


def write_cells(axis, words, fontsize: float = 12) -> None:
    """Write `words [rows, columns]` into the squares of a drawn image, white on dark ones."""
    (image,) = axis.images
    colors = image.to_rgba(image.get_array())[..., :3]
    dark = colors @ [0.299, 0.587, 0.114] < 0.47
    for (row, column), word in np.ndenumerate(words):
        if word != "":
            ink = "white" if dark[row, column] else "black"
            axis.text(column, row, word, ha="center", va="center", color=ink, fontsize=fontsize)


def draw_squares(axis, grid, name: str, line: tuple[str, float], **colors) -> None:
    """A map `[rows, columns]` or picture as squares with lines of a colour and width between."""
    axis.imshow(grid, interpolation="nearest", **colors)
    axis.spines[:].set_visible(True)
    axis.set_xticks(np.arange(0.5, len(grid[0]) - 1), [])
    axis.set_yticks(np.arange(0.5, len(grid) - 1), [])
    axis.grid(color=line[0], linewidth=line[1], alpha=1)
    axis.tick_params(length=0)
    axis.set_title(name, fontsize=12)


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
        draw_squares(axis, colorize(mask, palette), name, ("gray", 0.5))
        write_cells(axis, mask, min(13, 24 * side))
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
        columns: maps in a row; default: all.
    """
    columns = columns or len(grids)
    rows = -(-len(grids) // columns)
    size = (width, rows * (width / columns + 0.3) + 0.3)
    figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False)
    limit = 1.8 * max(float(grid.abs().max()) for grid in grids)  # pale enough for black figures
    colors = {"cmap": "PuOr_r", "vmin": -limit, "vmax": limit}
    form = "g" if all((grid == grid.round()).all() for grid in grids) else ".2f"
    below = any((grid < 0).any() for grid in grids)
    for axis, grid, name in zip(axes.flat, grids, titles, strict=False):
        draw_squares(axis, grid.numpy(), name, ("white", 1), **colors)
        if grid.shape[1] <= 4:
            write_cells(axis, [[f"{value + 0:{form}}" for value in row] for row in grid.tolist()])
        elif grid.shape[1] <= 12 and below:
            write_cells(axis, np.where(grid > 0, "+", ""))
    figure.suptitle(title)
    return figure


def named_squares(
    shades, words, rows: Sequence[str], columns: Sequence[str], colors: tuple, fontsize: float = 12
) -> plt.Axes:
    """Coloured squares (grey where a shade is NaN), with names at the left and on top.

    Args:
        colors: name of a colour map, and the shades where it begins and ends.
    """
    axis = plt.gca()
    name, low, high = colors
    cmap = plt.get_cmap(name).with_extremes(bad="#e6e6e6")
    axis.imshow(np.ma.masked_invalid(shades), cmap=cmap, vmin=low, vmax=high, aspect="auto")
    write_cells(axis, words, fontsize)
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
def score_table(
    scores: dict[str, dict[str, float]],
    title: str,
    label: str,
    width: float = 9,
    signs: bool = False,
) -> plt.Figure:
    """Scores as coloured squares with their figures; the highest of each row is framed.

    Args:
        scores: name of the column -> name of the row -> value from 0 to 100, NaN where there is
            none. Rows keep the first one's order.
        label: what the values are.
        signs: are they differences? Then orange is above zero and purple below, and none framed.
    """
    rows = list(next(iter(scores.values())))
    values = np.array([[column[row] for column in scores.values()] for row in rows], dtype=float)
    values = values.round(1) + 0  # no "-0.0"
    form = "+.1f" if signs else ".1f"
    words = [["–" if np.isnan(value) else f"{value:{form}}" for value in row] for row in values]
    limit = 2.2 * np.nanmax(np.abs(values))  # pale enough for black figures
    colors = ("PuOr_r", -limit, limit) if signs else ("Blues", 0, 130)
    figure = plt.figure(figsize=(width, 0.38 * len(rows) + 1.4))
    axis = named_squares(values, words, rows, list(scores), colors)
    best = np.nan_to_num(values, nan=-1).max(1, keepdims=True)
    for row, column in [] if signs else np.argwhere(values == best):
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
        void_counts: whole numbers `[C]`, a last row for pixels whose true label is void.
        shares: write the share of the row in percent instead of the count?
    """
    counts, rows, across = np.asarray(counts), list(classes), len(classes)
    share = counts / counts.sum(1, keepdims=True).clip(1)
    written = (100 * share).round().astype(int) if shares else counts
    if void_counts is not None:
        written = np.vstack([written, void_counts])
        share = np.vstack([share, np.full(across, np.nan)])
        rows.append("void (left out)")
    words = [[f"{number:,}" for number in row] for row in written]
    figure = plt.figure(figsize=(width, width * 0.6 * len(rows) / across + 1.1))
    axis = named_squares(share, words, rows, classes, ("Blues", 0, 1), min(14, 11 * width / across))
    for place in range(across):
        frame(axis, place, place)
    if across > 5:
        plt.setp(axis.get_xticklabels(), rotation=30, ha="left", rotation_mode="anchor")
    axis.xaxis.set_label_position("top")
    axis.set(xlabel="predicted", ylabel="true")
    figure.suptitle(title)
    return figure
