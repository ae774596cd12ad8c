"""Potted plants: a dozen and a half kinds in many pots. Pot and plant carry one label together.

Leaves are grids of points collected in a `Foliage` and turned into a few meshes, because a mesh
per leaf would be slow; a few, because the leaf material varies its tone from mesh to mesh.
"""

import math
from itertools import pairwise

import bmesh
import bpy
import numpy as np
from mathutils import Matrix, Vector

from . import organic, stage
from .geometry import ball, cylinder, lathe, mesh_object, rod, tube
from .materials import (
    Shader,
    ceramic,
    concrete,
    fabric,
    hexadecimal,
    hsv,
    leaf,
    metal,
    natural_color,
    paint,
    rattan,
    scaled,
    soil,
    terracotta,
)


def _between(low, high):
    return stage.random.uniform(low, high)


class Foliage:
    """Leaves waiting to become a few meshes."""

    def __init__(self, material_maker, meshes=3):
        self.materials = [material_maker() for _ in range(1)] * meshes
        self.meshes = [([], [], []) for _ in range(meshes)]

    def add(self, points, colors=None):
        """Add one leaf: an array of points (rows, columns, 3), optionally with colours."""
        vertices, faces, tints = stage.random.choice(self.meshes)
        rows, columns = points.shape[:2]
        index = np.arange(rows * columns).reshape(rows, columns) + len(vertices)
        quads = np.stack([index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]], -1)
        vertices.extend(points.reshape(-1, 3).tolist())
        faces.extend(quads.reshape(-1, 4).tolist())
        if colors is not None:
            tints.extend(np.asarray(colors, float).reshape(-1, 3).tolist())

    def finish(self):
        """Make the meshes."""
        for material, (vertices, faces, tints) in zip(self.materials, self.meshes, strict=True):
            if not vertices:
                continue
            mesh = bpy.data.meshes.new("leaves")
            mesh.from_pydata(vertices, [], faces)
            mesh.polygons.foreach_set("use_smooth", [True] * len(mesh.polygons))
            obj = stage.add(bpy.data.objects.new("leaves", mesh), material)
            if tints:
                organic.tint(obj, tints)


OUTLINES = {
    "oval": lambda u: np.sin(np.pi * u**0.80) ** 0.75,
    "lance": lambda u: np.sin(np.pi * u**0.55) ** 1.1,
    "strap": lambda u: np.clip(1.15 * (1 - u**2.6), 0, 1) ** 0.7 * (0.55 + 0.45 * u**0.4),
    "spoon": lambda u: np.sin(np.pi * u**1.7) ** 0.65,
    "round": lambda u: np.sqrt(np.clip(1 - (2 * u - 1) ** 2, 0, 1)),
    "heart": lambda u: np.sin(np.pi * np.clip(u * 0.93 + 0.07, 0, 1) ** 0.58) ** 0.8,
}


def blade(length, width, curl=0.3, outline="oval", fold=0.25, wave=0.0, rows=9, columns=5):
    """A leaf along +x: it bends down by `curl` radians, its halves rise by `fold`."""
    u = np.linspace(0, 1, rows)[:, None]
    v = np.linspace(-1, 1, columns)[None]
    half = width / 2 * OUTLINES[outline](u) + 0.0012
    if abs(curl) < 1e-3:
        curl = 1e-3
    x = length * np.sin(curl * u) / curl + 0 * v
    z = length * (np.cos(curl * u) - 1) / curl
    z = z + np.abs(v) * half * fold
    z = z + wave * width * np.sin(u * 14 + _between(0, 6)) * np.abs(v)
    return np.stack([x, v * half, z], -1)


def placed(points, location, yaw, rise, roll=0.0):
    """Turn a leaf: roll about its axis, lift its tip by `rise`, point it to `yaw`, move it."""
    turn = (
        Matrix.Rotation(yaw, 3, "Z")
        @ Matrix.Rotation(-rise, 3, "Y")
        @ Matrix.Rotation(roll, 3, "X")
    )
    return points @ np.array(turn).T + np.array(location)


def _along(path, t):
    """The point a fraction t along a list of points."""
    where = min(max(t, 0), 0.9999) * (len(path) - 1)
    index = int(where)
    return Vector(path[index]).lerp(Vector(path[index + 1]), where - index)


# ---------------------------------------------------------------------------- pots


def _clay_pot(radius, height):
    """Terracotta with a rim, often on a saucer."""
    clay = terracotta()
    foot = radius * _between(0.68, 0.78)
    profile = [
        (0, 0),
        (foot * 0.97, 0),
        (foot, 0.008),
        (radius * 0.93, height * 0.78),
        (radius * 1.04, height * 0.78),
        (radius * 1.05, height * 0.99),
        (radius * 1.02, height),
        (radius * 0.94, height),
        (radius * 0.90, height * 0.8),
        (0, height * 0.8),
    ]
    lathe(profile, clay, segments=44, sharp_angle=40)
    if stage.random.random() < 0.6:
        saucer = [
            (0, 0.0),
            (foot * 1.25, 0.0),
            (foot * 1.42, height * 0.12),
            (foot * 1.36, height * 0.12),
            (foot * 1.2, 0.008),
            (0, 0.008),
        ]
        lathe(saucer, clay, segments=44)


