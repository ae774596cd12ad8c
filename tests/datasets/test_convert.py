"""The door: one writer, a folder whole or not at all, its report, and what is refused."""

import json
import os
import re
import unicodedata

import numpy as np
import pytest
from helpers import block_mask, make_tiny_voc, painted, save_palette_png
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from seglab.classroom.shell import main
from seglab.datasets import LAYOUTS
from seglab.datasets.convert import convert, divide
from seglab.datasets.opening import open_dataset
from seglab.voc import DatasetError, VOCSegmentation

NAMES = [f"p{number}" for number in range(5)]


def make_pairs(root, images="images", masks="masks", draw=None, tail="", ending=".png"):
    """Two folders, as people make them; `draw(mask)` gives what is stored."""
    rng = np.random.default_rng(0)
    for name in NAMES:
        mask = block_mask(rng)
        mask[mask == 255] = 0
        for folder in (images, masks):
            (root / folder).mkdir(parents=True, exist_ok=True)
        Image.fromarray(painted(mask, rng)).save(root / images / f"{name}.jpg")
        stored = mask if draw is None else draw(mask)
        Image.fromarray(stored).save(root / masks / f"{name}{tail}{ending}")
    return root


def true_masks():
    rng = np.random.default_rng(0)
    for _ in NAMES:
        mask = block_mask(rng)
        mask[mask == 255] = 0
        painted(mask, rng)
        yield mask


# ---------------------------------------------------------------- folders images and masks


@pytest.mark.parametrize(
    ("images", "masks", "tail", "ending"),
    [
        ("images", "masks", "", ".png"),
        ("imgs", "mask", "_mask", ".PNG"),
        ("images", "labels", "-seg", ".bmp"),
        ("image", "annotations", "", ".tif"),
        ("Images", "Masks", "", ".BMP"),
        ("images", "masks", "_mask", ".gif"),
    ],
)
def test_images_and_masks(tmp_path, capsys, images, masks, tail, ending):
    root = make_pairs(tmp_path / "mine", images, masks, tail=tail, ending=ending)
    data = open_dataset(root, "trainval")
    assert data.classes == ("background", "class 1", "class 2") and data.names == NAMES
    for index, mask in enumerate(true_masks()):
        np.testing.assert_array_equal(data.mask(index).numpy(), mask)
    out = capsys.readouterr().out
    assert "guessed: class names (classes.txt would give them), the split, by name" in out
    (root / "classes.txt").write_text("floor\nred\nblue\n")
    assert open_dataset(root).classes == ("floor", "red", "blue")


def test_each_split_in_a_folder_of_its_own(tmp_path):
    for split in ("train", "valid"):
        make_pairs(tmp_path / "mine" / split)
    data = open_dataset(tmp_path / "mine", "val")
    assert data.names == [f"valid_{name}" for name in NAMES]
    make_pairs(tmp_path / "other", "images/train", "masks/train")
    make_pairs(tmp_path / "other", "images/val", "masks/val")
    assert open_dataset(tmp_path / "other", "train").names == [f"train_{name}" for name in NAMES]


def test_images_of_no_split_beside_a_val_are_for_training(tmp_path, capsys):
    make_pairs(tmp_path / "mine" / "val")
    make_pairs(tmp_path / "mine" / "more")
    assert open_dataset(tmp_path / "mine").names == [f"more_{name}" for name in NAMES]
    assert "images of no split are for training (5)" in capsys.readouterr().out
    assert len(open_dataset(tmp_path / "mine", "trainval")) == 10


def test_lists_of_other_names_do_not_hide_a_split(tmp_path):
    root = make_pairs(tmp_path / "mine")
    lists = root / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    for split, names in (("train", NAMES[:3]), ("val", NAMES[3:]), ("zoom", NAMES)):
        (lists / f"{split}.txt").write_text("\n".join(names))
    assert open_dataset(root).names == NAMES[:3] and open_dataset(root, "val").names == NAMES[3:]


def test_masks_without_images_are_named_and_images_without_masks_too(tmp_path):
    root = make_pairs(tmp_path / "mine")
    (root / "images" / "p1.jpg").unlink()
    (root / "images" / "p3.jpg").unlink()
    with pytest.raises(DatasetError, match=r"2 of 5 images are missing: p1, p3\."):
        open_dataset(root)
    for name in ("p1", "p3"):
        (root / "masks" / f"{name}.png").unlink()
    Image.new("RGB", (8, 8)).save(root / "images" / "new.webp")
    with pytest.warns(UserWarning, match=r"images without labels, left out \(1\): new$"):
        assert len(open_dataset(root, "trainval")) == 3


