"""The drawings of notebook 08 say what the numbers say."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex

from seglab import figures
from seglab.metrics import ConfusionMatrix
from seglab.palettes import VOC_PALETTE, VOID
from seglab.prediction import overlay

NAN = float("nan")
COUNTS = torch.tensor([[8, 2, 0], [1, 1, 2], [0, 0, 0]])


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def texts(axis):
    return [text.get_text() for text in axis.texts]


def labels(axis):
    return [text.get_text() for text in axis.get_yticklabels()]


# ---------------------------------------------------------------- confusion


def test_confusion_writes_every_count_and_colours_by_the_share_of_the_row():
    figure = figures.confusion(COUNTS, ["a", "b", "c"], "a title")
    (axis,) = figure.axes
    assert texts(axis) == [str(n) for n in COUNTS.flatten().tolist()]
    drawn = axis.images[0].get_array()
    np.testing.assert_allclose(drawn, [[0.8, 0.2, 0], [0.25, 0.25, 0.5], [0, 0, 0]])
    assert [t.get_text() for t in axis.get_xticklabels()] == labels(axis) == ["a", "b", "c"]
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("predicted", "true")
    assert figure.get_suptitle() == "a title"
    centres = [frame.get_center() for frame in axis.patches]
    np.testing.assert_allclose(centres, [(i, i) for i in range(3)])


def test_confusion_shows_void_as_a_row_without_a_share():
    axis = figures.confusion(COUNTS, ["a", "b", "c"], "t", void_counts=[4000, 0, 7]).axes[0]
    assert labels(axis) == ["a", "b", "c", "void (left out)"]
    assert texts(axis)[9:] == ["4,000", "0", "7"]
    drawn = axis.images[0].get_array()
    assert drawn.shape == (4, 3) and drawn.mask[3].all() and not drawn.mask[:3].any()


def test_confusion_in_percent():
    axis = figures.confusion(COUNTS, ["a", "b", "c"], "t", [3, 2, 1], shares=True).axes[0]
    assert texts(axis) == ["80", "20", "0", "25", "25", "50", "0", "0", "0", "3", "2", "1"]


# ---------------------------------------------------------------- overlap


def test_overlap_colours_the_four_kinds_of_pixels():
    truth = torch.tensor([[True, True, False, False]])
    prediction = torch.tensor([[False, True, True, False]])
    figure = figures.overlap(truth, prediction)
    drawn = figure.axes[0].images[0].get_array()[0]
    expected = ["#0072b2", "#222222", "#e69f00", "#e8e8e8"]
    assert [to_hex(color) for color in drawn] == expected
    assert figure.get_suptitle() == "IoU 33.3, Dice 50.0, pixel accuracy 50.0 %"
    legend = {t.get_text(): to_hex(p.get_facecolor()) for t, p in _legend(figure)}
    assert legend == {
        "neither: 1": "#e8e8e8",
        "only true: 1": "#0072b2",
        "only predicted: 1": "#e69f00",
        "both: 1": "#222222",
    }


def _legend(figure):
    legend = figure.legends[0]
    return zip(legend.get_texts(), legend.get_patches(), strict=True)


# ---------------------------------------------------------------- errors


@pytest.fixture
def triple():
    generator = torch.Generator().manual_seed(0)
    image = torch.randint(0, 256, (3, 20, 30), dtype=torch.uint8, generator=generator)
    truth = torch.randint(0, 3, (20, 30), dtype=torch.uint8, generator=generator)
    truth[:3] = VOID
    prediction = torch.randint(0, 3, (20, 30), dtype=torch.uint8, generator=generator)
    return image, truth, prediction


def test_error_map_counts_what_the_confusion_matrix_counts(triple):
    image, truth, prediction = triple
    picture = figures.error_map(image, truth, prediction)
    assert picture.shape == (20, 30, 3) and picture.dtype == np.uint8
    matrix = ConfusionMatrix(3)
    matrix.update(prediction, truth)
    wrong = (picture == figures.WRONG_COLOR).all(2)
    void = (picture == VOC_PALETTE[VOID]).all(2)
    assert wrong.sum() == matrix.counts.sum() - matrix.counts.diagonal().sum()
    assert void.sum() == matrix.void_pixels
    rest = picture[~wrong & ~void]
    assert (rest == rest[:, :1]).all()  # grey
    assert rest.max() <= 0.6 * 255  # darker than void
    np.testing.assert_array_equal(void, truth == VOID)


# ---------------------------------------------------------------- scores


def test_bars_write_every_value_and_say_what_is_no_number():
    figure = figures.bars({"low": 32.44, "high": 84.8, "broken": NAN}, "a title", "a label")
    (axis,) = figure.axes
    assert texts(axis) == ["32.4", "84.8", "not a number"]
    assert labels(axis) == ["low", "high", "broken"]
    assert [bar.get_width() for bar in axis.patches] == [32.44, 84.8, 0]
    low, high = axis.get_xlim()
    assert low <= 0 and high > 84.8
    assert figure.get_suptitle() == "a title" and axis.get_xlabel() == "a label"


@pytest.mark.parametrize("values", [{"a": NAN}, {"a": 5.0}, {"a": 5.0, "b": 5.0}])
def test_bars_cope_with_one_value_or_none(values):
    low, high = figures.bars(values, "t", "l").axes[0].get_xlim()
    assert np.isfinite([low, high]).all() and low < high


def spans_and_dots(axis):
    """From where to where the line of each row goes, and where the dots of each series are."""
    lines, *series = axis.collections
    spans = [tuple(segment[:, 0]) for segment in lines.get_segments()]
    return spans, [of.get_offsets()[:, 0].tolist() for of in series]


def test_dots_of_several_series_are_joined_row_by_row():
    series = {"A": {"cat": 1.0, "dog": 5.0}, "B": {"dog": 2.0, "cat": 4.0}}
    axis = figures.dots(series, "t", "l").axes[0]
    assert spans_and_dots(axis) == ([(1, 4), (2, 5)], [[1, 5], [4, 2]])
    assert texts(axis) == [] and labels(axis) == ["cat", "dog"]
    assert [t.get_text() for t in axis.figure.legends[0].get_texts()] == ["A", "B"]


def test_dots_with_ranges_draw_from_low_to_high_and_write_the_numbers():
    rows = {"A": (60.0, 64.16, 68.0), "B": (-2.0, 1.0, 3.0)}
    axis = figures.dots({"score": rows}, "t", "l").axes[0]
    assert spans_and_dots(axis) == ([(60.0, 68.0), (-2.0, 3.0)], [[64.16, 1.0]])
    assert texts(axis) == ["64.2  (60.0 to 68.0)", "1.0  (-2.0 to 3.0)"]
    assert labels(axis) == ["A", "B"] and not axis.figure.legends


def test_dots_of_differences_have_signs_and_a_line_at_zero():
    rows = {"A minus B": (0.5, 1.0, 3.0)}
    axis = figures.dots({"difference": rows}, "t", "l", signs=True).axes[0]
    assert texts(axis) == ["+1.0  (+0.5 to +3.0)"]
    assert any(list(line.get_xdata()) == [0, 0] for line in axis.lines)
    assert axis.get_xlim()[0] < 0


def test_score_table_frames_the_highest_of_each_row():
    scores = {
        "net A": {"cat": 50.0, "dog": 20.0, "cow": NAN},
        "net B": {"cat": 40.0, "dog": 60.04, "cow": NAN},
    }
    figure = figures.score_table(scores, "t", "l")
    (axis,) = figure.axes
    assert texts(axis) == ["50.0", "40.0", "20.0", "60.0", "–", "–"]
    bold = [text.get_text() for text in axis.texts if text.get_weight() == "bold"]
    assert bold == ["50.0", "60.0"]
    framed = [(frame.get_x() + 0.48, frame.get_y() + 0.44) for frame in axis.patches]
    np.testing.assert_allclose(framed, [(0, 0), (1, 1)])
    assert labels(axis) == ["cat", "dog", "cow"]
    assert [t.get_text() for t in axis.get_xticklabels()] == ["net A", "net B"]
    assert axis.images[0].get_array().mask.tolist() == [[False] * 2, [False] * 2, [True] * 2]


def test_score_table_frames_both_of_a_tie():
    axis = figures.score_table({"A": {"x": 7.0}, "B": {"x": 7.0}}, "t", "l").axes[0]
    assert len(axis.patches) == 2


# ---------------------------------------------------------------- reliability


def test_reliability_draws_the_share_of_right_pixels_in_each_range():
    table = torch.tensor([[0.0, 4000, 6000, 1], [0, 1500, 4000, 0.9], [0, 1000, 4500, 1]])
    figure = figures.reliability({"A": table, "B": 2 * table}, "t")
    (left, _), (below, _) = np.array(figure.axes).reshape(2, 2)
    np.testing.assert_allclose([bar.get_height() for bar in left.patches], [0, 25, 75, 100])
    assert [bar.get_x() for bar in left.patches] == [0, 25, 50, 75]
    np.testing.assert_allclose(sum(bar.get_height() for bar in below.patches), 100)
    assert left.get_title() == "A\nerror 10.0 points"
    pale = [to_hex(bar.get_facecolor()) == "#c3d0dd" for bar in left.patches]
    assert pale == [True, False, False, True]


# ---------------------------------------------------------------- curtain


def test_the_curtain_hides_nothing_at_either_end(triple):
    image, truth, prediction = triple
    ends = [figures.curtain(image, truth, prediction, share) for share in (0.0, 1.0)]
    for figure, mask in zip(ends, (truth, prediction), strict=True):
        (drawn,) = figure.axes[0].images
        expected = overlay(image, mask, VOC_PALETTE, 0.75)
        np.testing.assert_array_equal(drawn.get_array(), expected)
    assert ends[0].axes[0].get_title(loc="left") == "← prediction"
    assert ends[0].axes[0].get_title(loc="right") == "truth →"
