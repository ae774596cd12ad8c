"""The exercises of notebook 09: own images."""

import itertools

import torch

from seglab.datasets.satellite import HIGHEST_LATITUDE, TILE, Tile
from seglab.exercises.checking import Hint, call, close, exercise, expect_equal, expect_tensor
from seglab.metrics import iou_of_counts
from seglab.palettes import VOID

# ---------------------------------------------------------------- two labellers


def counted(first, second, num_classes: int) -> torch.Tensor:
    """`int64 [C, C]`: how many pixels the first calls row and the second calls column."""
    both = (first != VOID) & (second != VOID)
    pairs = first[both].long() * num_classes + second[both].long()
    return pairs.bincount(minlength=num_classes**2).view(num_classes, num_classes)


def labelled(height: int, width: int, num_classes: int, void: float):
    """Two random masks that agree on most pixels; each has a void of its own."""
    first = torch.randint(num_classes, (height, width)).to(torch.uint8)
    other = torch.randint(num_classes, (height, width)).to(torch.uint8)
    second = torch.where(torch.rand(height, width) < 0.7, first, other)
    return [m.masked_fill(torch.rand(height, width) < void, VOID) for m in (first, second)]


@exercise(notebook="09", stars=1, minutes=10)
def disagreement(function):
    """For each class, the share of its pixels on which two labellers differ."""
    cases = [(*labelled(9, 14, 3, void), 3) for void in (0.0, 0.3, 0.3)]
    cases.append((*labelled(1, 1, 2, 0.0), 2))
    cases.append((*labelled(7, 5, 4, 0.2), 6))  # two classes that nobody uses
    cases.append((torch.full((3, 4), VOID, dtype=torch.uint8), *labelled(3, 4, 2, 0.0)[:1], 2))
    for number, (first, second, classes) in enumerate(cases):
        given = f"masks of {first.shape[0]} × {first.shape[1]} pixels and {classes} classes"
        found = call(function, first, second, classes)
        expect_tensor(found, (classes,), given=given)
        counts = counted(first, second, classes)
        right = 1 - iou_of_counts(counts)
        if close(found, right):
            continue
        found = found.detach().double()
        hits, mine, theirs = counts.diagonal(), counts.sum(1), counts.sum(0)
        if close(found, 1 - right):
            raise Hint(
                "Where the two agree in every pixel you return 1, and 0 where they never do: that "
                "is how far they agree. Asked for is the share on which they differ."
            )
        if found.isfinite().all() and right.isnan().any() and close(found, right.nan_to_num(0)):
            raise Hint(
                "A class that neither labeller uses gets 0 from you, as if they agreed about it. "
                "Nothing is known about such a class: not a number (NaN)."
            )
        for own, whose in ((mine, "first"), (theirs, "second")):
            if close(found, 1 - hits / own):
                raise Hint(
                    f"Exchange the two masks, and your numbers change: you divide by the pixels of "
                    f"the {whose} labeller. Neither of them is the truth; the whole is "
                    "every pixel to which at least one of the two gives the class."
                )
        if close(found, 1 - 2 * hits / (mine + theirs)):
            raise Hint(
                "You divide by the areas of both together, so pixels on which the two agree are in "
                "it twice. Count every pixel of either of them once."
            )
        if close(found, (mine + theirs - 2 * hits) / counts.sum()):
            raise Hint(
                "Your whole is the picture: all pixels that both have labelled. A small class then "
                "looks harmless, however much they differ about it. Divide by that class's own "
                "pixels."
            )
        if number:  # the first case has no void
            with_void = [
                1 - _iou(one, other, classes)
                for one, other in (
                    (first, second),
                    (first.masked_fill(second == VOID, VOID), second),
                    (first, second.masked_fill(first == VOID, VOID)),
                )
            ]
            if any(close(found, wrong) for wrong in with_void):
                raise Hint(
                    "You count pixels that one of the two has left void as disagreement. Who says "
                    "nothing does not contradict: leave out what is void in either mask."
                )
        expect_equal(found, right, given)


