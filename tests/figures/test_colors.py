"""Figures for every kind of colour vision: colours stay apart, and none carries a meaning alone."""

from itertools import combinations
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from color_vision import DEFICIENCIES, VISIONS, apart, lab, seen
from helpers import TINY_CLASSES
from matplotlib.colors import to_hex
from matplotlib.text import Annotation

from seglab import figures, voc
from seglab.figures.colors import SERIES
from seglab.figures.diagrams import ACROSS, DOWN, UP
from seglab.figures.pictures import named_overlay
from seglab.palettes import VOC_CLASSES, VOC_PALETTE, VOID
from seglab.prediction import Segmentation

# ΔE (CIE 1976) of two colours that count as different. Just noticeable on large patches side by
# side is 2.3 (Mahy et al., 1994); lines and marks are thin and apart, so nearly nine times that. It
# is the distance between greys of lightness 50 and 70 (of 100).
FAR = 20
ROOMS = (0, 2, 3, 5, 8, 9, 11, 16, 18, 20, VOID)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def too_near(colors: dict, vision: str) -> dict:
    """The pairs of names whose colours are less than FAR apart, with their distance."""
    return {
        frozenset((a, b)): round(distance, 1)
        for a, b in combinations(colors, 2)
        if (distance := apart(colors[a], colors[b], vision)) < FAR
    }


# ---------------------------------------------------------------- the instrument itself


def test_lab_is_that_of_the_standard():
    np.testing.assert_allclose(lab((255, 255, 255)), (100, 0, 0), atol=0.01)
    np.testing.assert_allclose(lab((255, 0, 0)), (53.24, 80.09, 67.20), atol=0.05)
    np.testing.assert_allclose(lab((0, 0, 0)), 0, atol=1e-9)


def test_the_simulation_keeps_greys_and_merges_what_is_known_to_merge():
    for vision in VISIONS:
        assert apart("#808080", seen("#808080", vision), "common") < 2
    # The first plates of any test: red against green, and for tritanopia blue against green.
    assert too_near({"red": "#d62728", "green": "#2ca02c"}, "deuteranopia")
    assert too_near({"blue": "#1f77b4", "green": "#2ca02c"}, "tritanopia")
    assert not too_near({"red": "#d62728", "green": "#2ca02c"}, "common")


# ---------------------------------------------------------------- the course's own colours


def colors_of_overlap() -> dict:
    half = torch.arange(8).repeat(8, 1)
    legend = figures.overlap(half < 5, half > 2).legends[0]
    words = [text.get_text().split(":")[0] for text in legend.get_texts()]
    return {w: to_hex(p.get_facecolor()) for w, p in zip(words, legend.get_patches(), strict=True)}


OWN = {
    "series": lambda: {color: color for color, *_ in SERIES},
    "arrows": lambda: {"down": DOWN, "up": UP, "across": ACROSS},
    "overlap": colors_of_overlap,
    "pixel counts": lambda: {"bars": "#33628d", "accuracy": "#aaaaaa"},
    "gain and loss": lambda: {
        "loss": 255 * np.array(plt.get_cmap("PuOr_r")(0.5 - 0.5 / 2.2)[:3]),
        "gain": 255 * np.array(plt.get_cmap("PuOr_r")(0.5 + 0.5 / 2.2)[:3]),
    },
}


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("group", OWN)
def test_the_courses_own_colours_stay_apart(group, vision):
    assert too_near(OWN[group](), vision) == {}


@pytest.mark.parametrize("vision", VISIONS)
def test_a_wrong_pixel_differs_from_every_grey_beside_it_and_from_void(vision):
    image = torch.arange(256, dtype=torch.uint8).repeat(3, 2, 1)
    truth = torch.zeros(2, 256)
    truth[1, :3] = VOID
    greys = figures.error_map(image, truth, truth)
    wrong = figures.error_map(image, truth, 1 - truth)[0, 0]
    void = greys[1, 0]
    assert apart(wrong, void, vision) > FAR
    for grey in np.unique(greys[0], axis=0):
        assert apart(wrong, grey, vision) > FAR
        assert apart(void, grey, vision) > FAR


def test_the_series_differ_in_marker_and_dash_too():
    for looks in zip(*SERIES, strict=True):
        assert len({str(look) for look in looks}) == len(SERIES)


def history(level: float):
    steps = [{"step": i, "loss": level + 1 / (i + 1)} for i in range(20)]
    return SimpleNamespace(steps=steps, scores=[{"step": 10, "mean_iou": level / 10}])


