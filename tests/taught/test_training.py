"""The loss, the recipe, the loop."""

import contextlib
import copy
import csv
import errno
import math
import random
import re
import subprocess
import sys
import textwrap
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import lively, small_network
from PIL import Image
from torch import nn

from seglab import networks, training
from seglab.classroom.commands import TensorBoard
from seglab.draws import Draws, batches
from seglab.fcn import FCN
from seglab.history import History
from seglab.losses import (
    balanced_weights,
    class_pixels,
    class_shares,
    median_frequency_weights,
    pixel_loss,
)
from seglab.machine import checkpoints
from seglab.machine.checkpoints import CheckpointError
from seglab.machine.faults import TrainingError
from seglab.machine.resuming import last_of
from seglab.machine.runtime import Runtime, default_runtime
from seglab.metrics import ConfusionMatrix
from seglab.prediction import predict
from seglab.recipes import Recipe
from seglab.training import ends_pass, evaluate, fit, parameter_groups
from seglab.transforms import normalize
from seglab.voc import VOCSegmentation

# ---------------------------------------------------------------- the optimiser


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
    losses = [pixel_loss(model(normalize(i[None])), m[None]).item() for i, m in val]  # 64 pixels
    assert history.scores[-1]["val_loss"] == pytest.approx(np.mean(losses))
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


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's memory, on Linux")
def test_freed_memory_is_kept_until_it_is_returned():
    program = """
        import torch
        from seglab.machine.memory import keep_freed_memory, return_freed_memory

        def resident():
            return int(open("/proc/self/statm").read().split()[1]) * 4096 / 1e6

        keep_freed_memory()
        before = resident()
        tensors = [torch.ones(2_000_000) for _ in range(20)]
        del tensors
        kept = resident()
        return_freed_memory()
        print(kept - before, resident() - before)
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    kept, left = map(float, done.stdout.split())
    assert kept > 100 and left < 40, "megabytes, of 160"


def test_the_data_set_is_left_without_augmentation(tiny_voc):
    data = VOCSegmentation(tiny_voc, "train")
    fit(small_network(), data, recipe=Recipe(images=4, crop=(32, 32)), progress=False)
    assert data.transforms is None and data[0][0].shape == (3, 48, 64)


def test_balanced_training_weighs_rare_classes(tiny_voc, monkeypatch):
    seen = []

    def spy(logits, masks, weights=None):
        seen.append(weights)
        return pixel_loss(logits, masks, weights)

    monkeypatch.setitem(training.LOSSES, "cross_entropy", spy)
    for kind in ("log", "median", "none"):
        train(tiny_voc, replace(TINY, images=4, class_weights=kind))
    data = VOCSegmentation(tiny_voc, "train")
    torch.testing.assert_close(seen[0].cpu(), balanced_weights(class_shares(data, 3)))
    torch.testing.assert_close(seen[1], median_frequency_weights(class_pixels(data, 3)))
    assert seen[2] is None


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

    losses = []

    def spy(logits, masks, weights=None):
        losses.append(pixel_loss(logits, masks, weights))
        return losses[-1]

    monkeypatch.setitem(training.LOSSES, "cross_entropy", spy)
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


# ---------------------------------------------------------------- what a recipe freezes


def on_a_backbone():
    """A network whose backbone has statistics, as a pretrained one has; always the same."""
    torch.manual_seed(0)
    return lively(networks.build("unet", 3, "resnet18", weights=None), size=(32, 48))


def changed_by(recipe, root):
    """The names of the tensors of a state dict that a training changed, and the model."""
    model = on_a_backbone()
    before = copy.deepcopy(model.state_dict())
    fit(model, VOCSegmentation(root, "train"), recipe=recipe, progress=False)
    after = model.state_dict()
    return {name for name in after if not torch.equal(before[name], after[name])}, model


def test_frozen_norms_keep_mean_and_variance_but_learn_scale_and_shift(tiny_voc):
    short = replace(TINY, images=8)
    backbone_norms = {
        f"encoder.{name}"
        for name, layer in on_a_backbone().encoder.named_modules()
        if isinstance(layer, nn.BatchNorm2d)
    }
    statistics = {f"{n}.{kind}" for n in backbone_norms for kind in ("running_mean", "running_var")}
    free, _ = changed_by(short, tiny_voc)
    assert statistics <= free
    frozen, _ = changed_by(replace(short, frozen_norms=True), tiny_voc)
    counters = {f"{n}.num_batches_tracked" for n in backbone_norms}
    assert frozen == free - statistics - counters
    assert {f"{n}.weight" for n in backbone_norms} <= frozen
    assert any("encoder" not in name and "running_mean" in name for name in frozen)  # the decoder's


@pytest.mark.parametrize("stages", [0, 2, 5])
def test_frozen_stages_stay_as_they_are(tiny_voc, stages):
    recipe = replace(TINY, images=8, frozen_stages=stages)
    changed, model = changed_by(recipe, tiny_voc)
    learned = {int(name.split(".")[2]) for name in changed if name.startswith("encoder.stages")}
    assert learned == set(range(stages, 5))
    assert any(name.startswith("score") for name in changed)
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_no_gradient_is_taken_back_to_frozen_stages(tiny_voc):
    """That is what saves the time."""
    model, asked = on_a_backbone(), []
    for index, stage in enumerate(model.encoder.stages):
        stage.register_forward_hook(
            lambda module, inputs, output, index=index: asked.append((index, output.requires_grad))
        )
    recipe = replace(TINY, images=4, frozen_stages=2)
    fit(model, VOCSegmentation(tiny_voc, "train"), recipe=recipe, progress=False)
    assert asked == [(0, False), (1, False), (2, True), (3, True), (4, True)]


def test_what_was_frozen_by_hand_stays_so_and_the_rest_comes_back(tiny_voc, monkeypatch):
    def interrupted(self, images, masks):
        assert not next(self.model.encoder.stages[1].parameters()).requires_grad
        raise KeyboardInterrupt

    model = on_a_backbone()
    by_hand = next(model.encoder.stages[0].parameters()).requires_grad_(False)
    monkeypatch.setattr(training.Trainer, "train_on", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fit(
            model,
            VOCSegmentation(tiny_voc, "train"),
            recipe=replace(TINY, frozen_stages=2),
            progress=False,
        )
    assert [p for p in model.parameters() if not p.requires_grad] == [by_hand]


def test_frozen_depthwise_kernels_stay_as_they_are(tiny_voc):
    torch.manual_seed(0)
    built = networks.build("fcn16s", 3, "mobilenet_v2", weights=None)
    model = lively(built, size=(32, 48))
    before = copy.deepcopy(model.state_dict())
    recipe = replace(TINY, images=8, learning_rate=1e-3, frozen_depthwise=True)
    fit(model, VOCSegmentation(tiny_voc, "train"), recipe=recipe, progress=False)
    kernels = [name for name, value in before.items() if value.ndim == 4 and "backbone" in name]
    same = {name for name in kernels if torch.equal(before[name], model.state_dict()[name])}
    depthwise = {name for name in kernels if before[name].shape[1:] == (1, 3, 3)}
    assert same == depthwise and len(depthwise) == 17  # one in each block of MobileNet v2
    assert all(parameter.requires_grad for parameter in model.backbone.parameters())


@pytest.mark.parametrize(
    "frozen", [{"frozen_norms": True}, {"frozen_stages": 1}, {"frozen_depthwise": True}]
)
def test_a_backbone_that_starts_at_random_is_not_frozen(tiny_voc, frozen):
    recipe = replace(TINY, images=4, **frozen)
    options = {"recipe": recipe, "progress": False}
    at_random = networks.build("unet", 3, "resnet18", weights=None)
    with pytest.raises(TrainingError, match=r"starts at random.*recipe\.from_scratch\(\)"):
        fit(at_random, VOCSegmentation(tiny_voc, "train"), **options)
    options["recipe"] = recipe.from_scratch()
    assert len(fit(at_random, VOCSegmentation(tiny_voc, "train"), **options).steps) == 1
    without_backbone = small_network()
    options["recipe"] = recipe
    assert len(fit(without_backbone, VOCSegmentation(tiny_voc, "train"), **options).steps) == 1


def test_a_frozen_training_goes_on_as_if_never_stopped(tiny_voc, tmp_path):
    data = VOCSegmentation(tiny_voc, "train")
    recipe = replace(TINY, images=32, frozen_norms=True, frozen_stages=2)
    options = {"recipe": recipe, "progress": False}
    whole = on_a_backbone()
    expected = fit(whole, data, **options)

    def stop(history):
        if len(history.steps) >= 3:
            raise KeyboardInterrupt

    options["checkpoint"] = tmp_path / "net.pt"
    with pytest.raises(KeyboardInterrupt):
        fit(on_a_backbone(), data, watch=stop, **options)
    resumed = on_a_backbone()
    history = fit(resumed, data, resume=True, **options)
    assert history.steps == expected.steps
    for a, b in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True):
        assert torch.equal(a, b)


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


def test_history_as_table_and_json(tmp_path):
    steps = [{"step": i, "loss": 1 / i, "learning_rate": 1e-3} for i in (1, 2, 3)]
    history = History(steps, [{"step": 2, "mean_iou": 0.5, "pixel_accuracy": 0.75}], 1.25)
    path = history.to_csv(tmp_path / "folder" / "history.csv")
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == [1, 2, 3]
    assert [float(row["loss"]) for row in rows] == [1, 1 / 2, 1 / 3]
    assert [row["mean_iou"] for row in rows] == ["", "0.5", ""]
    assert History.from_json(history.to_json(tmp_path / "history.json")) == history


# ---------------------------------------------------------------- draws and batches


def test_a_position_is_the_same_picture_whoever_asks(tiny_voc):
    data = VOCSegmentation(tiny_voc, "train")
    draws = Draws(data, TINY)
    assert len(draws) == 80
    again = Draws(data, TINY)
    for position in (41, 3, 79, 0):
        torch.rand(5)
        for one, other in zip(draws[position], again[position], strict=True):
            assert torch.equal(one, other)
    other = Draws(data, replace(TINY, seed=1))
    assert not all(torch.equal(draws[i][0], other[i][0]) for i in range(6))


def test_each_pass_shows_every_image_once_in_another_order(tiny_voc, monkeypatch):
    draws = Draws(VOCSegmentation(tiny_voc, "train"), TINY)
    seen = []
    monkeypatch.setattr(
        VOCSegmentation, "__getitem__", lambda self, index: seen.append(index) or (index, index)
    )
    for position in range(18):
        draws[position]
    passes = [seen[0:6], seen[6:12], seen[12:18]]
    assert all(sorted(one) == list(range(6)) for one in passes)
    assert len({tuple(one) for one in passes}) > 1


def test_worker_processes_give_the_same_batches(tiny_voc):
    draws = Draws(VOCSegmentation(tiny_voc, "train"), TINY)
    alone, helped = list(batches(draws, 0, 0)), list(batches(draws, 0, 2))
    assert len(alone) == 20
    for (images, masks), (other_images, other_masks) in zip(alone, helped, strict=True):
        assert images.dtype == masks.dtype == torch.uint8
        assert torch.equal(images, other_images) and torch.equal(masks, other_masks)
    late = list(batches(draws, 15, 0))
    assert len(late) == 5 and torch.equal(late[0][0], alone[15][0])


@pytest.mark.parametrize(("images", "batch", "count"), [(6, 4, 80), (6, 2, 18), (367, 4, 2000)])
def test_passes_end_where_all_images_were_seen(images, batch, count):
    recipe = Recipe(images=count, batch_size=batch)
    ends = [step for step in range(1, recipe.steps + 1) if ends_pass(step, recipe, images)]
    expected = {math.ceil(k * images / batch) for k in range(1, count // images + 1)}
    assert ends == sorted(expected | {recipe.steps})


# ---------------------------------------------------------------- checkpoints and resuming

SMALL = replace(TINY, images=32, learning_rate=1e-3)  # 8 steps, 5 of them end a pass


def new_network():
    torch.manual_seed(0)
    return networks.build("fcn16s", 3, "resnet18", weights=None)


class Stop(Exception):
    pass


def stop_at(step):
    def watch(history):
        if history.steps[-1]["step"] >= step:
            raise Stop

    return watch


def test_a_resumed_training_gives_the_numbers_of_one_that_was_never_stopped(tiny_voc, tmp_path):
    data, val = VOCSegmentation(tiny_voc, "train"), VOCSegmentation(tiny_voc, "val")
    options = {"val": val, "recipe": SMALL, "evaluations": 4, "progress": False}
    whole = new_network()
    expected = fit(whole, data, checkpoint=tmp_path / "whole.pt", **options)
    path = tmp_path / "stopped.pt"
    with pytest.raises(Stop):
        fit(new_network(), data, checkpoint=path, watch=stop_at(3), **options)
    torch.rand(7)
    other = networks.build("fcn16s", 3, "resnet18", weights=None)  # weights come from the file
    history = fit(other, data, checkpoint=path, resume=True, **options)
    assert history.steps == expected.steps and history.scores == expected.scores
    for name, value in whole.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name
    for name in ("stopped", "whole"):
        assert checkpoints.read(tmp_path / f"{name}.last.pt")["training"]["step"] == 8
    one, two = (checkpoints.read(tmp_path / f"{n}.pt")["state"] for n in ("stopped", "whole"))
    assert all(torch.equal(one[name], two[name]) for name in one)
    files = sorted(p.name for p in tmp_path.iterdir() if p.suffix == ".pt")
    assert files == ["stopped.last.pt", "stopped.pt", "whole.last.pt", "whole.pt"]


def test_the_best_network_is_kept_not_the_last(tiny_voc, tmp_path, monkeypatch):
    scores = iter([0.3, 0.8, 0.5, 0.8])

    class Scored(ConfusionMatrix):
        pixel_accuracy, mean_iou = 0.5, None

        def __init__(self):
            super().__init__(3)
            self.mean_iou = next(scores)

    states = []

    def scripted(model, *rest, **options):
        states.append(copy.deepcopy(model.state_dict()))
        return Scored()

    monkeypatch.setattr(training, "evaluate", scripted)
    data, path = VOCSegmentation(tiny_voc, "train"), tmp_path / "model.pt"
    fit(new_network(), data, data, SMALL, evaluations=4, progress=False, checkpoint=path)
    best, last = checkpoints.read(path)["state"], checkpoints.read(last_of(path))["state"]
    assert all(torch.equal(best[name], states[1][name]) for name in best)
    assert all(torch.equal(last[name], states[3][name]) for name in last)


class Scripted:
    """Stands for `evaluate`: the networks score what a list says."""

    def __init__(self, scores):
        self.scores = iter(scores)

    def __call__(self, *arguments, **options):
        right = round(100 * next(self.scores))
        matrix = ConfusionMatrix(3)
        matrix.counts = torch.tensor([[right, 100 - right, 0], [0, 0, 0], [0, 0, 0]])
        return matrix


def test_it_stops_when_evaluations_bring_nothing_better_and_goes_on_later(
    tiny_voc, tmp_path, monkeypatch
):
    data, path = VOCSegmentation(tiny_voc, "train"), tmp_path / "net.pt"
    options = {"evaluations": 8, "progress": False, "checkpoint": path, "resume": True}
    scores = [0.2, 0.5, 0.4, 0.5, 0.6, 0.1, 0.1, 0.7]

    def again(stop_after, rest):
        monkeypatch.setattr(training, "evaluate", Scripted(rest))
        return fit(new_network(), data, data, SMALL, stop_after=stop_after, **options)

    history = again(2, scores)
    assert [row["step"] for row in history.scores] == [1, 2, 3, 4] and history.best_step == 2
    assert len(history.steps) == 4
    kept = path.read_bytes()
    assert again(2, []).steps == history.steps  # again: it still has nothing to hope for
    history = again(3, scores[4:])
    assert len(history.steps) == 8 and history.best_step == 8  # 0.1 twice is not three times
    assert path.read_bytes() != kept
    monkeypatch.setattr(training, "evaluate", Scripted(scores))
    unbroken = fit(new_network(), data, data, SMALL, evaluations=8, progress=False)
    assert [row["loss"] for row in unbroken.steps] != []
    assert unbroken.scores == history.scores


@pytest.mark.parametrize(("val", "number"), [(None, 1), ("val", 0)])
def test_stopping_needs_something_to_count(tiny_voc, val, number):
    with pytest.raises(TrainingError, match="stop_after counts evaluations on val"):
        train(tiny_voc, val=val and VOCSegmentation(tiny_voc, val), stop_after=number)


def test_the_best_confusion_matrix_comes_back(tiny_voc, tmp_path):
    val, path = VOCSegmentation(tiny_voc, "val"), tmp_path / "net.pt"
    data, options = VOCSegmentation(tiny_voc, "train"), {"progress": False, "checkpoint": path}
    history = fit(new_network(), data, val, SMALL, evaluations=4, **options)
    expected = evaluate(networks.load(path).model, val, 64, progress=False)
    assert torch.equal(history.best_matrix.counts, expected.counts)
    assert torch.equal(history.best_matrix.void_counts, expected.void_counts)
    assert history.best_matrix.mean_iou == max(row["mean_iou"] for row in history.scores)
    resumed = fit(new_network(), data, val, SMALL, evaluations=4, resume=True, **options)
    assert torch.equal(resumed.best_matrix.counts, expected.counts)
    assert train(tiny_voc, replace(TINY, images=4))[1].best_matrix is None


def test_a_second_training_is_told_that_the_first_is_writing(tiny_voc, tmp_path):
    data, path = VOCSegmentation(tiny_voc, "train"), tmp_path / "net.pt"
    half = tmp_path / ".net.last.123.pt"  # what the first one is writing just now
    refused = []

    def second(history):
        half.touch()
        with pytest.raises(TrainingError, match=r"net\.pt: another training is writing there"):
            fit(new_network(), data, recipe=SMALL, progress=False, checkpoint=path)
        refused.append(half.exists())

    first = fit(new_network(), data, None, SMALL, progress=False, checkpoint=path, watch=second)
    assert refused and all(refused) and len(first.steps) == 8
    fit(new_network(), data, recipe=SMALL, progress=False, checkpoint=path)  # the place is free
    assert sorted(file.name for file in tmp_path.iterdir() if file.is_file()) == [
        "net.last.pt",
        "net.pt",
    ]


def test_a_disk_without_locks_can_be_written_to(tiny_voc, tmp_path, monkeypatch):
    def unknown(self, *arguments, **options):
        raise NotImplementedError("no locks here")

    monkeypatch.setattr("filelock.FileLock.acquire", unknown)
    data, path = VOCSegmentation(tiny_voc, "train"), tmp_path / "runs" / "net.pt"
    fit(new_network(), data, recipe=replace(SMALL, images=4), progress=False, checkpoint=path)
    assert path.exists()


def test_without_a_val_split_the_last_network_is_kept(tiny_voc, tmp_path):
    data, path = VOCSegmentation(tiny_voc, "train"), tmp_path / "folder" / "model.pt"
    model = new_network()
    fit(model, data, recipe=SMALL, progress=False, checkpoint=path)
    trained = networks.load(path)
    for name, value in model.state_dict().items():
        assert torch.equal(value, trained.model.state_dict()[name])
    assert trained.classes == data.classes and trained.longest_side == 64
    assert "images=32" in trained.notes


def test_only_networks_with_a_name_can_be_stored_and_that_is_said_at_once(tiny_voc, tmp_path):
    with pytest.raises(CheckpointError, match=r"build can be saved; found a Sequential"):
        train(tiny_voc, checkpoint=tmp_path / "model.pt")
    assert list(tmp_path.glob("*.pt")) == []


@contextlib.contextmanager
def files_stay_small(limit):
    """No file of this process can grow beyond so many bytes, as on a disk that is full."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_training_on_a_full_disk_says_so_and_goes_on_later(tiny_voc, tmp_path):
    data = VOCSegmentation(tiny_voc, "train")
    whole, path = new_network(), tmp_path / "runs" / "model.pt"
    options = {"recipe": SMALL, "progress": False}
    expected = fit(whole, data, checkpoint=tmp_path / "whole.pt", **options)
    with pytest.raises(Stop):
        fit(new_network(), data, checkpoint=path, watch=stop_at(3), **options)
    before = {p.name: p.read_bytes() for p in path.parent.iterdir()}
    size = len(before[last_of(path).name]) / 1e6
    with files_stay_small(1_000_000), pytest.raises(CheckpointError) as caught:
        fit(new_network(), data, checkpoint=path, resume=True, **options)
    message = str(caught.value)
    assert message.startswith(f"{last_of(path)}: the disk, or your share of it, is full.")
    needed = re.search(r"needs ([\d.]+) MB beside the old one, which is still whole", message)[1]
    assert float(needed) == pytest.approx(size, abs=0.2) and "resume=True" in message
    assert {p.name: p.read_bytes() for p in path.parent.iterdir()} == before  # and nothing is left
    other = new_network()
    history = fit(other, data, checkpoint=path, resume=True, **options)
    assert history.steps == expected.steps
    for name, value in other.state_dict().items():
        assert torch.equal(value, whole.state_dict()[name])


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        RuntimeError("PytorchStreamWriter failed writing file data/12: file write failed"),
        RuntimeError("[enforce fail at inline_container.cc:671] . unexpected pos 640 vs 598"),
    ],
)
def test_no_room_for_the_first_checkpoint(tiny_voc, tmp_path, monkeypatch, error):
    def fails(content, file):
        file.write_bytes(b"the first bytes")
        raise error

    monkeypatch.setattr(torch, "save", fails)
    path = tmp_path / "folder" / "model.pt"
    with pytest.raises(CheckpointError, match="your share of it, is full") as caught:
        fit(new_network(), VOCSegmentation(tiny_voc, "train"), None, SMALL, checkpoint=path)
    assert "the old one" not in str(caught.value) and caught.value.__cause__ is error
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("error", [PermissionError(13, "denied"), RuntimeError("open file failed")])
def test_other_faults_of_writing_stay_what_they_are(tiny_voc, tmp_path, monkeypatch, error):
    def fails(content, file):
        raise error

    monkeypatch.setattr(torch, "save", fails)
    data, path = VOCSegmentation(tiny_voc, "train"), tmp_path / "model.pt"
    with pytest.raises(type(error)) as caught:
        fit(new_network(), data, None, SMALL, checkpoint=path)
    assert caught.value is error


