"""Rooms: walls with windows, curtains and doors, floors, ceilings.

The back wall is at y = depth and faces the camera; the room is open behind the camera, where
the light of the rest of the flat comes from.
"""

import math
from typing import NamedTuple

import bmesh
from mathutils import Matrix, Vector

from . import stage
from .geometry import box, cylinder, mesh_object, rod, sheet
from .materials import (
    Shader,
    any_metal,
    black_paint,
    blended,
    bricks,
    concrete,
    fabric,
    hexadecimal,
    natural_color,
    paint,
    planks,
    plaster,
    scaled,
    tiles,
    wall_color,
    wallpaper,
    white_paint,
    window_pane,
    wood,
)

WALL_THICKNESS = 0.2
BEHIND = 4.0


class Window(NamedTuple):
    """An opening: its wall, its centre, its size and the height of its sill."""

    side: str
    centre: tuple
    width: float
    height: float
    sill: float


class Room(NamedTuple):
    """A finished room; x runs from -width/2 to width/2, y up to depth."""

    width: float
    depth: float
    height: float
    windows: list
    skirting: object


def _wall_frame(side, width, depth):
    """(origin, rotation, length) of a wall whose own x runs along it and which faces -y."""
    if side == "back":
        return (0, depth, 0), 0.0, width + 2 * WALL_THICKNESS
    middle = (depth - BEHIND) / 2
    if side == "left":
        return (-width / 2, middle, 0), math.pi / 2, depth + BEHIND
    return (width / 2, middle, 0), -math.pi / 2, depth + BEHIND


def wall(length, height, material, opening=None, thickness=WALL_THICKNESS):
    """A wall in the xz plane that faces -y; opening is (x, z, width, height) of a hole."""
    bm = bmesh.new()

    def block(x0, x1, z0, z1):
        if x1 - x0 < 1e-4 or z1 - z0 < 1e-4:
            return
        place = Matrix.Translation(((x0 + x1) / 2, thickness / 2, (z0 + z1) / 2))
        size = Matrix.Diagonal((x1 - x0, thickness, z1 - z0, 1))
        bmesh.ops.create_cube(bm, size=1, matrix=place @ size)

    half = length / 2
    if opening is None:
        block(-half, half, 0, height)
    else:
        x, z, width, tall = opening
        block(-half, x - width / 2, 0, height)
        block(x + width / 2, half, 0, height)
        block(x - width / 2, x + width / 2, 0, z - tall / 2)
        block(x - width / 2, x + width / 2, z + tall / 2, height)
    return mesh_object(bm, "wall", material, smooth=False)


def window_frame(x, z, width, height, sill_depth=0.22):
    """Frame, bars, sill and pane in a hole of a wall that faces -y."""
    material = stage.random.choice(
        [white_paint, white_paint, white_paint, black_paint, lambda: wood(2)]
    )()
    thick = stage.random.uniform(0.04, 0.065)
    y = 0.12
    for side in (-1, 1):
        across = x + side * (width / 2 - thick / 2)
        box((thick, 0.06, height), (across, y, z), material, 0.004)
        up = z + side * (height / 2 - thick / 2)
        box((width, 0.06, thick), (x, y, up), material, 0.004)
    columns = 1 if width < 0.8 else stage.random.choice([1, 2, 2, 3])
    for column in range(1, columns):
        across = x - width / 2 + width * column / columns
        box((thick * 1.2, 0.06, height), (across, y, z), material, 0.004)
    kind = stage.random.choice(["plain", "plain", "transom", "bars"])
    if kind == "transom":
        box((width, 0.05, thick * 0.8), (x, y, z + height * 0.22), material, 0.003)
    elif kind == "bars":
        for row in (1, 2):
            level = z - height / 2 + height * row / 3
            box((width, 0.03, 0.02), (x, y, level), material, 0.002)
    if stage.chance(0.6):
        handle = x + stage.random.choice([-1, 1]) * thick
        box((0.02, 0.05, 0.12), (handle, y - 0.05, z), any_metal("steel", "brass"), 0.006)
    sill = stage.random.choice([white_paint, white_paint, lambda: wood(0), concrete])()
    depth = sill_depth + 0.1
    box((width + 0.1, depth, 0.03), (x, 0.1 - depth / 2, z - height / 2 - 0.015), sill, 0.006)
    pane = box((width - thick, 0.004, height - thick), (x, y + 0.01, z), window_pane(), 0)
    pane.visible_shadow = False
    return pane


