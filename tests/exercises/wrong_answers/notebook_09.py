"""Wrong answers to the exercises of notebook 09, each with words of the hint that it must get."""

import torch

from seglab.datasets.satellite import Tile
from seglab.palettes import VOID

# ---------------------------------------------------------------- disagreement


def over_classes(first, second, num_classes, share):
    """`share` of each class's pixels, of both labellers; void is left out."""
    both = (first != VOID) & (second != VOID)
    return torch.stack(
        [share((first == c) & both, (second == c) & both) for c in range(num_classes)]
    )


def agreement(first, second, num_classes):
    return over_classes(first, second, num_classes, lambda a, b: (a & b).sum() / (a | b).sum())


def with_void(first, second, num_classes):
    shares = []
    for c in range(num_classes):
        one, other = first == c, second == c
        shares.append((one ^ other).sum() / (one | other).sum())
    return torch.stack(shares)


def void_of_the_second_only(first, second, num_classes):
    return with_void(first.masked_fill(second == VOID, VOID), second, num_classes)


def of_the_first(first, second, num_classes):
    return over_classes(first, second, num_classes, lambda a, b: (a & ~b).sum() / a.sum())


def of_the_second(first, second, num_classes):
    return over_classes(first, second, num_classes, lambda a, b: 1 - (a & b).sum() / b.sum())


def of_both_areas(first, second, num_classes):
    def share(a, b):
        return (a ^ b).sum() / (a.sum() + b.sum())

    return over_classes(first, second, num_classes, share)


def of_the_picture(first, second, num_classes):
    labelled = ((first != VOID) & (second != VOID)).sum()
    return over_classes(first, second, num_classes, lambda a, b: (a ^ b).sum() / labelled)


def absent_is_zero(first, second, num_classes):
    def share(a, b):
        return (a ^ b).sum() / (a | b).sum().clamp(min=1)

    return over_classes(first, second, num_classes, share)


def over_all_classes(first, second, num_classes):
    both = (first != VOID) & (second != VOID)
    return (first != second)[both].float().mean()


# ---------------------------------------------------------------- a split with a gap


def split(names, west, east, touches, inside=lambda tile, west, east: west <= tile.west < east):
    """Train and val, with another idea of what touches, or of what is in the band."""
    val = [name for name in names if inside(Tile.of(name), west, east)]
    held = {(Tile.of(name).south, Tile.of(name).west) for name in val}
    train = [n for n in names if n not in val and not touches(Tile.of(n), held)]
    return train, val


def near(tile, held, steps=(-15, 0, 15), corners=True, turn=True):
    for up in steps:
        for right in steps:
            west = (tile.west + right + 180) % 360 - 180 if turn else tile.west + right
            if (corners or not up or not right) and (tile.south + up, west) in held:
                return True
    return False


def no_gap(names, west, east):
    return split(names, west, east, lambda tile, held: False)


def four_neighbours(names, west, east):
    return split(names, west, east, lambda tile, held: near(tile, held, corners=False))


def flat_earth(names, west, east):
    return split(names, west, east, lambda tile, held: near(tile, held, turn=False))


def neighbouring_columns(names, west, east):
    def touches(tile, held):
        return (tile.west - west + 15) % 360 < east - west + 30

    return split(names, west, east, touches)


def with_the_eastern_edge(names, west, east):
    return split(names, west, east, near, lambda tile, west, east: west <= tile.west <= east)


def without_the_western_edge(names, west, east):
    return split(names, west, east, near, lambda tile, west, east: west < tile.west < east)


def exchanged(names, west, east):
    return split(names, west, east, near)[::-1]


def val_in_train(names, west, east):
    train, val = split(names, west, east, near)
    return train + val, val


def of_tiles(names, west, east):
    return [[Tile.of(name) for name in part] for part in split(names, west, east, near)]


WRONG = {
    "disagreement": [
        (agreement, "that is how far they agree"),
        (with_void, "Who says nothing does not contradict"),
        (of_the_first, "the pixels of the first labeller"),
        (of_the_second, "the pixels of the second labeller"),
        (of_both_areas, "in it twice"),
        (of_the_picture, "Your whole is the picture"),
        (absent_is_zero, "Nothing is known about such a class"),
        (over_all_classes, "it should be (3,)"),
    ],
    "split_with_gap": [
        (no_gap, "They belong into neither list"),
        (four_neighbours, "all eight neighbours"),
        (flat_earth, "To the east of 165°"),
        (neighbouring_columns, "Only a tile that is really in val"),
        (with_the_eastern_edge, "A tile is named by its western edge"),
        (without_the_western_edge, "but is not in val"),
        (exchanged, "changed places"),
        (val_in_train, "tiles are in both lists"),
        (of_tiles, "hold names such as"),
    ],
}
