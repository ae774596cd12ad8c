"""The dense CRF: against all pairs of pixels written out, and on a noisy prediction."""

import ast
import inspect

import pytest
import torch
import torch.nn.functional as F
from helpers import REPOSITORY
from hypothesis import given, settings
from hypothesis import strategies as st

from seglab.crf import dense_crf, overlap


def random_case(height: int, width: int, classes: int, seed: int = 0):
    generator = torch.Generator().manual_seed(seed)
    image = torch.randint(0, 256, (3, height, width), generator=generator, dtype=torch.uint8)
    image[:, : height // 2] //= 8  # an area of like colours
    return image, torch.randn(classes, height, width, generator=generator)


def by_all_pairs(image, logits, steps, appearance, smoothness):
    """The same mean field with two N x N matrices, in double precision."""
    (w1, r1, s), (w2, r2) = appearance, smoothness
    classes, height, width = logits.shape
    places = torch.cartesian_prod(torch.arange(height), torch.arange(width)).double()
    colors = image.permute(1, 2, 0).reshape(-1, 3).double()
    distance, difference = torch.cdist(places, places), torch.cdist(colors, colors)
    look = torch.exp(-(distance**2) / (2 * r1**2) - difference**2 / (2 * s**2))
    near = torch.exp(-(distance**2) / (2 * r2**2))
    pairs = 0
    for weight, kernel in ((w1, look), (w2, near)):
        root = kernel.sum(1).sqrt()  # each pixel counts itself, too: the diagonal is one
        others = kernel - torch.eye(len(kernel), dtype=torch.float64)
        pairs = pairs + weight * others / root[:, None] / root[None, :]
    unary = logits.double().flatten(1).T
    q = unary.softmax(1)
    for _ in range(steps):
        q = (unary + pairs @ q).softmax(1)
    return q.T.reshape(classes, height, width).float()


@given(
    *(st.integers(1, 7), st.integers(1, 7), st.integers(1, 4), st.integers(0, 3)),
    st.floats(0.5, 20),
    st.floats(5, 100),
    st.floats(0.5, 5),
    st.integers(0, 99),
)
@settings(max_examples=25)
def test_it_is_mean_field_over_all_pairs(height, width, classes, steps, r1, s, r2, seed):
    image, logits = random_case(height, width, classes, seed)
    options = {"steps": steps, "appearance": (4.0, r1, s), "smoothness": (2.0, r2)}
    made, expected = dense_crf(image, logits, **options), by_all_pairs(image, logits, **options)
    torch.testing.assert_close(made, expected, rtol=1e-4, atol=1e-5)


def test_the_defaults_are_mean_field_over_all_pairs_too():
    image, logits = random_case(9, 12, 3)
    expected = by_all_pairs(image, logits, 5, (4.0, 40.0, 13.0), (2.0, 3.0))
    torch.testing.assert_close(dense_crf(image, logits), expected, rtol=1e-4, atol=1e-5)
    assert (expected - logits.softmax(0)).abs().max() > 0.3  # it did something


def test_a_radius_that_reaches_everywhere_is_exact():
    image, logits = random_case(8, 10, 3)
    options = {"appearance": (4.0, 5.0, 30.0), "smoothness": (2.0, 0.4)}
    exact = dense_crf(image, logits, **options)
    torch.testing.assert_close(dense_crf(image, logits, radius=9, **options), exact)
    torch.testing.assert_close(dense_crf(image, logits, radius=50, **options), exact)
    assert not torch.allclose(dense_crf(image, logits, radius=2, **options), exact, atol=1e-3)


@pytest.mark.parametrize("radius", [0, 2, 5])
@pytest.mark.parametrize("stride", [1, 2])
def test_only_pairs_within_the_radius_count(radius, stride):
    """One pixel with an opinion among undecided ones, all of one colour: who hears of it?"""
    image, logits = torch.zeros(3, 15, 17, dtype=torch.uint8), torch.zeros(2, 15, 17)
    logits[1, 7, 8] = 9
    made = dense_crf(
        image, logits, 1, appearance=(4, 40, 13), smoothness=(0, 3), radius=radius, stride=stride
    )
    dy, dx = (torch.arange(15) - 7)[:, None], (torch.arange(17) - 8)[None, :]
    heard = (dy.abs() <= radius) & (dx.abs() <= radius) & (dy % stride == 0) & (dx % stride == 0)
    heard[7, 8] = True
    assert torch.equal(made[1] - made[0] > 1e-4, heard)


def test_the_stride_spares_the_smoothness_kernel():
    image, logits = random_case(9, 10, 2)
    options = {"appearance": (0, 40, 13), "smoothness": (2, 3), "radius": 8}
    torch.testing.assert_close(
        dense_crf(image, logits, stride=3, **options), dense_crf(image, logits, **options)
    )


def test_on_a_plain_image_appearance_is_smoothness():
    image, logits = random_case(7, 9, 3)
    plain = torch.full_like(image, 77)
    by_color = dense_crf(plain, logits, appearance=(3, 2, 13), smoothness=(0, 1))
    by_place = dense_crf(image, logits, appearance=(0, 9, 9), smoothness=(3, 2))
    torch.testing.assert_close(by_color, by_place)


@pytest.mark.parametrize("options", [{"steps": 0}, {"appearance": (0, 9, 9), "smoothness": (0, 1)}])
def test_without_messages_it_is_softmax(options):
    image, logits = random_case(6, 8, 3)
    torch.testing.assert_close(dense_crf(image, logits, **options), logits.softmax(0))


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 5), st.integers(0, 3))
@settings(max_examples=20)
def test_probabilities_sum_to_one(height, width, classes, radius):
    image, logits = random_case(height, width, classes)
    made = dense_crf(image, 30 * logits, radius=radius)
    assert made.shape == logits.shape and (made >= 0).all()
    torch.testing.assert_close(made.sum(0), torch.ones(height, width))


