"""Look a data set over before training: `print(check(dataset))`."""

import copy
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from seglab.palettes import VOID
from seglab.voc import DatasetError, VOCSegmentation, few, orientation


@dataclass
class Report:
    """What `check` found; `print` it.

    Attributes:
        title: folder and split.
        classes: the class names.
        sizes: (width, height) -> number of images.
        pixels: `int64 [images, C]`, pixels of each class.
        void: `int64 [images]`, void pixels.
        names: of the images that could be read, in the order of the rows above.
        faults: a message for each image that could not.
        thin: (image, class) where most pixels of a class lie in lines one pixel wide.
    """

    title: str
    classes: tuple[str, ...]
    sizes: Counter
    pixels: torch.Tensor
    void: torch.Tensor
    names: list[str]
    faults: list[str]
    thin: list[tuple[str, str]]

    @property
    def missing(self) -> list[str]:
        """Classes that never occur."""
        return [c for c, n in zip(self.classes, self.pixels.sum(0).tolist(), strict=True) if not n]

    @property
    def one_value(self) -> list[str]:
        """Images whose mask holds a single value, be it a class or void."""
        values = (self.pixels > 0).sum(1) + (self.void > 0)
        return [name for name, count in zip(self.names, values.tolist(), strict=True) if count == 1]

    @property
    def only_background(self) -> list[str]:
        """Images in which nothing but background is labelled."""
        if self.classes[0] != "background":
            return []
        rest = self.pixels[:, 1:].sum(1)
        shows = (self.pixels[:, 0] > 0) & (rest == 0)
        return [name for name, bare in zip(self.names, shows.tolist(), strict=True) if bare]

    def __str__(self) -> str:
        total = int(self.pixels.sum() + self.void.sum())
        sizes = [f"{w} x {h} ({n})" for (w, h), n in self.sizes.most_common()]
        void = 100 * int(self.void.sum()) / max(total, 1)
        lines = [
            self.title,
            f"images  {len(self.names)}",
            f"sizes   {few(sizes)}",
            f"void    {void:.1f} % of all pixels",
            "",
        ]
        width = max(len("class"), *map(len, self.classes))
        lines.append(f"{'class':<{width}}  pixels %  images")
        labelled = max(int(self.pixels.sum()), 1)
        shown = (self.pixels > 0).sum(0).tolist()
        for name, count, images in zip(
            self.classes, self.pixels.sum(0).tolist(), shown, strict=True
        ):
            lines.append(f"{name:<{width}}  {100 * count / labelled:8.2f}  {images:6}")
        findings = self.findings()
        lines += ["", *(findings or ["nothing unusual found"])]
        return "\n".join(lines)

    def findings(self) -> list[str]:
        """What deserves a look before training, one line for each kind."""
        thin = [f"{name} ({label})" for name, label in self.thin]
        one_value = [name for name in self.one_value if name not in self.only_background]
        found = (
            ("images that cannot be used", self.faults),
            ("classes that never occur: nothing can be learnt about them", self.missing),
            ("images with background only: are they really empty?", self.only_background),
            ("masks of one single value: forgotten, or exported wrongly?", one_value),
            ("classes in lines one pixel wide: antialiased or smoothly resized masks?", thin),
        )
        return [f"{text} ({len(items)}): {few(items)}" for text, items in found if items]


def check(dataset: VOCSegmentation) -> Report:
    """Read every image and mask of a data set once and say what a learner should look at.

    Args:
        dataset: any data set of the course; its transforms are not applied.

    Returns:
        A `Report`; `print(check(train))` shows it as a small table.
    """
    plain = copy.copy(dataset)
    plain.transforms = None
    sizes, pixels, void, names, faults, thin = Counter(), [], [], [], [], []
    for index, name in enumerate(plain.names):
        try:
            image, mask = plain[index]
        except DatasetError as error:
            faults.append(str(error))
            continue
        counts = torch.bincount(mask.flatten().long(), minlength=256)
        in_lines = torch.bincount(mask[~in_squares(mask)].long(), minlength=256)
        names.append(name)
        sizes[image.shape[2], image.shape[1]] += 1
        pixels.append(counts[: plain.num_classes])
        void.append(counts[VOID])
        thin += [
            (name, label)
            for label, all_of_it, lines in zip(
                plain.classes, counts.tolist(), in_lines.tolist(), strict=False
            )
            if 2 * lines > all_of_it
        ]
    return Report(
        f"{plain.root.resolve().name}, split {plain.split}",
        tuple(plain.classes),
        sizes,
        torch.stack(pixels) if pixels else torch.zeros(0, plain.num_classes, dtype=torch.int64),
        torch.stack(void) if void else torch.zeros(0, dtype=torch.int64),
        names,
        faults,
        thin,
    )


