"""The course from a shell.

`python -m seglab doctor | download | train | compare | evaluate | predict`, and for whoever teaches
the course or puts it on the web `bundle`, `slides` and `publish`.
"""

import argparse
import csv
import glob
import sys
from collections.abc import Iterable
from dataclasses import fields, replace
from pathlib import Path

import torch
from tqdm.auto import tqdm

import seglab
from seglab import networks, prediction, training
from seglab.backbones import BACKBONES, WeightsError
from seglab.classroom import bundle, doctor, publish
from seglab.datasets import LAYOUTS, downloads
from seglab.datasets import convert as converting
from seglab.datasets.opening import open_dataset
from seglab.history import TensorBoard
from seglab.losses import LOSSES
from seglab.machine import distributed
from seglab.machine.checkpoints import CheckpointError
from seglab.machine.files import written_whole
from seglab.machine.runtime import Runtime, default_runtime
from seglab.networks import Trained
from seglab.recipes import (
    CLASS_WEIGHTS,
    OPTIMIZERS,
    PRESETS,
    SCHEDULES,
    Recipe,
    TrainingError,
    recipe_for,
)
from seglab.voc import DatasetError, VOCSegmentation


def download(arguments: argparse.Namespace) -> int:
    """Fetch a data set."""
    try:
        downloads.download(arguments.name, arguments.root, arguments.from_file)
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
        return 130  # what shells expect of a program that was interrupted
    return 0


def convert(arguments: argparse.Namespace) -> int:
    """Make a folder in VOC layout of what a labelling tool wrote."""
    void = None if arguments.void == "none" else 255
    print(converting.convert(arguments.source, arguments.folder, void))
    return 0


def add_convert(commands) -> None:
    """`convert SOURCE [FOLDER] [--void none]`."""
    command = commands.add_parser("convert", help="make a folder in VOC layout of any labels")
    command.add_argument("source", metavar="SOURCE", help=f"a folder: {LAYOUTS}")
    command.add_argument("folder", nargs="?", metavar="FOLDER", help="default: SOURCE-voc")
    command.add_argument(
        "--void",
        choices=("255", "none"),
        default="255",
        help="what 255 means in a mask: void (the default), or none: then it is the object in "
        "masks of 0 and 255",
    )
    command.set_defaults(run=convert)


def train(arguments: argparse.Namespace) -> int:
    """Train, write checkpoint and history, then score the val split."""
    runtime = chosen_runtime(arguments)
    with distributed.processes(runtime.device):
        return train_here(arguments, runtime)


def train_here(arguments: argparse.Namespace, runtime: Runtime) -> int:
    """What each of the processes that train together does; only the first prints and writes."""
    first = distributed.rank() == 0
    recipe = chosen_recipe(arguments.model, arguments)
    train_set, val_set = open_dataset(arguments.data, "train"), open_dataset(arguments.data, "val")
    output = Path(arguments.output)
    if output.is_dir():  # better said now than after the training
        raise CheckpointError(f"{output} is a folder; name a file, such as {output / 'model.pt'}")
    if first:
        print(f"{len(train_set)} training and {len(val_set)} validation images, ", end="")
        print(f"{train_set.num_classes} classes; {runtime}; {distributed.count()} process(es)")
        print(f"{arguments.model} on {arguments.backbone}\n{recipe}", flush=True)
    model = new_model(arguments.model, arguments, train_set, recipe)
    tensorboard = arguments.tensorboard and first
    history = training.fit(
        model,
        train_set,
        val_set,
        recipe,
        arguments.evaluations,
        runtime,
        checkpoint=output,
        resume=arguments.resume,
        watch=TensorBoard(arguments.tensorboard) if tensorboard else None,
    )
    best = networks.load(output)
    matrix = training.evaluate(
        best.model, val_set, recipe.longest_side, runtime, True, arguments.flip, arguments.scales
    )
    if first:
        seen = history.steps[-1]["step"] * recipe.batch_size
        print(f"trained on {seen} images in {history.seconds / 60:.1f} minutes")
        if arguments.half:
            networks.save(output, best, half=True)
        tables = (
            history.to_csv(output.with_suffix(".csv")),
            history.to_json(output.with_suffix(".json")),
        )
        print("wrote", output, *tables)
        print(matrix.table(val_set.classes))
    return 0


