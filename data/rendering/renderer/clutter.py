"""Things without a label that fill a home: furniture in the background, tableware, books, lamps.

Like all things they stand on their location and face -y at rotation 0. Things on a wall
(`picture_frame`, `wall_clock`, `mirror`) have their centre on a location on the wall's surface.
"""

import math
from typing import NamedTuple

import bmesh
import bpy
from mathutils import Vector
from mathutils import noise as vector_noise

from . import materials, stage
from .dice import between, choose, happens
from .geometry import (
    ball,
    box,
    circle,
    cushion,
    cylinder,
    lathe,
    mesh_object,
    pillow,
    rod,
    sheet,
    tube,
)
from .materials import (
    Shader,
    any_metal,
    artwork,
    cardboard,
    ceramic,
    fabric,
    glass,
    hsv,
    knit,
    leather,
    marble,
    metal,
    natural_color,
    paint,
    panorama,
    paper,
    plastic,
    rattan,
    white_paint,
    wood,
)

BLACK = (0.02, 0.02, 0.021, 1)
WHITE = (0.76, 0.75, 0.72, 1)
GREY = (0.3, 0.3, 0.31, 1)
PAGES = (0.72, 0.68, 0.58, 1)


def _mesh_offset():
    """A random place in the noise field."""
    return Vector((between(0, 50), between(0, 50), between(0, 50)))


def _board(axis=0):
    """The material of a plain piece of furniture: wood or lacquer."""
    kind = choose(["wood", "wood", "white", "color"])
    if kind == "wood":
        return wood(axis)
    return white_paint() if kind == "white" else paint(natural_color(), 0.42)


# ---------------------------------------------------------------- tableware


class Crockery(NamedTuple):
    """One set: glaze, rim colour and diameter of the plates."""

    glaze: object
    rim: object
    size: float


def crockery():
    """A set of crockery for a table."""
    glaze = ceramic()
    return Crockery(
        glaze, glaze if happens(0.6) else ceramic(natural_color()), between(0.11, 0.135)
    )


def plate(location=(0, 0, 0), size=0.12, crockery_set=None):
    """A plate; size is its radius."""
    ware = crockery_set or crockery()
    flat = size * between(0.6, 0.68)
    profile = [(0, 0), (flat * 0.85, 0), (flat, 0.006), (size, 0.019), (size * 0.985, 0.022)]
    profile += [(flat, 0.01), (flat * 0.9, 0.006), (0, 0.006)]
    lathe(profile, ware.glaze, location, 48)
    if ware.rim is not ware.glaze:
        lathe(
            [(size * 1.001, 0.018), (size * 1.002, 0.022), (size * 0.985, 0.0226)],
            ware.rim,
            location,
            48,
        )


def bowl(location=(0, 0, 0), size=0.075, crockery_set=None):
    """A bowl; size is its radius."""
    ware = crockery_set or crockery()
    tall = size * between(0.6, 0.85)
    outer = [
        (
            size * (0.42 + 0.58 * math.sin(step * math.pi / 12)),
            tall * (1 - math.cos(step * math.pi / 12)),
        )
        for step in range(7)
    ]
    inner = [(radius - 0.004, height + 0.004) for radius, height in reversed(outer[:-1])]
    lathe([(0, 0), *outer, *inner, (0, 0.005)], ware.glaze, location, 48, 50)


def mug(location=(0, 0, 0), material=None):
    """A mug with a handle, often with coffee or tea in it."""
    glaze = material or ceramic(choose([None, None, natural_color(0.3)]))
    radius, height = between(0.036, 0.044), between(0.08, 0.1)
    belly = between(0.88, 1.12)
    with stage.group(location, between(0, 6.28)):
        profile = [
            (0, 0),
            (radius * 0.85 * belly, 0),
            (radius * belly, 0.006),
            (radius * belly, height * 0.4),
        ]
        profile += [
            (radius, height),
            (radius - 0.004, height),
            (radius * belly - 0.005, height * 0.4),
        ]
        lathe(
            [*profile, (radius * belly * 0.85, 0.006), (0, 0.006)],
            glaze,
            segments=36,
            sharp_angle=40,
        )
        tube(
            [
                (radius * belly * 0.97, 0, height * 0.82),
                (radius + 0.022, 0, height * 0.78),
                (radius + 0.026, 0, height * 0.5),
                (radius + 0.014, 0, height * 0.26),
                (radius * belly * 0.96, 0, height * 0.22),
            ],
            0.0052,
            glaze,
        )
        if happens(0.6):
            drink = choose([(0.03, 0.012, 0.005, 1), (0.25, 0.13, 0.06, 1), (0.2, 0.07, 0.015, 1)])
            cylinder(radius - 0.005, 0.002, (0, 0, height * 0.78), paint(drink, 0.08), bevel=0)


def cup_and_saucer(location=(0, 0, 0), material=None):
    """A teacup on its saucer."""
    glaze = material or ceramic()
    x, y, z = location
    plate(location, 0.072, Crockery(glaze, glaze, 0.07))
    with stage.group((x, y, z + 0.008), between(0, 6.28)):
        outer = [(0.022, 0), (0.034, 0.018), (0.042, 0.042), (0.045, 0.06)]
        inner = [(radius - 0.003, height) for radius, height in reversed(outer)]
        lathe([(0, 0), *outer, *inner, (0, 0.004)], glaze, segments=36, sharp_angle=50)
        tube(
            [(0.041, 0, 0.05), (0.06, 0, 0.047), (0.058, 0, 0.025), (0.037, 0, 0.02)], 0.004, glaze
        )
        cylinder(0.038, 0.002, (0, 0, 0.046), paint((0.12, 0.05, 0.015, 1), 0.1), bevel=0)


def drinking_glass(location=(0, 0, 0), kind=None):
    """A tumbler, tall glass, wine glass or beer glass, empty or partly full."""
    kind = kind or choose(["tumbler", "tall", "wine", "beer"])
    clear = glass((0.94, 0.97, 0.95, 1), 0.01, 1.4, 0.9)
    drink = choose([None, None, "water", "juice", "wine"])
    colors = {
        "water": (0.93, 0.97, 0.97, 1),
        "juice": (0.9, 0.5, 0.08, 1),
        "wine": (0.3, 0.01, 0.03, 1),
    }
    if kind == "wine":
        cup = [(0.006, 0.085), (0.028, 0.1), (0.039, 0.125), (0.04, 0.15), (0.032, 0.19)]
        inner = [(radius - 0.0015, height) for radius, height in reversed(cup[1:])]
        foot_profile = [
            (0, 0),
            (0.034, 0),
            (0.034, 0.002),
            (0.006, 0.007),
            (0.0042, 0.02),
            (0.0042, 0.075),
        ]
        lathe(foot_profile + cup + inner + [(0, 0.09)], clear, location, 36, 60)
        if drink and happens(0.7):
            wine = glass(choose([colors["wine"], (0.85, 0.75, 0.4, 1)]), 0.01, 1.33, 0.8)
            lathe(
                [(0, 0.092), (0.026, 0.101), (0.037, 0.125), (0.0375, 0.135), (0, 0.135)],
                wine,
                location,
                36,
                60,
            )
        return
    radius, height = {"tumbler": (0.039, 0.092), "tall": (0.033, 0.145), "beer": (0.037, 0.16)}[
        kind
    ]
    narrow = {"tumbler": 0.86, "tall": 0.9, "beer": 0.72}[kind]
    outer = [(radius * narrow, 0), (radius * (narrow + 1) / 2, height * 0.45), (radius, height)]
    inner = [(radius - 0.002, height), (radius * (narrow + 1) / 2 - 0.002, height * 0.45)]
    inner += [(radius * narrow - 0.002, 0.01), (0, 0.01)]
    lathe([(0, 0), *outer, *inner], clear, location, 36, 60)
    if kind == "beer" or drink:
        color = (0.8, 0.42, 0.05, 1) if kind == "beer" else colors[drink]
        full = height * between(0.4, 0.8)
        edge = radius * (narrow + (1 - narrow) * full / height) - 0.0025
        body = [(0, 0.011), (radius * narrow - 0.0025, 0.011), (edge, full), (0, full)]
        lathe(body, glass(color, 0.02, 1.33, 0.8), location, 36, 60)
        if kind == "beer":
            x, y, z = location
            cylinder(edge, 0.015, (x, y, z + full), paint((0.8, 0.77, 0.68, 1), 0.9, bump=0.3))


def cutlery(location=(0, 0, 0), rotation=0.0, kind="knife"):
    """A fork, knife or spoon, 20 cm, pointing to +y."""
    steel = metal((0.65, 0.65, 0.65, 1), 0.2)
    with stage.group(location, rotation):
        tube(
            [(0, -0.1, 0.004), (0, -0.02, 0.005), (0, 0.035, 0.004)],
            0.0042,
            steel,
            radii=[1.2, 0.8, 0.7],
        )
        if kind == "knife":
            box((0.017, 0.1, 0.0018), (0.002, 0.07, 0.004), steel, 0.0008)
        elif kind == "spoon":
            ball(0.02, (0, 0.06, 0.006), steel, (0.85, 1.5, 0.22), 16)
        else:
            box((0.021, 0.02, 0.002), (0, 0.042, 0.005), steel, 0.0008)
            for tine in range(4):
                box((0.003, 0.05, 0.002), (-0.009 + tine * 0.006, 0.07, 0.005), steel, 0.0008)


def place_setting(crockery_set, mat=None, drink="glass"):
    """What one person needs for a meal, at the origin; the person sits at -y."""
    if mat is not None:
        box((0.42, 0.3, 0.003), (0, 0, 0.0016), mat, 0.001)
    lift = 0.003 if mat is not None else 0.0005
    plate((0, 0, lift), crockery_set.size, crockery_set)
    filling = choose(["empty", "bowl", "small", "food", "napkin"])
    if filling == "bowl":
        bowl((0, 0, lift + 0.007), 0.072, crockery_set)
    elif filling == "small":
        plate((0, 0, lift + 0.012), 0.085, crockery_set)
    elif filling == "food":
        food(lift + 0.008, crockery_set.size * 0.55)
    elif filling == "napkin":
        napkin((0, 0, lift + 0.008))
    reach = crockery_set.size + 0.025
    cutlery((-reach, 0, lift), between(-0.06, 0.06), "fork")
    cutlery((reach, 0, lift), between(-0.06, 0.06), "knife")
    if happens(0.4):
        cutlery((reach + 0.026, 0, lift), between(-0.06, 0.06), "spoon")
    place = (reach + between(-0.03, 0.02), reach + between(-0.01, 0.03), 0)
    if drink == "mug":
        mug(place)
    else:
        drinking_glass(place, "wine" if drink == "wine" else choose(["tumbler", "tall"]))


