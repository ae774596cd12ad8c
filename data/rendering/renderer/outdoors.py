"""Things outside the house, all unlabelled: grounds, house fronts, fences, hedges, perches.

Walls, fences and hedges run along x through `location`, face -y and have their back at +y.
"""

import math

import bpy
import numpy as np
from mathutils import Vector

from . import organic, stage
from .geometry import ball, box, cylinder, lathe, rod, tube
from .materials import (
    Shader,
    any_metal,
    asphalt,
    bricks,
    concrete,
    gravel,
    hexadecimal,
    hsv,
    leaf,
    metal,
    natural_color,
    paint,
    paving,
    planks,
    plastic,
    render_wall,
    rusty,
    scaled,
    soil,
    terracotta,
    tiles,
    vary,
    weathered_wood,
    window_pane,
    wood,
)
from .plants import PETALS, Foliage, blade, placed


def _between(low, high):
    return stage.random.uniform(low, high)


def _choose(*options):
    return stage.random.choice(options)


def _chance(probability):
    return stage.random.random() < probability


def _leaf_green():
    return hsv(_between(0.20, 0.33), _between(0.40, 0.62), _between(0.26, 0.42))


def _outdoor_paint():
    """Lacquer for doors, shutters and fences: weathered greens, blues, browns, greys, white."""
    codes = "e6e2d6 d9d4c5 5f6f5a 3f5246 4a5f6e 6f8390 7a3a30 6b5138 4a3a2c 8f8a7d 2f3a33 a39a86"
    return paint(vary(hexadecimal(_choose(*codes.split()))), 0.55, variation=0.15, bump=0.15)


# ---------------------------------------------------------------------------- grounds


def lawn_material():
    """Short grass seen from a distance: green with dry and bare patches."""
    shader = Shader("lawn")
    color = _leaf_green()
    blades = shader.noise(90, 4, 0.8)
    tone = shader.mix(blades, scaled(color, 0.45), scaled(color, 1.25))
    dry = shader.map_range(shader.noise(2.2, 5), 0.48, 0.72, 0, 0.55)
    shader.set(color=shader.mix(dry, tone, hexadecimal("8f8257")), roughness=0.95)
    return shader.bump(blades, 0.8, 0.02).material


GROUNDS = ("paving", "asphalt", "gravel", "lawn", "deck", "concrete", "soil")


def ground(kind=None, width=16, depth=16, location=(0, 2, 0)):
    """A flat ground whose top is at z = 0: one of GROUNDS. Returns the kind."""
    kind = kind or stage.random.choice(GROUNDS)
    makers = {
        "paving": paving,
        "asphalt": asphalt,
        "gravel": gravel,
        "lawn": lawn_material,
        "deck": planks,
        "concrete": concrete,
        "soil": soil,
    }
    with stage.background():
        x, y, z = location
        box((width, depth, 0.1), (x, y, z - 0.05), makers[kind](), 0)
    return kind


def grass(location=(0, 1, 0), width=3.0, depth=3.0, height=0.05, count=14000):
    """Blades of grass over a lawn (hair curves, not in the mask)."""
    generator = organic.random_generator()
    x = generator.uniform(-width / 2, width / 2, count) + location[0]
    y = generator.uniform(-depth / 2, depth / 2, count) + location[1]
    root = np.stack([x, y, np.full(count, location[2])], 1)
    patch = 0.65 + 0.5 * organic.noise(root, 2.5, 3)
    tall = height * generator.uniform(0.5, 1.2, count) * patch
    lean = generator.normal(0, 0.35, (count, 3))
    lean[:, 2] = 0
    points = [
        root + np.array((0, 0, 1)) * (tall * t)[:, None] + lean * (tall * t * t)[:, None]
        for t in (0, 0.5, 1)
    ]
    curves = bpy.data.hair_curves.new("grass")
    curves.add_curves([3] * count)
    curves.attributes["position"].data.foreach_set(
        "vector", np.stack(points, 1).astype(np.float32).ravel()
    )
    widths = curves.attributes.get("radius") or curves.attributes.new("radius", "FLOAT", "POINT")
    widths.data.foreach_set("value", np.tile(np.float32((0.0016, 0.0013, 0.0003)), count))
    colors = np.ones((count, 4), np.float32)
    base = np.array(_leaf_green()[:3])
    shade = base * generator.uniform(0.7, 1.3, (count, 1))
    dry = generator.random(count) < 0.12
    shade[dry] = np.array((0.32, 0.26, 0.13))
    colors[:, :3] = np.clip(shade, 0, 1)
    curves.attributes.new("tint", "FLOAT_COLOR", "CURVE").data.foreach_set("color", colors.ravel())
    with stage.background():
        blades = stage.add(
            bpy.data.objects.new("grass", curves), organic.painted(0.6, strands=True)
        )
        blades["hidden_in_mask"] = 1


