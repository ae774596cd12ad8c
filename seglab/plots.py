"""The figures of the course."""

import inspect
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.patches import Patch

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


def bars(values: dict[str, float], title: str, label: str, width: float = 9) -> plt.Figure:
    """One horizontal bar for each name, with its value in figures."""
    height = 0.3 * len(values) + 1
    figure, axis = plt.subplots(figsize=(width, height), layout="constrained")
    drawn = axis.barh(list(values), list(values.values()), color="#33628d")
    axis.bar_label(drawn, fmt="%.1f", padding=3)
    axis.invert_yaxis()
    axis.set(xlabel=label, title=title)
    axis.margins(x=0.1)
    axis.spines[["top", "right"]].set_visible(False)
    return figure


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
