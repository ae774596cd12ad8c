"""The interactive figures of the course: controls above a picture that follows them."""

import base64
import html
from collections.abc import Callable
from functools import partial

import ipywidgets
import matplotlib.pyplot as plt
import torch

from seglab import figures
from seglab.figures.curves import png_of
from seglab.machine.runtime import Runtime
from seglab.metrics import ConfusionMatrix
from seglab.palettes import VOC_CLASSES
from seglab.prediction import predict
from seglab.unet import UNet, muted_skips


class Interactive(ipywidgets.VBox):
    """Controls above a figure, which is drawn anew when one of them changes.

    A page that runs nothing (a stored notebook, a preview on the web) shows the first figure: the
    output carries it as a picture beside the widget.

    Args:
        draw: takes the controls' values by name, returns a matplotlib figure.
        controls: name -> widget with a `value`.

    Attributes:
        controls: as given; setting one's `value` moves the figure.
        picture: the figure as a PNG.
        words: what the figure shows, and at which values, for those who hear the page.
    """

    def __init__(
        self, draw: Callable[..., plt.Figure], controls: dict[str, ipywidgets.ValueWidget]
    ):
        self.draw, self.controls = draw, controls
        self.picture = ipywidgets.Image(format="png", layout={"max_width": "100%"})
        self.words = ipywidgets.HTML(layout={"height": "0", "margin": "0", "overflow": "hidden"})
        for control in controls.values():
            control.observe(self.update, names="value")
        self.update()
        row = ipywidgets.HBox(list(controls.values()), layout={"flex_flow": "row wrap"})
        super().__init__([row, self.picture, self.words])

    def update(self, change=None) -> None:
        """Draw the figure for the controls' present values."""
        figure = self.draw(**{name: control.value for name, control in self.controls.items()})
        self.picture.value = png_of(figure)
        values = ", ".join(f"{c.description} {c.value}" for c in self.controls.values())
        words = f"{in_words(figure)} ({values})"
        # A screen reader says a status when it changes; the sliders themselves have no name for it.
        self.words.value = f'<span role="status">{html.escape(words)}</span>'

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        bundle["image/png"] = base64.b64encode(self.picture.value).decode()
        return bundle


def in_words(figure: plt.Figure) -> str:
    """What a figure says about itself: its label, else its title, else the titles of its parts."""
    titles = [axis.get_title(side) for axis in figure.axes for side in ("left", "center", "right")]
    return figure.get_label() or figure.get_suptitle() or "; ".join(filter(None, titles))


NAMED = {"description_width": "initial"}  # a control's description gets the room it needs


def _choice(description: str, options: list, width: str) -> ipywidgets.ToggleButtons:
    """One of a few values: a button for each, reached with Tab and pressed with the space bar.

    A list or radio buttons would need the arrow keys, which JupyterLab keeps for its cells.
    """
    buttons = ipywidgets.ToggleButtons(
        options=options,
        description=description,
        style={**NAMED, "button_width": width},
        layout={"margin": "2px 16px 2px 2px"},
    )
    for name in ("jupyter-widgets", "widget-inline-hbox"):  # the description beside the buttons
        buttons.add_class(name)
    return buttons


def _slider(
    description: str, value: int, lowest: int, highest: int, width: str | None = None, **options
) -> ipywidgets.IntSlider:
    """A slider over whole numbers, which draws when it is let go unless told otherwise."""
    options = {"continuous_update": False, "style": NAMED, "layout": {"width": width}, **options}
    return ipywidgets.IntSlider(value, lowest, highest, description=description, **options)


def stamp_stepper(x: torch.Tensor | None = None, kernel: torch.Tensor | None = None) -> Interactive:
    """Transposed convolution stamp by stamp (notebook 03); the figure is `seglab.figures.stamps`.

    Both are `float [H, W]`; default: 0, 1, 2, 3 in two rows.
    """
    toy = torch.tensor([[0.0, 1.0], [2.0, 3.0]])
    x, kernel = toy if x is None else x, toy if kernel is None else kernel
    # With stride 1 the output is smallest; offer only a padding that leaves some of it.
    smallest = min(size + k - 1 for size, k in zip(x.shape, kernel.shape, strict=True))
    controls = {
        "placed": _slider("stamps placed", min(3, x.numel()), 0, x.numel()),
        "stride": _choice("stride", [1, 2, 3], "3em"),
        "padding": _choice("padding", [p for p in (0, 1) if smallest > 2 * p], "3em"),
    }
    return Interactive(partial(figures.stamps, x, kernel), controls)


