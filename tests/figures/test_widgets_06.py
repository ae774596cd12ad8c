"""The receptive field explorer of notebook 06, and the other figures that compute numbers."""

import re
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from torch import nn

from seglab import figures
from seglab.deeplab import receptive_field
from seglab.figures.widgets import RATE_PATTERNS, receptive_field_explorer

STACKS = [
    (3, [1]),
    (3, [1, 1, 1]),
    (3, [2, 2, 2]),
    (3, [1, 2, 3]),
    (3, [1, 2, 4, 8, 16]),
    (2, [1, 3]),
    (4, [3, 3]),
    (5, [2, 1, 2]),
    (3, [6]),
]


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def gradient_of_ones(kernel_size, dilations):
    """What autograd says: the gradient of one output of a stack whose weights are all one."""
    layers = nn.Sequential(
        *(nn.Conv2d(1, 1, kernel_size, dilation=d, bias=False).double() for d in dilations)
    )
    for layer in layers:
        nn.init.ones_(layer.weight)
    # More than it can see, so that the extent is found and not given; sizes that leave a middle.
    size = sum((kernel_size - 1) * d for d in dilations) + 7
    x = torch.zeros(1, 1, size, size, dtype=torch.float64, requires_grad=True)
    output = layers(x)
    assert output.shape[-2:] == (7, 7)
    output[0, 0, 3, 3].backward()
    return x.grad[0, 0]


