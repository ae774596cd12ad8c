"""How networks are built (notebooks 04, 05 and 06)."""

import math
from collections.abc import Sequence
from itertools import pairwise

import matplotlib.pyplot as plt
from matplotlib.patches import FancyBboxPatch

# Arrows of the diagrams: down to coarser maps, up to finer ones, and (dashed) across.
DOWN, UP, ACROSS = "#a33b00", "#00704f", "#222222"
BLUE, YELLOW, GREEN, GREY, ORANGE = "#cfe5f5", "#f9dfa6", "#d5ecd9", "#e4e4e4", "#f6d0bd"


def sheet(size: tuple, across: tuple, high: tuple, title: str) -> plt.Axes:
    """An empty sheet with a title, to be drawn on in the units of `across` and `high`."""
    figure, axis = plt.subplots(figsize=size)
    axis.set(xlim=across, ylim=high)
    axis.axis("off")
    axis.set_title(title, fontsize=15)
    figure.subplots_adjust(left=0.01, right=0.99, bottom=0.01, top=0.92)
    return axis


def write(axis, x: float, y: float, text: str, **look) -> None:
    """A text, its middle at (x, y)."""
    axis.text(x, y, text, **{"ha": "center", "va": "center", "fontsize": 13, **look})


def box(axis, x: float, y: float, text: str, color: str, size: tuple, **edge) -> FancyBboxPatch:
    """A rounded box with text, its middle at (x, y)."""
    look = {"boxstyle": "round,pad=0,rounding_size=0.06", "edgecolor": "#444444", **edge}
    corner = (x - size[0] / 2, y - size[1] / 2)
    write(axis, x, y, text, fontsize=11, linespacing=1.25)
    return axis.add_patch(FancyBboxPatch(corner, *size, facecolor=color, **look))


def middle(thing) -> tuple[float, float]:
    """Of a box; a point (x, y) is its own."""
    if isinstance(thing, tuple):
        return thing
    return thing.get_x() + thing.get_width() / 2, thing.get_y() + thing.get_height() / 2


def arrow(axis, start, end, color: str = "#444444", text: str = "", **look) -> None:
    """An arrow from one box or point to another, with a text beside its middle."""
    (x1, y1), (x2, y2) = middle(start), middle(end)
    look = {"arrowstyle": "-|>", "linewidth": 2, "mutation_scale": 15, **look}
    look |= {"color": color, "shrinkA": 0, "shrinkB": 0}
    # It starts in the middle of the box, unseen below it, and ends at the other one's edge.
    look["patchB"] = None if isinstance(end, tuple) else end
    axis.annotate("", (x2, y2), (x1, y1), arrowprops=look, zorder=0)
    right, up = (0.24, 0) if x1 == x2 else (0, 0.18)
    write(axis, (x1 + x2) / 2 + right, (y1 + y2) / 2 + up, text, color=color, weight="bold")


def fcn_diagram(
    image: Sequence[int], features: Sequence[Sequence[int]], num_classes: int, width: float = 11
) -> plt.Figure:
    """FCN-32s, 16s and 8s in one drawing: stages, scores, doublings, sums (notebook 04).

    The image and its five feature maps, finest first, are given as shapes `(channels, h, w)`.
    """
    title = "One classifier, three networks: each column ends in an FCN"
    axis = sheet((width, 0.53 * width), (-0.45, 5.5), (-3.75, 0.42), title)
    names = ["image", *(f"1/{2**stage}" for stage in range(1, 6))]
    stages = [
        box(axis, x, 0, f"{name}\n{channels} channels\n{rows} × {columns}", BLUE, (0.76, 0.62))
        for x, (name, (channels, rows, columns)) in enumerate(
            zip(names, [image, *features], strict=True)
        )
    ]
    for before, after in pairwise(stages):
        arrow(axis, before, after)
    for x, stride in ((5, 32), (4, 16), (3, 8)):
        last = box(axis, x, -1.15, f"1 × 1 conv.\n{num_classes} scores", YELLOW, (0.68, 0.46))
        arrow(axis, stages[x], last)
        if stride < 32:
            total = box(axis, x, -2.2, "+", "white", (0.26, 0.32))
            arrow(axis, last, total)
            arrow(axis, (x + 1.0, -2.2), total, UP, "× 2")
            last = total
        text = f"FCN-{stride}s\n{num_classes} logits\n{image[1]} × {image[2]}"
        logits = box(axis, x, -3.35, text, GREY, (0.68, 0.62))
        arrow(axis, last, logits, UP, f"× {stride}")
    for y, text in (
        (-1.15, "Score: a linear classifier\nat every position."),
        (-2.2, "Double the coarse scores,\nadd the finer ones."),
        (-3.35, "Enlarge to the image;\ncut off what is too much."),
    ):
        write(axis, -0.35, y, text, ha="left", color="#333333")
    return axis.figure


