"""Masks that are pictures: exports of labelme, CVAT, Label Studio and Roboflow; their faults."""

import json
import re
import shutil

import numpy as np
import pytest
import torch
from helpers import (
    TINY_CLASSES,
    block_mask,
    make_tiny_voc,
    painted,
    palette_by_hand,
    save_palette_png,
)
from PIL import Image
from torchvision import tv_tensors

from seglab import networks
from seglab.classroom.shell import main
from seglab.datasets.convert import convert
from seglab.datasets.masks import read_label_map
from seglab.datasets.opening import open_dataset
from seglab.recipes import Recipe
from seglab.training import fit
from seglab.voc import DatasetError, VOCSegmentation

NAMES = [f"IMG_{number}" for number in range(1, 7)]
COLORS = {"background": (0, 0, 0), "cat": (250, 50, 83), "dog": (51, 221, 255)}


def pictures(seed: int = 0):
    """(name, image, mask) of six small photographs; 255 frames the two objects."""
    rng = np.random.default_rng(seed)
    for name in NAMES:
        mask = block_mask(rng)
        yield name, painted(mask, rng), mask


def without_void(mask: np.ndarray) -> np.ndarray:
    return np.where(mask == 255, 0, mask).astype(np.uint8)


def make_labelme(root, converter="labelme2voc"):
    """What the converters write: labelme2voc.py now and once, and `labelmetk export-to-voc`."""
    old = converter == "old labelme2voc"
    folder = "SegmentationClassPNG" if old else "SegmentationClass"
    for name in ("JPEGImages", folder, "SegmentationClass", "SegmentationClassVisualization"):
        (root / name).mkdir(parents=True, exist_ok=True)
    npy = root / ("SegmentationClass" if old else "SegmentationClassNpy")
    npy.mkdir(exist_ok=True)
    for name, image, mask in pictures():
        Image.fromarray(image).save(root / "JPEGImages" / f"{name}.jpg", quality=95)
        save_palette_png(root / folder / f"{name}.png", mask)
        np.save(npy / f"{name}.npy", np.where(mask == 255, -1, mask.astype(int)))
        Image.fromarray(image).save(root / "SegmentationClassVisualization" / f"{name}.jpg")
    first = ["__ignore__"] if converter == "labelmetk" else []
    # joined, so that the last line does not end: that is how both write it
    (root / "class_names.txt").write_text("\n".join([*first, "_background_", "cat", "dog"]))
    return root


def make_cvat(root, images=True, colors=COLORS, lists=None):
    """Segmentation mask 1.1: labels in alphabetical order, no void."""
    lists = {"default": NAMES} if lists is None else lists
    for name in ("SegmentationClass", "SegmentationObject", "ImageSets/Segmentation"):
        (root / name).mkdir(parents=True)
    text = "# label:color_rgb:parts:actions\n"
    for label in sorted(colors):
        text += f"{label}:{','.join(map(str, colors[label]))}::\n"
    (root / "labelmap.txt").write_text(text)
    table = np.array([colors[label] for label in ("background", "cat", "dog")], dtype=np.uint8)
    for name, image, mask in pictures():
        rgb = Image.fromarray(table[without_void(mask)])
        rgb.save(root / "SegmentationClass" / f"{name}.png")
        rgb.save(root / "SegmentationObject" / f"{name}.png")
        if images:
            (root / "JPEGImages").mkdir(exist_ok=True)
            Image.fromarray(image).save(root / "JPEGImages" / f"{name}.jpg", quality=95)
    for stem, names in lists.items():
        path = root / "ImageSets" / "Segmentation" / f"{stem}.txt"
        path.write_text("".join(f"{name}\n" for name in names))
    return root


def region(label, from_name="tag", **more) -> dict:
    """A brush stroke, as the JSON export has it (the numbers of `rle` are not read)."""
    value = {"format": "rle", "rle": [0, 1, 2], "brushlabels": [label]}
    result = {"from_name": from_name, "to_name": "image", "type": "brushlabels", "value": value}
    return {**result, "original_width": 64, "original_height": 48, "image_rotation": 0, **more}


def task(number, image, results, annotation=None, **more) -> dict:
    made = {"id": annotation or number + 100, "completed_by": 1, "was_cancelled": False}
    made |= {"ground_truth": False, "result": results, **more}
    return {"id": number, "data": {"image": image}, "annotations": [made], "project": 3}


