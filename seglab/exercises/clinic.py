"""A clinic (notebook 07): five trainings, each with one fault, to be told from what they show.

Do not read on before you have named them: this file holds the answers. `admit` trains the five,
`seglab.figures.patients` draws what one sees from outside, `answer` judges what a learner says. For
each fault there is one number that anybody can look at in any training, and that tells it from the
other four.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import nn

from seglab import networks
from seglab.freezing import backbones
from seglab.history import History
from seglab.palettes import VOID
from seglab.prediction import predict
from seglab.recipes import Recipe
from seglab.training import fit
from seglab.transforms import IMAGENET_MEAN, IMAGENET_STD
from seglab.voc import VOCSegmentation

# ---------------------------------------------------------------- the faults


class OtherMasks(VOCSegmentation):
    """Each image comes with the mask of another one, as when two lists are sorted differently."""

    def mask(self, index):
        return super().mask((index + 7) % len(self))


class VoidAsAClass(VOCSegmentation):
    """255 in the masks becomes one more class, the last."""

    def __init__(self, root, split="train"):
        names = VOCSegmentation(root, split).classes
        super().__init__(root, split, classes=(*names, "void"))

    def mask(self, index):
        mask = super().mask(index)
        return mask.where(mask != VOID, self.num_classes - 1)


class RawInPrediction(nn.Module):
    """A network whose images are normalised in training, and stay bytes in prediction."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        mean, std = (
            255 * images.new_tensor(values)[:, None, None]
            for values in (IMAGENET_MEAN, IMAGENET_STD)
        )
        return self.network(images if self.training else images * std + mean)


# ---------------------------------------------------------------- the trainings


@dataclass
class Case:
    """One training, seen from outside.

    Attributes:
        network: as it is now.
        before: its numbers before the training, by name.
        data: the training pictures and masks, as the training saw them.
        history: its losses.
    """

    network: nn.Module
    before: dict[str, torch.Tensor]
    data: VOCSegmentation
    history: History


def admit(train: VOCSegmentation, val: VOCSegmentation, recipe: Recipe, runtime) -> dict[str, Case]:
    """Train an FCN-8s five times, each time with another fault; letter -> `Case`.

    Args:
        train, val: the data set as it should be.
        recipe: what would be right; its learning rate is the right one.
    """
    data = {"train": (train, val)}
    data["masks"] = OtherMasks(train.root, train.split), val
    data["void"] = VoidAsAClass(train.root, train.split), VoidAsAClass(val.root, val.split)
    for wrong, right in zip((*data["masks"], *data["void"]), (train, val) * 2, strict=True):
        wrong.names = right.names
    cases = {}
    for letter, fault in ORDER.items():
        pictures, scored = data.get(fault, data["train"])
        network = networks.build("fcn8s", pictures.num_classes)
        if fault == "normalisation":
            network = RawInPrediction(network)
        if fault == "frozen":
            for parameter in new_layers(network).values():
                parameter.requires_grad_(False)
        before = copy.deepcopy(network.state_dict())
        fast = (
            replace(recipe, learning_rate=50 * recipe.learning_rate) if fault == "rate" else recipe
        )
        options = {"evaluations": 3, "runtime": runtime, "progress": False, "check": False}
        history = fit(network, pictures, scored, fast, **options)
        cases[letter] = Case(network, before, pictures, history)
    return cases