def curtain(x, bottom, top, width, material, depth=0.035, y=-0.1):
    """One half of a pair of curtains with irregular folds."""
    folds = stage.random.uniform(4, 7)
    phase = stage.random.uniform(0, 6)

    def fold(u, v):
        wave = math.sin(u * folds * 2 * math.pi + phase) * (1 - 0.25 * v)
        ripple = 0.01 * math.sin(u * 17 + v * 4)
        gathered = 1 - 0.12 * math.sin(math.pi * v) * (0.5 - u)
        return Vector(
            (
                x + (u - 0.5) * width * gathered,
                y + depth * wave + ripple,
                bottom + (top - bottom) * v,
            )
        )

    return sheet(fold, 60, 12, material)


def sheer(color=None):
    """Thin voile that lets the window shine through."""
    shader = Shader("sheer")
    shader.set(color=color or hexadecimal("ece8df"), roughness=0.9)
    translucent = shader.node("BsdfTranslucent")
    translucent.inputs[0].default_value = hexadecimal("ece8df")
    clear = shader.node("BsdfTransparent")
    cloth = shader.node("MixShader")
    shader.link(shader.surface.outputs[0], cloth.inputs[1])
    shader.link(translucent.outputs[0], cloth.inputs[2])
    both = shader.node("MixShader")
    both.inputs[0].default_value = stage.random.uniform(0.25, 0.5)
    shader.link(cloth.outputs[0], both.inputs[1])
    shader.link(clear.outputs[0], both.inputs[2])
    shader.link(both.outputs[0], shader.output.inputs[0])
    return shader.material


def window_dressing(x, z, width, height, kind=None):
    """Curtains, voile, a roller or slatted blind, or nothing."""
    kind = kind or stage.random.choice(
        ["curtains", "curtains", "sheers", "roller", "slats", "none", "none"]
    )
    top, uniform = z + height / 2 + 0.14, stage.random.uniform
    if kind in ("curtains", "sheers"):
        material = sheer() if kind == "sheers" else fabric(scale=1.2)
        bottom = stage.random.choice([0.04, z - height / 2 - 0.1])
        pole = any_metal("black", "steel", "brass")
        rod((x - width / 2 - 0.4, -0.1, top), (x + width / 2 + 0.4, -0.1, top), 0.012, pole)
        for side in (-1, 1):
            if stage.chance(0.12):
                continue
            spread = uniform(0.3, 0.6) if kind == "curtains" else uniform(0.4, 0.7)
            across = x + side * (width / 2 + 0.18 - spread * uniform(0.2, 0.5))
            curtain(across, bottom, top, spread, material)
    elif kind == "roller":
        drop = height * uniform(0.15, 0.45)
        cloth = fabric(stage.random.choice([hexadecimal("dcd6c8"), natural_color()]), "plain")
        box((width - 0.02, 0.004, drop), (x, -0.01, z + height / 2 - drop / 2), cloth, 0)
        rod(
            (x - width / 2, -0.02, z + height / 2),
            (x + width / 2, -0.02, z + height / 2),
            0.025,
            cloth,
        )
    elif kind == "slats":
        slat = stage.random.choice([white_paint, lambda: wood(0), lambda: any_metal("aluminium")])()
        drop = height * uniform(0.2, 0.7)
        tilt = uniform(-0.5, 0.9)
        for row in range(int(drop / 0.04)):
            level = z + height / 2 - 0.03 - row * 0.04
            box((width - 0.06, 0.035, 0.003), (x, 0.03, level), slat, 0, rotation=(tilt, 0, 0))
    return kind