def food(height, reach):
    """Some lumps on a plate: salad, pasta, bread, cake."""
    kind = choose(["salad", "cake", "bread", "mixed"])
    colors = {
        "salad": [(0.1, 0.22, 0.03, 1), (0.2, 0.33, 0.06, 1), (0.5, 0.05, 0.02, 1)],
        "cake": [(0.35, 0.18, 0.07, 1), (0.6, 0.42, 0.22, 1)],
        "bread": [(0.45, 0.25, 0.1, 1), (0.55, 0.35, 0.16, 1)],
        "mixed": [(0.6, 0.42, 0.16, 1), (0.35, 0.12, 0.05, 1), (0.15, 0.3, 0.05, 1)],
    }[kind]
    if kind == "cake":
        box((0.06, 0.09, 0.045), (0, 0, height + 0.023), paint(colors[0], 0.85, bump=0.4), 0.004)
        box((0.062, 0.092, 0.008), (0, 0, height + 0.049), paint(colors[1], 0.5), 0.003)
        return
    shades = [paint(color, 0.6, variation=0.4, bump=0.5, bump_scale=90) for color in colors]
    for lump in range(9 if kind == "salad" else 5):
        angle, distance = lump * 2.4, reach * between(0, 0.8)
        size = between(0.012, 0.022)
        place = (distance * math.cos(angle), distance * math.sin(angle), height + size * 0.5)
        flat = (between(0.9, 1.5), between(0.9, 1.5), between(0.5, 0.8))
        ball(size, place, choose(shades), flat, 14, (0, 0, between(0, 3)))


def napkin(location=(0, 0, 0)):
    """A folded napkin."""
    x, y, z = location
    cloth = fabric()
    turn = between(0, 3)
    box((0.09, 0.13, 0.006), (x, y, z + 0.003), cloth, 0.002, rotation=(0, 0, turn))
    box((0.088, 0.128, 0.005), (x, y, z + 0.009), cloth, 0.002, rotation=(0, 0, turn + 0.03))


FRUITS = {
    "apple": ((0.45, 0.06, 0.03, 1), 0.037, (1, 1, 0.88)),
    "green apple": ((0.3, 0.4, 0.06, 1), 0.037, (1, 1, 0.9)),
    "orange": ((0.75, 0.28, 0.03, 1), 0.039, (1, 1, 0.95)),
    "lemon": ((0.75, 0.6, 0.06, 1), 0.03, (1.3, 1, 1)),
    "pear": ((0.48, 0.46, 0.1, 1), 0.033, (1, 1, 1.25)),
    "plum": ((0.1, 0.02, 0.06, 1), 0.025, (1, 1.15, 1)),
}


def fruit(location=(0, 0, 0), kind=None, material=None):
    """One fruit lying on its location."""
    color, size, shape = FRUITS[kind or choose(tuple(FRUITS))]
    x, y, z = location
    skin = material or paint(color, 0.4, variation=0.35, bump=0.12, bump_scale=90)
    ball(
        size,
        (x, y, z + size * shape[2]),
        skin,
        shape,
        20,
        (between(-0.4, 0.4), between(-0.4, 0.4), between(0, 6)),
    )
    if happens(0.6):
        stem = paint((0.08, 0.045, 0.02, 1), 0.8)
        rod((x, y, z + size * 1.7), (x + 0.003, y, z + size * 2.2), 0.0014, stem)


def banana_bunch(location=(0, 0, 0)):
    """Three or four bananas."""
    skin = paint((0.72, 0.5, 0.05, 1), 0.5, variation=0.3)
    with stage.group(location, between(0, 6.28)):
        for index in range(stage.random.randint(3, 4)):
            y = index * 0.028 - 0.04
            tube(
                [
                    (-0.09, y * 0.3, 0.05),
                    (-0.05, y, 0.024),
                    (0.01, y * 1.1, 0.018),
                    (0.07, y, 0.035),
                    (0.095, y * 0.9, 0.055),
                ],
                0.0175,
                skin,
                radii=[0.35, 0.95, 1.05, 0.9, 0.3],
            )


def bowl_of_fruit(location=(0, 0, 0), size=0.13):
    """A bowl or basket heaped with one or two kinds of fruit."""
    with stage.group(location, between(0, 6.28)):
        material = choose(
            [ceramic(), ceramic(), wood(0), rattan(), any_metal("steel", "copper", "black")]
        )
        deep = size * between(0.42, 0.62)
        outer = [
            (size * 0.45, 0),
            (size * 0.72, deep * 0.25),
            (size * 0.92, deep * 0.62),
            (size, deep),
        ]
        inner = [(radius - 0.005, height + 0.003) for radius, height in reversed(outer)]
        lathe([(0, 0), *outer, *inner, (0, 0.008)], material, segments=48, sharp_angle=60)
        kinds = stage.random.sample(sorted(FRUITS), 2)
        skins = {}
        for kind in kinds:
            skins[kind] = paint(FRUITS[kind][0], 0.4, variation=0.35, bump=0.12, bump_scale=90)
        ring = stage.random.randint(4, 6)
        for index in range(ring):
            angle = index * 2 * math.pi / ring + between(-0.2, 0.2)
            reach = size * 0.55
            kind = choose(kinds)
            fruit(
                (reach * math.cos(angle), reach * math.sin(angle), deep * 0.35), kind, skins[kind]
            )
        for index in range(stage.random.randint(1, 3)):
            angle = index * 2.2 + 0.4
            kind = choose(kinds)
            place = (
                size * 0.24 * math.cos(angle),
                size * 0.24 * math.sin(angle),
                deep * 0.35 + 0.045,
            )
            fruit(place, kind, skins[kind])


def candle(location=(0, 0, 0)):
    """A pillar candle, a taper in a stick, or a candle in a glass; sometimes lit."""
    x, y, z = location
    wax = paint(
        choose([(0.78, 0.72, 0.6, 1), (0.75, 0.73, 0.7, 1), natural_color()]), 0.5, subsurface=0.2
    )
    kind = choose(["pillar", "taper", "glass"])
    if kind == "pillar":
        height = between(0.08, 0.16)
        cylinder(0.035, height, location, wax)
        top = z + height
    elif kind == "taper":
        stick = any_metal("brass", "black", "steel")
        lathe(
            [
                (0, 0),
                (0.045, 0),
                (0.045, 0.006),
                (0.012, 0.015),
                (0.008, 0.05),
                (0.014, 0.07),
                (0.013, 0.1),
                (0, 0.1),
            ],
            stick,
            location,
        )
        height = between(0.1, 0.22)
        cylinder(0.0105, height, (x, y, z + 0.098), wax, top_radius=0.009)
        top = z + 0.098 + height
    else:
        lathe(
            [(0, 0), (0.036, 0), (0.038, 0.08), (0.035, 0.08), (0.033, 0.008), (0, 0.008)],
            glass((0.9, 0.85, 0.8, 1), 0.02),
            location,
            32,
            50,
        )
        cylinder(0.0325, 0.045, (x, y, z + 0.009), wax)
        top = z + 0.054
    rod((x, y, top), (x + 0.001, y, top + 0.009), 0.0009, paint(BLACK, 0.9))
    if happens(0.3):
        flame = materials.emission((1, 0.62, 0.2, 1), 9)
        ball(0.0045, (x, y, top + 0.016), flame, (1, 1, 2.4), 12)


def salt_and_pepper(location=(0, 0, 0)):
    """Two mills or shakers."""
    x, y, z = location
    for side, material in (
        (-1, choose([wood(2), metal(), ceramic()])),
        (1, choose([wood(2), metal(), ceramic()])),
    ):
        tall = choose([0.07, 0.14])
        profile = [
            (0, 0),
            (0.023, 0),
            (0.025, 0.01),
            (0.017, tall * 0.5),
            (0.021, tall * 0.78),
            (0.014, tall * 0.82),
        ]
        lathe(
            [*profile, (0.022, tall * 0.9), (0.016, tall), (0, tall)],
            material,
            (x + side * 0.032, y, z),
            28,
            50,
        )


def jar(location=(0, 0, 0)):
    """A jam or storage jar with a lid."""
    x, y, z = location
    radius, height = between(0.032, 0.05), between(0.08, 0.15)
    content = choose(
        [
            (0.3, 0.03, 0.02, 1),
            (0.6, 0.3, 0.06, 1),
            (0.7, 0.6, 0.42, 1),
            (0.15, 0.06, 0.025, 1),
            (0.55, 0.5, 0.3, 1),
        ]
    )
    full = height * between(0.4, 0.85)
    cylinder(radius - 0.002, full, (x, y, z + 0.002), paint(content, 0.5, variation=0.3, bump=0.3))
    outer = [
        (0, 0),
        (radius, 0),
        (radius, height * 0.82),
        (radius * 0.86, height * 0.9),
        (radius * 0.86, height),
    ]
    inner = [
        (radius * 0.82, height),
        (radius - 0.003, height * 0.8),
        (radius - 0.003, full + 0.004),
        (0, full + 0.004),
    ]
    lathe(
        [(radius, full), *outer[3:], *inner, (radius - 0.003, full + 0.001)],
        glass(),
        location,
        36,
        50,
    )
    lid = choose([any_metal("steel", "brass", "black"), wood(0), plastic()])
    cylinder(radius * 0.92, 0.016, (x, y, z + height - 0.008), lid)


def teapot(location=(0, 0, 0)):
    """A round teapot."""
    glaze = ceramic()
    with stage.group(location, between(0, 6.28)):
        lathe(
            [
                (0, 0),
                (0.045, 0),
                (0.07, 0.025),
                (0.078, 0.055),
                (0.066, 0.09),
                (0.038, 0.108),
                (0.03, 0.114),
                (0.012, 0.122),
                (0.008, 0.128),
                (0.012, 0.136),
                (0, 0.142),
            ],
            glaze,
            segments=44,
            sharp_angle=50,
        )
        tube(
            [(0.066, 0, 0.045), (0.1, 0, 0.06), (0.112, 0, 0.095), (0.13, 0, 0.108)],
            0.012,
            glaze,
            radii=[1.5, 1.1, 0.8, 0.65],
        )
        tube(
            [(-0.06, 0, 0.092), (-0.105, 0, 0.1), (-0.118, 0, 0.06), (-0.072, 0, 0.032)],
            0.007,
            glaze,
        )


def kettle(location=(0, 0, 0)):
    """An electric kettle or a stove kettle."""
    body = choose(
        [any_metal("steel", "copper"), plastic(), paint(natural_color(0.3), 0.3, coat=0.5)]
    )
    dark = paint(BLACK, 0.4)
    with stage.group(location, between(0, 6.28)):
        cylinder(0.08, 0.015, (0, 0, 0), dark)
        lathe(
            [
                (0, 0.015),
                (0.082, 0.015),
                (0.085, 0.03),
                (0.065, 0.19),
                (0.058, 0.205),
                (0.02, 0.218),
                (0, 0.22),
            ],
            body,
            segments=44,
            sharp_angle=50,
        )
        ball(0.013, (0, 0, 0.228), dark)
        tube(
            [(-0.062, 0, 0.19), (-0.12, 0, 0.19), (-0.125, 0, 0.1), (-0.08, 0, 0.05)], 0.0125, dark
        )
        tube([(0.06, 0, 0.16), (0.09, 0, 0.19)], 0.02, body, smooth=False, radii=[1.2, 0.8])


