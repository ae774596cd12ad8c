"""U-Net as published, as used today, and U-Net++: sizes, counts, what is joined to what."""

import copy

import pytest
import torch
from helpers import lively
from hypothesis import given, settings
from hypothesis import strategies as st

from seglab.losses import pixel_loss
from seglab.unet import Encoder, PaperUNet, UNet, UNetPlusPlus, center_crop
from seglab.upsampling import enlarge

_networks: dict = {}


def network(make, **options):
    """A network with random weights in evaluation mode, made once for each kind."""
    key = (make.__qualname__, *options.items())
    if key not in _networks:
        torch.manual_seed(0)
        model = make(3, **options)
        _networks[key] = model.eval() if make is PaperUNet else lively(model)
    return _networks[key]


def count(model) -> int:
    return sum(p.numel() for p in model.parameters())


# ---------------------------------------------------------------- as published


@torch.no_grad()
def test_the_papers_sizes():
    images = torch.randn(1, 1, 572, 572)
    model = PaperUNet(width=2).eval()
    sizes = []
    for block in model.down:
        block.register_forward_hook(lambda module, inputs, made: sizes.append(made.shape[-1]))
    for double in model.doubling:
        double.register_forward_hook(lambda module, inputs, made: sizes.append(made.shape[-1]))
    assert model(images).shape == (1, 2, 388, 388)
    assert sizes == [568, 280, 136, 64, 28, 56, 104, 200, 392]  # figure 1 of the paper


