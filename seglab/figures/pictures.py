"""Pictures and masks, named class by class."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.colors import to_rgb
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.textpath import TextPath

from seglab.figures.colors import OBJECT_COLORS, ORANGE
from seglab.metrics import inner_border
from seglab.palettes import VOC_CLASSES, VOC_PALETTE, VOID, colorize
from seglab.prediction import overlay


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
    found = classes_in(items, classes)
    entries = found if legend else []
    across = legend_columns(width, entries)
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
    class_legend(figure, entries, palette, across)
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
                name_regions(axis, mask, inches_per_pixel(axis), found, blank)
    return figure


def inches_per_pixel(axis) -> float:
    """How large one pixel of an axis' picture is drawn."""
    box, (width, height) = axis.get_position(), axis.figure.get_size_inches()
    (left, right), (bottom, top) = axis.get_xlim(), axis.get_ylim()
    return min(box.width * width / abs(right - left), box.height * height / abs(top - bottom))


def legend_columns(width: float, entries: Sequence) -> int:
    """How many columns a legend of classes gets in a figure so many inches wide."""
    return max(1, min(6, int(width / 1.65), len(entries)))


def class_legend(figure, entries: Sequence[tuple[int, str]], palette, columns: int) -> None:
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


def classes_in(items: Sequence, classes: Sequence[str]) -> list[tuple[int, str]]:
    """Index and name of every class in the masks among the items, void last."""
    found = set()
    for item in items:
        mask = np.asarray(item[1] if isinstance(item, tuple) else item)
        if mask.ndim == 2:
            found |= set(np.unique(mask).tolist())
    named = [(i, classes[i]) for i in sorted(found) if i < len(classes)]
    return [*named, (VOID, "void")] if VOID in found else named


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


def jpeg_figures(quality: int = 85) -> None:
    """Store a notebook's figures as JPEG: photographs take a quarter of the space of PNG."""
    try:
        from IPython import get_ipython
        from matplotlib_inline.backend_inline import set_matplotlib_formats
    except ImportError:
        return
    if get_ipython() is not None:
        set_matplotlib_formats("jpeg", pil_kwargs={"quality": quality})