def cutting_board_with_bread(location=(0, 0, 0)):
    """A loaf, a few slices and a knife on a board."""
    with stage.group(location, between(-0.5, 0.5)):
        box((0.36, 0.22, 0.018), (0, 0, 0.009), wood(0), 0.006, 3)
        crust = paint((0.36, 0.19, 0.07, 1), 0.8, variation=0.35, bump=0.5, bump_scale=45)
        cushion((0.19, 0.105, 0.095), (-0.05, 0.02, 0.062), crust, 2.6, wrinkle=0.006)
        crumb = paint((0.62, 0.48, 0.3, 1), 0.95, bump=0.6, bump_scale=120)
        for index in range(stage.random.randint(1, 3)):
            cushion(
                (0.018, 0.1, 0.09),
                (0.075 + index * 0.03, 0.02, 0.032 + 0.004 * index),
                crumb,
                3,
                (0, 1.35, between(-0.3, 0.3)),
                cuts=8,
                wrinkle=0.002,
            )
        cutlery((0.02, -0.08, 0.018), math.pi / 2, "knife")


def pan(location=(0, 0, 0)):
    """A frying pan or a pot."""
    material = choose(
        [
            paint(BLACK, 0.35),
            any_metal("steel", "copper"),
            paint(natural_color(0.4), 0.25, coat=0.5),
        ]
    )
    with stage.group(location, between(0, 6.28)):
        deep = choose([0.045, 0.11])
        radius = 0.13 if deep < 0.1 else 0.105
        outer = [(radius * 0.88, 0), (radius * 0.94, 0.008), (radius, deep), (radius - 0.004, deep)]
        lathe(
            [(0, 0), *outer, (radius * 0.9, 0.008), (0, 0.006)],
            material,
            segments=48,
            sharp_angle=50,
        )
        if deep < 0.1:
            tube(
                [
                    (radius, 0, deep * 0.8),
                    (radius + 0.09, 0, deep + 0.02),
                    (radius + 0.19, 0, deep + 0.025),
                ],
                0.011,
                paint(BLACK, 0.5),
            )
        else:
            for side in (-1, 1):
                tube(
                    [
                        (side * radius, -0.03, deep * 0.8),
                        (side * (radius + 0.03), 0, deep * 0.8),
                        (side * radius, 0.03, deep * 0.8),
                    ],
                    0.006,
                    material,
                )
            if happens(0.6):
                lathe(
                    [
                        (radius + 0.002, deep),
                        (radius * 0.6, deep + 0.02),
                        (0.012, deep + 0.028),
                        (0.016, deep + 0.045),
                        (0, deep + 0.047),
                    ],
                    material,
                    segments=44,
                )


def knife_block(location=(0, 0, 0)):
    """A block with knives or a jar with wooden spoons."""
    with stage.group(location, between(-0.6, 0.6)):
        if happens(0.5):
            box((0.09, 0.13, 0.2), (0, 0.02, 0.11), wood(2), 0.006, rotation=(-0.3, 0, 0))
            for row in range(2):
                for column in range(3):
                    place = (-0.028 + column * 0.028, 0.0 + row * 0.045, 0.235 + row * 0.015)
                    box(
                        (0.014, 0.022, 0.085),
                        place,
                        paint(BLACK, 0.5),
                        0.004,
                        rotation=(-0.3, 0, 0),
                    )
        else:
            lathe(
                [
                    (0, 0),
                    (0.05, 0),
                    (0.055, 0.01),
                    (0.055, 0.15),
                    (0.05, 0.15),
                    (0.048, 0.01),
                    (0, 0.01),
                ],
                ceramic(),
                segments=40,
                sharp_angle=50,
            )
            for index in range(5):
                angle = index * 1.3 + between(-0.2, 0.2)
                tip = (0.07 * math.cos(angle), 0.07 * math.sin(angle), between(0.26, 0.33))
                stick = choose([wood(2), wood(2), metal()])
                rod((-0.02 * math.cos(angle), -0.02 * math.sin(angle), 0.02), tip, 0.005, stick)
                ball(0.026, tip, stick, (1, 0.35, 1.35), 14, (0, 0, angle))


# ---------------------------------------------------------------- books, paper, desk things


def _cover():
    """The material of a book's cover: worn cloth, card or gloss."""
    return paint(natural_color(0.25), choose([0.3, 0.5, 0.75]), variation=0.1)


def book(location=(0, 0, 0), rotation=0.0, size=None):
    """A closed book lying flat."""
    thickness = between(0.012, 0.04)
    width = size or between(0.12, 0.19)
    depth = width * between(1.25, 1.5)
    cover = _cover()
    with stage.group(location, rotation):
        middle = thickness / 2
        box(
            (width - 0.006, depth - 0.008, thickness - 0.004),
            (0.002, 0, middle),
            paint(PAGES, 0.95),
            0.001,
        )
        for z in (0.0015, thickness - 0.0015):
            box((width, depth, 0.003), (0, 0, z), cover, 0.001)
        box((0.003, depth, thickness), (-width / 2, 0, middle), cover, 0.0012)
        if happens(0.6):
            block = paint(natural_color(0.3), 0.5)
            tall = depth * between(0.15, 0.5)
            box((width * 0.75, tall, 0.0006), (0.004, depth * 0.1, thickness + 0.0003), block, 0)
    return thickness


def open_book(location=(0, 0, 0), rotation=0.0):
    """An open book with print on its pages."""
    page = paper()
    with stage.group(location, rotation):
        for side in (-1, 1):

            def leaf(u, v, side=side):
                bulge = 0.018 * math.sin(math.pi * min(1, u * 1.25 + 0.08)) ** 0.8 * (1 - 0.5 * u)
                return Vector((side * 0.135 * u, (v - 0.5) * 0.2, 0.005 + bulge))

            sheet(leaf, 13, 4, page, thickness=0.003)
        box((0.275, 0.205, 0.004), (0, 0, 0.002), _cover(), 0.001)


def book_stack(location=(0, 0, 0), rotation=0.0, count=None):
    """Some books lying on each other."""
    x, y, z = location
    top = 0.0
    size = between(0.15, 0.19)
    for _ in range(count or stage.random.randint(2, 6)):
        turn = rotation + stage.random.gauss(0, 0.18)
        place = (x + between(-0.012, 0.012), y + between(-0.012, 0.012), z + top)
        top += book(place, turn, size * between(0.82, 1.0))
    return top


def standing_books(width, height=0.28, depth=0.2):
    """A row of books standing at the origin from x = 0 to width, spines towards -y."""
    x = 0.0
    shelf_colors = [natural_color(0.2) for _ in range(5)]
    while x < width - 0.05:
        if happens(0.06):
            x += between(0.02, 0.1)
            continue
        thickness = between(0.012, 0.045)
        tall = min(height * 0.95, between(0.17, 0.27))
        deep = between(0.7, 0.95) * depth
        color = choose(shelf_colors) if happens(0.5) else natural_color(0.2)
        lean = choose([0, 0, 0, 0, 0, 0.1, -0.06])
        cover = paint(color, choose([0.4, 0.6, 0.8]), variation=0.08)
        middle = x + thickness / 2 + abs(lean) * tall / 2
        box(
            (thickness, deep, tall),
            (middle, -0.01, tall / 2),
            cover,
            0.002,
            1,
            rotation=(0, lean, 0),
        )
        if happens(0.4) and lean == 0:
            title = paint(choose([WHITE, hsv(0.12, 0.5, 0.7), BLACK]), 0.5)
            box(
                (thickness * 0.6, 0.001, tall * between(0.1, 0.4)),
                (middle, -0.01 - deep / 2 - 0.0004, tall * 0.65),
                title,
                0,
            )
        x += thickness + abs(lean) * tall + 0.001


def papers(location=(0, 0, 0), rotation=0.0, count=None):
    """A few loose sheets, letters or magazines."""
    x, y, z = location
    for index in range(count or stage.random.randint(2, 5)):
        sheet_paper = paper() if happens(0.75) else paper(natural_color())
        place = (x + between(-0.05, 0.05), y + between(-0.05, 0.05), z + 0.0008 + index * 0.0008)
        box(
            (0.21, 0.297, 0.0007),
            place,
            sheet_paper,
            0,
            rotation=(0, 0, rotation + between(-0.5, 0.5)),
        )


def newspaper(location=(0, 0, 0), rotation=0.0):
    """A folded newspaper or magazine."""
    print_paper = paper((0.62, 0.6, 0.55, 1))
    with stage.group(location, rotation):
        for layer in range(3):
            cushion(
                (0.3 - layer * 0.004, 0.22 - layer * 0.003, 0.006),
                (layer * 0.002, 0, 0.004 + layer * 0.004),
                print_paper,
                12,
                (0, 0, between(-0.02, 0.02)),
                cuts=8,
                wrinkle=0.003,
            )
        picture = panorama(1, False, between(0.5, 1.5)) if happens(0.5) else artwork()
        box((0.12, 0.08, 0.0006), (between(-0.05, 0.05), 0.03, 0.0165), picture, 0)


def laptop(location=(0, 0, 0), rotation=0.0, opened=None):
    """A laptop, open or closed; it carries no label."""
    body = choose(
        [metal((0.55, 0.55, 0.56, 1), 0.4), paint(BLACK, 0.4), metal((0.25, 0.25, 0.27, 1), 0.4)]
    )
    width, depth = between(0.3, 0.36), between(0.21, 0.245)
    opened = happens(0.75) if opened is None else opened
    with stage.group(location, rotation):
        box((width, depth, 0.014), (0, 0, 0.008), body, 0.004)
        if not opened:
            box((width, depth, 0.008), (0, 0, 0.0195), body, 0.003)
            return
        keys = paint(BLACK, 0.6)
        for row in range(5):
            for column in range(12):
                place = (-width * 0.42 + column * width * 0.0765, -0.005 + row * 0.0185, 0.0155)
                box((width * 0.064, 0.0145, 0.0018), place, keys, 0.0004, 1)
        box((0.1, 0.06, 0.0008), (0, -depth * 0.3, 0.0153), paint((0.12, 0.12, 0.12, 1), 0.4), 0)
        tall = depth * 0.98
        with stage.group((0, depth / 2, 0.014), 0, 1, (-between(0.15, 0.5), 0)):
            box((width, 0.006, tall), (0, 0, tall / 2), body, 0.003)
            box((width - 0.008, 0.002, tall - 0.008), (0, -0.0035, tall / 2), paint(BLACK, 0.1), 0)
            if happens(0.6):
                glow = choose([(0.8, 0.82, 0.85, 1), (0.1, 0.12, 0.16, 1), (0.25, 0.4, 0.6, 1)])
                screen = paint((0.01, 0.01, 0.01, 1), 0.2, emission=glow, emission_strength=0.8)
                box((width - 0.03, 0.001, tall - 0.035), (0, -0.005, tall / 2 + 0.004), screen, 0)
                for index in range(6):
                    ink = choose([(0.1, 0.1, 0.12, 1), (0.5, 0.2, 0.1, 1), (0.6, 0.6, 0.6, 1)])
                    line = paint((0.01,) * 3 + (1,), 0.3, emission=ink, emission_strength=0.7)
                    box(
                        (between(0.04, 0.18), 0.001, 0.008),
                        (between(-0.05, 0.04), -0.0056, 0.05 + index * 0.024),
                        line,
                        0,
                    )


