"""The wheel holds the data and finds it, from anywhere; so does the clone."""

import os
import subprocess
import sys
import zipfile

import pytest
from helpers import REPOSITORY, built_wheel

import seglab
from seglab import voc
from seglab.machine.embedded import EMBEDDED, FACTS

SCRIPT = """
import sys
from pathlib import Path
import seglab
from seglab.voc import rooms
home = Path(sys.argv[1])
assert Path(seglab.__file__).is_relative_to(home), seglab.__file__
for split in ("train", "val", "trainval"):
    data = rooms(split)
    assert data.root.is_relative_to(home), data.root
    image, mask = data[0]
    assert image.shape[1:] == mask.shape
    print(split, len(data))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return built_wheel(tmp_path_factory.mktemp("wheel"))


def test_the_wheel_is_small_and_whole(wheel):
    assert wheel.stat().st_size < 40e6
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    modules = {f"seglab/{p.name}" for p in (REPOSITORY / "seglab").glob("*.py")}
    assert modules <= names
    assert {f"seglab/weights/{p.name}" for p in (*EMBEDDED.values(), FACTS)} <= names
    for split in ("train", "val", "trainval"):
        assert f"seglab/data/rooms/ImageSets/Segmentation/{split}.txt" in names
    in_clone = {
        str(p.relative_to(REPOSITORY / "data"))
        for p in (REPOSITORY / "data" / "rooms").rglob("*")
        if p.is_file() and not p.name.startswith(".")
    }
    assert {f"seglab/data/{name}" for name in in_clone} <= names
    assert not [n for n in names if n.startswith(("tests/", "notebooks/", "data/"))]


def test_the_wheel_works_from_an_empty_folder(wheel, tmp_path):
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    elsewhere.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(home)
    environment = {**os.environ, "PYTHONPATH": str(home)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(home)],
        cwd=elsewhere,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    clone = {s: len(voc.rooms(s)) for s in ("train", "val", "trainval")}
    assert done.stdout.split() == [str(x) for pair in clone.items() for x in pair]


def test_the_clone_and_the_editable_install_find_the_rooms():
    if REPOSITORY not in voc.rooms_folder().parents:
        pytest.skip("these tests run against an installed seglab, not the clone's")
    assert voc.rooms_folder() == REPOSITORY / "data" / "rooms"
    assert seglab.__file__.startswith(str(REPOSITORY))


def test_without_the_data_the_error_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(voc, "__file__", str(tmp_path / "seglab" / "voc.py"))
    with pytest.raises(voc.DatasetError, match=r"was not found in .*install the course again"):
        voc.rooms("train")
