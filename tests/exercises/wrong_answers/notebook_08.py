"""Wrong answers to the exercises of notebook 08, each with words of the hint that it must get."""

import torch
import torch.nn.functional as F

from seglab.metrics import count_pairs, iou_of_counts
from seglab.palettes import VOID

# ---------------------------------------------------------------- iou_from_precision_and_recall


def harmonic_mean(precision, recall):
    return 2 * precision * recall / (precision + recall)


def mean_of_both(precision, recall):
    return (precision + recall) / 2


def product(precision, recall):
    return precision * recall


def smaller(precision, recall):
    return min(precision, recall)


def divides_by_zero(precision, recall):
    return 1 / (1 / precision + 1 / recall - 1)


def hits_twice(precision, recall):
    return precision * recall / (precision + recall) if precision else 0.0


def in_percent(precision, recall):
    return 100 / (1 / precision + 1 / recall - 1) if precision else 0.0


def full_mark_for_nothing(precision, recall):
    return 1 / (1 / precision + 1 / recall - 1) if precision else 1.0


# ---------------------------------------------------------------- tables_of_images


def counted(predictions, masks, num_classes, keep, pairs=None):
    """The tables from the pixels to keep, by three digits."""
    image = torch.arange(len(masks)).view(-1, 1, 1).expand(masks.shape)
    if pairs is None:
        pairs = masks.long() * num_classes + predictions
    numbers = (image * num_classes**2 + pairs)[keep]
    counts = torch.bincount(numbers, minlength=len(masks) * num_classes**2)
    return counts.view(len(masks), num_classes, num_classes)


def void_reaches_counts(predictions, masks, num_classes):
    return counted(predictions, masks, num_classes, torch.ones_like(masks, dtype=torch.bool))


def void_as_background(predictions, masks, num_classes):
    masks = masks.where(masks != VOID, 0)
    return void_reaches_counts(predictions, masks, num_classes)


def too_short(predictions, masks, num_classes):
    keep = masks != VOID
    image = torch.arange(len(masks)).view(-1, 1, 1)
    numbers = (image * num_classes + masks.long()) * num_classes + predictions
    return torch.bincount(numbers[keep]).view(len(masks), num_classes, num_classes)


def exchanged(predictions, masks, num_classes):
    pairs = predictions.long() * num_classes + masks
    return counted(predictions, masks, num_classes, masks != VOID, pairs)


def eight_bits(predictions, masks, num_classes):
    pairs = masks * num_classes + predictions  # uint8
    return counted(predictions, masks, num_classes, masks != VOID, pairs)


def equal_parts(predictions, masks, num_classes):
    keep = masks != VOID
    pairs = masks[keep].long() * num_classes + predictions[keep]
    image = torch.arange(len(pairs)) * len(masks) // max(1, len(pairs))
    counts = torch.bincount(image * num_classes**2 + pairs, minlength=len(masks) * num_classes**2)
    return counts.view(len(masks), num_classes, num_classes)


def as_shares(predictions, masks, num_classes):
    tables = counted(predictions, masks, num_classes, masks != VOID)
    return tables / tables.sum((1, 2), keepdim=True).clamp(min=1)


def goes_on_counting(predictions, masks, num_classes):
    return counted(predictions, masks, num_classes, masks != VOID).cumsum(0)


def image_last(predictions, masks, num_classes):
    image = torch.arange(len(masks)).view(-1, 1, 1)
    numbers = (masks.long() * num_classes + predictions) * len(masks) + image
    counts = torch.bincount(numbers[masks != VOID], minlength=len(masks) * num_classes**2)
    return counts.view(len(masks), num_classes, num_classes)


def image_by_image(predictions, masks, num_classes):
    pairs = zip(predictions, masks, strict=True)
    return torch.stack([count_pairs(p, m, num_classes)[0] for p, m in pairs])


# ---------------------------------------------------------------- without_each


def each_alone(tables):
    return iou_of_counts(tables).nanmean(1)


def mean_of_others(tables):
    alone = each_alone(tables)
    return (alone.sum() - alone) / (len(alone) - 1)


def always_all(tables):
    return iou_of_counts(tables.sum(0)).nanmean().repeat(len(tables))


def nan_spreads(tables):
    return iou_of_counts(tables.sum(0) - tables).mean(1)