def keyboard(location=(0, 0, 0), rotation=0.0):
    """A computer keyboard, 43 cm, as one body and one mesh of keys."""
    dark = happens(0.6)
    case = paint(
        choose([BLACK, (0.05, 0.05, 0.05, 1)]) if dark else choose([WHITE, (0.5, 0.5, 0.5, 1)]),
        0.45,
    )
    caps = paint((0.035, 0.035, 0.037, 1) if dark or happens(0.2) else (0.6, 0.6, 0.58, 1), 0.5)
    compact = happens(0.3)
    width = 0.3 if compact else 0.43
    with stage.group(location, rotation, 1, (-0.03, 0)):
        box((width, 0.135, 0.016), (0, 0, 0.01), case, 0.005)
        bm = bmesh.new()
        columns = int(width / 0.0195) - 1
        for row in range(5):
            column = 0
            while column < columns:
                wide = 5 if row == 0 and column == 4 else 1
                wide = min(wide, columns - column)
                x = -width / 2 + 0.014 + (column + wide / 2) * 0.0195
                place = (x, -0.046 + row * 0.0215, 0.021)
                made = bmesh.ops.create_cube(bm, size=1)
                for vertex in made["verts"]:
                    shrink = 0.85 if vertex.co.z > 0 else 1
                    vertex.co = Vector(
                        (
                            place[0] + vertex.co.x * (0.0195 * wide - 0.003) * shrink,
                            place[1] + vertex.co.y * 0.0182 * shrink,
                            place[2] + vertex.co.z * 0.007,
                        )
                    )
                column += wide
        mesh_object(bm, "keys", caps, smooth=False)


def mouse(location=(0, 0, 0), rotation=0.0):
    """A computer mouse, sometimes on a pad."""
    x, y, z = location
    if happens(0.4):
        box((0.24, 0.2, 0.003), (x, y, z + 0.0015), fabric(), 0.001, rotation=(0, 0, rotation))
    shell = paint(choose([BLACK, BLACK, WHITE, GREY]), 0.35)
    cushion(
        (0.062, 0.11, 0.055), (x, y, z + 0.012), shell, 2.5, (0, 0, rotation), cuts=8, wrinkle=0
    )


def telephone(location=(0, 0, 0), rotation=0.0):
    """A mobile phone lying face up."""
    x, y, z = location
    box(
        (0.073, 0.15, 0.008), (x, y, z + 0.004), paint(BLACK, 0.3), 0.003, rotation=(0, 0, rotation)
    )
    box(
        (0.068, 0.143, 0.0006),
        (x, y, z + 0.0083),
        paint((0.006, 0.006, 0.008, 1), 0.05),
        0,
        rotation=(0, 0, rotation),
    )


def remote_control(location=(0, 0, 0), rotation=0.0):
    """A remote control."""
    with stage.group(location, rotation):
        box((0.045, 0.17, 0.016), (0, 0, 0.009), paint(BLACK, 0.4), 0.005)
        keys = paint(GREY, 0.5)
        for row in range(7):
            for column in range(3):
                box(
                    (0.008, 0.008, 0.003),
                    (-0.012 + column * 0.012, -0.06 + row * 0.017, 0.0175),
                    keys,
                    0.001,
                    1,
                )


def pen_pot(location=(0, 0, 0)):
    """A cup full of pens."""
    with stage.group(location):
        material = choose([ceramic(), any_metal("steel", "black"), wood(2), plastic()])
        lathe(
            [(0, 0), (0.038, 0), (0.04, 0.1), (0.037, 0.1), (0.035, 0.006), (0, 0.006)],
            material,
            segments=32,
            sharp_angle=50,
        )
        for index in range(stage.random.randint(3, 8)):
            angle = index * 2.4
            tip = (0.05 * math.cos(angle), 0.05 * math.sin(angle), between(0.13, 0.17))
            rod(
                (-0.02 * math.cos(angle), -0.02 * math.sin(angle), 0.01),
                tip,
                0.0038,
                paint(natural_color(0.7), 0.4),
            )


def cable(points, material=None, radius=0.003):
    """A cable along points."""
    tube(points, radius, material or paint(choose([BLACK, BLACK, WHITE]), 0.5))


def power_strip_and_cables(location=(0, 0, 0), rotation=0.0):
    """A power strip with plugs and some loops of cable on the floor."""
    with stage.group(location, rotation):
        white = paint(WHITE, 0.4)
        box((0.3, 0.055, 0.04), (0, 0, 0.02), choose([white, paint(BLACK, 0.5)]), 0.008)
        for index in range(4):
            x = -0.1 + index * 0.06
            if happens(0.7):
                plug = choose([white, paint(BLACK, 0.5)])
                cylinder(0.019, 0.035, (x, 0, 0.04), plug)
                points = [
                    (x, 0, 0.07),
                    (x + between(-0.05, 0.05), 0.06, 0.05),
                    (x + between(-0.2, 0.2), 0.12, 0.004),
                ]
                points += [
                    (x + between(-0.3, 0.3), between(-0.2, 0.2), 0.004),
                    (x + between(-0.4, 0.4), 0.25, 0.004),
                ]
                cable(points, plug)


def globe(location=(0, 0, 0)):
    """A small globe on a stand."""
    with stage.group(location, between(0, 6)):
        shader = Shader("globe")
        land = shader.step(shader.noise(9, 5, 0.6), 0.5, 0.53)
        shader.set(
            color=shader.mix(land, (0.12, 0.25, 0.4, 1), (0.35, 0.36, 0.18, 1)), roughness=0.3
        )
        brass = any_metal("brass", "black")
        lathe([(0, 0), (0.08, 0), (0.07, 0.015), (0.012, 0.03), (0.01, 0.08), (0, 0.08)], brass)
        ball(0.12, (0, 0, 0.21), shader.material)
        tube(
            [
                (0.13 * math.cos(a / 10 - 1.5), 0, 0.21 + 0.13 * math.sin(a / 10 - 1.5))
                for a in range(0, 31, 5)
            ],
            0.004,
            brass,
        )


# ---------------------------------------------------------------- lamps


def _lamp_shade(low_radius, high_radius, low, high, lit):
    """A cloth, paper or metal shade; glows when lit."""
    color = choose([(0.75, 0.7, 0.58, 1), (0.7, 0.68, 0.64, 1), natural_color()])
    shader = Shader("shade")
    shader.set(color=color, roughness=0.9)
    if lit:
        glow = (1.0, 0.72, 0.45, 1)
        shader.set(
            emission=tuple(c * g for c, g in zip(color, glow, strict=True)),
            emission_strength=between(0.8, 1.8),
        )
    wall = [
        (low_radius, low),
        (high_radius, high),
        (high_radius - 0.003, high),
        (low_radius - 0.003, low),
    ]
    lathe(wall, shader.material, segments=44)


def _bulb(location, power):
    """A warm point of light."""
    light = bpy.data.lights.new("lamp", "POINT")
    light.energy = power
    light.color = (1, 0.74, 0.48)
    light.shadow_soft_size = 0.05
    obj = bpy.data.objects.new("lamp", light)
    obj.location = location
    stage.add(obj)


def floor_lamp(location=(0, 0, 0), rotation=0.0, lit=None):
    """Standard lamp: straight with a shade, tripod, or arc."""
    lit = happens(0.45) if lit is None else lit
    kind = choose(["straight", "tripod", "arc", "reading"])
    steel = any_metal("black", "brass", "steel", "black")
    with stage.group(location, rotation or between(0, 6.28)):
        if kind == "straight":
            cylinder(0.14, 0.02, (0, 0, 0), steel)
            cylinder(0.011, 1.4, (0, 0, 0.02), steel)
            _lamp_shade(between(0.17, 0.24), between(0.11, 0.2), 1.36, 1.64, lit)
            place = (0, 0, 1.5)
        elif kind == "tripod":
            leg = choose([wood(2), steel])
            for foot in range(3):
                angle = foot * 2 * math.pi / 3
                rod((0, 0, 1.3), (0.33 * math.cos(angle), 0.33 * math.sin(angle), 0), 0.016, leg)
            cylinder(0.035, 0.06, (0, 0, 1.28), steel)
            _lamp_shade(0.25, between(0.17, 0.25), 1.32, 1.62, lit)
            place = (0, 0, 1.46)
        elif kind == "arc":
            cylinder(0.16, 0.05, (0, 0, 0), marble() if happens(0.5) else steel)
            tube([(0, 0, 0.04), (0.02, 0, 1.2), (0.3, 0, 1.75), (0.75, 0, 1.65)], 0.012, steel)
            lathe([(0.16, 1.46), (0.13, 1.58), (0.03, 1.65), (0, 1.655)], steel, (0.76, 0, 0))
            place = (0.76, 0, 1.5)
        else:
            cylinder(0.13, 0.02, (0, 0, 0), steel)
            cylinder(0.01, 1.35, (0, 0, 0.02), steel)
            rod((0, 0, 1.36), (0.28, 0, 1.5), 0.009, steel)
            with stage.group((0.28, 0, 1.5), 0, 1, (0, 0.5)):
                lathe([(0.085, -0.12), (0.07, -0.04), (0.025, 0), (0, 0.01)], steel)
            place = (0.31, 0, 1.4)
        if lit:
            _bulb(place, between(8, 22))


def table_lamp(location=(0, 0, 0), rotation=0.0, lit=None):
    """Table lamp with a shade, or a jointed desk lamp."""
    lit = happens(0.45) if lit is None else lit
    with stage.group(location, rotation or between(0, 6.28)):
        if happens(0.6):
            base = choose(
                [
                    ceramic(natural_color()),
                    ceramic(),
                    wood(2),
                    any_metal("brass", "black"),
                    glass((0.7, 0.8, 0.8, 1), 0.02),
                ]
            )
            fat = between(0.035, 0.08)
            lathe(
                [
                    (0, 0),
                    (fat * 0.9, 0),
                    (fat, 0.012),
                    (fat * 1.15, 0.07),
                    (fat * 0.8, 0.15),
                    (0.014, 0.2),
                    (0.01, 0.26),
                    (0, 0.26),
                ],
                base,
                segments=40,
                sharp_angle=50,
            )
            _lamp_shade(between(0.12, 0.17), between(0.08, 0.14), 0.23, 0.42, lit)
            place = (0, 0, 0.33)
        else:
            steel = choose([any_metal("black", "steel"), paint(natural_color(0.5), 0.35)])
            cylinder(0.085, 0.02, (0, 0, 0), steel)
            rod((0, 0, 0.02), (-0.13, 0, 0.26), 0.006, steel)
            rod((-0.13, 0, 0.26), (0.1, 0, 0.43), 0.006, steel)
            ball(0.014, (-0.13, 0, 0.26), steel)
            with stage.group((0.1, 0, 0.43), 0, 1, (0, -0.6)):
                lathe(
                    [(0.075, -0.1), (0.06, -0.045), (0.025, 0.0), (0.022, 0.04), (0, 0.045)],
                    steel,
                    sharp_angle=60,
                )
            place = (0.15, 0, 0.36)
        if lit:
            _bulb(place, between(2, 7))