def chosen_runtime(arguments: argparse.Namespace) -> Runtime:
    """Where to run, changed where the shell said so."""
    runtime = default_runtime()
    workers = runtime.workers if arguments.workers is None else arguments.workers
    return replace(runtime, workers=workers, compile=arguments.compile)


def chosen_recipe(model: str, arguments: argparse.Namespace) -> Recipe:
    """The recipe of a model, changed where the shell said so."""
    given = {f.name: getattr(arguments, f.name) for f in fields(Recipe)}
    given = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items() if v is not None}
    recipe = recipe_for(model, arguments.recipe)
    return replace(recipe.from_scratch() if arguments.from_scratch else recipe, **given)


def new_model(
    name: str, arguments: argparse.Namespace, train_set: VOCSegmentation, recipe: Recipe
) -> torch.nn.Module:
    """A network before its training; the random part of its weights follows from the seed."""
    torch.manual_seed(recipe.seed)
    weights = None if arguments.from_scratch else "imagenet"
    return networks.build(name, train_set.num_classes, arguments.backbone, weights)


def compare(arguments: argparse.Namespace) -> int:
    """Train several networks, each with its own recipe; print one table of their scores."""
    train_set, val_set = open_dataset(arguments.data, "train"), open_dataset(arguments.data, "val")
    print(f"{len(train_set)} training and {len(val_set)} validation images; {default_runtime()}")
    heads = ("network", "parameters", "images", "minutes", "mean IoU", "pixel accuracy")
    print(markdown_row(heads), markdown_row(["---", *["--:"] * 5]), sep="\n", flush=True)
    rows = []
    for name in arguments.models:
        recipe = chosen_recipe(name, arguments)
        model = new_model(name, arguments, train_set, recipe)
        history = training.fit(model, train_set, recipe=recipe)
        matrix = training.evaluate(model, val_set, recipe.longest_side)
        rows.append(
            (
                name,
                f"{sum(p.numel() for p in model.parameters()) / 1e6:.1f} M",
                recipe.steps * recipe.batch_size,
                f"{history.seconds / 60:.1f}",
                f"{100 * matrix.mean_iou:.1f}",
                f"{100 * matrix.pixel_accuracy:.1f}",
            )
        )
        print(markdown_row(rows[-1]), flush=True)
    with written_whole(arguments.output) as temporary, open(temporary, "w", newline="") as file:
        csv.writer(file).writerows([heads, *rows])
    print(f"wrote {arguments.output}")
    return 0


def markdown_row(cells: Iterable) -> str:
    """One row of a Markdown table, which a terminal shows well enough, too."""
    return "| " + " | ".join(map(str, cells)) + " |"


def evaluate(arguments: argparse.Namespace) -> int:
    """Score a checkpoint on one split."""
    trained = read_checkpoint(arguments.checkpoint)
    data = open_dataset(arguments.data, arguments.split)
    if data.classes != trained.classes:
        raise DatasetError(
            f"{data.root}: its {data.num_classes} classes are not the {len(trained.classes)} the "
            f"checkpoint was trained for ({', '.join(trained.classes[:4])}, ...). Train on this "
            f"data first: python -m seglab train --data {arguments.data}"
        )
    matrix = training.evaluate(
        trained.model, data, trained.longest_side, flip=arguments.flip, scales=arguments.scales
    )
    print(f"{len(data)} images of {data.split}, {matrix.void_pixels:,} void pixels left out")
    print(matrix.table(data.classes))
    return 0


def predict(arguments: argparse.Namespace) -> int:
    """Segment photos; report those that cannot be read at the end, with exit status 1."""
    trained = read_checkpoint(arguments.checkpoint)
    shares, failures = {}, []
    photos = [photo for word in arguments.photos for photo in expanded(word)]
    for path in tqdm(photos, disable=len(photos) < 2):
        try:
            result = prediction.segment(
                path,
                trained,
                arguments.longest_side,
                flip=arguments.flip,
                scales=arguments.scales,
                window=arguments.window,
                progress=True,
            )
        except DatasetError as error:
            failures.append(str(error))
            continue
        result.name = free_name(result.name, shares)
        result.save(arguments.output)
        shares[result.name] = result.shares()
        found = ", ".join(
            f"{name} {100 * part:.0f} %" for name, part in result.shares().items() if part >= 0.01
        )
        tqdm.write(f"{path}: {found}")
    if shares:
        table = prediction.shares_to_csv(shares, Path(arguments.output) / "shares.csv")
        print(f"wrote {len(shares)} label maps and overlays and {table}")
    for failure in failures:
        print(f"skipped {failure}", file=sys.stderr)
    return 1 if failures else 0


