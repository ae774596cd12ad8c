"""What `train`, `compare`, `evaluate` and `predict` do in a shell: the commands that need torch.

Each takes the words from `seglab.classroom.shell`. In `arguments.kept` and `arguments.go_on` it
leaves what is to be said if somebody presses Ctrl-C from there on.
"""

import glob
import itertools
import sys
import textwrap
from argparse import Namespace
from collections.abc import Iterable
from dataclasses import fields, replace
from pathlib import Path

import matplotlib
import torch
from PIL import Image
from tqdm.auto import tqdm

from seglab import networks, prediction, training
from seglab.classroom import scores
from seglab.datasets import convert as converting
from seglab.datasets.opening import open_dataset
from seglab.history import History
from seglab.machine import checkpoints, distributed, embedded, hub
from seglab.machine.checkpoints import CheckpointError
from seglab.machine.faults import TrainingError
from seglab.machine.files import write_csv, written_whole
from seglab.machine.resuming import last_of
from seglab.machine.runtime import Runtime, default_runtime
from seglab.machine.tables import Table
from seglab.metrics import ConfusionMatrix
from seglab.networks import Trained
from seglab.palettes import VOID
from seglab.recipes import Recipe, recipe_for
from seglab.voc import PICTURE_ENDINGS, DatasetError, VOCSegmentation


def convert(source: str, target: str | None, void: str) -> None:
    """Make a folder in VOC layout of what a labelling tool wrote."""
    print(converting.convert(source, target, None if void == "none" else VOID))


def train(arguments: Namespace) -> None:
    """Train, write checkpoint and history, then score the val split."""
    runtime = default_runtime()
    workers = runtime.workers if arguments.workers is None else arguments.workers
    runtime = replace(runtime, workers=workers, compile=arguments.compile)
    with distributed.processes(runtime.device):
        train_here(arguments, runtime)


def train_here(arguments: Namespace, runtime: Runtime) -> None:
    """What each of the processes that train together does; only the first prints and writes."""
    first, output = distributed.rank() == 0, Path(arguments.output)
    recipe = chosen_recipe(arguments.model, arguments)
    train_set, val_set = open_dataset(arguments.data, "train"), open_dataset(arguments.data, "val")
    if output.is_dir():  # better said now than after the training
        raise CheckpointError(f"{output} is a folder; name a file, such as {output / 'model.pt'}")
    if first:
        print(f"{len(train_set)} training and {len(val_set)} validation images, ", end="")
        print(f"{train_set.num_classes} classes; {runtime}; {distributed.count()} process(es)")
        print(f"{arguments.model} on {arguments.backbone}\n{recipe}", flush=True)
    if first and not arguments.resume:
        refuse_to_replace(output, arguments.model, train_set.classes)
    model = new_model(arguments.model, arguments, train_set, recipe)
    arguments.kept = f"the full passes so far are in {last_of(output)}; go on with"
    arguments.go_on = [*arguments.words, *([] if arguments.resume else ["--resume"])]
    history = training.fit(
        model,
        train_set,
        val_set,
        recipe,
        arguments.evaluations,
        runtime,
        checkpoint=output,
        resume=arguments.resume,
        watch=TensorBoard(arguments.tensorboard) if arguments.tensorboard and first else None,
        stop_after=arguments.stop_after,
        check=not arguments.no_check,
    )
    best, matrix = networks.load(output), history.best_matrix
    if matrix is None or arguments.flip or arguments.scales != [1.0]:
        matrix = scored(best, val_set, arguments, runtime)
    if first:
        seen = history.steps[-1]["step"] * recipe.batch_size
        print(f"trained on {seen} images in {history.seconds / 60:.1f} minutes")
        if arguments.half:
            networks.save(output, best, half=True)
        curve = history.to_csv(output.with_suffix(".csv"))
        print("wrote", output, curve, history.to_json(output.with_suffix(".json")))
        print(matrix.table(val_set.classes))


class TensorBoard:
    """Writes a history for TensorBoard, if that is installed; for `fit(watch=...)`.

    Args:
        folder: where; `tensorboard --logdir FOLDER` shows it.

    Raises:
        TrainingError: the package tensorboard is missing.
    """

    def __init__(self, folder: str | Path):
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise TrainingError(
                "the curves need the package tensorboard: pip install tensorboard"
            ) from error
        self.writer, self.steps, self.scores = SummaryWriter(str(folder)), 0, 0

    def __call__(self, history: History) -> None:
        """Write what is new since the last call."""
        for row in history.steps[self.steps :] + history.scores[self.scores :]:
            for name in row.keys() - {"step"}:
                self.writer.add_scalar(name, row[name], row["step"])
        self.steps, self.scores = len(history.steps), len(history.scores)
        self.writer.flush()


