"""DeepLab: the numbers of torchvision's models, what the rates see, batches of one."""

import copy

import pytest
import torch
import torch.nn.functional as F
import torchvision
from helpers import lively
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from seglab.backbones import feature_pyramid
from seglab.deeplab import (
    ASPP,
    ConvNormReLU,
    DeepLabV1,
    DeepLabV2,
    DeepLabV3,
    DeepLabV3Plus,
    DilatedNetwork,
    ImagePooling,
    LargeFOV,
    PooledNorm,
    SeparableConv,
    SummedASPP,
    apply_multi_grid,
    default_rates,
    receptive_field,
)
from seglab.upsampling import enlarge

_networks: dict = {}


class FCNHead(nn.Sequential):
    """torchvision's "FCN": this head on dilated features, not the skips of notebook 04."""

    def __init__(self, inputs: int, num_classes: int):
        width = inputs // 4
        super().__init__(
            ConvNormReLU(inputs, width, 3), nn.Dropout(0.1), nn.Conv2d(width, num_classes, 1)
        )


class DilatedFCN(DilatedNetwork):
    """torchvision's `fcn_resnet50` and `fcn_resnet101` at output stride 8."""

    def __init__(self, num_classes: int, backbone: str, weights: None, output_stride: int = 8):
        features = feature_pyramid(backbone, weights, output_stride)
        super().__init__(features, FCNHead(features.channels[-1], num_classes))


def network(make, **options):
    """A narrow network on ResNet-18 in evaluation mode, made once for each kind."""
    key = (make.__name__, *options.items())
    if key not in _networks:
        torch.manual_seed(0)
        _networks[key] = lively(make(3, "resnet18", None, **options))
    return _networks[key]


def count(model) -> int:
    return sum(p.numel() for p in model.parameters())


def shapes(model: nn.Module) -> nn.Module:
    """Nothing is computed on the meta device, so a large network costs no time to make."""
    with torch.device("meta"):
        return model()


# ---------------------------------------------------------------- receptive fields


@given(
    st.lists(
        st.tuples(st.integers(1, 5), st.integers(1, 4), st.integers(1, 3)), min_size=1, max_size=4
    ),
    st.integers(0, 4),
)
@settings(max_examples=60)
def test_the_receptive_field_is_how_far_a_gradient_reaches(layers, position):
    sizes, dilations, strides = zip(*layers, strict=True)
    field = receptive_field(sizes, dilations, strides)
    step = torch.tensor(strides).prod().item()
    picture = torch.ones(1, 1, field + position * step, dtype=torch.float64, requires_grad=True)
    x = picture
    for size, dilation, stride in layers:
        kernel = torch.ones(1, 1, size, dtype=torch.float64)
        x = F.conv1d(x, kernel, stride=stride, dilation=dilation)
    x[0, 0, position].backward()
    seen = picture.grad[0, 0].nonzero()
    assert seen.max() - seen.min() + 1 == field
    assert seen.min() == position * step


def test_receptive_fields_by_hand():
    assert receptive_field([3], [1]) == 3
    assert receptive_field([3], [12]) == 25
    assert receptive_field([3, 3, 3], [1, 2, 4]) == 15
    assert receptive_field([3, 3, 3], [1, 1, 1], [2, 2, 2]) == 15
    assert receptive_field([], []) == 1


@pytest.mark.parametrize(
    "arguments", [([3, 3], [1]), ([3], [1, 2]), ([3, 3], [1, 1], [2]), ([3], [1], [1, 1])]
)
def test_lists_of_different_lengths_are_refused(arguments):
    with pytest.raises(ValueError, match="one kernel size, dilation and stride for each layer"):
        receptive_field(*arguments)


# ---------------------------------------------------------------- torchvision's numbers