def fallen_leaves(location=(0, 1, 0), radius=1.2, count=60):
    """Autumn leaves scattered over the ground."""
    codes = ("a8642a", "8a4a22", "b98a3a", "6f4a2a", "94702f", "7a3a22")
    with stage.background():
        for code in stage.random.sample(codes, 3):
            material = leaf(hexadecimal(code), 0.7)
            foliage = Foliage(lambda material=material: material, 1)
            for _ in range(count // 3):
                out, angle = radius * math.sqrt(_between(0, 1)), _between(0, 6.28)
                size = _between(0.035, 0.075)
                points = blade(
                    size, size * 0.7, _between(-0.9, 0.9), "oval", _between(-0.2, 0.4), 0.03
                )
                place = Vector(location) + Vector(
                    (out * math.cos(angle), out * math.sin(angle), 0.008)
                )
                foliage.add(
                    placed(
                        points, place, _between(0, 6.28), _between(-0.1, 0.25), _between(-0.3, 0.3)
                    )
                )
            foliage.finish()


def kerb(location=(0, 0, 0), rotation=0.0, length=8.0, height=0.12):
    """Kerb stones in a row; the road lies on the -y side."""
    with stage.background(), stage.group(location, rotation):
        stone = concrete()
        for i in range(int(length)):
            box(
                (0.992, 0.14, height + 0.1),
                (i - length / 2 + 0.5, 0.07, height / 2 - 0.05),
                stone,
                0.015,
                3,
            )


def steps(location, rotation=0.0, width=1.4, count=3, rise=0.16, tread=0.30):
    """Stone steps that climb towards +y; returns the height of the top step."""
    with stage.background(), stage.group(location, rotation):
        stone = _choose(concrete, paving)()
        for i in range(count):
            deep = tread * (count - i)
            box((width, deep, rise), (0, tread * i + deep / 2, rise * (i + 0.5)), stone, 0.012, 2)
    return rise * count


# ---------------------------------------------------------------------------- house fronts


def _dark_room():
    """What one sees through a window by day: hardly anything."""
    return paint((0.022, 0.021, 0.020, 1), 0.6, variation=0.6)


def window(location, rotation=0.0, width=1.0, height=1.2, shutters=None, bars=None, sill=True):
    """A window on a wall; location is the middle of its lower edge, on the wall's surface."""
    shutters = _chance(0.35) if shutters is None else shutters
    bars = _choose(0, 1, 1, 2) if bars is None else bars
    with stage.background(), stage.group(location, rotation):
        frame = (
            _outdoor_paint() if _chance(0.4) else paint(hexadecimal("e8e5db"), 0.45, variation=0.08)
        )
        # the wall has no hole: a dark room is painted on it, the glass lies in front
        box((width, 0.004, height), (0, -0.001, height / 2), _dark_room(), 0)
        box((width, 0.004, height), (0, -0.022, height / 2), window_pane(), 0)
        bar = 0.06
        for side in (-1, 1):
            box((bar, 0.07, height), (side * (width - bar) / 2, -0.01, height / 2), frame, 0.006)
            box(
                (width, 0.07, bar), (0, -0.01, height / 2 + side * (height - bar) / 2), frame, 0.006
            )
        for i in range(bars):
            box(
                (bar * 0.8, 0.06, height),
                (width * ((i + 1) / (bars + 1) - 0.5), -0.01, height / 2),
                frame,
                0.005,
            )
        if _chance(0.5):
            box((width, 0.05, bar * 0.6), (0, -0.01, height * _between(0.55, 0.72)), frame, 0.005)
        if _chance(0.5):  # curtains or a blind behind the glass
            cloth = paint(natural_color(0.05), 0.9)
            if _chance(0.5):
                for side in (-1, 1):
                    box(
                        (width * 0.24, 0.006, height - 0.1),
                        (side * width * 0.35, -0.008, height / 2),
                        cloth,
                        0,
                    )
            else:
                drop = height * _between(0.2, 0.6)
                box((width - 0.1, 0.006, drop), (0, -0.008, height - 0.05 - drop / 2), cloth, 0)
        if sill:
            stone = _choose(concrete, terracotta)()
            box((width + 0.16, 0.18, 0.05), (0, -0.05, -0.03), stone, 0.01)
        if shutters:
            panel = _outdoor_paint()
            half = width / 2
            for side in (-1, 1):
                x = side * (half + half / 2 + 0.02)
                box((half, 0.035, height), (x, -0.03, height / 2), panel, 0.006)
                slats = int(height / 0.07)
                for i in range(slats):
                    z = 0.05 + (height - 0.1) * (i + 0.5) / slats
                    box(
                        (half - 0.1, 0.02, 0.05), (x, -0.052, z), panel, 0.004, rotation=(0.5, 0, 0)
                    )


def door(location, rotation=0.0, width=0.95, height=2.05):
    """A front door with panels or glass, frame, handle, letter slot and door step."""
    with stage.background(), stage.group(location, rotation):
        lacquer = _outdoor_paint() if _chance(0.7) else wood(2)
        frame = _choose(lacquer, paint(hexadecimal("e4e0d5"), 0.45))
        brass = any_metal("brass", "black", "steel")
        box((width, 0.05, height), (0, 0.01, height / 2), lacquer, 0.004)
        for side in (-1, 1):
            box(
                (0.09, 0.10, height + 0.09),
                (side * (width / 2 + 0.045), -0.01, height / 2 + 0.045),
                frame,
                0.008,
            )
        box((width + 0.18, 0.10, 0.09), (0, -0.01, height + 0.045), frame, 0.008)
        rows = _choose(2, 3)
        glazed = _chance(0.5)
        for row in range(rows):
            tall = (height - 0.25) / rows - 0.10
            z = 0.18 + (height - 0.25) * (row + 0.5) / rows
            top = row == rows - 1
            for side in (-1, 1):
                inner = window_pane() if glazed and top else lacquer
                box((width * 0.36, 0.02, tall), (side * width * 0.22, -0.022, z), inner, 0.008, 3)
        box((0.022, 0.06, 0.14), (width / 2 - 0.09, -0.05, 1.02), brass, 0.008)
        box((0.24, 0.02, 0.05), (0, -0.03, height * 0.46), brass, 0.006)
        if _chance(0.7):
            box((width + 0.3, 0.34, 0.10), (0, -0.17, 0.05), concrete(), 0.012)


def drainpipe(location, rotation=0.0, height=4.0):
    """A rain pipe with clamps on a wall."""
    with stage.background(), stage.group(location, rotation):
        zinc = _choose(
            metal(hexadecimal("8d9291"), 0.5), paint(hexadecimal("6b6f6c"), 0.5), rusty()
        )
        rod((0, -0.07, 0.12), (0, -0.07, height), 0.042, zinc)
        tube([(0, -0.07, 0.2), (0, -0.08, 0.1), (0, -0.17, 0.045)], 0.042, zinc)
        for z in np.arange(0.5, height, 1.2):
            rod((0, -0.07, z), (0, -0.07, z + 0.04), 0.050, zinc)


def _siding():
    """A material for a timbered wall, which `facade` lays as boards."""
    return weathered_wood(0) if _chance(0.5) else _outdoor_paint()


WALLS = ("brick", "render", "render", "boards", "tiles", "concrete")


def wall(location, rotation=0.0, width=9.0, height=4.0, kind=None):
    """A bare house wall, its surface at y = 0; kinds: see WALLS. Returns the kind."""
    kind = kind or stage.random.choice(WALLS)
    with stage.background(), stage.group(location, rotation):
        if kind == "boards":
            board = _siding()
            step = _between(0.12, 0.2)
            for i in range(int(height / step)):
                box(
                    (width, 0.03, step * 1.1),
                    (0, 0.02, step * (i + 0.5)),
                    board,
                    0.003,
                    rotation=(-0.08, 0, 0),
                )
            return kind
        materials = {
            "brick": bricks,
            "render": render_wall,
            "tiles": lambda: tiles(_between(0.10, 0.20), vertical=True),
            "concrete": concrete,
        }
        box((width, 0.2, height), (0, 0.1, height / 2), materials[kind](), 0)
        if kind in ("brick", "render") and _chance(0.6):  # plinth
            base = _choose(concrete, render_wall)()
            box((width, 0.03, _between(0.2, 0.5)), (0, -0.012, 0.15), base, 0.008)
    return kind


def shop_front(location, rotation=0.0, width=2.6):
    """A shop window with a stall riser, pillars, a fascia above, perhaps an awning."""
    with stage.background(), stage.group(location, rotation):
        lacquer = _outdoor_paint()
        glass = window_pane()
        riser = _between(0.35, 0.6)
        box((width, 0.06, riser), (0, -0.01, riser / 2), lacquer, 0.008)
        for i in range(3):
            box(
                (width / 3 - 0.12, 0.02, riser - 0.16),
                ((i - 1) * width / 3, -0.045, riser / 2),
                lacquer,
                0.008,
                3,
            )
        box((width, 0.004, 1.6), (0, -0.001, riser + 0.8), _dark_room(), 0)
        for i in range(_choose(0, 3, 5)):  # goods in the window
            tall = _between(0.15, 0.7)
            x = (i - 2) * width / 6
            goods = paint(natural_color(0.3), 0.6)
            box((_between(0.15, 0.4), 0.006, tall), (x, -0.006, riser + tall / 2), goods, 0)
        box((width, 0.004, 1.6), (0, -0.022, riser + 0.8), glass, 0)
        for x in np.linspace(-width / 2, width / 2, _choose(2, 3, 4)):
            box((0.08, 0.10, 2.4), (x, -0.02, 1.2), lacquer, 0.01)
        box((width + 0.15, 0.14, 0.42), (0, -0.04, riser + 1.82), lacquer, 0.01)
        sign = paint(hexadecimal(_choose("e3d9bf", "d8c890", "efeae0", "1f2a26")), 0.5)
        for i in range(stage.random.randint(5, 9)):  # letters, too small to be read
            box(
                (_between(0.06, 0.12), 0.02, 0.16),
                ((i - 3.5) * 0.17, -0.115, riser + 1.82),
                sign,
                0.01,
            )
        if _chance(0.45):
            cloth = paint(natural_color(0.4), 0.8)
            white = paint(hexadecimal("dcd6c8"), 0.8)
            for i in range(12):
                box(
                    (width / 12, 0.95, 0.012),
                    ((i - 5.5) * width / 12, -0.48, riser + 2.28),
                    (cloth, white)[i % 2],
                    0.002,
                    rotation=(0.5, 0, 0),
                )


def facade(location, rotation=0.0, width=9.0, height=4.0, kind=None):
    """A house or shop front: wall, door and windows, or a shop window, with pipe and ivy."""
    wall(location, rotation, width, height, kind)
    with stage.background(), stage.group(location, rotation):
        if _chance(0.3):
            shop_front((_between(-0.6, 0.6), 0, 0), 0, _between(2.2, 3.2))
        else:
            spots = [-1.9, 0.0, 1.9]
            stage.random.shuffle(spots)
            shift = _between(-0.4, 0.4)
            if _chance(0.65):
                door((spots.pop() + shift, 0, 0))
            style = dict(shutters=_chance(0.4), bars=_choose(0, 1, 1, 2))
            wide, tall, low = _between(0.8, 1.15), _between(1.0, 1.4), _between(0.85, 1.1)
            for x in spots[: _choose(1, 2, 3)]:
                window((x + shift, 0, low), 0, wide, tall, **style)
        if _chance(0.5):
            drainpipe((_between(-2.6, 2.6), 0, 0), 0, height)
        if _chance(0.25):
            ivy(
                (_choose(-1, 1) * _between(1.2, 2.6), -0.02, 0),
                0,
                _between(0.8, 1.6),
                _between(1.2, 2.6),
            )
        if _chance(0.35):
            wall_lamp((_between(-1.5, 1.5), 0, _between(1.9, 2.2)))
        if _chance(0.3):
            sign_plate((_between(-2.0, 2.0), 0, _between(1.4, 1.8)))


def wall_lamp(location, rotation=0.0):
    """A lantern on a bracket."""
    with stage.background(), stage.group(location, rotation):
        iron = metal(hexadecimal("232323"), 0.5)
        tube([(0, 0, 0), (0, -0.10, 0.06), (0, -0.18, 0.02)], 0.010, iron)
        lathe([(0.0, 0.02), (0.07, -0.02), (0.075, -0.03)], iron, (0, -0.18, 0), 6)
        lathe(
            [(0.05, -0.20), (0.068, -0.03)],
            paint(hexadecimal("e3dfcf"), 0.2, coat=0.6),
            (0, -0.18, 0),
            6,
        )
        lathe([(0.0, -0.22), (0.055, -0.20)], iron, (0, -0.18, 0), 6)


def sign_plate(location, rotation=0.0):
    """A house number or a small enamel sign."""
    with stage.background(), stage.group(location, rotation):
        width, height = _choose((0.16, 0.16), (0.22, 0.15), (0.35, 0.24))
        base = paint(hexadecimal(_choose("1f3f6f", "e8e4d8", "26382d", "7a2a22")), 0.25, coat=0.5)
        box((width, 0.008, height), (0, -0.006, 0), base, 0.003)
        mark = paint(hexadecimal("d8d2c0"), 0.4)
        for i in (-1, 1):
            box((width * 0.16, 0.004, height * 0.5), (i * width * 0.16, -0.011, 0), mark, 0.004)


def leaf_cloud(places, yaws, rises, sizes, color, slim=0.55, outline="oval", roughness=0.5):
    """Many leaves in four meshes: arrays of places (n, 3), directions and sizes."""
    material = leaf(color, roughness)
    generator = organic.random_generator()
    count = len(places)
    bank = [
        blade(1.0, slim, bend, outline, 0.25, rows=5, columns=3) for bend in (0.1, 0.4, 0.7, 1.0)
    ]
    rolls = generator.uniform(-0.6, 0.6, count)
    cy, sy, cr, sr = np.cos(yaws), np.sin(yaws), np.cos(rises), np.sin(rises)
    ahead = np.stack([cr * cy, cr * sy, sr], 1)
    left = np.stack([-sy, cy, 0 * cy], 1)
    above = np.cross(ahead, left)
    side = left * np.cos(rolls)[:, None] + above * np.sin(rolls)[:, None]
    top = np.cross(ahead, side)
    frames = np.stack([ahead, side, top], 1) * np.asarray(sizes)[:, None, None]
    for part, form in enumerate(bank):
        chosen = slice(part, count, len(bank))
        rows, columns = form.shape[:2]
        points = form.reshape(-1, 3) @ frames[chosen] + np.asarray(places)[chosen, None]
        index = np.arange(rows * columns).reshape(rows, columns)
        quads = np.stack([index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]], -1)
        offsets = (np.arange(len(points)) * rows * columns)[:, None, None]
        faces = quads.reshape(1, -1, 4) + offsets
        mesh = bpy.data.meshes.new("leaves")
        mesh.from_pydata(points.reshape(-1, 3).tolist(), [], faces.reshape(-1, 4).tolist())
        mesh.polygons.foreach_set("use_smooth", [True] * len(mesh.polygons))
        stage.add(bpy.data.objects.new("leaves", mesh), material)


