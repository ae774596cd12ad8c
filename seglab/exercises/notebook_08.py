"""The exercises of notebook 08: scores."""

import torch

from seglab.exercises.checking import (
    Hint,
    LearnersError,
    Watch,
    call,
    close,
    described,
    exercise,
    expect_equal,
    expect_tensor,
)
from seglab.metrics import count_pairs, iou_of_counts
from seglab.palettes import VOID

# ---------------------------------------------------------------- a formula


@exercise(notebook="08", stars=1, minutes=5)
def iou_from_precision_and_recall(function):
    """IoU of a class from its precision and recall."""
    for p, r in [(0.8, 0.6), (0.5, 0.5), (1.0, 0.25), (0.1, 0.9), (1.0, 1.0), (1e-3, 1e-3)]:
        found, given = call(function, p, r), f"precision {p}, recall {r}"
        right = 1 / (1 / p + 1 / r - 1)
        for value, hint in {
            2 * p * r / (p + r): "That is Dice (F1), the harmonic mean of the two. IoU is lower: "
            "a pixel that is wrong or missed counts more there.",
            (p + r) / 2: "That is the mean of the two. IoU is never above either of them: every "
            "missed pixel and every wrong one makes the union larger.",
            p * r: "That is the product. Write both as fractions with the hits on top, set the "
            "hits to 1, and see how large the true region, the predicted one and the union are.",
            min(p, r): "That is the smaller one of the two. It would be right if one region "
            "lay inside of the other.",
            p * r / (p + r): "Hits are in the true region and in the predicted one. You count them "
            "twice in the union.",
            100 * right: "That is percent. Return a share from 0 to 1.",
            1 / right: "That is the union over the intersection.",
        }.items():
            if not close(value, right) and close(found, value):
                raise Hint(f"For {given} you return {described(found)}. {hint}")
        expect_equal(found, right, given)
    try:
        found = call(function, 0.0, 0.0)
    except LearnersError as error:
        if isinstance(error.__cause__, ZeroDivisionError):
            raise Hint(
                "Precision and recall 0: not a single hit, and you divide by zero. The union is "
                "not empty, so this class has a score. Which?"
            ) from error
        raise
    if not close(found, 0.0):
        raise Hint(
            f"For precision 0, recall 0 you return {described(found)}. The class is there, or was "
            "predicted, so its union has pixels; the intersection has none."
        )


# ---------------------------------------------------------------- many tables at once


def random_masks(shape, classes: int, void: float = 0.2) -> tuple[torch.Tensor, torch.Tensor]:
    """Predictions `uint8 [N, H, W]`, right in every second pixel, and masks with some void."""
    mask = torch.randint(0, classes, shape, dtype=torch.uint8)
    other = torch.randint(0, classes, shape, dtype=torch.uint8)
    prediction = mask.where(torch.rand(shape) < 0.5, other)
    return prediction, mask.where(torch.rand(shape) >= void, VOID)


def tables_of(predictions, masks, classes: int) -> torch.Tensor:
    """One confusion matrix for each image, `int64 [N, C, C]`."""
    pairs = zip(predictions, masks, strict=True)
    return torch.stack([count_pairs(p, m, classes)[0] for p, m in pairs])