def expanded(word: str) -> list[str]:
    """The files that *.jpg stands for: a shell of Windows hands it over as it is."""
    return [word] if Path(word).exists() else sorted(glob.glob(word)) or [word]


def free_name(name: str, taken: Iterable[str]) -> str:
    """A name that no earlier photo of this run has: two folders may each hold an IMG_1.

    Windows and macOS take IMG_1 and img_1 for the same file.
    """
    taken = {other.casefold() for other in taken}
    candidate, number = name, 2
    while candidate.casefold() in taken:
        candidate, number = f"{name}_{number}", number + 1
    return candidate


def publish_here(arguments: argparse.Namespace) -> int:
    """Write badges and set-up cells in the clone of the course that this was started in."""
    present, _ = publish.read(Path())
    given = {f.name: getattr(arguments, f.name) for f in fields(publish.Publication)}
    given = {name: value for name, value in given.items() if value is not None}
    if "repository" in given and present.source in ("git", "wheel"):
        given = {"source": "git" if given["repository"] else "wheel", **given}
    changed = publish.publish(Path(), replace(present, **given))
    for path in changed:
        print("wrote", path)
    print("commit and push them" if changed else "all is as it should be; nothing was written")
    return 0


def slides_here(arguments: argparse.Namespace) -> int:
    """Write the tags for slides in the clone of the course that this was started in."""
    from seglab.classroom import slides

    changed = slides.tag(Path())
    for path in changed:
        print("wrote", path)
    if not changed:
        print("all tags are as they should be; nothing was written")
    return 0


def mark(arguments: argparse.Namespace) -> int:
    from seglab.exercises import marking

    return marking.report(arguments.notebooks)


def bundle_here(arguments: argparse.Namespace) -> int:
    """Make a folder for a room without a network, from the clone that this was started in."""
    made = bundle.make(
        arguments.folder, arguments.platforms, arguments.python, arguments.torch_wheels
    )
    print(f"{made} is complete; its README.txt is for the learners")
    return 0


def read_checkpoint(path: str | None) -> Trained:
    """The checkpoint at a path; without one, that of the course."""
    return networks.load_embedded() if path is None else networks.load(path)


def scored_with(command: argparse.ArgumentParser) -> None:
    """The options that `train` and `evaluate` share: average over variants of each image."""
    command.add_argument("--flip", action="store_true", help="score with mirror images, too")
    command.add_argument(
        "--scales", type=float, nargs="+", default=[1.0], help="and at several sizes; default: 1"
    )


