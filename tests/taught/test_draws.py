"""Faults that are found before the first step, and what is said about them."""

from dataclasses import replace

import pytest
import torch
from helpers import small_network

from seglab import networks
from seglab.machine.faults import TrainingError, look_through
from seglab.palettes import VOID
from seglab.recipes import Recipe
from seglab.training import fit
from seglab.voc import DatasetError, VOCSegmentation

RECIPE = Recipe(images=8, batch_size=4, longest_side=64, crop=(32, 48))


class Pairs(list):
    """Any data set: pairs, and how many classes there are."""

    num_classes = 3


def pair(value: int = 1, size: tuple[int, int] = (4, 6)):
    return torch.zeros(3, 4, 6, dtype=torch.uint8), torch.full(size, value, dtype=torch.uint8)


def test_good_pairs_pass_and_one_labelled_pixel_is_enough():
    image, mask = pair(VOID)
    mask[0, 0] = 2
    look_through(Pairs([pair(VOID), (image, mask)]), "training", VOID, progress=False)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (pair(3), r"validation image 2: the mask has index 3, but there are 3 classes \(0 to 2\)"),
        (pair(254), "index 254"),
        (pair(1, (6, 4)), r"the mask is \[6, 4\] pixels but its image \[4, 6\].*--no-check"),
    ],
)
def test_a_faulty_mask_is_named(bad, words):
    with pytest.raises(TrainingError, match=words):
        look_through(Pairs([pair(0), pair(2), bad]), "validation", VOID, progress=False)


def test_nothing_but_void_is_nothing_to_learn():
    with pytest.raises(TrainingError, match=r"training masks are void \(255\).*not one of 2"):
        look_through(Pairs([pair(VOID), pair(VOID)]), "training", VOID, progress=False)


def spoil(data: VOCSegmentation, index: int, value: int) -> None:
    """Overwrite one mask of a data set with a single value."""
    from seglab.palettes import palette_image

    palette_image(torch.full((48, 64), value).byte().numpy()).save(data.mask_path(index))


def test_a_bad_mask_at_the_end_of_val_stops_before_the_first_step(tiny_voc, tmp_path):
    train, val = VOCSegmentation(tiny_voc, "train"), VOCSegmentation(tiny_voc, "val")
    spoil(val, 2, 9)
    seen, path = [], tmp_path / "runs" / "net.pt"
    options = {"recipe": RECIPE, "progress": False, "watch": seen.append}
    with pytest.raises(DatasetError, match=r"blocks_8\.png: index 9 has no class"):
        fit(networks.build("erfnet", 3), train, val, checkpoint=path, **options)
    assert not seen and not list(path.parent.glob("*"))
    with pytest.raises(DatasetError):  # unchecked, it is found when val is scored
        fit(small_network(), train, val, check=False, **options)
    fit(small_network(), train, None, **options)  # a part that is not used is not looked at
    assert seen


def test_all_void_is_refused_with_any_class_weights(tiny_voc):
    train = VOCSegmentation(tiny_voc, "train")
    for index in range(len(train)):
        spoil(train, index, VOID)
    for weights in ("none", "median"):
        with pytest.raises(TrainingError, match="training masks are void"):
            fit(small_network(), train, recipe=replace(RECIPE, class_weights=weights))


@pytest.mark.parametrize(("batch", "crop"), [(1, (32, 32)), (4, (16, 16))])
def test_a_batch_that_is_too_small_names_what_to_raise(tiny_voc, batch, crop):
    model = networks.build("fcn32s", 3, "resnet18", weights=None)
    recipe = replace(RECIPE, batch_size=batch, crop=crop)
    with pytest.raises(TrainingError, match=r"--batch-size, --crop"):
        fit(model, VOCSegmentation(tiny_voc, "train"), recipe=recipe, progress=False)
