"""Controls above a figure: what a click and a page without a kernel show."""

import base64
import html
import io
import re

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from execute_notebooks import WIDGET, clean, is_noise
from helpers import REPOSITORY
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image

from seglab.figures import widgets
from seglab.figures.widgets import Interactive
from seglab.history import History
from seglab.unet import UNet

PNG = "image/png"


@pytest.fixture(autouse=True)
def no_open_figures():
    plt.close("all")
    yield
    plt.close("all")


def bar(height, color="black"):
    figure, axis = plt.subplots(figsize=(2, 1), dpi=50)
    axis.bar([0], [height], color=color)
    axis.set_ylim(0, 10)
    return figure


@pytest.fixture
def widget():
    controls = {
        "height": ipywidgets.IntSlider(value=2, max=10),
        "color": ipywidgets.Dropdown(options=["black", "red"]),
    }
    return Interactive(bar, controls)


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def bundle(widget) -> dict:
    """What the notebook stores for it, by kind."""
    made = widget._repr_mimebundle_(include=None, exclude=None)
    return made[0] if isinstance(made, tuple) else made


def test_the_first_picture_is_drawn_from_the_first_values(widget):
    figure = bar(2, "black")
    file = io.BytesIO()
    figure.savefig(file, format="png")
    np.testing.assert_array_equal(pixels(widget.picture.value), pixels(file.getvalue()))
    assert widget.picture.format == "png"


def test_a_control_changes_the_picture_and_back_again(widget):
    first = pixels(widget.picture.value)
    widget.controls["height"].value = 9
    taller = pixels(widget.picture.value)
    dark = (first.sum(2) < 100).sum(), (taller.sum(2) < 100).sum()
    assert dark[1] > 1.5 * dark[0]
    widget.controls["color"].value = "red"
    red = pixels(widget.picture.value)
    assert ((red[..., 0] > 200) & (red[..., 1] < 50)).sum() > 50  # it keeps the height
    assert ((taller[..., 0] > 200) & (taller[..., 1] < 50)).sum() == 0
    widget.controls["height"].value, widget.controls["color"].value = 2, "black"
    np.testing.assert_array_equal(pixels(widget.picture.value), first)


def test_the_controls_are_above_the_picture(widget):
    row, picture, words = widget.children
    assert list(row.children) == list(widget.controls.values())
    assert picture is widget.picture and words is widget.words


def test_no_figure_is_left_open(widget):
    widget.controls["height"].value = 5
    widget.controls["color"].value = "red"
    assert plt.get_fignums() == []


def test_the_output_carries_the_widget_and_its_picture(widget):
    made = bundle(widget)
    assert made[WIDGET]["model_id"] == widget.model_id
    assert base64.b64decode(made[PNG]) == widget.picture.value
    widget.controls["height"].value = 7
    assert base64.b64decode(bundle(widget)[PNG]) == widget.picture.value


# ---------------------------------------------------------------- what a notebook stores


def stored(*outputs):
    return new_notebook(
        cells=[
            new_code_cell(
                "x", metadata={"execution": {"iopub.status.idle": "now"}}, outputs=list(outputs)
            )
        ],
        metadata={"widgets": {"state": {}}},
    )


def test_cleaning_drops_the_dead_widget_and_keeps_its_picture(widget):
    notebook = stored(new_output("display_data", bundle(widget)))
    clean(notebook)
    (output,) = notebook.cells[0].outputs
    assert WIDGET not in output.data
    assert base64.b64decode(output.data[PNG]) == widget.picture.value
    assert "widgets" not in notebook.metadata and "execution" not in notebook.cells[0].metadata


@pytest.mark.parametrize(
    ("output", "noise"),
    [
        (new_output("stream", name="stderr", text="UserWarning: old"), True),
        (new_output("stream", name="stdout", text="12 %| 3.9it/s"), False),
        (new_output("display_data", {"text/plain": "0%| 0/4 [00:00<?, ?it/s]"}), True),
        (new_output("display_data", {WIDGET: {}, "text/plain": "4/4 [00:01, 3.99it/s]"}), True),
        (new_output("display_data", {WIDGET: {}, "text/plain": "4/4 [00:09, 2.27s/it]"}), True),
        (new_output("display_data", {PNG: "aGk=", "text/plain": "<Figure size>"}), False),
        (new_output("execute_result", {"text/plain": "tensor(3)"}), False),
    ],
)
def test_progress_bars_and_warnings_are_noise(output, noise):
    assert is_noise(output) is noise
    notebook = stored(output)
    clean(notebook)
    assert notebook.cells[0].outputs == ([] if noise else [output])


