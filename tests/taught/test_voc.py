"""The reader against Pillow, on every kind of file, and its errors."""

import io

import numpy as np
import pytest
import torch
from helpers import SHARED, add_pair, palette_by_hand, save_palette_png, voc_folder
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision import tv_tensors

from seglab.palettes import VOC_CLASSES, VOC_PALETTE
from seglab.voc import DatasetError, VOCSegmentation, read_image, read_mask

rng = np.random.default_rng(1)


def gradient(height: int = 24, width: int = 30) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 8, y * 10, 255 - x * 4 - y * 4], axis=-1).clip(0, 255).astype(np.uint8)


@pytest.fixture
def pair(tmp_path):
    """A data set of one pair, 30 x 24 pixels."""
    root = voc_folder(tmp_path / "set", {"train": ["one"]})
    mask = np.zeros((24, 30), dtype=np.uint8)
    mask[4:9, 5:12], mask[9:11, 5:12] = 8, 255
    add_pair(root, "one", gradient(), mask)
    return root


# ---------------------------------------------------------------- masks


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@given(seed=st.integers(0, 99), width=st.integers(1, 19))
@settings(max_examples=8)
def test_palette_masks_of_all_depths(tmp_path_factory, bits, seed, width):
    path = tmp_path_factory.mktemp("depth") / "mask.png"
    mask = np.random.default_rng(seed).integers(0, 2**bits, (7, width), dtype=np.uint8)
    save_palette_png(path, mask, bits)
    assert path.read_bytes()[24:26] == bytes([bits, 3])  # the file has so many bits, palette
    with Image.open(path) as picture:
        assert picture.mode == "P"
        np.testing.assert_array_equal(np.asarray(picture), mask)
    read = read_mask(path)
    assert read.dtype == torch.uint8
    np.testing.assert_array_equal(read.numpy(), mask)


def test_a_short_palette_that_pillow_packs_by_itself(tmp_path):
    """Pillow writes fewer bits when the palette is short, without being asked."""
    mask = rng.integers(0, 3, (9, 13), dtype=np.uint8)
    picture = Image.fromarray(mask)
    picture.putpalette(VOC_PALETTE[:3].tobytes())
    picture.save(tmp_path / "mask.png")
    assert (tmp_path / "mask.png").read_bytes()[24] < 8
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.png").numpy(), mask)


def save_grey_png(path, values: np.ndarray, bits: int) -> None:
    """A grey PNG of 1, 2, 4, 8 or 16 bits, written chunk by chunk (Pillow writes no 2 or 4)."""
    import struct
    import zlib

    def chunk(kind: bytes, content: bytes) -> bytes:
        checked = kind + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    rows = b""
    for row in values:
        if bits == 16:
            packed = row.astype(">u2").tobytes()
        else:
            digits = "".join(f"{value:0{bits}b}" for value in row)
            digits += "0" * (-len(digits) % 8)
            packed = int(digits, 2).to_bytes(len(digits) // 8, "big")
        rows += b"\0" + packed
    header = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], bits, 0, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_grey_masks_give_their_values(tmp_path, bits):
    path = tmp_path / "grey.png"
    values = rng.integers(0, min(2**bits, 256), (6, 11))
    values[0, 0] = min(2**bits, 256) - 1  # the highest one, so that the range is used
    save_grey_png(path, values, bits)
    read = read_mask(path)
    assert read.dtype == torch.uint8
    np.testing.assert_array_equal(read.numpy(), values)


def test_a_16_bit_grey_mask_above_255_is_an_error(tmp_path):
    save_grey_png(tmp_path / "grey.png", np.array([[3, 300]]), 16)
    with pytest.raises(DatasetError, match=r"grey\.png.*300"):
        read_mask(tmp_path / "grey.png")


def test_a_mask_of_floating_point_numbers_holds_whole_ones(tmp_path):
    mask = rng.choice([0, 1, 2, 255], (8, 9)).astype(np.float32)
    Image.fromarray(mask).save(tmp_path / "mask.tif")
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.tif").numpy(), mask)
    for value in (0.5, -1, np.nan):
        mask[3, 3] = value
        Image.fromarray(mask).save(tmp_path / "mask.tif")
        with pytest.raises(DatasetError, match=rf"mask\.tif: index {value}, .*whole numbers"):
            read_mask(tmp_path / "mask.tif")


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_color_masks_are_looked_up(tmp_path, mode):
    mask = rng.choice([*range(21), 255], (8, 9)).astype(np.uint8)
    Image.fromarray(palette_by_hand()[mask]).convert(mode).save(tmp_path / "mask.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.png").numpy(), mask)


