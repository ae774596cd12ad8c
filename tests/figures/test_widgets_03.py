"""The stamp stepper of notebook 03: the numbers that it draws, and its controls."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from seglab.figures import stamps
from seglab.figures.widgets import stamp_stepper

TOY = torch.tensor([[0.0, 1.0], [2.0, 3.0]])


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def panel(figure, title):
    """The grid with this title."""
    return next(axis for axis in figure.axes if axis.get_title() == title)


def numbers_in(axis):
    """The large numbers written in a grid, as an array of its shape."""
    cells = [p for p in axis.patches if p.get_fill()]
    shape = int(max(p.get_y() for p in cells)) + 1, int(max(p.get_x() for p in cells)) + 1
    values = np.full(shape, np.nan)
    for text in axis.texts:
        if text.get_va() == "center":
            column, row = text.get_position()
            values[int(row), int(column)] = float(text.get_text())
    return values


def outlines(axis):
    """Row, column, height and width of what is outlined."""
    found = [p for p in axis.patches if not p.get_fill()]
    return [(p.get_y(), p.get_x(), p.get_height(), p.get_width()) for p in found]


def hatched(axis):
    return {(int(p.get_y()), int(p.get_x())) for p in axis.patches if p.get_hatch()}


def shown(widget):
    """The figure for the present values of the controls, as matplotlib objects."""
    return widget.draw(**{name: control.value for name, control in widget.controls.items()})


@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_the_drawn_output_is_torchs_at_every_stop(stride, padding):
    for placed in range(5):
        figure = stamps(TOY, TOY, placed, stride, padding)
        name = "output" if placed == 4 else "output so far"
        partial = TOY.flatten() * (torch.arange(4) < placed)
        expected = F.conv_transpose2d(partial.view(1, 1, 2, 2), TOY[None, None], stride=stride)
        np.testing.assert_array_equal(numbers_in(panel(figure, name)), expected[0, 0])
        size = F.conv_transpose2d(
            TOY[None, None], TOY[None, None], stride=stride, padding=padding
        ).shape[-1]
        assert f"becomes {size} × {size}" in figure.get_suptitle()
        cut = hatched(panel(figure, name))
        assert len(cut) == expected[0, 0].numel() - size**2
        assert cut == {
            (i, j)
            for i, j in np.ndindex(*expected.shape[2:])
            if not (padding <= i < padding + size and padding <= j < padding + size)
        }


def test_the_first_frame_is_stamp_three_of_the_example_by_hand():
    widget = stamp_stepper()
    assert bytes(widget.picture.value).startswith(b"\x89PNG")
    assert widget._repr_mimebundle_()["image/png"]
    figure = shown(widget)
    assert figure.get_suptitle().startswith("Stamp 3 of 4 adds 2 × kernel; stride 1, padding 0")
    np.testing.assert_array_equal(numbers_in(panel(figure, "input")), TOY)
    np.testing.assert_array_equal(numbers_in(panel(figure, "kernel")), TOY)
    np.testing.assert_array_equal(numbers_in(panel(figure, "stamp: 2 × kernel")), 2 * TOY)
    output = panel(figure, "output so far")
    np.testing.assert_array_equal(numbers_in(output), [[0, 0, 1], [0, 4, 3], [4, 6, 0]])
    notes = [text.get_text() for text in output.texts if text.get_va() == "bottom"]
    assert notes == ["0 + 0", "2 + 2", "0 + 4", "0 + 6"]


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_the_outlines_follow_the_stamp(stride):
    for placed in range(1, 5):
        row, column = divmod(placed - 1, 2)
        figure = stamps(TOY, TOY, placed, stride)
        assert outlines(panel(figure, "input")) == [(row, column, 1, 1)]
        output = panel(figure, "output" if placed == 4 else "output so far")
        assert outlines(output) == [(row * stride, column * stride, 2, 2)]
    assert not any(outlines(axis) for axis in stamps(TOY, TOY, 0, stride).axes)


def test_every_control_moves_the_picture():
    widget = stamp_stepper()
    seen = {bytes(widget.picture.value)}
    for name, value in [("placed", 4), ("placed", 0), ("placed", 2), ("stride", 2), ("padding", 1)]:
        widget.controls[name].value = value
        seen.add(bytes(widget.picture.value))
    assert len(seen) == 6
    assert not plt.get_fignums()


def test_other_numbers_of_other_shapes():
    generator = torch.Generator().manual_seed(0)
    x = torch.randint(-9, 10, (3, 4), generator=generator).float()
    kernel = torch.randint(-9, 10, (1, 3), generator=generator).float()
    widget = stamp_stepper(x, kernel)
    assert widget.controls["placed"].max == 12 and widget.controls["padding"].options == (0, 1)
    widget.controls["placed"].value, widget.controls["stride"].value = 12, 2
    assert "3 × 4 becomes 5 × 9" in shown(widget).get_suptitle()
    expected = F.conv_transpose2d(x[None, None], kernel[None, None], stride=2)[0, 0]
    drawn = numbers_in(panel(shown(widget), "output"))
    np.testing.assert_array_equal(drawn, expected)


def test_fractions_are_written_short():
    figure = stamps(TOY, torch.tensor([[0.1, 0.7], [0.2, 0.3]]), 4)
    texts = [text.get_text() for text in panel(figure, "output").texts]
    assert max(map(len, texts)) <= len("0.123 + 0.123")
    assert "1.9" in texts  # 1 * 0.2 + 2 * 0.7 + 3 * 0.1


def test_a_padding_that_leaves_nothing_is_not_offered():
    widget = stamp_stepper(torch.ones(1, 1), torch.ones(2, 2))
    assert widget.controls["padding"].options == (0,)
    with pytest.raises(ValueError, match="cuts everything off"):
        stamps(torch.ones(1, 1), torch.ones(2, 2), 1, padding=1)


@pytest.mark.parametrize("placed", [-1, 5])
def test_more_stamps_than_inputs_are_refused(placed):
    with pytest.raises(ValueError, match="from 0 to 4 stamps"):
        stamps(TOY, TOY, placed)
