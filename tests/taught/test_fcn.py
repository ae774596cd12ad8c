"""FCN: shapes at any size, the arithmetic of the skips, what learns."""

import copy

import pytest
import torch
import torch.nn.functional as F
from helpers import PAINT, block_mask
from hypothesis import given, settings
from hypothesis import strategies as st

from seglab.fcn import FCN, crop
from seglab.losses import pixel_loss

_networks: dict = {}


def with_opinions(model: FCN) -> FCN:
    """Random score layers, as training would leave them; new ones are zero."""
    for score in model.scores:
        score.reset_parameters()
    return model


def network(stride: int, backbone: str = "efficientnet_lite0", classes: int = 4) -> FCN:
    """A network with random weights, made once for each kind."""
    key = (stride, backbone, classes)
    if key not in _networks:
        torch.manual_seed(0)
        _networks[key] = with_opinions(FCN(classes, stride, backbone, weights=None).eval())
    return _networks[key]


@given(
    st.integers(32, 131),
    st.integers(32, 131),
    st.sampled_from([32, 16, 8]),
    st.sampled_from(["efficientnet_lite0", "resnet18", "mobilenet_v2"]),
)
@settings(max_examples=16)
@torch.inference_mode()
def test_logits_have_the_size_of_the_image(height, width, stride, backbone):
    logits = network(stride, backbone)(torch.randn(1, 3, height, width))
    assert logits.shape == (1, 4, height, width)
    assert logits.isfinite().all()


@pytest.mark.parametrize("size", [(33, 47), (40, 63)])
@torch.inference_mode()
def test_vgg_which_halves_by_pooling_takes_odd_sizes_too(size):
    assert network(8, "vgg16")(torch.randn(1, 3, *size)).shape == (1, 4, *size)


@pytest.mark.parametrize("stride", [32, 16, 8])
@pytest.mark.parametrize("size", [(32, 32), (33, 47), (63, 95), (64, 64), (65, 97)])
@torch.inference_mode()
def test_sizes_around_multiples_of_32(stride, size):
    assert network(stride)(torch.randn(2, 3, *size)).shape == (2, 4, *size)


@pytest.mark.parametrize("size", [(31, 64), (64, 31), (1, 1)])
def test_too_small_images_are_refused(size):
    with pytest.raises(ValueError, match=f"at least 32 x 32.*{size[0]} x {size[1]}"):
        network(8)(torch.randn(1, 3, *size))


@pytest.mark.parametrize("stride", [4, 64, 0, "8"])
def test_unknown_strides_are_refused(stride):
    with pytest.raises(ValueError, match="32, 16 or 8"):
        FCN(3, stride, weights=None)


@pytest.mark.parametrize("stride", [16, 8])
@torch.inference_mode()
def test_without_skips_it_is_the_coarse_score_enlarged(stride):
    """With zeroed skip scores only repeated bilinear enlargement of the coarsest is left."""
    model = copy.deepcopy(network(stride))
    for score in model.scores[1:]:
        score.weight.zero_()
        score.bias.zero_()
    images = torch.randn(1, 3, 256, 256)
    got = model(images)
    x = model.scores[0](model.backbone(images)[-1])
    for _ in range({16: 1, 8: 2}[stride]):
        x = F.interpolate(x, scale_factor=2, mode="bilinear")
    expected = F.interpolate(x, scale_factor=stride, mode="bilinear")
    inner = (..., slice(64, -64), slice(64, -64))
    torch.testing.assert_close(got[inner], expected[inner], rtol=1e-4, atol=1e-4)
    assert not torch.allclose(network(stride)(images)[inner], expected[inner], atol=1e-3)


