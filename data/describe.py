"""Statistics and pictures of data/rooms: `python data/describe.py`.

Counts the classes and writes the table into data/README.md between its two marker lines. Draws 40
random pictures with their masks into data/contact.jpg, and four validation pictures with their
true and predicted labels into data/prediction.jpg, which README.md shows.
"""

import random
from pathlib import Path

import numpy as np
from PIL import Image

from seglab.machine.files import written_whole
from seglab.networks import load
from seglab.palettes import VOID
from seglab.prediction import overlay, predict
from seglab.voc import VOCSegmentation, rooms

FOLDER = Path(__file__).resolve().parent
BEGIN, END = "<!-- statistics: begin -->", "<!-- statistics: end -->"


def counts(split: VOCSegmentation) -> tuple[np.ndarray, np.ndarray]:
    """For each index from 0 to 255: the images it occurs in, and its pixels."""
    images, pixels = np.zeros(256, dtype=int), np.zeros(256, dtype=int)
    for index in range(len(split)):
        found = np.bincount(split.mask(index).numpy().ravel(), minlength=256)
        images += found > 0
        pixels += found
    return images, pixels


def table() -> str:
    """The class statistics of both splits as a Markdown table."""
    train, val = rooms("train"), rooms("val")
    (train_images, train_pixels), (val_images, val_pixels) = counts(train), counts(val)
    pixels = train_pixels + val_pixels
    rows = [
        "| class | index | train images | val images | share of pixels (%) |",
        "|---|--:|--:|--:|--:|",
    ]
    names = {**dict(enumerate(train.classes)), VOID: "void"}
    for index, name in names.items():
        if pixels[index]:
            share = 100 * pixels[index] / pixels.sum()
            rows.append(
                f"| {name} | {index} | {train_images[index]} | {val_images[index]} | {share:.1f} |"
            )
    files = [path for path in train.root.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files) / 1e6
    rows.append(f"\n{len(train)} training and {len(val)} validation images, {size:.1f} MB in all.")
    return "\n".join(rows)


def contact_sheet(columns: int = 8, rows: int = 5, seed: int = 0) -> Image.Image:
    """Random pictures, the lower right half of each under its mask."""
    split = rooms("trainval")
    chosen = random.Random(seed).sample(range(len(split)), min(columns * rows, len(split)))
    sheet = Image.new("RGB", (columns * 240, rows * 180), "white")
    for place, index in enumerate(chosen):
        image, mask = split[index]
        plain = np.asarray(image).transpose(1, 2, 0)
        height, width = mask.shape
        down, across = np.mgrid[:height, :width]
        below = (down / height + across / width > 1.15)[..., None]
        tile = Image.fromarray(np.where(below, overlay(image, mask), plain))
        corner = (place % columns * 240, place // columns * 180)
        sheet.paste(tile.resize((238, 178), Image.Resampling.LANCZOS), corner)
    return sheet


def prediction_sheet(columns: int = 4) -> Image.Image:
    """Images, true labels and the labels of the network for rooms, one under the other.

    The pictures are not chosen by how well the network does: they are random ones among the
    validation pictures with three classes of objects.
    """
    split, trained = rooms("val"), load("rooms")
    found = [set(split.mask(index).unique().tolist()) - {0, VOID} for index in range(len(split))]
    chosen = random.Random(0).sample(
        [i for i, kinds in enumerate(found) if len(kinds) == 3], columns
    )
    sheet = Image.new("RGB", (columns * 324 - 4, 3 * 244 - 4), "white")
    for column, index in enumerate(chosen):
        image, mask = split[index]
        predicted = predict(trained.model, image, trained.longest_side)
        rows = [np.asarray(image).transpose(1, 2, 0), overlay(image, mask, opacity=0.8)]
        rows.append(overlay(image, predicted, opacity=0.8))
        for row, picture in enumerate(rows):
            sheet.paste(Image.fromarray(picture), (column * 324, row * 244))
    return sheet


if __name__ == "__main__":
    readme = FOLDER / "README.md"
    text = readme.read_text(encoding="utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    with written_whole(readme) as temporary:
        temporary.write_text(f"{before}{BEGIN}\n{table()}\n{END}{after}", encoding="utf-8")
    with written_whole(FOLDER / "contact.jpg") as temporary:
        contact_sheet().save(temporary, quality=85)
    with written_whole(FOLDER / "prediction.jpg") as temporary:
        prediction_sheet().save(temporary, quality=88)
    print(table())
