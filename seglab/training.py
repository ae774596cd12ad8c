"""One training loop (notebook 07; used from notebook 04 on)."""

import copy
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset
from tqdm.auto import tqdm

from seglab import networks
from seglab.freezing import backbones, frozen, training_mode
from seglab.history import History
from seglab.losses import LOSSES, balanced_weights, class_pixels, median_frequency_weights
from seglab.machine import checkpoints, distributed
from seglab.machine.files import remove_leftovers
from seglab.machine.memory import return_freed_memory
from seglab.machine.runtime import Runtime, default_runtime
from seglab.metrics import ConfusionMatrix
from seglab.networks import Trained
from seglab.prediction import logits_of, predict
from seglab.recipes import Recipe, TrainingError
from seglab.transforms import normalize, training_transforms

STEPS_OF_A_TEST = 10  # the budget "test" stops every training here


# ---------------------------------------------------------------- the parts of a step


class Draws(Dataset):
    """The augmented training images, one after the other, as a recipe draws them.

    Each pass over the images has an order of its own. Everything random about an item follows from
    the recipe's seed and the item's position alone, so the same position gives the same picture
    whoever asks, and when: after a restart, in a worker process, in one of several processes.

    Args:
        images: a `VOCSegmentation` without transforms; it is left as it is.
        recipe: see `Recipe`.
    """

    def __init__(self, images: Dataset, recipe: Recipe):
        self.images = copy.copy(images)
        self.images.transforms = training_transforms(
            recipe.crop, recipe.scale, recipe.longest_side, recipe.color
        )
        self.recipe = recipe

    def __len__(self) -> int:
        return self.recipe.steps * self.recipe.batch_size

    def __getitem__(self, position: int):
        """Image `uint8 [3, h, w]` and mask `uint8 [h, w]` number `position`, from 0."""
        full_passes, place = divmod(position, len(self.images))
        generator = torch.Generator().manual_seed(self.recipe.seed + full_passes)
        order = torch.randperm(len(self.images), generator=generator)
        with torch.random.fork_rng([]):
            torch.manual_seed(position_seed(self.recipe, position))
            return self.images[int(order[place])]


def position_seed(recipe: Recipe, position: int) -> int:
    """A seed from 0 to 2^32 - 1 for what is random about the image at a position."""
    return (recipe.seed * 1_000_003 + position) % 2**32


def step_seed(recipe: Recipe, step: int) -> int:
    """A seed for what is random inside the network (dropout) at a step, for each process."""
    return position_seed(recipe, -1 - step * distributed.count() - distributed.rank())


def batches(draws: Draws, first_step: int, workers: int) -> DataLoader:
    """Batches `uint8 [N, 3, h, w]` and `uint8 [N, h, w]`, from step `first_step` (from 0) on.

    Of several processes each gets its own part of every batch.
    """
    recipe, process, processes = draws.recipe, distributed.rank(), distributed.count()
    mine = [
        range(step * recipe.batch_size + process, (step + 1) * recipe.batch_size, processes)
        for step in range(first_step, recipe.steps)
    ]
    return DataLoader(
        draws,
        batch_sampler=mine,
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=torch.cuda.is_available(),
    )


def class_weights(train: Dataset, recipe: Recipe) -> torch.Tensor | None:
    """The weights that the recipe asks for, `float32 [C]`, or None."""
    if recipe.class_weights == "none":
        return None
    pixels = class_pixels(train, train.num_classes)
    if recipe.class_weights == "median":
        return median_frequency_weights(pixels)
    shares = pixels.sum(0).double()
    return balanced_weights(shares / shares.sum())


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


@contextmanager
def memory_explained(recipe: Recipe) -> Iterator[None]:
    """Inside, running out of memory is a `TrainingError` that says what to lower."""
    try:
        yield
    except RuntimeError as error:
        words = str(error).lower()
        if not ("out of memory" in words or "can't allocate" in words):
            raise
        height, width = recipe.crop
        raise TrainingError(
            f"out of memory with batch_size {recipe.batch_size} and crop {height} x {width}. Halve "
            "the batch_size first, then the crop; or choose a smaller network."
        ) from error


