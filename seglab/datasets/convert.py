"""Any labelled folder becomes a folder in VOC layout: one format inside, any format at the door.

    print(convert("my_photos", "my_photos-voc"))

A format is a line in `FORMATS`: a function that recognises a folder, and one that reads it as a
row of `Item`s. The writer below is the same for all.
"""

import hashlib
import json
import os
import shutil
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from tqdm.auto import tqdm

from seglab.datasets import LAYOUTS, masks, shapes, streets
from seglab.datasets.inspection import concerns, shares
from seglab.datasets.items import Contents, Item, json_files, json_of
from seglab.machine import distributed
from seglab.machine.files import alone, folder_written_whole, link_or_copy
from seglab.machine.runtime import results_folder
from seglab.palettes import VOC_PALETTE, VOID, palette_image
from seglab.voc import VOC_FOLDERS, DatasetError, check_classes, check_sizes, few, orientation

MARK = "converted.json"  # in every folder made here: the report, and the state of the source


class Format(NamedTuple):
    """A kind of labelled folder: what it is called, how it is recognised and read."""

    name: str
    recognises: Callable[[Path], bool]
    read: Callable[[Path], Contents]


FORMATS = (  # the first that recognises a folder reads it
    Format("IDD-Lite", streets.is_idd_lite, streets.read_idd_lite),  # before the tree it shares
    Format("Cityscapes", streets.is_cityscapes, streets.read_cityscapes),
    Format("CamVid or SegNet layout", streets.is_camvid, streets.read_camvid),
    Format("Roboflow masks", masks.is_roboflow, masks.read_roboflow),
    Format("Label Studio", masks.is_label_studio, masks.read_label_studio),
    Format("Supervisely", shapes.is_supervisely, shapes.read_supervisely),
    Format("COCO", shapes.is_coco, shapes.read_coco),
    Format("YOLO", shapes.is_yolo, shapes.read_yolo),
    Format("images and masks", masks.is_pairs, masks.read_pairs),
    Format("labelme", shapes.is_labelme, shapes.read_labelme),
)
UNREADABLE = (  # recognised, but not read
    ("task-*-annotation-*.npy", 'Label Studio\'s NumPy export. Choose "Brush labels to PNG"'),
    (
        "annotations.xml",
        'CVAT\'s own XML. Export again as "Segmentation mask 1.1" with images',
    ),
    ("Annotations/*.xml", "boxes in VOC's XML: labels for detection, without a mask"),
    ("via_*.json", "a project of the VGG Image Annotator. Export it as COCO"),
    ("*.tfrecord", "TensorFlow records. Export as PNG masks or COCO"),
)


@dataclass
class Report:
    """What a conversion made; `str(report)` is one line.

    Attributes:
        kind, source, folder: the format, where it was read and where it was written.
        splits: how many images each split has.
        classes: the class names.
        pixels: of each class.
        void: void pixels.
        guesses: what the source did not say.
        concerns: what deserves a look before training.
    """

    kind: str
    source: str
    folder: str
    classes: list[str]
    splits: dict[str, int] = field(default_factory=dict)
    pixels: list[int] = field(default_factory=list)
    void: int = 0
    guesses: list[str] = field(default_factory=list)
    concerns: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        parts = ", ".join(f"{count} {split}" for split, count in self.splits.items())
        images = sum(self.splits.values())
        guesses = f"; guessed: {', '.join(self.guesses)}" if self.guesses else ""
        return (
            f"{self.source} ({self.kind}) -> {self.folder}: {images} images ({parts}); "
            f"{shares(self.classes, self.pixels, self.void)}{guesses}"
        )


# ---------------------------------------------------------------- the door


def recognised(root: Path) -> Format:
    """The format of a folder.

    Raises:
        DatasetError: no folder, or one of another kind, which is named if it is known.
    """
    if root.is_file():
        raise DatasetError(
            f"{root}: a file, perhaps a packed export; unpack it and give the folder"
        )
    if not root.is_dir():
        how = (text for word, text in streets.HOW_TO_GET.items() if word in root.name.casefold())
        raise DatasetError(f"{root}: no such folder. {next(how, '')}".rstrip())
    for format in FORMATS:
        if format.recognises(root):
            return format
    found = next((text for name, text in UNREADABLE if any(root.rglob(name))), "")
    if not found and any(masks.is_task_list(json_of(path)) for path in json_files(root)[:20]):
        found = 'Label Studio\'s JSON without masks. Export "Brush labels to PNG" into it as well'
    found = found or "no labels that are recognised (of VOC itself give VOCdevkit/VOC2012)"
    raise DatasetError(f"{root}: {found}. What can be read: {LAYOUTS}")


