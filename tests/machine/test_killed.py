"""Trainings that are killed: no file is ever half of one, and no number changes."""

import io
import multiprocessing
import random
import shutil
import signal
import sys
import time
from dataclasses import fields, replace

import pytest
import torch
from helpers import TINY_CLASSES, make_tiny_voc, small_network, voc_folder

from seglab import networks, training
from seglab.machine import checkpoints
from seglab.machine.checkpoints import CheckpointError
from seglab.machine.faults import TrainingError
from seglab.machine.files import remove_leftovers
from seglab.machine.resuming import last_of
from seglab.machine.runtime import Runtime
from seglab.recipes import Recipe
from seglab.training import fit
from seglab.voc import VOCSegmentation

kills = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")

# A server that has imported torch starts a process by copying itself: that takes no time.
PROCESSES = None if sys.platform == "win32" else multiprocessing.get_context("forkserver")
if PROCESSES is not None:
    PROCESSES.set_forkserver_preload(["seglab.classroom.commands", "helpers"])

# Everything that could remember something: dropout and batch norm in the network, a gradient limit,
# momentum. Passes end at steps 3, 5, 8, 10 and so on, evaluations are after steps 7, 13 and 20. The
# learning rate is too high, so that the first evaluation is the best.
RECIPE = Recipe(
    images=40,
    batch_size=2,
    longest_side=None,
    crop=(32, 48),
    color=0.2,
    learning_rate=0.01,
    loss="cross_entropy_dice",
    class_weights="log",
    max_gradient_norm=1.0,
)
IMAGES, STEPS_OF_A_PASS, EVALUATIONS = 5, 3, 3
CPU = Runtime(torch.device("cpu"))
PATIENCE = 120  # seconds for whatever takes far less


def network(name="erfnet", classes=3, backbone="resnet18"):
    return networks.build(name, classes, backbone, weights=None)


def train(folder, data, reports, halt):
    """In a process of its own: train, and report each step as soon as it is done."""
    torch.set_num_threads(1)
    if halt:
        halt_in_a_write(halt, reports)
    one_step = training.Trainer.train_on

    def reported_step(trainer, images, masks):
        loss = one_step(trainer, images, masks)
        reports.send(trainer.step)
        return loss

    training.Trainer.train_on = reported_step
    torch.manual_seed(0)
    fit(
        network(),
        VOCSegmentation(data, "train"),
        VOCSegmentation(data, "val"),
        RECIPE,
        EVALUATIONS,
        CPU,
        progress=False,
        checkpoint=folder / "net.pt",
        resume=True,
    )


