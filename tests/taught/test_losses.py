"""The losses, and the weights of rare classes."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from seglab.losses import (
    LOSSES,
    balanced_weights,
    class_pixels,
    class_shares,
    dice_loss,
    median_frequency_weights,
    pixel_loss,
)
from seglab.metrics import ConfusionMatrix
from seglab.voc import VOCSegmentation


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


# ---------------------------------------------------------------- Dice


def random_case(seed, classes=4, void=0.3):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, classes, 6, 7, generator=generator) * 3
    masks = torch.randint(0, classes, (2, 6, 7), generator=generator)
    masks[torch.rand(masks.shape, generator=generator) < void] = 255
    masks[0, 0, 0] = 0
    return logits, masks


@given(st.integers(0, 999), st.sampled_from([0, 0.3, 0.95]))
@settings(max_examples=40)
def test_dice_loss_equals_loops_over_classes_and_pixels(seed, void):
    logits, masks = random_case(seed, void=void)
    scores = []
    for index in range(4):
        overlap = area = 0.0
        for n, y, x in np.ndindex(*masks.shape):
            if masks[n, y, x] != 255:
                share = logits[n, :, y, x].double().softmax(0)[index].item()
                true = float(masks[n, y, x] == index)
                overlap, area = overlap + share * true, area + share + true
        if (masks == index).any():
            scores.append(2 * overlap / area)
    expected = 1 - sum(scores) / len(scores)
    assert dice_loss(logits, masks).item() == pytest.approx(expected, abs=1e-5)
    assert dice_loss(logits, masks.to(torch.uint8)).item() == pytest.approx(expected, abs=1e-5)


def test_dice_loss_of_certain_predictions_is_one_minus_the_metric():
    guess = torch.tensor([[[0, 0, 1], [2, 2, 1]]])
    masks = torch.tensor([[[0, 1, 1], [2, 0, 255]]])
    certain = 1000.0 * F.one_hot(guess, 3).permute(0, 3, 1, 2)
    matrix = ConfusionMatrix(3)
    matrix.update(guess, masks)
    assert dice_loss(certain, masks).item() == pytest.approx(1 - matrix.dice.mean().item())


def test_dice_loss_counts_classes_alike_and_follows_weights():
    masks = torch.zeros(1, 10, 10, dtype=torch.long)
    masks[0, 0, 0] = 1
    only_background = torch.stack([torch.full((10, 10), 50.0), torch.zeros(10, 10)])[None]
    loss = dice_loss(only_background, masks).item()
    assert loss == pytest.approx((1 - 2 * 99 / 199 + 1) / 2, abs=1e-4)  # one pixel in 100: half
    rare_only = dice_loss(only_background, masks, torch.tensor([0.0, 1.0])).item()
    assert rare_only == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("name", LOSSES)
def test_no_loss_breaks_on_a_crop_that_is_all_void(name):
    logits = torch.randn(2, 3, 4, 5, requires_grad=True)
    for weights in (None, torch.tensor([1.0, 5.0, 0.1])):
        loss = LOSSES[name](logits, torch.full((2, 4, 5), 255), weights)
        (gradient,) = torch.autograd.grad(loss, logits)
        assert loss.item() == 0 and not gradient.any()


@pytest.mark.parametrize("name", LOSSES)
def test_void_pixels_change_no_loss(name):
    logits, masks = random_case(1)
    other = logits.clone()
    void = (masks == 255)[:, None].expand_as(logits)
    other[void] = 7 * torch.randn(int(void.sum()))
    assert LOSSES[name](logits, masks).item() == pytest.approx(LOSSES[name](other, masks).item())


@pytest.mark.parametrize("name", LOSSES)
def test_following_the_gradient_makes_each_loss_small(name):
    logits, masks = random_case(2)
    optimizer = torch.optim.Adam([logits.requires_grad_()], lr=0.1)
    for _ in range(200):
        optimizer.zero_grad()
        LOSSES[name](logits, masks).backward()
        optimizer.step()
    assert LOSSES[name](logits, masks).item() < 0.1
    labelled = masks != 255
    assert (logits.argmax(1) == masks)[labelled].float().mean() > 0.95


def test_the_sum_is_the_sum():
    logits, masks = random_case(3)
    weights = torch.tensor([1.0, 2.0, 3.0, 4.0])
    expected = pixel_loss(logits, masks, weights) + dice_loss(logits, masks)
    torch.testing.assert_close(LOSSES["cross_entropy_dice"](logits, masks, weights), expected)


# ---------------------------------------------------------------- frequencies


def test_median_frequencies_by_hand():
    # Class 0: 60 of 100 and 90 of 100 pixels: 0.75. Class 1: 40 of 100. Class 2: 10 of 100.
    pixels = torch.tensor([[60, 40, 0, 0], [90, 0, 10, 0]])
    weights = median_frequency_weights(pixels)
    assert weights.tolist() == pytest.approx([0.4 / 0.75, 1.0, 4.0, 0.0])
    assert weights.dtype == torch.float32


def test_pixels_of_each_image_sum_to_the_shares(tiny_voc):
    data = VOCSegmentation(tiny_voc, "train")
    pixels = class_pixels(data, 3)
    assert pixels.shape == (6, 3) and pixels.dtype == torch.int64
    for row, name in zip(pixels, data.names, strict=True):
        mask = np.asarray(Image.open(tiny_voc / "SegmentationClass" / f"{name}.png"))
        assert row.tolist() == [int((mask == c).sum()) for c in range(3)]
    torch.testing.assert_close(pixels.sum(0).double() / pixels.sum(), class_shares(data, 3))
