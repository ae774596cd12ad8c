"""The embedded data set is what data/README.md promises."""

import functools
import math

import numpy as np
import pytest
from helpers import palette_by_hand
from PIL import Image

from seglab.palettes import VOC_CLASSES
from seglab.voc import rooms, rooms_folder

PRESENT = (
    "bicycle",
    "bird",
    "bottle",
    "cat",
    "chair",
    "diningtable",
    "pottedplant",
    "sofa",
    "tvmonitor",
)
INDICES = [VOC_CLASSES.index(name) for name in PRESENT]
VOID = 255


@functools.cache
def masks(split: str) -> dict[str, np.ndarray]:
    """Read with Pillow alone, not with the reader that is tested elsewhere."""
    return {
        name: np.asarray(Image.open(rooms_folder() / "SegmentationClass" / f"{name}.png"))
        for name in listed(split)
    }


@functools.cache
def listed(split: str) -> list[str]:
    path = rooms_folder() / "ImageSets" / "Segmentation" / f"{split}.txt"
    return path.read_text().split("\n")[:-1]


def everything() -> dict[str, np.ndarray]:
    return {**masks("train"), **masks("val")}


def objects(name: str) -> np.ndarray:
    return np.asarray(Image.open(rooms_folder() / "SegmentationObject" / f"{name}.png"))


def test_there_are_enough_pictures():
    assert len(rooms("train")) >= 360
    assert len(rooms("val")) >= 120


def test_the_splits_are_disjoint_sorted_and_complete():
    train, val, both = listed("train"), listed("val"), listed("trainval")
    assert not set(train) & set(val)
    assert sorted(train + val) == both
    assert len(set(both)) == len(both)
    assert train == sorted(train) and val == sorted(val)
    on_disk = {p.stem for p in (rooms_folder() / "JPEGImages").iterdir()}
    assert on_disk == set(both)  # nothing is missing and nothing is left over
    for folder in ("SegmentationClass", "SegmentationObject"):
        assert {p.name for p in (rooms_folder() / folder).iterdir()} == {f"{n}.png" for n in both}


def test_every_picture_is_a_jpeg_of_320_by_240_and_every_mask_a_palette_png():
    palette = palette_by_hand().reshape(-1).tolist()
    for name in listed("trainval"):
        with Image.open(rooms_folder() / "JPEGImages" / f"{name}.jpg") as picture:
            assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (320, 240))
            picture.load()
        for folder in ("SegmentationClass", "SegmentationObject"):
            with Image.open(rooms_folder() / folder / f"{name}.png") as picture:
                assert (picture.format, picture.mode, picture.size) == ("PNG", "P", (320, 240))
                assert picture.getpalette() == palette, f"{folder}/{name}"


def test_only_the_nine_classes_background_and_void_occur():
    found = set().union(*(np.unique(mask).tolist() for mask in everything().values()))
    assert found == {0, VOID, *INDICES}


@pytest.mark.parametrize(("split", "least"), [("train", 60), ("val", 20)])
@pytest.mark.parametrize("name", PRESENT)
def test_every_class_is_in_enough_pictures(split, least, name):
    index = VOC_CLASSES.index(name)
    # Fifty pixels: what is smaller cannot be called present.
    count = sum((mask == index).sum() >= 50 for mask in masks(split).values())
    assert count >= least


@pytest.mark.parametrize("split", ["train", "val"])
def test_shares_of_background_and_void(split):
    pixels = np.bincount(np.concatenate([m.ravel() for m in masks(split).values()]), minlength=256)
    shares = pixels / pixels.sum()
    assert 0.55 <= shares[0] <= 0.72
    assert 0 < shares[VOID] < 0.08


def test_no_picture_is_all_background_or_mostly_void():
    for name, mask in everything().items():
        assert (mask == VOID).mean() < 0.25, name
        assert np.isin(mask, INDICES).any(), name


def test_class_and_object_masks_agree():
    for name, mask in everything().items():
        instances = objects(name)
        np.testing.assert_array_equal(instances == VOID, mask == VOID, err_msg=name)
        np.testing.assert_array_equal(instances == 0, mask == 0, err_msg=name)
        numbers = [n for n in np.unique(instances).tolist() if n not in (0, VOID)]
        for number in numbers:
            assert len(np.unique(mask[instances == number])) == 1, f"{name}, object {number}"