@pytest.mark.parametrize("radius", [None, 3])
def test_no_direction_is_favoured(radius):
    image, logits = random_case(8, 9, 3)
    made = dense_crf(image, logits, radius=radius, stride=2)
    for axis in (-2, -1):
        flipped = dense_crf(image.flip(axis), logits.flip(axis), radius=radius, stride=2)
        torch.testing.assert_close(flipped.flip(axis), made)


def test_the_arguments_are_left_as_they_are():
    image, logits = random_case(6, 8, 3)
    before = image.clone(), logits.clone()
    dense_crf(image, logits)
    assert torch.equal(image, before[0]) and torch.equal(logits, before[1])


def noisy_prediction():
    """A disc on a ground of another colour, and coarse, noisy logits of a network for it."""
    generator = torch.Generator().manual_seed(0)
    y, x = torch.meshgrid(torch.arange(48), torch.arange(64), indexing="ij")
    truth = ((y - 23) ** 2 + (x - 30) ** 2 < 15**2).long()
    colors = torch.tensor([(90, 110, 80), (170, 90, 60)])[truth].permute(2, 0, 1)
    image = (colors + 8 * torch.randn(3, 48, 64, generator=generator)).clamp(0, 255).byte()
    scores = F.one_hot(truth, 2).permute(2, 0, 1)[None].float()
    coarse = F.avg_pool2d(scores, 8) * 4
    coarse += 0.6 * torch.randn(coarse.shape, generator=generator)
    logits = F.interpolate(coarse, size=(48, 64), mode="bilinear")[0]
    logits += 0.8 * torch.randn(logits.shape, generator=generator)
    return image, truth, logits


def test_it_mends_the_boundary_of_a_noisy_prediction():
    image, truth, logits = noisy_prediction()
    refined = dense_crf(image, logits, radius=12).argmax(0)
    grown = F.max_pool2d(truth[None].float(), 7, 1, 3)[0]
    shrunk = -F.max_pool2d(-truth[None].float(), 7, 1, 3)[0]
    band = grown != shrunk  # within three pixels of the boundary

    def wrong(guess, where):
        return (guess != truth)[where].float().mean().item()

    everywhere = torch.ones_like(band)
    assert wrong(logits.argmax(0), band) > 0.2 and wrong(refined, band) < 0.05
    assert wrong(logits.argmax(0), everywhere) > 0.05 and wrong(refined, everywhere) < 0.01
    blind = dense_crf(torch.zeros_like(image), logits, radius=12).argmax(0)
    assert wrong(blind, band) > 0.1  # it is the colours that show where the boundary is


@pytest.mark.parametrize("size", [(8, 9), (9, 8), (4, 4)])
def test_different_sizes_are_refused(size):
    with pytest.raises(ValueError, match=r"image \[3, 8, 8\] and logits \[2, "):
        dense_crf(torch.zeros(3, 8, 8, dtype=torch.uint8), torch.zeros(2, *size))


@pytest.mark.parametrize("dy", [-4, -2, 0, 1, 3])
@pytest.mark.parametrize("dx", [-3, 0, 2, 4])
def test_overlap_pairs_every_pixel_with_the_one_that_far_away(dy, dx):
    places = torch.stack(torch.meshgrid(torch.arange(5), torch.arange(6), indexing="ij"))
    here, there = overlap(dy, dx)
    step = places[there] - places[here]
    assert (step[0] == dy).all() and (step[1] == dx).all()
    assert step.shape == (2, 5 - abs(dy), 6 - abs(dx))


def lines_of_code(function) -> int:
    """Lines of a function without blank ones and docstrings."""
    lines = inspect.getsource(function).splitlines()
    kept = {number for number, line in enumerate(lines, start=1) if line.strip()}
    for node in ast.walk(ast.parse("\n".join(lines))):
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node):
            kept -= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return len(kept)


def test_it_is_small_enough_to_read():
    text = (REPOSITORY / "seglab" / "crf.py").read_text()
    assert len(text.splitlines()) <= 95
    assert 20 < lines_of_code(dense_crf) + lines_of_code(overlap) <= 80