def ivy(location, rotation=0.0, width=1.2, height=2.0, density=420):
    """Ivy or a climber spread over a wall, thinning out at the edges."""
    color = _leaf_green()
    with stage.background(), stage.group(location, rotation):
        generator = organic.random_generator()
        count = int(density * width * height)
        t = generator.random(count) ** 1.4
        x = generator.uniform(-0.5, 0.5, count) * width * (1 - 0.7 * t)
        x = x + 0.25 * width * np.sin(t * 5)
        places = np.stack([x, -generator.uniform(0.01, 0.09, count), t * height], 1)
        yaws = -math.pi / 2 + generator.uniform(-0.9, 0.9, count)
        rises = generator.uniform(-1.4, -0.2, count)
        leaf_cloud(
            places, yaws, rises, generator.uniform(0.05, 0.10, count), color, 0.9, "heart", 0.4
        )
        stem = paint(hexadecimal("5f5040"), 0.9)
        for _ in range(4):
            x = _between(-0.3, 0.3) * width
            tube(
                [(x, 0, 0), (x * 0.8 + 0.05, 0, height * 0.4), (x * 0.5, 0, height * 0.8)],
                0.008,
                stem,
            )


# ---------------------------------------------------------------------------- borders


def fence(location, rotation=0.0, length=6.0, height=1.0, kind=None):
    """A fence: pickets, boards, slats, wire or split logs. Returns the height of its top."""
    kind = kind or _choose("pickets", "boards", "slats", "wire", "logs")
    with stage.background(), stage.group(location, rotation):
        timber = _choose(weathered_wood(2), weathered_wood(2), _outdoor_paint())
        for x in np.arange(-length / 2, length / 2 + 0.01, 2.0):
            box((0.09, 0.09, height), (x, 0.06, height / 2), timber, 0.008)
        if kind in ("pickets", "boards"):
            gap, wide = (0.12, 0.075) if kind == "pickets" else (0.155, 0.145)
            for x in np.arange(-length / 2, length / 2, gap):
                tall = height * _between(0.985, 1.015)
                box(
                    (wide, 0.02, tall),
                    (x, 0, tall / 2 + 0.03),
                    timber,
                    0.006,
                    rotation=(0, _between(-0.01, 0.01), 0),
                )
            for z in (0.25, height - 0.2):
                box((length, 0.035, 0.08), (0, 0.03, z), timber, 0.006)
        elif kind == "slats":
            timber = weathered_wood(0)
            for z in np.arange(0.08, height, 0.125):
                box((length, 0.022, 0.105), (0, 0.0, z), timber, 0.005)
        elif kind == "logs":
            timber = weathered_wood(0)
            for z in (height * 0.35, height * 0.68, height * 0.95):
                rod(
                    (-length / 2, 0, z + _between(-0.03, 0.03)),
                    (length / 2, 0, z + _between(-0.03, 0.03)),
                    0.045,
                    timber,
                )
        else:
            wire = metal(hexadecimal(_choose("6f7673", "3f5a46", "2a2a2a")), 0.5)
            for x in np.arange(-length / 2, length / 2, 0.10):
                rod((x, 0, 0.04), (x, 0, height), 0.0035, wire)
            for z in np.arange(0.05, height + 0.01, 0.20):
                rod((-length / 2, 0, z), (length / 2, 0, z), 0.0045, wire)
    return height


