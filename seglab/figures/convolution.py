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
from seglab.upsampling import transposed_conv2d


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

    empty = {"facecolor": "white", "edgecolor": "#888888"}
    filled = {"facecolor": "#cfe5f5", "edgecolor": "#888888"}
    cut = {"facecolor": "#f2f2f2", "edgecolor": "#c4c4c4", "hatch": "///"}
    spans = [columns, w, w, canvas.shape[1]]  # of the four grids, in cells
    lefts = [sum(spans[:n]) + 1.1 * n for n in range(4)]
    height = 0.38 * width
    tallest = max(rows, h, canvas.shape[0])
    side = min((width - 0.5) / (lefts[3] + spans[3]), (height - 1.2) / tallest)  # in inches
    margin = (width - side * (lefts[3] + spans[3])) / 2
    figure = plt.figure(figsize=(width, height))

    def short(value):
        return f"{round(float(value), 3) + 0:g}"

    def grid(number, values, name, look, note=lambda i, j: ""):
        down, across = values.shape
        left, bottom = margin + side * lefts[number], (height - 0.5 - side * down) / 2
        box = (left / width, bottom / height, side * across / width, side * down / height)
        axis = figure.add_axes(box)
        axis.set(xlim=(0, across), ylim=(down, 0), xticks=[], yticks=[])
        axis.set_title(name, fontsize=13)
        for (i, j), value in np.ndenumerate(values.numpy()):
            axis.add_patch(Rectangle((j, i), 1, 1, **look(i, j)))
            size = min(20, 24 * side)
            color = "black" if look(i, j) is not cut else "#777777"
            words = {"ha": "center", "color": color}
            axis.text(j + 0.5, i + 0.5, short(value), va="center", fontsize=size, **words)
            if note(i, j):
                axis.text(j + 0.5, i + 0.93, note(i, j), va="bottom", fontsize=size / 2, **words)
        return axis

    def outline(axis, row, column, down, across):
        look = {"fill": False, "edgecolor": ORANGE, "linewidth": 4, "clip_on": False}
        axis.add_patch(Rectangle((column, row), across, down, zorder=3, **look))

    def state(i, j):
        if padding <= i < padding + made[0] and padding <= j < padding + made[1]:
            return filled if written[i, j] else empty
        return cut

    def addition(i, j):
        if placed and top <= i < top + h and left <= j < left + w:
            return f"{short(before[i, j])} + {short(canvas[i, j] - before[i, j])}"
        return ""

    row, column = divmod(placed - 1, columns)  # of the input whose turn it is
    top, left = row * stride, column * stride  # of its stamp
    done = "" if placed == x.numel() else " so far"
    inputs = grid(0, x, "input", lambda i, j: filled if order[i, j] < placed else empty)
    grid(1, kernel, "kernel", lambda i, j: empty)
    output = grid(3, canvas, f"output{done}", state, addition)
    if padding:
        output.set_xlabel("hatched: cut off by padding", fontsize=12)
    head = "No stamp yet"
    if placed:
        times = f"{short(x[row, column])} × kernel"
        stamp = grid(2, x[row, column] * kernel, f"stamp: {times}", lambda i, j: filled)
        outline(inputs, row, column, 1, 1)
        outline(stamp, 0, 0, h, w)
        outline(output, top, left, h, w)
        head = f"Stamp {placed} of {x.numel()} adds {times}"
    size = f"{rows} × {columns} becomes {made[0]} × {made[1]}"
    title = f"{head}; stride {stride}, padding {padding}: {size}"
    figure.suptitle(title, fontsize=15, y=1 - 0.1 / height, va="top")
    return figure


