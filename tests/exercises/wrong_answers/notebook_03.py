"""Wrong answers to the exercises of notebook 03, each with words of the hint that it must get."""

import torch
import torch.nn.functional as F

from seglab.upsampling import transposed_conv2d


def both_sides_at_once(kernel_size, stride):
    return kernel_size - stride


def never_refuses(kernel_size, stride):
    return max((kernel_size - stride) // 2, 0)


def of_a_convolution(kernel_size, stride):
    return (kernel_size - 1) // 2


def a_fraction(kernel_size, stride):
    return (kernel_size - stride) / 2


def below_zero(kernel_size, stride):
    if (kernel_size - stride) % 2:
        raise ValueError("a half")
    return (kernel_size - stride) // 2


def none_if_there_is_none(kernel_size, stride):
    padding, half = divmod(kernel_size - stride, 2)
    return None if half or padding < 0 else padding


def zero_is_none(kernel_size, stride):
    padding = (kernel_size - stride) / 2
    if padding % 1 or padding <= 0:
        raise ValueError("none")
    return int(padding)


def of_the_way_back(kernel, n, stride):
    return in_columns(kernel, n, stride).T


def in_columns(kernel, n, stride):
    matrix = torch.zeros(stride * (n - 1) + len(kernel), n)
    for i in range(n):
        matrix[i * stride : i * stride + len(kernel), i] = kernel
    return matrix


def one_apart(kernel, n, stride):
    return in_columns(kernel, n, 1)


def on_its_head(kernel, n, stride):
    return in_columns(kernel.flip(0), n, stride)


def one_stamp_more(kernel, n, stride):
    matrix = in_columns(kernel, n, stride)
    return torch.cat([matrix, torch.zeros(stride, n)])


def whole_numbers(kernel, n, stride):
    return in_columns(kernel, n, stride).long()


def last_input_forgotten(kernel, n, stride):
    matrix = in_columns(kernel, n, stride)
    matrix[:, -1] = 0
    return matrix


def counted(kernel, stride):
    return sums(torch.ones_like(kernel), stride)


def sums(kernel, stride):
    found = torch.zeros(stride, stride)
    for a in range(stride):
        for b in range(stride):
            found[a, b] = kernel[a::stride, b::stride].sum()
    return found


def in_blocks(kernel, stride):
    parts = kernel.tensor_split(stride, 0)
    return torch.stack(
        [torch.stack([block.sum() for block in p.tensor_split(stride, 1)]) for p in parts]
    )


def whole_squares_only(kernel, stride):
    return kernel.unfold(0, stride, stride).unfold(1, stride, stride).sum((0, 1))


def column_first(kernel, stride):
    return sums(kernel.T, stride)


def mean_of_each(kernel, stride):
    return sums(kernel, stride) / counted(kernel, stride)


def only_the_sum(kernel, stride):
    return kernel.sum()


def looked_up(kernel, stride):
    ones, size = torch.ones(1, 1, 9, 9), 4 * stride
    flat = F.conv_transpose2d(ones, kernel[None, None], stride=stride)[0, 0]
    return flat[size : size + stride, size : size + stride]


def from_the_other_end(kernel, stride):
    return sums(kernel, stride).flip(0, 1)


def depthwise(maps, kernel, stride, padding):
    channels = maps.shape[1]
    weight = kernel.expand(channels, 1, *kernel.shape)
    return F.conv_transpose2d(maps, weight, stride=stride, padding=padding, groups=channels)


def not_divided(maps, kernel, stride, padding):
    return depthwise(maps, kernel, stride, padding)


def divided_by_the_kernel(maps, kernel, stride, padding):
    return depthwise(maps, kernel, stride, padding) * stride**2 / kernel.sum()


def by_how_many(maps, kernel, stride, padding):
    arrived = depthwise(torch.ones_like(maps), torch.ones_like(kernel), stride, padding)
    return depthwise(maps, kernel, stride, padding) / arrived


def nothing_by_nothing(maps, kernel, stride, padding):
    weights = depthwise(torch.ones_like(maps), kernel, stride, padding)
    return depthwise(maps, kernel, stride, padding) / weights


def dense(maps, kernel, stride, padding):
    channels = maps.shape[1]
    weight = kernel.expand(channels, channels, *kernel.shape)
    options = {"stride": stride, "padding": padding}
    weights = F.conv_transpose2d(torch.ones_like(maps), weight, **options)
    return F.conv_transpose2d(maps, weight, **options) / weights


def where_the_map_is_not_zero(maps, kernel, stride, padding):
    weights = depthwise((maps != 0).float(), kernel, stride, padding)
    total = depthwise(maps, kernel, stride, padding)
    return torch.where(weights > 0, total / weights, 0)


def against_division_by_zero(maps, kernel, stride, padding):
    weights = depthwise(torch.ones_like(maps), kernel, stride, padding)
    return depthwise(maps, kernel, stride, padding) / (weights + 0.01)


def gathered(x, kernel, stride, padding, behind=0, around=lambda k, p: k - 1 - p):
    channels, rows, columns = x.shape
    height, width = stride * (rows - 1) + 1 + behind, stride * (columns - 1) + 1 + behind
    spread = x.new_zeros(channels, height, width)
    spread[:, : height - behind : stride, : width - behind : stride] = x
    above, left = (around(k, padding) for k in kernel.shape[2:])
    spread = F.pad(spread, (left, left, above, above))
    return F.conv2d(spread[None], kernel)[0]


def right_way_round(kernel):
    return kernel.transpose(0, 1).flip(2, 3)


def not_turned(x, kernel, stride, padding):
    return gathered(x, kernel.transpose(0, 1), stride, padding)


def turned_halfway(x, kernel, stride, padding):
    return gathered(x, kernel.transpose(0, 1).flip(2), stride, padding)


def not_swapped(x, kernel, stride, padding):
    return gathered(x, kernel.flip(2, 3), stride, padding)


def zeros_behind(x, kernel, stride, padding):
    return gathered(x, right_way_round(kernel), stride, padding, behind=stride - 1)


def never_cut_off(x, kernel, stride, padding):
    return gathered(x, right_way_round(kernel), stride, padding, around=lambda k, p: k - 1)


def padded_more(x, kernel, stride, padding):
    return gathered(x, right_way_round(kernel), stride, padding, around=lambda k, p: k - 1 + p)


def padding_of_conv2d(x, kernel, stride, padding):
    channels, rows, columns = x.shape
    spread = x.new_zeros(channels, stride * (rows - 1) + 1, stride * (columns - 1) + 1)
    spread[:, ::stride, ::stride] = x
    around = tuple(k - 1 - padding for k in kernel.shape[2:])
    return F.conv2d(spread[None], right_way_round(kernel), padding=around)[0]


def ready_made(x, kernel, stride, padding):
    return F.conv_transpose2d(x[None], kernel, stride=stride, padding=padding)[0]


def as_a_gradient(x, kernel, stride, padding):
    sizes = [
        stride * (n - 1) + k - 2 * padding
        for n, k in zip(x.shape[1:], kernel.shape[2:], strict=True)
    ]
    picture = torch.zeros(1, kernel.shape[1], *sizes, requires_grad=True)
    y = F.conv2d(picture, kernel, stride=stride, padding=padding)
    return torch.autograd.grad(y, picture, x[None])[0][0]


def by_the_loops(x, kernel, stride, padding):
    return transposed_conv2d(x, kernel, stride, padding)


def clipped(x, kernel, stride, padding):
    return gathered(
        x, right_way_round(kernel), stride, padding, around=lambda k, p: max(k - 1 - p, 0)
    )


def copies_between(x, kernel, stride, padding):
    above, left = (k - 1 - padding for k in kernel.shape[2:])
    spread = F.pad(F.interpolate(x[None], scale_factor=stride), (left, left, above, above))
    return F.conv2d(spread, right_way_round(kernel))[0]


WRONG = {
    "padding_for": [
        (both_sides_at_once, "counted at each side"),
        (never_refuses, "the rule gives a half"),
        (of_a_convolution, "ordinary convolution"),
        (a_fraction, "takes no fraction"),
        (below_zero, "padding only cuts off"),
        (none_if_there_is_none, "returns nothing (None)"),
        (zero_is_none, "ended with ValueError: none"),
    ],
    "stamp_matrix": [
        (of_the_way_back, "one for each input"),
        (one_apart, "How far apart"),
        (on_its_head, "are upside down"),
        (one_stamp_more, "room for one stamp more"),
        (whole_numbers, "they should be float32"),
        (last_input_forgotten, "numbers are not right"),
    ],
    "phase_sums": [
        (counted, "You count the weights"),
        (in_blocks, "blocks of neighbours"),
        (whole_squares_only, "need not be divisible"),
        (column_first, "changed places"),
        (mean_of_each, "You take the mean"),
        (only_the_sum, "you return one number"),
        (looked_up, "Predict it"),
        (from_the_other_end, "begins at its other end"),
    ],
    "weighted_mean": [
        (divided_by_the_kernel, "divided by the same number"),
        (by_how_many, "as if all weights were alike"),
        (nothing_by_nothing, "no stamp reaches them"),
        (dense, "All channels come out alike"),
        (where_the_map_is_not_zero, "Zero is a value"),
        (against_division_by_zero, "numbers are not right"),
    ],
    "by_convolution": [
        (not_turned, "The kernel is not turned"),
        (turned_halfway, "upside down only"),
        (not_swapped, "in the wrong order"),
        (zeros_behind, "behind the last one"),
        (never_cut_off, "nothing is cut off"),
        (padded_more, "the padding makes the result larger"),
        (padding_of_conv2d, "takes negative numbers"),
        (ready_made, "ready made"),
        (as_a_gradient, "as the gradient"),
        (by_the_loops, "No convolution runs"),
        (clipped, "a padding larger than k − 1"),
        (copies_between, "no copies and no means"),
    ],
}
