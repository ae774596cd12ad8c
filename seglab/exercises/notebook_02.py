"""The exercises of notebook 02: PASCAL VOC and colormaps."""

import itertools
import re

import numpy as np
import torch

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
from seglab.palettes import VOID, voc_color


@exercise(notebook="02", stars=1, minutes=5)
def strange_indices(function):
    """The indices of a mask that are neither a class nor void, and their pixels."""
    damaged = torch.tensor([[0, 21, 21, 30], [8, 255, 20, 113]], dtype=torch.uint8)
    smoothed = torch.randint(0, 256, (9, 11), dtype=torch.uint8)
    cases = [
        (damaged, 21, "[[0, 21, 21, 30], [8, 255, 20, 113]], 21 classes"),
        (damaged, 12, "[[0, 21, 21, 30], [8, 255, 20, 113]], 12 classes"),
        (smoothed, 3, "a random mask, 3 classes"),
        (torch.randint(0, 21, (4, 5), dtype=torch.uint8), 21, "a mask without any fault"),
        (torch.full((3, 2), VOID, dtype=torch.uint8), 2, "a mask that is all void"),
        (torch.tensor([[7]], dtype=torch.uint8), 7, "one pixel of index 7, 7 classes"),
    ]
    for mask, num_classes, given in cases:
        found = call(function, mask, num_classes)
        if not isinstance(found, dict):
            raise Hint(
                f"For {given}, you return {described(found)}. Asked for is a dict: index -> number "
                "of its pixels."
            )
        if any(isinstance(pixels, list | tuple | set) for pixels in found.values()):
            raise Hint(f"For {given}, you return {described(found)}. Behind each index: how many?")
        if any(float(pixels) != int(pixels) for pixels in found.values()):
            raise Hint(
                f"For {given}, you return {found}. Those are shares; asked for are numbers of "
                "pixels. A share can be worked out of them, but not the other way round."
            )
        found = {int(index): int(pixels) for index, pixels in found.items()}
        values, counts = mask.unique(return_counts=True)
        held = dict(zip(values.tolist(), counts.tolist(), strict=True))
        right = {i: n for i, n in held.items() if num_classes <= i != VOID}
        if VOID in found:
            raise Hint(f"For {given}, you report 255. Void is no fault: every mask may hold it.")
        if 0 in found.values():
            raise Hint(
                f"For {given}, you report indices with 0 pixels. Which of the counted ones occur?"
            )
        if right and found == {i: n for i, n in held.items() if i < num_classes}:
            raise Hint(f"For {given}, you report the classes. Which indices are none of them?")
        if right and found == {n: i for i, n in right.items()}:
            raise Hint(f"For {given}, the number of pixels is the key. The index should be.")
        if num_classes in right and num_classes not in found:
            raise Hint(
                f"For {given}, you miss index {num_classes}. With {num_classes} classes, which "
                "index does the last one have?"
            )
        if num_classes - 1 in found:
            raise Hint(
                f"For {given}, you report index {num_classes - 1}. With {num_classes} classes the "
                "first has index 0; where do they end?"
            )
        if found == dict.fromkeys(right, 1) != right:
            raise Hint(f"For {given}, you count each index once. How many pixels have it?")
        if found == {i: n for i, n in right.items() if i > 20} != right:
            raise Hint(f"For {given}, you still allow VOC's 21 classes. Others have fewer.")
        if found != right:
            raise Hint(f"For {given}, you return {found}; right would be {right}.")


