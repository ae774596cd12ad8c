"""The exercises of notebook 04: FCN."""

import itertools

import torch
import torch.nn.functional as F
from torch import nn

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
from seglab.palettes import VOC_CLASSES, VOID
from seglab.upsampling import BilinearUpsampling, bilinear_kernel, crop


@exercise(notebook="04", stars=2, minutes=10)
def as_convolution(function):
    """A linear layer on a flattened map, as a convolution with the same weights."""
    cases = [(5, 1, 1, True), (3, 2, 2, True), (4, 2, 3, False), (2, 3, 1, True)]
    for channels, height, width, bias in cases:
        linear = nn.Linear(channels * height * width, 4, bias=bias)
        nn.init.normal_(linear.weight)
        before = [p.detach().clone() for p in linear.parameters()]
        given = f"channels = {channels}, height = {height}, width = {width}"
        made = call(function, linear, channels, height, width)
        if not isinstance(made, nn.Conv2d):
            raise Hint(
                f"Expected a layer of type nn.Conv2d; your function returns {described(made)}."
            )
        if any(not torch.equal(a, b) for a, b in zip(before, linear.parameters(), strict=True)):
            raise Hint("Your function changes the linear layer. Copy from it, not to it.")
        maps = torch.randn(2, channels, height, width)
        right = linear(maps.flatten(1))
        try:
            found = call(made, maps)
        except LearnersError as error:
            raise Hint(
                f"For {given} your layer cannot read maps of shape {list(maps.shape)}: "
                f"{error.__cause__}. One window of it must hold all the numbers that the linear "
                "layer reads, and each channel stays a channel."
            ) from error
        if found.shape[2:] != (1, 1):
            raise Hint(
                f"For {given} a map of exactly that size becomes {found.shape[2]} × "
                f"{found.shape[3]} positions. The linear layer answers once: is there padding, or "
                "is the kernel smaller than the map?"
            )
        found = found[..., 0, 0]
        rest = found - right
        if found.shape == right.shape and not close(found, right):
            explain_convolution(made, linear, channels, height, width, rest)
        expect_equal(found, right, given)
        larger = torch.randn(1, channels, height + 2, width + 3)
        windows = F.unfold(larger, (height, width))  # [1, numbers of a window, windows]
        right = linear(windows.transpose(1, 2)).transpose(1, 2).view(1, 4, 3, 4)
        found = call(made, larger)
        expect_tensor(found, right.shape, None, f"{given}, and a larger map")
        expect_equal(found, right, f"{given}, and a larger map")


def explain_convolution(made, linear, channels, height, width, rest) -> None:
    """Raise a hint if weights or bias of the layer are those of a typical mistake."""
    given = f"channels = {channels}, height = {height}, width = {width}"
    if close(rest, rest[:1].expand_as(rest)):
        raise Hint(
            f"For {given} all answers are off by a constant for each class. What does a linear "
            "layer add after the products, and does your layer add the same?"
        )
    weight = linear.weight
    last = weight.view(-1, height, width, channels).permute(0, 3, 1, 2)
    turned = weight.view(-1, channels, width, height).transpose(2, 3)
    for other, order in ((last, "rows, columns, channels"), (turned, "channels, columns, rows")):
        if made.weight.shape == other.shape and close(made.weight, other):
            raise Hint(
                f"You have cut each row of weights as if the order was {order}. In which order "
                "does `flatten` lay out the numbers of a map [C, H, W]?"
            )
    if close(made.weight, weight.view(-1, channels, height, width).flip(2, 3)):
        raise Hint(
            "You have turned the kernel. `F.conv2d` lays it on the map as it is; only a transposed "
            "convolution that gathers needs it turned."
        )
    if not close(made.weight.flatten().sort()[0], weight.flatten().sort()[0]):
        raise Hint(
            "The layer's weights are not those of the linear layer: a new layer starts with random "
            "ones. They have to be copied."
        )


