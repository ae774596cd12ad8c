"""Class names, colours, and the way from one to the other.

A *mask* is a picture of class indices, `uint8 [H, W]`. Index 255 is *void*: pixels that nobody
labelled, left out of the loss and of every metric. A *palette* gives each index a colour,
`uint8 [256, 3]`. Source of names and colours: the PASCAL VOC 2012 development kit.
"""

import numpy as np
from PIL import Image

from seglab.machine.arrays import as_mask

VOID = 255

VOC_CLASSES = tuple(
    "background aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse "
    "motorbike person pottedplant sheep sofa train tvmonitor".split()
)


def voc_color(index: int) -> tuple[int, int, int]:
    """The VOC colour of one class index (0 to 255), as (red, green, blue) from 0 to 255.

    The bits of the index are dealt out to red, green, blue, red, green, blue, ...; the first
    bit that a channel gets becomes its highest bit (128), the next one 64, and so on.
    """
    channels = [0, 0, 0]
    for bit in range(8):
        if index >> bit & 1:
            channels[bit % 3] |= 128 >> bit // 3
    return tuple(channels)


VOC_PALETTE = np.array([voc_color(index) for index in range(256)], dtype=np.uint8)


class UnknownColorError(ValueError):
    """A colour picture holds colours that its palette does not name."""


def colorize(mask, palette: np.ndarray = VOC_PALETTE) -> np.ndarray:
    """Paint a mask with its palette: `uint8 [H, W, 3]`, red green blue.

    Args:
        mask: class indices, array or CPU tensor `[H, W]`, integers from 0 to 255.
        palette: `uint8 [256, 3]`.

    Raises:
        ValueError: the mask is not two-dimensional, not whole numbers, or outside 0 to 255.
    """
    return palette[as_mask(mask)]


def indices_from_rgb(
    rgb, palette: np.ndarray = VOC_PALETTE, num_classes: int = len(VOC_CLASSES)
) -> np.ndarray:
    """The mask behind a picture that was painted with a palette: the reverse of `colorize`.

    Each channel value is first replaced by its rank among the values that the palette uses
    (VOC's 21 colours and void use five), so that the table of all combinations stays tiny: VOC
    needs 6 x 6 x 6 entries instead of 256 x 256 x 256.

    Args:
        rgb: `uint8 [H, W, 3]`.
        palette: `uint8 [256, 3]`.
        num_classes: colours 0 to `num_classes - 1` and void are known; all others are errors.

    Returns:
        `uint8 [H, W]`.

    Raises:
        UnknownColorError: the picture holds other colours. The message names them: a wrong
            palette, a lossy file (JPEG), or a smooth resize are the usual causes.
    """
    rgb = np.asarray(rgb)
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
        raise ValueError(f"expected uint8 [height, width, 3]; found {rgb.dtype} {tuple(rgb.shape)}")
    known = [*range(num_classes), VOID]
    colors = palette[known]
    values = np.unique(colors)
    unknown = len(values)  # the rank of every channel value that no colour uses
    rank = np.full(256, unknown, dtype=np.intp if unknown > 30 else np.int16)
    rank[values] = np.arange(len(values))
    base = unknown + 1
    red, green, blue = rank * base**2, rank * base, rank

    def key(picture: np.ndarray) -> np.ndarray:
        """The three ranks of each pixel as the digits of one number."""
        return red.take(picture[..., 0]) + green.take(picture[..., 1]) + blue.take(picture[..., 2])

    # -1 marks "no class has this colour". Written backwards, so that of two classes with the
    # same colour the lower index wins.
    table = np.full(base**3, -1, dtype=np.int16)
    table[key(colors)[::-1]] = known[::-1]
    indices = table.take(key(rgb))
    if indices.min(initial=0) < 0:
        strangers, counts = np.unique(rgb[indices < 0], axis=0, return_counts=True)
        shown = ", ".join(
            f"({r}, {g}, {b}) at {n} pixel{'s' * (n > 1)}"
            for (r, g, b), n in list(zip(strangers.tolist(), counts.tolist(), strict=True))[:5]
        )
        more = f" and {len(strangers) - 5} more" if len(strangers) > 5 else ""
        raise UnknownColorError(
            f"{len(strangers)} colour(s) that the palette does not name: {shown}{more}. "
            "Check the palette; masks must be PNG (not JPEG) and resized with nearest neighbour."
        )
    return indices.astype(np.uint8)


def palette_image(mask, palette: np.ndarray = VOC_PALETTE) -> Image.Image:
    """A mask as a Pillow palette picture: saved as PNG, it *is* the index map; see `colorize`."""
    picture = Image.fromarray(as_mask(mask))
    picture.putpalette(palette.astype(np.uint8).tobytes())
    return picture
