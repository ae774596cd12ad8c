"""Any labelled folder becomes a folder in VOC layout: one format inside, any format at the door.

    print(convert("my_photos", "my_photos-voc"))

A format is a line in `FORMATS`: a reader that answers None where a folder is not of its kind. The
writer below is the same for all.
"""

import hashlib
import json
import os
import shutil
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm.auto import tqdm

from seglab.datasets import LAYOUTS, masks, shapes, streets
from seglab.datasets.inspection import concerns, index_counts, listed, may_be_turned, shares
from seglab.datasets.items import Canvas, Contents, Item, json_files, json_of, short_names
from seglab.machine import distributed
from seglab.machine.files import alone, folder_written_whole, link_or_copy
from seglab.machine.runtime import results_folder
from seglab.palettes import VOC_PALETTE, VOID, palette_image
from seglab.voc import VOC_FOLDERS, DatasetError, check_classes, check_sizes, few, upright_size

MARK = "converted.json"  # in every folder made here: the report, and the state of the source
FORMATS: dict[str, Callable[[Path], Contents | None]] = {  # the first that answers reads a folder
    "IDD-Lite": streets.read_idd_lite,  # before Cityscapes, whose tree it shares
    "Cityscapes": streets.read_cityscapes,
    "CamVid or SegNet layout": streets.read_camvid,
    "Roboflow masks": masks.read_roboflow,
    "Label Studio": masks.read_label_studio,
    "Supervisely": shapes.read_supervisely,
    "COCO": shapes.read_coco,
    "YOLO": shapes.read_yolo,
    "images and masks": masks.read_pairs,
    "labelme": shapes.read_labelme,
}
UNREADABLE = {  # recognised, but not read
    "task-*-annotation-*.npy": 'Label Studio\'s NumPy export. Choose "Brush labels to PNG"',
    "annotations.xml": 'CVAT\'s own XML. Export again as "Segmentation mask 1.1" with images',
    "Annotations/*.xml": "boxes in VOC's XML: labels for detection, without a mask",
    "via_*.json": "a project of the VGG Image Annotator. Export it as COCO",
    "*.tfrecord": "TensorFlow records. Export as PNG masks or COCO",
}


@dataclass
class Report:
    """What a conversion made; `str(report)` is one line.

    Attributes:
        kind, source, folder: the format, where it was read and where it was written.
        classes: the class names.
        splits: how many images each split has.
        pixels: of each index, 256 numbers; the last is void.
        guesses: what the source did not say.
        concerns: what deserves a look before training.
    """

    kind: str
    source: str
    folder: str
    classes: list[str]
    splits: dict[str, int] = field(default_factory=dict)
    counts: list[int] = field(default_factory=list)
    guesses: list[str] = field(default_factory=list)
    concerns: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        parts = ", ".join(f"{count} {split}" for split, count in self.splits.items())
        guesses = f"; guessed: {', '.join(self.guesses)}" if self.guesses else ""
        return (
            f"{self.source} ({self.kind}) -> {self.folder}: {sum(self.splits.values())} images "
            f"({parts}); {shares(self.classes, self.counts)}{guesses}"
        )


# ---------------------------------------------------------------- the door


