"""Train and score the networks that come with the course.

    python data/train_embedded.py rooms
    python data/train_embedded.py photos --photos FOLDER
    python data/train_embedded.py streets --streets FOLDER

Writes the weights, in 16 bits, and what `seglab networks` says of them to `seglab/weights`. A
training that was stopped goes on with the same command. The recipe's settings are options.
"""

import argparse
import json
import sys
from collections import Counter
from hashlib import sha256
from pathlib import Path

import torch
from torch.utils.data import Dataset

from seglab import networks, training
from seglab.classroom.commands import chosen_recipe
from seglab.classroom.shell import add_recipe
from seglab.datasets.downloads import located
from seglab.datasets.opening import open_dataset
from seglab.history import History
from seglab.machine import embedded
from seglab.machine.files import written_whole
from seglab.voc import VOCSegmentation, rooms

# What each one is, and where its recipe differs from that of its network.
PLANS = {
    "rooms": {"network": "fcn8s", "title": "FCN-8s", "recipe": "quick"},
    "photos": {
        "network": "unet",
        "title": "U-Net",
        "recipe": "quick",
        "images": 32_000,
        "batch_size": 8,
        "learning_rate": 1e-3,
        "longest_side": 384,
        "scale": (0.6, 1.5),
        "crop": (224, 288),
        "color": 0.3,
    },
    "streets": {"network": "unet", "title": "U-Net", "recipe": "camvid"},
}
# Groups of classes whose mean IoU is noted, too: those of which there are many photographs.
SEVEN = ("background", "cat", "cow", "dog", "horse", "sheep", "person")
GROUPS = {"seven classes": SEVEN, "nine classes": (*SEVEN, "chair", "sofa")}


class Together(Dataset):
    """Images of several data sets with the same classes as one, some of them more than once.

    Args:
        members: (data set, number of an image in it).
    """

    def __init__(self, members: list[tuple[VOCSegmentation, int]]):
        self.members, self.transforms = members, None
        first = members[0][0]
        self.classes, self.num_classes = first.classes, first.num_classes
        self.palette = first.palette

    def __len__(self) -> int:
        return len(self.members)

    def __getitem__(self, index: int):
        data, number = self.members[index]
        image, mask = data[number]
        return (image, mask) if self.transforms is None else self.transforms(image, mask)


def held_back(name: str) -> bool:
    """Is a photograph one of the tenth that no network learns from? Its name alone decides."""
    return int(sha256(name.encode()).hexdigest(), 16) % 10 == 0


def photographs(folder: str, held: bool) -> VOCSegmentation:
    """The photographs to learn from, or those that are held back."""
    data = VOCSegmentation(located(folder), "train")
    data.names = [name for name in data.names if held_back(name) == held]
    return data


def with_rare_ones(data: VOCSegmentation, repeats: int) -> list[int]:
    """The numbers of all images; of those with a class that is in few, a twentieth, repeatedly."""
    present = [set(data.mask(number).unique().tolist()) for number in range(len(data))]
    images = Counter(index for found in present for index in found)
    rare = {index for index, count in images.items() if count < len(data) / 20}
    return [n for n, found in enumerate(present) for _ in range(repeats if found & rare else 1)]


def learned_from(name: str, arguments: argparse.Namespace) -> tuple[Dataset, str]:
    """What a network is trained on, and the same in words."""
    if name == "streets":
        data = open_dataset(arguments.streets, "train")
        return data, f"{len(data)} photographs of streets, CamVid's train split"
    rendered = rooms("train")
    if name == "rooms":
        return rendered, f"{len(rendered)} rendered rooms"
    photos = photographs(arguments.photos, held=False)
    members = [(photos, number) for number in with_rare_ones(photos, arguments.repeat_rare)]
    share = len(members) / (len(members) + len(rendered) * arguments.repeat_rooms)
    members += [(rendered, n) for n in range(len(rendered))] * arguments.repeat_rooms
    return Together(members), (
        f"{len(photos):,} photographs of PASCAL VOC 2012 (those with rare classes x "
        f"{arguments.repeat_rare}) and {len(rendered)} rendered rooms x {arguments.repeat_rooms}: "
        f"{share:.0%} of what it saw were photographs"
    )


