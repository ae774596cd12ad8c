"""Furniture with a VOC label: chairs, sofas, dining tables, televisions and monitors.

Everything faces -y at rotation 0 (its back is at +y) and stands on its location; metres.
Every kind of thing is one function; the tables of kinds stand after the functions.
"""

import itertools
import math
from dataclasses import dataclass
from typing import NamedTuple

import bmesh
import bpy
import numpy as np
from mathutils import Vector
from mathutils import noise as vector_noise

from . import clutter, stage
from .bottles import bottle
from .dice import between, choose, happens
from .geometry import (
    ball,
    box,
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
    fabric,
    hsv,
    knit,
    leather,
    metal,
    natural_color,
    paint,
    panorama,
    rattan,
    velvet,
    wood,
    wood_tone,
)

BLACK = (0.02, 0.02, 0.021, 1)
WHITE = (0.76, 0.75, 0.72, 1)
GREY = (0.3, 0.3, 0.31, 1)


# ---------------------------------------------------------------- helpers


def fillet(points, radius, steps=4):
    """The polyline with its corners rounded, for bent tubes."""
    points = [Vector(point) for point in points]
    result = [points[0]]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        incoming, outgoing = before - corner, after - corner
        reach = min(radius, incoming.length * 0.49, outgoing.length * 0.49)
        start = corner + incoming.normalized() * reach
        end = corner + outgoing.normalized() * reach
        for step in range(steps + 1):
            part = step / steps
            result.append(start * (1 - part) ** 2 + corner * 2 * part * (1 - part) + end * part**2)
    result.append(points[-1])
    return result


def bent_tube(points, radius, material, corner=0.05):
    """A tube along straight runs with rounded corners."""
    return tube(fillet(points, corner), radius, material, smooth=False)


def along(points, part):
    """The point at a part (0 to 1) of a list of points, straight between them."""
    place = min(max(part, 0), 1) * (len(points) - 1)
    index = min(int(place), len(points) - 2)
    return Vector(points[index]).lerp(Vector(points[index + 1]), place - index)


def plank(start, end, width, thickness, material, bow=0.0):
    """A board between two points, upright in z by `width`, bowed towards +y in the middle."""
    start, end = Vector(start), Vector(end)

    def surface(u, v):
        point = start.lerp(end, u)
        return point + Vector((0, bow * (1 - (2 * u - 1) ** 2), (v - 0.5) * width))

    obj = sheet(surface, 9, 3, material, thickness=thickness)
    _round(obj, thickness * 0.35)
    return obj


def _round(obj, width):
    """A small bevel after the other modifiers."""
    modifier = obj.modifiers.new("bevel", "BEVEL")
    modifier.width = width
    modifier.segments = 2
    modifier.limit_method = "ANGLE"


def mirror_x(points):
    """The same points on the other side."""
    return [(-x, y, z) for x, y, z in points]


# ---------------------------------------------------------------- chairs


@dataclass(frozen=True)
class ChairStyle:
    """What the chairs of one set share: kind, materials, a variant number and measures."""

    kind: str
    frame: object
    seat: object
    accent: object
    variant: int
    width: float
    back: float
    details: tuple = ()


def _front_legs(style, half_width, front, height, thickness=0.036):
    """Two square or turned tapered front legs."""
    for side in (-1, 1):
        x = side * (half_width - 0.02)
        if style.variant % 2:
            tube(
                [(x, front + 0.02, z * height) for z in (0, 0.12, 0.5, 0.8, 1)],
                thickness * 0.52,
                style.frame,
                radii=[0.6, 0.75, 1, 0.75, 1.05],
            )
        else:
            box(
                (thickness, thickness, height),
                (x, front + 0.02, height / 2),
                style.frame,
                bevel=0.005,
                taper=0.72,
            )


def _back_posts(style, half_width, back, seat_height, top, radius=0.018, lean=0.075):
    """Two rear legs that run up into the back; returns the right post's points."""
    x = half_width - 0.02
    post = [
        (x, back + 0.025, 0),
        (x, back - 0.015, seat_height * 0.55),
        (x, back - 0.018, seat_height + 0.05),
        (x - 0.004, back + lean * 0.35, seat_height + (top - seat_height) * 0.55),
        (x - 0.006, back + lean, top),
    ]
    for points in (post, mirror_x(post)):
        tube(points, radius, style.frame, radii=[0.85, 1, 1, 0.95, 0.75])
    return post


def _seat_frame(style, half_width, depth, height, rail=0.05):
    """The four rails under a wooden seat."""
    for side in (-1, 1):
        box(
            (0.02, depth - 0.04, rail),
            (side * (half_width - 0.02), 0, height - rail / 2 - 0.01),
            style.frame,
            bevel=0.003,
        )
        box(
            (half_width * 2 - 0.05, 0.02, rail),
            (0, side * (depth / 2 - 0.02), height - rail / 2 - 0.01),
            style.frame,
            bevel=0.003,
        )


def _stretchers(style, half_width, depth, heights=(0.14, 0.2)):
    """Thin round bars between the legs."""
    x, y = half_width - 0.02, depth / 2 - 0.02
    for side in (-1, 1):
        for height in heights[:1]:
            rod((side * x, -y, height), (side * x, y + 0.02, height), 0.009, style.frame)
    for height in heights[1:]:
        rod((-x, -y, height), (x, -y, height), 0.009, style.frame)
    rod((-x, y + 0.015, heights[0] + 0.04), (x, y + 0.015, heights[0] + 0.04), 0.009, style.frame)


def _wooden_seat(style, width, depth, height):
    """A flat wooden, woven or padded seat on a frame."""
    if style.seat is style.frame:
        cushion((width, depth, 0.034), (0, -0.005, height), style.seat, power=9, wrinkle=0, cuts=8)
    else:
        cushion(
            (width, depth, 0.07), (0, -0.005, height + 0.01), style.seat, power=6, wrinkle=0.003
        )


def ladder_back(style):
    """Country chair: curved horizontal slats between round posts, rush or wooden seat."""
    half, depth, height = style.width / 2, 0.42, 0.45
    _front_legs(style, half, -depth / 2, height + 0.01)
    post = _back_posts(style, half, depth / 2, height, style.back)
    _stretchers(style, half, depth, (0.15, 0.22))
    cushion((style.width, depth, 0.05), (0, -0.005, height - 0.01), style.seat, 7, wrinkle=0.002)
    count = 3 + style.variant % 3
    for slat in range(count):
        z = height + 0.14 + (style.back - height - 0.17) * slat / max(count - 1, 1)
        right = along(post, 0.5 + 0.5 * (z - height) / (style.back - height))
        plank(
            (-right.x, right.y, z),
            (right.x, right.y, z),
            0.05 + 0.008 * slat,
            0.011,
            style.frame,
            0.03,
        )


def slat_back(style):
    """Modern wooden chair: square legs, upright slats under a top rail."""
    half, depth, height = style.width / 2, 0.42, 0.45
    _front_legs(style, half, -depth / 2, height)
    post = _back_posts(style, half, depth / 2, height, style.back, 0.017)
    _seat_frame(style, half, depth, height)
    _wooden_seat(style, style.width, depth, height)
    top, low = along(post, 0.98), along(post, 0.62)
    plank(
        (-top.x, top.y, top.z - 0.035),
        (top.x, top.y, top.z - 0.035),
        0.085,
        0.018,
        style.frame,
        0.025,
    )
    plank((-low.x, low.y, low.z), (low.x, low.y, low.z), 0.035, 0.016, style.frame, 0.015)
    count = 3 + style.variant % 4
    width = 0.05 if count < 5 else 0.022
    for slat in range(count):
        part = (slat + 0.5) / count * 2 - 1
        x = part * (half - 0.05)
        bow = 0.02 * (1 - part * part)
        middle = (Vector((x, low.y + bow, low.z)) + Vector((x, top.y + bow, top.z - 0.04))) / 2
        length = top.z - low.z - 0.05
        tilt = -math.atan2(top.y - low.y, top.z - low.z)
        box((width, 0.011, length), middle, style.frame, bevel=0.003, rotation=(tilt, 0, 0))


def windsor(style):
    """Windsor chair: saddle seat, splayed turned legs, a bow or comb of thin spindles."""
    height = 0.45
    cushion((0.46, 0.43, 0.05), (0, 0, height - 0.02), style.frame, power=3.4, wrinkle=0, cuts=12)
    for x in (-1, 1):
        for y in (-1, 1):
            foot = Vector((x * 0.235, y * 0.21 + 0.02, 0))
            top = Vector((x * 0.15, y * 0.13, height - 0.03))
            tube(
                [foot.lerp(top, part) for part in (0, 0.3, 0.5, 0.62, 0.8, 1)],
                0.019,
                style.frame,
                radii=[0.55, 0.85, 1.1, 0.75, 0.95, 0.7],
            )
    for side in (-1, 1):
        rod((side * 0.205, -0.17, 0.17), (side * 0.205, 0.19, 0.17), 0.009, style.frame)
    rod((-0.205, 0.01, 0.17), (0.205, 0.01, 0.17), 0.01, style.frame)
    tall = style.back - height
    lean = 0.24
    if style.variant % 2:  # bow back
        bow = []
        for step in range(13):
            angle = math.pi * step / 12
            rise = math.sin(angle) ** 0.75 * tall
            x = math.cos(angle) * (0.175 + 0.035 * math.sin(angle))
            bow.append((x, 0.155 + lean * rise * 0.9, height + rise))
        tube(bow, 0.0125, style.frame)
        count = 7
        for spindle in range(count):
            part = (spindle + 0.5) / count * 2 - 1
            rise = (1 - abs(part) ** 2.6) ** 0.6 * tall * 0.97
            foot = (part * 0.15, 0.175 - 0.03 * part * part, height)
            rod(foot, (part * 0.2, 0.155 + lean * rise * 0.9, height + rise), 0.0062, style.frame)
    else:  # comb back with a curved top rail
        y = 0.165 + lean * tall * 0.85
        plank(
            (-0.21, y - 0.02, style.back),
            (0.21, y - 0.02, style.back),
            0.075,
            0.018,
            style.frame,
            0.045,
        )
        count = 6
        for spindle in range(count):
            part = spindle / (count - 1) * 2 - 1
            bow = 0.045 * (1 - (part * 0.85) ** 2) - 0.02
            thick = 0.0115 if abs(part) == 1 else 0.007
            rod(
                (part * 0.16, 0.175 - 0.03 * part * part, height),
                (part * 0.185, y + bow, style.back - 0.03),
                thick,
                style.frame,
            )


SHELL_PROFILE = [
    (-0.235, 0.405),
    (-0.22, 0.435),
    (-0.12, 0.435),
    (0.06, 0.42),
    (0.16, 0.44),
    (0.205, 0.53),
    (0.235, 0.66),
    (0.262, 0.79),
    (0.27, 0.83),
]


def _shell_surface(arms):
    """Seat and back of one moulded piece; with arms its sides rise around the sitter."""

    def surface(u, v):
        point = along([(0, y, z) for y, z in SHELL_PROFILE], u)
        side = (v - 0.5) * 2
        upper = max(0.0, min(1.0, (u - 0.4) / 0.22))
        width = 0.235 * (1 - 0.14 * max(0.0, u - 0.5))
        width *= 1 - (max(0.0, u - 0.84) / 0.16) ** 3 * 0.32
        width *= 1 - (max(0.0, 0.1 - u) / 0.1) ** 2 * 0.12
        bowl = side * side
        rise = 0.045 * bowl * (1 - upper)
        forward = -0.075 * bowl * upper
        if arms:
            width += 0.05 * math.exp(-((u - 0.42) ** 2) * 14)
            rise += 0.2 * side**4 * math.exp(-((u - 0.45) ** 2) * 16)
            forward -= 0.05 * side**4 * upper
        return Vector((side * width, point.y + forward, point.z + rise))

    return surface


def _splayed_legs(material, height, reach=0.21, start=0.11, radius=0.013):
    """Four conical dowel legs."""
    for x in (-1, 1):
        for y in (-1, 1):
            tube(
                [(x * start, y * start + 0.01, height), (x * reach, y * reach + 0.02, 0)],
                radius,
                material,
                smooth=False,
                radii=[1.25, 0.7],
            )


def shell(style):
    """Moulded plastic or felt shell on dowels, steel tubes or a sled."""
    sheet(
        _shell_surface(style.variant % 5 == 4), 17, 13, style.seat, thickness=0.009, subdivisions=1
    )
    black = metal((0.05, 0.05, 0.05, 1), 0.4)
    kind = style.variant % 3
    if kind == 0:
        _splayed_legs(style.frame, 0.42)
        for x in (-1, 1):
            rod((x * -0.15, -0.13, 0.25), (x * 0.15, 0.16, 0.25), 0.0035, black)
            box((0.04, 0.24, 0.012), (x * 0.1, 0.01, 0.413), black, bevel=0.003)
    elif kind == 1:
        for x in (-1, 1):
            for y in (-1, 1):
                bent_tube(
                    [
                        (0, y * 0.1, 0.408),
                        (x * 0.15, y * 0.11, 0.408),
                        (x * 0.2, y * 0.2 + 0.02, 0),
                    ],
                    0.0095,
                    style.accent,
                )
    else:
        for x in (-1, 1):
            bent_tube(
                [
                    (x * 0.1, -0.14, 0.41),
                    (x * 0.2, -0.17, 0.405),
                    (x * 0.21, -0.21, 0.012),
                    (x * 0.21, 0.22, 0.012),
                    (x * 0.2, 0.16, 0.405),
                    (x * 0.1, 0.13, 0.415),
                ],
                0.007,
                style.accent,
                0.04,
            )
    if style.details:
        cushion((0.38, 0.36, 0.035), (0, -0.03, 0.45), style.details[0], power=3.5, wrinkle=0.003)


