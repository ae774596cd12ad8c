"""The exercises of notebook 03: transposed convolution."""

import numbers

import torch
import torch.nn.functional as F

from seglab.exercises.checking import (
    Hint,
    LearnersError,
    Watch,
    call,
    close,
    exercise,
    expect_equal,
    expect_tensor,
    without,
)
from seglab.upsampling import bilinear_kernel

FLOATS = (torch.float32, torch.float64)


@exercise(notebook="03", stars=1, minutes=5)
def padding_for(function):
    """The padding that makes the output exactly stride times as large."""
    for kernel, stride in [(4, 2), (2, 2), (16, 8), (64, 32), (5, 3), (3, 1), (1, 1)]:
        found = call(function, kernel, stride)
        given = f"kernel_size = {kernel}, stride = {stride}"
        if found == kernel - stride and kernel != stride:
            raise Hint(
                f"For {given} you return {found}. That many rows go in all; padding is counted at "
                "each side."
            )
        right = (kernel - stride) // 2
        if found == (kernel - 1) // 2 != right:
            raise Hint(
                f"For {given} you return {found}, which keeps the size in an ordinary convolution. "
                "Set the size that the transposed one makes equal to stride · n, and solve for p."
            )
        expect_equal(found, right, given)
        if not isinstance(found, numbers.Integral):
            raise Hint(
                f"For {given} you return {found!r}. The number is right, but a layer counts whole "
                "rows and takes no fraction, not even .0: divide so that an int comes out."
            )
    for kernel, stride in [(3, 2), (4, 3), (1, 3), (2, 6)]:
        try:
            found = call(function, kernel, stride)
        except LearnersError as error:
            if isinstance(error.__cause__, ValueError):
                continue
            raise
        given = f"For kernel_size = {kernel}, stride = {stride}"
        if (kernel - stride) % 2:
            raise Hint(
                f"{given} no padding will do: the rule gives a half. Your function returns "
                f"{found}; it should raise a ValueError."
            )
        raise Hint(
            f"{given} the kernel is smaller than the stride. Rows would have to be added, and "
            f"padding only cuts off. Your function returns {found}; it should raise a ValueError."
        )


@exercise(notebook="03", stars=1, minutes=5)
def stamp_matrix(function):
    """The matrix of a transposed convolution in one dimension, column by column."""
    for size, n, stride in [(3, 4, 1), (4, 3, 2), (2, 3, 2), (2, 3, 4), (5, 2, 3), (1, 1, 1)]:
        kernel = torch.randn(size)
        given = f"a kernel of {size} numbers, n = {n}, stride = {stride}"
        found = call(function, kernel, n, stride)
        one_by_one = torch.eye(n)[:, None]  # each input alone: what comes out is its column
        right = F.conv_transpose1d(one_by_one, kernel[None, None], stride=stride)[:, 0].T
        expect_tensor(found, None, FLOATS, given)
        if found.shape == right.T.shape != right.shape:
            raise Hint(
                f"For {given} you have {len(found)} rows, one for each input: that is the matrix "
                "of the convolution that goes the other way. Here every input is a column."
            )
        if len(found) == stride * n + size != len(right):
            raise Hint(
                f"For {given} there is room for one stamp more. The last one starts at row "
                "stride · (n − 1)."
            )
        if stride > 1 and found.shape[-1] == n and len(found) == n - 1 + size != len(right):
            raise Hint(
                f"For {given} each column starts one row below the one before. How far apart are "
                "two stamps?"
            )
        expect_tensor(found, right.shape, None, given)
        flipped = F.conv_transpose1d(one_by_one, kernel.flip(0)[None, None], stride=stride)[:, 0].T
        if size > 1 and close(found, flipped):
            raise Hint(
                "Your stamps are upside down. The kernel is turned only for a result that "
                "gathers; here each input hands it out as it is."
            )
        expect_equal(found, right, given)


