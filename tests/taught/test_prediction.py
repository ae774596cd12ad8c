"""Prediction at any size, what is written, and checkpoints."""

import csv
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from helpers import REPOSITORY, TINY_CLASSES, lively, painted, palette_by_hand, small_network
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import nn

from seglab import networks
from seglab.fcn import FCN
from seglab.machine.checkpoints import CheckpointError
from seglab.machine.files import written_whole
from seglab.machine.runtime import default_runtime
from seglab.machine.windows import (
    blended_scores,
    edge_distance,
    window_positions,
)
from seglab.networks import Trained
from seglab.palettes import VOC_PALETTE
from seglab.prediction import (
    Segmentation,
    class_scores,
    largest_class,
    logits_of,
    overlay,
    predict,
    segment,
    shares_to_csv,
    sliding_window,
)
from seglab.transforms import normalize, resize_image
from seglab.voc import DatasetError


class ByColor(nn.Module):
    """Says which of grey, red and blue a pixel is: a network whose right answer is known."""

    def forward(self, x):
        red, _, blue = x.unbind(1)
        return torch.stack([torch.full_like(red, 1.5), red - blue, blue - red], dim=1)


# ---------------------------------------------------------------- largest class


@given(
    st.integers(1, 6),
    st.integers(1, 9),
    st.integers(1, 9),
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(0, 99),
)
@settings(max_examples=80)
def test_largest_class_is_argmax_of_interpolate(classes, h, w, height, width, seed):
    logits = torch.randn(2, classes, h, w, generator=torch.Generator().manual_seed(seed))
    got = largest_class(logits, (height, width))
    assert got.shape == (2, height, width) and got.dtype == torch.uint8
    full = F.interpolate(logits, size=(height, width), mode="bilinear")
    chosen = full.gather(1, got[:, None].long())[:, 0]
    assert (chosen >= full.amax(1) - 1e-5).all()  # equal up to ties
    clear = full.topk(min(2, classes), 1).values
    clear = (clear[:, 0] - clear[:, -1] > 1e-4) if classes > 1 else clear[:, 0] == clear[:, 0]
    assert torch.equal(got[clear].long(), full.argmax(1)[clear])


def test_largest_class_with_more_than_127_classes():
    logits = torch.zeros(1, 255, 2, 2)
    logits[:, 254] = 1
    assert (largest_class(logits, (4, 4)) == 254).all()
    assert (largest_class(logits, (2, 2)) == 254).all()


# ---------------------------------------------------------------- predict


@pytest.mark.parametrize(
    "size", [(32, 32), (1, 1), (5, 400), (400, 5), (31, 33), (100, 77), (1, 64), (64, 1)]
)
@pytest.mark.parametrize("longest_side", [None, 64])
def test_predict_gives_a_map_of_the_images_size(size, longest_side):
    torch.manual_seed(0)
    model = FCN(3, 32, "resnet18", weights=None)
    image = torch.randint(0, 256, (3, *size), dtype=torch.uint8)
    mask = predict(model, image, longest_side)
    assert mask.shape == size and mask.dtype == torch.uint8 and mask.max() < 3


@pytest.mark.parametrize("longest_side", [None, 30, 200])
def test_predict_is_right_when_the_network_is(longest_side):
    rng = np.random.default_rng(0)
    truth = np.zeros((90, 120), dtype=np.uint8)
    truth[10:50, 10:60], truth[50:80, 70:110] = 1, 2
    image = torch.from_numpy(painted(truth, rng)).permute(2, 0, 1)
    agreed = predict(ByColor(), image, longest_side).numpy() == truth
    assert agreed.mean() > 0.93
    if longest_side is None:
        assert agreed.all()


def test_a_senseless_longest_side_is_refused():
    with pytest.raises(ValueError, match="longest_side"):
        predict(ByColor(), torch.zeros(3, 40, 40, dtype=torch.uint8), -320)