@pytest.mark.parametrize("backbone", ["resnet18", "efficientnet_lite0"])
@pytest.mark.parametrize("stride", [32, 16, 8])
@torch.inference_mode()
def test_a_coarse_score_is_drawn_with_its_top_where_its_feature_looks(backbone, stride):
    """Also after two doublings: one score alone, 1 at feature (2, 3), 0 elsewhere."""
    model = network(stride, backbone)
    for level, position in zip(model.levels, range(len(model.levels)), strict=True):
        x = torch.zeros(1, 4, 192 // model.backbone.strides[level], 8)
        x[:, :, 2, 3] = 1
        for double in model.doubling[position:]:
            x = double(x)
        drawn = model.to_image_size(x)[0, 0]
        top = (drawn == drawn.max()).nonzero().float().mean(0)
        looks = torch.tensor([2.0, 3.0]) * model.backbone.strides[level]
        assert torch.equal(top, looks + model.backbone.offsets[level])


@torch.inference_mode()
def test_each_skip_is_added_where_it_belongs():
    """Bumping a skip's bias by one raises the logits inside by exactly one."""
    images = torch.randn(1, 3, 128, 160)
    before = network(8)(images)
    for position in range(3):
        model = copy.deepcopy(network(8))
        model.scores[position].bias += 1
        difference = (model(images) - before)[..., 48:-48, 48:-48]
        torch.testing.assert_close(difference, torch.ones_like(difference), rtol=0, atol=1e-4)


def test_fcn32s_is_one_score_and_one_enlargement():
    model = network(32)
    assert len(model.scores) == 1 and len(model.doubling) == 0
    assert [len(network(s).scores) for s in (16, 8)] == [2, 3]
    assert network(8).scores[0].in_channels == 1280 and network(8).scores[2].in_channels == 40


@torch.inference_mode()
def test_a_new_network_has_no_opinion():
    """All scores are zero at first, so every class is equally likely and the loss is ln classes."""
    logits = FCN(5, 8, weights=None).eval()(torch.randn(1, 3, 40, 56))
    assert not logits.any()


@pytest.mark.parametrize("learned", [True, False])
def test_which_kernels_learn(learned):
    torch.manual_seed(0)
    model = with_opinions(FCN(3, 8, weights=None, learned_upsampling=learned))
    model(torch.randn(2, 3, 64, 64)).square().mean().backward()
    assert all((double.weight.grad is not None) == learned for double in model.doubling)
    assert model.to_image_size.weight.grad is None  # stays bilinear, as in the paper
    assert all(score.weight.grad.abs().sum() > 0 for score in model.scores)
    assert all(p.grad is not None for p in model.backbone.parameters())


def test_state_dict_round_trip(tmp_path):
    torch.manual_seed(1)
    other = FCN(4, 8, weights=None).eval()
    images = torch.randn(1, 3, 40, 56)
    with torch.inference_mode():
        assert not torch.allclose(other(images), network(8)(images))
        torch.save(network(8).state_dict(), tmp_path / "state.pt")
        other.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
        torch.testing.assert_close(other(images), network(8)(images))


def test_channels_last_gives_the_same_numbers():
    images = torch.randn(1, 3, 64, 80)
    model = copy.deepcopy(network(8)).to(memory_format=torch.channels_last)
    with torch.inference_mode():
        got = model(images.contiguous(memory_format=torch.channels_last))
        torch.testing.assert_close(got, network(8)(images), rtol=1e-3, atol=1e-4)


def test_crop_takes_the_upper_left():
    x = torch.arange(12.0).view(1, 1, 3, 4)
    assert torch.equal(crop(x, torch.zeros(2, 2)), x[..., :2, :2])


def test_it_overfits_one_batch():
    import numpy as np

    rng = np.random.default_rng(0)
    masks = torch.from_numpy(np.stack([block_mask(rng, 64, 64) for _ in range(2)]))
    colors = torch.from_numpy(PAINT)[masks.where(masks != 255, 0).long()]
    images = colors.permute(0, 3, 1, 2).float() / 100 - 1
    torch.manual_seed(0)
    model = FCN(3, 8)  # pretrained, from the installed package
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(25):
        loss = pixel_loss(model(images), masks)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 4, losses