def railing(location, rotation=0.0, length=4.0, height=1.0, kind=None):
    """A balcony railing of iron bars, glass or timber; returns the height of the hand rail."""
    kind = kind or _choose("iron", "iron", "timber", "cable")
    with stage.background(), stage.group(location, rotation):
        if kind == "timber":
            material, rail = weathered_wood(2), weathered_wood(0)
            box((length, 0.09, 0.045), (0, 0, height - 0.0225), rail, 0.010, 3)
            box((length, 0.05, 0.06), (0, 0, 0.12), rail, 0.008)
            for x in np.arange(-length / 2 + 0.06, length / 2, 0.13):
                box((0.04, 0.03, height - 0.15), (x, 0, height / 2 + 0.03), material, 0.005)
        else:
            iron = _choose(
                metal(hexadecimal("232423"), 0.5), rusty(), any_metal("aluminium"), _outdoor_paint()
            )
            rod((-length / 2, 0, height - 0.022), (length / 2, 0, height - 0.022), 0.022, iron)
            for x in np.arange(-length / 2, length / 2 + 0.01, 1.3):
                box((0.045, 0.045, height - 0.03), (x, 0, (height - 0.03) / 2), iron, 0.005)
            if kind == "iron":
                rod((-length / 2, 0, 0.10), (length / 2, 0, 0.10), 0.013, iron)
                for x in np.arange(-length / 2, length / 2, 0.115):
                    rod((x, 0, 0.10), (x, 0, height - 0.02), 0.0075, iron)
            else:
                for z in np.arange(0.15, height - 0.08, 0.13):
                    rod((-length / 2, 0, z), (length / 2, 0, z), 0.005, iron)
    return height