def _glazed_pot(radius, height):
    """Glazed earthenware: straight, bulbous or a tapered cup, sometimes with a coloured band."""
    glaze = ceramic()
    foot = radius * _between(0.66, 0.98)
    belly = _between(0, 0.20)
    wall = [
        (
            foot + (radius - foot) * t + radius * belly * math.sin(math.pi * t),
            0.008 + (height - 0.012) * t,
        )
        for t in np.linspace(0, 1, 9)
    ]
    profile = [
        (0, 0),
        (foot - 0.008, 0),
        *wall,
        (radius - 0.003, height),
        (radius * 0.93, height - 0.003),
        (radius * 0.90, height * 0.82),
        (0, height * 0.82),
    ]
    lathe(profile, glaze, segments=48, sharp_angle=40)
    if stage.random.random() < 0.25:
        band = ceramic(natural_color())
        low, high = _between(0.15, 0.4), _between(0.5, 0.85)
        strip = [(r + 0.0012, z) for r, z in wall if low * height < z < high * height]
        if len(strip) > 1:
            lathe(strip, band, segments=48)


def _wicker_pot(radius, height):
    """A woven basket as cachepot, two handles now and then."""
    weave = rattan()
    wall = [
        (radius * (0.80 + 0.22 * math.sin(math.pi * (0.2 + 0.6 * t))), height * t)
        for t in np.linspace(0, 1, 12)
    ]
    ridged = [(r + 0.0022 * (i % 2), z) for i, (r, z) in enumerate(wall)]
    top = ridged[-1][0]
    lathe(
        [(0, 0), *ridged, (top * 0.94, height), (top * 0.92, height * 0.8), (0, height * 0.8)],
        weave,
        segments=48,
        sharp_angle=60,
    )
    tube(
        [
            (top * math.cos(a), top * math.sin(a), height)
            for a in np.linspace(0, 2 * math.pi, 25)[:-1]
        ],
        0.007,
        weave,
        cyclic=True,
    )
    if stage.random.random() < 0.5:
        for side in (1, -1):
            tube(
                [
                    (side * top, -0.05, height * 0.9),
                    (side * top * 1.12, -0.03, height * 1.12),
                    (side * top * 1.12, 0.03, height * 1.12),
                    (side * top, 0.05, height * 0.9),
                ],
                0.007,
                weave,
            )


def _zinc_pot(radius, height):
    """A zinc bucket with ridges."""
    zinc = metal(hexadecimal("9ba1a3"), 0.45)
    wall = [(radius * (0.76 + 0.24 * t), height * t) for t in np.linspace(0, 1, 20)]
    ridged = [(r + 0.0025 * (i in (5, 6, 13, 14)), z) for i, (r, z) in enumerate(wall)]
    lathe(
        [
            (0, 0),
            *ridged,
            (radius * 1.04, height),
            (radius * 1.03, height - 0.008),
            (radius * 0.96, height - 0.008),
            (radius * 0.94, height * 0.82),
            (0, height * 0.82),
        ],
        zinc,
        segments=44,
        sharp_angle=30,
    )


def _concrete_pot(radius, height):
    """A cast concrete cylinder or a square block."""
    grey = concrete()
    if stage.random.random() < 0.6:
        lathe(
            [
                (0, 0),
                (radius * 0.96, 0),
                (radius, 0.006),
                (radius, height - 0.004),
                (radius - 0.004, height),
                (radius * 0.88, height),
                (radius * 0.86, height * 0.82),
                (0, height * 0.82),
            ],
            grey,
            segments=44,
        )
    else:
        square = lathe(
            [
                (0, 0),
                (radius * 1.10, 0),
                (radius * 1.28, height),
                (radius * 1.12, height),
                (radius * 1.10, height * 0.82),
                (0, height * 0.82),
            ],
            grey,
            segments=4,
        )
        square.rotation_euler = (0, 0, math.pi / 4)
        for polygon in square.data.polygons:
            polygon.use_smooth = False


def _footed_pot(radius, height):
    """A mid-century pot held by a stand with wooden or metal legs."""
    glaze = ceramic()
    legs = stage.random.choice(
        (paint(hexadecimal("9a744d"), 0.5), metal(hexadecimal("242424"), 0.45))
    )
    lift = height * 0.30
    profile = [
        (0, lift),
        (radius * 0.88, lift),
        (radius * 0.99, lift + 0.02),
        (radius, height - 0.003),
        (radius * 0.98, height),
        (radius * 0.91, height),
        (radius * 0.9, height * 0.84),
        (0, height * 0.84),
    ]
    lathe(profile, glaze, segments=44, sharp_angle=40)
    for i in range(4):
        angle = math.pi / 2 * i + math.pi / 4
        x, y = radius * 1.05 * math.cos(angle), radius * 1.05 * math.sin(angle)
        rod((x * 1.03, y * 1.03, 0), (x, y, height * 0.72), 0.008, legs)
        rod((x, y, lift - 0.008), (0, 0, lift - 0.008), 0.007, legs)


