"""The exercises of notebook 01: what segmentation is."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from seglab.exercises.checking import (
    Hint,
    LearnersError,
    call,
    close,
    exercise,
    expect_equal,
    expect_tensor,
)
from seglab.palettes import VOC_PALETTE, VOID
from seglab.prediction import overlay

WHOLE = (torch.uint8, torch.int16, torch.int32, torch.int64)  # types that hold a class and void


@exercise(notebook="01", stars=1, minutes=5)
def share_of_class(function):
    """The share of a class among the labelled pixels of a mask."""
    toy = torch.tensor([[8, 8, VOID], [0, 18, VOID]], dtype=torch.uint8)
    random = torch.randint(0, 5, (13, 7), dtype=torch.uint8)
    random[:3] = VOID
    one_class = torch.full((4, 6), 8, dtype=torch.uint8)
    cases = [
        (toy, 8, "[[8, 8, 255], [0, 18, 255]], class 8"),
        (random, 0, "a random mask, class 0"),
        (random, 20, "a class that does not occur"),
        (one_class, 8, "a mask that is one class everywhere"),
        (torch.tensor([[3]], dtype=torch.uint8), 3, "a mask of one pixel"),
        (random.long(), 3, "a random mask of int64, class 3"),
    ]
    for mask, index, given in cases:
        found = one_number(call(function, mask, index))
        pixels, labelled = int((mask == index).sum()), int((mask != VOID).sum())
        if pixels and close(found, pixels / mask.numel()) and labelled < mask.numel():
            raise Hint(
                f"For {given}, you return {float(found):.4g}: the pixels of the class, divided by "
                "all pixels. Void was counted as labelled. Which pixels may be in the denominator?"
            )
        if pixels and close(found, 100 * pixels / labelled):
            raise Hint(
                f"For {given}, you return {float(found):.4g}. That is percent; a share lies "
                "between 0 and 1."
            )
        if pixels > 1 and close(found, pixels):
            raise Hint(f"For {given}, you return a number of pixels. A share of how many?")
        objects = int(((mask != 0) & (mask != VOID)).sum())
        if index and objects < labelled and close(found, pixels / max(objects, 1)) and pixels:
            raise Hint(
                f"For {given}, you return {float(found):.4g}: background is missing in the "
                "denominator. Somebody looked at those pixels and said 'none of the classes': they "
                "are labelled."
            )
        if 0 < pixels < labelled and close(found, 0.0):
            raise Hint(
                f"For {given}, you return 0. Are bytes compared or divided as whole numbers "
                "somewhere (`//`, `int`)?"
            )
        expect_equal(found, pixels / labelled, given)
    void = torch.full((2, 3), VOID, dtype=torch.uint8)
    try:
        found = one_number(call(function, void, 8))
    except LearnersError as error:
        if isinstance(error.__cause__, ZeroDivisionError):
            raise Hint("A mask that is all void: no pixel is left to divide by.") from None
        raise
    if close(found, float("nan")):
        raise Hint(
            "A mask that is all void gives nan: 0 divided by 0. Nothing is labelled, so no class "
            "has a share: return 0 there."
        )
    expect_equal(found, 0.0, "a mask that is all void")


def one_number(value):
    """A tensor or array that holds one number, as that number."""
    single = isinstance(value, torch.Tensor | np.ndarray) and np.prod(value.shape) == 1
    return value.item() if single else value


@exercise(notebook="01", stars=2, minutes=10)
def sure_labels(function):
    """Argmax, but void where the network is not sure."""
    for shape, least in [
        ((2, 5, 6, 4), 0.5),
        ((3, 21, 6, 7), 0.3),
        ((1, 4, 1, 1), 0.3),
        ((1, 4, 2, 3), 0.0),
        ((0, 4, 2, 3), 0.5),
    ]:
        logits = 2 * torch.randn(shape) - 1
        given = f"logits {list(shape)}, least = {least}"
        found = call(function, logits, least)
        if isinstance(found, np.ndarray):
            found = torch.from_numpy(found)
        probability, label = logits.softmax(1).max(1)
        right = label.masked_fill(probability < least, VOID)
        if (
            isinstance(found, torch.Tensor)
            and found.shape == (*logits.shape[:1], 1, *logits.shape[2:]) != right.shape
        ):
            raise Hint(
                f"The shape is {tuple(found.shape)}: the class axis is still there, with length "
                "1. A mask has none."
            )
        expect_tensor(found, right.shape, None, given)
        if found.is_floating_point() or found.dtype in (torch.int8, torch.bool):
            expect_tensor(found, None, WHOLE, given)
        near = (probability - least).abs() < 1e-5  # rounding decides there
        found = found.long().masked_fill(near, 0)
        right, label = (x.masked_fill(near, 0) for x in (right, label))
        if torch.equal(found, right):
            continue
        raw = label.masked_fill((logits.amax(1) < least) & ~near, VOID)
        if torch.equal(found, raw):
            raise Hint(
                f"For {given}, you compare the logits with `least`. A score can be any number; "
                "what turns the scores of a pixel into probabilities?"
            )
        if (right != VOID).any() and (found == VOID).all():
            raise Hint(
                f"For {given}, every pixel is void. Is it really a probability, from 0 to 1, that "
                "you compare? The logarithm of one is never above 0."
            )
        if torch.equal(found, label):
            raise Hint(f"For {given}, no pixel is void, and some are less sure than `least`.")
        alone = label.masked_fill((logits.sigmoid().amax(1) < least) & ~near, VOID)
        if torch.equal(found, alone):
            raise Hint(
                f"For {given}, you use a sigmoid, which looks at each score by itself. The classes "
                "of a pixel share one probability of 1: which function divides it among them?"
            )
        inverted = label.masked_fill((probability >= least) & ~near, VOID)
        if torch.equal(found, inverted):
            raise Hint(f"For {given}, the sure pixels became void and the doubtful ones stayed.")
        zeroed = label.masked_fill((probability < least) & ~near, 0)
        if torch.equal(found, zeroed):
            raise Hint(
                f"For {given}, the doubtful pixels are 0. That is background, a claim; void says "
                "that nothing is claimed."
            )
        for axis in (0, 2, 3):
            other = logits.softmax(axis)
            if torch.equal(found, other.argmax(1).masked_fill(other.amax(1) < least, VOID)):
                raise Hint(
                    f"For {given}, your probabilities sum to 1 along axis {axis}. At each pixel "
                    "those of its classes should. Which axis holds the classes?"
                )
        expect_equal(found, right, given)
    tie = torch.zeros(1, 2, 1, 1)  # both have probability 1 / 2, exactly
    if torch.as_tensor(call(function, tie, 0.5)).eq(VOID).all():
        raise Hint(
            "Two equal scores give 0.5 each. With least = 0.5 that is not below `least`: the pixel "
            "keeps its label."
        )


@exercise(notebook="01", stars=2, minutes=10)
def paint_over(function):
    """Blend the colours of a mask into an image."""
    image = torch.full((3, 2, 2), 200, dtype=torch.uint8)
    mask = torch.tensor([[15, 0], [15, VOID]], dtype=torch.uint8)
    cases = [(image, mask, 0.5, "a grey image of 2 × 2")]
    for height, width, opacity in [(6, 6, 0.6), (5, 9, 0.6), (1, 1, 0.3), (7, 2, 1.0), (3, 4, 0.0)]:
        image = torch.randint(0, 256, (3, height, width), dtype=torch.uint8)
        mask = torch.randint(0, 21, (height, width), dtype=torch.uint8)
        mask[torch.rand(height, width) < 0.4] = 0
        mask[0, 0] = VOID
        cases.append((image, mask, opacity, f"{height} × {width} pixels, opacity {opacity}"))
    for image, mask, opacity, given in cases:
        before = image.clone()
        found = call(function, image, mask, opacity)
        if isinstance(found, np.ndarray):
            found = torch.from_numpy(found)
        height, width = mask.shape
        if isinstance(found, torch.Tensor) and found.shape == image.shape and height != 3:
            raise Hint(
                f"The shape is {tuple(found.shape)} for {given}: colours first. A picture to look "
                "at has its three colours in the last axis, as a painted mask has."
            )
        if isinstance(found, torch.Tensor) and found.shape == (width, height, 3) != (
            *mask.shape,
            3,
        ):
            raise Hint(
                f"For {given}, yours is {width} × {height}: rows and columns are exchanged. An "
                "image is [3, H, W]; which order of its axes gives [H, W, 3]?"
            )
        expect_tensor(found, (height, width, 3), None, given)
        if found.dtype != torch.uint8:
            raise Hint(
                f"The numbers are {str(found.dtype).removeprefix('torch.')}. A picture holds "
                "bytes: round, and convert at the very end."
            )
        right = torch.from_numpy(overlay(image, mask, opacity=opacity)).int()
        if ((found.int() - right).abs() <= 1).all():
            continue
        swapped = torch.from_numpy(overlay(image, mask, opacity=1 - opacity)).int()
        if opacity != 0.5 and ((found.int() - swapped).abs() <= 1).all():
            raise Hint(
                f"For {given}, you keep that much of the image. Opacity 1 hides the image, 0 hides "
                "the colours."
            )
        painted = torch.from_numpy(VOC_PALETTE)[mask.long()].float()
        picture = before.permute(1, 2, 0).float()
        everywhere = (picture + opacity * (painted - picture)).round().int()
        if ((found.int() - everywhere).abs() <= 1).all():
            raise Hint(
                f"For {given}, the background has become darker: black was mixed into it. Where "
                "the class is 0, the image stays as it is."
            )
        no_void = torch.where((mask == VOID)[..., None], before.permute(1, 2, 0).int(), right)
        if ((found.int() - no_void).abs() <= 1).all():
            raise Hint(
                f"For {given}, void is not painted. Only background keeps the image; void has a "
                "colour in the palette, so that people see it."
            )
        for other_image, other_mask, hint in mixed_up(before, mask):
            other = torch.from_numpy(overlay(other_image, other_mask, opacity=opacity)).int()
            if ((found.int() - other).abs() <= 1).all():
                raise Hint(f"For {given}, {hint}")
        bgr = torch.where((mask != 0)[..., None], painted.flip(-1), picture)
        if ((found.int() - (picture + opacity * (bgr - picture))).abs() <= 1).all():
            raise Hint(f"For {given}, the colours of the classes are blue, green, red.")
        worst = (found.int() - right).abs().amax()
        raise Hint(
            f"For {given}, the picture is off by up to {int(worst)}. Does a byte overflow on the "
            "way? In uint8, 200 + 100 is 44: compute with floats. Else compare one pixel by hand."
        )


def mixed_up(image: torch.Tensor, mask: torch.Tensor) -> list[tuple]:
    """What a wrong order of axes makes of image and mask: (image, mask, symptom) each time."""
    height, width = mask.shape
    torn = (
        "the image is torn to stripes: `reshape` and `view` only count the numbers anew, so "
        "neighbours of one colour plane become one pixel. `permute` moves an axis."
    )
    found = [
        (image.reshape(height, width, 3).permute(2, 0, 1), mask, torn),
        (image.flip(0), mask, "red and blue of the image are exchanged."),
    ]
    if height == width:
        swapped = (
            "rows and columns are exchanged: a pixel was painted with the one at (x, y) instead of "
            "(y, x). In which order do `permute` or `.T` leave the axes?"
        )
        turned = image.transpose(1, 2), mask.T
        pairs = [(turned[0], mask), (image, turned[1]), turned]
        found += [(*pair, swapped) for pair in pairs]
    return found


def counted(layers: list[tuple[int, int, int]], height: int, width: int) -> int:
    """torch's own count of the multiply-adds, without computing anything."""
    network = nn.Sequential(*(nn.Conv2d(*layer, device="meta") for layer in layers))
    with FlopCounterMode(display=False) as counter:
        network(torch.empty(1, layers[0][0], height, width, device="meta"))
    return counter.get_total_flops() // 2


