"""The figures of notebook 07: every number in them against arithmetic done apart."""

import math
import sys

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from seglab import figures
from seglab.figures.colors import ORANGE
from seglab.history import History
from seglab.machine.notebook import in_notebook


@pytest.fixture(autouse=True)
def no_figures_before_or_after():
    plt.close("all")
    yield
    plt.close("all")


def history(losses, scores=(), val_losses=()):
    steps = [{"step": n, "loss": x, "learning_rate": 0.1} for n, x in enumerate(losses, start=1)]
    rows = [{"step": n, "mean_iou": iou, "pixel_accuracy": iou} for n, iou in scores]
    for row, loss in zip(rows, val_losses, strict=False):
        row["val_loss"] = loss
    return History(steps, rows)


# ---------------------------------------------------------------- the live curve

SETUP = """
import matplotlib.pyplot as plt
from seglab.figures import LiveCurve
from seglab.history import History

def history(count):
    steps = [{"step": n + 1, "loss": 3 / (n + 1), "learning_rate": 0.1} for n in range(count)]
    scores = [{"step": count, "mean_iou": count / 100, "pixel_accuracy": 0.5}] if count > 4 else []
    return History(steps, scores)
"""
CALLS = "curve = LiveCurve('a training')\nfor count in {counts}:\n    curve(history(count))"


@pytest.fixture(scope="module")
def cells():
    """What a notebook stores for: four calls, the last of them alone, two trainings, no call."""
    sources = [
        SETUP,
        CALLS.format(counts=[1, 4, 8, 40]),
        CALLS.format(counts=[40]),
        CALLS.format(counts=[8]) + "\n" + CALLS.format(counts=[4, 40]),
        "LiveCurve()",
        "print(plt.get_fignums())",
    ]
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    nbformat.validate(notebook)
    return notebook.cells


def pictures(cell):
    return [output.data["image/png"] for output in cell.outputs if "data" in output]


def test_one_picture_is_stored_and_it_is_the_last(cells):
    (many,), (last,) = pictures(cells[1]), pictures(cells[2])
    assert many == last
    assert len(cells[1].outputs) == 1
    assert cells[1].outputs[0].output_type == "display_data"


def test_each_training_has_a_picture_of_its_own(cells):
    first, second = pictures(cells[3])
    assert first != second
    assert [second] == pictures(cells[2])


def test_no_figure_stays_open_in_the_notebook(cells):
    assert cells[5].outputs[0].text == "[]\n"


def test_outside_a_notebook_nothing_is_drawn(capsys):
    curve = figures.LiveCurve()
    curve(history([3.0, 2.0, 1.0]))
    assert plt.get_fignums() == [] and curve.handle is None
    assert capsys.readouterr() == ("", "")


def test_without_ipython_there_is_no_notebook(monkeypatch):
    assert not in_notebook()
    monkeypatch.setitem(sys.modules, "IPython", None)
    assert not in_notebook()


# ---------------------------------------------------------------- training and validation

APART = history([4, 2, 2, 0, 1, 1], [(2, 0.2), (4, 0.4), (6, 0.3)], [3.0, 2.0, 2.5])


def test_losses_on_validation_pictures_are_points_beside_the_line():
    (loss, iou) = figures.learning_curves({"a training": APART}).axes
    line, points = loss.lines
    assert line.get_color() == points.get_color() and points.get_linestyle() == "None"
    assert points.get_xydata().tolist() == [[2, 3.0], [4, 2.0], [6, 2.5]]
    assert "validation" in loss.get_title() and len(iou.lines) == 1
    old = history([3, 2], [(2, 0.5)])  # of a time when they were not measured
    assert figures.learning_curves({"old": old}).axes[0].get_title() == "old: training loss"


def test_training_and_validation_stand_in_one_picture():
    figure = figures.train_and_validation({"x": APART, "y": APART}, dict.fromkeys("xy", [0.5] * 3))
    left, right, below, _ = figure.axes
    training, validation, lowest = left.lines
    assert training.get_xydata().tolist() == [[2, 3.0], [4, 1.0], [6, 1.0]]  # means between scores
    assert validation.get_ydata().tolist() == [3.0, 2.0, 2.5]
    assert lowest.get_xdata()[0] == 4  # where the validation loss is lowest
    assert [list(line.get_ydata()) for line in below.lines] == [[50] * 3, [20, 40, 30]]
    assert (left.get_title(), right.get_title()) == ("x", "y")
    assert [text.get_text() for text in left.get_legend().get_texts()] == ["training", "validation"]