# Where our tensors are in torchvision's networks, by the beginnings of their names.
BACKBONE = {
    "backbone.stages.0.0.": "backbone.conv1.",
    "backbone.stages.0.1.": "backbone.bn1.",
    "backbone.stages.1.1.": "backbone.layer1.",
    "backbone.stages.2.": "backbone.layer2.",
    "backbone.stages.3.": "backbone.layer3.",
    "backbone.stages.4.": "backbone.layer4.",
}
NAMES = {
    "deeplabv3_resnet50": {
        **BACKBONE,
        **{f"head.0.branches.{i}.": f"classifier.0.convs.{i}." for i in range(4)},
        "head.0.branches.4.0.": "classifier.0.convs.4.1.",  # after the pooling, a layer there
        "head.0.branches.4.1.": "classifier.0.convs.4.2.",
        "head.0.mix.0.": "classifier.0.project.",
        "head.1.0.": "classifier.1.",
        "head.1.1.": "classifier.2.",
        "head.2.": "classifier.4.",
    },
    "fcn_resnet50": {
        **BACKBONE,
        "head.0.0.": "classifier.0.",
        "head.0.1.": "classifier.1.",
        "head.2.": "classifier.4.",
    },
}
OURS = {"deeplabv3_resnet50": DeepLabV3, "fcn_resnet50": DilatedFCN}


def theirs(ours: str, names: dict[str, str]) -> str:
    (start,) = [start for start in names if ours.startswith(start)]
    return names[start] + ours.removeprefix(start)


def randomise(model: nn.Module) -> None:
    """Norms that do something: random factors and offsets, statistics of random pictures."""
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.normal_(layer.bias, std=0.3)
    lively(model)


@pytest.mark.parametrize("name", OURS)
@torch.no_grad()
def test_the_logits_are_torchvisions(name):
    """In double precision, so that rounding explains nothing."""
    torch.manual_seed(0)
    model = torchvision.models.get_model(name, weights=None, weights_backbone=None, num_classes=5)
    randomise(model)
    state = model.state_dict()
    ours = OURS[name](5, "resnet50", None, output_stride=8).eval()
    mapped = {key: theirs(key, NAMES[name]) for key in ours.state_dict()}
    assert sorted(mapped.values()) == sorted(state)  # each tensor once, none left over
    ours.load_state_dict({key: state[value] for key, value in mapped.items()})
    images = torch.randn(1, 3, 113, 135).double()
    expected = model.double()(images)["out"]
    assert 0.1 < expected.std() < 30
    scores = ours.double().head(ours.backbone(images)[-1])
    made = F.interpolate(scores, (113, 135), mode="bilinear")  # torchvision's way of drawing them
    torch.testing.assert_close(made, expected, rtol=1e-9, atol=1e-9)
    assert not torch.allclose(ours(images), expected, atol=0.1)  # ours: where the features look


@torch.no_grad()
def test_drawn_like_torchvisions_the_logits_are_theirs_where_sizes_divide():
    torch.manual_seed(0)
    ours = lively(DeepLabV3(5, "resnet18", None, 8, width=8))
    images = torch.randn(1, 3, 64, 96)
    plain = F.interpolate(ours.head(ours.backbone(images)[-1]), scale_factor=8, mode="bilinear")
    assert not torch.allclose(ours(images), plain, atol=0.1)
    ours.backbone.offsets = (3.5,) * 5
    torch.testing.assert_close(ours(images), plain)


@pytest.mark.parametrize(
    ("name", "make"), [("deeplabv3_resnet101", DeepLabV3), ("fcn_resnet101", DilatedFCN)]
)
def test_the_number_of_parameters_is_torchvisions_with_resnet101(name, make):
    published = torchvision.models.get_model_weights(name).DEFAULT.meta["num_params"]
    auxiliary = count(FCNHead(1024, 21))  # a second head for training, which is not used here
    ours = shapes(lambda: make(21, "resnet101", None, output_stride=8))
    assert count(ours) == published - auxiliary


# ---------------------------------------------------------------- heads


def test_v1_on_vgg16_has_the_papers_number_of_parameters():
    """20.5 million: DeepLab v1, table 2, DeepLab-CRF-LargeFOV."""
    convolutions = 14_714_688  # VGG-16's
    large_fov = (9 * 512 * 1024 + 1024) + (1024 * 1024 + 1024) + (1024 * 21 + 21)
    model = shapes(lambda: DeepLabV1(21, "vgg16", None))
    assert count(model) == convolutions + large_fov == 20_505_429
    assert model.head[0].dilation == (12, 12) and model.backbone.strides[-1] == 8


