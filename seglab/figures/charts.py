"""Bars, dots and intervals."""

from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import LogLocator, NullLocator

from seglab.palettes import ORANGE, SERIES


def bars(
    values: dict[str, float], title: str, label: str, width: float = 9, log: bool = False
) -> plt.Figure:
    """One horizontal bar for each name, with its value in figures.

    Args:
        log: an axis on which each step is ten times the last, for values far apart?
    """
    height = 0.3 * len(values) + 1
    figure, axis = plt.subplots(figsize=(width, height), layout="constrained")
    drawn = axis.barh(list(values), list(values.values()), color="#33628d", log=log)
    axis.bar_label(drawn, fmt="{:,.0f}" if log else "{:.1f}", padding=3)
    axis.invert_yaxis()
    axis.set(xlabel=label, title=title)
    axis.margins(x=0.1)
    axis.spines[["top", "right"]].set_visible(False)
    return figure


def dots(
    series: dict[str, dict[str, float]], title: str, label: str, width: float = 10
) -> plt.Figure:
    """One row for each name, one dot for each series: who is ahead, and where.

    The first series stands a little higher in its row than the last, so that none hides another.

    Args:
        series: name of the series -> name of the row -> value. Rows keep the first one's order.
    """
    names = list(next(iter(series.values())))
    height = 0.42 * len(names) + 1.5
    figure, axis = plt.subplots(figsize=(width, height), layout="constrained")
    shifts = np.linspace(-0.22, 0.22, len(series)) if len(series) > 1 else [0]
    for row, name in enumerate(names):
        values = [of[name] for of in series.values()]
        axis.plot([min(values), max(values)], [row, row], color="#bbbbbb", linewidth=3, zorder=1)
    for (name, values), (color, marker, _), shift in zip(
        series.items(), cycle(SERIES), shifts, strict=False
    ):
        axis.scatter(
            [values[row] for row in names],
            np.arange(len(names)) + shift,
            s=65,
            color=color,
            marker=marker,
            edgecolors="white",
            label=name,
            zorder=2,
        )
    axis.set_yticks(range(len(names)), names, fontsize=12)
    axis.set_ylim(len(names) - 0.5, -0.5)
    axis.set_xlabel(label, fontsize=12)
    axis.set_title(title, fontsize=14)
    axis.grid(axis="x", alpha=0.3)
    axis.spines[["top", "right"]].set_visible(False)
    figure.legend(ncols=len(series), loc="outside lower center", frameon=False, fontsize=12)
    return figure


def log_axis(axis: plt.Axes, title: str) -> None:
    """Make the y axis of a drawing logarithmic, with plain numbers, and give it a title."""
    axis.set_yscale("log")
    _plain_ticks(axis.yaxis)
    axis.set_title(title, fontsize=12)
    axis.grid(alpha=0.3)


def _plain_ticks(axis) -> None:
    """Let a logarithmic axis say 0.5, 1, 2, 5, 10 and not powers of ten."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_locator(NullLocator())


def score_dots(values: dict[str, float], title: str, label: str, width: float = 10) -> plt.Figure:
    """One row and one dot for each value, which is also written out; NaN is only written."""
    height = 0.36 * len(values) + 1.2
    figure, axis = plt.subplots(figsize=(width, height), layout="constrained")
    finite = [value for value in values.values() if np.isfinite(value)]
    high = max(finite, default=1)
    room = 0.12 * high or 1
    for row, value in enumerate(values.values()):
        if np.isfinite(value):
            axis.plot([0, value], [row, row], color="#cccccc", linewidth=2, zorder=1)
            axis.scatter(value, row, s=80, color="#33628d", zorder=2)
            axis.text(value + room / 4, row, f"{value:.1f}", va="center", fontsize=12)
        else:
            axis.text(0.1 * room, row, "not a number", va="center", fontsize=12)
    axis.set_yticks(range(len(values)), list(values), fontsize=12)
    axis.set_xlim(0, high + room)
    axis.set_ylim(len(values) - 0.4, -0.6)
    axis.set_xlabel(label, fontsize=12)
    figure.suptitle(title, fontsize=14)
    axis.tick_params("y", length=0)
    axis.spines[["top", "right", "left"]].set_visible(False)
    return figure


def intervals(
    rows: dict[str, tuple[float, float, float]],
    title: str,
    label: str,
    zero: bool = False,
    width: float = 10,
) -> plt.Figure:
    """One row for each measured value with the range it comes with.

    Args:
        rows: name -> (low, value, high).
        zero: mark zero and write signs, for differences?
    """
    height = 0.5 * len(rows) + 1.2
    figure, axis = plt.subplots(figsize=(width, height), layout="constrained")
    for row, (low, value, high) in enumerate(rows.values()):
        axis.plot([low, high], [row, row], color="#33628d", linewidth=6, solid_capstyle="butt")
        axis.scatter(value, row, s=110, color="white", edgecolor="black", linewidth=2, zorder=3)
        text = "{:{s}.1f}  ({:{s}.1f} to {:{s}.1f})".format(value, low, high, s="+" if zero else "")
        look = {"ha": "center", "va": "center", "fontsize": 12}
        look["bbox"] = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1}
        axis.text((low + high) / 2, row - 0.32, text, **look)
    if zero:
        axis.axvline(0, color=ORANGE, linewidth=2, linestyle="--", zorder=0)
    axis.set_yticks(range(len(rows)), list(rows), fontsize=12)
    axis.set_ylim(len(rows) - 0.5, -0.7)
    axis.margins(x=0.12)
    axis.set_xlabel(label, fontsize=12)
    axis.grid(axis="x", alpha=0.3)
    axis.tick_params("y", length=0)
    axis.spines[["top", "right", "left"]].set_visible(False)
    figure.suptitle(title, fontsize=14)
    return figure