def door(x, material=None, height=2.02, width=0.86):
    """A closed interior door with its casing, on a wall that faces -y."""
    leaf = material or stage.random.choice([white_paint, white_paint, lambda: wood(2)])()
    casing = leaf if stage.chance(0.6) else white_paint()
    for side in (-1, 1):
        across = x + side * (width / 2 + 0.04)
        box((0.08, 0.05, height + 0.04), (across, -0.01, height / 2 + 0.02), casing, 0.006)
    box((width + 0.16, 0.05, 0.08), (x, -0.01, height + 0.04), casing, 0.006)
    box((width, 0.03, height), (x, -0.003, height / 2), leaf, 0.002)
    kind = stage.random.choice(["flush", "two", "four"])
    rows = {"flush": [], "two": [(0.55, 0.7), (1.4, 0.8)], "four": [(0.5, 0.65), (1.4, 0.85)]}[kind]
    columns = [0] if kind == "two" else [-0.19, 0.19]
    for level, tall in rows:
        for column in columns:
            wide = 0.56 if kind == "two" else 0.28
            box((wide, 0.016, tall), (x + column, -0.018, level), leaf, 0.012, 3)
    handle = any_metal("steel", "brass", "black")
    side = stage.random.choice([-1, 1])
    grip = x + side * (width / 2 - 0.07)
    rod((grip, -0.02, 1.03), (grip, -0.07, 1.03), 0.01, handle)
    rod((grip + side * 0.01, -0.07, 1.03), (grip - side * 0.12, -0.07, 1.03), 0.009, handle)


def socket(x, height=0.3):
    """A wall socket or switch."""
    plate = paint(hexadecimal("e8e6e0"), 0.35)
    count = stage.random.choice([1, 2, 2])
    for i in range(count):
        box((0.08, 0.012, 0.08), (x + 0.081 * i, -0.005, height), plate, 0.004)
        cylinder(
            0.02,
            0.004,
            (x + 0.081 * i, -0.011, height),
            paint(hexadecimal("d5d2ca"), 0.4),
            rotation=(math.pi / 2, 0, 0),
        )


def accent_wall(style):
    """Material of the back wall where it differs from the others."""
    if style == "loft":
        return stage.random.choice([bricks, bricks, concrete, painted_bricks])()
    return stage.random.choice(
        [wallpaper, plaster, plaster, painted_bricks, lambda: panelling_paint()]
    )()


def painted_bricks():
    """A brick wall painted over in one colour."""
    material = bricks()
    tree = material.node_tree
    principled = next(node for node in tree.nodes if node.type == "BSDF_PRINCIPLED")
    socket_in = principled.inputs["Base Color"]
    mixed = tree.nodes.new("ShaderNodeMix")
    mixed.data_type = "RGBA"
    mixed.inputs[0].default_value = 0.9
    tree.links.new(socket_in.links[0].from_socket, mixed.inputs[6])
    mixed.inputs[7].default_value = wall_color()
    tree.links.new(mixed.outputs[2], socket_in)
    return material


def panelling_paint():
    """Vertical tongue-and-groove boards, painted."""
    color = wall_color()
    shader = Shader("panelling")
    x, _, _ = shader.separate(shader.object_coordinates)
    groove = shader.math("MODULO", shader.math("ADD", x, 40.0), 0.11)
    line = shader.ramp(groove, [(0.0, (0, 0, 0)), (0.008, (1, 1, 1)), (0.102, (1, 1, 1))])
    shader.set(color=shader.mix(line, scaled(color, 0.55), color), roughness=0.55)
    return shader.bump(line, 0.7, 0.005).material


def floor_material(style="home"):
    """Planks mostly; tiles, carpet or concrete where they fit."""
    choices = [planks] * 5 + [tiles, carpet]
    if style == "kitchen":
        choices = [planks, planks, tiles, tiles, chequered, concrete]
    elif style == "loft":
        choices = [planks, planks, concrete]
    elif style == "hall":
        choices = [planks, planks, tiles, chequered, tiles]
    return stage.random.choice(choices)()


def carpet():
    """Wall-to-wall carpet in a quiet colour."""
    code = stage.random.choice("b5aa9a 8f8a84 6d7276 a39684 5f6a6e 9a8577".split())
    return fabric(hexadecimal(code), "melange", 0.4)


def chequered():
    """Floor tiles in two colours."""
    first = hexadecimal(stage.random.choice("e4dfd4 d9d3c6".split()))
    second = hexadecimal(stage.random.choice("3a3a3a 6b6f70 8a5a45 55666b".split()))
    shader = Shader("chequered")
    shader.mapping.inputs["Rotation"].default_value = (0, 0, stage.random.choice([0, 0.785]))
    checker = shader.node("TexChecker")
    checker.inputs["Scale"].default_value = 1 / stage.random.uniform(0.2, 0.35)
    shader.link(shader.coordinates, checker.inputs["Vector"])
    worn = shader.map_range(shader.noise(4, 6), 0.4, 0.7, 0, 0.3)
    base = shader.mix(checker.outputs[1], first, second)
    shader.set(color=shader.mix(worn, base, blended(first, second, 0.5)), roughness=0.25)
    return shader.material