def test_a_color_mask_with_an_unknown_color_names_file_and_color(tmp_path):
    rgb = np.zeros((4, 4, 3), dtype=np.uint8)
    rgb[2, 2] = (7, 8, 9)
    Image.fromarray(rgb).save(tmp_path / "odd.png")
    with pytest.raises(DatasetError, match=r"odd\.png.*\(7, 8, 9\)"):
        read_mask(tmp_path / "odd.png")


@pytest.mark.parametrize("name", ["mask.jpg", "mask.png"])
def test_a_jpeg_is_no_mask_whatever_its_name(tmp_path, name):
    Image.fromarray(np.zeros((8, 8), dtype=np.uint8)).save(tmp_path / name, "JPEG")
    with pytest.raises(DatasetError, match=rf"{name}: a JPEG, whatever its name says"):
        read_mask(tmp_path / name)


def test_a_label_in_the_alpha_channel_is_an_error(tmp_path):
    mask = rng.integers(0, 3, (8, 9)).astype(np.uint8)
    layers = np.zeros((8, 9, 4), dtype=np.uint8)
    layers[..., 3] = mask
    Image.fromarray(layers).save(tmp_path / "mask.png")
    with pytest.raises(DatasetError, match=r"mask\.png: one colour .* label in the alpha channel"):
        read_mask(tmp_path / "mask.png")
    Image.fromarray(np.dstack([np.zeros_like(mask), mask])).save(tmp_path / "mask.png")  # LA
    with pytest.raises(DatasetError, match="alpha channel"):
        read_mask(tmp_path / "mask.png")
    layers[..., 3] = 255  # all one thing, nothing hidden
    Image.fromarray(layers).save(tmp_path / "mask.png")
    assert not read_mask(tmp_path / "mask.png").any()


def test_grey_numbers_in_three_channels_are_indices(tmp_path):
    mask = rng.choice([0, 1, 2, 20, 255], (8, 9)).astype(np.uint8)
    Image.fromarray(np.repeat(mask[..., None], 3, 2)).save(tmp_path / "mask.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.png").numpy(), mask)
    grey = palette_by_hand()[np.full((4, 4), 7)]  # a grey that the palette has is that class
    Image.fromarray(grey).save(tmp_path / "mask.png")
    assert read_mask(tmp_path / "mask.png").unique().tolist() == [7]


# ---------------------------------------------------------------- images


