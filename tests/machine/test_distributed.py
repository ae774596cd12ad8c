"""Two processes that train together: the same numbers as by hand, each file written once."""

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from helpers import TINY_CLASSES, lively, make_tiny_voc

from seglab import draws, networks, training
from seglab.classroom import commands, shell
from seglab.draws import Draws, batches
from seglab.history import History
from seglab.losses import pixel_loss
from seglab.machine import checkpoints, distributed, resuming
from seglab.machine.distributed import ProcessLost
from seglab.machine.faults import TrainingError
from seglab.machine.runtime import Runtime
from seglab.recipes import Recipe
from seglab.training import evaluate, fit, new_optimizer
from seglab.transforms import normalize
from seglab.voc import VOCSegmentation

unix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no forkserver, no SIGKILL")

# A server that has imported torch starts a process by copying itself: that takes no time.
PROCESSES = None if sys.platform == "win32" else multiprocessing.get_context("forkserver")
if PROCESSES is not None:
    PROCESSES.set_forkserver_preload(["seglab.classroom.commands", "helpers"])

# Plain steps along the gradient: an error in a gradient shows as it is in the weights.
RECIPE = Recipe(
    images=24,
    batch_size=4,
    longest_side=None,
    crop=(32, 48),
    optimizer="sgd",
    learning_rate=0.01,
    schedule="poly",
)
CPU = Runtime(torch.device("cpu"))
PATIENCE = 900  # seconds for whatever takes far less, on a machine that is busy with other things


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Five validation images: one process gets three of them, the other two."""
    return make_tiny_voc(tmp_path_factory.mktemp("data") / "tiny", 6, 5)


@pytest.fixture
def one_thread():
    """Sums in the order of a process that has one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def network(name="unet_plain"):
    torch.manual_seed(0)
    return networks.build(name, 3)


# ---------------------------------------------------------------- the shares of each process


@pytest.mark.parametrize("processes", [2, 4])
def test_the_processes_share_the_batches_of_one(data, monkeypatch, processes):
    draws = Draws(VOCSegmentation(data, "train"), RECIPE)
    whole = batches(draws, 2, 0)
    shares = []
    monkeypatch.setattr(distributed, "count", lambda: processes)
    for rank in range(processes):
        monkeypatch.setattr(distributed, "rank", lambda rank=rank: rank)
        shares.append(batches(draws, 2, 0))
    for step, positions in enumerate(whole.batch_sampler):
        parts = [set(share.batch_sampler[step]) for share in shares]
        assert set.union(*parts) == set(positions)
        assert sum(map(len, parts)) == len(positions) == 4
        assert len({len(part) for part in parts}) == 1
    for together, *parts in zip(whole, *shares, strict=True):
        for one, *others in zip(together, *parts, strict=True):  # the images, then the masks
            for rank, other in enumerate(others):
                assert torch.equal(one[rank::processes], other)


def test_batches_that_cannot_be_shared_are_refused(data, monkeypatch):
    monkeypatch.setattr(distributed, "count", lambda: 3)
    message = "3 processes cannot share batches of 4; choose a batch_size that their number divides"
    with pytest.raises(TrainingError, match=message):
        fit(network(), VOCSegmentation(data, "train"), recipe=RECIPE, runtime=CPU)


def test_the_processes_draw_dropout_of_their_own(monkeypatch):
    monkeypatch.setattr(distributed, "count", lambda: 2)
    seeds = []
    for step in range(50):
        for rank in range(2):
            monkeypatch.setattr(distributed, "rank", lambda rank=rank: rank)
            seeds.append(draws.step_seed(RECIPE, step))
    assert len(set(seeds)) == 100


# ---------------------------------------------------------------- two processes on one machine


def member(rank, count, port, pipe, work, arguments):
    """One of the processes, as torchrun would start it; it sends what `work` returns."""
    torch.set_num_threads(1)
    address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    os.environ.update(address, RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(count))
    try:
        with distributed.processes(CPU.device):
            assert (distributed.rank(), distributed.count()) == (rank, count)
            pipe.send(work(*arguments))
    except ProcessLost as error:
        pipe.send(f"lost: {error}")


