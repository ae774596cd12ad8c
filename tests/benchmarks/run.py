"""What the package's choices buy: `uv run python tests/benchmarks/run.py`.

Each line compares ways to do the same, on the same data, in one process. The ways take turns, so
that whatever else the machine does hits all of them; the figure is the median over the turns, and
what counts is the ratio. Before anything is timed, the ways are checked to give the same result.
"""

import io
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from PIL import Image

from seglab import networks
from seglab.fcn import FCN
from seglab.freezing import frozen
from seglab.losses import pixel_loss
from seglab.machine.memory import keep_freed_memory
from seglab.machine.runtime import Runtime
from seglab.metrics import ConfusionMatrix
from seglab.palettes import VOC_PALETTE, colorize, indices_from_rgb, palette_image
from seglab.recipes import recipe_for
from seglab.training import SegmentationLoss, Trainer
from seglab.voc import rooms

HEIGHT, WIDTH, CLASSES = 375, 500, 21


def side_by_side(
    title: str, ways: dict[str, Callable[[], object]], turns: int, calls: int = 1
) -> None:
    """Time all ways in turn and print medians and ratios; the first way is the reference.

    In its turn a way is called once to warm up and then `calls` times, as a loop over a data set
    would call it: what takes less than a millisecond is mostly waking up otherwise.
    """
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(turns):
        for name, way in ways.items():
            way()
            began = time.perf_counter()
            for _ in range(calls):
                way()
            times[name].append((time.perf_counter() - began) / calls)
    medians = {name: statistics.median(values) for name, values in times.items()}
    reference = next(iter(medians.values()))
    print(f"\n{title}")
    for name, median in medians.items():
        print(f"  {name:<52} {1000 * median:9.2f} ms   {median / reference:7.1f} x")


def scene(seed: int = 0) -> np.ndarray:
    """A mask with a few large regions and void borders, as VOC's masks have."""
    rng = np.random.default_rng(seed)
    mask = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    for index in rng.choice(np.arange(1, CLASSES), 6, replace=False):
        y, x = rng.integers(10, HEIGHT - 150), rng.integers(10, WIDTH - 180)
        h, w = rng.integers(40, 140), rng.integers(40, 160)
        mask[y - 3 : y + h + 3, x - 3 : x + w + 3] = 255
        mask[y : y + h, x : x + w] = index
    return mask


# ---------------------------------------------------------------- reading masks


def cube_table() -> np.ndarray:
    """The class of each of the 16.7 million colours, as Dive into Deep Learning looks it up.

    Written from the description of the method: one cell of a 256 x 256 x 256 cube for each
    colour, 64-bit, zero (background) where no class has the colour.
    """
    cube = np.zeros((256, 256, 256), dtype=np.int64)
    for index in [*range(CLASSES), 255]:
        red, green, blue = VOC_PALETTE[index]
        cube[red, green, blue] = index
    return cube.reshape(-1)


def look_up(table: np.ndarray, rgb: np.ndarray) -> np.ndarray:
    wide = rgb.astype(np.int32)
    return table[wide[..., 0] * 65536 + wide[..., 1] * 256 + wide[..., 2]]


def compare_with_each(rgb: np.ndarray) -> np.ndarray:
    mask = np.zeros(rgb.shape[:2], dtype=np.uint8)
    for index in [*range(CLASSES), 255]:
        mask[(rgb == VOC_PALETTE[index]).all(-1)] = index
    return mask