@torch.no_grad()
def test_large_fov_sees_what_its_rate_says():
    head = LargeFOV(4, 2, rate=5, width=8).eval()
    head[-1].reset_parameters()  # no longer zero
    x = torch.randn(1, 4, 21, 23)
    changed = x.clone()
    changed[..., 10, 11] += 100
    touched = (head(changed) != head(x)).any(1)[0].nonzero()
    expected = [[10 + dy, 11 + dx] for dy in (-5, 0, 5) for dx in (-5, 0, 5)]
    assert touched.tolist() == expected


@torch.no_grad()
def test_v2_adds_the_scores_of_its_branches():
    head = SummedASPP(4, 3, (1, 2, 5))
    x = torch.randn(2, 4, 9, 11)
    assert [b.dilation for b in head.branches] == [(1, 1), (2, 2), (5, 5)]
    expected = sum(
        F.conv2d(x, b.weight, b.bias, padding=rate, dilation=rate)
        for b, rate in zip(head.branches, (1, 2, 5), strict=True)
    )
    torch.testing.assert_close(head(x), expected)
    assert head(x).shape == (2, 3, 9, 11)


@torch.no_grad()
def test_v3_joins_its_branches_and_mixes_them():
    aspp = lively(ASPP(4, 6, (2, 3)), channels=4)
    assert len(aspp.branches) == 4 and aspp.mix[0][0].in_channels == 4 * 6
    x = torch.randn(2, 4, 9, 11)
    joined = torch.cat([branch(x) for branch in aspp.branches], dim=1)
    torch.testing.assert_close(aspp(x), aspp.mix(joined))
    for i, branch in enumerate(aspp.branches):  # each of them is heard
        muted = copy.deepcopy(aspp)
        muted.mix[0][0].weight[:, 6 * i : 6 * i + 6] = 0
        assert not torch.allclose(muted(x), aspp(x), atol=0.05), branch


@torch.no_grad()
def test_image_pooling_puts_the_mean_everywhere():
    pooling = lively(ImagePooling(4, 6), channels=4)
    x = torch.randn(2, 4, 9, 11)
    made = pooling(x)
    assert made.shape == (2, 6, 9, 11)
    assert torch.equal(made, made[..., :1, :1].expand_as(made)) and made.std() > 0.1
    shuffled = x.flatten(2)[..., torch.randperm(99)].view_as(x)
    torch.testing.assert_close(pooling(shuffled), made)  # where something is does not matter
    convolve, norm, _ = pooling
    torch.testing.assert_close(made[..., 0, 0], norm(convolve(x)).mean((2, 3)).relu())


@pytest.mark.parametrize(
    ("output_stride", "rates"), [(16, (6, 12, 18)), (8, (12, 24, 36)), (32, (3, 6, 9))]
)
def test_rates_reach_equally_far_at_every_output_stride(output_stride, rates):
    assert default_rates(output_stride) == rates
    for make in (DeepLabV3, DeepLabV3Plus):
        model = shapes(lambda make=make: make(3, "resnet18", None, output_stride, width=4))
        aspp = model.aspp if make is DeepLabV3Plus else model.head[0]
        layers = [layer for layer in aspp.branches.modules() if isinstance(layer, nn.Conv2d)]
        spatial = [layer for layer in layers if layer.kernel_size == (3, 3)]
        assert tuple(layer.dilation[0] for layer in spatial) == rates
        assert all(layer.padding == layer.dilation for layer in spatial)
        assert model.backbone.strides[-1] == output_stride


def test_rates_can_be_chosen():
    model = shapes(lambda: DeepLabV3(3, "resnet18", None, rates=(2, 5)))
    assert [branch[0].dilation[0] for branch in model.head[0].branches[1:3]] == [2, 5]
    assert len(model.head[0].branches) == 4