def test_another_recipe_or_network_is_not_resumed(tiny_voc, tmp_path):
    data, path = VOCSegmentation(tiny_voc, "train"), tmp_path / "model.pt"
    options = {"progress": False, "checkpoint": path}
    fit(new_network(), data, recipe=SMALL, **options)
    changed = replace(SMALL, learning_rate=0.5, seed=3)
    message = r"that training had learning_rate 0.001 \(now 0.5\), seed 0 \(now 3\)"
    with pytest.raises(TrainingError, match=message):
        fit(new_network(), data, recipe=changed, resume=True, **options)
    other = networks.build("fcn8s", 3, "resnet18", None)
    with pytest.raises(TrainingError, match=r"model fcn16s \(now fcn8s\)"):
        fit(other, data, recipe=SMALL, resume=True, **options)


def test_what_is_watched(tiny_voc):
    seen = []
    train(
        tiny_voc,
        val=VOCSegmentation(tiny_voc, "val"),
        evaluations=2,
        watch=lambda history: seen.append((len(history.steps), len(history.scores))),
    )
    # Six images in batches of four: a pass ends within every second step or so.
    assert [steps for steps, _ in seen] == [2, 3, 5, 6, 8, 9, 10, 11, 12, 14, 15, 17, 18, 20]
    assert dict(seen)[9] == 0 and dict(seen)[11] == 1 and seen[-1] == (20, 2)


