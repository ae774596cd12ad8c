"""The look of all charts, and two kinds of them: bars and dots."""

from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import LogLocator, NullLocator

from seglab.figures.colors import SERIES

PLAIN = "#33628d"  # of bars and lines that need no colour of their own

# `@styled` above a function, or `with plt.rc_context(STYLE)`, gives this look to all it draws.
STYLE = {
    "figure.constrained_layout.use": True,
    "figure.titlesize": 14,
    "axes.titlesize": 14,
    "axes.labelsize": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.labelsize": 12,
    "ytick.labelsize": 12,
    "legend.fontsize": 12,
    "legend.frameon": False,
    "grid.alpha": 0.3,
    "axes.prop_cycle": plt.cycler(color=[color for color, *_ in SERIES]),
}
styled = plt.rc_context(STYLE)


@styled
def bars(
    values: dict[str, float], title: str, label: str, width: float = 9, log: bool = False
) -> plt.Figure:
    """One horizontal bar for each name, with its value in figures; NaN is only written.

    Args:
        log: an axis on which each step is ten times the last, for values far apart?
    """
    figure, axis = plt.subplots(figsize=(width, 0.32 * len(values) + 1.1))
    lengths = np.nan_to_num(list(values.values()))
    drawn = axis.barh(list(values), lengths, color=PLAIN, log=log)
    form = "{:,.0f}" if log else "{:.1f}"
    words = [form.format(v) if np.isfinite(v) else "not a number" for v in values.values()]
    axis.bar_label(drawn, words, padding=3, fontsize=11)
    axis.invert_yaxis()
    axis.set(xlabel=label)
    axis.margins(x=0.1)
    figure.suptitle(title)
    return figure


@styled
def dots(
    series: dict[str, dict],
    title: str,
    label: str,
    width: float = 10,
    signs: bool = False,
) -> plt.Figure:
    """One row for each name, one dot for each series: who is ahead, and where.

    A line joins the lowest and the highest of each row. The first series stands a little higher
    in its row than the last, so that none hides another. A single series is written out.

    Args:
        series: name of the series -> name of the row -> value, or (low, value, high) for a value
            with the range it comes with. Rows keep the first one's order.
        signs: write signs and mark zero, for differences?
    """
    names = list(next(iter(series.values())))
    spans = [[np.broadcast_to(of[name], 3) for name in names] for of in series.values()]
    spans, rows, several = np.array(spans), np.arange(len(names)), len(series) > 1
    figure, axis = plt.subplots(figsize=(width, (0.42 if several else 0.55) * len(names) + 1.5))
    color, thick = ("#b9c4d0", 4) if several else (PLAIN, 6)
    axis.hlines(rows, spans.min((0, 2)), spans.max((0, 2)), color, linewidth=thick, zorder=1)
    shifts = np.linspace(-0.22, 0.22, len(series)) if several else [0]
    for name, span, (color, marker, _), shift in zip(
        series, spans, cycle(SERIES), shifts, strict=False
    ):
        look = {"color": color, "marker": marker, "edgecolors": "white", "label": name}
        axis.scatter(span[:, 1], rows + shift, s=65 if several else 110, zorder=2, **look)
    sign = "+" if signs else ""
    for row, (low, value, high) in enumerate([] if several else spans[0]):
        text = f"{value:{sign}.1f}  ({low:{sign}.1f} to {high:{sign}.1f})"
        look = {"ha": "center", "fontsize": 12, "textcoords": "offset points"}
        look["bbox"] = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1}
        axis.annotate(text, (value, row), (0, 9), **look)
    if signs:
        axis.axvline(0, color="#111111", linewidth=2, linestyle="--", zorder=0)
    axis.set_yticks(rows, names)
    axis.set(xlabel=label, ylim=(len(names) - 0.5, -0.5 if several else -0.8))
    axis.margins(x=0.05 if several else 0.12)
    axis.grid(axis="x")
    if several:
        figure.legend(ncols=len(series), loc="outside lower center")
    figure.suptitle(title)
    return figure


def log_axis(axis: plt.Axes, title: str) -> None:
    """Make the y axis of a drawing logarithmic, with plain numbers, and give it a title."""
    axis.set_yscale("log")
    plain_ticks(axis.yaxis)
    axis.set_title(title, fontsize=12)
    axis.grid(alpha=0.3)


def plain_ticks(axis) -> None:
    """Let a logarithmic axis say 0.5, 1, 2, 5, 10 and not powers of ten."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_locator(NullLocator())
