"""Bottles: wine, beer, spirits, water, soda, milk, sauces, oil, soap, sprays and flasks.

One function per kind builds a bottle that stands on the origin, sizes in metres. `bottle` picks
one from KINDS, gives it the label "bottle" and puts it where it belongs.
"""

import itertools
import math

import bmesh

from . import stage
from .dice import between, choose, happens
from .geometry import box, cylinder, lathe, mesh_object, tube
from .materials import glass, hsv, metal, natural_color, paint, scaled

PAPER = [hsv(0.11, 0.06, 0.93), hsv(0.1, 0.2, 0.86), hsv(0.12, 0.12, 0.8), (0.02, 0.02, 0.02, 1)]
INKS = [hsv(0.98, 0.7, 0.5), hsv(0.6, 0.6, 0.4), hsv(0.1, 0.6, 0.6), hsv(0.3, 0.5, 0.35)]
INKS += [(0.02, 0.02, 0.02, 1), (0.03, 0.03, 0.03, 1)]
GREEN_GLASS = [(0.02, 0.08, 0.02, 1), (0.05, 0.14, 0.03, 1), (0.16, 0.22, 0.06, 1)]
BROWN_GLASS = [(0.16, 0.05, 0.008, 1), (0.09, 0.03, 0.006, 1)]
CLEAR = (0.93, 0.97, 0.95, 1)
WHITE_PLASTIC = (0.8, 0.79, 0.76, 1)


# ---------------------------------------------------------------- shapes


def shoulder(radius, height, neck_radius, neck_height, steps=7, slope=1.0):
    """Profile points of an S-shaped shoulder; slope below 1 is full, above 1 lean."""
    points = []
    for step in range(1, steps + 1):
        part = (step / steps) ** slope
        ease = part * part * (3 - 2 * part)
        points.append(
            (radius + (neck_radius - radius) * ease, height + (neck_height - height) * step / steps)
        )
    return points


def foot(radius, rounding=0.006, dent=0.006):
    """Profile points of a rounded bottom with a small dent in the middle."""
    points = [(0.0, dent), (radius * 0.75, dent * 0.5), (radius - rounding, 0.0)]
    for step in (1, 2, 3):
        angle = step * math.pi / 6
        points.append(
            (
                radius - rounding + rounding * math.sin(angle),
                rounding - rounding * math.cos(angle),
            )
        )
    return points


def radius_at(outline, height):
    """Radius of an outline [(radius, z), ...] at a height."""
    for (low_radius, low), (high_radius, high) in itertools.pairwise(outline):
        if low <= height <= high and high > low:
            part = (height - low) / (high - low)
            return low_radius + (high_radius - low_radius) * part
    return outline[-1][0]


def vessel(outline, glass_color, liquid_color=None, level=0.0, wall=0.003, roughness=0.02):
    """A see-through bottle: a solid body of liquid up to `level` and thin walls above it."""
    empty = glass(glass_color, roughness, 1.45, 0.85)
    top = outline[-1][1]
    level = min(max(level, 0.012), top - 0.02)
    edge = radius_at(outline, level)
    below = [point for point in outline if point[1] < level - 0.001]
    above = [point for point in outline if point[1] > level + 0.001]
    liquid_color = liquid_color or glass_color
    filled = glass(liquid_color, roughness, 1.36, 0.8)
    lathe([*below, (edge, level), (0, level)], filled, segments=48, sharp_angle=50)
    inner = [(max(radius - wall, 0.003), height) for radius, height in reversed(above)]
    start = [(edge - wall, level + 0.0003), (edge, level + 0.0003)]
    lathe(start + above + inner + start[:1], empty, segments=48, sharp_angle=50)


def opaque(outline, color, roughness=0.12, coat=0.4, **settings):
    """A bottle one cannot look through: dark glass, plastic or enamel."""
    material = paint(color, roughness, variation=0.05, coat=coat, **settings)
    lathe([*outline, (0, outline[-1][1])], material, segments=48, sharp_angle=50)
    return material


def patch(radius, low, high, start, end, material, top_radius=None, depth=1.0):
    """A piece of a cylinder's skin: a label, between two heights and two angles (0 = front)."""
    top_radius = radius if top_radius is None else top_radius
    mesh = bmesh.new()
    count = max(2, int(abs(end - start) / 0.13))
    rows = []
    for step in range(count + 1):
        angle = start + (end - start) * step / count - math.pi / 2
        direction = (math.cos(angle), math.sin(angle) * depth)
        rows.append(
            [
                mesh.verts.new((direction[0] * radius, direction[1] * radius, low)),
                mesh.verts.new((direction[0] * top_radius, direction[1] * top_radius, high)),
            ]
        )
    for left, right in itertools.pairwise(rows):
        mesh.faces.new((left[0], right[0], right[1], left[1]))
    return mesh_object(mesh, "label", material)