def _five_star_base(plastic, chrome, height):
    """Swivel base with castors and a gas spring."""
    turn = between(0, 6.28)
    for arm in range(5):
        angle = turn + arm * 2 * math.pi / 5
        x, y = math.cos(angle), math.sin(angle)
        tube(
            [(0, 0, 0.11), (0.16 * x, 0.16 * y, 0.09), (0.3 * x, 0.3 * y, 0.07)],
            0.021,
            plastic,
            radii=[1.25, 1, 0.7],
        )
        swing = between(0, 6.28)
        for side in (-1, 1):
            offset = 0.012 * side
            wheel = (
                0.3 * x + offset * math.cos(swing),
                0.3 * y + offset * math.sin(swing),
                0.028,
            )
            ball(0.028, wheel, plastic, (0.38, 1, 1), 16, (0, 0, swing))
    cylinder(0.03, 0.2, (0, 0, 0.1), plastic)
    cylinder(0.016, height - 0.3, (0, 0, 0.28), chrome)
    box((0.16, 0.2, 0.04), (0, 0.02, height - 0.045), plastic, bevel=0.01)


def office(style):
    """Swivel chair: padded, mesh or leather executive back, with or without arms."""
    height = between(0.46, 0.52)
    plastic, seat = style.accent, style.seat
    _five_star_base(plastic, metal((0.6, 0.6, 0.6, 1), 0.2), height)
    cushion((0.5, 0.49, 0.095), (0, -0.01, height), seat, power=4.5, wrinkle=0.004)
    kind = style.variant % 4
    if kind == 0:  # task chair with a separate padded back
        bent_tube(
            [(0, 0.1, height - 0.04), (0, 0.3, height - 0.03), (0, 0.31, height + 0.3)],
            0.016,
            plastic,
        )
        cushion(
            (0.44, 0.075, 0.42), (0, 0.27, height + 0.33), seat, 4, (-0.12, 0, 0), wrinkle=0.004
        )
    elif kind == 1:  # mesh back in a frame

        def mesh_back(u, v):
            x = (u - 0.5) * 2
            wide = 0.235 - 0.03 * v
            return Vector(
                (x * wide, 0.29 - 0.07 * x * x + 0.05 * math.sin(v * 3), height + 0.09 + v * 0.55)
            )

        sheet(mesh_back, 11, 11, seat, thickness=0.006, subdivisions=1)
        rim = [mesh_back(0, t / 4) for t in range(5)] + [mesh_back(t / 4, 1) for t in range(1, 5)]
        rim += [mesh_back(1, 1 - t / 4) for t in range(1, 5)]
        rim += [mesh_back(1 - t / 4, 0) for t in range(1, 4)]
        tube(rim, 0.011, plastic, cyclic=True)
        tube(
            [(0, 0.08, height - 0.04), (0, 0.3, height), (0, 0.345, height + 0.32)],
            0.02,
            plastic,
            radii=[1.2, 1.1, 0.7],
        )
    elif kind == 2:  # executive: one tall padded back with segments
        for part in range(3):
            cushion(
                (0.5 - 0.02 * part, 0.12, 0.24),
                (0, 0.25 + 0.035 * part, height + 0.16 + 0.215 * part),
                seat,
                3.5,
                (-0.16, 0, 0),
                wrinkle=0.008,
            )
        box(
            (0.08, 0.03, 0.4), (0, 0.31, height + 0.15), plastic, bevel=0.01, rotation=(-0.15, 0, 0)
        )
    else:  # tall padded back
        box(
            (0.07, 0.03, 0.3), (0, 0.27, height + 0.08), plastic, bevel=0.01, rotation=(-0.12, 0, 0)
        )
        cushion(
            (0.46, 0.085, 0.6), (0, 0.28, height + 0.38), seat, 4.5, (-0.12, 0, 0), wrinkle=0.004
        )
    if style.variant % 5:
        for side in (-1, 1):
            x = side * 0.285
            bent_tube(
                [(side * 0.2, 0.06, height - 0.03), (x, 0.06, height), (x, 0.05, height + 0.19)],
                0.014,
                plastic,
            )
            cushion((0.07, 0.27, 0.035), (x, 0.02, height + 0.205), plastic, 4, wrinkle=0, cuts=6)


def parsons(style):
    """Upholstered dining chair: padded seat and high padded back on short wooden legs."""
    height = 0.47
    half = style.width / 2
    cushion((style.width + 0.02, 0.46, 0.13), (0, 0, height - 0.045), style.seat, 6, wrinkle=0.004)
    tall = style.back - height + 0.12
    lean = -0.13
    cushion(
        (style.width, 0.085, tall),
        (0, 0.235 + 0.02, height - 0.09 + tall / 2),
        style.seat,
        7 if style.variant % 2 else 4,
        (lean, 0, 0),
        wrinkle=0.005,
        puff=0.1,
    )
    for x in (-1, 1):
        for y in (-1, 1):
            splay = 0.02 if y > 0 else 0
            tube(
                [(x * (half - 0.03), y * 0.19, 0.4), (x * (half - 0.03), y * 0.19 + splay, 0)],
                0.019,
                style.frame,
                smooth=False,
                radii=[1.15, 0.75],
            )
    if style.variant % 3 == 0:
        for row in range(3):
            for column in range(3 - row % 2):
                x = (column - (1 if row % 2 == 0 else 0.5)) * 0.13
                z = 0.62 + row * (style.back - 0.7) / 2.4
                y = 0.207 + math.tan(-lean) * (z - height - tall * 0.4) * 0.95
                ball(0.011, (x, y, z), style.seat, (1, 0.6, 1), 12)


def tub_chair(style):
    """Upholstered dining chair with a rounded back that wraps into low arms."""
    height = 0.47
    rear = style.back - 0.1

    def wrap(u, v):
        angle = (u - 0.5) * math.radians(235)
        back = math.cos(angle * 0.62) ** 2
        top = height + 0.06 + (rear - height - 0.06) * back
        reach = 1 + 0.16 * v * back
        low = height - 0.1
        return Vector(
            (
                math.sin(angle) * 0.265 * reach,
                math.cos(angle) * 0.245 * reach - 0.01,
                low + (top - low) * v,
            )
        )

    sheet(wrap, 21, 7, style.seat, thickness=0.05, subdivisions=1)
    cushion((0.46, 0.46, 0.12), (0, -0.03, height - 0.03), style.seat, 3.4, wrinkle=0.004)
    _splayed_legs(style.frame, height - 0.08, 0.24, 0.17, 0.015)


def folding(style):
    """Folding chair: crossed legs with wooden slats, or steel tube with plate seat."""
    slats = style.variant % 2 == 0
    radius = 0.011
    for side in (-1, 1):
        x = side * 0.2
        back_leg = [(x, -0.24, 0), (x, 0.1, 0.5), (x, 0.2, style.back - 0.06)]
        front_leg = [(x * 0.9, 0.23, 0), (x * 0.9, -0.18, 0.44)]
        if slats:
            for start, end in ((back_leg[0], back_leg[2]), (front_leg[0], front_leg[1])):
                start, end = Vector(start), Vector(end)
                length = (end - start).length
                tilt = -math.atan2((end - start).y, (end - start).z)
                box(
                    (0.02, 0.035, length),
                    (start + end) / 2,
                    style.frame,
                    0.004,
                    rotation=(tilt, 0, 0),
                )
        else:
            tube(back_leg, radius, style.frame)
            rod(front_leg[0], front_leg[1], radius, style.frame)
    rod((-0.18, 0.2, 0.03), (0.18, 0.2, 0.03), 0.009, style.frame)
    rod((-0.2, -0.2, 0.07), (0.2, -0.2, 0.07), 0.009, style.frame)
    if slats:
        for slat in range(6):
            box((0.39, 0.052, 0.014), (0, -0.19 + slat * 0.066, 0.445), style.seat, bevel=0.004)
        for slat in range(2 + style.variant % 3):
            z = style.back - 0.1 - slat * 0.085
            y = 0.02 + 0.245 * (z - 0.4) / (style.back - 0.46)
            box((0.42, 0.014, 0.06), (0, y - 0.012, z), style.seat, 0.004, rotation=(-0.4, 0, 0))
    else:
        cushion((0.39, 0.38, 0.035), (0, -0.02, 0.445), style.seat, 6, wrinkle=0.001, cuts=8)
        plank(
            (-0.2, 0.17, style.back - 0.12),
            (0.2, 0.17, style.back - 0.12),
            0.15,
            0.01,
            style.seat,
            0.035,
        )
        rod((-0.2, 0.2, style.back - 0.06), (0.2, 0.2, style.back - 0.06), radius, style.frame)


def bistro(style):
    """Bentwood cafe chair: round cane seat, hooped back, ring between the legs."""
    height, radius = 0.46, 0.2
    lathe(
        [
            (radius - 0.03, height - 0.03),
            (radius, height - 0.03),
            (radius + 0.004, height - 0.012),
            (radius - 0.005, height),
            (radius - 0.035, height),
        ],
        style.frame,
        segments=48,
    )
    cylinder(radius - 0.02, 0.008, (0, 0, height - 0.014), style.seat, segments=48)
    outer = [
        (0.185, 0.215, 0),
        (0.16, 0.16, 0.25),
        (0.155, 0.15, height),
        (0.17, 0.2, 0.66),
        (0.14, 0.245, 0.82),
        (0, 0.275, style.back),
    ]
    tube(outer + mirror_x(outer[:-1])[::-1], 0.0145, style.frame)
    inner = [
        (0.07, 0.165, height - 0.01),
        (0.085, 0.2, 0.62),
        (0.07, 0.225, 0.72),
        (0, 0.24, 0.775),
    ]
    if style.variant % 2:
        tube(inner + mirror_x(inner[:-1])[::-1], 0.0115, style.frame)
    else:
        for x in (-0.09, -0.03, 0.03, 0.09):
            tube(
                [
                    (x * 0.8, 0.17, height),
                    (x, 0.21, 0.66),
                    (x, 0.262 - x * x, style.back - 0.02 - x * x * 2),
                ],
                0.008,
                style.frame,
            )
    for side in (-1, 1):
        tube(
            [
                (side * 0.17, -0.19, 0),
                (side * 0.15, -0.15, 0.25),
                (side * 0.14, -0.12, height - 0.02),
            ],
            0.0145,
            style.frame,
            radii=[0.7, 0.9, 1.1],
        )
    ring = [
        (0.158 * math.cos(math.pi * step / 8), 0.158 * math.sin(math.pi * step / 8), 0.22)
        for step in range(16)
    ]
    tube(ring, 0.009, style.frame, cyclic=True)


def wicker(style):
    """Woven armchair: a basket of rattan with a thick rim and a cushion."""
    height = 0.36
    rear = style.back - 0.08
    legs = style.variant % 2

    def wrap(u, v):
        angle = (u - 0.5) * math.radians(250)
        back = math.cos(angle * 0.55) ** 3
        top = height + 0.24 + (rear - height - 0.24) * max(back, 0)
        reach = 1 + 0.15 * v
        low = height - 0.05 if legs else 0.03
        pinch = 1 if legs else 1 - 0.16 * math.sin(math.pi * min(1, v * 1.6))
        return Vector(
            (
                math.sin(angle) * 0.3 * reach * pinch,
                math.cos(angle) * 0.28 * reach * pinch,
                low + (top - low) * v,
            )
        )

    sheet(wrap, 31, 11, style.seat, thickness=0.016, subdivisions=1)
    rim = [wrap(step / 24, 1) for step in range(25)]
    tube(
        [wrap(0, part / 3) for part in range(3)]
        + rim
        + [wrap(1, 1 - part / 3) for part in (1, 2, 3)],
        0.017,
        style.seat,
    )
    cylinder(0.27, 0.04, (0, -0.01, height - 0.05), style.seat, segments=40)
    cushion((0.48, 0.48, 0.09), (0, -0.04, height + 0.03), style.details[0], 3.5, wrinkle=0.008)
    if legs:
        _splayed_legs(style.frame, height - 0.03, 0.26, 0.19, 0.013)


