"""Wrong answers to the exercises of notebook 02, each with words of the hint that it must get."""

import numpy as np
import torch

from seglab.palettes import VOID

# ---------------------------------------------------------------- strange_indices


def counted(mask):
    values, pixels = mask.unique(return_counts=True)
    return list(zip(values.tolist(), pixels.tolist(), strict=True))


def void_as_well(mask, num_classes):
    return {index: pixels for index, pixels in counted(mask) if index >= num_classes}


def one_too_many_allowed(mask, num_classes):
    return {i: pixels for i, pixels in counted(mask) if num_classes < i < VOID}


def last_class_as_well(mask, num_classes):
    return {i: pixels for i, pixels in counted(mask) if num_classes - 1 <= i < VOID}


def always_vocs(mask, num_classes):
    return {i: pixels for i, pixels in counted(mask) if 21 <= i < VOID}


def with_zeros(mask, num_classes):
    pixels = mask.flatten().int().bincount(minlength=256)
    return {i: int(pixels[i]) for i in range(num_classes, VOID)}


def a_list(mask, num_classes):
    return [i for i, _ in counted(mask) if num_classes <= i < VOID]


# ---------------------------------------------------------------- index_of_color


def back(color, order=(0, 1, 2), places=3, worth=128):
    index = 0
    for bit in range(3 * places):
        if bit < 8 and color[order[bit % 3]] & (worth >> bit // 3):
            index += 2**bit
    return index


def blue_first(color):
    return back(color, order=(2, 1, 0))


def two_bits_each(color):
    return back(color, places=2)


def channel_after_channel(color):
    bits = [color[bit // 3] >> (7 - bit % 3) & 1 for bit in range(8)]
    return sum(value << bit for bit, value in enumerate(bits))


def from_the_small_end(color):
    index = 0
    for bit in range(8):
        if color[bit % 3] & (32 << bit // 3):
            index += 2**bit
    return index


def everything_is_known(color):
    return back(color)


# ---------------------------------------------------------------- share_where_present


def table_of(masks):
    return torch.stack([m.flatten().long().bincount(minlength=256) for m in masks]).double()


def with_void(masks, num_classes):
    counts = table_of(masks)
    pixels = counts[:, :num_classes]
    of = (counts.sum(1, keepdim=True) * (pixels > 0)).sum(0)
    return pixels.sum(0) / of.clamp(min=1)


def of_all_pictures(masks, num_classes):
    counts = table_of(masks)
    return counts[:, :num_classes].sum(0) / counts[:, :VOID].sum().clamp(min=1)


def mean_of_shares(masks, num_classes):
    counts = table_of(masks)
    shares = counts[:, :num_classes] / counts[:, :VOID].sum(1, keepdim=True).clamp(min=1)
    return shares.sum(0) / (shares > 0).sum(0).clamp(min=1)


def nan_if_absent(masks, num_classes):
    counts = table_of(masks)
    pixels = counts[:, :num_classes]
    return pixels.sum(0) / (counts[:, :VOID].sum(1, keepdim=True) * (pixels > 0)).sum(0)


# ---------------------------------------------------------------- cut_out


def padded(picture, fill):
    return torch.nn.functional.pad(picture, (30, 30, 30, 30), value=fill)


def window_of(picture, fill, top, left, height, width):
    top, left = top + 30, left + 30
    return padded(picture, fill)[..., top : top + height, left : left + width]


def plain_slices(image, mask, top, left, height, width):
    window = (..., slice(top, top + height), slice(left, left + width))
    return image[window], mask[window]


def background_beyond(image, mask, *window):
    return window_of(image, 0, *window), window_of(mask, 0, *window)


def white_beyond(image, mask, *window):
    return window_of(image, 255, *window), window_of(mask, VOID, *window)


def filled_at_the_end(image, mask, top, left, height, width):
    parts = []
    for picture, fill in ((image, 0), (mask, VOID)):
        part = picture[..., max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)]
        missing = (0, width - part.shape[-1], 0, height - part.shape[-2])
        parts.append(torch.nn.functional.pad(part, missing, value=fill))
    return tuple(parts)


def only_the_mask(image, mask, *window):
    return window_of(mask, VOID, *window)


# ---------------------------------------------------------------- indices_by_table


def compared(rgb, table, default=0):
    found = np.full(rgb.shape[:2], default)
    for color, index in table.items():
        found[(rgb == color).all(-1)] = index
    return found


def default_is_background(rgb, table):
    return compared(rgb, table)


def refused_without_names(rgb, table):
    found = compared(rgb, table, -1)
    if (found < 0).any():
        raise ValueError("unknown colours")
    return found


def key_error(rgb, table):
    return np.array([[table[tuple(color)] for color in row] for row in rgb.tolist()])


def one_colour_each(rgb, table):
    return compared(rgb, {c: i for i, c in {i: c for c, i in table.items()}.items()}, 99)


def by_sum(rgb, table):
    sums = {sum(color): index for color, index in table.items()}
    return np.array([[sums[sum(color)] for color in row] for row in rgb.tolist()])


def void_forgotten(rgb, table):
    return compared(rgb, {c: i for c, i in table.items() if i != VOID})


def for_each_channel(rgb, table):
    return np.zeros_like(rgb)


WRONG = {
    "strange_indices": [
        (void_as_well, "Void is no fault"),
        (one_too_many_allowed, "which index does the last one have"),
        (last_class_as_well, "where do they end"),
        (always_vocs, "VOC's 21 classes"),
        (with_zeros, "indices with 0 pixels"),
        (a_list, "Asked for is a dict"),
    ],
    "index_of_color": [
        (blue_first, "you begin with blue"),
        (two_bits_each, "two highest bits are missing"),
        (channel_after_channel, "one after the other"),
        (from_the_small_end, "from its small end"),
        (everything_is_known, "No index has the colour"),
    ],
    "share_where_present": [
        (with_void, "void is in the denominators"),
        (of_all_pictures, "the pixels of all pictures"),
        (mean_of_shares, "one share for each picture"),
        (nan_if_absent, "there is nan"),
    ],
    "cut_out": [
        (plain_slices, "a slice stops at the border"),
        (background_beyond, "0 claims that background"),
        (white_beyond, "Void is a label"),
        (filled_at_the_end, "the filling comes first"),
        (only_the_mask, "Return two tensors"),
    ],
    "indices_by_table": [
        (default_is_background, "could not be read"),
        (refused_without_names, "Name each colour"),
        (key_error, "names one of them"),
        (one_colour_each, "only one colour of each index"),
        (by_sum, "must keep the order of the channels"),
        (void_forgotten, "in the colour of void"),
        (for_each_channel, "one for a channel"),
    ],
}