def test_names_composed_and_decomposed_are_pairs(tmp_path):
    root = make_pairs(tmp_path / "mine")
    for folder, form in (("images", "NFD"), ("masks", "NFC")):
        path = next((root / folder).glob("p0.*"))
        path.rename(path.with_stem(unicodedata.normalize(form, "grün 0")))
    assert unicodedata.normalize("NFC", "grün 0") in open_dataset(root, "trainval").names


def test_names_composed_and_decomposed(tmp_path):
    """macOS unpacks u and two dots; the list and the mask have one letter."""
    root = make_tiny_voc(tmp_path / "tiny")
    name = "grün 1"
    for folder, form in (("JPEGImages", "NFD"), ("SegmentationClass", "NFC")):
        path = next((root / folder).glob("blocks_0.*"))
        path.rename(path.with_stem(unicodedata.normalize(form, name)))
    split = root / "ImageSets" / "Segmentation" / "train.txt"
    split.write_text(split.read_text().replace("blocks_0", unicodedata.normalize("NFD", name)))
    assert open_dataset(root).names[0] == unicodedata.normalize("NFC", name)
    assert open_dataset(root)[0][0].shape == (3, 48, 64)


# ---------------------------------------------------------------- 0 and 255


def binary(mask):
    return np.where(mask > 0, 255, 0).astype(np.uint8)


def test_masks_of_0_and_255_are_refused_and_void_none_reads_them(tmp_path, capsys):
    root = make_pairs(tmp_path / "mine", draw=binary)
    with pytest.raises(DatasetError, match=r"hold only 0 and 255.*--void none") as caught:
        open_dataset(root)
    command = re.search(r"python -m seglab (convert .*)$", str(caught.value))[1].split()
    assert main(command) == 0
    assert "background" in capsys.readouterr().out
    data = open_dataset(root, "trainval")
    assert data.classes == ("background", "object")
    np.testing.assert_array_equal(data.mask(0).numpy(), next(true_masks()) > 0)


def test_a_voc_folder_of_0_and_255(tmp_path):
    root = make_tiny_voc(tmp_path / "tiny")
    (root / "classes.txt").write_text("wall\ncrack\n")
    for path in (root / "SegmentationClass").iterdir():
        with Image.open(path) as picture:
            mask = np.array(picture) % 255
        Image.fromarray(binary(mask)).save(path)
    with pytest.raises(DatasetError, match="hold only 0 and 255"):
        open_dataset(root)
    report = convert(root, tmp_path / "cured", void=None)
    assert (
        report.classes == ["wall", "crack"]
        and report.counts[255] == 0
        and min(report.counts[:2]) > 0
    )
    assert report.splits == {"train": 6, "val": 3}
    save_palette_png(root / "SegmentationClass" / "blocks_1.png", np.ones((48, 64)))
    with pytest.raises(DatasetError, match=r"blocks_1\.png: indices beside 0 and 255"):
        convert(root, tmp_path / "other", void=None)


def test_a_rare_class_is_no_binary_mask(tmp_path):
    """One picture of many shows the object; the others background and void only."""
    root = make_tiny_voc(tmp_path / "tiny", train=150)
    for path in sorted((root / "SegmentationClass").iterdir()):
        if path.stem != "blocks_101":
            mask = np.zeros((48, 64))
            mask[:3] = 255
            save_palette_png(path, mask)
    assert len(open_dataset(root)) == 150


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1, "object is the only class that occurs"), (255, "every label is void")],
)
def test_one_class_or_none_is_said(tmp_path, value, expected):
    root = make_pairs(tmp_path / "mine", draw=lambda mask: np.full_like(mask, value))
    with pytest.warns(UserWarning, match=expected):
        open_dataset(root)


def test_a_split_of_void_is_said(tmp_path):
    for split in ("train", "val"):
        void = split == "val"
        make_pairs(
            tmp_path / "mine" / split, draw=lambda m, void=void: np.full_like(m, 255) if void else m
        )
    with pytest.warns(UserWarning, match="every label of val is void"):
        open_dataset(tmp_path / "mine")


# ---------------------------------------------------------------- whole, once, and where


