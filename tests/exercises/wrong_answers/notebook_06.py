"""Wrong answers to the exercises of notebook 06, each with words of the hint that it must get."""

import math

import torch
import torch.nn.functional as F
from torch import nn


def one_side(target, seen, output_stride):
    return max(1, math.ceil((target - seen) / output_stride))


def in_pixels(target, seen, output_stride):
    return max(1, math.ceil((target - seen) / 2))


def rounded_down(target, seen, output_stride):
    return max(1, (target - seen) // (2 * output_stride))


def below_one(target, seen, output_stride):
    return math.ceil((target - seen) / (2 * output_stride))


def nothing_seen_before(target, seen, output_stride):
    return math.ceil(target / (2 * output_stride))


def one_more(target, seen, output_stride):
    return max(1, (target - seen) // (2 * output_stride) + 1)


def three_steps(target, seen, output_stride):
    return max(1, math.ceil((target - seen) / (3 * output_stride)))


def branch_of(inputs, outputs, padding, rate, bias=False):
    layer = nn.Conv2d(inputs, outputs, 3, padding=padding, dilation=rate, bias=bias)
    return nn.Sequential(layer, nn.BatchNorm2d(outputs), nn.ReLU())


def not_padded(inputs, outputs, rate):
    return branch_of(inputs, outputs, 0, rate)


def without_holes(inputs, outputs, rate):
    return branch_of(inputs, outputs, 1, 1)


def only_padded(inputs, outputs, rate):
    return branch_of(inputs, outputs, rate, 1)


def with_bias(inputs, outputs, rate):
    return branch_of(inputs, outputs, rate, rate, True)


def norm_last(inputs, outputs, rate):
    layer, norm, relu = branch_of(inputs, outputs, rate, rate)
    return nn.Sequential(layer, relu, norm)


def no_norm(inputs, outputs, rate):
    return nn.Sequential(*list(branch_of(inputs, outputs, rate, rate))[::2])


def relu6(inputs, outputs, rate):
    return nn.Sequential(*branch_of(inputs, outputs, rate, rate)[:2], nn.ReLU6())


def norm_first(inputs, outputs, rate):
    layer, _, relu = branch_of(inputs, outputs, rate, rate)
    return nn.Sequential(nn.BatchNorm2d(inputs), layer, relu)


def norm_first_of_outputs(inputs, outputs, rate):
    layer, norm, relu = branch_of(inputs, outputs, rate, rate)
    return nn.Sequential(norm, layer, relu)


def with_dropout(inputs, outputs, rate):
    return branch_of(inputs, outputs, rate, rate).append(nn.Dropout(0.5))


def norm_without_scale(inputs, outputs, rate):
    layer, _, relu = branch_of(inputs, outputs, rate, rate)
    return nn.Sequential(layer, nn.BatchNorm2d(outputs, affine=False), relu)


def a_result(inputs, outputs, rate):
    return branch_of(inputs, outputs, rate, rate)(torch.rand(1, inputs, 9, 9))


def places_of(kernel_size, rates):
    seen, half = {0}, kernel_size // 2
    for rate in rates:
        seen = {place + rate * tap for place in seen for tap in range(-half, half + 1)}
    return sorted(seen), range(-half * sum(rates), half * sum(rates) + 1)


def the_seen_ones(kernel_size, rates):
    return places_of(kernel_size, rates)[0]


def each_layer_alone(kernel_size, rates):
    half, (_, field) = kernel_size // 2, places_of(kernel_size, rates)
    seen = {0} | {rate * tap for rate in rates for tap in range(-half, half + 1)}
    return [place for place in field if place not in seen]


def common_factor(kernel_size, rates):
    common, (_, field) = math.gcd(*rates) or 1, places_of(kernel_size, rates)
    return [place for place in field if place % common]


def right_side(kernel_size, rates):
    seen, field = places_of(kernel_size, rates)
    return [place for place in field if place > 0 and place not in seen]


def from_the_left(kernel_size, rates):
    seen, field = places_of(kernel_size, rates)
    return [place - field[0] for place in field if place not in seen]


def always_three_taps(kernel_size, rates):
    seen, (_, field) = places_of(3, rates)[0], places_of(kernel_size, rates)
    return [place for place in field if place not in seen]


def missed(kernel_size, steps_of_layers, field):
    seen = {0}
    for steps in steps_of_layers:
        seen = {place + step for place in seen for step in steps}
    return [place for place in field if place not in seen]


def no_middle_tap(kernel_size, rates):
    half, (_, field) = kernel_size // 2, places_of(kernel_size, rates)
    taps = [tap for tap in range(-half, half + 1) if tap]
    return missed(kernel_size, [[rate * tap for tap in taps] for rate in rates], field)


def rates_multiplied(kernel_size, rates):
    half, (_, field) = kernel_size // 2, places_of(kernel_size, rates)
    grown = [math.prod(rates[: layer + 1]) for layer in range(len(rates))]
    taps = range(-half, half + 1)
    return missed(kernel_size, [[rate * tap for tap in taps] for rate in grown], field)


def forbidden_call(x, weight, rate):
    return F.conv2d(x, weight, padding=rate, dilation=rate)


def zeros_in_the_kernel(x, weight, rate):
    large = weight.new_zeros(*weight.shape[:2], 2 * rate + 1, 2 * rate + 1)
    large[..., ::rate, ::rate] = weight
    return F.conv2d(x, large, padding=rate)


def flipped(x, weight, rate):
    return subgrids(x, weight.flip(2, 3), rate)


def rows_and_columns(x, weight, rate):
    return subgrids(x, weight.mT, rate)


def subgrids(x, weight, rate):
    starts = [(i, j) for i in range(rate) for j in range(rate)]
    return part(x, weight, rate, [(i, j) for i, j in starts if i < x.shape[2] and j < x.shape[3]])


def dense(x, weight, rate):
    return F.conv2d(x, weight, padding=1)


def part(x, weight, rate, starts):
    result = x.new_zeros(len(x), len(weight), *x.shape[2:])
    for i, j in starts:
        grid = (..., slice(i, None, rate), slice(j, None, rate))
        result[grid] = F.conv2d(x[grid], weight, padding=1)
    return result


def one_subgrid(x, weight, rate):
    return part(x, weight, rate, [(0, 0)])


def equal_starts(x, weight, rate):
    return part(x, weight, rate, [(i, i) for i in range(rate)])


def empty_subgrids(x, weight, rate):
    return part(x, weight, rate, [(i, j) for i in range(rate) for j in range(rate)])


def one_enlarged(x, weight, rate):
    small = F.conv2d(x[..., ::rate, ::rate], weight, padding=1)
    return small.repeat_interleave(rate, 2).repeat_interleave(rate, 3)


def tiles(x, weight, rate):
    rows = [
        torch.cat([F.conv2d(t, weight, padding=1) for t in row.chunk(rate, 3)], 3)
        for row in x.chunk(rate, 2)
    ]
    return torch.cat(rows, 2)


def by_reshaping(x, weight, rate):
    n, c, height, width = x.shape
    grids = x.reshape(n, c, height // rate, rate, width // rate, rate).permute(3, 5, 0, 1, 2, 4)
    results = F.conv2d(grids.reshape(-1, c, height // rate, width // rate), weight, padding=1)
    results = results.reshape(rate, rate, n, len(weight), height // rate, width // rate)
    return results.permute(2, 3, 4, 0, 5, 1).reshape(n, len(weight), height, width)


def plan(strides, output_stride, early=False, factor=None, most=None, check=True):
    new, rates, step, rate = [], [], 1, 1
    for stride in strides:
        before = rate
        if step * stride <= output_stride:
            new.append(stride)
            step *= stride
        else:
            new.append(1)
            rate = min(rate * (factor or stride), most or 1000)
        rates.append(rate if early else before)
    if check and step != output_stride:
        raise ValueError("cannot be reached")
    return new, rates


def trap(strides, output_stride):
    return plan(strides, output_stride, early=True)


def always_twice(strides, output_stride):
    return plan(strides, output_stride, factor=2)


def never_more_than_two(strides, output_stride):
    return plan(strides, output_stride, most=2)


def no_rates(strides, output_stride):
    return plan(strides, output_stride)[0], [1] * len(strides)


def last_ones_kept(strides, output_stride):
    return plan(strides[::-1], output_stride)[0][::-1], [1] * len(strides)


def nothing_taken_out(strides, output_stride):
    return strides, plan(strides, output_stride)[1]


def anything_goes(strides, output_stride):
    return plan(strides, output_stride, check=False)


def kept_while_below(strides, output_stride):
    new, rates, step, rate = [], [], 1, 1
    for stride in strides:
        rates.append(rate)
        keep = step < output_stride
        new.append(stride if keep else 1)
        step, rate = (step * stride, rate) if keep else (step, rate * stride)
    return new, rates


def kept_while_below_and_refused(strides, output_stride):
    new, rates = kept_while_below(strides, output_stride)
    if math.prod(new) != output_stride:
        raise ValueError("cannot be reached")
    return new, rates


def all_after_the_first_removal(strides, output_stride):
    new, rates, step, rate, removing = [], [], 1, 1, False
    for stride in strides:
        rates.append(rate)
        removing = removing or step * stride > output_stride
        new.append(1 if removing else stride)
        step, rate = (step, rate * stride) if removing else (step * stride, rate)
    if removing or step == output_stride:
        return new, rates
    raise ValueError("cannot be reached")


def removed_from_the_back(strides, output_stride):
    new = list(strides)
    for place in reversed(range(len(new))):
        if math.prod(new) // new[place] >= output_stride:
            new[place] = 1
    rates, rate = [], 1
    for old, now in zip(strides, new, strict=True):
        rates.append(rate)
        rate *= old // now
    if math.prod(new) != output_stride:
        raise ValueError("cannot be reached")
    return new, rates


def only_the_step_makers(strides, output_stride):
    new, _ = plan(strides, output_stride)
    return new, [old // now for old, now in zip(strides, new, strict=True)]


WRONG = {
    "rate_to_see": [
        (one_side, "on both sides"),
        (in_pixels, "a rate in pixels"),
        (rounded_down, "in which direction do you have to round"),
        (below_one, "what is the smallest"),
        (nothing_seen_before, "pixels already"),
        (one_more, "a number that is whole already"),
        (three_steps, "there are only two"),
    ],
    "aspp_branch": [
        (not_padded, "the map shrinks"),
        (without_holes, "the taps lie next to each other"),
        (only_padded, "the map grows"),
        (with_bias, "Your convolution has a bias"),
        (norm_last, "below zero"),
        (no_norm, "found 1 and 0"),
        (a_result, "Expected a network"),
        (relu6, "that is ReLU6"),
        (norm_first, "Let the convolution go first"),
        (norm_first_of_outputs, "was it made for the inputs"),
        (with_dropout, "a dropout in your branch"),
        (norm_without_scale, "lacks its scale and shift"),
    ],
    "never_seen": [
        (the_seen_ones, "the places that are seen"),
        (each_layer_alone, "at each layer on its own"),
        (common_factor, "the common factor of the rates"),
        (right_side, "one side only"),
        (from_the_left, "from the left end"),
        (always_three_taps, "How many taps has a kernel"),
        (no_middle_tap, "straight down"),
        (rates_multiplied, "multiplies the rates"),
    ],
    "dilated_by_subgrids": [
        (dense, "that of rate 1"),
        (one_subgrid, "you fill one sub-grid"),
        (equal_starts, "in equal rows and columns only"),
        (empty_subgrids, "have no rows at all"),
        (one_enlarged, "blocks of equal numbers"),
        (tiles, "cut the map into tiles"),
        (by_reshaping, "cannot be divided by the rate"),
        (forbidden_call, "torch's own dilation"),
        (zeros_in_the_kernel, "fill the kernel up with zeros"),
        (flipped, "turned by half a turn"),
        (rows_and_columns, "rows and columns of your kernel are swapped"),
    ],
    "dilation_plan": [
        (trap, "the surgery trap"),
        (always_twice, "if the stride was not 2"),
        (never_more_than_two, "each makes the grid finer once more"),
        (no_rates, "all your rates are 1"),
        (last_ones_kept, "your strides are [1, 1, 2, 1]"),
        (nothing_taken_out, "they multiply to 4 instead of 2"),
        (kept_while_below, "they multiply to 8"),
        (kept_while_below_and_refused, "but the strides [2, 1, 2] are possible"),
        (all_after_the_first_removal, "they multiply to 2 instead of 4"),
        (removed_from_the_back, "your strides are [1, 4, 1]"),
        (anything_goes, "No choice of the strides"),
        (only_the_step_makers, "It is the other way round"),
    ],
}