@exercise(notebook="03", stars=3, minutes=15)
def by_convolution(function):
    """A transposed convolution by zeros between the inputs and an ordinary convolution."""
    cases = [
        ((1, 3, 4), (1, 1, 3, 3), 1, 0),
        ((1, 3, 4), (1, 1, 3, 3), 2, 0),
        ((1, 4, 3), (1, 1, 4, 4), 2, 1),
        ((3, 4, 5), (3, 2, 3, 3), 2, 1),
        ((2, 4, 5), (2, 2, 4, 3), 3, 2),
        ((2, 1, 1), (2, 1, 2, 2), 4, 0),
        ((1, 3, 4), (1, 2, 2, 2), 4, 2),
    ]
    for shape, kernel_shape, stride, padding in cases:
        x, kernel = torch.randn(shape), torch.randn(kernel_shape)
        given = f"x {shape}, kernel {kernel_shape}, stride {stride}, padding {padding}"
        right = F.conv_transpose2d(x[None], kernel, stride=stride, padding=padding)[0]
        try:
            with Watch() as watch:
                found = call(function, x, kernel, stride, padding)
        except LearnersError as error:
            known_error(error, x, kernel, padding)
            raise
        explain_operations(watch)
        expect_tensor(found, None, x.dtype, given)
        explain_size(found, right, kernel, stride, padding, given)
        expect_tensor(found, right.shape, None, given)
        for axes, said in [
            ((2, 3), "The kernel is not turned"),
            ((2,), "The kernel is turned left to right only"),
            ((3,), "The kernel is turned upside down only"),
        ]:
            other = F.conv_transpose2d(x[None], kernel.flip(axes), stride=stride, padding=padding)[
                0
            ]
            if close(found, other) and not close(found, right):
                raise Hint(
                    f"{said}. An output that gathers meets the stamps of its neighbours from the "
                    "other side: turn the kernel by 180 degrees, up and down and left and right."
                )
        if kernel_shape[0] == kernel_shape[1] > 1:
            swapped = kernel.transpose(0, 1)
            other = F.conv_transpose2d(x[None], swapped, stride=stride, padding=padding)[0]
            if close(found, other):
                raise Hint(WRONG_ORDER)
        expect_equal(found, right, given)


WRONG_ORDER = (
    "The channels are in the wrong order: the kernel is [in, out, h, w], and an ordinary "
    "convolution reads [out, in, h, w]."
)


def explain_operations(watch: Watch) -> None:
    """Raise a hint if the result came from a transposed convolution, or from no convolution."""
    kinds = [given["transposed"] for name, given in watch.operations if name == "convolution"]
    backwards = any(name == "convolution_backward" for name, _ in watch.operations)
    if any(kinds) or backwards:
        how = "as the gradient of a convolution" if backwards else "ready made"
        raise Hint(
            f"You take the transposed convolution {how}. The task is to do without it: spread the "
            "inputs, and let an ordinary convolution gather."
        )
    if not kinds:
        raise Hint(
            "No convolution runs in your function. Loops and matrices give the same numbers; here "
            "F.conv2d should do the work, on inputs with zeros between them."
        )


def known_error(error: LearnersError, x, kernel, padding) -> None:
    """Raise a hint in place of a message of torch that means a typical mistake."""
    said = str(error.__cause__).lower()
    if "channels" in said and kernel.shape[0] != kernel.shape[1]:
        raise Hint(f"{WRONG_ORDER} (torch says: {error.__cause__})") from error
    if padding >= min(kernel.shape[2:]) and "negative" in said:
        raise Hint(
            f"With a kernel of {kernel.shape[2]} × {kernel.shape[3]} and padding {padding}, "
            "k − 1 − p is below zero: nothing is added then, and rows are cut off. F.pad takes "
            "negative numbers for that; the padding of F.conv2d does not."
        ) from error