def convert(
    source: str | Path,
    folder: str | Path | None = None,
    void: int | None = VOID,
    validation_share: float = 0.2,
    seed: int = 0,
) -> Report:
    """Make a folder in VOC layout of what a labelling tool wrote; see `LAYOUTS`.

    Images are hard links where the disk can, else copies. The folder is there whole or not at all.

    Args:
        folder: default: beside the source, or in `runs` if nothing can be written there.
        void: what 255 means in masks: void, or with None the object of masks of 0 and 255.
        validation_share, seed: of a source without train and val, see `divide`.

    Returns:
        A `Report`.

    Raises:
        DatasetError: what is wrong with which file, and what to do about it.

    Warns:
        UserWarning: what deserves a look before training, such as images without labels.
    """
    source = Path(source)
    folder = _place_for(source) if folder is None else Path(folder)
    with alone(folder):
        return _convert(source, folder, void, validation_share, seed)


def _convert(source: Path, folder: Path, *how) -> Report:
    format = recognised(source)
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise DatasetError(f"{folder}: already there, and not made by a conversion. Name another")
    with folder_written_whole(folder) as temporary:
        report = _write(format, source, folder, temporary, *how)
        content = asdict(report) | {"state": _state(source)}
        (temporary / MARK).write_text(json.dumps(content, indent=1), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)  # an older conversion
    for concern in report.concerns:
        warnings.warn(f"{source}: {concern}", stacklevel=3)
    return report


_told = set()  # folders that this process has named


def converted(source: Path) -> Path:
    """The folder in VOC layout for a source, made now or still valid; says where in one line."""
    if not source.is_dir():
        recognised(source)  # says what is wrong
    folder = _place_for(source)
    with alone(folder):  # other processes wait here and find it done
        mark = json_of(folder / MARK) if (folder / MARK).exists() else {}
        if mark.pop("state", None) != _state(source):
            mark = asdict(_convert(source, folder))
            _told.discard(folder)
    if folder not in _told and distributed.rank() == 0:
        print(Report(**mark), flush=True)
    _told.add(folder)
    return folder


def _place_for(source: Path) -> Path:
    """Beside the source, or in `runs` where that cannot be written."""
    source = source.resolve()
    beside = os.access(source.parent, os.W_OK) and source.parent.stat().st_mode & 0o222  # for root
    return (source.parent if beside else results_folder()) / f"{source.name}-voc"


def _state(source: Path) -> str:
    """A number that changes when a file of the source is added, removed or written."""
    lines = []
    for path in sorted(source.rglob("*")):
        if path.is_file():
            about = path.stat()
            lines.append(f"{path.relative_to(source)} {about.st_size} {about.st_mtime_ns}")
    return hashlib.sha256("\n".join([str(source.resolve()), *lines]).encode()).hexdigest()


# ---------------------------------------------------------------- the writer


def _write(
    format: Format, source: Path, folder: Path, target: Path, void=VOID, share=0.2, seed=0
) -> Report:
    """Write all items of a source, and count them."""
    contents = format.read(source)
    classes = list(contents.classes)
    if void is None and len(classes) < 2:
        classes = ["background", "object"]
    check_classes(source, classes)
    for name in VOC_FOLDERS:
        (target / name).mkdir(parents=True)
    counts, by_split, splits, turned = np.zeros(256, np.int64), {}, {}, []
    overlap = empty = 0
    for item in tqdm(contents.items, desc=f"converting {source.name}", disable=None):
        if item.name in splits:
            item.name = f"{item.split}_{item.name}"
        if item.name in splits:
            raise DatasetError(f"{item.source}: two images are called {item.name}; rename one")
        mask = item.canvas.mask
        if void is None:
            mask = _without_void(item, mask)
        used = np.bincount(mask.ravel(), minlength=256)
        if (strangers := np.flatnonzero(used[len(classes) : VOID])).size:
            raise DatasetError(
                f"{item.source}: index {strangers[0] + len(classes)} has no class; there are "
                f"{len(classes)} ({few(classes)}). Is the list of classes complete?"
            )
        turned += [item.name] if _write_item(item, mask, contents.palette, target) else []
        splits[item.name] = item.split
        counts += used
        by_split[item.split] = by_split.get(item.split, 0) + used
        overlap, empty = overlap + item.canvas.overlap, empty + item.canvas.empty
    if not splits:
        raise DatasetError(f"{source}: {format.name}, but no image with labels. Label some first")
    guesses = list(contents.guesses)
    lists = _split_lists(splits, share, seed, guesses)
    for split, names in lists.items():
        text = "".join(f"{name}\n" for name in names)
        (target / VOC_FOLDERS[2] / f"{split}.txt").write_text(text, encoding="utf-8")
    (target / "classes.txt").write_text("".join(f"{c}\n" for c in classes), encoding="utf-8")
    found = concerns(source, classes, counts)
    found += [
        f"every label of {split} is void, so there is nothing to learn or to score"
        for split, used in by_split.items()
        if split and not used[:VOID].any()
    ]
    for text, items in (
        ("images without labels, left out", contents.unlabelled),
        ("photographs turned by their camera (EXIF): does the mask lie on them?", turned),
    ):
        found += [f"{text} ({len(items)}): {few(sorted(items))}"] if items else []
    if empty:
        found.append(f"{empty} shapes cover no pixel of their image")
    if overlap:
        guesses.append(f"the later shape is on top where two overlap ({overlap} pixels)")
    sizes = {split: len(names) for split, names in lists.items() if split != "trainval"}
    return Report(
        format.name,
        str(source),
        str(folder),
        classes,
        sizes or {"in trainval": len(splits)},
        counts[: len(classes)].tolist(),
        int(counts[VOID]),
        guesses,
        found,
    )


