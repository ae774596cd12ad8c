"""The look before training."""

import re

import numpy as np
import pytest
import torch
from helpers import TINY_CLASSES, make_tiny_voc, save_palette_png, voc_folder
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from seglab.datasets.inspection import check, in_squares
from seglab.voc import VOCSegmentation, rooms


@pytest.fixture
def odd(tmp_path):
    """Ten masks of 8 x 8 with something odd about most of them; four classes, one never used."""
    masks = np.zeros((10, 8, 8), dtype=np.uint8)
    masks[:, 1:5, 1:5] = 1
    masks[0, 0] = 255  # 8 void pixels
    masks[1] = 0  # nothing labelled, one value
    masks[2] = 255  # nothing but void
    masks[3] = 1  # one value, but not background
    masks[4][masks[4] == 1] = 0
    masks[4, 7] = 255  # background and void
    masks[5, :, 7] = 2  # class 2 in a line one pixel wide
    masks[6, 6:8, 6:8] = 2  # class 2 in a square: no line
    classes = ("background", "cat", "dog", "cow")
    root = voc_folder(tmp_path / "odd", {"trainval": [f"p{i}" for i in range(10)]}, classes)
    for index, mask in enumerate(masks):
        size = (9, 8) if index == 8 else (8, 8)  # one image of another size than its mask
        Image.new("RGB", size).save(root / "JPEGImages" / f"p{index}.jpg")
        save_palette_png(root / "SegmentationClass" / f"p{index}.png", mask)
    (root / "JPEGImages" / "p9.jpg").write_text("no picture")
    return VOCSegmentation(root, "trainval"), masks


def test_check_counts_everything_once(odd):
    data, masks = odd
    report = check(data)
    assert report.names == [f"p{i}" for i in range(8)] and report.sizes == {(8, 8): 8}
    counts = [[int((mask == c).sum()) for c in range(4)] for mask in masks[:8]]
    assert report.counts[:, :4].tolist() == counts
    assert report.counts[:, 255].tolist() == [int((mask == 255).sum()) for mask in masks[:8]]
    assert report.missing == ["cow"]
    assert report.one_value == ["p1", "p2", "p3"]
    assert report.only_background == ["p1", "p4"]
    assert report.thin == [("p5", "dog")]
    assert len(report.faults) == 2 and "9 x 8" in report.faults[0] and "p9.jpg" in report.faults[1]


def test_the_printed_report(odd):
    data, masks = odd
    lines = str(check(data)).splitlines()
    assert lines[:4] == [
        "odd, split trainval",
        "images  8",
        "sizes   8 x 8 (8)",
        f"void    {100 * (8 + 64 + 8) / (8 * 64):.1f} % of all pixels",
    ]
    table = {line.split()[0]: line.split()[1:] for line in lines[6:10]}
    labelled = sum(int((mask != 255).sum()) for mask in masks[:8])
    dogs = int((masks[:8] == 2).sum())
    assert table["dog"] == [f"{100 * dogs / labelled:.2f}", "2"]
    assert table["cow"] == ["0.00", "0"]
    assert sum(float(share) for share, _ in table.values()) == pytest.approx(100, abs=0.03)
    text = "\n".join(lines[11:])
    assert "images that cannot be used (2): " in text
    assert "classes that never occur: nothing can be learnt about them (1): cow" in text
    assert "images with background only: are they really empty? (2): p1, p4" in text
    assert re.search(r"masks of one single value: .* \(2\): p2, p3$", text, re.M)
    assert re.search(r"classes in lines one pixel wide: .* \(1\): p5 \(dog\)$", text, re.M)


def test_nothing_unusual_in_a_good_set(tmp_path):
    report = check(VOCSegmentation(make_tiny_voc(tmp_path / "tiny"), "train"))
    assert report.findings() == [] and str(report).endswith("nothing unusual found")
    assert report.counts[:, 255].sum() > 0


def test_a_mask_that_was_resized_smoothly_is_noticed(tmp_path):
    """Between background (0) and dog (2) a smooth resize invents a rim of class 1."""
    root = make_tiny_voc(tmp_path / "tiny")
    big = np.zeros((96, 128), dtype=np.uint8)
    big[21:70, 31:90] = 2
    smooth = np.asarray(Image.fromarray(big).resize((64, 48), Image.Resampling.BILINEAR))
    assert set(np.unique(smooth)) == {0, 1, 2}
    save_palette_png(root / "SegmentationClass" / "blocks_2.png", smooth)
    report = check(VOCSegmentation(root))
    assert report.thin == [("blocks_2", "red thing")]


def test_a_foreign_color_is_reported_not_raised(tmp_path):
    root = make_tiny_voc(tmp_path / "tiny")
    Image.new("RGB", (64, 48), (7, 8, 9)).save(root / "SegmentationClass" / "blocks_1.png")
    report = check(VOCSegmentation(root))
    assert len(report.names) == 5
    assert re.search(r"images that cannot be used \(1\): .*blocks_1\.png: 1 colour", str(report))


def test_check_reads_any_data_set_and_leaves_it_as_it_is(tmp_path):
    def never(image, mask):
        raise AssertionError("transforms are not applied")

    data = VOCSegmentation(make_tiny_voc(tmp_path / "tiny"), "train", transforms=never)
    report = check(data)
    assert report.classes == TINY_CLASSES and len(report.names) == 6
    assert data.transforms is never


def test_the_rooms_are_in_order():
    data = rooms("val")
    data.names = data.names[:12]
    report = check(data)
    assert not (report.faults or report.thin or report.one_value)
    assert set(report.missing) >= {"aeroplane", "train"}  # VOC's classes that rooms do not have


@given(seed=st.integers(0, 10_000), height=st.integers(1, 6), width=st.integers(1, 6))
@settings(max_examples=60)
def test_squares_of_two_by_two(seed, height, width):
    mask = torch.from_numpy(
        np.random.default_rng(seed).choice([0, 1, 255], (height, width), p=[0.6, 0.2, 0.2])
    ).to(torch.uint8)
    expected = torch.zeros(height, width, dtype=torch.bool)
    for y in range(height - 1):
        for x in range(width - 1):
            if mask[y : y + 2, x : x + 2].unique().numel() == 1:
                expected[y : y + 2, x : x + 2] = True
    assert torch.equal(in_squares(mask), expected)