def test_images_are_links_and_masks_palette_pictures(tmp_path):
    root = make_pairs(tmp_path / "mine")
    convert(root, tmp_path / "voc")
    made, original = tmp_path / "voc" / "JPEGImages" / "p0.jpg", root / "images" / "p0.jpg"
    assert os.path.samefile(made, original)
    with Image.open(tmp_path / "voc" / "SegmentationClass" / "p0.png") as picture:
        assert picture.mode == "P"
    assert (tmp_path / "voc" / "classes.txt").read_text().splitlines()[0] == "background"
    lists = {p.stem for p in (tmp_path / "voc" / "ImageSets" / "Segmentation").iterdir()}
    assert lists == {"train", "val", "trainval"}


def test_copies_where_links_cannot_be(tmp_path, monkeypatch):
    def refuse(*paths):
        raise OSError("another disk")

    monkeypatch.setattr(os, "link", refuse)
    root = make_pairs(tmp_path / "mine")
    convert(root, tmp_path / "voc")
    made, original = tmp_path / "voc" / "JPEGImages" / "p0.jpg", root / "images" / "p0.jpg"
    assert not os.path.samefile(made, original) and made.read_bytes() == original.read_bytes()


def test_converted_once_while_the_source_is_unchanged(tmp_path, capsys):
    root = make_pairs(tmp_path / "mine")
    folder = open_dataset(root).root
    assert folder == tmp_path / "mine-voc" and str(folder) in capsys.readouterr().out
    before = (folder / "SegmentationClass" / "p0.png").stat().st_mtime_ns
    open_dataset(root, "val")
    assert (folder / "SegmentationClass" / "p0.png").stat().st_mtime_ns == before
    assert capsys.readouterr().out == ""  # said once
    Image.fromarray(np.ones((48, 64), np.uint8)).save(root / "masks" / "p0.png")
    data = open_dataset(root, "trainval")
    assert data.mask(0).unique().tolist() == [1] and "mine-voc" in capsys.readouterr().out


def test_one_list_alone(tmp_path):
    """With train alone, val is cut from it, and train is the rest: no image is in both."""
    root = make_tiny_voc(tmp_path / "tiny")
    lists = root / "ImageSets" / "Segmentation"
    (lists / "val.txt").unlink()
    train, val = open_dataset(root, "train"), open_dataset(root, "val")
    assert len(train) == 5 and len(val) == 1 and not set(train.names) & set(val.names)
    (lists / "train.txt").rename(lists / "val.txt")  # val alone is a set to score on
    assert len(open_dataset(root, "val")) == 6
    with pytest.raises(DatasetError, match=r"train\.txt: no such split; found: val"):
        open_dataset(root, "train")
    make_pairs(tmp_path / "mine" / "val")
    assert len(open_dataset(tmp_path / "mine", "val")) == 5


def test_under_runs_where_nothing_can_be_written_beside(tmp_path, monkeypatch):
    root = make_pairs(tmp_path / "read only" / "mine")
    monkeypatch.setenv("SEGLAB_RUNS", str(tmp_path / "my runs"))
    access = os.access
    monkeypatch.setattr(
        os, "access", lambda path, way: "read only" not in path.name and access(path, way)
    )
    assert open_dataset(root).root == tmp_path / "my runs" / "mine-voc"


def test_what_lies_in_the_way_is_not_touched(tmp_path):
    root = make_pairs(tmp_path / "mine")
    (tmp_path / "mine-voc").mkdir()
    (tmp_path / "mine-voc" / "diary.txt").write_text("mine")
    with pytest.raises(DatasetError, match="already there, and not made by a conversion"):
        open_dataset(root)
    assert (tmp_path / "mine-voc" / "diary.txt").read_text() == "mine"
    with pytest.raises(DatasetError, match="already there"):
        convert(root, root)


def test_a_failure_keeps_the_old_folder(tmp_path):
    root = make_pairs(tmp_path / "mine")
    convert(root, tmp_path / "voc")
    before = sorted(p.name for p in (tmp_path / "voc").rglob("*"))
    (root / "masks" / "p3.png").write_bytes(b"rubbish")
    with pytest.raises(DatasetError, match=r"p3\.png: cannot be read as a mask"):
        convert(root, tmp_path / "voc")
    assert sorted(p.name for p in (tmp_path / "voc").rglob("*")) == before
    left = {p.name for p in tmp_path.iterdir()} - {"mine", "voc"}
    assert not left