def _fabric_pot(radius, height):
    """A soft cover of felt or jute, its edge folded over."""
    cloth = fabric(natural_color(0.15))
    wobble = [
        (radius * (0.92 + 0.08 * math.sin(5 * t) * t), height * t) for t in np.linspace(0, 1, 10)
    ]
    lathe(
        [
            (0, 0),
            *wobble,
            (radius * 0.9, height * 1.01),
            (radius * 0.86, height * 0.8),
            (0, height * 0.8),
        ],
        cloth,
        segments=40,
        sharp_angle=60,
    )
    lathe(
        [
            (radius * 1.03, height * 0.72),
            (radius * 1.06, height * 0.86),
            (radius * 1.02, height * 1.02),
            (radius * 0.93, height * 1.02),
        ],
        cloth,
        segments=40,
        sharp_angle=60,
    )


POTS = (
    _clay_pot,
    _clay_pot,
    _glazed_pot,
    _glazed_pot,
    _glazed_pot,
    _wicker_pot,
    _zinc_pot,
    _concrete_pot,
    _footed_pot,
    _fabric_pot,
)


def pot(radius, height):
    """A random pot filled with soil; returns the height of the soil."""
    stage.random.choice(POTS)(radius, height)
    top = height * 0.86
    cylinder(radius * 0.92, 0.012, (0, 0, top - 0.012), soil())
    return top


# ---------------------------------------------------------------------------- plants
# Each takes the radius of the pot and the height of the soil and grows there, at x = y = 0.


def _green(hue=(0.22, 0.34), saturation=(0.40, 0.68), value=(0.24, 0.45)):
    return hsv(_between(*hue), _between(*saturation), _between(*value))


def _snake_plant(radius, soil_height):
    """Sansevieria: stiff upright swords with grey bands and often yellow edges."""
    foliage = Foliage(lambda: organic.painted(roughness=0.42, specular=0.4), 1)
    edge = (
        np.array((0.42, 0.38, 0.10))
        if stage.random.random() < 0.7
        else np.array((0.06, 0.13, 0.05))
    )
    dark, pale = np.array((0.022, 0.070, 0.028)), np.array((0.13, 0.20, 0.11))
    tall = _between(0.40, 0.80)
    for i in range(stage.random.randint(18, 26)):
        angle, out = i * 2.4, radius * 0.68 * math.sqrt((i + 0.5) / 26)
        points = blade(
            tall * _between(0.55, 1.05),
            _between(0.070, 0.095),
            _between(-0.15, 0.22),
            "strap",
            0.45,
            rows=22,
            columns=7,
        )
        place = (out * math.cos(angle), out * math.sin(angle), soil_height - 0.01)
        leaf_points = placed(
            points, place, angle, math.pi / 2 - _between(0.02, 0.24), _between(-1.5, 1.5)
        )
        bands = organic.noise(points.reshape(-1, 3) * (30, 6, 6) + i * 3, 1.5, i).reshape(
            points.shape[:2]
        )
        mix = np.clip(0.5 + 1.4 * bands, 0, 1)[..., None]
        colors = dark * (1 - mix) + pale * mix
        rim = (np.abs(np.linspace(-1, 1, 7)) > 0.7)[None, :, None]
        foliage.add(leaf_points, np.where(rim, edge, colors))
    foliage.finish()


def _stems_with_leaves(
    foliage, stem, count, height, lean, soil_height, leaves, make_leaf, thickness, spread=0.02
):
    """Stems that start near the middle, each with leaves in a spiral; returns the stems' paths."""
    paths = []
    for i in range(count):
        angle, tilt, tall = i * 2.4 + _between(-0.4, 0.4), _between(*lean), _between(*height)
        x, y = math.cos(angle), math.sin(angle)
        path = []
        for t in np.linspace(0, 1, 5):
            out = spread * (i > 0) + tilt * tall * t**1.4
            jitter = _between(-0.008, 0.008)
            path.append(
                Vector(
                    (
                        x * out + jitter,
                        y * out - jitter,
                        soil_height + tall * t * (1 - 0.2 * tilt * t),
                    )
                )
            )
        tube(path, thickness, stem, resolution=3, radii=[1.2, 1.0, 0.9, 0.7, 0.5])
        paths.append(path)
        number = stage.random.randint(*leaves)
        for k in range(number):
            t = 0.14 + 0.86 * (k + 0.7) / number
            make_leaf(foliage, _along(path, t), k * 2.4 + i, t)
    return paths


def _rubber_plant(radius, soil_height):
    """Ficus elastica: a few stems with big dark glossy leaves, some burgundy."""
    color = (
        _green((0.28, 0.36), (0.5, 0.7), (0.17, 0.28))
        if stage.random.random() < 0.7
        else hsv(0.99, 0.40, 0.30)
    )
    foliage = Foliage(lambda: leaf(color, 0.22))

    def one(target, place, yaw, t):
        length = _between(0.17, 0.27)
        points = blade(length, length * _between(0.48, 0.6), _between(0.2, 0.8), "oval", 0.28)
        target.add(placed(points, place, yaw + _between(-0.3, 0.3), _between(-0.1, 0.6) + 0.5 * t))

    stem = paint(hexadecimal("5b4a36"), 0.8)
    _stems_with_leaves(
        foliage,
        stem,
        stage.random.randint(2, 4),
        (0.5, 0.95),
        (0.03, 0.22),
        soil_height,
        (13, 18),
        one,
        0.008,
    )
    foliage.finish()


