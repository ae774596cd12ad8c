"""The palette against the bit rule and against Pillow; colours and indices both ways."""

import io

import numpy as np
import pytest
import torch
from helpers import palette_by_hand
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from PIL import Image

from seglab.palettes import (
    VOC_CLASSES,
    VOC_PALETTE,
    VOID,
    UnknownColorError,
    colorize,
    indices_from_rgb,
    palette_image,
    voc_color,
)

# As the VOC 2012 development kit prints them.
KNOWN_COLORS = {
    "background": (0, 0, 0),
    "aeroplane": (128, 0, 0),
    "bicycle": (0, 128, 0),
    "bird": (128, 128, 0),
    "boat": (0, 0, 128),
    "bottle": (128, 0, 128),
    "bus": (0, 128, 128),
    "car": (128, 128, 128),
    "cat": (64, 0, 0),
    "chair": (192, 0, 0),
    "cow": (64, 128, 0),
    "diningtable": (192, 128, 0),
    "dog": (64, 0, 128),
    "horse": (192, 0, 128),
    "motorbike": (64, 128, 128),
    "person": (192, 128, 128),
    "pottedplant": (0, 64, 0),
    "sheep": (128, 64, 0),
    "sofa": (0, 192, 0),
    "train": (128, 192, 0),
    "tvmonitor": (0, 64, 128),
}
CAMVID_COLORS = [
    (128, 128, 128),
    (128, 0, 0),
    (192, 192, 128),
    (128, 64, 128),
    (60, 40, 222),
    (128, 128, 0),
    (192, 128, 128),
    (64, 64, 128),
    (64, 0, 128),
    (64, 64, 0),
    (0, 128, 192),
]

sizes = npst.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12)
voc_masks = npst.arrays(np.uint8, sizes, elements=st.sampled_from([*range(21), 255]))
any_masks = npst.arrays(np.uint8, sizes)


def camvid_palette() -> np.ndarray:
    palette = np.zeros((256, 3), dtype=np.uint8)
    palette[: len(CAMVID_COLORS)] = CAMVID_COLORS
    palette[255] = (1, 2, 3)
    return palette


def test_the_classes_have_their_known_colors():
    assert tuple(KNOWN_COLORS) == VOC_CLASSES
    for index, color in enumerate(KNOWN_COLORS.values()):
        assert voc_color(index) == color
        assert tuple(VOC_PALETTE[index].tolist()) == color
    assert VOID == 255
    assert tuple(VOC_PALETTE[VOID].tolist()) == (224, 224, 192)


def test_the_palette_follows_the_bit_rule():
    assert VOC_PALETTE.dtype == np.uint8
    np.testing.assert_array_equal(VOC_PALETTE, palette_by_hand())
    assert len(np.unique(VOC_PALETTE, axis=0)) == 256  # no two indices share a colour


@given(any_masks)
def test_colorize_equals_pillows_palette(mask):
    picture = Image.fromarray(mask)
    picture.putpalette(palette_by_hand().tobytes())
    np.testing.assert_array_equal(colorize(mask), np.asarray(picture.convert("RGB")))


@given(any_masks)
def test_palette_image_survives_a_png_file(mask):
    file = io.BytesIO()
    palette_image(mask).save(file, format="PNG")
    read = Image.open(file)
    assert read.mode == "P"
    np.testing.assert_array_equal(np.asarray(read), mask)
    np.testing.assert_array_equal(np.asarray(read.convert("RGB")), colorize(mask))


@given(voc_masks)
def test_there_and_back_with_voc(mask):
    back = indices_from_rgb(colorize(mask))
    assert back.dtype == np.uint8
    np.testing.assert_array_equal(back, mask)


@given(npst.arrays(np.uint8, sizes, elements=st.sampled_from([*range(11), 255])))
def test_there_and_back_with_another_palette(mask):
    palette = camvid_palette()
    np.testing.assert_array_equal(indices_from_rgb(colorize(mask, palette), palette, 11), mask)


@given(any_masks)
def test_there_and_back_with_255_classes(mask):
    np.testing.assert_array_equal(indices_from_rgb(colorize(mask), num_classes=255), mask)


