"""Scenes in the open air: street fronts, terraces, gardens, birds."""

import math

from . import bicycle, bottles, furniture, lighting, places, plants, stage
from .animals import BIRD_KINDS, bird, cat
from .shots import (
    FACING_CAMERA,
    Shot,
    between,
    bottle_group,
    chairs_around,
    choose,
    either_side,
    look,
    scatter,
    table_clutter,
)

GROUND_BIRDS = ("pigeon", "wood pigeon", "dove", "jackdaw", "crow", "magpie", "gull", "starling")
GARDEN_BIRDS = tuple(
    kind
    for kind in BIRD_KINDS
    if kind not in GROUND_BIRDS
    and "budgerigar" not in kind
    and "duck" not in kind
    and kind not in ("canary", "drake")
)
WATER_BIRDS = ("drake", "duck", "white duck", "gull")
OUTDOOR_CHAIRS = "folding", "bistro", "garden_plastic", "wicker", "slat_back", "school", "carver"


def street():
    """A bicycle at a house or shop front."""
    lighting.outdoors()
    distance = between(2.3, 2.9)
    places.pavement_ground()
    places.street_side(distance)
    x, y = between(-0.3, 0.3), distance - between(0.3, 0.36)
    turned = stage.chance(0.5)
    lean = between(0.06, 0.1) * (1 if turned else -1)
    bicycle.bicycle((x, y, 0), math.pi * turned + between(-0.06, 0.06), lean)
    if stage.chance(0.3):
        second = (x + either_side() * between(0.4, 1.1), y - between(0.4, 0.6), 0)
        bicycle.bicycle(second, math.pi * turned + between(-0.25, 0.25), 0.0)
    side = either_side()
    for reach in (side, -side):
        if stage.chance(0.6):
            spot = (x + reach * between(1.15, 1.6), distance - between(0.3, 0.5), 0)
            plants.plant(spot, choose("large", "large", "small"), between(0.9, 1.3))
    if stage.chance(0.25):
        cat((x + between(-0.9, 0.9), y - between(0.5, 0.9), 0), between(-2.9, -0.2))
    elif stage.chance(0.75):
        for px, py in scatter(choose(1, 2, 3), (x, y - 0.75), (0.8, 0.35), 0.25):
            bird((px, py, 0), between(0, 6.28), 1.0, choose(*GROUND_BIRDS))
    if stage.chance(0.3):
        style = furniture.chair_style(choose(*OUTDOOR_CHAIRS))
        furniture.chair((x - side * 1.35, distance - 0.5, 0), between(-0.6, 0.6), style)
    view = look((x, y, 0.5), (1.3, 2.1), (-0.75, 0.75), (0.65, 1.6), (28, 40))
    return Shot(view, {"bicycle": 5000}, (0.19, 0.6))


def terrace():
    """A table and chairs outside, laid for a drink, with pots around."""
    lighting.outdoors()
    distance = between(2.8, 3.6)
    places.terrace_ground()
    places.terrace_backdrop(distance)
    y = distance - between(1.25, 1.5)
    round_top = stage.chance(0.5)
    length, width = (
        (between(0.7, 1.0),) * 2 if round_top else (between(1.1, 1.6), between(0.7, 0.85))
    )
    taken = []
    with stage.group((0, y, 0), between(-0.5, 0.5)):
        height = furniture.dining_table((0, 0, 0), 0, length, width, round_top, stage.chance(0.5))
        style = furniture.chair_style(choose(*OUTDOOR_CHAIRS))
        kept = chairs_around(0, length, width, style, 0.7, round_top)
        bottle_group(height, choose(1, 1, 2, 3), (0, 0), (length * 0.22, width * 0.2), taken)
        table_clutter(height, choose(0, 1), (0, 0), (length * 0.3, width * 0.25), taken)
        if stage.chance(0.55):
            for px, py in scatter(1, (0, -0.05), (length * 0.3, width * 0.3), 0.14, taken):
                bird((px, py, height), between(0, 6.28), 1.1, choose(*GARDEN_BIRDS))
        if kept and stage.chance(0.25):
            cx, cy, spin = stage.random.choice(kept)
            cat((cx, cy, 0.455), spin + FACING_CAMERA, choose("sit", "loaf"))
    for reach in (-1, 1):
        if stage.chance(0.75):
            spot = (reach * between(0.9, 1.4), distance - between(0.4, 0.7), 0)
            plants.plant(spot, choose("large", "large", "small"), between(0.9, 1.3))
    if stage.chance(0.45):
        turned = stage.chance(0.5)
        bicycle.bicycle(
            (either_side() * between(0.3, 1.0), distance - 0.34, 0),
            math.pi * turned,
            between(0.06, 0.1) * (1 if turned else -1),
        )
    if stage.chance(0.45):
        for px, py in scatter(choose(1, 2), (0, y - 0.75), (0.9, 0.25), 0.25):
            bird((px, py, 0), between(0, 6.28), 1.0, choose(*GROUND_BIRDS, *GARDEN_BIRDS))
    view = look((0, y, 0.62), (1.4, 2.2), (-0.75, 0.75), (0.95, 1.7), (28, 38))
    return Shot(view, {"diningtable": 1200, "chair": 1200}, (0.26, 0.62))