def differences(tables):
    return iou_of_counts(tables.sum(0) - tables).nanmean(1) - iou_of_counts(tables.sum(0)).nanmean()


def absent_as_zero(tables):
    return iou_of_counts(tables.sum(0) - tables).nan_to_num(0).mean(1)


def pixel_accuracies(tables):
    others = tables.sum(0) - tables
    return others.diagonal(dim1=1, dim2=2).sum(1) / others.sum((1, 2))


def of_dice(tables):
    iou = iou_of_counts(tables.sum(0) - tables)
    return (2 * iou / (1 + iou)).nanmean(1)


def from_each_on(tables):
    parts = [tables[first:].sum(0) for first in range(len(tables))]
    return iou_of_counts(torch.stack(parts)).nanmean(1)


# ---------------------------------------------------------------- outline


def wraps_around(mask):
    return torch.stack([mask != mask.roll(s, d) for s in (1, -1) for d in (0, 1)]).any(0)


def one_side(mask):
    edge = torch.zeros_like(mask, dtype=torch.bool)
    edge[:-1] |= mask[:-1] != mask[1:]
    edge[:, :-1] |= mask[:, :-1] != mask[:, 1:]
    return edge


def along_rows(mask):
    edge = torch.zeros_like(mask, dtype=torch.bool)
    edge[:, :-1] |= mask[:, :-1] != mask[:, 1:]
    edge[:, 1:] |= mask[:, :-1] != mask[:, 1:]
    return edge


def corners_too(mask):
    x = mask[None].float()
    return (F.max_pool2d(x, 3, 1, 1) != -F.max_pool2d(-x, 3, 1, 1))[0]


def frame_of_the_image(mask):
    padded = F.pad(mask.int(), [1] * 4, value=-1)
    middle = padded[1:-1, 1:-1]
    others = padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]
    return torch.stack([middle != other for other in others]).any(0)


def as_numbers(mask):
    found = along_rows(mask) | along_rows(mask.T).T
    return found.to(torch.uint8)


def laplacian(mask):
    kernel = torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]])[None, None]
    return F.conv2d(F.pad(mask[None, None].float(), [1] * 4, mode="replicate"), kernel)[0, 0] != 0


def void_is_silent(mask):
    return (along_rows(mask) | along_rows(mask.T).T) & (mask != VOID)


def too_thick(mask):
    found = as_numbers(mask)[None].float()
    return F.max_pool2d(found, 3, 1, 1)[0] > 0


def inside(mask):
    return ~as_numbers(mask).bool()


# ---------------------------------------------------------------- costliest_confusion


def most_pixels(counts):
    return divmod(int(counts.clone().fill_diagonal_(0).argmax()), len(counts))


def largest_share(counts):
    off = counts.clone().fill_diagonal_(0) / counts.sum(1, keepdim=True)
    return divmod(int(off.nan_to_num().argmax()), len(counts))


def move(table, true, said):
    table[true, true] += table[true, said]
    table[true, said] = 0


def searched(counts, fix=move, mean=torch.nanmean, anew=True):
    best, place, better = -1.0, None, counts.clone()
    for true, said in counts.nonzero().tolist():
        if true != said:
            better = counts.clone() if anew else better
            fix(better, true, said)
            if mean(iou_of_counts(better)) > best:
                best, place = mean(iou_of_counts(better)), (true, said)
    return place


def vanishing(counts):
    def fix(table, true, said):
        table[true, said] = 0

    return searched(counts, fix)


def hits_of_the_other(counts):
    def fix(table, true, said):
        table[said, said] += table[true, said]
        table[true, said] = 0

    return searched(counts, fix)


def both_directions(counts):
    def fix(table, true, said):
        move(table, true, said)
        move(table, said, true)

    return searched(counts, fix)


def never_put_back(counts):
    return searched(counts, anew=False)


def without_background(counts):
    return searched(counts, mean=lambda iou: iou[1:].nanmean())


def stays_in_its_place(counts):
    def fix(table, true, said):
        table[true, true] += table[true, said]

    return searched(counts, fix)


def largest_share_of_a_column(counts):
    off = counts.clone().fill_diagonal_(0) / counts.sum(0, keepdim=True)
    return divmod(int(off.nan_to_num().argmax()), len(counts))


def the_wrong_way_round(counts):
    return searched(counts)[::-1]


def nan_never_wins(counts):
    place = searched(counts, mean=torch.mean)
    return place[0], place[1]