def printed_label(radius, low, high, width=2.6, color=None, depth=1.0, rough=0.55):
    """A paper label with a band, an emblem and a few lines of print; width is an angle."""
    color = color or choose(PAPER)
    dark = sum(color[:3]) < 0.5
    ink = choose([hsv(0.12, 0.3, 0.85), hsv(0.1, 0.55, 0.65)]) if dark else choose(INKS)
    second = choose([*INKS, natural_color()])
    paper = paint(color, rough, variation=0.04)
    print_ink = paint(ink, rough, variation=0.04)
    tall = high - low
    half = width / 2
    patch(radius + 0.0005, low, high, -half, half, paper, depth=depth)
    layer = radius + 0.0009
    if happens(0.6):
        band = tall * between(0.08, 0.25)
        at = choose([low + tall * 0.03, high - band - tall * 0.03])
        stripe = paint(second, rough, variation=0.04)
        patch(layer, at, at + band, -half, half, stripe, depth=depth)
    # the name: a few large letters
    middle = low + tall * between(0.5, 0.66)
    letter = tall * between(0.07, 0.13)
    reach = min(half * 0.8, between(0.4, 0.75))
    angle = -reach
    while angle < reach:
        wide = between(0.05, 0.15)
        bottom = middle - letter * choose([0, 0, 0, 0.3])
        top = middle + letter * choose([0.75, 0.75, 1, 1.1])
        patch(layer + 0.0002, bottom, top, angle, angle + wide, print_ink, depth=depth)
        angle += wide + between(0.03, 0.07)
    # small print
    for line in range(stage.random.randint(1, 3)):
        at = low + tall * (0.14 + 0.09 * line)
        wide = reach * between(0.5, 1.0)
        patch(layer + 0.0002, at, at + tall * 0.035, -wide, wide, print_ink, depth=depth)
    if happens(0.5):
        emblem = paint(choose([second, ink]), rough, variation=0.05)
        size = between(0.14, 0.3)
        base = middle + letter * 1.25
        patch(layer + 0.0002, base, min(base + tall * 0.17, high), -size, size, emblem, depth=depth)


def screw_cap(radius, low, height, color, ribs=True):
    """A plastic or metal cap, closed at the top."""
    material = paint(color, 0.4, variation=0.05)
    profile = [(radius * 0.98, low), (radius, low + 0.001)]
    if ribs:
        for step in range(3):
            rib = low + height * (0.2 + 0.2 * step)
            profile += [(radius, rib), (radius * 0.97, rib + height * 0.04)]
    profile += [(radius, low + height * 0.85), (radius * 0.93, low + height), (0, low + height)]
    lathe(profile, material, segments=28)


def crown_cap(radius, height):
    """A beer bottle's crown cap with its wavy edge."""
    color = choose(
        [hsv(0.12, 0.6, 0.65), (0.55, 0.55, 0.55, 1), hsv(0, 0.7, 0.5), (0.03,) * 3 + (1,)]
    )
    material = paint(color, 0.3, metallic=0.6, variation=0.05)
    lathe(
        [
            (radius * 1.0, height - 0.007),
            (radius * 1.16, height - 0.006),
            (radius * 1.02, height - 0.001),
            (radius * 0.9, height + 0.001),
            (0, height + 0.0015),
        ],
        material,
        segments=21,
    )


def neck(radius, low, high, lip=1.18, lip_height=0.012):
    """Profile points of a straight neck with a lip."""
    return [
        (radius, low),
        (radius * 0.96, high - lip_height - 0.002),
        (radius * lip, high - lip_height),
        (radius * lip, high - 0.002),
        (radius, high),
    ]


# ---------------------------------------------------------------- wine, beer, spirits


def capsule(neck_radius, top, length):
    """The foil around the neck of a wine bottle, or bare cork."""
    if happens(0.2):
        lathe(
            [(neck_radius * 0.7, top - 0.01), (neck_radius * 0.7, top + 0.012), (0, top + 0.013)],
            paint(hsv(0.09, 0.45, 0.68), 0.9, bump=0.3),
            segments=20,
        )
        return
    color = choose(
        [hsv(0.97, 0.7, 0.3), (0.02, 0.02, 0.02, 1), hsv(0.11, 0.55, 0.5), hsv(0.3, 0.4, 0.2)]
    )
    foil = paint(color, 0.32, metallic=choose([0, 0.7]), variation=0.06)
    lathe(
        [
            (neck_radius * 1.06, top - length),
            (neck_radius * 1.05, top - 0.014),
            (neck_radius * 1.24, top - 0.012),
            (neck_radius * 1.22, top + 0.001),
            (0, top + 0.002),
        ],
        foil,
        segments=32,
    )


def wine_bordeaux():
    """Straight-sided wine bottle with high shoulders, 30 cm."""
    radius, height = 0.0375, 0.3
    outline = [*foot(radius), (radius, 0.185), *shoulder(radius, 0.185, 0.0155, 0.235, slope=1.1)]
    outline += neck(0.0145, 0.24, height)
    color = choose(GREEN_GLASS + BROWN_GLASS)
    if happens(0.65):
        opaque(outline, scaled(color, 0.3), 0.05, 0.8)
    else:
        vessel(outline, color, scaled(color, 0.3), between(0.08, 0.22))
    printed_label(radius, between(0.04, 0.06), between(0.13, 0.165), between(2.4, 4.2))
    capsule(0.0145, height, between(0.03, 0.06))