# ---------------------------------------------------------------- on walls and windows


def picture_frame(location=(0, 0, 0), rotation=0.0, width=0.5, height=0.4):
    """A framed picture; its back touches the wall at y = 0, its centre is the location."""
    edge = between(0.012, 0.035)
    depth = between(0.015, 0.03)
    frame = choose(
        [wood(0), wood(0), paint(BLACK, 0.35), white_paint(), any_metal("brass", "black")]
    )
    with stage.group(location, rotation):
        for side in (-1, 1):
            box((width, depth, edge), (0, -depth / 2, side * (height - edge) / 2), frame, 0.003)
            box(
                (edge, depth, height - 2 * edge),
                (side * (width - edge) / 2, -depth / 2, 0),
                frame,
                0.003,
            )
        mount = choose([0.0, 0.04, 0.07]) * min(width, height) * 2
        inner = (width - edge, height - edge)
        box((inner[0], 0.004, inner[1]), (0, -0.004, 0), paint((0.74, 0.73, 0.7, 1), 0.9), 0)
        picture = artwork() if happens(0.55) else panorama(1, False, between(0.2, 0.6))
        box((inner[0] - mount, 0.002, inner[1] - mount), (0, -0.0075, 0), picture, 0)


def wall_clock(location=(0, 0, 0), rotation=0.0, radius=None):
    """A round wall clock."""
    radius = radius or between(0.12, 0.2)
    rim = choose([any_metal("black", "brass", "steel"), wood(0), plastic()])
    dark = happens(0.2)
    with stage.group(location, rotation, 1, (math.pi / 2, 0)):
        lathe(
            [
                (0, 0),
                (radius, 0),
                (radius + 0.01, 0.012),
                (radius + 0.004, 0.034),
                (radius - 0.012, 0.034),
                (radius - 0.014, 0.022),
            ],
            rim,
            segments=56,
        )
        cylinder(
            radius - 0.01, 0.02, (0, 0, 0.002), paint(BLACK if dark else WHITE, 0.5), segments=56
        )
        ink = paint(WHITE if dark else BLACK, 0.5)
        for hour in range(12):
            angle = hour * math.pi / 6
            long = 0.035 if hour % 3 == 0 else 0.02
            reach = radius * 0.8
            box(
                (0.007, long, 0.002),
                (reach * math.sin(angle), reach * math.cos(angle), 0.023),
                ink,
                0,
                rotation=(0, 0, -angle),
            )
        for length, wide in ((radius * 0.5, 0.009), (radius * 0.75, 0.006)):
            angle = between(0, 6.28)
            box(
                (wide, length, 0.002),
                (length / 2 * math.sin(angle), length / 2 * math.cos(angle), 0.026),
                ink,
                0,
                rotation=(0, 0, -angle),
            )


def mirror(location=(0, 0, 0), rotation=0.0, width=0.5, height=0.7):
    """A wall mirror, round or rectangular."""
    frame = choose([wood(0), any_metal("brass", "black"), white_paint()])
    with stage.group(location, rotation):
        if happens(0.5):
            radius = min(width, height) / 2
            with stage.group((0, 0, 0), 0, 1, (math.pi / 2, 0)):
                lathe(
                    [
                        (0, 0),
                        (radius, 0),
                        (radius + 0.012, 0.01),
                        (radius, 0.022),
                        (radius - 0.012, 0.02),
                        (radius - 0.012, 0.012),
                    ],
                    frame,
                    segments=64,
                )
                cylinder(
                    radius - 0.01, 0.012, (0, 0, 0.002), materials.mirror(), segments=64, bevel=0
                )
        else:
            for side in (-1, 1):
                box((width, 0.025, 0.03), (0, -0.012, side * (height - 0.03) / 2), frame, 0.004)
                box((0.03, 0.025, height), (side * (width - 0.03) / 2, -0.012, 0), frame, 0.004)
            box((width - 0.03, 0.004, height - 0.03), (0, -0.006, 0), materials.mirror(), 0)


def radiator(location=(0, 0, 0), rotation=0.0, width=None, height=0.55):
    """A ribbed or flat panel radiator in front of a wall, 15 cm above the floor."""
    width = width or between(0.7, 1.2)
    white = white_paint()
    with stage.group(location, rotation):
        if happens(0.4):  # old cast-iron ribs
            for rib in range(int(width / 0.06)):
                x = -width / 2 + 0.03 + rib * 0.06
                cushion(
                    (0.05, 0.12, height), (x, 0, 0.12 + height / 2), white, 5, wrinkle=0, cuts=6
                )
        else:
            box((width, 0.06, height), (0, 0.0, 0.14 + height / 2), white, 0.008)
            for rib in range(int(width / 0.045)):
                x = -width / 2 + 0.03 + rib * 0.045
                box((0.022, 0.012, height - 0.06), (x, -0.033, 0.14 + height / 2), white, 0.005)
        for side in (-1, 1):
            rod(
                (side * (width / 2 - 0.05), 0.02, 0),
                (side * (width / 2 - 0.05), 0.02, 0.2),
                0.009,
                white,
            )
        cylinder(
            0.018,
            0.06,
            (width / 2 + 0.0, 0, 0.14 + height - 0.08),
            paint(WHITE, 0.3),
            rotation=(0, math.pi / 2, 0),
        )


def curtain(location=(0, 0, 0), rotation=0.0, width=0.5, height=2.2, material=None):
    """A hanging curtain in folds; the location is the middle of its lower edge."""
    cloth = material or fabric()
    folds, phase, offset = between(4, 8), between(0, 6), _mesh_offset()

    def hang(u, v):
        wave = math.sin(u * folds * 2 * math.pi + phase)
        ripple = vector_noise.noise(Vector((u * 5, v * 1.5, 0)) + offset)
        gather = 1 - 0.06 * math.sin(math.pi * v)
        return Vector(
            ((u - 0.5) * width * gather, 0.035 * wave * (1 - 0.3 * v) + 0.03 * ripple, height * v)
        )

    with stage.group(location, rotation):
        sheet(hang, 71, 13, cloth, thickness=0.002)


# ---------------------------------------------------------------- textiles


def rug(location=(0, 0, 0), rotation=0.0, length=1.8, width=1.2):
    """A rug: bordered, striped, shaggy, round or plain, some with fringes."""
    kind = choose(["border", "border", "bands", "plain", "round", "shag"])
    base = fabric(scale=0.6)
    with stage.group(location, rotation):
        if kind == "round":
            radius = width * 0.62
            lathe(
                [(0, 0.0), (radius, 0.0), (radius, 0.006), (radius - 0.006, 0.011), (0, 0.011)],
                base,
                segments=72,
            )
            if happens(0.5):
                ring = fabric(scale=0.6)
                lathe(
                    [
                        (radius * 0.72, 0.0112),
                        (radius * 0.72, 0.0122),
                        (radius * 0.85, 0.0122),
                        (radius * 0.85, 0.0112),
                    ],
                    ring,
                    segments=72,
                )
            return
        if kind == "shag":
            cushion(
                (length, width, 0.05), (0, 0, 0.018), knit(scale=1.5), 14, cuts=40, wrinkle=0.012
            )
            return
        box((length, width, 0.012), (0, 0, 0.006), base, 0.004)
        if kind == "border":
            inner = fabric(scale=0.6)
            step = between(0.05, 0.14)
            box((length - 2 * step, width - 2 * step, 0.0125), (0, 0, 0.0065), inner, 0.004)
            if happens(0.6):
                box(
                    (length - 2 * step - 0.12, width - 2 * step - 0.12, 0.013),
                    (0, 0, 0.007),
                    fabric(scale=0.6),
                    0.004,
                )
        elif kind == "bands":
            bands = [fabric(pattern="plain", scale=0.6) for _ in range(3)]
            count = stage.random.randint(4, 9)
            for band in range(count):
                x = ((band + 0.5) / count - 0.5) * length
                wide = length / count * between(0.3, 0.8)
                box((wide, width + 0.002, 0.0125), (x, 0, 0.0064), bands[band % 3], 0.002)
        if happens(0.4):
            thread = fabric((0.6, 0.55, 0.45, 1), "plain")
            bm = bmesh.new()
            for side in (-1, 1):
                for index in range(int(width / 0.022)):
                    y = -width / 2 + 0.011 + index * 0.022
                    x = side * length / 2
                    sway = between(-0.01, 0.01)
                    corners = [
                        (x, y - 0.005, 0.005),
                        (x, y + 0.005, 0.005),
                        (x + side * 0.06, y + sway + 0.006, 0.003),
                        (x + side * 0.06, y + sway - 0.006, 0.003),
                    ]
                    bm.faces.new([bm.verts.new(corner) for corner in corners])
            mesh_object(bm, "fringe", thread)


def blanket(location=(0, 0, 0), rotation=0.0, width=0.6, thickness=0.22, material=None):
    """A throw hung over a back or an arm whose top is the location and runs along x.

    thickness is that of the arm or back (along y). A location near the floor gives a folded one.
    """
    cloth = material or choose([knit, knit, fabric, fabric])()
    top = location[2]
    if top < 0.2:
        folded_blanket(location, rotation, cloth)
        return
    front, back = min(between(0.3, 0.5), top - 0.03), min(between(0.15, 0.35), top - 0.03)
    offset = _mesh_offset()
    half = thickness / 2 + 0.012
    bend = math.pi * half / 2
    total = front + bend * 1.3 + back

    def drape(u, v):
        run = u * total - front
        if run < 0:
            place, height = -half, run
        elif run < bend * 1.3:
            angle = run / (bend * 1.3) * math.pi
            place, height = -half * math.cos(angle), 0.02 * math.sin(angle)
        else:
            place, height = half, -(run - bend * 1.3)
        hang = min(1.0, abs(min(height, 0)) * 4)
        slant = 0.06 * vector_noise.noise(Vector((v * 3, u * 2, 0)) + offset)
        fold = vector_noise.noise(Vector((v * 7, u * 1.2, 3)) + offset)
        place += math.copysign(hang * max(0, 0.012 + 0.03 * fold), place)
        height += 0.008 + 0.006 * fold
        skew = 0.08 * (u - 0.4)
        return Vector(((v - 0.5) * width * (1 - 0.1 * hang * v) + slant + skew, place, height))

    with stage.group(location, rotation):
        sheet(drape, 36, 26, cloth, thickness=0.008)


def folded_blanket(location=(0, 0, 0), rotation=0.0, material=None):
    """A folded blanket or a pile of towels."""
    cloth = material or choose([knit, fabric])()
    with stage.group(location, rotation):
        for layer in range(3):
            cushion(
                (0.36, 0.28, 0.045),
                (between(-0.008, 0.008), between(-0.008, 0.008), 0.025 + layer * 0.04),
                cloth,
                5,
                cuts=10,
                wrinkle=0.008,
            )