def make_label_studio(root):
    """One PNG for each region, the JSON, and the photographs under their own names."""
    (root / "images").mkdir(parents=True)
    tasks = []
    for number, (name, image, mask) in enumerate(pictures(), start=1):
        Image.fromarray(image).save(root / "images" / f"{name}.jpg", quality=95)
        results = []
        for index, label in ((2, "dog"), (1, "cat")):
            png = root / f"task-{number}-annotation-{number + 100}-by-1-tag-{label}-0.png"
            Image.fromarray(np.where(mask == index, 255, 0).astype(np.uint8)).save(png)
            results.append(region(label))
        tasks.append(task(number, f"/data/upload/3/0a1b2c3{number}-{name}.jpg", results))
    write_tasks(root, tasks)
    return root


def write_tasks(root, tasks) -> None:
    (root / "project-3-at-2026-01-31-10-00-0a1b2c3d.json").write_text(json.dumps(tasks))


def read_tasks(root) -> list:
    return json.loads(next(root.glob("project-*.json")).read_text())


MAKE = {"labelme": make_labelme, "cvat": make_cvat, "studio": make_label_studio}


@pytest.fixture
def exports(tmp_path):
    """Reader -> a small export of its tool."""
    return {reader: make(tmp_path / reader) for reader, make in MAKE.items()}


def expected_mask(reader, name) -> np.ndarray:
    mask = next(mask for other, _, mask in pictures() if other == name)
    return mask if reader == "labelme" else without_void(mask)


# ---------------------------------------------------------------- what is read


@pytest.mark.parametrize("reader", MAKE)
def test_masks_images_and_classes(exports, reader):
    data = open_dataset(exports[reader], "trainval")
    assert type(data) is VOCSegmentation and data.names == NAMES
    assert data.classes == ("background", "cat", "dog") and data.num_classes == 3
    for index, name in enumerate(NAMES):
        image, mask = data[index]
        assert isinstance(image, tv_tensors.Image) and isinstance(mask, tv_tensors.Mask)
        assert image.dtype == mask.dtype == torch.uint8
        np.testing.assert_array_equal(mask.numpy(), expected_mask(reader, name))
        with Image.open(data.image_path(index)) as picture:
            np.testing.assert_array_equal(image.permute(1, 2, 0).numpy(), np.asarray(picture))
        assert data.image_path(index).stem == name
    assert data.palette.shape == (256, 3) and data.palette.dtype == np.uint8


@pytest.mark.parametrize("reader", MAKE)
def test_train_and_val(exports, reader, tmp_path):
    train, val = open_dataset(exports[reader]), open_dataset(exports[reader], "val")
    assert (len(train), len(val)) == (5, 1)
    assert sorted(train.names + val.names) == NAMES
    turned = open_dataset(exports[reader], transforms=lambda image, mask: (image, mask.flip(0)))
    assert torch.equal(turned[0][1], train.mask(0).flip(0))
    assert convert(exports[reader], tmp_path / "half", validation_share=0.5).splits["val"] == 3
    convert(exports[reader], tmp_path / "again")  # the same each time
    assert VOCSegmentation(tmp_path / "again").names == train.names
    others = set()
    for seed in range(5):
        convert(exports[reader], tmp_path / f"seed {seed}", seed=seed)
        others.add(tuple(VOCSegmentation(tmp_path / f"seed {seed}", "val").names))
    assert len(others) > 1


@pytest.mark.parametrize("converter", ["labelme2voc", "old labelme2voc", "labelmetk"])
def test_all_converters_of_labelme(tmp_path, converter):
    data = open_dataset(make_labelme(tmp_path / "export", converter), "trainval")
    assert data.classes == ("background", "cat", "dog")
    np.testing.assert_array_equal(data.mask(2).numpy(), expected_mask("labelme", NAMES[2]))
    np.testing.assert_array_equal(data.palette[:3], palette_by_hand()[:3])


def test_a_folder_without_lists_may_call_its_classes_classes_txt(exports):
    root = exports["labelme"]
    (root / "class_names.txt").rename(root / "classes.txt")
    (root / "classes.txt").write_text("background\ncat\ndog\n")
    assert open_dataset(root).classes == ("background", "cat", "dog")


