"""Bicycles: city, step-through, road, mountain, child's and old rusty ones, with what people add.

A bicycle points along +x and stands on z = 0. Points of the front fork, front wheel and handlebar
go through `place`, which turns them about the steering axis.
"""

import math
from dataclasses import dataclass, replace

import bpy
import numpy as np
from mathutils import Matrix, Vector

from . import organic, stage
from .geometry import box, cylinder, rod, tube
from .materials import (
    emission,
    fabric,
    hexadecimal,
    leather,
    metal,
    natural_color,
    paint,
    rattan,
    rusty,
    scaled,
    vary,
)

FRAME_COLORS = (
    "16171a 232a33 1f3a2c 24436b 7c1f1f 9aa3a8 c8c4b8 5e6a4a 7fa3a0 b5562a d6cfbd 4a4f55 "
    "8a1f3a b99a3c 35606b 2b2b2b 101010 b8b8b6 6f7f8f"
).split()


@dataclass(frozen=True)
class Model:
    """Measures of a bicycle in metres; the defaults are those of a man's city bicycle."""

    wheel: float = 0.345  # outer radius of the tyres
    tyre: float = 0.020
    base: float = 1.06  # distance between the axles
    bracket: float = 0.285  # height of the cranks' axle
    seat_tube: float = 0.53
    seat_angle: float = 71
    head_angle: float = 69
    head_length: float = 0.16
    tube: float = 0.0165  # radius of the frame tubes
    frame: str = "diamond"  # diamond, step, mixte or mountain
    handlebar: str = "city"  # city, flat, drop or high
    saddle_post: float = 0.12
    mudguards: float = 0.9  # probabilities of what is mounted
    rack: float = 0.7
    basket: float = 0.25
    crank: float = 0.17
    chain_case: float = 0.3
    suspension: bool = False
    training_wheels: bool = False


_CITY = Model()
MODELS = {
    "city": _CITY,
    "step": replace(_CITY, frame="step", basket=0.5, seat_tube=0.48, chain_case=0.6),
    "mixte": replace(_CITY, frame="mixte", tube=0.0145, basket=0.35, chain_case=0.2),
    "road": Model(
        wheel=0.335,
        tyre=0.0125,
        base=0.99,
        bracket=0.27,
        seat_tube=0.55,
        seat_angle=73,
        head_angle=73,
        head_length=0.13,
        frame="diamond",
        handlebar="drop",
        saddle_post=0.17,
        mudguards=0.05,
        rack=0.03,
        basket=0,
        chain_case=0,
    ),
    "single speed": Model(
        wheel=0.335,
        tyre=0.0140,
        base=1.0,
        bracket=0.275,
        seat_tube=0.54,
        seat_angle=73,
        head_angle=72,
        handlebar="flat",
        saddle_post=0.15,
        mudguards=0.2,
        rack=0.1,
        basket=0.1,
        chain_case=0,
    ),
    "mountain": Model(
        wheel=0.350,
        tyre=0.0290,
        base=1.12,
        bracket=0.31,
        seat_tube=0.44,
        seat_angle=72,
        head_angle=68,
        head_length=0.12,
        tube=0.0205,
        frame="mountain",
        handlebar="flat",
        saddle_post=0.20,
        mudguards=0.15,
        rack=0.1,
        basket=0.03,
        chain_case=0,
        suspension=True,
    ),
    "child": Model(
        wheel=0.215,
        tyre=0.0215,
        base=0.72,
        bracket=0.205,
        seat_tube=0.25,
        seat_angle=70,
        head_angle=68,
        head_length=0.10,
        tube=0.0165,
        frame="step",
        handlebar="high",
        saddle_post=0.09,
        mudguards=0.7,
        rack=0.15,
        basket=0.35,
        crank=0.105,
        chain_case=0.8,
        training_wheels=True,
    ),
    "folding": Model(
        wheel=0.235,
        tyre=0.0200,
        base=1.0,
        bracket=0.285,
        seat_tube=0.30,
        seat_angle=71,
        head_angle=72,
        head_length=0.14,
        tube=0.021,
        frame="step",
        handlebar="high",
        saddle_post=0.28,
        mudguards=0.85,
        rack=0.6,
        basket=0.15,
    ),
    "rusty": replace(_CITY, mudguards=0.8, rack=0.6, basket=0.2),
}
KINDS = tuple(MODELS)


