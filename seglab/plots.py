"""The figures of the course."""

import inspect
import io
from collections.abc import Sequence
from itertools import cycle, pairwise

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.collections import LineCollection
from matplotlib.colors import LogNorm, to_rgb
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch, Patch, Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.textpath import TextPath
from matplotlib.ticker import LogLocator, NullLocator

from seglab.inference import overlay
from seglab.instances import average_precision, precision_recall
from seglab.metrics import ConfusionMatrix, inner_border
from seglab.palettes import (
    BLUE,
    OBJECT_COLORS,
    ORANGE,
    SERIES,
    VOC_CLASSES,
    VOC_PALETTE,
    VOID,
    colorize,
)
from seglab.unet import center_crop
from seglab.upsampling import transposed_conv2d


def picture_of(item, palette: np.ndarray = VOC_PALETTE) -> np.ndarray:
    """Anything the course draws, as `uint8 [H, W, 3]`.

    Args:
        item: an image `uint8 [3, H, W]` (tensor), a picture `uint8 [H, W, 3]` (array), a mask
            `[H, W]` of whole numbers, or a pair (image, mask) for an overlay.
    """
    if isinstance(item, tuple):
        return overlay(*item, palette)
    array = np.asarray(item)
    if array.ndim == 3 and array.shape[0] == 3 and array.shape[2] != 3:
        return array.transpose(1, 2, 0)
    return array if array.ndim == 3 else colorize(array, palette)


