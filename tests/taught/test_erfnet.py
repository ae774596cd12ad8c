"""ERFNet: the published number of parameters, sizes, what dilates."""

import copy

import pytest
import torch
from helpers import lively
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from seglab.erfnet import Downsampler, ERFNet, NonBottleneck1D, Upsampler
from seglab.upsampling import enlarge

_networks: dict = {}


def network(encoder_only: bool) -> ERFNet:
    if encoder_only not in _networks:
        torch.manual_seed(0)
        _networks[encoder_only] = lively(ERFNet(4, encoder_only))
    return _networks[encoder_only]


def count(model) -> int:
    return sum(p.numel() for p in model.parameters())


def test_the_published_number_of_parameters():
    """2.06 million with 20 classes: table 2 of the paper and the authors' code."""
    assert count(ERFNet(20)) == 2_064_256


def test_the_count_by_the_papers_table_of_layers():
    def block(channels):  # four convolutions of three taps, two norms
        return 4 * (3 * channels**2 + channels) + 2 * 2 * channels

    def down(inputs, outputs):  # the pooled channels need no convolution
        return 9 * inputs * (outputs - inputs) + (outputs - inputs) + 2 * outputs

    def up(inputs, outputs):
        return 9 * inputs * outputs + outputs + 2 * outputs

    encoder = down(3, 16) + down(16, 64) + 5 * block(64) + down(64, 128) + 8 * block(128)
    decoder = up(128, 64) + 2 * block(64) + up(64, 16) + 2 * block(16)
    assert count(ERFNet(7)) == encoder + decoder + 4 * 16 * 7 + 7
    assert count(ERFNet(7, encoder_only=True)) == encoder + 128 * 7 + 7


@given(st.integers(32, 90), st.integers(32, 90), st.booleans())
@settings(max_examples=16)
@torch.no_grad()
def test_logits_have_the_size_of_the_image(height, width, encoder_only):
    logits = network(encoder_only)(torch.randn(1, 3, height, width))
    assert logits.shape == (1, 4, height, width) and logits.isfinite().all()


@pytest.mark.parametrize("encoder_only", [True, False])
@pytest.mark.parametrize("size", [(31, 64), (64, 31)])
def test_too_small_images_are_refused(size, encoder_only):
    with pytest.raises(ValueError, match=f"at least 32 x 32.*{size[0]} x {size[1]}"):
        network(encoder_only)(torch.zeros(1, 3, *size))


@torch.no_grad()
def test_the_encoder_alone_scores_at_an_eighth_and_enlarges():
    model, made = copy.deepcopy(network(True)), []
    model.score.register_forward_hook(lambda module, inputs, output: made.extend([*inputs, output]))
    logits = model(torch.randn(1, 3, 65, 90))
    features, scores = made
    assert features.shape == (1, 128, 9, 12) and scores.shape == (1, 4, 9, 12)
    torch.testing.assert_close(logits, enlarge(scores, (65, 90), 8))


@pytest.mark.parametrize(
    ("size", "down"),
    [
        ((64, 96), [(16, 32, 48), (64, 16, 24), (128, 8, 12)]),
        ((33, 50), [(16, 17, 25), (64, 9, 13), (128, 5, 7)]),
    ],
)
@torch.no_grad()
def test_the_decoder_takes_an_eighth_back_to_the_whole(size, down):
    """By the same sizes: where rounding up made one row too many, it is cut off at once."""
    model, seen = copy.deepcopy(network(False)), []
    for part in (*model.stages[1:], model.to_quarter, model.to_half, model.score):
        part.register_forward_pre_hook(
            lambda module, inputs: seen.append(tuple(inputs[0].shape[1:]))
        )
    assert model(torch.randn(1, 3, *size)).shape == (1, 4, *size)
    assert seen == [*down[:2], *reversed(down)]


def test_the_dilations_are_the_papers():
    blocks = [m for m in ERFNet(4).stages[2] if isinstance(m, NonBottleneck1D)]
    vertical = [[c.dilation[0] for c in b.layers if isinstance(c, nn.Conv2d)] for b in blocks]
    horizontal = [[c.dilation[1] for c in b.layers if isinstance(c, nn.Conv2d)] for b in blocks]
    assert vertical == [[1, 1, d, 1] for d in (2, 4, 8, 16, 2, 4, 8, 16)]
    assert horizontal == [[1, 1, 1, d] for d in (2, 4, 8, 16, 2, 4, 8, 16)]
    assert all(b.layers[-1].p == 0.3 for b in blocks)
    finer = [m for m in ERFNet(4).stages[1] if isinstance(m, NonBottleneck1D)]
    assert len(finer) == 5 and all(b.layers[-1].p == 0.03 for b in finer)


def test_a_split_block_has_a_third_fewer_weights_than_two_3_x_3():
    split = sum(p.numel() for p in NonBottleneck1D(64, 0.0).parameters() if p.ndim == 4)
    assert split == 4 * 3 * 64**2 and split * 3 == 2 * (2 * 9 * 64**2)


@pytest.mark.parametrize("dilation", [1, 2, 16])
@torch.no_grad()
def test_a_block_keeps_the_size_and_adds_its_input(dilation):
    block = lively(NonBottleneck1D(8, 0.5, dilation), channels=8)
    x = torch.randn(2, 8, 9, 14)
    assert block(x).shape == x.shape
    torch.testing.assert_close(block(x), torch.relu(x + block.layers(x)))
    for layer in block.layers:
        if isinstance(layer, nn.BatchNorm2d):
            layer.weight.zero_()
            layer.bias.zero_()
    torch.testing.assert_close(block(x), x.relu())  # nothing but the input is left


@pytest.mark.parametrize("size", [(8, 10), (7, 11)])
@torch.no_grad()
def test_down_halves_and_rounds_up_and_up_doubles(size):
    down, up = Downsampler(3, 16).eval(), Upsampler(16, 5).eval()
    x = torch.rand(1, 3, *size)
    halves = down(x)
    assert halves.shape == (1, 16, -(-size[0] // 2), -(-size[1] // 2))
    pooled = down.pool(x) / (1 + 1e-3) ** 0.5  # the norm of a new network does nothing else
    torch.testing.assert_close(halves[:, 13:], pooled)
    assert up(halves).shape == (1, 5, 2 * halves.shape[2], 2 * halves.shape[3])


@pytest.mark.parametrize("encoder_only", [True, False])
def test_every_parameter_learns(encoder_only):
    model = copy.deepcopy(network(encoder_only)).train()
    model(torch.randn(1, 3, 37, 50)).square().mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    assert all(p.grad.any() for p in model.parameters() if p.ndim == 4)
