"""The interactive figures of notebook 08: overlapping shapes, and the line between two masks."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from helpers import TINY_CLASSES
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from seglab.figures.widgets import Interactive, _shape, overlap_explorer, truth_slider
from seglab.palettes import VOC_PALETTE, VOID
from seglab.prediction import overlay


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def shown(widget):
    """The figure for the present values of the controls, as matplotlib objects."""
    return widget.draw(**{name: control.value for name, control in widget.controls.items()})


def boxes_by_hand(picture, size, right, down):
    """Intersection, union, wrong pixels of two boxes, by the arithmetic of intervals."""

    def inside(low, high):  # a stretch of pixels, cut off at the picture's edges
        return max(0, min(high, picture) - max(low, 0))

    def stretch(size, shift):
        low = (picture - size) // 2 + shift
        return low, low + size

    true_x = true_y = stretch(40, 0)
    x, y = stretch(size, right), stretch(size, down)
    common_x = inside(max(x[0], true_x[0]), min(x[1], true_x[1]))
    common_y = inside(max(y[0], true_y[0]), min(y[1], true_y[1]))
    hits, predicted = common_x * common_y, inside(*x) * inside(*y)
    union = 40 * 40 + predicted - hits
    return hits, union, predicted


def numbers_of(figure):
    """IoU, Dice and pixel accuracy as the title and as the bars' lengths say them."""
    title = figure.get_suptitle()
    bars = [patch.get_width() for patch in figure.axes[1].patches]
    iou, dice, accuracy = (float(part.split()[-1]) for part in title.removesuffix(" %").split(","))
    np.testing.assert_allclose([iou, dice, accuracy], bars, atol=0.051)
    return bars


@settings(max_examples=25)
@given(
    st.sampled_from([88, 120, 160, 240, 400]),
    st.integers(2, 44).map(lambda half: 2 * half),
    st.integers(-44, 44),
    st.integers(-44, 44),
)
def test_the_numbers_of_two_boxes_are_those_of_plain_arithmetic(picture, size, right, down):
    widget = overlap_explorer()
    figure = widget.draw(shape="box", right=right, down=down, size=size, picture=picture)
    hits, union, predicted = boxes_by_hand(picture, size, right, down)
    iou, dice, accuracy = numbers_of(figure)
    assert iou == pytest.approx(100 * hits / union)
    assert dice == pytest.approx(100 * 2 * hits / (1600 + predicted))
    assert accuracy == pytest.approx(100 * (1 - (union - hits) / picture**2))
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == [
        f"neither: {picture**2 - union:,}",
        f"only true: {1600 - hits:,}",
        f"only predicted: {predicted - hits:,}",
        f"both: {hits:,}",
    ]
    plt.close("all")


def test_a_disc_is_round_and_as_wide_as_asked():
    disc = _shape("disc", 120, 40)
    assert disc.any(0).sum() == disc.any(1).sum() == 40
    assert disc.sum().item() == pytest.approx(np.pi * 20**2, rel=0.01)
    assert torch.equal(disc, disc.T) and torch.equal(disc, disc.flip(0))
    assert torch.equal(_shape("disc", 120, 40, right=7, down=-3), disc.roll((-3, 7), (0, 1)))


def test_the_first_frame_is_a_picture_without_a_kernel():
    widget = overlap_explorer()
    assert isinstance(widget, Interactive)
    picture = Image.open(io.BytesIO(widget.picture.value))
    assert picture.format == "PNG" and min(picture.size) > 300
    assert widget._repr_mimebundle_()["image/png"]


def test_more_background_raises_only_the_accuracy():
    widget = overlap_explorer()
    widget.controls["picture"].value = 120  # both shapes lie inside
    small = numbers_of(shown(widget))
    widget.controls["picture"].value = 400
    large = numbers_of(shown(widget))
    assert large[:2] == pytest.approx(small[:2])
    assert large[2] > small[2]


@pytest.mark.parametrize(
    ("name", "value"),
    [("shape", "box"), ("right", 3), ("down", -9), ("size", 60), ("picture", 240)],
)
def test_each_control_moves_the_picture(name, value):
    widget = overlap_explorer()
    before = widget.picture.value
    widget.controls[name].value = value
    assert widget.picture.value != before


def test_equal_shapes_are_perfect_and_distant_ones_share_nothing():
    widget = overlap_explorer()
    widget.controls["right"].value = 0
    assert numbers_of(shown(widget)) == [100, 100, 100]
    assert numbers_of(widget.draw("disc", 44, 44, 40, 160))[:2] == [0, 0]


# ---------------------------------------------------------------- prediction against truth


@pytest.fixture
def triple():
    generator = torch.Generator().manual_seed(0)
    image = torch.randint(0, 256, (3, 30, 50), dtype=torch.uint8, generator=generator)
    truth = torch.zeros(30, 50, dtype=torch.uint8)
    truth[5:25, 10:40] = 2
    truth[4, 10:40] = VOID
    prediction = torch.zeros_like(truth)
    prediction[8:25, 5:35] = 1
    return image, truth, prediction


@pytest.mark.parametrize("percent", [0, 20, 50, 99, 100])
def test_left_of_the_line_is_the_prediction_and_right_of_it_the_truth(triple, percent):
    image, truth, prediction = triple
    widget = truth_slider(image, truth, prediction, TINY_CLASSES)
    widget.controls["line"].value = percent
    figure = shown(widget)
    drawn = figure.axes[0].images[0].get_array()
    column = round(percent / 100 * 50)
    of_truth, of_prediction = (
        overlay(image, mask, VOC_PALETTE, 0.75) for mask in (truth, prediction)
    )
    np.testing.assert_array_equal(drawn[:, :column], of_prediction[:, :column])
    np.testing.assert_array_equal(drawn[:, column:], of_truth[:, column:])
    assert {line.get_xdata()[0] for line in figure.axes[0].lines} == {column - 0.5}
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == [
        *(f"{i} {c}" for i, c in enumerate(TINY_CLASSES)),
        "255 void",
    ]  # of both masks, wherever the line is


def test_moving_the_line_changes_the_picture_but_not_its_size_or_the_masks(triple):
    before = [item.clone() for item in triple]
    widget = truth_slider(*triple, TINY_CLASSES)
    pictures = []
    for percent in (0, 30, 100):
        widget.controls["line"].value = percent
        pictures.append(widget.picture.value)
    assert len(set(pictures)) == 3
    assert len({Image.open(io.BytesIO(picture)).size for picture in pictures}) == 1
    assert all(torch.equal(item, old) for item, old in zip(triple, before, strict=True))


def test_every_control_has_a_name_and_a_keyboard(triple):
    controls = {**overlap_explorer().controls, **truth_slider(*triple, TINY_CLASSES).controls}
    for control in controls.values():
        assert control.description
        assert type(control).__name__ in ("IntSlider", "SelectionSlider", "ToggleButtons")
