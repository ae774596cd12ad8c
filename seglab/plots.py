"""The figures of the course."""

import inspect
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.patches import FancyBboxPatch, Patch

from seglab.inference import overlay
from seglab.palettes import VOC_CLASSES, VOC_PALETTE, VOID, colorize


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
) -> plt.Figure:
    """Draw pictures side by side; name the classes of the masks among them.

    Args:
        items: see `picture_of`.
        titles: one for each item.
        columns: pictures in a row; default: all, up to four.
        width: of the figure in inches.
        legend: list the classes that occur in the masks?
        title: of the whole figure.
    """
    columns = columns or min(4, len(items))
    rows = -(-len(items) // columns)
    pictures = [picture_of(item, palette) for item in items]
    aspect = max(picture.shape[0] / picture.shape[1] for picture in pictures)
    row_height = width / columns * aspect + (0.35 if titles else 0.05)
    names = _classes_in(items, classes) if legend else []
    # Room in inches above and below the pictures.
    head, foot = (0.45 if title else 0.0), 0.32 * -(-len(names) // 6)
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
    if names:
        figure.legend(
            handles=[
                Patch(facecolor=palette[i] / 255, edgecolor="black", label=name)
                for i, name in names
            ],
            loc="lower center",
            ncols=min(6, len(names)),
            frameon=False,
            fontsize=11,
        )
    figure.subplots_adjust(
        left=0.005,
        right=0.995,
        bottom=foot / height + 0.005,
        top=1 - (head + (0.32 if titles else 0.0)) / height,
        wspace=0.03,
        hspace=0.42 / row_height if titles else 0.03,
    )
    return figure


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


def heat_map(image, heat: torch.Tensor, title: str, width: float = 8) -> plt.Figure:
    """An image `uint8 [3, H, W]` beside a map of numbers `[h, w]` laid over it."""
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
    figure.colorbar(drawn, ax=axes[1], shrink=0.85)
    figure.suptitle(title, fontsize=14)
    return figure


def learning_curves(histories: dict, width: float = 10) -> plt.Figure:
    """The smoothed loss of each training, and its mean IoU where it was measured.

    Args:
        histories: name -> `seglab.training.History`.
    """
    scored = any(history.scores for history in histories.values())
    figure, axes = plt.subplots(
        1, 1 + scored, figsize=(width, 3.6), squeeze=False, layout="constrained"
    )
    styles = ["-", "--", "-.", ":"]
    for number, (name, history) in enumerate(histories.items()):
        losses = np.array([row["loss"] for row in history.steps])
        window = max(1, len(losses) // 40)
        smooth = np.convolve(losses, np.ones(window) / window, mode="valid")
        steps = np.arange(len(smooth)) + window / 2
        style = styles[number % len(styles)]
        axes[0, 0].plot(steps, smooth, style, label=name)
        if history.scores:
            axes[0, 1].plot(
                [row["step"] for row in history.scores],
                [100 * row["mean_iou"] for row in history.scores],
                style,
                marker="o",
                label=name,
            )
    axes[0, 0].set(xlabel="step", ylabel="loss (running mean)", title="Training loss")
    if scored:
        axes[0, 1].set(xlabel="step", ylabel="mean IoU (%)", title="Validation")
    for axis in axes.flat:
        axis.grid(alpha=0.3)
        axis.legend()
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
    for axis, grid, name in zip(axes.flat, grids, titles, strict=False):
        axis.imshow(grid.numpy(), cmap="PuOr_r", vmin=-1.8 * limit, vmax=1.8 * limit)
        height, across = grid.shape
        if across <= 4:
            for (row, column), value in np.ndenumerate(grid.numpy()):
                axis.text(column, row, f"{value + 0:g}", ha="center", va="center", fontsize=13)
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

    Args:
        series: name of the series -> name of the row -> value. Rows keep the first one's order.
    """
    names = list(next(iter(series.values())))
    height = 0.36 * len(names) + 1.5
    figure, axis = plt.subplots(figsize=(width, height), layout="constrained")
    looks = [("#D55E00", "o"), ("#0072B2", "s"), ("#111111", "D"), ("#009E73", "^")]
    for row, name in enumerate(names):
        values = [of[name] for of in series.values()]
        axis.plot([min(values), max(values)], [row, row], color="#bbbbbb", linewidth=3, zorder=1)
    for (name, values), (color, marker) in zip(series.items(), looks, strict=False):
        axis.scatter(
            [values[row] for row in names],
            range(len(names)),
            s=65,
            color=color,
            marker=marker,
            edgecolors="white",
            label=name,
            zorder=2,
        )
    axis.set_yticks(range(len(names)), names, fontsize=12)
    axis.invert_yaxis()
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
    green = "#00704f"

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
        arrow((x, -1.38), (x, -2.04))
        box(x, -2.2, "" if stride == 32 else "+", "white", 0.26, 0.32)
        if stride < 32:
            arrow((x + 0.87, -2.2), (x + 0.13, -2.2), "× 2", green, (0, 0.18))
        arrow((x, -2.36), (x, -3.04), f"× {stride}", green, (0.24, 0.03))
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
        display(Code(source, language="python"))