@exercise(notebook="08", stars=2, minutes=10)
def tables_of_images(function):
    """The confusion matrices of many images, counted in one go."""
    few = random_masks((3, 4, 6), 5)
    few[1][0, :3] = VOID  # so that the images have different numbers of labelled pixels
    absent = random_masks((4, 3, 3), 3)  # of 6 classes
    all_void = (torch.ones(2, 2, 3).byte(), torch.full((2, 2, 3), VOID, dtype=torch.uint8))
    pixel = (torch.tensor([[[1]]]).byte(), torch.tensor([[[0]]]).byte())
    many = random_masks((3, 20, 20), 21)
    for (predictions, masks), classes, name in (
        (few, 5, "three images, five classes, some void"),
        (absent, 6, "four images of three classes out of six"),
        (all_void, 3, "two images that are all void"),
        (pixel, 2, "one image of one pixel"),
        (many, 21, "three images, 21 classes"),
    ):
        expected = tables_of(predictions, masks, classes)
        try:
            with Watch() as watch:
                found = call(function, predictions, masks, classes)
        except LearnersError as error:
            words = str(error.__cause__)
            if "is invalid for input of size" in words:
                length = int(words.rsplit(" ", 1)[1])
                shorter = length < expected.numel()
                raise Hint(
                    f"For {name} your list of counts has {length} numbers; the tables have "
                    f"{expected.numel()}. "
                    + (
                        "The list of `bincount` ends with the highest pair that occurs, unless you "
                        "say how long it must be."
                        if shorter
                        else "Higher pairs occur than there are squares: void reaches your counts."
                    )
                ) from error
            raise
        expect_tensor(found, tuple(expected.shape), torch.int64, name)
        if close(found, expected):
            if sum(operation == "bincount" for operation, _ in watch.operations) > 1:
                raise Hint(
                    "The right tables, but you count image by image. With a third digit for the "
                    "image, one `bincount` is enough for all."
                )
            continue
        if close(found, expected.cumsum(0)):
            raise Hint(
                f"For {name} each table holds the pixels of the images before it, too. Does a "
                "matrix go on counting where it should begin anew?"
            )
        if close(found.flatten().view(classes, classes, len(masks)).permute(2, 0, 1), expected):
            raise Hint(
                "The image is the last digit of your numbers, so the list is ordered by class "
                "first. Which digit changes slowest in [N, C, C]?"
            )
        if classes == 21:
            raise Hint(
                "With five classes your counts are right, with 21 they are not. The masks are "
                "uint8, and 13 · 21 does not fit into 8 bits: it starts again at 0. Which type "
                "should the pairs have?"
            )
        if close(found.mT, expected):
            raise Hint(
                "Rows and columns are exchanged. Rows are what it is, columns what was said."
            )
        if int(found.sum()) == masks.numel() != int(expected.sum()):
            raise Hint(
                f"For {name} you count all {masks.numel()} pixels. Void pixels have no row: only "
                f"{int(expected.sum())} are labelled."
            )
        if close(found.sum(0), expected.sum(0)):
            raise Hint(
                f"For {name} the sum of your tables is right, but pixels are counted in the table "
                "of another image. Once void is taken out, the images do not have equally many "
                "pixels any more: what tells you which image a pixel comes from?"
            )
        expect_equal(found, expected, name)


# ---------------------------------------------------------------- leave one out


@exercise(notebook="08", stars=2, minutes=5)
def without_each(function):
    """The data set's mean IoU without each of its images."""
    tables = tables_of(*random_masks((6, 5, 5), 4), 4)
    tables[0] *= 20  # one large image
    others = tables.sum(0) - tables
    expected, alone = iou_of_counts(others).nanmean(1), iou_of_counts(tables).nanmean(1)
    found, name = scores_of(function, tables), "six images, one of them large"
    for hint, value in {
        "That is what each image scores alone. Asked is the score of all the others together.": (
            alone
        ),
        "That is the mean of the other images' scores. Add up tables, never scores.": (
            (alone.sum() - alone) / 5
        ),
        "Those are percent; return shares from 0 to 1.": 100 * expected,
        "That is by how much the score changes. Return the score itself.": (
            expected - iou_of_counts(tables.sum(0)).nanmean()
        ),
        "That is the score of the whole data set, again and again. Which table has to go?": (
            iou_of_counts(tables.sum(0)).nanmean().expand(6)
        ),
        "That is pixel accuracy. Asked is mean IoU: a score for each class, then the mean.": (
            others.diagonal(dim1=1, dim2=2).sum(1) / others.sum((1, 2))
        ),
        "That is mean Dice.": (
            (2 * iou_of_counts(others) / (1 + iou_of_counts(others))).nanmean(1)
        ),
        "You leave out class 0. Background is a class like the others here.": (
            iou_of_counts(others)[:, 1:].nanmean(1)
        ),
        "Those are the images from each one on. Only one image is left out at a time.": (
            iou_of_counts(tables.flip(0).cumsum(0).flip(0)).nanmean(1)
        ),
    }.items():
        if close(found, value):
            raise Hint(f"For {name} you return {described(found)}. {hint}")
    expect_equal(found, expected, name)

    absent = torch.zeros(3, 5, 5, dtype=torch.int64)
    absent[:, :2, :2] = tables_of(*random_masks((3, 4, 4), 2), 2)
    absent[1, 3, 0] = 2  # class 3 occurs in one image, classes 2 and 4 in none
    for few, name in (
        (absent, "three images with classes that do not occur"),
        (tables[:2], "two images"),
    ):
        found = scores_of(function, few)
        of_classes = iou_of_counts(few.sum(0) - few)
        expected = of_classes.nanmean(1)
        somewhere = ~iou_of_counts(few.sum(0)).isnan()
        zeros = of_classes.nan_to_num(0)
        if not close(found, expected) and any(
            close(found, wrong) for wrong in (zeros.mean(1), zeros[:, somewhere].mean(1))
        ):
            raise Hint(
                f"For {name} you return {described(found)}: a class that is neither true nor "
                "predicted counts as 0. Once an image is gone, a class may be gone with it."
            )
        if bool(found.isnan().any()):
            raise Hint(
                f"For {name} you return {described(found)}: one class without a score makes "
                "the whole mean NaN. Leave such a class out of the mean."
            )
        expect_equal(found, expected, name)