@exercise(notebook="02", stars=2, minutes=10)
def index_of_color(function):
    """The index that has a VOC colour: the bit rule backwards."""
    for index in [8, 11, 4, 18, 255, *range(256)]:
        color = voc_color(index)
        try:
            value = call(function, color)
        except LearnersError as error:
            if index > 20 and isinstance(error.__cause__, ValueError):
                raise Hint(
                    f"{color} is the colour of index {index}, and you refuse it. All indices from "
                    "0 to 255 have a colour, not only VOC's 21 classes; void, for one, is 255."
                ) from None
            raise
        if isinstance(value, str):
            raise Hint(f"For {color} you return {value!r}. An index is a whole number.")
        if close(value, index):
            continue
        given = f"{color} you return {value}; right would be {index} = {index:08b}"
        if close(value, dealt(*color[::-1])):
            raise Hint(f"For {given}. Bit 0 belongs to red; you begin with blue.")
        if close(value, in_one_row(*color)):
            raise Hint(
                f"For {given}. You lay the bits of red, green and blue one after the other. They "
                "were dealt out in turns: red has bits 0, 3 and 6."
            )
        if close(value, dealt(*map(reversed_bits, color))):
            raise Hint(
                f"For {given}. You go through a channel from its small end. The first bit that a "
                "channel got is worth 128, the next one 64."
            )
        if close(value, index & 63):
            raise Hint(
                f"For {given}. The two highest bits are missing: red and green got a third bit. "
                "What is that worth?"
            )
        raise Hint(f"For {given}.")
    for color in [(1, 0, 0), (0, 0, 32), (250, 0, 0), (64, 64, 65)]:
        value = None
        try:
            value = call(function, color)
        except LearnersError as error:
            if isinstance(error.__cause__, ValueError):
                continue
            raise Hint(
                f"No index has the colour {color}, and you end with "
                f"{type(error.__cause__).__name__}. Asked for is a ValueError: it says that the "
                "value was wrong, and whoever calls you waits for that one."
            ) from None
        except Hint:  # it returned nothing
            pass
        raise Hint(
            f"No index has the colour {color}. You return {value}; raise a ValueError instead, "
            "or a damaged mask passes unseen. Is the colour of what you found the colour given?"
        )


def dealt(red: int, green: int, blue: int) -> int:
    """The bits of three channels, highest first, dealt back in turns."""
    return sum(
        (value >> (7 - place) & 1) << (3 * place + channel)
        for channel, value in enumerate((red, green, blue))
        for place in range(3 if channel < 2 else 2)
    )


def in_one_row(red: int, green: int, blue: int) -> int:
    """The bits of red, then those of green, then those of blue, a mistake."""
    return sum(
        (value >> (7 - place) & 1) << (3 * channel + place)
        for channel, value in enumerate((red, green, blue))
        for place in range(3 if channel < 2 else 2)
    )


def reversed_bits(value: int) -> int:
    """The three highest bits of a byte in the opposite order, a mistake."""
    return (value >> 5 & 1) << 7 | (value >> 6 & 1) << 6 | (value >> 7 & 1) << 5


@exercise(notebook="02", stars=3, minutes=15)
def indices_by_table(function):
    """A colour picture to indices, with a table in which colours may share an index."""
    street = {
        (128, 64, 128): 0,
        (244, 35, 232): 0,
        (70, 70, 70): 1,
        (0, 0, 142): 2,
        (142, 0, 0): 3,
        (0, 142, 0): 4,
        (0, 0, 70): 2,
        (224, 224, 192): VOID,
    }
    rng = np.random.default_rng(0)
    for table, size, given in [
        (street, (9, 14), "a street of 9 × 14 pixels"),
        ({(0, 0, 0): 7}, (1, 1), "one black pixel, and black has index 7"),
        (dict(itertools.islice(street.items(), 2)), (3, 2), "two colours of one index"),
    ]:
        colors, indices = np.array(list(table), dtype=np.uint8), np.array(list(table.values()))
        chosen = rng.integers(0, len(table), size)
        chosen.flat[: len(table)] = range(len(table))[: chosen.size]
        rgb, right = colors[chosen], indices[chosen]
        try:
            found = np.asarray(call(function, rgb, table))
        except LearnersError as error:
            if isinstance(error.__cause__, ValueError):
                raise Hint(
                    f"For {given}, you raise a ValueError ({error.__cause__}), but the table holds "
                    "all of its colours. In which order are the channels, and of which type?"
                ) from None
            raise
        if found.shape != right.shape:
            raise Hint(
                f"For {given}, the shape is {found.shape}; a mask is {right.shape}. Is there one "
                "index for a pixel, or one for a channel?"
            )
        if not np.issubdtype(found.dtype, np.integer):
            raise Hint(f"For {given}, the indices are {found.dtype}; names are whole numbers.")
        if (found == right).all():
            continue
        wrong = found != right
        if (found[right == VOID] == 0).any():
            raise Hint(f"For {given}, pixels in the colour of void became 0, background.")
        last = {index: color for color, index in table.items()}
        if not wrong[[[tuple(c) in last.values() for c in row] for row in rgb.tolist()]].any():
            raise Hint(
                f"For {given}, only one colour of each index is known. Two colours may share an "
                "index, so a table from index to colour loses one of them."
            )
        y, x = np.argwhere(wrong)[0]
        color = tuple(rgb[y, x].tolist())
        mixed = [tuple(c) for c in itertools.permutations(color) if table.get(c) == found[y, x]]
        if mixed:
            raise Hint(
                f"For {given}, the colour {color} got the index of {mixed[0]}, which has the same "
                "sum. A key must keep the order of the channels."
            )
        raise Hint(
            f"For {given}, the colour {color} got {found[y, x]}; right would be {right[y, x]}."
        )
    strange = np.array([[(70, 70, 70), (1, 2, 3)], [(9, 9, 9), (1, 2, 3)]], dtype=np.uint8)
    before = "the colours (1, 2, 3) and (9, 9, 9), which the table does not hold,"
    try:
        found = call(function, strange, street)
    except LearnersError as error:
        cause = error.__cause__
        if isinstance(cause, KeyError):
            raise Hint(
                f"For {before} it ended with KeyError: {cause}. That is a stop, and names one of "
                "them. Raise a ValueError that names them all, as whoever reads it needs it."
            ) from None
        if not isinstance(cause, ValueError):
            raise
        digits = re.findall(r"\d+", re.sub(r"int\d+", "", str(cause)))  # without np.uint8(...)
        named = f" {' '.join(digits)} "
        if " 1 2 3 " not in named or " 9 9 9 " not in named:
            raise Hint(
                f'For {before} the message is "{cause}". Name each colour, so that one can look '
                "for it."
            ) from None
        return
    raise Hint(
        f"For {before} you return {np.asarray(found).tolist()}. A pixel that could not be read "
        "must not become a label: raise a ValueError that names the strangers."
    )


