"""What happens while a network is trained (notebooks 04 to 09)."""

import io
from collections.abc import Sequence
from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
import torch

from seglab.figures.charts import log_axis, styled
from seglab.figures.colors import ORANGE, SERIES
from seglab.figures.pictures import picture_of
from seglab.machine.notebook import in_notebook
from seglab.prediction import predict


def running_mean(values: Sequence[float], window: int) -> np.ndarray:
    """The mean of each `window` values in a row: `float [len(values) - window + 1]`."""
    window = max(1, min(window, len(values)))
    return np.convolve(values, np.ones(window) / window, mode="valid")


def last_loss(history) -> float:
    """The mean loss of the last quarter of a training's steps; infinite if there are none."""
    losses = [row["loss"] for row in history.steps]
    return float(np.mean(losses[-max(1, len(losses) // 4) :])) if losses else float("inf")


def png_of(figure: plt.Figure) -> bytes:
    """A figure as a PNG; it is closed, or a notebook would show it a second time."""
    file = io.BytesIO()
    figure.savefig(file, format="png")
    plt.close(figure)
    return file.getvalue()


def validation_losses(history) -> tuple[list[int], list[float]]:
    """The steps after which the loss on the validation pictures was measured, and that loss."""
    rows = [row for row in history.scores if row.get("val_loss") is not None]
    return [row["step"] for row in rows], [row["val_loss"] for row in rows]


@styled
def learning_curves(histories: dict, width: float = 10) -> plt.Figure:
    """The smoothed loss of each training, and its mean IoU where it was measured.

    Points in the left half are the loss on the validation pictures. The IoU's axis always goes from
    0 to 100, so that figures can be compared.

    Args:
        histories: name -> `seglab.history.History`.
    """
    scored = any(history.scores for history in histories.values())
    figure, axes = plt.subplots(1, 1 + scored, figsize=(width, 3.6), squeeze=False)
    for (name, history), (color, marker, dash) in zip(
        histories.items(), cycle(SERIES), strict=False
    ):
        look = {"color": color, "linestyle": dash, "label": name}
        losses = [row["loss"] for row in history.steps]
        window = max(1, len(losses) // 40)
        smooth = running_mean(losses, window)
        axes[0, 0].plot(np.arange(len(smooth)) + window / 2, smooth, **look)
        axes[0, 0].plot(*validation_losses(history), marker, color=color)
        if history.scores:
            steps = [row["step"] for row in history.scores]
            scores = [100 * row["mean_iou"] for row in history.scores]
            axes[0, 1].plot(steps, scores, marker=marker, **look)
    name = f"{next(iter(histories))}: " if len(histories) == 1 else ""
    points = any(validation_losses(history)[0] for history in histories.values())
    both = "training; validation (points)" if points else "training loss"
    texts = [("loss (running mean)", both), ("mean IoU (%)", "validation")]
    for axis, (label, title) in zip(axes.flat, texts, strict=False):
        axis.set(xlabel="step", ylabel=label, title=name + title)
        axis.set_xlim(left=0)
        axis.grid()
        if len(histories) > 1:
            axis.legend()
    if scored:
        axes[0, 1].set_ylim(0, 100)
    return figure


@styled
def train_and_validation(histories: dict, on_train: dict, width: float = 12) -> plt.Figure:
    """Loss and mean IoU, on training and on validation pictures, one column for each training.

    Args:
        histories: name -> `seglab.history.History` with scores.
        on_train: name -> the mean IoU of the training pictures after the same steps, from 0 to 1.
    """
    shape = {"squeeze": False, "sharex": "col", "sharey": "row"}
    figure, axes = plt.subplots(2, len(histories), figsize=(width, 5.6), **shape)
    look, other = (
        {"color": color, "marker": marker, "linestyle": dash, "label": label}
        for (color, marker, dash), label in zip(SERIES, ("training", "validation"), strict=False)
    )
    for (name, history), (upper, lower) in zip(histories.items(), axes.T, strict=True):
        steps, losses = validation_losses(history)
        of_steps, starts = [row["loss"] for row in history.steps], [0, *steps[:-1]]
        means = [np.mean(of_steps[a:b]) for a, b in zip(starts, steps, strict=True)]
        upper.plot(steps, means, **look)
        upper.plot(steps, losses, **other)
        lowest = int(np.argmin(losses))
        upper.axvline(steps[lowest], color="#555555", linestyle=":")
        lower.plot(steps, 100 * np.array(on_train[name]), **look)
        lower.plot(steps, [100 * row["mean_iou"] for row in history.scores], **other)
        upper.set(title=name, ylim=(0, None))
        lower.set(xlabel="step", ylim=(0, 100))
        upper.grid()
        lower.grid()
    axes[0, 0].set_ylabel("loss")
    axes[1, 0].set_ylabel("mean IoU (%)")
    axes[0, 0].legend()
    return figure


class LiveCurve:
    """The learning curve of a training under way, drawn anew in the same place of a notebook.

    Give one to `seglab.training.fit` as `watch`. Only the last figure is stored with the notebook.
    Outside a notebook nothing is drawn.
    """

    def __init__(self, title: str = "this training"):
        self.title = title
        self.handle = None

    def __call__(self, history) -> None:
        """Draw a `seglab.history.History` of at least one step."""
        if not in_notebook():
            return
        from IPython.display import Image, display

        # A PNG, because older IPythons show a figure as its name.
        picture = Image(png_of(learning_curves({self.title: history})), format="png")
        if self.handle is None:
            self.handle = display(picture, display_id=True)
        else:
            self.handle.update(picture)


@styled
def learning_rate_runs(
    runs: dict, chosen: float, smoothing: int = 5, width: float = 12
) -> plt.Figure:
    """Short trainings that differ in the learning rate only, one of them highlighted.

    Left: the loss of each. Right: where each ended. A training that broke down is a cross at the
    upper edge.

    Args:
        runs: learning rate -> `seglab.history.History`, without steps if it broke down.
        chosen: one of the learning rates.
        smoothing: the loss is a running mean over so many steps.

    Raises:
        ValueError: none of the runs has steps.
    """
    if not any(history.steps for history in runs.values()):
        raise ValueError("none of the runs has steps; give at least one that did not break down")
    rates = sorted(runs)
    ends = {rate: last_loss(runs[rate]) for rate in rates}
    best = min(rates, key=ends.get)
    starts = [history.steps[0]["loss"] for history in runs.values() if history.steps]
    low, high = 0.7 * ends[best], 8 * max(starts)
    size = (width, 0.36 * width)
    figure, (left, right) = plt.subplots(1, 2, figsize=size, width_ratios=(1.5, 1))
    for rate in sorted(rates, key=lambda rate: rate == chosen):  # the chosen one last, on top
        losses = [row["loss"] for row in runs[rate].steps]
        if losses:
            smooth = running_mean(losses, smoothing)
            steps = len(losses) - len(smooth) + 1 + np.arange(len(smooth))
            look = {"color": ORANGE, "linewidth": 3} if rate == chosen else {"color": "#a0a0a0"}
            left.plot(steps, smooth, **look)
        look = {"color": "#777777", "markersize": 9, "clip_on": False, "zorder": 3}
        if rate == chosen:
            look |= {"color": ORANGE, "markersize": 13}
        on_scale = ends[rate] <= high
        right.plot(rate, ends[rate] if on_scale else high, "o" if on_scale else "X", **look)
    kept = [rate for rate in rates if np.isfinite(ends[rate])]
    right.plot(kept, [min(ends[rate], high) for rate in kept], color="#c0c0c0", zorder=1)
    log_axis(left, "loss of each run (orange: the chosen one)")
    log_axis(right, "loss over the last quarter (cross: off the scale)")
    left.set(ylim=(low, high), xlabel="step", ylabel="loss (log scale)")
    right.set(xscale="log", ylim=(low, high), xlabel="learning rate (log scale)")
    right.minorticks_off()
    reached = f"{ends[chosen]:,.2f}" if np.isfinite(ends[chosen]) else "no number any more"
    rest = "the lowest of these" if chosen == best else f"{ends[best]:.2f} at {best:g} is lowest"
    figure.suptitle(f"Learning rate {chosen:g}: loss {reached} at the end; {rest}")
    return figure


@styled
def patients(cases: dict, image: torch.Tensor, longest_side: int, runtime) -> plt.Figure:
    """Three rows: the losses, a training picture under its mask, the prediction for `image`.

    Args:
        cases: letter -> an object with a `history`, `data` (image and mask) and a `network`, as
            the clinic of notebook 07 admits them.
        image: `uint8 [3, H, W]`, which every network segments.
        longest_side, runtime: see `seglab.prediction.predict`.
    """
    figure, axes = plt.subplots(3, len(cases), figsize=(13, 7.4), height_ratios=(1.25, 1, 1))
    highest = 1.1 * max(case.history.steps[0]["loss"] for case in cases.values())
    (color, *_), (other, marker, _), *_ = SERIES
    for (letter, case), (curve, lesson, result) in zip(cases.items(), axes.T, strict=True):
        losses = [row["loss"] for row in case.history.steps]
        smooth = running_mean(losses, 4)
        curve.plot(np.arange(len(smooth)) + 2.5, smooth, color=color, label="training")
        points = [(row["step"], row["val_loss"]) for row in case.history.scores]
        shown = [min(loss, 1.5 * highest) for _, loss in points]
        curve.plot([step for step, _ in points], shown, marker, color=other, label="validation")
        curve.set(title=letter, ylim=(0, 1.6 * highest), xlabel="step")
        curve.grid()
        picture, mask = case.data[len(case.data) // 2]
        said = predict(case.network, image, longest_side, runtime)
        for axis, item, of in ((lesson, (picture, mask), mask), (result, (image, said), said)):
            axis.imshow(picture_of(item))
            axis.set(xticks=[], yticks=[])
            axis.set_xlabel("indices " + " ".join(map(str, of.unique().tolist())), fontsize=11)
    for axis, label in zip(axes[:, 0], ("loss", "a training picture", "a prediction"), strict=True):
        axis.set_ylabel(label)
    axes[0, 0].legend(fontsize=10)
    figure.suptitle(
        "Five trainings, five faults: which is which? (points at the top: off the scale)"
    )
    return figure