def build(
    width,
    depth,
    height=None,
    windows=("left",),
    style="home",
    opening=None,
    dressing=None,
    doors=0.35,
    back_wall=None,
    sill_depth=0.22,
):
    """Build a room and return it.

    windows names the walls that have one; opening can fix (x along the wall, sill height, width,
    height) of the window in the back wall.
    """
    uniform = stage.random.uniform
    height = height or uniform(2.45, 2.75)
    middle = (depth - BEHIND) / 2
    span = (width + 1, depth + BEHIND + 1, 0.1)
    box(span, (0, middle, -0.05), floor_material(style), 0)
    ceiling = (
        paint(hexadecimal("e9e7e1"), 0.9) if style != "loft" or stage.chance(0.5) else concrete()
    )
    box(span, (0, middle, height + 0.05), ceiling, 0)
    base = stage.random.choice([wallpaper] + [plaster] * 5)()
    if style == "loft":
        base = stage.random.choice([plaster, concrete, lambda: plaster(hexadecimal("e6e3dc"))])()
    back = back_wall or (
        accent_wall(style) if stage.chance(0.35 if style == "home" else 0.6) else base
    )
    skirting = stage.random.choice([white_paint, white_paint, lambda: wood(0)])()
    skirting_height = stage.random.choice([0.06, 0.09, 0.12])
    cornice = paint(hexadecimal("ece9e2"), 0.8) if stage.chance(0.3) else None
    made = []
    for side in ("back", "left", "right"):
        origin, rotation, length = _wall_frame(side, width, depth)
        material = back if side == "back" else base
        with stage.group(origin, rotation):
            hole = _window_hole(side, width, depth, height, opening) if side in windows else None
            wall(length, height, material, hole)
            if hole:
                x, z, wide, tall = hole
                window_frame(*hole, sill_depth=sill_depth)
                window_dressing(x, z, wide, tall, dressing)
                turned = Matrix.Rotation(rotation, 3, "Z") @ Vector((x, 0, z))
                centre = tuple(Vector(origin) + turned)
                made.append(Window(side, centre, wide, tall, z - tall / 2))
            elif side != "back" and stage.chance(doors):
                along = (depth - uniform(0.7, depth * 0.5)) - middle
                door(along if side == "left" else -along)
            if not (hole and hole[1] - hole[3] / 2 < 0.2):
                box(
                    (length, 0.016, skirting_height),
                    (0, -0.008, skirting_height / 2),
                    skirting,
                    0.004,
                )
            if cornice:
                box((length, 0.06, 0.06), (0, -0.03, height - 0.03), cornice, 0.02, 3)
            if side == "back" and stage.chance(0.4):
                socket(uniform(-width / 2 + 0.3, width / 2 - 0.4), stage.random.choice([0.3, 1.1]))
    return Room(width, depth, height, made, skirting)


def _window_hole(side, width, depth, height, opening):
    """(x, z, width, height) of a window, in the frame of its wall."""
    uniform = stage.random.uniform
    if side == "back" and opening:
        x, sill, wide, tall = opening
        return x, sill + tall / 2, wide, tall
    balcony = stage.chance(0.18)
    wide = (
        uniform(0.8, 1.1)
        if balcony
        else stage.random.choice([uniform(0.9, 1.3), uniform(1.3, 2.1)])
    )
    sill = 0.06 if balcony else uniform(0.75, 1.0)
    tall = 2.1 - sill if balcony else min(uniform(1.0, 1.5), height - sill - 0.25)
    if side == "back":
        limit = max(0.05, width / 2 - wide / 2 - 0.3)
        return uniform(-limit, limit), sill + tall / 2, wide, tall
    place = depth - uniform(wide / 2 + 0.5, max(wide / 2 + 0.6, depth - 1.2))
    along = place - (depth - BEHIND) / 2
    return (along if side == "left" else -along), sill + tall / 2, wide, tall