@exercise(notebook="02", stars=2, minutes=10)
def share_where_present(function):
    """Each class's share of the labelled pixels in those pictures that show it."""
    toy = [
        torch.tensor([[0, 0, 8, 8], [0, VOID, 8, 8]], dtype=torch.uint8),
        torch.zeros(4, 4, dtype=torch.uint8),
    ]
    random = [torch.randint(0, 4, size, dtype=torch.uint8) for size in ((5, 7), (1, 1), (12, 3))]
    random[0][:2], random[2][random[2] == 1] = VOID, 0
    void = torch.full((2, 3), VOID, dtype=torch.uint8)
    for masks, num_classes, given in [
        (toy, 9, "two masks, of which one has a cat"),
        (random, 6, "three masks of different sizes"),
        ([*random, void], 4, "masks, one of them all void"),
        ([void], 3, "one mask that is all void"),
        ([torch.full((3, 3), 2, dtype=torch.uint8)], 3, "one mask of class 2 only"),
    ]:
        found = call(function, masks, num_classes)
        if isinstance(found, np.ndarray):
            found = torch.from_numpy(found)
        expect_tensor(found, (num_classes,), (torch.float32, torch.float64), given)
        counts = torch.stack([m.flatten().long().bincount(minlength=256) for m in masks]).double()
        pixels, labelled = counts[:, :num_classes], counts[:, :VOID].sum(1, keepdim=True)
        present = pixels > 0
        right = per(pixels.sum(0), (labelled * present).sum(0))
        if close(found, right):
            continue
        if found.isnan().any():
            raise Hint(
                f"For {given}, there is nan: a class that occurs nowhere has nothing to be divided "
                "by. Its share is 0."
            )
        if close(found, 100 * right):
            raise Hint(f"For {given}, you return percent; a share lies between 0 and 1.")
        everything = counts.sum(1, keepdim=True)
        if close(found, per(pixels.sum(0), (everything * present).sum(0))):
            raise Hint(f"For {given}, void is in the denominators. Divide by what is labelled.")
        if close(found, pixels.sum(0) / labelled.sum().clamp(min=1)):
            raise Hint(
                f"For {given}, every class is divided by the pixels of all pictures. Only those "
                "count in which the class occurs, so each class has a denominator of its own."
            )
        shares = pixels / labelled.clamp(min=1)
        if close(found, shares.sum(0) / len(masks)):
            raise Hint(
                f"For {given}, you average over all pictures, also over those without the class: a "
                "rare class gets a low number again. Add up, and divide once, over those that "
                "show it."
            )
        if close(found, per(shares.sum(0), present.sum(0))):
            raise Hint(
                f"For {given}, you average one share for each picture; small pictures weigh as "
                "much as large ones then. Add up the pixels first and divide once."
            )
        expect_equal(found, right, given)


def per(numbers: torch.Tensor, of: torch.Tensor) -> torch.Tensor:
    """Numbers divided by others; 0 where those are 0."""
    return torch.where(of > 0, numbers / of.clamp(min=1), 0)