def carver(style):
    """Wooden armchair: curved arms on posts, splat or slats, wooden or padded seat."""
    half, depth, height = 0.26, 0.45, 0.44
    post = _back_posts(style, half, depth / 2, height, style.back, 0.019, 0.09)
    for side in (-1, 1):
        x = side * (half - 0.02)
        box((0.038, 0.038, 0.64), (x, -depth / 2 + 0.02, 0.32), style.frame, 0.006, taper=0.7)
        arm = along(post, 0.72)
        tube(
            [
                (side * arm.x, arm.y, 0.67),
                (side * (half + 0.005), 0.05, 0.675),
                (side * (half + 0.02), -0.14, 0.655),
                (side * (half + 0.01), -0.235, 0.64),
            ],
            0.021,
            style.frame,
            radii=[0.8, 0.95, 1.15, 1.0],
        )
    _seat_frame(style, half, depth, height, 0.06)
    _wooden_seat(style, half * 2, depth, height)
    top, low = along(post, 0.97), along(post, 0.6)
    plank(
        (-top.x, top.y, top.z - 0.03), (top.x, top.y, top.z - 0.03), 0.07, 0.02, style.frame, 0.035
    )
    if style.variant % 2:
        middle = (low + top) / 2
        tilt = -math.atan2(top.y - low.y, top.z - low.z)
        box(
            (0.14, 0.012, top.z - low.z),
            (0, middle.y + 0.025, middle.z),
            style.frame,
            0.004,
            rotation=(tilt, 0, 0),
            taper=0.65,
        )
    else:
        for slat in (-0.15, -0.09, -0.03, 0.03, 0.09, 0.15):
            rod((slat, low.y, height), (slat, top.y + 0.03, top.z - 0.05), 0.0085, style.frame)


def wishbone(style):
    """Mid-century chair: half-round top rail that is also the arms, Y-shaped splat, cord seat."""
    height = 0.44
    cushion((0.47, 0.42, 0.045), (0, -0.01, height), style.seat, 6, wrinkle=0.003)
    rail_height = 0.72
    rail = []
    for step in range(11):
        angle = math.pi * step / 10
        rail.append(
            (
                math.cos(angle) * 0.275,
                -0.08 + math.sin(angle) ** 0.8 * 0.32,
                rail_height - 0.05 * abs(math.cos(angle)) ** 2,
            )
        )
    tube(rail, 0.0155, style.frame, radii=[0.8, 0.95, 1, 1, 1.1, 1.25, 1.1, 1, 1, 0.95, 0.8])
    for side in (-1, 1):
        tube(
            [(side * 0.22, -0.2, 0), (side * 0.225, -0.195, 0.25), (side * 0.215, -0.185, height)],
            0.017,
            style.frame,
            radii=[0.7, 1, 0.9],
        )
        tube(
            [
                (side * 0.2, 0.23, 0),
                (side * 0.205, 0.17, 0.25),
                (side * 0.2, 0.17, height),
                (side * 0.245, 0.12, 0.6),
                (side * 0.255, 0.06, rail_height - 0.03),
            ],
            0.0175,
            style.frame,
            radii=[0.7, 1, 1.05, 0.95, 0.8],
        )
        rod((side * 0.222, -0.19, 0.28), (side * 0.205, 0.17, 0.25), 0.01, style.frame)
        tube(
            [
                (0, 0.185, height),
                (side * 0.012, 0.2, 0.57),
                (side * 0.09, 0.225, rail_height - 0.01),
            ],
            0.012,
            style.frame,
            radii=[1.3, 1.1, 0.7],
        )
    rod((-0.215, -0.19, 0.3), (0.215, -0.19, 0.3), 0.01, style.frame)
    rod((-0.2, 0.17, 0.3), (0.2, 0.17, 0.3), 0.01, style.frame)


def cantilever(style):
    """Bauhaus chair: one bent steel tube without back legs, cane or leather panels."""
    x = 0.22
    path = [
        (x, 0.27, style.back),
        (x, 0.17, 0.45),
        (x, -0.24, 0.445),
        (x, -0.24, 0.014),
        (x, 0.24, 0.014),
    ]
    whole = path + mirror_x(path)[::-1]
    bent_tube(whole, 0.0115, style.accent, 0.07)
    cushion((0.46, 0.43, 0.04), (0, -0.03, 0.455), style.seat, 8, wrinkle=0.002, cuts=8)
    low = style.back - 0.28
    y = 0.17 + 0.1 * (style.back - 0.14 - 0.45) / (style.back - 0.45)
    cushion(
        (0.46, 0.03, 0.27), (0, y, low + 0.14), style.seat, 8, (-0.21, 0, 0), wrinkle=0.002, cuts=8
    )
    if style.variant % 2:
        for side in (-1, 1):
            cushion(
                (0.035, 0.3, 0.03), (side * 0.235, -0.02, 0.66), style.frame, 5, wrinkle=0, cuts=4
            )
            bent_tube(
                [
                    (side * 0.22, 0.215, 0.66),
                    (side * 0.235, -0.18, 0.66),
                    (side * 0.225, -0.235, 0.45),
                ],
                0.0115,
                style.accent,
            )


def school(style):
    """Stacking chair: bent plywood seat and back on a steel tube frame."""
    for side in (-1, 1):
        x = side * 0.18
        bent_tube(
            [(x * 1.1, -0.22, 0), (x, -0.17, 0.43), (x, 0.13, 0.43), (x, 0.25, style.back - 0.03)],
            0.0105,
            style.accent,
        )
        rod((x, 0.03, 0.42), (x * 1.12, 0.24, 0), 0.0105, style.accent)
    rod((-0.18, 0.05, 0.4), (0.18, 0.05, 0.4), 0.009, style.accent)

    def seat(u, v):
        side = (v - 0.5) * 2
        drop = -0.03 * max(0, (0.2 - u) / 0.2) ** 2 + 0.025 * max(0, (u - 0.75) / 0.25) ** 2
        width = 0.2 * (1 - 0.1 * (2 * u - 1) ** 8)
        return Vector((side * width, -0.22 + 0.4 * u, 0.445 + drop - 0.012 * (1 - side * side)))

    def back(u, v):
        side = (v - 0.5) * 2
        width = 0.2 * (1 - 0.16 * (2 * u - 1) ** 6)
        z = style.back - 0.2 + 0.2 * u
        return Vector((side * width, 0.2 + 0.05 * u + 0.03 * (1 - side * side) - 0.01, z))

    sheet(seat, 11, 9, style.seat, thickness=0.011, subdivisions=1)
    sheet(back, 7, 9, style.seat, thickness=0.011, subdivisions=1)


def garden_plastic(style):
    """White or green plastic garden armchair made in one piece, with a slotted back."""
    height = 0.43
    cushion((0.46, 0.44, 0.03), (0, -0.02, height), style.seat, 7, wrinkle=0, cuts=8)
    top = 0.82

    def slat_point(part, v):
        x = part * (0.2 + 0.03 * v)
        return Vector(
            (
                x,
                0.2 + 0.11 * v - 0.06 * part * part,
                height + (top - height) * v + 0.03 * v * (1 - part * part),
            )
        )

    for slat in range(7):
        part = slat / 6 * 2 - 1
        width = 0.024 if abs(part) < 1 else 0.03

        def strip(u, v, part=part, width=width):
            return slat_point(part, u) + Vector(((v - 0.5) * 2 * width, 0, 0))

        sheet(strip, 7, 3, style.seat, thickness=0.008)
    tube([slat_point(step / 4 - 1, 1) for step in range(9)], 0.019, style.seat)
    for side in (-1, 1):
        tube(
            [
                (side * 0.23, 0.24, 0.64),
                (side * 0.27, 0.0, 0.655),
                (side * 0.275, -0.17, 0.64),
                (side * 0.265, -0.235, 0.58),
                (side * 0.24, -0.22, 0.4),
                (side * 0.26, -0.25, 0),
            ],
            0.021,
            style.seat,
        )
        tube(
            [(side * 0.22, 0.18, 0.42), (side * 0.25, 0.27, 0)], 0.022, style.seat, radii=[1.2, 0.9]
        )


def easy_chair(style):
    """Low upholstered armchair: thick cushion, padded arms and back."""
    height = 0.3
    arm = 0.12 + 0.03 * (style.variant % 3)
    power = (3, 5, 8)[style.variant % 3]
    cushion((0.6 + arm, 0.74, 0.24), (0, 0.02, 0.24), style.seat, 9, wrinkle=0.004)
    cushion(
        (0.62, 0.68, 0.17), (0, -0.06, height + 0.11), style.seat, power, wrinkle=0.009, puff=0.15
    )
    cushion(
        (0.62 + arm, 0.2, 0.72), (0, 0.34, 0.52), style.seat, power, (-0.16, 0, 0), wrinkle=0.008
    )
    cushion((0.56, 0.17, 0.42), (0, 0.22, 0.66), style.seat, 3.5, (-0.22, 0, 0), wrinkle=0.012)
    for side in (-1, 1):
        cushion(
            (arm, 0.76, 0.46),
            (side * (0.31 + arm / 2), 0.0, 0.37),
            style.seat,
            power,
            wrinkle=0.006,
        )
        for y in (-0.28, 0.3):
            cylinder(0.018, 0.14, (side * 0.31, y, 0), style.frame, top_radius=0.026)
    if happens(0.4):
        pillow(
            0.42, 0.42, 0.14, (0, 0.1, 0.6), fabric(), (math.pi / 2 - 0.35, between(-0.2, 0.2), 0.1)
        )


def wing_chair(style):
    """Traditional chair with a high back, wings and rolled arms on short wooden legs."""
    top = 1.05
    cushion((0.62, 0.66, 0.2), (0, 0.0, 0.28), style.seat, 8, wrinkle=0.004)
    cushion((0.54, 0.58, 0.15), (0, -0.05, 0.42), style.seat, 4.5, wrinkle=0.006, puff=0.15)
    cushion(
        (0.6, 0.15, top - 0.24),
        (0, 0.3, (top + 0.24) / 2),
        style.seat,
        4,
        (-0.14, 0, 0),
        wrinkle=0.006,
    )
    for side in (-1, 1):
        x = side * 0.34
        cushion((0.1, 0.62, 0.38), (x, -0.0, 0.4), style.seat, 6, wrinkle=0.004)
        cushion((0.15, 0.64, 0.13), (x + side * 0.02, -0.0, 0.6), style.seat, 2.6, wrinkle=0.004)
        cushion(
            (0.075, 0.3, 0.48),
            (x - side * 0.02, 0.23, 0.8),
            style.seat,
            3,
            (-0.1, 0, -side * 0.12),
            wrinkle=0.005,
        )
        for y in (-0.27, 0.27):
            tube(
                [(side * 0.28, y, 0.2), (side * 0.3, y * 1.06, 0)],
                0.022,
                style.frame,
                radii=[1.2, 0.65],
            )


def lounge_wood(style):
    """Mid-century easy chair: slanted wooden frame with open arms, two loose cushions."""
    for side in (-1, 1):
        x = side * 0.32
        tube(
            [(x, -0.3, 0), (x, -0.26, 0.3), (x, -0.25, 0.53)],
            0.02,
            style.frame,
            radii=[0.7, 1, 0.9],
        )
        tube([(x, 0.38, 0), (x, 0.27, 0.3), (x, 0.3, 0.56)], 0.02, style.frame, radii=[0.7, 1, 0.9])
        tube(
            [(x, 0.33, 0.535), (x, 0.05, 0.555), (x, -0.2, 0.56), (x * 0.98, -0.33, 0.545)],
            0.024,
            style.frame,
            radii=[0.8, 1, 1.25, 0.9],
        )
        box((0.022, 0.66, 0.06), (x, 0.0, 0.31), style.frame, 0.006, rotation=(-0.12, 0, 0))
        rod((side * 0.24, 0.22, 0.28), (side * 0.22, 0.45, 0.84), 0.016, style.frame)
    for y in (-0.28, 0.26):
        box((0.64, 0.022, 0.05), (0, y, 0.33 - 0.12 * y), style.frame, 0.005)
    for rung in range(5):
        z = 0.42 + rung * 0.095
        box((0.46, 0.012, 0.035), (0, 0.22 + (z - 0.28) * 0.41, z), style.frame, 0.004)
    cushion(
        (0.57, 0.58, 0.12), (0, -0.04, 0.4), style.seat, 6, (-0.12, 0, 0), wrinkle=0.006, puff=0.15
    )
    cushion((0.57, 0.13, 0.52), (0, 0.23, 0.65), style.seat, 6, (-0.4, 0, 0), wrinkle=0.006)


CHAIRS = {
    "ladder_back": ladder_back,
    "slat_back": slat_back,
    "windsor": windsor,
    "shell": shell,
    "office": office,
    "parsons": parsons,
    "tub": tub_chair,
    "folding": folding,
    "bistro": bistro,
    "wicker": wicker,
    "carver": carver,
    "wishbone": wishbone,
    "cantilever": cantilever,
    "school": school,
    "garden_plastic": garden_plastic,
    "easy_chair": easy_chair,
    "wing_chair": wing_chair,
    "lounge_wood": lounge_wood,
}
DINING_CHAIRS = ["ladder_back", "slat_back", "windsor", "shell", "bistro", "parsons"] * 2 + [
    "tub",
    "folding",
    "carver",
    "wishbone",
    "cantilever",
    "school",
]
DESK_CHAIRS = ["office", "office", "office", "shell", "school", "slat_back", "cantilever"]
EASY_CHAIRS = ["easy_chair", "wing_chair", "lounge_wood", "wicker", "tub"]
OUTDOOR_CHAIRS = ["folding", "folding", "bistro", "garden_plastic", "wicker", "slat_back", "school"]