def new_layers(network: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters outside the pretrained backbone, by name."""
    old = {id(p) for backbone in backbones(network) for p in backbone.parameters()}
    return {name: p for name, p in network.named_parameters() if id(p) not in old}


# ---------------------------------------------------------------- one number for each fault


def jump(case: Case) -> float:
    """The highest loss over the first one."""
    losses = [row["loss"] for row in case.history.steps]
    return max(losses) / losses[0]


def contrast_at_outlines(case: Case) -> float:
    """How much brightness changes near the outlines of the masks, over what it does elsewhere."""
    near, far = [], []
    for index in range(0, len(case.data), -(-len(case.data) // 20)):  # twenty pictures
        image, mask = case.data[index]
        grey = image.float().mean(0)
        change = (grey[1:, 1:] - grey[:-1, 1:]).abs() + (grey[1:, 1:] - grey[1:, :-1]).abs()
        outline = (mask[1:, 1:] != mask[:-1, 1:]) | (mask[1:, 1:] != mask[1:, :-1])
        outline = F.max_pool2d(outline[None].float(), 7, 1, 3)[0].bool()  # three pixels around it
        near.append(change[outline])
        far.append(change[~outline])
    return (torch.cat(near).mean() / torch.cat(far).mean()).item()


def learned(case: Case) -> float:
    """Which share of the new layers' numbers has changed."""
    now = case.network.state_dict()
    changed = [now[name] != case.before[name] for name in new_layers(case.network)]
    return torch.cat([one.flatten() for one in changed]).float().mean().item()


def void_share(case: Case) -> float:
    """Which share of the pixels in the masks is void."""
    masks = [case.data[index][1] for index in range(0, len(case.data), -(-len(case.data) // 20))]
    return torch.stack([(mask == VOID).float().mean() for mask in masks]).mean().item()


def largest_input(case: Case) -> float:
    """The largest number that reaches the first layer when a picture is predicted."""
    seen = []
    first = next(layer for layer in case.network.modules() if isinstance(layer, nn.Conv2d))
    hook = first.register_forward_pre_hook(
        lambda layer, inputs: seen.append(inputs[0].max().item())
    )
    predict(case.network, case.data[0][0])
    hook.remove()
    return max(seen)


@dataclass(frozen=True)
class Fault:
    """A fault, and the number that tells it from the others.

    Attributes:
        words: what went wrong.
        number: measures a case.
        meaning: what the number is.
        sick: is this value a sign of the fault?
    """

    words: str
    number: Callable[[Case], float]
    meaning: str
    sick: Callable[[float], bool]


FAULTS = {
    "rate": Fault(
        "the learning rate is far too high",
        jump,
        "highest loss / first loss",
        lambda value: value > 1.15,
    ),
    "masks": Fault(
        "images and masks do not belong together",
        contrast_at_outlines,
        "contrast at outlines / elsewhere",
        lambda value: value < 1.3,
    ),
    "frozen": Fault(
        "the new layers are frozen by accident",
        learned,
        "share of new numbers that moved",
        lambda value: value == 0,
    ),
    "void": Fault(
        "void is trained as a class",
        void_share,
        "share of void in the masks",
        lambda value: value == 0,
    ),
    "normalisation": Fault(
        "images are normalised in training, but not in prediction",
        largest_input,
        "largest number in prediction",
        lambda value: value > 10,
    ),
}
ORDER = {"A": "masks", "B": "frozen", "C": "normalisation", "D": "rate", "E": "void"}


def measured(cases: dict[str, Case]) -> dict[str, dict[str, float]]:
    """Fault -> letter -> its number."""
    return {
        name: {letter: fault.number(case) for letter, case in cases.items()}
        for name, fault in FAULTS.items()
    }


def table(cases: dict[str, Case]) -> str:
    """All five numbers of all five cases as text; what is a sign of a fault is marked."""
    lines = [f"{'':<34}" + "".join(f"{letter:>9} " for letter in cases)]
    for name, values in measured(cases).items():
        cells = [f"{v:>9.2f}{'*' if FAULTS[name].sick(v) else ' '}" for v in values.values()]
        lines.append(f"{FAULTS[name].meaning:<34}" + "".join(cells))
    return "\n".join(line.rstrip() for line in lines)


def answer(cases: dict[str, Case], **guesses: str) -> None:
    """Say of each case whether the learner's word for its fault is right, and what speaks for it.

    Args:
        guesses: letter -> one of the words of `FAULTS`; an empty one is a case not named yet.
    """
    for letter, case in cases.items():
        guess = guesses.get(letter, "").strip().lower()
        if guess not in FAULTS:
            print(f"○ {letter}: not named yet; the words are {', '.join(FAULTS)}")
            continue
        fault = FAULTS[guess]
        value = fault.number(case)
        if fault.sick(value):
            print(f"✓ {letter}: {fault.words}; {fault.meaning}: {value:.2f}")
        else:
            print(f"✗ {letter}: not {guess}; {fault.meaning}: {value:.2f}, as it should be")