def low_wall(location, rotation=0.0, length=5.0, height=0.8, depth=0.28):
    """A garden wall with coping stones; returns the height of its top."""
    with stage.background(), stage.group(location, rotation):
        body = _choose(bricks, render_wall, concrete, paving)()
        box((length, depth, height - 0.06), (0, depth / 2, (height - 0.06) / 2), body, 0.01)
        coping = _choose(concrete, terracotta, paving)()
        pieces = int(length / 0.5)
        for i in range(pieces):
            x = (i + 0.5) * length / pieces - length / 2
            box(
                (length / pieces - 0.006, depth + 0.08, 0.06),
                (x, depth / 2, height - 0.03),
                coping,
                0.012,
                3,
                rotation=(0, 0, _between(-0.01, 0.01)),
            )
    return height


def hedge(location, rotation=0.0, length=6.0, height=1.5, depth=0.7, density=430):
    """A clipped hedge: a dark core under a coat of leaves, `density` leaves a square metre."""
    color = _leaf_green()
    with stage.background(), stage.group(location, rotation):
        core = (length - 0.1, depth - 0.12, height - 0.06)
        shadow = paint(scaled(color, 0.30), 0.95, variation=0.5)
        box(core, (0, depth / 2 + 0.04, height / 2 - 0.03), shadow, 0.05)
        generator = organic.random_generator()
        count = int(density * length * (height + 0.7 * depth))
        x = generator.uniform(-0.5, 0.5, count) * length
        bump = 0.04 * np.sin(x * 5) + 0.03 * np.sin(x * 13 + 1) + generator.normal(0, 0.02, count)
        front = generator.random(count) < height / (height + 0.7 * depth)
        y = np.where(front, bump - 0.01, generator.uniform(0, depth, count))
        z = np.where(front, generator.uniform(0, height, count), height + bump)
        yaws = np.where(front, -math.pi / 2, generator.uniform(0, 6.28, count))
        yaws = yaws + generator.uniform(-1.1, 1.1, count)
        rises = np.where(
            front, generator.uniform(-0.8, 0.5, count), generator.uniform(0.1, 1.1, count)
        )
        sizes = generator.uniform(0.06, 0.11, count)
        leaf_cloud(np.stack([x, y, np.maximum(z, 0.01)], 1), yaws, rises, sizes, color)