def floor_cushion(location=(0, 0, 0)):
    """A pouffe or a big cushion on the floor."""
    x, y, z = location
    if happens(0.5):
        cushion(
            (0.5, 0.5, 0.36),
            (x, y, z + 0.17),
            choose([knit, leather, fabric])(),
            2.8,
            wrinkle=0.012,
        )
    else:
        pillow(0.6, 0.6, 0.22, (x, y, z + 0.1), fabric(), (between(-0.05, 0.05), 0, between(0, 3)))


# ---------------------------------------------------------------- unlabelled furniture


def _box_legs(length, width, height, material, kind, inset=0.06):
    """Four legs of a small table: square, conical or steel loops."""
    for x in (-1, 1):
        if kind == "loop":
            steel = metal((0.025, 0.025, 0.026, 1), 0.4)
            place = x * (length / 2 - inset)
            points = [
                (place, -width / 2 + 0.05, height),
                (place, -width / 2 + 0.05, 0.01),
                (place, width / 2 - 0.05, 0.01),
                (place, width / 2 - 0.05, height),
            ]
            tube(points, 0.011, steel, smooth=False)
            continue
        for y in (-1, 1):
            corner = (x * (length / 2 - inset), y * (width / 2 - inset))
            if kind == "square":
                box((0.05, 0.05, height), (*corner, height / 2), material, 0.005, taper=0.8)
            else:
                foot = (corner[0] + x * 0.03, corner[1] + y * 0.02, 0)
                tube([(*corner, height), foot], 0.018, material, smooth=False, radii=[1.25, 0.65])


def coffee_table(location=(0, 0, 0), rotation=0.0, length=None, width=None):
    """A low table: wood with shelf, glass, round, trunk or slab; returns its height."""
    kind = choose(["plain", "plain", "shelf", "glass", "round", "crate", "slab"])
    length, width = length or between(0.85, 1.15), width or between(0.5, 0.62)
    height = between(0.38, 0.46)
    board = _board()
    with stage.group(location, rotation):
        if kind == "round":
            radius = width * 0.72
            top = choose([board, marble()])
            lathe(
                [
                    (0, height - 0.028),
                    (radius - 0.01, height - 0.028),
                    (radius, height - 0.016),
                    (radius - 0.004, height),
                    (0, height),
                ],
                top,
                segments=64,
            )
            for leg in range(3):
                angle = leg * 2 * math.pi / 3 + 0.5
                x, y = math.cos(angle), math.sin(angle)
                tube(
                    [
                        (x * radius * 0.5, y * radius * 0.5, height - 0.03),
                        (x * radius * 0.85, y * radius * 0.85, 0),
                    ],
                    0.018,
                    wood(2),
                    smooth=False,
                    radii=[1.25, 0.7],
                )
        elif kind == "glass":
            pane = glass((0.86, 0.94, 0.91, 1), 0.0, 1.45, 0.9)
            box((length, width, 0.012), (0, 0, height - 0.006), pane, 0.003)
            _box_legs(length, width, height - 0.012, board, choose(["loop", "square"]), 0.1)
            box((length - 0.24, width - 0.2, 0.018), (0, 0, 0.14), board, 0.003)
        elif kind == "crate":
            box(
                (length * 0.85, width, height - 0.04),
                (0, 0, (height - 0.04) / 2 + 0.02),
                board,
                0.008,
            )
            box((length * 0.87, width + 0.02, 0.03), (0, 0, height - 0.015), board, 0.006)
            iron = paint(BLACK, 0.5)
            for x in (-0.3, 0.3):
                box(
                    (0.03, 0.006, height - 0.06),
                    (x * length, -width / 2 - 0.002, height / 2),
                    iron,
                    0.001,
                )
        elif kind == "slab":
            box((length, width, 0.06), (0, 0, height - 0.03), wood(0), 0.012, 3)
            for side in (-1, 1):
                box(
                    (0.06, width - 0.06, height - 0.06),
                    (side * (length / 2 - 0.08), 0, (height - 0.06) / 2),
                    board,
                    0.006,
                )
        else:
            box((length, width, 0.03), (0, 0, height - 0.015), board, choose([0.003, 0.01]), 3)
            _box_legs(
                length,
                width,
                height - 0.03,
                choose([board, wood(2)]),
                choose(["square", "cone", "loop"]),
            )
            if kind == "shelf":
                box((length - 0.12, width - 0.1, 0.02), (0, 0, 0.14), board, 0.003)
                for x in (-0.2, 0.22):
                    if happens(0.7):
                        book_stack((x * length, 0, 0.15), between(0, 3), 3)
    return height


def side_table(location=(0, 0, 0), rotation=0.0):
    """A small table beside a sofa or bed; returns its height."""
    height = between(0.46, 0.58)
    board = _board()
    kind = choose(["round", "square", "cabinet", "stool"])
    with stage.group(location, rotation):
        if kind == "round":
            radius = between(0.2, 0.26)
            cylinder(radius, 0.022, (0, 0, height - 0.022), choose([board, marble()]), segments=56)
            if happens(0.5):
                cylinder(0.014, height - 0.03, (0, 0, 0.01), any_metal("black", "brass"))
                cylinder(0.15, 0.012, (0, 0, 0), any_metal("black", "brass"))
            else:
                for leg in range(3):
                    angle = leg * 2 * math.pi / 3
                    rod(
                        (0.1 * math.cos(angle), 0.1 * math.sin(angle), height - 0.02),
                        (0.2 * math.cos(angle), 0.2 * math.sin(angle), 0),
                        0.013,
                        wood(2),
                    )
        elif kind == "cabinet":
            box((0.42, 0.36, height - 0.1), (0, 0, 0.1 + (height - 0.1) / 2), board, 0.005)
            for drawer in range(2):
                z = 0.13 + (height - 0.14) * (drawer + 0.5) / 2
                box((0.39, 0.012, (height - 0.16) / 2), (0, -0.185, z), board, 0.003)
                ball(0.013, (0, -0.205, z), any_metal("black", "brass", "steel"))
            _box_legs(0.42, 0.36, 0.1, wood(2), "cone", 0.05)
        else:
            size = between(0.34, 0.44)
            box((size, size, 0.025), (0, 0, height - 0.012), board, 0.006)
            _box_legs(size, size, height - 0.025, board, choose(["square", "cone"]), 0.04)
            if kind == "stool":
                for side in (-1, 1):
                    rod(
                        (side * (size / 2 - 0.03), -size / 2 + 0.04, 0.18),
                        (side * (size / 2 - 0.03), size / 2 - 0.04, 0.18),
                        0.01,
                        board,
                    )
    return height


def stool(location=(0, 0, 0), rotation=0.0, height=None):
    """A stool without a back (no chair for VOC); returns its height."""
    height = height or choose([0.45, 0.45, 0.65])
    with stage.group(location, rotation):
        timber = choose([wood(2), wood(2), paint(natural_color(0.3), 0.4)])
        cylinder(0.17, 0.035, (0, 0, height - 0.035), timber, segments=44, bevel=0.01)
        for leg in range(4):
            angle = leg * math.pi / 2 + 0.78
            rod(
                (0.11 * math.cos(angle), 0.11 * math.sin(angle), height - 0.03),
                (0.2 * math.cos(angle), 0.2 * math.sin(angle), 0),
                0.014,
                timber,
            )
        tube(circle((0, 0, height * 0.4), 0.16, 24, "z"), 0.008, timber, cyclic=True)
    return height


def desk(location=(0, 0, 0), rotation=0.0, length=1.3, depth=0.68):
    """A desk: legs, trestles or drawers; background for VOC; returns its height."""
    height = between(0.72, 0.76)
    board = _board()
    kind = choose(["legs", "trestle", "drawers", "drawers", "loop"])
    with stage.group(location, rotation):
        box((length, depth, 0.03), (0, 0, height - 0.015), board, choose([0.003, 0.008]), 3)
        under = choose([board, _board(2)])
        if kind == "legs":
            _box_legs(length, depth, height - 0.03, under, choose(["square", "cone"]))
            for side in (-1, 1):
                box(
                    (length - 0.14, 0.02, 0.07),
                    (0, side * (depth / 2 - 0.07), height - 0.065),
                    under,
                    0.002,
                )
        elif kind == "loop":
            _box_legs(length, depth, height - 0.03, under, "loop", 0.1)
        elif kind == "trestle":
            for x in (-1, 1):
                for lean in (-1, 1):
                    for y in (-1, 1):
                        top = (
                            x * (length / 2 - 0.25) + lean * 0.03,
                            y * (depth / 2 - 0.08),
                            height - 0.03,
                        )
                        foot = (x * (length / 2 - 0.25) + lean * 0.2, y * (depth / 2 - 0.06), 0)
                        tube([top, foot], 0.02, wood(2), smooth=False)
                    place = x * (length / 2 - 0.25) + lean * 0.12
                    box((0.02, depth - 0.14, 0.05), (place, 0, height * 0.45), wood(1), 0.003)
        else:
            side = choose([-1, 1])
            drawers((side * (length / 2 - 0.23), 0, 0), 0.4, depth - 0.06, height - 0.03, 3, under)
            for y in (-1, 1):
                box(
                    (0.05, 0.05, height - 0.03),
                    (-side * (length / 2 - 0.06), y * (depth / 2 - 0.07), (height - 0.03) / 2),
                    under,
                    0.004,
                )
        if happens(0.35):
            box((length - 0.2, 0.02, 0.35), (0, depth / 2 - 0.1, height - 0.22), under, 0.002)
    return height


def drawers(location, width, depth, height, count, material):
    """A chest with `count` drawers and handles."""
    handle = any_metal("black", "steel", "brass")
    bar = happens(0.5)
    with stage.group(location):
        box((width, depth, height - 0.05), (0, 0, 0.05 + (height - 0.05) / 2), material, 0.004)
        box((width - 0.06, depth - 0.08, 0.05), (0, 0.02, 0.025), paint(BLACK, 0.7), 0)
        tall = (height - 0.07) / count
        for drawer in range(count):
            z = 0.06 + tall * (drawer + 0.5)
            box((width - 0.016, 0.018, tall - 0.008), (0, -depth / 2 - 0.006, z), material, 0.003)
            if bar:
                rod((-0.05, -depth / 2 - 0.035, z), (0.05, -depth / 2 - 0.035, z), 0.005, handle)
            else:
                ball(0.012, (0, -depth / 2 - 0.026, z), handle)


