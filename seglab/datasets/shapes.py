"""Outlines become masks: labelme, COCO, YOLO and Supervisely.

Shapes are laid one over the other in the order of their file, so the later one is on top. Pillow
draws them, as labelme does: every pixel that an outline touches is inside. A reader answers None
where a folder is not of its kind.
"""

import base64
import io
import math
import zlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from seglab.datasets.items import (
    Canvas,
    Contents,
    Item,
    Pictures,
    class_indices,
    json_files,
    json_of,
    polygon,
    region,
    split_in,
    split_of,
)
from seglab.palettes import VOID
from seglab.voc import DatasetError, few, pictures, read_image, read_lines, upright_size

# ---------------------------------------------------------------- labelme


def read_labelme(root: Path) -> Contents | None:
    """labelme's own JSON files, beside their images, in a folder of their own, or with the image
    inside. Shapes with one label and one group id are one object; `__ignore__` is void.

    Classes: `labels.txt` if there is one, else the labels that occur, by the alphabet.
    Source: labelme, utils/shape.py (`shape_to_mask`, `shapes_to_label`).
    """
    lying, items, labels, index = Pictures(root), [], set(), {}
    for path, record in json_files(root):
        if not isinstance(record, dict) or not {"shapes", "imagePath"} <= set(record):
            continue
        labels |= {shape["label"] for shape in record["shapes"]}
        name = record["imagePath"]
        beside = path.parent / name.replace("\\", "/")
        image = beside if beside.is_file() else lying.find(name, *path.parts)
        image = image or base64.b64decode(record.get("imageData") or "")
        draw = partial(_labelme_canvas, path, image, index)
        items.append(Item(image, path, draw, split_in(root, path), f"{name} of {path.name}"))
    if not items:
        return None
    listed = [root / n for n in ("labels.txt", "classes.txt") if (root / n).exists()]
    classes, found = class_indices(read_lines(listed[0]) if listed else sorted(labels))
    index.update(found)
    if strangers := labels - set(index):
        raise DatasetError(f"{listed[0]}: no line for the label {few(sorted(strangers))}. Add it")
    used = {item.image.resolve() for item in items if isinstance(item.image, Path)}
    return Contents(
        classes,
        items,
        guesses=[] if listed else ["classes by the alphabet (labels.txt would give an order)"],
        unlabelled=[path.name for path in lying.files if path.resolve() not in used],
    )


def _labelme_canvas(path: Path, image: Path | bytes, index: dict[str, int]) -> Canvas:
    record = json_of(path)
    size = record.get("imageHeight"), record.get("imageWidth")
    if None in size:  # programs that write labelme's format leave them out
        size = upright_size(image if isinstance(image, Path) else io.BytesIO(image))
    canvas = Canvas.blank(*map(round, size))
    numbers = {}  # of the objects: (label, group) -> 1, 2, 3, ...
    for place, shape in enumerate(record["shapes"]):
        label, group = shape["label"], shape.get("group_id")
        key = (label, place, "alone") if group is None else (label, group)
        thing = index[label] not in (0, VOID)
        number = numbers.setdefault(key, len(numbers) + 1) if thing else 0
        canvas.lay(_labelme_region(path, shape, canvas.mask.shape), index[label], number)
    return canvas


def _labelme_region(path: Path, shape: dict, size: tuple[int, int]) -> np.ndarray:
    kind, points = shape.get("shape_type") or "polygon", shape["points"]
    if kind == "mask":  # a small picture, with its upper left corner
        return _pasted(base64.b64decode(shape["mask"]), np.min(points, axis=0), size)
    return _outlined(path, kind, points, size)


