"""How networks are built (notebooks 04, 05 and 06)."""

from collections.abc import Sequence
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.patches import FancyBboxPatch, Patch, Rectangle

from seglab.figures.pictures import picture_of, show
from seglab.metrics import ConfusionMatrix
from seglab.palettes import ORANGE, VOC_CLASSES, VOC_PALETTE
from seglab.unet import center_crop

# Arrows of the diagrams: down to coarser maps, up to finer ones, and (dashed) across.
DOWN, UP, ACROSS = "#a33b00", "#00704f", "#222222"


def fcn_diagram(
    image: Sequence[int], features: Sequence[Sequence[int]], num_classes: int, width: float = 11
) -> plt.Figure:
    """FCN-32s, 16s and 8s in one drawing: stages, scores, doublings, sums (notebook 04).

    Args:
        image: shape `(3, H, W)`.
        features: shapes `(channels, h, w)` of the five feature maps, finest first.
    """
    figure, axis = plt.subplots(figsize=(width, 0.53 * width))
    axis.set(xlim=(-0.45, 5.5), ylim=(-3.75, 0.42))
    axis.axis("off")

    def box(x, y, text, color, across=0.68, high=0.62):
        corner = (x - across / 2, y - high / 2)
        look = {"boxstyle": "round,pad=0,rounding_size=0.06", "edgecolor": "#444444"}
        axis.add_patch(FancyBboxPatch(corner, across, high, facecolor=color, **look))
        axis.text(x, y, text, ha="center", va="center", fontsize=11, linespacing=1.25)

    def arrow(start, end, text="", color="#444444", shift=(0.0, 0.0)):
        look = {"arrowstyle": "-|>", "color": color, "linewidth": 2, "mutation_scale": 16}
        axis.annotate("", end, start, arrowprops={**look, "shrinkA": 0, "shrinkB": 0})
        middle = [(a + b) / 2 + d for a, b, d in zip(start, end, shift, strict=True)]
        axis.text(*middle, text, ha="center", va="center", fontsize=13, color=color, weight="bold")

    for x, shape in enumerate([image, *features]):
        name = f"1/{2**x}" if x else "image"
        box(x, 0, f"{name}\n{shape[0]} channels\n{shape[1]} × {shape[2]}", "#cfe5f5", 0.76)
        if x:
            arrow((x - 0.62, 0), (x - 0.38, 0))
    for x, stride in ((5, 32), (4, 16), (3, 8)):
        arrow((x, -0.31), (x, -0.92))
        box(x, -1.15, f"1 × 1 conv.\n{num_classes} scores", "#f9dfa6", high=0.46)
        end = -1.38
        if stride < 32:
            arrow((x, end), (x, -2.04))
            box(x, -2.2, "+", "white", 0.26, 0.32)
            coarser = x + (0.87 if stride == 8 else 1)  # the right column has no sum to start from
            arrow((coarser, -2.2), (x + 0.13, -2.2), "× 2", UP, (0, 0.18))
            end = -2.36
        arrow((x, end), (x, -3.04), f"× {stride}", UP, (0.24, -2.7 - (end - 3.04) / 2))
        box(x, -3.35, f"FCN-{stride}s\n{num_classes} logits\n{image[1]} × {image[2]}", "#e4e4e4")
    notes = {
        -1.15: "Score: a linear classifier\nat every position.",
        -2.2: "Double the coarse scores,\nadd the finer ones.",
        -3.35: "Enlarge to the image;\ncut off what is too much.",
    }
    for y, text in notes.items():
        axis.text(-0.35, y, text, ha="left", va="center", fontsize=13, color="#333333")
    axis.set_title("One classifier, three networks: each column ends in an FCN", fontsize=14)
    figure.subplots_adjust(left=0.01, right=0.99, bottom=0.01, top=0.92)
    return figure


def _box(
    axis, x: float, y: float, text: str, color: str, across: float, high: float, **edge
) -> None:
    """A rounded box with text, its middle at (x, y)."""
    look = {"boxstyle": "round,pad=0,rounding_size=0.06", "edgecolor": "#444444", **edge}
    corner = (x - across / 2, y - high / 2)
    axis.add_patch(FancyBboxPatch(corner, across, high, facecolor=color, **look))
    axis.text(x, y, text, ha="center", va="center", fontsize=11, linespacing=1.25)


