"""The networks that come with the course, and the command that makes them."""

import csv
import importlib.util
import json
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import REPOSITORY, add_pair, block_mask, make_tiny_voc, painted, voc_folder

from seglab import networks, prediction
from seglab.classroom.shell import main
from seglab.datasets.sources import CAMVID_COLORS
from seglab.machine import embedded
from seglab.machine.checkpoints import CheckpointError
from seglab.palettes import VOC_CLASSES
from seglab.recipes import PRESETS
from seglab.voc import VOCSegmentation

PHOTO = REPOSITORY / "data" / "photos" / "chelsea.jpg"


def of_the_clone(name: str):
    """A program of the folder `data`, which is no part of the package."""
    path = REPOSITORY / "data" / f"{name}.py"
    if not path.exists():
        pytest.skip("only a clone has it")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where the other program looks for it
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def script():
    return of_the_clone("train_embedded")


@pytest.fixture(scope="module")
def comparison(script):
    return of_the_clone("compare_networks")


# ---------------------------------------------------------------- those that are there


def test_each_is_loaded_by_its_name_and_is_what_the_facts_say():
    facts = embedded.facts()
    assert [*facts] == [*embedded.EMBEDDED]
    for name in facts:
        trained = networks.load(name)
        assert list(trained.classes) == facts[name]["classes"] and trained.longest_side
        assert trained.notes == facts[name]["recipe"]
        assert embedded.EMBEDDED[name].stat().st_size <= 10e6
        for scores in facts[name]["scores"].values():
            assert 0 < scores["mean IoU"] < scores["pixel accuracy"] < 100


def test_their_classes_and_colours_are_those_of_their_data():
    for name in ("rooms", "photos"):
        assert networks.load(name).classes == VOC_CLASSES
    streets = networks.load("streets")
    assert streets.classes == tuple(CAMVID_COLORS)
    np.testing.assert_array_equal(streets.palette[:11], list(CAMVID_COLORS.values()))


def test_without_a_name_it_is_that_for_photographs():
    found, expected = prediction.segment(PHOTO), prediction.segment(PHOTO, networks.load("photos"))
    assert torch.equal(found.mask, expected.mask) and found.shares()["cat"] > 0.3
    assert not torch.equal(found.mask, prediction.segment(PHOTO, "rooms").mask)


def test_a_shell_takes_the_names(tmp_path, capsys):
    words = ["predict", str(PHOTO), "--output", str(tmp_path), "--checkpoint", "streets"]
    assert main(words) == 0
    assert "cat" not in capsys.readouterr().out.replace(str(PHOTO), "")