def shrub(location, size=0.8, leaves=1500, flowers=None):
    """A round bush growing in the ground, `size` metres wide."""
    color = _leaf_green()
    flowers = _chance(0.3) if flowers is None else flowers
    with stage.background(), stage.group(location, _between(0, 6.28)):
        shadow = paint(scaled(color, 0.30), 0.95, variation=0.5)
        ball(size * 0.34, (0, 0, size * 0.42), shadow, (1, 1, 1.0))
        generator = organic.random_generator()
        aim = generator.normal(0, 1, (leaves, 3)) + np.array((0, 0, 0.25))
        aim /= np.linalg.norm(aim, axis=1, keepdims=True)
        lump = 1 + 0.16 * np.sin(aim[:, 0] * 7 + aim[:, 2] * 5) + 0.12 * np.sin(aim[:, 1] * 9)
        out = size * 0.5 * lump * generator.uniform(0.68, 1.02, leaves)
        places = aim * out[:, None] + np.array((0, 0, size * 0.46))
        places[:, 2] = np.maximum(places[:, 2], 0.01)
        yaws = np.arctan2(aim[:, 1], aim[:, 0]) + generator.uniform(-0.8, 0.8, leaves)
        rises = generator.uniform(-0.6, 0.9, leaves)
        sizes = generator.uniform(0.06, 0.10, leaves) * max(1.0, size)
        leaf_cloud(places, yaws, rises, sizes, color)
        if flowers:
            petal = paint(hexadecimal(_choose(*PETALS)), 0.6)
            blossom = Foliage(lambda: petal, 1)
            for place, way in zip(places[::12], aim[::12], strict=True):
                for k in range(5):
                    points = blade(0.026, 0.024, -0.3, "round", 0, rows=4, columns=3)
                    blossom.add(placed(points, place + way * 0.04, k * 1.257, 0.5))
            blossom.finish()


def tree_trunk(location, height=4.0, radius=0.16):
    """The lower part of a tree."""
    with stage.background(), stage.group(location, _between(0, 6.28)):
        bark = paint(
            hexadecimal(_choose("6b5a48", "7d7365", "57483a")), 0.95, bump=0.9, bump_scale=18
        )
        tube(
            [(0, 0, -0.05), (0.02, 0.03, height * 0.3), (0.06, -0.02, height)],
            radius,
            bark,
            radii=[1.3, 1.0, 0.8],
        )


def tree_line(distance=8.0, width=16.0):
    """Bushes and trunks far behind, as a backdrop."""
    x = -width / 2
    while x < width / 2:
        size = _between(1.4, 3.4)
        shrub((x, distance + _between(0, 2), 0), size, 1300, False)
        if _chance(0.3):
            tree_trunk(
                (x + _between(-0.5, 0.5), distance - _between(0.2, 1.0), 0),
                5.0,
                _between(0.1, 0.25),
            )
        x += size * _between(0.45, 0.75)


def flower_bed(location, rotation=0.0, length=2.4, depth=0.6):
    """A strip of soil with low flowers and greenery, edged with stones."""
    with stage.background(), stage.group(location, rotation):
        box((length, depth, 0.05), (0, depth / 2, 0.015), soil(), 0.02)
        edge = _choose(concrete, bricks, weathered_wood)()
        for i in range(int(length / 0.2)):
            box((0.19, 0.07, 0.09), (-length / 2 + 0.1 + 0.2 * i, -0.01, 0.03), edge, 0.015)
        _planting(
            (-length / 2, length / 2), (0.06, depth - 0.04), 0.03, int(46 * length * depth / 0.6)
        )


def _planting(x_range, y_range, level, count):
    """Tufts of leaves, some with a flower on top."""
    greens = Foliage(lambda: leaf(_leaf_green(), 0.5), 4)
    blossoms = []
    for code in stage.random.sample(PETALS, 2):
        material = paint(hexadecimal(code), 0.6)
        blossoms.append(Foliage(lambda material=material: material, 1))
    for _ in range(count):
        place = Vector((_between(*x_range), _between(*y_range), level))
        tall = _between(0.06, 0.24)
        for k in range(11):
            length = tall * _between(0.6, 1.1)
            points = blade(
                length,
                max(0.02, length * 0.2),
                _between(0.2, 1.2),
                _choose("lance", "oval"),
                0.3,
                rows=6,
                columns=3,
            )
            greens.add(placed(points, place, k * 2.4, _between(0.4, 1.4)))
        if _chance(0.45):
            bunch = stage.random.choice(blossoms)
            for _ in range(3):
                tip = place + Vector(
                    (_between(-0.04, 0.04), _between(-0.04, 0.04), tall * _between(0.8, 1.2))
                )
                for k in range(6):
                    points = blade(0.022, 0.020, -0.3, "round", 0, rows=4, columns=3)
                    bunch.add(placed(points, tip, k * 1.05, 0.3))
    greens.finish()
    for bunch in blossoms:
        bunch.finish()


def planter_box(location, rotation=0.0, length=0.9):
    """A timber, zinc or concrete trough, planted; part of the street, hence unlabelled."""
    with stage.background(), stage.group(location, rotation):
        material = _choose(
            weathered_wood(0), metal(hexadecimal("8f9596"), 0.5), concrete(), wood(0)
        )
        height, depth = _between(0.26, 0.45), _between(0.26, 0.36)
        for side in (-1, 1):
            box((length, 0.03, height), (0, side * depth / 2, height / 2), material, 0.006)
            box((0.03, depth, height), (side * length / 2, 0, height / 2), material, 0.006)
        box((length - 0.02, depth - 0.02, 0.04), (0, 0, height - 0.07), soil(), 0)
        _planting(
            (-length / 2 + 0.05, length / 2 - 0.05),
            (-depth / 2 + 0.05, depth / 2 - 0.05),
            height - 0.05,
            int(26 * length),
        )


# ---------------------------------------------------------------------------- street things