def save_image(path, mode: str) -> np.ndarray:
    """Write the gradient in a mode; return the RGB that should be read (exactly or nearly)."""
    rgb = gradient()
    picture = Image.fromarray(rgb)
    if mode in ("RGB", "L", "P", "CMYK"):
        picture = picture.convert(mode)
        picture.save(path, quality=95) if mode == "CMYK" else picture.save(path)
        return np.asarray(picture.convert("RGB"))
    if mode == "1":
        picture = picture.convert("1")
        picture.save(path)
        return np.asarray(picture.convert("RGB"))
    alpha = np.tile(np.linspace(0, 255, rgb.shape[1]).round(), (rgb.shape[0], 1))
    if mode in ("RGBA", "LA"):
        solid = np.asarray(picture.convert("L").convert("RGB")) if mode == "LA" else rgb
        layers = Image.fromarray(solid)
        layers.putalpha(Image.fromarray(alpha.astype(np.uint8)))
        layers.convert(mode).save(path)
        share = alpha[..., None] / 255
        return (solid * share + 255 * (1 - share)).round().astype(np.uint8)
    if mode == "P transparent":
        indices = (np.mgrid[: rgb.shape[0], : rgb.shape[1]].sum(0) % 3).astype(np.uint8)
        colors = np.array([(10, 20, 30), (200, 100, 50), (0, 255, 0)], dtype=np.uint8)
        picture = Image.fromarray(indices)
        picture.putpalette(colors.tobytes())
        picture.save(path, transparency=1)
        colors[1] = 255
        return colors[indices]
    if mode == "I;16":
        grey = (np.asarray(picture.convert("L")).astype(np.uint16)) * 257
        Image.fromarray(grey).save(path)
        return np.repeat((grey // 257).astype(np.uint8)[..., None], 3, axis=-1)
    raise AssertionError(mode)


@pytest.mark.parametrize(
    ("mode", "suffix", "tolerance"),
    [
        ("RGB", "png", 0),
        ("RGB", "jpg", 12),
        ("L", "png", 0),
        ("L", "jpg", 12),
        ("1", "png", 0),
        ("P", "png", 0),
        ("P transparent", "png", 0),
        ("RGBA", "png", 1),
        ("LA", "png", 1),
        ("CMYK", "jpg", 20),
        ("I;16", "png", 1),
    ],
)
def test_images_of_all_modes_become_rgb(tmp_path, mode, suffix, tolerance):
    path = tmp_path / f"photo.{suffix}"
    expected = save_image(path, mode)
    image = read_image(path)
    assert image.dtype == torch.uint8 and image.shape == (3, 24, 30)
    difference = np.abs(image.permute(1, 2, 0).numpy().astype(int) - expected)
    assert difference.max() <= tolerance


def test_grey_fractions_from_0_to_1(tmp_path):
    grey = np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16)
    Image.fromarray(grey).save(tmp_path / "grey.tif")
    image = read_image(tmp_path / "grey.tif")
    assert (image[0].flatten().int() - torch.arange(256)).abs().max() <= 1


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_grey_photographs_of_all_bit_depths_are_equally_bright(tmp_path, bits):
    grey = np.linspace(0, 0.9, 96).reshape(8, 12)
    values = (grey * (2**bits - 1)).round().astype(np.uint16)
    Image.fromarray(values).save(tmp_path / "photo.png")
    read = read_image(tmp_path / "photo.png")[0].numpy()
    assert np.abs(read - grey * 255).max() <= 1.5


def test_a_value_just_above_255_does_not_make_a_picture_dark(tmp_path):
    means = []
    for highest in (255, 256, 270):
        values = np.linspace(0, highest, 96).reshape(8, 12).astype(np.uint16)
        Image.fromarray(values).save(tmp_path / "photo.png")
        means.append(read_image(tmp_path / "photo.png").float().mean().item())
    assert max(means) - min(means) < 3


@pytest.mark.parametrize("read", [read_image, read_mask])
def test_a_picture_too_large_for_pillow_is_one_clear_error(tmp_path, monkeypatch, read):
    save_palette_png(tmp_path / "huge.png", np.zeros((20, 20)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(DatasetError, match=r"huge\.png: too large .*exceeds limit.*Shrink it"):
        read(tmp_path / "huge.png")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_cameras_rotation_is_obeyed(tmp_path, orientation):
    """What each EXIF value means, written out: rows and columns as the camera stored them."""
    upright = gradient(16, 32)
    upright[:8, :8] = 255  # one white corner tells all eight cases apart
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: np.rot90(upright, 2).transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "rotated.png"
    Image.fromarray(np.ascontiguousarray(stored)).save(path, exif=exif)
    np.testing.assert_array_equal(read_image(path).permute(1, 2, 0).numpy(), upright)


# ---------------------------------------------------------------- data sets


def test_an_item_is_what_its_files_hold(pair):
    data = VOCSegmentation(pair, "train")
    image, mask = data[0]
    assert isinstance(image, tv_tensors.Image) and isinstance(mask, tv_tensors.Mask)
    assert image.dtype == mask.dtype == torch.uint8
    with Image.open(pair / "JPEGImages" / "one.jpg") as picture:
        np.testing.assert_array_equal(image.permute(1, 2, 0).numpy(), np.asarray(picture))
    with Image.open(pair / "SegmentationClass" / "one.png") as picture:
        np.testing.assert_array_equal(mask.numpy(), np.asarray(picture))
    assert (len(data), data.classes, data.num_classes) == (1, VOC_CLASSES, 21)
    np.testing.assert_array_equal(data.palette, VOC_PALETTE)


def test_transforms_get_both_and_give_both(pair):
    data = VOCSegmentation(pair, "train", transforms=lambda image, mask: (image + 1, mask.flip(0)))
    plain = VOCSegmentation(pair, "train")
    assert torch.equal(data[0][0], plain[0][0] + 1)
    assert torch.equal(data[0][1], plain[0][1].flip(0))
    assert torch.equal(data.image(0), plain[0][0]) and torch.equal(data.mask(0), plain[0][1])


def test_reading_is_lazy(pair):
    """A bad second pair does not disturb the first."""
    (pair / "ImageSets" / "Segmentation" / "train.txt").write_text("one\ntwo\n")
    for folder, suffix in (("JPEGImages", "jpg"), ("SegmentationClass", "png")):
        (pair / folder / f"two.{suffix}").write_bytes(b"rubbish")
    data = VOCSegmentation(pair, "train")
    assert data[0][0].shape == (3, 24, 30)
    with pytest.raises(DatasetError, match="two"):
        data[1]


@pytest.mark.parametrize(
    "text", ["sky\nroad\ncar\n", "sky\r\nroad\r\n\r\ncar", "\ufeffsky\nroad\ncar"]
)
def test_class_names_from_a_file(pair, text):
    """Unix, Windows and Notepad (which writes a byte order mark) line by line."""
    (pair / "classes.txt").write_bytes(text.encode())
    save_palette_png(pair / "SegmentationClass" / "one.png", np.full((24, 30), 2))
    data = VOCSegmentation(pair, "train")
    assert data.classes == ("sky", "road", "car") and data.num_classes == 3
    assert VOCSegmentation(pair, "train", classes=["a", "b", "c"]).classes == ("a", "b", "c")


def test_names_with_spaces_and_byte_order_mark(pair):
    """One name a line: a photograph may be called "my cat 1"."""
    for folder, suffix in (("JPEGImages", "jpg"), ("SegmentationClass", "png")):
        (pair / folder / f"one.{suffix}").rename(pair / folder / f"my cat 1.{suffix}")
    split = pair / "ImageSets" / "Segmentation" / "train.txt"
    split.write_bytes("\ufeffmy cat 1\r\n\r\n".encode())
    data = VOCSegmentation(pair, "train")
    assert data.names == ["my cat 1"]
    assert data[0][1].shape == (24, 30)


@pytest.mark.parametrize("suffix", ["jpeg", "png", "JPG", "jfif", "tif", "TIFF", "webp", "bmp"])
def test_other_endings_of_images(pair, suffix):
    image = pair / "JPEGImages" / "one.jpg"
    kind = {"jfif": "JPEG", "jpg": "JPEG", "tif": "TIFF"}.get(suffix.lower(), suffix.upper())
    Image.fromarray(gradient()).save(image.with_suffix(f".{suffix}"), format=kind)
    image.unlink()
    assert VOCSegmentation(pair, "train")[0][0].shape == (3, 24, 30)


def test_the_palette_comes_from_the_masks(pair):
    colors = np.random.default_rng(3).integers(0, 256, (256, 3))
    mask = pair / "SegmentationClass" / "one.png"
    save_palette_png(mask, np.full((24, 30), 1), palette=colors)
    data = VOCSegmentation(pair, "train", classes=["a", "b", "c"])
    np.testing.assert_array_equal(data.palette[:3], colors[:3])
    save_palette_png(mask, np.full((24, 30), 1), bits=1, palette=colors)  # a short one
    palette = VOCSegmentation(pair, "train", classes=["a", "b", "c"]).palette
    np.testing.assert_array_equal(palette[:2], colors[:2])
    assert palette.shape == (256, 3)


@pytest.mark.parametrize("suffix", ["PNG", "bmp", "tif", "webp"])
def test_other_endings_of_masks(pair, suffix):
    path = pair / "SegmentationClass" / "one.png"
    with Image.open(path) as picture:
        expected = np.array(picture)
    path.unlink()
    kind = {"tif": "TIFF"}.get(suffix, suffix.upper())
    colored = palette_by_hand()[expected] if suffix == "webp" else expected
    Image.fromarray(colored).save(path.with_suffix(f".{suffix}"), format=kind, lossless=True)
    np.testing.assert_array_equal(VOCSegmentation(pair, "train").mask(0).numpy(), expected)


def two_masks(root, first, second, colors, other_colors):
    for name, mask, palette in (("one", first, colors), ("two", second, other_colors)):
        if name == "two":
            image = root / "JPEGImages" / "one.jpg"
            (root / "JPEGImages" / "two.jpg").write_bytes(image.read_bytes())
        save_palette_png(
            root / "SegmentationClass" / f"{name}.png", np.full((24, 30), mask), palette=palette
        )
    (root / "ImageSets" / "Segmentation" / "train.txt").write_text("one\ntwo\n")
    return VOCSegmentation(root, "train", classes=["a", "b", "c"])


def test_one_color_must_not_be_two_classes(pair):
    black, red, blue = (0, 0, 0), (128, 0, 0), (0, 0, 128)
    data = two_masks(pair, 1, 0, [black, red, blue], [red, black, blue])
    assert data.mask(0).unique().tolist() == [1]
    with pytest.raises(
        DatasetError, match=r"two\.png: the colour \(128, 0, 0\) is index 0 here, but 1 in one\.png"
    ):
        data.mask(1)
    # Another colour for the same class is only another taste; unused entries do not count.
    assert two_masks(pair, 1, 1, [black, red, blue], [black, (9, 9, 9), red]).mask(1)[0, 0] == 1


def test_objects_are_read_the_same_way(pair):
    (pair / "SegmentationObject").mkdir()
    objects = rng.choice([0, 1, 2, 3, 255], (24, 30)).astype(np.uint8)
    save_palette_png(pair / "SegmentationObject" / "one.png", objects)
    np.testing.assert_array_equal(VOCSegmentation(pair, "train").objects(0).numpy(), objects)


# ---------------------------------------------------------------- one clear error for each fault


def first_item(root, split="train", **options):
    return VOCSegmentation(root, split, **options)[0]


def fault_missing_image(root):
    (root / "JPEGImages" / "one.jpg").unlink()
    return r"one\.jpg: no such image"


def fault_missing_mask(root):
    (root / "SegmentationClass" / "one.png").unlink()
    return r"one\.png: no such mask"


def fault_image_cut_off(root):
    path = root / "JPEGImages" / "one.jpg"
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    return r"one\.jpg: cannot be read"


def fault_mask_cut_off(root):
    path = root / "SegmentationClass" / "one.png"
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"IDAT") + 12])  # a few bytes of the pixels are left
    return r"one\.png: cannot be read"


