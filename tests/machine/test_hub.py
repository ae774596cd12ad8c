"""torchvision's networks by name: a server on this machine, and random weights under a true name."""

import hashlib
import threading

import pytest
import torch
import torchvision
from file_server import Server
from helpers import REPOSITORY

from seglab import networks
from seglab.classroom import bundle, stick
from seglab.classroom.shell import main
from seglab.machine import hub
from seglab.machine.checkpoints import CheckpointError

NAME = "lraspp_mobilenet_v3_large"
PHOTO = str(REPOSITORY / "data" / "photos" / "chelsea.jpg")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A file of random weights; the end of its name is its checksum's beginning."""
    torch.manual_seed(0)
    model = torchvision.models.get_model(NAME, weights=None, weights_backbone=None)
    path = tmp_path_factory.mktemp("weights") / "random.pth"
    torch.save(model.state_dict(), path)
    checksum = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    return path.rename(path.with_name(f"{NAME}-{checksum}.pth"))


@pytest.fixture
def server(weights, tmp_path, monkeypatch):
    """Serves the weights; torch's cache is an empty folder."""
    made = Server()
    threading.Thread(target=made.serve_forever, daemon=True).start()
    url = made.serve(f"/models/{weights.name}", weights.read_bytes())
    monkeypatch.setattr(hub, "address", lambda name: url)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    yield made
    made.shutdown()


def predict(tmp_path, *words):
    words = ["predict", PHOTO, "--checkpoint", f"torchvision/{NAME}", *words]
    return main([*words, "--output", str(tmp_path / "out")])


def test_the_addresses_end_in_a_checksum():
    assert NAME in hub.NETWORKS and len(hub.NETWORKS) >= 6
    for name in hub.NETWORKS:
        file = hub.address(name).rsplit("/", 1)[1]
        assert file.startswith(name)
        assert len(bytes.fromhex(file.removesuffix(".pth").rsplit("-", 1)[1])) == 4
        size, score = hub.size_and_score(name)
        assert 10 < float(size) < 300 and 50 < float(score) < 70


def test_a_network_is_downloaded_once_and_then_used_offline(server, weights, tmp_path, capsys):
    assert predict(tmp_path) == 0
    assert "100%" in capsys.readouterr().err  # the bar
    assert [path for path, _ in server.log] == [f"/models/{weights.name}"]
    assert hub.weights_file(NAME).read_bytes() == weights.read_bytes()
    server.files.clear()
    assert predict(tmp_path) == 0 and len(server.log) == 1
    expected, found = torch.load(weights), networks.load(f"torchvision/{NAME}").model.state_dict()
    assert all(torch.equal(value, found[name]) for name, value in expected.items())


@pytest.mark.parametrize("fault", ["gone", "cut off", "another file", "no server"])
def test_what_cannot_be_had_is_said_in_one_line(fault, server, weights, tmp_path, capsys):
    served = server.files[f"/models/{weights.name}"]
    if fault == "gone":
        server.files.clear()
    elif fault == "cut off":
        served.breaks = [1000]
    elif fault == "another file":
        served.content = b"please log in"
    else:
        server.server_close()
    assert predict(tmp_path) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith(f"seglab: torchvision/{NAME} cannot be downloaded (")
    assert hub.address(NAME) in line and f"--from-file {weights.name}" in line
    assert list((tmp_path / "cache" / "hub" / "checkpoints").iterdir()) == []


def test_a_copy_of_the_file_does_instead(server, weights, tmp_path, capsys):
    wrong = tmp_path / weights.name
    wrong.write_bytes(weights.read_bytes()[:-1])
    assert predict(tmp_path, "--from-file", str(wrong)) == 1
    assert f"no copy of {weights.name}: its sha256 is" in capsys.readouterr().err
    assert predict(tmp_path, "--from-file", str(tmp_path / "nowhere.pth")) == 1
    assert "nowhere.pth" in capsys.readouterr().err
    assert predict(tmp_path, "--from-file", str(weights)) == 0
    assert predict(tmp_path) == 0 and server.log == []


def test_an_unknown_name_lists_those_that_there_are(tmp_path):
    with pytest.raises(CheckpointError, match=r"no 'unet'; choose one of .*fcn_resnet50"):
        networks.load("torchvision/unet")


def test_a_bundle_takes_them_along_to_where_torch_looks(server, weights, tmp_path, monkeypatch):
    bundle._copy_weights([NAME], tmp_path / stick.WEIGHTS)
    monkeypatch.setattr(stick, "__file__", str(tmp_path / "start.py"))
    monkeypatch.setenv("TORCH_HOME", stick.environment()["TORCH_HOME"])
    server.files.clear()
    assert hub.weights_file(NAME) == tmp_path / stick.WEIGHTS / weights.name
    assert networks.load(f"torchvision/{NAME}").longest_side == 520


def test_a_stick_without_weights_leaves_torchs_cache_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(stick, "__file__", str(tmp_path / "start.py"))
    monkeypatch.setenv("TORCH_HOME", "mine")
    assert stick.environment()["TORCH_HOME"] == "mine"