def bench(location, rotation=0.0, length=1.5):
    """A park bench with slats on iron or concrete supports; returns the height of its seat."""
    with stage.background(), stage.group(location, rotation):
        slat = _choose(weathered_wood(0), wood(0), _outdoor_paint())
        iron = _choose(metal(hexadecimal("2a2a2a"), 0.5), concrete())
        for y in np.linspace(-0.20, 0.18, 5):
            box((length, 0.075, 0.03), (0, y, 0.44), slat, 0.006)
        for z in (0.60, 0.70, 0.80):
            box(
                (length, 0.025, 0.075),
                (0, 0.22 + (z - 0.5) * 0.25, z),
                slat,
                0.006,
                rotation=(-0.25, 0, 0),
            )
        for x in (-length / 2 + 0.15, length / 2 - 0.15):
            box((0.05, 0.44, 0.05), (x, 0, 0.40), iron, 0.01)
            rod((x, -0.19, 0), (x, -0.17, 0.40), 0.022, iron)
            tube([(x, 0.22, 0), (x, 0.19, 0.40), (x, 0.32, 0.84)], 0.022, iron)
    return 0.455


def post(location, height=None, kind=None):
    """A bollard, a street-sign pole, a lamp post or a timber post; returns its height."""
    kind = kind or _choose("bollard", "pole", "timber", "hoop")
    with stage.background(), stage.group(location, _between(0, 6.28)):
        if kind == "bollard":
            height = height or _between(0.7, 0.95)
            width = _between(0.12, 0.2)
            stone = _choose(paint(hexadecimal("2a3230"), 0.45), concrete())
            box((width, width, height), (0, 0, height / 2), stone, 0.02)
        elif kind == "pole":
            height = height or 3.0
            rod((0, 0, 0), (0, 0, height), 0.03, any_metal("aluminium"))
            plate = paint(hexadecimal(_choose("1f4f8f", "a32020", "d8d4c8")), 0.3)
            cylinder(0.30, 0.012, (0, -0.03, height - 0.35), plate, rotation=(math.pi / 2, 0, 0))
        elif kind == "timber":
            height = height or _between(0.8, 1.3)
            box((0.10, 0.10, height), (0, 0, height / 2), weathered_wood(2), 0.012)
        else:
            height = height or 0.85
            steel = any_metal("steel", "black")
            tube(
                [
                    (-0.35, 0, 0),
                    (-0.35, 0, height * 0.85),
                    (-0.28, 0, height),
                    (0.28, 0, height),
                    (0.35, 0, height * 0.85),
                    (0.35, 0, 0),
                ],
                0.024,
                steel,
            )
    return height


def crates(location, rotation=0.0, count=None):
    """A stack of wooden or plastic crates; returns the height of the stack."""
    count = count or stage.random.randint(1, 3)
    with stage.background(), stage.group(location, rotation):
        plastic_one = _chance(0.4)
        material = (
            plastic(natural_color(0.6))
            if plastic_one
            else _choose(weathered_wood(0), wood(0, "pine"))
        )
        height = 0.27
        for level in range(count):
            with stage.group(
                (_between(-0.02, 0.02), _between(-0.02, 0.02), level * height),
                _between(-0.12, 0.12),
            ):
                box((0.50, 0.34, 0.015), (0, 0, 0.012), material, 0.003)
                for z in (0.05, 0.13, 0.21):
                    for side in (-1, 1):
                        box((0.52, 0.014, 0.062), (0, side * 0.17, z), material, 0.003)
                        box((0.014, 0.34, 0.062), (side * 0.25, 0, z), material, 0.003)
                for x in (-1, 1):
                    for y in (-1, 1):
                        box((0.03, 0.03, 0.25), (x * 0.235, y * 0.15, 0.13), material, 0.003)
    return count * height


def dustbin(location, rotation=0.0, kind=None):
    """A wheeled bin or a galvanised dustbin."""
    kind = kind or _choose("wheeled", "round")
    with stage.background(), stage.group(location, rotation):
        if kind == "round":
            zinc = metal(hexadecimal("8d9394"), 0.5)
            wall_line = [
                (0.20 + 0.03 * t + 0.003 * (i % 2), 0.55 * t)
                for i, t in enumerate(np.linspace(0, 1, 14))
            ]
            lathe([(0, 0), *wall_line], zinc, segments=40)
            lathe([(0.245, 0.53), (0.245, 0.57), (0.15, 0.62), (0, 0.635)], zinc, segments=40)
            tube(
                [(-0.05, 0, 0.63), (-0.03, 0, 0.67), (0.03, 0, 0.67), (0.05, 0, 0.63)], 0.008, zinc
            )
        else:
            shell = plastic(hexadecimal(_choose("3a4a3c", "2f3133", "4a4038", "35506f")), 0.5)
            box((0.50, 0.52, 0.88), (0, 0, 0.50), shell, 0.03, 3, taper=0.80)
            box((0.54, 0.58, 0.06), (0, -0.01, 0.97), shell, 0.025, 3, rotation=(0.05, 0, 0))
            tube([(-0.2, 0.29, 0.94), (0.2, 0.29, 0.94)], 0.018, shell, smooth=False)
            for side in (-1, 1):
                cylinder(
                    0.10,
                    0.05,
                    (side * 0.22 - 0.025, 0.20, 0.10),
                    paint(hexadecimal("222222"), 0.7),
                    rotation=(0, math.pi / 2, 0),
                )


def watering_can(location, rotation=0.0):
    """A watering can of zinc or coloured plastic."""
    with stage.background(), stage.group(location, rotation):
        material = _choose(metal(hexadecimal("979d9d"), 0.45), plastic(natural_color(0.5)))
        lathe(
            [(0, 0), (0.105, 0), (0.11, 0.01), (0.10, 0.22), (0.085, 0.24), (0.06, 0.25)],
            material,
            segments=32,
        )
        tube(
            [(0.09, 0, 0.05), (0.20, 0, 0.16), (0.31, 0, 0.29)],
            0.017,
            material,
            radii=[1.4, 1.0, 0.8],
        )
        lathe(
            [(0.012, 0), (0.045, 0.03), (0, 0.035)], material, (0.305, 0, 0.285), 20
        ).rotation_euler = (0, 0.8, 0)
        tube(
            [(0.02, 0, 0.25), (-0.05, 0, 0.36), (-0.16, 0, 0.27), (-0.10, 0, 0.12)], 0.009, material
        )