def fault_image_is_text(root):
    (root / "JPEGImages" / "one.jpg").write_text("<html>404</html>")
    return r"one\.jpg: cannot be read"


def fault_mask_is_text(root):
    (root / "SegmentationClass" / "one.png").write_text("<html>404</html>")
    return r"one\.png: cannot be read"


def fault_empty_files(root):
    (root / "JPEGImages" / "one.jpg").write_bytes(b"")
    return r"one\.jpg: cannot be read"


def fault_other_size(root):
    save_palette_png(root / "SegmentationClass" / "one.png", np.zeros((24, 31)))
    return r"one\.png.*31 x 24.*30 x 24"


def fault_turned_size(root):
    save_palette_png(root / "SegmentationClass" / "one.png", np.zeros((30, 24)))
    return r"one\.png.*24 x 30.*30 x 24"


def fault_index_without_class(root):
    mask = np.zeros((24, 30))
    mask[3, 3] = 21
    save_palette_png(root / "SegmentationClass" / "one.png", mask)
    return r"one\.png: index 21 has no class"


def fault_empty_split(root):
    (root / "ImageSets" / "Segmentation" / "train.txt").write_text("\n\n")
    return r"train\.txt: the split is empty"


def fault_no_such_split(root):
    (root / "ImageSets" / "Segmentation" / "train.txt").rename(
        root / "ImageSets" / "Segmentation" / "test.txt"
    )
    return r"train\.txt: no such split; found: test"