def fixed_classes(counts):
    labelled = counts.sum(1) > 0
    return searched(counts, mean=lambda iou: iou[labelled].mean())


WRONG = {
    "iou_from_precision_and_recall": [
        (harmonic_mean, "the harmonic mean"),
        (mean_of_both, "the mean of the two"),
        (product, "That is the product"),
        (smaller, "the smaller one"),
        (divides_by_zero, "not a single hit"),
        (hits_twice, "twice in the union"),
        (in_percent, "That is percent"),
        (full_mark_for_nothing, "its union has pixels"),
    ],
    "tables_of_images": [
        (void_reaches_counts, "void reaches your counts"),
        (void_as_background, "Void pixels have no row"),
        (too_short, "unless you say how long"),
        (exchanged, "Rows and columns are exchanged"),
        (eight_bits, "does not fit into 8 bits"),
        (equal_parts, "the table of another image"),
        (as_shares, "should be int64"),
        (goes_on_counting, "begin anew"),
        (image_last, "the last digit of your numbers"),
        (image_by_image, "image by image"),
    ],
    "without_each": [
        (each_alone, "scores alone"),
        (mean_of_others, "never scores"),
        (always_all, "again and again"),
        (nan_spreads, "the whole mean NaN"),
        (differences, "by how much the score changes"),
        (absent_as_zero, "counts as 0"),
        (pixel_accuracies, "That is pixel accuracy"),
        (of_dice, "mean Dice"),
        (from_each_on, "from each one on"),
    ],
    "outline": [
        (wraps_around, "`roll` wraps"),
        (one_side, "two sides"),
        (along_rows, "one direction only"),
        (corners_too, "at a corner only"),
        (frame_of_the_image, "own edge is marked"),
        (as_numbers, "as numbers"),
        (laplacian, "two of them can cancel"),
        (void_is_silent, "Is void (255) left out?"),
        (too_thick, "the line is too thick"),
        (inside, "all neighbours are alike"),
    ],
    "costliest_confusion": [
        (most_pixels, "the most pixels"),
        (largest_share, "largest share of a row"),
        (vanishing, "does not vanish"),
        (the_wrong_way_round, "wrong way round"),
        (nan_never_wins, "no comparison with NaN"),
        (fixed_classes, "A single pixel of class 0"),
        (largest_share_of_a_column, "largest share of a column"),
        (hits_of_the_other, "hits of the class that was said"),
        (both_directions, "in both directions"),
        (never_put_back, "do the corrections pile up"),
        (without_background, "a mean without background"),
        (stays_in_its_place, "the pixels leave the other class"),
    ],
}


# ---------------------------------------------------------------- right, in another style


def from_dice(precision, recall):
    if precision + recall == 0:
        return 0
    dice = 2 * precision * recall / (precision + recall)
    return torch.tensor(dice / (2 - dice))


def bytes_and_numbers(predictions, masks, num_classes):
    image = torch.arange(len(masks))[:, None, None]
    numbers = (image * num_classes + masks) * num_classes + predictions  # int64, of two types
    counts = torch.bincount(numbers[masks != VOID], minlength=len(masks) * num_classes**2)
    return counts.reshape(-1, num_classes, num_classes)


def products_of_one_hot(predictions, masks, num_classes):
    true = F.one_hot(masks.long().where(masks != VOID, num_classes), num_classes + 1)
    said = F.one_hot(predictions.long(), num_classes)
    return torch.einsum("nhwt,nhws->nts", true[..., :num_classes], said)


def one_after_the_other(tables):
    parts = [torch.cat([tables[:i], tables[i + 1 :]]) for i in range(len(tables))]
    return [float(iou_of_counts(part.sum(0)).nanmean()) for part in parts]


def by_pooling(mask):
    x = mask[None].float()

    def highest(x):
        return torch.maximum(F.max_pool2d(x, (3, 1), 1, (1, 0)), F.max_pool2d(x, (1, 3), 1, (0, 1)))

    return (highest(x) != -highest(-x))[0]


def as_a_tensor(counts):
    return torch.tensor(searched(counts))


RIGHT = {
    "iou_from_precision_and_recall": [from_dice],
    "tables_of_images": [bytes_and_numbers, products_of_one_hot],
    "without_each": [one_after_the_other],
    "outline": [by_pooling],
    "costliest_confusion": [as_a_tensor],
}