def test_the_network_sees_the_size_it_was_told():
    seen = []

    class Spy(ByColor):
        def forward(self, x):
            seen.append(tuple(x.shape[-2:]))
            return super().forward(x)

    image = torch.zeros(3, 100, 200, dtype=torch.uint8)
    for side in (None, 80, 400, 10):
        predict(Spy(), image, side)
    predict(Spy(), torch.zeros(3, 5, 400, dtype=torch.uint8))
    assert seen == [(100, 200), (40, 80), (200, 400), (32, 32), (32, 400)]


def test_batches_and_dicts():
    images = torch.randint(0, 256, (3, 3, 40, 50), dtype=torch.uint8)
    together = predict(ByColor(), images)
    assert together.shape == (3, 40, 50)
    for image, mask in zip(images, together, strict=True):
        assert torch.equal(predict(ByColor(), image), mask)

    class InDict(ByColor):
        def forward(self, x):
            return {"out": super().forward(x), "aux": torch.zeros(1)}

    assert torch.equal(predict(InDict(), images), together)
    logits = torch.zeros(2)
    assert logits_of(logits) is logits and logits_of({"out": logits}) is logits


def test_predict_switches_to_evaluation_mode_and_repeats_itself():
    model = small_network().train()
    image = torch.randint(0, 256, (3, 40, 48), dtype=torch.uint8)
    first = predict(model, image)
    assert not model.training and torch.equal(predict(model, image), first)


# ---------------------------------------------------------------- mirror images and scales


