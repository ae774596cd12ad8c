"""Statistics and pictures of what lies here: `python data/describe.py`.

Counts the classes of data/rooms and writes the table into data/README.md between its two marker
lines. Draws 40 random pictures with their masks into data/contact.jpg, and four photographs with
predicted labels into data/prediction.jpg, which README.md shows.
"""

import random
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib import cbook
from PIL import Image, ImageOps

from seglab import figures
from seglab.machine.files import written_whole
from seglab.networks import load
from seglab.palettes import VOID
from seglab.prediction import overlay, predict
from seglab.voc import VOCSegmentation, photo, rooms

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


def prediction_sheet() -> plt.Figure:
    """Photographs, and what the network `photos` says of them, one under the other.

    None of them was learned from, and no true labels exist. The fourth comes with matplotlib.
    """
    files = [photo(name) for name in ("chelsea", "astronaut", "coffee")]
    files.append(Path(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)))
    trained, above, below = load("photos"), [], []
    for file in files:
        picture = ImageOps.fit(Image.open(file), (480, 360), centering=(0.5, 0.0))
        image = torch.from_numpy(np.array(picture)).permute(2, 0, 1)
        above.append(image)
        below.append((image, predict(trained.model, image, trained.longest_side)))
    return figures.show(above + below, columns=len(files), width=13, names=True)


if __name__ == "__main__":
    readme = FOLDER / "README.md"
    text = readme.read_text(encoding="utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    with written_whole(readme) as temporary:
        temporary.write_text(f"{before}{BEGIN}\n{table()}\n{END}{after}", encoding="utf-8")
    with written_whole(FOLDER / "contact.jpg") as temporary:
        contact_sheet().save(temporary, quality=85)
    with written_whole(FOLDER / "prediction.jpg") as temporary:
        prediction_sheet().savefig(temporary, dpi=100, pil_kwargs={"quality": 88})
    print(table())
