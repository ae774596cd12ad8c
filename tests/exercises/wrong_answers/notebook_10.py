"""Wrong answers to the exercises of notebook 10, each with words of the hint that it must get."""

import math

import torch

# ---------------------------------------------------------------- IoU of masks


def parts(first, second):
    """Common pixels and both areas, as float64."""
    a, b = first.flatten(1).double(), second.flatten(1).double()
    return a @ b.T, a.sum(1)[:, None], b.sum(1)


def iou(common, one, other):
    return common / (one + other - common).clamp(min=1)


def common_only(first, second):
    return parts(first, second)[0]


def counted_twice(first, second):
    common, one, other = parts(first, second)
    return common / (one + other)


def dice(first, second):
    common, one, other = parts(first, second)
    return 2 * common / (one + other)


def of_the_first(first, second):
    common, one, _ = parts(first, second)
    return common / one


def columns_first(first, second):
    return iou(*parts(second, first))


def not_a_number(first, second):
    common, one, other = parts(first, second)
    return common / (one + other - common)


def in_bytes(first, second):
    a, b = first.flatten(1).to(torch.uint8), second.flatten(1).to(torch.uint8)
    common = a @ b.T
    union = (a.sum(1)[:, None] + b.sum(1) - common).clamp(min=1)
    return common / union


def pair_by_pair(first, second):
    return (first & second).flatten(1).sum(1) / (first | second).flatten(1).sum(1)


# ---------------------------------------------------------------- the area under the stairs


def stairs(right, objects, best=True):
    if objects == 0:
        return math.nan
    if not len(right):
        return 0.0
    precision = right.cumsum(0) / torch.arange(1, len(right) + 1)
    if best:
        precision = precision.flip(0).cummax(0).values.flip(0)
    return (precision[right].sum() / objects).item()


def sure_first(scores, right):
    return right[scores.argsort(descending=True)]


def not_sorted(scores, right, objects):
    return stairs(right, objects)


def lowest_first(scores, right, objects):
    return stairs(right[scores.argsort()], objects)


def with_teeth(scores, right, objects):
    return stairs(sure_first(scores, right), objects, best=False)


def best_so_far(scores, right, objects):
    right = sure_first(scores, right)
    if not objects or not len(right):
        return stairs(right, objects)
    precision = right.cumsum(0) / torch.arange(1, len(right) + 1)
    return precision.cummax(0).values[right].sum() / objects


def of_those_found(scores, right, objects):
    return stairs(sure_first(scores, right), int(right.sum()))


def of_the_predictions(scores, right, objects):
    return stairs(sure_first(scores, right), len(right))


def zero_without_objects(scores, right, objects):
    return stairs(sure_first(scores, right), objects) if objects else 0.0


def nan_without_predictions(scores, right, objects):
    return stairs(sure_first(scores, right), objects) if len(right) else math.nan


WRONG = {
    "mask_ious": [
        (common_only, "numbers of common pixels"),
        (counted_twice, "counted twice"),
        (dice, "This is Dice"),
        (of_the_first, "the area of one of the two masks"),
        (columns_first, "rows and columns have changed places"),
        (not_a_number, "Two empty masks"),
        (in_bytes, "start again at 0 after 255"),
        (pair_by_pair, "RuntimeError"),
    ],
    "area_under_stairs": [
        (not_sorted, "in the order in which they came"),
        (lowest_first, "least sure prediction go first"),
        (with_teeth, "the curve has teeth"),
        (best_so_far, "look from the other end"),
        (of_those_found, "Those that nobody found"),
        (of_the_predictions, "by the number of predictions"),
        (zero_without_objects, "nothing to find"),
        (nan_without_predictions, "nothing is found: 0"),
    ],
}