def wine_burgundy():
    """Wine bottle with sloping shoulders, 29.5 cm."""
    radius, height = 0.041, 0.295
    outline = [*foot(radius), (radius, 0.135), *shoulder(radius, 0.135, 0.016, 0.25, 10, slope=0.8)]
    outline += neck(0.0148, 0.252, height)
    color = choose([*GREEN_GLASS, (0.55, 0.6, 0.3, 1)])
    if happens(0.5):
        opaque(outline, scaled(color, 0.35), 0.05, 0.8)
    else:
        wine = choose([scaled(color, 0.4), (0.12, 0.005, 0.01, 1), (0.75, 0.6, 0.25, 1)])
        vessel(outline, color, wine, between(0.07, 0.2))
    printed_label(radius, 0.035, between(0.1, 0.125), between(2.2, 3.2))
    capsule(0.0148, height, between(0.03, 0.07))


def white_wine():
    """Tall slender flute bottle of pale wine or rose, 33 cm."""
    radius, height = 0.0365, 0.325
    outline = [
        *foot(radius),
        (radius, 0.14),
        *shoulder(radius, 0.14, 0.0148, 0.275, 10, slope=0.72),
    ]
    outline += neck(0.014, 0.278, height)
    wine = choose([(0.8, 0.7, 0.3, 1), (0.85, 0.45, 0.36, 1), (0.7, 0.72, 0.35, 1)])
    vessel(outline, choose([CLEAR, (0.6, 0.75, 0.5, 1)]), wine, between(0.08, 0.25))
    printed_label(radius, 0.04, between(0.105, 0.13), between(2.2, 3.4), choose(PAPER[:3]))
    capsule(0.014, height, between(0.03, 0.06))


def champagne():
    """Sparkling wine: heavy body, long foil over neck and shoulder, 31 cm."""
    radius, height = 0.044, 0.31
    outline = [
        *foot(radius, 0.008),
        (radius, 0.13),
        *shoulder(radius, 0.13, 0.017, 0.255, 10, 0.82),
    ]
    outline += [(0.016, 0.27), (0.019, 0.29), (0.019, height)]
    opaque(outline, choose([(0.01, 0.03, 0.012, 1), (0.02, 0.015, 0.01, 1)]), 0.05, 0.8)
    foil = paint(
        choose([hsv(0.12, 0.6, 0.62), hsv(0.97, 0.6, 0.3), (0.03,) * 3 + (1,)]), 0.35, metallic=0.8
    )
    start = between(0.2, 0.225)
    sleeve = [
        (radius_at(outline, start + step * 0.015) + 0.0012, start + step * 0.015)
        for step in range(5)
    ]
    lathe([*sleeve, (0.021, 0.292), (0.022, 0.315), (0.017, 0.325), (0, 0.326)], foil, segments=40)
    printed_label(radius, 0.045, 0.11, between(2.0, 3.0))


def beer_longneck():
    """Brown, green or clear beer bottle with a long neck, 23.5 cm, perhaps half drunk."""
    radius, height = 0.0305, 0.235
    outline = [*foot(radius), (radius, 0.125), *shoulder(radius, 0.125, 0.0145, 0.185, 8)]
    outline += neck(0.0132, 0.19, height)
    color = choose(BROWN_GLASS + BROWN_GLASS + [(0.05, 0.2, 0.05, 1), CLEAR])
    beer = (0.6, 0.25, 0.03, 1) if color is CLEAR else scaled(color, 0.6)
    level = between(0.03, 0.19)
    if color is not CLEAR and happens(0.5):
        opaque(outline, scaled(color, 0.5), 0.05, 0.8)
    else:
        vessel(outline, color, beer, level)
    paper = choose([*PAPER, natural_color()])
    printed_label(radius, 0.03, between(0.09, 0.112), between(2.6, 5.5), paper)
    if happens(0.6):
        low = between(0.155, 0.175)
        patch(
            radius_at(outline, low) + 0.0008,
            low,
            low + 0.03,
            -math.pi,
            math.pi,
            paint(paper, 0.5),
            radius_at(outline, low + 0.03) + 0.0008,
        )
    if happens(0.7):
        crown_cap(0.0132, height)


def beer_stubby():
    """Short, stout beer bottle, 18 cm."""
    radius, height = 0.034, 0.18
    outline = [*foot(radius), (radius, 0.105), *shoulder(radius, 0.105, 0.0145, 0.152, 8, 0.85)]
    outline += neck(0.0138, 0.155, height)
    opaque(outline, choose([(0.05, 0.018, 0.004, 1), (0.02, 0.06, 0.02, 1)]), 0.06, 0.8)
    printed_label(radius, 0.025, 0.085, between(2.4, 5.0), natural_color())
    crown_cap(0.0138, height)