# ---------------------------------------------------------------------------- perches for birds


def branch(location, rotation=0.0, length=1.6, leaves=True):
    """A branch along x whose upper side passes through location; with twigs and leaves."""
    with stage.background(), stage.group(location, rotation):
        bark = paint(
            hexadecimal(_choose("6b5a48", "7d7365", "4f4238", "8a7d6c")),
            0.95,
            bump=0.8,
            bump_scale=40,
        )
        thick = _between(0.010, 0.020)
        path = [
            (-length * 0.6, _between(-0.05, 0.05), _between(-0.12, -0.02)),
            (-length * 0.2, 0, -thick - 0.006),
            (0, 0, -thick),
            (length * 0.2, 0, -thick + 0.002),
            (length * 0.6, _between(-0.06, 0.06), _between(-0.02, 0.10)),
        ]
        tube(path, thick, bark, radii=[1.5, 1.15, 1.0, 0.9, 0.5])
        color = _choose(_leaf_green(), _leaf_green(), hexadecimal("8a6a35"))
        foliage = Foliage(lambda: leaf(color, 0.5), 4)
        for side in (-1, 1):
            for k in range(5):
                x = side * length * (0.16 + 0.08 * k)
                tip = Vector(
                    (x + side * _between(0.05, 0.18), _between(-0.14, 0.22), _between(-0.10, 0.20))
                )
                tube(
                    [(x, 0, -thick), ((x + tip.x) / 2, tip.y * 0.5, tip.z * 0.4), tip],
                    thick * 0.32,
                    bark,
                    radii=[1.2, 0.9, 0.5],
                )
                if not leaves:
                    continue
                for i in range(9):
                    place = Vector((x, 0, -thick)).lerp(tip, 0.3 + 0.7 * i / 8)
                    size = _between(0.035, 0.065)
                    points = blade(
                        size, size * 0.55, _between(0.1, 0.9), "oval", 0.25, rows=6, columns=3
                    )
                    foliage.add(placed(points, place, i * 2.4, _between(-0.9, 0.5)))
        foliage.finish()


def feeder(location, rotation=0.0, height=1.2):
    """A bird table: a tray with a pitched roof on a post; returns the height of the tray."""
    with stage.background(), stage.group(location, rotation):
        timber = weathered_wood(0)
        box((0.07, 0.07, height), (0, 0, height / 2), weathered_wood(2), 0.006)
        box((0.46, 0.36, 0.018), (0, 0, height), timber, 0.004)
        for side in (-1, 1):
            box((0.46, 0.015, 0.035), (0, side * 0.18, height + 0.012), timber, 0.003)
            box((0.015, 0.36, 0.035), (side * 0.23, 0, height + 0.012), timber, 0.003)
            box((0.02, 0.02, 0.26), (side * 0.2, 0.14, height + 0.14), timber, 0.003)
            box(
                (0.52, 0.26, 0.014),
                (0, side * 0.105, height + 0.32),
                timber,
                0.003,
                rotation=(-side * 0.6, 0, 0),
            )
        box((0.52, 0.02, 0.1), (0, 0.14, height + 0.26), timber, 0.003)
        seeds = paint(hexadecimal("8a7348"), 0.8, variation=0.4)
        for _ in range(24):
            ball(
                0.006,
                (_between(-0.2, 0.2), _between(-0.15, 0.15), height + 0.013),
                seeds,
                (1, 0.6, 0.5),
                8,
            )
    return height + 0.010


def bird_bath(location, height=0.7):
    """A stone bowl on a foot; returns the height of its rim (radius 0.24)."""
    with stage.background(), stage.group(location, _between(0, 6.28)):
        stone = concrete()
        lathe(
            [
                (0.17, 0),
                (0.17, 0.05),
                (0.09, 0.09),
                (0.065, height * 0.5),
                (0.09, height - 0.14),
                (0.20, height - 0.06),
                (0.26, height),
                (0.22, height),
                (0.15, height - 0.035),
                (0, height - 0.045),
            ],
            stone,
            segments=44,
        )
        water = paint((0.02, 0.035, 0.04, 1), 0.04, coat=1.0)
        cylinder(0.20, 0.004, (0, 0, height - 0.022), water)
    return height


def timber_deck(location=(0, 2, 0), width=8.0, depth=6.0):
    """Deck boards laid along x; their top is at the height of location."""
    with stage.background(), stage.group(location):
        for i in range(int(depth / 0.145)):
            if i % 6 == 0:
                material = weathered_wood(0)
            box((width, 0.138, 0.03), (0, i * 0.145 - depth / 2, -0.015), material, 0.004)


def table_top(location, rotation=0.0, width=0.9, depth=0.7, height=0.74):
    """A plain garden work table (no dining table, hence unlabelled); returns its height."""
    with stage.background(), stage.group(location, rotation):
        timber = weathered_wood(0)
        slats = int(depth / 0.095)
        for i in range(slats):
            box(
                (width, 0.085, 0.024),
                (0, (i - (slats - 1) / 2) * 0.095, height - 0.012),
                timber,
                0.005,
            )
        for x in (-1, 1):
            for y in (-1, 1):
                box(
                    (0.05, 0.05, height - 0.024),
                    (x * (width / 2 - 0.08), y * (depth / 2 - 0.08), height / 2),
                    timber,
                )
    return height