def _arrow(axis, start: tuple, end: tuple, color: str = "#444444", style: str = "-", **look):
    """An arrow that ends exactly at its end points."""
    look = {"arrowstyle": "-|>", "linewidth": 2, "mutation_scale": 15, **look}
    look |= {"color": color, "linestyle": style, "shrinkA": 0, "shrinkB": 0}
    axis.annotate("", end, start, arrowprops=look)


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
    figure, axis = plt.subplots(figsize=(width, 0.066 * width * levels + 0.9))
    axis.set(xlim=(-0.5, last + 0.5), ylim=(0.6 - levels, 0.4))
    axis.axis("off")
    boxes = [(0, 0, image, "#e4e4e4", "image\n"), (last, 0, logits, "#e4e4e4", "logits\n")]
    boxes += [(1 + level, -level, shape, "#cfe5f5", "") for level, shape in enumerate(down)]
    boxes += [(last - 1 - level, -level, shape, "#d5ecd9", "") for level, shape in enumerate(up)]
    for x, y, (channels, rows, columns), color, name in boxes:
        _box(axis, x, y, f"{name}{channels} ch.\n{rows} × {columns}", color, 0.88, 0.62)
    _arrow(axis, (0.44, 0), (0.56, 0))
    _arrow(axis, (last - 0.56, 0), (last - 0.44, 0))
    for level in range(len(up)):
        left, right, y = 1 + level, last - 1 - level, -level
        _arrow(axis, (left + 0.2, y - 0.31), (left + 0.56, y - 0.9), DOWN)
        _arrow(axis, (right - 0.56, y - 0.9), (right - 0.2, y - 0.31), UP)
        _arrow(axis, (left + 0.44, y), (right - 0.44, y), ACROSS, "--")
        text = f"skip: {down[level][0]} channels"
        if level == len(up) - 1:  # no room between the boxes
            text = f"skip:\n{down[level][0]} ch."
        axis.text(levels, y + 0.1, text, ha="center", fontsize=12, color=ACROSS)
    for x, text, color in (
        (0.6, "halve,\nthen convolve", DOWN),
        (last - 0.6, "double,\nput the skip beside it,\nthen convolve", UP),
    ):
        axis.text(x, 1.4 - levels, text, ha="center", va="center", fontsize=14, color=color)
    axis.set_title(title, fontsize=15)
    figure.subplots_adjust(left=0.01, right=0.99, bottom=0.01, top=0.92)
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
    figure, axis = plt.subplots(figsize=(width, 0.58 * width))
    axis.set(xlim=(-0.75, 2 * levels - 1.45), ylim=(0.55 - levels, 0.85))
    axis.axis("off")
    kinds = {
        "encoder": ("encoder", "#cfe5f5", {}),
        "new": ("new in U-Net++", "#f9dfa6", {"linestyle": "--"}),
        "decoder": ("where U-Net has its decoder", "#d5ecd9", {"linewidth": 3}),
    }
    places = {(i, j): (i + 2 * j, -i) for j in range(levels) for i in range(levels - j)}
    for (i, j), (x, y) in places.items():
        long_skip = i + j == levels - 1  # the node where U-Net has its only one
        kind = "encoder" if j == 0 else "decoder" if long_skip else "new"
        _, color, edge = kinds[kind]
        count = parameters[j][i]
        text = f"({i}, {j})\n{channels[i]} ch.\n{count / 1e3:,.0f} k"
        _box(axis, x, y, text, color, 0.8, 0.6, **edge)
        if j == 0 and i:
            _arrow(axis, (x - 0.85, y + 0.7), (x - 0.25, y + 0.3), DOWN)
        if j:
            _arrow(axis, (x - 0.85, y - 0.7), (x - 0.25, y - 0.3), UP)
            _arrow(axis, (x - 1.6, y), (x - 0.4, y), ACROSS, "--")
        for apart in range(2, j + 1):  # to the nodes of the same level further left
            start, end = (x - 2 * apart + 0.25, y + 0.3), (x - 0.05 * apart, y + 0.3)
            bend = 2 * (0.13 * apart - 0.06) / (end[0] - start[0])  # how high, for how long
            bow = {"linewidth": 1.2, "connectionstyle": f"arc3,rad={-bend:.3f}"}
            _arrow(axis, start, end, ACROSS, "--", **bow)
    axis.legend(
        handles=[
            Patch(facecolor=color, label=name, **{"edgecolor": "#444444", **edge})
            for name, color, edge in kinds.values()
        ],
        loc="lower right",
        frameon=False,
        fontsize=13,
    )
    axis.set_title(title, fontsize=15)
    figure.subplots_adjust(left=0.01, right=0.99, bottom=0.01, top=0.93)
    return figure


