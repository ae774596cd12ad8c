"""The loss, the recipe, the loop."""

import copy
import csv
import math
import random
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from helpers import lively, small_network
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import nn

from seglab.fcn import FCN
from seglab.inference import predict
from seglab.runtime import Runtime, default_runtime
from seglab.training import (
    History,
    Recipe,
    TrainingError,
    balanced_weights,
    class_shares,
    evaluate,
    fit,
    parameter_groups,
    pixel_loss,
)
from seglab.transforms import normalize
from seglab.voc import VOCSegmentation

# ---------------------------------------------------------------- the loss


@given(st.integers(0, 999), st.integers(1, 7), st.booleans(), st.sampled_from([0, 0.3, 0.9]))
@settings(max_examples=50)
def test_pixel_loss_is_cross_entropy_over_labelled_pixels(seed, classes, weighted, void):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, classes, 4, 5, generator=generator) * 3
    masks = torch.randint(0, classes, (2, 4, 5), generator=generator)
    masks[torch.rand(masks.shape, generator=generator) < void] = 255
    masks[0, 0, 0] = 0  # at least one labelled pixel
    weights = torch.rand(classes, generator=generator) + 0.1 if weighted else None
    expected = F.cross_entropy(logits, masks, weight=weights, ignore_index=255)
    torch.testing.assert_close(pixel_loss(logits, masks, weights), expected)
    torch.testing.assert_close(pixel_loss(logits, masks.to(torch.uint8), weights), expected)


@pytest.mark.parametrize("weights", [None, torch.tensor([1.0, 5.0, 0.1])])
def test_without_labelled_pixels_the_loss_is_zero_and_harmless(weights):
    logits = torch.randn(2, 3, 4, 5, requires_grad=True)
    loss = pixel_loss(logits, torch.full((2, 4, 5), 255), weights)
    loss.backward()
    assert loss.item() == 0 and torch.equal(logits.grad, torch.zeros_like(logits))


def test_void_pixels_get_no_gradient():
    logits = torch.randn(1, 3, 2, 2, requires_grad=True)
    pixel_loss(logits, torch.tensor([[[0, 255], [1, 2]]])).backward()
    assert (logits.grad[0, :, 0, 1] == 0).all() and (logits.grad[0, :, 0, 0] != 0).all()


def test_half_precision_logits_are_summed_in_full_precision():
    logits = torch.randn(1, 3, 300, 300)
    masks = torch.randint(0, 3, (1, 300, 300))
    loss = pixel_loss(logits.half(), masks)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, pixel_loss(logits, masks), rtol=1e-3, atol=0)


def test_balanced_weights_against_the_formula():
    shares = torch.tensor([0.7, 0.25, 0.05, 0.0], dtype=torch.float64)
    weights = balanced_weights(shares)
    assert weights.dtype == torch.float32
    expected = [1 / math.log(1.02 + share) for share in shares.tolist()]
    assert weights.tolist() == pytest.approx(expected)
    assert (weights.diff() > 0).all() and weights.max() < 51  # rarer is heavier, but bounded


def test_class_shares_leave_void_out(tiny_voc):
    data = VOCSegmentation(tiny_voc, "train")
    counts = np.zeros(3)
    for name in data.names:
        mask = np.asarray(Image.open(tiny_voc / "SegmentationClass" / f"{name}.png"))
        counts += [(mask == c).sum() for c in range(3)]
    shares = class_shares(data, 3)
    assert shares.tolist() == pytest.approx((counts / counts.sum()).tolist())
    assert shares.dtype == torch.float64 and shares.sum().item() == pytest.approx(1)
    plain = [data[i] for i in range(len(data))]  # any sequence of pairs will do
    assert torch.equal(class_shares(plain, 3), shares)


# ---------------------------------------------------------------- the recipe


def test_one_cycle_starts_low_peaks_and_ends_near_zero():
    recipe = Recipe(images=4000, batch_size=4)
    factors = [recipe.factor(step) for step in range(recipe.steps)]
    assert recipe.steps == 1000
    assert factors[0] == pytest.approx(0.05)
    assert max(factors) == pytest.approx(1) and factors.index(max(factors)) == 100
    assert factors[-1] < 1e-4
    assert all(a < b for a, b in pairwise(factors[:101]))
    assert all(a > b for a, b in pairwise(factors[100:]))