def mask_reading() -> None:
    mask = scene()
    as_palette, as_rgb = io.BytesIO(), io.BytesIO()
    palette_image(mask).save(as_palette, format="PNG")
    Image.fromarray(colorize(mask)).save(as_rgb, format="PNG")

    def rgb_of(file: io.BytesIO) -> np.ndarray:
        return np.asarray(Image.open(file).convert("RGB"))

    tracemalloc.start()
    began = time.perf_counter()
    table = cube_table()
    build_seconds = time.perf_counter() - began
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    ways = {
        "palette PNG as indices (seglab's reader)": lambda: np.array(Image.open(as_palette)),
        "colour PNG, small table (seglab's indices_from_rgb)": lambda: indices_from_rgb(
            rgb_of(as_rgb)
        ),
        "palette PNG to colours, 256^3 table": lambda: look_up(table, rgb_of(as_palette)),
        "colour PNG, 256^3 table": lambda: look_up(table, rgb_of(as_rgb)),
        "colour PNG, 22 comparisons": lambda: compare_with_each(rgb_of(as_rgb)),
    }
    for name, way in ways.items():
        assert np.array_equal(way(), mask), name
    side_by_side(f"Reading a mask of {WIDTH} x {HEIGHT} pixels, file included", ways, 15, calls=5)
    rgb = colorize(mask)
    lookups = {
        "small table, built anew each time (seglab)": lambda: indices_from_rgb(rgb),
        "256^3 table, built before": lambda: look_up(table, rgb),
        "22 comparisons": lambda: compare_with_each(rgb),
    }
    side_by_side("Colours to indices only", lookups, 15, calls=5)
    small_seconds = []
    for _ in range(25):
        began = time.perf_counter()
        indices_from_rgb(rgb[:1, :1])
        small_seconds.append(time.perf_counter() - began)
    small_bytes = 6**3 * 2  # VOC's channels take five values, and one more rank for all others
    print(
        f"  tables: 256^3 built in {1000 * build_seconds:.0f} ms and {peak / 1e6:.0f} MB; "
        f"seglab's in under {1000 * statistics.median(small_seconds):.2f} ms "
        f"and about {small_bytes} bytes"
    )


# ---------------------------------------------------------------- confusion matrix


def torchvisions_reference_way(target: torch.Tensor, prediction: torch.Tensor) -> torch.Tensor:
    """What `ConfusionMatrix.update` of references/segmentation/utils.py in torchvision's repository
    computes, with the arguments as its train.py gives them, flat and int64: pick the labelled
    pixels, then count. Written anew from that description.
    """
    labelled = (target >= 0) & (target < CLASSES)
    pairs = CLASSES * target[labelled].to(torch.int64) + prediction[labelled]
    return torch.bincount(pairs, minlength=CLASSES**2).reshape(CLASSES, CLASSES)


def confusion_matrices() -> None:
    from sklearn.metrics import confusion_matrix
    from torchmetrics.classification import MulticlassConfusionMatrix

    target = scene()
    rng = np.random.default_rng(1)
    wrong = rng.integers(0, CLASSES, target.shape, dtype=np.uint8)
    right = np.where(target == 255, 0, target)
    prediction = np.where(rng.random(target.shape) < 0.9, right, wrong).astype(np.uint8)
    narrow = torch.from_numpy(prediction), torch.from_numpy(target)
    wide = narrow[0].long(), narrow[1].long()
    options = {"num_classes": CLASSES, "ignore_index": 255}
    as_given = MulticlassConfusionMatrix(**options)
    unchecked = MulticlassConfusionMatrix(**options, validate_args=False)

    def ours(pair) -> np.ndarray:
        matrix = ConfusionMatrix(CLASSES)
        matrix.update(*pair)
        return matrix.counts.numpy()

    def torchvision() -> np.ndarray:
        return torchvisions_reference_way(wide[1].flatten(), wide[0].flatten()).numpy()

    def torchmetrics(theirs: MulticlassConfusionMatrix) -> np.ndarray:
        theirs.reset()
        theirs.update(*wide)
        return theirs.compute().numpy()

    def scikit_learn() -> np.ndarray:
        valid = target != 255
        return confusion_matrix(target[valid], prediction[valid], labels=np.arange(CLASSES))

    ways = {
        "seglab, uint8 (as the reader and predict give it)": lambda: ours(narrow),
        "seglab, int64": lambda: ours(wide),
        "torchvision's reference way, int64": torchvision,
        "torchmetrics, int64, default argument checks": lambda: torchmetrics(as_given),
        "torchmetrics, int64, argument checks off": lambda: torchmetrics(unchecked),
        "scikit-learn": scikit_learn,
    }
    expected = scikit_learn()
    for name, way in ways.items():
        assert np.array_equal(way(), expected), name
    side_by_side(
        f"Confusion matrix, {CLASSES} classes, {WIDTH} x {HEIGHT} pixels", ways, 15, calls=5
    )