def explain_size(found, right, kernel, stride, padding, given: str) -> None:
    """Raise a hint if the size is wrong in a typical way."""
    if found.ndim != 3 or found.shape[0] != right.shape[0]:
        return
    more = [a - b for a, b in zip(found.shape[1:], right.shape[1:], strict=True)]
    too_much = [max(padding + 1 - k, 0) for k in kernel.shape[2:]]  # of padding, for the kernel
    if any(too_much) and more == [2 * rows for rows in too_much]:
        raise Hint(
            f"For {given} the result keeps rows that a padding larger than k − 1 takes away. A "
            "negative number of zeros is no mistake: F.pad then cuts off."
        )
    height, width = right.shape[1:]
    if stride > 1 and more == [stride - 1] * 2 and not close(found[:, :height, :width], right):
        raise Hint(
            f"For {given} the result is {stride - 1} too high and too wide, and its numbers "
            "differ. What stands between two inputs? Zeros belong there, no copies and no means."
        )
    if stride > 1 and more == [stride - 1] * 2:
        raise Hint(
            f"For {given} the result has {stride - 1} row(s) and column(s) too many. Zeros belong "
            "*between* the inputs; are there some behind the last one, too?"
        )
    if padding and more == [2 * padding] * 2:
        raise Hint(
            f"For {given} nothing is cut off: padding of a transposed convolution makes the "
            "result smaller. Add less around the spread inputs."
        )
    if padding and more == [4 * padding] * 2:
        raise Hint(
            f"For {given} the padding makes the result larger. Around the spread inputs you need "
            "k − 1 zeros, and every row of padding takes one of them away."
        )