def parser() -> argparse.ArgumentParser:
    """What the shell understands."""
    main_parser = argparse.ArgumentParser(
        prog="seglab", description="Semantic segmentation from a shell, as the course teaches it."
    )
    main_parser.add_argument("--version", action="version", version=f"seglab {seglab.__version__}")
    commands = main_parser.add_subparsers(dest="command", required=True)

    command = commands.add_parser("doctor", help="check this machine and say how to fix it")
    command.set_defaults(run=lambda arguments: doctor.main())

    command = commands.add_parser("download", help="fetch a real data set")
    command.add_argument(
        "name", metavar="NAME", choices=downloads.DATASETS, help=", ".join(downloads.DATASETS)
    )
    command.add_argument("--root", help="folder to make; default: data/NAME")
    command.add_argument(
        "--from-file", metavar="FILE", help="a copy of the archive, instead of the network"
    )
    command.set_defaults(run=download)
    add_convert(commands)

    command = commands.add_parser(
        "train",
        help="train a network and score it on the val split",
    )
    names = ", ".join(downloads.DATASETS)
    data_help = f'"rooms" (embedded), {names} (once downloaded) or a folder: {LAYOUTS}'
    command.add_argument("--data", default="rooms", help=data_help + "; default: rooms")
    command.add_argument("--model", default="fcn8s", choices=networks.MODELS, help="default: fcn8s")
    add_backbone_options(command)
    command.add_argument(
        "--output", default="runs/model.pt", help="checkpoint to write; default: runs/model.pt"
    )
    command.add_argument("--half", action="store_true", help="store 16-bit numbers")
    command.add_argument(
        "--resume", action="store_true", help="go on from OUTPUT's .last.pt, if it is there"
    )
    command.add_argument(
        "--evaluations", type=int, default=1, help="on the val split, evenly spread; default: 1"
    )
    scored_with(command)
    command.add_argument(
        "--workers", type=int, help="processes that read images; default: by device"
    )
    command.add_argument("--compile", action="store_true", help="use torch.compile")
    command.add_argument(
        "--tensorboard",
        metavar="FOLDER",
        help="write curves there too, if tensorboard is installed",
    )
    add_recipe_options(command.add_argument_group("recipe"))
    command.set_defaults(run=train)

    command = commands.add_parser(
        "compare", help="train several networks, one after the other, and print a table"
    )
    command.add_argument("--data", default="rooms", help=data_help + "; default: rooms")
    command.add_argument(
        "--models",
        nargs="+",
        default=networks.MODELS,
        choices=networks.MODELS,
        metavar="MODEL",
        help=f"some of {', '.join(networks.MODELS)}; default: all",
    )
    add_backbone_options(command)
    command.add_argument(
        "--output", default="runs/comparison.csv", help="default: runs/comparison.csv"
    )
    add_recipe_options(command.add_argument_group("recipe"))
    command.set_defaults(run=compare)

    command = commands.add_parser("evaluate", help="score a checkpoint on a data set")
    command.add_argument("--data", default="rooms", help=data_help + "; default: rooms")
    command.add_argument("--split", default="val", help="default: val")
    checkpoint_help = "default: the FCN-8s that comes with the course"
    command.add_argument("--checkpoint", help=checkpoint_help)
    scored_with(command)
    command.set_defaults(run=evaluate)

    command = commands.add_parser(
        "predict",
        help="segment photographs",
        usage="seglab predict PHOTO [PHOTO ...] [options]",  # in this order, because of --scales
    )
    command.add_argument("photos", nargs="+", metavar="PHOTO")
    command.add_argument("--checkpoint", help=checkpoint_help)
    command.add_argument("--output", default="predictions", help="folder; default: predictions")
    command.add_argument(
        "--longest-side",
        type=int,
        help="pixels of the longer side that the network sees; default: as it was trained, with "
        "--window the photograph's own",
    )
    command.add_argument(
        "--flip", action="store_true", help="average with the mirror image; twice the time"
    )
    command.add_argument(
        "--scales",
        type=float,
        nargs="+",
        default=[1.0],
        metavar="FACTOR",
        help="average over several sizes, such as 0.75 1 1.25; default: 1",
    )
    command.add_argument(
        "--window",
        type=int,
        help="for large photographs: go over them in overlapping windows of so many pixels, such "
        "as 512, at full resolution",
    )
    command.set_defaults(run=predict)

    command = commands.add_parser(
        "publish",
        help="in a clone of the course: write Colab badges, and what Colab installs",
        description="Write Colab badges into README.md and all notebooks, and into the notebooks "
        "where Colab finds the package. What is not given stays as it is.",
    )
    command.add_argument(
        "--repository", metavar="OWNER/NAME", help='public, on GitHub; "" takes the badges away'
    )
    command.add_argument("--branch", help="at first: main")
    command.add_argument(
        "--source",
        help="what Colab installs: git (the repository), package (seglab from the package index), "
        "wheel (a file uploaded by hand), or the address of a wheel; at first: git, or wheel "
        "without a repository",
    )
    command.set_defaults(run=publish_here)

    command = commands.add_parser(
        "bundle",
        help="in a clone of the course: make a folder for a room without a network",
        description="Make a folder with notebooks, data, weights and all packages, for a stick. "
        "The README.txt in it says what learners do. By default it is for machines like this one.",
    )
    command.add_argument("folder", metavar="FOLDER", help="to make, such as STICK/seglab")
    command.add_argument(
        "--platforms",
        nargs="+",
        default=[],
        metavar="PLATFORM",
        help=f"some of {', '.join(bundle.PLATFORMS)}",
    )
    command.add_argument(
        "--python", nargs="+", default=[], metavar="VERSION", help="of the learners, such as 3.12"
    )
    command.add_argument(
        "--torch-wheels",
        metavar="FOLDER",
        help="CPU-only wheels of torch and torchvision for Linux, fetched by hand from PyTorch's "
        "own index; without them the bundle holds CUDA for Linux, about 3 GB",
    )
    command.set_defaults(run=bundle_here)

    command = commands.add_parser(
        "slides",
        help="in a clone of the course: write the tags from which slides are made",
        description="Write into the notebooks which cells begin a slide. `jupyter nbconvert --to "
        "seglab.classroom.slides.Deck NOTEBOOK` makes slides of them.",
    )
    command.set_defaults(run=slides_here)

    command = commands.add_parser(
        "mark",
        help="check the exercises in notebooks that learners handed in",
        description="Check the exercises in notebooks that learners handed in. Only the imports "
        "and the exercises are run. It is their code, run with your rights: read it first, or mark "
        "in an account where it can do no harm. The exit status is 1 if a file could not be "
        "marked.",
    )
    command.add_argument("notebooks", nargs="+", metavar="NOTEBOOK")
    command.set_defaults(run=mark)
    return main_parser


