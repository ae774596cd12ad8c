"""Scores as files: a row for each picture, panels to look at; and colours in a terminal."""

import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from tqdm.auto import tqdm

from seglab.machine.files import write_csv
from seglab.metrics import ConfusionMatrix
from seglab.networks import Trained
from seglab.palettes import colorize
from seglab.prediction import predict
from seglab.voc import VOCSegmentation

RED, YELLOW, GREEN = "\x1b[31m", "\x1b[33m", "\x1b[32m"


@dataclass
class Scored:
    """One picture with what a network made of it.

    Attributes:
        name: of the picture.
        image: `uint8 [3, H, W]`.
        truth, prediction: `uint8 [H, W]`, class indices; void (255) in the truth only.
        matrix: the pairs of this picture alone.
        seconds: what the prediction took.
    """

    name: str
    image: torch.Tensor
    truth: torch.Tensor
    prediction: torch.Tensor
    matrix: ConfusionMatrix
    seconds: float

    def row(self) -> list[str]:
        """Name, pixel accuracy, mean IoU, IoU of each class in percent, labelled pixels."""
        scores = [self.matrix.pixel_accuracy, self.matrix.mean_iou, *self.matrix.iou.tolist()]
        cells = ["" if score != score else f"{100 * score:.2f}" for score in scores]
        return [self.name, *cells, str(int(self.matrix.counts.sum()))]

    def panel(self, palette: np.ndarray) -> Image.Image:
        """Image, truth and prediction side by side."""
        picture = np.asarray(self.image).transpose(1, 2, 0)
        masks = [colorize(mask, palette) for mask in (self.truth, self.prediction)]
        return Image.fromarray(np.hstack([picture, *masks]))


def scored_pictures(
    trained: Trained, data: VOCSegmentation, flip: bool = False, scales: Sequence[float] = (1.0,)
) -> Iterator[Scored]:
    """Predict the pictures of a data set one by one, at the size of their labels.

    Args:
        flip, scales: see `seglab.prediction.predict`.
    """
    for index, name in enumerate(tqdm(data.names, "scoring", leave=False)):
        image, truth = data[index]
        began = time.perf_counter()
        mask = predict(trained.model, image, trained.longest_side, flip=flip, scales=scales)
        seconds = time.perf_counter() - began
        matrix = ConfusionMatrix(data.num_classes)
        matrix.update(mask, truth)
        yield Scored(name, image, truth, mask, matrix, seconds)


def write_rows(path: str | Path, classes: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write the rows of `Scored.row` under their headings."""
    head = ["name", "pixel accuracy", "mean IoU", *classes, "labelled pixels"]
    write_csv(path, [head, *rows])


def in_colour(table: str) -> str:
    """A printed table of scores, its IoU column red below 50, yellow below 75, else green.

    As it is where the output is no terminal, or the variable NO_COLOR is set (no-color.org).
    """
    if os.environ.get("NO_COLOR") or not sys.stdout.isatty():
        return table
    end = table.splitlines()[0].index("IoU %") + len("IoU %")

    def line(text: str) -> str:
        found = re.search(r"\d+\.\d$", text[:end])
        if found is None:
            return text
        colour = RED if float(found[0]) < 50 else YELLOW if float(found[0]) < 75 else GREEN
        return f"{text[: found.start()]}{colour}{found[0]}\x1b[0m{text[end:]}"

    return "\n".join(map(line, table.splitlines()))
