"""The course from a shell.

`python -m seglab doctor | download | train | compare | evaluate | predict`, and for whoever teaches
the course or puts it on the web `bundle`, `mark`, `slides`, `translate` and `publish`. What a
command needs is loaded when it runs: help and mistakes need no torch.
"""

import argparse
import os
import shlex
import sys
from dataclasses import Field, dataclass, fields
from importlib import import_module
from inspect import signature
from typing import get_args, get_origin

import seglab
from seglab.classroom.bundle import PLATFORMS
from seglab.datasets import LAYOUTS
from seglab.datasets.sources import DATASETS
from seglab.machine.embedded import EMBEDDED
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
    arguments.kept = COMMANDS[arguments.command].kept
    try:
        return run(COMMANDS[arguments.command].function, arguments)
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


def run(name: str, arguments: argparse.Namespace) -> int:
    """Call a function of seglab with those options that it has parameters for.

    A parameter called `arguments` gets all of them. The exit status is 0 or what it returns.
    """
    module, _, function = f"seglab.{name}".rpartition(".")
    function = getattr(import_module(module), function)
    given = vars(arguments) | {"arguments": arguments}
    asked_for = signature(function).parameters.keys() & given.keys()
    status = function(**{name: given[name] for name in asked_for})
    return status if isinstance(status, int) else 0


def is_for_people(error: Exception) -> bool:
    """Does the message say all that is needed? Of another error a traceback is shown."""
    return isinstance(error, (OSError, ValueError)) or type(error).__module__.startswith("seglab.")


# ---------------------------------------------------------------- what the shell understands


@dataclass(frozen=True)
class Command:
    """One command.

    Attributes:
        function: which function of seglab does it; see `run`.
        text: what it does. The list of all commands shows the first sentence.
        options: words of `OPTIONS`, some with a default; those in capitals have no dashes.
        kept: what somebody who presses Ctrl-C is told before the command that goes on.
        recipe: each setting of a recipe is an option, too.
    """

    function: str
    text: str
    options: str = ""
    kept: str = "nothing was kept; begin again with"
    recipe: bool = False


WRITTEN = "the files written so far are whole; go on with"
COMMANDS = {
    "doctor": Command("classroom.doctor.main", "check this machine and say how to fix it"),
    "download": Command(
        "datasets.downloads.download",
        "fetch a real data set",
        "NAME root from-file",
        "what was fetched with a checksum is kept; the same command goes on from here",
    ),
    "convert": Command(
        "classroom.commands.convert",
        "make a folder in VOC layout of any labels. Images are hard links where the disk can.",
        "SOURCE TARGET void=255",
    ),
    "train": Command(
        "classroom.commands.train",
        "train a network and score it on the val split",
        "data=rooms model=fcn8s backbone=efficientnet_lite0 from-scratch output=runs/model.pt half "
        "resume evaluations=1 stop-after no-check flip scales workers compile tensorboard",
        recipe=True,
    ),
    "compare": Command(
        "classroom.commands.compare",
        "train several networks, one after the other, and print a table",
        "data=rooms models backbone=efficientnet_lite0 from-scratch output=runs/comparison.csv",
        recipe=True,
    ),
    "evaluate": Command(
        "classroom.commands.evaluate",
        "score a checkpoint on a data set",
        "data=rooms split=val checkpoint=photos from-file flip scales csv panels",
    ),
    "predict": Command(
        "classroom.commands.predict",
        "segment photographs",
        "PHOTOS checkpoint=photos from-file output=predictions longest-side flip scales window",
    ),
    "networks": Command(
        "classroom.commands.describe",
        "list the trained networks with their data and scores",
    ),
    "publish": Command(
        "classroom.publish.main",
        "in a clone of the course: write Colab badges, and what Colab installs. What is not given "
        "stays as it is.",
        "repository branch source",
        WRITTEN,
    ),
    "bundle": Command(
        "classroom.bundle.make",
        "in a clone of the course: make a folder for a room without a network. It holds notebooks, "
        "data, weights and all packages, by default for machines like this one; the README.txt in "
        "it says what learners do.",
        "FOLDER platforms python torch-wheels with-weights",
    ),
    "slides": Command(
        "classroom.slides.main",
        "in a clone of the course: write the tags from which slides are made. `jupyter nbconvert "
        "--to seglab.classroom.slides.Deck NOTEBOOK` makes slides of them.",
        kept=WRITTEN,
    ),
    "translate": Command(
        "classroom.translate.main",
        "in a clone of the course: write the notebooks in another language, as far as they are "
        "translated. Ids, tags and outputs stay.",
        "LANGUAGE output",
        WRITTEN,
    ),
    "mark": Command(
        "classroom.marking.report",
        "check the exercises in notebooks that learners handed in. Only the imports and the "
        "exercises are run. It is their code, run with your rights: read it first, or mark in an "
        "account where it can do no harm. The exit status is 1 if a file could not be marked.",
        "NOTEBOOKS csv make-blank",
        "what is printed holds; begin again with",
    ),
}