def swing_top():
    """Bottle with a wire swing top and a white porcelain stopper, 28 cm."""
    radius, height = 0.038, 0.265
    outline = [*foot(radius), (radius, 0.15), *shoulder(radius, 0.15, 0.0155, 0.215, 9)]
    outline += neck(0.0145, 0.22, height)
    color = choose([CLEAR, (0.2, 0.45, 0.25, 1), BROWN_GLASS[0], (0.12, 0.25, 0.4, 1)])
    liquid = choose([CLEAR, (0.85, 0.5, 0.12, 1), (0.7, 0.1, 0.06, 1)]) if color is CLEAR else color
    vessel(outline, color, liquid, between(0.05, 0.2))
    stopper = paint((0.8, 0.78, 0.73, 1), 0.2, coat=0.5)
    lathe(
        [
            (0.013, height),
            (0.0165, height + 0.004),
            (0.014, height + 0.016),
            (0.006, height + 0.022),
            (0, height + 0.023),
        ],
        stopper,
        segments=28,
    )
    lathe(
        [(0.0135, height - 0.002), (0.0155, height + 0.001), (0.0135, height + 0.004)],
        paint(hsv(0.03, 0.7, 0.55), 0.6),
    )
    wire = metal((0.6, 0.6, 0.6, 1), 0.25)
    for side in (-1, 1):
        tube(
            [
                (side * 0.008, 0, height + 0.018),
                (side * 0.02, 0, height + 0.006),
                (side * 0.019, -0.004, height - 0.03),
                (side * 0.016, -0.006, height - 0.05),
            ],
            0.0012,
            wire,
        )
    if happens(0.4):
        printed_label(radius, 0.05, 0.12, between(1.6, 2.6))


def whisky():
    """Rectangular spirit bottle with amber drink and a cork cap, 25 cm."""
    width, depth, height = between(0.08, 0.095), between(0.05, 0.065), between(0.15, 0.18)
    drink = choose(
        [(0.75, 0.3, 0.04, 1), (0.6, 0.18, 0.02, 1), (0.88, 0.92, 0.93, 1), (0.8, 0.55, 0.2, 1)]
    )
    level = height * between(0.35, 0.9)
    clear = glass(CLEAR, 0.02, 1.4, 0.85)
    box(
        (width, depth, level),
        (0, 0, level / 2),
        glass(drink, 0.02, 1.36, 0.8),
        bevel=0.007,
        segments=3,
    )
    rest = height - level
    box((width, depth, rest), (0, 0, level + rest / 2 + 0.0004), clear, bevel=0.007, segments=3)
    lathe(
        [
            (0.03, height - 0.004),
            (0.022, height + 0.01),
            (0.0155, height + 0.022),
            (0.0145, height + 0.05),
            (0.017, height + 0.052),
            (0.017, height + 0.06),
            (0, height + 0.06),
        ],
        clear,
        segments=32,
    )
    cap = choose([(0.02, 0.02, 0.02, 1), hsv(0.08, 0.5, 0.35), hsv(0.97, 0.6, 0.35)])
    screw_cap(0.018, height + 0.056, between(0.02, 0.035), cap, ribs=False)
    paper = choose(PAPER)
    low, high = height * 0.18, height * between(0.65, 0.8)
    front = -depth / 2 - 0.0006
    box(
        (width * 0.82, 0.0008, high - low),
        (0, front, (low + high) / 2),
        paint(paper, 0.5, variation=0.04),
        bevel=0,
    )
    ink = paint(choose(INKS) if sum(paper[:3]) > 0.5 else hsv(0.11, 0.4, 0.75), 0.5)
    for part, wide, tall in (
        (0.68, 0.6, 0.12),
        (0.48, 0.45, 0.04),
        (0.36, 0.5, 0.03),
        (0.2, 0.3, 0.06),
    ):
        box(
            (width * wide, 0.0006, (high - low) * tall),
            (0, front - 0.0005, low + (high - low) * part),
            ink,
            bevel=0,
        )


def gin():
    """Round, squat spirit bottle with a stout stopper, 24 cm."""
    radius, height = between(0.042, 0.05), 0.235
    outline = [
        *foot(radius, 0.01, 0.01),
        (radius, 0.12),
        *shoulder(radius, 0.12, 0.016, 0.185, 9, 0.75),
    ]
    outline += neck(0.0155, 0.19, 0.215, 1.3)
    color = choose([CLEAR, (0.25, 0.5, 0.75, 1), (0.5, 0.75, 0.65, 1), (0.85, 0.85, 0.8, 1)])
    vessel(outline, color, color, between(0.05, 0.15), wall=0.005)
    cork = choose([hsv(0.08, 0.5, 0.45), (0.02, 0.02, 0.02, 1), (0.5, 0.5, 0.5, 1)])
    lathe(
        [
            (0.019, 0.213),
            (0.021, 0.217),
            (0.021, height),
            (0.018, height + 0.004),
            (0, height + 0.004),
        ],
        paint(cork, 0.5),
    )
    printed_label(radius, 0.03, between(0.08, 0.105), between(1.5, 3))


def carafe():
    """Water carafe without a label, wide belly and flared lip, 26 cm."""
    radius = between(0.05, 0.06)
    outline = foot(radius * 0.85, 0.008) + shoulder(radius * 0.85, 0.008, radius, 0.06, 5)
    outline += [
        *shoulder(radius, 0.075, 0.02, 0.19, 9, 0.85),
        (0.019, 0.21),
        (0.024, 0.24),
        (0.031, 0.26),
    ]
    water = choose([CLEAR, CLEAR, (0.85, 0.5, 0.1, 1), (0.35, 0.01, 0.02, 1)])
    vessel(outline, CLEAR, water, between(0.06, 0.15))


# ---------------------------------------------------------------- water, soda, milk