@pytest.mark.parametrize(("kernel_size", "dilations"), STACKS)
def test_path_counts_are_the_gradient_and_as_wide_as_the_receptive_field(kernel_size, dilations):
    gradient = gradient_of_ones(kernel_size, dilations)
    rows, columns = gradient.nonzero(as_tuple=True)
    field = receptive_field([kernel_size] * len(dilations), dilations)
    assert rows.max() - rows.min() + 1 == columns.max() - columns.min() + 1 == field
    counts = figures.path_counts(kernel_size, dilations)
    assert counts.shape == (field, field)
    torch.testing.assert_close(
        counts, gradient[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    )
    assert counts.sum() == kernel_size ** (2 * len(dilations))


def drawn_inputs(figure):
    """How many inputs the left drawing fills, and how many there are."""
    rows = [line for line in figure.axes[0].lines if set(line.get_ydata()) == {0}]
    empty, filled = rows
    assert empty.get_markerfacecolor() == "white"
    return len(filled.get_xdata()), len(empty.get_xdata())


def check(figure, kernel_size, dilations):
    """Every number in the figure against the package and autograd."""
    field = receptive_field([kernel_size] * len(dilations), dilations)
    gradient = gradient_of_ones(kernel_size, dilations)
    seen, seen_in_a_row = int((gradient > 0).sum()), int((gradient > 0).any(0).sum())
    found = re.fullmatch(
        r"Kernel (\d+), rates? ([\d, ]+): receptive field (\d+) × (\d+) pixels, "
        r"(\d+) % of them seen",
        figure.get_suptitle(),
    )
    assert found, figure.get_suptitle()
    assert int(found[1]) == kernel_size
    assert [int(n) for n in found[2].split(", ")] == list(dilations)
    assert int(found[3]) == int(found[4]) == field
    assert int(found[5]) == round(100 * seen / field**2)
    assert drawn_inputs(figure) == (seen_in_a_row, field)
    assert figure.axes[0].get_title() == f"in a row: {seen_in_a_row} of {field} inputs seen"
    assert figure.axes[1].get_title() == f"in a map: {seen} of {field**2} pixels seen"
    picture = figure.axes[1].images[0].get_array()
    assert picture.shape == (field, field)
    assert picture.count() == seen  # the rest is masked
    assert sum(len(lines.get_segments()) for lines in figure.axes[0].collections) == sum(
        len({sum(p) for p in product(*(_taps(kernel_size, d) for d in dilations[level:]))})
        * kernel_size
        for level in range(1, len(dilations) + 1)
    )


def _taps(kernel_size, dilation):
    return [tap * dilation for tap in range(kernel_size)]


@pytest.mark.parametrize(("kernel_size", "dilations"), STACKS)
def test_the_drawn_numbers_are_right(kernel_size, dilations):
    check(figures.dilated_stack(kernel_size, dilations), kernel_size, dilations)


def test_small_maps_show_their_counts():
    axis = figures.dilated_stack(3, [1, 1]).axes[1]
    written = np.array([int(text.get_text()) for text in axis.texts]).reshape(5, 5)
    np.testing.assert_array_equal(written, np.outer([1, 2, 3, 2, 1], [1, 2, 3, 2, 1]))


def shown(widget):
    """The figure for the present values of the controls, as matplotlib objects."""
    return widget.draw(**{name: control.value for name, control in widget.controls.items()})


def test_the_first_frame_shows_gridding():
    widget = receptive_field_explorer()
    assert bytes(widget.picture.value).startswith(b"\x89PNG")
    assert widget._repr_mimebundle_()["image/png"]
    check(shown(widget), 3, [2, 2, 2])


def test_each_control_moves_the_picture_and_its_numbers():
    widget = receptive_field_explorer()
    for name, value in (("depth", 2), ("rate", 3), ("kernel_size", 4)):
        before = widget.picture.value
        widget.controls[name].value = value
        assert widget.picture.value != before
        expected = {"depth": (3, [2, 2]), "rate": (3, [3, 3]), "kernel_size": (4, [3, 3])}[name]
        check(shown(widget), *expected)


@pytest.mark.parametrize("depth", range(1, 6))
@pytest.mark.parametrize("pattern", list(RATE_PATTERNS)[1:])
def test_the_patterns_see_every_pixel_and_need_no_rate(pattern, depth):
    widget = receptive_field_explorer()
    assert not widget.controls["rate"].disabled
    widget.controls["pattern"].value = pattern
    assert widget.controls["rate"].disabled
    widget.controls["depth"].value = depth
    figure = shown(widget)
    check(figure, 3, list(RATE_PATTERNS[pattern][:depth]))
    assert figure.get_suptitle().endswith("100 % of them seen")
    widget.controls["pattern"].value = next(iter(RATE_PATTERNS))
    assert not widget.controls["rate"].disabled


def test_the_largest_stack_is_drawn():
    widget = receptive_field_explorer()
    for name, value in (("kernel_size", 5), ("depth", 5), ("rate", 6)):
        widget.controls[name].value = value
    check(shown(widget), 5, [6] * 5)


def test_every_control_has_a_name_and_a_keyboard():
    for control in receptive_field_explorer().controls.values():
        assert control.description
        assert type(control).__name__ in ("IntSlider", "ToggleButtons")


def test_aspp_taps_counts_the_taps_that_a_convolution_uses():
    image = torch.zeros(3, 240, 320, dtype=torch.uint8)
    rates, map_size = (3, 6, 12, 18), (15, 20)
    positions = {"middle": (7, 10), "corner": (0, 0), "edge": (14, 9)}
    figure = figures.aspp_taps(image, positions, rates, 16, "title")
    for axis, (name, (row, column)) in zip(figure.axes, positions.items(), strict=True):
        counts = []
        for rate in rates:
            ones = torch.ones(1, 1, 3, 3)
            hits = nn.functional.conv2d(torch.ones(1, 1, *map_size), ones, None, 1, rate, rate)
            counts.append(f"rate {rate}: {int(hits[0, 0, row, column])}")
        assert axis.get_title() == f"{name}\ntaps in the picture, of 9: {', '.join(counts)}"


def test_differences_are_written_with_their_signs_and_none_is_framed():
    figure = figures.score_table(
        {"a": {"x": 1.26, "y": -3.0}, "b": {"x": -0.04, "y": 2.04}}, "t", "l", signs=True
    )
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == ["+1.3", "+0.0", "-3.0", "+2.0"]
    assert not figure.axes[0].patches


def test_the_diagram_names_all_four():
    texts = {text.get_text() for text in figures.deeplab_diagram().axes[0].texts}
    assert {"v1", "v2", "v3", "v3+"} <= texts