@pytest.mark.parametrize("count", [1, 3, 6])
def test_learning_curves_can_be_told_apart_without_their_colours(count):
    figure = figures.learning_curves({f"net {n}": history(n + 1) for n in range(count)})
    losses, scores = (axis.lines for axis in figure.axes)
    points = losses[1::2]  # on the validation pictures
    losses = losses[::2]
    assert len(losses) == len(points) == len(scores) == count
    assert [line.get_marker() for line in points] == [line.get_marker() for line in scores]
    assert len({str(line._dash_pattern) for line in losses}) == count
    assert len({line.get_marker() for line in scores}) == count


def test_dots_draws_every_series_in_a_mark_of_its_own():
    series = {f"net {n}": {"cat": n, "dog": 2 * n} for n in range(5)}
    _, *marks = figures.dots(series, "t", "l").axes[0].collections
    assert len(marks) == 5
    assert len({mark.get_paths()[0].vertices.tobytes() for mark in marks}) == 5


# ---------------------------------------------------------------- the palette of VOC


@pytest.mark.parametrize(
    ("vision", "nearest"),
    [
        ("protanopia", {("chair", "pottedplant"), ("bicycle", "bird"), ("bird", "diningtable")}),
        ("deuteranopia", {("bicycle", "chair"), ("diningtable", "sofa"), ("bird", "chair")}),
        ("tritanopia", {("pottedplant", "tvmonitor"), ("bicycle", "tvmonitor")}),
    ],
)
def test_vocs_palette_merges_classes_so_masks_need_their_names(vision, nearest):
    names = {i: "void" if i == VOID else VOC_CLASSES[i] for i in ROOMS}
    merged = too_near({names[i]: VOC_PALETTE[i] for i in ROOMS}, vision)
    assert set(map(frozenset, nearest)) <= set(merged)
    assert too_near({names[i]: VOC_PALETTE[i] for i in ROOMS}, "common") == {}


def test_every_deficiency_is_tested():
    assert {"protanopia", "deuteranopia", "tritanopia"} == set(DEFICIENCIES)


# ---------------------------------------------------------------- names on masks


def covered(figure, axis, text) -> tuple[slice, slice]:
    """The pixels of a drawn mask that a text covers."""
    figure.draw_without_rendering()
    box = super(Annotation, text) if isinstance(text, Annotation) else text
    box = box.get_window_extent().transformed(axis.transData.inverted())
    (left, right), (top, bottom) = sorted((box.x0, box.x1)), sorted((box.y0, box.y1))
    # From the middle of the first pixel to that of the last; the ink is not as high as its box.
    return slice(round(top + 1), round(bottom - 1) + 1), slice(round(left), round(right) + 1)


@pytest.mark.parametrize("columns", [2, 4])
@pytest.mark.parametrize("first", range(0, 24, 4))
def test_a_name_stands_in_its_own_class_or_on_empty_background(first, columns):
    val = voc.rooms("val")
    masks = [val.mask(index) for index in range(first, first + 4)]
    figure = figures.show(masks, columns=columns, width=10)
    legend = {text.get_text() for text in figure.legends[0].get_texts()}
    written = 0
    for axis, mask in zip(figure.axes, masks, strict=False):
        for text in axis.texts:
            word = text.get_text()
            index = int(word) if word.isdigit() else VOC_CLASSES.index(word)
            assert f"{index} {VOC_CLASSES[index]}" in legend
            under = set(mask[covered(figure, axis, text)].unique().tolist())
            assert under == {0} if isinstance(text, Annotation) else under == {index}, word
            if isinstance(text, Annotation):
                column, row = map(round, text.xy)
                assert mask[row, column] == index
            written += 1
    assert written >= 4


def block(size: int, value: int = 1) -> torch.Tensor:
    mask = torch.zeros(100, 100, dtype=torch.uint8)
    mask[40 : 40 + size, 30 : 30 + size] = value
    return mask


def words(figure) -> list[str]:
    return [text.get_text() for axis in figure.axes for text in axis.texts]


@pytest.mark.parametrize(("size", "word"), [(50, "thing"), (8, "1"), (2, None)])
def test_the_name_if_it_fits_else_the_index_else_nothing(size, word):
    mask = torch.full((100, 100), 2, dtype=torch.uint8)  # no empty background to write on
    mask[40 : 40 + size, 30 : 30 + size] = 1
    figure = figures.show([mask], width=4, classes=("empty", "thing", "rest"))
    assert words(figure) == [*([word] if word else []), "rest"]