def test_the_widgets_of_the_package_are_imported_from_one_place():
    """Notebooks call `seglab.figures.widgets`; they build no controls of their own."""
    notebooks = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))
    assert notebooks
    assert not [p.name for p in notebooks if "ipywidgets" in p.read_text(encoding="utf-8")]


# ---------------------------------------------------------------- without a mouse, without eyes


def every_widget() -> dict:
    """One of each interactive figure of the course, by the name of its function."""
    image, mask = torch.zeros(3, 32, 32, dtype=torch.uint8), torch.zeros(32, 32, dtype=torch.uint8)
    mask[8:24, 8:24] = 1
    steps = [{"step": n, "loss": 1 / (n + 1)} for n in range(8)]
    model = UNet(21, width=4)
    return {
        "stamp_stepper": widgets.stamp_stepper(),
        "skip_switch": widgets.skip_switch(model.eval(), image, mask, 1),
        "receptive_field_explorer": widgets.receptive_field_explorer(),
        "learning_rate_explorer": widgets.learning_rate_explorer(
            {rate: History(steps=steps) for rate in (0.1, 0.01)}
        ),
        "overlap_explorer": widgets.overlap_explorer(),
        "truth_slider": widgets.truth_slider(image, mask, mask.T.roll(3)),
        "surest_explorer": widgets.surest_explorer(torch.tensor([True, False, True]), 3),
    }


@pytest.fixture(scope="module")
def all_widgets():
    return every_widget()


def test_no_interactive_figure_is_left_out(all_widgets):
    public = {
        name
        for name, thing in vars(widgets).items()
        if getattr(thing, "__annotations__", {}).get("return") is Interactive and name[0] != "_"
    }
    assert public == set(all_widgets)


def spoken(widget) -> str:
    """What a screen reader says: the text of the status."""
    words = re.fullmatch(r'<span role="status">([^<>]*)</span>', widget.words.value)
    return html.unescape(words[1])


def test_every_control_has_a_description_and_works_by_tab_arrows_and_space(all_widgets):
    # Lists and radio buttons need the arrows up and down, which JupyterLab keeps for its cells.
    known = (ipywidgets.IntSlider, ipywidgets.SelectionSlider)
    known += (ipywidgets.ToggleButtons, ipywidgets.Checkbox)
    for name, widget in all_widgets.items():
        for control in widget.controls.values():
            assert control.description.strip(), (name, control)
            assert isinstance(control, known), (name, control)


def test_the_words_say_the_title_and_every_value(all_widgets):
    for name, widget in all_widgets.items():
        figure = widget.draw(**{n: control.value for n, control in widget.controls.items()})
        assert widgets.in_words(figure) and widgets.in_words(figure) in spoken(widget), name
        for control in widget.controls.values():
            assert f"{control.description} {control.value}" in spoken(widget), name


def test_the_words_change_with_the_picture():
    widget = widgets.surest_explorer(torch.tensor([True, False, True]), 3)
    first = spoken(widget)
    widget.controls["kept"].value = 3
    assert spoken(widget) != first
    assert "3 of 3 kept: 2 right, 1 wrong" in spoken(widget)


def test_the_words_of_the_curtain_name_the_classes_of_both_sides():
    image, truth = torch.zeros(3, 40, 40, dtype=torch.uint8), torch.zeros(40, 40).long()
    truth[:, 20:] = 2
    widget = widgets.truth_slider(image, truth, 1 - truth.clip(max=1), ("empty", "one", "two"))
    assert "prediction on 50 % of the picture: one; truth on 50 % of the picture: two" in spoken(
        widget
    )
    widget.controls["line"].value = 0
    assert "prediction on 0 % of the picture: nothing;" in spoken(widget)


def test_words_are_no_markup():
    def draw(height):
        figure, axis = plt.subplots()
        axis.set_title(f"<b>{height}</b> & more")
        return figure

    widget = Interactive(draw, {"height": ipywidgets.IntSlider(value=2, description="h")})
    assert spoken(widget) == "<b>2</b> & more (h 2)"