def start(work, *arguments, count=2):
    """Start processes that all do `work`. Returns the processes and a pipe from each."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    members, pipes = [], []
    for rank in range(count):
        pipe, other_end = PROCESSES.Pipe(duplex=False)
        words = (rank, count, port, other_end, work, arguments)
        members.append(PROCESSES.Process(target=member, args=words, daemon=True))
        members[-1].start()
        other_end.close()
        pipes.append(pipe)
    return members, pipes


def together(work, *arguments, count=2) -> list:
    """What each of the processes returns from `work`."""
    members, pipes = start(work, *arguments, count=count)
    results = [heard(pipe) for pipe in pipes]
    for process in members:
        process.join(PATIENCE)
        assert process.exitcode == 0
    return results


def heard(pipe):
    assert pipe.poll(PATIENCE), f"nothing heard for {PATIENCE} seconds"
    return pipe.recv()


class Noted(VOCSegmentation):
    """A data set that notes which images were asked for."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.asked = []

    def __getitem__(self, index):
        self.asked.append(index)
        return super().__getitem__(index)


def counted(data):
    """Score a network whose norms have seen something else in each process."""
    val, model = Noted(data, "val"), lively(network())
    for values in model.buffers():
        if values.is_floating_point():
            values.mul_(1 + distributed.rank())
    matrix = evaluate(model, val, None, CPU, progress=False)
    return val.asked, matrix.counts.tolist(), matrix.void_counts.tolist()


@unix
def test_each_validation_image_is_counted_once(data):
    (asked, counts, void), (other_asked, *other) = together(counted, data)
    assert [asked, other_asked] == [[0, 2, 4], [1, 3]]
    assert other == [counts, void]  # all get the counts of the whole
    ((asked, *alone),) = together(counted, data, count=1)
    assert asked == [0, 1, 2, 3, 4] and alone == [counts, void]
    assert sum(map(sum, counts)) + sum(void) == 5 * 48 * 64 and sum(void) > 0
    assert sum(any(column) for column in zip(*counts, strict=True)) > 1  # it can tell classes apart


def trained(data, folder):
    """Train, writing slowly; return losses, scores, weights, what was written, and the last step.

    The last step is what a reader of the files finds as soon as `fit` has returned.
    """
    written, replace_at_once = [], os.replace

    def replace_slowly(old, new):
        written.append(Path(new).name)
        time.sleep(0.2)
        replace_at_once(old, new)

    os.replace = replace_slowly
    resuming.remove_leftovers = lambda path: written.append("cleaned")
    model = network()
    history = fit(
        model,
        VOCSegmentation(data, "train"),
        VOCSegmentation(data, "val"),
        RECIPE,
        evaluations=2,
        runtime=CPU,
        progress=False,
        checkpoint=folder / "net.pt",
        watch=lambda history: written.append("watched"),
    )
    last_step = checkpoints.read(folder / "net.last.pt")["training"]["step"]
    weights = {name: value.numpy() for name, value in model.state_dict().items()}
    return history.steps, history.scores, weights, written, last_step


def trained_by_hand(data, processes=2):
    """Each step: one network, the gradients of the mean of the losses of all shares."""
    model = network().train()
    optimizer, losses = new_optimizer(model, RECIPE), []
    draws = Draws(VOCSegmentation(data, "train"), RECIPE)
    for step, (images, masks) in enumerate(batches(draws, 0, 0)):
        for group in optimizer.param_groups:
            group["lr"] = 0.01 * (1 - step / 6) ** 0.9
        shares = [
            pixel_loss(model(normalize(images[rank::processes])), masks[rank::processes])
            for rank in range(processes)
        ]
        loss = sum(shares) / processes
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, {name: value.detach() for name, value in model.named_parameters()}


@unix
def test_training_together_against_the_same_by_hand(data, tmp_path, one_thread):
    first, second = together(trained, data, tmp_path)
    steps, scores, weights, written, _ = first
    assert (steps, scores) == second[:2] and len(scores) == 2
    beginning = {name: value.detach() for name, value in network().named_parameters()}
    losses, parameters = trained_by_hand(data)
    assert [row["loss"] for row in steps] == pytest.approx(losses, rel=1e-3)
    assert len(losses) == 6 and losses[-1] < losses[0]
    together_moved, by_hand_moved = (
        torch.cat([(to[name] - before).flatten() for name, before in beginning.items()])
        for to in ({name: torch.from_numpy(value) for name, value in weights.items()}, parameters)
    )
    assert (together_moved - by_hand_moved).norm() < 0.02 * by_hand_moved.norm()
    assert all((weights[name] == second[2][name]).all() for name in weights)
    # Only the first cleans up and writes: at the start; after step 3, with a score that is better
    # than none; and after each pass over the six images, at steps 2, 3, 5 and 6.
    while written[0] == "cleaned":
        del written[0]
    assert written[:1] == ["net.last.pt"] and written.count("net.last.pt") == 5
    assert written.count("watched") == 4 and "net.pt" in written
    assert second[3] == []
    assert first[4] == second[4] == 6  # nobody returns before the files are written
    stored = checkpoints.read(tmp_path / "net.last.pt")["state"]
    assert all((stored[name].numpy() == weights[name]).all() for name in weights)