def _iou(first, second, num_classes: int) -> torch.Tensor:
    """Class by class, without any care for void."""
    pairs = [(first == c, second == c) for c in range(num_classes)]
    return torch.stack([(a & b).sum() / (a | b).sum() for a, b in pairs])


# ---------------------------------------------------------------- a split with a gap


def beside(tile: Tile, held, corners: bool = True, around: bool = True) -> bool:
    """Does a tile touch one of those held out?"""
    for up, right in itertools.product((-TILE, 0, TILE), repeat=2):
        west = tile.west + right
        west = (west + 180) % 360 - 180 if around else west
        if (corners or not (up and right)) and (tile.south + up, west) in held:
            return True
    return False


@exercise(notebook="09", stars=2, minutes=15)
def split_with_gap(function):
    """A split by longitude in which no training tile touches a validation tile."""
    souths = range(-HIGHEST_LATITUDE, HIGHEST_LATITUDE, TILE)
    every = [Tile(south, west).name for south in souths for west in range(-180, 180, TILE)]
    few, half = ([n for n in every if torch.rand(()) < share] for share in (0.15, 0.5))
    cases = [
        (half, -90, -45),
        (few, -90, -45),
        (half, 150, 180),
        (half, -180, -165),
        (every, 90, 135),
        (half, -180, 180),
        ([n for n in half if n.endswith("E045")], -90, -45),
        ([], -90, -45),
    ]
    for names, west, east in cases:
        given = f"{len(names)} tiles and the band from {west}° to {east}°"
        found = call(function, names, west, east)
        if not isinstance(found, tuple | list) or len(found) != 2:
            raise Hint(f"For {given} expected two lists of names: train, val.")
        train, val = map(list, found)
        if any(not isinstance(name, str) for name in [*train, *val]):
            raise Hint("The lists should hold names such as N30W090, as your function got them.")
        _look_at_the_split(names, west, east, train, val, given)


def _look_at_the_split(names, west, east, train, val, given):
    """Raise what is wrong with one split."""
    tiles = {name: Tile.of(name) for name in names}
    band = {name for name, tile in tiles.items() if west <= tile.west < east}
    held = {(tiles[name].south, tiles[name].west) for name in band}
    touching = {n for n in names if n not in band and beside(tiles[n], held)}
    right = set(names) - band - touching
    if set(train) == band and set(val) == right and band != right:
        raise Hint("Your two lists have changed places: train comes first.")
    if len(set(train)) < len(train) or len(set(val)) < len(val):
        raise Hint(f"For {given} a name is in one of your lists twice.")
    if set(train) & set(val):
        raise Hint(f"For {given} tiles are in both lists, such as {min(set(train) & set(val))}.")
    if extra := set(val) - band:
        name = min(extra)
        if tiles.get(name) and tiles[name].west == east:
            raise Hint(
                f"{name} is in val, but it begins where the band from {west}° to {east}° ends. "
                "A tile is named by its western edge."
            )
        raise Hint(f"{name} is in val, but does not lie in the band from {west}° to {east}°.")
    if missing := band - set(val):
        raise Hint(f"{min(missing)} lies in the band from {west}° to {east}°, but is not in val.")
    if near := set(train) & touching:
        at_edges = {n for n in near if beside(tiles[n], held, corners=False, around=False)}
        across = {n for n in near if not beside(tiles[n], held, around=False)}
        if at_edges:
            raise Hint(
                f"For {given} {len(at_edges)} tiles of train lie beside, above or below a tile of "
                f"val, such as {min(at_edges)}. They belong into neither list."
            )
        if near > across:
            raise Hint(
                f"{min(near - across)} is in train, and one of its corners is also the corner of a "
                "tile of val. Look at all eight neighbours."
            )
        raise Hint(
            f"{min(across)} is in train and touches a tile of val: the line at 180° east is the "
            "line at 180° west. To the east of 165° comes −180°."
        )
    if strangers := set(train) - right:
        raise Hint(f"{min(strangers)} is in train, but was not among the names.")
    if lost := right - set(train):
        raise Hint(
            f"For {given} {len(lost)} tiles are in neither list although they touch no tile of "
            f"val, such as {min(lost)}. Only a tile that is really in val counts as a neighbour."
        )