def chair_style(kind=None):
    """Kind, materials and measures for a set of chairs; None picks a kind for a dining table."""
    kind = kind or choose(DINING_CHAIRS)
    frame = choose([wood, wood, wood, _painted, _painted])
    frame = frame(2) if frame is wood else frame()
    cloth = choose([_plain_fabric, _plain_fabric, leather])
    steel = choose(
        [metal((0.62, 0.62, 0.62, 1), 0.2), metal((0.03, 0.03, 0.03, 1), 0.4), _painted()]
    )
    width, back = between(0.41, 0.46), between(0.84, 0.98)
    details = ()
    if kind in ("parsons", "tub", "easy_chair", "wing_chair", "lounge_wood"):
        seat = choose([_plain_fabric, fabric, _plain_fabric, leather])()
        if kind != "lounge_wood":
            frame = choose([wood(2), paint(BLACK, 0.4)])
        else:
            frame = wood(2)
        back = between(0.88, 1.02)
    elif kind == "shell":
        seat = choose(
            [paint(color, 0.35) for color in (WHITE, BLACK, GREY, natural_color(), natural_color())]
        )
        if happens(0.25):
            seat = _plain_fabric()
        frame = wood(2)
        if happens(0.3):
            details = (_plain_fabric(),)
    elif kind == "office":
        dark = choose([BLACK, BLACK, (0.05, 0.05, 0.055, 1), (0.08, 0.1, 0.16, 1), natural_color()])
        seat = choose([_plain_fabric(dark), _plain_fabric(), leather(), leather(BLACK)])
        steel = paint(choose([BLACK, BLACK, BLACK, GREY, WHITE]), 0.5)
    elif kind == "ladder_back":
        seat = choose([rattan(), rattan(), frame])
    elif kind == "bistro":
        frame = choose([wood(2), wood(2), paint(BLACK, 0.35)])
        seat = choose([rattan(), frame])
        back = between(0.86, 0.92)
    elif kind == "wicker":
        seat, details = rattan(), (choose([_plain_fabric, fabric])(),)
        frame = choose([wood(2), metal((0.04, 0.04, 0.04, 1), 0.4)])
        back = between(0.8, 0.95)
    elif kind == "wishbone":
        frame, seat = (
            choose([wood(2), wood(2), paint(BLACK, 0.4)]),
            choose([rattan(), _plain_fabric()]),
        )
    elif kind == "cantilever":
        seat, frame = choose([rattan(), leather(), leather(BLACK), _plain_fabric()]), wood(1)
        back = between(0.8, 0.86)
    elif kind == "school":
        seat = choose([wood(0), wood(0), paint(natural_color(), 0.4)])
        back = between(0.78, 0.84)
    elif kind == "folding":
        seat = choose([wood(0), paint(natural_color(), 0.45), paint(WHITE, 0.45)])
        frame = choose([seat, metal((0.05, 0.05, 0.05, 1), 0.4), wood(2)])
        back = between(0.8, 0.88)
    elif kind == "garden_plastic":
        seat = paint(choose([WHITE, WHITE, (0.03, 0.1, 0.06, 1), natural_color()]), 0.35)
    else:
        seat = frame if kind == "windsor" or happens(0.5) else cloth()
    return ChairStyle(kind, frame, seat, steel, stage.random.randrange(60), width, back, details)


def _painted():
    """Painted wood, mostly white, black or a quiet colour."""
    return paint(choose([WHITE, BLACK, BLACK, natural_color(), natural_color()]), 0.42)


def _plain_fabric(color=None):
    """Cloth without a pattern."""
    return fabric(color or natural_color(), pattern="plain")


def chair(location=(0, 0, 0), rotation=0.0, style=None):
    """One chair labelled "chair"; chairs of one set share a style."""
    style = style or chair_style()
    with stage.labelled("chair"), stage.group(location, rotation):
        CHAIRS[style.kind](style)
    return style


# ---------------------------------------------------------------- sofas


class SofaSeat(NamedTuple):
    """Where things can be put on a sofa: height of the seat, half of its whole width."""

    height: float
    half_width: float


def _sofa_feet(half_width, half_depth, height, kind=None):
    """Four feet: turned, conical, block or steel."""
    kind = kind or choose(["cone", "block", "steel"])
    material = {"steel": metal((0.6, 0.6, 0.6, 1), 0.25), "block": paint(BLACK, 0.5)}.get(
        kind
    ) or wood(2)
    for x in (-1, 1):
        for y in (-1, 1):
            place = (x * (half_width - 0.08), y * (half_depth - 0.08), 0)
            if kind == "block":
                box((0.07, 0.07, height), (place[0], place[1], height / 2), material)
            else:
                slim = 0.008 if kind == "steel" else 0.016
                cylinder(slim, height + 0.02, place, material, top_radius=slim * 1.7)


def _scatter_pillows(half_width, seat_height, back_y, most=4):
    """Throw pillows that lean on the back; some match, some have a pattern."""
    matching = fabric()
    count = stage.random.choice([0, 1, 2, 2, 3, most])
    places = [-0.8, 0.8, -0.5, 0.55, 0.1]
    stage.random.shuffle(places)
    for place in places[:count]:
        size = between(0.36, 0.5)
        lean = between(0.25, 0.5)
        cover = choose([matching, fabric(), knit()])
        wide = size * choose([1, 1, 1, 1.4])
        x = place * (half_width - 0.22) + between(-0.05, 0.05)
        pillow(
            wide,
            size,
            between(0.13, 0.19),
            (x, back_y - 0.07 - 0.1 * lean, seat_height + size * 0.44),
            cover,
            (math.pi / 2 - lean, between(-0.25, 0.25), -0.35 * place + between(-0.15, 0.15)),
        )


def _maybe_blanket(half_width, back_y, back_height, seat_height, arm_height, probability=0.3):
    """A blanket over the back or over an arm; it counts as a part of the sofa."""
    if not happens(probability):
        return
    if happens(0.6):
        x = between(-0.6, 0.6) * half_width
        clutter.blanket((x, back_y, back_height), between(-0.1, 0.1), between(0.5, 0.9), 0.24)
    else:
        side = choose([-1, 1])
        clutter.blanket(
            (side * (half_width - 0.1), -0.1, arm_height),
            side * math.pi / 2,
            between(0.4, 0.6),
            0.2,
        )


def sofa_boxy(width, cover):
    """Modern block sofa: square arms, loose seat and back cushions, low feet."""
    arm, depth = between(0.13, 0.24), between(0.86, 0.98)
    arm_height, back_height = between(0.52, 0.64), between(0.74, 0.86)
    inner = width - 2 * arm
    feet = between(0.06, 0.14)
    cushion((width - 0.02, depth - 0.04, 0.2), (0, 0, feet + 0.1), cover, 14, wrinkle=0.003)
    cushion(
        (width, 0.2, back_height - feet),
        (0, depth / 2 - 0.1, (feet + back_height) / 2),
        cover,
        11,
        wrinkle=0.005,
    )
    for side in (-1, 1):
        cushion(
            (arm, depth, arm_height - feet),
            (side * (width / 2 - arm / 2), 0, (feet + arm_height) / 2),
            cover,
            10,
            wrinkle=0.005,
        )
    seats = 3 if inner > 1.6 else 2
    seat_height = feet + 0.36
    for index in range(seats):
        x = (index - (seats - 1) / 2) * inner / seats
        cushion(
            (inner / seats - 0.006, depth - 0.2, 0.18),
            (x, -0.1, seat_height - 0.09),
            cover,
            7,
            wrinkle=0.008,
            puff=0.1,
        )
        cushion(
            (inner / seats - 0.012, 0.19, back_height - 0.36),
            (x, depth / 2 - 0.27, seat_height + (back_height - 0.4) / 2),
            cover,
            4.5,
            (-0.2 + between(-0.04, 0.04), 0, between(-0.02, 0.02)),
            wrinkle=0.011,
        )
    _sofa_feet(width / 2, depth / 2, feet)
    _scatter_pillows(inner / 2, seat_height, depth / 2 - 0.34)
    _maybe_blanket(width / 2, depth / 2 - 0.1, back_height, seat_height, arm_height)
    return SofaSeat(seat_height, width / 2)


def sofa_rolled_arm(width, cover):
    """Traditional sofa: rolled arms with round fronts, full cushions, skirt or turned feet."""
    arm, depth = 0.2, 0.92
    back_height, arm_height = between(0.82, 0.92), between(0.6, 0.66)
    inner = width - 2 * arm + 0.04
    skirt = happens(0.4)
    low = 0.02 if skirt else 0.13
    cushion(
        (width - 0.1, depth - 0.06, 0.3 - low), (0, 0, (0.3 + low) / 2), cover, 14, wrinkle=0.004
    )
    cushion(
        (width - 0.16, 0.22, back_height - 0.2),
        (0, 0.34, 0.2 + (back_height - 0.2) / 2),
        cover,
        5,
        (-0.1, 0, 0),
        wrinkle=0.007,
    )
    cushion(
        (width - 0.2, 0.22, 0.16), (0, 0.4, back_height - 0.05), cover, 2.4, wrinkle=0.006, cuts=18
    )
    for side in (-1, 1):
        x = side * (width / 2 - arm / 2)
        cushion(
            (arm * 0.72, depth - 0.06, arm_height - 0.06 - low),
            (x - side * 0.02, 0, (arm_height - 0.06 + low) / 2),
            cover,
            9,
            wrinkle=0.004,
        )
        cushion(
            (arm * 1.15, depth - 0.04, 0.2),
            (x + side * 0.015, -0.0, arm_height - 0.06),
            cover,
            2.7,
            wrinkle=0.004,
            cuts=18,
        )
        cylinder(
            0.075,
            0.012,
            (x + side * 0.015, -depth / 2 + 0.035, arm_height - 0.06),
            cover,
            rotation=(math.pi / 2, 0, 0),
        )
    seats = 3 if inner > 1.65 else 2
    seat_height = 0.47
    for index in range(seats):
        x = (index - (seats - 1) / 2) * inner / seats
        cushion(
            (inner / seats - 0.004, depth - 0.22, 0.19),
            (x, -0.1, seat_height - 0.09),
            cover,
            5,
            wrinkle=0.009,
            puff=0.2,
        )
        cushion(
            (inner / seats - 0.01, 0.22, 0.48),
            (x, 0.19, seat_height + 0.2),
            cover,
            3.4,
            (-0.22, 0, between(-0.03, 0.03)),
            wrinkle=0.014,
        )
    if not skirt:
        for x in (-1, 1):
            for y in (-1, 1):
                lathe(
                    [(0.0, 0), (0.018, 0), (0.03, 0.05), (0.02, 0.09), (0.034, 0.14), (0, 0.14)],
                    wood(2),
                    (x * (width / 2 - 0.12), y * 0.36, 0),
                )
    _scatter_pillows(inner / 2, seat_height, 0.12)
    _maybe_blanket(width / 2, 0.4, back_height + 0.02, seat_height, arm_height + 0.03)
    return SofaSeat(seat_height, width / 2)


def _tufted_wall(length, path, cover, spacing=0.16):
    """A buttoned surface `length` wide along x that follows path [(y, z), ...] upwards."""
    columns = max(2, round(length / spacing))
    measures = [0.0]
    for (first_y, first_z), (second_y, second_z) in itertools.pairwise(path):
        measures.append(measures[-1] + math.hypot(second_y - first_y, second_z - first_z))
    rows = max(2, round(measures[-1] / (spacing * 0.9)))

    def at(part):
        distance = part * measures[-1]
        for index in range(len(path) - 1):
            if distance <= measures[index + 1] or index == len(path) - 2:
                share = (distance - measures[index]) / (measures[index + 1] - measures[index])
                (first_y, first_z), (second_y, second_z) = path[index], path[index + 1]
                return first_y + (second_y - first_y) * share, first_z + (
                    second_z - first_z
                ) * share

    def surface(u, v):
        y, z = at(v)
        low_y, low_z = at(max(0, v - 0.02))
        high_y, high_z = at(min(1, v + 0.02))
        step = math.hypot(high_y - low_y, high_z - low_z) or 1
        normal = Vector((0, -(high_z - low_z) / step, (high_y - low_y) / step))
        across, up = u * columns, v * rows
        first, second = math.pi * (across + up) / 2, math.pi * (across - up) / 2
        puff = (abs(math.sin(first)) * abs(math.sin(second))) ** 0.45
        fade = min(1, (1 - v) * 3.5, v * 8)
        return Vector(((u - 0.5) * length, y, z)) + normal * (0.045 * puff * fade)

    sheet(surface, columns * 8 + 1, rows * 7 + 1, cover)
    for row in range(1, rows):
        for column in range(columns + 1):
            if (row + column) % 2 == 0 and 0 < column < columns and row < rows * 0.72:
                ball(0.013, surface(column / columns, row / rows), cover, (1, 0.7, 1), 10)


