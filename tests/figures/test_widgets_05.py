"""Notebook 05: muted skips, the skip switch, and the drawings of U-Nets."""

import copy
import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from helpers import lively
from PIL import Image

from seglab import figures
from seglab.figures.widgets import Interactive, skip_switch
from seglab.palettes import VOC_CLASSES, VOC_PALETTE, VOID
from seglab.prediction import predict
from seglab.recipes import Recipe
from seglab.training import fit
from seglab.unet import PaperUNet, UNet, UNetPlusPlus, Up, muted_skips
from seglab.upsampling import enlarge
from seglab.voc import VOCSegmentation

BICYCLE = VOC_CLASSES.index("bicycle")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture
def plain():
    torch.manual_seed(0)
    return lively(UNet(3, width=4))


@pytest.fixture
def on_backbone():
    """A U-Net on a classifier, with a score of the coarsest map, too."""
    torch.manual_seed(0)
    decoder = (8, 8, 8, 8)
    model = UNet.with_backbone(len(VOC_CLASSES), weights=None, decoder_channels=decoder)
    assert model.coarse_score is not None
    return lively(model)


@pytest.fixture
def pair():
    """A picture, and a mask that shows a bicycle and some void."""
    generator = torch.Generator().manual_seed(0)
    image = torch.randint(0, 256, (3, 64, 96), dtype=torch.uint8, generator=generator)
    mask = torch.zeros(64, 96, dtype=torch.uint8)
    mask[10:40, 20:60] = BICYCLE
    mask[40:44, 20:60] = VOID
    return image, mask


# ---------------------------------------------------------------- muted_skips


def without(model, images, levels):
    """The same forward pass, written out: zeros in place of the skips of these levels."""
    *skips, x = model.encoder(images)
    for level in reversed(range(len(skips))):
        up, skip = model.ups[level], skips[level]
        doubled = up.doubling(x)[..., : skip.shape[-2], : skip.shape[-1]]
        beside = 0 * skip if level in levels else skip
        x = up.convolve(up.norm(torch.cat([beside, doubled], 1)))
    logits = model.score(x)
    if model.coarse_score is not None:
        coarse = model.coarse_score(model.encoder(images)[-1])
        logits = logits + enlarge(coarse, logits.shape[-2:], 16)
        return enlarge(logits, images.shape[-2:], 2)
    return logits


@pytest.mark.parametrize("levels", [[], [0], [3], [0, 2], [0, 1, 2, 3]])
def test_muted_skips_put_zeros_in_place_of_these_skips(plain, levels):
    images = torch.rand(2, 3, 33, 47)  # odd: the crop still needs the skip's size
    with torch.no_grad(), muted_skips(plain, levels) as inside:
        assert inside is plain
        muted = plain(images)
    with torch.no_grad():
        torch.testing.assert_close(muted, without(plain, images, levels))
        torch.testing.assert_close(plain(images), without(plain, images, []))
        assert torch.equal(muted, plain(images)) == (levels == [])


def test_by_default_all_skips_are_muted_on_any_encoder(on_backbone):
    images = torch.rand(1, 3, 64, 96)
    with torch.no_grad(), muted_skips(on_backbone):
        muted = on_backbone(images)
    with torch.no_grad():
        torch.testing.assert_close(muted, without(on_backbone, images, range(4)))


def test_the_network_is_as_before_on_leaving_even_after_an_error(plain):
    images = torch.rand(1, 3, 32, 32)
    state = {name: value.clone() for name, value in plain.state_dict().items()}
    with torch.no_grad():
        before = plain(images)
        with pytest.raises(KeyboardInterrupt), muted_skips(plain):
            raise KeyboardInterrupt
        assert torch.equal(plain(images), before)
    assert not any(up._forward_pre_hooks for up in plain.ups)
    assert all(torch.equal(state[name], value) for name, value in plain.state_dict().items())


def test_training_without_a_skip_does_not_teach_the_layers_that_see_it(plain):
    plain.train()
    with muted_skips(plain, [1, 2]):
        plain(torch.rand(2, 3, 32, 32)).square().mean().backward()
    for level, up in enumerate(plain.ups):
        of_skip = up.norm.weight.grad[: plain.encoder.channels[level]]
        assert (of_skip.abs().max() > 1e-6) == (level not in (1, 2))


def test_fit_within_the_block_trains_without_skips(plain, tiny_voc):
    before = copy.deepcopy(plain)
    recipe = Recipe(images=8, longest_side=None, crop=(32, 32))
    with muted_skips(plain):
        fit(plain, VOCSegmentation(tiny_voc, "train"), recipe=recipe, progress=False)
    for level, (up, old) in enumerate(zip(plain.ups, before.ups, strict=True)):
        of_skip = slice(plain.encoder.channels[level])
        assert torch.equal(up.norm.weight[of_skip], old.norm.weight[of_skip])
        assert not torch.equal(up.norm.weight, old.norm.weight)
        assert not up._forward_pre_hooks


@pytest.mark.parametrize("levels", [[4], [-1], [0, 7]])
def test_a_level_that_does_not_exist_is_refused(plain, levels):
    with pytest.raises(ValueError, match="levels 0 to 3"), muted_skips(plain, levels):
        pass
    assert not any(up._forward_pre_hooks for up in plain.ups)


def test_inner_and_outer_silence_add_up(plain):
    images = torch.rand(1, 3, 32, 32)
    with torch.no_grad(), muted_skips(plain, [0]):
        with muted_skips(plain, [1]):
            both = plain(images)
        outer = plain(images)
    with torch.no_grad():
        torch.testing.assert_close(both, without(plain, images, [0, 1]))
        torch.testing.assert_close(outer, without(plain, images, [0]))