@exercise(notebook="01", stars=2, minutes=15)
def two_prices(function):
    """Multiply-adds of unpadded convolutions: at once, and window by window."""
    for layers, height, width in [
        ([(3, 8, 3), (8, 8, 3), (8, 4, 3)], 12, 16),
        ([(3, 16, 5), (16, 21, 1)], 9, 40),
        ([(2, 5, 1)], 6, 4),
        ([(1, 1, 3), (1, 2, 5)], 7, 7),
        ([(4, 4, 7)], 7, 11),
    ]:
        given = f"layers {layers} on {height} × {width} pixels"
        found = call(function, layers, height, width)
        if isinstance(found, torch.Tensor | np.ndarray) and found.shape == (2,):
            found = found.tolist()
        if not isinstance(found, tuple | list) or len(found) != 2:
            raise Hint("Return two numbers: all at once, and window by window.")
        at_once, one_by_one = (float(number) for number in found)
        window = 1 + sum(kernel - 1 for *_, kernel in layers)
        positions = (height - window + 1) * (width - window + 1)
        right = counted(layers, height, width), positions * counted(layers, window, window)
        no_shrinking = height * width * sum(a * b * k * k for a, b, k in layers)
        if at_once == no_shrinking != right[0]:
            raise Hint(
                f"For {given}, you count every layer at {height * width} positions. Without "
                "padding each output is smaller than its input: by how much?"
            )
        first_sizes = shrinking_late(layers, height, width)
        if at_once == first_sizes != right[0]:
            raise Hint(
                f"For {given}, each layer is counted at the positions of its input. It multiplies "
                "once for each position of its output."
            )
        biases = bias_too(layers, height, width)
        if at_once == biases:
            raise Hint(f"For {given}, you count the biases. They are added, not multiplied.")
        if (at_once, one_by_one) == right[::-1] != right:
            raise Hint(f"For {given}, the order is: all at once first, then window by window.")
        if at_once == 2 * right[0]:
            raise Hint("A multiply-add is one here, though torch's counter counts it as two.")
        if at_once != right[0]:
            raise Hint(
                f"For {given}, you count {at_once:,.0f} all at once; right would be {right[0]:,}."
            )
        if one_by_one == height * width * counted(layers, window, window) != right[1]:
            raise Hint(
                f"For {given}, you place a window at all {height * width} pixels. How many windows "
                f"of {window} × {window} fit without reaching beyond the picture?"
            )
        if one_by_one == positions * at_once != right[1]:
            raise Hint(
                f"For {given}, every window costs as much as the whole picture. In a window the "
                "layers work on a smaller input. How large is it?"
            )
        if one_by_one == at_once != right[1]:
            raise Hint(f"For {given}, both prices are the same; then nothing would be saved.")
        if one_by_one != right[1]:
            raise Hint(
                f"For {given}, you count {one_by_one:,.0f} window by window; right would be "
                f"{right[1]:,}. There are {positions} windows of {window} × {window} pixels."
            )


