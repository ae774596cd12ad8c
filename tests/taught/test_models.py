"""What every network of the course must do: train on one odd image, compile, export, be stored."""

import copy
import io
import shutil
import warnings
from functools import partial

import numpy as np
import pytest
import torch
from helpers import lively

from seglab.deeplab import DeepLabV1, DeepLabV2, DeepLabV3, DeepLabV3Plus
from seglab.erfnet import ERFNet, NonBottleneck1D
from seglab.fcn import FCN
from seglab.networks import MODELS, Trained, build, load, save
from seglab.palettes import VOC_PALETTE
from seglab.prediction import logits_of
from seglab.training import trained_logits
from seglab.unet import PaperUNet, UNet, UNetPlusPlus

# Every architecture, small; on the backbones that are quick to compile and to export.
SMALL = {
    "PaperUNet": lambda: PaperUNet(3, in_channels=3, width=8),
    "UNet": lambda: UNet(3, width=8),
    "UNet on ResNet-18": lambda: UNet.with_backbone(3, "resnet18", None),
    "UNetPlusPlus": lambda: UNetPlusPlus(3, width=4, deep_supervision=False),
    "ERFNet": lambda: ERFNet(3),
    "ERFNet's encoder": lambda: ERFNet(3, encoder_only=True),
    "FCN": lambda: FCN(3, 8, "resnet18", None),
    "DeepLabV1 on VGG-16": lambda: DeepLabV1(3, "vgg16", None, width=16),
    "DeepLabV2": lambda: DeepLabV2(3, "resnet18", None),
    "DeepLabV3 with multi-grid": lambda: DeepLabV3(
        3, "resnet18", None, width=16, multi_grid=(1, 2, 1, 2)
    ),
    "DeepLabV3Plus": lambda: DeepLabV3Plus(3, "resnet18", None, width=16, skip_width=8),
}
REGISTRY = {name: partial(build, name, 3, weights=None) for name in MODELS}
EVERY = {**SMALL, **REGISTRY}
# PaperUNet knows sizes of 188 plus multiples of 16 only, and its logits are 184 pixels smaller.
SIZES = {"PaperUNet": [(188, 204), (204, 188), (220, 204)]}
ODD_SIZES = [(47, 65), (49, 79), (71, 33)]

_networks: dict = {}


def sizes(name: str) -> list[tuple[int, int]]:
    return SIZES.get(name, ODD_SIZES)


def network(name: str):
    """A network with random weights in evaluation mode, made once. Tests leave it as it is."""
    if name not in _networks:
        torch.manual_seed(0)
        model = EVERY[name]()
        for layer in model.modules():
            # At random, ERFNet's 17 blocks blow a rounding error up to 1e-3. In a trained network
            # a block adds little to its input, and so it does here.
            if isinstance(layer, NonBottleneck1D):
                torch.nn.init.constant_(layer.layers[-2].weight, 0.3)
        _networks[name] = lively(model, size=sizes(name)[0])
    return _networks[name]


def picture(size: tuple[int, int]) -> torch.Tensor:
    return torch.randn(1, 3, *size, generator=torch.Generator().manual_seed(size[0]))


def test_every_kind_of_network_is_here_in_small():
    assert {type(network(name)) for name in MODELS} <= {type(network(name)) for name in SMALL}


@pytest.mark.parametrize("name", EVERY)
def test_one_image_of_odd_size_trains(name):
    model = copy.deepcopy(network(name)).train()
    size = sizes(name)[0]
    output = model(picture(size))
    lost = 184 if name == "PaperUNet" else 0
    assert logits_of(output).shape == (1, 3, size[0] - lost, size[1] - lost)
    sum(logits.square().mean() for logits in trained_logits(output)).backward()
    learned = {n: p for n, p in model.named_parameters() if p.requires_grad}
    assert not [n for n, p in learned.items() if p.grad is None or not p.grad.isfinite().all()]
    silent = [n for n, p in learned.items() if p.ndim == 4 and not p.grad.any()]
    assert not silent, silent