FLAG = {"action": "store_true"}
SEVERAL = {"nargs": "+", "default": ()}
# The words of argparse for each option; if there are none but `help`, that alone.
OPTIONS: dict[str, dict | str] = {
    "backbone": {"choices": BACKBONES, "help": "of the networks that stand on one"},
    "branch": "at first: main",
    "checkpoint": f"{', '.join(EMBEDDED)}, torchvision/NAME (see `seglab networks`) or a file",
    "csv": "file for a table with a row for each picture (evaluate) or learner (mark)",
    "compile": FLAG | {"help": "use torch.compile"},
    "data": f'"rooms" (embedded), {", ".join(DATASETS)} (once downloaded) or a folder: {LAYOUTS}',
    "evaluations": {"type": int, "help": "how often the val split is scored, evenly spread"},
    "flip": FLAG | {"help": "average with the mirror image; twice the time"},
    "FOLDER": "to make, such as STICK/seglab",
    "from-file": "a copy of what would be downloaded: an archive, torchvision's weights",
    "from-scratch": FLAG | {"help": "no ImageNet weights"},
    "half": FLAG | {"help": "store 16-bit numbers"},
    "LANGUAGE": "such as zh_CN",
    "longest-side": {
        "type": int,
        "help": "pixels of the longer side that the network sees; default: as it was trained, with "
        "--window the photograph's own",
    },
    "make-blank": "folder for copies of the notebooks without solutions; nothing is marked",
    "model": {"choices": NETWORKS},
    "models": {"nargs": "+", "default": NETWORKS, "choices": NETWORKS, "help": "default: all"},
    "NAME": {"choices": DATASETS},
    "no-check": FLAG | {"help": "do not look through all masks first"},
    "NOTEBOOKS": SEVERAL,
    "output": "what to write",
    "PHOTOS": SEVERAL | {"help": "or folders of them; written before any option"},
    "panels": "folder for panels: image, truth and prediction side by side",
    "platforms": SEVERAL | {"help": f"some of {', '.join(PLATFORMS)}"},
    "python": SEVERAL | {"dest": "pythons", "help": "versions that learners have, such as 3.12"},
    "repository": 'OWNER/NAME, public, on GitHub; "" takes the badges away',
    "resume": FLAG | {"help": "go on from OUTPUT's .last.pt, if it is there"},
    "root": "folder to make; default: data/NAME",
    "scales": {
        "type": float,
        "nargs": "+",
        "default": [1.0],
        "help": "average over several sizes, such as 0.75 1 1.25; default: 1",
    },
    "SOURCE": f"a folder: {LAYOUTS}",
    "source": "what Colab's pip installs, such as seglab or the address of a wheel; at first, and "
    'with "": the repository, or without one a wheel that is uploaded by hand',
    "split": "train, val or another list of the data set",
    "stop-after": {"type": int, "help": "end when so many evaluations brought nothing better"},
    "TARGET": {"nargs": "?", "help": "folder to make; default: SOURCE-voc"},
    "tensorboard": "folder to write curves to, too, if tensorboard is installed",
    "torch-wheels": "folder with CPU-only wheels of torch and torchvision for Linux, fetched by "
    "hand from PyTorch's own index; without them the bundle holds CUDA for Linux, about 3 GB",
    "void": {
        "choices": ("255", "none"),
        "help": "what 255 means in masks: void, or none: then it is the object in masks of 0 and "
        "255",
    },
    "window": {
        "type": int,
        "help": "for large photographs: go over them in overlapping windows of so many pixels, "
        "such as 512, at full resolution",
    },
    "with-weights": SEVERAL
    | {"help": "networks of torchvision's, such as lraspp_mobilenet_v3_large"},
    "workers": {"type": int, "help": "processes that read images; default: by device"},
}


def parser() -> argparse.ArgumentParser:
    """All commands with their options."""
    made = argparse.ArgumentParser(
        prog="seglab", description="Semantic segmentation from a shell, as the course teaches it."
    )
    made.add_argument("--version", action="version", version=f"seglab {seglab.__version__}")
    commands = made.add_subparsers(dest="command", required=True)
    for name, command in COMMANDS.items():
        shown = commands.add_parser(
            name, help=command.text.split(". ")[0], description=command.text
        )
        for word in command.options.split():
            add_option(shown, *word.split("="))
        if command.recipe:
            add_recipe(shown)
    return made


def add_option(command: argparse.ArgumentParser, name: str, default: str = "") -> None:
    """One of `OPTIONS`, perhaps with a default, which its help says, too."""
    details = OPTIONS[name]
    details = {"help": details} if isinstance(details, str) else dict(details)
    if default:
        text = f"{details.get('help', '')}; default: {default}".removeprefix("; ")
        details |= {"default": default, "help": text}
    if name.isupper():
        command.add_argument(name.lower(), metavar=name, **details)
    else:
        command.add_argument(f"--{name}", **details)


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