def water_plastic():
    """Ribbed plastic water bottle, 23 or 31 cm, with a coloured sleeve."""
    big = happens(0.4)
    radius, height = (0.042, 0.3) if big else (0.0325, 0.22)
    body = height * 0.64
    outline = foot(radius, 0.008, 0.008)
    ribs = stage.random.randint(5, 9)
    for rib in range(ribs):
        low = 0.015 + rib * (body - 0.02) / ribs
        outline += [(radius, low), (radius * 0.955, low + (body - 0.02) / ribs * 0.5)]
    outline += [(radius, body), *shoulder(radius, body, 0.0145, height * 0.92, 8, 0.8)]
    outline += [(0.0128, height * 0.925), (0.0128, height)]
    color = choose([(0.92, 0.96, 0.98, 1), (0.7, 0.85, 0.95, 1), (0.7, 0.9, 0.78, 1)])
    vessel(outline, color, color, height * between(0.2, 0.85), 0.001, 0.04)
    sleeve = choose(
        [hsv(0.57, 0.55, 0.62), hsv(0.6, 0.75, 0.4), hsv(0.97, 0.55, 0.6), hsv(0.4, 0.4, 0.55)]
    )
    printed_label(radius, body * 0.42, body * 0.78, 2 * math.pi, sleeve, rough=0.25)
    screw_cap(
        0.0155,
        height * 0.955,
        height * 0.05 + 0.004,
        choose([sleeve, WHITE_PLASTIC, hsv(0.58, 0.7, 0.5)]),
    )


def soda_plastic():
    """Waisted soda bottle: cola, lemonade, orange; 24 or 32 cm."""
    big = happens(0.5)
    radius, height = (0.045, 0.315) if big else (0.033, 0.235)
    part = height / 0.235
    outline = [
        *foot(radius * 0.95, 0.01 * part, 0.01),
        (radius, 0.03 * part),
        (radius * 0.97, 0.06 * part),
        (radius * 0.88, 0.085 * part),
        (radius * 0.9, 0.1 * part),
        (radius, 0.125 * part),
        (radius, 0.15 * part),
    ]
    outline += shoulder(radius, 0.15 * part, 0.014, 0.215 * part, 8, 0.85)
    outline += [(0.0128, 0.217 * part), (0.0128, height)]
    name, drink, sleeve = choose(
        [
            ("cola", (0.05, 0.012, 0.004, 1), hsv(0.99, 0.75, 0.6)),
            ("orange", (0.95, 0.42, 0.05, 1), hsv(0.07, 0.75, 0.75)),
            ("lemon", (0.9, 0.92, 0.8, 1), hsv(0.3, 0.55, 0.45)),
            ("light", (0.05, 0.012, 0.004, 1), (0.03, 0.03, 0.03, 1)),
            ("tea", (0.7, 0.33, 0.08, 1), hsv(0.13, 0.6, 0.75)),
        ]
    )
    vessel(outline, CLEAR, drink, height * between(0.35, 0.86), 0.001, 0.03)
    printed_label(radius * 0.995, 0.068 * part, 0.122 * part, 2 * math.pi, sleeve, rough=0.25)
    cap = {"orange": hsv(0.07, 0.75, 0.75), "lemon": hsv(0.33, 0.6, 0.45)}.get(name, sleeve)
    screw_cap(0.0152, height - 0.012, 0.016, cap)


def glass_soda():
    """Small curvy glass bottle of soda or juice, 20 cm."""
    outline = [
        *foot(0.028),
        (0.028, 0.02),
        (0.0255, 0.045),
        (0.0265, 0.07),
        (0.0295, 0.1),
        (0.028, 0.12),
        (0.02, 0.15),
        (0.0145, 0.175),
    ]
    outline += neck(0.0132, 0.18, 0.205)
    drink = choose([(0.05, 0.012, 0.004, 1), (0.9, 0.45, 0.08, 1), (0.75, 0.08, 0.06, 1), CLEAR])
    vessel(outline, (0.85, 0.93, 0.88, 1), drink, between(0.06, 0.17))
    patch(
        0.0305,
        0.082,
        0.112,
        -0.9,
        0.9,
        paint(choose([WHITE_PLASTIC, hsv(0, 0.7, 0.55)]), 0.4),
        0.0302,
    )
    if happens(0.6):
        crown_cap(0.0132, 0.205)


def milk_glass():
    """Old-style glass milk bottle, wide mouth, full of milk, 22 cm."""
    radius = 0.041
    outline = [*foot(radius), (radius, 0.115), *shoulder(radius, 0.115, 0.022, 0.185, 8)]
    outline += [(0.021, 0.2), (0.0235, 0.205), (0.0235, 0.216), (0.021, 0.218)]
    level = between(0.06, 0.18)
    below = [point for point in outline if point[1] < level]
    milk = paint((0.84, 0.82, 0.77, 1), 0.08, variation=0.02, coat=0.8)
    lathe([*below, (radius_at(outline, level), level), (0, level)], milk, sharp_angle=50)
    above = [(radius_at(outline, level), level + 0.0004)]
    above += [point for point in outline if point[1] > level]
    inner = [(edge - 0.003, height) for edge, height in reversed(above)]
    lathe(above + inner + above[:1], glass(CLEAR, 0.02, 1.45, 0.85), sharp_angle=50)
    if happens(0.5):
        lathe(
            [(0.0245, 0.206), (0.0245, 0.22), (0, 0.2215)], paint(choose(INKS), 0.35, metallic=0.6)
        )


