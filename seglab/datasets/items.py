"""What every converter hands over: pictures with their masks, one at a time."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from unicodedata import normalize

import numpy as np
from PIL import Image, ImageDraw

from seglab.palettes import VOC_PALETTE, VOID
from seglab.voc import PICTURE_ENDINGS, DatasetError, few

BACKGROUND = "background"
VOID_NAMES = ("__ignore__", "ignore", "ignored", "void")  # class names that stand for void
SPLITS = {  # what tools call the parts
    "train": ("train", "training"),
    "val": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}


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
    """One picture: its name and split ("" where the source has none), the image file (or its
    bytes), the mask, and the file that the mask comes from, to be named in errors."""

    name: str
    image: Path | bytes
    canvas: Canvas
    source: Path
    split: str = ""


@dataclass
class Contents:
    """What a source holds: class names (index 0 first), items made one by one, colours `uint8
    [256, 3]`, what was guessed, and images that are left out because nobody labelled them."""

    classes: Sequence[str]
    items: Iterable[Item]
    palette: np.ndarray = field(default_factory=VOC_PALETTE.copy)
    guesses: Sequence[str] = ()
    unlabelled: Sequence[str] = ()


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
        self.root, self.files, self._by_stem = root, [], {}
        for path in sorted(root.rglob("*")):
            if path.suffix.lower() in PICTURE_ENDINGS and not path.name.startswith("."):
                self.files.append(path)
                self._by_stem.setdefault(self._key(path.name), []).append(path)

    @staticmethod
    def _key(name: str) -> str:
        return normalize("NFC", Path(name).stem).casefold()

    def find(self, name: str, *hints: str) -> Path | None:
        """The picture of a name, which may have folders of another computer before it.

        Of several files of this name the one counts that has most of the folders, then that of
        the same ending, then that with most hints among its folders.

        Raises:
            DatasetError: two pictures fit equally well.
        """
        parts = normalize("NFC", name).replace("\\", "/").split("/")

        def fits(path: Path) -> tuple:
            own = normalize("NFC", path.as_posix()).split("/")
            same = 0
            while same < min(len(own), len(parts)) and own[-1 - same] == parts[-1 - same]:
                same += 1
            return same, path.suffix.lower() == Path(name).suffix.lower(), len({*hints} & {*own})

        found = sorted(self._by_stem.get(self._key(parts[-1]), []), key=fits, reverse=True)
        if len(found) > 1 and fits(found[0]) == fits(found[1]):
            raise DatasetError(
                f"{found[0]}: {found[1]} has the same name, and a label for {name} does not say "
                "which of them it means. Rename one of them, in its label too"
            )
        return found[0] if found else None


def refuse_lost(root: Path, lost: Sequence[str], of: int, cure: str, what: str = "images") -> None:
    """Raises DatasetError if files are missing, naming the first few."""
    if lost:
        raise DatasetError(f"{root}: {len(lost)} of {of} {what} are missing: {few(lost)}. {cure}")


def region(height: int, width: int, draw: Callable[[ImageDraw.ImageDraw], None]) -> np.ndarray:
    """The pixels that Pillow touches when it draws with `fill=1`: `bool [H, W]`."""
    picture = Image.new("L", (width, height))
    draw(ImageDraw.Draw(picture))
    return np.array(picture) > 0


def polygon(pen: ImageDraw.ImageDraw, points: Sequence[Sequence[float]], fill: int = 1) -> None:
    """A filled outline; less than three corners are no area."""
    if len(points) > 2:
        pen.polygon([tuple(point) for point in points], fill=fill, outline=fill)


def json_of(path: Path) -> object:
    """What a JSON file holds; None if it is not JSON or not UTF-8."""
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError:
        return None


def json_files(root: Path) -> list[Path]:
    """The JSON files below a folder, but not those macOS hides there."""
    return sorted(p for p in root.rglob("*.json") if not p.name.startswith("."))


def class_indices(names: Iterable[str]) -> tuple[tuple[str, ...], dict[str, int]]:
    """Background and the other names in the order given, and the index of each, void included."""
    names = dict.fromkeys(names)
    zero = [name for name in names if name.strip("_").casefold() == BACKGROUND]
    things = [n for n in names if n.casefold() not in VOID_NAMES and n not in zero]
    indices = dict.fromkeys(names, VOID) | dict.fromkeys(zero, 0)
    return (BACKGROUND, *things), indices | {n: i for i, n in enumerate(things, start=1)}


def short_names(paths: Sequence[Path], root: Path) -> list[str]:
    """A name for each picture: its file's, with the folders before it if two would be alike."""
    stems = [path.stem for path in paths]
    if len({stem.casefold() for stem in stems}) == len(stems):
        return stems
    return ["_".join(path.relative_to(root).with_suffix("").parts) for path in paths]