def widened(region: np.ndarray, pixels: int) -> np.ndarray:
    """All places at most so many pixels away from a region (in a square)."""
    for axis in (0, 1):
        padded = np.pad(region, [(pixels,) * 2 if a == axis else (0, 0) for a in (0, 1)])
        n = region.shape[axis]
        region = np.logical_or.reduce(
            [padded.take(range(s, s + n), axis) for s in range(2 * pixels + 1)]
        )
    return region


def test_widened_by_hand():
    region = np.zeros((5, 6), dtype=bool)
    region[0, 2] = True
    expected = np.zeros((5, 6), dtype=bool)
    expected[:2, 1:4] = True
    np.testing.assert_array_equal(widened(region, 1), expected)


@pytest.mark.parametrize("kind", ["bicycle", "pottedplant"])
def test_thin_things_are_labelled_not_swallowed_by_void(kind):
    """In the whole set, and in nearly every picture: more labelled pixels than void ones."""
    index = VOC_CLASSES.index(kind)
    labelled, void = [], []
    for mask in everything().values():
        thing = mask == index
        if thing.sum() >= 150:  # around anything smaller a border of two pixels is a lot
            labelled.append(thing.sum())
            void.append((widened(thing, 3) & (mask == VOID)).sum())
    labelled, void = np.array(labelled), np.array(void)
    assert len(labelled) > 0
    assert labelled.sum() > void.sum()
    mostly_void = (void > 1.5 * labelled).mean()
    assert mostly_void <= 0.05, f"{mostly_void:.0%} of the pictures with a {kind} show mostly void"


def test_it_is_small():
    files = [p for p in rooms_folder().rglob("*") if p.is_file()]
    assert sum(p.stat().st_size for p in files) < 16e6


def thumbnails() -> tuple[list[str], np.ndarray]:
    names = listed("trainval")
    small = [
        np.asarray(
            Image.open(rooms_folder() / "JPEGImages" / f"{name}.jpg")
            .convert("L")
            .resize((16, 12), Image.Resampling.BOX),
            dtype=np.float32,
        ).ravel()
        for name in names
    ]
    return names, np.stack(small)


def closest_pairs(small: np.ndarray) -> np.ndarray:
    """Root-mean-square difference of each pair of thumbnails (0 to 255), infinite on itself."""
    squares = (small**2).sum(1)
    distances = squares[:, None] + squares[None] - 2 * small @ small.T
    rms = np.sqrt(np.maximum(distances, 0) / small.shape[1])
    np.fill_diagonal(rms, math.inf)
    return rms


def test_no_two_pictures_are_nearly_the_same():
    names, small = thumbnails()
    rms = closest_pairs(small)
    a, b = np.unravel_index(rms.argmin(), rms.shape)
    assert rms.min() > 5, f"{names[a]} and {names[b]} differ by {rms.min():.1f} grey levels"


def test_the_search_for_duplicates_finds_one():
    _, small = thumbnails()
    noise = np.random.default_rng(0).normal(0, 1, small.shape[1])
    copy = small[:1] + noise.astype(np.float32)
    assert closest_pairs(np.concatenate([small, copy])).min() < 5


def test_brightness_and_color_vary_and_are_natural():
    """Neither black nor burnt out, neither grey nor garish, and not all alike."""
    means, clipped = [], []
    for name in listed("trainval"):
        rgb = np.asarray(Image.open(rooms_folder() / "JPEGImages" / f"{name}.jpg"), dtype=float)
        means.append(rgb.mean((0, 1)))
        clipped.append((rgb.min(-1) > 250).mean())
    means = np.array(means)
    grey = means.mean(1)
    assert grey.min() > 25 and grey.max() < 225 and grey.std() > 10
    assert np.mean(np.array(clipped) > 0.3) < 0.05
    assert (means.max(1) - means.min(1)).mean() < 60


def test_objects_of_a_kind_vary_in_size_and_place():
    sizes, columns = {n: [] for n in PRESENT}, {n: [] for n in PRESENT}
    for mask in everything().values():
        for name, index in zip(PRESENT, INDICES, strict=True):
            if (area := (mask == index).sum()) >= 50:
                sizes[name].append(area)
                columns[name].append(np.nonzero(mask == index)[1].mean())
    for name, areas in sizes.items():
        low, high = np.quantile(areas, [0.1, 0.9])
        assert high > 3 * low, f"{name}: areas from {low:.0f} to {high:.0f} pixels"
        left, right = np.quantile(columns[name], [0.1, 0.9])
        assert right - left > 32, f"{name}: centres from column {left:.0f} to {right:.0f} of 320"