class Trainer:
    """A network under training: all that changes from step to step, and how a step changes it.

    Args:
        model: normalised images -> logits.
        train: the training images; here only their classes matter.
        recipe: see `Recipe`.
        runtime: where to run.

    Attributes:
        step: how many steps are done.
        history: of those steps.
    """

    def __init__(self, model: nn.Module, train: Dataset, recipe: Recipe, runtime: Runtime):
        self.train_set, self.recipe, self.runtime = train, recipe, runtime
        self.model = runtime.place(model)
        self.forward = distributed.shared(self.model)
        if runtime.compile:
            self.forward = torch.compile(self.forward)
        weights = class_weights(train, recipe)
        self.weights = None if weights is None else weights.to(runtime.device)
        self.optimizer = new_optimizer(self.model, recipe)
        half = runtime.autocast == torch.float16  # small gradients would vanish in 16 bits
        self.scaler = torch.amp.GradScaler(runtime.device.type, enabled=half)
        self.step, self.history = 0, History()

    def train_on(self, images: torch.Tensor, masks: torch.Tensor) -> float:
        """One step: forward, loss, backward, change the weights. Returns the loss.

        Args:
            images: `uint8 [N, 3, h, w]`.
            masks: `uint8 [N, h, w]`.

        Raises:
            TrainingError: the model has too few channels for the classes, memory ran out, or the
                loss is not a number any more.
        """
        rate = self.recipe.learning_rate * self.recipe.factor(self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["factor"]
        with memory_explained(self.recipe):
            training_mode(self.model, self.recipe)
            images, masks = images.to(self.runtime.device), masks.to(self.runtime.device)
            with self.runtime.precision():
                output = self.forward(self.runtime.batch(normalize(images)))
            loss = self.loss(output, masks)
            self.optimizer.zero_grad()
            self.scaler.scale(loss).backward()
            if self.recipe.max_gradient_norm is not None:
                self.scaler.unscale_(self.optimizer)
                nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.max_gradient_norm)
            self.scaler.step(self.optimizer)
            self.scaler.update()
        self.step += 1
        value = (distributed.total(loss.detach()) / distributed.count()).item()
        if not math.isfinite(value):
            raise TrainingError(
                f"the loss is {value} at step {self.step}. Likely causes: a learning rate that is "
                f"too high (now {rate:.2g}; try a tenth, or max_gradient_norm=1), or images that "
                "are not normalised."
            )
        self.history.steps.append({"step": self.step, "loss": value, "learning_rate": rate})
        return value

    def loss(self, output, masks: torch.Tensor) -> torch.Tensor:
        """The recipe's loss of a model's output; the mean over what `trained_logits` gives."""
        one_loss, classes = LOSSES[self.recipe.loss], self.train_set.num_classes
        channels = logits_of(output).shape[1]
        if channels < classes:
            raise TrainingError(
                f"the model scores {channels} classes but the data set has {classes}; build it "
                f"with num_classes={classes}"
            )
        losses = [one_loss(logits, masks, self.weights) for logits in trained_logits(output)]
        return sum(losses) / len(losses)

    def state(self) -> dict:
        """Everything besides the weights that is needed to go on.

        Random numbers need no place in it: all follow from the recipe's seed and the step.
        """
        return {
            "recipe": asdict(self.recipe),
            "step": self.step,
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "history": asdict(self.history),
        }

    def save(self, path: Path, training: dict | None = None) -> None:
        """Write the network, and perhaps a `state`, as a checkpoint."""
        data = self.train_set
        trained = Trained(
            self.model, data.classes, data.palette, self.recipe.longest_side, repr(self.recipe)
        )
        networks.save(path, trained, training=training)

    def restore(self, path: Path) -> None:
        """Go on from a checkpoint that holds a `state`.

        Raises:
            CheckpointError: the file cannot be read.
            TrainingError: it is of another network, other classes, or another recipe.
        """
        content = checkpoints.read(path)
        state = content["training"]
        if state is None:
            raise TrainingError(f"{path}: a finished network; training goes on from NAME.last.pt")
        architecture = getattr(self.model, "architecture", {})
        mine = {
            "model": architecture.get("name", type(self.model).__name__),
            "backbone": architecture.get("backbone"),
            "classes": list(self.train_set.classes),
            **asdict(self.recipe),
        }
        theirs = {**content, "model": content["name"], **state["recipe"]}
        other = [
            f"{name} {theirs.get(name)} (now {value})"
            for name, value in mine.items()
            if theirs.get(name) != value
        ]
        if other:
            raise TrainingError(
                f"{path}: that training had {', '.join(other)}. Give the same settings to go on "
                "with it, or another checkpoint name to begin a new one."
            )
        self.model.load_state_dict(content["state"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scaler.load_state_dict(state["scaler"])
        self.step, self.history = state["step"], History(**state["history"])


# ---------------------------------------------------------------- the loop


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

    Raises:
        TrainingError: the loss is not a number any more, memory ran out, the model has too few
            channels for the classes, the recipe freezes a backbone that starts at random, or
            `resume` found the checkpoint of another training.
        CheckpointError: a checkpoint cannot be read, or the model cannot be stored in one.
    """
    recipe, runtime = recipe or Recipe(), runtime or default_runtime()
    if runtime.budget == "test":
        recipe = replace(recipe, images=min(recipe.images, STEPS_OF_A_TEST * recipe.batch_size))
        evaluations = 1  # at the end
    if recipe.batch_size % distributed.count():
        raise TrainingError(
            f"{distributed.count()} processes cannot share batches of {recipe.batch_size}; choose "
            "a batch_size that their number divides"
        )
    due = {round(recipe.steps * (i + 1) / evaluations) for i in range(evaluations)}
    writes = distributed.rank() == 0
    # Seeded apart from the notebook around it: what ran before does not change the numbers.
    seeded = torch.random.fork_rng([runtime.device] if runtime.device.type == "cuda" else [])
    with seeded, frozen(model, recipe):
        trainer = Trainer(model, train, recipe, runtime)
        if checkpoint is not None:
            best, last = Path(checkpoint), last_of(checkpoint)
            open_checkpoint(trainer, best, last, resume)
        loader = batches(Draws(train, recipe), trainer.step, runtime.workers)
        bar = tqdm(
            loader,
            initial=trainer.step,
            total=recipe.steps,
            disable=not (progress and writes),
            leave=False,
        )
        began = time.perf_counter()
        for images, masks in bar:
            torch.manual_seed(step_seed(recipe, trainer.step))
            loss = trainer.train_on(images, masks)
            trainer.history.seconds += time.perf_counter() - began
            scored, done = val is not None and trainer.step in due, trainer.step == recipe.steps
            if scored:
                matrix = evaluate(model, val, recipe.longest_side, runtime, progress=False)
                improved = trainer.history.add_score(trainer.step, matrix)
            bar.set_postfix(trainer.history.last_score(), loss=f"{loss:.3f}", refresh=False)
            if writes and (scored or ends_pass(trainer.step, recipe, len(train))):
                if checkpoint is not None:
                    if improved if scored else done and val is None:
                        trainer.save(best)
                    trainer.save(last, trainer.state())
                if watch is not None:
                    watch(trainer.history)
            began = time.perf_counter()
    distributed.wait()  # until process 0 has written its files
    model.zero_grad()
    model.eval()
    history = trainer.history
    del trainer  # and with it the optimiser's two numbers for each weight
    return_freed_memory()
    return history


def open_checkpoint(trainer: Trainer, best: Path, last: Path, resume: bool) -> None:
    """Go on from the file `last`, if that is wanted and it is there; else write it.

    Raises:
        TrainingError: it is of another training, or not all processes found it.
        CheckpointError: it cannot be read or written.
    """
    writes = distributed.rank() == 0
    if writes:
        remove_leftovers(best)
        remove_leftovers(last)
    if resume and last.exists():
        trainer.restore(last)
    elif writes:
        trainer.save(last, trainer.state())  # better that this fails now than after an hour
    distributed.wait()
    if distributed.total(torch.tensor(trainer.step)) != trainer.step * distributed.count():
        raise TrainingError(
            f"{last}: not all processes found the same file; put it into a folder that all "
            "machines share"
        )


def last_of(checkpoint: str | Path) -> Path:
    """The file beside a checkpoint that holds what is needed to go on: NAME.last.pt."""
    path = Path(checkpoint)
    return path.with_name(f"{path.stem}.last{path.suffix}")


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
    flip: bool = False,
    scales: tuple[float, ...] = (1.0,),
) -> ConfusionMatrix:
    """Predict every image of a data set, whole, and compare at the size of its label.

    Of several processes each predicts its part, and all get the counts of the whole.

    Args:
        model: normalised images -> logits. It is switched to evaluation mode.
        dataset: items of image `uint8 [3, H, W]` and mask `uint8 [H, W]`, without augmentation;
            `dataset.num_classes` says how many classes there are.
        longest_side, runtime, flip, scales: see `seglab.prediction.predict`.
        progress: show a bar.
    """
    runtime = runtime or default_runtime()
    distributed.copy_statistics(model)
    matrix = ConfusionMatrix(dataset.num_classes)
    mine = range(distributed.rank(), len(dataset), distributed.count())
    for index in tqdm(mine, disable=not progress or distributed.rank() > 0, leave=False):
        image, mask = dataset[index]
        matrix.update(predict(model, image, longest_side, runtime, flip, scales), mask)
    matrix.counts = distributed.total(matrix.counts)
    matrix.void_counts = distributed.total(matrix.void_counts)
    return matrix