def compare(arguments: Namespace) -> None:
    """Train several networks, each with its own recipe; print one table of their scores."""
    train_set, val_set = open_dataset(arguments.data, "train"), open_dataset(arguments.data, "val")
    print(f"{len(train_set)} training and {len(val_set)} validation images; {default_runtime()}")
    names, output, rows = arguments.models, Path(arguments.output), []
    for done, name in enumerate(names):
        if done:
            arguments.kept = f"{done} of {len(names)} networks are in {output}; the others with"
            rest = output.with_stem(f"{output.stem}_rest")
            arguments.go_on = [*arguments.words, "--models", *names[done:], "--output", str(rest)]
        print(f"{name}, network {done + 1} of {len(names)}", flush=True)
        rows.append(comparison(name, arguments, train_set, val_set))
        write_csv(output, [COMPARED, *rows])
    print(Table(COMPARED, [rows]))
    print(f"wrote {output}")


COMPARED = ("network", "parameters", "images", "minutes", "mean IoU", "pixel accuracy")


def comparison(
    name: str, arguments: Namespace, train_set: VOCSegmentation, val_set: VOCSegmentation
) -> tuple[str, ...]:
    """Train and score one network; the cells below `COMPARED`."""
    recipe = chosen_recipe(name, arguments)
    model = new_model(name, arguments, train_set, recipe)
    history = training.fit(model, train_set, recipe=recipe)
    matrix = training.evaluate(model, val_set, recipe.longest_side)
    return (
        name,
        f"{sum(p.numel() for p in model.parameters()) / 1e6:.1f} M",
        str(recipe.steps * recipe.batch_size),
        f"{history.seconds / 60:.1f}",
        f"{100 * matrix.mean_iou:.1f}",
        f"{100 * matrix.pixel_accuracy:.1f}",
    )


def evaluate(arguments: Namespace) -> None:
    """Score a checkpoint on one split."""
    trained = chosen_network(arguments)
    data = open_dataset(arguments.data, arguments.split)
    if data.classes != trained.classes:
        raise DatasetError(
            f"{data.root}: its {data.num_classes} classes are not the {len(trained.classes)} the "
            f"checkpoint was trained for ({', '.join(trained.classes[:4])}, ...). Train on this "
            f"data first: python -m seglab train --data {arguments.data}"
        )
    matrix, rows, seconds = ConfusionMatrix(data.num_classes), [], 0.0
    for picture in scores.scored_pictures(trained, data, arguments.flip, arguments.scales):
        matrix += picture.matrix
        rows.append(picture.row())
        seconds += picture.seconds
        if arguments.panels:
            with written_whole(Path(arguments.panels) / f"{picture.name}.png") as temporary:
                picture.panel(data.palette).save(temporary)
    if arguments.csv:
        scores.write_rows(arguments.csv, data.classes, rows)
    print(
        f"{len(data)} images of {data.split}, {seconds / len(data):.2f} seconds for each, ", end=""
    )
    print(f"{matrix.void_pixels:,} void pixels left out")
    print(scores.in_colour(str(matrix.table(data.classes))))


def describe() -> None:
    """Print the networks that can be named: data, scores, classes."""
    for name, path in embedded.EMBEDDED.items():
        facts = embedded.facts().get(name)
        print(f"{name}{' (default)' if name == embedded.DEFAULT else ''}")
        if facts is None or not path.exists():
            print(f"  not here; made by python data/train_embedded.py {name}")
            continue
        print(f"  {facts['network']}; {facts['training']}")
        lines = [f"learned from {facts['data']}"]
        for data, scores_of in facts["scores"].items():
            numbers = {k: v for k, v in scores_of.items() if k not in ("images", "IoU")}
            text = ", ".join(f"{kind} {value}" for kind, value in numbers.items())
            lines.append(f"{data}, {scores_of['images']} images: {text}")
        lines.append(f"{len(facts['classes'])} classes: {', '.join(facts['classes'])}")
        for line in lines:
            print(textwrap.fill(line, 98, initial_indent="  ", subsequent_indent="    "))
    head = (
        "downloaded once: VOC's 21 classes, learned from COCO",
        "MB",
        "mean IoU on COCO val2017",
    )
    rows = [(f"{hub.PREFIX}{name}", *hub.size_and_score(name)) for name in hub.NETWORKS]
    print(Table(head, [rows]))