def test_the_list_says_what_is_known_of_each(capsys):
    assert main(["networks"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "photos: U-Net" in shown and "torchvision/fcn_resnet50" in shown
    for facts in embedded.facts().values():
        assert f"learned from {facts['data']}" in shown
        for data, scores in facts["scores"].items():
            assert f"{data}, {scores['images']} images: mean IoU {scores['mean IoU']}," in shown
        assert f"{len(facts['classes'])} classes: {', '.join(facts['classes'])}" in shown


def test_a_missing_one_says_how_it_is_made(monkeypatch):
    gone = embedded.FOLDER / "gone.pt"
    monkeypatch.setitem(embedded.EMBEDDED, "photos", gone)
    with pytest.raises(CheckpointError, match=r"gone.pt: .*`python data/train_embedded.py`"):
        networks.load("photos")


# ---------------------------------------------------------------- how they are made


def tiny_photographs(root, count=30):
    """Pictures in VOC's classes; in the third last one, class 1 is class 5."""
    rng, names = np.random.default_rng(0), [f"2008_{n:06}" for n in range(count)]
    voc_folder(root, {"train": names})
    for name in names:
        mask = block_mask(rng)
        image = painted(mask, rng)
        mask[mask == 1] = 5 if name == names[-3] else 1
        add_pair(root, name, image, mask)
    return root


def test_a_tenth_is_held_back_and_the_name_alone_decides(script):
    names = [f"2008_{n:06}" for n in range(3000)]
    held = [name for name in names if script.held_back(name)]
    assert 250 < len(held) < 350
    assert held[:3] == ["2008_000000", "2008_000024", "2008_000030"]


def test_nothing_that_is_held_back_is_learned_from(script, tmp_path):
    root = str(tiny_photographs(tmp_path / "photos"))
    learned, held = script.photographs(root, held=False), script.photographs(root, held=True)
    assert len(learned) + len(held) == 30 and not {*learned.names} & {*held.names}
    assert held.names and all(map(script.held_back, held.names))


def test_pictures_with_rare_classes_are_seen_more_often(script, tmp_path):
    data = VOCSegmentation(tiny_photographs(tmp_path / "photos"), "train")
    numbers = script.with_rare_ones(data, 4)
    assert numbers == [*range(27), 27, 27, 27, 27, 28, 29]


def test_several_data_sets_are_one(script, tmp_path):
    data = VOCSegmentation(make_tiny_voc(tmp_path / "tiny"), "train")
    both = script.Together([(data, 2), (data, 2), (data, 0)])
    assert len(both) == 3 and both.classes == data.classes
    assert torch.equal(both[0][0], data[2][0]) and torch.equal(both[2][1], data[0][1])
    both.transforms = lambda image, mask: (mask, image)
    assert torch.equal(both[1][0], data[2][1])


@pytest.fixture
def elsewhere(monkeypatch, tmp_path):
    """The script writes here."""
    for name in embedded.EMBEDDED:
        monkeypatch.setitem(embedded.EMBEDDED, name, tmp_path / f"{name}.pt")
    monkeypatch.setattr(embedded, "FACTS", tmp_path / "facts.json")
    monkeypatch.chdir(tmp_path)
    return tmp_path


SMALL = "--images 8 --batch-size 2 --longest-side 64 --crop 32 48".split()


def test_the_command_trains_stores_and_scores(script, elsewhere, capsys):
    root = make_tiny_voc(elsewhere / "tiny")
    words = ["streets", "--streets", str(root), *SMALL]
    script.main(words)
    facts = embedded.facts()["streets"]
    assert facts["network"].startswith("U-Net") and "8 images" in facts["training"]
    assert facts["scores"]["CamVid val"]["images"] == 3
    state = torch.load(embedded.EMBEDDED["streets"])["state"]
    kinds = {value.dtype for value in state.values()}
    assert torch.float16 in kinds and torch.float32 not in kinds
    before = embedded.EMBEDDED["streets"].read_bytes()
    script.main(words)  # goes on, with nothing left to do
    assert embedded.EMBEDDED["streets"].read_bytes() == before


def test_photographs_and_rooms_together(script, elsewhere, monkeypatch, capsys):
    photos = tiny_photographs(elsewhere / "photos")
    rendered = VOCSegmentation(tiny_photographs(elsewhere / "rooms", 3), "train")
    monkeypatch.setattr(script, "rooms", lambda split: rendered)
    script.main(["photos", "--photos", str(photos), "--repeat-rooms", "2", *SMALL])
    facts = embedded.facts()["photos"]
    held = len(script.photographs(str(photos), held=True))
    assert facts["scores"]["photographs held back"]["images"] == held
    assert facts["scores"]["rooms val"]["images"] == 3
    assert f"{30 - held} photographs of PASCAL VOC 2012 (those with rare" in facts["data"]
    seen = 30 - held + 3  # one has a rare class
    assert f"{seen / (seen + 6):.0%} of what it saw were photographs" in facts["data"]
    assert json.loads(embedded.FACTS.read_text()).keys() == {"photos"}


def test_scores_are_in_percent_and_leave_out_what_does_not_occur(script, tmp_path):
    data = VOCSegmentation(tiny_photographs(tmp_path / "photos", 4), "train")

    class Right(torch.nn.Module):
        """Sees the truth."""

        def __init__(self):
            super().__init__()
            self.place, self.bias = 0, torch.nn.Parameter(torch.zeros(1))

        def forward(self, images):
            mask = data.mask(self.place).long()
            self.place += 1
            mask[mask == 255] = 0
            return torch.nn.functional.one_hot(mask, 21).permute(2, 0, 1)[None].float()

    trained = networks.Trained(Right(), VOC_CLASSES, data.palette, None)
    found = script.scores(trained, data)
    assert found["images"] == 4 and found["mean IoU"] == found["pixel accuracy"] == 100
    assert found["IoU"].keys() == {VOC_CLASSES[i] for i in (0, 1, 2, 5)}
    assert "seven classes" not in found


# ---------------------------------------------------------------- the table of all networks


def test_three_seeds_for_those_that_are_compared_and_photographs_once(comparison):
    runs = comparison.wanted(["rooms", "streets", "photos"])
    assert len(runs) == len(set(runs)) == 2 * (3 * 4 + 7) + 6
    assert runs[:4] == [("rooms", name, 0) for name in comparison.COMPARED]
    assert {seed for data, _, seed in runs if data == "photos"} == {0}


def test_a_second_call_goes_on_where_the_first_one_ended(comparison, tmp_path, monkeypatch, capsys):
    """With trainings of two steps; the scores are those of the networks that were trained."""
    recipe = replace(PRESETS["quick"], images=4, batch_size=2, longest_side=64, crop=(32, 32))
    monkeypatch.setattr(comparison, "recipe_for", lambda *_: recipe)
    monkeypatch.setattr(comparison, "wanted", lambda data: [(d, "fcn32s", 0) for d in data])
    output, streets = tmp_path / "runs" / "table.csv", make_tiny_voc(tmp_path / "streets")
    comparison.main(["--output", str(output)])
    first = output.read_text(encoding="utf-8")
    capsys.readouterr()
    comparison.main(["--output", str(output), "--streets", str(streets)])
    assert output.read_text(encoding="utf-8").startswith(first)
    with open(output, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["data"], row["images"]) for row in rows] == [("rooms", "4"), ("streets", "4")]
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "streets fcn32s 0" and "rooms fcn32s 0" not in shown
    scores = [
        f"{float(row[score]):.1f}" for row in rows for score in ("mean_iou", "pixel_accuracy")
    ]
    assert shown[-1].split(" | ")[4:] == [*scores[:-1], f"{scores[-1]} |"]


def test_several_seeds_are_a_mean_and_a_range(comparison):
    row = {"data": "rooms", "network": "unet", "cpu_seconds": "60", "images": "9"}
    row |= {"parameters": "4000000", "pixel_accuracy": "90"}
    rows = [{**row, "mean_iou": str(mean)} for mean in (70, 73, 76)]
    assert "| 9 | 1 | 73.0 (70.0 to 76.0) | 90.0 (90.0 to 90.0) |" in comparison.table(rows)