def _ring(centre, radius, count, along=0.0):
    """Points of a circle in the plane of the wheel, `along` metres to the side."""
    cx, cy, cz = centre
    turns = [2 * math.pi * i / count for i in range(count)]
    return [
        Vector((cx + radius * math.cos(a), cy + along, cz + radius * math.sin(a))) for a in turns
    ]


def _wheel(centre, model, place, tyre, rim, hub):
    """Tyre, rim, hub and (hidden in the mask) spokes."""
    radius, thick = model.wheel, model.tyre
    tube([place(p) for p in _ring(centre, radius - thick, 36)], thick, tyre, cyclic=True)
    rim_radius = radius - 2 * thick - 0.004
    tube([place(p) for p in _ring(centre, rim_radius, 36)], 0.0085, rim, cyclic=True)
    axle = [place(Vector(centre) + Vector((0, y, 0))) for y in (-0.055, 0.055)]
    tube(axle, 0.017, hub, smooth=False)
    for y in (-0.03, 0.03):
        flange = [place(Vector(centre) + Vector((0, y + dy, 0))) for dy in (-0.002, 0.002)]
        tube(flange, 0.027, hub, smooth=False)
    spokes = bpy.data.curves.new("spokes", "CURVE")
    spokes.dimensions = "3D"
    spokes.bevel_depth = 0.0012
    spokes.bevel_resolution = 0
    start, count = stage.random.random(), 28
    for i in range(count):
        rim_angle = start + 2 * math.pi * i / count
        lean = 0.5 if (i // 2) % 2 else -0.5
        hub_angle = rim_angle + lean
        side = 0.028 if i % 2 else -0.028
        inner = Vector((math.cos(hub_angle), 0, math.sin(hub_angle))) * 0.025
        outer = Vector((math.cos(rim_angle), 0, math.sin(rim_angle))) * rim_radius
        spline = spokes.splines.new("POLY")
        spline.points.add(1)
        spline.points[0].co = (*place(Vector(centre) + inner + Vector((0, side, 0))), 1)
        spline.points[1].co = (*place(Vector(centre) + outer), 1)
    spoke_object = stage.add(bpy.data.objects.new("spokes", spokes), rim)
    spoke_object["hidden_in_mask"] = 1
    if stage.random.random() < 0.35:  # reflectors between the spokes
        amber = paint(hexadecimal("c8641e"), 0.2, coat=0.5)
        angle = stage.random.uniform(0, 6.28)
        for turn in (angle, angle + math.pi):
            at = Vector(centre) + Vector((math.cos(turn), 0, math.sin(turn))) * rim_radius * 0.7
            step = Vector((-math.sin(turn), 0, math.cos(turn))) * 0.03
            rod(place(at - step), place(at + step), 0.009, amber)


def _mudguard(centre, model, place, first, last, material):
    """A curved strip over a wheel, between two angles (0 is forward, pi/2 is up)."""
    radius, half = model.wheel + 0.016, model.tyre + 0.008
    u = np.linspace(first, last, 24)[:, None]
    v = np.linspace(-1, 1, 7)[None]
    out = radius - 0.014 * v**2
    points = np.stack(
        [centre[0] + out * np.cos(u), half * v + 0 * u, centre[2] + out * np.sin(u)], -1
    )
    points = np.array([[place(Vector(p)) for p in row] for row in points])
    guard = organic.grid_mesh(points, material, "mudguard")
    thickness = guard.modifiers.new("thickness", "SOLIDIFY")
    thickness.thickness = 0.003
    edge = Vector((centre[0] + radius * math.cos(last), 0, centre[2] + radius * math.sin(last)))
    for y in (-1, 1):
        rod(
            place(edge + Vector((0, y * half, 0))),
            place(Vector((centre[0], y * 0.05, centre[2]))),
            0.0022,
            material,
        )


def _saddle(top, size, material):
    """A saddle: a wide back that narrows to a nose, edges turned down."""
    u = np.linspace(0, 1, 15)[:, None]
    v = np.linspace(-1, 1, 11)[None]
    width = 0.019 + 0.060 * np.clip((u - 0.30) / 0.70, 0, 1) ** 1.3
    width = width * np.sqrt(np.clip(1 - ((u - 0.5) / 0.505) ** 14, 0, 1))
    x = 0.13 - 0.27 * u + 0 * v
    rise = 0.014 * np.cos(u * 5) + 0.014 * u - 0.034 * np.abs(v) ** 2.5
    points = np.stack([x, width * v, rise + 0 * v], -1) * size + np.array(top)
    saddle = organic.grid_mesh(points, material, "saddle")
    thickness = saddle.modifiers.new("thickness", "SOLIDIFY")
    thickness.thickness = 0.030 * size
    smoother = saddle.modifiers.new("smooth", "SUBSURF")
    smoother.levels = smoother.render_levels = 1


def _handlebar(kind, top, place, bar, grip):
    """Handlebar on the stem top; returns the height of its grips above the stem."""
    x, _, z = top
    for side in (-1, 1):
        if kind == "drop":
            path = [
                (0.0, 0, 0),
                (0.0, 0.19, 0.0),
                (0.06, 0.21, 0.0),
                (0.095, 0.215, -0.03),
                (0.080, 0.22, -0.10),
                (0.02, 0.225, -0.13),
                (-0.03, 0.225, -0.13),
            ]
            grips = slice(1, 7)
            hood = [(0.075, 0.214, 0.0), (0.125, 0.214, 0.022), (0.132, 0.214, 0.045)]
            hood = [place(Vector((x + px, side * py, z + pz))) for px, py, pz in hood]
            tube(hood, 0.015, grip, radii=[1, 1.1, 0.8])
        elif kind == "flat":
            path = [(0.0, 0, 0), (0.01, 0.12, 0.006), (-0.01, 0.22, 0.012), (-0.025, 0.31, 0.014)]
            grips = slice(2, 4)
        elif kind == "high":
            path = [
                (0.0, 0, 0),
                (0.02, 0.06, 0.03),
                (0.03, 0.13, 0.10),
                (0.0, 0.18, 0.13),
                (-0.07, 0.21, 0.13),
            ]
            grips = slice(3, 5)
        else:
            path = [
                (0.0, 0, 0),
                (0.045, 0.08, 0.035),
                (0.05, 0.17, 0.06),
                (-0.03, 0.25, 0.075),
                (-0.13, 0.275, 0.065),
                (-0.19, 0.28, 0.06),
            ]
            grips = slice(4, 6)
        path = [place(Vector((x + px, side * py, z + pz))) for px, py, pz in path]
        tube(path, 0.0115, bar)
        held = path[grips]
        tube(held, 0.0165, grip, smooth=len(held) > 2)
        if kind in ("flat", "city", "high"):
            tip = held[0]
            lever = [
                tip,
                tip + Vector((0.05, side * 0.0, -0.02)),
                tip + Vector((0.03, side * 0.08, -0.03)),
            ]
            tube(lever, 0.0055, bar)


def _basket(centre, place, size, style):
    """A basket: wire mesh or wicker, open at the top."""
    length, width, height = size
    rows, columns = (6, 40) if style == "wire" else (10, 40)
    turns = [2 * math.pi * i / columns for i in range(columns)]

    def point(turn, level):
        grow = 0.82 + 0.18 * level
        square = (abs(math.cos(turn)) ** 5 + abs(math.sin(turn)) ** 5) ** (-1 / 5)
        x = math.cos(turn) * square * length / 2 * grow
        y = math.sin(turn) * square * width / 2 * grow
        return place(Vector(centre) + Vector((x, y, height * level)))

    if style == "wire":
        wire = metal(hexadecimal(stage.random.choice(("1a1a1a", "b9babb", "e4e0d6"))), 0.4)
        for row in range(rows):
            tube(
                [point(turn, row / (rows - 1)) for turn in turns],
                0.0028,
                wire,
                cyclic=True,
                smooth=False,
            )
        for turn in turns:
            tube([point(turn, 0), point(turn, 1)], 0.0020, wire, smooth=False)
        floor_material = wire
    else:
        floor_material = rattan()
        grid = np.array(
            [[point(turn, row / rows) for turn in [*turns, 0.0]] for row in range(rows + 1)]
        )
        side = organic.grid_mesh(grid, floor_material, "basket")
        side.modifiers.new("thickness", "SOLIDIFY").thickness = 0.008
        tube([point(turn, 1) for turn in turns], 0.009, floor_material, cyclic=True, smooth=False)
    bottom = [
        [place(Vector(centre))] * (columns + 1),
        [point(turn, 0.02) for turn in [*turns, 0.0]],
    ]
    organic.grid_mesh(np.array(bottom), floor_material, "basket")


def _drive(model, bracket, rear, paints):
    """Chainring, chain, cranks and pedals, perhaps a chain case."""
    chrome, black, lacquer = paints["chrome"], paints["black"], paints["frame"]
    side = -0.045
    ring = model.wheel * 0.26
    tube(_ring(bracket, ring, 24, side), 0.005, paints["dark"], cyclic=True)
    cylinder(
        ring * 0.72, 0.004, (bracket[0], side, bracket[2]), chrome, rotation=(math.pi / 2, 0, 0)
    )
    cylinder(0.021, 0.13, (bracket[0], 0.065, bracket[2]), lacquer, rotation=(math.pi / 2, 0, 0))
    cylinder(
        0.036, 0.012, (rear[0], side + 0.006, rear[2]), paints["dark"], rotation=(math.pi / 2, 0, 0)
    )
    if stage.random.random() < model.chain_case:
        case = stage.random.choice((lacquer, black))
        u = np.linspace(0, 1, 12)[:, None]
        v = np.linspace(-1, 1, 5)[None]
        tall = ring * 1.22 * (1 - u) + 0.055 * u
        x = bracket[0] + ring - (bracket[0] + ring - rear[0] + 0.04) * u + 0 * v
        round_end = np.sqrt(np.clip(1 - ((u - 0.5) * 2) ** 8, 0.02, 1))
        z = bracket[2] + (rear[2] - bracket[2]) * u + tall * v * round_end
        case_object = organic.grid_mesh(
            np.stack([x, 0 * x + side - 0.012, z], -1), case, "chain case"
        )
        case_object.modifiers.new("thickness", "SOLIDIFY").thickness = 0.012
    else:
        for top in (1, -1):
            rod(
                (bracket[0], side, bracket[2] + top * ring),
                (rear[0], side, rear[2] + top * 0.035),
                0.0045,
                paints["dark"],
            )
        if model.frame in ("mountain", "diamond") and model.handlebar != "city":
            rod(
                (rear[0] + 0.01, side, rear[2] - 0.03),
                (rear[0] + 0.03, side, rear[2] - 0.11),
                0.012,
                paints["dark"],
            )
    turn = stage.random.uniform(0, 2 * math.pi)
    for sign, y in ((1, -0.07), (-1, 0.07)):
        end = Vector(
            (
                bracket[0] + sign * model.crank * math.cos(turn),
                y,
                bracket[2] + sign * model.crank * math.sin(turn),
            )
        )
        rod((bracket[0], y, bracket[2]), end, 0.0095, chrome)
        pedal = (0.092, 0.085, 0.024)
        box(
            pedal,
            end + Vector((0, math.copysign(0.055, y), 0)),
            black,
            0.006,
            rotation=(0, stage.random.uniform(-0.4, 0.4), 0),
        )


def _frame(model, points, paints):
    """The tubes of the frame without the fork."""
    lacquer, r = paints["frame"], model.tube
    bracket, seat, head_top, head_low, rear = (
        points[name] for name in ("bracket", "seat", "head_top", "head_low", "rear")
    )
    rod(bracket, seat, r * 0.92, lacquer)
    rod(head_low, head_top, r * 1.15, lacquer)
    along_seat = (seat - bracket).normalized()
    if model.frame == "step":
        low = bracket + along_seat * (seat - bracket).length * 0.30
        sag = Vector((0, 0, -0.05 if stage.random.random() < 0.6 else 0.0)) * model.wheel / 0.345
        start = head_low + (head_top - head_low) * 0.35
        if stage.random.random() < 0.55:
            tube([start, start.lerp(low, 0.5) + sag, low], r, lacquer)
        tube([head_low, head_low.lerp(bracket, 0.55) + sag * 1.3, bracket], r * 1.2, lacquer)
    elif model.frame == "mixte":
        rod(bracket, head_low, r * 1.1, lacquer)
        for y in (-0.018, 0.018):
            rod(
                head_top + Vector((0, y * 0.8, -0.03)),
                rear + Vector((0, y * 3, 0)),
                r * 0.62,
                lacquer,
            )
    elif model.frame == "mountain":
        seat_joint = bracket + along_seat * ((seat - bracket).length - 0.05)
        tube(
            [
                head_top - Vector((0, 0, 0.03)),
                head_top.lerp(seat_joint, 0.5) + Vector((0, 0, 0.012)),
                seat_joint,
            ],
            r,
            lacquer,
        )
        tube(
            [head_low, head_low.lerp(bracket, 0.5) - Vector((0, 0, 0.02)), bracket],
            r * 1.35,
            lacquer,
        )
    else:
        seat_joint = bracket + along_seat * ((seat - bracket).length - 0.03)
        rod(seat_joint, head_top - (head_top - head_low) * 0.2, r, lacquer)
        rod(bracket, head_low + (head_top - head_low) * 0.1, r * 1.15, lacquer)
    wide = 0.024 + model.tyre
    for y in (-1, 1):
        axle = rear + Vector((0, y * 0.062, 0))
        stay_top = seat - along_seat * 0.04 + Vector((0, y * 0.014, 0))
        over_wheel = stay_top.lerp(axle, 0.35) + Vector((0, y * (wide - 0.022), 0))
        tube([stay_top, over_wheel, axle], r * 0.56, lacquer)
        beside = bracket.lerp(rear, 0.32)
        tube([bracket, beside + Vector((0, y * wide, 0)), axle], r * 0.64, lacquer)


def _fork(model, points, place, paints):
    """Fork blades, or suspension legs, from the crown to the axle."""
    head_low, front = points["head_low"], points["front"]
    down = (head_low - points["head_top"]).normalized()
    wide = 0.026 + model.tyre
    crown = head_low + down * 0.03
    rod(
        place(crown + Vector((0, -wide, 0))),
        place(crown + Vector((0, wide, 0))),
        0.018,
        paints["frame"],
    )
    for y in (-wide, wide):
        top, axle = crown + Vector((0, y, 0)), front + Vector((0, y, 0))
        if model.suspension:
            middle = top.lerp(axle, 0.42)
            rod(place(top), place(middle), 0.016, paints["chrome"])
            rod(place(middle), place(axle), 0.023, paints["fork"])
            continue
        length = (axle - top).dot(down)
        straight = top + down * length * 0.60
        tube(
            [place(top), place(straight), place(axle)], 0.0125, paints["fork"], radii=[1.1, 1, 0.75]
        )


def _extras(model, points, place, paints, bar_top):
    """Lights, bell, rack, baskets, child seat, panniers, lock, kickstand, as luck has it."""
    luck = stage.random.random
    chrome, black = paints["chrome"], paints["black"]
    rear, seat = points["rear"], points["seat"]
    size = model.wheel / 0.345
    rack_height = rear.z + model.wheel + 0.045
    with_rack = luck() < model.rack
    if with_rack:
        metal_rack = stage.random.choice((chrome, black))
        start, end = seat.x - 0.03, rear.x - 0.20 * size
        for y in (-0.055, 0.0, 0.055):
            rod((start, y, rack_height), (end, y, rack_height), 0.0055, metal_rack)
        for x in np.linspace(start - 0.06, end, 4):
            rod((x, -0.058, rack_height), (x, 0.058, rack_height), 0.0045, metal_rack)
        for y in (-0.058, 0.058):
            rod((rear.x - 0.06, y, rack_height), (rear.x, y * 1.05, rear.z), 0.005, metal_rack)
        extra = luck()
        if extra < 0.14:
            _basket((rear.x - 0.01, 0, rack_height), Vector, (0.38, 0.30, 0.22), "wicker")
        elif extra < 0.24 and size > 0.9:
            _child_seat(Vector((rear.x - 0.02, 0, rack_height)))
        elif extra < 0.42:
            bag = fabric(natural_color(0.3), None) if luck() < 0.7 else leather()
            for y in (-0.13, 0.13) if luck() < 0.7 else (0.13,):
                box(
                    (0.32, 0.13, 0.30),
                    (rear.x - 0.05, y, rack_height - 0.16),
                    bag,
                    0.035,
                    4,
                    taper=0.85,
                )
                box((0.325, 0.135, 0.09), (rear.x - 0.05, y, rack_height - 0.045), bag, 0.03, 3)
        elif extra < 0.50:
            crate = paint(natural_color(0.5), 0.5)
            for x, y, sx, sy in (
                (0, 0.15, 0.40, 0.012),
                (0, -0.15, 0.40, 0.012),
                (0.2, 0, 0.012, 0.3),
                (-0.2, 0, 0.012, 0.3),
            ):
                for z in (0.04, 0.11, 0.18):
                    box((sx, sy, 0.05), (rear.x + x, y, rack_height + z), crate, 0.004)
            box((0.4, 0.3, 0.012), (rear.x, 0, rack_height + 0.012), crate, 0.003)
    if luck() < model.basket:
        style = stage.random.choice(("wire", "wire", "wicker"))
        drop = 0.16 if model.handlebar != "high" else 0.06
        place_of_basket = (bar_top.x + 0.19, 0, bar_top.z - drop)
        _basket(place_of_basket, place, (0.27 * size, 0.36 * size, 0.23 * size), style)
    elif luck() < 0.55 and model.handlebar != "drop":
        lamp = bar_top + Vector((0.06, 0, -0.07))
        rod(
            place(lamp),
            place(lamp + Vector((0.05, 0, 0.0))),
            0.030,
            chrome if luck() < 0.5 else black,
        )
        rod(
            place(lamp + Vector((0.05, 0, 0))),
            place(lamp + Vector((0.054, 0, 0))),
            0.026,
            paint(hexadecimal("e8e6dd"), 0.1, coat=1.0),
        )
    if luck() < 0.6:
        red = paint(hexadecimal("a01414"), 0.2, coat=0.6)
        if with_rack:
            box((0.02, 0.06, 0.035), (rear.x - 0.21 * size, 0, rack_height - 0.02), red, 0.006)
        else:
            rod(seat + Vector((-0.03, 0, 0.03)), seat + Vector((-0.055, 0, 0.03)), 0.018, red)
    if luck() < 0.5 and model.handlebar != "drop":
        bell = bar_top + Vector((0.01, -0.12, 0.05 if model.handlebar == "city" else 0.035))
        rod(place(bell), place(bell + Vector((0, 0, 0.02))), 0.022, chrome)
    if luck() < 0.25:
        lock = paint(natural_color(0.4), 0.5)
        middle = points["bracket"].lerp(seat, 0.62)
        loop = [
            middle
            + Vector((0.055 * math.cos(a), 0.035 + 0.012 * math.sin(2 * a), 0.09 * math.sin(a)))
            for a in np.linspace(0, 2 * math.pi, 13)[:-1]
        ]
        tube(loop, 0.008, lock, cyclic=True)
    foot = points["bracket"] + Vector((-0.14, 0.06, -0.02))
    if luck() < 0.75:
        rod(foot, (foot.x - 0.06, 0.17, 0.012), 0.0075, chrome)
    if model.training_wheels and luck() < 0.5:
        for y in (-0.18, 0.18):
            tube(_ring((rear.x, y, 0.062), 0.048, 16), 0.014, black, cyclic=True)
            rod((rear.x, y, 0.062), (rear.x, y * 0.35, rear.z), 0.006, chrome)
            rod((rear.x, y - 0.008, 0.062), (rear.x, y + 0.008, 0.062), 0.04, paints["fork"])
    if luck() < 0.12:  # a small light that is on
        glow = emission((1.0, 0.08, 0.05, 1), 6.0)
        rod(seat + Vector((-0.056, 0, 0.03)), seat + Vector((-0.058, 0, 0.03)), 0.012, glow)


def _child_seat(place):
    """A child's seat on the rack: shell with high back, side wings and foot rests."""
    shell = paint(natural_color(0.2), 0.45)
    pad = fabric(natural_color(0.3))
    u = np.linspace(0, 1, 14)[:, None]
    v = np.linspace(-1, 1, 9)[None]
    bend = np.clip((u - 0.35) / 0.25, 0, 1)
    x = 0.13 - 0.26 * np.clip(u / 0.5, 0, 1) - 0.10 * np.clip((u - 0.5) / 0.5, 0, 1) + 0 * v
    z = 0.05 + 0.43 * np.clip((u - 0.40) / 0.60, 0, 1) + 0.08 * np.abs(v) ** 4 * (1 - bend)
    y = (0.15 - 0.03 * u) * v
    x = x + 0.09 * np.abs(v) ** 4 * bend
    points = np.stack([x, y + 0 * u, z + 0 * v], -1) + np.array(place)
    seat = organic.grid_mesh(points, shell, "child seat")
    seat.modifiers.new("thickness", "SOLIDIFY").thickness = 0.012
    inner = organic.grid_mesh(points[1:-1, 2:-2] + np.array((0.012, 0, 0.012)), pad, "pad")
    inner.modifiers.new("thickness", "SOLIDIFY").thickness = 0.012
    for side in (-1, 1):
        box((0.05, 0.07, 0.26), place + Vector((0.12, side * 0.15, -0.09)), shell, 0.015, 3)


def bicycle(location, rotation=0.0, lean=0.0, kind=None):
    """A bicycle that points along +x; lean tilts it sideways (radians, positive to -y)."""
    kind = kind or stage.random.choice(KINDS)
    model = MODELS[kind]
    uniform = stage.random.uniform
    growth = uniform(0.95, 1.05)
    color = vary(hexadecimal(stage.random.choice(FRAME_COLORS)))
    old = kind == "rusty"
    lacquer = rusty(color) if old else paint(color, 0.25, variation=0.04, coat=0.8)
    chrome = rusty((0.30, 0.28, 0.26, 1)) if old else metal((0.70, 0.70, 0.71, 1), 0.2)
    paints = {
        "frame": lacquer,
        "fork": lacquer if uniform(0, 1) < 0.75 else chrome,
        "chrome": chrome,
        "black": paint(hexadecimal("1d1d1e"), 0.6),
        "dark": metal(hexadecimal("3a3733"), 0.5),
    }
    tyre_code = stage.random.choice(("1b1b1c", "1b1b1c", "232322", "2b2622", "8f7d62"))
    if model.tyre > 0.022:
        tyre_code = "1b1b1c"
    tyre = paint(hexadecimal(tyre_code), 0.85, bump=0.4, bump_scale=120)
    rim = chrome if uniform(0, 1) < 0.7 else paints["black"]
    grip = paint(
        scaled(hexadecimal(stage.random.choice(("201f1e", "201f1e", "5b3a22", "8a7a64"))), 1), 0.7
    )
    saddle = stage.random.choice((paint(hexadecimal("1c1b1b"), 0.55, bump=0.2), leather()))

    with stage.labelled("bicycle"), stage.group(location, rotation, growth, (lean, 0)):
        wheel = model.wheel
        rear = Vector((-model.base * 0.5, 0, wheel))
        front = Vector((model.base * 0.5, 0, wheel))
        bracket = Vector((rear.x + 0.43 * wheel / 0.345, 0, model.bracket))
        seat_tilt, head_tilt = math.radians(model.seat_angle), math.radians(model.head_angle)
        seat = bracket + Vector((-math.cos(seat_tilt), 0, math.sin(seat_tilt))) * model.seat_tube
        steer_axis = Vector((-math.cos(head_tilt), 0, math.sin(head_tilt)))
        offset = 0.045 * wheel / 0.345  # the fork's bend: the axle lies ahead of the steering axis
        forward = Vector((math.sin(head_tilt), 0, math.cos(head_tilt)))
        on_axis = front - forward * offset
        head_low = on_axis + steer_axis * (
            wheel + model.tyre + (0.10 if model.suspension else 0.055)
        )
        head_top = head_low + steer_axis * model.head_length
        steer = uniform(-0.5, 0.5) if uniform(0, 1) < 0.6 else 0.0
        turn = Matrix.Rotation(steer, 3, steer_axis)

        def place(point):
            return head_low + turn @ (Vector(point) - head_low)

        points = {
            "rear": rear,
            "front": front,
            "bracket": bracket,
            "seat": seat,
            "head_low": head_low,
            "head_top": head_top,
        }
        _wheel(rear, model, Vector, tyre, rim, chrome)
        _wheel(front, model, place, tyre, rim, chrome)
        _frame(model, points, paints)
        _fork(model, points, place, paints)
        _drive(model, bracket, rear, paints)

        along_seat = (seat - bracket).normalized()
        saddle_top = seat + along_seat * model.saddle_post * uniform(0.75, 1.2)
        rod(seat, saddle_top, 0.0135, chrome)
        _saddle(saddle_top + Vector((0, 0, 0.02)), 0.8 if kind == "child" else 1.0, saddle)

        rise = {"city": 0.10, "flat": 0.06, "drop": 0.045, "high": 0.05}[model.handlebar]
        if kind == "folding":
            rise = 0.30
        stem = head_top + steer_axis * rise
        reach = {"city": 0.03, "flat": 0.07, "drop": 0.10, "high": 0.01}[model.handlebar]
        bar_top = stem + Vector((reach, 0, 0.01))
        rod(head_top, place(stem), 0.013, chrome)
        rod(
            place(stem),
            place(bar_top),
            0.014,
            paints["black"] if model.handlebar == "flat" else chrome,
        )
        _handlebar(model.handlebar, bar_top, place, chrome, grip)
        brake = [
            bar_top + Vector((0.03, 0.06, 0.0)),
            bar_top + Vector((0.09, 0.03, -0.06)),
            points["head_top"] + Vector((0.03, 0.015, -0.06)),
        ]
        tube([place(p) for p in brake], 0.003, paints["black"])

        if uniform(0, 1) < model.mudguards:
            guard = stage.random.choice((lacquer, chrome, paints["black"]))
            _mudguard(rear, model, Vector, 0.35, 3.35, guard)
            _mudguard(front, model, place, 0.75, 3.05, guard)
        _extras(model, points, place, paints, bar_top)
