"""Parts of a pretrained backbone that do not learn (notebook 07)."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

from seglab.backbones import FeaturePyramid
from seglab.machine.faults import expect_pretrained
from seglab.recipes import Recipe


def backbones(model: nn.Module) -> list[FeaturePyramid]:
    """The classifiers' layers in a model; mostly one, none in a network like ERFNet."""
    return [module for module in model.modules() if isinstance(module, FeaturePyramid)]


def batch_norms(module: nn.Module) -> list[nn.BatchNorm2d]:
    """All batch norms in a module."""
    return [layer for layer in module.modules() if isinstance(layer, nn.BatchNorm2d)]


def is_depthwise(layer: nn.Module) -> bool:
    """A convolution with a filter of its own for each channel?"""
    return isinstance(layer, nn.Conv2d) and layer.groups == layer.in_channels > 1


@contextmanager
def frozen(model: nn.Module, recipe: Recipe) -> Iterator[None]:
    """Inside, the stages and kernels of a backbone that the recipe freezes do not learn.

    On leaving, those that learned before may learn again. For norms see `training_mode`.

    Raises:
        TrainingError: the backbone starts at random, so there is nothing worth keeping.
    """
    kept = []
    for backbone in backbones(model):
        expect_pretrained(batch_norms(backbone), recipe)
        kept += backbone.stages[: recipe.frozen_stages].parameters()
        if recipe.frozen_depthwise:
            kept += [layer.weight for layer in backbone.modules() if is_depthwise(layer)]
    kept = [parameter for parameter in kept if parameter.requires_grad]
    for parameter in kept:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in kept:
            parameter.requires_grad_(True)


def training_mode(model: nn.Module, recipe: Recipe) -> None:
    """Switch to training, but batch norms that the recipe freezes work as in evaluation."""
    model.train()
    for backbone in backbones(model):
        backbone.stages[: recipe.frozen_stages].eval()
        if recipe.frozen_norms:
            for norm in batch_norms(backbone):
                norm.eval()
