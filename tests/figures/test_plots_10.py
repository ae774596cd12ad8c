"""The drawings of notebook 10 say what the numbers say."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb

from seglab import figures
from seglab.figures.colors import OBJECT_COLORS
from seglab.figures.widgets import surest_explorer

RIGHT = torch.tensor([True, False, True, False])


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_every_object_has_a_colour_and_an_outline_and_the_first_is_on_top():
    image = torch.full((3, 12, 30), 100, dtype=torch.uint8)
    masks = torch.zeros(2, 12, 30, dtype=torch.bool)
    masks[0, 2:10, 2:15] = True
    masks[1, 2:10, 8:25] = True  # partly under the first
    picture = figures.painted(image, masks, opacity=1)
    assert picture.shape == (12, 30, 3) and picture.dtype == np.uint8
    assert picture[0, 0].tolist() == picture[11, 29].tolist() == [100] * 3
    first, second = (np.array(to_rgb(c)) * 255 for c in OBJECT_COLORS[:2])
    np.testing.assert_allclose(picture[5, 10], first, atol=1)
    np.testing.assert_allclose(picture[5, 20], second, atol=1)
    outline = (picture == 0).all(2)
    assert outline[2, 2:25].all() and outline[2:10, [2, 14, 15, 24]].all()
    assert outline.sum() == 2 * 23 + 6 * 4
    half = figures.painted(image, masks)[5, 10].astype(float)
    assert (abs(half - 100) < abs(first - 100)).all()


def test_more_objects_than_numbers_and_none():
    image = torch.zeros(3, 3, 600, dtype=torch.uint8)
    masks = torch.eye(600, dtype=torch.bool)[:, None].expand(600, 3, 600)
    assert figures.painted(image, masks, 1).shape == (3, 600, 3)
    assert (figures.painted(image + 7, masks[:0]) == 7).all()


def test_the_curve_and_its_title():
    figure = figures.precision_recall_curve(RIGHT, 4, kept=3)
    (axis,) = figure.axes
    stairs, line = axis.lines
    np.testing.assert_allclose(line.get_xdata(), [25, 25, 50, 50])
    np.testing.assert_allclose(line.get_ydata(), [100, 50, 200 / 3, 50])
    np.testing.assert_allclose(stairs.get_ydata(), [100, 100, 200 / 3, 200 / 3, 50])
    np.testing.assert_allclose(axis.collections[-1].get_offsets(), [[50, 200 / 3]])
    assert axis.get_title().startswith("3 of 4 kept: 2 right, 1 wrong, 2 missed")
    ap = 100 * (26 + 25 * 2 / 3) / 101
    assert f"{ap:.1f}" in axis.get_title()


@pytest.mark.parametrize("kept", [0, 5])
def test_only_predictions_that_exist_can_be_kept(kept):
    with pytest.raises(ValueError, match="keep 1 to 4"):
        figures.precision_recall_curve(RIGHT, 4, kept)


def test_the_slider_moves_the_mark():
    explorer = surest_explorer(RIGHT, 4)
    slider = explorer.controls["kept"]
    assert (slider.min, slider.value, slider.max) == (1, 2, 4) and slider.description
    before = explorer.picture.value
    slider.value = 4
    assert explorer.picture.value != before
    assert "image/png" in explorer._repr_mimebundle_()