def test_a_thin_object_is_named_beside_it():
    mask = torch.zeros(100, 100, dtype=torch.uint8)
    mask[20:80, 50:53] = 1
    figure = figures.show([mask], width=4, classes=TINY_CLASSES)
    (text,) = figure.axes[0].texts
    assert isinstance(text, Annotation) and text.get_text() == TINY_CLASSES[1]


def test_noise_has_no_names():
    noise = torch.randint(0, 2, (100, 100), generator=torch.Generator().manual_seed(0))
    assert words(figures.show([noise], width=4, classes=TINY_CLASSES)) == []


def test_void_has_a_name_where_it_is_an_area_and_none_where_it_is_a_line():
    line = torch.zeros(100, 100, dtype=torch.uint8)
    line[20:80, 50:53] = VOID
    assert words(figures.show([line, block(60, VOID)], width=8)) == ["void"]


def test_the_background_has_a_name_only_if_it_has_a_colour():
    palette = VOC_PALETTE.copy()
    palette[0] = (90, 70, 40)
    mask = block(50)
    classes = ("land", "water")
    assert words(figures.show([mask], width=4, classes=classes)) == ["water"]
    assert words(figures.show([mask], width=4, classes=classes, palette=palette)) == [
        "land",
        "water",
    ]


def test_names_can_be_switched_off_and_are_off_in_tiny_pictures():
    mask = block(60)
    assert words(figures.show([mask], width=4, names=False)) == []
    assert words(figures.show([mask] * 8, width=8, columns=8)) == []
    assert words(figures.show([mask] * 8, width=8, columns=8, names=True)) != []
    assert words(figures.show([mask] * 4, width=10)) == ["aeroplane"] * 4


@pytest.mark.parametrize("scale", [1, 3, 20])
def test_names_stand_in_the_same_place_whatever_the_resolution(scale):
    def place(mask):
        (text,) = figures.show([mask], width=4).axes[0].texts
        return (np.array(text.get_position()) + 0.5) / len(mask)

    large = torch.nn.functional.interpolate(block(60)[None, None], scale_factor=scale)[0, 0]
    np.testing.assert_allclose(place(large), place(block(60)), atol=0.03)


def test_each_side_of_the_curtain_has_names_of_its_own():
    image = torch.zeros(3, 100, 100, dtype=torch.uint8)
    figure = figures.curtain(image, block(60, 2), block(60, 1), 0.6, ("empty", "one", "two"))
    line = figure.axes[0].lines[0].get_xdata()[0]
    places = {text.get_text(): text.get_position()[0] for text in figure.axes[0].texts}
    assert places["one"] < line < places["two"]


def test_the_parts_of_an_overlap_are_named_in_the_picture():
    columns = torch.arange(100).repeat(100, 1)
    figure = figures.overlap(columns < 60, columns > 30)
    assert [text.get_text() for text in figure.axes[0].texts] == [
        "only true",
        "only predicted",
        "both",
    ]


def test_large_score_maps_carry_a_plus_above_zero():
    signs = 2 * torch.eye(8) - 1
    axis = figures.score_grids([signs], ["a"], "t").axes[0]
    assert {text.get_position() for text in axis.texts} == {(n, n) for n in range(8)}
    assert {text.get_text() for text in axis.texts} == {"+"}
    assert not figures.score_grids([torch.eye(8)], ["a"], "t").axes[0].texts  # nothing below zero


@pytest.mark.parametrize("size", [(60, 90), (900, 600), (5, 400), (2400, 3600)])
def test_a_named_overlay_has_the_name_in_the_region_and_in_the_legend(size):
    mask = torch.zeros(size, dtype=torch.uint8)
    mask[size[0] // 6 : -size[0] // 6, size[1] // 6 : -size[1] // 6] = 1
    image = torch.full((3, *size), 200, dtype=torch.uint8)
    with_cat, with_dog = (
        np.asarray(named_overlay(Segmentation(image, mask, ("background", name))))
        for name in ("cat", "dog")
    )
    assert not plt.get_fignums()
    assert with_cat.shape == with_dog.shape and max(with_cat.shape) < 2600
    changed = np.flatnonzero((with_cat != with_dog).any((1, 2)))
    bottom = 0.99 * with_cat.shape[1] * size[0] / size[1]  # of the picture
    assert (changed > bottom).any()
    assert (changed < 0.9 * bottom).any() == (size != (5, 400))  # too thin for a word