def frozen_unet():
    torch.manual_seed(0)
    return lively(networks.build("unet", 3, "resnet18", weights=None), size=(32, 48))


def trained_frozen(data):
    """Train two steps with a frozen part; return the weights."""
    recipe = replace(RECIPE, images=8, frozen_norms=True, frozen_stages=2)
    model = frozen_unet()
    fit(model, VOCSegmentation(data, "train"), recipe=recipe, runtime=CPU, progress=False)
    return {name: value.numpy() for name, value in model.state_dict().items()}


@unix
def test_what_is_frozen_stays_so_in_all_processes(data):
    first, second = together(trained_frozen, data)
    before = frozen_unet().state_dict()
    parameters = dict(frozen_unet().named_parameters())
    encoder = [name for name in before if name.startswith("encoder")]
    same = {name for name in encoder if (first[name] == before[name].numpy()).all()}
    kept = {name for name in encoder if name.startswith(("encoder.stages.0", "encoder.stages.1"))}
    kept |= set(encoder) - set(parameters)  # the statistics
    assert same == kept
    assert all((first[name] == second[name]).all() for name in parameters)


def resumed_each_with_a_folder(data, folder):
    """Go on from a file that only process 0 has."""
    place = folder if distributed.rank() == 0 else folder / "elsewhere"
    options = {"recipe": RECIPE, "runtime": CPU, "progress": False, "resume": True}
    with pytest.raises(TrainingError, match="not all processes found the same file"):
        fit(network(), VOCSegmentation(data, "train"), checkpoint=place / "net.pt", **options)


@unix
def test_machines_without_a_shared_folder_do_not_go_on(data, tmp_path):
    fit(
        network(),
        VOCSegmentation(data, "train"),
        recipe=RECIPE,
        runtime=CPU,
        progress=False,
        checkpoint=tmp_path / "net.pt",
    )
    assert together(resumed_each_with_a_folder, data, tmp_path) == [None, None]


@pytest.mark.parametrize("rank", [0, 1])
def test_only_the_first_process_writes_curves(data, tmp_path, monkeypatch, rank):
    made = []

    def enough(*arguments, **options):
        raise TrainingError("enough")

    monkeypatch.setattr(distributed, "rank", lambda: rank)
    monkeypatch.setattr(commands, "TensorBoard", made.append)
    monkeypatch.setattr(training, "fit", enough)
    words = ["train", "--data", str(data), "--model", "unet_plain", "--tensorboard", "curves"]
    assert shell.main([*words, "--output", str(tmp_path / "net.pt")]) == 1
    assert made == (["curves"] if rank == 0 else [])


def trained_for_long(data, folder):
    recipe = replace(RECIPE, images=100_000)
    begun = (folder / "begun").touch
    train_set = VOCSegmentation(data, "train")
    fit(network(), train_set, recipe=recipe, runtime=CPU, progress=False, watch=lambda _: begun())


@unix
@pytest.mark.parametrize("killed", [0, 1])
@pytest.mark.parametrize("delay", [0.0, 0.11, 0.23])
def test_the_loss_of_a_process_is_noticed_and_said(data, tmp_path, killed, delay):
    members, pipes = start(trained_for_long, data, tmp_path)
    wait_for((tmp_path / "begun").exists)
    time.sleep(delay)
    members[killed].kill()
    other = 1 - killed
    assert heard(pipes[other]) == (
        f"lost: process {other} of 2 stops: another process of this training has ended. "
        "Look for its message above; then start again with --resume."
    )
    members[other].join(PATIENCE)
    assert members[other].exitcode == 0