def media_bench(location=(0, 0, 0), rotation=0.0, length=1.5, depth=0.4):
    """Low cabinet for a television with doors, drawers and open boxes; returns its height."""
    height = between(0.42, 0.56)
    board = _board()
    front = choose([board, board, white_paint(), _board(0)])
    handle = any_metal("black", "steel", "brass")
    feet = choose(["cone", "cone", "plinth", "none"])
    low = {"cone": 0.14, "plinth": 0.06, "none": 0.0}[feet]
    with stage.group(location, rotation):
        for z in (height - 0.012, low + 0.012):
            box((length, depth, 0.024), (0, 0, z), board, 0.003)
        for side in (-1, 1):
            box(
                (0.022, depth, height - low - 0.02),
                (side * (length / 2 - 0.011), 0, (height + low) / 2),
                board,
                0.002,
            )
        box(
            (length - 0.03, 0.01, height - low - 0.02),
            (0, depth / 2 - 0.008, (height + low) / 2),
            board,
            0,
        )
        bays = 2 if length < 1.2 else choose([3, 3, 4])
        bay = (length - 0.04) / bays
        inner = height - low - 0.05
        for index in range(bays):
            x = (index - (bays - 1) / 2) * bay
            if index:
                box(
                    (0.018, depth - 0.02, inner), (x - bay / 2, 0, (height + low) / 2), board, 0.001
                )
            content = choose(["door", "door", "drawers", "open"])
            if content == "open":
                _fill_bay(x, bay, low + 0.024, inner, depth)
            elif content == "door":
                box(
                    (bay - 0.008, 0.018, inner),
                    (x, -depth / 2 + 0.008, (height + low) / 2),
                    front,
                    0.003,
                )
                ball(0.011, (x + bay * 0.38, -depth / 2 - 0.012, (height + low) / 2), handle)
            else:
                for drawer in range(2):
                    z = low + 0.025 + inner * (drawer + 0.5) / 2
                    box(
                        (bay - 0.008, 0.018, inner / 2 - 0.006),
                        (x, -depth / 2 + 0.008, z),
                        front,
                        0.003,
                    )
                    rod(
                        (x - 0.05, -depth / 2 - 0.022, z),
                        (x + 0.05, -depth / 2 - 0.022, z),
                        0.005,
                        handle,
                    )
        if feet == "cone":
            _box_legs(length, depth, low, wood(2), "cone", 0.1)
        elif feet == "plinth":
            box((length - 0.1, depth - 0.08, low), (0, 0.02, low / 2), paint(BLACK, 0.6), 0.002)
    return height


def _fill_bay(x, width, z, height, depth):
    """Books, boxes or a player in an open compartment of a cabinet."""
    content = choose(["books", "stack", "player", "basket"])
    if content == "books" and height > 0.2:
        with stage.group((x - width / 2 + 0.02, 0, z)):
            standing_books(width - 0.1, height, depth * 0.6)
    elif content == "player":
        box(
            (min(0.34, width - 0.06), depth * 0.65, 0.06),
            (x, -0.02, z + 0.031),
            paint(BLACK, 0.35),
            0.004,
        )
        glow = paint((0.01,) * 3 + (1,), 0.3, emission=(0.2, 0.6, 0.9, 1), emission_strength=1.5)
        box((0.03, 0.002, 0.008), (x + 0.05, -0.02 - depth * 0.325 - 0.001, z + 0.03), glow, 0)
    elif content == "basket":
        box(
            (width - 0.07, depth - 0.1, min(height - 0.04, 0.2)),
            (x, -0.01, z + min(height - 0.04, 0.2) / 2),
            rattan(),
            0.02,
            3,
        )
    else:
        book_stack((x, 0, z), math.pi / 2 + between(-0.2, 0.2), stage.random.randint(2, 4))


def bookshelf(location=(0, 0, 0), rotation=0.0, width=None, height=None):
    """A tall or half-high shelf with books, boxes, frames and small things; 30 cm deep."""
    width, height, depth = width or between(0.6, 1.1), height or choose([1.9, 1.9, 1.2]), 0.29
    board = _board(2)
    with stage.group(location, rotation):
        for side in (-1, 1):
            box((0.022, depth, height), (side * (width / 2 - 0.011), 0, height / 2), board, 0.002)
        if happens(0.75):
            box(
                (width - 0.01, 0.008, height - 0.02),
                (0, depth / 2 - 0.006, height / 2),
                choose([board, paint(WHITE, 0.8)]),
                0,
            )
        count = max(3, round(height / 0.37))
        step = (height - 0.07) / count
        for index in range(count + 1):
            box((width - 0.02, depth - 0.012, 0.022), (0, 0, 0.05 + index * step), board, 0.002)
        for index in range(count):
            _fill_shelf(width - 0.05, 0.061 + index * step, step - 0.03, depth)
        if happens(0.5):
            tabletop_thing((between(-0.2, 0.2), 0, height - 0.01), 0.1)
    return height


def _fill_shelf(width, z, height, depth):
    """One shelf's contents, from left to right."""
    x = -width / 2
    while x < width / 2 - 0.1:
        room = width / 2 - x
        content = choose(["books", "books", "books", "stack", "box", "thing", "gap"])
        span = min(room, between(0.16, 0.42))
        if content == "books":
            with stage.group((x, 0, z)):
                standing_books(span, height, depth * 0.75)
        elif content == "stack":
            span = min(room, 0.24)
            if span > 0.22:
                book_stack((x + 0.12, 0, z), math.pi / 2, 3)
        elif content == "box":
            span = min(room, between(0.18, 0.3))
            tall = min(height - 0.02, between(0.12, 0.24))
            box(
                (span - 0.02, depth - 0.05, tall),
                (x + span / 2, -0.01, z + tall / 2),
                choose([rattan(), cardboard(), fabric()]),
                0.01,
            )
        elif content == "thing":
            span = min(room, 0.16)
            small_thing((x + span / 2, -0.02, z), min(height, 0.25))
        x += span + 0.01


def small_thing(location, height=0.2):
    """A thing that fits on a shelf."""
    kind = choose(["jar", "mug", "candle", "photo", "speaker", "bowl"])
    if kind == "photo":
        x, y, z = location
        with stage.group((x, y + 0.03, z + 0.001), between(-0.3, 0.3), 1, (-0.15, 0)):
            picture_frame((0, 0, 0.075), 0, 0.12, 0.15)
    elif kind == "speaker":
        x, y, z = location
        box((0.1, 0.1, 0.15), (x, y, z + 0.075), paint(BLACK, 0.6), 0.006)
        cylinder(
            0.036, 0.004, (x, y - 0.05, z + 0.06), paint(GREY, 0.6), rotation=(math.pi / 2, 0, 0)
        )
    elif kind == "bowl":
        bowl(location, 0.06)
    else:
        {"jar": jar, "mug": mug, "candle": candle}[kind](location)


def kitchen_counter(location=(0, 0, 0), rotation=0.0, length=2.0, depth=0.6):
    """Base cabinets with a worktop; sink or hob in some; returns the worktop's height."""
    height = between(0.88, 0.92)
    front = choose([white_paint(), _board(2), paint(natural_color(), 0.4)])
    top = choose([wood(0), marble(), paint(choose([BLACK, GREY, WHITE]), 0.3, variation=0.2)])
    handle = any_metal("black", "steel", "brass")
    with stage.group(location, rotation):
        box(
            (length, depth - 0.04, height - 0.14),
            (0, 0.02, 0.1 + (height - 0.14) / 2),
            front,
            0.002,
        )
        box((length, depth - 0.1, 0.1), (0, 0.04, 0.05), paint(BLACK, 0.7), 0)
        box((length + 0.01, depth + 0.02, 0.04), (0, 0, height - 0.02), top, 0.004)
        units = max(2, round(length / 0.55))
        unit = length / units
        for index in range(units):
            x = (index - (units - 1) / 2) * unit
            if happens(0.4):
                tall = (height - 0.16) / 3
                for drawer in range(3):
                    z = 0.12 + tall * (drawer + 0.5)
                    box((unit - 0.006, 0.02, tall - 0.006), (x, -depth / 2 + 0.02, z), front, 0.003)
                    rod(
                        (x - 0.08, -depth / 2 - 0.02, z + tall * 0.25),
                        (x + 0.08, -depth / 2 - 0.02, z + tall * 0.25),
                        0.006,
                        handle,
                    )
            else:
                box(
                    (unit - 0.006, 0.02, height - 0.17),
                    (x, -depth / 2 + 0.02, 0.115 + (height - 0.17) / 2),
                    front,
                    0.003,
                )
                side = choose([-1, 1])
                rod(
                    (x + side * unit * 0.38, -depth / 2 - 0.02, height - 0.3),
                    (x + side * unit * 0.38, -depth / 2 - 0.02, height - 0.15),
                    0.006,
                    handle,
                )
        if happens(0.35):
            _tap((choose([-1, 1]) * length * 0.3, 0.17, height))
    return height


def _tap(location):
    """A kitchen tap with a shallow sink in front of it."""
    x, y, z = location
    chrome = any_metal("chrome", "steel", "black")
    cylinder(0.024, 0.05, location, chrome)
    tube(
        [
            (x, y, z + 0.04),
            (x, y, z + 0.26),
            (x, y - 0.08, z + 0.33),
            (x, y - 0.17, z + 0.28),
            (x, y - 0.18, z + 0.22),
        ],
        0.012,
        chrome,
    )
    rod((x + 0.02, y, z + 0.04), (x + 0.07, y - 0.01, z + 0.07), 0.007, chrome)
    steel = any_metal("steel")
    box((0.48, 0.36, 0.004), (x, y - 0.2, z + 0.002), steel, 0.001)
    box((0.4, 0.28, 0.003), (x, y - 0.2, z + 0.0045), paint((0.06, 0.06, 0.06, 1), 0.25, 0.8), 0)


# ---------------------------------------------------------------- on the floor


def basket(location=(0, 0, 0), rotation=0.0, size=0.2):
    """A woven basket, empty or with laundry, blankets or logs."""
    weave = rattan()
    height = size * between(1.1, 1.8)
    with stage.group(location, rotation):
        narrow = between(0.75, 0.95)
        profile = [
            (0, 0),
            (size * narrow, 0),
            (size * (narrow + 1.06) / 2, height * 0.5),
            (size, height),
        ]
        profile += [(size - 0.012, height), (size * narrow - 0.01, 0.012), (0, 0.012)]
        lathe(profile, weave, segments=48, sharp_angle=60)
        tube(circle((0, 0, height), size - 0.005, 32, "z"), 0.012, weave, cyclic=True)
        for side in (-1, 1):
            tube(
                [
                    (side * size, -0.06, height),
                    (side * (size + 0.02), 0, height + 0.07),
                    (side * size, 0.06, height),
                ],
                0.009,
                weave,
            )
        if happens(0.65):
            cloth = choose([knit, fabric])()
            cushion(
                (size * 1.75, size * 1.75, height * 0.5),
                (0, 0, height * 0.85),
                cloth,
                2.5,
                (0, 0, between(0, 3)),
                wrinkle=0.04,
                cuts=18,
            )


