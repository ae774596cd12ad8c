"""Wrong answers to the exercises of notebook 05, each with words of the hint that it must get."""

import torch
import torch.nn.functional as F


def with_biases(inputs, outputs):
    return 9 * inputs * outputs + 9 * outputs * outputs + 2 * outputs + 4 * outputs


def without_norm(inputs, outputs):
    return 9 * outputs * (inputs + outputs)


def one_norm(inputs, outputs):
    return 9 * outputs * (inputs + outputs) + 2 * outputs


def with_statistics(inputs, outputs):
    return 9 * outputs * (inputs + outputs) + 8 * outputs


def equal_convolutions(inputs, outputs):
    return 2 * 9 * inputs * outputs + 4 * outputs


def one_weight_a_pair(inputs, outputs):
    return outputs * (inputs + outputs) + 4 * outputs


def one_kernel_an_input(inputs, outputs):
    return 9 * (inputs + outputs) + 4 * outputs


def joined(skip, x, left, right, top, bottom):
    return torch.cat([skip, F.pad(x, (left, right, top, bottom))], 1)


def missing(skip, x):
    return skip.shape[2] - x.shape[2], skip.shape[3] - x.shape[3]


def rows_first(skip, x):
    down, across = missing(skip, x)
    return joined(skip, x, down // 2, down - down // 2, across // 2, across - across // 2)


def only_below(skip, x):
    down, across = missing(skip, x)
    return joined(skip, x, 0, across, 0, down)


def rounded_down_twice(skip, x):
    down, across = missing(skip, x)
    return joined(skip, x, across // 2, across // 2, down // 2, down // 2)


def left_over_above(skip, x):
    down, across = missing(skip, x)
    return joined(skip, x, across - across // 2, across // 2, down - down // 2, down // 2)


def python_round(skip, x):
    down, across = missing(skip, x)
    top, left = round(down / 2), round(across / 2)
    return joined(skip, x, left, across - left, top, down - top)


def only_above(skip, x):
    down, across = missing(skip, x)
    return joined(skip, x, across, 0, down, 0)


def summed(skip, x):
    down, across = missing(skip, x)
    return skip + F.pad(x, (across // 2, across - across // 2, down // 2, down - down // 2))


def along_the_batch(skip, x):
    return torch.cat([skip, x], 0)


def cropped(skip, x):
    top, left = (n // 2 for n in missing(skip, x))
    return torch.cat([skip[..., top : top + x.shape[2], left : left + x.shape[3]], x], 1)


def resized(skip, x):
    return torch.cat([skip, F.interpolate(x, skip.shape[2:])], 1)


def x_first(skip, x):
    down, across = missing(skip, x)
    padded = F.pad(x, (across // 2, across - across // 2, down // 2, down - down // 2))
    return torch.cat([padded, skip], 1)


def repeated_border(skip, x):
    down, across = missing(skip, x)
    pads = (across // 2, across - across // 2, down // 2, down - down // 2)
    return torch.cat([skip, F.pad(x, pads, mode="replicate")], 1)


def rows_of_unet(size, depth, eaten=4, deepest=True, up=True, convolve_up=True, checks="odd gone"):
    rows = size
    for _ in range(depth):
        rows -= eaten
        if rows % 2 and "odd" in checks:
            raise ValueError("odd")
        rows //= 2
    rows -= eaten * deepest
    for _ in range(depth * up):
        rows = 2 * rows - eaten * convolve_up
    if rows < 1 and "gone" in checks:
        raise ValueError("nothing left")
    return rows


def never_odd(size, depth):
    return rows_of_unet(size, depth, checks="gone")


def never_gone(size, depth):
    return rows_of_unet(size, depth, checks="odd")


def deepest_does_nothing(size, depth):
    return rows_of_unet(size, depth, deepest=False) if depth else size - 4


def only_down(size, depth):
    return rows_of_unet(size, depth, up=False)


def only_doubled(size, depth):
    return rows_of_unet(size, depth, convolve_up=False)


def one_row_for_each_convolution(size, depth):
    return rows_of_unet(size, depth, eaten=2)


def never_at_depth_zero(size, depth):
    if depth == 0:
        raise ValueError("no levels")
    return rows_of_unet(size, depth)


def nothing_at_depth_zero(size, depth):
    return rows_of_unet(size, depth) if depth else size


def once_on_the_way_up(size, depth):
    return with_eaten(size, depth, 4, 2)


def once_on_the_way_down(size, depth):
    return with_eaten(size, depth, 2, 4) if depth else size - 4


def with_eaten(size, depth, down, up):
    rows = size
    for _ in range(depth):
        rows = (rows - down) // 2
    rows -= down
    for _ in range(depth):
        rows = 2 * rows - up
    return rows


def multiples_of_sixteen(size, depth):
    if size % 2**depth:
        raise ValueError("not a multiple")
    return rows_of_unet(size, depth)


def shrunk(region, reach):
    return -F.max_pool2d(-region[None, None].float(), 2 * reach + 1, 1, reach)[0, 0] > 0


def share_of(pixels, region):
    return pixels.sum() / region.sum()


def zeros_beyond(region, distance):
    ones = torch.ones(1, 1, 2 * distance + 1, 2 * distance + 1)
    full = F.conv2d(region[None, None].float(), ones, padding=distance)[0, 0] == ones.numel()
    return share_of(region & ~full, region)


def the_other_share(region, distance):
    return share_of(shrunk(region, distance), region)


def of_the_picture(region, distance):
    return (region & ~shrunk(region, distance)).float().mean()


def grown(region, distance):
    larger = F.max_pool2d(region[None, None].float(), 2 * distance + 1, 1, distance)[0, 0] > 0
    return share_of(larger & ~region, region)


def narrow_windows(region, distance):
    return share_of(region & ~shrunk(region, distance // 2), region)


def crosses(region, distance):
    x, size = region[None, None].float(), 2 * distance + 1
    rows = -F.max_pool2d(-x, (size, 1), 1, (distance, 0))
    columns = -F.max_pool2d(-x, (1, size), 1, (0, distance))
    return share_of(region & (rows.minimum(columns) == 0)[0, 0], region)


def up_and_down(region, distance):
    rows = -F.max_pool2d(-region[None, None].float(), (2 * distance + 1, 1), 1, (distance, 0))
    return share_of(region & (rows == 0)[0, 0], region)


def one_too_far(region, distance):
    return share_of(region & ~shrunk(region, distance + 1), region)


def zero_division(region, distance):
    return (region & ~shrunk(region, distance)).sum().item() / region.sum().item()


def nothing_is_zero(region, distance):
    return 1 - shrunk(region, distance).sum().item() / max(region.sum().item(), 1)


def tiled(network, image, tile, margin, mode="reflect", step=None, cut=True, up=True, whole=True):
    height, width = image.shape[2:]
    more = [tile * (-(-side // tile) if up else side // tile) - side for side in (height, width)]
    right, below = (max(0, n) + margin if whole else margin for n in (more[1], more[0]))
    large = F.pad(image, (margin, right, margin, below), mode=mode)
    rows = []
    size = tile + 2 * margin
    step = step or tile
    for top in range(0, height + more[0], step):
        row = [
            network(large[..., top : top + size, left : left + size])
            for left in range(0, width + more[1], step)
        ]
        rows.append(torch.cat(row, 3))
    result = torch.cat(rows, 2)
    return result[..., :height, :width] if cut else result


def zeros_around(network, image, tile, margin):
    return tiled(network, image, tile, margin, mode="constant")


def edge_repeated(network, image, tile, margin):
    return tiled(network, image, tile, margin, mode="replicate")


def wrapped_around(network, image, tile, margin):
    return tiled(network, image, tile, margin, mode="circular")


def without_context(network, image, tile, margin):
    height, width = image.shape[2:]
    below, right = -height % tile, -width % tile
    image = F.pad(image, (0, right, 0, below), mode="reflect")
    rows = []
    for top in range(0, height, tile):
        row = [image[..., top : top + tile, left : left + tile] for left in range(0, width, tile)]
        row = [network(F.pad(piece, (margin,) * 4, mode="reflect")) for piece in row]
        rows.append(torch.cat(row, 3))
    return torch.cat(rows, 2)[..., :height, :width]


def not_cut(network, image, tile, margin):
    return tiled(network, image, tile, margin, cut=False)


def tiles_rounded_down(network, image, tile, margin):
    return tiled(network, image, tile, margin, up=False)


def margin_only(network, image, tile, margin):
    return tiled(network, image, tile, margin, whole=False)


def far_apart(network, image, tile, margin):
    result = image.new_zeros(1, 3, *image.shape[2:])
    large = F.pad(image, (margin,) * 4, mode="reflect")
    size = tile + 2 * margin
    for top in range(0, large.shape[2] - size + 1, size):
        for left in range(0, large.shape[3] - size + 1, size):
            logits = network(large[..., top : top + size, left : left + size])
            result[..., top : top + tile, left : left + tile] = logits
    return result


WRONG = {
    "double_conv_parameters": [
        (with_biases, "do they have biases"),
        (without_norm, "are not the only layers"),
        (one_norm, "There are two batch norms"),
        (with_statistics, "buffers, not parameters"),
        (equal_convolutions, "gets what the first one puts out"),
        (one_weight_a_pair, "one weight for each pair"),
        (one_kernel_an_input, "kernels of its own for all inputs"),
    ],
    "pad_and_join": [
        (rows_first, "wants the *last* dimension first"),
        (only_below, "all zeros lie below"),
        (rounded_down_twice, "one is still missing"),
        (left_over_above, "you put it above or to the left"),
        (along_the_batch, "along the batch"),
        (cropped, "you cut the skip"),
        (resized, "Do not resize it"),
        (x_first, "the skip's come first"),
        (repeated_border, "other numbers than zeros"),
        (python_round, "goes to the *even* neighbour"),
        (only_above, "into the lower right corner"),
        (summed, "Adding keeps one number"),
    ],
    "unpadded_output": [
        (never_odd, "although its number of rows is odd"),
        (never_gone, "have eaten everything"),
        (deepest_does_nothing, "Does your deepest level convolve"),
        (only_down, "the way up is missing"),
        (only_doubled, "you only double"),
        (one_row_for_each_convolution, "you take off 2 rows"),
        (multiples_of_sixteen, "the first is halved when"),
        (never_at_depth_zero, "With depth 0 nothing is halved"),
        (nothing_at_depth_zero, "With depth 0 there is one level only"),
        (once_on_the_way_up, "on the way up you convolve once"),
        (once_on_the_way_down, "on the way down you convolve once"),
    ],
    "border_share": [
        (zeros_beyond, "the edge of the picture as a border"),
        (the_other_share, "*not* near the border"),
        (of_the_picture, "divide by all pixels"),
        (grown, "pixels around the region"),
        (narrow_windows, "your windows are too small"),
        (zero_division, "divide by zero"),
        (nothing_is_zero, "For a region without pixels"),
        (crosses, "your windows are crosses"),
        (up_and_down, "up and down only"),
        (one_too_far, "reach one pixel too far"),
    ],
    "label_by_tiles": [
        (zeros_around, "your network sees zeros"),
        (edge_repeated, "the last row repeated"),
        (not_cut, "Cut off what lies beyond"),
        (tiles_rounded_down, "must be rounded up"),
        (margin_only, "large enough for the last tile"),
        (far_apart, "no tile covers some pixels"),
        (wrapped_around, "the other side of the image"),
        (without_context, "mirror image of the tile around it"),
    ],
}


def a_tensor_of_one_element(region, distance):
    return torch.tensor([float(share_of(region & ~shrunk(region, distance), region))])


RIGHT = {"border_share": [a_tensor_of_one_element]}