def milk_plastic():
    """White plastic milk or yoghurt bottle with a coloured cap, 23 cm."""
    radius = between(0.036, 0.045)
    outline = [*foot(radius), (radius, 0.13), *shoulder(radius, 0.13, 0.021, 0.2, 8)]
    outline += [(0.02, 0.203), (0.02, 0.215)]
    opaque(outline, (0.8, 0.79, 0.75, 1), 0.3, 0.1, subsurface=0.1)
    color = choose(
        [hsv(0.58, 0.6, 0.5), hsv(0.33, 0.5, 0.45), hsv(0.98, 0.6, 0.55), hsv(0.1, 0.5, 0.7)]
    )
    printed_label(radius, 0.03, between(0.1, 0.125), between(2.5, 6.28), color, rough=0.35)
    screw_cap(0.0225, 0.206, 0.017, color)


# ---------------------------------------------------------------- kitchen and bathroom


def olive_oil():
    """Square, dark or golden oil bottle with a long neck, 27 cm."""
    side, body = between(0.052, 0.062), between(0.15, 0.18)
    oil = choose([(0.6, 0.5, 0.05, 1), (0.75, 0.6, 0.08, 1), (0.3, 0.35, 0.05, 1)])
    dark = happens(0.45)
    if dark:
        material = paint((0.012, 0.022, 0.008, 1), 0.05, coat=0.8)
        box((side, side, body), (0, 0, body / 2), material, bevel=0.008, segments=3)
    else:
        level = body * between(0.3, 0.9)
        material = glass((0.85, 0.92, 0.8, 1), 0.02, 1.4, 0.85)
        box(
            (side, side, level),
            (0, 0, level / 2),
            glass(oil, 0.02, 1.4, 0.8),
            bevel=0.008,
            segments=3,
        )
        rest = body - level
        box((side, side, rest), (0, 0, level + rest / 2), material, bevel=0.008, segments=3)
    top = body + between(0.07, 0.09)
    profile = [
        (side * 0.42, body - 0.006),
        *shoulder(side * 0.42, body - 0.004, 0.013, body + 0.03, 6),
    ]
    lathe(profile + neck(0.0125, body + 0.032, top) + [(0, top)], material, segments=36)
    screw_cap(
        0.0148,
        top - 0.012,
        0.026,
        choose([(0.02, 0.02, 0.02, 1), hsv(0.12, 0.55, 0.5)]),
        ribs=False,
    )
    paper = paint(choose([*PAPER[:3], hsv(0.25, 0.35, 0.4)]), 0.55)
    box((side * 0.84, 0.0008, body * 0.5), (0, -side / 2 - 0.0006, body * 0.45), paper, bevel=0)
    ink = paint(choose(INKS), 0.5)
    for part, wide, tall in (
        (0.58, 0.6, 0.05),
        (0.46, 0.45, 0.02),
        (0.4, 0.5, 0.02),
        (0.3, 0.25, 0.05),
    ):
        box((side * wide, 0.0006, body * tall), (0, -side / 2 - 0.0012, body * part), ink, bevel=0)


def ketchup():
    """Squeeze bottle of ketchup or mustard standing upright, 19 cm."""
    sauce, cap = choose(
        [
            ((0.42, 0.015, 0.008, 1), WHITE_PLASTIC),
            ((0.62, 0.42, 0.03, 1), hsv(0.12, 0.75, 0.75)),
            ((0.72, 0.66, 0.45, 1), hsv(0.58, 0.6, 0.45)),
            ((0.1, 0.03, 0.015, 1), (0.03, 0.03, 0.03, 1)),
        ]
    )
    radius = 0.031
    outline = [*foot(radius), (radius * 0.96, 0.05), (radius, 0.1), (radius * 0.97, 0.12)]
    outline += [*shoulder(radius * 0.97, 0.12, 0.015, 0.165, 7, 0.85), (0.0145, 0.17)]
    opaque(outline, sauce, 0.14, 0.5)
    printed_label(
        radius, 0.055, 0.1, between(1.6, 3), choose([WHITE_PLASTIC, hsv(0.12, 0.6, 0.7)]), rough=0.3
    )
    nozzle = paint(cap, 0.35)
    lathe(
        [(0.019, 0.165), (0.0185, 0.182), (0.009, 0.192), (0.0035, 0.212), (0, 0.213)],
        nozzle,
        segments=30,
    )


def soy_sauce():
    """Small dark sauce bottle with a red or green flip cap, 16 cm."""
    outline = (
        foot(0.029)
        + shoulder(0.029, 0.02, 0.0125, 0.11, 9, 1.2)
        + [(0.0135, 0.125), (0.0135, 0.135)]
    )
    opaque(outline, (0.015, 0.006, 0.003, 1), 0.04, 0.8)
    printed_label(0.0285, 0.012, 0.042, between(2.2, 4), choose([*PAPER[:3], hsv(0.1, 0.6, 0.7)]))
    screw_cap(
        0.0165,
        0.132,
        0.022,
        choose([hsv(0, 0.75, 0.5), hsv(0.35, 0.55, 0.4), (0.02,) * 3 + (1,)]),
        False,
    )


