"""Look a data set over before training: `print(check(dataset))`."""

import copy
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import compress
from pathlib import Path

import numpy as np
import torch

from seglab.machine.tables import Table
from seglab.palettes import VOID
from seglab.voc import DatasetError, VOCSegmentation, few, orientation, upright_size


@dataclass
class Report:
    """What `check` found; `print` it.

    Attributes:
        title: folder and split.
        classes: the class names.
        names: of the images that could be read.
        counts: for each of them the pixels of each index, `int64 [images, 256]`.
        sizes: (width, height) -> number of images.
        faults: a message for each image that could not be read.
        thin: (image, class) where most pixels of a class lie in lines one pixel wide.
    """

    title: str
    classes: Sequence[str]
    names: list[str] = field(default_factory=list)
    counts: np.ndarray = field(default_factory=lambda: np.zeros((0, 256), np.int64))
    sizes: Counter = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    thin: list[tuple[str, str]] = field(default_factory=list)

    @property
    def missing(self) -> list[str]:
        """Classes that never occur."""
        return list(compress(self.classes, self.counts.sum(0) == 0))

    @property
    def one_value(self) -> list[str]:
        """Images whose mask holds a single value, be it a class or void."""
        return list(compress(self.names, (self.counts > 0).sum(1) == 1))

    @property
    def only_background(self) -> list[str]:
        """Images in which nothing but background is labelled."""
        bare = (self.counts[:, 0] > 0) & (self.counts[:, 1:VOID].sum(1) == 0)
        return list(compress(self.names, bare)) if self.classes[0] == "background" else []

    def __str__(self) -> str:
        pixels, shown = self.counts.sum(0), (self.counts > 0).sum(0)
        labelled = max(int(pixels[:VOID].sum()), 1)
        rows = [
            (name, f"{100 * pixels[i] / labelled:.2f}", str(shown[i]))
            for i, name in enumerate(self.classes)
        ]
        sizes = [f"{w} x {h} ({n})" for (w, h), n in self.sizes.most_common()]
        lines = [
            self.title,
            f"images  {len(self.names)}",
            f"sizes   {few(sizes)}",
            f"void    {100 * pixels[VOID] / max(pixels.sum(), 1):.1f} % of all pixels",
            "",
            str(Table(("class", "pixels %", "images"), [rows])),
            "",
        ]
        return "\n".join([*lines, *(self.findings() or ["nothing unusual found"])])

    def findings(self) -> list[str]:
        """What deserves a look before training, one line for each kind."""
        thin = [f"{name} ({label})" for name, label in self.thin]
        one_value = [name for name in self.one_value if name not in self.only_background]
        return listed(
            ("images that cannot be used", self.faults),
            ("classes that never occur: nothing can be learnt about them", self.missing),
            ("images with background only: are they really empty?", self.only_background),
            ("masks of one single value: forgotten, or exported wrongly?", one_value),
            ("classes in lines one pixel wide: antialiased or smoothly resized masks?", thin),
        )


def check(dataset: VOCSegmentation) -> Report:
    """Read every image and mask of a data set once and say what a learner should look at.

    Args:
        dataset: any data set of the course; its transforms are not applied.

    Returns:
        A `Report`; `print(check(train))` shows it as a small table.
    """
    plain = copy.copy(dataset)
    plain.transforms = None
    report = Report(f"{plain.root.resolve().name}, split {plain.split}", plain.classes)
    rows = []
    for index, name in enumerate(plain.names):
        try:
            image, mask = plain[index]
        except DatasetError as error:
            report.faults.append(str(error))
            continue
        rows.append(index_counts(mask))
        in_lines = index_counts(mask[~in_squares(mask)])
        thin = compress(plain.classes, 2 * in_lines > rows[-1])
        report.thin += [(name, label) for label in thin]
        report.names.append(name)
        report.sizes[image.shape[2], image.shape[1]] += 1
    report.counts = np.reshape(rows, (-1, 256)).astype(np.int64)
    return report