def scored_on(name: str, arguments: argparse.Namespace) -> dict[str, VOCSegmentation]:
    """The data sets to score a network on; none of their images was learned from."""
    if name == "streets":
        return {"CamVid val": open_dataset(arguments.streets, "val")}
    found = {"rooms val": rooms("val")}
    if arguments.photos:
        found["photographs held back"] = photographs(arguments.photos, held=True)
    return found


def scores(trained: networks.Trained, data: VOCSegmentation) -> dict:
    """Scores in percent, at the size of the labels; without classes that do not occur."""
    matrix = training.evaluate(trained.model, data, trained.longest_side)
    iou = {c: v for c, v in zip(data.classes, matrix.iou.tolist(), strict=True) if v == v}
    means = {
        group: sum(map(iou.get, classes)) / len(classes)
        for group, classes in GROUPS.items()
        if iou.keys() >= {*classes}
    }
    found = {"mean IoU": matrix.mean_iou, **means, "pixel accuracy": matrix.pixel_accuracy}
    percent = {name: round(100 * value, 1) for name, value in found.items()}
    percent["IoU"] = {name: round(100 * value, 1) for name, value in iou.items()}
    return {"images": len(data), **percent}


def trained_file(name: str, train: Dataset, arguments: argparse.Namespace) -> tuple[Path, str]:
    """Train, or go on training; the checkpoint, and how it was trained in words."""
    recipe, path = chosen_recipe(arguments.network, arguments), Path(arguments.output, f"{name}.pt")
    print(recipe, flush=True)
    torch.manual_seed(recipe.seed)
    model = networks.build(arguments.network, train.num_classes)
    history: History = training.fit(model, train, recipe=recipe, checkpoint=path, resume=True)
    images, minutes = recipe.steps * recipe.batch_size, history.seconds / 60
    threads = torch.get_num_threads()
    return path, f"{images:,} images, repeats counted, in {minutes:.0f} minutes; threads: {threads}"


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    names = made.add_subparsers(dest="name", required=True)
    for name, plan in PLANS.items():
        add = names.add_parser(name).add_argument
        if name == "streets":
            add("--streets", default="camvid", help="a folder with CamVid; default: the download")
        else:
            add("--photos", required=name == "photos", help="VOC's, a folder or voc2012")
        if name == "photos":
            add("--repeat-rare", type=int, default=4, help="uses of a picture with a rare class")
            add("--repeat-rooms", type=int, default=5, help="uses of a rendered room")
        add("--output", default="runs/embedded", help="folder for checkpoints")
        add("--checkpoint", help="one that is trained already: only store and score it")
        add_recipe(names.choices[name])
        names.choices[name].set_defaults(from_scratch=False, **plan)
    return made


def main(words: list[str] | None = None) -> None:
    arguments = parser().parse_args(words)
    name = arguments.name
    train, data = learned_from(name, arguments)
    how, path = "", arguments.checkpoint
    if path is None:
        path, how = trained_file(name, train, arguments)
    trained = networks.load(path)
    networks.save(embedded.EMBEDDED[name], trained, half=True)
    trained = networks.load(name)  # in 16 bits, as learners get it
    facts = embedded.facts() if embedded.FACTS.exists() else {}
    facts[name] = {
        "network": f"{arguments.title} on EfficientNet-Lite0",
        "classes": list(trained.classes),
        "data": data,
        "training": how,
        "recipe": trained.notes,
        "scores": {on: scores(trained, part) for on, part in scored_on(name, arguments).items()},
    }
    with written_whole(embedded.FACTS) as temporary:
        text = json.dumps({one: facts[one] for one in embedded.EMBEDDED if one in facts}, indent=1)
        temporary.write_text(text + "\n", encoding="utf-8")
    print(json.dumps(facts[name]["scores"], indent=1))


if __name__ == "__main__":
    sys.exit(main())
