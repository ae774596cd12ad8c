"""Train every network with its recipe on several data sets, with several seeds; one table of it.

    python data/compare_networks.py --streets FOLDER --photos FOLDER

`--streets` is CamVid in VOC layout, `--photos` PASCAL VOC 2012 or a part of it, of which a tenth is
held back to be scored on; a data set that is not named is left out. Each run adds a line to a CSV
file, and the same command, given again, goes on with those that are missing. Several processes
share the work with `--part 0 2` and `--part 1 2`.
"""

import argparse
import csv
import time
from dataclasses import replace
from pathlib import Path

import torch
from train_embedded import photographs

from seglab import networks, training
from seglab.datasets.opening import open_dataset
from seglab.losses import class_pixels
from seglab.recipes import NETWORKS, recipe_for
from seglab.voc import VOCSegmentation, rooms

COMPARED = ("fcn8s", "unet", "deeplabv3", "deeplabv3plus")  # with all seeds; the others with one
ON_PHOTOS = ("fcn32s", "fcn16s", *COMPARED)
SEEDS = (0, 1, 2)
COLUMNS = (
    "data",
    "network",
    "seed",
    "mean_iou",
    "pixel_accuracy",
    "classes",
    "cpu_seconds",
    "images",
    "parameters",
)
# Photographs want smaller steps than rooms: see docs/measured.md, also for how that was found.
CHANGES = {"photos": {"learning_rate": 1e-3}}
ENOUGH = 15  # images that must show a class of the photographs for its IoU to count


def wanted(data: list[str]) -> list[tuple[str, str, int]]:
    """All runs, the most useful first: data set, network, seed."""
    compared = [(d, n, seed) for seed in SEEDS for d in data for n in COMPARED]
    compared = [run for run in compared if run[0] != "photos" or run[2] == 0]
    others = {d: ON_PHOTOS if d == "photos" else NETWORKS for d in data}
    return compared + [(d, n, 0) for d in data for n in others[d] if n not in COMPARED]


def splits(data: str, arguments: argparse.Namespace) -> tuple[VOCSegmentation, VOCSegmentation]:
    """What is learned from, and what is scored on."""
    if data == "rooms":
        return rooms("train"), rooms("val")
    if data == "photos":
        return photographs(arguments.photos, held=False), photographs(arguments.photos, held=True)
    return open_dataset(arguments.streets, "train"), open_dataset(arguments.streets, "val")


def run(data: str, network: str, seed: int, arguments: argparse.Namespace) -> tuple:
    """Train and score one network; a line of the file."""
    train, val = splits(data, arguments)
    recipe = recipe_for(network, "camvid" if data == "streets" else "quick")
    recipe = replace(recipe, seed=seed, **CHANGES.get(data, {}))
    torch.manual_seed(seed)
    model = networks.build(network, train.num_classes)
    start = time.process_time()
    training.fit(model, train, recipe=recipe, progress=False)
    seconds = time.process_time() - start
    matrix = training.evaluate(model, val, recipe.longest_side, progress=False)
    counted = ~torch.isnan(matrix.iou)
    if data == "photos":
        counted = (class_pixels(val, val.num_classes) > 0).sum(0) >= ENOUGH
    return (
        data,
        network,
        seed,
        round(100 * matrix.iou[counted].mean().item(), 2),
        round(100 * matrix.pixel_accuracy, 2),
        int(counted.sum()),
        round(seconds, 1),
        recipe.images,
        sum(p.numel() for p in model.parameters()),
    )


def read(path: Path) -> list[dict]:
    if not path.exists():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def add(path: Path, row: tuple) -> None:
    """Append a line at once, so that processes side by side do not mix theirs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if file.tell() == 0:
            writer.writerow(COLUMNS)
        writer.writerow(row)


def table(rows: list[dict]) -> str:
    """In Markdown: a line for each network, and for each data set mean (lowest to highest)."""
    data = list(dict.fromkeys(row["data"] for row in rows))
    heads = [f"{d}: {score}" for d in data for score in ("mean IoU", "pixel accuracy")]
    lines = [["network", "parameters", "images seen", "CPU minutes", *heads]]
    lines += [["---", *["--:"] * (3 + len(heads))]]
    for network in NETWORKS:
        own = [row for row in rows if row["network"] == network]
        if not own:
            continue
        minutes = sum(float(row["cpu_seconds"]) for row in own) / len(own) / 60
        line = [network, f"{int(own[0]['parameters']) / 1e6:.1f} M"]
        line += [f"{int(own[0]['images']):,}", f"{minutes:.0f}"]
        for d in data:
            for column in ("mean_iou", "pixel_accuracy"):
                found = [float(row[column]) for row in own if row["data"] == d]
                spread = f" ({min(found):.1f} to {max(found):.1f})" if len(found) > 1 else ""
                line.append(f"{sum(found) / len(found):.1f}{spread}" if found else "")
        lines.append(line)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--streets", help="a folder with CamVid in VOC layout, or camvid")
    parser.add_argument("--photos", help="a folder with PASCAL VOC 2012 or a part, or voc2012")
    parser.add_argument("--output", type=Path, default=Path("runs/networks.csv"))
    parser.add_argument("--part", nargs=2, type=int, default=(0, 1), metavar=("K", "N"))
    arguments = parser.parse_args(words)
    data = ["rooms", *(name for name in ("streets", "photos") if getattr(arguments, name))]
    first, step = arguments.part
    for one in wanted(data)[first::step]:
        done = {(row["data"], row["network"], int(row["seed"])) for row in read(arguments.output)}
        if one not in done:
            print(*one, flush=True)
            add(arguments.output, run(*one, arguments))
    print(table(read(arguments.output)))


if __name__ == "__main__":
    main()