def crop_and_join(skip: torch.Tensor, x: torch.Tensor, title: str, width: float = 11) -> plt.Figure:
    """What U-Net does with a skip, on small maps `[h, w]`: cut out its middle, put `x` beside it.

    Args:
        skip: the larger map, from the encoder.
        x: the smaller one, from the decoder, already doubled.
    """
    middle = center_crop(skip, x)
    maps = [skip, x, middle, x]
    names = ["skip", "doubled", "channel 0 of the result", "channel 1 of the result"]
    looks = ["#cfe5f5", "#d5ecd9", "#cfe5f5", "#d5ecd9"]
    shares = [grid.shape[1] for grid in maps]
    size = (width, width * max(len(grid) for grid in maps) / sum(shares) + 0.5)
    figure, axes = plt.subplots(1, 4, figsize=size, width_ratios=shares, layout="constrained")
    for axis, grid, name, color in zip(axes, maps, names, looks, strict=True):
        rows, columns = grid.shape
        axis.set(xlim=(0, columns), ylim=(rows, 0), aspect="equal", facecolor=color)
        axis.set_xticks(range(columns + 1), [])
        axis.set_yticks(range(rows + 1), [])
        axis.grid(color="white", linewidth=1.5)
        axis.tick_params(length=0)
        for (row, column), value in np.ndenumerate(grid.numpy()):
            axis.text(column + 0.5, row + 0.5, f"{value:g}", ha="center", va="center", fontsize=12)
        axis.set_title(name, fontsize=13)
    top, left = ((skip.shape[side] - x.shape[side]) // 2 for side in (0, 1))
    window = {"fill": False, "edgecolor": ORANGE, "linewidth": 4, "clip_on": False, "zorder": 3}
    axes[0].add_patch(Rectangle((left, top), x.shape[1], x.shape[0], **window))
    axes[2].add_patch(Rectangle((0, 0), x.shape[1], x.shape[0], **window))
    figure.get_layout_engine().set(wspace=0.05)
    figure.suptitle(title, fontsize=14)
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
    figure, axis = plt.subplots(figsize=(width, 0.56 * width))
    axis.set(xlim=(-0.75, 6.75), ylim=(-4.5, 0.62))
    axis.axis("off")
    blue, yellow, green, orange = "#cfe5f5", "#f9dfa6", "#d5ecd9", "#f6d0bd"

    def row(y, name, boxes):
        """Boxes (middle, width, text, colour) in a row, an arrow from each to the next."""
        axis.text(-0.72, y, name, va="center", fontsize=17, weight="bold")
        for x, across, text, color in boxes:
            _box(axis, x, y, text, color, across, 0.66)
        for (x1, w1, *_), (x2, w2, *_) in pairwise(boxes):
            _arrow(axis, (x1 + w1 / 2, y), (x2 - w2 / 2, y))

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
    _box(axis, 2.75, -4.15, "features at 1/4, reduced to 48 channels", blue, 2.6, 0.4)
    _arrow(axis, (0.75, -3.63), (0.75, -4.15), style="--", arrowstyle="-")
    _arrow(axis, (0.75, -4.15), (1.45, -4.15), style="--")
    _arrow(axis, (4.05, -4.15), (5.95, -4.15), style="--", arrowstyle="-")
    _arrow(axis, (5.95, -4.15), (5.95, -3.63), style="--")
    axis.set_title("One idea, four heads: what is done with the dilated features", fontsize=15)
    figure.subplots_adjust(left=0.01, right=0.99, bottom=0.01, top=0.93)
    return figure