def skip_switch(
    model: UNet,
    image: torch.Tensor,
    mask: torch.Tensor,
    class_index: int,
    longest_side: int | None = None,
    runtime: Runtime | None = None,
    classes: tuple[str, ...] = VOC_CLASSES,
) -> Interactive:
    """A trained U-Net predicts one picture with the skips of your choice (notebook 05).

    One checkbox for each skip; at first the two finest skips are off.

    Args:
        image, mask: `uint8 [3, H, W]`, and its true mask `[H, W]`.
        class_index: the class whose found pixels are counted; the mask should show it.
        longest_side, runtime: see `seglab.prediction.predict`.
    """
    strides = model.encoder.strides[: len(model.ups)]

    def found(off: list[int]) -> tuple[torch.Tensor, str, float]:
        """Without the skips of these levels: the mask, its scores in words, and what is found."""
        with muted_skips(model, off):
            prediction = predict(model, image, longest_side, runtime)
        matrix = ConfusionMatrix(len(classes))
        matrix.update(prediction, mask)
        share, iou = (100 * of[class_index].item() for of in (matrix.accuracy, matrix.iou))
        return prediction, f"{share:.0f} % found, IoU {iou:.0f} %", share

    with_all, scores_of_all, share = found([])
    title = f"{share:.0f} % of the {classes[class_index]}'s pixels are found with all skips"

    def draw(**on: bool) -> plt.Figure:
        off = [level for level, stride in enumerate(strides) if not on[f"stride_{stride}"]]
        chosen, scores, share = found(off)
        words = ", ".join(str(strides[level]) for level in off) or "none"
        rest = f"{share:.0f} % without stride{'s' * (len(off) > 1)} {words}"
        return figures.show(
            [image, mask, with_all, chosen],
            ["image", "true mask", f"all skips: {scores_of_all}", f"skips off: {words}: {scores}"],
            columns=2,
            width=9,
            classes=classes,
            title=f"{title}, {rest if off else 'and none is off'}",
        )

    look = {"indent": False, "layout": {"width": "auto", "margin": "2px 16px 2px 2px"}}
    names = {f"stride_{stride}": f"skip at stride {stride}" for stride in strides}
    controls = {
        name: ipywidgets.Checkbox(value=level > 1, description=words, **look)
        for level, (name, words) in enumerate(names.items())
    }
    return Interactive(draw, controls)


# Dilations of up to five layers; the first pattern takes the rate of the slider.
RATE_PATTERNS = {
    "same rate in each layer": None,
    "1, 2, 4, …": (1, 2, 4, 8, 16),
    "1, 2, 3 (hybrid)": (1, 2, 3, 1, 2),
}


def receptive_field_explorer() -> Interactive:
    """What a stack of dilated convolutions sees (notebook 06): `seglab.figures.dilated_stack`.

    At first three layers of rate 2, which see only every second pixel.
    """
    pattern = _choice("rates", list(RATE_PATTERNS), "14em")
    controls = {
        "kernel_size": _slider("kernel size", 3, 2, 5),
        "depth": _slider("layers", 3, 1, 5),
        "rate": _slider("rate", 2, 1, 6),
        "pattern": pattern,
    }

    def own_rate(change=None) -> None:
        """The other patterns bring their own rates."""
        controls["rate"].disabled = RATE_PATTERNS[pattern.value] is not None

    pattern.observe(own_rate, names="value")

    def draw(kernel_size: int, depth: int, rate: int, pattern: str) -> plt.Figure:
        rates = RATE_PATTERNS[pattern] or (rate,) * 5
        return figures.dilated_stack(kernel_size, rates[:depth])

    return Interactive(draw, controls)


def learning_rate_explorer(runs: dict) -> Interactive:
    """Recorded short trainings (notebook 07): `seglab.figures.learning_rate_runs`.

    Args:
        runs: learning rate -> `seglab.history.History`, without steps if the training broke down.
    """
    chosen = ipywidgets.SelectionSlider(
        options=[(f"{rate:g}", rate) for rate in sorted(runs)],
        description="learning rate",
        continuous_update=False,
        style=NAMED,
        layout={"width": "360px"},
    )
    controls = {"chosen": chosen, "smoothing": _slider("smoothing (steps)", 5, 1, 15, "360px")}
    return Interactive(partial(figures.learning_rate_runs, runs), controls)


def overlap_explorer() -> Interactive:
    """Move one shape over another and watch their scores (notebook 08): `seglab.figures.overlap`.

    The true shape, 40 pixels across, stays in the middle of the picture.
    """
    controls = {
        "shape": _choice("shape", ["disc", "box"], "5em"),
        "right": _slider("right", 10, -44, 44, continuous_update=True),
        "down": _slider("down", 0, -44, 44, continuous_update=True),
        "size": _slider("size", 40, 4, 88, step=2, continuous_update=True),
        "picture": ipywidgets.SelectionSlider(
            options=[88, 120, 160, 240, 400], description="picture", style=NAMED
        ),
    }

    def draw(shape: str, right: int, down: int, size: int, picture: int) -> plt.Figure:
        truth = _shape(shape, picture, 40)
        return figures.overlap(truth, _shape(shape, picture, size, right, down))

    return Interactive(draw, controls)


def _shape(shape: str, picture: int, size: int, right: int = 0, down: int = 0) -> torch.Tensor:
    """A disc or box, `size` pixels across, beside the middle of a square: `bool [H, W]`."""
    steps = torch.arange(picture) - (picture - 1) / 2
    x, y = steps - right, (steps - down)[:, None]
    if shape == "disc":
        return x.square() + y.square() <= (size / 2) ** 2
    return torch.maximum(x.abs(), y.abs()) <= size / 2


def truth_slider(
    image: torch.Tensor,
    truth: torch.Tensor,
    prediction: torch.Tensor,
    classes: tuple[str, ...] = VOC_CLASSES,
) -> Interactive:
    """A line to drag over a picture: prediction on its left, truth on its right (notebook 08).

    The figure and its arguments are `seglab.figures.curtain`.
    """

    def draw(line: int) -> plt.Figure:
        return figures.curtain(image, truth, prediction, line / 100, classes)

    line = _slider("line (%)", 50, 0, 100, "80%", continuous_update=True)
    return Interactive(draw, {"line": line})


def surest_explorer(right: torch.Tensor, objects: int) -> Interactive:
    """Keep more or fewer of the surest predictions (notebook 10), at first a third.

    The figure and its arguments are `seglab.figures.precision_recall_curve`.
    """
    kept = _slider("predictions kept", -(-len(right) // 3), 1, len(right), "80%")
    return Interactive(partial(figures.precision_recall_curve, right, objects), {"kept": kept})
