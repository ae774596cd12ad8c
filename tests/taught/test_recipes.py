"""The recipe: schedule, names, and what it says when it is printed."""

from dataclasses import fields, replace
from itertools import pairwise

import pytest

from seglab import losses, recipes
from seglab.networks import MODELS
from seglab.recipes import PRESETS, Recipe, recipe_for


def test_one_cycle_starts_low_peaks_and_ends_near_zero():
    recipe = Recipe(images=4000, batch_size=4)
    factors = [recipe.factor(step) for step in range(recipe.steps)]
    assert recipe.steps == 1000
    assert factors[0] == pytest.approx(0.05)
    assert max(factors) == pytest.approx(1) and factors.index(max(factors)) == 100
    assert factors[-1] < 1e-4
    assert all(a < b for a, b in pairwise(factors[:101]))
    assert all(a > b for a, b in pairwise(factors[100:]))


def test_poly_and_constant_against_their_formulas():
    poly = Recipe(images=400, batch_size=4, schedule="poly")
    for step in (0, 1, 50, 99):
        assert poly.factor(step) == pytest.approx((1 - step / 100) ** 0.9)
    constant = Recipe(images=400, schedule="constant")
    assert {constant.factor(step) for step in range(100)} == {1.0}


@pytest.mark.parametrize(
    "options",
    [
        {"schedule": "cosine"},
        {"images": 3, "batch_size": 4},
        {"batch_size": 0},
        {"loss": "hinge"},
        {"optimizer": "lion"},
        {"class_weights": "all"},
        {"longest_side": 0},
        {"max_gradient_norm": 0.0},
        {"frozen_stages": 6},
        {"frozen_stages": -1},
    ],
)
def test_senseless_recipes_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        Recipe(**options)


def test_a_printed_recipe_has_one_setting_a_line():
    recipe = Recipe(images=123, class_weights="median")
    lines = dict(line.split(maxsplit=1) for line in str(recipe).splitlines())
    assert list(lines) == [field.name for field in fields(Recipe)]
    assert lines["images"] == "123" and lines["class_weights"] == "median"
    assert lines["max_gradient_norm"] == "None" and lines["crop"] == "(192, 256)"


def test_the_names_are_those_of_the_registries():
    """Which load torch, so that recipes have lists of their own."""
    assert recipes.NETWORKS == MODELS
    assert recipes.LOSSES == tuple(losses.LOSSES)


def test_every_setting_says_what_it_means():
    for setting in fields(Recipe):
        assert len(setting.metadata["meaning"]) > 10
        parts = setting.metadata.get("parts", ())
        assert len(parts) == (2 if isinstance(setting.default, tuple) else 0)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("model", MODELS)
def test_every_network_has_every_recipe(model, preset):
    recipe = recipe_for(model, preset)
    assert recipe.steps > 100
    if preset == "quick":
        assert recipe.images <= 8000  # minutes on a laptop, not hours


def test_a_preset_is_where_a_networks_own_settings_start():
    assert recipe_for("erfnet", "camvid") == replace(PRESETS["camvid"], images=1600)
    own = recipe_for("unet", "camvid")
    assert own.class_weights == "log" and own.learning_rate == recipe_for("unet").learning_rate
    assert recipe_for("deeplabv3", "voc2012") == PRESETS["voc2012"]


def test_the_published_recipe_of_deeplab_v3():
    recipe = PRESETS["voc2012"]
    assert (recipe.steps, recipe.batch_size, recipe.crop) == (30_000, 16, (513, 513))
    assert (recipe.schedule, recipe.learning_rate) == ("poly", 0.007)


def test_an_unknown_preset_is_named():
    with pytest.raises(ValueError, match=r"unknown recipe 'fast'; choose one of quick"):
        recipe_for("fcn8s", "fast")


def test_from_scratch_nothing_is_kept_back():
    frozen = {"frozen_norms": True, "frozen_stages": 2, "frozen_depthwise": True}
    recipe = Recipe(images=8, backbone_factor=0.1, **frozen)
    assert recipe.from_scratch() == Recipe(images=8)


def test_a_recipe_cannot_be_changed_by_accident():
    recipe = Recipe()
    with pytest.raises(AttributeError):
        recipe.images = 7
    assert replace(recipe, images=8).images == 8
