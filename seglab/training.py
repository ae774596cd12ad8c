"""One training loop (notebook 07; used from notebook 04 on)."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset
from tqdm.auto import tqdm

from seglab import networks
from seglab.draws import Draws, batches, step_seed
from seglab.freezing import backbones, frozen, training_mode
from seglab.history import History
from seglab.losses import LOSSES, class_weights
from seglab.machine import distributed
from seglab.machine.faults import (
    TrainingError,
    expect_a_number,
    expect_channels,
    expect_equal_shares,
    limits_explained,
    look_through,
)
from seglab.machine.memory import return_freed_memory
from seglab.machine.resuming import TrainingFiles
from seglab.machine.runtime import Runtime, default_runtime
from seglab.metrics import ConfusionMatrix
from seglab.palettes import VOID
from seglab.prediction import class_scores, largest_class, logits_of, resize_scores, seen_size
from seglab.recipes import Recipe
from seglab.transforms import normalize

# Under the budget "test" every training stops after so many steps, and every scoring takes so
# many images at most, spread over the data set.
STEPS_OF_A_TEST = 10
IMAGES_OF_A_TEST = 20


# ---------------------------------------------------------------- the parts of a step


def trained_logits(output) -> list[torch.Tensor]:
    """The logits that the loss is taken of: those under "aux" in deep supervision, else the output.

    torchvision's networks keep a single tensor under "aux", which is not trained here.
    """
    if isinstance(output, dict) and isinstance(output.get("aux"), list):
        return output["aux"]
    return [logits_of(output)]


def parameter_groups(model: nn.Module, recipe: Recipe) -> list[dict]:
    """The trainable parameters in groups, each with its "weight_decay" and "factor".

    Kernels decay, biases and norms do not. The learning rate of a group is the recipe's times its
    factor: `backbone_factor` for a backbone, 1 for everything else.
    """
    backbone = {parameter for module in backbones(model) for parameter in module.parameters()}
    groups: dict[tuple, list] = {}
    for parameter in model.parameters():
        if parameter.requires_grad:
            decay = recipe.weight_decay if parameter.ndim > 1 else 0.0
            factor = recipe.backbone_factor if parameter in backbone else 1.0
            groups.setdefault((decay, factor), []).append(parameter)
    return [
        {"params": members, "weight_decay": decay, "factor": factor}
        for (decay, factor), members in groups.items()
    ]


def new_optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """The recipe's optimiser over the groups of `parameter_groups`."""
    groups = parameter_groups(model, recipe)
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=recipe.learning_rate, momentum=0.9)
    return torch.optim.AdamW(groups, lr=recipe.learning_rate)