@pytest.mark.parametrize(
    ("extra", "classes", "void"),
    [
        ({}, ("background", "cat", "dog"), (255, 255, 255)),
        ({"ant": (9, 9, 9)}, ("background", "ant", "cat", "dog"), (255, 255, 255)),
        ({"white": (255, 255, 255)}, ("background", "cat", "dog", "white"), (254, 254, 254)),
        ({"ignore": (1, 2, 3)}, ("background", "cat", "dog"), (1, 2, 3)),
    ],
)
def test_order_of_cvat_labels_and_the_color_of_void(tmp_path, extra, classes, void):
    data = open_dataset(make_cvat(tmp_path / "export", colors=COLORS | extra), "trainval")
    assert data.classes == classes
    np.testing.assert_array_equal(data.palette[255], void)
    for index, name in enumerate(classes):
        np.testing.assert_array_equal(data.palette[index], (COLORS | extra)[name])
    expected = expected_mask("cvat", NAMES[0])
    numbers = np.array([classes.index(label) for label in ("background", "cat", "dog")])
    np.testing.assert_array_equal(data.mask(0).numpy(), numbers[expected])


def test_cvats_ignore_is_void_and_black_is_the_background(tmp_path):
    colors = {"background": (0, 0, 0), "cat": (250, 50, 83), "dog": (51, 221, 255)}
    root = make_cvat(tmp_path / "export", colors=colors)
    text = (root / "labelmap.txt").read_text()
    text = text.replace("background:", "street:").replace("dog:", "ignore:")
    (root / "labelmap.txt").write_text(text)
    data = open_dataset(root, "trainval")
    assert data.classes == ("street", "cat")
    expected = expected_mask("cvat", NAMES[0])
    np.testing.assert_array_equal(data.mask(0).numpy(), np.where(expected == 2, 255, expected))


def test_cvat_palette_pictures_go_by_color(exports):
    """Whatever the index of a colour in the file is."""
    root = exports["cvat"]
    path = root / "SegmentationClass" / f"{NAMES[0]}.png"
    with Image.open(path) as picture:
        painted_anew = picture.convert("P", palette=Image.Palette.ADAPTIVE, colors=3)
    painted_anew.save(path)
    with Image.open(path) as picture:
        assert picture.mode == "P"
    data = open_dataset(root, "trainval")
    np.testing.assert_array_equal(data.mask(0).numpy(), expected_mask("cvat", NAMES[0]))


def test_cvat_subsets_and_images_that_nobody_labelled(tmp_path):
    lists = {"Train": NAMES[:3], "Validation": NAMES[3:4], "Test": NAMES[4:5]}
    root = make_cvat(tmp_path / "export", lists=lists)
    with pytest.warns(UserWarning, match=r"export: images without labels, left out \(1\): IMG_6$"):
        assert open_dataset(root, "train").names == NAMES[:3]
    assert open_dataset(root, "val").names == NAMES[3:4]
    assert open_dataset(root, "test").names == NAMES[4:5]
    assert open_dataset(root, "trainval").names == NAMES[:4]
    # Without a Validation subset, val is cut from the rest; Test stays apart.
    (root / "ImageSets" / "Segmentation" / "Validation.txt").unlink()
    with pytest.warns(UserWarning, match=r"left out \(2\): IMG_4, IMG_6$"):
        train = open_dataset(root, "train")
    val = open_dataset(root, "val")
    assert sorted(train.names + val.names) == NAMES[:3] and len(val) == 1


@pytest.mark.parametrize("reader", ["labelme", "cvat"])
def test_images_without_mask_are_left_out_and_named(exports, reader):
    """CVAT lists every image, and writes no mask for one that nobody labelled."""
    (exports[reader] / "SegmentationClass" / "IMG_3.png").unlink()
    with pytest.warns(UserWarning, match=r"images without labels, left out \(1\): IMG_3"):
        data = open_dataset(exports[reader], "trainval")
    assert data.names == [name for name in NAMES if name != "IMG_3"]