def halt_in_a_write(halt, reports):
    """Halt after half of the bytes of the first write that ends the sequence `halt` of names."""
    save_whole, written = torch.save, []

    def save(content, path):
        written.append("last" if ".last." in path.name else "best")
        if tuple(written[-len(halt) :]) == halt:
            whole = io.BytesIO()
            save_whole(content, whole)
            path.write_bytes(whole.getvalue()[: len(whole.getvalue()) // 2])
            reports.send("half written")
            time.sleep(PATIENCE)
        save_whole(content, path)

    torch.save = save


class Training:
    """A process that trains; `reports` holds what it said so far."""

    def __init__(self, folder, data, halt=()):
        self.folder, self.reports = folder, []
        folder.mkdir(exist_ok=True)
        self.pipe, other_end = PROCESSES.Pipe(duplex=False)
        arguments = (folder, data, other_end, halt)
        self.process = PROCESSES.Process(target=train, args=arguments, daemon=True)
        self.process.start()
        other_end.close()

    def hear(self) -> bool:
        """Wait for the next report; False if there is none any more."""
        assert self.pipe.poll(PATIENCE), f"nothing heard for {PATIENCE} seconds"
        try:
            self.reports.append(self.pipe.recv())
        except EOFError:
            return False
        return True

    def kill(self) -> bool:
        """Kill the process, unless it has ended; was it killed?"""
        self.process.kill()
        return self.end() == -signal.SIGKILL

    def end(self) -> int:
        """Wait for the end; the exit code."""
        while self.hear():
            pass
        self.process.join()
        assert self.process.exitcode in (0, -signal.SIGKILL)
        return self.process.exitcode

    def steps(self) -> list[int]:
        return [report for report in self.reports if report != "half written"]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_tiny_voc(tmp_path_factory.mktemp("data") / "tiny", IMAGES, 3)


@pytest.fixture(scope="module")
def untouched(data, tmp_path_factory):
    """The folder of a training that nobody killed."""
    folder = tmp_path_factory.mktemp("untouched")
    if PROCESSES is None:
        pytest.skip("Windows has no forkserver")
    whole = Training(folder, data)
    assert whole.end() == 0 and whole.steps() == list(range(1, 21))
    return folder


def step_of(folder) -> int:
    """The step that a training in this folder would go on from."""
    path = folder / "net.last.pt"
    return checkpoints.read(path)["training"]["step"] if path.exists() else 0


def halves(folder) -> list:
    """Files that were being written; the lock of a killed training is none."""
    return [path for path in folder.glob(".*") if path.suffix == ".pt"]


def assert_readable(folder):
    for path in folder.glob("net*.pt"):
        assert networks.load(path).classes == TINY_CLASSES


def equal(one, other) -> bool:
    """The same content, tensors bit for bit?"""
    if isinstance(one, torch.Tensor):
        same_kind = one.dtype == other.dtype and one.shape == other.shape
        return same_kind and one.numpy().tobytes() == other.numpy().tobytes()
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(equal, one, other))
    return one == other


def assert_same_training(folder, untouched):
    """Losses, scores, weights, the optimiser's memory and the best network: all are the same."""
    assert sorted(path.name for path in folder.iterdir()) == ["net.last.pt", "net.pt"]
    for name in ("net.last.pt", "net.pt"):
        one, other = checkpoints.read(folder / name), checkpoints.read(untouched / name)
        assert (one["training"] is None) == (name == "net.pt")
        for content in (one, other):
            if content["training"]:
                assert len(content["training"]["history"]["steps"]) == 20
                assert len(content["training"]["history"]["scores"]) == EVALUATIONS
                assert content["training"]["history"].pop("seconds") > 0
        for part in one:
            assert equal(one[part], other[part]), f"{name}: {part}"


# ---------------------------------------------------------------- kills


@kills
def test_killed_at_twenty_random_moments(data, untouched, tmp_path):
    dice, kills = random.Random(0), 0
    while kills < 20:
        folder, finished = tmp_path / f"training_{kills}", False
        while not finished:
            before = step_of(folder) if folder.exists() else 0
            started = Training(folder, data)
            for _ in range(dice.randrange(7)):
                started.hear()
            time.sleep(dice.uniform(0, 0.15))
            finished = not started.kill()
            kills += not finished
            done = max([before, *started.steps()])
            assert max(before, done - STEPS_OF_A_PASS) <= step_of(folder) <= done
            assert_readable(folder)
            if started.steps():  # then it has cleaned up after its predecessor
                assert all(str(started.process.pid) in path.name for path in halves(folder))
        assert_same_training(folder, untouched)


@kills
def test_killed_in_the_middle_of_each_kind_of_write(data, untouched, tmp_path):
    """Each time the file that was being replaced stays whole, and the next start cleans up."""
    best, last = "net.pt", "net.last.pt"
    for halt, step, names in (
        (("last",), 0, []),  # the very first write
        (("last", "last"), 0, [last]),  # after the first pass
        (("best",), 5, [last]),  # after the first evaluation, step 7
        (("best", "last"), 5, [last, best]),  # right after a best one was written
        (("best",), 5, [last, best]),  # the best one, a second time
    ):
        started = Training(tmp_path, data, halt)
        while started.reports[-1:] != ["half written"]:
            assert started.hear(), "it ended without that write"
        assert started.kill()
        (half,) = halves(tmp_path)
        assert str(started.process.pid) in half.name and half.stat().st_size > 1000
        with pytest.raises(CheckpointError, match="cut off"):
            checkpoints.read(half)
        assert sorted(path.name for path in tmp_path.glob("net*")) == names
        assert_readable(tmp_path)
        assert step_of(tmp_path) == step
    assert Training(tmp_path, data).end() == 0
    assert_same_training(tmp_path, untouched)


def test_the_best_file_holds_the_network_of_the_best_score(data, untouched):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    best = networks.load(untouched / "net.pt")
    matrix = training.evaluate(best.model, VOCSegmentation(data, "val"), None, CPU, False)
    torch.set_num_threads(threads)
    scores = checkpoints.read(untouched / "net.last.pt")["training"]["history"]["scores"]
    assert matrix.mean_iou == max(row["mean_iou"] for row in scores) > scores[-1]["mean_iou"]


def test_only_leftovers_of_this_checkpoint_are_removed(tmp_path):
    """Other trainings may be writing into the same folder just now."""
    names = [
        ".a.12.pt",
        ".a.last.12.pt",
        ".a.b.12.pt",
        ".ab.12.pt",
        ".a.12.csv",
        "a.12.pt",
        ".b.pt",
    ]
    for name in names:
        (tmp_path / name).touch()
    remove_leftovers(tmp_path / "a.pt")
    assert {path.name for path in tmp_path.iterdir()} == set(names) - {".a.12.pt"}
    remove_leftovers(tmp_path / "a.last.pt")
    assert {path.name for path in tmp_path.iterdir()} == set(names) - {".a.12.pt", ".a.last.12.pt"}
    remove_leftovers(tmp_path / "nowhere" / "a.pt")  # a folder that is still to be made


# ---------------------------------------------------------------- resuming


def resumed(folder, data, model=None, recipe=RECIPE, **options):
    """Go on in this process. Returns the model and the history."""
    model = model or network()
    options = {"resume": True, "runtime": CPU, "progress": False} | options
    train_set = VOCSegmentation(data, "train")
    return model, fit(model, train_set, recipe=recipe, checkpoint=folder / "net.pt", **options)


def test_a_finished_training_has_nothing_to_resume(data, untouched, tmp_path, monkeypatch):
    monkeypatch.delattr(training.Trainer, "train_on")
    folder = shutil.copytree(untouched, tmp_path / "copy")
    before = {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}
    model, history = resumed(folder, data, val=VOCSegmentation(data, "val"))
    after = {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}
    assert after == before
    content = checkpoints.read(untouched / "net.last.pt")
    assert vars(history) == content["training"]["history"]
    assert equal(dict(model.state_dict()), content["state"]) and not model.training


def test_without_a_file_resuming_begins_anew(data, tmp_path):
    short = replace(RECIPE, images=4)
    results = []
    for name, resume in (("first", True), ("second", False), ("second", False)):
        torch.manual_seed(0)
        model, history = resumed(tmp_path / name, data, recipe=short, resume=resume)
        results.append((dict(model.state_dict()), history.steps))
        assert [row["step"] for row in history.steps] == [1, 2]
    assert equal(results[0], results[1]) and equal(results[1], results[2])


OTHER_SETTINGS = {
    "images": 80,
    "batch_size": 4,
    "longest_side": 48,
    "scale": (0.5, 1.0),
    "crop": (48, 32),
    "color": 0.0,
    "optimizer": "sgd",
    "learning_rate": 0.5,
    "backbone_factor": 0.1,
    "frozen_norms": True,
    "frozen_stages": 2,
    "frozen_depthwise": True,
    "weight_decay": 0.0,
    "schedule": "poly",
    "loss": "dice",
    "class_weights": "none",
    "max_gradient_norm": None,
    "seed": 7,
}


def assert_refused(folder, data, message, *rest):
    """The training does not go on, says why, and leaves all files as they are."""
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(TrainingError) as refusal:
        resumed(folder, data, *rest)
    assert f"that training had {message}." in str(refusal.value)
    assert str(folder / "net.last.pt") in str(refusal.value)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("name", [field.name for field in fields(Recipe)])
def test_another_setting_is_refused_by_name(data, untouched, name):
    value = OTHER_SETTINGS[name]
    message = f"{name} {getattr(RECIPE, name)} (now {value})"
    assert_refused(untouched, data, message, network(), replace(RECIPE, **{name: value}))


def test_another_network_is_refused_by_name(data, untouched):
    message = "model erfnet (now unet_plain)"
    assert_refused(untouched, data, message, network("unet_plain"))
    message = "model erfnet (now Sequential), backbone resnet18 (now None)"
    assert_refused(untouched, data, message, small_network())


def test_another_backbone_is_refused_by_name(data, tmp_path):
    short = replace(RECIPE, images=2)
    resumed(tmp_path, data, network("fcn32s", backbone="resnet18"), short)
    other = network("fcn32s", backbone="efficientnet_lite0")
    message = "backbone resnet18 (now efficientnet_lite0)"
    assert_refused(tmp_path, data, message, other, short)


@pytest.mark.parametrize("classes", [("a", "b", "c"), ("a", "b", "c", "d")])
def test_other_classes_are_refused_by_name(data, untouched, tmp_path, classes):
    folder = shutil.copytree(data, tmp_path / "data")
    voc_folder(folder, {}, classes)
    message = f"classes {list(TINY_CLASSES)} (now {list(classes)})"
    assert_refused(untouched, folder, message, network(classes=len(classes)))


@pytest.mark.parametrize("kept", [0.0, 0.01, 0.5, 0.99, 1.0])
def test_a_file_that_is_cut_off_is_not_resumed(data, untouched, tmp_path, kept):
    folder = shutil.copytree(untouched, tmp_path / "copy")
    whole = last_of(folder / "net.pt").read_bytes()
    last_of(folder / "net.pt").write_bytes(whole[: min(int(kept * len(whole)), len(whole) - 1)])
    with pytest.raises(CheckpointError, match=r"net\.last\.pt: .* it may be cut off"):
        resumed(folder, data)