def read(root: Path) -> tuple[str, Contents]:
    """The name of a folder's format, and what the folder holds.

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
    for kind, reader in FORMATS.items():
        with _understood(root, kind):
            contents = reader(root)
        if contents is not None:
            return kind, contents
    found = next((text for name, text in UNREADABLE.items() if any(root.rglob(name))), "")
    if not found and any(masks.is_task_list(content) for _, content in json_files(root)):
        found = 'Label Studio\'s JSON without masks. Export "Brush labels to PNG" into it as well'
    found = found or "no labels that are recognised (of VOC itself give VOCdevkit/VOC2012)"
    raise DatasetError(f"{root}: {found}. What can be read: {LAYOUTS}")


@contextmanager
def _understood(source: Path, kind: str) -> Iterator[None]:
    """A label file that lacks what its format promises is one clear error."""
    try:
        yield
    except DatasetError:
        raise
    except Exception as error:
        what = " ".join(f"{type(error).__name__}: {error}".split())
        raise DatasetError(
            f"{source}: looks like {kind}, but is not as its tool writes it ({what}). Export it "
            "again"
        ) from error


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


def _convert(
    source: Path, folder: Path, void: int | None = VOID, share: float = 0.2, seed: int = 0
) -> Report:
    kind, contents = read(source)
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise DatasetError(f"{folder}: already there, and not made by a conversion. Name another")
    report = Report(kind, str(source), str(folder), list(contents.classes))
    report.guesses += contents.guesses
    if void is None and len(report.classes) < 2:
        report.classes = ["background", "object"]
    check_classes(source, report.classes)
    _name(source, kind, contents)
    with folder_written_whole(folder) as temporary:
        _write_items(contents, report, temporary, void)
        _write_lists(contents.items, report, temporary, share, seed)
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
        read(source)  # says what is wrong
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
    """A number that changes when a file of the source is added, removed or written, or a report
    has other fields."""
    lines = [str(source.resolve()), *(part.name for part in fields(Report))]
    for path in sorted(source.rglob("*")):
        if path.is_file():
            about = path.stat()
            lines.append(f"{path.relative_to(source)} {about.st_size} {about.st_mtime_ns}")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


# ---------------------------------------------------------------- the writer


def _name(source: Path, kind: str, contents: Contents) -> None:
    """Give each item a name of its own. Raises DatasetError if files are missing."""
    items = contents.items
    if not items:
        raise DatasetError(f"{source}: {kind}, but no image with labels. Label some first")
    for what, lost in (
        ("images", [item.called or str(item.image) for item in items if item.lost]),
        ("masks", [str(item.source) for item in items if not item.source.exists()]),
    ):
        if lost:
            raise DatasetError(
                f"{source}: {len(lost)} of {len(items)} {what} are missing: {few(lost)}. "
                f"{contents.cure}"
            )
    files = [item.image if isinstance(item.image, Path) else item.source for item in items]
    seen = set()
    for item, name in zip(items, short_names(files, source), strict=True):
        item.name = item.name or name
        if item.name.casefold() in seen:
            raise DatasetError(f"{item.source}: two images are called {item.name}; rename one")
        seen.add(item.name.casefold())


def _write_items(contents: Contents, report: Report, target: Path, void: int | None) -> None:
    """Images, masks and objects; counts pixels and tells the report what is odd."""
    for name in VOC_FOLDERS:
        (target / name).mkdir(parents=True)
    by_split, turned, overlap, empty = {}, [], 0, 0
    hidden = len(contents.items) < 20 or None  # a blink; None: also where nobody looks
    for item in tqdm(contents.items, desc=f"converting {report.source}", disable=hidden):
        with _understood(item.source, report.kind):
            canvas = item.draw()
        if void is None:
            canvas.mask = _without_void(item, canvas.mask)
        used = index_counts(canvas.mask)
        if (strangers := np.flatnonzero(used[len(report.classes) : VOID])).size:
            raise DatasetError(
                f"{item.source}: index {strangers[0] + len(report.classes)} has no class; there "
                f"are {len(report.classes)} ({few(report.classes)}). Is the list of classes "
                "complete?"
            )
        image = _write_item(item, canvas, contents.palette, target)
        turned += [item.name] if may_be_turned(image) else []
        by_split[item.split] = by_split.get(item.split, 0) + used
        overlap, empty = overlap + canvas.overlap, empty + canvas.empty
    counts = sum(by_split.values())
    report.counts = counts.tolist()
    report.concerns += concerns(report.source, report.classes, counts, sorted(turned))
    report.concerns += [
        f"every label of {split} is void, so there is nothing to learn or to score"
        for split, used in by_split.items()
        if split and not used[:VOID].any()
    ]
    report.concerns += listed(("images without labels, left out", sorted(contents.unlabelled)))
    report.concerns += [f"{empty} shapes cover no pixel of their image"] if empty else []
    if overlap:
        report.guesses.append(f"the later shape is on top where two overlap ({overlap} pixels)")


def _without_void(item: Item, mask: np.ndarray) -> np.ndarray:
    """Masks of 0 and 255 as background and object (1)."""
    if ((mask > 0) & (mask < VOID)).any():
        raise DatasetError(
            f"{item.source}: indices beside 0 and 255; `--void none` is for masks of these two only"
        )
    return np.where(mask == VOID, 1, mask).astype(np.uint8)


def _write_item(item: Item, canvas: Canvas, palette: np.ndarray, target: Path) -> Path:
    """Image, mask and objects of one item. Returns where the image is."""
    image = target / "JPEGImages" / item.name
    if isinstance(item.image, bytes):
        with _understood(item.source, "labels with their image inside"):
            kind = Image.open(BytesIO(item.image)).format
        image = image.with_name(f"{item.name}.{'jpg' if kind == 'JPEG' else kind.lower()}")
        image.write_bytes(item.image)
    else:
        image = image.with_name(f"{item.name}{item.image.suffix}")
        link_or_copy(item.image.resolve(), image)
    check_sizes(image, upright_size(image), item.source, canvas.mask.shape)
    palette_image(canvas.mask, palette).save(target / "SegmentationClass" / f"{item.name}.png")
    if canvas.objects is not None and canvas.objects.any():
        path = target / "SegmentationObject" / f"{item.name}.png"
        path.parent.mkdir(exist_ok=True)
        numbers = canvas.objects.clip(max=VOID).astype(np.uint8)  # from the 255th on they are void
        palette_image(numbers, VOC_PALETTE).save(path)
    return image


def _write_lists(items: list[Item], report: Report, target: Path, share: float, seed: int) -> None:
    """Class names and lists of splits. Without a val of the source, train and val are cut from
    all but test."""
    parts = ("train", "val", "test")
    lists = {part: sorted(i.name for i in items if i.split == part) for part in parts}
    rest = sorted(item.name for item in items if item.split != "test")
    if lists["val"]:
        loose = sorted(set(rest) - {*lists["train"], *lists["val"]})
        lists["train"] += loose
        report.guesses += [f"images of no split are for training ({len(loose)})"] if loose else []
    elif len(rest) > 1:
        report.guesses.append("the split, by name")
        lists |= {part: divide(rest, part, share, seed) for part in ("train", "val")}
    else:
        report.guesses.append("one image is too few for train and val, only trainval")
        lists["train"] = []
    for split, names in (lists | {"trainval": rest}).items():
        if names:
            _write_lines(target / VOC_FOLDERS[2] / f"{split}.txt", names)
    _write_lines(target / "classes.txt", report.classes)
    sizes = {split: len(names) for split, names in lists.items() if names}
    report.splits = sizes or {"in trainval": len(rest)}


def _write_lines(path: Path, lines: Sequence[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


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