def test_label_studio_regions_lie_in_the_order_they_were_drawn(tmp_path):
    root = tmp_path / "export"
    (root / "images").mkdir(parents=True)
    Image.new("RGB", (8, 4)).save(root / "images" / "a.jpg")
    Image.new("RGB", (8, 4)).save(root / "images" / "b.png")
    columns = {"cat-0": (0, 5), "dog-0": (3, 8), "cat-1": (7, 8), "big dog-x-0": (0, 1)}
    for name, (left, right) in columns.items():
        inside = np.zeros((4, 8), dtype=np.uint8)
        inside[:, left:right] = 100  # Label Studio counts every value above 0
        Image.fromarray(inside).save(root / f"task-7-annotation-12-by-me@x.org-tag-{name}.png")
    drawn = [region("cat"), region("dog"), region("cat"), region("big dog-x")]
    drawn.append({"from_name": "blur", "type": "choices", "value": {"choices": ["sharp"]}})
    drawn.append({"type": "relation", "from_id": "a", "to_id": "b"})
    tasks = [task(7, "/data/local-files/?d=photos%5Ca.jpg", drawn, 12)]
    tasks += [task(8, "https://example.org/b.png?width=9", [])]  # submitted without a region
    write_tasks(root, tasks)
    data = open_dataset(root, "trainval")
    assert data.classes == ("background", "big dog-x", "cat", "dog") and data.names == ["a", "b"]
    assert data.mask(0).tolist() == [[1, 2, 2, 3, 3, 3, 3, 2]] * 4
    assert data[1][1].tolist() == [[0] * 8] * 4
    assert data.objects(0).tolist() == [[4, 1, 1, 2, 2, 2, 2, 3]] * 4


def test_label_studio_takes_the_ground_truth_and_leaves_out_what_was_skipped(exports):
    root = exports["studio"]
    tasks = read_tasks(root)
    second = {**tasks[0]["annotations"][0], "id": 200, "result": [], "ground_truth": True}
    tasks[0]["annotations"].append(second)
    tasks[1]["annotations"][0]["was_cancelled"] = True
    tasks[2]["annotations"] = []
    write_tasks(root, tasks)
    with pytest.warns(UserWarning, match=r"without labels, left out \(2\): 0a1b2c32-IMG_2"):
        data = open_dataset(root, "trainval")
    assert data.names == [NAMES[0], *NAMES[3:]]
    assert not data.mask(0).any()


def test_images_under_the_name_that_label_studio_gave_them(exports):
    root = exports["studio"]
    for number, name in enumerate(NAMES, start=1):
        (root / "images" / f"{name}.jpg").rename(root / f"0a1b2c3{number}-{name}.jpg")
    assert open_dataset(root, "trainval").names == [f"0a1b2c3{i}-IMG_{i}" for i in range(1, 7)]


def test_upload_names_that_label_studio_cleaned(exports):
    """Blanks become _, brackets vanish; the photographs kept their own names."""
    root = exports["studio"]
    tasks = read_tasks(root)
    (root / "images" / "IMG_1.jpg").rename(root / "images" / "my cat (1).jpg")
    tasks[0]["data"]["image"] = "/data/upload/3/0a1b2c31-my_cat_1.jpg"
    write_tasks(root, tasks)
    data = open_dataset(root, "trainval")
    assert data.names == [*NAMES[1:], "my cat (1)"]
    np.testing.assert_array_equal(data.mask(5).numpy(), expected_mask("studio", "IMG_1"))


def make_roboflow(root, table="Pixel Value, Class\n0, background\n1, cat\n2, dog\n"):
    for split, part in (("train", slice(0, 4)), ("valid", slice(4, 6))):
        (root / split).mkdir(parents=True)
        for name, image, mask in list(pictures())[part]:
            Image.fromarray(image).save(root / split / f"{name}_jpg.rf.0a1b.jpg")
            Image.fromarray(without_void(mask)).save(root / split / f"{name}_jpg.rf.0a1b_mask.png")
        (root / split / "_classes.csv").write_text(table)
    return root


def test_roboflow(tmp_path):
    root = make_roboflow(tmp_path / "robo")
    data = open_dataset(root)
    assert data.classes == ("background", "cat", "dog")
    assert data.names == [f"{name}_jpg.rf.0a1b" for name in NAMES[:4]]
    np.testing.assert_array_equal(data.mask(2).numpy(), expected_mask("roboflow", NAMES[2]))
    assert len(open_dataset(root, "val")) == 2
    other = make_roboflow(tmp_path / "other", "Pixel Value;Class\r\n0;background\r\n1;cat\r\n2;dog")
    assert open_dataset(other).classes == data.classes