def show(
    items: Sequence,
    titles: Sequence[str] | None = None,
    columns: int | None = None,
    width: float = 10,
    palette: np.ndarray = VOC_PALETTE,
    classes: Sequence[str] = VOC_CLASSES,
    legend: bool = True,
    title: str | None = None,
    names: bool | None = None,
) -> plt.Figure:
    """Draw pictures side by side; name the classes of the masks among them.

    Args:
        items: see `picture_of`.
        titles: one for each item.
        columns: pictures in a row; default: all, up to four.
        width: of the figure in inches.
        legend: list the classes that occur in the masks?
        title: of the whole figure.
        names: write the names into the masks (see `name_regions`)? Default: if each picture gets
            2 inches or more.
    """
    columns = columns or min(4, len(items))
    names = width / columns >= 2 if names is None else names
    rows = -(-len(items) // columns)
    pictures = [picture_of(item, palette) for item in items]
    aspect = max(picture.shape[0] / picture.shape[1] for picture in pictures)
    row_height = width / columns * aspect + (0.35 if titles else 0.05)
    found = _classes_in(items, classes)
    entries = found if legend else []
    across = _legend_columns(width, entries)
    # Room in inches above and below the pictures.
    head, foot = (0.45 if title else 0.0), 0.32 * -(-len(entries) // across)
    height = rows * row_height + head + foot
    figure, axes = plt.subplots(rows, columns, figsize=(width, height), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for number, (axis, picture) in enumerate(zip(axes.flat, pictures, strict=False)):
        axis.imshow(picture, interpolation="nearest")
        if titles:
            axis.set_title(titles[number], fontsize=12)
    if title:
        figure.suptitle(title, fontsize=14, y=1 - 0.1 / height, va="top")
    _class_legend(figure, entries, palette, across)
    figure.subplots_adjust(
        left=0.005,
        right=0.995,
        bottom=foot / height + 0.005,
        top=1 - (head + (0.32 if titles else 0.0)) / height,
        wspace=0.03,
        hspace=0.42 / row_height if titles else 0.03,
    )
    if names:
        for axis, item in zip(axes.flat, items, strict=False):
            mask = np.asarray(item[1] if isinstance(item, tuple) else item)
            if mask.ndim == 2:
                blank = not palette[0].any()
                name_regions(axis, mask, _inches_per_pixel(axis), found, blank)
    return figure


def _inches_per_pixel(axis) -> float:
    """How large one pixel of an axis' picture is drawn."""
    box, (width, height) = axis.get_position(), axis.figure.get_size_inches()
    (left, right), (bottom, top) = axis.get_xlim(), axis.get_ylim()
    return min(box.width * width / abs(right - left), box.height * height / abs(top - bottom))


def _legend_columns(width: float, entries: Sequence) -> int:
    """How many columns a legend of classes gets in a figure so many inches wide."""
    return max(1, min(6, int(width / 1.65), len(entries)))


def _class_legend(figure, entries: Sequence[tuple[int, str]], palette, columns: int) -> None:
    """Index, colour and name of each class under a figure."""
    if not entries:
        return
    figure.legend(
        handles=[
            Patch(facecolor=palette[index] / 255, edgecolor="black", label=f"{index} {name}")
            for index, name in entries
        ],
        loc="lower center",
        ncols=columns,
        frameon=False,
        fontsize=11,
    )


def name_regions(
    axis,
    mask,
    inches: float,
    entries: Sequence[tuple[int, str]],
    blank: bool = True,
    indices: bool = True,
) -> None:
    """Write each class's name into its roomiest region of a drawn mask.

    Where the name does not fit, its index is written. If that does not fit either, as in the frame
    of a bicycle, the name stands on empty background with a line to its class. No text covers
    another object, so the smallest have none.

    Args:
        axis: where the mask is drawn, one unit a pixel.
        mask: `[H, W]` of whole numbers.
        inches: size of one pixel in the figure.
        entries: (index, name) of the classes to write.
        blank: is index 0 empty background? It gets no name, and others may stand on it.
        indices: may an index stand for a name? The legend should give it then.
    """
    mask = np.asarray(mask)
    step = -(-max(mask.shape) // 400)  # a finer look would only take longer
    small = mask[::step, ::step]
    empty = (small == 0) & blank
    look = {"ha": "center", "va": "center", "color": "white"}
    look["path_effects"] = [withStroke(linewidth=2.5, foreground="black")]

    def box(text: str, size: int) -> np.ndarray:
        """Height and width of a text with its outline and some air, in pixels of `small`."""
        across = TextPath((0, 0), text, size=size).get_extents().width
        return np.ceil(np.array([0.8 * size + 4, across + 6]) / 72 / inches / step).astype(int)

    def write_inside(region: np.ndarray, texts: list[tuple[str, int]]) -> bool:
        """The first of the texts that fits into the region, if one does."""
        for text, size in texts:
            if (place := _roomiest(region, *box(text, size))) is not None:
                axis.text(*step * place[::-1], text, fontsize=size, **look)
                return True
        return False

    def write_beside(region: np.ndarray, name: str) -> bool:
        """The name on empty background, if there is room, with a line to the region."""
        size = box(name, 10)
        if (places := _beside(region, empty, *size)) is None:
            return False
        place, target = places
        line = {"arrowstyle": "-", "color": "white", "shrinkA": 0, "shrinkB": 0}
        line["path_effects"] = look["path_effects"]
        ends = step * target[::-1], step * place[::-1]
        axis.annotate(name, *ends, fontsize=10, arrowprops=line, **look)
        top, left = (place - (size - 1) / 2).astype(int)
        empty[top : top + size[0], left : left + size[1]] = False
        return True

    for index, name in entries:
        region = small == index
        if (index == 0 and blank) or not region.any():
            continue
        short = [(str(index), 10), (str(index), 8)] if indices else []
        if write_inside(region, [(name, 12), (name, 10), *short[:1]]):
            continue
        core = region.copy()  # pixels with neighbours of their own class: no noise, no stray ones
        for axis_of, way in ((0, 1), (0, -1), (1, 1), (1, -1)):
            core &= np.roll(region, way, axis_of)
        if index == VOID or core.mean() < 0.002 or not write_beside(core, name):
            write_inside(region, short[1:])


def _fitting(region: np.ndarray, height: int, width: int) -> np.ndarray:
    """Upper left corners `[N, 2]` of all boxes that lie within `bool [H, W]` completely."""
    if height > region.shape[0] or width > region.shape[1]:
        return np.empty((0, 2), dtype=int)
    area = np.pad(region.astype(int).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    inside = area[height:, width:] - area[:-height, width:]
    inside -= area[height:, :-width] - area[:-height, :-width]
    return np.argwhere(inside == height * width)


def _roomiest(region: np.ndarray, height: int, width: int) -> np.ndarray | None:
    """Middle (row, column) of the place where a box fits best into `bool [H, W]`, or None."""
    for growth in (3, 2, 1.5, 1.2, 1):  # with much air around it, if there is
        size = np.array([round(growth * height), round(growth * width)])
        corners = _fitting(region, *size)
        if len(corners):
            central = ((corners - corners.mean(0)) ** 2).sum(1).argmin()
            return corners[central] + (size - 1) / 2
    return None


def _beside(
    region: np.ndarray, empty: np.ndarray, height: int, width: int
) -> tuple[np.ndarray, np.ndarray] | None:
    """Middle of a box in `empty` near to `region`, and the pixel it is nearest to; or None."""
    corners, pixels = _fitting(empty, height, width), np.argwhere(region)
    if not len(corners):
        return None
    # Some hundred of each are enough.
    corners, pixels = corners[:: len(corners) // 1000 + 1], pixels[:: len(pixels) // 500 + 1]
    size = np.array([height, width]) - 1
    nearest = np.clip(pixels[None], corners[:, None], corners[:, None] + size)  # of each box
    distances = ((nearest - pixels) ** 2).sum(2)
    if distances.min() > (3 * height) ** 2:
        return None
    corner, pixel = divmod(distances.argmin(), len(pixels))
    return corners[corner] + size / 2, pixels[pixel]


def _classes_in(items: Sequence, classes: Sequence[str]) -> list[tuple[int, str]]:
    """Index and name of every class in the masks among the items, void last."""
    found = set()
    for item in items:
        mask = np.asarray(item[1] if isinstance(item, tuple) else item)
        if mask.ndim == 2:
            found |= set(np.unique(mask).tolist())
    named = [(i, classes[i]) for i in sorted(found) if i < len(classes)]
    return [*named, (VOID, "void")] if VOID in found else named


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
    height = side * max(len(mask) for mask in masks) + 0.35 * bool(titles) + 0.45 * bool(title)
    figure, axes = plt.subplots(
        1,
        len(masks),
        figsize=(width, height),
        width_ratios=shares,
        squeeze=False,
        layout="constrained",
    )
    for number, (axis, mask) in enumerate(zip(axes.flat, masks, strict=True)):
        picture = colorize(mask, palette)
        axis.imshow(picture, interpolation="nearest")
        axis.hlines(np.arange(1, len(mask)) - 0.5, -0.5, mask.shape[1] - 0.5, "gray", lw=0.5)
        axis.vlines(np.arange(1, mask.shape[1]) - 0.5, -0.5, len(mask) - 0.5, "gray", lw=0.5)
        for (row, column), index in np.ndenumerate(mask):
            dark = picture[row, column] @ [0.299, 0.587, 0.114] < 110
            axis.text(
                column,
                row,
                index,
                ha="center",
                va="center",
                color="white" if dark else "black",
                fontsize=min(13, 24 * side),
            )
        axis.set(xticks=[], yticks=[])
        if titles:
            axis.set_title(titles[number], fontsize=12)
    if title:
        figure.suptitle(title, fontsize=14)
    return figure


def heat_map(
    image, heat: torch.Tensor, title: str, label: str = "", width: float = 8
) -> plt.Figure:
    """An image `uint8 [3, H, W]` beside a map of numbers `[h, w]` laid over it.

    Args:
        label: what the numbers are, for the colour bar.
    """
    picture = picture_of(image)
    height = width / 2 * picture.shape[0] / picture.shape[1] + 0.5
    figure, axes = plt.subplots(1, 2, figsize=(width, height), layout="constrained")
    extent = (0, picture.shape[1], picture.shape[0], 0)
    for axis in axes:
        axis.imshow(picture, extent=extent)
        axis.axis("off")
    drawn = axes[1].imshow(
        heat, extent=extent, cmap="magma", alpha=0.75, vmin=0, interpolation="nearest"
    )
    figure.colorbar(drawn, ax=axes[1], shrink=0.85).set_label(label, fontsize=12)
    figure.suptitle(title, fontsize=14)
    return figure


def learning_curves(histories: dict, width: float = 10) -> plt.Figure:
    """The smoothed loss of each training, and its mean IoU where it was measured.

    The IoU's axis always goes from 0 to 100, so that figures can be compared.

    Args:
        histories: name -> `seglab.training.History`.
    """
    scored = any(history.scores for history in histories.values())
    figure, axes = plt.subplots(
        1, 1 + scored, figsize=(width, 3.6), squeeze=False, layout="constrained"
    )
    for (name, history), (color, marker, dash) in zip(
        histories.items(), cycle(SERIES), strict=False
    ):
        look = {"color": color, "linestyle": dash, "label": name}
        losses = np.array([row["loss"] for row in history.steps])
        window = max(1, len(losses) // 40)
        smooth = np.convolve(losses, np.ones(window) / window, mode="valid")
        steps = np.arange(len(smooth)) + window / 2
        axes[0, 0].plot(steps, smooth, **look)
        if history.scores:
            axes[0, 1].plot(
                [row["step"] for row in history.scores],
                [100 * row["mean_iou"] for row in history.scores],
                marker=marker,
                **look,
            )
    name = f"{next(iter(histories))}: " if len(histories) == 1 else ""
    texts = [("loss (running mean)", f"{name}training loss"), ("mean IoU (%)", f"{name}validation")]
    for axis, (label, title) in zip(axes.flat, texts, strict=False):
        axis.set_xlabel("step", fontsize=12)
        axis.set_ylabel(label, fontsize=12)
        axis.set_title(title, fontsize=14)
        axis.set_xlim(left=0)
        axis.tick_params(labelsize=11)
        axis.grid(alpha=0.3)
        if len(histories) > 1:
            axis.legend(fontsize=12)
    if scored:
        axes[0, 1].set_ylim(0, 100)
    return figure


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
    figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained")
    limit = max(float(grid.abs().max()) for grid in grids)
    form = "g" if all((grid == grid.round()).all() for grid in grids) else ".2f"
    for axis, grid, name in zip(axes.flat, grids, titles, strict=False):
        axis.imshow(grid.numpy(), cmap="PuOr_r", vmin=-1.8 * limit, vmax=1.8 * limit)
        height, across = grid.shape
        if across <= 4:
            for (row, column), value in np.ndenumerate(grid.numpy()):
                axis.text(column, row, f"{value + 0:{form}}", ha="center", va="center", fontsize=13)
        elif across <= 12 and any((grid < 0).any() for grid in grids):
            for row, column in (grid > 0).nonzero().tolist():
                axis.text(column, row, "+", ha="center", va="center", fontsize=11)
        axis.set_xticks(np.arange(0.5, across - 1), [])
        axis.set_yticks(np.arange(0.5, height - 1), [])
        axis.grid(color="white", linewidth=1)
        axis.tick_params(length=0)
        axis.set_title(name, fontsize=12)
    figure.suptitle(title, fontsize=14)
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


# Arrows of the diagrams: down to coarser maps, up to finer ones, and (dashed) across.
DOWN, UP, ACROSS = "#a33b00", "#00704f", "#222222"


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
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(width, 0.42 * width), width_ratios=(1.45, 1), layout="constrained"
    )
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
    left.set_yticks(range(depth + 1), names, fontsize=12)
    left.tick_params(length=0)
    left.spines[:].set_visible(False)
    left.set_title(f"in a row: {len(nodes[-1])} of {field} inputs seen", fontsize=13)
    drawn = right.imshow(
        np.ma.masked_equal(counts, 0),
        norm=LogNorm(1, max(2, counts.max())),
        cmap="cividis",
        extent=(0, field, field, 0),
        interpolation="nearest",
    )
    right.set_facecolor("white")
    right.set(xticks=[], yticks=[])
    if field <= 9:
        for (row, column), count in np.ndenumerate(counts):
            dark = 0 < count < counts.max() ** 0.6 or counts.max() == 1 == count
            look = {"color": "white" if dark else "black", "fontsize": 12}
            right.text(column + 0.5, row + 0.5, f"{count:.0f}", ha="center", va="center", **look)
    bar = figure.colorbar(drawn, ax=right, shrink=0.85, format="{x:.0f}")
    bar.set_ticks([n for n in (1, 3, 10, 30, 100, 1000, 10**4, 10**5) if n <= max(2, counts.max())])
    bar.minorticks_off()
    bar.set_label("paths to the output (white: none)", fontsize=12)
    right.set_title(f"in a map: {seen} of {counts.size} pixels seen", fontsize=13)
    rates = f"rate{'s' * (depth > 1)} {', '.join(map(str, dilations))}"
    figure.suptitle(
        f"Kernel {kernel_size}, {rates}: receptive field {field} × {field} pixels, "
        f"{100 * seen / counts.size:.0f} % of them seen",
        fontsize=15,
    )
    return figure


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
    panel = width / len(positions)
    figure, axes = plt.subplots(
        1,
        len(positions),
        figsize=(width, panel * (bottom - top) / (right - left) + 1.4),
        squeeze=False,
        layout="constrained",
    )
    looks = [(color, marker) for color, marker, _ in SERIES]
    for axis, (name, (row, column)) in zip(axes.flat, positions.items(), strict=True):
        axis.set_facecolor("#e8e8e8")
        axis.imshow(picture)
        axis.set(xlim=(left, right), ylim=(bottom, top), xticks=[], yticks=[])
        counts = []
        for rate, (color, marker) in zip(rates, looks, strict=False):
            taps = [
                (row + dy * rate, column + dx * rate)
                for dy in (-1, 0, 1)
                for dx in (-1, 0, 1)
                if (dy, dx) != (0, 0)
            ]
            inside = [0 <= y < rows and 0 <= x < columns for y, x in taps]
            counts.append(f"rate {rate}: {sum(inside) + 1}")
            for wanted, fill in ((True, color), (False, "none")):
                chosen = [tap for tap, hit in zip(taps, inside, strict=True) if hit == wanted]
                axis.scatter(
                    [(x + 0.5) * stride for _, x in chosen],
                    [(y + 0.5) * stride for y, _ in chosen],
                    s=75,
                    marker=marker,
                    facecolor=fill,
                    edgecolor="white" if wanted else color,
                    linewidth=1.2 if wanted else 1.6,
                    label=f"rate {rate}" if wanted else None,
                    zorder=2,
                )
        centre = ((column + 0.5) * stride, (row + 0.5) * stride)
        axis.scatter(*centre, s=110, marker="o", color="#f0e442", edgecolor="black", zorder=3)
        axis.set_title(f"{name}\ntaps in the picture, of 9: " + ", ".join(counts), fontsize=12)
    handles = [
        Line2D([], [], color=color, marker=marker, linestyle="", ms=9, label=f"rate {rate}")
        for rate, (color, marker) in zip(rates, looks, strict=False)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False, fontsize=12)
    figure.suptitle(title, fontsize=14)
    return figure


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


class LiveCurve:
    """The learning curve of a training under way, drawn anew in the same place of a notebook.

    Give one to `seglab.training.fit` as `watch`. Only the last figure is stored with the notebook.
    Outside a notebook nothing is drawn.

    Args:
        title: the name of the training in the figure.
    """

    def __init__(self, title: str = "this training"):
        self.title = title
        self.handle = None

    def __call__(self, history) -> None:
        """Draw a `seglab.training.History` of at least one step."""
        if not in_notebook():
            return
        from IPython.display import Image, display

        figure, file = learning_curves({self.title: history}), io.BytesIO()
        figure.savefig(file, format="png")
        plt.close(figure)  # or the cell would show it a second time
        picture = Image(file.getvalue(), format="png")  # older IPythons show a figure as its name
        if self.handle is None:
            self.handle = display(picture, display_id=True)
        else:
            self.handle.update(picture)


def in_notebook() -> bool:
    """Does this code run in a notebook's kernel?"""
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    return getattr(get_ipython(), "kernel", None) is not None


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


def pixel_costs(probabilities: dict[str, float], width: float = 8) -> plt.Figure:
    """Cross-entropy as a curve: what a pixel costs for the probability of its true class.

    Args:
        probabilities: name of a pixel -> probability of its true class, above 0.
    """
    figure, axis = plt.subplots(figsize=(width, 0.42 * width), layout="constrained")
    x = np.linspace(0.02, 1, 200)
    axis.plot(x, -np.log(x), color="#33628d", linewidth=2)
    for name, p in probabilities.items():
        axis.plot(p, -np.log(p), "o", color=ORANGE, markersize=10)
        axis.annotate(
            f"{name}: -ln {p:g} = {-np.log(p):.2f}",
            (p, -np.log(p)),
            xytext=(12, 6),
            textcoords="offset points",
            fontsize=12,
        )
    axis.set_xlabel("probability that the network gives to the true class", fontsize=12)
    axis.set_ylabel("cost of the pixel", fontsize=12)
    axis.set(xlim=(0, 1.02), ylim=(-0.15, 4))
    axis.set_title("Right and sure costs nothing; wrong and sure costs most", fontsize=14)
    axis.grid(alpha=0.3)
    return figure


def schedule_curves(recipes: dict, title: str, width: float = 9) -> plt.Figure:
    """The learning rate over the steps of a training, as a share of its highest value.

    Args:
        recipes: name -> `seglab.recipes.Recipe`.
    """
    figure, axis = plt.subplots(figsize=(width, 0.38 * width), layout="constrained")
    for (name, recipe), (color, _, dash) in zip(recipes.items(), cycle(SERIES), strict=False):
        factors = [recipe.factor(step) for step in range(recipe.steps)]
        axis.plot(factors, color=color, linestyle=dash, linewidth=2.5, label=name)
    axis.set_xlabel("step", fontsize=12)
    axis.set_ylabel("share of the highest\nlearning rate", fontsize=12)
    axis.set_title(title, fontsize=14)
    axis.set_ylim(0, 1.05)
    axis.grid(alpha=0.3)
    axis.legend(fontsize=12)
    return figure


def running_mean(values: Sequence[float], window: int) -> np.ndarray:
    """The mean of each `window` values in a row: `float [len(values) - window + 1]`."""
    window = max(1, min(window, len(values)))
    return np.convolve(values, np.ones(window) / window, mode="valid")


def last_loss(history) -> float:
    """The mean loss of the last quarter of a training's steps; infinite if there are none."""
    losses = [row["loss"] for row in history.steps]
    return float(np.mean(losses[-max(1, len(losses) // 4) :])) if losses else float("inf")


def learning_rate_runs(runs: dict, chosen: float, smoothing: int = 5, width: float = 12):
    """Short trainings that differ in the learning rate only, one of them highlighted.

    Left: the loss of each. Right: where each ended. A training that broke down is a cross at the
    upper edge.

    Args:
        runs: learning rate -> `seglab.training.History`, without steps if it broke down.
        chosen: one of the learning rates.
        smoothing: the loss is a running mean over so many steps.

    Raises:
        ValueError: no run with that learning rate, or none that has steps.
    """
    if chosen not in runs:
        raise ValueError(f"no run with learning rate {chosen:g}; there are {sorted(runs)}")
    if not any(history.steps for history in runs.values()):
        raise ValueError("none of the runs has steps; give at least one that did not break down")
    rates = sorted(runs)
    ends = {rate: last_loss(runs[rate]) for rate in rates}
    best = min(rates, key=ends.get)
    starts = [history.steps[0]["loss"] for history in runs.values() if history.steps]
    low, high = 0.7 * ends[best], 8 * max(starts)
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(width, 0.36 * width), width_ratios=(1.5, 1), layout="constrained"
    )
    for rate in sorted(rates, key=lambda rate: rate == chosen):  # the chosen one last, on top
        losses = [row["loss"] for row in runs[rate].steps]
        if losses:
            smooth = running_mean(losses, smoothing)
            steps = len(losses) - len(smooth) + 1 + np.arange(len(smooth))
            look = {"color": ORANGE, "linewidth": 3} if rate == chosen else {"color": "#a0a0a0"}
            left.plot(steps, smooth, **look, label=f"{rate:g}")
        broken = not np.isfinite(ends[rate]) or ends[rate] > high
        right.plot(
            rate,
            high if broken else ends[rate],
            "X" if broken else "o",
            color=ORANGE if rate == chosen else "#777777",
            markersize=13 if rate == chosen else 9,
            clip_on=False,
            zorder=3,
        )
    kept = [rate for rate in rates if np.isfinite(ends[rate])]
    right.plot(kept, [min(ends[rate], high) for rate in kept], color="#c0c0c0", zorder=1)
    log_axis(left, "loss of each run (orange: the chosen one)")
    log_axis(right, "loss over the last quarter (cross: off the scale)")
    left.set(ylim=(low, high), xlabel="step", ylabel="loss (log scale)")
    right.set(xscale="log", ylim=(low, high), xlabel="learning rate (log scale)")
    right.minorticks_off()
    reached = f"{ends[chosen]:,.2f}" if np.isfinite(ends[chosen]) else "no number any more"
    rest = "the lowest of these" if chosen == best else f"{ends[best]:.2f} at {best:g} is lowest"
    figure.suptitle(f"Learning rate {chosen:g}: loss {reached} at the end; {rest}", fontsize=15)
    return figure


def imbalance(
    shares: dict[str, float],
    weights: dict[str, dict[str, float]],
    label: str,
    width: float = 12,
) -> plt.Figure:
    """How common each class is, and how much its pixels weigh in the loss.

    Args:
        shares: class -> share of the labelled pixels, 0 to 1. Drawn with the largest on top.
        weights: name of a rule -> class -> weight, above 0.
        label: what the weights are.
    """
    names = sorted(shares, key=shares.get, reverse=True)
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(width, 0.34 * len(names) + 2), sharey=True, layout="constrained"
    )
    drawn = left.barh(names, [100 * shares[name] for name in names], color="#33628d")
    left.bar_label(drawn, fmt="{:.1f}", padding=3, fontsize=11)
    left.invert_yaxis()
    left.margins(x=0.12)
    left.tick_params(axis="y", labelsize=12)
    left.set_xlabel("share of the labelled pixels (%)", fontsize=12)
    for (rule, of), (color, marker, _) in zip(weights.items(), cycle(SERIES), strict=False):
        right.plot(
            [of[name] for name in names], names, marker, color=color, markersize=9, label=rule
        )
    right.set_xscale("log")
    _plain_ticks(right.xaxis)
    right.set_xlabel(label, fontsize=12)
    right.grid(axis="x", alpha=0.3)
    figure.legend(ncols=len(weights), loc="outside lower right", frameon=False, fontsize=12)
    for axis in (left, right):
        axis.spines[["top", "right"]].set_visible(False)
    figure.suptitle("What is rare gets a higher weight; how much higher is a choice", fontsize=14)
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


WRONG_COLOR = tuple(round(255 * part) for part in to_rgb(ORANGE))


def error_map(image, truth, prediction, palette: np.ndarray = VOC_PALETTE) -> np.ndarray:
    """Where a prediction is wrong: orange. Void has its own colour, the rest is a dark grey image.

    Args:
        image: `uint8 [3, H, W]`.
        truth, prediction: masks `[H, W]`.

    Returns:
        `uint8 [H, W, 3]`.
    """
    truth, prediction = np.asarray(truth), np.asarray(prediction)
    grey = picture_of(image) @ np.array([0.299, 0.587, 0.114]) * 0.6
    picture = np.repeat(grey[..., None], 3, axis=2).astype(np.uint8)
    picture[truth != prediction] = WRONG_COLOR
    picture[truth == VOID] = palette[VOID]
    return picture


def gallery(
    rows: Sequence[tuple], notes: Sequence[str], title: str, width: float = 12
) -> plt.Figure:
    """Rows of image, true mask, prediction and errors (notebook 08).

    Args:
        rows: of image `uint8 [3, H, W]`, true and predicted mask `[H, W]`.
        notes: one for each row, written above the prediction.
    """
    items, titles = [], []
    for (image, truth, prediction), note in zip(rows, notes, strict=True):
        items += [image, truth, prediction, error_map(image, truth, prediction)]
        titles += ["image", "true mask", note, "wrong: orange; void: pale"]
    return show(items, titles, columns=4, width=width, title=title)


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


def painted(image, masks: torch.Tensor, opacity: float = 0.65) -> np.ndarray:
    """A picture with every object in a colour of its own, outlined (notebook 10).

    The colours mean nothing; after seven objects they begin again.

    Args:
        image: `uint8 [3, H, W]`.
        masks: `bool [N, H, W]`; where they overlap, the first is on top.
        opacity: of the colours.

    Returns:
        `uint8 [H, W, 3]`.
    """
    numbers = torch.zeros(masks.shape[1:], dtype=torch.uint8)
    for place in reversed(range(len(masks))):
        numbers[masks[place]] = place % 254 + 1
    palette = np.zeros((256, 3), dtype=np.uint8)
    colors = [np.round(255 * np.array(to_rgb(color))) for color in OBJECT_COLORS]
    palette[1:] = [colors[number % len(colors)] for number in range(255)]
    picture = overlay(image, numbers, palette, opacity)
    picture[(inner_border(numbers, 1) & (numbers > 0)).numpy()] = 0
    return picture


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


def jpeg_figures(quality: int = 85) -> None:
    """Store a notebook's figures as JPEG: photographs take a quarter of the space of PNG."""
    try:
        from IPython import get_ipython
        from matplotlib_inline.backend_inline import set_matplotlib_formats
    except ImportError:
        return
    if get_ipython() is not None:
        set_matplotlib_formats("jpeg", pil_kwargs={"quality": quality})


def show_source(thing) -> None:
    """Print the source of a function or class of the package, highlighted in a notebook."""
    source = inspect.getsource(thing)
    try:
        from IPython import get_ipython
        from IPython.display import Code, display
    except ImportError:
        get_ipython = None
    if get_ipython is None or get_ipython() is None:
        print(source)
    else:
        html = Code(source, language="python")._repr_html_()
        # JupyterLab breaks the lines of an output anywhere; these are to be read, so they scroll.
        html = html.replace("<pre>", '<pre style="white-space: pre; overflow-x: auto">', 1)
        display({"text/html": html, "text/plain": source}, raw=True)