def garden():
    """A chair, pots and a cat or a bird in a garden corner."""
    lighting.outdoors()
    places.garden_ground()
    distance = between(3.0, 4.0)
    places.garden_backdrop(distance)
    y, side = between(1.6, 2.0), either_side()
    style = furniture.chair_style(choose(*OUTDOOR_CHAIRS))
    furniture.chair((side * between(0.3, 0.6), y + 0.3, 0), between(-0.8, 0.8), style)
    for reach, deep in ((-side * 0.5, 0.3), (-side * 0.95, 0.6), (side * 1.1, 0.6)):
        if stage.chance(0.8):
            plants.plant(
                (reach + between(-0.1, 0.1), y + deep, 0),
                choose("large", "large", "small"),
                between(0.9, 1.3),
            )
    if stage.chance(0.55):
        cat((between(-0.4, 0.4), y - between(0.15, 0.4), 0), between(-2.9, -0.2), None, None, 1.05)
    else:
        for px, py in scatter(choose(1, 2, 3), (0, y - 0.4), (0.4, 0.2), 0.22):
            bird((px, py, 0.01), between(0, 6.28), 1.1, choose(*GROUND_BIRDS, *GARDEN_BIRDS))
    if stage.chance(0.3):
        bottles.bottle((side * between(0.2, 0.3), y + 0.05, 0))
    view = look((0, y, 0.35), (1.1, 1.8), (-0.6, 0.6), (0.4, 1.2), (30, 42))
    return Shot(view, {"pottedplant": 1500}, (0.18, 0.6), {"cat": 1000, "bird": 500})


def wild_bird():
    """A bird close by: on a railing, a wall, a branch, a table, or on the ground."""
    lighting.outdoors()
    where = choose(
        "railing",
        "wall",
        "branch",
        "branch",
        "table",
        "ground",
        "ground",
        "bench",
        "fence",
        "feeder",
    )
    y, count = 1.0, choose(1, 1, 1, 2, 2, 3)
    kinds = GARDEN_BIRDS
    perched = where in ("railing", "branch", "fence")
    distance = between(2.6, 4.0)
    if where == "ground":
        kinds = choose(GROUND_BIRDS, GARDEN_BIRDS, GARDEN_BIRDS, WATER_BIRDS)
        if kinds == GROUND_BIRDS:
            places.pavement_ground()
        else:
            places.garden_ground()
        top = 0.012
    else:
        choose(places.garden_ground, places.terrace_ground)()
    choose(places.garden_backdrop, places.garden_backdrop, places.terrace_backdrop)(distance)
    if where == "table":
        width = between(0.7, 0.9)
        top = furniture.dining_table(
            (0, y + 0.15, 0), between(-0.4, 0.4), width, width, True, False
        )
        taken = [(0.0, y)]
        bottle_group(top, choose(0, 1, 1), (0, y + 0.18), (0.25, 0.1), taken)
        table_clutter(top, 1, (0, y + 0.18), (0.25, 0.1), taken)
        style = furniture.chair_style(choose(*OUTDOOR_CHAIRS))
        furniture.chair((between(-0.5, 0.5), y + 0.85, 0), between(-0.4, 0.4), style)
    elif where != "ground":
        top = places.perch(where, y)
    for i in range(count):
        x = (i - (count - 1) / 2) * between(0.2, 0.28) + between(-0.03, 0.03)
        back = 0 if perched or where in ("wall", "feeder") else between(-0.12, 0.16)
        turn = choose(-0.5, math.pi + 0.5, FACING_CAMERA) + between(-0.6, 0.6)
        name = choose(*kinds)
        bird((x, y + back, top), turn, between(1.0, 1.15), name, perched)
    if stage.chance(0.55):
        spot = (either_side() * between(0.45, 0.9), y + between(0.6, 1.1), 0)
        plants.plant(spot, choose("large", "large", "small"), between(0.9, 1.3))
    if stage.chance(0.25) and where not in ("table",):
        bicycle.bicycle((between(-0.4, 0.4), y + 1.3, 0), choose(0, math.pi), 0.0)
    big = kinds in (GROUND_BIRDS, WATER_BIRDS)
    reach = (0.75, 1.3) if big else (0.42, 0.8)
    target = (0, y, top + (0.12 if big else 0.07))
    view = look(target, reach, (-0.7, 0.7), (top + 0.08, top + 0.4), (36, 55), (2.8, 4, 5.6), 0.07)
    return Shot(view, {"bird": 2000}, (0.08, 0.6), inside=("bird",), variety=1, clearance=0.15)