def soap_pump():
    """Hand soap in an oval bottle with a pump, 21 cm."""
    color = choose([natural_color(), natural_color(), WHITE_PLASTIC, (0.12, 0.05, 0.02, 1)])
    radius = 0.034
    outline = [*foot(radius), (radius, 0.12), *shoulder(radius, 0.12, 0.0145, 0.15, 7, 0.8)]
    outline += [(0.0135, 0.158)]
    with stage.group((0, 0, 0)):
        clear = happens(0.4)
        if clear:
            tint = (*tuple(0.45 + 0.5 * channel for channel in color[:3]), 1)
            vessel(outline, tint, tint, between(0.05, 0.13), 0.0015, 0.06)
        else:
            opaque(outline, color, 0.3, 0.2)
        printed_label(
            radius,
            0.035,
            0.1,
            between(1.6, 2.4),
            choose([WHITE_PLASTIC, natural_color()]),
            rough=0.35,
        )
    head = paint(choose([WHITE_PLASTIC, (0.03, 0.03, 0.03, 1), (0.5, 0.5, 0.5, 1)]), 0.3)
    cylinder(0.0155, 0.018, (0, 0, 0.154), head)
    cylinder(0.0045, 0.035, (0, 0, 0.17), head)
    tube([(-0.008, 0, 0.208), (0.012, 0, 0.21), (0.034, 0, 0.207), (0.042, 0, 0.198)], 0.0062, head)


def dish_soap():
    """Washing-up liquid: flattened coloured body, pull cap, 24 cm."""
    liquid = choose(
        [(0.25, 0.6, 0.15, 1), (0.9, 0.72, 0.15, 1), (0.2, 0.45, 0.75, 1), (0.85, 0.4, 0.3, 1)]
    )
    outline = [*foot(0.032), (0.034, 0.05), (0.029, 0.1), (0.032, 0.14)]
    outline += [*shoulder(0.032, 0.14, 0.013, 0.195, 8, 0.9), (0.0125, 0.2)]
    vessel(outline, (0.93, 0.95, 0.93, 1), liquid, between(0.06, 0.17), 0.001, 0.06)
    printed_label(
        0.0345,
        0.035,
        0.1,
        between(1.6, 2.4),
        choose([WHITE_PLASTIC, hsv(0.33, 0.5, 0.4)]),
        rough=0.3,
    )
    cap = choose([WHITE_PLASTIC, hsv(0.98, 0.7, 0.55), hsv(0.58, 0.6, 0.5)])
    screw_cap(0.016, 0.196, 0.018, cap)
    cylinder(0.006, 0.018, (0, 0, 0.212), paint(cap, 0.35))


def shampoo():
    """Oval opaque bottle with a wide flat cap, 21 cm."""
    color, cap = natural_color(), choose([WHITE_PLASTIC, (0.03, 0.03, 0.03, 1), natural_color()])
    outline = [
        *foot(0.03),
        (0.033, 0.06),
        (0.033, 0.13),
        *shoulder(0.033, 0.13, 0.024, 0.17, 6, 0.8),
    ]
    opaque(outline, color, 0.25, 0.3)
    lathe(
        [(0.0245, 0.168), (0.0245, 0.2), (0.022, 0.205), (0, 0.206)], paint(cap, 0.3), segments=36
    )
    printed_label(
        0.0335, 0.04, 0.125, between(1.5, 2.2), choose([WHITE_PLASTIC, natural_color()]), rough=0.3
    )


def spray():
    """Cleaning spray with a trigger head, 27 cm."""
    liquid = choose(
        [(0.25, 0.6, 0.8, 1), (0.85, 0.9, 0.85, 1), (0.5, 0.75, 0.3, 1), (0.85, 0.45, 0.4, 1)]
    )
    outline = [*foot(0.038, 0.008), (0.039, 0.1), *shoulder(0.039, 0.1, 0.015, 0.19, 9, 0.75)]
    outline += [(0.014, 0.205)]
    if happens(0.5):
        opaque(outline, choose([WHITE_PLASTIC, natural_color()]), 0.35, 0.2)
    else:
        vessel(outline, (0.93, 0.95, 0.95, 1), liquid, between(0.05, 0.15), 0.0012, 0.07)
    printed_label(
        0.0395, 0.03, 0.098, between(1.8, 2.8), choose([WHITE_PLASTIC, natural_color()]), rough=0.3
    )
    head = paint(
        choose([WHITE_PLASTIC, hsv(0, 0.65, 0.5), hsv(0.58, 0.6, 0.45), (0.04,) * 3 + (1,)]), 0.4
    )
    cylinder(0.0175, 0.022, (0, 0, 0.2), head)
    box((0.03, 0.022, 0.03), (-0.002, 0, 0.234), head, bevel=0.006)
    box((0.085, 0.024, 0.022), (0.016, 0, 0.256), head, bevel=0.007)
    cylinder(0.008, 0.014, (0.056, 0, 0.256), head, rotation=(0, math.pi / 2, 0))
    tube([(0.03, 0, 0.25), (0.042, 0, 0.228), (0.036, 0, 0.2), (0.043, 0, 0.19)], 0.005, head)