# ---------------------------------------------------------------- learning rates

RUNS = {
    1e-4: history(np.linspace(3, 2.5, 40)),
    1e-2: history(np.linspace(3, 0.5, 40)),
    1e-1: history([3.0] + [50.0] * 39),
    1e3: history([]),
}


def test_last_loss_is_the_mean_of_the_last_quarter():
    assert figures.last_loss(history([9, 9, 9, 9, 9, 9, 1, 3])) == 2
    assert figures.last_loss(history([7.0])) == 7
    assert figures.last_loss(history([])) == math.inf


@pytest.mark.parametrize("window", [1, 2, 5, 40, 99])
def test_running_mean(window):
    values = np.arange(40.0) ** 2
    width = min(window, 40)
    expected = [np.mean(values[n : n + width]) for n in range(len(values) - width + 1)]
    np.testing.assert_allclose(figures.running_mean(values, window), expected)


@pytest.mark.parametrize("smoothing", [1, 7, 40])
@pytest.mark.parametrize("chosen", [1e-4, 1e-2, 1e-1])
def test_the_chosen_run_is_orange_and_drawn_last(chosen, smoothing):
    left = figures.learning_rate_runs(RUNS, chosen, smoothing).axes[0]
    assert [line.get_color() for line in left.lines] == ["#a0a0a0"] * 2 + [ORANGE]
    line = left.lines[-1]
    losses = [row["loss"] for row in RUNS[chosen].steps]
    expected = [np.mean(losses[n - smoothing : n]) for n in range(smoothing, 41)]
    np.testing.assert_allclose(line.get_ydata(), expected)
    np.testing.assert_array_equal(line.get_xdata(), np.arange(smoothing, 41))


def test_the_right_half_shows_where_each_run_ended():
    axis = figures.learning_rate_runs(RUNS, 1e-2).axes[1]
    marks = {line.get_xdata()[0]: line for line in axis.lines if len(line.get_xdata()) == 1}
    top = axis.get_ylim()[1]
    assert {rate: mark.get_marker() for rate, mark in marks.items()} == {
        1e-4: "o",
        1e-2: "o",
        1e-1: "X",
        1e3: "X",
    }
    for rate, mark in marks.items():
        expected = np.mean([row["loss"] for row in RUNS[rate].steps][-10:]) if rate < 1 else top
        assert mark.get_ydata()[0] == pytest.approx(min(expected, top))
        assert (mark.get_color() == ORANGE) == (rate == 1e-2)
    assert axis.get_xscale() == axis.get_yscale() == "log"


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        (1e-4, "Learning rate 0.0001: loss 2.56 at the end; 0.79 at 0.01 is lowest"),
        (1e-2, "Learning rate 0.01: loss 0.79 at the end; the lowest of these"),
        (1e-1, "Learning rate 0.1: loss 50.00 at the end; 0.79 at 0.01 is lowest"),
        (1e3, "Learning rate 1000: loss no number any more at the end; 0.79 at 0.01 is lowest"),
    ],
)
def test_the_title_says_what_happened(chosen, words):
    assert figures.learning_rate_runs(RUNS, chosen).get_suptitle() == words


def test_runs_that_all_broke_down_are_refused():
    with pytest.raises(ValueError, match="none of the runs has steps"):
        figures.learning_rate_runs({1.0: history([])}, 1.0)


def test_a_log_axis_has_plain_numbers():
    figure, axis = plt.subplots()
    axis.plot([0.2, 30])
    figures.log_axis(axis, "a title")
    figure.canvas.draw()
    low, high = axis.get_ylim()
    shown = [label.get_text() for label in axis.get_yticklabels() if low <= label._y <= high]
    assert shown == ["0.2", "0.5", "1", "2", "5", "10", "20"]
    assert axis.get_yscale() == "log" and axis.get_title() == "a title"