def test_poly_and_constant_against_their_formulas():
    poly = Recipe(images=400, batch_size=4, schedule="poly")
    for step in (0, 1, 50, 99):
        assert poly.factor(step) == pytest.approx((1 - step / 100) ** 0.9)
    constant = Recipe(images=400, schedule="constant")
    assert {constant.factor(step) for step in range(100)} == {1.0}


@pytest.mark.parametrize(
    "options", [{"schedule": "cosine"}, {"images": 3, "batch_size": 4}, {"batch_size": 0}]
)
def test_senseless_recipes_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        Recipe(**options)


def test_only_kernels_decay():
    model = FCN(3, 8, weights=None, learned_upsampling=False)
    decayed, spared = parameter_groups(model, Recipe(weight_decay=0.01))
    assert decayed["weight_decay"] == 0.01 and spared["weight_decay"] == 0
    names = {id(p): name for name, p in model.named_parameters()}
    assert all(names[id(p)].endswith("weight") and p.ndim > 1 for p in decayed["params"])
    norms = {
        id(p)
        for m in model.modules()
        if isinstance(m, nn.BatchNorm2d)
        for p in m.parameters(recurse=False)
    }
    assert norms <= {id(p) for p in spared["params"]}
    every = [id(p) for group in (decayed, spared) for p in group["params"]]
    trainable = [id(p) for p in model.parameters() if p.requires_grad]
    assert sorted(every) == sorted(trainable)
    assert not any(names[i].startswith(("doubling", "to_image_size")) for i in every)


def test_a_backbone_has_a_factor_of_its_own():
    model = FCN(3, 8, weights=None)
    recipe = Recipe(weight_decay=0.01, backbone_factor=0.1)
    groups = parameter_groups(model, recipe)
    backbone = {id(p) for p in model.backbone.parameters()}
    found = set()
    for group in groups:
        factors = {0.1 if id(p) in backbone else 1 for p in group["params"]}
        assert factors == {group["factor"]}
        assert all((p.ndim > 1) == (group["weight_decay"] == 0.01) for p in group["params"])
        found.add((group["factor"], group["weight_decay"]))
    assert found == {(0.1, 0.01), (0.1, 0), (1, 0.01), (1, 0)}
    every = [id(p) for group in groups for p in group["params"]]
    assert sorted(every) == sorted(id(p) for p in model.parameters() if p.requires_grad)


def test_a_network_without_a_backbone_learns_at_one_rate():
    groups = parameter_groups(small_network(), Recipe(backbone_factor=0.1))
    assert {group["factor"] for group in groups} == {1}


# ---------------------------------------------------------------- the loop

TINY = Recipe(
    images=80, batch_size=4, longest_side=64, scale=(0.9, 1.2), crop=(32, 48), learning_rate=2e-2
)


def train(root, recipe=TINY, **options):
    model = small_network()
    history = fit(model, VOCSegmentation(root, "train"), recipe=recipe, progress=False, **options)
    return model, history


def test_training_learns(tiny_voc):
    val = VOCSegmentation(tiny_voc, "val")
    before = evaluate(small_network(), val, 64, progress=False).mean_iou
    model, history = train(tiny_voc, val=val, evaluations=2)
    losses = [row["loss"] for row in history.steps]
    assert len(losses) == TINY.steps == 20
    assert np.mean(losses[-4:]) < 0.4 * np.mean(losses[:2])
    assert [row["step"] for row in history.scores] == [10, 20]
    matrix = evaluate(model, val, 64, progress=False)
    assert history.scores[-1]["mean_iou"] == matrix.mean_iou > max(0.75, before + 0.2)
    assert history.scores[-1]["pixel_accuracy"] == matrix.pixel_accuracy
    assert [row["learning_rate"] for row in history.steps] == pytest.approx(
        [2e-2 * TINY.factor(step) for step in range(20)]
    )
    assert history.seconds > 0 and not model.training


def test_same_seed_same_numbers_bit_for_bit(tiny_voc):
    first_model, first = train(tiny_voc)
    torch.rand(100)  # what ran before must not matter
    second_model, second = train(tiny_voc)
    assert first.steps == second.steps
    for a, b in zip(
        first_model.state_dict().values(), second_model.state_dict().values(), strict=True
    ):
        assert torch.equal(a, b)
    _, other = train(tiny_voc, replace(TINY, seed=1))
    assert other.steps != first.steps