def wait_for(condition):
    """Wait until the condition holds."""
    given_up = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < given_up, f"nothing for {PATIENCE} seconds"
        time.sleep(0.02)


# ---------------------------------------------------------------- torchrun


def torchrun(folder, data, *words):
    """Start `python -m seglab train` twice; `folder/logs` gets what each of them prints."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node=2", "--redirects=3", "--log-dir", str(folder / "logs")]
    command += ["-m", "seglab", "train", "--data", str(data), "--model", "unet_plain"]
    command += ["--output", str(folder / "runs" / "net.pt"), "--evaluations", "4"]
    command += ["--images", "160", "--longest-side", "64", "--crop", "32", "48", *words]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    environment.pop("SEGLAB_BUDGET", None)
    return subprocess.Popen(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def printed(folder, rank, stream="stdout") -> str:
    """What a process printed when it was last started."""
    logs = sorted((folder / "logs").glob(f"*/attempt_0/{rank}/{stream}.log"), key=os.path.getmtime)
    return logs[-1].read_text()


@pytest.fixture(scope="module")
def finished(data, tmp_path_factory):
    """The folder of a training by two processes, from its start to its end."""
    folder = tmp_path_factory.mktemp("torchrun")
    job = torchrun(folder, data)
    text, _ = job.communicate(timeout=PATIENCE)
    assert job.returncode == 0, text + printed(folder, 0, "stderr") + printed(folder, 1, "stderr")
    return folder


@unix
def test_only_the_first_process_prints_and_writes(finished):
    files = sorted(path.name for path in (finished / "runs").iterdir())
    assert files == ["net.csv", "net.json", "net.last.pt", "net.pt"]
    lines = printed(finished, 0).splitlines()
    (about,) = (li for li in lines if li.startswith("6 training and 5 validation images, 3 class"))
    assert "CPU" in about and about.endswith("2 process(es)")
    assert sum(line.startswith("wrote ") for line in lines) == 1
    assert printed(finished, 1) == "" and printed(finished, 1, "stderr") == ""


@unix
def test_two_processes_find_the_mean_iou_that_one_finds(finished, data, one_thread):
    best = networks.load(finished / "runs" / "net.pt")
    val = VOCSegmentation(data, "val")
    matrix = evaluate(best.model, val, best.longest_side, CPU, progress=False)
    scores = History.from_json(finished / "runs" / "net.json").scores
    assert [row["step"] for row in scores] == [10, 20, 30, 40]
    assert max(row["mean_iou"] for row in scores) == matrix.mean_iou
    assert printed(finished, 0).endswith(f"{matrix.table(TINY_CLASSES)}\n")


@pytest.mark.skipif(sys.platform != "linux", reason="finds a process by its place in /proc")
def test_a_killed_process_ends_the_job_and_it_can_go_on(finished, data, tmp_path):
    last = resuming.last_of(tmp_path / "runs" / "net.pt")
    job = torchrun(tmp_path, data)
    wait_for(lambda: last.exists() and checkpoints.read(last)["training"]["step"] >= 2)
    os.kill(process_number(tmp_path, 1), signal.SIGKILL)
    text, _ = job.communicate(timeout=PATIENCE)
    assert job.returncode != 0
    assert "Signal 9 (SIGKILL) received by PID" in text
    assert process_number(tmp_path, 0) is None
    assert 2 <= checkpoints.read(last)["training"]["step"] < 40

    job = torchrun(tmp_path, data, "--resume")
    text, _ = job.communicate(timeout=PATIENCE)
    assert job.returncode == 0, text
    one, other = (
        History.from_json(folder / "runs" / "net.json") for folder in (finished, tmp_path)
    )
    assert one.steps == other.steps and one.scores == other.scores and len(one.steps) == 40
    for name in ("net.pt", "net.last.pt"):
        one, other = (
            checkpoints.read(folder / "runs" / name)["state"] for folder in (finished, tmp_path)
        )
        assert all(torch.equal(one[key], other[key]) for key in one)


def process_number(folder, rank) -> int | None:
    """The process of a rank that writes below a folder, if it runs; Linux only."""
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words, settings = ((place / name).read_bytes() for name in ("cmdline", "environ"))
        except OSError:  # it has just ended, or is somebody else's
            continue
        if str(folder).encode() in words and f"RANK={rank}".encode() in settings.split(b"\0"):
            return int(place.name)
    return None
