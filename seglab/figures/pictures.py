"""Pictures and masks, named class by class."""

from collections.abc import Sequence
from io import BytesIO

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.colors import to_rgb
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.textpath import TextPath
from PIL import Image

from seglab.figures.colors import OBJECT_COLORS, ORANGE
from seglab.metrics import inner_border
from seglab.palettes import VOC_CLASSES, VOC_PALETTE, VOID, colorize
from seglab.prediction import Segmentation, overlay
from seglab.transforms import resize_image, resize_mask


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


def mask_of(item) -> np.ndarray | None:
    """The mask `[H, W]` in one of the items of `picture_of`, if there is one."""
    array = np.asarray(item[1] if isinstance(item, tuple) else item)
    return array if array.ndim == 2 else None


def classes_in(items: Sequence, classes: Sequence[str]) -> list[tuple[int, str]]:
    """Index and name of every class in the masks among the items, void last."""
    masks = [mask for item in items if (mask := mask_of(item)) is not None]
    found = set().union(*(np.unique(mask).tolist() for mask in masks))
    named = [(i, classes[i]) for i in sorted(found) if i < len(classes)]
    return [*named, (VOID, "void")] if VOID in found else named


def show(
    items: Sequence,
    titles: Sequence[str] | None = None,
    columns: int | None = None,
    width: float = 10,
    palette: np.ndarray = VOC_PALETTE,
    classes: Sequence[str] = VOC_CLASSES,
    legend: bool | Sequence[tuple[int, str]] = True,
    title: str | None = None,
    names: bool | None = None,
) -> plt.Figure:
    """Draw pictures side by side; name the classes of the masks among them.

    Args:
        items: see `picture_of`.
        columns: pictures in a row; default: all, up to four.
        legend: list the classes that occur in the masks? Or (index, name) of those to list.
        names: write the names into the masks (see `name_regions`)? Default: if each picture gets
            2 inches or more.
    """
    columns = columns or min(4, len(items))
    rows = -(-len(items) // columns)
    pictures = [picture_of(item, palette) for item in items]
    aspect = max(picture.shape[0] / picture.shape[1] for picture in pictures)
    found = classes_in(items, classes)
    entries = found if legend is True else legend or []
    across = max(1, min(6, int(width / 1.65), len(entries)))
    # Room in inches above and below the pictures.
    head, foot = (0.45 if title else 0.0), 0.32 * -(-len(entries) // across)
    row_height = width / columns * aspect + (0.35 if titles else 0.05)
    height = rows * row_height + head + foot
    figure, axes = plt.subplots(rows, columns, figsize=(width, height), squeeze=False)
    figure.subplots_adjust(
        left=0.005,
        right=0.995,
        bottom=foot / height + 0.005,
        top=1 - (head + (0.32 if titles else 0.0)) / height,
        wspace=0.03,
        hspace=0.42 / row_height if titles else 0.03,
    )
    for axis in axes.flat:
        axis.axis("off")
    for number, (axis, picture) in enumerate(zip(axes.flat, pictures, strict=False)):
        axis.imshow(picture, interpolation="nearest")
        axis.set_title(titles[number] if titles else "", fontsize=12)
        mask = mask_of(items[number])
        if mask is not None and (width / columns >= 2 if names is None else names):
            name_regions(axis, mask, found, blank=not palette[0].any())
    if title:
        figure.suptitle(title, fontsize=14, y=1 - 0.1 / height, va="top")
    colors = [Patch(facecolor=palette[index] / 255, edgecolor="black") for index, _ in entries]
    words = [f"{index} {name}" for index, name in entries]
    figure.legend(colors, words, loc="lower center", ncols=across, frameon=False, fontsize=11)
    return figure


def named_overlay(result: Segmentation, longest_side: int = 1600) -> Image.Image:
    """A picture under its colours, with the classes' names in it and a legend below.

    Args:
        longest_side: a larger picture is shrunk to about so many pixels.
    """
    height, width = result.mask.shape
    factor = longest_side / max(height, width)
    image, mask = result.image, result.mask
    if factor < 1:
        size = max(1, round(height * factor)), max(1, round(width * factor))
        image, mask = resize_image(image, size), resize_mask(mask, size)
    inches = 10 * min(1.0, max(0.4, width / height))  # room for a legend beside a narrow picture
    figure = show(
        [(image, mask)], width=inches, palette=result.palette, classes=result.classes, names=True
    )
    with BytesIO() as file:
        figure.savefig(file, dpi=longest_side / 10)
        picture = Image.open(file).convert("RGB")
    plt.close(figure)
    return picture


def name_regions(
    axis,
    mask,
    entries: Sequence[tuple[int, str]],
    blank: bool = True,
    indices: bool = True,
) -> None:
    """Write each class's name into its roomiest region of a drawn mask.

    Where the name does not fit, its index is written. If that does not fit either, as in the frame
    of a bicycle, the name stands on empty background with a line to its class. No text covers
    another object, so the smallest have none.

    Args:
        axis: where the mask is drawn, one unit a pixel, in its final place.
        mask: `[H, W]` of whole numbers.
        entries: (index, name) of the classes to write.
        blank: is index 0 empty background? It gets no name, and others may stand on it.
        indices: may an index stand for a name? The legend should give it then.
    """
    mask = np.asarray(mask)
    step = -(-max(mask.shape) // 400)  # a finer look would only take longer
    small = mask[::step, ::step]
    empty = (small == 0) & blank
    axis.apply_aspect()
    (left, _), (right, _) = axis.transData.transform([(0, 0), (step, 0)])
    points = 72 * (right - left) / axis.figure.dpi  # size of one pixel of `small`
    look = {"ha": "center", "va": "center", "color": "white"}
    look["path_effects"] = [withStroke(linewidth=2.5, foreground="black")]

    def box(text: str, size: int) -> np.ndarray:
        """Height and width of a text with its outline and some air, in pixels of `small`."""
        across = TextPath((0, 0), text, size=size).get_extents().width
        return np.ceil(np.array([0.8 * size + 4, across + 6]) / points).astype(int)

    def write_inside(region: np.ndarray, texts: list[tuple[str, int]]) -> bool:
        """The first of the texts that fits into the region, if one does."""
        for text, size in texts:
            # With much air around it, if there is.
            for air in (3, 2, 1.5, 1.2, 1):
                middles = _middles(region, np.round(air * box(text, size)).astype(int))
                if len(middles):
                    central = ((middles - middles.mean(0)) ** 2).sum(1).argmin()
                    axis.text(*step * middles[central][::-1], text, fontsize=size, **look)
                    return True
        return False

    def write_beside(region: np.ndarray, name: str) -> None:
        """The name on empty background near the region, if there is room, with a line to it."""
        size = box(name, 10)
        middles, pixels = _middles(empty, size), np.argwhere(region)
        if not len(middles):
            return
        # Some hundred of each are enough.
        middles, pixels = middles[:: len(middles) // 1000 + 1], pixels[:: len(pixels) // 500 + 1]
        apart = np.abs(middles[:, None] - pixels) - (size - 1) / 2  # from the edges of the text
        distances = (apart.clip(0) ** 2).sum(2)
        if distances.min() > (3 * size[0]) ** 2:
            return
        place, pixel = divmod(distances.argmin(), len(pixels))
        line = {"arrowstyle": "-", "color": "white", "shrinkA": 0, "shrinkB": 0}
        line["path_effects"] = look["path_effects"]
        ends = step * pixels[pixel][::-1], step * middles[place][::-1]
        axis.annotate(name, *ends, fontsize=10, arrowprops=line, **look)
        top, left = (middles[place] - (size - 1) / 2).astype(int)
        empty[top : top + size[0], left : left + size[1]] = False

    for index, name in entries:
        region = small == index
        if (index == 0 and blank) or not region.any():
            continue
        texts = [(name, 12), (name, 10), (str(index), 10)]
        if write_inside(region, texts if indices else texts[:2]) or index == VOID:
            continue
        core = region & ~inner_border(region.astype(np.uint8), 1).numpy()  # no stray pixels
        if core.mean() >= 0.002:
            write_beside(core, name)


def _middles(region: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Middles `[N, 2]` of all boxes (height, width) that lie within `bool [H, W]` completely."""
    (height, width), area = size, np.pad(region.astype(int).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    inside = area[height:, width:] - area[:-height, width:]
    inside -= area[height:, :-width] - area[:-height, :-width]
    return np.argwhere(inside == height * width) + (size - 1) / 2


WRONG_COLOR = tuple(round(255 * part) for part in to_rgb(ORANGE))


def error_map(image, truth, prediction, palette: np.ndarray = VOC_PALETTE) -> np.ndarray:
    """Where a prediction is wrong: orange. Void has its own colour, the rest is a dark grey image.

    From an image `uint8 [3, H, W]` and two masks `[H, W]`, as `uint8 [H, W, 3]`.
    """
    truth, prediction = np.asarray(truth), np.asarray(prediction)
    grey = picture_of(image) @ np.array([0.299, 0.587, 0.114]) * 0.6
    picture = np.repeat(grey[..., None], 3, axis=2).astype(np.uint8)
    picture[truth != prediction] = WRONG_COLOR
    picture[truth == VOID] = palette[VOID]
    return picture


def painted(image, masks: torch.Tensor, opacity: float = 0.65) -> np.ndarray:
    """A picture `uint8 [H, W, 3]` with every object in a colour of its own, outlined (notebook 10).

    The colours mean nothing; after seven objects they begin again.

    Args:
        image: `uint8 [3, H, W]`.
        masks: `bool [N, H, W]`; where they overlap, the first is on top.
        opacity: of the colours.
    """
    numbers = torch.zeros(masks.shape[1:], dtype=torch.uint8)
    for place in reversed(range(len(masks))):
        numbers[masks[place]] = place % 254 + 1
    palette = np.zeros((256, 3), dtype=np.uint8)
    colors = np.array([to_rgb(color) for color in OBJECT_COLORS])
    palette[1:] = np.resize(np.round(255 * colors), (255, 3))  # again and again
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