def add_backbone_options(command: argparse.ArgumentParser) -> None:
    """Which pretrained network to start from, and whether its weights are wanted."""
    command.add_argument(
        "--backbone",
        default="efficientnet_lite0",
        choices=BACKBONES,
        help="of the networks that stand on one; default: efficientnet_lite0",
    )
    command.add_argument("--from-scratch", action="store_true", help="no ImageNet weights")


def add_recipe_options(group) -> None:
    """One option for each field of `Recipe`; the model's own recipe is the default."""

    def add(name: str, text: str, **options) -> None:
        values = dict.fromkeys(getattr(recipe_for(model), name) for model in networks.MODELS)
        shown = " or ".join(
            " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
            for value in values
        )
        option = "--" + name.replace("_", "-")
        group.add_argument(option, default=None, help=f"{text} (default: {shown})", **options)

    group.add_argument(
        "--recipe", default="quick", choices=PRESETS, help="where to start from; default: quick"
    )
    add("images", "training images seen in all, repeats counted", type=int)
    add("batch_size", "images per step, of all processes together", type=int)
    add("longest_side", "pixels of the longer side that images are brought to", type=int)
    add("scale", "then scaled by a random factor", type=float, nargs=2, metavar=("LOW", "HIGH"))
    add("crop", "then cut to a window, pixels", type=int, nargs=2, metavar=("HEIGHT", "WIDTH"))
    add("color", "strength of random colour, 0 to 1", type=float)
    add("optimizer", "adamw, or sgd with momentum 0.9", choices=OPTIMIZERS)
    add("learning_rate", "its highest value", type=float)
    add("backbone_factor", "times the learning rate, for a pretrained backbone", type=float)
    add(
        "frozen_norms",
        "the batch norms of a pretrained backbone keep their mean and variance",
        action=argparse.BooleanOptionalAction,
    )
    add("frozen_stages", "first stages of a pretrained backbone that do not learn", type=int)
    add(
        "frozen_depthwise",
        "the depthwise kernels of a pretrained backbone do not learn",
        action=argparse.BooleanOptionalAction,
    )
    add("weight_decay", "of kernels, not of biases and norms", type=float)
    add("schedule", "of the learning rate", choices=SCHEDULES)
    add("loss", "what is made small", choices=LOSSES)
    add("class_weights", "weigh rare classes higher", choices=CLASS_WEIGHTS)
    add("max_gradient_norm", "shorten longer gradients", type=float)
    add("seed", "of everything random", type=int)


def main(words: list[str] | None = None) -> int:
    """Run one command; return the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a file name may hold letters that it cannot show
            stream.reconfigure(errors="backslashreplace")
    arguments = parser().parse_args(words)
    try:
        return arguments.run(arguments)
    except (OSError, WeightsError, TrainingError, distributed.ProcessLost, ValueError) as error:
        print(f"seglab: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