class Spy(ByColor):
    """Remembers the sizes it was shown."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, x):
        self.seen.append(tuple(x.shape[-2:]))
        return super().forward(x)


def random_image(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


def noisy_network(seed=0):
    """Per pixel and its neighbours, so that mirror image and scale change what it says."""
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 4, 3, padding=1))


@pytest.mark.parametrize("longest_side", [None, 50, 130])
def test_without_options_predict_is_plain_argmax_of_logits(longest_side):
    image = random_image(3, 70, 100)
    size = {None: (70, 100), 50: (35, 50), 130: (91, 130)}[longest_side]
    model = noisy_network().to(memory_format=torch.channels_last)
    shown = image[None] if longest_side is None else resize_image(image[None], size)
    with torch.no_grad():
        logits = model(normalize(shown).contiguous(memory_format=torch.channels_last))
    expected = largest_class(logits, (70, 100))[0]
    assert torch.equal(predict(model, image, longest_side), expected)
    assert torch.equal(predict(model, image, longest_side, None, False, [1]), expected)
    scores = class_scores(model, image[None], size, default_runtime())
    assert torch.equal(scores, logits) and not scores.requires_grad


def test_flip_averages_the_probabilities_of_image_and_mirror_image():
    model, image = noisy_network(), random_image(3, 40, 52)
    with torch.no_grad():
        plain = model(normalize(image)[None]).softmax(1)
        mirrored = model(normalize(image.flip(-1))[None]).softmax(1).flip(-1)
    scores = class_scores(model, image[None], (40, 52), default_runtime(), flip=True)
    torch.testing.assert_close(scores, (plain + mirrored) / 2)
    both = predict(model, image, flip=True)
    assert torch.equal(both, scores.argmax(1)[0].to(torch.uint8))
    assert (both != predict(model, image)).any()
    assert torch.equal(predict(model, image.flip(-1), flip=True), both.flip(-1))


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("longest_side", [None, 64])
def test_scales_are_averaged_at_the_size_of_the_plain_view(flip, longest_side):
    model, image = noisy_network(), random_image(3, 80, 120)
    height, width = size = (80, 120) if longest_side is None else (43, 64)
    scales = (0.5, 1.0, 1.7)
    total = torch.zeros(1, 4, *size)
    for scale in scales:
        scaled = max(32, round(height * scale)), max(32, round(width * scale))
        for mirrored in (False, True)[: 1 + flip]:
            view = resize_image(image.flip(-1) if mirrored else image, scaled)
            with torch.no_grad():
                logits = model(normalize(view)[None])
            part = F.interpolate(logits, size=size, mode="bilinear").softmax(1)
            total += part.flip(-1) if mirrored else part
    mean = total / (6 if flip else 3)
    scores = class_scores(model, image[None], size, default_runtime(), flip, scales)
    torch.testing.assert_close(scores, mean, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(scores.sum(1), torch.ones(1, *size))
    mask = predict(model, image, longest_side, None, flip, scales)
    assert torch.equal(mask, largest_class(scores, (80, 120))[0])


def test_the_network_sees_each_scale_and_mirror_image():
    spy = Spy()
    predict(spy, random_image(3, 100, 200), 80, flip=True, scales=(0.5, 1, 1.25))
    assert spy.seen == [(32, 40)] * 2 + [(40, 80)] * 2 + [(50, 100)] * 2


def test_one_other_scale_is_another_size_for_the_network():
    image = random_image(3, 64, 96)
    half = predict(noisy_network(), image, scales=(0.5,))
    assert torch.equal(half, predict(noisy_network(), image, longest_side=48))
    assert (half != predict(noisy_network(), image)).any()


def test_options_work_on_batches_and_on_models_with_coarse_logits():
    class Coarse(nn.Module):
        def forward(self, x):
            return {"out": F.avg_pool2d(ByColor()(x), 4)}

    images = random_image(3, 3, 40, 50)
    together = predict(Coarse(), images, flip=True, scales=(1, 2))
    assert together.shape == (3, 40, 50)
    for image, mask in zip(images, together, strict=True):
        assert torch.equal(predict(Coarse(), image, flip=True, scales=(1, 2)), mask)


@pytest.mark.parametrize("scales", [(), (0,), (1, -1), (float("nan"),), (float("inf"),)])
def test_senseless_scales_are_refused(scales):
    image = random_image(3, 40, 40)
    for call in (
        lambda: predict(ByColor(), image, scales=scales),
        lambda: sliding_window(ByColor(), image, scales=scales),
        lambda: segment(image, ByColor(), scales=scales),
    ):
        with pytest.raises(ValueError, match=r"scales are one or more factors above 0.*found"):
            call()


# ---------------------------------------------------------------- windows


@given(st.integers(1, 3000), st.integers(1, 600), st.floats(0, 1, exclude_max=True))
def test_windows_cover_everything_and_overlap_as_asked(length, window, overlap):
    window = min(window, length)
    positions = window_positions(length, window, overlap)
    assert positions[0] == 0 and positions[-1] == length - window
    steps = np.diff(positions)
    assert (steps >= 1).all() and (steps <= max(1, window * (1 - overlap))).all()
    stride = max(1, int(window * (1 - overlap)))
    assert len(positions) == 1 + -(-(length - window) // stride)  # and no more than needed


def test_window_positions_by_hand():
    assert window_positions(512, 512, 0.25) == [0]
    assert window_positions(1024, 512, 0) == [0, 512]
    assert window_positions(1025, 512, 0) == [0, 256, 513]
    assert window_positions(10, 4, 0.5) == [0, 2, 4, 6]
    assert window_positions(5, 3, 0.99) == [0, 1, 2]


def test_weights_fall_off_towards_the_edge_and_are_never_zero():
    assert edge_distance(5).tolist() == [1, 2, 3, 2, 1]
    assert edge_distance(6).tolist() == [1, 2, 3, 3, 2, 1]
    assert edge_distance(1).tolist() == [1]


@given(
    st.integers(1, 150),
    st.integers(1, 150),
    st.integers(32, 90),
    st.floats(0, 0.9),
    st.sampled_from([None, 20, 100, 170]),
    st.booleans(),
    st.integers(0, 99),
)
@settings(max_examples=60)
def test_windows_of_a_network_without_neighbours_give_what_predict_gives(
    height, width, window, overlap, longest_side, flip, seed
):
    torch.manual_seed(seed)
    model = nn.Conv2d(3, 4, 1)
    image = random_image(3, height, width, seed=seed)
    mask = sliding_window(model, image, window, overlap, longest_side, flip=flip)
    assert mask.shape == (height, width) and mask.dtype == torch.uint8
    factor = 1 if longest_side is None else longest_side / max(height, width)
    size = max(32, round(height * factor)), max(32, round(width * factor))
    scores = class_scores(model, image[None], size, default_runtime(), flip)
    scores = F.interpolate(scores, size=(height, width), mode="bilinear")[0]
    top = scores.topk(2, dim=0).values
    clear = top[0] - top[1] > 1e-4  # elsewhere the last digit may decide
    assert clear.float().mean() > 0.98 or clear.numel() < 100
    assert torch.equal(mask[clear], predict(model, image, longest_side, flip=flip)[clear])
    assert (scores.gather(0, mask[None].long())[0] >= top[0] - 1e-4).all()


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize(
    ("size", "longest_side", "scales"),
    [
        ((75, 101), None, (1.0,)),
        ((75, 101), None, (0.5, 1.0)),
        ((75, 101), 64, (1.0,)),
        ((9, 70), None, (1.0,)),
        ((40, 30), 101, (1.0,)),
    ],
)
def test_one_window_is_predict(size, longest_side, scales, flip):
    torch.manual_seed(0)
    model, image = lively(FCN(3, 8, "resnet18", weights=None)), random_image(3, *size)
    whole = predict(model, image, longest_side, None, flip, scales)
    assert len(whole.unique()) > 1
    mask = sliding_window(model, image, 101, 0.5, longest_side, flip=flip, scales=scales)
    assert torch.equal(mask, whole)


def test_the_network_sees_windows_and_no_more():
    spy = Spy()
    sliding_window(spy, random_image(3, 100, 200), 64, 0.25)
    assert spy.seen == [(64, 64)] * 2 * 4
    spy.seen.clear()
    sliding_window(spy, random_image(3, 40, 200), 64, 0, scales=(1, 1.5))
    assert spy.seen == [(40, 64), (60, 96)] * 4
    spy.seen.clear()
    sliding_window(spy, random_image(3, 400, 800), 64, 0, longest_side=128)
    assert spy.seen == [(64, 64)] * 2


def test_windows_leave_no_seams():
    """Far from a window's edge nothing differs from the whole; close to it, it counts little."""
    torch.manual_seed(0)
    model = nn.Sequential(  # it sees two pixels around each; zeros beyond the window's edge
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 4, 3, padding=1)
    )
    image = random_image(3, 192, 256)

    @torch.no_grad()
    def scores_of(part):
        return model(normalize(part)[None])[0]

    def difference(overlap):
        return (blended_scores(scores_of, image, 64, overlap) - scores_of(image)).abs().amax(0)

    near, worst = torch.zeros(192, 256, dtype=torch.bool), 0.0
    for top in range(0, 192 - 63, 32):
        for left in range(0, 256 - 63, 32):
            window = (slice(top, top + 64), slice(left, left + 64))
            alone = (scores_of(image[:, *window]) - scores_of(image)[:, *window]).abs().amax(0)
            assert alone[2:-2, 2:-2].max() < 1e-5
            near[window] |= alone > 1e-5
            worst = max(worst, alone.max().item())
    hard, soft = difference(0), difference(0.5)
    assert 0.1 < near.float().mean() < 0.5 and hard.max() > 0.1
    assert soft[~near].max() < 1e-5
    # With half overlap the last two rows of a window have weights 2 and 1 of 33; across as well.
    assert soft.max() < 2 * 2 / 33 * worst + 1e-5
    whole = predict(model, image)
    wrong = [(sliding_window(model, image, 64, o) != whole).sum().item() for o in (0, 0.5)]
    assert wrong[1] < 0.2 * wrong[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": 31}, "window is at least 32 pixels.*found 31"),
        ({"window": 0}, "window is at least 32"),
        ({"overlap": 1.0}, r"overlap is a share, from 0 to less than 1.*found 1\.0"),
        ({"overlap": 128}, "overlap is a share.*found 128"),
        ({"overlap": -0.1}, "overlap is a share"),
        ({"overlap": float("nan")}, "overlap is a share"),
        ({"longest_side": 0}, "longest_side is at least 1"),
    ],
)
def test_senseless_windows_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        sliding_window(ByColor(), random_image(3, 40, 40), **options)