# ---------------------------------------------------------------- training step


def stepper(memory_format: torch.memory_format) -> Callable[[], None]:
    """A function that trains FCN-8s on EfficientNet-Lite0 for one step of 4 images."""
    torch.manual_seed(0)
    images = torch.randn(4, 3, 192, 256).contiguous(memory_format=memory_format)
    masks = torch.randint(0, CLASSES, (4, 192, 256))
    model = FCN(CLASSES, 8, weights=None).to(memory_format=memory_format).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)

    def step() -> None:
        optimizer.zero_grad()
        pixel_loss(model(images), masks).backward()
        optimizer.step()

    return step


STEP = "Training step, FCN-8s on EfficientNet-Lite0, 4 images of 192 x 256"


def training_steps() -> None:
    keep_freed_memory()
    ways = {
        "channels last (seglab)": stepper(torch.channels_last),
        "channels first (torch's default)": stepper(torch.contiguous_format),
    }
    side_by_side(f"{STEP}: order in memory", ways, 12)


def frozen_steps() -> None:
    """What it saves to freeze parts of a backbone; these ways do not give the same result."""
    recipe, train = recipe_for("unet"), rooms("train")
    recipes = {
        "as the recipe freezes (seglab)": recipe,
        "depthwise kernels learn": replace(recipe, frozen_depthwise=False),
        "nothing is frozen": recipe.from_scratch(),
    }
    images = torch.randint(0, 256, (4, 3, *recipe.crop), dtype=torch.uint8)
    masks = torch.randint(0, CLASSES, (4, *recipe.crop), dtype=torch.uint8)
    with ExitStack() as stack:
        ways = {}
        for name, variant in recipes.items():
            model = networks.build("unet", CLASSES)
            stack.enter_context(frozen(model, variant))
            runtime = Runtime(torch.device("cpu"))
            loss = SegmentationLoss(train, variant, runtime)
            trainer = Trainer(model, variant, runtime, loss)
            ways[name] = partial(trainer.train_on, images, masks)
        side_by_side("Training step, U-Net on EfficientNet-Lite0: what is frozen", ways, 20)


def memory_keeping() -> None:
    """A process cannot go back to its first settings, so each way runs in processes of its own."""

    def milliseconds(way: str) -> float:
        command = [sys.executable, __file__, way]
        return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    turns = [(milliseconds("keep"), milliseconds("give-back")) for _ in range(2)]
    keep, give_back = (statistics.mean(values) for values in zip(*turns, strict=True))
    print(f"\n{STEP}: freed memory")
    for name, value in (("kept (seglab)", keep), ("given back (Linux's default)", give_back)):
        print(f"  {name:<52} {value:9.2f} ms   {value / keep:7.1f} x")


def one_way(way: str) -> None:
    """In a process of its own: print the median time of a step in milliseconds."""
    if way == "keep":
        keep_freed_memory()
    step, times = stepper(torch.channels_last), []
    for _ in range(25):
        began = time.perf_counter()
        step()
        times.append(time.perf_counter() - began)
    print(1000 * statistics.median(times[5:]))


if __name__ == "__main__" and len(sys.argv) > 1:
    one_way(sys.argv[1])
elif __name__ == "__main__":
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    mask_reading()
    confusion_matrices()
    memory_keeping()
    training_steps()
    frozen_steps()