def test_evaluating_in_between_does_not_change_training(tiny_voc):
    _, plain = train(tiny_voc)
    _, scored = train(tiny_voc, val=VOCSegmentation(tiny_voc, "val"), evaluations=5)
    assert plain.steps == scored.steps and len(scored.scores) == 5


def test_the_random_state_around_training_stays_as_it_was(tiny_voc):
    model, data = small_network(), VOCSegmentation(tiny_voc, "train")
    torch.manual_seed(7), np.random.seed(7), random.seed(7)  # noqa: NPY002
    before = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()  # noqa: NPY002
    fit(model, data, recipe=TINY, progress=False)
    after = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()  # noqa: NPY002
    assert torch.equal(before[0], after[0]) and before[1:] == after[1:]


def test_the_data_set_is_left_without_augmentation(tiny_voc):
    data = VOCSegmentation(tiny_voc, "train")
    fit(small_network(), data, recipe=Recipe(images=4, crop=(32, 32)), progress=False)
    assert data.transforms is None and data[0][0].shape == (3, 48, 64)


def test_balanced_training_weighs_rare_classes(tiny_voc, monkeypatch):
    import seglab.training

    seen = []

    def spy(logits, masks, weights=None):
        seen.append(weights)
        return pixel_loss(logits, masks, weights)

    monkeypatch.setattr(seglab.training, "pixel_loss", spy)
    train(tiny_voc, replace(TINY, images=4, balanced=True))
    expected = balanced_weights(class_shares(VOCSegmentation(tiny_voc, "train"), 3))
    torch.testing.assert_close(seen[0].cpu(), expected)
    train(tiny_voc, replace(TINY, images=4))
    assert seen[1] is None


def test_models_that_return_a_dict_train_too(tiny_voc):
    class Torchvisions(nn.Module):
        def __init__(self):
            super().__init__()
            self.network = small_network()

        def forward(self, x):
            return {"out": self.network(x), "aux": None}

    data = VOCSegmentation(tiny_voc, "train")
    history = fit(Torchvisions(), data, recipe=TINY, progress=False)
    assert history.steps == train(tiny_voc)[1].steps


def test_a_single_tensor_under_aux_is_not_trained(tiny_voc):
    class Torchvisions(nn.Module):
        def __init__(self):
            super().__init__()
            self.network, self.auxiliary = small_network(), small_network()

        def forward(self, x):
            return {"out": self.network(x), "aux": self.auxiliary(x)}

    model = Torchvisions()
    history = fit(model, VOCSegmentation(tiny_voc, "train"), recipe=TINY, progress=False)
    assert history.steps == train(tiny_voc)[1].steps
    fresh = small_network()
    for part, same in ((model.auxiliary, True), (model.network, False)):
        assert torch.equal(part[0].weight, fresh[0].weight) is same