def predict(arguments: Namespace) -> int:
    """Segment photos; report those that cannot be read at the end, with exit status 1."""
    from seglab.figures.pictures import named_overlay  # here: only this command draws

    matplotlib.use("agg")  # for files; opens no window
    output, places = Path(arguments.output), {word: expanded(word) for word in arguments.photos}
    if output.is_file() or output.suffix.lower() in PICTURE_ENDINGS:
        raise DatasetError(
            f"--output {output}: a file; expected a folder, such as {output.with_suffix('')}, for "
            "a label map and an overlay of each photo"
        )
    trained = chosen_network(arguments)
    photos = [photo for paths in places.values() for photo in paths]
    names = ("longest_side", "flip", "scales", "window")
    options = {name: getattr(arguments, name) for name in names}
    done, shares, failures = set(), {}, []
    try:
        for path in tqdm(photos, disable=len(photos) < 2):
            try:
                result = prediction.segment(path, trained, progress=True, **options)
            except DatasetError as error:
                failures.append(str(error))
                continue
            result.name = free_name(result.name, shares)
            result.save(output, named_overlay(result))
            shares[result.name] = result.shares()
            tqdm.write(f"{path}{first_of(path)}: {summary(shares[result.name])}")
            done.add(path)
            arguments.kept = f"{len(done)} of {len(photos)} photos are in {output}; the others with"
            left = {word: [p for p in paths if p not in done] for word, paths in places.items()}
            rest = [photo for word in arguments.words for photo in left.get(word, [word])]
            arguments.go_on = [*rest, "--output", f"{output}_rest"]
    finally:  # also of those that were done when somebody pressed Ctrl-C
        if shares:
            table = prediction.shares_to_csv(shares, output / "shares.csv")
            print(f"wrote {len(shares)} label maps and overlays and {table}")
    for failure in failures:
        print(f"skipped {failure}", file=sys.stderr)
    return 1 if failures else 0


def summary(shares: dict[str, float]) -> str:
    """The classes that take a hundredth of the picture or more."""
    large = [(name, part) for name, part in shares.items() if part >= 0.01]
    return ", ".join(f"{name} {100 * part:.0f} %" for name, part in large)


def first_of(path: str) -> str:
    """A remark if a file holds several pictures, such as an animation."""
    with Image.open(path) as picture:
        frames = getattr(picture, "n_frames", 1)
        several = frames > 1 and picture.format != "MPO"  # a camera's: a photo and its preview
    return f" (the first of its {frames} pictures)" if several else ""


def expanded(word: str) -> list[str]:
    """The pictures in a folder; or the files that *.jpg stands for, which a shell of Windows hands
    over as it is."""
    if Path(word).is_dir():
        found = sorted(p for p in Path(word).iterdir() if p.suffix.lower() in PICTURE_ENDINGS)
        if not found:
            raise DatasetError(f"{word}: no picture in this folder")
        return list(map(str, found))
    return [word] if Path(word).exists() else sorted(glob.glob(word)) or [word]


def free_name(name: str, taken: Iterable[str]) -> str:
    """A name that no earlier photo of this run has: two folders may each hold an IMG_1.

    Windows and macOS take IMG_1 and img_1 for the same file.
    """
    taken = {other.casefold() for other in taken}
    names = itertools.chain([name], (f"{name}_{number}" for number in itertools.count(2)))
    return next(candidate for candidate in names if candidate.casefold() not in taken)


# ---------------------------------------------------------------- what several commands need


def chosen_recipe(model: str, arguments: Namespace) -> Recipe:
    """The recipe of a model, changed where the shell said so."""
    given = {f.name: getattr(arguments, f.name) for f in fields(Recipe)}
    given = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items() if v is not None}
    recipe = recipe_for(model, arguments.recipe)
    return replace(recipe.from_scratch() if arguments.from_scratch else recipe, **given)


def new_model(
    name: str, arguments: Namespace, train_set: VOCSegmentation, recipe: Recipe
) -> torch.nn.Module:
    """A network before its training; the random part of its weights follows from the seed."""
    torch.manual_seed(recipe.seed)
    weights = None if arguments.from_scratch else "imagenet"
    return networks.build(name, train_set.num_classes, arguments.backbone, weights)


def refuse_to_replace(output: Path, model: str, classes: tuple[str, ...]) -> None:
    """Do not write over a network of another kind or with other classes.

    Raises:
        CheckpointError: there is one.
    """
    if output.exists():
        there = checkpoints.read(output)
        if (there["name"], tuple(there["classes"])) != (model, tuple(classes)):
            raise CheckpointError(
                f"{output} holds another network ({there['name']}, {len(there['classes'])} "
                "classes), which would be lost. Name another file with --output, or remove this one"
            )


def chosen_network(arguments: Namespace) -> Trained:
    """The network that --checkpoint names; --from-file brings one of torchvision's along."""
    if arguments.from_file is not None:
        hub.weights_file(arguments.checkpoint, arguments.from_file)
    return networks.load(arguments.checkpoint)


def scored(
    trained: Trained, data: VOCSegmentation, arguments: Namespace, runtime: Runtime
) -> ConfusionMatrix:
    """Score a network on a data set, with the variants that were asked for."""
    variants = {"flip": arguments.flip, "scales": arguments.scales}
    return training.evaluate(trained.model, data, trained.longest_side, runtime, **variants)