@given(any_masks, st.integers(0, 1000))
@settings(max_examples=3)  # the table has 17 million entries here
def test_there_and_back_with_255_random_colors(mask, seed):
    """Colours whose channels use all 256 values need the largest table."""
    numbers = np.random.default_rng(seed).permutation(256**3)[:256]
    palette = np.stack([numbers >> 16, numbers >> 8 & 255, numbers & 255], 1).astype(np.uint8)
    assert len(np.unique(palette, axis=0)) == 256
    np.testing.assert_array_equal(indices_from_rgb(palette[mask], palette, 255), mask)


def test_of_two_classes_with_one_color_the_lower_index_wins():
    palette = camvid_palette()
    palette[7] = palette[2]
    rgb = palette[np.array([[7, 2, 1]])]
    np.testing.assert_array_equal(indices_from_rgb(rgb, palette, 11), [[2, 2, 1]])


@given(voc_masks, st.tuples(*[st.integers(0, 255)] * 3))
def test_an_unknown_color_is_named_and_never_called_background(mask, color):
    rgb = colorize(mask)
    rgb[-1, -1] = color
    known = {tuple(VOC_PALETTE[i].tolist()): i for i in [*range(21), 255]}
    if color in known:
        assert indices_from_rgb(rgb)[-1, -1] == known[color]
    else:
        with pytest.raises(UnknownColorError) as caught:
            indices_from_rgb(rgb)
        assert str(color) in str(caught.value)
        assert "at 1 pixel" in str(caught.value) and "1 pixels" not in str(caught.value)


def test_many_unknown_colors_are_counted_not_all_listed():
    rgb = np.zeros((3, 30, 3), dtype=np.uint8)
    rgb[1, :, 0] = np.arange(1, 31)
    with pytest.raises(UnknownColorError) as caught:
        indices_from_rgb(rgb)
    text = str(caught.value)
    assert text.startswith("30 colour(s)") and "25 more" in text
    assert len(text) < 500


def test_classes_above_the_number_of_classes_are_unknown():
    rgb = colorize(np.array([[20]]))
    assert indices_from_rgb(rgb)[0, 0] == 20
    with pytest.raises(UnknownColorError):
        indices_from_rgb(rgb, num_classes=20)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int32, torch.int64])
def test_tensors_and_wide_integers_are_taken(dtype):
    mask = torch.tensor([[0, 5, 255], [20, 1, 2]], dtype=dtype)
    expected = palette_by_hand()[mask.long().numpy()]
    np.testing.assert_array_equal(colorize(mask), expected)
    np.testing.assert_array_equal(colorize(mask.numpy()), expected)
    np.testing.assert_array_equal(np.asarray(palette_image(mask)), mask.numpy())
    np.testing.assert_array_equal(indices_from_rgb(torch.from_numpy(expected)), mask.numpy())


def test_empty_pictures_are_fine():
    assert colorize(np.zeros((0, 4), dtype=np.uint8)).shape == (0, 4, 3)
    assert colorize(np.zeros((0, 4), dtype=np.int64)).shape == (0, 4, 3)
    assert indices_from_rgb(np.zeros((0, 4, 3), dtype=np.uint8)).shape == (0, 4)


@pytest.mark.parametrize("paint", [colorize, palette_image])
@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (np.zeros((2, 3, 4), dtype=np.uint8), "two dimensions"),
        (np.zeros(5, dtype=np.uint8), "two dimensions"),
        (np.zeros((2, 2), dtype=np.float32), "whole numbers"),
        (np.full((2, 2), 256), "0 to 255"),
        (np.full((2, 2), -1), "0 to 255"),
        (torch.zeros(21, 4, 4), "two dimensions"),
        (torch.zeros(4, 4), "whole numbers"),
    ],
)
def test_what_is_no_mask_is_refused(paint, mask, words):
    with pytest.raises(ValueError, match=words):
        paint(mask)


@pytest.mark.parametrize(
    "rgb",
    [
        np.zeros((4, 4), dtype=np.uint8),
        np.zeros((4, 4, 4), dtype=np.uint8),
        np.zeros((3, 4, 4), dtype=np.uint8),
        np.zeros((4, 4, 3), dtype=np.float32),
        np.zeros((4, 4, 3), dtype=np.int64),
    ],
)
def test_what_is_no_color_picture_is_refused(rgb):
    with pytest.raises(ValueError, match="uint8"):
        indices_from_rgb(rgb)