def test_windows_want_one_image_of_bytes():
    with pytest.raises(ValueError, match=r"one image \[3, H, W\]; found shape \(2, 3, 40, 40\)"):
        sliding_window(ByColor(), random_image(2, 3, 40, 40))
    with pytest.raises(TypeError, match="uint8"):
        sliding_window(ByColor(), torch.rand(3, 40, 40))


def test_windows_switch_to_evaluation_mode_and_take_dicts_and_coarse_logits():
    class Coarse(nn.Module):
        def forward(self, x):
            assert not self.training
            return {"out": F.avg_pool2d(ByColor()(x), 4)}

    truth = np.repeat(np.array([[0, 1, 2]], dtype=np.uint8), 60, 1).repeat(150, 0)
    image = torch.from_numpy(painted(truth, np.random.default_rng(0))).permute(2, 0, 1)
    mask = sliding_window(Coarse().train(), image, 64)
    assert (mask.numpy() == truth).mean() > 0.97


def test_the_bar_counts_windows(capsys):
    sliding_window(ByColor(), random_image(3, 100, 200), 64, progress=True)
    assert "/8" in capsys.readouterr().err
    sliding_window(ByColor(), random_image(3, 100, 200), 64)
    assert capsys.readouterr().err == ""


# Linux counts for ru_maxrss what the parent process held when it started this one; VmHWM is ours.
LARGE_PHOTO = """
import re, resource, sys
from pathlib import Path
import torch
from seglab import networks
from seglab.prediction import sliding_window

model = networks.build("fcn8s", 21, weights=None)
photo = torch.randint(0, 256, (4000, 6000, 3), dtype=torch.uint8).permute(2, 0, 1)
mask = sliding_window(model, photo, 512, overlap=0)
assert mask.shape == (4000, 6000)
if sys.platform == "linux":
    peak = re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())
    print(int(peak[1]) * 1024)
else:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_a_photo_of_24_million_pixels_takes_what_its_scores_take():
    pytest.importorskip("resource")
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", LARGE_PHOTO], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    scores = 4 * 21 * 4000 * 6000  # bytes
    # torch, the photograph and the best score of each pixel take some hundred megabytes each.
    assert scores < int(done.stdout) < scores + 1.5e9


# ---------------------------------------------------------------- results


@pytest.fixture
def result():
    mask = torch.zeros(20, 30, dtype=torch.uint8)
    mask[:5], mask[5:8] = 8, 20
    image = torch.randint(0, 256, (3, 20, 30), dtype=torch.uint8)
    return Segmentation(image, mask, name="photo")


def test_shares_sum_to_one_largest_first(result):
    shares = result.shares()
    assert list(shares.items()) == [
        ("background", pytest.approx(0.6)),
        ("cat", pytest.approx(0.25)),
        ("tvmonitor", pytest.approx(0.15)),
    ]
    assert sum(shares.values()) == pytest.approx(1)


def test_save_writes_a_palette_png_of_the_same_indices(result, tmp_path):
    paths = result.save(tmp_path / "out")
    assert [p.name for p in paths] == ["photo_mask.png", "photo_overlay.png"]
    with Image.open(paths[0]) as picture:
        assert picture.mode == "P"
        np.testing.assert_array_equal(np.asarray(picture), result.mask.numpy())
        colors = np.array(picture.convert("RGB"))
    np.testing.assert_array_equal(colors, palette_by_hand()[result.mask.numpy()])
    with Image.open(paths[1]) as picture:
        np.testing.assert_array_equal(np.asarray(picture), result.overlay())
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [p.name for p in paths]


def test_shares_as_a_table(result, tmp_path):
    other = Segmentation(result.image, torch.full_like(result.mask, 3), name="bird, with comma")
    shares = {one.name: one.shares() for one in (result, other)}
    with open(shares_to_csv(shares, tmp_path / "a" / "shares.csv"), newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["file", "class", "percent"],
        ["photo", "background", "60.00"],
        ["photo", "cat", "25.00"],
        ["photo", "tvmonitor", "15.00"],
        ["bird, with comma", "bird", "100.00"],
    ]
    with open(result.to_csv(tmp_path / "one.csv"), newline="") as file:
        assert list(csv.reader(file)) == rows[:4]


def test_names_of_any_alphabet_in_a_table(tmp_path):
    shares = {"caf\xe9 \u732b \udcff": {"cat": 1.0}}  # the last: a byte that is no letter
    text = shares_to_csv(shares, tmp_path / "shares.csv").read_text(encoding="utf-8")
    assert "caf\xe9 \u732b" in text


def test_overlay_leaves_background_and_mixes_the_rest(result):
    picture = result.image.permute(1, 2, 0).numpy()
    painted_over = result.overlay(0.5)
    assert painted_over.dtype == np.uint8
    background = result.mask.numpy() == 0
    np.testing.assert_array_equal(painted_over[background], picture[background])
    expected = (picture[0].astype(float) + palette_by_hand()[8]) / 2
    assert np.abs(painted_over[0] - expected).max() <= 1
    np.testing.assert_array_equal(result.overlay(0)[~background], picture[~background])
    np.testing.assert_array_equal(result.overlay(1)[0, 0], palette_by_hand()[8])


def test_overlay_paints_index_0_when_it_is_a_class_with_a_color():
    palette = VOC_PALETTE.copy()
    palette[0] = (200, 10, 10)  # "sky" in CamVid is class 0 and no background
    image = torch.zeros(3, 2, 2, dtype=torch.uint8)
    painted_over = overlay(image, torch.zeros(2, 2, dtype=torch.uint8), palette, 1.0)
    assert (painted_over == [200, 10, 10]).all()


def test_segment_takes_a_path_a_tensor_and_all_kinds_of_models(tmp_path):
    trained = Trained(ByColor(), TINY_CLASSES, VOC_PALETTE, 64)
    rgb = painted(np.full((40, 50), 2, dtype=np.uint8), np.random.default_rng(0))
    Image.fromarray(rgb).save(tmp_path / "my photo.png")
    from_path = segment(tmp_path / "my photo.png", trained)
    from_text = segment(str(tmp_path / "my photo.png"), trained)
    from_tensor = segment(torch.from_numpy(rgb).permute(2, 0, 1), trained)
    assert (from_path.name, from_tensor.name) == ("my photo", "image")
    assert from_path.shares() == from_text.shares() == {"blue thing": 1.0}
    assert torch.equal(from_path.mask, from_tensor.mask)
    bare = segment(tmp_path / "my photo.png", ByColor())
    assert bare.shares() == {"bicycle": 1.0}  # VOC's class 2
    with pytest.raises(DatasetError, match="gone"):
        segment(tmp_path / "gone.jpg", trained)


def test_segment_passes_its_options_on():
    model, image = noisy_network(), random_image(3, 90, 120)
    trained = Trained(model, ("a", "b", "c", "d"), VOC_PALETTE, 60)
    views = {"flip": True, "scales": (0.75, 1.5)}
    assert torch.equal(segment(image, trained).mask, predict(model, image, 60))
    assert torch.equal(segment(image, trained, **views).mask, predict(model, image, 60, **views))
    # Windows show the photo at its own size, unless a longest side is given.
    windows = segment(image, trained, window=48, **views).mask
    assert torch.equal(windows, sliding_window(model, image, 48, **views))
    smaller = segment(image, trained, 100, window=48).mask
    assert torch.equal(smaller, sliding_window(model, image, 48, longest_side=100))
    assert not torch.equal(smaller, segment(image, trained, 100).mask)
    with pytest.raises(ValueError, match="window is at least 32"):
        segment(image, trained, window=8)


def test_the_embedded_network_finds_the_cat():
    found = segment(REPOSITORY / "data" / "photos" / "chelsea.jpg")
    assert found.shares().get("cat", 0) > 0.1, found.shares()


# ---------------------------------------------------------------- checkpoints


@pytest.fixture(scope="module")
def trained():
    torch.manual_seed(0)
    model = networks.build("fcn16s", 3, "resnet18", None).eval()
    return Trained(model, TINY_CLASSES, VOC_PALETTE, 96, "trained nowhere")


def save(path, trained, half=False):
    return networks.save(path, trained, half)


def test_checkpoint_round_trip(trained, tmp_path):
    read = networks.load(save(tmp_path / "folder" / "model.pt", trained))
    assert (read.classes, read.longest_side, read.notes) == (TINY_CLASSES, 96, "trained nowhere")
    np.testing.assert_array_equal(read.palette, VOC_PALETTE)
    assert not read.model.training
    images = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(read.model(images), trained.model(images))


def test_half_precision_halves_the_file_and_hardly_changes_the_result(trained, tmp_path):
    whole = save(tmp_path / "whole.pt", trained)
    half = save(tmp_path / "half.pt", trained, half=True)
    assert 0.45 < half.stat().st_size / whole.stat().st_size < 0.6
    read = networks.load(half).model
    assert all(p.dtype == torch.float32 for p in read.parameters())
    images = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        a, b = read(images), trained.model(images)
    torch.testing.assert_close(a, b, rtol=0.05, atol=0.02 * b.abs().max().item())
    assert trained.model.scores[0].weight.dtype == torch.float32  # the original is untouched


def test_a_checkpoint_holds_no_code(trained, tmp_path):
    content = torch.load(save(tmp_path / "model.pt", trained), weights_only=True)
    assert content["seglab"] == 1 and content["name"] == "fcn16s"


def test_a_missing_checkpoint(tmp_path):
    with pytest.raises(CheckpointError, match=r"gone\.pt: no such checkpoint"):
        networks.load(tmp_path / "gone.pt")


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.99])
def test_a_cut_off_checkpoint(trained, tmp_path, share):
    path = save(tmp_path / "model.pt", trained)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(CheckpointError, match=r"model\.pt"):
        networks.load(path)


def foreign_text(path):
    path.write_text("hello")


def foreign_weights(path):
    torch.save(small_network().state_dict(), path)


def foreign_tensor(path):
    torch.save(torch.zeros(3), path)


def foreign_object(path):
    torch.save(small_network(), path)


def foreign_later_version(path):
    torch.save({"seglab": 2, "name": "fcn4s", "classes": ["a"], "backbone": "resnet18"}, path)


def foreign_fields_missing(path):
    torch.save({"seglab": 1}, path)


def foreign_other_weights(path):
    model = small_network()
    model.architecture = {"name": "fcn16s", "backbone": "resnet18"}  # which it is not
    save(path, Trained(model, TINY_CLASSES, VOC_PALETTE, None))


@pytest.mark.parametrize("write", [f for n, f in sorted(globals().items()) if n[:8] == "foreign_"])
def test_a_file_that_is_no_checkpoint_of_ours(tmp_path, write):
    write(tmp_path / "model.pt")
    with pytest.raises(CheckpointError, match=r"model\.pt"):
        networks.load(tmp_path / "model.pt")


def test_build_refuses_unknown_models():
    with pytest.raises(ValueError, match=r"fcn7s.*fcn16s, fcn8s"):
        networks.build("fcn7s", 3)


@pytest.mark.parametrize(("name", "stride"), [("fcn32s", 32), ("fcn16s", 16), ("fcn8s", 8)])
def test_build_makes_what_it_says(name, stride):
    model = networks.build(name, 5, "resnet18", None)
    assert model.to_image_size.stride == (stride, stride)
    assert model.scores[0].out_channels == 5


def test_a_failed_write_leaves_the_old_file(trained, tmp_path, monkeypatch):
    path = save(tmp_path / "model.pt", trained)
    before = path.read_bytes()

    def disk_full(content, file):
        with open(file, "wb") as half:
            half.write(b"half a file")
        raise OSError("No space left on device")

    monkeypatch.setattr(torch, "save", disk_full)
    with pytest.raises(OSError, match="No space"):
        save(path, trained)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["model.pt"]


def test_written_whole_keeps_the_ending_and_makes_the_folder(tmp_path):
    path = tmp_path / "a" / "b" / "picture.png"
    with written_whole(path) as temporary:
        assert temporary.suffix == ".png" and temporary.parent == path.parent
        assert not path.exists()
        temporary.write_text("x")
    assert path.read_text() == "x" and os.listdir(path.parent) == ["picture.png"]