def sofa_chesterfield(width, cover):
    """Buttoned sofa whose rolled arms are as high as the back; leather or velvet."""
    depth, top, roll = 0.9, between(0.7, 0.78), 0.1
    path = [(0.0, 0.3), (0.03, top - 0.16)]
    for step in range(9):
        angle = math.pi * (1 - step / 8)
        path.append((0.115 + roll * 0.85 * math.cos(angle), top - 0.1 + roll * math.sin(angle)))
    inner = width - 0.46
    with stage.group((0, depth / 2 - 0.24, 0)):
        _tufted_wall(width - 0.24, path, cover)
        box((width - 0.3, 0.16, top - 0.18), (0, 0.14, 0.1 + (top - 0.18) / 2), cover, 0.01)
    for side in (-1, 1):
        with stage.group((side * inner / 2, -0.06, 0), -side * math.pi / 2):
            _tufted_wall(depth - 0.12, path, cover)
            front = side * (depth - 0.12) / 2
            box((depth - 0.16, 0.16, top - 0.2), (0, 0.13, 0.1 + (top - 0.2) / 2), cover, 0.01)
            with stage.group((front, 0.115, top - 0.1), 0):
                cylinder(
                    roll * 1.04,
                    0.03,
                    (-side * 0.015, 0, 0),
                    cover,
                    rotation=(0, side * math.pi / 2, 0),
                )
            box((0.035, 0.14, top - 0.18), (front, 0.115, 0.1 + (top - 0.18) / 2), cover, 0.008)
    cushion((width - 0.24, depth - 0.1, 0.22), (0, -0.02, 0.21), cover, 14, wrinkle=0.003)
    seats = 3 if width > 1.9 else 2
    seat_height = 0.45
    for index in range(seats):
        x = (index - (seats - 1) / 2) * inner / seats
        cushion(
            (inner / seats - 0.004, depth - 0.28, 0.16),
            (x, -0.12, seat_height - 0.075),
            cover,
            6,
            wrinkle=0.006,
            puff=0.12,
        )
    for x in (-1, 1):
        for y in (-1, 1):
            lathe(
                [(0, 0), (0.02, 0), (0.034, 0.04), (0.02, 0.085), (0.036, 0.12), (0, 0.12)],
                wood(2, "dark"),
                (x * (width / 2 - 0.14), y * 0.34, 0),
            )
    _scatter_pillows(inner / 2, seat_height, 0.16, 3)
    return SofaSeat(seat_height, width / 2)


def sofa_corner(width, cover):
    """Corner sofa with a chaise longue on one side."""
    side = choose([-1, 1])
    arm, depth, reach = between(0.16, 0.22), 0.92, between(1.45, 1.65)
    back_height, feet = between(0.72, 0.84), 0.07
    seat_height = 0.43
    chaise = between(0.7, 0.85)
    inner = width - 2 * arm
    cushion(
        (width, 0.2, back_height - feet),
        (0, depth / 2 - 0.1, (back_height + feet) / 2),
        cover,
        8,
        wrinkle=0.006,
    )
    cushion((width - 0.03, depth - 0.04, 0.2), (0, 0, feet + 0.1), cover, 14, wrinkle=0.003)
    chaise_x = side * (width / 2 - arm - chaise / 2)
    front = depth / 2 - reach
    cushion(
        (chaise + arm * 0.4, reach - 0.06, 0.2),
        (chaise_x, depth / 2 - reach / 2, feet + 0.1),
        cover,
        14,
        wrinkle=0.003,
    )
    cushion(
        (chaise, reach - 0.22, 0.18),
        (chaise_x, (depth / 2 - 0.2 + front) / 2, seat_height - 0.09),
        cover,
        8,
        wrinkle=0.01,
        puff=0.08,
    )
    rest = inner - chaise
    seats = 2 if rest > 1.1 else 1
    for index in range(seats):
        x = -side * (width / 2 - arm - rest * (index + 0.5) / seats)
        cushion(
            (rest / seats - 0.005, depth - 0.2, 0.18),
            (x, -0.1, seat_height - 0.09),
            cover,
            7,
            wrinkle=0.009,
            puff=0.1,
        )
        cushion(
            (rest / seats - 0.02, 0.19, 0.42),
            (x, 0.18, seat_height + 0.18),
            cover,
            4,
            (-0.22, 0, 0),
            wrinkle=0.012,
        )
    cushion(
        (chaise - 0.02, 0.19, 0.42),
        (chaise_x, 0.18, seat_height + 0.18),
        cover,
        4,
        (-0.22, 0, 0),
        wrinkle=0.012,
    )
    for x_side in (-1, 1):
        cushion(
            (arm, depth, 0.5),
            (x_side * (width / 2 - arm / 2), 0, feet + 0.25),
            cover,
            8,
            wrinkle=0.006,
        )
    _sofa_feet(width / 2, depth / 2, feet + 0.01, "block")
    box((0.07, 0.07, feet), (chaise_x + 0.25, front + 0.12, feet / 2), paint(BLACK, 0.5))
    box((0.07, 0.07, feet), (chaise_x - 0.25, front + 0.12, feet / 2), paint(BLACK, 0.5))
    _scatter_pillows(inner / 2, seat_height, 0.12, 5)
    _maybe_blanket(width / 2, depth / 2 - 0.1, back_height, seat_height, 0.58, 0.4)
    return SofaSeat(seat_height, width / 2)


def sofa_mid_century(width, cover):
    """Slim sofa: thin cushions on a wooden frame with angled legs, open wooden or slim arms."""
    tone = wood_tone()
    frame, upright = wood(0, tone), wood(2, tone)
    depth, seat_height, back_height = 0.82, 0.44, between(0.76, 0.86)
    open_arms = happens(0.5)
    box((width - 0.04, 0.05, 0.07), (0, -depth / 2 + 0.06, 0.29), frame, 0.01)
    box((width - 0.04, 0.05, 0.07), (0, depth / 2 - 0.08, 0.29), frame, 0.01)
    for side in (-1, 1):
        box((0.05, depth - 0.1, 0.07), (side * (width / 2 - 0.05), 0, 0.29), frame, 0.01)
        for y, splay in ((-depth / 2 + 0.1, -0.05), (depth / 2 - 0.1, 0.07)):
            x = side * (width / 2 - 0.13)
            rod((x, y, 0.29), (x + side * 0.05, y + splay, 0), 0.019, upright)
        if open_arms:
            x = side * (width / 2 - 0.03)
            rod((x, -0.28, 0.28), (x, -0.26, 0.58), 0.018, upright)
            rod((x, 0.3, 0.28), (x, 0.34, 0.58), 0.018, upright)
            tube(
                [(x, 0.38, 0.59), (x, 0.0, 0.6), (x, -0.34, 0.585)],
                0.026,
                wood(1, tone),
                radii=[0.8, 1.1, 1],
            )
        else:
            cushion(
                (0.09, depth - 0.06, 0.3),
                (side * (width / 2 - 0.045), 0, 0.46),
                cover,
                8,
                wrinkle=0.003,
            )
    inner = width - (0.1 if open_arms else 0.2)
    seats = choose([1, 2, 3]) if inner > 1.5 else choose([1, 2])
    for index in range(seats):
        x = (index - (seats - 1) / 2) * inner / seats
        cushion(
            (inner / seats - 0.005, depth - 0.12, 0.13),
            (x, -0.04, seat_height - 0.06),
            cover,
            9,
            wrinkle=0.004,
            puff=0.05,
        )
        tall = back_height - seat_height + 0.02
        cushion(
            (inner / seats - 0.008, 0.13, tall),
            (x, 0.27, seat_height + tall / 2 - 0.02),
            cover,
            8,
            (-0.2, 0, 0),
            wrinkle=0.004,
        )
        if seats < 3:
            count = max(2, int(inner / seats / 0.2))
            for button in range(count):
                bx = x + ((button + 0.5) / count - 0.5) * (inner / seats)
                for z in (0.3, 0.65):
                    height = seat_height + tall * z
                    ball(
                        0.012,
                        (bx, 0.2 + 0.2 * (height - seat_height - tall / 2), height),
                        cover,
                        (1, 0.8, 1),
                        10,
                    )
    rod((-inner / 2, 0.38, back_height - 0.06), (inner / 2, 0.38, back_height - 0.06), 0.018, frame)
    _scatter_pillows(inner / 2, seat_height, 0.14)
    if not open_arms:
        _maybe_blanket(width / 2, 0.36, back_height, seat_height, 0.6, 0.25)
    return SofaSeat(seat_height, width / 2)


def sofa_slouchy(width, cover):
    """Old, soft, sagging sofa with sunken cushions, a blanket and many pillows."""
    depth = 0.98
    arm = 0.24
    inner = width - 2 * arm
    cushion((width - 0.06, depth - 0.05, 0.28), (0, 0, 0.17), cover, 8, wrinkle=0.015)
    cushion(
        (width - 0.1, 0.3, 0.68), (0, 0.32, 0.48), cover, 3.2, (-0.12, 0, 0), wrinkle=0.028, cuts=20
    )
    for side in (-1, 1):
        cushion(
            (arm, depth - 0.02, 0.54),
            (side * (width / 2 - arm / 2), -0.01, 0.32),
            cover,
            3,
            (0, side * 0.06, 0),
            wrinkle=0.022,
            cuts=18,
        )
    seats = 2 if inner < 1.5 else 3
    seat_height = 0.42
    for index in range(seats):
        x = (index - (seats - 1) / 2) * inner / seats
        cushion(
            (inner / seats + 0.01, depth - 0.2, 0.22),
            (x, -0.12, 0.33 + between(-0.01, 0.01)),
            cover,
            3.6,
            (between(-0.03, 0.05), between(-0.03, 0.03), between(-0.04, 0.04)),
            wrinkle=0.025,
            puff=0.1,
            cuts=18,
        )
        cushion(
            (inner / seats + 0.03, 0.27, 0.46),
            (x, 0.18, 0.62 + between(-0.02, 0.02)),
            cover,
            2.8,
            (-0.3 + between(-0.06, 0.06), between(-0.05, 0.05), between(-0.08, 0.08)),
            wrinkle=0.03,
            cuts=18,
        )
    _scatter_pillows(inner / 2, seat_height, 0.08, 5)
    _maybe_blanket(width / 2, 0.36, 0.82, seat_height, 0.6, 0.75)
    return SofaSeat(seat_height, width / 2)


def sofa_loveseat(width, cover):
    """Small rounded sofa: a shell that curves around one thick seat cushion."""
    width = min(width, between(1.25, 1.5))
    depth, seat_height = 0.8, 0.45
    back_height, arm_height = between(0.72, 0.84), between(0.58, 0.66)
    half = width / 2 - 0.07
    squareness = between(2.6, 4.5)

    def wrap(u, v):
        angle = math.pi * (u * 1.0)
        cosine, sine = math.cos(angle), math.sin(angle)
        x = math.copysign(abs(cosine) ** (2 / squareness), cosine) * half
        y = abs(sine) ** (2 / squareness) * (depth - 0.12) - depth / 2 + 0.06
        rear = max(0.0, min(1.0, (y + 0.1) / 0.35))
        top = arm_height + (back_height - arm_height) * rear * rear * (3 - 2 * rear)
        z = 0.14 + (top - 0.14) * v
        return Vector((x, y + 0.05 * v * rear, z))

    sheet(wrap, 45, 9, cover, thickness=0.12, subdivisions=1)
    tube([wrap(step / 20, 1) for step in range(21)], 0.066, cover)
    cushion((width - 0.16, depth - 0.08, 0.16), (0, -0.02, 0.22), cover, 8, wrinkle=0.003)
    seats = choose([1, 2])
    for index in range(seats):
        wide = (width - 0.26) / seats
        cushion(
            (wide, depth - 0.16, 0.18),
            ((index - (seats - 1) / 2) * wide, -0.06, seat_height - 0.1),
            cover,
            4.5,
            wrinkle=0.006,
            puff=0.2,
        )
    if happens(0.5):
        count = int(width / 0.13)
        for rib in range(count):  # channel-stitched back
            x = ((rib + 0.5) / count - 0.5) * (width - 0.4)
            cushion(
                (0.125, 0.08, 0.42),
                (x, 0.25, 0.6),
                cover,
                2.6,
                (-0.12, 0, 0),
                wrinkle=0.001,
                cuts=8,
            )
    _sofa_feet(width / 2 - 0.08, depth / 2, 0.16, choose(["cone", "steel"]))
    _scatter_pillows(width / 2 - 0.2, seat_height, 0.16, 2)
    return SofaSeat(seat_height, width / 2)


