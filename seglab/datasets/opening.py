"""One function that opens any data set the course can read."""

from collections.abc import Callable
from pathlib import Path

from seglab.datasets import downloads
from seglab.datasets.convert import converted
from seglab.datasets.inspection import glance
from seglab.machine import distributed
from seglab.voc import VOC_FOLDERS, VOCSegmentation, rooms


def open_dataset(
    root: str | Path, split: str = "train", transforms: Callable | None = None
) -> VOCSegmentation:
    """Open a folder in any format that the course reads; its files say which one it is.

    A folder in VOC layout is opened as it is. Any other is converted first: once, into a folder
    beside it, whose place is printed and which is used again while the source is unchanged.

    Args:
        root: `"rooms"` for the embedded data set, the name of a downloaded one (`"voc2012"`), or a
            folder; see `seglab.datasets.LAYOUTS`.
        split: `"train"`, `"val"`, or what else the data set has.
        transforms: called as `transforms(image, mask)`; see `seglab.transforms`.

    Raises:
        DatasetError: the folder or its files are not what they should be.

    Warns:
        UserWarning: what deserves a look before training.
    """
    if root == "rooms":
        return rooms(split, transforms)
    root = Path(downloads.located(root))
    if not _is_voc(root, split):
        return VOCSegmentation(converted(root), split, transforms)
    data = VOCSegmentation(root, split, transforms)
    line = glance(data)
    if distributed.rank() == 0:
        print(line, flush=True)
    return data


def _is_voc(root: Path, split: str) -> bool:
    """Is it VOC layout, with a list for this split and no other tool's list of classes?

    Where only train is listed, a conversion cuts val from it, so train must come from there, too.
    """
    lists = {path.stem for path in (root / VOC_FOLDERS[2]).glob("*.txt")}
    foreign = any((root / name).exists() for name in ("labelmap.txt", "class_names.txt"))
    folders = all((root / name).is_dir() for name in VOC_FOLDERS)
    return folders and not foreign and ("val" in lists or (split in lists and split != "train"))