def _outlined(path: Path, kind: str, points: Sequence, size: tuple[int, int]) -> np.ndarray:
    """The pixels of one shape, `bool [H, W]`. Lines are 10 wide and points 11, as in labelme."""
    points = [tuple(point) for point in points]
    if kind in ("polygon", "oriented_rectangle"):
        return region(*size, lambda pen: polygon(pen, points))
    if kind == "rectangle":
        box = [*np.min(points, axis=0), *np.max(points, axis=0)]
        return region(*size, lambda pen: pen.rectangle(box, fill=1))
    if kind in ("circle", "point"):
        (x, y), radius = points[0], 5 if kind == "point" else math.dist(*points)
        box = [x - radius, y - radius, x + radius, y + radius]
        return region(*size, lambda pen: pen.ellipse(box, fill=1))
    if kind in ("line", "linestrip"):
        return region(*size, lambda pen: pen.line(points, fill=1, width=10))
    raise DatasetError(
        f"{path}: a shape of the kind {kind!r}; read are polygon, rectangle, circle, line, "
        "linestrip, point and mask. Draw it anew as a polygon"
    )


def _pasted(content: bytes, corner: Sequence[float], size: tuple[int, int]) -> np.ndarray:
    """A small picture of a region at its place, `bool [H, W]`: its alpha channel, or what is not
    black. What reaches beyond the image is cut off."""
    with Image.open(io.BytesIO(content)) as picture:
        has_alpha = picture.mode in ("RGBA", "LA")
        small = picture.getchannel("A") if has_alpha else picture.convert("L")
        whole = Image.new("L", size[::-1])
        whole.paste(small, [round(n) for n in corner])
    return np.array(whole) > 0


# ---------------------------------------------------------------- COCO


def read_coco(root: Path) -> Contents | None:
    """COCO's JSON, with images where COCO, CVAT or Roboflow put them; polygons, RLE or panoptic.

    In instances, what no shape covers is background; in panoptic pictures it is void, and every
    category is a class. Categories keep the order of their numbers. A split has the name of the
    JSON file (`instances_train2017.json`) or of its folder (`train/_annotations.coco.json`).
    Source: cocodataset.org, "Data format"; panopticapi.
    """
    files = _coco_files(root)
    if not files:
        return None
    annotations = [a for content in files.values() for a in content["annotations"]]
    categories = {c["id"]: c for content in files.values() for c in content["categories"]}
    categories = [categories[number] for number in sorted(categories)]
    panoptic = any("segments_info" in annotation for annotation in annotations)
    parents = {category.get("supercategory") for category in categories}
    used = {annotation.get("category_id") for annotation in annotations}
    names = [  # Roboflow begins with a category that is only the family of the others
        c["name"] for c in categories if panoptic or c["id"] in used or c["name"] not in parents
    ]
    classes, index = class_indices(names)
    if panoptic:
        classes, index = names, {name: number for number, name in enumerate(names)}
    lying, items = Pictures(root), []
    for path, content in files.items():
        tail = path.stem.split("_")[-1]
        split = split_of(tail) or split_in(root, path)
        hints = {*path.relative_to(root).parts, tail, split_of(tail)}
        known = {c["id"]: (index.get(c["name"], 0), c) for c in content["categories"]}
        shapes = {}  # number of the image -> its annotations
        for annotation in content["annotations"]:
            shapes.setdefault(annotation["image_id"], []).append(annotation)
        for entry in content["images"]:
            name, size = entry["file_name"], (entry["height"], entry["width"])
            mine = shapes.get(entry["id"], [])
            draw = partial(_coco_canvas, path, mine, known, size)
            if panoptic:
                draw = partial(_panoptic_canvas, path, mine, known, size, lying)
            called = f"{name} of {path.name}"
            items.append(Item(lying.find(name, *hints), path, draw, split, called))
    return Contents(
        classes,
        items,
        guesses=["what no shape covers is background"] * (not panoptic),
        cure="Export with images, or copy them into this folder",
    )


def _coco_files(root: Path) -> dict[Path, dict]:
    """The JSON files to read: instances if there are any, else panoptic, else what there is."""
    needed = {"images", "annotations", "categories"}
    for kind in ("*instances*.json", "*panoptic*.json", "*.json"):
        contents = ((p, c) for p, c in json_files(root, kind) if "keypoints" not in p.name)
        found = {p: c for p, c in contents if isinstance(c, dict) and needed <= set(c)}
        if found:
            return found
    return {}


def _coco_canvas(path: Path, annotations: list[dict], known: dict, size: tuple) -> Canvas:
    canvas = Canvas.blank(*size)
    for number, annotation in enumerate(annotations, start=1):
        index, _ = known[annotation["category_id"]]
        inside = _coco_region(path, annotation, size)
        canvas.lay(inside, index, VOID if annotation.get("iscrowd") else number)
    return canvas


