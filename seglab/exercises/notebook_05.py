"""The exercises of notebook 05: U-Net."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from seglab.exercises.checking import (
    Hint,
    LearnersError,
    call,
    close,
    described,
    exercise,
    expect_equal,
    expect_tensor,
)
from seglab.unet import DoubleConv


@exercise(notebook="05", stars=1, minutes=8)
def pad_and_join(function):
    """Zeros around the smaller map, then the skip beside it."""
    # batch, channels of the skip, of x; rows and columns of the skip, of x
    for n, c, d, (height, width), (h, w) in [
        (2, 3, 3, (6, 6), (6, 6)),
        (2, 3, 3, (6, 6), (4, 4)),
        (1, 2, 5, (8, 5), (6, 5)),
        (1, 4, 2, (5, 9), (5, 5)),
        (3, 1, 2, (7, 8), (6, 7)),
        (1, 2, 1, (9, 4), (4, 3)),
        (1, 1, 1, (1, 2), (1, 1)),
        (1, 2, 2, (8, 9), (5, 4)),
        (1, 1, 2, (9, 6), (6, 6)),
    ]:
        skip, x = torch.randn(n, c, height, width), torch.randn(n, d, h, w)
        given = f"a skip of {height} × {width} and a map of {h} × {w}"
        down, across = height - h, width - w
        try:
            found = call(function, skip, x)
        except LearnersError as error:
            raise joined_unequal(error, down, across, given) from error.__cause__
        expect_tensor(found, given=given)
        if found.shape == (2 * n, c, height, width) and n > 1:
            raise Hint(
                f"You got {2 * n} images from {n}: you concatenate along the batch. The channels "
                "are another dimension."
            )
        if found.shape == (n, c + d, h, w) and (down or across):
            raise Hint(
                f"For {given} the result has {h} × {w}: you cut the skip. Here the skip stays "
                "whole, and the smaller map gets a border."
            )
        if found.shape == (n, c, height, width) and c == d:
            raise Hint(
                f"For {given} the result has {c} channels, as many as the skip alone. Adding keeps "
                "one number where there were two; put the maps side by side."
            )
        expect_tensor(found, (n, c + d, height, width), torch.float32, given)
        pads = (across // 2, across - across // 2, down // 2, down - down // 2)
        padded = F.pad(x, pads)
        even = (round(across / 2), across - round(across / 2))
        even += (round(down / 2), down - round(down / 2))
        rounded = F.pad(x, even)
        if not close(rounded, padded) and close(found[:, c:], rounded) and 3 in (down, across):
            raise Hint(
                f"For {given}: Python's `round` goes to the *even* neighbour, so 0.5 becomes 0 and "
                "1.5 becomes 2. You want to round down each time."
            )
        if close(found, torch.cat([padded, skip], 1)):
            raise Hint("The channels are in the other order: the skip's come first.")
        part = found[:, c:]
        if close(part, F.pad(x, (across, 0, down, 0))) and max(down, across) > 1:
            raise Hint(
                f"For {given} all zeros lie above and at the left: the map has moved into the "
                "lower right corner. Its middle has to lie over the middle of the skip."
            )
        if close(part, F.pad(x, (0, across, 0, down))) and max(down, across) > 1:
            raise Hint(
                f"For {given} all zeros lie below and at the right. Then the map is shifted "
                "against the skip: its middle has to lie over the middle of the skip."
            )
        if close(part, F.pad(x, (pads[1], pads[0], pads[3], pads[2]))) and not close(part, padded):
            raise Hint(
                f"For {given} an odd number of rows or columns is missing. The one that is left "
                "over goes below or to the right; you put it above or to the left."
            )
        top, left = down // 2, across // 2
        if not close(part[..., top : top + h, left : left + w], x):
            raise Hint(
                f"For {given}: the map itself is not found in the middle of the result. Do not "
                "resize it and do not change its numbers; put rows and columns around it."
            )
        if close(found[:, :c], skip) and not close(part, padded):
            raise Hint(f"For {given} the border around the map holds other numbers than zeros.")
        expect_equal(found, torch.cat([skip, padded], 1), given)


def joined_unequal(error: LearnersError, down: int, across: int, given: str) -> Exception:
    """Why two maps could not be concatenated, if that is what went wrong; else the error."""
    if "Sizes of tensors must match" not in str(error.__cause__):
        return error
    if down % 2 == across % 2 == 0 and down != across:
        return Hint(
            f"For {given} the sizes differ after padding. `F.pad` wants the *last* dimension "
            "first: which of your numbers does it take for the columns?"
        )
    if down % 2 or across % 2:
        return Hint(
            f"For {given} an odd number of rows or columns is missing. If you add half of it, "
            "rounded down, at both sides, one is still missing."
        )
    return error


@exercise(notebook="05", stars=2, minutes=10)
def unpadded_output(function):
    """Rows of the logits of an unpadded U-Net of any depth."""
    for size, depth in [
        (9, 0),
        (572, 4),
        (188, 4),
        (140, 3),
        (68, 2),
        (40, 1),
        (20, 1),
        (5, 0),
        (1244, 5),
    ]:
        right = rows_left(size, depth)
        given = f"size = {size}, depth = {depth}"
        try:
            found = call(function, size, depth)
        except LearnersError as error:
            if isinstance(error.__cause__, ValueError):
                if depth == 0:
                    raise Hint(
                        f"You refuse {given}, but this size fits. With depth 0 nothing is halved: "
                        f"two convolutions, and {size - 4} rows are left."
                    ) from None
                raise Hint(
                    f"You refuse {given}, but this size fits. What has to be even is not the "
                    "image but each map at the moment when it is halved; the first is halved when "
                    f"it has {size - 4} rows."
                ) from None
            raise
        expect_equal(found, found, given)  # a number at all?
        if close(found, right):
            continue
        if depth == 0 and not close(found, size - 2):
            raise Hint(
                f"For {given} you return {described(found)}. With depth 0 there is one level only, "
                f"nothing is halved or doubled, and two convolutions leave {right} rows."
            )
        if close(found, right + 4 * 2**depth):
            raise Hint(
                f"For {given} you return {found}, {4 * 2**depth} too many: that is what one level "
                "eats. Does your deepest level convolve, too?"
            )
        for side, (on_the_way_down, on_the_way_up) in {"down": (2, 4), "up": (4, 2)}.items():
            rows = size
            for _ in range(depth):
                rows = (rows - on_the_way_down) // 2
            rows -= on_the_way_down
            for _ in range(depth):
                rows = 2 * rows - on_the_way_up
            if depth and close(found, rows):
                raise Hint(
                    f"For {given} you return {found}: on the way {side} you convolve once at each "
                    "level. There are two convolutions on both sides."
                )
        down = size
        for _ in range(depth):
            down = (down - 4) // 2
        if found in (down, down - 4) and depth:
            raise Hint(
                f"For {given} you return {found}. That is the deepest map: the way up is missing, "
                "where each step doubles, and then convolves twice."
            )
        if depth and close(found, (down - 4) * 2**depth):
            raise Hint(
                f"For {given} you return {found}: on the way up you only double. Two "
                "convolutions follow each doubling, and they eat borders as well."
            )
        half = size
        for _ in range(depth):
            half = (half - 2) // 2
        half -= 2
        for _ in range(depth):
            half = half * 2 - 2
        if close(found, half):
            raise Hint(
                f"For {given} you return {found}: you take off 2 rows for each level. One "
                "convolution eats one row at *each* side, and there are two of them."
            )
        expect_equal(found, right, given)
    for size, depth, why in [
        (256, 4, "odd"),
        (573, 4, "odd"),
        (21, 1, "odd"),
        (172, 4, "gone"),
        (16, 1, "gone"),
        (4, 0, "gone"),
        (8, 2, "gone"),
    ]:
        try:
            found = call(function, size, depth)
        except LearnersError as error:
            if isinstance(error.__cause__, ValueError):
                continue
            raise
        if why == "odd":
            raise Hint(
                f"For size = {size}, depth = {depth} you return {found}; it should be a "
                "ValueError. Follow the rows down: one map is halved although its number of rows "
                "is odd."
            )
        raise Hint(
            f"For size = {size}, depth = {depth} you return {found}; it should be a ValueError. "
            "The convolutions have eaten everything, nothing is left to label."
        )


def rows_left(size: int, depth: int) -> int:
    """The sizes of the check fit, so there is a simple rule: what is eaten does not depend on size.

    Each convolution of level i eats 2 rows of its own map, 2 * 2**i of the image; a level above the
    deepest convolves twice on the way down and twice on the way up.
    """
    return size - 4 * 2**depth - sum(8 * 2**level for level in range(depth))


@exercise(notebook="05", stars=3, minutes=20)
def label_by_tiles(function):
    """Logits of a whole picture from a network that takes one size only."""
    for (height, width), tile, margin in [
        ((16, 24), 8, 3),
        ((16, 24), 8, 0),
        ((19, 29), 8, 3),
        ((14, 13), 9, 2),
        ((7, 12), 3, 1),
    ]:
        network = Unpadded(2, 3, tile, margin)
        image = torch.randn(1, 2, height, width)
        given = f"{height} × {width} pixels, tile = {tile}, margin = {margin}"
        try:
            with torch.no_grad():
                found = call(function, network, image, tile, margin)
        except LearnersError as error:
            if isinstance(error.__cause__, WrongTile):
                shape = error.__cause__.args[0]
                raise Hint(
                    f"For {given} your network got {shape}; it needs {network.needed} rows and "
                    "columns, tile + 2 · margin. Slices end at the edge of what you cut from: is "
                    "the image large enough for the last tile?"
                ) from None
            raise
        expect_tensor(found, given=given)
        rows, columns = (tile * -(-side // tile) for side in (height, width))
        if found.shape == (1, 3, rows, columns) != (1, 3, height, width):
            raise Hint(
                f"For {given} the result has {rows} × {columns}: whole tiles. Cut off what lies "
                "beyond the image."
            )
        if (
            found.shape
            == (1, 3, height // tile * tile, width // tile * tile)
            != (*(1, 3, height, width),)
        ):
            raise Hint(
                f"For {given} the last rows or columns are missing from the result: a number of "
                "tiles must be rounded up."
            )
        expect_tensor(found, (1, 3, height, width), torch.float32, given)
        pads = (margin,) * 4
        with torch.no_grad():
            right = network.layer(F.pad(image, pads, mode="reflect"))
            if close(found, right):
                continue
            zeros = network.layer(F.pad(image, pads))
            edges = network.layer(F.pad(image, pads, mode="replicate"))
        if close(found, zeros):
            raise Hint(
                f"For {given} the inside is right, and the rim is not: beyond the edge of the "
                "image your network sees zeros instead of the mirror image."
            )
        if close(found, edges):
            raise Hint(
                f"For {given} the rim is not right: beyond the edge your network sees the last row "
                "repeated instead of the mirror image."
            )
        wrapped = None
        if margin:
            with torch.no_grad():
                wrapped = network.layer(F.pad(image, pads, mode="circular"))
                alone = network(F.pad(image[..., :tile, :tile], pads, mode="reflect"))
            if close(found[..., :tile, :tile], alone):
                raise Hint(
                    f"For {given} each tile sees the mirror image of the tile around it. Inside "
                    "the image the true surroundings are there: make the *image* larger, once, and "
                    "cut from that."
                )
        if wrapped is not None and close(found, wrapped):
            raise Hint(
                f"For {given} the rim is not right: beyond the edge your network sees the other "
                "side of the image instead of the mirror image."
            )
        empty = (found == 0).all(1)[0]  # [H, W]
        if empty.any():
            row, column = (int(n) for n in empty.nonzero()[0])
            raise Hint(
                f"For {given} no tile covers some pixels, the first of them in row {row}, column "
                f"{column}. By how many pixels do two neighbouring tiles of the *output* differ, "
                "and how many tiles are needed?"
            )
        inner = (..., slice(margin, height - margin), slice(margin, width - margin))
        if close(found[inner], right[inner]):
            raise Hint(
                f"For {given} the inside is right, but the logits near the edge of the image are "
                "not. What does your network see beyond it?"
            )
        if close(found[..., :tile, :tile], right[..., :tile, :tile]):
            raise Hint(
                f"For {given} the first tile is right and others are not: is the piece of the "
                "image that belongs to output row 0 … really `margin` rows further up?"
            )
        expect_equal(found, right, given)


@exercise(notebook="05", stars=1, minutes=5)
def double_conv_parameters(function):
    """The parameters of a `DoubleConv`, by formula."""
    for inputs, outputs in [(3, 64), (64, 32), (1, 1), (128, 128), (7, 5)]:
        found = call(function, inputs, outputs)
        right = sum(p.numel() for p in DoubleConv(inputs, outputs).parameters())
        given = f"inputs = {inputs}, outputs = {outputs}"
        expect_equal(found, found, given)  # a number at all?
        if close(found, right + 2 * outputs):
            raise Hint(
                f"For {given} you count {2 * outputs} too many, one for each channel that a "
                "convolution puts out. Look at the arguments of the two convolutions again: do "
                "they have biases?"
            )
        if close(found, right - 4 * outputs):
            raise Hint(
                f"For {given} you count {4 * outputs} too few. Convolutions are not the only "
                "layers here that learn: what does batch norm learn for each channel?"
            )
        if close(found, right - 2 * outputs):
            raise Hint(
                f"For {given} you count {2 * outputs} too few. There are two batch norms, and each "
                "learns a scale and a shift for each channel."
            )
        if close(found, right + 4 * outputs):
            raise Hint(
                f"For {given} you count {4 * outputs} too many. The running mean and variance of "
                "batch norm are stored with the weights, but no gradient changes them: they are "
                "buffers, not parameters."
            )
        if close(found, right - 8 * outputs * (inputs + outputs)):
            raise Hint(
                f"For {given} you count one weight for each pair of channels. How many numbers "
                "does a 3 × 3 kernel have for each pair?"
            )
        if outputs > 1 and close(found, 9 * (inputs + outputs) + 4 * outputs):
            raise Hint(
                f"For {given} you count one kernel for each input channel. Every output channel "
                "has kernels of its own for all inputs."
            )
        if inputs != outputs and close(found, right + 9 * outputs * (inputs - outputs)):
            raise Hint(
                f"For {given}: your second convolution has as many input channels as the first. "
                "It gets what the first one puts out."
            )
        expect_equal(found, right, given)


@exercise(notebook="05", stars=2, minutes=12)
def border_share(function):
    """The share of a region's pixels that are near its border."""
    rectangle = torch.zeros(12, 13, dtype=torch.bool)
    rectangle[2:10, 3:10] = True
    corner = torch.zeros(9, 9, dtype=torch.bool)
    corner[:6, :6] = True
    line = torch.zeros(7, 30, dtype=torch.bool)
    line[3] = True
    regions = [
        ("a rectangle of 8 × 7", rectangle),
        ("a region that fills the picture", torch.ones(6, 5, dtype=torch.bool)),
        ("a square in the corner of the picture", corner),
        ("a line", line),
        ("random pixels", torch.rand(15, 17) > 0.1),
        ("a picture of one pixel", torch.ones(1, 1, dtype=torch.bool)),
    ]
    for name, region in regions:
        for distance in (1, 2, 3, 0):
            found = one_number(call(function, region, distance))
            given = f"{name}, distance = {distance}"
            expect_equal(found, found, given)  # a number at all?
            kept = eroded(region, distance)
            right = 1 - kept.sum().item() / region.sum().item()
            if close(found, right):
                continue
            if name == regions[1][0]:
                raise Hint(
                    f"For {name} you return {float(found):.2f}: you count the edge of the picture "
                    "as a border. What do your windows see beyond the edge? Here it must not "
                    "count as another class."
                )
            if close(found, 1 - right):
                raise Hint(
                    f"For {given} you return {float(found):.3f}: the share of the pixels that are "
                    "*not* near the border."
                )
            if close(found, right * region.float().mean()):
                raise Hint(
                    f"For {given}: you divide by all pixels of the picture. Of which pixels do you "
                    "want a share?"
                )
            grown = F.max_pool2d(region[None, None].float(), 2 * distance + 1, 1, distance)[0, 0]
            outside = (grown > 0) & ~region
            if close(found, outside.sum() / region.sum()):
                raise Hint(
                    f"For {given} you count the pixels around the region. Those near the border "
                    "but *inside* are wanted: shrink the region instead of growing it."
                )
            cross = 1 - eroded_by_a_cross(region, distance).sum() / region.sum()
            if close(found, cross):
                raise Hint(
                    f"For {given}: your windows are crosses. A pixel that is as many rows *and* as "
                    "many columns away, across the corner, counts as well: take whole squares."
                )
            rows_only = F.pad(region[None, None].float(), (0, 0, distance, distance), value=1.0)
            rows_only = rows_only.unfold(2, 2 * distance + 1, 1).amin(-1)[0, 0]
            if close(found, 1 - rows_only.sum() / region.sum()):
                raise Hint(f"For {given} you look up and down only, not to the left and right.")
            wide = eroded(region, distance + 1)
            if close(found, 1 - wide.sum() / region.sum()):
                raise Hint(
                    f"For {given} your windows reach one pixel too far: with distance 0, only the "
                    "pixel itself is looked at, and none is near a border."
                )
            half = eroded(region, distance // 2)
            if distance and close(found, 1 - half.sum() / region.sum()):
                raise Hint(
                    f"For {given} your windows are too small: one that reaches `distance` pixels "
                    "in every direction is more than `distance` wide."
                )
            expect_equal(found, right, given)
    for distance in (0, 1):
        try:
            found = one_number(call(function, torch.zeros(4, 5, dtype=torch.bool), distance))
        except LearnersError as error:
            if isinstance(error.__cause__, ZeroDivisionError):
                raise Hint(
                    "A region without pixels makes you divide by zero. There is no share of "
                    "nothing: return NaN."
                ) from None
            raise
        expect_equal(found, float("nan"), "a region without pixels")


def one_number(found):
    """A tensor or array of one element as a number; anything else as it is."""
    if isinstance(found, torch.Tensor | np.ndarray) and torch.as_tensor(found).numel() == 1:
        return found.reshape(()).item()
    return found


def eroded_by_a_cross(region: torch.Tensor, distance: int) -> torch.Tensor:
    """Pixels that see nothing else in their row and column, up to a distance."""
    x, size = region[None, None].float(), 2 * distance + 1
    rows = -F.max_pool2d(-x, (size, 1), 1, (distance, 0))
    columns = -F.max_pool2d(-x, (1, size), 1, (0, distance))
    return (rows.minimum(columns) > 0)[0, 0]


def eroded(region: torch.Tensor, distance: int) -> torch.Tensor:
    """Pixels of a region that see nothing else within a distance; the picture's edge is open."""
    windows = F.pad(region[None, None].float(), (distance,) * 4, value=1.0)
    size = 2 * distance + 1
    return windows.unfold(2, size, 1).unfold(3, size, 1).amin((-1, -2))[0, 0] > 0


class Unpadded(nn.Module):
    """A network that eats `margin` rows at each side and takes one size only."""

    def __init__(self, channels: int, classes: int, tile: int, margin: int):
        super().__init__()
        self.needed = tile + 2 * margin
        self.layer = nn.Conv2d(channels, classes, 2 * margin + 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if tuple(images.shape[2:]) != (self.needed, self.needed):
            raise WrongTile(tuple(images.shape))
        return self.layer(images)


class WrongTile(Exception):
    """An `Unpadded` network got another size than its own."""