def glance(dataset: VOCSegmentation, most: int = 64) -> str:
    """A quick look at some masks of a data set: one line, with the share of each class.

    Raises:
        DatasetError: masks of 0 and 255, or none that can be read.

    Warns:
        UserWarning: see `concerns`; photographs that their camera turned.
    """
    everything = range(len(dataset))
    some = everything[:: -(-len(dataset) // most)]
    counts, seen, turned, fault = np.zeros(256, dtype=np.int64), 0, [], None
    for index in [*some, *(i for i in everything if i not in some)]:
        if seen >= len(some) and np.count_nonzero(counts[:VOID]) > 1:
            break  # all is looked at only where one class seems to be alone
        seen += 1
        try:
            counts += np.bincount(dataset.mask(index).numpy().ravel(), minlength=256)
            way = orientation(dataset.image_path(index))
        except (DatasetError, OSError) as error:
            fault = fault or error  # one of many is reported when it is asked for
            continue
        turned += [dataset.names[index]] if 1 < way < 5 else []
    if fault and not counts.any():
        raise fault
    where = f"{dataset.root}, split {dataset.split}"
    for concern in concerns(dataset.root, dataset.classes, counts):
        warnings.warn(f"{where}: {concern}", stacklevel=3)
    if turned:
        warnings.warn(
            f"{where}: photographs turned by their camera (EXIF {few(turned)}): does the mask lie "
            "on them as they are shown?",
            stacklevel=3,
        )
    part = f" (of {seen} masks)" if seen < len(dataset) else ""
    return f"{where}: {len(dataset)} images; {shares(dataset.classes, counts, counts[VOID])}{part}"


def concerns(root: Path, classes: Sequence[str], counts: np.ndarray) -> list[str]:
    """What is odd about the pixels of all masks together, `[256]` by index.

    Raises:
        DatasetError: nothing but 0 and 255, where 255 would be void.
    """
    present = np.flatnonzero(counts[:VOID])
    if len(present) == 0:
        return ["every label is void, so there is nothing to learn or to score"]
    if list(present) == [0] and counts[VOID] and len(classes) > 1:
        raise DatasetError(
            f"{root}: its masks hold only 0 and 255, and 255 is void, so nothing but {classes[0]} "
            "is labelled. If 255 is your object, make a folder in which it is class 1: "
            f"python -m seglab convert {root} --void none"
        )
    if len(present) == 1:
        return [f"{classes[present[0]]} is the only class that occurs: nothing to tell apart"]
    return []


def shares(classes: Sequence[str], pixels: Sequence[int], void: int) -> str:
    """The share of each class among the labelled pixels, the largest first, and of void."""
    counts = {name: int(count) for name, count in zip(classes, pixels, strict=False)}
    total = max(sum(counts.values()), 1)
    order = sorted((name for name in counts if counts[name]), key=lambda name: -counts[name])
    absent = [name for name in counts if not counts[name]]
    text = few([f"{name} {100 * counts[name] / total:.1f} %" for name in order], 12)
    text += f"; never: {few(absent)}" if absent else ""
    return f"{text}; void {100 * int(void) / max(total + int(void), 1):.1f} %"


def in_squares(mask: torch.Tensor) -> torch.Tensor:
    """Which pixels lie in some 2 x 2 square of one value: `[H, W]` -> `bool [H, W]`.

    The others form lines one pixel wide, or stand alone.
    """
    square = (
        (mask[:-1, :-1] == mask[1:, :-1])
        & (mask[:-1, :-1] == mask[:-1, 1:])
        & (mask[:-1, :-1] == mask[1:, 1:])
    )  # [H - 1, W - 1], its upper left corner
    covered = torch.zeros(mask.shape, dtype=torch.bool)
    for down in (0, 1):
        for right in (0, 1):
            height, width = square.shape
            covered[down : down + height, right : right + width] |= square
    return covered