class SegmentationLoss:
    """Forward pass and loss of a network that labels pixels, as a recipe asks for.

    Of the training images only their classes matter here, and how frequent they are.
    """

    def __init__(self, train: Dataset, recipe: Recipe, runtime: Runtime):
        weights = class_weights(recipe.class_weights, train)
        self.weights = None if weights is None else weights.to(runtime.device)
        self.one_loss, self.classes, self.runtime = LOSSES[recipe.loss], train.num_classes, runtime

    def __call__(self, model: nn.Module, images: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
        """The loss of one batch; the mean over what `trained_logits` gives.

        Args:
            model: normalised images -> logits.
            images, masks: `uint8 [N, 3, h, w]` and `uint8 [N, h, w]`.

        Raises:
            TrainingError: the model has too few channels for the classes.
        """
        images, masks = images.to(self.runtime.device), masks.to(self.runtime.device)
        with self.runtime.precision():
            output = model(self.runtime.batch(normalize(images)))
        expect_channels(logits_of(output), self.classes)
        losses = [self.of(logits, masks) for logits in trained_logits(output)]
        return sum(losses) / len(losses)

    def of(self, logits: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
        """The loss of logits `[N, C, h, w]` and masks `[N, h, w]`."""
        return self.one_loss(logits, masks.to(logits.device), self.weights)


class Trainer:
    """A network under training: all that changes from step to step, and how a step changes it.

    Args:
        loss: called as `loss(model, images, targets)`, such as a `SegmentationLoss`; it gives
            one number.

    Attributes:
        step: how many steps are done.
        history: of those steps.
    """

    def __init__(self, model: nn.Module, recipe: Recipe, runtime: Runtime, loss: Callable):
        self.recipe, self.loss = recipe, loss
        self.model = runtime.place(model)
        self.forward = distributed.shared(self.model)
        if runtime.compile:
            self.forward = torch.compile(self.forward)
        self.optimizer = new_optimizer(self.model, recipe)
        half = runtime.autocast == torch.float16  # small gradients would vanish in 16 bits
        self.scaler = torch.amp.GradScaler(runtime.device.type, enabled=half)
        self.step, self.history = 0, History()

    def train_on(self, images, targets) -> float:
        """One step on a batch: forward, loss, backward, change the weights. Returns the loss.

        Raises:
            TrainingError: the batch is too large or too small, or the loss is not a number any
                more.
        """
        rate = self.recipe.learning_rate * self.recipe.factor(self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["factor"]
        with limits_explained(self.recipe):
            training_mode(self.model, self.recipe)
            loss = self.loss(self.forward, images, targets)
            self.optimizer.zero_grad()
            self.scaler.scale(loss).backward()
            if self.recipe.max_gradient_norm is not None:
                self.scaler.unscale_(self.optimizer)
                nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.max_gradient_norm)
            self.scaler.step(self.optimizer)
            self.scaler.update()
        self.step += 1
        value = (distributed.total(loss.detach()) / distributed.count()).item()
        expect_a_number(value, self.step, rate)
        self.history.steps.append({"step": self.step, "loss": value, "learning_rate": rate})
        return value

    def finish(self) -> History:
        """Switch the model to evaluation and give the memory back that only training needs."""
        self.model.zero_grad()
        self.model.eval()
        del self.optimizer  # and with it two numbers for each weight
        return_freed_memory()
        return self.history


def store(path: Path, trainer: Trainer, train: Dataset, training: dict | None = None) -> None:
    """Write the network under training, and what is needed to go on; see `seglab.networks.save`."""
    side, notes = trainer.recipe.longest_side, repr(trainer.recipe)
    trained = networks.Trained(trainer.model, train.classes, train.palette, side, notes)
    networks.save(path, trained, training=training)


def steps(
    trainer: Trainer, loader: DataLoader, progress: bool = True, stop_after: int | None = None
) -> Iterator[int]:
    """The loop: train on one batch after the other; yields the number of each step, from 1.

    Args:
        trainer: goes on from its own step.
        loader: the batches from there on.
        progress: show a bar with loss, mean IoU and the time left.
        stop_after: end when this many evaluations brought nothing better.
    """
    hidden = not progress or distributed.rank() > 0
    total, done = trainer.recipe.steps, trainer.step
    bar = tqdm(loader, "training", total, initial=done, disable=hidden, leave=False)
    began = time.perf_counter()
    for images, targets in bar:
        if stop_after is not None and trainer.history.fruitless >= stop_after:
            return
        torch.manual_seed(step_seed(trainer.recipe, trainer.step))
        trainer.train_on(images, targets)
        trainer.history.seconds += time.perf_counter() - began
        bar.set_postfix(trainer.history.latest(), refresh=False)
        yield trainer.step
        began = time.perf_counter()


def fit(
    model: nn.Module,
    train: Dataset,
    val: Dataset | None = None,
    recipe: Recipe | None = None,
    evaluations: int = 1,
    runtime: Runtime | None = None,
    progress: bool = True,
    checkpoint: str | Path | None = None,
    resume: bool = False,
    watch: Callable[[History], object] | None = None,
    stop_after: int | None = None,
    check: bool = True,
) -> History:
    """Train a model in place.

    Args:
        model: normalised images `float [N, 3, H, W]` -> logits `float [N, C, H, W]`, one channel
            for each class of the data set.
        train: a `VOCSegmentation` without transforms; the recipe's augmentation is applied.
        val: scored `evaluations` times, evenly spread, the last time at the end.
        recipe: default `Recipe()`.
        runtime: where to run; default: a GPU if there is one.
        progress: show a bar with loss, mean IoU and the time left.
        checkpoint: a file such as `runs/unet.pt`. It gets the network with the best score so far
            (without `val`: the last one). Beside it, `runs/unet.last.pt` gets all that is needed
            to go on, after each pass over the images. Only for networks that
            `seglab.networks.build` made.
        resume: go on from `runs/unet.last.pt`, if it is there. On a processor the numbers
            are those of a training that was never stopped, bit for bit.
        watch: called with the history so far whenever a checkpoint is due;
            `seglab.figures.LiveCurve` draws it.
        stop_after: stop early when this many evaluations brought nothing better.
        check: look through all masks first, so that a fault is found now and not at the end.

    Returns:
        What happened; its `best_matrix` is the best evaluation.

    Raises:
        TrainingError: a mask is faulty or all are void, the loss is not a number any more, memory
            ran out, the model has too few channels for the classes, the recipe freezes a backbone
            that starts at random, another training writes to `checkpoint`, or `resume` found that
            of another training.
        CheckpointError: a checkpoint cannot be read, or the model cannot be stored in one.
    """
    recipe, runtime = settled(recipe, runtime)
    if runtime.budget == "test":
        evaluations = 1
    due = set() if val is None else due_steps(recipe, evaluations)
    if stop_after is not None and not (due and stop_after >= 1):
        raise TrainingError(f"stop_after counts evaluations on val, from 1; found {stop_after}")
    files = TrainingFiles(checkpoint, train, store)
    with seeded_apart(runtime), frozen(model, recipe), files.kept_to_oneself(resume):
        if check:
            look_through(train, "training", VOID, progress)
            if due:
                look_through(val, "validation", VOID, progress)
        trainer = Trainer(model, recipe, runtime, SegmentationLoss(train, recipe, runtime))
        files.begin(trainer, resume)
        loader = batches(Draws(train, recipe), trainer.step, runtime.workers)
        for step in steps(trainer, loader, progress, stop_after):
            if step in due:
                side, loss = recipe.longest_side, trainer.loss.of
                trainer.history.add_score(step, evaluate(model, val, side, runtime, progress, loss))
            if step in due or ends_pass(step, recipe, len(train)):
                kept = trainer.history.best_step if due else recipe.steps
                files.write(trainer, best=step == kept)
                if watch is not None and distributed.rank() == 0:
                    watch(trainer.history)
    return trainer.finish()


def settled(recipe: Recipe | None, runtime: Runtime | None) -> tuple[Recipe, Runtime]:
    """Recipe and runtime, or their defaults; under the budget "test" for a few steps only."""
    recipe, runtime = recipe or Recipe(), runtime or default_runtime()
    if runtime.budget == "test":
        recipe = replace(recipe, images=min(recipe.images, STEPS_OF_A_TEST * recipe.batch_size))
    expect_equal_shares(recipe.batch_size)
    return recipe, runtime


def seeded_apart(runtime: Runtime) -> AbstractContextManager:
    """Inside, seeds do not reach the notebook around, and what ran there before does not matter."""
    return torch.random.fork_rng([runtime.device] if runtime.device.type == "cuda" else [])


def due_steps(recipe: Recipe, evaluations: int) -> set[int]:
    """The steps after which a network is scored: evenly spread, the last one at the end."""
    return {round(recipe.steps * (i + 1) / evaluations) for i in range(evaluations)}


def ends_pass(step: int, recipe: Recipe, images: int) -> bool:
    """Is a pass over all images complete with this step (from 1), or the training?"""
    seen = step * recipe.batch_size
    return step == recipe.steps or seen // images > (seen - recipe.batch_size) // images


def evaluate(
    model: nn.Module,
    dataset: Dataset,
    longest_side: int | None = None,
    runtime: Runtime | None = None,
    progress: bool = True,
    loss: Callable | None = None,
    **views,
) -> ConfusionMatrix:
    """Predict every image of a data set, whole, and compare at the size of its label.

    Of several processes each predicts its part, and all get the counts of the whole.

    Args:
        model: normalised images -> logits. It is switched to evaluation mode.
        dataset: items of image `uint8 [3, H, W]` and mask `uint8 [H, W]`, without augmentation;
            `dataset.num_classes` says how many classes there are.
        longest_side, runtime, views: see `seglab.prediction.predict`; views are flip and scales.
        progress: show a bar.
        loss: called as `loss(logits, masks)` for each image; what comes back then has an attribute
            `loss`, the mean.
    """
    distributed.copy_statistics(model)
    matrix = ConfusionMatrix(dataset.num_classes)
    runtime = runtime or default_runtime()
    if runtime.budget == "test":
        dataset = Subset(dataset, range(len(dataset))[:: -(-len(dataset) // IMAGES_OF_A_TEST)])
    model, sum_of_losses = runtime.place(model).eval(), torch.zeros((), dtype=torch.float64)
    for _, (image, mask) in distributed.own_items(dataset, "scoring", progress):
        size = image.shape[-2:]
        scores = class_scores(model, image[None], seen_size(size, longest_side), runtime, **views)
        matrix.update(largest_class(scores, size)[0].cpu(), mask)
        if loss is not None:
            sum_of_losses += loss(resize_scores(scores, size), mask[None]).item()
    if loss is not None:
        matrix.loss = distributed.total(sum_of_losses).item() / len(dataset)
    matrix.counts = distributed.total(matrix.counts)
    matrix.void_counts = distributed.total(matrix.void_counts)
    return matrix