def scores_of(function, tables: torch.Tensor) -> torch.Tensor:
    """What the learner's function gives for these images; a list of numbers will do."""
    found = call(function, tables)
    if isinstance(found, list | tuple):
        found = torch.tensor([float(value) for value in found])
    expect_tensor(found, (len(tables),), given=f"{len(tables)} images")
    return found


# ---------------------------------------------------------------- outlines


def differs(mask: torch.Tensor, reach=((0, 1), (1, 0), (0, -1), (-1, 0)), outside=None):
    """Where one of these neighbours has another index: `bool [H, W]`.

    Args:
        mask: `[H, W]`.
        reach: the neighbours, in rows and columns.
        outside: the index beyond the edge of the image; None: no neighbours there.
    """
    rows, columns = mask.shape
    padded = torch.nn.functional.pad(mask.int(), [1] * 4, value=-1 if outside is None else outside)
    found = torch.zeros(rows, columns, dtype=torch.bool)
    for row, column in reach:
        other = padded[1 + row : 1 + row + rows, 1 + column : 1 + column + columns]
        found |= (other != mask) & ((other != -1) if outside is None else True)
    return found


def grown(mask: torch.Tensor) -> torch.Tensor:
    """The outline and all eight neighbours of its pixels."""
    return torch.nn.functional.max_pool2d(differs(mask)[None].float(), 3, 1, 1)[0] > 0