def _coco_region(path: Path, annotation: dict, size: tuple[int, int]) -> np.ndarray:
    """The pixels of one annotation, `bool [H, W]`: its polygons together, or its RLE."""
    shape = annotation.get("segmentation")
    if isinstance(shape, dict):
        return decode_rle(shape)
    if not shape:
        raise DatasetError(
            f"{path}: annotation {annotation['id']} has a box, but no outline. These are labels "
            "for detection; semantic segmentation needs polygons or masks"
        )
    outlines = [np.reshape(numbers, (-1, 2)) for numbers in shape]
    return region(*size, lambda pen: [polygon(pen, points) for points in outlines])


def decode_rle(rle: dict) -> np.ndarray:
    """COCO's run lengths as `bool [H, W]`: down the columns, first a run outside.

    Packed ones hold 5 bits a letter (32 says that more follow, 16 in the last that the number is
    negative); from the fourth on, a count is the difference to the last but one.
    Source: pycocotools, common/maskApi.c (`rleFrString`).
    """
    counts = rle["counts"]
    if isinstance(counts, str):
        letters, counts, number, shift = counts.encode(), [], 0, 0
        for bits in (letter - 48 for letter in letters):
            number |= (bits & 31) << shift
            shift += 5
            if not bits & 32:
                number -= (1 << shift) if bits & 16 else 0
                counts.append(number + (counts[-2] if len(counts) > 2 else 0))
                number = shift = 0
    height, width = rle["size"]
    inside = np.arange(len(counts)) % 2 == 1
    return np.repeat(inside, counts).reshape(width, height).T


def _panoptic_canvas(path, annotations, known, size, lying: Pictures) -> Canvas:
    """The segments of a picture whose colours are numbers: red + 256 green + 65536 blue."""
    canvas = Canvas.blank(*size, index=VOID)
    canvas.objects[:] = VOID
    for annotation in annotations[:1]:
        name = annotation["file_name"]
        beside = path.with_suffix("") / name
        file = beside if beside.is_file() else lying.find(name, path.stem, "panoptic", "masks")
        if file is None:
            raise DatasetError(
                f"{path}: its picture {name} is missing; copy it beside the JSON file"
            )
        red, green, blue = read_image(file).numpy().astype(np.int64)
        numbers = red + 256 * green + 65536 * blue
        for place, segment in enumerate(annotation["segments_info"], start=1):
            index, category = known[segment["category_id"]]
            inside = numbers == segment["id"]
            canvas.objects[inside] = 0
            canvas.lay(inside, index, place if category.get("isthing", 1) else 0)
    return canvas


# ---------------------------------------------------------------- YOLO


def read_yolo(root: Path) -> Contents | None:
    """YOLO's text files: a line for each object, its class number and its corners from 0 to 1.

        root/data.yaml                       `names:`, or `classes.txt`, a name a line
        root/train/images/NAME.jpg           or root/images/train/NAME.jpg
        root/train/labels/NAME.txt           or root/labels/train/NAME.txt

    An image without a text file has no object, so it is all background.
    Source: docs.ultralytics.com, "Instance segmentation datasets overview".
    """
    pairs = []  # the paths differ in `images` against `labels`, and the ending
    for path in sorted(pictures(root).values()):
        parts = path.relative_to(root).parts
        if "images" in parts:
            place = len(parts) - 1 - parts[::-1].index("images")
            label = root.joinpath(*parts[:place], "labels", *parts[place + 1 :])
            pairs.append((path, label.with_suffix(".txt")))
    bare = sum(not label.exists() for _, label in pairs)
    if bare == len(pairs):
        return None
    names = _yolo_names(root)
    classes, index = class_indices(names)
    indices = [index[name] for name in names]
    items = []
    for image, label in pairs:
        source = label if label.exists() else image
        draw = partial(_yolo_canvas, image, label, indices)
        items.append(Item(image, source, draw, split_in(root, label)))
    guesses = [f"{bare} images without a text file are all background"] if bare else []
    return Contents(classes, items, guesses=guesses)