def test_faults_of_roboflow(tmp_path):
    root = make_roboflow(tmp_path / "robo")
    (root / "train" / "_classes.csv").write_text("Pixel Value, Class\n0, background\n1, dog\n")
    with pytest.raises(DatasetError, match=r"the files _classes\.csv differ"):
        open_dataset(root)
    (root / "valid" / "_classes.csv").write_text("Pixel Value, Class\n0, background\n1, dog\n")
    with pytest.raises(DatasetError, match=r"index 2 has no class"):
        open_dataset(root)
    (root / "valid" / "IMG_6_jpg.rf.0a1b.jpg").unlink()
    with pytest.raises(DatasetError, match=r"1 of 6 images are missing: IMG_6_jpg\.rf\.0a1b_mask"):
        open_dataset(root)


def test_files_that_macos_hides_are_no_images(exports):
    for reader, root in exports.items():
        folder = root / ("images" if reader == "studio" else "JPEGImages")
        (folder / "._IMG_1.jpg").write_bytes(b"\0\5\26\7")
        assert open_dataset(root, "trainval").names == NAMES


# ---------------------------------------------------------------- the split


# ---------------------------------------------------------------- used as any data set


@pytest.mark.parametrize("reader", MAKE)
def test_a_network_trains_on_it(exports, reader, tmp_path):
    train, val = open_dataset(exports[reader]), open_dataset(exports[reader], "val")
    recipe = Recipe(images=4, batch_size=2, longest_side=48, crop=(32, 32), class_weights="median")
    model = networks.build("fcn8s", 3, weights=None)
    fit(model, train, val, recipe, checkpoint=tmp_path / "model.pt", progress=False)
    trained = networks.load(tmp_path / "model.pt")
    assert trained.classes == train.classes
    np.testing.assert_array_equal(trained.palette, train.palette)


@pytest.mark.parametrize("reader", MAKE)
def test_the_shell_opens_it(exports, reader, tmp_path, capsys):
    words = ["--data", str(exports[reader]), "--longest-side", "48", "--crop", "32", "32"]
    words += ["--images", "2", "--batch-size", "2", "--from-scratch"]
    table = tmp_path / "table.csv"
    assert main(["compare", "--models", "fcn32s", "--output", str(table), *words]) == 0
    assert "5 training and 1 validation images" in capsys.readouterr().out
    assert table.read_text().count("\n") == 2


@pytest.mark.parametrize("command", ["train", "compare", "evaluate"])
def test_help_names_the_layouts(command, capsys):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    shown = re.sub(r"\s+", " ", capsys.readouterr().out)
    for layout in ("VOC", "CamVid", "Cityscapes", "IDD-Lite", "labelme", "CVAT", "Label Studio"):
        assert layout in shown


def test_voc_folders_are_opened_as_they_are(tmp_path, capsys):
    root = make_tiny_voc(tmp_path / "tiny")
    opened = open_dataset(root)
    assert opened.root == root and opened.classes == TINY_CLASSES
    assert [path.name for path in tmp_path.iterdir()] == ["tiny"]  # nothing was converted
    line = capsys.readouterr().out
    assert re.fullmatch(
        r".*tiny, split train: 6 images; background \d+\.\d %, .*; void \d+\.\d %\n", line
    )


# ---------------------------------------------------------------- one clear error for each fault


def labelme_double_classes(root):
    (root / "class_names.txt").write_text("_background_\ncat\ncat\n")
    return (
        r"class_names\.txt: expected 1 to 255 different class names, one a line; found 3 of which 2"
    )


def labelme_too_few_classes(root):
    (root / "class_names.txt").write_text("_background_\ncat\n")
    return r"index 2 has no class; there are 2 \(background, cat\)"


def labelme_no_images(root):
    shutil.rmtree(root / "JPEGImages")
    return r"6 of 6 images are missing: IMG_1, .*Copy the photographs into .*JPEGImages"


def labelme_no_masks(root):
    shutil.rmtree(root / "SegmentationClass")
    return r"no masks in SegmentationClass"