@exercise(notebook="04", stars=1, minutes=5)
def rows_cut(function):
    """How many rows each crop of an FCN takes away."""
    cases = [(224, 32), (240, 32), (240, 16), (200, 8), (300, 8), (225, 8), (33, 8), (500, 16)]
    for height, stride in [*cases, (32, 8), (32, 32)]:
        found = call(function, height, stride)
        found = found.tolist() if isinstance(found, torch.Tensor) else found
        found = list(found) if isinstance(found, tuple) else found
        given = f"height = {height}, stride = {stride}"
        rows = {level: -(-height // level) for level in (32, 16, 8) if level >= stride}
        levels = list(rows)
        right = [2 * rows[coarse] - rows[fine] for coarse, fine in itertools.pairwise(levels)]
        right.append(stride * rows[stride] - height)
        if not isinstance(found, list):
            raise Hint(
                f"For {given} your function returns {described(found)}. A list is wanted, even if "
                "there is one crop only."
            )
        if any(number < 0 for number in found):
            raise Hint(
                f"For {given} you return {found}. A crop cannot take away less than nothing: are "
                "your maps too small? The stages of the network round up."
            )
        if found != right == found[::-1]:
            raise Hint(
                f"For {given} the numbers are right and the order is not: the network begins with "
                "the coarsest map."
            )
        if len(levels) > 1 and found == right[:-1]:
            raise Hint(f"For {given} one crop is missing: what happens after the last enlargement?")
        if found == [-height % 32] and found != right:
            raise Hint(
                f"For {given} you return {found}, what is missing to a multiple of 32. An FCN with "
                "skips cuts at every sum: follow the maps one by one."
            )
        expect_equal(found, right, given)


@exercise(notebook="04", stars=2, minutes=10)
def add_skip(function):
    """Double the coarse scores, add the scores of a finer map, for any size."""
    cases = [
        ((1, 2, 3, 4), (1, 5, 6, 8)),
        ((2, 3, 4, 5), (2, 6, 7, 9)),
        ((1, 3, 5, 4), (1, 2, 9, 8)),
        ((1, 1, 1, 1), (1, 3, 1, 1)),
        ((1, 2, 1, 3), (1, 4, 2, 5)),
    ]
    for coarse_shape, shape in cases:
        coarse = torch.randn(coarse_shape, requires_grad=True)
        features = torch.randn(shape, requires_grad=True)
        score = nn.Conv2d(shape[1], coarse_shape[1], 1)
        given = f"coarse {list(coarse_shape)} and features {list(shape)}"
        try:
            found = call(function, coarse, features, score)
        except LearnersError as error:
            explain_sizes(error, given)
            raise
        skip = score(features)
        size, small = tuple(skip.shape[2:]), coarse.shape[2:]
        expect_tensor(found, None, coarse.dtype, given)
        if found.ndim == 4 and found.shape[1] == 2 * coarse_shape[1]:
            raise Hint(
                f"For {given} you return {found.shape[1]} channels: the scores lie side by side. "
                "An FCN adds them (a U-Net concatenates)."
            )
        expect_tensor(found, tuple(skip.shape), None, given)
        tents = BilinearUpsampling(coarse_shape[1], 2)(coarse)
        edge = F.interpolate(coarse, scale_factor=2, mode="bilinear")  # edge repeated
        if any(close(found, crop(double, skip) + skip) for double in (tents, edge)):
            learn(found, {"coarse": coarse, "features": features, "score": score.weight}, given)
            continue
        on_pixels = BilinearUpsampling(coarse_shape[1], 2, offset=0)(coarse)
        if close(found, crop(on_pixels, skip) + skip):
            raise Hint(
                f"For {given} coarse row i is drawn on the finer row 2i. It stands for the rows 2i "
                "and 2i + 1, so its middle lies between them: a kernel of 4 rows does that, one of "
                "3 does not."
            )
        blocks = F.interpolate(coarse, scale_factor=2)
        aligned = F.interpolate(coarse, scale_factor=2, mode="bilinear", align_corners=True)
        top, left = (2 * s - n for s, n in zip(small, size, strict=True))
        if close(found, crop(blocks, skip) + skip):
            raise Hint("The scores are doubled in blocks (nearest). A skip wants a smooth ramp.")
        if close(found, crop(aligned, skip) + skip):
            raise Hint(
                "The corner centres lie on each other (`align_corners=True`), so every score but "
                "those in the middle has moved."
            )
        if size != (2 * small[0], 2 * small[1]):
            for mode in ("bilinear", "nearest"):
                if close(found, F.interpolate(coarse, size=size, mode=mode) + skip):
                    raise Hint(
                        f"For {given} you squeeze the doubled scores into {size[0]} × {size[1]}. "
                        "Coarse row i stands for the finer rows 2i and 2i + 1, whatever the size, "
                        "and must stay there: double exactly, then cut."
                    )
            for double in (tents, edge):
                if close(found, double[..., top:, left:] + skip):
                    raise Hint(
                        f"For {given} you cut at the wrong side. Rows are counted from above, so "
                        "what rounding up has added lies below and at the right."
                    )
        if any(close(found, crop(double, skip)) for double in (tents, edge)):
            raise Hint("Your result does not depend on the finer map: add its scores.")
        expect_equal(found, crop(edge, skip) + skip, given)


def learn(found, inputs: dict[str, torch.Tensor], given: str) -> None:
    """Raise a hint if no gradient gets from the result to what should learn."""
    if found.requires_grad:
        gradients = torch.autograd.grad(found.sum(), list(inputs.values()), allow_unused=True)
        stuck = [name for name, one in zip(inputs, gradients, strict=True) if one is None]
    else:
        stuck = list(inputs)
    if stuck:
        raise Hint(
            f"For {given} the numbers are right, but no gradient reaches {' or '.join(stuck)}: a "
            "network with this step could not learn. Is there a `no_grad` or a `detach`?"
        )


def explain_sizes(error: LearnersError, given: str) -> None:
    """Raise a hint in place of a message of torch that means a typical mistake."""
    said = str(error.__cause__)
    if "must match the size" in said:
        if "non-singleton dimension 1" in said:
            raise Hint(
                f"For {given} the channels do not fit: {said}. Features are no scores yet."
            ) from error
        raise Hint(
            f"For {given} the maps do not have the same size: {said}. Doubling can give one row or "
            "column too many."
        ) from error


@exercise(notebook="04", stars=2, minutes=10)
def start_as_tent(function):
    """Make a transposed convolution interpolate, in place; depthwise or dense."""
    cases = [
        (3, {"kernel_size": 4, "stride": 2, "padding": 1, "groups": 3, "bias": False}),
        (1, {"kernel_size": 16, "stride": 8, "padding": 4}),
        (3, {"kernel_size": 4, "stride": 2, "padding": 1}),
        (4, {"kernel_size": 3, "stride": 2, "padding": 1, "bias": False}),
        (2, {"kernel_size": 8, "stride": 4, "padding": 2, "groups": 2}),
    ]
    for channels, options in cases:
        layer = nn.ConvTranspose2d(channels, channels, **options)
        weight, bias = layer.weight, layer.bias
        dense = layer.groups < channels
        given = f"nn.ConvTranspose2d({channels}, {channels}, groups={layer.groups}, ...)"
        try:
            found = call(function, layer)
        except LearnersError as error:
            if "in-place operation" in str(error.__cause__):
                raise Hint(
                    f"torch refuses: {error.__cause__} Setting the start is no step of the "
                    "computation that autograd should remember."
                ) from error
            raise
        if found is not layer:
            raise Hint(
                f"Your function returns {described(found)}. Change the layer that it was given, "
                "and return that same layer."
            )
        if layer.weight is not weight:
            raise Hint(
                "The layer has got a new weight in place of its old one. An optimizer that was "
                "made before holds the old one and would train that. Write into it instead."
            )
        if layer.bias is not bias:
            raise Hint(
                f"{given} had a bias, and now it has another one, or none. The optimizer holds the "
                "old one: write zeros into it."
            )
        tent = bilinear_kernel(channels, options["kernel_size"])
        expect_tensor(layer.weight, (channels, channels // layer.groups, *tent.shape[2:]))
        right = torch.zeros_like(layer.weight)
        for channel in range(channels):
            right[channel, channel if dense else 0] = tent[channel, 0]
        if dense and close(layer.weight, tent.expand_as(right)):
            raise Hint(
                f"{given}: every channel stamps its tent into every other, so all outputs are the "
                "sum of all channels. To interpolate, a channel may only reach itself."
            )
        if dense and not close(layer.weight, right) and close(diagonal(layer), diagonal(right)):
            raise Hint(
                f"{given}: the tents are in their places, but the weights between different "
                "channels are still random."
            )
        expect_equal(layer.weight, right, f"the weights of {given}")
        if layer.bias is not None and not close(layer.bias, torch.zeros(channels)):
            raise Hint(
                f"{given} has a bias, and it is still random: a flat map of zeros does not stay "
                "zero."
            )
        if not all(parameter.requires_grad for parameter in layer.parameters()):
            raise Hint("Something is frozen now. Weight and bias should start so and still learn.")


def diagonal(weight) -> torch.Tensor:
    """The kernels from each channel to itself, of a layer or of its dense weight."""
    weight = getattr(weight, "weight", weight)
    return weight[range(len(weight)), range(len(weight))]


@exercise(notebook="04", stars=3, minutes=15)
def best_blocks(function):
    """One label for each square of a grid, so that the most labelled pixels are right."""
    cases = [(8, 8, 4, False), (9, 11, 4, False), (8, 12, 4, True), (7, 10, 3, True)]
    cases += [(5, 6, 1, True), (1, 1, 32, False), (6, 4, 8, True)]
    for height, width, stride, with_void in cases:
        mask = torch.tensor([0, 1, 8, 20], dtype=torch.uint8)[torch.randint(4, (height, width))]
        if with_void:
            mask[torch.rand(height, width) < 0.5] = VOID
            mask[:stride, :stride] = VOID  # a square with nothing but void
            mask[:1, -1:] = 8
        kind = "half-void mask" if with_void else "mask"
        given = f"a {kind} of {height} × {width} pixels and stride {stride}"
        examine_blocks(call(function, mask, stride), mask, stride, given)


def examine_blocks(found, mask, stride: int, given: str) -> None:
    """Is this, in each square, one of its most frequent labels?

    Raises:
        Hint: it is not.
    """
    expect_tensor(found, None, (torch.uint8, torch.int64, torch.int32), given)
    height, width = mask.shape
    coarse = [tuple((side + more) // stride for side in mask.shape) for more in (0, stride - 1)]
    if found.shape != mask.shape and tuple(found.shape) in coarse:
        raise Hint(
            f"For {given} you return a coarse map, {tuple(found.shape)}. To compare it with the "
            "mask, each label has to fill its square."
        )
    whole = tuple(side // stride * stride for side in mask.shape)
    if found.shape != mask.shape and tuple(found.shape) == whole:
        raise Hint(
            f"For {given} the last rows or columns are left out. The squares there are not whole, "
            "but their pixels count, too."
        )
    expect_tensor(found, (height, width), None, given)
    found = found.long()
    corner = mask[::stride, ::stride].repeat_interleave(stride, 0).repeat_interleave(stride, 1)
    if min(height, width) > stride > 1 and torch.equal(found, corner[:height, :width].long()):
        raise Hint(
            f"For {given} the upper left pixel of each square decides alone. Let all pixels of "
            "the square vote."
        )
    if (found == VOID).any():
        raise Hint(
            f"For {given} your result holds 255. Void says that nobody knows, and a prediction "
            "always names a class: void has no vote (a square of void only becomes 0)."
        )
    for top in range(0, height, stride):
        for left in range(0, width, stride):
            part = (slice(top, top + stride), slice(left, left + stride))
            examine_square(
                found[part], mask[part].long(), f"{given}, rows from {top}, columns from {left}"
            )


def examine_square(found, true, where: str) -> None:
    """One square of the result against the true labels there."""
    if found.min() != found.max():
        raise Hint(f"In one square there are several labels ({where}); a grid has one for each.")
    label, labelled = int(found[0, 0]), true[true != VOID]
    if not len(labelled):
        if label:
            raise Hint(
                f"A square holds nothing but void and got the label {label} ({where}); it should "
                "get 0."
            )
        return
    votes = labelled.bincount(minlength=len(VOC_CLASSES))
    void = true.numel() - len(labelled)
    if label == 0 and votes[0] < votes.max() <= votes[0] + void:
        raise Hint(
            f"A square became background because its {void} void pixels have voted for it "
            f"({where}). Void has no vote."
        )
    if label != 0 and votes[0] == votes.max() > votes[label]:
        raise Hint(
            f"A square got the label {label}, though background is more frequent there ({where}). "
            "Background is a class, number 0, and has votes like the others."
        )
    if not 0 <= label < len(votes) or votes[label] == 0:
        raise Hint(
            f"A square got the label {label}, which none of its pixels has ({where}). Labels are "
            "names: they can be counted, but not averaged or mixed."
        )
    if votes[label] < votes.max():
        raise Hint(
            f"A square got the label {label}, which {int(votes[label])} of its pixels have, and "
            f"label {int(votes.argmax())} would be right at {int(votes.max())} ({where})."
        )
