"""Wrong answers to the exercises of notebook 01, each with words of the hint that it must get."""

import numpy as np
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


def of_what_is_not_background(mask, index):
    objects = (mask != 0) & (mask != VOID)
    return (mask[objects] == index).sum() / objects.sum().clamp(min=1)


def divided_as_whole_numbers(mask, index):
    return int((mask == index).sum()) // max(int((mask != VOID).sum()), 1)


def share_in_a_tensor_of_one(mask, index):
    labelled = (mask != VOID).sum().clamp(min=1)
    return ((mask == index).sum() / labelled)[None]


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


def mixed(picture, mask, opacity, colors=None):
    colors = COLORS[mask.long()] if colors is None else colors
    strength = opacity * (mask != 0)[..., None]
    return (picture.float() + strength * (colors.float() - picture.float())).round().byte()


def reshaped(image, mask, opacity):
    return mixed(image.reshape(*mask.shape, 3), mask, opacity)


def rows_and_columns_exchanged(image, mask, opacity):
    return mixed(
        image.permute(2, 1, 0), mask if mask.shape[0] == mask.shape[1] else mask.T, opacity
    )


def red_and_blue_exchanged(image, mask, opacity):
    return mixed(image.flip(0).permute(1, 2, 0), mask, opacity)


def colors_of_opencv(image, mask, opacity):
    return mixed(image.permute(1, 2, 0), mask, opacity, COLORS[mask.long()].flip(-1))


def transposed_whole(image, mask, opacity):
    return mixed(image.permute(2, 1, 0), mask.T, opacity)


def painted_as_an_array(image, mask, opacity):
    return mixed(image.permute(1, 2, 0), mask, opacity).numpy()


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


def each_score_by_itself(logits, least):
    probability, label = logits.sigmoid().max(1)
    return label.masked_fill(probability < least, VOID)


def below_or_equal(logits, least):
    probability, label = logits.softmax(1).max(1)
    return label.masked_fill(probability <= least, VOID)


def logarithms(logits, least):
    probability, label = logits.log_softmax(1).max(1)
    return label.masked_fill(probability < least, VOID)


def the_probabilities(logits, least):
    return logits.softmax(1).amax(1)


def labels_as_an_array(logits, least):
    probability, label = logits.softmax(1).max(1)
    return label.masked_fill(probability < least, VOID).numpy()


def labels_as_int16(logits, least):
    return torch.from_numpy(labels_as_an_array(logits, least)).short()


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


def both(layers, height, width):
    window = seen_by(layers)
    positions = (height - window + 1) * (width - window + 1)
    return price(layers, height, width), positions * price(layers, window, window)


def with_biases(layers, height, width):
    total = price(layers, height, width)
    for _, channels_out, kernel in layers:
        height, width = height - kernel + 1, width - kernel + 1
        total += height * width * channels_out
    return total, total


def in_the_other_order(layers, height, width):
    return both(layers, height, width)[::-1]


def kernel_not_squared(layers, height, width):
    total = 0
    for channels_in, channels_out, kernel in layers:
        height, width = height - kernel + 1, width - kernel + 1
        total += height * width * channels_in * channels_out * kernel
    return total, total


def two_in_an_array(layers, height, width):
    return np.array(both(layers, height, width))


def two_in_a_tensor(layers, height, width):
    return torch.tensor(both(layers, height, width))


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


def filled_with_white(network, images):
    height, width, below, right = missing(images)
    return network(F.pad(images, (0, right, 0, below), value=255))[..., :height, :width]


def cut_to_a_multiple(network, images):
    height, width = images.shape[-2:]
    return network(images[..., : height // 32 * 32, : width // 32 * 32])


def one_image_only(network, images):
    height, width, below, right = missing(images)
    return network(F.pad(images, (0, right, 0, below)))[0, :, :height, :width]


def added_above(network, images):
    *_, below, right = missing(images)
    return network(F.pad(images, (right, 0, below, 0)))[..., below:, right:]


RIGHT = {
    "share_of_class": [share_in_a_tensor_of_one],
    "paint_over": [painted_as_an_array],
    "sure_labels": [labels_as_an_array, labels_as_int16],
    "two_prices": [two_in_an_array, two_in_a_tensor],
    "at_any_size": [added_above],
}

WRONG = {
    "share_of_class": [
        (of_all_pixels, "Void was counted as labelled"),
        (in_percent, "That is percent"),
        (number_of_pixels, "a number of pixels"),
        (not_a_number, "0 divided by 0"),
        (divided_by_zero, "no pixel is left to divide by"),
        (of_what_is_not_background, "background is missing in the denominator"),
        (divided_as_whole_numbers, "divided as whole numbers"),
    ],
    "paint_over": [
        (background_too, "the background has become darker"),
        (other_way_round, "you keep that much of the image"),
        (stays_float, "A picture holds bytes"),
        (colours_first, "colours first"),
        (void_left_out, "void is not painted"),
        (bytes_overflow, "Does a byte overflow"),
        (reshaped, "torn to stripes"),
        (rows_and_columns_exchanged, "For 6 × 6 pixels, opacity 0.6, rows and columns"),
        (transposed_whole, "For a grey image of 2 × 2, rows and columns"),
        (red_and_blue_exchanged, "red and blue of the image"),
        (colors_of_opencv, "the colours of the classes are blue"),
    ],
    "sure_labels": [
        (raw_scores, "you compare the logits with `least`"),
        (always_sure, "no pixel is void"),
        (the_doubtful_stay, "the sure pixels became void"),
        (background_instead, "the doubtful pixels are 0"),
        (along_the_width, "sum to 1 along axis"),
        (class_axis_kept, "the class axis is still there"),
        (each_score_by_itself, "you use a sigmoid"),
        (below_or_equal, "that is not below `least`"),
        (logarithms, "The logarithm of one"),
        (the_probabilities, "they should be uint8"),
    ],
    "two_prices": [
        (never_smaller, "Without padding each output"),
        (at_positions_of_the_input, "at the positions of its input"),
        (operations, "counts it as two"),
        (window_at_every_pixel, "you place a window at all"),
        (whole_picture_each_time, "costs as much as the whole picture"),
        (sum_of_kernels, "window by window; right would be"),
        (one_number, "Return two numbers"),
        (with_biases, "you count the biases"),
        (in_the_other_order, "the order is"),
        (kernel_not_squared, "you count 34,272 all at once"),
    ],
    "at_any_size": [
        (not_cut_back, "are still there"),
        (a_full_32_more, "is enough. What is missing"),
        (axes_exchanged, "F.pad counts from the last axis"),
        (in_the_middle, "the logits are shifted"),
        (stretched, "you stretch the images"),
        (not_padded, "this network wants multiples of 32"),
        (filled_with_white, "are not zero"),
        (cut_to_a_multiple, "what you cut off gets no label"),
        (one_image_only, "The shape is (5, 40, 70)"),
    ],
}
