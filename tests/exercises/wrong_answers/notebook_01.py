"""Wrong answers to the exercises of notebook 01, each with words of the hint that it must get."""

import torch
import torch.nn.functional as F

from seglab.palettes import VOC_PALETTE, VOID

COLORS = torch.from_numpy(VOC_PALETTE)


# ---------------------------------------------------------------- share_of_class


def of_all_pixels(mask, index):
    return (mask == index).sum() / mask.numel()


def in_percent(mask, index):
    return 100 * (mask == index).sum() / (mask != VOID).sum().clamp(min=1)


def number_of_pixels(mask, index):
    return int((mask == index).sum())


def not_a_number(mask, index):
    return (mask[mask != VOID] == index).float().mean()


def divided_by_zero(mask, index):
    return int((mask == index).sum()) / int((mask != VOID).sum())


# ---------------------------------------------------------------- paint_over


def blended(image, mask, opacity):
    return image.permute(1, 2, 0) * (1 - opacity) + COLORS[mask.long()] * opacity


def background_too(image, mask, opacity):
    return blended(image, mask, opacity).round().byte()


def other_way_round(image, mask, opacity):
    strength = (1 - opacity) * (mask != 0)[..., None]
    picture = image.permute(1, 2, 0)
    return (picture * (1 - strength) + COLORS[mask.long()] * strength).round().byte()


def stays_float(image, mask, opacity):
    return blended(image, mask, opacity)


def colours_first(image, mask, opacity):
    return background_too(image, mask, opacity).permute(2, 0, 1)


def void_left_out(image, mask, opacity):
    keep = ((mask == 0) | (mask == VOID))[..., None]
    return torch.where(keep, image.permute(1, 2, 0), background_too(image, mask, opacity))


def bytes_overflow(image, mask, opacity):
    change = (COLORS[mask.long()] - image.permute(1, 2, 0)) * opacity
    return image.permute(1, 2, 0) + change.byte() * (mask != 0)[..., None]


# ---------------------------------------------------------------- sure_labels


def raw_scores(logits, least):
    score, label = logits.max(1)
    return label.masked_fill(score < least, VOID)


def always_sure(logits, least):
    return logits.argmax(1)


def the_doubtful_stay(logits, least):
    probability, label = logits.softmax(1).max(1)
    return label.masked_fill(probability >= least, VOID)


def background_instead(logits, least):
    probability, label = logits.softmax(1).max(1)
    return label.masked_fill(probability < least, 0)


def along_the_width(logits, least):
    probability, label = logits.softmax(-1).max(1)
    return label.masked_fill(probability < least, VOID)


def class_axis_kept(logits, least):
    probability, label = logits.softmax(1).max(1, keepdim=True)
    return label.masked_fill(probability < least, VOID)


# ---------------------------------------------------------------- two_prices


def price(layers, height, width):
    total = 0
    for channels_in, channels_out, kernel in layers:
        height, width = height - kernel + 1, width - kernel + 1
        total += height * width * channels_in * channels_out * kernel**2
    return total


def seen_by(layers):
    return 1 + sum(kernel - 1 for *_, kernel in layers)


def never_smaller(layers, height, width):
    total = height * width * sum(a * b * kernel**2 for a, b, kernel in layers)
    return total, total


def at_positions_of_the_input(layers, height, width):
    total = 0
    for channels_in, channels_out, kernel in layers:
        total += height * width * channels_in * channels_out * kernel**2
        height, width = height - kernel + 1, width - kernel + 1
    return total, total


def operations(layers, height, width):
    return 2 * price(layers, height, width), 0


def window_at_every_pixel(layers, height, width):
    window = seen_by(layers)
    return price(layers, height, width), height * width * price(layers, window, window)


def whole_picture_each_time(layers, height, width):
    window = seen_by(layers)
    positions = (height - window + 1) * (width - window + 1)
    return price(layers, height, width), positions * price(layers, height, width)


def sum_of_kernels(layers, height, width):
    window = sum(kernel for *_, kernel in layers)
    positions = (height - window + 1) * (width - window + 1)
    return price(layers, height, width), positions * price(layers, window, window)


def one_number(layers, height, width):
    return price(layers, height, width)


# ---------------------------------------------------------------- at_any_size


def missing(images):
    height, width = images.shape[-2:]
    return height, width, -height % 32, -width % 32


def not_cut_back(network, images):
    *_, below, right = missing(images)
    return network(F.pad(images, (0, right, 0, below)))


def a_full_32_more(network, images):
    height, width, *_ = missing(images)
    padded = F.pad(images, (0, 32 - width % 32, 0, 32 - height % 32))
    return network(padded)[..., :height, :width]


def axes_exchanged(network, images):
    height, width, below, right = missing(images)
    return network(F.pad(images, (0, below, 0, right)))[..., :height, :width]


def in_the_middle(network, images):
    height, width, below, right = missing(images)
    top, left = below // 2, right // 2
    padded = F.pad(images, (left, right - left, top, below - top))
    return network(padded)[..., :height, :width]


def stretched(network, images):
    height, width, below, right = missing(images)
    larger = F.interpolate(images, size=(height + below, width + right), mode="bilinear")
    return F.interpolate(network(larger), size=(height, width), mode="bilinear")


def not_padded(network, images):
    return network(images)


WRONG = {
    "share_of_class": [
        (of_all_pixels, "Void was counted as labelled"),
        (in_percent, "That is percent"),
        (number_of_pixels, "a number of pixels"),
        (not_a_number, "0 divided by 0"),
        (divided_by_zero, "no pixel is left to divide by"),
    ],
    "paint_over": [
        (background_too, "the background has become darker"),
        (other_way_round, "you keep that much of the image"),
        (stays_float, "A picture holds bytes"),
        (colours_first, "colours first"),
        (void_left_out, "void is not painted"),
        (bytes_overflow, "Does a byte overflow"),
    ],
    "sure_labels": [
        (raw_scores, "you compare the logits with `least`"),
        (always_sure, "no pixel is void"),
        (the_doubtful_stay, "the sure pixels became void"),
        (background_instead, "the doubtful pixels are 0"),
        (along_the_width, "sum to 1 along axis"),
        (class_axis_kept, "the class axis is still there"),
    ],
    "two_prices": [
        (never_smaller, "Without padding each output"),
        (at_positions_of_the_input, "at the positions of its input"),
        (operations, "counts it as two"),
        (window_at_every_pixel, "you place a window at all"),
        (whole_picture_each_time, "costs as much as the whole picture"),
        (sum_of_kernels, "window by window; right would be"),
        (one_number, "Return two numbers"),
    ],
    "at_any_size": [
        (not_cut_back, "are still there"),
        (a_full_32_more, "is enough. What is missing"),
        (axes_exchanged, "F.pad counts from the last axis"),
        (in_the_middle, "the logits are shifted"),
        (stretched, "you stretch the images"),
        (not_padded, "this network wants multiples of 32"),
    ],
}
