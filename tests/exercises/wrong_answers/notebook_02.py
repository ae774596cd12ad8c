"""Wrong answers to the exercises of notebook 02, each with words of the hint that it must get."""

from collections import Counter

import numpy as np
import torch

from seglab.palettes import VOC_CLASSES, VOID, voc_color

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


def shares_of_them(mask, num_classes):
    return {i: n / mask.numel() for i, n in counted(mask) if num_classes <= i < VOID}


def each_once(mask, num_classes):
    return {i: 1 for i, _ in counted(mask) if num_classes <= i < VOID}


def the_classes(mask, num_classes):
    return {i: pixels for i, pixels in counted(mask) if i < num_classes}


def pixels_first(mask, num_classes):
    return {pixels: i for i, pixels in counted(mask) if num_classes <= i < VOID}


def as_a_counter(mask, num_classes):
    return Counter(i for i in mask.flatten().tolist() if num_classes <= i < VOID)


def numbers_as_tensors(mask, num_classes):
    return {i: (mask == i).sum() for i in mask.unique().tolist() if num_classes <= i < VOID}


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


def only_the_classes(color):
    found = [i for i in range(21) if voc_color(i) == tuple(color)]
    if not found:
        raise ValueError(f"no class has the colour {color}")
    return found[0]


def nothing_for_strangers(color):
    return {voc_color(i): i for i in range(256)}.get(tuple(color))


def key_error_for_strangers(color):
    return {voc_color(i): i for i in range(256)}[tuple(color)]


def names_of_classes(color):
    return VOC_CLASSES[back(color)] if back(color) < 21 else "void"


def looked_up(color):
    return [voc_color(i) for i in range(256)].index(tuple(color))


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


def where_present(masks, num_classes):
    counts = table_of(masks)
    pixels = counts[:, :num_classes]
    of = (counts[:, :VOID].sum(1, keepdim=True) * (pixels > 0)).sum(0)
    return pixels.sum(0) / of.clamp(min=1)


def share_in_percent(masks, num_classes):
    return 100 * where_present(masks, num_classes)


def mean_over_all_pictures(masks, num_classes):
    counts = table_of(masks)
    labelled = counts[:, :VOID].sum(1, keepdim=True).clamp(min=1)
    return (counts[:, :num_classes] / labelled).mean(0)


def share_of_pictures(masks, num_classes):
    return (table_of(masks)[:, :num_classes] > 0).double().mean(0)


def shares_as_an_array(masks, num_classes):
    return where_present(masks, num_classes).numpy()


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


def moved_inside(image, mask, top, left, height, width):
    top = min(max(top, 0), max(mask.shape[0] - height, 0))
    left = min(max(left, 0), max(mask.shape[1] - width, 0))
    window = top, left, height, width
    return window_of(image, 0, *window), window_of(mask, VOID, *window)


def around_the_corner(image, mask, top, left, height, width):
    rows = torch.arange(top, top + height) % mask.shape[0]
    columns = torch.arange(left, left + width) % mask.shape[1]
    return image[:, rows][:, :, columns], mask[rows][:, columns]


def width_by_height(image, mask, top, left, height, width):
    window = top, left, width, height
    return window_of(image, 0, *window), window_of(mask, VOID, *window)


def column_before_row(image, mask, top, left, height, width):
    window = left, top, height, width
    return window_of(image, 0, *window), window_of(mask, VOID, *window)


def mask_first(image, mask, *window):
    return window_of(mask, VOID, *window), window_of(image, 0, *window)


def window_as_a_list(image, mask, *window):
    return [window_of(image, 0, *window), window_of(mask, VOID, *window)]


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


def nearest_color(rgb, table):
    colors, indices = np.array(list(table)), np.array(list(table.values()))
    return indices[((rgb[:, :, None].astype(int) - colors) ** 2).sum(-1).argmin(-1)]


def blue_green_red(rgb, table):
    found = compared(rgb[..., ::-1], table, -1)
    if (found < 0).any():
        raise ValueError("a colour that the table does not hold")
    return found


def number_in_the_table(rgb, table):
    return compared(rgb, {color: number for number, color in enumerate(table)})


def in_lists(rgb, table):
    unknown = {tuple(color) for row in rgb.tolist() for color in row} - table.keys()
    if unknown:
        raise ValueError(f"unknown: {unknown}")
    return [[table[tuple(color)] for color in row] for row in rgb.tolist()]


RIGHT = {
    "strange_indices": [as_a_counter, numbers_as_tensors],
    "index_of_color": [looked_up],
    "share_where_present": [shares_as_an_array],
    "cut_out": [window_as_a_list],
    "indices_by_table": [in_lists],
}

WRONG = {
    "strange_indices": [
        (void_as_well, "Void is no fault"),
        (one_too_many_allowed, "which index does the last one have"),
        (last_class_as_well, "where do they end"),
        (always_vocs, "VOC's 21 classes"),
        (with_zeros, "indices with 0 pixels"),
        (a_list, "Asked for is a dict"),
        (shares_of_them, "Those are shares"),
        (each_once, "you count each index once"),
        (the_classes, "you report the classes"),
        (pixels_first, "the number of pixels is the key"),
    ],
    "index_of_color": [
        (blue_first, "you begin with blue"),
        (two_bits_each, "two highest bits are missing"),
        (channel_after_channel, "one after the other"),
        (from_the_small_end, "from its small end"),
        (everything_is_known, "(1, 0, 0). You return 0; raise a ValueError"),
        (only_the_classes, "and you refuse it"),
        (nothing_for_strangers, "You return None; raise a ValueError"),
        (key_error_for_strangers, "you end with KeyError"),
        (names_of_classes, "An index is a whole number"),
    ],
    "share_where_present": [
        (with_void, "void is in the denominators"),
        (of_all_pictures, "the pixels of all pictures"),
        (mean_of_shares, "one share for each picture"),
        (nan_if_absent, "there is nan"),
        (share_in_percent, "you return percent"),
        (mean_over_all_pictures, "you average over all pictures"),
        (share_of_pictures, "your function returns [1.0, 0.0"),
    ],
    "cut_out": [
        (plain_slices, "a slice stops at the border"),
        (background_beyond, "0 claims that background"),
        (white_beyond, "Void is a label"),
        (filled_at_the_end, "the filling comes first"),
        (only_the_mask, "Return two tensors"),
        (moved_inside, "you move the window until it lies inside"),
        (around_the_corner, "the mask has classes beyond the picture"),
        (width_by_height, "height and width of the image"),
        (column_before_row, "row before column"),
        (mask_first, "The image comes first"),
    ],
    "indices_by_table": [
        (default_is_background, "you return [[1, 0], [0, 0]]"),
        (refused_without_names, "Name each colour"),
        (key_error, "names one of them"),
        (one_colour_each, "only one colour of each index"),
        (by_sum, "must keep the order of the channels"),
        (void_forgotten, "in the colour of void"),
        (for_each_channel, "one for a channel"),
        (nearest_color, "you return [[1, 2], [2, 2]]"),
        (blue_green_red, "In which order are the channels"),
        (number_in_the_table, "the colour (244, 35, 232) got 1"),
    ],
}