def cardboard_box(location=(0, 0, 0), rotation=0.0, size=None):
    """An open or closed cardboard box with tape."""
    board = cardboard()
    width, depth, height = size or (between(0.28, 0.5), between(0.24, 0.38), between(0.18, 0.36))
    with stage.group(location, rotation):
        opened = happens(0.55)
        if not opened:
            box((width, depth, height), (0, 0, height / 2), board, 0.003)
            tape = paint((0.5, 0.38, 0.22, 1), 0.2)
            box((width + 0.001, 0.05, 0.0006), (0, 0, height + 0.0004), tape, 0)
            for side in (-1, 1):
                box((0.0006, 0.05, 0.08), (side * (width / 2 + 0.0005), 0, height - 0.04), tape, 0)
            return
        box((width, depth, 0.004), (0, 0, 0.003), board, 0)
        for side in (-1, 1):
            box((width, 0.004, height), (0, side * depth / 2, height / 2), board, 0)
            box((0.004, depth, height), (side * width / 2, 0, height / 2), board, 0)
            for axis in (0, 1):
                lean = between(0.3, 1.1)
                reach = depth * 0.45
                if axis == 0:
                    with stage.group(
                        (0, side * depth / 2, height),
                        0,
                        1,
                        (-side * (math.pi / 2 + lean - 1.57 + 0.6), 0),
                    ):
                        box((width, 0.004, reach), (0, 0, reach / 2), board, 0)
                else:
                    with stage.group((side * width / 2, 0, height), 0, 1, (0, side * (lean + 0.4))):
                        box((0.004, depth, reach), (0, 0, reach / 2), board, 0)
        if happens(0.5):
            cushion(
                (width * 0.85, depth * 0.85, 0.12), (0, 0, height * 0.7), fabric(), 3, wrinkle=0.03
            )


def _shoe(side, color, sole, lace):
    """One shoe pointing to -y at the origin: sole, upper, opening, laces."""

    def upper(u, v):
        # u from heel (0) to toe (1), v around from outer to inner edge
        y = 0.135 - 0.27 * u
        half = 0.033 + 0.013 * math.sin(u * 2.6) - 0.03 * max(0, u - 0.85) / 0.15 * 0.6
        rise = 0.075 - 0.045 * (max(0, u - 0.35) / 0.65) ** 0.7
        angle = math.pi * v
        opening = 0.35 if u < 0.45 else 0.0
        arch = math.sin(angle) ** (0.6 + opening)
        return Vector((-half * math.cos(angle) + side * 0.006 * u, y, 0.022 + rise * arch))

    sheet(upper, 17, 13, color, thickness=0.004)
    cushion((0.088, 0.285, 0.03), (side * 0.002, 0, 0.015), sole, 3.6, cuts=10, wrinkle=0)
    dark = paint((0.03, 0.03, 0.03, 1), 0.9)
    cushion((0.052, 0.1, 0.02), (0, 0.07, 0.096), dark, 2.6, cuts=6, wrinkle=0)
    for row in range(4):
        y = 0.0 - row * 0.022
        z = 0.095 - row * 0.009
        rod((-0.02, y, z), (0.02, y - 0.008, z), 0.0026, lace)


def shoes(location=(0, 0, 0), rotation=0.0):
    """A pair of shoes or slippers, not quite in line."""
    color = choose([leather(), leather(), fabric(pattern="plain"), paint(natural_color(0.3), 0.5)])
    sole = paint(choose([WHITE, BLACK, (0.2, 0.12, 0.06, 1)]), 0.7)
    lace = paint(choose([WHITE, BLACK]), 0.9)
    with stage.group(location, rotation):
        for side in (-1, 1):
            with stage.group((side * 0.06, between(-0.05, 0.05), 0), between(-0.25, 0.25)):
                _shoe(side, color, sole, lace)


def bag(location=(0, 0, 0), rotation=0.0):
    """A rucksack, tote or handbag standing on the floor."""
    cloth = choose([fabric, leather, leather])()
    strap = choose([cloth, leather()])
    with stage.group(location, rotation):
        if happens(0.5):  # rucksack
            cushion(
                (0.3, 0.17, 0.42), (0, 0, 0.21), cloth, 3.6, (0.06, 0, 0), wrinkle=0.02, cuts=18
            )
            cushion((0.22, 0.09, 0.18), (0, -0.095, 0.14), cloth, 3.6, wrinkle=0.012)
            for side in (-1, 1):
                tube(
                    [
                        (side * 0.07, 0.08, 0.38),
                        (side * 0.1, 0.14, 0.28),
                        (side * 0.11, 0.08, 0.06),
                    ],
                    0.013,
                    strap,
                )
            tube([(-0.04, 0.03, 0.42), (0, 0.03, 0.46), (0.04, 0.03, 0.42)], 0.008, strap)
        else:
            cushion((0.36, 0.14, 0.28), (0, 0, 0.14), cloth, 4.5, wrinkle=0.018, cuts=18)
            for y in (-0.05, 0.05):
                tube(
                    [
                        (-0.1, y, 0.26),
                        (-0.08, y * 0.8, 0.38),
                        (0.08, y * 0.8, 0.38),
                        (0.1, y, 0.26),
                    ],
                    0.007,
                    strap,
                )


def toys(location=(0, 0, 0), rotation=0.0):
    """Building blocks, a ball, or a wooden train."""
    kind = choose(["blocks", "ball", "train"])
    with stage.group(location, rotation):
        if kind == "blocks":
            for index in range(stage.random.randint(5, 10)):
                angle, reach = index * 2.4, 0.03 + 0.02 * index
                size = between(0.03, 0.05)
                color = choose([wood(0), paint(natural_color(0.8), 0.45)])
                box(
                    (size, size, size * choose([1, 1, 2])),
                    (reach * math.cos(angle), reach * math.sin(angle), size / 2),
                    color,
                    0.003,
                    rotation=(0, 0, between(0, 3)),
                )
        elif kind == "ball":
            radius = between(0.07, 0.11)
            ball(radius, (0, 0, radius), paint(natural_color(0.7), 0.5, bump=0.1))
            tube(
                circle((0, 0, radius), radius + 0.001, 32, choose("xyz")),
                0.004,
                paint(WHITE, 0.5),
                cyclic=True,
            )
        else:
            for car in range(3):
                x = car * 0.13
                color = paint(natural_color(0.8), 0.4)
                box((0.1, 0.05, 0.03), (x, 0, 0.035), choose([wood(0), color]), 0.005)
                box((0.05, 0.045, 0.04), (x - 0.02, 0, 0.065), color, 0.005)
                for wheel_x in (-0.03, 0.03):
                    for side in (-1, 1):
                        cylinder(
                            0.018,
                            0.01,
                            (x + wheel_x, side * 0.025, 0.018),
                            paint(BLACK, 0.5),
                            rotation=(-side * math.pi / 2, 0, 0),
                        )


def waste_bin(location=(0, 0, 0)):
    """A waste-paper bin with some paper in it."""
    material = choose([any_metal("black", "steel"), rattan(), plastic()])
    lathe(
        [(0, 0), (0.11, 0), (0.14, 0.3), (0.136, 0.3), (0.106, 0.008), (0, 0.008)],
        material,
        location,
        40,
        50,
    )
    x, y, z = location
    for index in range(stage.random.randint(0, 4)):
        angle = index * 2.1
        ball(
            0.045,
            (x + 0.05 * math.cos(angle), y + 0.05 * math.sin(angle), z + 0.26),
            paper(),
            (1, 0.9, 0.8),
            8,
        )


def umbrella(location=(0, 0, 0)):
    """A closed umbrella leaning; its foot is the location."""
    with stage.group(location, between(0, 6.28), 1, (0.22, 0)):
        lathe(
            [(0, 0.06), (0.008, 0.08), (0.035, 0.5), (0.022, 0.6), (0.008, 0.62)],
            fabric(pattern="plain"),
            segments=11,
        )
        rod((0, 0, 0), (0, 0, 0.8), 0.005, any_metal("black", "steel"))
        tube([(0, 0, 0.75), (0, 0, 0.84), (0.03, 0, 0.87), (0.055, 0, 0.84)], 0.011, wood(2))


# ---------------------------------------------------------------- picking


def vase_of_dry_stems(location=(0, 0, 0)):
    """A slim vase with bare twigs or dried grass; too thin for a potted plant."""
    with stage.group(location, between(0, 6)):
        fat, tall = between(0.035, 0.055), between(0.14, 0.24)
        profile = [
            (0, 0),
            (fat * 0.7, 0),
            (fat, tall * 0.35),
            (fat * 0.5, tall * 0.85),
            (fat * 0.55, tall),
        ]
        profile += [(fat * 0.5, tall), (fat * 0.42, tall * 0.85), (0, tall * 0.8)]
        lathe(
            profile,
            choose([ceramic(), ceramic(), glass((0.75, 0.85, 0.85, 1), 0.02)]),
            segments=40,
            sharp_angle=60,
        )
        straw = paint((0.35, 0.25, 0.13, 1), 0.9, variation=0.3)
        for stem in range(stage.random.randint(3, 7)):
            angle = stem * 2.4 + between(-0.3, 0.3)
            lean = between(0.03, 0.12)
            top = (lean * math.cos(angle), lean * math.sin(angle), tall + between(0.12, 0.28))
            bend = (top[0] * 0.35, top[1] * 0.35, tall + 0.08)
            tube([(0, 0, tall * 0.8), bend, top], 0.0018, straw)
            ball(0.011, top, straw, (0.7, 0.7, 2.2), 10)


def centrepiece(location):
    """What stands in the middle of a dining table."""
    kind = choose(["fruit", "fruit", "candles", "bread", "vase", "shakers", "teapot"])
    x, y, z = location
    if kind == "fruit":
        bowl_of_fruit(location, between(0.11, 0.15))
    elif kind == "candles":
        for offset in (-0.08, 0.06):
            candle((x + offset, y + between(-0.02, 0.02), z))
    elif kind == "bread":
        cutting_board_with_bread(location)
    elif kind == "vase":
        vase_of_dry_stems(location)
    elif kind == "teapot":
        teapot(location)
    else:
        salt_and_pepper(location)


TABLE_SMALL = [
    mug,
    mug,
    drinking_glass,
    drinking_glass,
    candle,
    jar,
    pen_pot,
    cup_and_saucer,
    telephone,
]
TABLE_SMALL += [salt_and_pepper, fruit, bowl, remote_control]
TABLE_MIDDLE = [book, book_stack, book_stack, bowl_of_fruit, plate, teapot, newspaper, bowl]
TABLE_MIDDLE += [vase_of_dry_stems, banana_bunch, open_book, kettle]
TABLE_LARGE = [papers, papers, open_book, newspaper, bowl_of_fruit, book_stack, laptop]
TABLE_LARGE += [cutting_board_with_bread, table_lamp]
TURNING = (book, book_stack, newspaper, papers, open_book, telephone, remote_control, laptop)
FLOOR_THINGS = [
    basket,
    basket,
    cardboard_box,
    shoes,
    shoes,
    bag,
    bag,
    toys,
    floor_cushion,
    waste_bin,
]
FLOOR_THINGS += [book_stack, newspaper, power_strip_and_cables, stool]


def tabletop_thing(location, radius=0.1):
    """One random thing that fits into a circle of this radius on a table."""
    if radius < 0.1:
        thing = choose(TABLE_SMALL)
    elif radius < 0.16:
        thing = choose(TABLE_MIDDLE)
    else:
        thing = choose(TABLE_LARGE)
    with stage.background():
        if thing in TURNING:
            thing(location, between(-0.6, 0.6))
        else:
            thing(location)
    return thing.__name__


def floor_thing(location):
    """One random thing that stands about on a floor."""
    thing = choose(FLOOR_THINGS)
    with stage.background():
        if thing in (floor_cushion, waste_bin):
            thing(location)
        else:
            thing(location, between(0, 6.28))
    return thing.__name__
