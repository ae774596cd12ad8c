"""Wrong answers to the exercises of notebook 04, each with words of the hint that it must get."""

import copy
import itertools

import torch
import torch.nn.functional as F
from torch import nn

from seglab.upsampling import BilinearUpsampling, bilinear_kernel, crop


def cuts(height, stride, up=True):
    rows = [-(-height // level) if up else height // level for level in (32, 16, 8)]
    rows = rows[: {32: 1, 16: 2, 8: 3}[stride]]
    found = [2 * coarse - fine for coarse, fine in itertools.pairwise(rows)]
    return [*found, stride * rows[-1] - height]


def rounded_down(height, stride):
    return cuts(height, stride, up=False)


def finest_first(height, stride):
    return cuts(height, stride)[::-1]


def without_the_last(height, stride):
    return cuts(height, stride)[:-1] if stride < 32 else cuts(height, stride)


def to_a_multiple_of_32(height, stride):
    return [-height % 32]


def one_number(height, stride):
    return sum(cuts(height, stride))


def always_three(height, stride):
    return cuts(height, 8)


def what_is_left_over(height, stride):
    return [height % level for level in (32, 16, 8) if level >= stride]


def converted(linear, channels, height, width, weight=None, **options):
    made = nn.Conv2d(channels, linear.out_features, (height, width), **options)
    weight = linear.weight.view(-1, channels, height, width) if weight is None else weight
    with torch.no_grad():
        made.weight.copy_(weight)
        if linear.bias is None and made.bias is not None:
            made.bias.zero_()
        elif made.bias is not None:
            made.bias.copy_(linear.bias)
    return made


def bias_forgotten(linear, channels, height, width):
    return converted(linear, channels, height, width, bias=False)


def channels_last(linear, channels, height, width):
    weight = linear.weight.view(-1, height, width, channels).permute(0, 3, 1, 2)
    return converted(linear, channels, height, width, weight)


def with_padding(linear, channels, height, width):
    return converted(linear, channels, height, width, padding=1)


def never_copied(linear, channels, height, width):
    return nn.Conv2d(channels, linear.out_features, (height, width))


def all_numbers_as_channels(linear, channels, height, width):
    made = nn.Conv2d(linear.in_features, linear.out_features, 1, bias=linear.bias is not None)
    with torch.no_grad():
        made.weight.copy_(linear.weight[:, :, None, None])
        if linear.bias is not None:
            made.bias.copy_(linear.bias)
    return made


def a_function(linear, channels, height, width):
    return lambda maps: linear(maps.flatten(1))


def turned(linear, channels, height, width):
    weight = linear.weight.view(-1, channels, height, width).flip(2, 3)
    return converted(linear, channels, height, width, weight)


def one_window_beside_the_next(linear, channels, height, width):
    return converted(linear, channels, height, width, stride=(height, width))


def emptied_afterwards(linear, channels, height, width):
    made = converted(linear, channels, height, width, bias=linear.bias is not None)
    linear.weight.data.zero_()
    return made


def with_the_same_numbers(linear, channels, height, width):
    made = nn.Conv2d(channels, linear.out_features, (height, width), bias=linear.bias is not None)
    made.weight = nn.Parameter(linear.weight.detach().unflatten(1, (channels, height, width)))
    made.bias = linear.bias
    return made


def squeezed(coarse, features, score):
    skip = score(features)
    return F.interpolate(coarse, size=skip.shape[2:], mode="bilinear") + skip


def in_squares(coarse, features, score):
    skip = score(features)
    return crop(F.interpolate(coarse, scale_factor=2), skip) + skip


def corners_aligned(coarse, features, score):
    skip = score(features)
    double = F.interpolate(coarse, scale_factor=2, mode="bilinear", align_corners=True)
    return crop(double, skip) + skip


def cut_above(coarse, features, score):
    skip = score(features)
    double = BilinearUpsampling(coarse.shape[1], 2)(coarse)
    return double[..., -skip.shape[2] :, -skip.shape[3] :] + skip


def side_by_side(coarse, features, score):
    skip = score(features)
    return torch.cat([crop(F.interpolate(coarse, scale_factor=2), skip), skip], 1)


def not_cut(coarse, features, score):
    return F.interpolate(coarse, scale_factor=2, mode="bilinear") + score(features)


def not_scored(coarse, features, score):
    return crop(F.interpolate(coarse, scale_factor=2, mode="bilinear"), features) + features


def not_added(coarse, features, score):
    return crop(F.interpolate(coarse, scale_factor=2, mode="bilinear"), features)


def without_gradient(coarse, features, score):
    with torch.no_grad():
        return right_skip(coarse, features, score)


def right_skip(coarse, features, score):
    skip = score(features)
    return crop(F.interpolate(coarse, scale_factor=2, mode="bilinear"), skip) + skip


def coarse_detached(coarse, features, score):
    return right_skip(coarse.detach(), features, score)


def on_the_first_row(coarse, features, score):
    skip = score(features)
    return crop(BilinearUpsampling(coarse.shape[1], 2, offset=0)(coarse), skip) + skip


def rounder(coarse, features, score):
    skip = score(features)
    return crop(F.interpolate(coarse, scale_factor=2, mode="bicubic"), skip) + skip


def written(layer, everywhere=False):
    tents = bilinear_kernel(layer.in_channels, layer.kernel_size[0])
    with torch.no_grad():
        if layer.groups == layer.in_channels or everywhere:
            layer.weight.copy_(tents)
        else:
            layer.weight.zero_()
            for channel, tent in enumerate(tents):
                layer.weight[channel, channel] = tent[0]
        if layer.bias is not None:
            layer.bias.zero_()
    return layer


def to_every_channel(layer):
    return written(layer, everywhere=True)


def rest_left_random(layer):
    tents = bilinear_kernel(layer.in_channels, layer.kernel_size[0])
    depthwise = layer.groups == layer.in_channels
    with torch.no_grad():
        for channel, tent in enumerate(tents):
            layer.weight[channel, 0 if depthwise else channel] = tent[0]
        if layer.bias is not None:
            layer.bias.zero_()
    return layer


def random_bias(layer):
    bias = None if layer.bias is None else layer.bias.detach().clone()
    written(layer)
    if bias is not None:
        layer.bias.data = bias
    return layer


def a_new_parameter(layer):
    layer.weight = nn.Parameter(written(copy.deepcopy(layer)).weight.detach())
    return layer


def another_layer(layer):
    return written(copy.deepcopy(layer))


def autograd_watches(layer):
    layer.weight.zero_()
    return layer


def frozen(layer):
    written(layer).weight.requires_grad_(False)
    return layer


def bias_removed(layer):
    written(layer).bias = None
    return layer


def sum_of_one(layer):
    with torch.no_grad():
        written(layer).weight.div_(layer.kernel_size[0] ** 2 / 4)
    return layer


def by_its_data(layer):
    layer.weight.data = written(copy.deepcopy(layer)).weight.data
    if layer.bias is not None:
        layer.bias.data.fill_(0)
    return layer


def voted(mask, stride, classes=256, vote=lambda votes: votes.argmax(0)):
    planes = (mask == torch.arange(classes)[:, None, None]).float()
    return vote(F.avg_pool2d(planes[None], stride, ceil_mode=True)[0])


def filled(labels, mask, stride):
    return crop(labels.repeat_interleave(stride, 0).repeat_interleave(stride, 1), mask)


def void_votes(mask, stride):
    return filled(voted(mask, stride), mask, stride)


def one_pixel_decides(mask, stride):
    return filled(mask[::stride, ::stride], mask, stride)


def coarse_map(mask, stride):
    return voted(mask, stride, 21)


def whole_squares(mask, stride):
    planes = (mask == torch.arange(21)[:, None, None]).float()
    labels = F.avg_pool2d(planes[None], stride)[0].argmax(0)
    return labels.repeat_interleave(stride, 0).repeat_interleave(stride, 1)


def averaged(mask, stride):
    mean = F.avg_pool2d(mask[None].float(), stride, ceil_mode=True)[0]
    return filled(mean.round().long().clamp(max=20) + 7, mask, stride)


def rarest(mask, stride):
    def vote(votes):
        return torch.where(votes > 0, votes, 2).argmin(0)

    return filled(voted(mask, stride, 21, vote), mask, stride)


def smooth(mask, stride):
    planes = (mask == torch.arange(21)[:, None, None]).float()
    shares = F.avg_pool2d(planes[None], stride, ceil_mode=True)
    size = [stride * side for side in shares.shape[2:]]
    return crop(F.interpolate(shares, size=size, mode="bilinear"), mask)[0].argmax(0)


def objects_only(mask, stride):
    planes = (mask == torch.arange(1, 21)[:, None, None]).float()
    votes = F.avg_pool2d(planes[None], stride, ceil_mode=True)[0]
    return filled((votes.argmax(0) + 1) * (votes.sum(0) > 0), mask, stride)


def void_as_background(mask, stride):
    return filled(voted(mask.where(mask != 255, 0), stride, 21), mask, stride)


WRONG = {
    "rows_cut": [
        (rounded_down, "less than nothing"),
        (finest_first, "the order is not"),
        (without_the_last, "one crop is missing"),
        (to_a_multiple_of_32, "a multiple of 32"),
        (one_number, "A list is wanted"),
        (always_three, "right would be [0]"),
        (what_is_left_over, "right would be [1, 0]"),
    ],
    "as_convolution": [
        (bias_forgotten, "off by a constant"),
        (channels_last, "rows, columns, channels"),
        (with_padding, "is there padding"),
        (never_copied, "have to be copied"),
        (all_numbers_as_channels, "each channel stays a channel"),
        (a_function, "of type nn.Conv2d"),
        (turned, "You have turned the kernel"),
        (one_window_beside_the_next, "should be (1, 4, 3, 4)"),
        (emptied_afterwards, "changes the linear layer"),
    ],
    "add_skip": [
        (squeezed, "you squeeze the doubled scores"),
        (in_squares, "in blocks (nearest)"),
        (corners_aligned, "corner centres"),
        (cut_above, "at the wrong side"),
        (side_by_side, "lie side by side"),
        (not_cut, "do not have the same size"),
        (not_scored, "Features are no scores yet"),
        (not_added, "does not depend on the finer map"),
        (without_gradient, "no gradient reaches coarse or features or score"),
        (coarse_detached, "no gradient reaches coarse:"),
        (on_the_first_row, "is drawn on the finer row 2i"),
        (rounder, "numbers are not right"),
    ],
    "start_as_tent": [
        (to_every_channel, "into every other"),
        (rest_left_random, "between different channels"),
        (random_bias, "has a bias"),
        (a_new_parameter, "got a new weight"),
        (another_layer, "return that same layer"),
        (autograd_watches, "autograd should remember"),
        (frozen, "Something is frozen"),
        (bias_removed, "or none"),
        (sum_of_one, "numbers are not right"),
    ],
    "best_blocks": [
        (void_votes, "void has no vote"),
        (one_pixel_decides, "decides alone"),
        (coarse_map, "has to fill its square"),
        (whole_squares, "are not whole"),
        (averaged, "not averaged or mixed"),
        (rarest, "would be right at"),
        (smooth, "In one square there are several"),
        (objects_only, "background is more frequent"),
        (void_as_background, "have voted for it"),
    ],
}

RIGHT = {
    "as_convolution": [with_the_same_numbers],
    "add_skip": [right_skip],
    "start_as_tent": [by_its_data],
}