def unet_diagram(
    image: Sequence[int],
    down: Sequence[Sequence[int]],
    up: Sequence[Sequence[int]],
    logits: Sequence[int],
    title: str,
    width: float = 12,
) -> plt.Figure:
    """A U-Net with its true shapes: down on the left, up on the right, skips across (notebook 05).

    The higher a box, the more rows its map has. On the right, the two halves beside each box are
    what it convolves: the skip and the doubled map from below.

    All shapes are `(channels, H, W)`, finest first; `up` has one fewer than `down`.
    """
    levels = len(down)
    last = 2 * levels + 0.9  # column of the logits; the image is in column 0
    size = (width, 0.075 * width * levels + 0.9)
    axis = sheet(size, (-0.5, last + 0.5), (0.5 - 1.1 * levels, 0.62), title)
    rows = [math.log2(shape[1]) for shape in (image, *down, *up, logits)]

    def map_at(x: float, level: int, shape: Sequence[int], color: str, name: str = ""):
        text = f"{name}{shape[0]} ch.\n{shape[1]} × {shape[2]}"
        share = (math.log2(shape[1]) - min(rows)) / (max(rows) - min(rows))
        return box(axis, x, -1.1 * level, text, color, (0.88, 0.44 + 0.56 * share))

    encoder = [map_at(1 + level, level, shape, BLUE) for level, shape in enumerate(down)]
    decoder = [map_at(last - 1 - level, level, shape, GREEN) for level, shape in enumerate(up)]
    arrow(axis, map_at(0, 0, image, GREY, "image\n"), encoder[0])
    arrow(axis, decoder[0], map_at(last, 0, logits, GREY, "logits\n"))
    for before, after in pairwise(encoder):
        arrow(axis, before, after, DOWN)
    for level, (left, right) in enumerate(zip(encoder, decoder, strict=False)):
        (x, y), height = middle(right), right.get_height()
        skip, doubled = str(down[level][0]), f"+ {up[level][0]}"
        halves = [
            box(axis, x - 0.44 - away, y, channels, color, (0.46, height))
            for away, channels, color in ((0.69, skip, BLUE), (0.23, doubled, GREEN))
        ]
        arrow(axis, left, halves[0], ACROSS, linestyle="--")
        between = (middle(left)[0] + middle(halves[0])[0]) / 2 + 0.13
        text = f"skip:{' ' if level < len(up) - 1 else chr(10)}{down[level][0]} ch."
        write(axis, between, y + 0.08, text, va="bottom", fontsize=12, color=ACROSS)
        arrow(axis, [*decoder, encoder[-1]][level + 1], halves[1], UP)
    write(axis, 0.6, 1.45 - 1.1 * levels, "halve,\nthen convolve", color=DOWN)
    doubling = "double,\nput the skip beside it,\nthen convolve"
    write(axis, last - 0.7, 1.45 - 1.1 * levels, doubling, color=UP)
    return axis.figure