@exercise(notebook="03", stars=2, minutes=10)
def phase_sums(function):
    """What a transposed convolution makes of a map of ones, far from the border."""
    cases = [((4, 4), 2), ((3, 3), 2), ((6, 6), 2), ((5, 3), 2), ((7, 7), 3), ((4, 4), 1)]
    for shape, stride in [*cases, ((2, 2), 3), ((1, 1), 4)]:
        kernel = torch.randn(shape)
        given = f"a kernel of {shape[0]} × {shape[1]} and stride {stride}"
        with without(
            lambda name, _: name.startswith("convolution"),
            "You compute the convolution and look. Predict it: which weights of the kernel does "
            "an output of each group see?",
        ):
            found = call(function, kernel, stride)
        expect_tensor(found, None, FLOATS, given)
        if found.numel() == 1 < stride:
            raise Hint(
                f"For {given} you return one number. There are {stride} × {stride} groups of "
                "outputs, and each sees weights of its own."
            )
        expect_tensor(found, (stride, stride), None, given)
        parts = {(a, b): kernel[a::stride, b::stride] for a in range(stride) for b in range(stride)}
        right = torch.stack([part.sum() for part in parts.values()]).view(stride, stride)
        counts = torch.tensor([float(part.numel()) for part in parts.values()])
        if close(found, counts.view(stride, stride)) and not close(found, right):
            raise Hint(
                "You count the weights of each phase. Equal counts do not make a smooth surface: "
                "what do the outputs do with the weights?"
            )
        if close(found, right / counts.view(stride, stride)) and not close(found, right):
            raise Hint("You take the mean of each phase. What overlaps in an output adds up.")
        if close(found, right.flip(0, 1)) and not close(found, right):
            raise Hint(
                "The tile begins at its other end: entry [0, 0] belongs to the first output, which "
                "the kernel's first weight reaches."
            )
        if close(found, right.T) and not close(found, right):
            raise Hint("Rows and columns have changed places: [a, b] is row a and column b.")
        if stride > 1 and all(side % stride == 0 and side > stride for side in shape):
            blocks = kernel.view(stride, shape[0] // stride, stride, -1).sum((1, 3))
            if close(found, blocks):
                raise Hint(
                    f"For {given} you have cut the kernel into {stride} × {stride} blocks of "
                    "neighbours. An output sees every s-th weight."
                )
        whole = [side // stride * stride for side in shape]
        if 0 not in whole and whole != list(shape):
            kept = kernel[: whole[0], : whole[1]]
            kept = kept.view(whole[0] // stride, stride, -1, stride).sum((0, 2))
            if close(found, kept):
                raise Hint(
                    f"For {given} the last row or column is left out. A kernel need not be "
                    "divisible by the stride; then some phases have more weights than others."
                )
        expect_equal(found, right, given)


@exercise(notebook="03", stars=2, minutes=10)
def weighted_mean(function):
    """Divide by the weights that arrived: no dark border, no checkerboard on a flat surface."""
    uneven = torch.tensor([[1.0, 2, 1], [2, 8, 4], [1, 2, 3]])
    with_zeros = torch.tensor([[0.0, 2, 0], [1, 3, 1], [0, 2, 0]])
    cases = [
        ((2, 3, 4, 5), bilinear_kernel(1, 4)[0, 0], 2, 1),
        ((1, 1, 6, 6), uneven, 2, 0),
        ((1, 2, 4, 4), torch.rand(5, 4) + 0.1, 2, 1),
        ((1, 1, 1, 1), torch.rand(3, 3) + 0.1, 1, 1),
        ((1, 2, 3, 3), torch.rand(2, 2) + 0.1, 3, 0),
        ((1, 1, 3, 4), with_zeros, 3, 1),
    ]
    for shape, kernel, stride, padding in cases:
        maps = torch.randn(shape)
        if maps.numel() > 1:
            maps[maps < -0.5] = 0  # zeros are values, too
        found = call(function, maps, kernel, stride, padding)
        sums = stamped(maps, kernel, stride, padding)
        weights = stamped(torch.ones_like(maps), kernel, stride, padding)
        given = (
            f"maps of shape {shape}, a kernel of {kernel.shape[0]} × {kernel.shape[1]}, "
            f"stride {stride}, padding {padding}"
        )
        expect_tensor(found, sums.shape, maps.dtype, given)
        right = torch.where(weights > 0, sums / weights, 0)
        if found.isnan().any():
            raise Hint(
                f"For {given} some outputs are NaN, 0 / 0: no stamp reaches them. They should be 0."
            )
        if not proportional(right, sums) and proportional(found, sums):
            raise Hint(
                "All outputs are divided by the same number (or by none). But at the border fewer "
                "stamps arrive than inside. How large is the sum of the weights at *each* output?"
            )
        arrived = stamped(torch.ones_like(maps), torch.ones_like(kernel), stride, padding)
        if close(found, torch.where(arrived > 0, sums / arrived, 0)) and not close(found, right):
            raise Hint(
                "You divide by how many stamps arrive, as if all weights were alike. Which weight "
                "does each of them bring?"
            )
        of_values = stamped((maps != 0).float(), kernel, stride, padding)
        if close(found, torch.where(of_values > 0, sums / of_values, 0)) and not close(
            found, right
        ):
            raise Hint(
                "You count no weights where the map is 0. Zero is a value like any other: the mean "
                "of 0 and 2 is 1. The weights that arrive do not depend on what the map holds."
            )
        mixed = sums.sum(1, keepdim=True) / weights.sum(1, keepdim=True)
        if shape[1] > 1 and any(
            close(found, torch.where(weights > 0, scale * mixed, 0).expand_as(sums))
            for scale in (1, shape[1])
        ):
            raise Hint(
                "All channels come out alike: every channel stamps into every other. The kernel "
                "is for each channel on its own."
            )
        expect_equal(found, right, given)


def stamped(maps, kernel, stride, padding):
    """Each channel of `[N, C, H, W]` on its own through a transposed convolution."""
    alone = maps.flatten(0, 1)[:, None]
    out = F.conv_transpose2d(alone, kernel[None, None], stride=stride, padding=padding)
    return out.view(*maps.shape[:2], *out.shape[2:])


def proportional(one, other) -> bool:
    """Is the one tensor a number times the other?"""
    factor = (one * other).sum() / (other * other).sum()
    return close(one, factor * other)