# ---------------------------------------------------------------- the switch


def shown(widget):
    """The figure for the present values of the controls, as matplotlib objects."""
    return widget.draw(**{name: control.value for name, control in widget.controls.items()})


def test_the_switch_has_one_checkbox_for_each_skip(on_backbone, pair):
    widget = skip_switch(on_backbone, *pair, BICYCLE)
    assert isinstance(widget, Interactive)
    strides = {name: control.description for name, control in widget.controls.items()}
    assert strides == {f"stride_{s}": f"skip at stride {s}" for s in (2, 4, 8, 16)}
    assert [control.value for control in widget.controls.values()] == [False, False, True, True]
    picture = Image.open(io.BytesIO(widget.picture.value))
    assert picture.format == "PNG" and min(picture.size) > 300


def test_a_click_changes_the_picture_and_back_again(on_backbone, pair):
    widget = skip_switch(on_backbone, *pair, BICYCLE)
    first = widget.picture.value
    widget.controls["stride_16"].value = False
    assert widget.picture.value != first
    widget.controls["stride_16"].value = True
    assert widget.picture.value == first


@pytest.mark.parametrize("off", [[], [2], [16], [2, 8], [2, 4, 8, 16]])
def test_the_drawn_prediction_and_numbers_are_those_without_the_chosen_skips(
    on_backbone, pair, off
):
    image, mask = pair
    # The class that an untrained network names most: so that something is found.
    guess = predict(on_backbone, image).flatten().mode().values.item()
    mask[mask == BICYCLE] = guess
    widget = skip_switch(on_backbone, image, mask, guess)
    for stride in (2, 4, 8, 16):
        widget.controls[f"stride_{stride}"].value = stride not in off
    with muted_skips(on_backbone, [(2, 4, 8, 16).index(stride) for stride in off]):
        expected = predict(on_backbone, image)
    figure = shown(widget)
    drawn = figure.axes[3].images[0].get_array()
    np.testing.assert_array_equal(drawn, VOC_PALETTE[expected.numpy()])
    np.testing.assert_array_equal(
        figure.axes[2].images[0].get_array(), VOC_PALETTE[predict(on_backbone, image).numpy()]
    )
    labelled, true = mask != VOID, mask == guess
    hit = int(((expected == guess) & true).sum())
    union = int((((expected == guess) | true) & labelled).sum())
    found = f"{100 * hit / int(true.sum()):.0f} %"
    assert f"{found} found, IoU {100 * hit / union:.0f} %" in figure.axes[3].get_title()
    for stride in off:
        assert str(stride) in figure.axes[3].get_title()
    title = figure.get_suptitle()
    assert ("none is off" in title) == (not off)
    if off:
        assert f"{found} without stride{'s' * (len(off) > 1)} {', '.join(map(str, off))}" in title


def test_the_switch_leaves_the_network_as_it_was(on_backbone, pair):
    before = predict(on_backbone, pair[0])
    widget = skip_switch(on_backbone, *pair, BICYCLE)
    widget.controls["stride_8"].value = False
    assert torch.equal(predict(on_backbone, pair[0]), before)
    assert not any(up._forward_pre_hooks for up in on_backbone.ups)


def test_the_switch_takes_a_plain_unet_with_its_own_classes(plain, pair):
    image, mask = pair
    mask = (mask == BICYCLE).to(torch.uint8)
    widget = skip_switch(plain, image, mask, 1, classes=("ground", "thing", "other"))
    assert list(widget.controls) == ["stride_1", "stride_2", "stride_4", "stride_8"]
    assert "thing" in shown(widget).get_suptitle()


# ---------------------------------------------------------------- drawings


def texts(figure):
    return [text.get_text() for axis in figure.axes for text in axis.texts]


def test_the_diagram_shows_the_shapes_it_is_given():
    with torch.device("meta"):
        network, image = PaperUNet(), torch.empty(1, 1, 572, 572)
    shapes = []
    for block in (*network.down, *network.up, network.score):
        block.register_forward_hook(lambda *call: shapes.append(tuple(call[2].shape[1:])))
    network(image)
    down, up, logits = shapes[:5], shapes[5:9][::-1], shapes[9]
    figure = figures.unet_diagram((1, 572, 572), down, up, logits, "a title")
    drawn = "\n".join(texts(figure))
    for channels, rows, columns in [(1, 572, 572), *shapes]:
        assert f"{channels} ch.\n{rows} × {columns}" in drawn
    assert logits == (2, 388, 388)
    assert sum(text.startswith("skip:") for text in texts(figure)) == 4
    assert figure.axes[0].get_title() == "a title"


def test_the_nested_diagram_has_fifteen_nodes():
    network = UNetPlusPlus(3, width=4)
    columns = [network.encoder.levels, *network.columns]
    parameters = [[sum(p.numel() for p in node.parameters()) for node in c] for c in columns]
    figure = figures.nested_diagram(network.encoder.channels, parameters, "a title")
    boxes = [text for text in texts(figure) if text.startswith("(")]
    assert len(boxes) == 15 == sum(isinstance(m, Up) for m in network.modules()) + 5
    node = network.columns[2][1]  # level 1 of column 3
    count = sum(p.numel() for p in node.parameters())
    assert f"(1, 3)\n8 ch.\n{count / 1e3:,.0f} k" in boxes