def glance(dataset: VOCSegmentation, most: int = 64) -> str:
    """A quick look at some masks of a data set: one line, with the share of each class.

    Raises:
        DatasetError: masks of 0 and 255, or none that can be read.

    Warns:
        UserWarning: see `concerns`.
    """
    everything = range(len(dataset))
    some = everything[:: -(-len(dataset) // most)]
    counts, turned = _look(dataset, some)
    if np.count_nonzero(counts[:VOID]) < 2:  # one class seems to be alone: look at all
        some = everything
        counts, turned = _look(dataset, some)
    where = f"{dataset.root}, split {dataset.split}"
    for concern in concerns(dataset.root, dataset.classes, counts, turned):
        warnings.warn(f"{where}: {concern}", stacklevel=3)
    part = f" (of {len(some)} masks)" if len(some) < len(dataset) else ""
    return f"{where}: {len(dataset)} images; {shares(dataset.classes, counts)}{part}"


def _look(dataset: VOCSegmentation, some: Sequence[int]) -> tuple[np.ndarray, list[str]]:
    """Pixels of each index `int64 [256]`, and the names of photographs that may be turned."""
    counts, turned, faults = np.zeros(256, dtype=np.int64), [], []
    for index in some:
        try:
            counts += index_counts(dataset.mask(index))
            turned += [dataset.names[index]] if may_be_turned(dataset.image_path(index)) else []
        except DatasetError as error:  # one of many is reported when it is asked for
            faults.append(error)
    if faults and not counts.any():
        raise faults[0]
    return counts, turned


# ---------------------------------------------------------------- what conversions use, too


def index_counts(mask) -> np.ndarray:
    """How many pixels each index has, `int64 [256]`."""
    return np.bincount(np.asarray(mask).ravel(), minlength=256)


def may_be_turned(path: Path) -> bool:
    """Was the camera turned (EXIF), and would a mask fit before and after?"""
    way = orientation(path)
    height, width = upright_size(path)
    return way > 1 and (way < 5 or height == width)


def concerns(
    root: Path, classes: Sequence[str], counts: np.ndarray, turned: Sequence[str] = ()
) -> list[str]:
    """What is odd about the pixels of all masks together, `[256]` by index, and the photographs.

    Raises:
        DatasetError: nothing but 0 and 255, where 255 would be void.
    """
    found = listed(
        ("photographs turned by their camera (EXIF): does the mask lie on them?", turned)
    )
    present = np.flatnonzero(counts[:VOID])
    if list(present) == [0] and counts[VOID] and len(classes) > 1:
        raise DatasetError(
            f"{root}: its masks hold only 0 and 255, and 255 is void, so nothing but {classes[0]} "
            "is labelled. If 255 is your object, make a folder in which it is class 1: "
            f"python -m seglab convert {root} --void none"
        )
    if len(present) == 0:
        found.append("every label is void, so there is nothing to learn or to score")
    elif len(present) == 1:
        name = classes[present[0]]
        found.append(f"{name} is the only class that occurs: nothing to tell apart")
    return found


def listed(*findings: tuple[str, Sequence[str]]) -> list[str]:
    """A line for each finding that has items: what it is, how many, and the first few."""
    return [f"{text} ({len(items)}): {few(items)}" for text, items in findings if items]


def shares(classes: Sequence[str], counts: Sequence[int]) -> str:
    """The share of each class among the labelled pixels, the largest first, and of void."""
    labelled, void = max(int(sum(counts[:VOID])), 1), int(counts[VOID])
    order = sorted(range(len(classes)), key=lambda index: -counts[index])
    found = [f"{classes[i]} {100 * counts[i] / labelled:.1f} %" for i in order if counts[i]]
    absent = [name for name, count in zip(classes, counts, strict=False) if not count]
    never = f"; never: {few(absent)}" if absent else ""
    return f"{few(found, 12)}{never}; void {100 * void / max(int(sum(counts)), 1):.1f} %"


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
    height, width = square.shape
    for down in (0, 1):
        for right in (0, 1):
            covered[down : down + height, right : right + width] |= square
    return covered
