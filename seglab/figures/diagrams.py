"""How networks are built (notebooks 04, 05 and 06)."""

from collections.abc import Sequence
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.colors import to_rgb
from matplotlib.patches import FancyBboxPatch, Patch, Rectangle

from seglab.figures.charts import styled
from seglab.figures.colors import ORANGE
from seglab.figures.grids import lines_between, write_cells
from seglab.figures.pictures import picture_of, show
from seglab.metrics import ConfusionMatrix
from seglab.palettes import VOC_CLASSES, VOC_PALETTE
from seglab.unet import center_crop

# Arrows of the diagrams: down to coarser maps, up to finer ones, and (dashed) across.
DOWN, UP, ACROSS = "#a33b00", "#00704f", "#222222"
BLUE_BOX, YELLOW_BOX, GREEN_BOX, GREY_BOX = "#cfe5f5", "#f9dfa6", "#d5ecd9", "#e4e4e4"


def sheet(size: tuple, across: tuple, high: tuple, title: str) -> tuple[plt.Figure, plt.Axes]:
    """An empty sheet with a title, to be drawn on in the units of `across` and `high`."""
    figure, axis = plt.subplots(figsize=size)
    axis.set(xlim=across, ylim=high)
    axis.axis("off")
    axis.set_title(title, fontsize=15)
    figure.subplots_adjust(left=0.01, right=0.99, bottom=0.01, top=0.92)
    return figure, axis


def box(axis, x: float, y: float, text: str, color: str, across: float, high: float, **edge):
    """A rounded box with text, its middle at (x, y)."""
    look = {"boxstyle": "round,pad=0,rounding_size=0.06", "edgecolor": "#444444", **edge}
    corner = (x - across / 2, y - high / 2)
    axis.add_patch(FancyBboxPatch(corner, across, high, facecolor=color, **look))
    write(axis, x, y, text, fontsize=11, linespacing=1.25)


def arrow(axis, start: tuple, end: tuple, color: str = "#444444", style: str = "-", **look):
    """An arrow that ends exactly at its end points."""
    look = {"arrowstyle": "-|>", "linewidth": 2, "mutation_scale": 15, **look}
    look |= {"color": color, "linestyle": style, "shrinkA": 0, "shrinkB": 0}
    axis.annotate("", end, start, arrowprops=look)


def write(axis, x: float, y: float, text: str, **look):
    """A text, its middle at (x, y)."""
    axis.text(x, y, text, **{"ha": "center", "va": "center", "fontsize": 13, **look})


def fcn_diagram(
    image: Sequence[int], features: Sequence[Sequence[int]], num_classes: int, width: float = 11
) -> plt.Figure:
    """FCN-32s, 16s and 8s in one drawing: stages, scores, doublings, sums (notebook 04).

    Args:
        image: shape `(3, H, W)`.
        features: shapes `(channels, h, w)` of the five feature maps, finest first.
    """
    title = "One classifier, three networks: each column ends in an FCN"
    figure, axis = sheet((width, 0.53 * width), (-0.45, 5.5), (-3.75, 0.42), title)
    for x, (channels, rows, columns) in enumerate([image, *features]):
        name = f"1/{2**x}" if x else "image"
        text = f"{name}\n{channels} channels\n{rows} × {columns}"
        box(axis, x, 0, text, BLUE_BOX, 0.76, 0.62)
        if x:
            arrow(axis, (x - 0.62, 0), (x - 0.38, 0))
    for x, stride in ((5, 32), (4, 16), (3, 8)):
        arrow(axis, (x, -0.31), (x, -0.92))
        box(axis, x, -1.15, f"1 × 1 conv.\n{num_classes} scores", YELLOW_BOX, 0.68, 0.46)
        end = -1.38
        if stride < 32:
            arrow(axis, (x, end), (x, -2.04))
            box(axis, x, -2.2, "+", "white", 0.26, 0.32)
            coarser = x + (0.87 if stride == 8 else 1)  # the right column has no sum to start from
            arrow(axis, (coarser, -2.2), (x + 0.13, -2.2), UP)
            write(axis, (coarser + x + 0.13) / 2, -2.02, "× 2", color=UP, weight="bold")
            end = -2.36
        arrow(axis, (x, end), (x, -3.04), UP)
        write(axis, x + 0.24, -2.7, f"× {stride}", color=UP, weight="bold")
        text = f"FCN-{stride}s\n{num_classes} logits\n{image[1]} × {image[2]}"
        box(axis, x, -3.35, text, GREY_BOX, 0.68, 0.62)
    look = {"ha": "left", "color": "#333333"}
    write(axis, -0.35, -1.15, "Score: a linear classifier\nat every position.", **look)
    write(axis, -0.35, -2.2, "Double the coarse scores,\nadd the finer ones.", **look)
    write(axis, -0.35, -3.35, "Enlarge to the image;\ncut off what is too much.", **look)
    return figure