def _without_void(item: Item, mask: np.ndarray) -> np.ndarray:
    """Masks of 0 and 255 as background and object (1)."""
    if ((mask > 0) & (mask < VOID)).any():
        raise DatasetError(
            f"{item.source}: indices beside 0 and 255; `--void none` is for masks of these two only"
        )
    return np.where(mask == VOID, 1, mask).astype(np.uint8)


def _write_item(item: Item, mask: np.ndarray, palette: np.ndarray, target: Path) -> bool:
    """Image, mask and objects of one item. Says if the camera was turned and sizes allow both."""
    if isinstance(item.image, bytes):
        place = target / "JPEGImages" / item.name
        place.write_bytes(item.image)
        image = place.with_name(f"{item.name}{_ending(place)}")
        place.rename(image)
    else:
        image = target / "JPEGImages" / f"{item.name}{item.image.suffix}"
        link_or_copy(item.image.resolve(), image)
    width, height = _size(item.image if isinstance(item.image, Path) else image)
    way = orientation(image)
    upright = (width, height) if way > 4 else (height, width)
    check_sizes(image, upright, item.source, mask.shape)
    palette_image(mask, palette).save(target / "SegmentationClass" / f"{item.name}.png")
    objects = item.canvas.objects
    if objects is not None and objects.any():
        (target / "SegmentationObject").mkdir(exist_ok=True)
        numbers = objects.clip(max=VOID).astype(np.uint8)  # from the 255th on they are void
        path = target / "SegmentationObject" / f"{item.name}.png"
        palette_image(numbers, VOC_PALETTE).save(path)
    return way > 1 and (way < 5 or width == height)


def _size(path: Path) -> tuple[int, int]:
    """Width and height as stored."""
    try:
        with Image.open(path) as picture:
            return picture.size
    except OSError as error:
        raise DatasetError(
            f"{path}: cannot be read as a picture ({error}); copy it again"
        ) from None


def _ending(path: Path) -> str:
    with Image.open(path) as picture:
        return ".jpg" if picture.format == "JPEG" else f".{picture.format.lower()}"


# ---------------------------------------------------------------- train and val


def divide(
    names: Sequence[str], split: str, validation_share: float = 0.2, seed: int = 0
) -> list[str]:
    """The names of one split. Which image goes where follows from its name and the seed.

    Args:
        names: of all images, two at least.
        split: `"train"` or `"val"`.
        validation_share: the part of the images that goes to val, between 0 and 1.

    Raises:
        ValueError: a share that is not between 0 and 1.
    """
    if not 0 < validation_share < 1:
        raise ValueError(f"validation_share lies between 0 and 1; found {validation_share}")
    shuffled = sorted(names, key=lambda n: hashlib.sha256(f"{seed} {n}".encode()).digest())
    count = min(max(round(validation_share * len(names)), 1), len(names) - 1)
    chosen = set(shuffled[:count] if split == "val" else shuffled[count:])
    return [name for name in names if name in chosen]


def _split_lists(
    splits: dict[str, str], validation_share: float, seed: int, guesses: list[str]
) -> dict[str, list[str]]:
    """Split -> names. Without a val of the source, train and val are cut from all but test."""
    parts = ("train", "val", "test")
    lists = {part: sorted(name for name, s in splits.items() if s == part) for part in parts}
    rest = sorted(name for name, split in splits.items() if split != "test")
    if lists["val"]:
        rest = sorted(lists["train"] + lists["val"])
    elif len(rest) > 1:
        guesses.append("the split, by name")
        lists |= {part: divide(rest, part, validation_share, seed) for part in ("train", "val")}
    else:
        guesses.append("one image is too few for train and val, only trainval")
        lists["train"] = []
    return {part: names for part, names in (lists | {"trainval": rest}).items() if names}