def test_curves_for_tensorboard(tiny_voc, tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    val = VOCSegmentation(tiny_voc, "val")
    _, history = train(tiny_voc, val=val, evaluations=2, watch=TensorBoard(tmp_path / "curves"))
    stored = EventAccumulator(str(tmp_path / "curves")).Reload()
    assert [event.step for event in stored.Scalars("loss")] == list(range(1, 21))
    losses = [event.value for event in stored.Scalars("loss")]
    assert losses == pytest.approx([row["loss"] for row in history.steps])
    assert [event.step for event in stored.Scalars("mean_iou")] == [10, 20]


def test_without_tensorboard_the_cure_is_named(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(TrainingError, match="pip install tensorboard"):
        TensorBoard(tmp_path)


# ---------------------------------------------------------------- more of the loop


def test_gradients_are_clipped(tiny_voc):
    """One step of plain SGD moves the weights by learning rate times gradient."""
    recipe = replace(
        TINY, images=4, optimizer="sgd", schedule="constant", learning_rate=1.0, weight_decay=0.0
    )

    def moved(limit):
        model, _ = train(tiny_voc, replace(recipe, max_gradient_norm=limit))
        pairs = zip(model.parameters(), small_network().parameters(), strict=True)
        return math.sqrt(sum((a - b).square().sum().item() for a, b in pairs))

    free = moved(None)
    assert moved(free / 2) == pytest.approx(free / 2, rel=1e-3)
    assert moved(free * 2) == pytest.approx(free, rel=1e-4)


def test_the_test_budget_stops_after_ten_steps(tiny_voc):
    _, history = train(tiny_voc, runtime=Runtime(torch.device("cpu"), budget="test"))
    assert len(history.steps) == 10
    _, short = train(
        tiny_voc, replace(TINY, images=12), runtime=Runtime(torch.device("cpu"), budget="test")
    )
    assert len(short.steps) == 3


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    ],
)
def test_out_of_memory_names_what_to_lower(tiny_voc, error):
    class Greedy(nn.Module):
        def __init__(self):
            super().__init__()
            self.network = small_network()

        def forward(self, x):
            raise error

    with pytest.raises(TrainingError, match=r"batch_size 4 and crop 32 x 48.*Halve"):
        fit(Greedy(), VOCSegmentation(tiny_voc, "train"), recipe=TINY, progress=False)


