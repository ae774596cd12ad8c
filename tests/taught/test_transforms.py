"""Joint transforms: no class is invented, image and mask move together."""

import numpy as np
import pytest
import torch
from helpers import block_mask
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision import tv_tensors
from torchvision.transforms import v2

from seglab.transforms import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    RandomFlip,
    RandomScaleCrop,
    normalize,
    resize_image,
    resize_mask,
    training_transforms,
)

# Class -> colour of the picture: far apart, and none is the black of padding.
CODE = torch.tensor([[60, 60, 60], [250, 60, 60], [60, 60, 250]], dtype=torch.uint8)


def coded_pair(seed: int = 0, height: int = 90, width: int = 120):
    """A mask of large blocks and the picture whose colours encode it; void is coded 250, 250."""
    mask = torch.from_numpy(block_mask(np.random.default_rng(seed), height, width))
    colors = CODE[mask.where(mask != 255, 0).long()]
    colors[mask == 255] = torch.tensor([250, 250, 60], dtype=torch.uint8)
    return tv_tensors.Image(colors.permute(2, 0, 1)), tv_tensors.Mask(mask)


def decode(image: torch.Tensor) -> torch.Tensor:
    """The mask that a coded picture (or what a transform left of it) speaks of."""
    colors = torch.cat([CODE, torch.tensor([[250, 250, 60], [0, 0, 0]])]).float()
    distances = (image.permute(1, 2, 0).float()[:, :, None] - colors).square().sum(-1)
    return torch.tensor([0, 1, 2, 255, 255], dtype=torch.uint8)[distances.argmin(-1)]


def inside(mask: torch.Tensor, margin: int = 3) -> torch.Tensor:
    """Pixels whose neighbours up to `margin` away all have the same class: away from edges."""
    values = mask[None, None].float()
    size = 2 * margin + 1
    high = torch.nn.functional.max_pool2d(values, size, 1, margin)
    low = -torch.nn.functional.max_pool2d(-values, size, 1, margin)
    return (high == low)[0, 0]


sides = st.integers(1, 70)


# (Nothing shrinks to 1 x 1 here: torch 2.15's uint8 resize cannot do that.)
@given(
    st.integers(4, 70),
    st.integers(4, 70),
    sides,
    sides,
    st.floats(0.4, 2),
    st.floats(1, 3),
    st.integers(0, 99),
)
@settings(max_examples=50)
def test_no_class_is_invented_and_shapes_are_right(h, w, crop_h, crop_w, low, ratio, seed):
    rng = np.random.default_rng(seed)
    allowed = rng.choice(21, 3, replace=False)
    mask = tv_tensors.Mask(torch.from_numpy(rng.choice(allowed, (h, w)).astype(np.uint8)))
    image = tv_tensors.Image(torch.randint(0, 256, (3, h, w), dtype=torch.uint8))
    side = int(rng.integers(10, 100)) if seed % 2 else None
    transform = training_transforms((crop_h, crop_w), (low, low * ratio), side, color=0.3)
    torch.manual_seed(seed)
    new_image, new_mask = transform(image, mask)
    assert new_image.shape == (3, crop_h, crop_w) and new_mask.shape == (crop_h, crop_w)
    assert new_image.dtype == new_mask.dtype == torch.uint8
    assert isinstance(new_image, tv_tensors.Image) and isinstance(new_mask, tv_tensors.Mask)
    assert set(new_mask.unique().tolist()) <= {*allowed.tolist(), 255}


@given(st.integers(0, 10_000))
@settings(max_examples=40)
def test_image_and_mask_move_together(seed):
    image, mask = coded_pair(seed)
    torch.manual_seed(seed)
    new_image, new_mask = training_transforms((64, 80), (0.6, 2.0))(image, mask)
    safe = inside(new_mask)
    assert safe.float().mean() > 0.2  # something was compared
    agreed = decode(new_image) == new_mask
    assert agreed[safe].all()


def test_the_comparison_sees_a_shift_of_four_pixels():
    """The test above can fail: an image moved against its mask is noticed."""
    image, mask = coded_pair()
    shifted = image.roll(4, dims=-1)
    assert (decode(image) == mask)[inside(mask)].all()
    assert not (decode(shifted) == mask)[inside(mask)].all()


@given(st.integers(0, 200), st.integers(8, 60), st.integers(8, 60))
@settings(max_examples=30)
def test_padding_is_black_and_void_and_only_outside(seed, height, width):
    image = tv_tensors.Image(torch.full((3, height, width), 200, dtype=torch.uint8))
    mask = tv_tensors.Mask(torch.full((height, width), 7, dtype=torch.uint8))
    torch.manual_seed(seed)
    new_image, new_mask = RandomScaleCrop((64, 64), (1.0, 1.0))(image, mask)
    assert (new_mask == 7).sum() == height * width  # scale 1 in a large window loses nothing
    assert (new_image[:, new_mask == 7] == 200).all()
    assert (new_image[:, new_mask != 7] == 0).all()
    assert (new_mask[new_mask != 7] == 255).all()