def test_the_report_on_the_shell(tmp_path, capsys):
    root = make_pairs(tmp_path / "mine")
    assert main(["convert", str(root), str(tmp_path / "voc")]) == 0
    line = capsys.readouterr().out.strip()
    assert line.startswith(f"{root} (images and masks) -> {tmp_path / 'voc'}: 5 images (4 train, 1")
    counts = np.bincount(np.concatenate([mask.ravel() for mask in true_masks()]))
    for name, count in zip(("background", "class 1", "class 2"), counts, strict=True):
        assert f"{name} {100 * count / counts.sum():.1f} %" in line
    assert "\n" not in line
    content = json.loads((tmp_path / "voc" / "converted.json").read_text())
    assert (
        content["counts"][: len(counts)] == counts.tolist()
        and content["kind"] == "images and masks"
    )
    assert len(VOCSegmentation(tmp_path / "voc", "val")) == 1


# ---------------------------------------------------------------- photographs that were turned


def turn(path, way):
    exif = Image.Exif()
    exif[0x0112] = way
    with Image.open(path) as picture:
        picture.load()
    picture.save(path, exif=exif)


@pytest.mark.parametrize("voc", [True, False])
def test_a_turned_photograph_is_said(tmp_path, voc):
    make = make_tiny_voc if voc else make_pairs
    root = make(tmp_path / "mine")
    photo = next(root.rglob("*0.jpg"))
    turn(photo, 3)
    with pytest.warns(UserWarning, match=rf"turned by their camera \(EXIF.*{photo.stem}"):
        open_dataset(root)
    turn(photo, 6)
    with pytest.raises(DatasetError, match=rf"camera was turned \(EXIF\).*{photo.name}"):
        open_dataset(root)[0]


# ---------------------------------------------------------------- what is refused


def test_other_kinds_are_named_and_what_can_be_read_is_listed(tmp_path):
    for name, content, expected in (
        ("annotations.xml", "<annotations/>", "CVAT's own XML"),
        ("Annotations/a.xml", "<annotation/>", "boxes in VOC's XML"),
        ("via_project_1.json", "{}", "VGG Image Annotator"),
        ("task-1-annotation-2-by-1-tag-cat-0.npy", "", "Label Studio's NumPy export"),
        ("train.tfrecord", "", "TensorFlow records"),
        ("a.txt", "hello", "no labels that are recognised"),
    ):
        root = tmp_path / name.replace("/", "-").replace(".", "-")
        (root / name).parent.mkdir(parents=True)
        (root / name).write_text(content)
        Image.new("RGB", (8, 8)).save(root / "a.jpg")
        with pytest.raises(DatasetError, match=re.escape(expected)) as caught:
            open_dataset(root)
        assert str(caught.value).endswith(f"What can be read: {LAYOUTS}")
        assert "\n" not in str(caught.value)


def test_packed_and_missing(tmp_path):
    (tmp_path / "export.zip").write_bytes(b"PK")
    with pytest.raises(DatasetError, match=r"export\.zip: a file, perhaps a packed export; unpack"):
        open_dataset(tmp_path / "export.zip")
    with pytest.raises(DatasetError, match="nowhere: no such folder"):
        open_dataset(tmp_path / "nowhere")


def test_an_image_that_is_none(tmp_path):
    root = make_pairs(tmp_path / "mine")
    (root / "images" / "p2.jpg").write_text("hello")
    with pytest.raises(DatasetError, match=r"p2\.jpg: cannot be read as a picture"):
        open_dataset(root)


# ---------------------------------------------------------------- train and val


@given(
    names=st.lists(st.text(min_size=1, max_size=8), min_size=2, max_size=40, unique=True),
    share=st.floats(0.01, 0.99),
    seed=st.integers(0, 1000),
)
@settings(max_examples=60)
def test_every_image_is_in_exactly_one_part(names, share, seed):
    train = divide(names, "train", share, seed)
    val = divide(names, "val", share, seed)
    assert train and val and not set(train) & set(val)
    assert sorted(train + val) == sorted(names)
    assert abs(len(val) - share * len(names)) <= 1
    assert divide(names[::-1], "val", share, seed) == val[::-1]  # order does not matter
    assert [n for n in names if n in val] == val


@pytest.mark.parametrize("share", [0, 1, -0.5, 20])
def test_a_share_lies_between_0_and_1(share):
    with pytest.raises(ValueError, match="validation_share lies between 0 and 1"):
        divide(NAMES, "val", share)