def bias_too(layers: list[tuple[int, int, int]], height: int, width: int) -> int:
    """The price if each bias counts as a multiply-add, a mistake."""
    total = counted(layers, height, width)
    for _, channels_out, kernel in layers:
        height, width = height - kernel + 1, width - kernel + 1
        total += height * width * channels_out
    return total


def shrinking_late(layers: list[tuple[int, int, int]], height: int, width: int) -> int:
    """The price if each layer is counted at the positions of its input, a mistake."""
    total = 0
    for channels_in, channels_out, kernel in layers:
        total += height * width * channels_in * channels_out * kernel**2
        height, width = height - kernel + 1, width - kernel + 1
    return total


class OnlyMultiplesOf32(nn.Module):
    """A network that refuses other sizes; it remembers what it was shown."""

    def __init__(self):
        super().__init__()
        self.score = nn.Conv2d(3, 5, 1)
        self.seen: list[torch.Tensor] = []

    def forward(self, images):
        self.seen.append(images.detach())
        height, width = images.shape[-2:]
        if height % 32 or width % 32:
            raise ValueError(f"this network wants multiples of 32; got {height} × {width} pixels")
        return self.score(images)


@exercise(notebook="01", stars=3, minutes=15)
def at_any_size(function):
    """A network that wants multiples of 32, on images of any size."""
    for n, height, width in [(2, 40, 70), (1, 64, 96), (1, 33, 32), (3, 1, 1), (1, 31, 65)]:
        network = OnlyMultiplesOf32()
        images = torch.randn(n, 3, height, width)
        given = f"images of {height} × {width}"
        below, right_side = -height % 32, -width % 32
        try:
            found = call(function, network, images)
        except LearnersError:
            shown = tuple(network.seen[-1].shape[-2:]) if network.seen else ()
            if shown == (height + right_side, width + below) and below != right_side:
                raise Hint(
                    f"For {given}, the network was shown {shown[0]} × {shown[1]} pixels. The "
                    "columns were added as rows and the rows as columns: F.pad counts from the "
                    "last axis."
                ) from None
            raise
        if not network.seen:
            raise Hint("Your function never calls the network that it is given.")
        seen = network.seen[-1]
        shown = tuple(seen.shape[-2:])
        if shown[0] > height + below or shown[1] > width + right_side:
            raise Hint(
                f"For {given}, the network was shown {shown[0]} × {shown[1]} pixels; "
                f"{height + below} × {width + right_side} is enough. What is missing to the next "
                "multiple of 32 when the size is one already?"
            )
        if shown[0] < height or shown[1] < width:
            raise Hint(
                f"For {given}, the network was shown only {shown[0]} × {shown[1]} pixels: what you "
                "cut off gets no label. Add rows and columns instead."
            )
        if isinstance(found, torch.Tensor) and tuple(found.shape[-2:]) == shown != (height, width):
            raise Hint(
                f"For {given}, the logits have {shown[0]} × {shown[1]} positions: the added rows "
                "and columns got scores, too, and are still there."
            )
        expect_tensor(found, (n, 5, height, width), None, given)
        right = network.score(images)
        if close(found, right):
            if not close(seen.abs().sum(), images.abs().sum()):
                raise Hint(
                    f"For {given}, the logits are right, but the added rows and columns are not "
                    "zero. A real network looks around a pixel and would see what is there. The "
                    "images are normalised: zero is their mean colour."
                )
            continue
        stretched = F.interpolate(images, size=shown, mode="bilinear")
        if close(seen, stretched) or close(seen, F.interpolate(images, size=shown)):
            raise Hint(
                f"For {given}, you stretch the images, and objects change their shape. Add empty "
                "rows and columns instead."
            )
        if not close(seen[..., :height, :width], images):
            raise Hint(
                f"For {given}, the logits are shifted: the images do not begin at the upper left "
                "corner of what the network was shown, but your cut does. Add below and at the "
                "right, or cut where the images are."
            )
        expect_equal(found, right, given)