@pytest.mark.parametrize("name", EVERY)
@torch.no_grad()
def test_in_evaluation_a_batch_is_its_images_one_by_one(name):
    model, (height, width) = copy.deepcopy(network(name)).double(), sizes(name)[0]
    images = torch.cat([picture((height, width)), torch.rand(2, 3, height, width)]).double()
    together = model(images)
    assert together.std() > 0.03
    alone = torch.cat([model(image[None]) for image in images])
    torch.testing.assert_close(together, alone, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("size", [(31, 188), (188, 31)])
def test_images_that_are_too_small_are_refused(name, size):
    with pytest.raises(ValueError, match="31"):
        network(name)(torch.zeros(1, 3, *size))


@pytest.mark.parametrize("name", EVERY)
def test_weights_survive_a_file(name, tmp_path):
    torch.manual_seed(1)
    other, images = EVERY[name]().eval(), picture(sizes(name)[1])
    with torch.no_grad():
        expected = network(name)(images)
        assert not torch.allclose(other(images), expected, atol=1e-3)
        torch.save(network(name).state_dict(), tmp_path / "state.pt")
        other.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
        torch.testing.assert_close(other(images), expected)


@pytest.mark.parametrize("name", MODELS)
def test_a_checkpoint_brings_the_network_back(name, tmp_path):
    classes = ("background", "lamp", "sofa")
    trained = Trained(network(name), classes, VOC_PALETTE, 320, "two epochs")
    path = save(tmp_path / "folder" / "network.pt", trained)
    back = load(path)
    assert type(back.model) is type(network(name)) and not back.model.training
    assert (back.classes, back.longest_side, back.notes) == (classes, 320, "two epochs")
    np.testing.assert_array_equal(back.palette, VOC_PALETTE)
    images = picture(ODD_SIZES[1])
    with torch.no_grad():
        torch.testing.assert_close(back.model(images), network(name)(images))


# ---------------------------------------------------------------- compiled

# Height and width change places: as many pixels and as many odd halves as before, so that torch
# finds no reason to compile again, which it may (for other convolutions from some size on).
ALIKE = [(33, 65), (65, 33)]


def assert_compiles(name: str, **options) -> None:
    torch._dynamo.reset()
    model = torch.compile(network(name), fullgraph=True, dynamic=True, **options)
    for size in SIZES.get(name, ALIKE)[:2]:
        expected = network(name)(picture(size))
        try:
            made = model(picture(size))
        except Exception as error:  # of many kinds
            if "No module named 'setuptools'" in str(error):  # an older torch forgot to ask for it
                pytest.skip("torch.compile of this torch needs setuptools, which is not installed")
            raise
        torch.testing.assert_close(made, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", SMALL)
@torch.no_grad()
def test_all_of_a_network_is_one_graph_for_any_size(name):
    assert_compiles(name, backend="eager")


@pytest.mark.parametrize("name", ["UNet", "DeepLabV3Plus"])  # 5 s each; the export does it for all
@torch.no_grad()
def test_the_graph_can_be_taken_apart_into_torchs_basic_operations(name):
    assert_compiles(name, backend="aot_eager")


@pytest.mark.skipif(
    not any(map(shutil.which, ("g++", "clang++", "cl"))),
    reason="torch.compile needs a C++ compiler on a CPU; none found",
)
@torch.no_grad()
def test_compiled_to_machine_code_it_gives_the_same_logits():
    assert_compiles("DeepLabV1 on VGG-16")


# ---------------------------------------------------------------- exported

# torch.export of torch 2.6 cannot follow an interpolation to a size that varies, but its exporter
# before that one can. 2.9 is the oldest torch with which the new way was tried.
BY_TORCH_EXPORT = tuple(map(int, torch.__version__.split(".")[:2])) >= (2, 9)


def exported(model, images: torch.Tensor) -> bytes:
    """An ONNX file of the network, for images of any height and width."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about torch's own insides
        if BY_TORCH_EXPORT:
            varies = {2: torch.export.Dim.DYNAMIC, 3: torch.export.Dim.DYNAMIC}
            program = torch.onnx.export(
                *(model, (images,)), dynamo=True, dynamic_shapes=(varies,), verbose=False
            )
            program.save(file)
        else:
            torch.onnx.export(
                *(model, (images,), file),
                dynamo=False,
                input_names=["images"],
                dynamic_axes={"images": {2: "height", 3: "width"}},
            )
    return file.getvalue()


@pytest.mark.parametrize("name", [*SMALL, "fcn8s"])
@torch.no_grad()
def test_exported_once_it_gives_the_same_logits_elsewhere_at_other_sizes(name):
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    pytest.importorskip("onnxscript", reason="onnxscript, which exports, is not installed")
    first, *others = sizes(name)
    session = runtime.InferenceSession(exported(network(name), picture(first)))
    (inputs,) = session.get_inputs()
    for size in others:
        expected = network(name)(picture(size))
        (made,) = session.run(None, {inputs.name: picture(size).numpy()})
        torch.testing.assert_close(torch.from_numpy(made), expected, rtol=1e-4, atol=1e-4)