def test_with_deep_supervision_the_list_under_aux_is_trained_and_nothing_else(
    tiny_voc, monkeypatch
):
    class DeeplySupervised(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = small_network(), small_network()

        def forward(self, x):
            first, second = self.first(x), self.second(x) * 2
            untrained = -100 * first.detach()
            return {"out": untrained, "aux": [first, second]} if self.training else second

    import seglab.training

    losses = []

    def spy(logits, masks, weights=None):
        losses.append(pixel_loss(logits, masks, weights))
        return losses[-1]

    monkeypatch.setattr(seglab.training, "pixel_loss", spy)
    model, data = DeeplySupervised(), VOCSegmentation(tiny_voc, "train")
    history = fit(model, data, recipe=TINY, progress=False)
    assert len(losses) == 2 * TINY.steps
    assert [row["loss"] for row in history.steps] == pytest.approx(
        [(a.item() + b.item()) / 2 for a, b in zip(losses[::2], losses[1::2], strict=True)]
    )
    for parts in (losses[::2], losses[1::2]):  # each of them learns
        assert sum(parts[-4:]).item() / 4 < 0.4 * parts[0].item()


def test_a_loss_that_is_not_a_number_stops_with_advice(tiny_voc):
    class Exploding(nn.Module):
        def __init__(self):
            super().__init__()
            self.network = small_network()
            self.calls = 0

        def forward(self, x):
            self.calls += 1
            return self.network(x) * (float("nan") if self.calls == 3 else 1)

    with pytest.raises(TrainingError, match=r"loss is nan at step 3.*learning rate"):
        fit(Exploding(), VOCSegmentation(tiny_voc, "train"), recipe=TINY, progress=False)


def test_the_backbone_learns_at_its_own_rate(tiny_voc):
    """Adam's first step moves every weight by the learning rate, whatever its gradient."""
    data = VOCSegmentation(tiny_voc, "train")
    recipe = replace(TINY, images=4, weight_decay=0, schedule="constant")

    def moved(factor):
        torch.manual_seed(0)
        model = lively(FCN(3, 16, "resnet18", weights=None), size=(32, 48))
        before = copy.deepcopy(model.state_dict())
        history = fit(model, data, recipe=replace(recipe, backbone_factor=factor), progress=False)
        assert history.steps[0]["learning_rate"] == 2e-2  # the recipe's own
        change = {n: (p - before[n]).abs().max().item() for n, p in model.named_parameters()}
        return change["backbone.stages.0.0.weight"], change["scores.0.weight"]

    assert moved(1) == pytest.approx((2e-2, 2e-2), rel=1e-3)
    assert moved(0.25) == pytest.approx((0.5e-2, 2e-2), rel=1e-3)
    assert moved(0) == pytest.approx((0, 2e-2), rel=1e-3)


def test_a_model_that_predicted_can_be_trained(tiny_voc):
    data = VOCSegmentation(tiny_voc, "train")
    model = small_network()
    predict(model, data[0][0])
    history = fit(model, data, recipe=TINY, progress=False)
    assert history.steps == train(tiny_voc)[1].steps


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
@pytest.mark.filterwarnings("error")
def test_training_in_half_precision(tiny_voc, kind):
    runtime = Runtime(torch.device("cpu"), kind)
    _, history = train(tiny_voc, runtime=runtime)
    expected = train(tiny_voc)[1]
    for row, other in list(zip(history.steps, expected.steps, strict=True))[:5]:
        assert row["loss"] == pytest.approx(other["loss"], abs=0.05)


@pytest.mark.parametrize(("native", "kind"), [(True, torch.bfloat16), (False, torch.float16)])
def test_emulated_bfloat16_is_not_chosen(monkeypatch, native, kind):
    """An older GPU, such as Colab's T4, emulates bfloat16: it works but is slow."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(
        torch.cuda,
        "is_bf16_supported",
        lambda including_emulation=True: including_emulation or native,
    )
    assert default_runtime().autocast == kind


def test_too_few_channels_are_named(tiny_voc):
    data = VOCSegmentation(tiny_voc, "train")
    with pytest.raises(TrainingError, match=r"scores 2 classes.*has 3; .*num_classes=3"):
        fit(small_network(2), data, recipe=TINY, progress=False)


def test_history_as_a_table(tmp_path):
    history = History([{"step": i, "loss": 1 / i, "learning_rate": 1e-3} for i in (1, 2, 3)])
    path = history.to_csv(tmp_path / "folder" / "history.csv")
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == [1, 2, 3]
    assert [float(row["loss"]) for row in rows] == [1, 1 / 2, 1 / 3]


# ---------------------------------------------------------------- evaluation


def test_evaluate_equals_a_loop_by_hand(tiny_voc):
    data, model = VOCSegmentation(tiny_voc, "val"), small_network()
    matrix = evaluate(model, data, progress=False)
    counts, void = np.zeros((3, 3), dtype=int), 0
    model.eval()
    for name in data.names:
        mask = np.asarray(Image.open(tiny_voc / "SegmentationClass" / f"{name}.png"))
        picture = np.array(Image.open(tiny_voc / "JPEGImages" / f"{name}.jpg"))
        with torch.inference_mode():
            images = normalize(torch.from_numpy(picture).permute(2, 0, 1))[None]
            guess = model(images)[0].argmax(0).numpy()
        for y, x in np.ndindex(mask.shape):
            if mask[y, x] == 255:
                void += 1
            else:
                counts[mask[y, x], guess[y, x]] += 1
    np.testing.assert_array_equal(matrix.counts.numpy(), counts)
    assert matrix.void_pixels == void > 0
    assert matrix.counts.sum() + void == 3 * 48 * 64


def test_evaluate_counts_at_the_size_of_the_label(tiny_voc):
    matrix = evaluate(small_network(), VOCSegmentation(tiny_voc, "val"), 32, progress=False)
    assert matrix.counts.sum() + matrix.void_pixels == 3 * 48 * 64