def labelme_nothing_labelled(root):
    for path in (root / "SegmentationClass").iterdir():
        path.unlink()
    return r"no masks in SegmentationClass\. Label images and export again"


def labelme_other_size(root):
    save_palette_png(root / "SegmentationClass" / "IMG_1.png", np.zeros((48, 63)))
    return r"IMG_1\.png: the mask is 63 x 48 pixels but its image is 64 x 48"


def cvat_no_images(root):
    shutil.rmtree(root / "JPEGImages")
    return r'6 of 6 images are missing.*CVAT leaves them out unless "Save images" is on'


def cvat_one_image_lost(root):
    (root / "JPEGImages" / "IMG_3.jpg").unlink()
    return r"1 of 6 images are missing: IMG_3"


def cvat_unknown_color(root):
    with Image.open(root / "SegmentationClass" / "IMG_1.png") as picture:
        picture.putpixel((3, 4), (7, 8, 9))
        picture.save(root / "SegmentationClass" / "IMG_1.png")
    return r"IMG_1\.png: 1 colour\(s\) that the palette does not name: \(7, 8, 9\) at 1 pixel\."


def cvat_smoothly_resized(root):
    path = root / "SegmentationClass" / "IMG_1.png"
    with Image.open(path) as picture:
        small = picture.resize((32, 24), Image.Resampling.BILINEAR)
    small.resize((64, 48), Image.Resampling.NEAREST).save(path)
    return r"IMG_1\.png: \d+ colour\(s\) that the palette .*resized with nearest neighbour"


def cvat_cut_off(root):
    path = root / "SegmentationClass" / "IMG_1.png"
    path.write_bytes(path.read_bytes()[:60])
    return r"IMG_1\.png: cannot be read"


def cvat_label_without_color(root):
    (root / "labelmap.txt").write_text("background:0,0,0::\ncat:::\n")
    return r"labelmap\.txt: expected lines such as cat:250,50,83:: .*found 'cat:::'"


def cvat_color_above_255(root):
    (root / "labelmap.txt").write_text("background:0,0,256::\n")
    return r"labelmap\.txt: expected lines"


def cvat_two_labels_of_one_color(root):
    (root / "labelmap.txt").write_text("background:0,0,0::\ncat:9,9,9::\ndog:9,9,9::\n")
    return r"labelmap\.txt: 'cat' and 'dog' have the same colour \(9, 9, 9\)"


def cvat_a_label_twice(root):
    (root / "labelmap.txt").write_text("background:0,0,0::\ncat:9,9,9::\ncat:8,9,9::\n")
    return r"labelmap\.txt: the label 'cat' occurs twice"


def cvat_no_labels(root):
    (root / "labelmap.txt").write_text("# label:color_rgb:parts:actions\n")
    return r"labelmap\.txt: expected 1 to 255 different class names, one a line; found 0"


def cvat_xml(root):
    for path in ("JPEGImages", "SegmentationClass"):
        shutil.rmtree(root / path)
    (root / "labelmap.txt").unlink()
    (root / "annotations.xml").write_text("<annotations/>")
    return r'CVAT\'s own XML\. Export again as "Segmentation mask 1\.1" with images'


def studio_no_json(root):
    next(root.glob("*.json")).unlink()
    return r'but not its JSON export, .*a second time, as "JSON" \(not JSON-MIN\)'


def studio_json_min(root):
    content = [{"id": 1, "image": "/data/upload/3/0a1b2c3d-a.jpg", "tag": [], "annotation_id": 1}]
    write_tasks(root, content)
    return r'as "JSON" \(not JSON-MIN\)'


def studio_broken_json(root):
    next(root.glob("*.json")).write_text('[{"id": 1, "data"')
    return r"but not its JSON export"


def studio_no_pngs(root):
    for path in root.glob("task-*.png"):
        path.unlink()
    return r'Label Studio\'s JSON without masks\. Export "Brush labels to PNG"'


def studio_numpy(root):
    for path in root.glob("task-*.png"):
        path.rename(path.with_suffix(".npy"))
    return r'Label Studio\'s NumPy export\. Choose "Brush labels to PNG"'


