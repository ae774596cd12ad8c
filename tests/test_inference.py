"""Prediction at any size, what is written, and checkpoints."""

import csv
import os

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from helpers import REPOSITORY, TINY_CLASSES, painted, palette_by_hand, small_network
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import nn

from seglab import checkpoints
from seglab.checkpoints import CheckpointError, Trained
from seglab.fcn import FCN
from seglab.files import written_whole
from seglab.inference import (
    Segmentation,
    largest_class,
    logits_of,
    overlay,
    predict,
    segment,
    shares_to_csv,
)
from seglab.palettes import VOC_PALETTE
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


def test_the_embedded_network_finds_the_cat():
    found = segment(REPOSITORY / "data" / "photos" / "chelsea.jpg")
    assert found.shares().get("cat", 0) > 0.1, found.shares()


# ---------------------------------------------------------------- checkpoints


@pytest.fixture(scope="module")
def trained():
    torch.manual_seed(0)
    model = FCN(3, 16, "resnet18", weights=None).eval()
    return Trained(model, TINY_CLASSES, VOC_PALETTE, 96, "trained nowhere")


def save(path, trained, half=False):
    return checkpoints.save(path, trained, "fcn16s", "resnet18", half)


def test_checkpoint_round_trip(trained, tmp_path):
    read = checkpoints.load(save(tmp_path / "folder" / "model.pt", trained))
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
    read = checkpoints.load(half).model
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
        checkpoints.load(tmp_path / "gone.pt")


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.99])
def test_a_cut_off_checkpoint(trained, tmp_path, share):
    path = save(tmp_path / "model.pt", trained)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(CheckpointError, match=r"model\.pt"):
        checkpoints.load(path)


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
    trained = Trained(small_network(), TINY_CLASSES, VOC_PALETTE, None)
    save(path, trained)


@pytest.mark.parametrize("write", [f for n, f in sorted(globals().items()) if n[:8] == "foreign_"])
def test_a_file_that_is_no_checkpoint_of_ours(tmp_path, write):
    write(tmp_path / "model.pt")
    with pytest.raises(CheckpointError, match=r"model\.pt"):
        checkpoints.load(tmp_path / "model.pt")


def test_the_embedded_checkpoint_knows_vocs_classes():
    from seglab.palettes import VOC_CLASSES

    embedded = checkpoints.load_embedded()
    assert embedded.classes == VOC_CLASSES and embedded.longest_side
    assert embedded.notes


def test_build_refuses_unknown_models():
    with pytest.raises(ValueError, match=r"fcn7s.*fcn16s, fcn8s"):
        checkpoints.build("fcn7s", 3)


@pytest.mark.parametrize(("name", "stride"), [("fcn32s", 32), ("fcn16s", 16), ("fcn8s", 8)])
def test_build_makes_what_it_says(name, stride):
    model = checkpoints.build(name, 5, "resnet18", None)
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