def test_scale_and_longest_side_mean_what_they_say():
    mask = torch.zeros(100, 200, dtype=torch.uint8)
    mask[25:75, 50:150] = 1  # a quarter of the picture
    image = mask.expand(3, -1, -1).contiguous()
    for side, factor in ((None, 0.5), (None, 2.0), (80, 1.0), (300, 1.5)):
        torch.manual_seed(0)
        _, new = RandomScaleCrop((600, 600), (factor, factor), side)(image, mask)
        true_factor = factor * (1 if side is None else side / 200)
        assert (new == 1).sum().item() == pytest.approx(5000 * true_factor**2, rel=0.03)
        assert (new != 255).sum().item() == pytest.approx(20000 * true_factor**2, rel=0.03)


def test_crops_come_from_everywhere():
    """Each column of the picture is the left edge of some crop, and of about as many as others."""
    mask = torch.arange(12, dtype=torch.uint8).repeat(4, 1)
    image = mask.expand(3, -1, -1).contiguous()
    torch.manual_seed(0)
    crop = RandomScaleCrop((4, 8), (1.0, 1.0))
    lefts = torch.bincount(
        torch.tensor([int(crop(image, mask)[1][0, 0]) for _ in range(500)]), minlength=5
    )
    assert len(lefts) == 5 and lefts.min() > 50


def test_flip_mirrors_both_or_neither_half_of_the_time():
    image, mask = coded_pair()
    torch.manual_seed(0)
    flips = 0
    for _ in range(200):
        new_image, new_mask = RandomFlip()(image, mask)
        flipped = torch.equal(new_mask, mask.flip(-1))
        assert torch.equal(new_image, image.flip(-1) if flipped else image)
        assert torch.equal(new_mask, mask.flip(-1) if flipped else mask)
        flips += flipped
    assert 70 < flips < 130


def test_same_seed_same_numbers_and_different_seed_different():
    image, mask = coded_pair()
    transform = training_transforms((40, 40), color=0.5)

    def once(seed: int):
        torch.manual_seed(seed)
        return transform(image, mask)

    (image_1, mask_1), (image_2, mask_2), (image_3, _) = once(5), once(5), once(6)
    assert torch.equal(image_1, image_2) and torch.equal(mask_1, mask_2)
    assert not torch.equal(image_1, image_3)


@pytest.mark.parametrize(
    ("size", "scale"), [((0, 4), (1, 1)), ((4, 4), (0, 1)), ((4, 4), (2, 1)), ((4, 4), (-1, 1))]
)
def test_senseless_settings_are_refused(size, scale):
    with pytest.raises(ValueError, match="expected size"):
        RandomScaleCrop(size, scale)


# ---------------------------------------------------------------- resizing


def untied(old: int, new: int) -> np.ndarray:
    """Positions whose source pixel is beyond doubt: its centre is not halfway between two."""
    return np.array([(2 * i + 1) * old % (2 * new) != 0 for i in range(new)])


@given(sides, sides, sides, sides)
@settings(max_examples=120)
def test_resize_mask_equals_pillows_nearest(h, w, new_h, new_w):
    mask = np.random.default_rng(h * 71 + w).integers(0, 256, (h, w), dtype=np.uint8)
    ours = resize_mask(torch.from_numpy(mask), (new_h, new_w)).numpy()
    pillow = np.asarray(Image.fromarray(mask).resize((new_w, new_h), Image.Resampling.NEAREST))
    assert ours.shape == (new_h, new_w) and ours.dtype == np.uint8
    where = np.ix_(untied(h, new_h), untied(w, new_w))
    np.testing.assert_array_equal(ours[where], pillow[where])


def test_plain_nearest_would_be_shifted():
    """Why resize_mask says nearest-exact: the comparison above tells the two apart."""
    mask = torch.arange(30, dtype=torch.uint8).repeat(30, 1)
    shifted = torch.nn.functional.interpolate(mask[None, None], size=(10, 10), mode="nearest")
    assert not torch.equal(shifted[0, 0], resize_mask(mask, (10, 10)))
    pillow = Image.fromarray(mask.numpy()).resize((10, 10), Image.Resampling.NEAREST)
    np.testing.assert_array_equal(resize_mask(mask, (10, 10)).numpy(), np.asarray(pillow))


@pytest.mark.parametrize("size", [(17, 40), (96, 31), (120, 160)])
def test_resize_image_equals_pillows_bilinear(size):
    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.integers(0, 256, (60, 80, 3), dtype=np.uint8))
    ours = resize_image(torch.from_numpy(np.array(picture)).permute(2, 0, 1), size)
    pillow = np.asarray(picture.resize(size[::-1], Image.Resampling.BILINEAR)).astype(int)
    assert ours.dtype == torch.uint8
    assert np.abs(ours.permute(1, 2, 0).numpy() - pillow).max() <= 1


# ---------------------------------------------------------------- normalising


@pytest.mark.parametrize("shape", [(3, 7, 9), (2, 3, 7, 9)])
def test_normalize_equals_torchvisions(shape):
    images = torch.randint(0, 256, shape, dtype=torch.uint8)
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # as torchvision's weights have them
    assert (IMAGENET_MEAN, IMAGENET_STD) == (mean, std)
    steps = v2.Compose([v2.ToDtype(torch.float32, scale=True), v2.Normalize(mean, std)])
    torch.testing.assert_close(normalize(images), steps(images))


def test_normalising_twice_is_an_error():
    images = torch.randint(0, 256, (3, 4, 4), dtype=torch.uint8)
    with pytest.raises(TypeError, match="uint8"):
        normalize(normalize(images))