def fault_no_voc_folder(root):
    for path in (root / "ImageSets" / "Segmentation").iterdir():
        path.unlink()
    (root / "ImageSets" / "Segmentation").rmdir()
    return r"not a folder in VOC layout; missing ImageSets/Segmentation"


def fault_double_class_names(root):
    (root / "classes.txt").write_text("sky\nroad\nsky\n")
    return r"classes\.txt: .*different class names"


def fault_no_class_names(root):
    (root / "classes.txt").write_text("\n")
    return r"classes\.txt: expected"


def fault_split_of_powershell(root):
    (root / "ImageSets" / "Segmentation" / "train.txt").write_text("one\n", encoding="utf-16")
    return r"train\.txt: not UTF-8 text"


def fault_class_names_of_old_windows(root):
    (root / "classes.txt").write_bytes("stra\xdfe\n".encode("latin-1"))
    return r"classes\.txt: not UTF-8 text"


@pytest.mark.parametrize(
    "break_it", [f for n, f in sorted(globals().items()) if n.startswith("fault_")]
)
def test_each_fault_gives_one_clear_error(pair, break_it):
    first_item(pair)  # was fine before
    expected = break_it(pair)
    with pytest.raises(DatasetError, match=expected) as caught:
        first_item(pair)
    assert str(pair) in str(caught.value) and "\n" not in str(caught.value)


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(DatasetError, match="nowhere: not a folder in VOC layout"):
        VOCSegmentation(tmp_path / "nowhere", "train")


@pytest.mark.parametrize("read", [read_image, read_mask])
def test_reading_a_file_that_is_not_there(tmp_path, read):
    with pytest.raises(DatasetError, match=r"gone\.png: no such file"):
        read(tmp_path / "gone.png")
    with pytest.raises(DatasetError):
        read(tmp_path)  # a folder