def sofa_daybed(width, cover):
    """Futon or daybed: thin mattress on a slatted wooden frame, slatted sides, loose bolsters."""
    tone = wood_tone()
    frame, upright, arm_rest = wood(0, tone), wood(2, tone), wood(1, tone)
    depth, seat_height = 0.86, 0.42
    for side in (-1, 1):
        x = side * (width / 2 - 0.03)
        for y in (-depth / 2 + 0.03, depth / 2 - 0.03):
            box(
                (0.055, 0.055, 0.62 if y < 0 else 0.8),
                (x, y, 0.31 if y < 0 else 0.4),
                upright,
                0.006,
            )
        box((0.06, depth + 0.04, 0.03), (x, 0, 0.63), arm_rest, 0.006)
        for slat in range(5):
            box((0.014, 0.05, 0.32), (x, -0.28 + slat * 0.14, 0.46), upright, 0.003)
        box((0.03, depth - 0.08, 0.06), (x, 0, 0.27), upright, 0.004)
    for y in (-depth / 2 + 0.03, depth / 2 - 0.03):
        box((width - 0.1, 0.03, 0.09), (0, y, 0.25), frame, 0.004)
    box((width - 0.1, 0.03, 0.06), (0, depth / 2 - 0.03, 0.77), frame, 0.004)
    for slat in range(int(width / 0.16)):
        box(
            (0.05, 0.014, 0.46),
            (-width / 2 + 0.16 + slat * 0.16, depth / 2 - 0.03, 0.52),
            upright,
            0.003,
        )
    cushion(
        (width - 0.12, depth - 0.08, 0.15),
        (0, -0.01, seat_height - 0.07),
        cover,
        7,
        wrinkle=0.008,
        puff=0.08,
        cuts=18,
    )
    backs = choose([2, 3])
    for index in range(backs):
        wide = (width - 0.16) / backs
        cushion(
            (wide - 0.02, 0.17, 0.4),
            ((index - (backs - 1) / 2) * wide, 0.25, seat_height + 0.19),
            cover,
            4,
            (-0.22, 0, between(-0.05, 0.05)),
            wrinkle=0.014,
        )
    _scatter_pillows(width / 2 - 0.15, seat_height, 0.12)
    _maybe_blanket(width / 2, 0.4, 0.8, seat_height, 0.65, 0.3)
    return SofaSeat(seat_height, width / 2)


SOFAS = {
    "boxy": sofa_boxy,
    "rolled_arm": sofa_rolled_arm,
    "chesterfield": sofa_chesterfield,
    "corner": sofa_corner,
    "mid_century": sofa_mid_century,
    "slouchy": sofa_slouchy,
    "loveseat": sofa_loveseat,
    "daybed": sofa_daybed,
}


def sofa(location=(0, 0, 0), rotation=0.0, width=None, kind=None):
    """One sofa labelled "sofa", with its pillows and blanket; returns its SofaSeat."""
    kind = kind or choose(tuple(SOFAS))
    width = width or (between(2.0, 2.5) if kind == "corner" else between(1.45, 2.25))
    if kind == "chesterfield":
        cover = choose([leather, leather, velvet])()
    elif kind in ("boxy", "corner", "rolled_arm"):
        cover = choose([_plain_fabric, _plain_fabric, _melange, leather, fabric, velvet])()
    else:
        cover = choose([_plain_fabric, _plain_fabric, _melange, fabric, velvet])()
    with stage.labelled("sofa"), stage.group(location, rotation):
        return SOFAS[kind](width, cover)


def _melange():
    """Cloth with flecks."""
    return fabric(pattern="melange")


# ---------------------------------------------------------------- dining tables


def _table_top(length, width, height, round_top, material, thickness=0.032):
    """A round, rectangular or board-made table top; returns its upper height."""
    if round_top:
        radius = width / 2
        lathe(
            [
                (0, height - thickness),
                (radius - 0.015, height - thickness),
                (radius, height - thickness * 0.6),
                (radius, height - 0.006),
                (radius - 0.006, height),
                (0, height),
            ],
            material,
            segments=72,
        )
    elif happens(0.3):
        boards = stage.random.randint(4, 6)
        for board in range(boards):
            y = (board - (boards - 1) / 2) * width / boards
            box(
                (length, width / boards - 0.003, thickness),
                (0, y, height - thickness / 2),
                material,
                0.003,
            )
    else:
        box(
            (length, width, thickness),
            (0, 0, height - thickness / 2),
            material,
            choose([0.003, 0.008, 0.014]),
            3,
        )


def _apron(length, width, height, inset, material, drawer=False):
    """The boards under a table top."""
    for side in (-1, 1):
        box(
            (0.022, width - 2 * inset, 0.08),
            (side * (length / 2 - inset), 0, height - 0.04),
            material,
            0.002,
        )
        box(
            (length - 2 * inset, 0.022, 0.08),
            (0, side * (width / 2 - inset), height - 0.04),
            material,
            0.002,
        )
    if drawer:
        box((0.4, 0.008, 0.06), (0, -width / 2 + inset - 0.012, height - 0.04), material, 0.003)
        ball(0.013, (0, -width / 2 + inset - 0.026, height - 0.04), metal((0.5, 0.4, 0.2, 1), 0.3))


def legs_square(length, width, height, material):
    """Straight or tapered square legs with an apron."""
    thick, inset = between(0.05, 0.085), between(0.05, 0.09)
    taper = choose([1, 0.6, 0.6])
    for x in (-1, 1):
        for y in (-1, 1):
            box(
                (thick, thick, height),
                (x * (length / 2 - inset), y * (width / 2 - inset), height / 2),
                material,
                0.005,
                taper=taper,
            )
    _apron(length, width, height, inset, material, happens(0.25))


def legs_turned(length, width, height, material):
    """Turned country legs with an apron."""
    profile = [(0, 0), (0.022, 0), (0.03, 0.04), (0.022, 0.08), (0.036, 0.2), (0.042, 0.34)]
    profile += [(0.028, 0.46), (0.042, 0.48), (0.03, 0.51), (0.042, 0.55), (0, 0.55)]
    for x in (-1, 1):
        for y in (-1, 1):
            place = (x * (length / 2 - 0.09), y * (width / 2 - 0.09))
            lathe(profile, material, (*place, 0), 28)
            box((0.085, 0.085, height - 0.54), (*place, (height + 0.54) / 2), material, 0.004)
    _apron(length, width, height, 0.09, material, happens(0.4))


def legs_angled(length, width, height, material):
    """Round conical legs, set at an angle, mid-century fashion."""
    for x in (-1, 1):
        for y in (-1, 1):
            top = (x * (length / 2 - 0.2), y * (width / 2 - 0.16), height)
            tube(
                [top, (x * (length / 2 - 0.06), y * (width / 2 - 0.06), 0)],
                0.024,
                material,
                smooth=False,
                radii=[1.25, 0.6],
            )
    _apron(length - 0.2, width - 0.14, height, 0.1, material)


def legs_hairpin(length, width, height, material):
    """Bent steel rods."""
    steel = metal((0.03, 0.03, 0.03, 1), 0.4)
    for x in (-1, 1):
        for y in (-1, 1):
            corner_x, corner_y = x * (length / 2 - 0.08), y * (width / 2 - 0.08)
            bent_tube(
                [
                    (corner_x - x * 0.11, corner_y, height),
                    (corner_x + x * 0.015, corner_y + y * 0.015, 0.006),
                    (corner_x, corner_y - y * 0.11, height),
                ],
                0.0065,
                steel,
                0.03,
            )


def legs_trestle(length, width, height, material):
    """Two plank trestles with feet and a long beam."""
    x_place = length / 2 - 0.22
    single = happens(0.5)
    for side in (-1, 1):
        x = side * x_place
        box((0.075, width - 0.12, 0.075), (x, 0, 0.0375), material, 0.012)
        box((0.075, width - 0.16, 0.06), (x, 0, height - 0.03), material, 0.01)
        if single:
            box((0.05, 0.2, height - 0.1), (x, 0, height / 2), material, 0.008)
        else:
            for y in (-1, 1):
                box((0.05, 0.07, height - 0.08), (x, y * width * 0.17, height / 2), material, 0.008)
    box((2 * x_place, 0.045, 0.11), (0, 0, 0.3), material, 0.008)


def legs_cross(length, width, height, material):
    """X-shaped legs at both ends, like a picnic or industrial table."""
    tilt = math.atan2(width - 0.2, height)
    long = math.hypot(width - 0.2, height) - 0.03
    for side in (-1, 1):
        for turn in (-1, 1):
            box(
                (0.06, 0.07, long),
                (side * (length / 2 - 0.2) + turn * 0.008, 0, height / 2),
                material,
                0.006,
                rotation=(turn * tilt, 0, 0),
            )
    box((length - 0.4, 0.05, 0.06), (0, 0, height / 2), material, 0.006)


def legs_steel_frame(length, width, height, material):
    """Rectangular steel loops at both ends."""
    steel = metal((0.025, 0.025, 0.026, 1), 0.45)
    for side in (-1, 1):
        x = side * (length / 2 - 0.16)
        for y in (-1, 1):
            box((0.06, 0.03, height), (x, y * (width / 2 - 0.07), height / 2), steel, 0.003)
        for z in (0.015, height - 0.015):
            box((0.06, width - 0.14, 0.03), (x, 0, z), steel, 0.003)


def pedestal_turned(length, width, height, material):
    """A turned column on three or four curved feet."""
    lathe(
        [
            (0, 0.16),
            (0.05, 0.16),
            (0.06, 0.2),
            (0.035, 0.27),
            (0.06, 0.38),
            (0.04, 0.5),
            (0.05, height - 0.05),
            (0.17, height - 0.01),
            (0, height - 0.01),
        ],
        material,
    )
    feet = choose([3, 4])
    reach = width * 0.36
    for foot in range(feet):
        angle = 0.4 + foot * 2 * math.pi / feet
        x, y = math.cos(angle), math.sin(angle)
        tube(
            [
                (0, 0, 0.24),
                (x * reach * 0.45, y * reach * 0.45, 0.2),
                (x * reach * 0.85, y * reach * 0.85, 0.06),
                (x * reach, y * reach, 0.025),
            ],
            0.028,
            material,
            radii=[1.2, 1.1, 0.9, 0.85],
        )


def pedestal_tulip(length, width, height, material):
    """One smooth trumpet-shaped foot."""
    color = choose([paint(WHITE, 0.25), paint(WHITE, 0.25), paint(BLACK, 0.3), material])
    reach = width * 0.27
    profile = [(0, 0), (reach, 0), (reach, 0.012)]
    for step in range(1, 9):
        part = step / 8
        profile.append((0.035 + (reach - 0.035) * (1 - part) ** 3, 0.012 + 0.33 * part))
    profile += [(0.034, 0.45), (0.05, height - 0.08), (0.14, height - 0.01), (0, height - 0.01)]
    lathe(profile, color, segments=56, sharp_angle=60)


def pedestal_bistro(length, width, height, material):
    """Cast-iron column with a cross foot."""
    iron = paint(BLACK, 0.5)
    cylinder(0.03, height - 0.02, (0, 0, 0), iron)
    reach = width * 0.36
    for foot in range(4):
        angle = math.pi / 4 + foot * math.pi / 2
        x, y = math.cos(angle), math.sin(angle)
        tube(
            [(0, 0, 0.1), (x * reach * 0.5, y * reach * 0.5, 0.05), (x * reach, y * reach, 0.015)],
            0.02,
            iron,
            radii=[1.3, 1, 0.8],
        )
    cylinder(0.14, 0.015, (0, 0, height - 0.016), iron)


def legs_four_round(length, width, height, material):
    """Four legs under a round top."""
    reach = width * 0.33
    for leg in range(4):
        angle = math.pi / 4 + leg * math.pi / 2
        x, y = math.cos(angle), math.sin(angle)
        tube(
            [(x * reach * 0.85, y * reach * 0.85, height), (x * reach * 1.05, y * reach * 1.05, 0)],
            0.026,
            material,
            smooth=False,
            radii=[1.1, 0.65],
        )
    for turn in (0, math.pi / 2):
        with stage.group((0, 0, 0), turn + math.pi / 4):
            box((reach * 1.7, 0.025, 0.07), (0, 0, height - 0.036), material, 0.003)


LEGS = {
    "square": legs_square,
    "turned": legs_turned,
    "angled": legs_angled,
    "hairpin": legs_hairpin,
    "trestle": legs_trestle,
    "cross": legs_cross,
    "steel_frame": legs_steel_frame,
}
ROUND_LEGS = {
    "pedestal": pedestal_turned,
    "tulip": pedestal_tulip,
    "bistro": pedestal_bistro,
    "four": legs_four_round,
}


def _drop_leaves(length, width, height, material):
    """Two hanging leaves along the long sides."""
    for side in (-1, 1):
        box(
            (length - 0.004, 0.022, 0.3),
            (0, side * (width / 2 + 0.006), height - 0.16),
            material,
            0.004,
            rotation=(side * 0.05, 0, 0),
        )


def tablecloth(length, width, height, round_top, drop=0.25):
    """A cloth over the whole table that hangs down in folds."""
    material = choose(
        [
            fabric(pattern="check"),
            fabric(),
            fabric(hsv(0.1, 0.05, 0.85), "plain"),
            fabric(pattern="stripes"),
        ]
    )
    offset = Vector((between(0, 40), between(0, 40), 0))
    rim = _rim(length, width, round_top)
    levels = [(0.0, 0.04), (0.2, 0.2), (0.4, 0.4), (0.6, 0.6), (0.8, 0.8), (1.0, 1.0)]
    bm = bmesh.new()
    rows = [
        [bm.verts.new(point * part + Vector((0, 0, height + 0.004))) for point, _ in rim]
        for part in (0.5, 0.99)
    ]
    for reach, fall in levels:
        row = []
        for point, outward in rim:
            fold = vector_noise.noise(point * 5 + offset)
            fold += 0.4 * vector_noise.noise(point * 11 + offset)
            away = outward * (0.01 + reach * (0.022 + 0.045 * fold))
            row.append(bm.verts.new(point + away + Vector((0, 0, height + 0.004 - drop * fall))))
        rows.append(row)
    bm.faces.new(rows[0])
    for inner, outer in itertools.pairwise(rows):
        for step in range(len(rim)):
            following = (step + 1) % len(rim)
            bm.faces.new((inner[step], outer[step], outer[following], inner[following]))
    bmesh.ops.recalc_face_normals(bm, faces=bm.faces)
    mesh_object(bm, "tablecloth", material)


