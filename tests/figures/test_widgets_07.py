"""The learning-rate explorer of notebook 07."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from seglab.figures.widgets import Interactive, learning_rate_explorer
from seglab.history import History


@pytest.fixture(autouse=True)
def no_open_figures():
    plt.close("all")
    yield
    assert plt.get_fignums() == []


@pytest.fixture
def runs():
    """Given in no order; the last one broke down before its first step was over."""
    noise = np.random.default_rng(0).random(40)
    losses = {3e-3: 3 * np.exp(-np.arange(40) / 15), 1e-5: np.full(40, 3.0), 1e-1: 3 + 10 * noise}
    made = {
        rate: History([{"step": n, "loss": x, "learning_rate": rate} for n, x in enumerate(values)])
        for rate, values in losses.items()
    }
    return made | {1e3: History()}


def shown(widget):
    """The figure for the present values of the controls, as matplotlib objects."""
    figure = widget.draw(**{name: control.value for name, control in widget.controls.items()})
    plt.close(figure)
    return figure


def test_the_slider_goes_through_the_rates_in_order_and_starts_at_the_lowest(runs):
    widget = learning_rate_explorer(runs)
    assert isinstance(widget, Interactive)
    slider = widget.controls["chosen"]
    assert [label for label, _ in slider.options] == ["1e-05", "0.003", "0.1", "1000"]
    assert [rate for _, rate in slider.options] == sorted(runs)
    assert slider.value == 1e-5
    assert shown(widget).get_suptitle().startswith("Learning rate 1e-05: loss 3.00")
    picture = Image.open(io.BytesIO(widget.picture.value))
    assert picture.format == "PNG" and min(picture.size) > 300
    assert widget._repr_mimebundle_()["image/png"]


def test_every_position_of_the_slider_is_drawn(runs):
    widget = learning_rate_explorer(runs)
    seen = {widget.picture.value}
    for rate in sorted(runs)[1:]:
        widget.controls["chosen"].value = rate
        assert shown(widget).get_suptitle().startswith(f"Learning rate {rate:g}:")
        seen.add(widget.picture.value)
    assert len(seen) == len(runs)


def test_smoothing_moves_the_picture_and_back_again(runs):
    widget = learning_rate_explorer(runs)
    widget.controls["chosen"].value = 1e-1
    first, rough = widget.picture.value, np.ptp(shown(widget).axes[0].lines[-1].get_ydata())
    widget.controls["smoothing"].value = 15
    assert widget.picture.value != first
    assert np.ptp(shown(widget).axes[0].lines[-1].get_ydata()) < rough / 2
    widget.controls["smoothing"].value = 5
    assert widget.picture.value == first


def test_every_control_has_a_name_and_a_keyboard(runs):
    kinds = [type(control).__name__ for control in learning_rate_explorer(runs).controls.values()]
    assert kinds == ["SelectionSlider", "IntSlider"]
    assert all(control.description for control in learning_rate_explorer(runs).controls.values())
