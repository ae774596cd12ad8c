"""What every reader of a format hands over: pictures, and how their masks are drawn."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from unicodedata import normalize

import numpy as np
from PIL import Image, ImageDraw

from seglab.palettes import VOC_PALETTE, VOID
from seglab.voc import PICTURE_ENDINGS, DatasetError

BACKGROUND = "background"
VOID_NAMES = ("__ignore__", "ignore", "ignored", "void")  # class names that stand for void
SPLITS = {  # what tools call the parts
    "train": ("train", "training"),
    "val": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}
IMAGE_FOLDERS = ("images", "image", "imgs", "img")


class Canvas:
    """A mask that shapes are laid on, the later over the earlier.

    Attributes:
        mask: class indices, `uint8 [H, W]`.
        objects: which object each pixel belongs to, `int64 [H, W]`: 0 none; or None.
        overlap: pixels that a later shape took from an earlier one.
        empty: shapes that cover no pixel.
    """

    def __init__(self, mask: np.ndarray, objects: np.ndarray | None = None):
        self.mask, self.objects, self.overlap, self.empty = mask, objects, 0, 0

    @classmethod
    def blank(cls, height: int, width: int, index: int = 0) -> "Canvas":
        """Nothing but one index, and no object."""
        return cls(np.full((height, width), index, np.uint8), np.zeros((height, width), np.int64))

    def lay(self, region: np.ndarray, index: int, number: int) -> None:
        """Give a region `bool [H, W]` a class, and the number of its object (0: none)."""
        self.empty += not region.any()
        below = self.objects[region]
        self.overlap += int(((below > 0) & (below != number)).sum())
        self.mask[region] = index
        self.objects[region] = VOID if index == VOID else number


@dataclass
class Item:
    """One labelled picture.

    Attributes:
        image: its file, which may be missing, or the content of one.
        source: the file that the mask comes from, to be named in errors.
        draw: makes the mask, when it is needed.
        split: "" where the source has none.
        called: how the labels call the image, where that is not its path.
        name: in the folder to be made; default: the image's, see `short_names`.
    """

    image: Path | bytes | None
    source: Path
    draw: Callable[[], Canvas]
    split: str = ""
    called: str = ""
    name: str = ""

    @property
    def lost(self) -> bool:
        """Is there no image?"""
        return not (self.image.exists() if isinstance(self.image, Path) else self.image)


@dataclass
class Contents:
    """What a source holds: class names (index 0 first), its items, colours `uint8 [256, 3]`, what
    was guessed, images that nobody labelled, and what to do about missing ones."""

    classes: Sequence[str]
    items: list[Item]
    palette: np.ndarray = field(default_factory=VOC_PALETTE.copy)
    guesses: Sequence[str] = ()
    unlabelled: Sequence[str] = ()
    cure: str = "Copy the photographs into this folder"


def split_of(*words: str) -> str:
    """train, val, test or "" for the first of some words (folders, a file's stem) that is one."""
    for word in words:
        for split, names in SPLITS.items():
            if word.lower().rstrip("0123456789") in names:
                return split
    return ""


def split_in(root: Path, path: Path) -> str:
    """The split that the folders between the root and a file name, or ""."""
    return split_of(*reversed(path.relative_to(root).parent.parts))


class Pictures:
    """The pictures below a folder, found by however a label file names them."""

    def __init__(self, root: Path):
        self.files, self._by_stem = [], {}
        for path in sorted(root.rglob("*")):
            if path.suffix.lower() in PICTURE_ENDINGS and not path.name.startswith("."):
                self.files.append(path)
                self._by_stem.setdefault(_key(path), []).append(path)

    def find(self, name: str, *hints: str) -> Path | None:
        """The picture of a name, which may have folders of another computer before it.

        Of several files of this name the one counts that has most of the folders, then that of
        the same ending, then that with most hints among its folders.

        Raises:
            DatasetError: two pictures fit equally well.
        """
        wanted = Path(normalize("NFC", name).replace("\\", "/"))

        def fits(path: Path) -> tuple:
            own = normalize("NFC", path.as_posix()).split("/")
            pairs = zip(reversed(own), reversed(wanted.parts), strict=False)
            same = list(takewhile(lambda pair: pair[0] == pair[1], pairs))
            ending = path.suffix.lower() == wanted.suffix.lower()
            return len(same), ending, len({*hints} & {*own})

        found = sorted(self._by_stem.get(_key(wanted), []), key=fits, reverse=True)
        if len(found) > 1 and fits(found[0]) == fits(found[1]):
            raise DatasetError(
                f"{found[0]}: {found[1]} has the same name, and a label for {name} does not say "
                "which of them it means. Rename one of them, in its label too"
            )
        return found[0] if found else None


def _key(path: Path) -> str:
    """The name of a picture without ending, whatever its case and however ü is stored."""
    return normalize("NFC", path.stem).casefold()


def short_names(paths: Sequence[Path], root: Path) -> list[str]:
    """A name for each picture: its file's, with the folders before it if two would be alike."""
    if len({_key(path) for path in paths}) == len(paths):
        return [normalize("NFC", path.stem) for path in paths]
    names = []
    for path in paths:
        parts = Path(os.path.relpath(path, root)).with_suffix("").parts
        kept = [part for part in parts if part not in (*IMAGE_FOLDERS, "..")]
        names.append(normalize("NFC", "_".join(kept)))
    return names


def region(height: int, width: int, draw: Callable[[ImageDraw.ImageDraw], None]) -> np.ndarray:
    """The pixels that Pillow touches when it draws with `fill=1`: `bool [H, W]`."""
    picture = Image.new("L", (width, height))
    draw(ImageDraw.Draw(picture))
    return np.array(picture) > 0


def polygon(pen: ImageDraw.ImageDraw, points: Sequence[Sequence[float]]) -> None:
    """A filled outline; less than three corners are no area."""
    if len(points) > 2:
        pen.polygon([tuple(point) for point in points], fill=1, outline=1)


def json_of(path: Path) -> object:
    """What a JSON file holds; None if it is not JSON or not UTF-8."""
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError:
        return None


def json_files(root: Path, pattern: str = "*.json") -> Iterator[tuple[Path, object]]:
    """The JSON files below a folder, read one by one, but not those macOS hides there."""
    for path in sorted(root.rglob(pattern)):
        if not path.name.startswith("."):
            yield path, json_of(path)


def class_indices(names: Sequence[str]) -> tuple[tuple[str, ...], dict[str, int]]:
    """Background and the other names in the order given, and the index of each, void included."""
    zero = [name for name in names if name.strip("_").casefold() == BACKGROUND]
    void = [name for name in names if name.casefold() in VOID_NAMES]
    things = [name for name in dict.fromkeys(names) if name not in (*zero, *void)]
    indices = {name: index for index, name in enumerate(things, start=1)}
    return (BACKGROUND, *things), indices | dict.fromkeys(zero, 0) | dict.fromkeys(void, VOID)