def nested_diagram(
    channels: Sequence[int], parameters: Sequence[Sequence[int]], title: str, width: float = 11
) -> plt.Figure:
    """U-Net++ as a triangle of nodes named (level, column), as in its paper (notebook 05).

    Args:
        channels: of each level, finest first.
        parameters: `parameters[j][i]`: numbers to learn in the node at level i of column j.
    """
    levels = len(channels)
    across, high = (-0.75, 2 * levels - 1.45), (0.55 - levels, 0.85)
    axis = sheet((width, 0.58 * width), across, high, title)
    encoder = BLUE, {"label": "encoder"}
    added = YELLOW, {"label": "new in U-Net++", "linestyle": "--"}
    decoder = GREEN, {"label": "where U-Net has its decoder", "linewidth": 3}
    nodes = {}
    for j, column in enumerate(parameters):
        for i, count in enumerate(column):
            color, edge = encoder if j == 0 else decoder if i + j == levels - 1 else added
            text = f"({i}, {j})\n{channels[i]} ch.\n{count / 1e3:,.0f} k"
            nodes[i, j] = box(axis, i + 2 * j, -i, text, color, (0.8, 0.6), **edge)
    for (i, j), node in nodes.items():
        if j:
            arrow(axis, nodes[i + 1, j - 1], node, UP)
            arrow(axis, nodes[i, j - 1], node, ACROSS, linestyle="--")
        elif i:
            arrow(axis, nodes[i - 1, 0], node, DOWN)
        x, y = i + 2 * j, 0.3 - i  # the upper edge
        for apart in range(2, j + 1):  # from the nodes of the same level further left
            start = (x - 2 * apart + 0.3 - 0.14 * (apart - 2), y)
            end = (x - 0.28 + 0.26 * (apart - 2), y)  # a place of its own for each head
            bend = 2 * (0.13 * apart - 0.06) / (end[0] - start[0])  # how high, for how long
            bow = {
                "linewidth": 1.2,
                "mutation_scale": 11,
                "connectionstyle": f"arc3,rad={-bend:.3f}",
            }
            arrow(axis, start, end, ACROSS, linestyle="--", **bow)
    handles = [nodes[0, 0], nodes[0, 1], nodes[0, levels - 1]]
    axis.legend(handles=handles, loc="lower right", frameon=False, fontsize=13)
    return axis.figure


def deeplab_diagram(width: float = 11) -> plt.Figure:
    """DeepLab v1, v2, v3 and v3+ one under the other, as the papers have them (notebook 06)."""
    title = "One idea, four heads: what is done with the dilated features"
    axis = sheet((width, 0.56 * width), (-0.75, 6.75), (-4.5, 0.62), title)
    crf = "dense CRF\n(not learned with it)"
    finer = "ResNet, dilated\nfeatures at 1/16 or 1/8"
    summed = "ASPP: four 3 × 3,\nrates 6, 12, 18, 24;\nscores are added"
    mixed = "ASPP: 1 × 1, three 3 × 3,\nimage pooling; batch norm;\nfeatures are concatenated"
    join = "concatenate, two\nseparable 3 × 3;\nthen enlarge × 4"
    # Columns: where each box stands, and its size.
    places = ((0.75, 1.3), (2.75, 1.7), (4.6, 0.9), (5.95, 1.2))
    large = "LargeFOV:\none 3 × 3, rate 12"
    for y, name, last, *texts in (
        (0, "v1", ORANGE, "VGG-16, dilated\nfeatures at 1/8", large, "enlarge\n× 8", crf),
        (-1.1, "v2", ORANGE, "ResNet, dilated\nfeatures at 1/8", summed, "enlarge\n× 8", crf),
        (-2.2, "v3", GREEN, finer, mixed, "enlarge\n× 16 or 8"),
        (-3.3, "v3+", GREEN, finer, "the same ASPP,\nseparable", "enlarge\n× 4 or 2", join),
    ):
        axis.text(-0.72, y, name, va="center", fontsize=17, weight="bold")
        row = [
            box(axis, x, y, text, color, (across, 0.66))
            for (x, across), color, text in zip(
                places, (BLUE, YELLOW, GREEN, last), texts, strict=False
            )
        ]
        for before, after in pairwise(row):
            arrow(axis, before, after)
    # Below v3+: the finer features, on their way around the ASPP.
    skip = box(axis, 2.75, -4.15, "features at 1/4, by 1 × 1 to 48 channels", BLUE, (2.6, 0.4))
    for start, end, style in (
        (row[0], (0.75, -4.15), "-"),
        ((0.75, -4.15), skip, "-|>"),
        (skip, (5.95, -4.15), "-"),
        ((5.95, -4.15), row[-1], "-|>"),
    ):
        arrow(axis, start, end, linestyle="--", arrowstyle=style)
    return axis.figure