# ---------------------------------------------------------------- networks


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (DilatedFCN, {}),
        (DeepLabV1, {"rate": 3, "width": 8}),
        (DeepLabV2, {"rates": (1, 3)}),
        (DeepLabV3, {"width": 8}),
        (DeepLabV3Plus, {"width": 8, "skip_width": 4}),
    ],
)
@given(st.integers(32, 80), st.integers(32, 80), st.sampled_from([8, 16]))
@settings(max_examples=6)
@torch.no_grad()
def test_logits_have_the_size_of_the_image(make, options, height, width, output_stride):
    model = network(make, output_stride=output_stride, **options)
    sizes = []
    last = model.backbone.stages[-1]
    handle = last.register_forward_hook(lambda module, i, made: sizes.append(made.shape[-2:]))
    logits = model(torch.randn(1, 3, height, width))
    handle.remove()
    assert logits.shape == (1, 3, height, width) and logits.isfinite().all()
    assert sizes == [(-(-height // output_stride), -(-width // output_stride))]


@pytest.mark.parametrize("size", [(31, 64), (64, 31)])
@pytest.mark.parametrize("make", [DeepLabV2, DeepLabV3Plus])
def test_too_small_images_are_refused(make, size):
    with pytest.raises(ValueError, match=f"at least 32 x 32.*{size[0]} x {size[1]}"):
        network(make)(torch.zeros(1, 3, *size))


@torch.no_grad()
def test_the_head_scores_the_coarsest_features_and_the_scores_are_enlarged():
    model = network(DeepLabV2, rates=(1, 3))
    images = torch.randn(1, 3, 65, 50)
    scores = model.head(model.backbone(images)[-1])
    assert scores.shape == (1, 3, 9, 7)
    torch.testing.assert_close(model(images), enlarge(scores, (65, 50), 8, 0))


@torch.no_grad()
def test_v3plus_sees_context_beside_features_at_stride_4():
    model = copy.deepcopy(network(DeepLabV3Plus, width=8, skip_width=4))
    images, seen = torch.randn(1, 3, 65, 50), []
    model.decoder.register_forward_hook(lambda module, inputs, made: seen.extend([*inputs, made]))
    logits = model(images)
    joined, scores = seen
    features = model.backbone(images)
    torch.testing.assert_close(joined[:, :4], model.reduce(features[1]))
    torch.testing.assert_close(joined[:, 4:], enlarge(model.aspp(features[-1]), (17, 13), 4, 0))
    assert joined.shape == (1, 12, 17, 13) and scores.shape == (1, 3, 17, 13)
    torch.testing.assert_close(logits, enlarge(scores, (65, 50), 4, 0))
    for muted in (slice(0, 4), slice(4, 12)):
        other = copy.deepcopy(model)
        other.decoder[0][1][0].weight[:, muted] = 0  # the 1 x 1 convolution of the first layer
        assert not torch.allclose(other(images), logits, atol=0.05)


def test_v3plus_has_the_papers_decoder():
    """Two convolutions of 3 x 3 with 256 channels, depthwise separable (section 4.3)."""
    model = shapes(lambda: DeepLabV3Plus(21, "resnet50", None))
    assert model.reduce[0].in_channels == 256 and model.reduce[0].out_channels == 48
    kernels = [m.weight.shape for m in model.decoder.modules() if isinstance(m, nn.Conv2d)]
    separable = [(304, 1, 3, 3), (256, 304, 1, 1), (256, 1, 3, 3), (256, 256, 1, 1)]
    assert kernels == [*separable, (21, 256, 1, 1)]


@torch.no_grad()
def test_a_separable_convolution_is_one_whose_kernels_are_products():
    layer = SeparableConv(4, 6, dilation=2).eval()
    spatial, (mixing, norm, relu) = layer
    x = torch.randn(2, 4, 9, 11)
    product = mixing.weight * spatial.weight[:, 0]  # [6, 4, 3, 3]
    expected = relu(norm(F.conv2d(x, product, padding=2, dilation=2)))
    torch.testing.assert_close(layer(x), expected)
    assert spatial.weight.numel() + mixing.weight.numel() == 9 * 4 + 4 * 6  # of 9 * 4 * 6


# ---------------------------------------------------------------- multi-grid


def spatial_dilations(features) -> list[int]:
    last = features.stages[-1].modules()
    layers = [m for m in last if isinstance(m, nn.Conv2d) and m.kernel_size != (1, 1)]
    assert all(m.padding == m.dilation for m in layers)
    return [m.dilation[0] for m in layers]


@pytest.mark.parametrize(
    ("output_stride", "before", "after"), [(16, [1, 2, 2], [1, 4, 8]), (8, [2, 4, 4], [2, 8, 16])]
)
def test_multi_grid_multiplies_the_dilations(output_stride, before, after):
    """The first block, which made the step that was removed, keeps the dilation before it."""
    features = shapes(lambda: feature_pyramid("resnet50", None, output_stride))
    assert spatial_dilations(features) == before
    apply_multi_grid(features, (1, 1, 1))
    assert spatial_dilations(features) == before
    apply_multi_grid(features, (1, 2, 4))
    assert spatial_dilations(features) == after
    model = shapes(
        lambda: DeepLabV3(3, "resnet50", None, output_stride, width=8, multi_grid=(1, 2, 4))
    )
    assert spatial_dilations(model.backbone) == after


@torch.no_grad()
def test_multi_grid_changes_the_features_but_not_their_size():
    plain = network(DeepLabV3, width=8)
    grid = copy.deepcopy(plain)
    apply_multi_grid(grid.backbone, (1, 2, 1, 2))
    images = torch.randn(1, 3, 65, 81)
    a, b = plain.backbone(images)[-1], grid.backbone(images)[-1]
    assert a.shape == b.shape and not torch.allclose(a, b, atol=0.1)


@pytest.mark.parametrize(("backbone", "layers"), [("resnet50", 3), ("resnet18", 4)])
def test_multi_grid_needs_one_factor_for_each_layer(backbone, layers):
    with pytest.raises(ValueError, match=f"has {layers} spatial convolutions; found 2 factors"):
        shapes(lambda: DeepLabV3(3, backbone, None, multi_grid=(1, 2)))


# ---------------------------------------------------------------- batches of one


@pytest.mark.parametrize("make", [DeepLabV3, DeepLabV3Plus])
def test_a_batch_of_one_trains(make):
    model = copy.deepcopy(network(make, width=8)).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    before = copy.deepcopy(model.state_dict())
    model(torch.randn(1, 3, 47, 50)).square().mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    (norm,) = [m for m in model.modules() if isinstance(m, PooledNorm)]
    assert norm.weight.grad.any() and norm.bias.grad.any()
    optimizer.step()
    assert not torch.equal(before["backbone.stages.0.0.weight"], model.backbone.stages[0][0].weight)


@pytest.mark.parametrize("make", [DeepLabV3, DeepLabV3Plus])
def test_with_plain_batch_norm_it_would_not(make):
    model = copy.deepcopy(network(make, width=8)).train()
    for layer in model.modules():
        if isinstance(layer, ImagePooling):
            layer[1] = nn.BatchNorm2d(8)
    with pytest.raises(ValueError, match="Expected more than 1 value per channel"):
        model(torch.randn(1, 3, 47, 50))


@pytest.mark.parametrize(
    ("training", "shape"),
    [
        (True, (2, 5, 1, 1)),
        (True, (1, 5, 2, 1)),
        (True, (1, 5, 1, 3)),
        (True, (3, 5, 4, 4)),
        (False, (1, 5, 1, 1)),
        (False, (2, 5, 3, 3)),
    ],
)
def test_pooled_norm_is_batch_norm_whenever_that_works(training, shape):
    torch.manual_seed(0)
    plain, pooled = nn.BatchNorm2d(5).train(training), PooledNorm(5).train(training)
    for _ in range(3):
        x = torch.randn(shape) * 3 + 1
        torch.testing.assert_close(pooled(x), plain(x), rtol=0, atol=0)
    for name, value in plain.state_dict().items():
        assert torch.equal(pooled.state_dict()[name], value), name


def test_pooled_norm_takes_the_running_statistics_for_a_single_value():
    norm = PooledNorm(5)
    norm(torch.randn(8, 5, 1, 1) * 3 + 1)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    before = copy.deepcopy(norm.state_dict())
    x = torch.randn(1, 5, 1, 1, requires_grad=True)
    made = norm(x)
    torch.testing.assert_close(made, copy.deepcopy(norm).eval()(x))
    for name, value in norm.state_dict().items():
        assert torch.equal(before[name], value), name  # and learns nothing from it
    made.square().sum().backward()
    assert x.grad.all() and norm.weight.grad.all()