def papers_count(classes: int, inputs: int) -> int:
    """Weights and biases, level by level, as figure 1 of the paper has them."""
    total = 0
    channels = [(inputs, 64), (64, 128), (128, 256), (256, 512), (512, 1024)]  # down
    channels += [(1024, 512), (512, 256), (256, 128), (128, 64)]  # up, after concatenation
    for before, after in channels:
        total += 3 * 3 * before * after + after
        total += 3 * 3 * after * after + after
    for before in (1024, 512, 256, 128):
        total += 2 * 2 * before * (before // 2) + before // 2
    return total + 64 * classes + classes


def test_the_papers_number_of_parameters():
    assert count(PaperUNet()) == papers_count(2, 1) == 31_030_658
    assert count(PaperUNet(21, 3)) == papers_count(21, 3)


@pytest.mark.parametrize(
    ("size", "advice"),
    [
        ((573, 572), "the height is 573: take 572 or 588"),
        ((572, 573), "the width is 573: take 572 or 588"),
        ((571, 572), "the height is 571: take 556 or 572"),
        ((188, 100), "the width is 100: take 188"),
        ((187, 188), "the height is 187: take 188"),
        ((172, 188), "the height is 172: take 188"),
        ((200, 188), "the height is 200: take 188 or 204"),
        ((196, 188), "the height is 196: take 188 or 204"),
        ((1000, 188), "the height is 1000: take 988 or 1004"),
    ],
)
def test_sizes_that_do_not_halve_evenly_are_refused_with_advice(size, advice):
    with pytest.raises(ValueError, match=f"without padding.*{advice}$"):
        PaperUNet(width=1)(torch.zeros(1, 1, *size))


@pytest.mark.parametrize("size", [(188, 204), (220, 236), (252, 988)])
@torch.no_grad()
def test_sizes_that_are_advised_work(size):
    model = network(PaperUNet, in_channels=1, width=1)
    assert model(torch.zeros(1, 1, *size)).shape == (1, 3, size[0] - 184, size[1] - 184)


@torch.no_grad()
def test_the_papers_logits_are_those_of_the_middle():
    """Without padding, nothing is known about a border: the same pixels give the same logits."""
    model = network(PaperUNet, in_channels=1, width=4)
    large = torch.randn(1, 1, 236, 252)
    shifted = large[..., 16:204, 32:220]  # by whole steps of the coarsest grid
    whole, part = model(large), model(shifted)
    assert part.std() > 1e-3
    torch.testing.assert_close(part, whole[..., 16:20, 32:36], rtol=1e-4, atol=1e-6)


def test_center_crop_takes_the_middle():
    x = torch.arange(2 * 42.0).view(2, 1, 6, 7)
    assert torch.equal(center_crop(x, torch.zeros(2, 3)), x[..., 2:4, 2:5])
    assert torch.equal(center_crop(x, torch.zeros(3, 4)), x[..., 1:4, 1:5])
    assert torch.equal(center_crop(x, x), x)


# ---------------------------------------------------------------- as used today


@given(st.integers(32, 90), st.integers(32, 90), st.integers(1, 2))
@settings(max_examples=15)
@torch.no_grad()
def test_logits_have_the_size_of_the_image(height, width, batch):
    logits = network(UNet, width=4)(torch.randn(batch, 3, height, width))
    assert logits.shape == (batch, 3, height, width) and logits.isfinite().all()


@given(st.integers(32, 90), st.integers(32, 90))
@settings(max_examples=8)
@torch.no_grad()
def test_nested_logits_have_the_size_of_the_image(height, width):
    logits = network(UNetPlusPlus, width=4)(torch.randn(1, 3, height, width))
    assert logits.shape == (1, 3, height, width) and logits.isfinite().all()


@pytest.mark.parametrize("backbone", ["efficientnet_lite0", "resnet18", "vgg16"])
@pytest.mark.parametrize("size", [(33, 47), (64, 63)])
@torch.no_grad()
def test_a_classifier_as_encoder_at_odd_sizes(backbone, size):
    model = network(UNet.with_backbone, backbone=backbone, weights=None)
    logits = model(torch.randn(1, 3, *size))
    assert logits.shape == (1, 3, *size) and logits.isfinite().all()


@torch.no_grad()
def test_on_a_classifier_the_coarsest_map_is_scored_too_and_logits_of_half_size_are_enlarged():
    model = network(UNet.with_backbone, backbone="resnet18", weights=None)
    fine, coarse = [], []
    handles = [
        layer.register_forward_hook(lambda module, inputs, made, kept=kept: kept.append(made))
        for layer, kept in ((model.score, fine), (model.coarse_score, coarse))
    ]
    logits = model(torch.randn(1, 3, 37, 50))
    for handle in handles:
        handle.remove()
    assert fine[0].shape == (1, 3, 19, 25) and coarse[0].shape == (1, 3, 2, 2)
    assert fine[0].std() > 0.01 and coarse[0].std() > 0.01
    half = fine[0] + enlarge(coarse[0], (19, 25), 16, 0)
    torch.testing.assert_close(logits, enlarge(half, (37, 50), 2, 0))


def test_a_new_coarse_score_has_no_opinion():
    model = UNet.with_backbone(3, "resnet18", None)
    assert not model.coarse_score.weight.any() and not model.coarse_score.bias.any()
    assert UNet(3, width=4).coarse_score is None


@pytest.mark.parametrize("width", [4, 16])
def test_the_width_is_that_of_the_finest_level(width):
    model = UNet(3, width=width)
    assert model.encoder.channels == tuple(width * n for n in (1, 2, 4, 8, 16))
    assert model.score.in_channels == width
    assert [up.doubling.out_channels for up in model.ups] == [width * n for n in (1, 2, 4, 8)]


def test_every_level_halves_and_rounds_up():
    features = Encoder(2)(torch.zeros(1, 3, 37, 50))
    sizes = [tuple(f.shape[1:]) for f in features]
    assert sizes == [(2, 37, 50), (4, 19, 25), (8, 10, 13), (16, 5, 7), (32, 3, 4)]


def test_at_full_width_it_is_as_large_as_the_papers():
    """The kernels are the same ones; only biases and norms differ."""

    def kernels(model):
        return sum(p.numel() for p in model.parameters() if p.ndim == 4)

    assert kernels(UNet(2)) == kernels(PaperUNet(2, in_channels=3))


@pytest.mark.parametrize("level", range(4))
@torch.no_grad()
def test_skips_are_put_beside_and_not_added(level):
    """Half of a decoder block's first kernel sees the skip: without it, the skip is ignored."""
    model = copy.deepcopy(network(UNet, width=4))
    up = model.ups[level]
    convolution = up.convolve[0]
    skip_channels = model.encoder.channels[level]
    assert convolution.in_channels == skip_channels + up.doubling.out_channels
    inputs, below = skip_channels, up.doubling.in_channels
    skip, x = torch.randn(1, inputs, 9, 11), torch.randn(1, below, 5, 6)
    assert not torch.allclose(up(x, skip), up(x, 0 * skip), atol=1e-3)
    assert not torch.allclose(up(x, skip), up(0 * x, skip), atol=1e-3)
    both = convolution.weight.clone()
    convolution.weight[:, :skip_channels] = 0
    assert torch.equal(up(x, skip), up(x, torch.randn_like(skip)))
    assert not torch.allclose(up(x, skip), up(0 * x, skip), atol=1e-3)
    convolution.weight.copy_(both)
    convolution.weight[:, skip_channels:] = 0
    assert torch.equal(up(x, skip), up(torch.randn_like(x), skip))


@torch.no_grad()
def test_every_skip_reaches_the_logits():
    model = network(UNet, width=4)
    images = torch.randn(1, 3, 40, 56)
    before = model(images)
    for level in range(4):
        muted = copy.deepcopy(model)
        muted.ups[level].convolve[0].weight[:, : model.encoder.channels[level]] = 0
        assert not torch.allclose(muted(images), before, rtol=0, atol=0.05), level


def test_fewer_channels_in_the_decoder():
    model = UNet.with_backbone(3, "resnet18", None, decoder_channels=(4, 6, 8, 10))
    assert [up.doubling.out_channels for up in model.ups] == [4, 6, 8, 10]
    assert [up.doubling.in_channels for up in model.ups] == [6, 8, 10, 512]
    with torch.no_grad():
        assert model.eval()(torch.zeros(1, 3, 33, 40)).shape == (1, 3, 33, 40)


# ---------------------------------------------------------------- U-Net++


def nodes_by_the_paper(model, images):
    """X(i, j) = H([X(i, 0), ..., X(i, j - 1), U(X(i + 1, j - 1))]): equation 1 of the paper."""
    known = {(i, 0): x for i, x in enumerate(model.encoder(images))}
    for j in range(1, 5):
        for i in range(5 - j):
            join = model.columns[j - 1][i]
            known[i, j] = join(known[i + 1, j - 1], *(known[i, k] for k in range(j)))
    return known


@torch.no_grad()
def test_the_fifteen_nodes_are_wired_as_in_the_paper():
    model = network(UNetPlusPlus, width=4, deep_supervision=True)
    images = torch.randn(1, 3, 37, 50)
    nodes = nodes_by_the_paper(model, images)
    assert len(nodes) == 15 == 5 + sum(len(column) for column in model.columns)
    scores = [score(nodes[0, j]) for j, score in enumerate(model.scores, start=1)]
    assert len(scores) == 4
    torch.testing.assert_close(model(images), torch.stack(scores).mean(0))
    alone = network(UNetPlusPlus, width=4)
    (score,) = alone.scores
    torch.testing.assert_close(alone(images), score(nodes_by_the_paper(alone, images)[0, 4]))


def test_deep_supervision_trains_every_node_of_the_finest_level():
    model = copy.deepcopy(network(UNetPlusPlus, width=4, deep_supervision=True)).train()
    output = model(torch.randn(2, 3, 33, 40))
    assert set(output) == {"out", "aux"} and len(output["aux"]) == 4
    torch.testing.assert_close(output["out"], torch.stack(output["aux"]).mean(0))
    masks = torch.randint(0, 3, (2, 33, 40))
    losses = [pixel_loss(scored, masks) for scored in output["aux"]]
    losses[0].backward(retain_graph=True)  # of X(0, 1): two levels of the encoder are enough
    reached = {name for name, p in model.named_parameters() if p.grad is not None}
    assert {n.split(".")[2] for n in reached if n.startswith("encoder.levels")} == {"0", "1"}
    assert {n.split(".")[1] for n in reached if n.startswith("scores")} == {"0"}
    sum(losses).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    without = [n for n, p in model.named_parameters() if p.ndim == 4 and not p.grad.any()]
    assert not without


def test_in_evaluation_there_is_no_dict():
    model = network(UNetPlusPlus, width=4, deep_supervision=True)
    with torch.no_grad():
        assert model(torch.zeros(1, 3, 32, 32)).shape == (1, 3, 32, 32)


def test_without_deep_supervision_training_gives_logits():
    model = copy.deepcopy(network(UNetPlusPlus, width=4)).train()
    logits = model(torch.randn(1, 3, 33, 40))
    assert logits.shape == (1, 3, 33, 40)
    logits.square().mean().backward()
    assert all(p.grad is not None for p in model.parameters())


@pytest.mark.parametrize("size", [(31, 64), (64, 31)])
@pytest.mark.parametrize("make", [UNet, UNetPlusPlus])
def test_too_small_images_are_refused(make, size):
    with pytest.raises(ValueError, match=f"at least 32 x 32.*{size[0]} x {size[1]}"):
        network(make, width=4)(torch.zeros(1, 3, *size))