def _yolo_names(root: Path) -> list[str]:
    if (root / "classes.txt").exists():
        return read_lines(root / "classes.txt")
    paths = [*sorted(root.glob("*.yaml")), *sorted(root.glob("*.yml"))]
    if not paths:
        raise DatasetError(
            f"{root}: labels of YOLO, but no data.yaml that names the classes. Copy it here, or "
            "write classes.txt: one class name a line, class 0 first"
        )
    try:
        import yaml
    except ImportError as error:
        raise DatasetError(
            f"{paths[0]}: to read it, install PyYAML (pip install pyyaml), or write its class "
            f"names into {root / 'classes.txt'}, one a line, class 0 first"
        ) from error
    for path in paths:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        names = content.get("names") if isinstance(content, dict) else None
        if names:
            names = dict(enumerate(names)) if isinstance(names, list) else names
            return [str(names[number]) for number in sorted(names)]
    raise DatasetError(f"{paths[0]}: no list `names:`; name the classes there, class 0 first")


def _yolo_canvas(image: Path, label: Path, indices: list[int]) -> Canvas:
    height, width = upright_size(image)
    canvas = Canvas.blank(height, width)
    for number, line in enumerate(read_lines(label) if label.exists() else [], start=1):
        kind, *numbers = line.split()
        if len(numbers) == 4:
            raise DatasetError(
                f"{label}, line {number}: a box (4 numbers), not an outline. These are labels for "
                "detection; export them as YOLO segmentation"
            )
        if len(numbers) < 6 or len(numbers) % 2 or not kind.isdigit() or int(kind) >= len(indices):
            raise DatasetError(
                f"{label}, line {number}: expected a class from 0 to {len(indices) - 1} and x y of "
                f"three or more corners; found {line[:60]!r}"
            )
        points = np.reshape(np.array(numbers, dtype=float), (-1, 2))
        if points.max() > 2:  # a little outside may be
            raise DatasetError(
                f"{label}, line {number}: corners up to {points.max():g}, but they are parts of "
                "width and height, from 0 to 1. Are they pixels? Divide them"
            )
        points = (points * (width, height)).round(3)  # 19.999999 is 20
        inside = region(height, width, lambda pen, points=points: polygon(pen, points))
        canvas.lay(inside, indices[int(kind)], number)
    return canvas


# ---------------------------------------------------------------- Supervisely


def read_supervisely(root: Path) -> Contents | None:
    """A Supervisely project: meta.json, and for each data set `img/NAME.jpg` and
    `ann/NAME.jpg.json`. A data set called train or val is that split.

    Source: docs.supervisely.com, "Supervisely JSON format"; its SDK, geometry/bitmap.py.
    """
    paths = [path for path in sorted(root.rglob("ann/*.json")) if not path.name.startswith(".")]
    if not paths or not (root / "meta.json").exists():
        return None
    meta = json_of(root / "meta.json") or {}
    classes, index = class_indices([entry["title"] for entry in meta.get("classes", ())])
    items = []
    for path in paths:
        image = path.parent.parent / "img" / path.stem
        draw = partial(_supervisely_canvas, path, index)
        items.append(Item(image, path, draw, split_in(root, path), image.name))
    return Contents(classes, items, cure="Download the project with images")


def _supervisely_canvas(path: Path, index: dict[str, int]) -> Canvas:
    record = json_of(path)
    canvas = Canvas.blank(record["size"]["height"], record["size"]["width"])
    for number, thing in enumerate(record["objects"], start=1):
        inside = _supervisely_region(path, thing, canvas.mask.shape)
        canvas.lay(inside, index[thing["classTitle"]], number)
    return canvas


def _supervisely_region(path: Path, thing: dict, size: tuple[int, int]) -> np.ndarray:
    kind = thing["geometryType"]
    if kind == "bitmap":
        content = zlib.decompress(base64.b64decode(thing["bitmap"]["data"]))
        return _pasted(content, thing["bitmap"]["origin"], size)
    inside = _outlined(path, kind, thing["points"]["exterior"], size)
    for hole in thing["points"].get("interior", ()):
        inside &= ~_outlined(path, "polygon", hole, size)
    return inside