def unet_diagram(
    image: Sequence[int],
    down: Sequence[Sequence[int]],
    up: Sequence[Sequence[int]],
    logits: Sequence[int],
    title: str,
    width: float = 12,
) -> plt.Figure:
    """A U-Net with its true shapes: down on the left, up on the right, skips across (notebook 05).

    Args:
        image, logits: shapes `(channels, H, W)`.
        down: shapes of the encoder's maps, finest first.
        up: shapes of the decoder's maps, finest first, one fewer.
    """
    levels = len(down)
    last = 2 * levels  # column of the logits; the image is in column 0
    size = (width, 0.066 * width * levels + 0.9)
    figure, axis = sheet(size, (-0.5, last + 0.5), (0.6 - levels, 0.4), title)
    boxes = [(0, 0, image, GREY_BOX, "image\n"), (last, 0, logits, GREY_BOX, "logits\n")]
    boxes += [(1 + level, -level, shape, BLUE_BOX, "") for level, shape in enumerate(down)]
    boxes += [(last - 1 - level, -level, shape, GREEN_BOX, "") for level, shape in enumerate(up)]
    for x, y, (channels, rows, columns), color, name in boxes:
        box(axis, x, y, f"{name}{channels} ch.\n{rows} × {columns}", color, 0.88, 0.62)
    arrow(axis, (0.44, 0), (0.56, 0))
    arrow(axis, (last - 0.56, 0), (last - 0.44, 0))
    for level in range(len(up)):
        left, right, y = 1 + level, last - 1 - level, -level
        arrow(axis, (left + 0.2, y - 0.31), (left + 0.56, y - 0.9), DOWN)
        arrow(axis, (right - 0.56, y - 0.9), (right - 0.2, y - 0.31), UP)
        arrow(axis, (left + 0.44, y), (right - 0.44, y), ACROSS, "--")
        text = f"skip: {down[level][0]} channels"
        if level == len(up) - 1:  # no room between the boxes
            text = f"skip:\n{down[level][0]} ch."
        axis.text(levels, y + 0.1, text, ha="center", fontsize=12, color=ACROSS)
    write(axis, 0.6, 1.4 - levels, "halve,\nthen convolve", color=DOWN)
    doubling = "double,\nput the skip beside it,\nthen convolve"
    write(axis, last - 0.6, 1.4 - levels, doubling, color=UP)
    return figure


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
    figure, axis = sheet((width, 0.58 * width), across, high, title)
    kinds = {
        "encoder": ("encoder", BLUE_BOX, {}),
        "new": ("new in U-Net++", YELLOW_BOX, {"linestyle": "--"}),
        "decoder": ("where U-Net has its decoder", GREEN_BOX, {"linewidth": 3}),
    }
    places = {(i, j): (i + 2 * j, -i) for j in range(levels) for i in range(levels - j)}
    for (i, j), (x, y) in places.items():
        long_skip = i + j == levels - 1  # the node where U-Net has its only one
        kind = "encoder" if j == 0 else "decoder" if long_skip else "new"
        _, color, edge = kinds[kind]
        count = parameters[j][i]
        text = f"({i}, {j})\n{channels[i]} ch.\n{count / 1e3:,.0f} k"
        box(axis, x, y, text, color, 0.8, 0.6, **edge)
        if j == 0 and i:
            arrow(axis, (x - 0.85, y + 0.7), (x - 0.25, y + 0.3), DOWN)
        if j:
            arrow(axis, (x - 0.85, y - 0.7), (x - 0.25, y - 0.3), UP)
            arrow(axis, (x - 1.6, y), (x - 0.4, y), ACROSS, "--")
        for apart in range(2, j + 1):  # to the nodes of the same level further left
            start, end = (x - 2 * apart + 0.25, y + 0.3), (x - 0.05 * apart, y + 0.3)
            bend = 2 * (0.13 * apart - 0.06) / (end[0] - start[0])  # how high, for how long
            bow = {"linewidth": 1.2, "connectionstyle": f"arc3,rad={-bend:.3f}"}
            arrow(axis, start, end, ACROSS, "--", **bow)
    handles = [
        Patch(facecolor=color, label=name, **{"edgecolor": "#444444", **edge})
        for name, color, edge in kinds.values()
    ]
    axis.legend(handles=handles, loc="lower right", frameon=False, fontsize=13)
    return figure