def steel_flask():
    """Insulated steel or enamelled drinking bottle with a loop lid, 26 cm."""
    radius = between(0.033, 0.038)
    outline = [
        *foot(radius, 0.005, 0.003),
        (radius, 0.19),
        *shoulder(radius, 0.19, 0.022, 0.22, 6, 0.8),
    ]
    outline += [(0.021, 0.228)]
    if happens(0.4):
        lathe([*outline, (0, 0.228)], metal((0.62, 0.62, 0.62, 1), 0.3), segments=48)
    else:
        opaque(outline, natural_color(), 0.45, 0.1)
    lid = paint(choose([(0.03, 0.03, 0.03, 1), (0.5, 0.5, 0.5, 1), hsv(0.08, 0.4, 0.5)]), 0.45)
    lathe([(0.0235, 0.224), (0.0235, 0.25), (0.021, 0.254), (0, 0.254)], lid, segments=36)
    if happens(0.6):
        tube(
            [(-0.018, 0, 0.248), (-0.016, 0, 0.268), (0.016, 0, 0.268), (0.018, 0, 0.248)],
            0.0045,
            lid,
        )


def sports_bottle():
    """Squeezable sports bottle with a spout, 22 cm."""
    color = natural_color()
    outline = [
        *foot(0.035),
        (0.036, 0.07),
        (0.031, 0.095),
        (0.031, 0.11),
        (0.036, 0.13),
        (0.036, 0.16),
    ]
    outline += [(0.033, 0.168)]
    opaque(outline, color, 0.4, 0.05)
    lid = paint(choose([(0.03, 0.03, 0.03, 1), WHITE_PLASTIC, natural_color()]), 0.45)
    lathe(
        [
            (0.037, 0.163),
            (0.037, 0.182),
            (0.03, 0.192),
            (0.012, 0.198),
            (0.011, 0.21),
            (0.013, 0.213),
            (0.012, 0.224),
            (0, 0.225),
        ],
        lid,
        segments=36,
    )
    patch(
        0.0363,
        0.03,
        0.062,
        -1.2,
        1.2,
        paint(choose([WHITE_PLASTIC, (0.03,) * 3 + (1,)]), 0.4),
        0.0365,
    )


def jar_vinegar():
    """Medicine- or vinegar-like brown apothecary bottle, 15 cm."""
    radius = between(0.03, 0.036)
    outline = [*foot(radius), (radius, 0.09), *shoulder(radius, 0.09, 0.0145, 0.118, 7, 0.8)]
    outline += neck(0.014, 0.12, 0.138, 1.25)
    color = choose([*BROWN_GLASS, (0.05, 0.1, 0.25, 1), (0.1, 0.2, 0.1, 1)])
    vessel(outline, color, scaled(color, 0.5), between(0.04, 0.1))
    printed_label(radius, 0.02, 0.075, between(2.2, 4.5), choose(PAPER[:3]))
    screw_cap(0.0185, 0.128, 0.018, choose([(0.02, 0.02, 0.02, 1), WHITE_PLASTIC]))


KINDS = {
    "wine_bordeaux": wine_bordeaux,
    "wine_burgundy": wine_burgundy,
    "white_wine": white_wine,
    "champagne": champagne,
    "beer_longneck": beer_longneck,
    "beer_stubby": beer_stubby,
    "swing_top": swing_top,
    "whisky": whisky,
    "gin": gin,
    "carafe": carafe,
    "water_plastic": water_plastic,
    "soda_plastic": soda_plastic,
    "glass_soda": glass_soda,
    "milk_glass": milk_glass,
    "milk_plastic": milk_plastic,
    "olive_oil": olive_oil,
    "ketchup": ketchup,
    "soy_sauce": soy_sauce,
    "soap_pump": soap_pump,
    "dish_soap": dish_soap,
    "shampoo": shampoo,
    "spray": spray,
    "steel_flask": steel_flask,
    "sports_bottle": sports_bottle,
    "apothecary": jar_vinegar,
}
TABLE_KINDS = (
    ["wine_bordeaux", "wine_burgundy", "white_wine", "water_plastic", "soda_plastic"] * 2
    + ["beer_longneck", "swing_top", "glass_soda", "carafe", "olive_oil", "ketchup", "milk_glass"]
    + ["beer_stubby", "champagne", "whisky", "gin", "milk_plastic", "soy_sauce", "steel_flask"]
)
BATHROOM_KINDS = ["soap_pump", "shampoo", "spray", "dish_soap", "apothecary"]
DESK_KINDS = ["water_plastic", "steel_flask", "sports_bottle", "soda_plastic", "glass_soda"]


def bottle(location=(0, 0, 0), kind=None, scale=1.0, upright=True):
    """One bottle labelled "bottle"; its label faces the viewer more or less.

    With upright=False it lies on its side.
    """
    kind = kind or choose([*TABLE_KINDS, "soap_pump", "spray", "sports_bottle", "dish_soap"])
    size = scale * between(0.94, 1.08)
    turn = stage.random.gauss(0, 0.7)
    with stage.labelled("bottle"):
        if upright:
            with stage.group(location, turn, size):
                KINDS[kind]()
        else:
            x, y, z = location
            with stage.group((x, y, z + 0.036 * size), between(0, 6.28), size, (math.pi / 2, 0)):
                KINDS[kind]()
    return kind