@exercise(notebook="02", stars=3, minutes=15)
def cut_out(function):
    """A window of image and mask that may reach beyond them."""
    image = torch.randint(1, 256, (3, 5, 8), dtype=torch.uint8)
    mask = torch.randint(1, 21, (5, 8), dtype=torch.uint8)
    for top, left, height, width in [
        (1, 2, 3, 4),
        (3, 5, 4, 6),
        (-2, -3, 4, 6),
        (-1, -1, 7, 10),
        (-9, 2, 3, 3),
        (1, 8, 2, 2),
        (0, 0, 5, 8),
        (4, -4, 1, 20),
        (5, 0, 1, 1),
    ]:
        given = f"{height} × {width} from ({top}, {left}) of 5 × 8 pixels"
        found = call(function, image, mask, top, left, height, width)
        if not isinstance(found, tuple | list) or len(found) != 2:
            raise Hint("Return two tensors: the window of the image and that of the mask.")
        window, labels = found
        if getattr(window, "ndim", 3) == 2 and getattr(labels, "ndim", 2) == 3:
            raise Hint("The image comes first, the mask second; yours come the other way round.")
        right_image, right_mask = (
            surrounded(x, fill)[..., 20 + top : 20 + top + height, 20 + left : 20 + left + width]
            for x, fill in ((image, 0), (mask, VOID))
        )
        for part, expected, what in (
            (window, right_image, "image"),
            (labels, right_mask, "mask"),
        ):
            beyond = top < 0 or left < 0 or top + height > 5 or left + width > 8
            smaller = isinstance(part, torch.Tensor) and (
                part.shape[-2:].numel() < expected.shape[-2:].numel()
            )
            if beyond and smaller:
                negative = (
                    " A negative start counts from the end of the picture."
                    if top < 0 or left < 0
                    else ""
                )
                raise Hint(
                    f"For {given}, the window of the {what} is {tuple(part.shape[-2:])}: a slice "
                    f"stops at the border and says nothing.{negative} What lies beyond must be "
                    "filled in."
                )
            turned = (*expected.shape[:-2], width, height)
            if getattr(part, "shape", None) == turned != expected.shape:
                raise Hint(f"For {given}, height and width of the {what} are exchanged.")
            expect_tensor(part, tuple(expected.shape), torch.uint8, f"the {what}, {given}")
        clamped = moved_inside(image, mask, top, left, height, width)
        if clamped and close(labels, clamped[1]) and not close(labels, right_mask):
            raise Hint(
                f"For {given}, you move the window until it lies inside. It shows another part of "
                "the picture then: leave it where it is, and fill in what is not there."
            )
        exchanged = surrounded(mask, VOID)[20 + left :, 20 + top :][:height, :width]
        if close(labels, exchanged) and not close(labels, right_mask):
            raise Hint(f"For {given}, your window begins at ({left}, {top}): row before column.")
        if beyond and (labels[right_mask == VOID] > 0).any() and not (labels == VOID).any():
            raise Hint(
                f"For {given}, the mask has classes beyond the picture: labels for pixels that "
                "nobody saw. What stands for 'nobody labelled it'?"
            )
        if close(labels, right_mask.masked_fill(right_mask == VOID, 0)) and VOID in right_mask:
            raise Hint(
                f"For {given}, the mask is 0 beyond the picture. 0 claims that background was seen "
                "there."
            )
        if close(window, right_image.masked_fill(right_image == 0, VOID)) and 0 in right_image:
            raise Hint(
                f"For {given}, the image is 255 beyond its border, white. Void is a label; in the "
                "image fill in black."
            )
        if not close(window, right_image) and close(
            window.flatten().sort()[0], right_image.flatten().sort()[0]
        ):
            raise Hint(
                f"For {given}, all pixels are there, at another place in the window. If it begins "
                "above or left of the picture, the filling comes first."
            )
        expect_equal(window.int(), right_image.int(), f"the image, {given}")
        expect_equal(labels.int(), right_mask.int(), f"the mask, {given}")


def moved_inside(image, mask, top, left, height, width) -> tuple | None:
    """The nearest window of that size within the picture, a mistake; None if it has no room."""
    if height > mask.shape[0] or width > mask.shape[1]:
        return None
    top = min(max(top, 0), mask.shape[0] - height)
    left = min(max(left, 0), mask.shape[1] - width)
    window = (..., slice(top, top + height), slice(left, left + width))
    return image[window], mask[window]


def surrounded(picture: torch.Tensor, fill: int) -> torch.Tensor:
    """A picture with 20 rows and columns of a value on each side."""
    return torch.nn.functional.pad(picture, (20, 20, 20, 20), value=fill)
