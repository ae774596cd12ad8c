"""The course from a shell.

`python -m seglab doctor | download | train | compare | evaluate | predict`, and for whoever teaches
the course or puts it on the web `bundle`, `mark`, `slides` and `publish`. What a command needs is
loaded when it runs: help and mistakes need no torch.
"""

import argparse
import os
import shlex
import sys
from collections.abc import Callable
from dataclasses import Field, fields, replace
from importlib import import_module
from pathlib import Path
from typing import get_args, get_origin

import seglab
from seglab.classroom import bundle, publish
from seglab.datasets import LAYOUTS
from seglab.datasets.sources import DATASETS
from seglab.recipes import NETWORKS, PRESETS, Recipe, recipe_for

# Of `seglab.backbones`, which loads torch; a test compares them.
BACKBONES = "efficientnet_lite0 resnet18 resnet34 resnet50 resnet101 mobilenet_v2 vgg16".split()


def main(words: list[str] | None = None) -> int:
    """Run one command; return the exit status.

    Mistakes end in one line, and so does Ctrl-C: what was kept, and the command that goes on.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a file name may hold letters that it cannot show
            stream.reconfigure(errors="backslashreplace")
    words = sys.argv[1:] if words is None else words
    arguments = parser().parse_args(words)
    arguments.words = arguments.go_on = words  # a command may write down better ones
    try:
        return arguments.run(arguments)
    except KeyboardInterrupt:
        pass  # and with the traceback goes the bar that it holds; now there is an empty line
    except Exception as error:
        if not is_for_people(error):
            raise
        print(f"seglab: {error}", file=sys.stderr)
        return 1
    if os.environ.get("RANK", "0") == "0":  # torchrun numbers its processes; one line is enough
        start = "torchrun ..." if "RANK" in os.environ else "python"
        command = f"{start} -m seglab {shlex.join(arguments.go_on)}"
        print(f"seglab: stopped; {arguments.kept}: {command}", file=sys.stderr)
    return 130  # what shells expect of a program that was interrupted


def is_for_people(error: Exception) -> bool:
    """Does the message say all that is needed? Of another error a traceback is shown."""
    return isinstance(error, (OSError, ValueError)) or type(error).__module__.startswith("seglab.")


# ---------------------------------------------------------------- what the commands do


def with_torch(name: str) -> Callable[[argparse.Namespace], int]:
    """The function of that name in `seglab.classroom.commands`, which is loaded when it runs."""
    return lambda arguments: getattr(import_module("seglab.classroom.commands"), name)(arguments)


def check_machine(arguments: argparse.Namespace) -> int:
    """Is it ready for the course?"""
    from seglab.classroom import doctor

    return doctor.main()


def download(arguments: argparse.Namespace) -> int:
    """Fetch a data set."""
    from seglab.datasets import downloads

    downloads.download(arguments.name, arguments.root, arguments.from_file)
    return 0


def mark(arguments: argparse.Namespace) -> int:
    """Check the exercises of notebooks that were handed in."""
    from seglab.classroom import marking

    return marking.report(arguments.notebooks)


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

    slides.main()
    return 0


def bundle_here(arguments: argparse.Namespace) -> int:
    """Make a folder for a room without a network, from the clone that this was started in."""
    bundle.make(arguments.folder, arguments.platforms, arguments.python, arguments.torch_wheels)
    return 0


# ---------------------------------------------------------------- what the shell understands


def parser() -> argparse.ArgumentParser:
    """All commands with their options."""
    main_parser = argparse.ArgumentParser(
        prog="seglab", description="Semantic segmentation from a shell, as the course teaches it."
    )
    main_parser.add_argument("--version", action="version", version=f"seglab {seglab.__version__}")
    commands = main_parser.add_subparsers(dest="command", required=True)

    def command(name: str, run: Callable, help: str, **texts: str) -> argparse.ArgumentParser:
        kept = texts.pop("kept", "nothing was kept; begin again with")
        made = commands.add_parser(name, help=help, **texts)
        made.set_defaults(run=run, kept=kept)
        return made

    command("doctor", check_machine, "check this machine and say how to fix it")
    add_download(command)
    add_train(command)
    add_compare(command)
    add_evaluate(command)
    add_predict(command)
    add_publish(command)
    add_bundle(command)
    add_slides(command)
    add_mark(command)
    return main_parser


def add_download(command: Callable) -> None:
    kept = "what was fetched with a checksum is kept; the same command goes on from here"
    add = command("download", download, "fetch a real data set", kept=kept).add_argument
    add("name", metavar="NAME", choices=DATASETS, help=", ".join(DATASETS))
    add("--root", help="folder to make; default: data/NAME")
    add("--from-file", metavar="FILE", help="a copy of the archive, instead of the network")


def add_train(command: Callable) -> None:
    made = command("train", with_torch("train"), "train a network and score it on the val split")
    add = made.add_argument
    add_data(add)
    add("--model", default="fcn8s", choices=NETWORKS, help="default: fcn8s")
    add_start(add)
    add("--output", default="runs/model.pt", help="checkpoint to write; default: runs/model.pt")
    add("--half", action="store_true", help="store 16-bit numbers")
    add("--resume", action="store_true", help="go on from OUTPUT's .last.pt, if it is there")
    add("--evaluations", type=int, default=1, help="on the val split, evenly spread; default: 1")
    add("--stop-after", type=int, metavar="N", help="end when N evaluations brought nothing better")
    add("--no-check", action="store_true", help="do not look through all masks first")
    add_variants(add, "score with mirror images, too", "and at several sizes")
    add("--workers", type=int, help="processes that read images; default: by device")
    add("--compile", action="store_true", help="use torch.compile")
    words = "write curves there too, if tensorboard is installed"
    add("--tensorboard", metavar="FOLDER", help=words)
    add_recipe(made)


def add_compare(command: Callable) -> None:
    words = "train several networks, one after the other, and print a table"
    made = command("compare", with_torch("compare"), words)
    add = made.add_argument
    add_data(add)
    words = f"some of {', '.join(NETWORKS)}; default: all"
    choice = {"default": NETWORKS, "choices": NETWORKS, "metavar": "MODEL"}
    add("--models", nargs="+", **choice, help=words)
    add_start(add)
    add("--output", default="runs/comparison.csv", help="default: runs/comparison.csv")
    add_recipe(made)


def add_evaluate(command: Callable) -> None:
    made = command("evaluate", with_torch("evaluate"), "score a checkpoint on a data set")
    add = made.add_argument
    add_data(add)
    add("--split", default="val", help="default: val")
    add_checkpoint(add)
    add_variants(add, "score with mirror images, too", "and at several sizes")


def add_predict(command: Callable) -> None:
    order = "seglab predict PHOTO [PHOTO ...] [options]"  # because of --scales
    add = command("predict", with_torch("predict"), "segment photographs", usage=order).add_argument
    add("photos", nargs="+", metavar="PHOTO")
    add_checkpoint(add)
    add("--output", default="predictions", help="folder; default: predictions")
    words = (
        "pixels of the longer side that the network sees; default: as it was trained, with "
        "--window the photograph's own"
    )
    add("--longest-side", type=int, help=words)
    add_variants(
        add,
        "average with the mirror image; twice the time",
        "average over several sizes, such as 0.75 1 1.25",
    )
    words = (
        "for large photographs: go over them in overlapping windows of so many pixels, such as "
        "512, at full resolution"
    )
    add("--window", type=int, help=words)


def add_publish(command: Callable) -> None:
    add = command(
        "publish",
        publish_here,
        "in a clone of the course: write Colab badges, and what Colab installs",
        description="Write Colab badges into README.md and all notebooks, and into the notebooks "
        "where Colab finds the package. What is not given stays as it is.",
        kept="the files written so far are whole; go on with",
    ).add_argument
    add("--repository", metavar="OWNER/NAME", help='public, on GitHub; "" takes the badges away')
    add("--branch", help="at first: main")
    words = (
        "what Colab installs: git (the repository), package (seglab from the package index), "
        "wheel (a file uploaded by hand), or the address of a wheel; at first: git, or wheel "
        "without a repository"
    )
    add("--source", help=words)


def add_bundle(command: Callable) -> None:
    add = command(
        "bundle",
        bundle_here,
        "in a clone of the course: make a folder for a room without a network",
        description="Make a folder with notebooks, data, weights and all packages, for a stick. "
        "The README.txt in it says what learners do. By default it is for machines like this one.",
    ).add_argument
    add("folder", metavar="FOLDER", help="to make, such as STICK/seglab")
    several = {"nargs": "+", "default": []}
    words = f"some of {', '.join(bundle.PLATFORMS)}"
    add("--platforms", **several, metavar="PLATFORM", help=words)
    add("--python", **several, metavar="VERSION", help="of the learners, such as 3.12")
    words = (
        "CPU-only wheels of torch and torchvision for Linux, fetched by hand from PyTorch's own "
        "index; without them the bundle holds CUDA for Linux, about 3 GB"
    )
    add("--torch-wheels", metavar="FOLDER", help=words)


def add_slides(command: Callable) -> None:
    command(
        "slides",
        slides_here,
        "in a clone of the course: write the tags from which slides are made",
        description="Write into the notebooks which cells begin a slide. `jupyter nbconvert --to "
        "seglab.classroom.slides.Deck NOTEBOOK` makes slides of them.",
        kept="the files written so far are whole; go on with",
    )


def add_mark(command: Callable) -> None:
    add = command(
        "mark",
        mark,
        "check the exercises in notebooks that learners handed in",
        description="Check the exercises in notebooks that learners handed in. Only the imports "
        "and the exercises are run. It is their code, run with your rights: read it first, or mark "
        "in an account where it can do no harm. The exit status is 1 if a file could not be "
        "marked.",
        kept="what is printed holds; begin again with",
    ).add_argument
    add("notebooks", nargs="+", metavar="NOTEBOOK")


# ---------------------------------------------------------------- options of several commands


def add_data(add: Callable) -> None:
    """Which data set."""
    names = ", ".join(DATASETS)
    words = f'"rooms" (embedded), {names} (once downloaded) or a folder: {LAYOUTS}; default: rooms'
    add("--data", default="rooms", help=words)


def add_checkpoint(add: Callable) -> None:
    """Which trained network."""
    add("--checkpoint", help="default: the FCN-8s that comes with the course")


def add_variants(add: Callable, flip: str, scales: str) -> None:
    """Average over variants of each image; what the two options do, in words."""
    add("--flip", action="store_true", help=flip)
    factors = {"type": float, "nargs": "+", "default": [1.0], "metavar": "FACTOR"}
    add("--scales", **factors, help=f"{scales}; default: 1")


def add_start(add: Callable) -> None:
    """Which pretrained network to start from, and whether its weights are wanted."""
    words = f"of the networks that stand on one; default: {BACKBONES[0]}"
    add("--backbone", default=BACKBONES[0], choices=BACKBONES, help=words)
    add("--from-scratch", action="store_true", help="no ImageNet weights")


def add_recipe(command: argparse.ArgumentParser) -> None:
    """Where the recipe starts from, and an option for each of its settings."""
    add = command.add_argument_group("recipe", "Defaults are those of --recipe quick.").add_argument
    add("--recipe", default="quick", choices=PRESETS, help="where to start from; default: quick")
    for setting in fields(Recipe):
        option = "--" + setting.name.replace("_", "-")
        words = f"{setting.metadata['meaning']} ({defaults_of(setting.name)})"
        add(option, default=None, help=words, **values_of(setting))


def values_of(setting: Field) -> dict:
    """What argparse has to know about the values of a setting."""
    if setting.type is bool:
        return {"action": argparse.BooleanOptionalAction}
    types = get_args(setting.type) or (setting.type,)  # of `int | None` the first
    values = {"type": types[0], "choices": setting.metadata.get("choices")}
    if get_origin(setting.type) is tuple:
        values |= {"nargs": len(types), "metavar": setting.metadata["parts"]}
    return values


def defaults_of(setting: str) -> str:
    """The value that most networks have, then who has which other."""
    networks: dict = {getattr(PRESETS["quick"], setting): []}
    for network in NETWORKS:
        networks.setdefault(getattr(recipe_for(network), setting), []).append(network)
    (usual, _), *others = [
        (" ".join(map(str, value)) if isinstance(value, tuple) else str(value), names)
        for value, names in networks.items()
    ]
    return "; ".join([f"default: {usual}", *(f"{', '.join(n)} {value}" for value, n in others)])


if __name__ == "__main__":
    sys.exit(main())
