"""What convolutions do and see (notebooks 03 and 06)."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.collections import LineCollection
from matplotlib.colors import LogNorm
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from seglab.figures.charts import styled
from seglab.figures.colors import BLUE, ORANGE, SERIES
from seglab.figures.grids import write_cells
from seglab.figures.pictures import picture_of
from seglab.upsampling import bilinear_kernel, transposed_conv2d


@styled
def stamps(
    x: torch.Tensor,
    kernel: torch.Tensor,
    placed: int,
    stride: int = 1,
    padding: int = 0,
    width: float = 11,
) -> plt.Figure:
    """A transposed convolution, stopped after some of its stamps (notebook 03).

    Four grids of numbers: the input, the kernel, the latest stamp, and the output so far. Orange
    marks the input whose turn it is and the cells that its stamp fell on; there the sum is written
    under the result. Hatched cells are what `padding` cuts off.

    Args:
        x, kernel: `float [H, W]` and `[h, w]`.
        placed: how many inputs have stamped, in reading order, from 0 to H * W.
        stride, padding: see `seglab.upsampling.transposed_conv2d`.

    Raises:
        ValueError: more stamps than inputs, or fewer than none, or nothing would be left.
    """
    (rows, columns), (h, w) = x.shape, kernel.shape
    if not 0 <= placed <= x.numel():
        raise ValueError(f"from 0 to {x.numel()} stamps; found {placed}")
    made = transposed_conv2d(x, kernel, stride, padding).shape
    order = torch.arange(x.numel()).view_as(x)
    # Inputs whose turn has not come are set to zero; nothing is cut off yet.
    before = transposed_conv2d(torch.where(order < placed - 1, x, 0.0), kernel, stride)
    canvas = transposed_conv2d(torch.where(order < placed, x, 0.0), kernel, stride)
    written = transposed_conv2d((order < placed).float(), torch.ones(h, w), stride) > 0
    kept = slice(padding, padding + made[0]), slice(padding, padding + made[1])
    state = torch.full(canvas.shape, 2)  # of a cell: 0 empty, 1 filled, 2 cut off
    state[kept] = written[kept].long()
    looks = (
        {"facecolor": "white", "edgecolor": "#888888"},
        {"facecolor": "#cfe5f5", "edgecolor": "#888888"},
        {"facecolor": "#f2f2f2", "edgecolor": "#c4c4c4", "hatch": "///"},
    )
    spans = [columns, w, w, canvas.shape[1]]  # of the four grids, in cells
    tallest = max(rows, h, len(canvas))
    height = 0.38 * width
    figure, axes = plt.subplots(1, 4, figsize=(width, height), width_ratios=spans)
    figure.get_layout_engine().set(wspace=0.1, w_pad=0.1, h_pad=0.1)
    side = min((width - 2) / sum(spans), (height - 1.2) / tallest)  # of a cell, in inches
    words = {"ha": "center", "fontsize": min(20, 24 * side)}
    for axis, span in zip(axes, spans, strict=True):
        axis.set(xlim=(0, span), ylim=(tallest, 0), aspect="equal", anchor="N")
        axis.axis("off")

    def short(value) -> str:
        return f"{round(float(value), 3) + 0:g}"

    def grid(axis, values: torch.Tensor, states: torch.Tensor, name: str) -> None:
        axis.set_title(name, fontsize=13)
        for (i, j), value in np.ndenumerate(values.numpy()):
            kind = int(states[i, j])
            axis.add_patch(Rectangle((j, i), 1, 1, clip_on=False, **looks[kind]))
            ink = "#777777" if kind == 2 else "black"
            axis.text(j + 0.5, i + 0.5, short(value), va="center", color=ink, **words)

    def outline(axis, row: int, column: int, down: int, across: int) -> None:
        look = {"fill": False, "edgecolor": ORANGE, "linewidth": 4, "clip_on": False}
        axis.add_patch(Rectangle((column, row), across, down, zorder=3, **look))

    inputs, kernels, stamp, output = axes
    grid(inputs, x, order < placed, "input")
    grid(kernels, kernel, torch.zeros(h, w), "kernel")
    grid(output, canvas, state, "output" if placed == x.numel() else "output so far")
    head = "No stamp yet"
    if placed:
        row, column = divmod(placed - 1, columns)  # of the input whose turn it is
        top, left = row * stride, column * stride  # of its stamp
        added = x[row, column] * kernel
        times = f"{short(x[row, column])} × kernel"
        grid(stamp, added, torch.ones(h, w), f"stamp: {times}")
        outline(inputs, row, column, 1, 1)
        outline(stamp, 0, 0, h, w)
        outline(output, top, left, h, w)
        words["fontsize"] /= 2
        for (i, j), value in np.ndenumerate(added.numpy()):
            text = f"{short(before[top + i, left + j])} + {short(value)}"
            output.text(left + j + 0.5, top + i + 0.93, text, va="bottom", **words)
        head = f"Stamp {placed} of {x.numel()} adds {times}"
    hatched = " (hatched)" if padding else ""
    size = f"{rows} × {columns} becomes {made[0]} × {made[1]}"
    figure.suptitle(f"{head}; stride {stride}, padding {padding}{hatched}: {size}", fontsize=15)
    return figure


@styled
def two_tents(stride: int, size: int, index: int, width: float = 11) -> plt.Figure:
    """Where a kernel of 2 * stride or 2 * stride - 1 taps draws one value of a row (notebook 03).

    Above and below: the output of a transposed convolution whose input is 1 at `index` and else 0.
    The grey squares are the inputs, laid over the `stride` pixels that each stands for.

    Args:
        stride: an even number.
        size: how many inputs the row has.
    """
    figure, axes = plt.subplots(2, 1, figsize=(width, 0.43 * width), sharex=True)
    row = torch.zeros(1, size)
    row[0, index] = 1
    pixels = torch.arange(stride * size)
    between, on_one = stride // 2, stride - 1
    for axis, taps, padding, (color, marker, _), where in (
        (
            axes[0],
            2 * stride,
            between,
            SERIES[1],
            "between two pixels, in the middle of its square",
        ),
        (axes[1], 2 * stride - 1, on_one, SERIES[0], "on the first pixel of its square"),
    ):
        tent = bilinear_kernel(1, taps)[0, 0].max(0).values[None]  # one row of it, its top
        tent = tent / tent.max() * (1 - 0.5 * (taps % 2 == 0) / stride)
        stamp = transposed_conv2d(row, tent, stride)[0, padding:]
        drawn = F.pad(stamp, (0, max(0, len(pixels) - len(stamp))))[: len(pixels)]
        top = stride * index + (taps % 2 == 0) * (stride - 1) / 2
        for square in range(size):
            look = {"facecolor": "#eeeeee" if square == index else "white", "edgecolor": "#aaaaaa"}
            axis.add_patch(Rectangle((stride * square - 0.5, 0), stride, 1.12, **look))
        axis.plot([top - stride, top, top + stride], [0, 1, 0], color=color, linewidth=1.5)
        axis.vlines(pixels, 0, drawn, color=color, linewidth=1.5)
        axis.plot(pixels, drawn, marker, color=color, markersize=8)
        axis.axvline(top, ymax=0.9, color="black", linestyle=":")
        axis.set(xlim=(-0.6, stride * size - 0.4), ylim=(0, 1.12), yticks=[0, 1], ylabel="weight")
        axis.set_title(f"{taps} taps, padding {padding}: top at {top:g}, {where}", fontsize=13)
    axes[1].set_xticks(pixels)
    axes[1].set_xlabel(f"output pixel (grey: the square of {stride} pixels of input {index})")
    figure.suptitle("An even kernel draws a value between two pixels, an odd one on a pixel")
    return figure


@styled
def seen_and_drawn(
    heats: dict[str, torch.Tensor],
    looks: dict[str, Sequence[float]],
    drawn: tuple[float, float],
    title: str,
    width: float = 11,
) -> plt.Figure:
    """How much each pixel moves a score, and where that score is drawn (notebook 04).

    Args:
        heats: name -> `float [H, W]`, such as |d score / d image|.
        looks: name -> row and column of the heat's centroid (a ring).
        drawn: row and column where the score is drawn (a cross).
    """
    rows, columns = next(iter(heats.values())).shape
    size = (width, width / len(heats) * rows / columns + 1.2)
    figure, axes = plt.subplots(1, len(heats), figsize=size, squeeze=False)
    for axis, (name, heat) in zip(axes.flat, heats.items(), strict=True):
        smooth = F.avg_pool2d(heat[None], 9, 1, 4)[0]  # neighbours differ a lot
        axis.imshow(smooth, cmap="Greys", vmax=float(smooth.max()))
        row, column = (float(number) for number in looks[name])
        down, across = row - drawn[0], column - drawn[1]
        ring = {"mfc": "none", "mec": ORANGE, "mew": 3, "ms": 15}
        axis.plot(
            drawn[1], drawn[0], "x", color=BLUE, ms=14, mew=4, label="the score is drawn here"
        )
        axis.plot(column, row, "o", **ring, label="centroid of what it sees")
        axis.axvline(drawn[1], color=BLUE, linewidth=0.8)
        axis.axhline(drawn[0], color=BLUE, linewidth=0.8)
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(True)
        axis.set_title(f"{name}: {down:+.0f} down, {across:+.0f} right", fontsize=13)
    handles, names = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=2)
    figure.suptitle(title)
    return figure


def path_counts(kernel_size: int, dilations: Sequence[int]) -> torch.Tensor:
    """On how many paths each input pixel reaches an output of layers with these dilations.

    `float64 [n, n]` with n the receptive field: a single 1 at the output is sent back through
    kernels of ones, the last layer first. Zero means: the output does not see this pixel.

    """
    counts = torch.ones(1, 1, 1, 1, dtype=torch.float64)
    ones = torch.ones(1, 1, kernel_size, kernel_size, dtype=torch.float64)
    for dilation in reversed(dilations):
        counts = F.conv_transpose2d(counts, ones, dilation=dilation)
    return counts[0, 0]


@styled
def dilated_stack(kernel_size: int, dilations: Sequence[int], width: float = 12) -> plt.Figure:
    """What one output of a stack of dilated convolutions sees (notebook 06).

    Left: the stack in one dimension, a line from each tap to the output that uses it. Right: in two
    dimensions, on how many paths each pixel reaches the output (`path_counts`).
    """
    counts = path_counts(kernel_size, dilations).numpy()
    field, depth = len(counts), len(dilations)
    seen = int((counts > 0).sum())
    size = (width, 0.42 * width)
    figure, (left, right) = plt.subplots(1, 2, figsize=size, width_ratios=(1.45, 1))
    edge, dot = (field - 1) / 2, min(9.0, 230 / field)
    nodes = {0.0}  # offsets of those that lead to the output; itself at first
    for level in range(depth, -1, -1):
        # Between two layers the grid is the input's, shifted by half a pixel for even kernels.
        grid = np.arange(min(nodes), max(nodes) + 1)
        color = ORANGE if level == depth else BLUE
        left.plot(grid, np.full(len(grid), level), "o", color="white", mec="#aaaaaa", ms=dot)
        left.plot(sorted(nodes), [level] * len(nodes), "o", color=color, ms=dot)
        if level:
            taps = dilations[level - 1] * (np.arange(kernel_size) - (kernel_size - 1) / 2)
            lines = [[(node + tap, level - 1), (node, level)] for node in nodes for tap in taps]
            left.add_collection(
                LineCollection(lines, colors=BLUE, linewidths=1.0, alpha=0.6, zorder=1)
            )
            nodes = {node + tap for node in nodes for tap in taps}
    left.set(xlim=(-edge - 0.6, edge + 0.6), ylim=(-0.35, depth + 0.35), xticks=[])
    names = ["input", *(f"layer {n + 1}\nrate {rate}" for n, rate in enumerate(dilations))]
    left.set_yticks(range(depth + 1), names)
    left.tick_params(length=0)
    left.spines[:].set_visible(False)
    left.set_title(f"in a row: {len(nodes)} of {field} inputs seen", fontsize=13)
    norm = LogNorm(1, max(2, counts.max()))
    shades = np.ma.masked_equal(counts, 0)
    drawn = right.imshow(shades, norm=norm, cmap="cividis", interpolation="nearest")
    right.set(xticks=[], yticks=[])
    right.spines[:].set_visible(True)
    if field <= 9:
        write_cells(right, counts.astype(int), fontsize=12)
    bar = figure.colorbar(drawn, ax=right, shrink=0.85, format="{x:.0f}")
    bar.set_ticks([n for n in (1, 3, 10, 30, 100, 1000, 10**4, 10**5) if n <= max(2, counts.max())])
    bar.minorticks_off()
    bar.set_label("paths to the output (white: none)")
    right.set_title(f"in a map: {seen} of {counts.size} pixels seen", fontsize=13)
    rates = f"rate{'s' * (depth > 1)} {', '.join(map(str, dilations))}"
    figure.suptitle(
        f"Kernel {kernel_size}, {rates}: receptive field {field} × {field} pixels, "
        f"{100 * seen / counts.size:.0f} % of them seen"
    )
    return figure


@styled
def aspp_taps(
    image,
    positions: dict[str, tuple[int, int]],
    rates: Sequence[int],
    stride: int,
    title: str,
    width: float = 12,
) -> plt.Figure:
    """Which places of a picture the 3 x 3 convolutions of ASPP look at, for some of its outputs.

    Filled marks lie in the picture; hollow ones fall on the padding, where every feature is zero.

    Args:
        positions: name -> (row, column) of the output on the map of features.
        rates: dilations of the convolutions.
        stride: pixels from one position of the map to the next.
    """
    picture = picture_of(image)
    rows, columns = (-(-n // stride) for n in picture.shape[:2])
    # The part of the plane that is drawn, in pixels: the picture and all taps.
    outputs, reach = np.array(list(positions.values())), max(rates) + 1
    top, left = stride * (outputs.min(0) - reach).clip(max=0)
    bottom, right = stride * (outputs.max(0) + reach + 1).clip(min=(rows, columns))
    height = width / len(positions) * (bottom - top) / (right - left) + 1.4
    figure, axes = plt.subplots(1, len(positions), figsize=(width, height), squeeze=False)
    around = np.array([(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx])
    for axis, (name, (row, column)) in zip(axes.flat, positions.items(), strict=True):
        axis.set_facecolor("#e8e8e8")
        axis.imshow(picture)
        axis.set(xlim=(left, right), ylim=(bottom, top), xticks=[], yticks=[])
        axis.spines[:].set_visible(True)
        counts = []
        for rate, (color, marker, _) in zip(rates, SERIES, strict=False):
            y, x = ((row, column) + rate * around).T
            hit = (y >= 0) & (y < rows) & (x >= 0) & (x < columns)
            look = {"marker": marker, "s": 75, "linewidth": 1.4}
            look["edgecolor"] = np.where(hit, "white", color)
            look["facecolor"] = np.where(hit, color, "none")
            axis.scatter((x + 0.5) * stride, (y + 0.5) * stride, **look)
            counts.append(f"rate {rate}: {hit.sum() + 1}")
        centre = ((column + 0.5) * stride, (row + 0.5) * stride)
        axis.scatter(*centre, s=110, marker="o", color="#f0e442", edgecolor="black", zorder=3)
        axis.set_title(f"{name}\ntaps in the picture, of 9: " + ", ".join(counts), fontsize=12)
    handles = [
        Line2D([], [], ls="", ms=9, color=color, marker=marker, label=f"rate {rate}")
        for rate, (color, marker, _) in zip(rates, SERIES, strict=False)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    figure.suptitle(title)
    return figure
