"""Outlines become masks: labelme, COCO, YOLO and Supervisely, on tiny trees as the tools write."""

import base64
import io
import json
import math
import shutil
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pycocotools import mask as coco_masks

from seglab.datasets.convert import convert
from seglab.datasets.items import Canvas, class_indices, polygon, region, split_of
from seglab.datasets.opening import open_dataset
from seglab.datasets.shapes import decode_rle
from seglab.voc import DatasetError, VOCSegmentation

HEIGHT, WIDTH = 40, 60
Y, X = np.mgrid[:HEIGHT, :WIDTH]


def photo(path, seed=0, **options):
    """A small photograph, with folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, **options)
    return path


def write_json(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def box(left, top, right, bottom):
    """A rectangle whose corners are pixels, so that all programs agree on what is inside."""
    return (left <= X) & (right >= X) & (top <= Y) & (bottom >= Y)


def corners(left, top, right, bottom):
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


# ---------------------------------------------------------------- labelme


def shape(label, points, kind="polygon", group=None, **more):
    return {"label": label, "points": points, "shape_type": kind, "group_id": group} | more


def record(path, shapes, image="p.jpg", data=None):
    content = {"version": "5.4.1", "flags": {}, "shapes": shapes, "imagePath": image}
    write_json(path, content | {"imageData": data, "imageHeight": HEIGHT, "imageWidth": WIDTH})


ONE = [shape("mug", corners(10, 5, 30, 25))]


def beside(root):
    for i in range(3):
        photo(root / f"p{i}.jpg", i)
        record(root / f"p{i}.json", ONE, f"p{i}.jpg")


def one_folder_down(root):
    for film in ("a", "b"):
        photo(root / film / "0001.jpg")
        record(root / film / "0001.json", ONE, "0001.jpg")


def apart(root):
    for i in range(2):
        photo(root / "photos" / f"p{i}.JPG")
        record(root / "labels" / f"p{i}.json", ONE, f"..\\photos\\p{i}.jpg")  # from Windows


def lost_path(root):
    """The path of another computer."""
    for i in range(2):
        photo(root / "photos" / f"p{i}.jpg")
        record(root / "labels" / f"p{i}.json", ONE, f"/home/ann/shots/p{i}.jpg")


def inside(root):
    for i in range(2):
        data = base64.b64encode(photo(root / "gone.png", i).read_bytes()).decode()
        (root / "gone.png").unlink()
        record(root / f"p{i}.json", ONE, f"p{i}.png", data)


@pytest.mark.parametrize("make", [beside, one_folder_down, apart, lost_path, inside])
def test_labelme_wherever_the_images_are(tmp_path, make):
    make(tmp_path / "shots")
    data = open_dataset(tmp_path / "shots", "trainval")
    assert data.classes == ("background", "mug") and len(data) >= 2
    for index in range(len(data)):
        image, mask = data[index]
        assert image.shape == (3, HEIGHT, WIDTH)
        np.testing.assert_array_equal(mask.numpy(), box(10, 5, 30, 25))
    if make is one_folder_down:
        assert data.names == ["a_0001", "b_0001"]


def test_labelme_shapes_of_all_kinds_orders_and_groups(tmp_path):
    root = tmp_path / "shots"
    photo(root / "p.jpg")
    small = np.zeros((3, 4), dtype=bool)
    small[1, 1:3] = True
    png = io.BytesIO()
    Image.fromarray(small).save(png, "PNG")
    mask_shape = {"mask": base64.b64encode(png.getvalue()).decode()}
    record(
        root / "p.json",
        [
            shape("dog", [[30.0, 20.0], [10.0, 5.0]], "rectangle", group=1),
            shape("cat", [[45, 20], [45, 12]], "circle"),
            shape("dog", corners(2, 30, 8, 36), group=1),  # one dog with the rectangle
            shape("_background_", corners(12, 7, 15, 10)),  # an island
            shape("__ignore__", corners(28, 4, 31, 8)),
            shape("wire", [[20, 38], [50, 38]], "linestrip"),
            shape("cat", [[50, 1], [53, 3]], "mask", **mask_shape),
        ],
    )
    report = convert(root, tmp_path / "voc")
    data = VOCSegmentation(tmp_path / "voc", "trainval")
    assert data.classes == ("background", "cat", "dog", "wire")
    expected = np.zeros((HEIGHT, WIDTH), dtype=int)
    numbers = expected.copy()
    circle = (X - 45) ** 2 + (Y - 20) ** 2 <= 8**2
    for where, index, number in (
        (box(10, 5, 30, 20), 2, 1),
        (circle, 1, 2),
        (box(2, 30, 8, 36), 2, 1),
        (box(12, 7, 15, 10), 0, 0),
        (box(28, 4, 31, 8), 255, 255),
    ):
        expected[where], numbers[where] = index, number
    mask, objects = data.mask(0).numpy(), data.objects(0).numpy()
    wire = mask == 3
    assert wire[36:40, 25:45].all() and not wire[:30].any()
    expected[wire], numbers[wire] = 3, 3
    expected[2, 51:53], numbers[2, 51:53] = 1, 4
    rim = (abs(np.hypot(X - 45, Y - 20) - 8) < 1.5) & ~wire  # where circles are drawn differently
    np.testing.assert_array_equal(mask[~rim], expected[~rim])
    np.testing.assert_array_equal(objects[~rim], numbers[~rim])
    assert "the later shape is on top where two overlap" in str(report)


def test_labels_txt_gives_the_order_and_strangers_are_named(tmp_path):
    beside(tmp_path / "shots")
    labels = tmp_path / "shots" / "labels.txt"
    labels.write_text("__ignore__\n_background_\nzebra\nmug\n")
    assert open_dataset(tmp_path / "shots").classes == ("background", "zebra", "mug")
    labels.write_text("__ignore__\n_background_\nzebra\n")
    with pytest.raises(DatasetError, match=r"labels\.txt: no line for the label mug"):
        open_dataset(tmp_path / "shots")


def test_labelme_without_images_or_with_unlabelled_ones(tmp_path):
    root = tmp_path / "shots"
    beside(root)
    photo(root / "extra.jpg")
    with pytest.warns(UserWarning, match=r"images without labels, left out \(1\): extra\.jpg"):
        assert len(open_dataset(root, "trainval")) == 3
    (root / "p1.jpg").unlink()
    with pytest.raises(DatasetError, match=r"1 of 3 images are missing: p1\.jpg of p1\.json"):
        open_dataset(root)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"shapes": [{"label": "cat"}]}, r"p0\.json: looks like labelme, but .*KeyError: 'points'"),
        ({"shapes": [shape("cat", [], "rectangle")]}, r"p0\.json: looks like labelme"),
        ({"imagePath": None}, r"shots: looks like labelme"),
        ({"imagePath": "gone.png", "imageData": "AAAA"}, r"p0\.json: .* their image inside"),
    ],
)
def test_a_record_that_is_not_what_it_should_be(tmp_path, change, expected):
    beside(tmp_path / "shots")
    path = tmp_path / "shots" / "p0.json"
    write_json(path, json.loads(path.read_text()) | change)
    with pytest.raises(DatasetError, match=expected) as caught:
        open_dataset(tmp_path / "shots")
    assert "\n" not in str(caught.value)


def test_a_record_without_a_size_has_that_of_its_image(tmp_path):
    for make, name in ((beside, "a"), (inside, "b")):
        make(tmp_path / name)
        for path in (tmp_path / name).glob("*.json"):
            content = json.loads(path.read_text()) | {"imageHeight": None}
            write_json(path, content)
        mask = open_dataset(tmp_path / name, "trainval").mask(0)
        np.testing.assert_array_equal(mask.numpy(), box(10, 5, 30, 25))


def test_a_shape_of_an_unknown_kind(tmp_path):
    beside(tmp_path / "shots")
    record(tmp_path / "shots" / "p1.json", [shape("mug", [[1, 1]], "brush")], "p1.jpg")
    with pytest.raises(DatasetError, match=r"p1\.json: a shape of the kind 'brush'"):
        open_dataset(tmp_path / "shots")


# ---------------------------------------------------------------- COCO

CATEGORIES = [{"id": 7, "name": "dog"}, {"id": 3, "name": "cat"}]


def annotation(number, image, category, segmentation, **more):
    return {
        "id": number,
        "image_id": image,
        "category_id": category,
        "segmentation": segmentation,
        "iscrowd": 0,
    } | more


def coco(files, annotations, categories=CATEGORIES):
    images = [
        {"id": number, "file_name": name, "height": HEIGHT, "width": WIDTH}
        for number, name in enumerate(files, start=1)
    ]
    return {"images": images, "annotations": annotations, "categories": categories}


def flat(points):
    return [float(n) for point in points for n in point]


TWO = [
    annotation(1, 1, 7, [flat(corners(10, 5, 30, 25)), flat(corners(40, 5, 50, 9))]),
    annotation(2, 1, 3, [flat(corners(20, 15, 35, 35))]),
]
TWO_MASK = np.zeros((HEIGHT, WIDTH), dtype=int)
TWO_MASK[box(10, 5, 30, 25) | box(40, 5, 50, 9)] = 2
TWO_MASK[box(20, 15, 35, 35)] = 1


def as_cvat(root):
    photo(root / "images" / "default" / "p.jpg")
    photo(root / "images" / "default" / "q.jpg")
    write_json(root / "annotations" / "instances_default.json", coco(["p.jpg", "q.jpg"], TWO))
    return [0, 1]


def as_roboflow(root):
    for split in ("train", "valid"):
        photo(root / split / "p.jpg")
        family = [{"id": 0, "name": "animals", "supercategory": "none"}]
        members = [c | {"supercategory": "animals"} for c in CATEGORIES]
        content = coco(["p.jpg"], TWO, family + members)
        write_json(root / split / "_annotations.coco.json", content)
    return [0, 0]


def as_published(root):
    for split in ("train", "val"):
        photo(root / f"{split}2017" / f"{split}1.jpg")
        content = coco([f"{split}1.jpg"], TWO)
        write_json(root / "annotations" / f"instances_{split}2017.json", content)
        write_json(root / "annotations" / f"person_keypoints_{split}2017.json", content)
        write_json(root / "annotations" / f"captions_{split}2017.json", {"images": []})
    return [0, 0]


@pytest.mark.parametrize("make", [as_cvat, as_roboflow, as_published])
def test_coco_in_all_layouts(tmp_path, make):
    """The first image of each part has both shapes, a second one has none."""
    images = make(tmp_path / "coco")
    data = open_dataset(tmp_path / "coco", "trainval")
    assert data.classes == ("background", "cat", "dog") and len(data) == len(images)
    for index, empty in enumerate(images):
        np.testing.assert_array_equal(data.mask(index).numpy(), 0 if empty else TWO_MASK)
    assert set(np.unique(data.objects(0))) == {0, 1, 2}
    if make is not as_cvat:  # train and val are theirs
        assert len(open_dataset(tmp_path / "coco", "val")) == 1
    if make is as_published:
        assert open_dataset(tmp_path / "coco", "val").names == ["val1"]


@given(seed=st.integers(0, 10_000), height=st.integers(1, 70), width=st.integers(1, 70))
@settings(max_examples=60)
def test_run_lengths_as_pycocotools_packs_them(seed, height, width):
    rng = np.random.default_rng(seed)
    inside = rng.random((height, width)) < rng.choice([0.02, 0.5, 0.98])
    inside[: height // 2] = rng.random() < 0.5  # long runs need more letters
    packed = coco_masks.encode(np.asfortranarray(inside.astype(np.uint8)))
    text = {"size": packed["size"], "counts": packed["counts"].decode()}
    np.testing.assert_array_equal(decode_rle(text), inside)
    flat_runs = inside.T.ravel()
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flat_runs, [0]])))
    edges = np.concatenate([[0], edges, [flat_runs.size]])
    plain = {"size": [height, width], "counts": np.diff(edges).tolist()}
    np.testing.assert_array_equal(decode_rle(plain), inside)


def test_coco_run_lengths_and_crowds_in_a_data_set(tmp_path):
    root = tmp_path / "coco"
    inside = np.random.default_rng(3).random((HEIGHT, WIDTH)) < 0.3
    packed = coco_masks.encode(np.asfortranarray(inside.astype(np.uint8)))
    rle = {"size": packed["size"], "counts": packed["counts"].decode()}
    as_cvat(root)
    content = coco(["p.jpg", "q.jpg"], [*TWO, annotation(3, 2, 7, rle, iscrowd=1)])
    write_json(root / "annotations" / "instances_default.json", content)
    data = open_dataset(root, "trainval")
    np.testing.assert_array_equal(data.mask(1).numpy(), np.where(inside, 2, 0))
    np.testing.assert_array_equal(data.objects(1).numpy(), np.where(inside, 255, 0))


@given(seed=st.integers(0, 10_000))
@settings(max_examples=40)
def test_polygons_differ_from_pycocotools_only_along_the_outline(seed):
    rng = np.random.default_rng(seed)
    angles = (np.arange(7) + rng.uniform(0, 0.8, 7)) * 2 * math.pi / 7
    radii = rng.uniform(6, 18, 7)
    points = np.stack([30 + radii * np.cos(angles), 20 + radii * np.sin(angles)], 1)
    mine = region(HEIGHT, WIDTH, lambda pen: polygon(pen, points))
    runs = coco_masks.frPyObjects([flat(points)], HEIGHT, WIDTH)
    theirs = np.zeros((HEIGHT, WIDTH), dtype=bool)
    theirs[:] = decode_rle(runs[0] | {"counts": runs[0]["counts"].decode()})
    distance = np.full((HEIGHT, WIDTH), np.inf)
    for (x, y), (to_x, to_y) in zip(points, np.roll(points, -1, 0), strict=True):
        along = (X - x) * (to_x - x) + (Y - y) * (to_y - y)
        part = (along / ((to_x - x) ** 2 + (to_y - y) ** 2)).clip(0, 1)
        here = np.hypot(X - x - part * (to_x - x), Y - y - part * (to_y - y))
        distance = np.minimum(distance, here)
    assert distance[mine != theirs].max(initial=0) < 2
    assert theirs.sum() > 50 and mine.sum() >= theirs.sum()


def test_coco_panoptic(tmp_path):
    """Colours are numbers; stuff has no object; what belongs to no segment is void."""
    root = tmp_path / "coco"
    numbers = np.zeros((HEIGHT, WIDTH), dtype=np.int64)
    numbers[5:20, 3:30], numbers[20:35, 3:30], numbers[5:35, 31:50] = 70_000, 300, 5
    rgb = np.stack([numbers % 256, numbers // 256 % 256, numbers // 65536], 2).astype(np.uint8)
    categories = [
        {"id": 1, "name": "sky", "isthing": 0},
        {"id": 4, "name": "dog", "isthing": 1},
    ]
    for split in ("train", "val"):
        name = f"panoptic_{split}2017"
        photo(root / f"{split}2017" / f"{split}1.jpg")
        path = root / "annotations" / name / f"{split}1.png"
        path.parent.mkdir(parents=True)
        Image.fromarray(rgb).save(path)
        segments = [(70_000, 4), (300, 4), (5, 1)]
        info = [{"id": number, "category_id": c, "iscrowd": 0} for number, c in segments]
        entry = {"image_id": 1, "file_name": f"{split}1.png", "segments_info": info}
        write_json(
            root / "annotations" / f"{name}.json", coco([f"{split}1.jpg"], [entry], categories)
        )
    data = open_dataset(root, "val")
    assert data.classes == ("sky", "dog")
    expected = np.full((HEIGHT, WIDTH), 255)
    expected[5:35, 3:30], expected[5:35, 31:50] = 1, 0
    np.testing.assert_array_equal(data.mask(0).numpy(), expected)
    objects = data.objects(0).numpy()
    assert objects[10, 10] == 1 and objects[25, 10] == 2 and objects[10, 40] == 0
    assert objects[0, 0] == 255


def no_coco_images(root):
    shutil.rmtree(root / "images")
    return r"2 of 2 images are missing: p\.jpg of instances_default\.json"


def boxes_only(root):
    content = coco(["p.jpg", "q.jpg"], [annotation(5, 1, 7, [], bbox=[1, 2, 3, 4])])
    write_json(root / "annotations" / "instances_default.json", content)
    return r"annotation 5 has a box, but no outline\. These are labels for detection"


def another_size(root):
    Image.new("RGB", (WIDTH, HEIGHT - 1)).save(root / "images" / "default" / "q.jpg")
    return r"the mask is 60 x 40 pixels but its image is 60 x 39"


def same_name_twice(root):
    (root / "images" / "default").rename(root / "images" / "a")
    shutil.copytree(root / "images" / "a", root / "images" / "b")
    return r"has the same name, and a label for p\.jpg does not say which"


@pytest.mark.parametrize("break_it", [no_coco_images, boxes_only, another_size, same_name_twice])
def test_faults_of_coco(tmp_path, break_it):
    as_cvat(tmp_path / "coco")
    expected = break_it(tmp_path / "coco")
    with pytest.raises(DatasetError, match=expected) as caught:
        open_dataset(tmp_path / "coco")
    assert "\n" not in str(caught.value)


# ---------------------------------------------------------------- YOLO


def yolo_line(number, left, top, right, bottom):
    values = [(x / WIDTH, y / HEIGHT) for x, y in corners(left, top, right, bottom)]
    return f"{number} " + " ".join(f"{n:.9f}" for n in flat(values)) + "\n"


def make_yolo(root, names="names: [cat, dog]\n", roboflow=True):
    for split in ("train", "val"):
        for number in range(2):
            images, labels = (
                f"{split}/{part}" if roboflow else f"{part}/{split}"
                for part in ("images", "labels")
            )
            photo(root / images / f"p{number}.jpg", number)
            (root / labels).mkdir(parents=True, exist_ok=True)
            text = yolo_line(1, 10, 5, 30, 25) + yolo_line(0, 20, 15, 35, 35)
            (root / labels / f"p{number}.txt").write_text(text)
    (root / "data.yaml").write_text(f"path: .\ntrain: train\n{names}")
    return root


@pytest.mark.parametrize("roboflow", [True, False])
@pytest.mark.parametrize("names", ["names: [cat, dog]\n", "names:\n  1: dog\n  0: cat\n"])
def test_yolo(tmp_path, roboflow, names):
    root = make_yolo(tmp_path / "yolo", names, roboflow)
    data = open_dataset(root)
    assert data.classes == ("background", "cat", "dog")
    assert data.names == ["train_p0", "train_p1"]
    expected = np.where(box(10, 5, 30, 25), 2, 0)
    expected[box(20, 15, 35, 35)] = 1
    np.testing.assert_array_equal(data.mask(0).numpy(), expected)
    assert len(open_dataset(root, "val")) == 2


def test_yolo_images_without_a_file_are_background_and_said(tmp_path, capsys):
    root = make_yolo(tmp_path / "yolo")
    (root / "train" / "labels" / "p1.txt").unlink()
    assert not open_dataset(root).mask(1).any()
    assert "1 images without a text file are all background" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("0 .5 .5 .2 .2", r"p0\.txt, line 1: a box \(4 numbers\), not an outline"),
        ("2 .1 .1 .2 .2 .3 .1", r"p0\.txt, line 1: expected a class from 0 to 1"),
        ("0 .1 .1 .2 .2 .3 .1 .4", "of three or more corners"),
        ("0 10 10 30 10 30 30", r"p0\.txt, line 1: corners up to 30, .* Are they pixels"),
        ("0 .1 .1 .2 .2 .3 x", r"p0\.txt: looks like YOLO"),
        ("cat .1 .1 .2 .2 .3 .1", r"found 'cat \.1"),
    ],
)
def test_faults_of_yolo(tmp_path, line, expected):
    root = make_yolo(tmp_path / "yolo")
    (root / "train" / "labels" / "p0.txt").write_text(line)
    with pytest.raises(DatasetError, match=expected):
        open_dataset(root)


def test_yolo_classes_without_yaml(tmp_path, monkeypatch):
    root = make_yolo(tmp_path / "yolo")
    monkeypatch.setitem(__import__("sys").modules, "yaml", None)  # not installed
    with pytest.raises(
        DatasetError, match=r"data\.yaml: to read it, install PyYAML .*classes\.txt"
    ):
        open_dataset(root)
    (root / "data.yaml").unlink()
    with pytest.raises(DatasetError, match=r"no data\.yaml that names the classes"):
        open_dataset(root)
    (root / "classes.txt").write_text("cat\ndog\n")
    assert open_dataset(root).classes == ("background", "cat", "dog")


def test_a_broken_yaml(tmp_path):
    root = make_yolo(tmp_path / "yolo", names="names: [cat\n")
    with pytest.raises(DatasetError, match=r"looks like YOLO, but .*ParserError") as caught:
        open_dataset(root)
    assert "\n" not in str(caught.value)


# ---------------------------------------------------------------- Supervisely


def make_supervisely(root):
    write_json(root / "meta.json", {"classes": [{"title": "dog"}, {"title": "cat"}], "tags": []})
    small = np.zeros((5, 6), dtype=bool)
    small[1:4, 2:] = True
    png = io.BytesIO()
    layers = np.zeros((5, 6, 4), dtype=np.uint8)
    layers[small] = 255
    Image.fromarray(layers).save(png, "PNG")
    data = base64.b64encode(zlib.compress(png.getvalue())).decode()
    things = [
        {
            "classTitle": "dog",
            "geometryType": "polygon",
            "points": {
                "exterior": corners(10, 5, 30, 25),
                "interior": [corners(15, 10, 20, 15)],
            },
        },
        {
            "classTitle": "cat",
            "geometryType": "rectangle",
            "points": {"exterior": [[35, 5], [45, 9]], "interior": []},
        },
        {
            "classTitle": "cat",
            "geometryType": "bitmap",
            "bitmap": {"data": data, "origin": [56, 30]},  # two columns lie outside
        },
    ]
    for split in ("train", "val"):
        photo(root / split / "img" / "p.png")
        content = {"size": {"height": HEIGHT, "width": WIDTH}, "objects": things, "tags": []}
        write_json(root / split / "ann" / "p.png.json", content)
    return root


def test_supervisely(tmp_path):
    data = open_dataset(make_supervisely(tmp_path / "project"), "val")
    assert data.classes == ("background", "dog", "cat") and len(data) == 1
    expected = np.zeros((HEIGHT, WIDTH), dtype=int)
    expected[box(10, 5, 30, 25) & ~box(15, 10, 20, 15)] = 1
    expected[box(35, 5, 45, 9)] = 2
    expected[31:34, 58:] = 2
    np.testing.assert_array_equal(data.mask(0).numpy(), expected)
    assert set(np.unique(data.objects(0))) == {0, 1, 2, 3}


def test_faults_of_supervisely(tmp_path):
    root = make_supervisely(tmp_path / "project")
    (root / "val" / "img" / "p.png").unlink()
    with pytest.raises(DatasetError, match=r"1 of 2 images are missing: p\.png\. Download the"):
        open_dataset(root)


# ---------------------------------------------------------------- the pieces


def test_a_later_shape_is_on_top_and_the_overlap_is_counted():
    canvas = Canvas.blank(HEIGHT, WIDTH)
    canvas.lay(box(0, 0, 9, 9), 1, 1)
    canvas.lay(box(5, 5, 14, 14), 2, 2)
    canvas.lay(box(100, 0, 110, 5), 2, 3)
    assert canvas.overlap == 25 and canvas.empty == 1
    assert (canvas.mask == 2).sum() == 100 and (canvas.objects == 1).sum() == 75


@pytest.mark.parametrize(
    ("words", "split"),
    [
        (("train",), "train"),
        (("images", "Valid"), "val"),
        (("val2017",), "val"),
        (("default", "x"), ""),
        (("Test",), "test"),
        (("trainer",), ""),
    ],
)
def test_what_tools_call_the_splits(words, split):
    assert split_of(*words) == split


def test_names_for_background_and_void():
    classes, index = class_indices(["cat", "_background_", "Ignore", "dog"])
    assert classes == ("background", "cat", "dog")
    assert index == {"cat": 1, "_background_": 0, "Ignore": 255, "dog": 2}