def _rim(length, width, round_top):
    """Points around a table top, each with the direction away from the table."""
    if round_top:
        angles = [2 * math.pi * step / 120 for step in range(120)]
        directions = [Vector((math.cos(angle), math.sin(angle), 0)) for angle in angles]
        return [(direction * width / 2, direction) for direction in directions]
    corners = [(1, -1), (1, 1), (-1, 1), (-1, -1)]
    points = []
    for start, end in zip(corners, corners[1:] + corners[:1], strict=True):
        first = Vector((start[0] * length / 2, start[1] * width / 2, 0))
        last = Vector((end[0] * length / 2, end[1] * width / 2, 0))
        straight = Vector(((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, 0))
        for step in range(30):
            outward = straight if step else Vector((start[0], start[1], 0))
            points.append((first.lerp(last, step / 30), outward))
    return points


def runner(length, width, height):
    """A strip of cloth along the table, hanging over both ends or ending before."""
    cover = between(0.6, 1.0) * length
    material = fabric()
    if happens(0.5):
        cover = length + 0.02

    def surface(u, v):
        x = (u - 0.5) * (cover + 0.3)
        over = max(0.0, abs(x) - length / 2 - 0.004)
        flat = math.copysign(min(abs(x), length / 2 + 0.008), x)
        if cover < length:
            flat, over = (u - 0.5) * cover, 0
        ripple = 0.0015 * vector_noise.noise(Vector((x * 6, v * 4, cover * 9)))
        return Vector((flat, (v - 0.5) * 0.34, height + 0.0045 + ripple - over))

    sheet(surface, 41, 5, material, thickness=0.002)


class _Places:
    """Free places on a table top: keeps things apart."""

    def __init__(self, length, width, round_top):
        self.length, self.width, self.round_top = length, width, round_top
        self.taken = []

    def reserve(self, x, y, radius):
        """Mark a circle as occupied; False if something is there already."""
        for other_x, other_y, other_radius in self.taken:
            if math.hypot(x - other_x, y - other_y) < radius + other_radius:
                return False
        self.taken.append((x, y, radius))
        return True

    def find(self, radius, spread=1.0):
        """A free place for a thing of this radius, or None."""
        for _ in range(40):
            if self.round_top:
                angle, distance = between(0, 6.28), between(0, self.width / 2 - radius - 0.03)
                x, y = distance * math.cos(angle) * spread, distance * math.sin(angle) * spread
            else:
                x = between(-1, 1) * (self.length / 2 - radius - 0.03) * spread
                y = between(-1, 1) * (self.width / 2 - radius - 0.03) * spread
            if self.reserve(x, y, radius):
                return x, y
        return None


def _lay_table(places, height):
    """Place settings for a meal: plates, cutlery, glasses, perhaps place mats."""
    crockery = clutter.crockery()
    mat = fabric() if happens(0.35) else None
    drink = choose(["glass", "glass", "mug", "wine"])
    if places.round_top:
        count = choose([2, 3, 4])
        spots = []
        for index in range(count):
            angle = index * 2 * math.pi / count
            reach = places.width / 2 - 0.17
            spots.append((reach * math.sin(angle), -reach * math.cos(angle), angle))
    else:
        per_side = 2 if places.length > 1.35 else 1
        spots = []
        for side in (-1, 1):
            for index in range(per_side):
                x = (index - (per_side - 1) / 2) * places.length * 0.46
                spots.append((x, side * (places.width / 2 - 0.18), 0 if side < 0 else math.pi))
    for x, y, turn in spots:
        if not happens(0.85):
            continue
        places.reserve(x, y, 0.17)
        with stage.group((x, y, height), turn + between(-0.08, 0.08)):
            clutter.place_setting(crockery, mat, drink)


def dining_table(
    location=(0, 0, 0),
    rotation=0.0,
    length=1.5,
    width=0.85,
    round_top=False,
    settings=True,
    bottles=0,
    kind=None,
    cover=None,
):
    """One table labelled "diningtable"; what stands on it is unlabelled, but bottles are bottles.

    kind is a key of LEGS or ROUND_LEGS or "drop_leaf"; cover is "cloth", "runner" or "bare".
    With a round top the diameter is `width` (at least 0.9 m looks right). Returns the height.
    """
    height = between(0.72, 0.77)
    top = choose([wood, wood, wood, wood, _painted])
    top = top(0) if top is wood else top()
    legs = choose([top, top, top, _painted(), wood(2)])
    cover = cover or choose(["bare"] * 6 + ["runner", "runner", "cloth"])
    with stage.labelled("diningtable"), stage.group(location, rotation):
        thickness = between(0.022, 0.045)
        if round_top:
            kind = kind or choose(tuple(ROUND_LEGS))
            if kind == "tulip" and happens(0.6):
                top = paint(WHITE, 0.2)
            _table_top(length, width, height, True, top, thickness)
            ROUND_LEGS[kind](length, width, height - thickness, legs)
        else:
            kind = kind or choose((*tuple(LEGS), "square", "square", "drop_leaf"))
            _table_top(length, width, height, False, top, thickness)
            if kind == "drop_leaf":
                legs_turned(length, width * 0.9, height - thickness, top)
                _drop_leaves(length, width, height, top)
            else:
                LEGS[kind](length, width, height - thickness, legs)
        if cover == "cloth" and kind != "drop_leaf":
            tablecloth(length, width, height, round_top, between(0.16, 0.34))
            height += 0.005
        elif cover == "runner" and not round_top:
            runner(length, width, height)
            height += 0.006
        places = _Places(length, width, round_top)
        with stage.background():
            if settings:
                _dress_table(places, height)
        for _ in range(bottles):
            spot = places.find(0.055, 0.8)
            if spot:
                bottle((*spot, height + 0.001))
    return height


def _dress_table(places, height):
    """Lay the table, or leave on it what people leave on tables."""
    if happens(0.45):
        spot = places.find(0.13, 0.3)
        if spot:
            clutter.centrepiece((*spot, height))
        _lay_table(places, height)
    for _ in range(stage.random.randint(1, 5)):
        radius = choose([0.07, 0.13, 0.17])
        spot = places.find(radius, 0.95)
        if spot:
            clutter.tabletop_thing((*spot, height), radius)


# ---------------------------------------------------------------- screens


def _picture(name, pixels):
    """A Blender image from an array (height, width, 3) of values 0 to 1, top row first."""
    height, width, _ = pixels.shape
    image = bpy.data.images.new(name, width, height)
    rgba = np.ones((height, width, 4), np.float32)
    rgba[..., :3] = pixels[::-1]
    image.pixels.foreach_set(rgba.ravel())
    image.pack()
    return image


def _rectangle(pixels, left, top, right, bottom, color):
    """Fill a part of a picture; fractions of its width and height."""
    height, width, _ = pixels.shape
    rows = slice(max(0, int(top * height)), max(0, int(bottom * height)))
    columns = slice(max(0, int(left * width)), max(0, int(right * width)))
    pixels[rows, columns] = color


def _text_lines(pixels, left, top, right, bottom, ink, line=0.035, indent=False, colors=None):
    """Rows of grey dashes that read as text from afar."""
    y = top
    while y < bottom - line:
        x = left + (choose([0, 0, 0.03, 0.06, 0.09]) if indent else 0)
        end = x + (right - x) * choose([1, 1, 0.95, 0.8, 0.5, 0.3])
        while x < end:
            word = between(0.012, 0.06)
            tone = np.array(choose(colors) if colors else ink)
            _rectangle(pixels, x, y, min(x + word, end), y + line * 0.5, tone)
            x += word + 0.009
        y += line * (2 if happens(0.08) else 1)


def _draw_chart(pixels, left, top, right, bottom):
    """A small bar, line or pie chart."""
    _rectangle(pixels, left, top, right, bottom, 0.97)
    kind = choose(["bars", "line", "area"])
    color = np.array(natural_color(0.6)[:3]) ** (1 / 2.2)
    count = 9
    values = [between(0.2, 0.9) for _ in range(count)]
    for index, value in enumerate(values):
        x0 = left + (right - left) * (index + 0.1) / count
        x1 = left + (right - left) * (index + 0.85) / count
        y = bottom - (bottom - top) * value
        _rectangle(pixels, x0, y, x1, bottom if kind != "line" else y + 0.02, color)


def screen_document(pixels):
    """A text editor or word processor with a page."""
    pixels[:] = choose([0.85, 0.9, 0.6])
    _rectangle(
        pixels, 0, 0, 1, 0.07, choose([(0.2, 0.35, 0.6), (0.9, 0.9, 0.9), (0.25, 0.25, 0.27)])
    )
    _rectangle(pixels, 0, 0.07, 1, 0.13, 0.93)
    left = choose([0.2, 0.1, 0.28])
    _rectangle(pixels, left, 0.16, 1 - left, 0.96, 1.0)
    _text_lines(pixels, left + 0.06, 0.22, 0.94 - left, 0.9, (0.2, 0.2, 0.22))


def screen_code(pixels):
    """A dark code editor with coloured words."""
    pixels[:] = choose([(0.12, 0.13, 0.15), (0.1, 0.14, 0.18), (0.16, 0.16, 0.16)])
    _rectangle(pixels, 0, 0, 0.17, 1, (0.16, 0.17, 0.19))
    _text_lines(pixels, 0.02, 0.06, 0.15, 0.6, (0.55, 0.55, 0.58))
    words = [
        (0.7, 0.7, 0.72),
        (0.7, 0.7, 0.72),
        (0.5, 0.7, 0.85),
        (0.8, 0.6, 0.4),
        (0.55, 0.75, 0.5),
        (0.75, 0.5, 0.7),
    ]
    _text_lines(pixels, 0.21, 0.06, 0.8, 0.95, None, indent=True, colors=words)


def screen_browser(pixels):
    """A web page: header, pictures, columns of text."""
    pixels[:] = 0.97
    accent = np.array(natural_color(0.7)[:3]) ** (1 / 2.2)
    _rectangle(pixels, 0, 0, 1, 0.06, 0.8)
    _rectangle(pixels, 0.1, 0.015, 0.7, 0.045, 0.98)
    _rectangle(pixels, 0, 0.06, 1, 0.17, accent)
    columns = choose([2, 3])
    for column in range(columns):
        left = 0.06 + column * 0.9 / columns
        right = left + 0.8 / columns
        tone = np.array(natural_color(0.4)[:3]) ** (1 / 2.2)
        _rectangle(pixels, left, 0.22, right, 0.48, tone)
        _rectangle(pixels, left, 0.38, right, 0.48, tone * 0.6)
        _text_lines(pixels, left, 0.53, right, 0.95, (0.3, 0.3, 0.3))


def screen_dashboard(pixels):
    """Charts and tables."""
    dark = happens(0.4)
    pixels[:] = 0.15 if dark else 0.9
    _rectangle(pixels, 0, 0, 0.13, 1, (0.18, 0.22, 0.3))
    for row in range(2):
        for column in range(2):
            left, top = 0.17 + column * 0.41, 0.08 + row * 0.47
            _draw_chart(pixels, left, top, left + 0.37, top + 0.4)


def screen_spreadsheet(pixels):
    """A sheet of numbers."""
    pixels[:] = 1.0
    _rectangle(pixels, 0, 0, 1, 0.11, (0.13, 0.42, 0.27))
    for row in range(26):
        y = 0.11 + row * 0.035
        _rectangle(pixels, 0, y, 1, y + 0.004, 0.75)
        for column in range(9):
            if happens(0.75):
                x = 0.05 + column * 0.106
                _rectangle(pixels, x, y + 0.012, x + between(0.02, 0.08), y + 0.026, 0.35)
    for column in range(10):
        _rectangle(pixels, 0.04 + column * 0.106, 0.11, 0.042 + column * 0.106, 1, 0.75)


def screen_desktop(pixels):
    """Coloured wallpaper with windows, icons and a task bar."""
    height, width, _ = pixels.shape
    low = np.array(natural_color(0.5)[:3]) ** (1 / 2.2)
    high = 0.55 * low + 0.25 * np.array(natural_color(0.1)[:3]) ** (1 / 2.2)
    ramp = (
        np.linspace(0, 1, height)[:, None, None] * 0.7
        + np.linspace(0, 1, width)[None, :, None] * 0.3
    )
    pixels[:] = low * (1 - ramp) + high * ramp
    for icon in range(stage.random.randint(2, 8)):
        y = 0.05 + icon * 0.11
        _rectangle(pixels, 0.02, y, 0.055, y + 0.06, np.array(natural_color(0.8)[:3]) ** (1 / 2.2))
    _rectangle(pixels, 0, 0.95, 1, 1, choose([0.12, 0.85]))
    for _ in range(choose([0, 1, 2])):
        left, top = between(0.1, 0.45), between(0.05, 0.3)
        window = np.full((int(height * 0.5), int(width * 0.42), 3), 1.0, np.float32)
        choose([screen_document, screen_browser, screen_code])(window)
        y, x = int(top * height), int(left * width)
        pixels[y : y + window.shape[0], x : x + window.shape[1]] = window


WORK_SCREENS = [screen_document, screen_code, screen_browser, screen_dashboard]
WORK_SCREENS += [screen_spreadsheet, screen_desktop]


def work_screen(strength=1.0, width=640, height=360):
    """A glowing material with the picture of a computer at work; needs UV coordinates."""
    pixels = np.ones((height, width, 3), np.float32)
    choose(WORK_SCREENS)(pixels)
    shader = Shader("screen")
    texture = shader.node("TexImage")
    texture.image = _picture("screen", pixels)
    shader.set(
        color=(0.01, 0.01, 0.01, 1),
        roughness=choose([0.1, 0.4]),
        emission=texture.outputs[0],
        emission_strength=strength,
    )
    return shader.material


def dark_screen():
    """A screen that is off: black glass, glossy or matt."""
    color = choose([(0.004, 0.004, 0.005, 1), (0.008, 0.008, 0.01, 1), (0.012, 0.014, 0.014, 1)])
    return paint(color, choose([0.05, 0.08, 0.25]), variation=0.02)


def screen_panel(width, height, location, material, bulge=0.0, curve=0.0):
    """A screen facing -y with UV coordinates; bulge for tubes, curve for curved monitors."""

    def surface(u, v):
        x, z = (u - 0.5) * width, (v - 0.5) * height
        depth = bulge * ((2 * u - 1) ** 2 + (2 * v - 1) ** 2) / 2 - curve * (2 * u - 1) ** 2
        return Vector((x, depth, z))

    obj = sheet(surface, 13, 9, material)
    layer = obj.data.uv_layers.new(name="screen")
    for loop in obj.data.loops:
        point = obj.data.vertices[loop.vertex_index].co
        layer.data[loop.index].uv = (point.x / width + 0.5, point.z / height + 0.5)
    obj.location = location
    return obj


def _television_picture(on):
    """Material of a television's screen."""
    if not on:
        return dark_screen()
    return panorama(between(0.7, 1.6), True, between(0.14, 0.35))


def _caption(width, z):
    """A news caption or subtitles across the lower part of the picture."""
    if not happens(0.35):
        return
    strip = choose([(0.5, 0.04, 0.04, 1), (0.05, 0.12, 0.35, 1), (0.7, 0.7, 0.7, 1)])
    color = paint(strip, 0.2, emission=strip, emission_strength=0.8)
    box((width * between(0.5, 0.92), 0.002, width * 0.045), (0, -0.003, z - width * 0.2), color, 0)


def tv_feet(width, on):
    """Flat television on two feet."""
    _flat_television(width, on, 0.07)
    frame = paint(BLACK, 0.35)
    for side in (-1, 1):
        x = side * width * between(0.28, 0.36)
        tube([(x, -0.1, 0.006), (x, 0.01, 0.055), (x, 0.13, 0.006)], 0.007, frame)
        box((0.02, 0.02, 0.06), (x, 0.03, 0.05), frame, 0.003)


def tv_pedestal(width, on):
    """Flat television on one middle stand."""
    _flat_television(width, on, 0.085)
    frame = paint(choose([BLACK, GREY]), 0.25)
    box((0.09, 0.03, 0.14), (0, 0.045, 0.07), frame, 0.005)
    if happens(0.5):
        box((width * 0.42, 0.22, 0.014), (0, 0.03, 0.007), frame, 0.006)
    else:
        cylinder(0.15, 0.014, (0, 0.03, 0), frame)


def tv_wall(width, on):
    """Flat television hung on the wall: its back at y = 0, its centre on the location."""
    with stage.group((0, -0.07, -width * 9 / 32 - 0.01)):
        _flat_television(width, on, 0.01)


def _flat_television(width, on, lift):
    """The body of a flat television, thin or with the thick frame of older ones."""
    thick = happens(0.35)
    edge = between(0.025, 0.04) if thick else between(0.006, 0.014)
    color = choose([BLACK, BLACK, BLACK, (0.05, 0.05, 0.055, 1), GREY, (0.5, 0.5, 0.5, 1)])
    frame = paint(color, 0.2 if thick else 0.35)
    height = width * 9 / 16
    z = lift + height / 2 + edge
    depth = 0.07 if thick else 0.03
    box((width + 2 * edge, depth, height + 2 * edge), (0, depth / 2 + 0.004, z), frame, 0.005)
    if not thick:
        box((width * 0.6, 0.05, height * 0.5), (0, 0.05, z - height * 0.15), frame, 0.01)
    else:
        for side in (-1, 1):
            box(
                (edge, 0.012, height + 2 * edge),
                (side * (width + edge) / 2, -0.001, z),
                frame,
                0.003,
            )
            box((width, 0.012, edge), (0, -0.001, z + side * (height + edge) / 2), frame, 0.003)
        box((0.03, 0.003, 0.008), (width * 0.4, -0.008, z - height / 2 - edge / 2), metal(), 0)
    screen_panel(width, height, (0, 0.002, z), _television_picture(on))
    if on:
        _caption(width, z)


def tv_tube(width, on):
    """Old television with a bulging picture tube in a deep box."""
    width = min(width, between(0.45, 0.68))
    height = width * 0.75
    color = choose([BLACK, (0.09, 0.09, 0.095, 1), (0.42, 0.42, 0.43, 1), (0.16, 0.09, 0.05, 1)])
    shell = wood(0) if color[0] == 0.16 else paint(color, 0.45)
    face = paint(choose([BLACK, color]), 0.4)
    side = choose([0.0, 0.12])
    full = width + 0.1 + side
    tall = height + 0.12
    box((full, 0.16, tall), (0, 0.06, tall / 2), shell, 0.015, 3)
    cushion((full * 0.86, 0.4, tall * 0.86), (0, 0.3, tall * 0.47), shell, 5, wrinkle=0, cuts=8)
    panel_x = -side / 2
    for sign in (-1, 1):
        box(
            (0.035, 0.03, height + 0.07),
            (panel_x + sign * (width / 2 + 0.015), -0.025, tall / 2 + 0.01),
            face,
            0.008,
        )
        box(
            (width, 0.03, 0.035),
            (panel_x, -0.025, tall / 2 + 0.01 + sign * (height / 2 + 0.015)),
            face,
            0.008,
        )
    screen = _television_picture(on) if on else paint((0.03, 0.035, 0.033, 1), 0.08, variation=0.02)
    screen_panel(width, height, (panel_x, -0.037, tall / 2 + 0.01), screen, bulge=0.014)
    if side:
        for row in range(6):
            box((0.07, 0.006, 0.006), (full / 2 - 0.075, -0.022, 0.1 + row * 0.02), face, 0)
        for z in (0.6, 0.72):
            cylinder(
                0.02,
                0.015,
                (full / 2 - 0.075, -0.015, tall * z),
                metal(),
                rotation=(math.pi / 2, 0, 0),
            )
    else:
        for button in range(5):
            box(
                (0.018, 0.008, 0.01), (width * 0.25 + button * 0.024, -0.024, 0.022), metal(), 0.002
            )


TELEVISIONS = {"feet": tv_feet, "pedestal": tv_pedestal, "wall": tv_wall, "tube": tv_tube}


def television(location=(0, 0, 0), rotation=0.0, width=None, kind=None, on=None):
    """A television labelled "tvmonitor", off or with a picture.

    kind "wall" is centred on a location on the wall; it is never chosen by itself.
    """
    kind = kind or choose(["feet", "feet", "feet", "pedestal", "pedestal", "tube"])
    width = width or between(0.7, 1.25)
    on = happens(0.5) if on is None else on
    with stage.labelled("tvmonitor"), stage.group(location, rotation):
        TELEVISIONS[kind](width, on)
    return kind


def _monitor_screen(on):
    """Material of a monitor's screen."""
    if not on:
        return dark_screen()
    if happens(0.15):
        return panorama(between(0.6, 1.1), True, between(0.3, 0.7))
    return work_screen(between(0.6, 1.1))


def monitor_flat(width, on):
    """Flat monitor on a neck and foot."""
    ratio = choose([9 / 16, 9 / 16, 10 / 16, 3 / 4])
    if ratio > 0.7:
        width = min(width, 0.42)
    height = width * ratio
    color = choose([BLACK, BLACK, (0.06, 0.06, 0.065, 1), (0.4, 0.4, 0.4, 1), WHITE])
    frame = paint(color, 0.4)
    edge = choose([0.006, 0.012, 0.02])
    z = between(0.1, 0.15) + height / 2
    box((width + 2 * edge, 0.025, height + 2 * edge), (0, 0.016, z), frame, 0.004)
    chin = choose([0, 0, 0.018])
    if chin:
        box(
            (width + 2 * edge, 0.025, chin + 0.01),
            (0, 0.016, z - height / 2 - edge - chin / 2),
            frame,
            0.004,
        )
    screen_panel(width, height, (0, 0.002, z), _monitor_screen(on))
    stand = choose([frame, metal((0.6, 0.6, 0.6, 1), 0.35)])
    box((0.05, 0.025, z), (0, 0.055, z / 2), stand, 0.006, rotation=(0.06, 0, 0))
    kind = choose(["plate", "round", "fork"])
    if kind == "plate":
        box((0.24, 0.18, 0.012), (0, 0.05, 0.006), stand, 0.005)
    elif kind == "round":
        cylinder(0.11, 0.014, (0, 0.05, 0), stand)
    else:
        for side in (-1, 1):
            rod((0, 0.06, 0.012), (side * 0.16, -0.07, 0.01), 0.01, stand)


def monitor_wide(width, on):
    """Ultra-wide curved monitor."""
    width *= 1.35
    height = width * 0.42
    frame = paint(BLACK, 0.4)
    z = 0.13 + height / 2
    curve = 0.035
    for grow, depth, material in ((0.012, 0.0, frame),):
        panel = screen_panel(width + grow, height + grow, (0, 0.006, z), material, curve=curve)
        modifier = panel.modifiers.new("thickness", "SOLIDIFY")
        modifier.thickness = 0.03
        modifier.offset = -1
        del depth
    screen_panel(width, height, (0, -0.027, z), _monitor_screen(on), curve=curve)
    box((0.06, 0.03, z), (0, 0.06, z / 2), frame, 0.006)
    for side in (-1, 1):
        rod((0, 0.06, 0.014), (side * 0.2, -0.1, 0.01), 0.011, frame)


def monitor_all_in_one(width, on):
    """All-in-one desktop computer: aluminium chin and foot."""
    width = min(width, 0.58)
    height = width * 9 / 16
    silver = metal((0.66, 0.66, 0.67, 1), 0.4)
    black = paint(BLACK, 0.15)
    z = 0.19 + height / 2
    box((width + 0.03, 0.02, height + 0.03), (0, 0.012, z), black, 0.008)
    box((width + 0.03, 0.022, 0.075), (0, 0.012, z - height / 2 - 0.05), silver, 0.008)
    screen_panel(width, height, (0, 0.001, z), _monitor_screen(on))
    box((0.17, 0.008, 0.2), (0, 0.055, 0.1), silver, 0.002, rotation=(0.2, 0, 0))
    box((0.18, 0.2, 0.008), (0, 0.02, 0.004), silver, 0.003)


def monitor_tube(width, on):
    """Beige or black monitor with a picture tube on a swivel foot."""
    width = between(0.3, 0.38)
    height = width * 0.75
    shell = paint(
        choose([(0.55, 0.51, 0.43, 1), (0.5, 0.48, 0.44, 1), (0.05, 0.05, 0.05, 1), GREY]), 0.5
    )
    z = 0.09 + height / 2 + 0.03
    for side in (-1, 1):
        box((0.035, 0.09, height + 0.08), (side * (width / 2 + 0.015), 0.02, z), shell, 0.008)
        box((width, 0.09, 0.04), (0, 0.02, z + side * (height / 2 + 0.018)), shell, 0.008)
    box((width + 0.04, 0.05, height + 0.04), (0, 0.045, z), shell, 0.006)
    cushion((width + 0.02, 0.36, height + 0.02), (0, 0.2, z - 0.005), shell, 4.5, wrinkle=0, cuts=8)
    screen = _monitor_screen(True) if on else paint((0.03, 0.035, 0.033, 1), 0.08, variation=0.02)
    screen_panel(width, height, (0, -0.005, z), screen, bulge=0.02)
    cylinder(0.13, 0.03, (0, 0.14, 0), shell)
    cylinder(0.07, 0.08, (0, 0.14, 0.02), shell)
    for button in range(4):
        cylinder(
            0.006,
            0.006,
            (width * 0.22 + button * 0.022, -0.024, z - height / 2 - 0.02),
            shell,
            rotation=(math.pi / 2, 0, 0),
        )


MONITORS = {
    "flat": monitor_flat,
    "wide": monitor_wide,
    "all_in_one": monitor_all_in_one,
    "tube": monitor_tube,
}


def monitor(location=(0, 0, 0), rotation=0.0, width=None, kind=None, on=None):
    """A desktop monitor labelled "tvmonitor", off or at work."""
    kind = kind or choose(["flat"] * 5 + ["wide", "all_in_one", "tube"])
    width = width or between(0.46, 0.66)
    on = happens(0.65) if on is None else on
    with stage.labelled("tvmonitor"), stage.group(location, rotation):
        MONITORS[kind](width, on)
    return kind