@exercise(notebook="08", stars=2, minutes=10)
def outline(function):
    """Where a mask has an outline: a neighbour of another index."""
    mask = torch.zeros(7, 9, dtype=torch.uint8)
    mask[2:5, 3:7], mask[0, 0], mask[5:, 0] = 5, 3, 200
    name = "a rectangle and two patches at the edge"
    found = call(function, mask)
    if isinstance(found, torch.Tensor) and found.dtype != torch.bool:
        if close(found, differs(mask)):
            raise Hint("The right pixels, as numbers. Return them as bool: a mask to index with.")
    expect_tensor(found, (7, 9), torch.bool, name)
    rolled = torch.stack([mask != mask.roll(s, d) for s in (1, -1) for d in (0, 1)]).any(0)
    eight = [(r, c) for r in (-1, 0, 1) for c in (-1, 0, 1) if (r, c) != (0, 0)]
    mistakes = [
        (rolled, "Pixels at the edge are compared with those of the opposite edge: `roll` wraps."),
        (differs(mask, outside=255), "The image's own edge is marked everywhere. There is no "
         "neighbour beyond it, so there is nothing that could differ."),
        (differs(mask, eight), "Pixels that touch another index at a corner only are marked, too. "
         "Each pixel has four neighbours here."),
        (differs(mask) & (mask > 0), "Only things are marked. The background beside a thing has a "
         "neighbour of another index, too."),
        (~differs(mask), "You mark where all neighbours are alike: the opposite."),
        (grown(mask), "You mark pixels that have no other index beside them: the line is too "
         "thick."),
    ]  # fmt: skip
    one_sided = [[(a, 0), (0, b)] for a in (-1, 1) for b in (-1, 1)]
    mistakes += [
        (differs(mask, reach), "Of every pair that differs you mark only one. An outline has two "
         "sides, and each of both pixels is the other's neighbour.")
        for reach in one_sided
    ]  # fmt: skip
    mistakes += [
        (differs(mask, reach), "You look along one direction only: lines that run along it are "
         "missed.")
        for reach in ([(1, 0), (-1, 0)], [(0, 1), (0, -1)])
    ]  # fmt: skip
    for wrong, hint in mistakes:
        if torch.equal(found, wrong):
            raise Hint(f"For {name}: {hint}")
    expect_equal(found, differs(mask), name)
    stairs = torch.arange(9).repeat_interleave(2).view(3, 6).byte()
    stairs[1, 4] = 250
    falling = stairs.long().flip(0, 1)
    for mask, name in ((stairs, "stairs of rising indices"), (falling, "falling ones, int64")):
        expected = differs(mask)
        found = call(function, mask)
        expect_tensor(found, tuple(mask.shape), torch.bool, name)
        if bool((expected & ~found).any()):
            raise Hint(
                f"In {name} you miss pixels whose neighbours differ from them. Indices are names: "
                "ask only whether two are equal. A difference can be negative, two of them can "
                "cancel, and what is not background can differ, too."
            )
        expect_equal(found, expected, name)
    noise = torch.randint(0, 3, (5, 6), dtype=torch.uint8)
    for mask, name in (
        (noise.where(torch.rand(5, 6) < 0.8, VOID), "random classes and void"),
        (torch.tensor([[7]], dtype=torch.uint8), "an image of one pixel"),
        (torch.tensor([[0, 0, 1, 1, 2]], dtype=torch.uint8), "a single row"),
        (torch.tensor([[0, 0, 1, 1, 2]], dtype=torch.uint8).T, "a single column"),
        (torch.full((3, 4), VOID, dtype=torch.uint8), "an image that is all void"),
        (noise.long() * 20, "a mask of type int64"),
    ):
        found = call(function, mask)
        expect_tensor(found, tuple(mask.shape), torch.bool, name)
        expected = differs(mask)
        if bool((expected & ~found).any()) and bool((mask == VOID).any()):
            raise Hint(
                f"For {name} you miss {int((expected & ~found).sum())} pixels. Is void (255) "
                "left out? It is an index like any other here."
            )
        expect_equal(found, expected, name)


# ---------------------------------------------------------------- what an error costs


def gains(counts: torch.Tensor, put_right=None, score=None) -> torch.Tensor:
    """Mean IoU after each kind of confusion is put right, `float64 [C, C]`; −1: no such pixels.

    Args:
        counts: `int64 [C, C]`.
        put_right: how, other than so that the pixels become hits: changes a table, given the pair.
        score: another score of the changed table, given the pair.
    """
    result = torch.full(counts.shape, -1.0, dtype=torch.float64)
    for true, said in counts.nonzero().tolist():
        if true != said:
            better = counts.clone()
            (put_right or to_hits)(better, true, said)
            mean = iou_of_counts(better).nanmean()
            result[true, said] = score(better, true, said) if score else mean
    return result


def to_hits(table: torch.Tensor, true: int, said: int) -> None:
    table[true, true] += table[true, said]
    table[true, said] = 0


def vanish(table: torch.Tensor, true: int, said: int) -> None:
    table[true, said] = 0


def to_hits_of_the_other(table: torch.Tensor, true: int, said: int) -> None:
    table[said, said] += table[true, said]
    table[true, said] = 0


def both_ways(table: torch.Tensor, true: int, said: int) -> None:
    to_hits(table, true, said)
    to_hits(table, said, true)


def place_of_highest(values: torch.Tensor) -> tuple[int, int]:
    return divmod(int(values.argmax()), values.shape[1])


# Every mistake that the check knows picks another pair of this table.
BUSY = [
    [2500, 5, 100, 320, 10],
    [200, 130, 200, 200, 200],
    [20, 0, 1010, 310, 300],
    [30, 100, 0, 260, 200],
    [310, 80, 100, 0, 630],
]