@styled
def crop_and_join(skip: torch.Tensor, x: torch.Tensor, title: str, width: float = 11) -> plt.Figure:
    """What U-Net does with a skip, on small maps `[h, w]`: cut out its middle, put `x` beside it.

    Args:
        skip: the larger map, from the encoder.
        x: the smaller one, from the decoder, already doubled.
    """
    maps = [skip, x, center_crop(skip, x), x]
    names = ["skip", "doubled", "channel 0 of the result", "channel 1 of the result"]
    shares = [grid.shape[1] for grid in maps]
    size = (width, width * max(map(len, maps)) / sum(shares) + 0.5)
    figure, axes = plt.subplots(1, 4, figsize=size, width_ratios=shares)
    for axis, grid, name, color in zip(axes, maps, names, [BLUE_BOX, GREEN_BOX] * 2, strict=True):
        axis.imshow(np.full((*grid.shape, 3), to_rgb(color)))
        axis.spines[:].set_visible(True)
        lines_between(axis, grid.shape, "white", 1.5)
        write_cells(axis, [[f"{value:g}" for value in row] for row in grid.tolist()], fontsize=12)
        axis.set_title(name, fontsize=13)
    top, left = ((skip.shape[side] - x.shape[side]) // 2 for side in (0, 1))
    window = {"fill": False, "edgecolor": ORANGE, "linewidth": 4, "clip_on": False, "zorder": 3}
    for axis, corner in ((axes[0], (left - 0.5, top - 0.5)), (axes[2], (-0.5, -0.5))):
        axis.add_patch(Rectangle(corner, x.shape[1], x.shape[0], **window))
    figure.get_layout_engine().set(wspace=0.05)
    figure.suptitle(title)
    return figure


def overlap_tile(image: torch.Tensor, tile: int, margin: int, width: float = 8) -> plt.Figure:
    """An image mirrored at its edges, one tile of the output, and the input that it needs.

    Args:
        image: `uint8 [3, H, W]`.
        tile: height and width of the tile at the upper left, in pixels.
        margin: pixels that an unpadded network loses at each side.
    """
    height, across = image.shape[-2:]
    mirrored = F.pad(image[None].float(), (margin,) * 4, mode="reflect")[0].byte()
    picture = picture_of(mirrored).astype(float)
    inside = np.zeros(picture.shape[:2], dtype=bool)
    inside[margin : margin + height, margin : margin + across] = True
    picture[~inside] = 0.5 * picture[~inside] + 110  # pale: made up
    size = (width, width * picture.shape[0] / picture.shape[1] + 0.4)
    figure, axis = plt.subplots(figsize=size, layout="constrained")
    edges = (-margin, across + margin, height + margin, -margin)
    axis.imshow(picture.astype(np.uint8), extent=edges)
    axis.axis("off")
    seen = tile + 2 * margin
    for corner, size, color, name in (
        (0, (across, height), "black", "the image; around it, its mirror image"),
        (-margin, (seen, seen), "#f0b400", f"needed: {seen} × {seen}"),
        (0, (tile, tile), "#1f5fd0", f"labelled: {tile} × {tile}"),
    ):
        look = {"edgecolor": color, "linewidth": 2 if color == "black" else 4, "label": name}
        look["linestyle"] = "--" if corner < 0 else "-"
        axis.add_patch(Rectangle((corner, corner), *size, fill=False, **look))
    axis.legend(loc="lower right", fontsize=13)
    axis.set_title("To label the blue tile, the network must see the yellow one", fontsize=14)
    return figure


def silenced_skips(
    image,
    truth: torch.Tensor,
    with_all: torch.Tensor,
    chosen: torch.Tensor,
    silenced: Sequence[int],
    class_index: int,
    classes: Sequence[str] = VOC_CLASSES,
    palette: np.ndarray = VOC_PALETTE,
    width: float = 9,
) -> plt.Figure:
    """What a trained U-Net says with some of its skips silenced (notebook 05).

    Args:
        image: `uint8 [3, H, W]`.
        truth, with_all, chosen: masks `[H, W]`: true, predicted with all skips, and without those
            in `silenced`.
        silenced: strides of the skips that are off.
        class_index: the class whose pixels are counted.
    """
    found, scores = [], []
    for prediction in (with_all, chosen):
        matrix = ConfusionMatrix(len(classes))
        matrix.update(prediction, truth)
        found.append(100 * matrix.accuracy[class_index].item())
        scores.append(100 * matrix.iou[class_index].item())
    strides = ", ".join(map(str, silenced))
    off = f"stride{'s' * (len(silenced) > 1)} {strides}"
    return show(
        [image, truth, with_all, chosen],
        [
            "image",
            "true mask",
            f"all skips: {found[0]:.0f} % found, IoU {scores[0]:.0f} %",
            f"skips off: {strides or 'none'}: {found[1]:.0f} % found, IoU {scores[1]:.0f} %",
        ],
        columns=2,
        width=width,
        palette=palette,
        classes=classes,
        title=f"{found[0]:.0f} % of the {classes[class_index]}'s pixels are found with all skips, "
        + (f"{found[1]:.0f} % without {off}" if silenced else "and none is off"),
    )


def deeplab_diagram(width: float = 11) -> plt.Figure:
    """DeepLab v1, v2, v3 and v3+ one under the other, as the papers have them (notebook 06)."""
    title = "One idea, four heads: what is done with the dilated features"
    figure, axis = sheet((width, 0.56 * width), (-0.75, 6.75), (-4.5, 0.62), title)
    blue, yellow, green, orange = BLUE_BOX, YELLOW_BOX, GREEN_BOX, "#f6d0bd"

    def row(y, name, boxes):
        """Boxes (middle, width, text, colour) in a row, an arrow from each to the next."""
        axis.text(-0.72, y, name, va="center", fontsize=17, weight="bold")
        for x, across, text, color in boxes:
            box(axis, x, y, text, color, across, 0.66)
        for (x1, w1, *_), (x2, w2, *_) in pairwise(boxes):
            arrow(axis, (x1 + w1 / 2, y), (x2 - w2 / 2, y))

    features = (0.75, 1.3, "VGG-16, dilated\nfeatures at 1/8", blue)
    resnet = (0.75, 1.3, "ResNet, dilated\nfeatures at 1/8", blue)
    finer = (0.75, 1.3, "ResNet, dilated\nfeatures at 1/16 or 1/8", blue)
    up8 = (4.6, 0.9, "enlarge\n× 8", green)
    crf = (5.95, 1.2, "dense CRF\n(not learned with it)", orange)
    row(0, "v1", [features, (2.75, 1.7, "LargeFOV:\none 3 × 3, rate 12", yellow), up8, crf])
    heads = (2.75, 1.7, "ASPP: four 3 × 3,\nrates 6, 12, 18, 24;\nscores are added", yellow)
    row(-1.1, "v2", [resnet, heads, up8, crf])
    mixed = "ASPP: 1 × 1, three 3 × 3,\nimage pooling; batch norm;\nfeatures are concatenated"
    last = (4.6, 0.9, "enlarge\n× 16 or 8", green)
    row(-2.2, "v3", [finer, (2.75, 1.7, mixed, yellow), last])
    join = (5.95, 1.2, "concatenate,\ntwo 3 × 3;\nthen enlarge × 4", green)
    doubled = (4.6, 0.9, "enlarge\n× 4 or 2", green)
    row(-3.3, "v3+", [finer, (2.75, 1.7, "the same ASPP", yellow), doubled, join])
    box(axis, 2.75, -4.15, "features at 1/4, reduced to 48 channels", blue, 2.6, 0.4)
    arrow(axis, (0.75, -3.63), (0.75, -4.15), style="--", arrowstyle="-")
    arrow(axis, (0.75, -4.15), (1.45, -4.15), style="--")
    arrow(axis, (4.05, -4.15), (5.95, -4.15), style="--", arrowstyle="-")
    arrow(axis, (5.95, -4.15), (5.95, -3.63), style="--")
    return figure