def studio_one_png_lost(root):
    next(root.glob("task-4-*-dog-0.png")).unlink()
    return r"no PNG of task 4, annotation 104, region tag-dog-0, but the JSON has it"


def studio_no_photos(root):
    shutil.rmtree(root / "images")
    return (
        r"6 of 6 images are missing: '0a1b2c31-IMG_1\.jpg' of task 1, .*copy the photographs into"
    )


def studio_two_annotations(root):
    tasks = read_tasks(root)
    tasks[2]["annotations"] *= 2
    write_tasks(root, tasks)
    return r"task 3 has 2 annotations\. In Label Studio mark one of them as ground truth"


def studio_polygon(root):
    tasks = read_tasks(root)
    polygon = {"points": [[1, 1], [9, 1], [9, 9]], "polygonlabels": ["cat"]}
    result = {"from_name": "tag", "type": "polygonlabels", "value": polygon}
    tasks[2]["annotations"][0]["result"].append(result)
    write_tasks(root, tasks)
    return r"task 3 has a region of the kind polygonlabels; the PNG export holds brush regions only"


def studio_two_labels(root):
    tasks = read_tasks(root)
    tasks[2]["annotations"][0]["result"][0]["value"]["brushlabels"] = ["cat", "dog"]
    write_tasks(root, tasks)
    return r"task 3 has a region with 2 labels \(cat, dog\); give each region exactly one"


def studio_no_label(root):
    tasks = read_tasks(root)
    del tasks[2]["annotations"][0]["result"][0]["value"]["brushlabels"]
    write_tasks(root, tasks)
    return r"task 3 has a region with 0 labels \(\); give each region exactly one"


def studio_sizes_differ(root):
    Image.new("L", (64, 47)).save(next(root.glob("task-1-*-cat-0.png")))
    return r"cat-0\.png: the region is 64 x 47 pixels, but the image is 64 x 48"


def studio_photo_of_another_size(root):
    Image.new("RGB", (63, 48)).save(root / "images" / "IMG_1.jpg")
    return r"dog-0\.png: the region is 64 x 48 pixels, but the image is 63 x 48"


def studio_twice_the_same_image(root):
    tasks = read_tasks(root)
    tasks[1]["data"] = tasks[0]["data"]
    write_tasks(root, tasks)
    return r"two tasks show an image called IMG_1"


def studio_no_image_in_a_task(root):
    tasks = read_tasks(root)
    tasks[1]["data"] = {"text": "hello"}
    write_tasks(root, tasks)
    return r"task 2 names no picture; its data: hello"


FAULTS = [
    (reader, function)
    for reader in MAKE
    for name, function in sorted(globals().items())
    if name.startswith(f"{reader}_")
]


@pytest.mark.parametrize(
    ("reader", "break_it"), FAULTS, ids=[function.__name__ for _, function in FAULTS]
)
def test_each_fault_gives_one_clear_error(exports, reader, break_it):
    root = exports[reader]
    convert(root, root.parent / "before")  # was fine before
    expected = break_it(root)
    for way in (lambda: open_dataset(root, "trainval"), lambda: convert(root)):
        with pytest.raises(DatasetError, match=expected) as caught:
            way()
        assert str(root) in str(caught.value) and "\n" not in str(caught.value)
    left = {path.name for path in root.parent.iterdir()} - {*MAKE, "before"}
    assert not left  # nothing half made


@pytest.mark.parametrize("reader", MAKE)
def test_unknown_splits(exports, reader):
    with pytest.raises(DatasetError, match=r"vla\.txt: no such split; found: train, trainval, val"):
        open_dataset(exports[reader], "vla")


def test_one_image_cannot_be_divided(exports):
    root = exports["labelme"]
    for name in NAMES[1:]:
        for path in root.rglob(f"{name}.*"):
            path.unlink()
    assert len(open_dataset(root, "trainval")) == 1
    with pytest.raises(DatasetError, match=r"no such split; found: trainval"):
        open_dataset(root, "val")


def test_label_map_with_parts_and_actions(tmp_path):
    """A line as datumaro's documentation has it."""
    path = tmp_path / "labelmap.txt"
    path.write_text("# label:color_rgb:parts:actions\nperson:0,0,255:hand,foot:jumping,running\n")
    assert read_label_map(path) == {"person": (0, 0, 255)}
