"""The exercises of notebook 06: DeepLab."""

import numbers
from collections.abc import Sequence
from math import ceil, gcd, prod

import numpy as np
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
    without,
)


@exercise(notebook="06", stars=1, minutes=5)
def rate_to_see(function):
    """The smallest rate that makes a receptive field large enough."""
    # wanted, seen so far, output stride
    for target, seen, stride in [
        (404, 212, 8),
        (404, 212, 16),
        (100, 3, 1),
        (400, 212, 16),
        (11, 10, 4),
        (1000, 427, 32),
        (50, 50, 8),
        (50, 90, 8),
    ]:
        found = call(function, target, seen, stride)
        given = f"target = {target}, seen = {seen}, output_stride = {stride}"
        expect_equal(found, found, given)  # a number at all?
        more = target - seen
        right = max(1, ceil(more / (2 * stride)))
        if close(found, right):
            continue
        if more <= 0:
            raise Hint(
                f"For {given} you return {found}. The field is large enough as it is, but a "
                "convolution needs a rate: what is the smallest?"
            )
        if found in (ceil(more / stride), more // stride):
            raise Hint(
                f"For {given} you return {found}. A kernel of three reaches out on both sides, so "
                "its field grows by more than one rate."
            )
        if stride > 1 and found in (ceil(more / 2), more // 2):
            raise Hint(
                f"For {given} you return {found}: a rate in pixels. A rate counts positions of "
                "the map. How many pixels lie from one to the next?"
            )
        if close(found, right + 1) and more % (2 * stride) == 0:
            raise Hint(
                f"For {given} you return {found}, but rate {right} is enough: the field is then "
                f"{seen} + 2 · {right} · {stride} = {target}. What does your rounding do to a "
                "number that is whole already?"
            )
        if found in (ceil(more / (3 * stride)), more // (3 * stride)):
            raise Hint(
                f"For {given} you return {found}, as if three taps made three steps. From the "
                "first tap of a kernel to the third there are only two."
            )
        if found in (more // (2 * stride), more / (2 * stride), round(more / (2 * stride))):
            raise Hint(
                f"For {given} you return {described(found)}, and then the field is {seen} + 2 · "
                f"{int(found)} · {stride} = {seen + 2 * int(found) * stride}, too small. A rate is "
                "a whole number; in which direction do you have to round?"
            )
        if found in (ceil(target / (2 * stride)), target // (2 * stride)):
            raise Hint(
                f"For {given} you return {found}: you forget that the layers before see "
                f"{seen} pixels already. Only what is missing must be added."
            )
        expect_equal(found, right, given)


@exercise(notebook="06", stars=2, minutes=10)
def never_seen(function):
    """The places in the receptive field that no path reaches."""
    for kernel, rates in [
        (3, [1]),
        (3, [2, 2]),
        (5, [1]),
        (3, [1, 2, 3]),
        (3, [3, 4, 5]),
        (3, [1, 2, 9]),
        (5, [3, 3]),
        (5, [1, 4]),
        (3, []),
        (7, [2, 5, 14]),
    ]:
        given = f"kernel_size = {kernel}, rates = {rates}"
        found = whole_numbers(call(function, kernel, list(rates)), given)
        seen, union, half = {0}, {0}, kernel // 2
        for rate in rates:
            steps = [rate * tap for tap in range(-half, half + 1)]
            seen = {place + step for place in seen for step in steps}
            union |= set(steps)
        reach = half * sum(rates)
        field = range(-reach, reach + 1)
        right = [place for place in field if place not in seen]
        if found == right:
            continue
        if found == sorted(seen):
            raise Hint(f"For {given} you return the places that are seen. The others are wanted.")
        if right and found == [place for place in right if place > 0]:
            raise Hint(f"For {given} you return one side only: left of the middle lie places, too.")
        if found == [place + reach for place in right]:
            raise Hint(
                f"For {given} you count from the left end of the field. Count from its middle: "
                "left of it, places are negative."
            )
        if found == [place for place in field if place not in union]:
            raise Hint(
                f"For {given}: you look at each layer on its own. A path takes a step in *every* "
                "layer, so the steps of all layers add up."
            )
        ways = {
            "misses the middle tap: a path may also go straight down": [
                [rate * tap for tap in range(-half, half + 1) if tap] for rate in rates
            ],
            "multiplies the rates. Each layer has the rate that is given": [
                [prod(rates[: layer + 1]) * tap for tap in range(-half, half + 1)]
                for layer in range(len(rates))
            ],
        }
        for fault, steps_of_layers in ways.items():
            reached = {0}
            for steps in steps_of_layers:
                reached = {place + step for place in reached for step in steps}
            if found == [place for place in field if place not in reached]:
                raise Hint(f"For {given} your function {fault}.")
        common = gcd(*rates)
        if found == [place for place in field if common and place % common]:
            raise Hint(
                f"For {given} you go by the common factor of the rates. A common factor makes "
                "holes, but there can be holes without one: follow all paths."
            )
        if kernel != 3 and set(found) - set(right):
            raise Hint(
                f"For {given} you leave out places that are seen. How many taps has a kernel of "
                f"{kernel}, and how far from its middle do they lie?"
            )
        if any(abs(place) > reach for place in found):
            raise Hint(
                f"For {given} you name places outside of the receptive field, which reaches from "
                f"{-reach} to {reach}."
            )
        raise Hint(f"For {given} your function returns {found}; right would be {right}.")


def whole_numbers(found, given: str) -> list[int]:
    """The learner's list, sorted; a set, a tuple or a tensor will do as well."""
    if isinstance(found, torch.Tensor):
        found = found.tolist()
    if not isinstance(found, Sequence | set | frozenset) or isinstance(found, str):
        raise Hint(f"For {given} your function returns {described(found)}; expected a list.")
    if not all(isinstance(n, numbers.Number) and n == int(n) for n in found):
        raise Hint(f"For {given} your function returns {described(found)}; expected whole numbers.")
    return sorted(int(n) for n in found)


@exercise(notebook="06", stars=2, minutes=12)
def dilated_by_subgrids(function):
    """A dilated convolution out of ordinary ones."""
    for rate, size in [
        (2, (6, 8)),
        (3, (9, 6)),
        (1, (5, 4)),
        (2, (7, 5)),
        (4, (10, 13)),
        (3, (2, 7)),
    ]:
        x, weight = torch.randn(2, 3, *size), torch.randn(4, 3, 3, 3)
        given = f"rate = {rate} and a map of {size[0]} × {size[1]}"
        try:
            with (
                without(has_holes, "You use torch's own dilation, which is what is to be built."),
                without(
                    large_kernel,
                    "You fill the kernel up with zeros. The numbers are right, but every zero is "
                    "multiplied, too: take the kernel of 3 × 3 as it is, on each sub-grid.",
                ),
            ):
                found = call(function, x, weight, rate)
        except LearnersError as error:
            if isinstance(error.__cause__, RuntimeError) and rate > min(size):
                raise Hint(
                    f"For {given} it ended with an error. With fewer rows than the rate, some "
                    "sub-grids have no rows at all."
                ) from None
            if isinstance(error.__cause__, RuntimeError) and any(n % rate for n in size):
                raise Hint(
                    f"For {given} it ended with an error: {error.__cause__} This size cannot be "
                    "divided by the rate, so the sub-grids are not equally large."
                ) from None
            raise
        expect_tensor(found, (2, 4, *size), torch.float32, given)
        right = F.conv2d(x, weight, padding=rate, dilation=rate)
        if close(found, right):
            continue
        if close(found, F.conv2d(x, weight.flip(2, 3), padding=rate, dilation=rate)):
            raise Hint(
                f"For {given} your kernel is turned by half a turn. A network's convolution does "
                "not flip its kernel."
            )
        if close(found, F.conv2d(x, weight.mT, padding=rate, dilation=rate)):
            raise Hint(f"For {given} rows and columns of your kernel are swapped.")
        if close(found, F.conv2d(x, weight, padding=1)):
            raise Hint(
                f"For {given} your result is that of rate 1: each output sees its direct "
                "neighbours. On which sub-grid do its taps lie?"
            )
        first = found[..., ::rate, ::rate]
        if close(first, right[..., ::rate, ::rate]):
            rest = torch.ones(size, dtype=torch.bool)
            rest[::rate, ::rate] = False
            other = found[..., rest]
            if not other.any():
                raise Hint(
                    f"For {given} most positions are zero: you fill one sub-grid, and there are "
                    f"{rate * rate} of them."
                )
            diagonal = torch.zeros(size, dtype=torch.bool)
            for start in range(rate):
                diagonal[start::rate, start::rate] = True
            if not found[..., ~diagonal].any():
                raise Hint(
                    f"For {given} you fill the sub-grids that start in equal rows and columns "
                    "only. Each row to start with goes together with each column."
                )
            larger = first.repeat_interleave(rate, 2).repeat_interleave(rate, 3)
            if close(found, larger[..., : size[0], : size[1]]):
                raise Hint(
                    f"For {given} the result comes in blocks of equal numbers: one sub-grid, "
                    "enlarged. The other sub-grids have answers of their own."
                )
        if all(n % rate == 0 for n in size):
            h, w = (n // rate for n in size)
            blocks = torch.zeros_like(right)
            for i in range(rate):
                for j in range(rate):
                    part = (..., slice(i * h, (i + 1) * h), slice(j * w, (j + 1) * w))
                    blocks[part] = F.conv2d(x[part], weight, padding=1)
            if close(found, blocks):
                raise Hint(
                    f"For {given} you cut the map into tiles. The taps of one output do not lie in "
                    "one tile: they are `rate` rows and columns apart."
                )
        expect_equal(found, right, given)


def has_holes(name: str, given: dict) -> bool:
    """Is this an operation with a dilation above 1?"""
    return any(rate != 1 for rate in given.get("dilation") or [])


def large_kernel(name: str, given: dict) -> bool:
    """Is this a convolution with a kernel larger than 3 x 3?"""
    return name == "convolution" and max(given["weight"].shape[2:]) > 3


@exercise(notebook="06", stars=3, minutes=15)
def dilation_plan(function):
    """Strides and rates that give a network another output stride."""
    resnet = [2, 2, 1, 2, 1, 2, 1]
    for strides, wished in [
        (resnet, 16),
        ([2, 1, 2, 1], 2),
        (resnet, 8),
        ([2, 1, 2, 2, 1], 2),
        ([4, 1, 2, 1, 2, 1], 4),
        ([1, 2, 1, 4, 1], 2),
        ([3, 3, 1], 3),
        ([2, 1, 2], 4),
        ([2, 4, 2], 4),
        ([2, 3, 2, 1], 4),
        ([1], 1),
    ]:
        given = f"strides = {strides}, output_stride = {wished}"
        right = planned(strides, wished)
        try:
            found = call(function, list(strides), wished)
        except LearnersError as error:
            if isinstance(error.__cause__, ValueError):
                raise Hint(
                    f"You refuse {given}, but the strides {right[0]} are possible. Keep a step if "
                    "the product, *with it*, does not exceed the wished one, and go on looking "
                    "after the first step that is taken out."
                ) from None
            raise
        found = two_lists(found, len(strides), given)
        if found == right:
            continue
        new, rates = found
        if new != right[0]:
            if prod(new) != wished:
                raise Hint(
                    f"For {given} your strides are {new}; they multiply to {prod(new)} instead of "
                    f"{wished}."
                )
            raise Hint(
                f"For {given} your strides are {new}. The product is right, but early steps have "
                "gone and later ones have stayed. Keep the first ones: large maps are expensive."
            )
        early, doubled, once, lost = [], [], [], []  # what common mistakes make of the rates
        rate, double, removed = 1, 1, []
        for stride, kept in zip(strides, new, strict=True):
            doubled.append(double)
            once.append(removed[0] if removed else 1)
            lost.append(1 if kept == stride else stride)
            if kept != stride:
                rate, double, removed = rate * stride, double * 2, [*removed, stride]
            early.append(rate)
        if rates == early:
            raise Hint(
                f"For {given} your rates are {rates}: the layer that loses its stride gets the "
                "higher rate as well. It still reads the grid that it was trained on; this is the "
                "surgery trap."
            )
        if set(rates) == {1}:
            raise Hint(
                f"For {given} all your rates are 1. The layers behind a step that is taken out see "
                "a finer grid; their old neighbours are further away."
            )
        if rates == once:
            raise Hint(
                f"For {given} your rates are {rates}. Two steps or more are taken out: each makes "
                "the grid finer once more."
            )
        if rates == doubled:
            raise Hint(
                f"For {given} your rates are {rates}: you double at each step that is taken out. "
                "How much finer is the grid if the stride was not 2?"
            )
        if rates == lost:
            raise Hint(
                f"For {given} your rates are {rates}: only the layers that lose their stride are "
                "dilated, and those behind them are not. It is the other way round."
            )
        raise Hint(
            f"For {given} your function returns {new} and {rates}; right would be {right[0]} and "
            f"{right[1]}."
        )
    for strides, wished in [([2, 2, 2], 16), ([2, 1, 2], 3), ([4, 4], 2)]:
        try:
            found = call(function, list(strides), wished)
        except LearnersError as error:
            if isinstance(error.__cause__, ValueError):
                continue
            raise
        raise Hint(
            f"No choice of the strides {strides} multiplies to {wished}. Your function returns "
            f"{described(found)}; it should raise a ValueError."
        )


def planned(strides: list[int], wished: int) -> tuple[list[int], list[int]]:
    """The right answer: a step is kept while it fits, else it raises the rate of what follows."""
    new, rates, step, rate = [], [], 1, 1
    for stride in strides:
        rates.append(rate)
        if step * stride <= wished:
            new.append(stride)
            step *= stride
        else:
            new.append(1)
            rate *= stride
    return new, rates


ROWS = tuple | list | torch.Tensor | np.ndarray


def two_lists(found, length: int, given: str) -> tuple[list[int], list[int]]:
    """The learner's two lists of whole numbers."""
    if not isinstance(found, ROWS) or len(found) != 2:
        raise Hint(
            f"For {given} your function returns {described(found)}; expected two lists, the "
            "strides and the rates."
        )
    lists = []
    for one in found:
        if not isinstance(one, ROWS) or len(one) != length:
            raise Hint(
                f"For {given} one of your lists is {described(one)}; expected one number for each "
                "layer."
            )
        lists.append([int(n) for n in one])
    return lists[0], lists[1]


@exercise(notebook="06", stars=1, minutes=8)
def aspp_branch(function):
    """Convolution with holes, batch norm, ReLU."""
    for inputs, outputs, rate, size in [
        (3, 4, 6, (15, 20)),
        (2, 5, 1, (7, 9)),
        (4, 2, 12, (15, 11)),
        (1, 1, 3, (1, 1)),
    ]:
        branch = call(function, inputs, outputs, rate)
        given = f"inputs = {inputs}, outputs = {outputs}, rate = {rate}"
        if not isinstance(branch, nn.Module):
            raise Hint(
                f"Expected a network (an nn.Module), which is then called with a map; your "
                f"function returns {described(branch)}."
            )
        x = torch.randn(2, inputs, *size)
        try:
            found = call(branch.train(), x)
        except LearnersError as error:
            if "Kernel size can't be greater" in str(error.__cause__):
                raise Hint(
                    f"For {given} and a map of {size[0]} × {size[1]} the kernel with its holes is "
                    "larger than the map. Which padding keeps the size?"
                ) from None
            if "running_mean should contain" in str(error.__cause__):
                raise Hint(
                    f"For {given} batch norm gets {inputs} channels and was made for another "
                    "number. Does it come before the convolution, or was it made for the inputs?"
                ) from None
            raise
        height, width = size
        norms = [m for m in branch.modules() if isinstance(m, nn.BatchNorm2d)]
        if len(norms) == 1 and norms[0].num_features != outputs:
            raise Hint(
                f"For {given} your batch norm has {norms[0].num_features} channels: it comes in "
                "front of the convolution. Let the convolution go first."
            )
        if isinstance(found, torch.Tensor) and found.ndim == 4:
            if found.shape[2] < height:
                raise Hint(
                    f"For {given} the map shrinks from {height} × {width} to {found.shape[2]} × "
                    f"{found.shape[3]}. Which padding keeps the size at this rate?"
                )
            if found.shape[2] > height:
                raise Hint(
                    f"For {given} the map grows from {height} × {width} to {found.shape[2]} × "
                    f"{found.shape[3]}: there is more padding than the kernel reaches. Does your "
                    "kernel have holes?"
                )
        expect_tensor(found, (2, outputs, *size), torch.float32, f"{given}, the branch's result")
        layers = [m for m in branch.modules() if isinstance(m, nn.Conv2d)]
        if len(norms) != 1 or len(layers) != 1:
            raise Hint(
                f"Expected one nn.Conv2d and one nn.BatchNorm2d in the branch; found {len(layers)} "
                f"and {len(norms)}."
            )
        (layer,), (norm,) = layers, norms
        if layer.kernel_size != (3, 3):
            raise Hint(f"The kernel should be 3 × 3; yours is {layer.kernel_size}.")
        if norm.weight is None or norm.running_mean is None:
            raise Hint(
                "Your batch norm lacks its scale and shift, or its running statistics. Leave its "
                "options as they are."
            )
        if any(isinstance(m, nn.Dropout | nn.Dropout2d) for m in branch.modules()):
            raise Hint("There is a dropout in your branch. In ASPP it comes once, after mixing.")
        if layer.bias is not None:
            raise Hint(
                "Your convolution has a bias. Batch norm subtracts each channel's mean, and the "
                "bias with it: leave it out."
            )
        with torch.no_grad():
            for values in (norm.running_mean, norm.weight, norm.bias):
                values.normal_(std=4)
            norm.running_var.uniform_(0.5, 2)
            weight, norm = layer.weight, norm.eval()
            found = call(branch.eval(), x)
            if (found < 0).any():
                raise Hint(
                    "Some of the results are below zero. What is the last step of the branch, and "
                    "in which order do the three come?"
                )
            right = norm(F.conv2d(x, weight, padding=rate, dilation=rate)).relu()
            if not close(found, right) and close(found, right.clamp(max=6)):
                raise Hint(
                    "Nothing that comes out is larger than 6: that is ReLU6, which cuts at both "
                    "ends. Here ReLU is wanted, which cuts at zero only."
                )
            near = norm(F.conv2d(x, weight, padding=1)).relu()
            early = norm(F.conv2d(x, weight, padding=rate, dilation=rate).relu()).relu()
        if not close(found, right) and close(found, near):
            raise Hint(
                f"For {given} the size is right, but the taps lie next to each other: your kernel "
                "has no holes."
            )
        if not close(found, right) and close(found, early):
            raise Hint("There is a ReLU before batch norm; it belongs behind it only.")
        expect_equal(found, right, given)
