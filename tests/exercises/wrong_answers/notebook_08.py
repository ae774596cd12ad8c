"""Wrong answers to the exercises of notebook 08, each with words of the hint that it must get."""

import torch
import torch.nn.functional as F

from seglab.metrics import iou_of_counts
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


# ---------------------------------------------------------------- costliest_confusion


def most_pixels(counts):
    return divmod(int(counts.clone().fill_diagonal_(0).argmax()), len(counts))


def largest_share(counts):
    off = counts.clone().fill_diagonal_(0) / counts.sum(1, keepdim=True)
    return divmod(int(off.nan_to_num().argmax()), len(counts))


def searched(counts, move=True, mean=torch.nanmean):
    best, place = -1.0, None
    for true, said in counts.nonzero().tolist():
        if true != said:
            better = counts.clone()
            better[true, said] = 0
            better[true, true] += counts[true, said] * move
            if mean(iou_of_counts(better)) > best:
                best, place = mean(iou_of_counts(better)), (true, said)
    return place


def vanishing(counts):
    return searched(counts, move=False)


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
    ],
    "tables_of_images": [
        (void_reaches_counts, "void reaches your counts"),
        (void_as_background, "Void pixels have no row"),
        (too_short, "unless you say how long"),
        (exchanged, "Rows and columns are exchanged"),
        (eight_bits, "does not fit into 8 bits"),
        (equal_parts, "the table of another image"),
    ],
    "without_each": [
        (each_alone, "scores alone"),
        (mean_of_others, "never scores"),
        (always_all, "again and again"),
        (nan_spreads, "the whole mean NaN"),
        (differences, "by how much the score changes"),
    ],
    "outline": [
        (wraps_around, "`roll` wraps"),
        (one_side, "two sides"),
        (along_rows, "one direction only"),
        (corners_too, "at a corner only"),
        (frame_of_the_image, "own edge is marked"),
        (as_numbers, "as numbers"),
    ],
    "costliest_confusion": [
        (most_pixels, "the most pixels"),
        (largest_share, "largest share of a row"),
        (vanishing, "does not vanish"),
        (the_wrong_way_round, "wrong way round"),
        (nan_never_wins, "no comparison with NaN"),
        (fixed_classes, "A single pixel of class 0"),
    ],
}