def _herb(radius, soil_height):
    """A bushy herb such as basil or mint: many thin stems, a dense dome of small leaves."""
    color = _green((0.23, 0.31), (0.5, 0.7), (0.34, 0.5))
    foliage = Foliage(lambda: leaf(color))
    size = _between(0.05, 0.085)

    def one(target, place, yaw, t):
        length = size * _between(0.8, 1.3)
        points = blade(length, length * 0.66, _between(0.3, 1.0), "oval", 0.35, 0.03, rows=6)
        target.add(placed(points, place, yaw + _between(-0.4, 0.4), _between(-0.5, 0.5)))

    stem = paint(hexadecimal("67723f"), 0.7)
    _stems_with_leaves(
        foliage,
        stem,
        stage.random.randint(13, 19),
        (0.16, 0.34),
        (0.15, 0.75),
        soil_height,
        (12, 17),
        one,
        0.0028,
        radius * 0.4,
    )
    foliage.finish()


def _frond(foliage, path, length, width, count, droop, start=0.2):
    """Leaflets left and right along a rib."""
    for k in range(count):
        t = start + (1 - start) * (k // 2 + 0.5) / (count / 2)
        place, ahead = _along(path, t), _along(path, min(t + 0.05, 1.0))
        direction = (
            (ahead - place).normalized() if (ahead - place).length > 1e-6 else Vector((0, 0, 1))
        )
        yaw = math.atan2(direction.y, direction.x)
        side = 1 if k % 2 else -1
        taper = math.sin(math.pi * min(1, 0.12 + 0.88 * (1 - t))) ** 0.6 + 0.12
        points = blade(
            length * taper * _between(0.85, 1.1),
            width,
            _between(0.4, 0.9) * droop,
            "lance",
            0.15,
            rows=6,
            columns=3,
        )
        rise = math.asin(max(-1, min(1, direction.z))) * 0.35
        foliage.add(placed(points, place, yaw + side * _between(0.75, 1.05), rise, side * -0.3))


def _arching(angle, length, rise, soil_height, fall=0.5, start=0.03):
    """A rib that rises from the soil and arches outwards."""
    x, y = math.cos(angle), math.sin(angle)
    path = []
    for t in np.linspace(0, 1, 9):
        out = start + length * t * math.cos(rise) * 1.1
        path.append(
            Vector((x * out, y * out, soil_height + length * (t * math.sin(rise) - fall * t**3)))
        )
    return path


def _palm(radius, soil_height):
    """A parlour or areca palm: arching feathers."""
    foliage = Foliage(lambda: leaf(_green((0.23, 0.31), (0.45, 0.65), (0.28, 0.45))), 3)
    stem = paint(hexadecimal("7a8a4a"), 0.6)
    size = _between(0.55, 0.95)
    for i in range(stage.random.randint(11, 16)):
        length = size * _between(0.75, 1.1)
        path = _arching(
            i * 2.4 + _between(-0.3, 0.3),
            length,
            _between(0.95, 1.5),
            soil_height,
            _between(0.18, 0.42),
        )
        tube(path, 0.0045, stem, resolution=2, radii=[1.3 - 0.11 * k for k in range(9)])
        _frond(foliage, path, length * 0.34, length * 0.045 + 0.008, 44, 1.0, 0.25)
    foliage.finish()


def _fern(radius, soil_height):
    """A Boston fern: a fountain of narrow fronds with many small leaflets."""
    foliage = Foliage(lambda: leaf(_green((0.22, 0.29), (0.5, 0.68), (0.34, 0.5))), 3)
    stem = paint(hexadecimal("6d7a3c"), 0.7)
    size = _between(0.30, 0.48)
    for i in range(stage.random.randint(26, 36)):
        length = size * _between(0.7, 1.1)
        path = _arching(
            i * 2.4, length, _between(0.45, 1.35), soil_height, _between(0.35, 0.60), 0.02
        )
        tube(path, 0.0022, stem, resolution=1)
        _frond(foliage, path, 0.042, 0.015, 56, 0.5, 0.08)
    foliage.finish()


def _monstera(radius, soil_height):
    """Swiss cheese plant: big hearts with cuts from the edge, on long stalks."""
    color = _green((0.27, 0.34), (0.5, 0.7), (0.22, 0.36))
    foliage = Foliage(lambda: leaf(color, 0.3))
    stalk = paint(hexadecimal("557a3a"), 0.5)
    for i in range(stage.random.randint(10, 15)):
        angle, out, tall = i * 2.4, _between(0.06, 0.40), _between(0.18, 0.60)
        tip = Vector((math.cos(angle) * out, math.sin(angle) * out, soil_height + tall))
        tube(
            [
                (0, 0, soil_height - 0.01),
                (tip.x * 0.35, tip.y * 0.35, soil_height + tall * 0.65),
                tip,
            ],
            0.006,
            stalk,
            resolution=4,
            radii=[1.4, 1.0, 0.7],
        )
        size = _between(0.20, 0.33)
        points = blade(
            size, size * 0.98, _between(0.5, 1.2), "heart", 0.12, 0.03, rows=19, columns=9
        )
        # cuts: pull the rim back towards the midrib at every third row
        for row in range(4, 16, 3):
            points[row, (0, 8)] = points[row, (2, 6)] * 0.6 + points[row, (1, 7)] * 0.4
            points[row, (1, 7)] = points[row, (2, 6)] * 0.7 + points[row, (1, 7)] * 0.3
        # the lobes of the heart reach back behind the stalk
        points[0:2, (0, 1, 7, 8), 0] -= size * 0.10
        rise = _between(-0.7, -0.05)
        foliage.add(placed(points, tip, angle + _between(-0.5, 0.5), rise, _between(-0.3, 0.3)))
    foliage.finish()


def _column(place, height, radius, ribs, material, tilt=0.0):
    """One ribbed cactus column with a round top."""
    bm = bmesh.new()
    rings = []
    for t in np.linspace(0, 1, 18):
        size = radius * (1 - t**7) ** 0.5 * (0.86 + 0.14 * math.sin(math.pi * t))
        ring = []
        for k in range(ribs * 4):
            angle = 2 * math.pi * k / (ribs * 4)
            reach = size * (1 + 0.13 * math.cos(ribs * angle))
            ring.append(
                bm.verts.new((reach * math.cos(angle), reach * math.sin(angle), height * t))
            )
        rings.append(ring)
    for low, high in pairwise(rings):
        for k in range(ribs * 4):
            m = (k + 1) % (ribs * 4)
            bm.faces.new((low[k], low[m], high[m], high[k]))
    column = mesh_object(bm, "cactus", material)
    column.location = place
    column.rotation_euler = (tilt, 0, _between(0, 6.28))
    return column


def _spines(place, height, radius, ribs, count_up, material):
    """Tufts of pale spines on the ribs, as one hair object; hidden in the mask."""
    curves = bpy.data.hair_curves.new("spines")
    points = []
    for k in range(ribs):
        angle = 2 * math.pi * k / ribs
        for t in np.linspace(0.05, 0.95, count_up):
            size = radius * (1 - t**7) ** 0.5 * (0.86 + 0.14 * math.sin(math.pi * t)) * 1.12
            root = Vector((size * math.cos(angle), size * math.sin(angle), height * t))
            for _ in range(4):
                aim = Vector(
                    (
                        math.cos(angle) + _between(-0.8, 0.8),
                        math.sin(angle) + _between(-0.8, 0.8),
                        _between(-0.6, 0.9),
                    )
                )
                points.append((root, root + aim.normalized() * radius * 0.30))
    curves.add_curves([2] * len(points))
    flat = np.array([[*a, *b] for a, b in points], np.float32)
    curves.attributes["position"].data.foreach_set("vector", flat.ravel())
    widths = curves.attributes.get("radius") or curves.attributes.new("radius", "FLOAT", "POINT")
    widths.data.foreach_set("value", np.tile(np.float32((0.0007, 0.0002)), len(points)))
    spines = stage.add(bpy.data.objects.new("spines", curves), material)
    spines.location = place
    spines["hidden_in_mask"] = 1


def _cactus(radius, soil_height):
    """A group of columns, or one fat ball."""
    shader = Shader("cactus")
    base = _green((0.27, 0.38), (0.3, 0.55), (0.26, 0.42))
    dark = scaled(base, 0.5)
    shader.set(color=shader.mix(shader.noise(10, 3), dark, base), roughness=0.6)
    shader.bump(shader.noise(70, 2), 0.3, 0.004)
    pale = paint(hexadecimal("d8cba8"), 0.6)
    if stage.random.random() < 0.35:
        size = radius * _between(0.72, 0.88)
        _column((0, 0, soil_height - 0.01), size * 1.7, size, 16, shader.material)
        _spines((0, 0, soil_height - 0.01), size * 1.7, size, 16, 9, pale)
        return
    columns = [(0.0, 0.0, _between(0.30, 0.62), radius * 0.48)]
    for k in range(stage.random.randint(1, 4)):
        angle = k * 1.9 + _between(0, 1)
        out = radius * 0.55
        columns.append(
            (out * math.cos(angle), out * math.sin(angle), _between(0.10, 0.32), radius * 0.30)
        )
    for x, y, height, thick in columns:
        _column((x, y, soil_height - 0.01), height, thick, 11, shader.material, 0.0)
        _spines((x, y, soil_height - 0.01), height, thick, 11, max(5, int(height / 0.03)), pale)


def _succulents(radius, soil_height):
    """A bowl of rosettes, grey-green, blue or reddish."""
    for k in range(stage.random.randint(4, 7)):
        color = stage.random.choice(
            (
                hexadecimal("7f9a86"),
                hexadecimal("8fa8a6"),
                hexadecimal("6f8a5a"),
                hexadecimal("9a6f6a"),
                hexadecimal("54704a"),
            )
        )
        foliage = Foliage(lambda color=color: leaf(color, 0.5), 1)
        angle, out = k * 2.4, radius * (0.0 if k == 0 else 0.62)
        centre = (out * math.cos(angle), out * math.sin(angle), soil_height + 0.004)
        size = radius * _between(0.42, 0.62)
        for i in range(34):
            t = i / 33
            points = blade(
                size * (1.05 - 0.72 * t), size * 0.42 * (1.0 - 0.5 * t), -0.5, "spoon", 0.35, rows=6
            )
            foliage.add(
                placed(
                    points,
                    Vector(centre) + Vector((0, 0, t * size * 0.35)),
                    i * 2.4,
                    0.25 + 1.05 * t,
                )
            )
        foliage.finish()


def _aloe(radius, soil_height):
    """Aloe or agave: a rosette of thick pointed leaves."""
    color = _green((0.26, 0.42), (0.25, 0.5), (0.34, 0.5))
    foliage = Foliage(lambda: leaf(color, 0.45))
    size = _between(0.22, 0.42)
    for i in range(22):
        t = i / 21
        points = blade(size * _between(0.85, 1.1), size * 0.17, _between(-0.5, 0.1), "strap", 0.6)
        foliage.add(placed(points, (0, 0, soil_height - 0.005), i * 2.4, 0.25 + 1.1 * t))
    foliage.finish()


def _flower(place, petals, size, yaw, rise, material, heart):
    """One open flower."""
    blossom = Foliage(lambda: material, 1)
    for k in range(petals):
        points = blade(size, size * 0.85, -0.4, "round", 0.1, rows=6)
        turned = placed(points, (0, 0, 0), 2 * math.pi * k / petals, 0.25)
        blossom.add(placed(turned, place, yaw, rise))
    blossom.finish()
    ball(size * 0.22, place, heart, segments=10)


PETALS = ("f2eee6", "e8d9dd", "c46a8a", "a83a6a", "b02a2a", "d98a5a", "e6c34a", "8a5aa0", "d4a0b4")


def _orchid(radius, soil_height):
    """A moth orchid: strap leaves below, one or two arching sprays of flowers."""
    foliage = Foliage(lambda: leaf(_green((0.26, 0.32), (0.5, 0.68), (0.26, 0.38)), 0.3), 2)
    for i in range(8):
        points = blade(
            _between(0.17, 0.25), _between(0.065, 0.085), _between(0.5, 1.1), "strap", 0.3
        )
        foliage.add(placed(points, (0, 0, soil_height), i * 2.6, _between(0.2, 0.7)))
    foliage.finish()
    code = stage.random.choice(("f2eee6", "f2eee6", "e0b8c8", "a83a7a", "e8d9a8"))
    petal = paint(hexadecimal(code), 0.5, variation=0.08, subsurface=0.2)
    heart = paint(hexadecimal(stage.random.choice(("c9a032", "8a2a5a"))), 0.5)
    stem = paint(hexadecimal("5f6f3a"), 0.6)
    first = _between(0, 6.28)
    for spray in range(stage.random.choice((1, 2, 2))):
        angle = first + spray * _between(0.5, 1.5)
        tall, out = _between(0.38, 0.52), _between(0.16, 0.26)
        path = [
            Vector(
                (
                    math.cos(angle) * out * t**2.2,
                    math.sin(angle) * out * t**2.2,
                    soil_height + tall * (1.35 * t - 0.35 * t**3),
                )
            )
            for t in np.linspace(0, 1, 7)
        ]
        tube(path, 0.003, stem)
        for k in range(stage.random.randint(6, 9)):
            place = _along(path, 0.52 + 0.48 * k / 8) + Vector(
                (_between(-0.02, 0.02), _between(-0.02, 0.02), -0.02)
            )
            _flower(
                place, 5, _between(0.030, 0.040), angle + _between(-0.5, 0.5), -0.9, petal, heart
            )


def _geranium(radius, soil_height):
    """A dense flowering plant: round leaves and clusters of bright flowers above them."""
    color = _green((0.22, 0.30), (0.45, 0.65), (0.32, 0.46))
    foliage = Foliage(lambda: leaf(color))

    def one(target, place, yaw, t):
        length = _between(0.055, 0.085)
        points = blade(
            length, length * 1.05, _between(-0.2, 0.6), "round", 0.15, 0.05, rows=7, columns=7
        )
        target.add(placed(points, place, yaw, _between(-0.3, 0.5)))

    stem = paint(hexadecimal("6d7a45"), 0.7)
    paths = _stems_with_leaves(
        foliage,
        stem,
        stage.random.randint(12, 17),
        (0.14, 0.28),
        (0.15, 0.85),
        soil_height,
        (8, 12),
        one,
        0.004,
        radius * 0.35,
    )
    foliage.finish()
    petal = paint(hexadecimal(stage.random.choice(PETALS)), 0.55, variation=0.12, subsurface=0.1)
    clusters = Foliage(lambda: petal, 1)
    for path in paths[:: stage.random.choice((1, 2))]:
        tip = path[-1] + Vector((0, 0, _between(0.03, 0.09)))
        rod(path[-1], tip, 0.002, stem)
        for k in range(16):
            out = Vector((_between(-1, 1), _between(-1, 1), _between(-0.3, 1))).normalized() * 0.026
            points = blade(0.022, 0.022, -0.3, "round", 0.0, rows=4, columns=4)
            clusters.add(placed(points, tip + out, k * 2.4, _between(-0.2, 0.9)))
    clusters.finish()


def _small_tree(radius, soil_height):
    """A ficus or olive tree: one or two trunks and a round crown of small leaves."""
    olive = stage.random.random() < 0.45
    color = (
        hsv(_between(0.20, 0.26), 0.28, 0.42)
        if olive
        else _green((0.25, 0.32), (0.5, 0.66), (0.26, 0.4))
    )
    foliage = Foliage(lambda: leaf(color), 4)
    bark = paint(hexadecimal("7a6a55" if olive else "8a7a66"), 0.9, bump=0.5, bump_scale=30)
    tall = _between(0.40, 0.75)
    crown = Vector((_between(-0.05, 0.05), _between(-0.05, 0.05), soil_height + tall + 0.10))
    for k in range(stage.random.choice((1, 1, 2, 3))):
        bend = Vector((_between(-0.04, 0.04), _between(-0.04, 0.04), soil_height + tall * 0.5))
        tube(
            [(0.015 * k, 0.012 * k, soil_height - 0.01), bend, crown],
            0.013,
            bark,
            radii=[1.2, 1.0, 0.7],
        )
    size = _between(0.20, 0.32)
    for i in range(24):
        height = 1 - 1.75 * (i + 0.5) / 24
        flat = math.sqrt(max(0, 1 - height**2))
        aim = (
            Vector((flat * math.cos(i * 2.4), flat * math.sin(i * 2.4), height))
            * size
            * _between(0.75, 1.1)
        )
        tip = crown + aim
        tube(
            [crown - Vector((0, 0, 0.08)), crown + aim * 0.5, tip],
            0.004,
            bark,
            resolution=2,
            radii=[1.3, 0.9, 0.5],
        )
        for k in range(22):
            place = (crown + aim * 0.45).lerp(tip, k / 21)
            length = _between(0.065, 0.10)
            wide = 0.34 if olive else 0.55
            points = blade(
                length, length * wide, _between(0.1, 0.7), "oval", 0.25, rows=5, columns=3
            )
            foliage.add(placed(points, place, k * 2.4 + i, _between(-0.5, 0.6)))
    foliage.finish()


def _grass_like(length, width, count, rise, curl, stripe=None, hue=(0.22, 0.30)):
    """A maker of plants of long arching straps, such as a spider plant or a dragon tree's tuft."""

    def tuft(radius, soil_height):
        base = np.array(_green(hue, (0.4, 0.62), (0.3, 0.48))[:3])
        if stripe is None:
            foliage = Foliage(lambda: leaf((*base, 1)))
        else:
            foliage = Foliage(lambda: organic.painted(roughness=0.45), 1)
        size = _between(*length)
        for i in range(stage.random.randint(*count)):
            points = blade(
                size * _between(0.7, 1.1),
                width * _between(0.8, 1.2),
                _between(*curl),
                "lance",
                0.35,
                rows=10,
                columns=5,
            )
            turned = placed(points, (0, 0, soil_height), i * 2.4, _between(*rise))
            if stripe is None:
                foliage.add(turned)
            else:
                shade = base * _between(0.8, 1.2)
                middle = np.array((0.0, 0.6, 1.0, 0.6, 0.0))[None, :, None]
                foliage.add(turned, shade * (1 - middle) + np.array(stripe) * middle + 0 * points)
        foliage.finish()

    return tuft


_spider_plant = _grass_like(
    (0.28, 0.42), 0.026, (40, 55), (0.3, 1.35), (0.9, 2.0), (0.62, 0.62, 0.42)
)


def _dracaena(radius, soil_height):
    """A dragon tree: a bare trunk or two, each with a tuft of straps on top."""
    bark = paint(hexadecimal("8f7d64"), 0.9, bump=0.5, bump_scale=25)
    tuft = _grass_like((0.32, 0.48), 0.042, (34, 44), (-0.2, 1.4), (0.5, 1.2), None, (0.24, 0.32))
    for k in range(stage.random.choice((1, 2, 2))):
        x, y = radius * 0.35 * math.cos(k * 3.0), radius * 0.35 * math.sin(k * 3.0)
        tall = _between(0.22, 0.60)
        tube(
            [
                (x, y, soil_height - 0.01),
                (x * 1.3, y * 1.1, soil_height + tall * 0.5),
                (x * 1.5, y * 1.4, soil_height + tall),
            ],
            0.017,
            bark,
        )
        with stage.group((x * 1.5, y * 1.4, soil_height + tall)):
            tuft(radius, 0.0)


def _peace_lily(radius, soil_height):
    """Spathiphyllum: a fountain of lance leaves on stalks, a few white hoods."""
    color = _green((0.27, 0.33), (0.52, 0.7), (0.24, 0.38))
    foliage = Foliage(lambda: leaf(color, 0.3))
    stalk = paint(hexadecimal("4f7038"), 0.5)
    for i in range(stage.random.randint(26, 36)):
        path = _arching(
            i * 2.4, _between(0.14, 0.28), _between(0.75, 1.45), soil_height, 0.1, 0.015
        )
        tube(path[::2], 0.003, stalk, resolution=2)
        points = blade(
            _between(0.16, 0.25), _between(0.06, 0.085), _between(0.6, 1.3), "lance", 0.3, 0.02
        )
        foliage.add(placed(points, path[-1], i * 2.4 + _between(-0.2, 0.2), _between(0.1, 0.9)))
    foliage.finish()
    if stage.random.random() < 0.7:
        white = paint(hexadecimal("eeeadf"), 0.5, variation=0.05)
        hoods = Foliage(lambda: white, 1)
        for k in range(stage.random.randint(3, 6)):
            path = _arching(
                k * 2.0, _between(0.36, 0.46), _between(1.2, 1.5), soil_height, 0.05, 0.01
            )
            tube(path[::2], 0.0025, stalk, resolution=2)
            hoods.add(placed(blade(0.11, 0.06, -0.6, "lance", 0.5), path[-1], k * 2.0, 1.0))
            rod(
                path[-1],
                path[-1] + Vector((0.0, 0.0, 0.05)),
                0.006,
                paint(hexadecimal("d9cf9a"), 0.7),
            )
        hoods.finish()


def _trailing(radius, soil_height):
    """Pothos or ivy: a mound of hearts, and vines that hang over the rim down to the ground."""
    color = _green((0.21, 0.31), (0.45, 0.66), (0.32, 0.48))
    foliage = Foliage(lambda: leaf(color, 0.35))
    stem = paint(hexadecimal("68753f"), 0.7)

    def one(target, place, yaw, t):
        length = _between(0.06, 0.10)
        points = blade(length, length * 0.85, _between(0.3, 1.0), "heart", 0.2, rows=7)
        target.add(placed(points, place, yaw, _between(-0.6, 0.4)))

    _stems_with_leaves(
        foliage, stem, 13, (0.08, 0.18), (0.3, 1.2), soil_height, (8, 11), one, 0.003, radius * 0.4
    )
    for _ in range(stage.random.randint(4, 8)):
        angle = _between(0, 6.28)
        low = _between(0.02, soil_height * 0.8)
        x, y = math.cos(angle), math.sin(angle)
        reach = radius * _between(1.15, 1.5)
        path = [
            Vector((x * radius * 0.5, y * radius * 0.5, soil_height + 0.02)),
            Vector((x * radius * 1.08, y * radius * 1.08, soil_height * 1.18 + 0.03)),
            Vector((x * reach, y * reach, soil_height * 0.8)),
            Vector((x * reach * 1.02, y * reach * 1.02, max(low, 0.02))),
        ]
        tube(path, 0.0025, stem, resolution=4)
        for k in range(16):
            one(foliage, _along(path, (k + 0.5) / 16), angle + _between(-1.3, 1.3), 0.5)
    foliage.finish()


def _dried_bouquet(radius, soil_height):
    """A vase-like pot with long twigs: eucalyptus branches with round grey leaves."""
    color = hsv(_between(0.30, 0.45), 0.18, _between(0.42, 0.55))
    foliage = Foliage(lambda: leaf(color, 0.6))

    def one(target, place, yaw, t):
        size = _between(0.038, 0.060) * (1.2 - 0.4 * t)
        points = blade(size, size * 0.95, 0.2, "round", 0.1, rows=6)
        target.add(placed(points, place, yaw, _between(-0.2, 0.7)))

    stem = paint(hexadecimal("7a6a52"), 0.8)
    _stems_with_leaves(
        foliage,
        stem,
        stage.random.randint(10, 14),
        (0.32, 0.55),
        (0.1, 0.55),
        soil_height,
        (22, 28),
        one,
        0.0028,
        radius * 0.2,
    )
    foliage.finish()


#: name: (function, lowest and highest pot radius, lowest and highest pot height)
KINDS = {
    "snake": (_snake_plant, 0.10, 0.15, 0.16, 0.28),
    "rubber": (_rubber_plant, 0.12, 0.17, 0.20, 0.32),
    "herb": (_herb, 0.07, 0.10, 0.11, 0.16),
    "palm": (_palm, 0.13, 0.18, 0.22, 0.34),
    "fern": (_fern, 0.09, 0.14, 0.14, 0.24),
    "monstera": (_monstera, 0.13, 0.18, 0.22, 0.32),
    "cactus": (_cactus, 0.08, 0.13, 0.12, 0.20),
    "succulents": (_succulents, 0.10, 0.16, 0.08, 0.12),
    "aloe": (_aloe, 0.08, 0.12, 0.12, 0.18),
    "orchid": (_orchid, 0.065, 0.085, 0.12, 0.16),
    "geranium": (_geranium, 0.09, 0.13, 0.13, 0.20),
    "tree": (_small_tree, 0.13, 0.18, 0.22, 0.34),
    "spider": (_spider_plant, 0.08, 0.12, 0.13, 0.20),
    "dracaena": (_dracaena, 0.12, 0.16, 0.20, 0.32),
    "peace lily": (_peace_lily, 0.10, 0.14, 0.16, 0.24),
    "trailing": (_trailing, 0.08, 0.12, 0.13, 0.20),
    "eucalyptus": (_dried_bouquet, 0.06, 0.09, 0.20, 0.28),
}
#: kinds for the floor, tall enough to stand beside a sofa, and small ones for tables and sills
LARGE = ("snake", "rubber", "palm", "monstera", "tree", "dracaena", "cactus", "peace lily")
SMALL = (
    "herb",
    "fern",
    "cactus",
    "succulents",
    "aloe",
    "orchid",
    "geranium",
    "spider",
    "trailing",
    "eucalyptus",
    "snake",
)


def plant(location, kind=None, scale=1.0):
    """A plant in a pot standing at location; `kind` is one of KINDS, or "large" or "small"."""
    if kind in (None, "large", "small"):
        names = {None: tuple(KINDS), "large": LARGE, "small": SMALL}[kind]
        kind = stage.random.choice(names)
    grow, low_radius, high_radius, low_height, high_height = KINDS[kind]
    with stage.labelled("pottedplant"), stage.group(location, _between(0, 2 * math.pi), scale):
        radius = _between(low_radius, high_radius)
        soil_height = pot(radius, _between(low_height, high_height))
        grow(radius, soil_height)