def file_bytes(kind: str) -> bytes:
    file = io.BytesIO()
    if kind == "JPEG":
        Image.fromarray(gradient()).save(file, format="JPEG", quality=90)
    else:
        picture = Image.fromarray(rng.integers(0, 21, (24, 30), dtype=np.uint8))
        picture.putpalette(VOC_PALETTE.tobytes())
        picture.save(file, format="PNG")
    return file.getvalue()


WHOLE_JPEG, WHOLE_PNG = file_bytes("JPEG"), file_bytes("PNG")


@given(share=st.floats(0, 0.97))
@settings(max_examples=60)
def test_a_file_cut_off_anywhere_is_one_kind_of_error(tmp_path_factory, share):
    folder = tmp_path_factory.mktemp("cut")
    for name, whole, read in (
        ("cut.jpg", WHOLE_JPEG, read_image),
        ("cut.png", WHOLE_PNG, read_mask),
        ("cut.png", WHOLE_PNG, read_image),
    ):
        (folder / name).write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(DatasetError, match=name):
            read(folder / name)


@given(place=st.integers(0, 4000), value=st.integers(0, 255))
@settings(max_examples=150)
def test_a_damaged_file_is_read_or_reported_never_a_crash(tmp_path_factory, place, value):
    folder = tmp_path_factory.mktemp("damaged")
    for name, whole, read in (
        ("bad.jpg", WHOLE_JPEG, read_image),
        ("bad.png", WHOLE_PNG, read_mask),
        ("bad.png", WHOLE_PNG, read_image),
    ):
        content = bytearray(whole)
        content[place % len(whole)] = value
        (folder / name).write_bytes(bytes(content))
        try:
            read(folder / name)
        except DatasetError as error:
            assert name in str(error)


# ---------------------------------------------------------------- the real thing

real_voc = pytest.mark.skipif(
    not (SHARED / "voc2012-real").is_dir(), reason="../shared/voc2012-real is not here"
)
camvid = pytest.mark.skipif(
    not (SHARED / "camvid-voc").is_dir(), reason="../shared/camvid-voc is not here"
)


@real_voc
@pytest.mark.parametrize(
    ("name", "present"),
    [
        ("2007_000032", {"background", "aeroplane", "person"}),
        ("2007_000033", {"background", "aeroplane"}),
    ],
)
def test_genuine_voc_files(name, present):
    root = SHARED / "voc2012-real"
    splits = [p.stem for p in (root / "ImageSets" / "Segmentation").glob("*.txt")]
    data = next(d for d in (VOCSegmentation(root, s) for s in splits) if name in d.names)
    index = data.names.index(name)
    image, mask = data[index]
    with Image.open(root / "SegmentationClass" / f"{name}.png") as picture:
        assert picture.mode == "P"
        np.testing.assert_array_equal(mask.numpy(), np.asarray(picture))
    with Image.open(root / "JPEGImages" / f"{name}.jpg") as picture:
        np.testing.assert_array_equal(image.permute(1, 2, 0).numpy(), np.asarray(picture))
        assert picture.size == (500, mask.shape[0])
    assert {data.classes[i] for i in mask.unique().tolist() if i != 255} == present
    assert 0.01 < (mask == 255).float().mean() < 0.12
    np.testing.assert_array_equal(data.palette, palette_by_hand())


@camvid
def test_camvid_in_voc_layout():
    root = SHARED / "camvid-voc"
    train, val = VOCSegmentation(root, "train"), VOCSegmentation(root, "val")
    assert (len(train), len(val), train.num_classes) == (367, 101, 11)
    assert train.classes == tuple((root / "classes.txt").read_text().split())
    assert not set(train.names) & set(val.names)
    image, mask = val[50]
    assert image.shape == (3, 360, 480) and mask.shape == (360, 480)
    with Image.open(val.mask_path(50)) as picture:
        np.testing.assert_array_equal(mask.numpy(), np.asarray(picture))
    assert set(mask.unique().tolist()) <= {*range(11), 255}


def test_the_names_may_be_replaced_by_others_of_the_folder(tiny_voc):
    data, val = VOCSegmentation(tiny_voc, "train"), VOCSegmentation(tiny_voc, "val")
    data.names = val.names
    assert len(data) == len(val) and torch.equal(data[0][0], val[0][0])
    assert torch.equal(data[0][1], val[0][1])