@exercise(notebook="08", stars=3, minutes=15)
def costliest_confusion(function):
    """The confusion that costs the most mean IoU."""
    counts = torch.tensor(BUSY)
    found, name = pair_from(function, counts), f"the table {BUSY}"
    off, before = counts.clone().fill_diagonal_(0), iou_of_counts(counts)
    for hint, wrong in {
        "That is the confusion with the most pixels. Mean IoU gives every class one voice: try "
        "what the mean would be without each confusion.": off,
        "That is the largest share of a row, of what a true class loses. But IoU has the invented "
        "pixels in its union, too.": off / counts.sum(1, keepdim=True),
        "That is the largest share of a column, of what a class has invented. But IoU has the lost "
        "pixels in its union, too.": off / counts.sum(0, keepdim=True),
        "You let the pixels disappear. A pixel that is put right does not vanish: it becomes a hit "
        "of its true class.": gains(counts, vanish),
        "The pixels become hits of the class that was said. They are of the other one.": gains(
            counts, to_hits_of_the_other
        ),
        "You put a pair right in both directions. Those are two kinds of error.": gains(
            counts, both_ways
        ),
        "That helps its true class most. But the pixels leave the other class, too: two IoUs rise, "
        "and the mean is over all.": gains(
            counts, score=lambda table, true, said: (iou_of_counts(table) - before)[true]
        ),
        "It would be right for a mean without background, and for Dice. Take IoU, of all "
        "classes.": gains(
            counts, score=lambda table, true, said: iou_of_counts(table)[1:].nanmean()
        ),
        "That would be the cheapest one.": -gains(counts).where(off > 0, 9),
    }.items():
        if found == place_of_highest(wrong):
            raise Hint(f"You return {found}. {hint}")
    if found == place_of_highest(gains(counts))[::-1]:
        raise Hint(f"You return {found}: the right pair, the wrong way round. First what it is.")
    if found == tuple(off.nonzero()[-1].tolist()):
        raise Hint(
            f"You return {found}, the last confusion of the table. Does each trial begin with the "
            "table as it was, or do the corrections pile up?"
        )
    tried(found, counts, name)

    absent = torch.zeros(7, 7, dtype=torch.int64)
    absent[:5, :5] = counts
    tried(
        pair_from(function, absent, absent=True),
        absent,
        "the same with two classes that are absent",
    )
    stray = absent.clone()
    stray[0, 6] = 1  # a single pixel
    found = pair_from(function, stray)
    if found != (0, 6):
        raise Hint(
            "A single pixel of class 0 is called 6, which occurs nowhere else. You return "
            f"{found}. Once that pixel is right, class 6 is neither true nor predicted: what "
            "becomes of its zero in the mean?"
        )
    for size in (2, 5, 9):
        counts = torch.randint(1, 1000, (size, size))
        tried(pair_from(function, counts), counts, f"a random table of {size} classes")


def pair_from(function, counts: torch.Tensor, absent: bool = False) -> tuple[int, int]:
    """The pair of classes that the learner's function returns."""
    try:
        found = call(function, counts)
    except Hint:
        raise
    except LearnersError as error:
        if absent:
            raise Hint(
                f"It ended with {type(error.__cause__).__name__} for a table with absent classes: "
                "their IoU is NaN, and no comparison with NaN is true."
            ) from error
        raise
    if isinstance(found, torch.Tensor):
        found = found.tolist()
    if not isinstance(found, tuple | list) or len(found) != 2:
        raise Hint(f"Expected a pair (true class, predicted class); found {described(found)}.")
    found = int(found[0]), int(found[1])
    if found[0] == found[1]:
        absent_too = " A class without any pixels has IoU NaN; is that in the way?" * absent
        raise Hint(f"You return {found}: a square of the diagonal is no confusion.{absent_too}")
    return found


def tried(found: tuple[int, int], counts: torch.Tensor, name: str) -> None:
    """Is this pair as good as the best? Else a hint with both means."""
    after = gains(counts)
    if not 0 <= min(found) <= max(found) < len(counts) or after[found] < after.max() - 1e-9:
        best = place_of_highest(after)
        raise Hint(
            f"For {name} you return {found}. Right would be {best}: mean IoU becomes "
            f"{100 * after.max():.2f} % without this confusion."
        )