def test_other_errors_of_a_network_are_left_as_they_are(tiny_voc):
    class Broken(nn.Module):
        def __init__(self):
            super().__init__()
            self.network = small_network()

        def forward(self, x):
            raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes do not fit"):
        fit(Broken(), VOCSegmentation(tiny_voc, "train"), recipe=TINY, progress=False)


def test_workers_change_nothing(tiny_voc):
    _, helped = train(tiny_voc, runtime=Runtime(torch.device("cpu"), workers=2))
    assert helped.steps == train(tiny_voc)[1].steps


def test_compiled_training_is_the_same_training(tiny_voc):
    recipe = replace(TINY, images=12)
    model, compiled = train(tiny_voc, recipe, runtime=Runtime(torch.device("cpu"), compile=True))
    plain_model, plain = train(tiny_voc, recipe)
    for row, other in zip(compiled.steps, plain.steps, strict=True):
        assert row["loss"] == pytest.approx(other["loss"], abs=1e-3)
    assert model.state_dict().keys() == plain_model.state_dict().keys()


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


# ---------------------------------------------------------------- where notebooks write


def test_notebooks_write_into_the_clone_and_tests_apart(tmp_path, monkeypatch):
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    device = torch.device("cpu")
    assert str(Runtime(device).runs) == "runs"
    (tmp_path / "data" / "rooms").mkdir(parents=True)
    assert Runtime(device).runs.as_posix() == "../runs"
    assert Runtime(device, budget="test").runs.as_posix() == "../runs/test"