def path_counts(kernel_size: int, dilations: Sequence[int]) -> torch.Tensor:
    """On how many paths each input pixel reaches one output of a stack of dilated convolutions.

    `float64 [n, n]` with n the receptive field: a single 1 at the output is sent back through
    kernels of ones, the last layer first. Zero means: the output does not see this pixel.

    Args:
        kernel_size: of every layer.
        dilations: of the layers, first one first.
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
    dimensions, on how many paths each pixel reaches the output.

    Args:
        kernel_size, dilations: see `path_counts`.
    """
    counts = path_counts(kernel_size, dilations).numpy()
    field, depth = len(counts), len(dilations)
    seen = int((counts > 0).sum())
    size = (width, 0.42 * width)
    figure, (left, right) = plt.subplots(1, 2, figsize=size, width_ratios=(1.45, 1))
    # Offsets of the nodes that lead to the output, in each layer; the output is at 0.
    nodes = [{0}]
    lines = []
    for level, dilation in zip(range(depth, 0, -1), reversed(dilations), strict=True):
        taps = [tap * dilation - (kernel_size - 1) * dilation / 2 for tap in range(kernel_size)]
        lines += [
            [(node + tap, level - 1), (node, level)] for node in sorted(nodes[-1]) for tap in taps
        ]
        nodes.append({node + tap for node in nodes[-1] for tap in taps})
    left.add_collection(LineCollection(lines, colors=BLUE, linewidths=1.0, alpha=0.6))
    size = min(9.0, 230 / field)
    edge = (field - 1) / 2
    every = np.arange(field) - edge
    for level, places in enumerate(reversed(nodes)):
        # Between two layers the grid is the input's, shifted by half a pixel for even kernels.
        shift = (min(places) - every[0]) % 1
        grid = [x + shift for x in every if min(places) <= x + shift <= max(places)]
        left.plot(grid, [level] * len(grid), "o", color="white", mec="#aaaaaa", ms=size)
        color = ORANGE if level == depth else BLUE
        left.plot(sorted(places), [level] * len(places), "o", color=color, ms=size)
    left.set(xlim=(-edge - 0.6, edge + 0.6), ylim=(-0.35, depth + 0.35), xticks=[])
    names = ["input", *(f"layer {n + 1}\nrate {rate}" for n, rate in enumerate(dilations))]
    left.set_yticks(range(depth + 1), names)
    left.tick_params(length=0)
    left.spines[:].set_visible(False)
    left.set_title(f"in a row: {len(nodes[-1])} of {field} inputs seen", fontsize=13)
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
        image: `uint8 [3, H, W]`.
        positions: name -> (row, column) of the output on the map of features.
        rates: dilations of the convolutions.
        stride: pixels from one position of the map to the next.
    """
    picture = picture_of(image)
    rows, columns = (-(-n // stride) for n in picture.shape[:2])
    # The part of the plane that is drawn, in pixels: the picture and all taps.
    reach = max(rates) + 1
    top = stride * min(0, *(row - reach for row, _ in positions.values()))
    bottom = stride * max(rows, *(row + reach + 1 for row, _ in positions.values()))
    left = stride * min(0, *(column - reach for _, column in positions.values()))
    right = stride * max(columns, *(column + reach + 1 for _, column in positions.values()))
    height = width / len(positions) * (bottom - top) / (right - left) + 1.4
    figure, axes = plt.subplots(1, len(positions), figsize=(width, height), squeeze=False)
    around = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0)]
    looks = [
        (rate, {"color": c, "marker": m}) for rate, (c, m, _) in zip(rates, SERIES, strict=False)
    ]
    for axis, (name, (row, column)) in zip(axes.flat, positions.items(), strict=True):
        axis.set_facecolor("#e8e8e8")
        axis.imshow(picture)
        axis.set(xlim=(left, right), ylim=(bottom, top), xticks=[], yticks=[])
        axis.spines[:].set_visible(True)
        counts = []
        for rate, look in looks:
            y, x = (np.array([row, column]) + rate * np.array(around)).T
            hit = (y >= 0) & (y < rows) & (x >= 0) & (x < columns)
            x, y = (x + 0.5) * stride, (y + 0.5) * stride
            axis.scatter(x[hit], y[hit], s=75, edgecolor="white", linewidth=1.2, zorder=2, **look)
            look = {"marker": look["marker"], "edgecolor": look["color"], "facecolor": "none"}
            axis.scatter(x[~hit], y[~hit], s=75, linewidth=1.6, zorder=2, **look)
            counts.append(f"rate {rate}: {hit.sum() + 1}")
        centre = ((column + 0.5) * stride, (row + 0.5) * stride)
        axis.scatter(*centre, s=110, marker="o", color="#f0e442", edgecolor="black", zorder=3)
        axis.set_title(f"{name}\ntaps in the picture, of 9: " + ", ".join(counts), fontsize=12)
    handles = [Line2D([], [], ls="", ms=9, label=f"rate {rate}", **look) for rate, look in looks]
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    figure.suptitle(title)
    return figure
