"""State dicts of wrapped networks, in and out of a file."""

import pytest
import torch
import torchvision
from torch import nn

from seglab import networks
from seglab.machine import checkpoints
from seglab.machine.checkpoints import CheckpointError, plain_names, tensor_bytes
from seglab.palettes import VOC_CLASSES, VOC_PALETTE

CLASSES = ("background", "a", "b")


def saved(model, path):
    return networks.save(path, networks.Trained(model, CLASSES, VOC_PALETTE, None))


@pytest.mark.parametrize(
    "wrap",
    [
        nn.DataParallel,
        lambda model: torch.compile(model, backend="eager"),
        lambda model: nn.DataParallel(torch.compile(model, backend="eager")),
        lambda model: torch.compile(nn.DataParallel(model), backend="eager"),
    ],
)
def test_a_wrapped_network_is_stored_as_it_is_inside(wrap, tmp_path):
    model = networks.build("erfnet", 3)
    path = saved(wrap(model), tmp_path / "net.pt")
    stored = torch.load(path, weights_only=True)["state"]
    assert stored.keys() == model.state_dict().keys()
    assert networks.load(path).model.state_dict().keys() == stored.keys()


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod."])
def test_prefixes_are_understood_on_loading(prefix, tmp_path):
    model = networks.build("erfnet", 3)
    path = saved(model, tmp_path / "net.pt")
    content = torch.load(path, weights_only=True)
    content["state"] = {prefix + name: value for name, value in content["state"].items()}
    torch.save(content, path)
    loaded = networks.load(path).model.state_dict()
    assert all(torch.equal(value, loaded[name]) for name, value in model.state_dict().items())


def test_a_layer_that_is_called_module_keeps_its_name():
    names = {"module.weight": torch.zeros(1), "score.weight": torch.zeros(1)}
    assert plain_names(names).keys() == names.keys()
    assert plain_names({"encoder._orig_mod.weight": 0}).keys() == {"encoder.weight"}


def test_what_a_foreign_file_holds_is_said(tmp_path):
    torch.save(networks.build("erfnet", 3).state_dict(), tmp_path / "weights.pt")
    with pytest.raises(CheckpointError, match=r"bare weights.*it holds \[.*weight"):
        checkpoints.read(tmp_path / "weights.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    with pytest.raises(CheckpointError, match="it holds a list"):
        checkpoints.read(tmp_path / "list.pt")


def test_bytes_are_counted_in_nested_content():
    nested = {"a": torch.zeros(3), "b": [{"c": torch.zeros(2, dtype=torch.int64)}, 7, "x"]}
    assert tensor_bytes(nested) == 12 + 16


@pytest.mark.parametrize("name", ["lraspp_mobilenet_v3_large", "deeplabv3_mobilenet_v3_large"])
def test_weights_of_torchvision_are_known_by_the_name_of_their_file(name, tmp_path):
    torch.manual_seed(0)
    model = torchvision.models.get_model(name, weights=None, weights_backbone=None).eval()
    path = tmp_path / f"{name}-fc3c493d.pth"
    torch.save(model.state_dict(), path)
    trained = networks.load(path)
    images = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        assert torch.equal(trained.model(images)["out"], model(images)["out"])
    assert trained.classes == VOC_CLASSES and not trained.model.training


def test_weights_under_a_wrong_name_are_told(tmp_path):
    path = tmp_path / "fcn_resnet50_coco-1167a1af.pth"
    torch.save({"conv.weight": torch.zeros(1)}, path)
    with pytest.raises(CheckpointError, match="by its name weights of torchvision's fcn_resnet50"):
        networks.load(path)
