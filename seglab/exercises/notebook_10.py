"""The exercises of notebook 10: from semantic to instance."""

import math

import torch

from seglab.exercises.checking import Hint, call, close, exercise, expect_equal, expect_tensor
from seglab.instances import mask_iou, precision_recall

# ---------------------------------------------------------------- IoU of masks


@exercise(notebook="10", stars=2, minutes=10)
def mask_ious(function):
    """The IoU of each mask of one set with each of another."""
    one = torch.ones(1, 1, 1, dtype=torch.bool)
    cases = [
        (torch.rand(4, 9, 13) < 0.5, torch.rand(3, 9, 13) < 0.4),
        (torch.rand(2, 40, 50) < 0.9, torch.rand(5, 40, 50) < 0.9),  # above 255 pixels
        (torch.rand(30, 24, 32) < 0.3, torch.rand(20, 24, 32) < 0.6),
        (one, one),
        (torch.stack([one[0], ~one[0]]), torch.stack([~one[0], one[0]])),  # empty masks
        (torch.rand(0, 6, 5) < 0.5, torch.rand(3, 6, 5) < 0.5),
        (torch.rand(2, 6, 5) < 0.5, torch.rand(0, 6, 5) < 0.5),
    ]
    for first, second in cases:
        given = f"masks {tuple(first.shape)} and {tuple(second.shape)}"
        found = call(function, first, second)
        right = mask_iou(first, second)
        if isinstance(found, torch.Tensor) and found.shape == right.T.shape != right.shape:
            raise Hint(
                f"For {given} the shape is {tuple(found.shape)}: rows and columns have changed "
                "places. A row is a mask of the first set."
            )
        expect_tensor(found, tuple(right.shape), given=given)
        if close(found, right):
            continue
        if found.isnan().any() and close(found.nan_to_num(0), right):
            raise Hint(
                "Two empty masks have a union of no pixels, and 0 / 0 is not a number (NaN). Their "
                "IoU is to be 0: what must the union be at least, so that 0 comes out?"
            )
        a, b = first.flatten(1).double(), second.flatten(1).double()
        common, areas = a @ b.T, a.sum(1)[:, None] + b.sum(1)
        if close(found, common):
            raise Hint(
                "These are the numbers of common pixels, which large masks have more of. Divide "
                "them by what the two masks cover together."
            )
        if close(found, common / areas):
            raise Hint(
                f"Two equal masks get {(common / areas).max():.2f} from you at most. In the sum of "
                "both areas, the common pixels are counted twice."
            )
        if close(found, 2 * common / areas):
            raise Hint("This is Dice, twice the common pixels over both areas (notebook 08).")
        if close(found, common / a.sum(1)[:, None]) or close(found, common / b.sum(1)):
            raise Hint(
                "A mask that covers everything gets 1 with whatever lies below it: you divide by "
                "the area of one of the two masks. The whole is their union."
            )
        if first[0].numel() > 255:
            raise Hint(
                f"For {given} the numbers are wrong, though those of small masks are right. Does a "
                "count start again at 0 after 255? That is how far `uint8` goes."
            )
        expect_equal(found, right, given)


# ---------------------------------------------------------------- the area under the stairs


def area(right: torch.Tensor, objects: int, best: bool = True) -> float:
    """Average precision as an area; `right` is sorted, the surest first."""
    precision, _ = precision_recall(right, objects)
    if best:
        precision = precision.flip(0).cummax(0).values.flip(0)
    return (precision * right).sum().item() / objects


@exercise(notebook="10", stars=2, minutes=15)
def area_under_stairs(function):
    """Average precision in PASCAL VOC's way."""
    shuffled = [torch.randperm(count) for count in (8, 30, 12, 12)]
    cases = [
        (1 - order / len(order), torch.rand(len(order)) < share, objects)
        for order, share, objects in zip(
            shuffled, (0.5, 0.4, 0.0, 1.0), (6, 40, 5, 12), strict=True
        )
    ]
    cases.append((torch.tensor([0.5]), torch.tensor([True]), 1))
    cases.append((torch.zeros(0), torch.zeros(0, dtype=torch.bool), 4))
    cases.append((torch.tensor([0.3, 0.6]), torch.tensor([False, False]), 0))
    for scores, hits, objects in cases:
        given = f"{len(hits)} predictions, {int(hits.sum())} of them right, and {objects} objects"
        found = call(function, scores, hits, objects)
        ranked = hits[scores.argsort(descending=True)]
        expected = area(ranked, objects) if objects else math.nan
        _look_at_the_area(found, expected, hits, ranked, objects, given)


def _look_at_the_area(found, expected, hits, ranked, objects, given):
    """Raise what is wrong with one number."""
    if isinstance(found, torch.Tensor) and found.numel() == 1:
        found = found.item()
    if not isinstance(found, int | float):
        expect_equal(torch.as_tensor(found), expected, given)
    if close(found, expected):
        return
    if not objects:
        raise Hint(
            f"Without a true object there is nothing to find: {given} have no score (NaN), and "
            f"the class is left out of the mean. You return {found:.4g}."
        )
    if not len(hits):
        raise Hint(f"For {given} nothing is found: 0. You return {found:.4g}.")
    if close(found, area(hits, objects)):
        raise Hint(
            "You take the predictions in the order in which they came. Their scores say who "
            "is first."
        )
    if close(found, area(ranked.flip(0), objects)):
        raise Hint("You let the least sure prediction go first: a sort begins with the lowest.")
    if close(found, area(ranked, objects, best=False)):
        raise Hint(
            "You take the precision at each right prediction as it is, so the curve has teeth. "
            "What counts is the best precision from there on."
        )
    precision, _ = precision_recall(ranked, objects)
    forward = (precision.cummax(0).values * ranked).sum() / objects
    if close(found, forward):
        raise Hint(
            "You take the best precision so far, from the sure end. Asked for is the best at this "
            "recall or a higher one: look from the other end."
        )
    if hits.any() and close(found, area(ranked, int(hits.sum()))):
        raise Hint(
            "You divide by the objects that were found. Those that nobody found belong to the "
            "whole, too, and have precision 0."
        )
    if close(found, area(ranked, len(hits))):
        raise Hint(
            "You divide by the number of predictions. Recall asks how many of the true objects "
            "are found."
        )
    expect_equal(found, expected, given)
